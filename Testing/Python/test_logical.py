"""Logical operators against NumPy's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sample_data import assert_same, blob_labels
from segmentationcore import SegmentationCoreError, logical

pytestmark = pytest.mark.python

OPERATIONS: dict[str, Any] = {
    "COPY": lambda a, b: b,
    "UNION": lambda a, b: a | b,
    "SUBTRACT": lambda a, b: a & ~b,
    "INTERSECT": lambda a, b: a & b,
    "XOR": lambda a, b: a ^ b,
    "INVERT": lambda a, b: ~a,
    "CLEAR": lambda a, b: np.zeros_like(a),
    "FILL": lambda a, b: np.ones_like(a),
}
UNARY = ("INVERT", "CLEAR", "FILL")


def by_numpy(labels: np.ndarray, operation: str, label: int, other: int) -> np.ndarray:
    """Voxels that leave the segment become 0, voxels that enter it are taken from any other."""
    own = labels == label
    mask = OPERATIONS[operation](own, labels == other)
    return np.where(mask, label, np.where(own, 0, labels)).astype(labels.dtype)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("label", [1, 2, 9])
@pytest.mark.parametrize("other", [1, 2, 3, 77])
def test_two_segments(operation: str, label: int, other: int) -> None:
    # 9 and 77 have no voxels.
    labels = blob_labels((9, 10, 11), 7)
    expected = by_numpy(labels, operation, label, other)
    for spelled in (other, str(other), np.int16(other)):
        result = logical(labels, operation=operation, modifier_segment_id=spelled, label=label)
        assert_same(result, expected)


@pytest.mark.parametrize("operation", UNARY)
def test_one_segment(operation: str) -> None:
    labels = blob_labels((9, 10, 11), 7)
    result = logical(labels, operation=operation)
    assert_same(result, by_numpy(labels, operation, 1, 2))


@pytest.mark.parametrize("operation", [name for name in OPERATIONS if name not in UNARY])
def test_a_missing_segment_is_told(operation: str) -> None:
    with pytest.raises(SegmentationCoreError, match="ModifierSegmentID"):
        logical(np.ones((2, 2, 2), np.uint8), operation=operation)


def test_masking_is_for_the_editor() -> None:
    labels = blob_labels((9, 10, 11), 7)
    result = logical(labels, modifier_segment_id=2, bypass_masking=False)
    assert_same(result, by_numpy(labels, "COPY", 1, 2))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_large_labels(operation: str) -> None:
    labels = blob_labels((9, 10, 11), 7).astype(np.int64) * 2**40
    result = logical(labels, operation=operation, modifier_segment_id=2 * 2**40, label=2**40)
    assert_same(result, by_numpy(labels, operation, 2**40, 2 * 2**40))
