"""What other libraries than Slicer do of the tasks of group datamodel, in this process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..measure import stopwatch
from ..peers import simpleitk_peer, vtk_peer
from ..peers.data_model_tasks import Tasks


@dataclass
class Other:
    """A peer with a prepared task."""

    name: str
    version: str
    function: Any
    """Timed; returns something of which `number` makes the outcome."""
    number: Any
    outcome: float = 0.0

    def run(self) -> float:
        """Once."""
        seconds, result = stopwatch(self.function)
        self.outcome = float(self.number(result))
        return seconds


def others(task: str, options: dict[str, Any], threads: int) -> Iterator[Other]:
    """The peers of a task."""
    if task == "resample" and not options["linear"]:
        yield _reslice(options["size"], threads)
    if task == "write":
        yield _simpleitk_writer(options["path"], options["file"])


def _reslice(size: int, threads: int) -> Other:
    """VTK, with the lattices of `Tasks.resample`."""
    from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
    from vtkmodules.vtkCommonDataModel import vtkImageData
    from vtkmodules.vtkCommonMath import vtkMatrix4x4
    from vtkmodules.vtkImagingCore import vtkImageReslice

    vtk_peer.use_threads(threads)
    image = vtkImageData()
    image.SetDimensions(size, size, size)
    image.SetSpacing(*Tasks.SPACING)
    image.GetPointData().SetScalars(numpy_to_vtk(Tasks.rings(size).ravel(), deep=True))

    axes = vtkMatrix4x4()
    for row, origin in enumerate(Tasks.origin(size)):
        for column in range(3):
            axes.SetElement(row, column, Tasks.DIRECTIONS[3 * row + column])
        axes.SetElement(row, 3, origin)

    def reslice() -> Any:
        algorithm = vtkImageReslice()
        algorithm.SetInputData(image)
        algorithm.SetInterpolationModeToNearestNeighbor()
        algorithm.SetOutputExtent(*[0, size - 1] * 3)
        algorithm.SetOutputSpacing(*Tasks.SPACING)
        algorithm.SetOutputOrigin(0.0, 0.0, 0.0)
        algorithm.SetResliceAxes(axes)
        algorithm.Update()
        return algorithm.GetOutput()

    def total(result: Any) -> float:
        return float(vtk_to_numpy(result.GetPointData().GetScalars()).sum(dtype=np.int64))

    return Other("VTK vtkImageReslice", vtk_peer.version(), reslice, total)


def _simpleitk_writer(path: str, file: str) -> Other:
    """SimpleITK's fastest level, which is also its largest file."""
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(np.load(path))
    target = str(Path(file).with_name("simpleitk.nrrd"))

    def write() -> str:
        sitk.WriteImage(image, target, useCompression=True, compressionLevel=1)
        return target

    return Other(
        "SimpleITK WriteImage, level 1",
        simpleitk_peer.version(),
        write,
        lambda made: Path(made).stat().st_size,
    )
