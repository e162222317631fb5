"""Where edits differ from Slicer's on purpose: the table that ``test_masking_oracle.py`` checks.

Each row names a difference, says when it happens, what Slicer does, what we do and why, and has a
function that turns what came of an edit so far into what Slicer would make of it. Applied from the
first row to the last to the result of `masking_oracle.apply`, they must give Slicer's voxels
exactly; for each row there must be an edit where the others do not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from masking_oracle import State, apply, editable_area, overwrites, splits


@dataclass(frozen=True)
class Edit:
    """One edit, and what came of it."""

    before: State
    segment: str
    modifier: np.ndarray
    image: np.ndarray  # the voxels of the modifier's image, which may be cropped: a box
    mode: str
    masking: Mapping[str, Any]
    layers_before: Mapping[str, int]  # of each segment in Slicer: with equal numbers they share
    layers_after: Mapping[str, int]  # an image there, so cannot overlap
    after: State

    @classmethod
    def ours(cls, **edit: Any) -> Edit:
        """An edit with our result."""
        names = ("before", "segment", "modifier", "mode", "masking")
        return cls(**edit, after=apply(*(edit[name] for name in names)))

    def again(self, **masking: Any) -> Edit:
        """The edit with some other settings."""
        masking = {**self.masking, **masking}
        after = apply(self.before, self.segment, self.modifier, self.mode, masking)
        return replace(self, masking=masking, after=after)

    def with_voxels(self, identifier: str, voxels: np.ndarray) -> Edit:
        """The edit with other voxels of one segment afterwards."""
        segments = dict(self.after.segments)
        segments[identifier] = replace(segments[identifier], voxels=voxels)
        return replace(self, after=replace(self.after, segments=segments))

    @property
    def protected(self) -> np.ndarray:
        """The voxels of the edited segment that must stay."""
        area = editable_area(self.before, self.segment, self.mode, self.masking)
        return self.before.segments[self.segment].voxels & ~area

    @property
    def overwritten(self) -> list[str]:
        """The other segments that writing takes voxels from."""
        mode = self.masking["OverwriteMode"]
        segments = self.before.segments.items()
        return [key for key, held in segments if key != self.segment and overwrites(mode, held)]

    @property
    def removes_inside_single_segment(self) -> bool:
        """Whether Slicer counts the edited segment to the editable area."""
        return self.mode == "remove" and (
            self.masking["MaskMode"] == "EditAllowedInsideSingleSegment"
        )


@dataclass(frozen=True)
class Difference:
    """A row of the table."""

    name: str
    condition: str
    slicer: str
    ours: str
    reason: str
    as_slicer: Callable[[Edit], Edit]


def as_slicer(edit: Edit, rows: list[Difference]) -> Edit:
    """The edit with what Slicer makes of it, as far as these rows say."""
    for row in rows:
        edit = row.as_slicer(edit)
    return edit


def _clamp_range(edit: Edit) -> Edit:

    volume = edit.before.volume
    if volume.dtype.kind == "f":
        return edit
    limits = np.iinfo(volume.dtype)
    bounds = edit.masking["SourceVolumeIntensityMaskRange"]
    return edit.again(
        SourceVolumeIntensityMaskRange=[min(max(x, limits.min), limits.max) for x in bounds]
    )


def _cut_range(edit: Edit) -> Edit:

    if edit.before.volume.dtype.kind == "f":
        return edit
    bounds = edit.masking["SourceVolumeIntensityMaskRange"]
    return edit.again(SourceVolumeIntensityMaskRange=[int(x) for x in bounds])


def _round_range(edit: Edit) -> Edit:

    if edit.before.volume.dtype != np.float32:
        return edit
    bounds = edit.masking["SourceVolumeIntensityMaskRange"]
    return edit.again(SourceVolumeIntensityMaskRange=[float(np.float32(x)) for x in bounds])


def _remove_without_mask_segment(edit: Edit) -> Edit:

    if not edit.removes_inside_single_segment or edit.masking["MaskSegmentID"]:
        return edit
    return edit.again(MaskSegmentID=edit.segment)


def _remove_at_any_intensity(edit: Edit) -> Edit:

    if not edit.removes_inside_single_segment:
        return edit
    return edit.again(SourceVolumeIntensityMask=False)


def _split_overwrites_layer(edit: Edit) -> Edit:

    if not splits(edit.segment, edit.mode, edit.masking):
        return edit
    layers, receiver = edit.layers_after, edit.masking["MaskSegmentID"]
    moved = edit.before.segments[edit.segment].voxels & ~edit.after.segments[edit.segment].voxels
    for other in edit.overwritten:
        if other != receiver and layers[other] == layers[receiver]:
            edit = edit.with_voxels(other, edit.after.segments[other].voxels & ~moved)
    return edit


def _set_overwrites_protected(edit: Edit) -> Edit:

    if edit.mode == "set":
        for other in edit.overwritten:
            voxels = edit.after.segments[other].voxels & ~(edit.protected & edit.image)
            edit = edit.with_voxels(other, voxels)
    return edit


def _set_forgets_outside_image(edit: Edit) -> Edit:

    if edit.mode != "set":
        return edit
    voxels = edit.after.segments[edit.segment].voxels & ~(edit.protected & ~edit.image)
    return edit.with_voxels(edit.segment, voxels)


def _overwrite_first_of_layer(edit: Edit) -> Edit:

    if edit.mode not in ("set", "add"):
        return edit
    before = edit.before.segments
    layers, beside = edit.layers_before, edit.layers_after[edit.segment]
    # What shares the image that is written to is overwritten by that.
    elsewhere = [x for x in before if x != edit.segment and edit.layers_after[x] != beside]
    for layer in {layers[other] for other in elsewhere}:
        held = [other for other in elsewhere if layers[other] == layer]
        overwritten = [other for other in held if other in edit.overwritten]
        kept = [other for other in held if other not in edit.overwritten]
        if any((before[other].voxels & edit.image).any() for other in kept):
            for other in overwritten[1:]:
                edit = edit.with_voxels(other, before[other].voxels)
    return edit


DIFFERENCES = [
    Difference(
        name="intensity range clamped",
        condition="SourceVolumeIntensityMask, integer volume, a bound outside the range of "
        "its type",
        slicer="moves the bound to the nearest value of the type, so that [300, 400] selects the "
        "255 of an 8-bit volume",
        ours="no voxel has a value in such a range, so nothing is editable",
        reason="vtkImageThreshold's conversion of the bounds; the threshold effect is exact, too",
        as_slicer=_clamp_range,
    ),
    Difference(
        name="intensity range cut",
        condition="SourceVolumeIntensityMask, integer volume, a bound with a fraction",
        slicer="cuts the bound towards zero: [10.7, 12.9] selects 10, 11 and 12",
        ours="compares exactly: 11 and 12",
        reason="vtkImageThreshold's conversion of the bounds; the threshold effect is exact, too",
        as_slicer=_cut_range,
    ),
    Difference(
        name="intensity range rounded",
        condition="SourceVolumeIntensityMask, 32-bit floating point volume, a bound between two of "
        "its values",
        slicer="rounds the bound to 32 bits, which may step over a voxel",
        ours="compares exactly",
        reason="vtkImageThreshold's conversion of the bounds; the threshold effect is exact, too",
        as_slicer=_round_range,
    ),
    Difference(
        name="removal without mask segment",
        condition="remove, EditAllowedInsideSingleSegment, no MaskSegmentID",
        slicer="warns that there is no mask segment, and removes the modifier all the same",
        ours="nothing is editable, so nothing is removed",
        reason="Slicer counts the edited segment to the area before it looks whether to split",
        as_slicer=_remove_without_mask_segment,
    ),
    Difference(
        name="removal at any intensity",
        condition="remove, EditAllowedInsideSingleSegment, SourceVolumeIntensityMask",
        slicer="removes (and gives to the mask segment) voxels of any intensity",
        ours="the intensity range holds as everywhere else",
        reason="Slicer counts the edited segment to the area after it has excluded intensities",
        as_slicer=_remove_at_any_intensity,
    ),
    Difference(
        name="split overwrites layer",
        condition="remove inside another single segment; a third segment shares Slicer's image "
        "with the mask segment, overlaps the edited one, and OverwriteMode names it",
        slicer="the third segment loses the voxels that the mask segment gets",
        ours="it keeps them: removing takes from the edited segment only",
        reason="in Slicer it depends on which segments happen to share an image",
        as_slicer=_split_overwrites_layer,
    ),
    Difference(
        name="set overwrites protected voxels",
        condition="set; voxels of the edited segment outside the editable area are also in "
        "segments that OverwriteMode names",
        slicer="the other segments lose these voxels",
        ours="outside the editable area no segment changes",
        reason="Slicer writes what must stay once more, together with the modifier",
        as_slicer=_set_overwrites_protected,
    ),
    Difference(
        name="set forgets what its image does not cover",
        condition="set with a cropped modifier; voxels of the edited segment outside the editable "
        "area lie outside the modifier's image",
        slicer="the edited segment loses these voxels",
        ours="outside the editable area no segment changes",
        reason="Slicer keeps what must stay inside the modifier's image only",
        as_slicer=_set_forgets_outside_image,
    ),
    Difference(
        name="only the first segment of a layer is overwritten",
        condition="set or add, OverwriteVisibleSegments; several visible segments share Slicer's "
        "image with a hidden one, and the edited segment does not",
        slicer="the first of the visible segments is overwritten, the others keep their voxels",
        ours="all visible segments are overwritten",
        reason="Slicer moves the first segment to an image of its own, erases there, and counts "
        "the old image as done",
        as_slicer=_overwrite_first_of_layer,
    ),
]
