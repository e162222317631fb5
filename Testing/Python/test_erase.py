"""Erase against the definition of the brush, voxel by voxel."""

from __future__ import annotations

import numpy as np
import pytest
from sample_data import assert_same, blob_labels
from segmentationcore import erase, paint
from stroke_oracle import pixels, swept

pytestmark = pytest.mark.python

SHAPE = (12, 14, 16)
SPACING = (1.7, 0.8, 1.1)
POINTS = np.array([[3.1, 2.2, 4.3], [15.2, 9.4, 6.1], [9.3, -1.7, 17.2]])


@pytest.mark.parametrize("label", [1, 2, 3, 9])
def test_only_the_segment_loses_voxels(label: int) -> None:
    labels = blob_labels(SHAPE, 7)
    mask = swept(SHAPE, POINTS, 5.0, SPACING)
    assert 0 < (mask & (labels == 1)).sum() < (labels == 1).sum()
    result = erase(labels, points=POINTS, label=label, spacing=SPACING)
    assert_same(result, np.where(mask & (labels == label), 0, labels))


@pytest.mark.parametrize("label", [1, 9])
def test_all_segments_lose_voxels(label: int) -> None:
    labels = blob_labels(SHAPE, 7)
    mask = swept(SHAPE, POINTS, 5.0, SPACING)
    result = erase(labels, points=POINTS, erase_all_segments=True, label=label, spacing=SPACING)
    assert_same(result, np.where(mask, 0, labels))


def test_the_brush_is_that_of_paint() -> None:
    normal = (0.6, -0.64, 0.48)
    labels = np.ones(SHAPE, np.uint8)
    for brush in (
        {"brush_absolute_diameter": 3.3},
        {"brush_sphere": False, "slice_normal": normal, "slice_thickness": 2.2},
        {"brush_pixel_mode": True},
    ):
        removed = erase(labels, points=POINTS, spacing=SPACING, **brush) == 0
        added = paint(0 * labels, points=POINTS, spacing=SPACING, **brush) == 1
        assert removed.any()
        assert_same(removed, added, str(brush))


def test_single_voxels() -> None:
    labels = np.ones(SHAPE, np.uint8)
    result = erase(labels, points=POINTS, brush_pixel_mode=True, spacing=SPACING)
    assert_same(result == 0, pixels(SHAPE, POINTS, SPACING))


def test_where_nothing_is_nothing_changes() -> None:
    labels = np.zeros(SHAPE, np.uint8)
    labels[0] = 1
    assert_same(erase(labels, points=[[15.0, 6.0, 6.0]], spacing=SPACING), labels)
