"""What Slicer itself computes, for tests: runs in an environment with slicer-core.

As a module: ``ask(slicer_python, folder, jobs)`` runs this file with that Python. A job is a dict
with ``what`` and its options; arrays (z, y, x) travel in .npz files.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np


def ask(python: str, folder: Path, jobs: list[dict[str, Any]]) -> list[Any]:
    """Have Slicer do the jobs; returns one array for each."""
    arrays = {f"array{i}": job["array"] for i, job in enumerate(jobs)}
    options = [{k: v for k, v in job.items() if k != "array"} for job in jobs]
    np.savez(folder / "jobs.npz", options=json.dumps(options), **arrays)
    subprocess.run(
        [python, __file__, str(folder / "jobs.npz"), str(folder / "results.npz")],
        check=True,
        timeout=300,
    )
    with np.load(folder / "results.npz") as results:
        return [results[f"array{i}"] for i in range(len(jobs))]


def _image(array: Any, spacing: Any) -> Any:
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonDataModel import vtkImageData

    image = vtkImageData()
    image.SetDimensions(*reversed(array.shape))
    image.SetSpacing(*reversed(spacing))
    image.GetPointData().SetScalars(numpy_to_vtk(np.ascontiguousarray(array).ravel(), deep=1))
    return image


def _array(image: Any) -> Any:
    from vtkmodules.util.numpy_support import vtk_to_numpy

    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1])


def _threshold(job: dict[str, Any], image: Any) -> Any:
    from slicer_core import vtkITK

    calculator = vtkITK.vtkITKImageThresholdCalculator()
    calculator.SetInputData(image)
    calculator.SetMethod(job["method"])
    calculator.Update()
    return np.array(calculator.GetThreshold())


def _margin(job: dict[str, Any], image: Any) -> Any:
    # As the Margin effect does it: shrinking is growing of the inverse.
    from slicer_core import vtkITK

    margin = vtkITK.vtkITKImageMargin()
    margin.SetInputData(image)
    margin.CalculateMarginInMMOn()
    margin.SetOuterMarginMM(abs(job["millimetres"]))
    margin.Update()
    return _array(margin.GetOutput())


def _islands(job: dict[str, Any], image: Any) -> Any:
    # Labels by size, the largest is 1; islands below the minimum are 0.
    from slicer_core import vtkITK
    from vtkmodules.vtkImagingCore import vtkImageCast

    cast = vtkImageCast()  # as the Islands effect does
    cast.SetInputData(image)
    cast.SetOutputScalarTypeToUnsignedInt()
    islands = vtkITK.vtkITKIslandMath()
    islands.SetInputConnection(cast.GetOutputPort())
    islands.SetFullyConnected(job.get("fully", False))
    islands.SetMinimumSize(job["minimum"])
    islands.Update()
    return _array(islands.GetOutput())


def _median(job: dict[str, Any], image: Any) -> Any:
    from vtkmodules.vtkImagingGeneral import vtkImageMedian3D

    median = vtkImageMedian3D()
    median.SetInputData(image)
    median.SetKernelSize(*reversed(job["kernel"]))
    median.Update()
    return _array(median.GetOutput())


def _level_tracing(job: dict[str, Any], image: Any) -> Any:
    # The pixels of the contour through the seed in plane IJ, 1 in an image of zeros.
    from slicer_core import vtkITK

    tracing = vtkITK.vtkITKLevelTracingImageFilter()
    tracing.SetInputData(image)
    tracing.SetSeed(*job["seed"])
    tracing.SetPlaneToIJ()
    tracing.Update()
    contour = tracing.GetOutput()
    result = np.zeros(image.GetDimensions()[::-1], np.uint8)
    for p in range(contour.GetNumberOfPoints()):
        i, j, k = np.rint(np.array(contour.GetPoint(p)) / image.GetSpacing()).astype(int)
        result[k, j, i] = 1
    return result


def _grow_from_seeds(job: dict[str, Any], labels: Any, volume: Any) -> Any:
    from slicer_core.vtkSlicerSegmentationsModuleLogic import vtkImageGrowCutSegment
    from vtkmodules.vtkImagingCore import vtkImageCast

    grow = vtkImageGrowCutSegment()
    seeds = vtkImageCast()
    seeds.SetInputData(labels)
    seeds.SetOutputScalarTypeToUnsignedChar()
    grow.SetIntensityVolume(volume)
    seeds.Update()
    grow.SetSeedLabelVolume(seeds.GetOutput())
    grow.SetDistancePenalty(job["factor"])
    grow.Update()
    return _array(grow.GetOutput())


def _open_close(job: dict[str, Any], image: Any, opens: bool) -> Any:
    from vtkmodules.vtkImagingMorphological import vtkImageOpenClose3D

    both = vtkImageOpenClose3D()
    both.SetInputData(image)
    # As the Smoothing effect does it: the labels that open and close.
    both.SetOpenValue(1 if opens else 0)
    both.SetCloseValue(0 if opens else 1)
    both.SetKernelSize(*reversed(job["kernel"]))
    both.Update()
    return _array(both.GetOutput())


def _opening(job: dict[str, Any], image: Any) -> Any:
    return _open_close(job, image, opens=True)


def _closing(job: dict[str, Any], image: Any) -> Any:
    return _open_close(job, image, opens=False)


def _gaussian(job: dict[str, Any], image: Any) -> Any:
    from vtkmodules.vtkImagingGeneral import vtkImageGaussianSmooth

    smooth = vtkImageGaussianSmooth()
    smooth.SetInputData(image)
    smooth.SetStandardDeviations(*reversed(job["deviations"]))
    smooth.SetRadiusFactor(4.0)
    smooth.Update()
    return _array(smooth.GetOutput())


def _hollow(job: dict[str, Any], image: Any) -> Any:
    # As the Hollow effect does it: a range of signed distances, for a spacing of 1.
    from slicer_core import vtkITK

    thickness = job["thickness"]
    inner, outer = {
        "INSIDE_SURFACE": (0.1, thickness + 0.1),
        "MEDIAL_SURFACE": (-0.5 * thickness + 0.5, 0.5 * thickness),
        "OUTSIDE_SURFACE": (-thickness + 1.0, 0.0),
    }[job["mode"]]
    margin = vtkITK.vtkITKImageMargin()
    margin.SetInputData(image)
    margin.CalculateMarginInMMOn()
    margin.SetInnerMarginMM(inner)
    margin.SetOuterMarginMM(outer)
    margin.Update()
    return _array(margin.GetOutput())


def main(source: str, target: str) -> None:
    """Do the jobs of a file."""
    makers: dict[str, Any] = {
        "threshold": _threshold,
        "margin": _margin,
        "islands": _islands,
        "median": _median,
        "level_tracing": _level_tracing,
        "grow_from_seeds": _grow_from_seeds,
        "opening": _opening,
        "closing": _closing,
        "gaussian": _gaussian,
        "hollow": _hollow,
    }
    with np.load(source) as jobs:
        results = {}
        for i, job in enumerate(json.loads(str(jobs["options"]))):
            array = jobs[f"array{i}"]
            # Of several arrays the first is the label map, the second the volume.
            images = [
                _image(each, job.get("spacing", (1.0, 1.0, 1.0)))
                for each in (array if array.ndim == 4 else [array])
            ]
            results[f"array{i}"] = makers[job["what"]](job, *images)
        np.savez(target, **results)


if __name__ == "__main__":
    main(*sys.argv[1:])
