"""Masked volumes against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sample_data import ALL_TYPES, assert_same, blob_labels, smooth_volume
from scipy import ndimage
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


def soft_mask(
    inside: NDArray[np.bool_], millimetres: float, spacing: tuple[float, ...]
) -> NDArray[np.float64]:
    """The blurred mask, clipped and scaled at the border; the kernel ends at int(3 s)."""
    deviations = [millimetres / step for step in spacing]
    reach = [int(3 * deviation) for deviation in deviations]

    def blurred(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return ndimage.gaussian_filter(values, deviations, mode="constant", radius=reach)

    return blurred(inside.astype(np.float64)) / blurred(np.ones(inside.shape))


def assert_soft(result: NDArray[Any], inside: Any, outside: Any, mask: NDArray[np.float64]) -> None:
    """Blended, up to the stated error of the weights and the rounding of the type."""
    a, b = np.asarray(inside, np.float64), np.asarray(outside, np.float64)
    exact = a * mask + b * (1 - mask)
    rounding = 0.5 if result.dtype.kind in "iu" else 1e-5
    assert (np.abs(result.astype(np.float64) - exact) <= 5e-4 * np.abs(a - b) + rounding).all()
    # Beyond the kernel nothing changes.
    assert (result[mask == 0] == np.broadcast_to(b, mask.shape)[mask == 0]).all()
    assert ((mask > 0.05) & (mask < 0.95)).any()


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.0, 0.7, 0.9)], ids=str)
@pytest.mark.parametrize("millimetres", [0.8, 1.5, 4.0])
@pytest.mark.parametrize("dtype", ALL_TYPES, ids=str)
def test_soft_edge(dtype: np.dtype[Any], millimetres: float, spacing: tuple[float, ...]) -> None:
    labels, volume = blob_labels(SHAPE, 3), (smooth_volume(SHAPE, 4) // 3).astype(dtype)
    mask = soft_mask(labels == 2, millimetres, spacing)
    soft: dict[str, Any] = {"label": 2, "soft_edge_mm": millimetres, "spacing": spacing}
    result = mask_volume(labels, volume, fill_value=9, **soft)
    assert result.dtype == volume.dtype
    assert_soft(result, volume, 9, mask)
    assert_soft(
        mask_volume(labels, volume, operation="FILL_INSIDE", fill_value=9, **soft), 9, volume, mask
    )
    # Not swapped, as they are in Slicer.
    both: dict[str, Any] = {"operation": "FILL_INSIDE_AND_OUTSIDE"} | soft
    both |= {"binary_mask_fill_value_inside": 120, "binary_mask_fill_value_outside": 20}
    assert_soft(mask_volume(labels, volume, **both), 120, 20, mask)


def test_soft_edge_of_nothing_and_of_everything() -> None:
    volume = smooth_volume(SHAPE, 4)
    for value, expected in ((0, np.full_like(volume, 9)), (1, volume)):
        labels = np.full(SHAPE, value, np.uint8)
        assert_same(mask_volume(labels, volume, fill_value=9, soft_edge_mm=2.0), expected)
    # Less than a third of a voxel is a hard edge.
    labels = blob_labels(SHAPE, 3)
    hard = mask_volume(labels, volume, fill_value=9)
    assert_same(mask_volume(labels, volume, fill_value=9, soft_edge_mm=0.33), hard)
    assert (mask_volume(labels, volume, fill_value=9, soft_edge_mm=0.34) != hard).any()


def test_soft_edge_beyond_the_label_map() -> None:
    volume = smooth_volume(SHAPE, 4).astype(np.float32)
    labels = np.zeros(SHAPE, np.uint8)
    labels[4:8, 5:9, 4:11] = 1
    image = to_image(volume, name="ct")
    part = to_image(labels[4:8, 5:9, 4:11])
    part.SetOrigin(4.0, 5.0, 4.0)
    result = to_array(mask_volume(part, image, soft_edge_mm=1.5), "ct")
    assert_same(result, mask_volume(labels, volume, soft_edge_mm=1.5))
    assert_soft(result, volume, 0, soft_mask(labels == 1, 1.5, (1.0, 1.0, 1.0)))


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
    # Millimetres of the editor.
    soft = editor.mask_volume("bright", volume, soft_edge_mm=2.0)
    inside = soft_mask(volume >= 60, 2.0, (2.0, 1.0, 1.0))
    assert_soft(soft, volume, 0, inside)
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
    with pytest.raises(
        SegmentationCoreError, match=r"SoftEdgeMm is 200 mm, which spans 1201 voxels"
    ):
        mask_volume(labels, volume, soft_edge_mm=200)
    with pytest.raises(ValueError, match="soft_edge_mm"):
        mask_volume(labels, volume, soft_edge_mm=-1)
    for soft_edge in (0, 1.5):
        with pytest.raises(Cancelled):
            mask_volume(labels, volume, soft_edge_mm=soft_edge, progress=lambda _: False)
