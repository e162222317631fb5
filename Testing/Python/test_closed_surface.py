"""Closed surfaces beside Slicer's on blobs and the atlas: volume, area, distance, closedness."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from segmentationcore.demo import data as demo_data
from surface_calls import BINARY, FRACTIONAL, Mesh, answer, ask, dice

pytestmark = pytest.mark.python

# Oblique, anisotropic, millimetres; the second one is left-handed.
RIGHT = [[0.6, -0.96, 0, -20], [0.45, 1.28, 0, 30], [0, 0, 2.5, 7], [0, 0, 0, 1]]
LEFT = [[0.6, 0.96, 0, -20], [0.45, -1.28, 0, 30], [0, 0, 2.5, 7], [0, 0, 0, 1]]
VOXEL = 0.75 * 1.6 * 2.5
LONGEST = 2.5


@pytest.fixture(scope="module")
def ours() -> Any:
    return pytest.importorskip("segmentationcore.SegmentationCoreDataModel")


def blobs(seed: int, labels: int) -> np.ndarray:
    """Touching blobs of some labels, each with a rugged border; free of the edge of the volume."""
    random = np.random.default_rng(seed)
    z, y, x = np.mgrid[:30, :34, :38]
    noise = random.normal(size=(30, 34, 38))
    for axis in range(3):
        noise = noise + np.roll(noise, 1, axis) + np.roll(noise, -1, axis)
    best = np.full(noise.shape, 2.0)
    image = np.zeros(noise.shape, np.uint8)
    for label in range(1, labels + 1):
        cx, cy, cz = random.uniform(10, 26, 3) * (1.05, 0.95, 0.85)
        d = np.sqrt((x - cx) ** 2 + (y - cy) ** 2 + (z - cz) ** 2) / 4.5 + 0.02 * noise
        image[d < best] = label
        best = np.minimum(best, d)
    image[:2] = image[-2:] = 0
    image[:, :2] = image[:, -2:] = 0
    image[:, :, :2] = image[:, :, -2:] = 0
    return image


def volume(mesh: Mesh) -> float:
    points, triangles = mesh
    a, b, c = (points[triangles[:, k]] - points.mean(axis=0) for k in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


def area(mesh: Mesh) -> float:
    points, triangles = mesh
    a, b, c = (points[triangles[:, k]] for k in range(3))
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)


def is_closed(mesh: Mesh) -> bool:
    """Every directed edge as often as its reverse."""
    triangles = mesh[1]
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    count = len(mesh[0])
    forth = np.sort(edges[:, 0] * count + edges[:, 1])
    back = np.sort(edges[:, 1] * count + edges[:, 0])
    return bool(np.array_equal(forth, back))


def distances(from_mesh: Mesh, to_mesh: Mesh, samples: int) -> np.ndarray:
    """From points of one surface to the other surface, in millimetres."""
    from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
    from vtkmodules.vtkCommonCore import mutable, vtkPoints
    from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData, vtkStaticCellLocator

    surface = vtkPolyData()
    points = vtkPoints()
    points.SetData(numpy_to_vtk(np.ascontiguousarray(to_mesh[0]), deep=1))
    cells = vtkCellArray()
    corners = np.ascontiguousarray(to_mesh[1].ravel())
    cells.SetData(
        numpy_to_vtkIdTypeArray(np.arange(0, len(corners) + 1, 3), deep=1),
        numpy_to_vtkIdTypeArray(corners, deep=1),
    )
    surface.SetPoints(points)
    surface.SetPolys(cells)
    locator = vtkStaticCellLocator()
    locator.SetDataSet(surface)
    locator.BuildLocator()
    step = max(1, len(from_mesh[0]) // samples)
    found, cell, part, squared = [0.0] * 3, mutable(0), mutable(0), mutable(0.0)
    result = []
    for point in from_mesh[0][::step]:
        locator.FindClosestPoint(point, found, cell, part, squared)
        result.append(float(squared) ** 0.5)
    return np.array(result)


# Parameters, and how far the surfaces may be apart: distance of 99 of 100 points in voxels (of the
# longest edge), relative volume and area. Unsmoothed points are the same; smoothing here does not
# see the cut of polygons into triangles, and shrinks shapes less, the more so the stronger it is
# and the smaller they are (see surface-smoothing).
CASES = {
    "flying edges": ({"Smoothing factor": "0"}, 0.25, 0.01, 0.02),
    "flying edges, defaults": ({}, 0.25, 0.01, 0.03),
    "flying edges, strong": ({"Smoothing factor": "1"}, 0.4, 0.1, 0.08),
    "flying edges, decimated": ({"Decimation factor": "0.5"}, 1.5, 0.1, 0.15),
    "surface nets": ({"Conversion method": "1", "Smoothing factor": "0"}, 0.02, 0.001, 0.001),
    "surface nets, sinc": ({"Conversion method": "1"}, 0.02, 0.002, 0.002),
    "surface nets, internal": (
        {"Conversion method": "1", "SurfaceNets smoothing": "1"},
        1.0,
        0.06,
        0.1,
    ),
}


def compare(
    ours: dict[int, Mesh], theirs: dict[int, Mesh], limits: tuple[float, ...], samples: int = 300
) -> None:
    distance, relative_volume, relative_area = limits
    assert ours.keys() == theirs.keys()
    for label, mesh in ours.items():
        other = theirs[label]
        assert is_closed(mesh), label
        assert volume(mesh) > 0, label
        if is_closed(other):  # Slicer's surface nets look inward in places: they have no volume
            np.testing.assert_allclose(
                volume(mesh), abs(volume(other)), rtol=relative_volume, err_msg=f"volume of {label}"
            )
        np.testing.assert_allclose(
            area(mesh), area(other), rtol=relative_area, err_msg=f"area of {label}"
        )
        apart = np.concatenate([distances(mesh, other, samples), distances(other, mesh, samples)])
        measured = f"label {label}: 99 % {np.quantile(apart, 0.99):.3f} mm, all {apart.max():.3f}"
        assert np.quantile(apart, 0.99) <= distance * LONGEST, measured
        assert apart.max() <= 2 * LONGEST, measured


@pytest.mark.slicer
def test_blobs_as_slicer(ours: Any, slicer_python: str, tmp_path: Path) -> None:
    jobs = [
        {
            "array": blobs(seed, 4),
            "matrix": matrix,
            "source": BINARY,
            "parameters": parameters,
        }
        for seed, matrix in ((1, RIGHT), (2, LEFT))
        for parameters, *_ in CASES.values()
    ]
    theirs = ask(slicer_python, tmp_path, jobs)
    limits = [limits for _ in range(2) for _, *limits in CASES.values()]
    for job, reference, limit in zip(jobs, theirs, limits, strict=True):
        mesh = answer(ours, job)
        compare(mesh, reference, tuple(limit))
        if job["parameters"] == {"Smoothing factor": "0"}:
            # The same points and the same number of triangles.
            for label, (points, triangles) in mesh.items():
                assert len(triangles) == len(reference[label][1])
                np.testing.assert_allclose(
                    np.unique(points.round(3), axis=0),
                    np.unique(reference[label][0].round(3), axis=0),
                    atol=2e-3,
                )


@pytest.mark.slicer
def test_fractional_as_slicer(ours: Any, slicer_python: str, tmp_path: Path) -> None:
    z, y, x = np.mgrid[:26, :28, :30]
    distance = np.sqrt((x - 14.3) ** 2 + (y - 13.6) ** 2 + (z - 12.2) ** 2)
    values = np.clip(20 * (9 - distance), -108, 108).astype(np.int8)
    jobs = [
        {
            "array": values,
            "matrix": RIGHT,
            "source": FRACTIONAL,
            "range": [-108, 108],
            "parameters": {
                "Threshold fraction": fraction,
                "Fractional labelmap oversampling factor": oversampling,
                "Smoothing factor": smoothing,
            },
        }
        for fraction in ("0.5", "0.3")
        for oversampling in ("1", "2")
        for smoothing in ("0", "0.5")
    ]
    for job, reference in zip(jobs, ask(slicer_python, tmp_path, jobs), strict=True):
        compare(answer(ours, job), reference, (0.25, 0.03, 0.03))


@pytest.mark.slicer
def test_atlas_as_slicer(ours: Any, slicer_python: str, tmp_path: Path) -> None:
    path = demo_data.located(demo_data.ATLAS_FILE)
    if not path.is_file():
        pytest.skip(f"{path} is missing")
    atlas = np.ascontiguousarray(demo_data.read_nifti(path).voxels, np.uint8)
    job = {"array": atlas, "matrix": RIGHT, "source": BINARY, "parameters": {}}
    meshes = answer(ours, job)
    assert len(meshes) == 116
    compare(meshes, ask(slicer_python, tmp_path, [job])[0], (0.3, 0.035, 0.04), 60)


@pytest.mark.slicer
def test_labels_come_back_as_well_as_in_slicer(
    ours: Any, slicer_python: str, tmp_path: Path
) -> None:
    """Dice after surface and labelmap is at least Slicer's for every label, with no allowance."""
    path = demo_data.located(demo_data.ATLAS_FILE)
    if not path.is_file():
        pytest.skip(f"{path} is missing")
    atlas = np.ascontiguousarray(demo_data.read_nifti(path).voxels, np.uint8)
    jobs = [
        {"array": array, "matrix": matrix, "source": BINARY, "parameters": parameters, "dice": True}
        for array, matrix in ((atlas, RIGHT), (blobs(4, 5), LEFT), (blobs(5, 4), RIGHT))
        for parameters in ({}, {"Smoothing factor": "0"}, {"Smoothing factor": "1"})
    ]
    theirs = ask(slicer_python, tmp_path, jobs)
    for job, reference in zip(jobs, theirs, strict=True):
        values = dice(ours, job)
        assert len(values) == (116 if job["array"] is atlas else len(np.unique(job["array"])) - 1)
        worse = {
            label: (value, float(reference[label][0]))
            for label, value in values.items()
            if value < float(reference[label][0])
        }
        assert not worse, f"{job['parameters']}: label: (ours, Slicer's): {worse}"


@pytest.mark.parametrize("method", ["0", "1"])
def test_joint_smoothing_keeps_neighbours_together(ours: Any, method: str) -> None:
    """The volumes of the segments add up to that of all of them: no gaps, no overlaps."""
    image = blobs(3, 5)
    job = {
        "array": image,
        "matrix": RIGHT,
        "source": BINARY,
        "parameters": {"Joint smoothing": "1", "Conversion method": method},
    }
    together = answer(ours, job)
    assert all(is_closed(mesh) and volume(mesh) > 0 for mesh in together.values())
    shared = 0
    known: set[tuple[float, ...]] = set()
    for points, _ in together.values():
        own = {tuple(point) for point in points}
        shared += len(own & known)
        known |= own
    job["parameters"]["Joint smoothing"] = "0"
    separate = answer(ours, job)
    known.clear()
    for points, _ in separate.values():
        own = {tuple(point) for point in points}
        shared -= len(own & known)
        known |= own
    assert shared > 500
    total = sum(volume(mesh) for mesh in together.values())
    assert abs(total / (VOXEL * np.count_nonzero(image)) - 1) < 0.05
