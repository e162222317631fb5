"""What an edit does to segments, in the plainest words NumPy has: the oracle of masking.

A `State` holds segments in order, each with a boolean array of its own, and the source volume.
`apply` gives the state after one edit. Nothing is shared, packed or cropped, and every rule is one
line on whole arrays, so the function can be read as the specification:

1. Where the edit may change anything is the `editable_area`; outside it no segment changes.
2. "set" replaces the segment inside the area by the modifier, "add" and "remove" add and remove the
   modifier, "remove_all" removes it from every segment, whatever the overwrite mode.
3. What "set" and "add" write is taken from the segments that the overwrite mode names.
4. Removing inside a single other segment gives it the removed voxels, to split it by painting.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

MODES = ("set", "add", "remove", "remove_all")
MASK_MODES = (
    "EditAllowedEverywhere",
    "EditAllowedInsideAllSegments",
    "EditAllowedInsideVisibleSegments",
    "EditAllowedOutsideAllSegments",
    "EditAllowedOutsideVisibleSegments",
    "EditAllowedInsideSingleSegment",
)
OVERWRITE_MODES = ("OverwriteAllSegments", "OverwriteVisibleSegments", "OverwriteNone")

NO_MASKING: dict[str, Any] = {
    "MaskMode": "EditAllowedEverywhere",
    "MaskSegmentID": "",
    "SourceVolumeIntensityMask": False,
    "SourceVolumeIntensityMaskRange": [0.0, 0.0],
    "OverwriteMode": "OverwriteAllSegments",
}


@dataclass(frozen=True)
class Segment:
    """The voxels of one segment (z, y, x), and whether it is shown."""

    voxels: np.ndarray
    visible: bool = True


@dataclass(frozen=True)
class State:
    """Segments by their identifiers, in order, and the source volume on the same lattice."""

    segments: dict[str, Segment]
    volume: np.ndarray


def apply(
    state: State,
    segment: str,
    modifier_mask: np.ndarray,
    mode: str,
    masking: Mapping[str, Any] = NO_MASKING,
) -> State:
    """The state after an edit of `segment`; settings left out are those of `NO_MASKING`."""
    assert mode in MODES, mode
    masking = _complete(masking)
    editable = editable_area(state, segment, mode, masking)
    written = modifier_mask & editable
    voxels = {identifier: held.voxels for identifier, held in state.segments.items()}
    edited = voxels[segment]

    if mode == "set":
        voxels[segment] = written | (edited & ~editable)
    elif mode == "add":
        voxels[segment] = edited | written
    elif mode == "remove":
        voxels[segment] = edited & ~written
    else:
        voxels = {identifier: held & ~written for identifier, held in voxels.items()}

    if mode in ("set", "add"):
        for identifier, held in state.segments.items():
            if identifier != segment and overwrites(masking["OverwriteMode"], held):
                voxels[identifier] = held.voxels & ~written
    if splits(segment, mode, masking):
        receiver = masking["MaskSegmentID"]
        voxels[receiver] = voxels[receiver] | (edited & written)

    changed = {key: replace(held, voxels=voxels[key]) for key, held in state.segments.items()}
    return replace(state, segments=changed)


def editable_area(
    state: State, segment: str, mode: str, masking: Mapping[str, Any] = NO_MASKING
) -> np.ndarray:
    """Where an edit of `segment` may change voxels."""
    masking = _complete(masking)
    mask_mode = masking["MaskMode"]
    segments = state.segments
    visible = [key for key, held in segments.items() if held.visible]

    if mask_mode == "EditAllowedEverywhere":
        area = np.ones(state.volume.shape, bool)
    elif mask_mode == "EditAllowedInsideAllSegments":
        area = _union(state, list(segments))
    elif mask_mode == "EditAllowedInsideVisibleSegments":
        area = _union(state, visible)
    elif mask_mode == "EditAllowedOutsideAllSegments":
        area = ~_union(state, [key for key in segments if key != segment])
    elif mask_mode == "EditAllowedOutsideVisibleSegments":
        area = ~_union(state, [key for key in visible if key != segment])
    else:
        area = _union(state, [masking["MaskSegmentID"]] if masking["MaskSegmentID"] else [])
    if splits(segment, mode, masking):
        area = area | segments[segment].voxels

    if masking["SourceVolumeIntensityMask"]:
        lowest, highest = masking["SourceVolumeIntensityMaskRange"]
        values = state.volume.astype(np.longdouble)  # holds every number exactly
        area = area & (lowest <= values) & (values <= highest)
    return area


def splits(segment: str, mode: str, masking: Mapping[str, Any]) -> bool:
    """Whether an edit moves voxels from `segment` to the mask segment."""
    masking = _complete(masking)
    return (
        mode == "remove"
        and masking["MaskMode"] == "EditAllowedInsideSingleSegment"
        and masking["MaskSegmentID"] not in ("", segment)
    )


def overwrites(overwrite_mode: str, other: Segment) -> bool:
    """Whether writing takes voxels from another segment."""
    return overwrite_mode == "OverwriteAllSegments" or (
        overwrite_mode == "OverwriteVisibleSegments" and other.visible
    )


def _complete(masking: Mapping[str, Any]) -> dict[str, Any]:

    assert masking.keys() <= NO_MASKING.keys(), masking
    complete = {**NO_MASKING, **masking}
    assert complete["MaskMode"] in MASK_MODES, complete
    assert complete["OverwriteMode"] in OVERWRITE_MODES, complete
    return complete


def _union(state: State, identifiers: list[str]) -> np.ndarray:

    result = np.zeros(state.volume.shape, bool)
    for identifier in identifiers:
        result |= state.segments[identifier].voxels
    return result
