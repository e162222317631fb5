"""Draw against scikit-image in slices, and against its definition on oblique planes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from outline_oracle import basis, centres, inside_outline, slice_thickness
from sample_data import assert_same, blob_labels, noise
from segmentationcore import draw
from skimage.draw import polygon

pytestmark = pytest.mark.python

SHAPE = (12, 14, 16)
SPACINGS = [(1.0, 1.0, 1.0), (2.5, 0.7, 0.9)]


def fractions(count: int, axes: int, seed: int) -> np.ndarray:
    """From -0.1 to 1.1, away from ties."""
    return 1.2 * (noise((count, axes), seed) % np.uint64(10007)).astype(float) / 10007 - 0.1


def drawn(points: Any, shape: tuple[int, ...] = SHAPE, **more: Any) -> np.ndarray:
    return draw(np.zeros(shape, np.uint8), points=points, **more) == 1


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("spacing", SPACINGS, ids=str)
def test_a_polygon_in_a_slice(axis: int, spacing: tuple[float, ...]) -> None:
    for seed in range(8):
        corners = 3 + 4 * seed
        flat = fractions(corners, 2, seed) * [n - 1 for a, n in enumerate(SHAPE) if a != axis]
        expected = np.zeros(SHAPE, bool)
        section = np.moveaxis(expected, axis, 0)[5]
        rows, columns = polygon(flat[:, 0], flat[:, 1], section.shape)
        section[rows, columns] = True
        points = np.insert(flat, axis, 5.0, axis=1) * spacing
        result = drawn(points, spacing=spacing)
        assert result.any()
        assert_same(result, expected, f"seed {seed}:")
        normal = np.eye(3)[axis] * -2.0
        given = drawn(points, spacing=spacing, normal_from_points=False, slice_normal=normal)
        assert_same(given, expected, f"seed {seed}, normal given:")


@pytest.mark.parametrize("thickness", [0.0, 3.7])
@pytest.mark.parametrize("spacing", SPACINGS, ids=str)
@pytest.mark.parametrize("normal", [(0.6, -0.64, 0.48), (1e-3, 1.0, 0.5), (1.0, 0.0, -1.3)])
def test_an_oblique_plane(
    normal: tuple[float, ...], spacing: tuple[float, ...], thickness: float
) -> None:
    n, u, v = basis(normal)
    middle = (np.array(SHAPE) - 1) / 2 * spacing + 0.1
    size = 10.0
    for seed in range(4):
        flat = (fractions(4 + 3 * seed, 2, seed) - 0.5) * size
        points = middle + flat[:, :1] * v + flat[:, 1:] * u
        where = centres(SHAPE, spacing) - points.mean(axis=0)
        half = (thickness or slice_thickness(n, spacing)) / 2
        places = np.stack([where @ v, where @ u], axis=-1)
        depth = where @ n
        expected = (np.abs(depth) < half) & inside_outline(flat - flat.mean(axis=0), places)
        assert expected.any()
        result = drawn(points, spacing=spacing, slice_thickness=thickness)
        assert_same(result, expected, f"seed {seed}:")


def test_an_oblique_slice_has_one_voxel_in_each_column() -> None:
    # Slicer's resampled drawing has holes here.
    _, u, v = basis((0.8, 0.5, 0.3))
    middle = np.array([20.0, 7.1, 8.2])
    points = [middle + 40.0 * (a * u + b * v) for a, b in ((1, 1), (-1, 1), (-1, -1), (1, -1))]
    result = drawn(points, shape=(40, 14, 16))
    assert_same(result.sum(axis=0)[2:-2, 2:-2], np.ones((10, 12), np.int64))


def test_shared_edges_count_once() -> None:
    # Triangles around a voxel, with corners and edges on voxels: together the polygon they make up.
    ring = [(1, 8), (1, 3), (4, 1), (10, 1), (12, 4), (9, 13), (5, 14)]
    total = np.zeros(SHAPE, int)
    for start, end in zip(ring, ring[1:] + ring[:1], strict=True):
        total += drawn([[5, 6, 8], [5, *start], [5, *end]])
    assert_same(total, drawn([[5, *corner] for corner in ring]).astype(int))
    assert total.max() == 1


def test_half_open_edges_and_slabs() -> None:
    square = [[4, 2, 3], [4, 2, 8], [4, 6, 8], [4, 6, 3]]
    expected = np.zeros(SHAPE, bool)
    expected[4, 2:6, 3:8] = True
    assert_same(drawn(square), expected)
    assert_same(drawn(square[::-1]), expected)
    # In the middle between two slices; and thicker.
    between = [[4.5, *corner[1:]] for corner in square]
    assert_same(drawn(between), expected)
    thick = drawn(square, slice_thickness=4.0)
    assert np.flatnonzero(thick.any(axis=(1, 2))).tolist() == [2, 3, 4, 5]
    assert_same(thick[3], expected[4])


def test_the_even_odd_rule() -> None:
    # A square within a square, by one stroke: a frame. And a figure of eight has a plane, too.
    frame = [[1, 1], [1, 11], [11, 11], [11, 1], [1, 1], [4, 4], [4, 8], [8, 8], [8, 4], [4, 4]]
    expected = np.zeros(SHAPE, bool)
    expected[3, 1:11, 1:11] = True
    expected[3, 4:8, 4:8] = False
    assert_same(drawn([[3, *corner] for corner in frame]), expected)
    eight = [[2.2, 2.1], [9.3, 9.2], [9.3, 2.1], [2.2, 9.2]]
    result = drawn([[3, *corner] for corner in eight])
    assert result.any()
    assert_same(result[3], inside_outline(eight, centres(SHAPE[1:], (1.0, 1.0))))


def test_what_encloses_nothing_draws_nothing() -> None:
    for points in ([[4, 5, 6]], [[4, 5, 6], [4, 9, 9]], [[2, 2, 2], [4, 4, 4], [9, 9, 9]]):
        assert not drawn(points).any()
    assert not drawn([[400, 2, 3], [400, 2, 8], [400, 6, 8]]).any()


def test_a_slice_of_two_axes() -> None:
    points = fractions(9, 2, 4) * [13, 15]
    result = drawn(points, shape=SHAPE[1:])
    assert result.any()
    assert_same(result, inside_outline(points, centres(SHAPE[1:], (1.0, 1.0))))


def test_all_other_labels_are_covered_and_stay_elsewhere() -> None:
    labels = blob_labels(SHAPE, 7)
    points = np.insert(fractions(6, 2, 1) * [13, 15], 0, 5.0, axis=1)
    mask = drawn(points)
    for label in (1, 2, 77):
        assert_same(draw(labels, points=points, label=label), np.where(mask, label, labels))
