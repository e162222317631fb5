"""Our editing session beside what Slicer made of the same edits: no oracle in between.

`test_masking_oracle.py` says where Slicer's editor logic differs from the oracle, and
`Testing/Python/test_edit_session.py` that the session does not. Here the session meets Slicer
itself, in the edits where no difference is listed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "Python"))

from masking_differences import DIFFERENCES, Edit, as_slicer  # noqa: E402
from masking_oracle import State  # noqa: E402
from session_world import World, add_segments, apply, masks_of, operation, refused  # noqa: E402
from test_masking_oracle import SEEDS, ask_slicer, first_difference, random_session  # noqa: E402

pytestmark = pytest.mark.slicer


def session_of(state: State, volume: np.ndarray) -> Any:
    """A session with these segments, each painted voxel by voxel."""
    world = World(volume.shape)
    session = world.session(volume, block_edge=4)
    add_segments(session, state.segments)
    for identifier, held in state.segments.items():
        keep = {"OverwriteMode": "OverwriteNone"}
        apply(session, *strokes("paint", identifier, held.voxels, keep))
        apply(session, operation("show_segment", identifier, Visible=held.visible))
    return session


def strokes(
    effect: str, segment: str, mask: np.ndarray, masking: Any, **parameters: Any
) -> Iterator[dict[str, Any]]:
    """Strokes through the rows of a mask: rules go voxel by voxel, so they act as one."""
    world = World(mask.shape)
    for z, y in np.argwhere(mask.any(axis=2)).tolist():
        row = np.concatenate([[False], mask[z, y], [False]])
        for begin, end in np.flatnonzero(row[1:] != row[:-1]).reshape(-1, 2).tolist():
            way = [world.point((x, y, z)) for x in (begin, end - 1)]
            yield operation(effect, segment, masking, Points=way, BrushPixelMode=True, **parameters)


def edited(edit: Edit) -> dict[str, np.ndarray]:
    """What our session makes of an edit."""
    masking = dict(edit.masking)
    segment, modifier, volume = edit.segment, edit.modifier, edit.before.volume
    if edit.mode == "set":
        # A threshold gives the modifier, and intensities are masked: one volume for both, of the
        # values 1 (modifier alone), 2 (both), 3 (in the range alone) and 4 (neither).
        low, high = masking["SourceVolumeIntensityMaskRange"]
        values = volume.astype(np.longdouble)
        in_range = (low <= values) & (values <= high)
        volume = np.where(modifier, np.where(in_range, 2, 1), np.where(in_range, 3, 4))
        masking["SourceVolumeIntensityMaskRange"] = [2, 3]
        limits = {"MinimumThreshold": 1, "MaximumThreshold": 2}
        operations = [operation("threshold", segment, masking, **limits)]
    elif edit.mode == "add":
        operations = list(strokes("paint", segment, modifier, masking))
    else:
        everyone = {"EraseAllSegments": edit.mode == "remove_all"}
        operations = list(strokes("erase", segment, modifier, masking, **everyone))
    session = session_of(edit.before, volume.astype(np.float64))
    if masking["MaskMode"] == "EditAllowedInsideSingleSegment" and not masking["MaskSegmentID"]:
        if operations:
            assert "MaskSegmentID" in refused(session, *operations)
    else:
        apply(session, *operations)
    return masks_of(session)


def test_our_session_is_slicers(slicer_python: str, tmp_path: Path) -> None:
    sessions = [random_session(seed) for seed in SEEDS[:36]]
    compared = set()
    for step in ask_slicer(slicer_python, tmp_path, sessions):
        if first_difference(step.edit.after, as_slicer(step.edit, DIFFERENCES).after):
            continue
        for identifier, mask in edited(step.edit).items():
            expected = step.slicer.segments[identifier].voxels
            assert np.array_equal(mask, expected), f"{step}: {identifier}"
        masking = step.edit.masking
        compared.add((step.edit.mode, masking["MaskMode"], masking["OverwriteMode"]))
    assert len(compared) == 4 * 6 * 3
