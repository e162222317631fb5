"""Closed surfaces to voxels beside VTK's own stencil, in one process: rows of group datamodel.

The surfaces are those of the atlas's 116 labels, contoured and smoothed by VTK. Ours are made by
the conversion rule, one segment after the other, VTK's by vtkPolyDataToImageStencil, which is what
Slicer's rule uses, and vtkImageStencilToImage. Surfaces of triangles and the box of each are ready
before the clock starts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import data
from ..catalogue import bars
from ..measure import interleave, stopwatch
from ..results import ratio
from . import Context

GROUP = "datamodel"
PEER = "VTK vtkPolyDataToImageStencil"
SURFACE = "Closed surface"
BINARY = "Binary labelmap"


class Contender:
    """Calls a function that fills all surfaces and returns a number to compare."""

    def __init__(self, fill: Callable[[], float]) -> None:
        self.fill = fill
        self.outcome = 0.0

    def run(self) -> float:
        """Once more; seconds."""
        seconds, self.outcome = stopwatch(self.fill)
        return seconds


def surfaces(labels: Any) -> list[Any]:
    """A smoothed surface for each label of an array; voxels are units of length."""
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonDataModel import vtkImageData
    from vtkmodules.vtkFiltersCore import vtkWindowedSincPolyDataFilter
    from vtkmodules.vtkFiltersGeneral import vtkDiscreteFlyingEdges3D

    image = vtkImageData()
    image.SetDimensions(*labels.shape[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(labels.reshape(-1)))
    found = []
    for label in np.unique(labels[labels > 0]):
        contour = vtkDiscreteFlyingEdges3D()
        contour.SetInputData(image)
        contour.SetValue(0, int(label))
        contour.ComputeNormalsOff()
        smooth = vtkWindowedSincPolyDataFilter()
        smooth.SetInputConnection(contour.GetOutputPort())
        smooth.SetPassBand(0.01)
        smooth.NormalizeCoordinatesOn()
        smooth.BoundarySmoothingOff()
        smooth.Update()
        found.append(smooth.GetOutput())
    return found


def box_of(surface: Any) -> list[int]:
    """The voxels around a surface, as an extent."""
    bounds = np.array(surface.GetBounds()).reshape(3, 2)
    return [int(x) for low, high in bounds for x in (np.floor(low), np.ceil(high))]


def total(image: Any) -> float:
    """The sum of an image's voxels."""
    from vtkmodules.util.numpy_support import vtk_to_numpy

    return float(vtk_to_numpy(image.GetPointData().GetScalars()).sum(dtype=np.int64))


def ours(module: Any, chosen: list[Any]) -> Callable[[], float]:
    """By the conversion rule."""
    rule = module.vtkClosedSurfaceToBinaryLabelmapConversionRule()
    rule.SetConversionParameter(
        "Reference image geometry", "1;0;0;0;0;1;0;0;0;0;1;0;0;0;0;1;0;9;0;9;0;9;"
    )

    def fill() -> float:
        sum_of_all = 0.0
        for surface in chosen:
            segment = module.vtkSegment()
            segment.AddRepresentation(SURFACE, surface)
            if not rule.Convert(segment):
                raise RuntimeError("the rule failed")
            sum_of_all += total(segment.GetRepresentation(BINARY))
        return sum_of_all

    return fill


def theirs(chosen: list[Any]) -> Callable[[], float]:
    """By VTK's stencil."""
    from vtkmodules.vtkImagingStencil import vtkImageStencilToImage, vtkPolyDataToImageStencil

    boxes = [box_of(surface) for surface in chosen]

    def fill() -> float:
        sum_of_all = 0.0
        for surface, box in zip(chosen, boxes, strict=True):
            stencil = vtkPolyDataToImageStencil()
            stencil.SetInputData(surface)
            stencil.SetOutputWholeExtent(box)
            stencil.SetOutputSpacing(1.0, 1.0, 1.0)
            stencil.SetOutputOrigin(0.0, 0.0, 0.0)
            image = vtkImageStencilToImage()
            image.SetInputConnection(stencil.GetOutputPort())
            image.SetInsideValue(1)
            image.SetOutsideValue(0)
            image.SetOutputScalarTypeToUnsignedChar()
            image.Update()
            sum_of_all += total(image.GetOutput())
        return sum_of_all

    return fill


def run(context: Context, module: Any) -> None:
    """One row; without VTK's stencil there is none, and the results say so."""
    from vtkmodules.vtkCommonCore import vtkVersion

    try:
        import vtkmodules.vtkImagingStencil  # noqa: F401
    except ImportError:
        context.results.fail("VTK's image stencil was not measured: this VTK has none")
        return
    title = "surfaces to labelmap, no collapse"
    context.progress.tell(title)
    labels, _ = data.atlas()
    found = surfaces(labels)
    contenders = {"": Contender(ours(module, found)), PEER: Contender(theirs(found))}
    warm_up = {who: contender.run() for who, contender in contenders.items()}
    timings, errors = interleave(contenders, warm_up, rounds=3 if context.quick else 7, budget=60.0)
    mine, other = (contenders[who].outcome for who in ("", PEER))
    context.results.add(
        group=GROUP,
        effect=title,
        data="atlas",
        size=labels.shape[::-1],
        threads=context.threads[-1],
        ours=timings.get(""),
        peer=PEER,
        peer_version=vtkVersion.GetVTKVersion(),
        theirs=timings.get(PEER),
        note="same result" if mine == other else f"{mine:.0f} voxels, VTK {other:.0f}",
        error="; ".join(errors.values()),
    )
    ratios = {PEER: ratio(timings[""].median, timings[PEER].median)} if len(timings) == 2 else {}
    context.results.document["bars"] += bars(title, "atlas", f"{title}, atlas", ratios)
