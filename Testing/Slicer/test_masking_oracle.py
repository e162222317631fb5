"""The oracle of masking against Slicer's own editor logic, voxel by voxel, in random sessions.

``slicer_masking.py`` runs all sessions in one process of Slicer's Python. Each edit is judged on
its own: the oracle starts from what Slicer had before it. The results are equal but for the
differences listed in ``masking_differences.py``, which say exactly which voxels differ.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "Python"))

from masking_differences import DIFFERENCES, Difference, Edit, as_slicer  # noqa: E402
from masking_oracle import (  # noqa: E402
    MASK_MODES,
    MODES,
    NO_MASKING,
    OVERWRITE_MODES,
    Segment,
    State,
    editable_area,
)

pytestmark = pytest.mark.slicer

SEEDS = range(168)
OPERATIONS = 12  # in a session; more leave little to edit
COMBINATIONS = list(itertools.product(MODES, MASK_MODES, OVERWRITE_MODES, (False, True)))
Random(0).shuffle(COMBINATIONS)  # so that sessions mix the modes
VOLUME_TYPES = ("uint8", "int16", "float32", "float64")

# Anisotropic and oblique: x, y, z. Every image of a session has this lattice.
LATTICE = {
    "origin": [10.0, -20.0, 30.0],
    "spacing": [0.5, 1.25, 3.0],
    "direction": [[0.8, -0.576, 0.168], [0.6, 0.768, -0.224], [0.0, 0.28, 0.96]],
}


@dataclass(frozen=True)
class Session:
    """What Slicer is asked to do."""

    name: str
    description: dict[str, Any]
    voxels: np.ndarray  # segment, z, y, x
    volume: np.ndarray
    modifiers: np.ndarray  # operation, z, y, x


@dataclass(frozen=True)
class Step:
    """One operation of a session, and what Slicer made of it."""

    session: str
    number: int
    edit: Edit
    slicer: State

    def __str__(self) -> str:
        edit = self.edit
        return f"{self.session}, step {self.number}: {edit.mode} {edit.segment}, {edit.masking}"


def random_session(seed: int) -> Session:
    """Two to five segments, some hidden or empty, and random edits of them."""
    random = np.random.default_rng(seed)
    shape = tuple(random.permutation([7, 8, 9]))
    identifiers = [f"segment {letter}" for letter in "abcde"[: random.integers(2, 6)]]
    labels = random.integers(0, len(identifiers) + 2, shape)
    voxels = np.array([labels == label for label, _ in enumerate(identifiers)])
    for held in voxels[1:]:  # Slicer may keep those that stay disjoint in one image
        if random.random() < 0.3:
            held[:] = boxes(random, shape)
    # Few values, and bounds among them: fractions, and the ends of the 8-bit range.
    values = (random.integers(-500, 3000, 30) / 10.0).clip(0, 255)
    bounds = [*values[:8], -7.3, -2.0, 260.0, 301.5]
    volume = random.choice(values, shape).astype(random.choice(VOLUME_TYPES))

    operations, modifiers = [], []
    for number in range(seed * OPERATIONS, (seed + 1) * OPERATIONS):
        mode, mask_mode, overwrite_mode, by_intensity = COMBINATIONS[number % len(COMBINATIONS)]
        masking = {
            "MaskMode": mask_mode,
            "MaskSegmentID": str(random.choice([*identifiers, ""])),
            "SourceVolumeIntensityMask": by_intensity,
            "SourceVolumeIntensityMaskRange": sorted(random.choice(bounds, 2).tolist()),
            "OverwriteMode": overwrite_mode,
        }
        operations.append(
            {
                "segment": str(random.choice(identifiers)),
                "mode": mode,
                "masking": masking,
                "cropped": bool(random.random() < 0.25),
            }
        )
        modifiers.append(boxes(random, shape))
    order = random.permutation(OPERATIONS)
    description = {
        **LATTICE,
        "segments": [{"id": x, "visible": bool(random.random() < 0.6)} for x in identifiers],
        "layers": str(random.choice(["packed", "packed", "separate"])),
        "operations": [operations[i] for i in order],
    }
    return Session(f"seed {seed}", description, voxels, volume, np.array(modifiers)[order])


def split_session() -> Session:
    """Splits a segment that shares its image with a third one: too rare in random sessions."""
    shape = (3, 4, 5)
    everywhere = np.ones(shape, bool)
    left = everywhere & (np.arange(5) < 2)
    operation = {
        "segment": "edited",
        "mode": "remove",
        "masking": {
            **NO_MASKING,
            "MaskMode": "EditAllowedInsideSingleSegment",
            "MaskSegmentID": "left",
        },
        "cropped": False,
    }
    description = {
        **LATTICE,
        "segments": [{"id": x, "visible": True} for x in ("left", "right", "edited")],
        "layers": "packed",
        "operations": [operation],
    }
    voxels = np.array([left, ~left, everywhere])
    return Session("split", description, voxels, np.zeros(shape), everywhere[None])


def boxes(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Up to two boxes, full or sprinkled with holes; many of them touch the border."""
    mask = np.zeros(shape, bool)
    for _ in range(random.choice([0, 1, 1, 1, 2, 2])):
        starts = [random.integers(-2, size - 1) for size in shape]
        stops = [
            start + random.integers(3, size) for start, size in zip(starts, shape, strict=True)
        ]
        mask[tuple(slice(max(a, 0), b) for a, b in zip(starts, stops, strict=True))] = True
    return mask & (random.random(shape) < random.choice([0.5, 0.9, 1.0]))


def box_around(mask: np.ndarray) -> np.ndarray:
    """The smallest box with all of a mask."""
    box = np.zeros_like(mask)
    found = np.argwhere(mask)
    box[tuple(slice(a, b + 1) for a, b in zip(found.min(0), found.max(0), strict=True))] = True
    return box


def ask_slicer(python: str, folder: Path, sessions: list[Session]) -> Iterator[Step]:
    """Have Slicer do all operations."""
    cases: dict[str, Any] = {"sessions": json.dumps([x.description for x in sessions])}
    for i, session in enumerate(sessions):
        cases[f"voxels{i}"] = session.voxels
        cases[f"volume{i}"] = session.volume
        cases[f"modifiers{i}"] = session.modifiers
    np.savez(folder / "cases.npz", **cases)
    done = subprocess.run(
        [python, HERE / "slicer_masking.py", folder / "cases.npz", folder / "results.npz"],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    with np.load(folder / "results.npz") as results:
        for i, session in enumerate(sessions):
            yield from steps(session, results[f"voxels{i}"], results[f"layers{i}"])


def steps(session: Session, voxels: np.ndarray, layers: np.ndarray) -> Iterator[Step]:
    """The edits of a session, each from the state that Slicer had before it."""
    segments = session.description["segments"]
    identifiers = [segment["id"] for segment in segments]
    assert np.array_equal(voxels[0], session.voxels), f"{session.name}: not as given"

    def state(number: int) -> State:
        held = zip(segments, voxels[number], strict=True)
        return State({x["id"]: Segment(y, x["visible"]) for x, y in held}, session.volume)

    for number, operation in enumerate(session.description["operations"]):
        modifier = session.modifiers[number]
        cropped = operation["cropped"] and modifier.any()
        edit = Edit.ours(
            before=state(number),
            segment=operation["segment"],
            modifier=modifier,
            image=box_around(modifier) if cropped else np.ones_like(modifier),
            mode=operation["mode"],
            masking=operation["masking"],
            layers_before=dict(zip(identifiers, layers[number], strict=True)),
            layers_after=dict(zip(identifiers, layers[number + 1], strict=True)),
        )
        yield Step(session.name, number, edit, state(number + 1))


@pytest.fixture(scope="module")
def edits(slicer_python: str, tmp_path_factory: pytest.TempPathFactory) -> list[Step]:
    sessions = [*(random_session(seed) for seed in SEEDS), split_session()]
    return list(ask_slicer(slicer_python, tmp_path_factory.mktemp("masking"), sessions))


def first_difference(expected: State, found: State) -> str:
    """Where two states differ, in words; nothing if they do not."""
    for identifier, held in expected.segments.items():
        other = found.segments[identifier].voxels
        for z, y, x in np.argwhere(held.voxels != other)[:1]:
            inside = "has" if other[z, y, x] else "lacks"
            return f"{identifier} {inside} voxel x {x}, y {y}, z {z}"
    return ""


@pytest.mark.parametrize("session", [*(f"seed {seed}" for seed in SEEDS), "split"])
def test_edits_are_slicers_but_for_the_listed_differences(edits: list[Step], session: str) -> None:
    for step in (step for step in edits if step.session == session):
        different = first_difference(as_slicer(step.edit, DIFFERENCES).after, step.slicer)
        assert not different, f"{step}: in Slicer {different}"


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.name)
def test_each_listed_difference_occurs(edits: list[Step], difference: Difference) -> None:
    others = [row for row in DIFFERENCES if row is not difference]
    needed = any(first_difference(as_slicer(x.edit, others).after, x.slicer) for x in edits)
    assert needed, "no edit shows it: mend the sessions, or remove it from the table"


def test_nothing_changes_outside_the_editable_area(edits: list[Step]) -> None:
    for step in edits:
        edit = step.edit
        area = editable_area(edit.before, edit.segment, edit.mode, edit.masking)
        for identifier, held in edit.before.segments.items():
            changed = held.voxels != edit.after.segments[identifier].voxels
            assert not (changed & ~area).any(), f"{step}: {identifier}"


def test_all_combinations_of_settings_change_something(edits: list[Step]) -> None:
    changing = set()
    for step in edits:
        edit, masking = step.edit, step.edit.masking
        if first_difference(edit.before, edit.after):
            settings = (masking[x] for x in ("MaskMode", "OverwriteMode"))
            changing.add((edit.mode, *settings, masking["SourceVolumeIntensityMask"]))
    assert changing == set(COMBINATIONS)
