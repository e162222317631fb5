"""The same closed surfaces from our classes and from Slicer's: the calls, and how to run them.

``ask(slicer_python, folder, jobs)`` runs this file with that Python. A job is a dict with
``array`` (z, y, x), ``matrix`` (index to world), ``source`` (name of the representation),
``parameters`` and, for fractional labelmaps, ``range``. The answer to a job is a dict from label
to (points, triangles).
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

BINARY = "Binary labelmap"
FRACTIONAL = "Fractional labelmap"
SURFACE = "Closed surface"

Mesh = tuple[np.ndarray, np.ndarray]


def ask(python: str, folder: Path, jobs: list[dict[str, Any]]) -> list[dict[int, Mesh]]:
    """What Slicer makes of the jobs."""
    arrays = {f"array{i}": job["array"] for i, job in enumerate(jobs)}
    options = [{key: value for key, value in job.items() if key != "array"} for job in jobs]
    np.savez(folder / "jobs.npz", options=json.dumps(options), **arrays)
    done = subprocess.run(
        [python, __file__, str(folder / "jobs.npz"), str(folder / "meshes.npz")],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    answers: list[dict[int, Mesh]] = [{} for _ in jobs]
    with np.load(folder / "meshes.npz") as meshes:
        for name in meshes.files:
            job, label, what = name.split()
            if what == "points":
                answers[int(job)][int(label)] = (meshes[name], meshes[f"{job} {label} triangles"])
    return answers


@contextmanager
def rules(module: Any) -> Iterator[None]:
    """The rules are registered meanwhile: segmentations made here know them."""
    factory = module.vtkSegmentationConverterFactory.GetInstance()
    registered = [
        module.vtkBinaryLabelmapToClosedSurfaceConversionRule(),
        module.vtkFractionalLabelmapToClosedSurfaceConversionRule(),
        module.vtkClosedSurfaceToBinaryLabelmapConversionRule(),
    ]
    for rule in registered:
        factory.RegisterConverterRule(rule)
    try:
        yield
    finally:
        for rule in registered:
            factory.UnregisterConverterRule(rule)


def segmentation_of(module: Any, job: dict[str, Any]) -> Any:
    """One segment per label, all on one image."""
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonCore import vtkDoubleArray
    from vtkmodules.vtkCommonMath import vtkMatrix4x4

    array = np.ascontiguousarray(job["array"])
    image = module.vtkOrientedImageData()
    z, y, x = array.shape
    image.SetExtent(3, x + 2, -2, y - 3, 5, z + 4)
    matrix = vtkMatrix4x4()
    matrix.DeepCopy([float(value) for row in job["matrix"] for value in row])
    image.SetImageToWorldMatrix(matrix)
    image.GetPointData().SetScalars(numpy_to_vtk(array.ravel(), deep=1))
    if "range" in job:
        limits = vtkDoubleArray()
        limits.SetName("ScalarRange")
        for limit in job["range"]:
            limits.InsertNextValue(limit)
        image.GetFieldData().AddArray(limits)
    segmentation = module.vtkSegmentation()
    segmentation.SetSourceRepresentationName(job["source"])
    for label in labels_of(job):
        segment = module.vtkSegment()
        segment.SetName(str(label))
        segment.SetLabelValue(label)
        segment.AddRepresentation(job["source"], image)
        segmentation.AddSegment(segment, str(label))
    return segmentation


def labels_of(job: dict[str, Any]) -> list[int]:
    """The labels of the segments."""
    return [1] if "range" in job else [int(v) for v in np.unique(job["array"]) if v > 0]


def convert(module: Any, segmentation: Any, parameters: dict[str, str]) -> float:
    """Make the surfaces; returns the seconds it took."""
    for name, value in parameters.items():
        segmentation.SetConversionParameter(name, value)
    start = time.perf_counter()
    assert segmentation.CreateRepresentation(SURFACE, True)
    return time.perf_counter() - start


def mesh_of(surface: Any) -> Mesh:
    """Points and triangles of a poly data."""
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkFiltersCore import vtkTriangleFilter

    triangles = vtkTriangleFilter()
    triangles.PassVertsOff()
    triangles.PassLinesOff()
    triangles.SetInputData(surface)
    triangles.Update()
    output = triangles.GetOutput()
    if output.GetNumberOfPolys() == 0:
        return np.zeros((0, 3)), np.zeros((0, 3), np.int64)
    points = vtk_to_numpy(output.GetPoints().GetData()).astype(float)
    cells = vtk_to_numpy(output.GetPolys().GetConnectivityArray()).astype(np.int64)
    return points.copy(), cells.reshape(-1, 3).copy()


def answer(module: Any, job: dict[str, Any]) -> dict[int, Mesh]:
    """The surfaces of a job."""
    with rules(module):
        segmentation = segmentation_of(module, job)
    convert(module, segmentation, job["parameters"])
    return {
        label: mesh_of(segmentation.GetSegmentRepresentation(str(label), SURFACE))
        for label in labels_of(job)
    }


def dice(module: Any, job: dict[str, Any]) -> dict[int, float]:
    """The labels as surfaces and back on the same lattice: Dice with what they were."""
    from vtkmodules.util.numpy_support import vtk_to_numpy

    with rules(module):
        first = segmentation_of(module, job)
        second = module.vtkSegmentation()
    convert(module, first, job["parameters"])
    image = first.GetSegmentRepresentation(first.GetNthSegmentID(0), BINARY)
    geometry = module.vtkSegmentationConverter.SerializeImageGeometry(image)
    second.SetSourceRepresentationName(SURFACE)
    for label in labels_of(job):
        segment = module.vtkSegment()
        segment.SetName(str(label))
        segment.AddRepresentation(SURFACE, first.GetSegmentRepresentation(str(label), SURFACE))
        second.AddSegment(segment, str(label))
    second.SetConversionParameter("Reference image geometry", geometry)
    second.SetConversionParameter("Crop to reference image geometry", "1")
    second.SetConversionParameter("Collapse labelmaps", "0")
    assert second.CreateRepresentation(BINARY, True)
    extent = image.GetExtent()
    result = {}
    for label in labels_of(job):
        back = second.GetSegmentRepresentation(str(label), BINARY)
        value = second.GetSegment(str(label)).GetLabelValue()
        x0, x1, y0, y1, z0, z1 = back.GetExtent()
        inside = np.zeros(job["array"].shape, bool)
        voxels = vtk_to_numpy(back.GetPointData().GetScalars()) == value
        inside[
            z0 - extent[4] : z1 - extent[4] + 1,
            y0 - extent[2] : y1 - extent[2] + 1,
            x0 - extent[0] : x1 - extent[0] + 1,
        ] = voxels.reshape(z1 - z0 + 1, y1 - y0 + 1, x1 - x0 + 1)
        own = job["array"] == label
        both = np.count_nonzero(own & inside)
        result[label] = 2 * both / (np.count_nonzero(own) + np.count_nonzero(inside))
    return result


def _main(jobs_file: str, meshes_file: str) -> None:
    from slicer_core import vtkSegmentationCore

    meshes = {}
    with np.load(jobs_file) as jobs:
        for i, options in enumerate(json.loads(str(jobs["options"]))):
            job = {**options, "array": jobs[f"array{i}"]}
            if job.get("dice"):
                for label, value in dice(vtkSegmentationCore, job).items():
                    meshes[f"{i} {label} points"] = np.array(value)
                    meshes[f"{i} {label} triangles"] = np.zeros(0)
                continue
            for label, (points, triangles) in answer(vtkSegmentationCore, job).items():
                meshes[f"{i} {label} points"] = points
                meshes[f"{i} {label} triangles"] = triangles
    np.savez(meshes_file, **meshes)


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2])
