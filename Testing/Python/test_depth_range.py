"""Depth range against the depth of every voxel."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from outline_oracle import centres
from sample_data import assert_same, blob_labels
from segmentationcore import depth_range

pytestmark = pytest.mark.python

SHAPE = (9, 10, 11)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.3, 2.1, 0.7)], ids=str)
@pytest.mark.parametrize("direction", [None, (0.0, -2.0, 0.0), (0.6, -0.64, 0.48)], ids=str)
def test_between_two_depths(
    direction: tuple[float, ...] | None, spacing: tuple[float, ...]
) -> None:
    labels = blob_labels(SHAPE, 3)
    points = np.array([[2.3, 4.1, 5.2], [6.1, 5.3, 0.4], [3.3, 3.0, 9.9]]) * spacing
    along = np.array(direction or (1.0, 0.0, 0.0))
    depth = centres(SHAPE, spacing) @ along
    ends = points @ along
    mask = (depth >= ends.min()) & (depth < ends.max())
    assert mask.any()
    assert not mask.all()
    result = depth_range(labels, points=points, depth_direction=direction, spacing=spacing, label=5)
    assert_same(result, np.where(mask, 5, labels).astype(labels.dtype))


def test_ranges_that_follow_each_other_share_no_voxel() -> None:
    # Also where their ends are voxels, which no binary number is exactly.
    labels = np.zeros((40, 2, 2), np.uint8)
    total = np.zeros(labels.shape, int)
    ends = np.arange(-1, 42) * 0.1 * 3
    for low, high in pairwise(ends):
        total += depth_range(labels, points=[[high, 1, 0], [low, 0, 9]], spacing=(0.1, 1.0, 1.0))
    assert_same(total, np.ones(labels.shape, int))
    assert not depth_range(labels, points=[[1.0, 0, 0]], spacing=(0.1, 1.0, 1.0)).any()
