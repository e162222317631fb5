"""Crops of volumes against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sample_data import ALL_TYPES, assert_same, blob_labels, smooth_volume
from segmentationcore import (
    Cancelled,
    Editor,
    SegmentationCoreError,
    VolumeCrop,
    mask_volume,
    split_volume,
    to_array,
    to_image,
)

pytestmark = pytest.mark.python

SHAPE = (11, 13, 16)
SPACING = (2.0, 0.75, 1.25)


def expected(
    inside: NDArray[np.bool_], volume: NDArray[Any], padding: int, fill: Any
) -> tuple[NDArray[Any], tuple[int, ...]]:
    """The crop, and where it begins."""
    first = [int(places.min()) for places in inside.nonzero()]
    last = [int(places.max()) for places in inside.nonzero()]
    masked = np.where(inside, volume, np.array(fill).astype(volume.dtype))
    part = masked[tuple(slice(a, b + 1) for a, b in zip(first, last, strict=True))]
    padded = np.pad(part, padding, constant_values=np.array(fill).astype(volume.dtype))
    return padded, tuple(place - padding for place in first)


def assert_crop(crop: VolumeCrop, inside: NDArray[np.bool_], volume: NDArray[Any], padding: int,
                fill: Any, spacing: tuple[float, ...]) -> None:  # fmt: skip
    voxels, offset = expected(inside, volume, padding, fill)
    assert_same(crop.voxels, voxels)
    assert crop.offset == offset
    assert crop.origin == tuple(i * step for i, step in zip(offset, spacing, strict=True))


@pytest.mark.parametrize("padding", [0, 1, 5, 40])
@pytest.mark.parametrize("dtype", ALL_TYPES, ids=str)
def test_crops(dtype: np.dtype[Any], padding: int) -> None:
    labels, volume = blob_labels(SHAPE, 3), smooth_volume(SHAPE, 4).astype(dtype)
    before = labels.tobytes() + volume.tobytes()
    for other in (np.uint8, np.int64, np.float32):
        for label in (1, 2):
            crop = split_volume(
                labels.astype(other), volume, padding_voxels=padding, fill_value=9, label=label,
                spacing=SPACING,
            )  # fmt: skip
            assert_crop(crop, labels == label, volume, padding, 9, SPACING)
    assert labels.tobytes() + volume.tobytes() == before
    # The same values as where nothing is cropped.
    crop = split_volume(labels, volume, padding_voxels=0, fill_value=9)
    z, y, x = crop.offset
    depth, height, width = crop.voxels.shape
    whole = mask_volume(labels, volume, fill_value=9)
    assert_same(whole[z : z + depth, y : y + height, x : x + width], crop.voxels)


def test_defaults_slices_and_layouts() -> None:
    labels, volume = blob_labels(SHAPE, 3), smooth_volume(SHAPE, 4)
    assert_crop(split_volume(labels, volume), labels == 1, volume, 5, 0, (1.0, 1.0, 1.0))
    crop = split_volume(np.asfortranarray(labels), volume[:, ::-1].copy()[:, ::-1], fill_value=2.4)
    assert_crop(crop, labels == 1, volume, 5, 2, (1.0, 1.0, 1.0))
    flat = split_volume(labels[3], volume[3], padding_voxels=2, spacing=(0.5, 0.25))
    assert_crop(flat, labels[3] == 1, volume[3], 2, 0, (0.5, 0.25))
    mask = volume > 60
    crop = split_volume(labels == 1, mask, padding_voxels=3, fill_value=1)
    assert crop.voxels.dtype == np.bool_
    assert_crop(crop, labels == 1, mask, 3, True, (1.0, 1.0, 1.0))


def test_images_keep_their_place_in_the_world() -> None:
    labels, volume = blob_labels(SHAPE, 3), smooth_volume(SHAPE, 4)
    image, label_image = to_image(volume, name="ct"), to_image(labels)
    for one in (image, label_image):
        one.SetExtent(-4, 11, 7, 19, 2, 12)
        one.SetSpacing(0.5, 1.5, 2.0)
        one.SetOrigin(10.0, -3.0, 4.0)
        one.SetDirectionMatrix([0, 1, 0, -1, 0, 0, 0, 0, 1])
    result = split_volume(label_image, image, padding_voxels=6, fill_value=9, label=2)
    voxels, offset = expected(labels == 2, volume, 6, 9)
    assert_same(to_array(result, "ct"), voxels)
    first = [-4 + offset[2], 7 + offset[1], 2 + offset[0]]
    assert list(result.GetExtent()[::2]) == first
    place = [0.0, 0.0, 0.0]
    there = [0.0, 0.0, 0.0]
    result.TransformIndexToPhysicalPoint(*first, place)
    image.TransformIndexToPhysicalPoint(*first, there)
    assert place == there
    # A label map that ends before the segment would, and a volume that does.
    part = to_image(labels[2:9, 1:9, 3:12])
    part.SetOrigin(3.0, 1.0, 2.0)
    result = split_volume(part, to_image(volume[:7]), padding_voxels=1, label=2)
    inside = np.zeros(SHAPE, np.bool_)
    inside[2:9, 1:9, 3:12] = labels[2:9, 1:9, 3:12] == 2
    held = np.where(np.arange(SHAPE[0])[:, np.newaxis, np.newaxis] < 7, volume, 0).astype(np.uint8)
    voxels, offset = expected(inside, held, 1, 0)
    assert_same(to_array(result), voxels)
    result.TransformIndexToPhysicalPoint(*result.GetExtent()[::2], place)
    assert tuple(place[::-1]) == offset


def test_an_editor_splits_by_its_segments() -> None:
    volume = smooth_volume(SHAPE, 4).astype(np.float32)
    editor = Editor(volume, spacing=SPACING, origin=(100.0, 0.0, -5.0))
    for name, low in (("bright", 60), ("hidden", 70), ("empty", 1000), ("all", 0)):
        editor.add_segment(name)
        # Overlapping segments are in layers of their own.
        editor.apply(
            "threshold", name, minimum_threshold=low, masking={"OverwriteMode": "OverwriteNone"}
        )
    editor.apply("show_segment", "hidden", visible=False)
    operations = editor.operations
    crops = editor.split_volume(volume, padding_voxels=2, fill_value=-1)
    assert list(crops) == ["bright", "all"]
    more = editor.split_volume(volume, ["all", "hidden"], padding_voxels=0)
    assert list(more) == ["all", "hidden"]
    for crop, low, padding, fill in (
        (crops["bright"], 60, 2, -1), (crops["all"], 0, 2, -1), (more["hidden"], 70, 0, 0)
    ):  # fmt: skip
        voxels, offset = expected(volume >= low, volume, padding, fill)
        assert_same(crop.voxels, voxels)
        assert crop.offset == offset
        steps = np.array(offset) * SPACING + np.array((100.0, 0.0, -5.0))
        assert crop.origin == pytest.approx(tuple(steps))
    assert editor.operations == operations
    with pytest.raises(SegmentationCoreError, match="no voxel of the label map"):
        editor.split_volume(volume, ["empty"])
    with pytest.raises(ValueError, match=r"no segment 'brighter' \(did you mean 'bright'\?\)"):
        editor.split_volume(volume, ["brighter"])
    with pytest.raises(TypeError, match="expected a list"):
        editor.split_volume(volume, "bright")
    with pytest.raises(TypeError, match="no parameter 'padding'"):
        editor.split_volume(volume, padding=3)
    with pytest.raises(ValueError, match="has the shape"):
        editor.split_volume(volume[1:])
    seen: list[float] = []
    editor.split_volume(volume, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_an_editor_of_an_image_gives_images() -> None:
    volume = smooth_volume(SHAPE, 4)
    image = to_image(volume, spacing=SPACING, name="ct")
    image.SetExtent(3, 18, -2, 10, 0, 10)
    editor = Editor(image)
    editor.add_segment("bright")
    editor.apply("threshold", "bright", minimum_threshold=60)
    voxels, offset = expected(volume >= 60, volume, 1, 0)
    crop = editor.split_volume(image, padding_voxels=1)["bright"]
    assert_same(to_array(crop, "ct"), voxels)
    assert list(crop.GetExtent()[::2]) == [3 + offset[2], -2 + offset[1], offset[0]]
    as_array = editor.split_volume(volume, padding_voxels=1)["bright"]
    assert_same(as_array.voxels, voxels)
    assert as_array.offset == offset


def test_wrong_arguments() -> None:
    labels, volume = blob_labels(SHAPE, 3), smooth_volume(SHAPE, 4)
    for value in (-1, 256, 1e200):
        with pytest.raises(SegmentationCoreError, match=r"FillValue is .*does not fit"):
            split_volume(labels, volume, fill_value=value)
    with pytest.raises(SegmentationCoreError, match="SegmentLabel is 77, and no voxel"):
        split_volume(labels, volume, label=77)
    for padding in (-1, 1001):
        with pytest.raises(ValueError, match="padding_voxels"):
            split_volume(labels, volume, padding_voxels=padding)
    with pytest.raises(ValueError, match="volume has the shape"):
        split_volume(labels, volume[1:])
    with pytest.raises(TypeError, match="same kind"):
        split_volume(labels, to_image(volume))
    with pytest.raises(ValueError, match="label"):
        split_volume(labels, volume, label=0)
    with pytest.raises(Cancelled):
        split_volume(labels, volume, progress=lambda _: False)
