"""What is done to each volume. The operations are those of the operation schema."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Operation = dict[str, Any]


@dataclass(frozen=True)
class Task:
    """A volume, the edits on the server, and the edit that Slicer asks for."""

    name: str
    title: str
    operations: tuple[Operation, ...]
    slicer_operation: Operation


def operation(effect: str, segment: str, **parameters: Any) -> Operation:
    """One operation."""
    return {"effect": effect, "segment": segment, "parameters": parameters}


def operation_text(operation: Operation) -> str:
    """An operation in a few words."""
    parameters = operation.get("parameters", {})
    words = ", ".join(
        f"{value:g} mm" if key.endswith("Mm") else str(value)
        for key, value in parameters.items()
        if key not in ("Color", "Name")
    )
    return f"{operation['segment']}: {operation['effect']}" + (f" {words}" if words else "")


def refined(
    segment: str, mode: str, smallest: int, name: str, color: tuple[float, float, float]
) -> tuple[Operation, ...]:
    """The main sequence: Otsu's threshold, cleaned, opened, grown and smoothed."""
    return (
        operation("add_segment", segment, Name=name, Color=list(color)),
        operation("threshold", segment, AutoThresholdMode=mode, AutoThresholdMethod="OTSU"),
        operation("islands", segment, Operation="REMOVE_SMALL_ISLANDS", MinimumSize=smallest),
        operation("islands", segment, Operation="KEEP_LARGEST_ISLAND"),
        operation("margin", segment, MarginSizeMm=-1.0),
        operation("margin", segment, MarginSizeMm=2.0),
        operation("median", segment, KernelSizeMm=3.0),
    )


# The main sequence leaves a segment one millimetre too large (-1 + 2). In each task Slicer then
# asks for the last step: the millimetre is taken off again, and the segment fits the volume.
ROCK = Task(
    "rock",
    "Synthetic rock",
    (
        *refined("pores", "SET_MIN_UPPER", 1000, "Pore space", (0.25, 0.55, 0.95)),
        operation("add_segment", "heavy", Name="Heavy mineral", Color=[0.95, 0.60, 0.15]),
        operation("threshold", "heavy", MinimumThreshold=33000.0),
        operation("islands", "heavy", Operation="REMOVE_SMALL_ISLANDS", MinimumSize=500),
        operation("median", "heavy", KernelSizeMm=1.5),
    ),
    operation("margin", "pores", MarginSizeMm=-1.0),
)
BRAIN = Task(
    "brain",
    "MRI of a brain",
    refined("brain", "SET_LOWER_MAX", 1000, "Brain", (0.90, 0.70, 0.55)),
    operation("margin", "brain", MarginSizeMm=-1.0),
)
# Edits of an atlas that is there already.
ATLAS = Task(
    "atlas",
    "MRI of a head with its atlas",
    (
        operation("median", "Precentral_R", KernelSizeMm=3.0),
        operation("margin", "Thalamus_L", MarginSizeMm=1.0),
        operation("islands", "Thalamus_L", Operation="KEEP_LARGEST_ISLAND"),
    ),
    operation("margin", "Frontal_Mid_R", MarginSizeMm=-3.0),
)
CT = Task(
    "ct",
    "CT of a head",
    (
        *refined("soft", "SET_LOWER_MAX", 1000, "Soft tissue", (0.85, 0.60, 0.50)),
        operation("add_segment", "bone", Name="Bone", Color=[0.95, 0.93, 0.80]),
        operation("threshold", "bone", MinimumThreshold=250.0),
        operation("islands", "bone", Operation="KEEP_LARGEST_ISLAND"),
    ),
    operation("margin", "soft", MarginSizeMm=-1.0),
)
TASKS = {task.name: task for task in (ROCK, BRAIN, ATLAS, CT)}
