"""Surface cut against SciPy's hull, and VTK's subdivision with the winding of its triangles."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from outline_oracle import centres
from sample_data import assert_same, blob_labels, noise
from scipy.spatial import ConvexHull
from segmentationcore import surface_cut
from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray, vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
from vtkmodules.vtkFiltersModeling import vtkButterflySubdivisionFilter

pytestmark = pytest.mark.python

SHAPE = (12, 14, 16)
SPACING = (1.3, 0.8, 1.1)


def some_points(count: int, seed: int) -> np.ndarray:
    fractions = (noise((count, 3), seed) % np.uint64(10007)).astype(float) / 10007
    return (1.2 * fractions - 0.1) * (np.array(SHAPE) - 1) * SPACING


def inside_hull(points: np.ndarray) -> np.ndarray:
    planes = ConvexHull(points).equations
    return (centres(SHAPE, SPACING) @ planes[:, :3].T + planes[:, 3] < 0).all(axis=-1)


def subdivided(points: np.ndarray) -> np.ndarray:
    """The corners of all triangles, by VTK."""
    hull = ConvexHull(points)
    triangles = hull.simplices.copy()
    # SciPy does not turn its triangles outwards.
    normals = np.cross(*(points[triangles[:, i]] - points[triangles[:, 0]] for i in (1, 2)))
    inwards = (normals * hull.equations[:, :3]).sum(axis=1) < 0
    triangles[inwards] = triangles[inwards][:, ::-1]
    used = np.unique(triangles)
    mesh = vtkPolyData()
    mesh.SetPoints(vtkPoints())
    mesh.GetPoints().SetData(numpy_to_vtk(points[used], deep=1))
    cells = np.insert(np.searchsorted(used, triangles), 0, 3, axis=1)
    polys = vtkCellArray()
    polys.ImportLegacyFormat(numpy_to_vtkIdTypeArray(cells.ravel().astype(np.int64), deep=1))
    mesh.SetPolys(polys)
    butterfly = vtkButterflySubdivisionFilter()
    butterfly.SetInputData(mesh)
    butterfly.SetNumberOfSubdivisions(3)
    butterfly.Update()
    result = butterfly.GetOutput()
    corners = vtk_to_numpy(result.GetPolys().GetConnectivityArray()).reshape(-1, 3)
    return vtk_to_numpy(result.GetPoints().GetData())[corners]


def windings(triangles: np.ndarray) -> np.ndarray:
    """How often the surface winds around each voxel."""
    result = np.zeros(SHAPE)
    where = centres(SHAPE, SPACING)
    for triangle in triangles.astype(float):
        a, b, c = (corner - where for corner in triangle)
        la, lb, lc = (np.linalg.norm(v, axis=-1) for v in (a, b, c))
        scale = la * lb * lc + (a * b).sum(-1) * lc + (b * c).sum(-1) * la + (c * a).sum(-1) * lb
        result += np.arctan2((a * np.cross(b, c)).sum(-1), scale)
    return result / (2 * np.pi)


def cut(labels: np.ndarray, points: Any, **more: Any) -> np.ndarray:
    return surface_cut(labels, points=points, spacing=SPACING, **more)


@pytest.mark.parametrize("count", [4, 5, 9, 60])
def test_the_hull(count: int) -> None:
    for seed in range(6):
        points = some_points(count, seed)
        expected = inside_hull(points)
        result = cut(np.zeros(SHAPE, bool), points, smooth_model=False)
        assert_same(result, expected, f"seed {seed}:")
        # The order of the points is all the same, and points within it are, too.
        more = np.concatenate([points[::-1], [points.mean(axis=0)] * 2])
        assert_same(cut(np.zeros(SHAPE, bool), more, smooth_model=False), expected)


@pytest.mark.parametrize("count", [4, 7, 20])
def test_the_smooth_surface(count: int) -> None:
    points = some_points(count, count)
    turns = windings(subdivided(points))
    # Away from where the surface of VTK, of 32-bit points, passes a voxel.
    clear = np.abs(turns - np.rint(turns)) < 1e-4
    assert clear.mean() > 0.999
    result = cut(np.zeros(SHAPE, bool), points)
    assert_same(result[clear], np.rint(turns[clear]) % 2 != 0)
    # It goes through the corners of the hull, so it is no smaller.
    assert result.sum() >= inside_hull(points).sum()


@pytest.mark.parametrize(
    "operation", ["SET", "ERASE_INSIDE", "ERASE_OUTSIDE", "FILL_INSIDE", "FILL_OUTSIDE"]
)
def test_operations(operation: str) -> None:
    labels = blob_labels(SHAPE, 4)
    points = some_points(8, 1)
    mask = inside_hull(points) != operation.endswith("OUTSIDE")
    expected = labels.copy()
    if operation.startswith("ERASE") or operation == "SET":
        expected[(labels == 2) & (mask if operation != "SET" else ~mask)] = 0
    if not operation.startswith("ERASE"):
        expected[mask] = 2
    result = cut(labels, points, operation=operation, smooth_model=False, label=2)
    assert_same(result, expected)
    # Nothing is enclosed by points in a plane, nor outside of them.
    flat = cut(labels, points * [0, 1, 1], operation=operation, label=2)
    assert_same(flat, np.where((labels == 2) & (operation == "SET"), 0, labels).astype(np.uint8))
