"""Paint against the definition of the brush, voxel by voxel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sample_data import assert_same, blob_labels, noise
from segmentationcore import paint
from stroke_oracle import pixels, swept

pytestmark = pytest.mark.python

SHAPE = (12, 14, 16)
SPACINGS = [(1.0, 1.0, 1.0), (2.5, 0.7, 0.9), (0.3, 1.0, 0.3)]


def random_points(seed: int, count: int, spacing: tuple[float, ...]) -> np.ndarray:
    """Points in and around the volume, away from ties."""
    fractions = (noise((count, 3), seed) % np.uint64(10007)).astype(float) / 10007
    return (1.5 * fractions - 0.25) * (np.array(SHAPE) - 1) * np.array(spacing)


def painted(points: Any, **more: Any) -> np.ndarray:
    return paint(np.zeros(SHAPE, np.uint8), points=points, **more) == 1


@pytest.mark.parametrize(
    ("diameter", "voxels"),
    [(1e-6, 1), (1.99, 1), (2, 7), (8**0.5, 19), (12**0.5, 27), (4, 33), (6, 123)],
)
def test_a_click_on_a_voxel(diameter: float, voxels: int) -> None:
    assert painted([[6, 7, 8]], brush_absolute_diameter=diameter).sum() == voxels


def test_the_default_brush_is_a_ball_of_5_mm() -> None:
    assert_same(painted([[6, 7, 8]]), swept(SHAPE, [[6, 7, 8]], 5.0))


@pytest.mark.parametrize("steps", range(1, 12))
def test_decimal_diameters_reach_the_voxel_they_name(steps: int) -> None:
    # 3 * 0.1 is not 0.3 in binary.
    labels = np.zeros((1, 1, 25), np.uint8)
    diameter = float(f"{steps * 2 / 10}")
    spacing = (1.0, 1.0, 0.1)
    result = paint(labels, points=[[0, 0, 1.2]], brush_absolute_diameter=diameter, spacing=spacing)
    assert result.sum() == 2 * steps + 1


@pytest.mark.parametrize("spacing", SPACINGS, ids=str)
@pytest.mark.parametrize("diameter", [0.4, 1.7, 4.3, 11.0])
def test_a_ball_on_its_way(diameter: float, spacing: tuple[float, ...]) -> None:
    for seed in range(6):
        points = random_points(seed, 1 + seed, spacing)
        result = painted(points, brush_absolute_diameter=diameter, spacing=spacing)
        assert_same(result, swept(SHAPE, points, diameter, spacing), f"seed {seed}:")


NORMALS = [(1.0, 0.0, 0.0), (0.0, 0.0, -3.0), (0.6, -0.64, 0.48), (1e-3, 1.0, 0.5)]


@pytest.mark.parametrize("spacing", SPACINGS, ids=str)
@pytest.mark.parametrize("normal", NORMALS, ids=str)
def test_a_disc_on_its_way(normal: tuple[float, ...], spacing: tuple[float, ...]) -> None:
    for seed, (diameter, thickness) in enumerate([(6.1, 1.3), (3.3, 2.9), (9.7, 0.41)]):
        points = random_points(seed, 1 + seed, spacing)
        result = painted(
            points,
            brush_absolute_diameter=diameter,
            brush_sphere=False,
            slice_normal=normal,
            slice_thickness=thickness,
            spacing=spacing,
        )
        expected = swept(SHAPE, points, diameter, spacing, normal, thickness)
        assert_same(result, expected, f"seed {seed}:")


def test_a_disc_stays_in_its_slice() -> None:
    # By default the axis is z, and the disc 1 mm thick: half a millimetre to either side.
    points = [[6.2, 3.0, 3.0], [6.2, 9.0, 11.0]]
    result = painted(points, brush_sphere=False)
    assert np.flatnonzero(result.any(axis=(1, 2))).tolist() == [6]
    assert_same(result, swept(SHAPE, points, 5.0, normal=(1, 0, 0), thickness=1.0))
    thick = painted(points, brush_sphere=False, slice_thickness=2.5)
    assert np.flatnonzero(thick.any(axis=(1, 2))).tolist() == [5, 6, 7]
    assert_same(thick[5], result[6])


@pytest.mark.parametrize("spacing", SPACINGS, ids=str)
def test_single_voxels(spacing: tuple[float, ...]) -> None:
    for seed in range(8):
        points = random_points(seed, 1 + seed, spacing)
        result = painted(points, brush_pixel_mode=True, spacing=spacing)
        assert_same(result, pixels(SHAPE, points, spacing), f"seed {seed}:")
        # Neither size nor shape matters.
        same = painted(
            points,
            brush_pixel_mode=True,
            brush_sphere=False,
            brush_absolute_diameter=9.0,
            slice_normal=(0.6, 0.0, 0.8),
            spacing=spacing,
        )
        assert_same(same, result)


def test_a_line_of_voxels_is_thin_and_whole() -> None:
    result = painted([[1, 1, 1], [4, 12, 9]], brush_pixel_mode=True)
    voxels = np.argwhere(result)
    assert len(voxels) == 12  # one for each step along y
    assert (np.abs(np.diff(voxels[voxels[:, 1].argsort()], axis=0)).max(axis=1) == 1).all()
    assert result[1, 1, 1]
    assert result[4, 12, 9]


def test_halves_are_rounded_up() -> None:
    result = painted([[2.5, 3.5, 4.5]], brush_pixel_mode=True)
    assert np.argwhere(result).tolist() == [[3, 4, 5]]


def test_a_stroke_is_its_parts() -> None:
    points = random_points(3, 5, (1.0, 1.0, 1.0))
    parts = [painted(points[i : i + 2], brush_absolute_diameter=3.3) for i in range(4)]
    assert_same(painted(points, brush_absolute_diameter=3.3), np.logical_or.reduce(parts))


def test_points_far_away_touch_nothing_and_cost_nothing() -> None:
    assert not painted([[1e9, 0, 0], [1e9, 1e9, -1e12]]).any()
    assert painted([[6, 7, -1e6], [6, 7, 1e6]], brush_absolute_diameter=1.0)[6, 7].all()
    assert painted([[6, 7, 8]], brush_absolute_diameter=1e6).all()


def test_all_other_labels_are_covered_and_stay_elsewhere() -> None:
    labels = blob_labels(SHAPE, 7)
    points = random_points(1, 3, (1.0, 1.0, 1.0))
    mask = swept(SHAPE, points, 5.0)
    for label in (1, 2, 77):
        assert_same(paint(labels, points=points, label=label), np.where(mask, label, labels))
