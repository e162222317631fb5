"""VTK's own filters, in the same VTK that ours run in. Slicer uses the first two."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import Method, Task, seed_of

LIBRARY = "VTK"


def version() -> str:
    from vtkmodules.vtkCommonCore import vtkVersion

    return vtkVersion.GetVTKVersion()


def use_threads(number: int) -> None:
    """Both ways in which VTK starts threads; PyPI's starts none by itself for the newer one."""
    from vtkmodules.vtkCommonCore import vtkMultiThreader, vtkSMPTools

    vtkMultiThreader.SetGlobalDefaultNumberOfThreads(number)
    vtkMultiThreader.SetGlobalMaximumNumberOfThreads(number)
    vtkSMPTools.SetBackend("STDThread")
    vtkSMPTools.Initialize(number)


def image_of(array: Any, spacing: tuple[float, float, float]) -> Any:
    """The array as an image that shares its memory; the array has to stay."""
    import numpy as np
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonDataModel import vtkImageData

    image = vtkImageData()
    image.SetDimensions(*array.shape[::-1])
    image.SetSpacing(*spacing[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(np.ascontiguousarray(array).reshape(-1)))
    return image


def array_of(image: Any) -> Any:
    """The scalars as an array with the axes z, y, x."""
    from vtkmodules.util.numpy_support import vtk_to_numpy

    values = vtk_to_numpy(image.GetPointData().GetScalars())
    return values.reshape(image.GetDimensions()[::-1])


def _cut(task: Task) -> Any:
    """The label map with what the outline holds in all slices, by way of a prism."""
    import numpy as np
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonCore import vtkPoints
    from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
    from vtkmodules.vtkFiltersModeling import vtkLinearExtrusionFilter
    from vtkmodules.vtkImagingStencil import vtkImageStencilToImage, vtkPolyDataToImageStencil

    from ..catalogue import outline

    corners = outline(task)
    bottom, top = -0.5 * task.spacing[0], (task.array.shape[0] - 0.5) * task.spacing[0]
    places = np.column_stack([corners[:, ::-1], np.full(len(corners), bottom)])
    shape = vtkPolyData()
    shape.SetPoints(vtkPoints())
    shape.GetPoints().SetData(numpy_to_vtk(places, deep=1))
    shape.SetPolys(vtkCellArray())
    shape.GetPolys().InsertNextCell(len(corners), list(range(len(corners))))
    prism = vtkLinearExtrusionFilter()
    prism.SetInputData(shape)
    prism.SetExtrusionTypeToVectorExtrusion()
    prism.SetVector(0.0, 0.0, 1.0)
    prism.SetScaleFactor(top - bottom)
    stencil = vtkPolyDataToImageStencil()
    stencil.SetInputConnection(prism.GetOutputPort())
    stencil.SetOutputSpacing(*task.spacing[::-1])
    stencil.SetOutputWholeExtent(*(b for n in task.array.shape[::-1] for b in (0, n - 1)))
    to_image = vtkImageStencilToImage()
    to_image.SetInputConnection(stencil.GetOutputPort())
    to_image.SetInsideValue(1)
    to_image.SetOutsideValue(0)
    to_image.SetOutputScalarTypeToUnsignedChar()
    to_image.Update()
    return task.array | array_of(to_image.GetOutput())


def methods(task: Task) -> Iterator[Method]:
    import numpy as np

    use_threads(task.threads)
    image = image_of(task.array, task.spacing)

    if task.effect == "flood filling":
        from vtkmodules.vtkCommonCore import vtkPoints
        from vtkmodules.vtkImagingMorphological import vtkImageThresholdConnectivity

        seed, tolerance = seed_of(task), task.options["tolerance"]
        value = float(task.array[seed])

        def flood() -> Any:
            points = vtkPoints()
            points.InsertNextPoint(*(np.array(seed) * task.spacing)[::-1])
            algorithm = vtkImageThresholdConnectivity()
            algorithm.SetInputData(image)
            algorithm.SetSeedPoints(points)
            algorithm.ThresholdBetween(value - tolerance, value + tolerance)
            algorithm.SetInValue(1)
            algorithm.SetOutValue(0)
            algorithm.Update()
            return algorithm.GetOutput()

        yield Method("vtkImageThresholdConnectivity", flood, array_of)

    if task.effect == "threshold":
        from vtkmodules.vtkImagingCore import vtkImageThreshold

        def threshold() -> Any:
            algorithm = vtkImageThreshold()
            algorithm.SetInputData(image)
            algorithm.ThresholdByUpper(task.options["minimum"])
            algorithm.SetInValue(1)
            algorithm.SetOutValue(0)
            algorithm.SetOutputScalarTypeToUnsignedChar()
            algorithm.Update()
            return algorithm.GetOutput()

        yield Method("vtkImageThreshold (Slicer's)", threshold, array_of)

    if task.effect == "scissors":
        yield Method("extruded outline + vtkPolyDataToImageStencil (Slicer's)", lambda: _cut(task))

    if task.effect.startswith("median"):
        from vtkmodules.vtkImagingGeneral import vtkImageMedian3D

        def median() -> Any:
            algorithm = vtkImageMedian3D()
            algorithm.SetInputData(image)
            algorithm.SetKernelSize(*[task.options["width"]] * 3)
            algorithm.Update()
            return algorithm.GetOutput()

        yield Method("vtkImageMedian3D (Slicer's)", median, array_of)

    if task.effect in ("opening", "closing"):
        from vtkmodules.vtkImagingMorphological import vtkImageOpenClose3D

        def open_close() -> Any:
            algorithm = vtkImageOpenClose3D()
            algorithm.SetInputData(image)
            # The value that is opened, and the one that is closed.
            algorithm.SetOpenValue(1 if task.effect == "opening" else 0)
            algorithm.SetCloseValue(0 if task.effect == "opening" else 1)
            algorithm.SetKernelSize(*[task.options["width"]] * 3)
            algorithm.Update()
            return algorithm.GetOutput()

        yield Method("vtkImageOpenClose3D (Slicer's)", open_close, array_of)

    if task.effect == "Gaussian":
        from vtkmodules.vtkImagingCore import vtkImageThreshold
        from vtkmodules.vtkImagingGeneral import vtkImageGaussianSmooth

        bright = image_of(np.where(task.array, np.uint8(255), np.uint8(0)), task.spacing)
        deviations = [task.options["millimetres"] / step for step in task.spacing[::-1]]

        def gaussian() -> Any:
            smooth = vtkImageGaussianSmooth()
            smooth.SetInputData(bright)
            smooth.SetStandardDeviations(*deviations)
            smooth.SetRadiusFactor(4.0)
            algorithm = vtkImageThreshold()
            algorithm.SetInputConnection(smooth.GetOutputPort())
            algorithm.ThresholdByUpper(127)
            algorithm.SetInValue(1)
            algorithm.SetOutValue(0)
            algorithm.Update()
            return algorithm.GetOutput()

        yield Method(
            "vtkImageGaussianSmooth (Slicer's)",
            gaussian,
            array_of,
            note="rounds down to 8 bits after every pass",
        )

    if task.effect.startswith("surfaces"):
        from vtkmodules.vtkFiltersCore import vtkSurfaceNets3D
        from vtkmodules.vtkFiltersGeneral import vtkDiscreteFlyingEdges3D

        values = [int(value) for value in np.unique(task.array) if value > 0]

        def nets(smooth: bool) -> Any:
            algorithm = vtkSurfaceNets3D()
            algorithm.SetInputData(image)
            algorithm.SetNumberOfLabels(len(values))
            for index, value in enumerate(values):
                algorithm.SetLabel(index, value)
            algorithm.SetSmoothing(smooth)
            algorithm.SetOutputMeshTypeToTriangles()
            algorithm.Update()
            return algorithm.GetOutput()

        def edges() -> Any:
            algorithm = vtkDiscreteFlyingEdges3D()
            algorithm.SetInputData(image)
            algorithm.SetNumberOfContours(len(values))
            for index, value in enumerate(values):
                algorithm.SetValue(index, value)
            algorithm.Update()
            return algorithm.GetOutput()

        once = "a face between two labels is there once"
        if task.options["smooth"]:
            yield Method("vtkSurfaceNets3D, smoothed", lambda: nets(True), triangles, note=once)
        else:
            yield Method("vtkSurfaceNets3D", lambda: nets(False), triangles, note=once)
            yield Method(
                "vtkDiscreteFlyingEdges3D",
                edges,
                triangles,
                note="another algorithm; open at border",
            )


def triangles(surface: Any) -> str:
    """A surface in words."""
    return f"{surface.GetNumberOfCells():,} triangles"
