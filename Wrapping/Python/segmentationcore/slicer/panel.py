"""The panel of the effects in Slicer's Segment Editor, without widgets: rows from the declarations.

Pure Python, so that it can be tested without Qt; the widgets are in the Slicer extension.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from .._registry import voxel_effects

# What a row of the panel can ask for. Points are clicked and other segments are chosen, for which
# Slicer's own effects have tools.
_ROW_TYPES = ("double", "int", "int64", "bool", "enum", "choice")


def _is_left_out(parameter: dict[str, Any]) -> bool:
    """Points that some operations of an effect need: without them the effect says so."""
    return parameter["type"] == "points" and not parameter.get("required")


@dataclass(frozen=True)
class Row:
    """One parameter: what a widget needs to know."""

    name: str
    label: str
    kind: str
    default: Any
    unit: str
    sentence: str
    range: tuple[Any, Any] | None
    choices: tuple[Any, ...]


@dataclass(frozen=True)
class EffectPanel:
    """One effect and its rows, in the order of the declaration."""

    identifier: str
    title: str
    summary: str
    input: str
    rows: tuple[Row, ...]


def effect_panels() -> list[EffectPanel]:
    """The effects of one segment whose parameters all fit into rows, in ParaView's order.

    What changes all segments at once, or reads the volume beside the segment, does not fit into the
    editor's modifier label map; it goes through the bridge.
    """
    panels = []
    for effect in voxel_effects().values():
        if (
            effect["input"] == "segments"
            or effect["volume"]
            or any(
                p["type"] not in _ROW_TYPES and not _is_left_out(p) for p in effect["parameters"]
            )
        ):
            continue
        rows = tuple(
            Row(
                name=p["name"],
                label=re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", p["name"]),
                kind=p["type"],
                default=p["default"],
                unit=p["unit"],
                sentence=p["sentence"],
                range=tuple(p["range"]) if "range" in p else None,
                choices=tuple(p.get("values", ())),
            )
            for p in effect["parameters"]
            if not _is_left_out(p)
        )
        panels.append(
            EffectPanel(
                effect["identifier"], effect["title"], effect["summary"], effect["input"], rows
            )
        )
    return panels


def run(effect: EffectPanel, source: Any, values: dict[str, Any], modifier: Any) -> None:
    """Run an effect on an image and write its mask into the editor's modifier label map.

    ``source`` and ``modifier`` are on the same voxels, as Slicer's editor provides them. The
    geometry of ``modifier`` is kept: Slicer keeps directions outside ``vtkImageData``.
    """
    from .._run import run_effect

    if tuple(source.GetExtent()) != tuple(modifier.GetExtent()):
        raise ValueError(
            f"the source has the extent {source.GetExtent()} and the modifier label map "
            f"{modifier.GetExtent()}; expected the same"
        )
    result = run_effect(effect.identifier, source, values, label=1)
    modifier.GetPointData().SetScalars(result.GetPointData().GetScalars())
    modifier.Modified()
