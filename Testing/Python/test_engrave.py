"""Engrave against letters drawn by hand; oblique planes are in the C++ test."""

from __future__ import annotations

import numpy as np
import pytest
from sample_data import assert_same, blob_labels
from segmentationcore import SegmentationCoreError, engrave

pytestmark = pytest.mark.python


def picture_of(text: str, columns: int, lines: int = 1, depth: float = 1.0) -> np.ndarray:
    shape = (3, 11 * lines - 1, columns)
    corners = [[1, shape[1] - 0.5, -0.5], [1, shape[1] - 0.5, columns - 0.5], [1, 0.5, -0.5]]
    return engrave(
        np.zeros(shape, bool), points=corners, text=text, mode="EMBOSS", text_depth=depth
    )


def test_letters_are_as_drawn() -> None:
    result = picture_of("L", 5)
    expected = np.zeros((3, 10, 5), bool)
    expected[1, 1:8, 0] = True
    expected[1, 7, :] = True
    assert_same(result, expected)


def test_all_letters_differ() -> None:
    letters = [chr(code) for code in range(32, 127)]
    pictures = {engraved.tobytes() for engraved in map(large, letters)}
    assert len(pictures) == 95
    assert not large(" ").any()
    # As large as fits, in the middle.
    columns = np.flatnonzero(large("H").any(axis=(0, 1)))
    assert columns[0] <= 1
    assert columns[-1] >= 48


def large(letter: str) -> np.ndarray:
    corners = [[0, 90, 0], [0, 90, 49], [0, 0, 0]]
    return engrave(np.zeros((1, 91, 50), bool), points=corners, text=letter, mode="EMBOSS")


def test_lines_and_places() -> None:
    both = picture_of("T\nL", 5, lines=2)
    assert_same(both[:, :10], picture_of("T", 5))
    assert_same(both[:, 11:], picture_of("L", 5))
    pair = picture_of("TL", 11)
    assert_same(pair[..., :5], picture_of("T", 5))
    assert_same(pair[..., 6:], picture_of("L", 5))


def test_depth_and_modes() -> None:
    thin = picture_of("E", 5)
    assert np.flatnonzero(thin.any(axis=(1, 2))).tolist() == [1]
    thick = picture_of("E", 5, depth=2.0)
    assert_same(thick, np.repeat(thin[1:2], 3, axis=0))
    labels = blob_labels(thin.shape, 5)
    corners = [[1, 9.5, -0.5], [1, 9.5, 4.5], [1, 0.5, -0.5], [7, 7, 7]]
    result = engrave(labels, points=corners, text="E", text_depth=2.0, label=2)
    assert_same(result, np.where(thick & (labels == 2), 0, labels).astype(np.uint8))


def test_what_is_refused() -> None:
    labels = np.zeros((3, 10, 5), bool)
    with pytest.raises(SegmentationCoreError, match="expected three corners"):
        engrave(labels, points=[[0, 0, 0], [0, 0, 1]])
    with pytest.raises(SegmentationCoreError, match="Text has no letter for its byte 2"):
        engrave(labels, points=[[0, 0, 0], [0, 0, 1], [0, 1, 0]], text="aä")
