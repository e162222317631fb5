"""Draw tube against splines of SciPy, the classes of VTK, and the distance of every voxel."""

from __future__ import annotations

import numpy as np
import pytest
from sample_data import assert_same, blob_labels
from scipy.interpolate import CubicHermiteSpline, CubicSpline
from segmentationcore import draw_tube
from stroke_oracle import swept
from vtkmodules.vtkCommonComputationalGeometry import vtkCardinalSpline, vtkKochanekSpline

pytestmark = pytest.mark.python

SHAPE = (14, 16, 18)
POINTS = np.array([[1.2, 2.1, 3.3], [4.4, 12.2, 5.1], [11.3, 9.9, 8.2], [7.1, 3.3, 15.4]])


def curve(points: np.ndarray, interpolation: str, pieces: int) -> np.ndarray:
    """The polyline, by SciPy."""
    if interpolation == "LINEAR":
        return points
    numbers = np.arange(len(points))
    if interpolation == "CARDINAL_SPLINE":
        spline = CubicSpline(numbers, points, bc_type="clamped")
    else:
        slopes = np.zeros_like(points)
        slopes[1:-1] = (points[2:] - points[:-2]) / 2
        spline = CubicHermiteSpline(numbers, points, slopes)
    return spline(np.arange((len(points) - 1) * pieces + 1) / pieces)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.7, 1.3, 0.9)], ids=str)
@pytest.mark.parametrize("interpolation", ["LINEAR", "CARDINAL_SPLINE", "KOCHANEK_SPLINE"])
def test_a_round_tube(interpolation: str, spacing: tuple[float, ...]) -> None:
    labels = blob_labels(SHAPE, 2)
    for radius, pieces in ((1.0, 15), (2.6, 4)):
        way = curve(POINTS * spacing, interpolation, pieces)
        mask = swept(SHAPE, way, 2 * radius, spacing)
        result = draw_tube(
            labels,
            points=POINTS * spacing,
            interpolation=interpolation,
            radius=radius,
            number_of_line_segments_between_control_points=pieces,
            spacing=spacing,
        )
        # The tube is all that is left of the segment.
        assert_same(result, np.where(mask, 1, np.where(labels == 1, 0, labels)).astype(np.uint8))


def test_the_defaults() -> None:
    mask = swept(SHAPE, curve(POINTS, "CARDINAL_SPLINE", 15), 2.0)
    assert_same(draw_tube(np.zeros(SHAPE, bool), points=POINTS), mask)


@pytest.mark.parametrize(
    ("interpolation", "cls"),
    [("CARDINAL_SPLINE", vtkCardinalSpline), ("KOCHANEK_SPLINE", vtkKochanekSpline)],
)
def test_the_splines_are_those_of_vtk(interpolation: str, cls: type) -> None:
    # Which Slicer's markups use, with these defaults.
    ours = curve(POINTS, interpolation, 15)
    for axis in range(3):
        spline = cls()
        for number, value in enumerate(POINTS[:, axis]):
            spline.AddPoint(number, value)
        theirs = [spline.Evaluate(number / 15) for number in range(len(ours))]
        np.testing.assert_allclose(ours[:, axis], theirs, atol=1e-12)


def test_one_point_is_a_ball() -> None:
    mask = swept(SHAPE, [[5, 6, 7]], 6.0)
    assert_same(draw_tube(np.ones(SHAPE, bool), points=[[5, 6, 7]], radius=3.0), mask)
