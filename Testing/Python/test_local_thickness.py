"""Local thickness against a loop over all balls, and beside the size distribution."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sample_data import ALL_TYPES, assert_same, blob_labels, smooth_volume
from segmentationcore import (
    Cancelled,
    Editor,
    SegmentationCoreError,
    local_thickness,
    size_distribution,
    to_array,
    to_image,
)
from test_size_distribution import DIAMETERS, SHAPE, SPACING, thickness

pytestmark = pytest.mark.python


@pytest.mark.parametrize("wall", [False, True])
@pytest.mark.parametrize("label", [1, 2])
def test_every_ball(label: int, wall: bool) -> None:
    labels = blob_labels(SHAPE, 3)
    got = local_thickness(
        labels, label=label, spacing=SPACING, diameters=DIAMETERS, border_is_wall=wall
    )
    assert got.dtype == np.float32
    expected = thickness(labels == label, SPACING, DIAMETERS, wall)
    assert_same(got, expected.astype(np.float32))


@pytest.mark.parametrize("dtype", ALL_TYPES, ids=str)
def test_it_is_what_the_distribution_counts(dtype: np.dtype[Any]) -> None:
    labels = blob_labels(SHAPE, 3).astype(dtype)
    before = labels.tobytes()
    got = local_thickness(labels, spacing=SPACING, number_of_bins=6)
    table = size_distribution(labels, spacing=SPACING, number_of_bins=6)
    for row in table[1:]:
        assert (got == np.float32(row["diameter_mm"])).sum() == row["voxel_count"]
    assert ((got == 0) & (labels == 1)).sum() == table["voxel_count"][0]
    assert not got[labels != 1].any()
    assert labels.tobytes() == before
    flat = local_thickness(labels[4], spacing=SPACING[1:], diameters=DIAMETERS)
    deep = local_thickness(labels[4:5], spacing=(1.0, *SPACING[1:]), diameters=DIAMETERS)
    assert_same(flat, deep[0])


def test_images_keep_geometry_and_arrays() -> None:
    labels = blob_labels(SHAPE, 3)
    image = to_image(labels, spacing=SPACING, name="labels")
    image.SetOrigin(1.0, 2.0, 3.0)
    result = local_thickness(image, number_of_bins=4)
    assert result.GetOrigin() == image.GetOrigin()
    assert result.GetSpacing() == image.GetSpacing()
    assert_same(to_array(result, "labels"), labels)
    expected = local_thickness(labels, spacing=SPACING, number_of_bins=4)
    assert_same(to_array(result, "Thickness"), expected)


def test_an_editor_measures_a_segment() -> None:
    volume = smooth_volume(SHAPE, 4)
    editor = Editor(volume, spacing=SPACING)
    editor.add_segment("bright")
    editor.apply("threshold", "bright", minimum_threshold=40)
    expected = local_thickness((volume >= 40).astype(np.uint8), spacing=SPACING)
    assert_same(editor.local_thickness("bright"), expected)


def test_wrong_arguments() -> None:
    labels = blob_labels(SHAPE, 3)
    with pytest.raises(SegmentationCoreError, match="Diameters do not ascend"):
        local_thickness(labels, diameters=[2, 1])
    with pytest.raises(SegmentationCoreError, match="SegmentLabel 256 does not fit"):
        local_thickness(labels, label=256)
    with pytest.raises(ValueError, match="number_of_bins"):
        local_thickness(labels, number_of_bins=0)
    with pytest.raises(ValueError, match="label"):
        local_thickness(labels, label=0)
    with pytest.raises(Cancelled):
        local_thickness(labels, progress=lambda _: False)
