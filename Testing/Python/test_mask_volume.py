"""Masked volumes against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sample_data import ALL_TYPES, assert_same, blob_labels, smooth_volume
from segmentationcore import (
    Cancelled,
    Editor,
    SegmentationCoreError,
    mask_volume,
    to_array,
    to_image,
)

pytestmark = pytest.mark.python

SHAPE = (11, 13, 16)


def expected(labels: np.ndarray, volume: np.ndarray, label: int, operation: str) -> np.ndarray:
    inside = labels == label
    if operation == "FILL_INSIDE":
        return np.where(inside, 9, volume).astype(volume.dtype)
    if operation == "FILL_OUTSIDE":
        return np.where(inside, volume, 9).astype(volume.dtype)
    return np.where(inside, 3, 4).astype(volume.dtype)


@pytest.mark.parametrize("operation", ["FILL_INSIDE", "FILL_OUTSIDE", "FILL_INSIDE_AND_OUTSIDE"])
@pytest.mark.parametrize("dtype", ALL_TYPES, ids=str)
def test_operations(dtype: np.dtype[Any], operation: Any) -> None:
    labels, volume = blob_labels(SHAPE, 3), smooth_volume(SHAPE, 4).astype(dtype)
    before = labels.tobytes() + volume.tobytes()
    values = {
        "fill_value": 9.4 if dtype.kind != "f" else 9.0,
        "binary_mask_fill_value_inside": 3,
        "binary_mask_fill_value_outside": 4,
    }
    for other in (np.uint8, np.int64, np.float32):
        result = mask_volume(labels.astype(other), volume, operation=operation, label=2, **values)
        assert_same(result, expected(labels, volume, 2, operation))
    assert labels.tobytes() + volume.tobytes() == before
    result = mask_volume(
        np.asfortranarray(labels), volume[:, ::-1].copy()[:, ::-1], operation=operation, **values
    )
    assert_same(result, expected(labels, volume, 1, operation))
    flat = mask_volume(labels[3], volume[3], operation=operation, **values)
    assert_same(flat, expected(labels, volume, 1, operation)[3])
    if dtype != np.uint8:
        return
    # No voxel has a label that the type of the label map does not hold.
    none = mask_volume(labels, volume, operation=operation, label=259, **values)
    assert_same(none, expected(labels, volume, 259, operation))


def test_images_keep_geometry_and_other_arrays() -> None:
    labels, volume = blob_labels(SHAPE, 3), smooth_volume(SHAPE, 4)
    image = to_image(volume, spacing=(2.0, 1.0, 0.5), name="ct")
    image.SetOrigin(1.0, 2.0, 3.0)
    other = to_image(volume, name="other").GetPointData().GetArray("other")
    image.GetPointData().AddArray(other)
    label_image = to_image(labels, spacing=(2.0, 1.0, 0.5))
    label_image.SetOrigin(1.0, 2.0, 3.0)
    result = mask_volume(label_image, image, fill_value=9)
    assert result.GetOrigin() == image.GetOrigin()
    assert result.GetSpacing() == image.GetSpacing()
    assert_same(to_array(result, "ct"), expected(labels, volume, 1, "FILL_OUTSIDE"))
    assert np.shares_memory(to_array(result, "other"), to_array(image, "other"))
    assert_same(to_array(image, "ct"), volume)
    # A volume that reaches farther than the label map.
    part = to_image(labels[2:6, 1:9, 3:12], spacing=(2.0, 1.0, 0.5))
    part.SetOrigin(1.0 + 3 * 0.5, 2.0 + 1.0, 3.0 + 2 * 2.0)
    inside = np.zeros(SHAPE, np.uint8)
    inside[2:6, 1:9, 3:12] = labels[2:6, 1:9, 3:12]
    result = mask_volume(part, image, fill_value=9)
    assert_same(to_array(result, "ct"), expected(inside, volume, 1, "FILL_OUTSIDE"))


def test_an_editor_masks_by_its_segments() -> None:
    volume = smooth_volume(SHAPE, 4)
    editor = Editor(volume, spacing=(2.0, 1.0, 1.0))
    editor.add_segment("bright")
    editor.apply("threshold", "bright", minimum_threshold=60)
    result = editor.mask_volume("bright", volume, operation="FILL_INSIDE", fill_value=255)
    assert_same(result, np.where(volume >= 60, 255, volume).astype(np.uint8))
    masking = editor.threshold_masking(70, 80)
    editor.add_segment("part")
    editor.apply("logical", "part", operation="FILL", bypass_masking=False, masking=masking)
    assert np.array_equal(editor.mask("part"), (volume >= 70) & (volume <= 80))
    with pytest.raises(ValueError, match="ascending"):
        editor.threshold_masking(2, 1)


def test_wrong_arguments() -> None:
    labels, volume = blob_labels(SHAPE, 3), smooth_volume(SHAPE, 4)
    for value in (-1, 256, 1e200):
        with pytest.raises(SegmentationCoreError, match=r"FillValue is .*does not fit"):
            mask_volume(labels, volume, fill_value=value)
    with pytest.raises(ValueError, match="operation"):
        mask_volume(labels, volume, operation="FILL")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="volume has the shape"):
        mask_volume(labels, volume[1:])
    with pytest.raises(TypeError, match="same kind"):
        mask_volume(labels, to_image(volume))
    with pytest.raises(ValueError, match="label"):
        mask_volume(labels, volume, label=0)
    with pytest.raises(Cancelled):
        mask_volume(labels, volume, progress=lambda _: False)
