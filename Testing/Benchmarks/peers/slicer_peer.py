"""Slicer's own filters and editor; runs in the environment of slicer-core, for `slicer`.

    python -m Benchmarks.peers.slicer_peer <threads>

Each line of standard input is a request in JSON, each line of standard output its answer. An
answer is an object; one with the key ``error`` tells what went wrong. Seconds are measured here,
around the calls alone, so that neither the pipe nor files count.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import slicer
import vtk
from slicer_core import vtkITK
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

from Benchmarks.measure import describe, first_run, stopwatch
from Benchmarks.peers import later_seeds
from Benchmarks.peers.data_model_tasks import Tasks

BINARY_LABELMAP = "Binary labelmap"
CLOSED_SURFACE = "Closed surface"
SEGMENT, OTHER = "a", "b"


def oriented_image(array: np.ndarray, first: tuple[int, ...], spacing: tuple[float, ...]) -> Any:
    """An array (z, y, x) whose first voxel has the index ``first`` (x, y, z); copies."""
    image = slicer.vtkOrientedImageData()
    x, y, z = first
    depth, rows, columns = array.shape
    image.SetExtent(x, x + columns - 1, y, y + rows - 1, z, z + depth - 1)
    image.SetSpacing(*spacing[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(np.ascontiguousarray(array).ravel(), deep=True))
    return image


def array_of(image: Any) -> np.ndarray:
    """The scalars of an image, axes z, y, x."""
    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1])


class Scene:
    """A scene with the logics that a segmentation needs, and the node of one."""

    def __init__(self) -> None:
        self.scene = slicer.vtkMRMLScene()
        self.application = slicer.vtkSlicerApplicationLogic()
        self.application.SetMRMLScene(self.scene)
        self.logic = slicer.vtkSlicerSegmentationsModuleLogic()  # brings the conversions
        self.logic.SetMRMLScene(self.scene)
        self.logic.SetMRMLApplicationLogic(self.application)
        self.application.SetModuleLogic("Segmentations", self.logic)
        self.node = self.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "segmentation")
        self.node.CreateDefaultDisplayNodes()
        self.segmentation = self.node.GetSegmentation()


# -- effects -------------------------------------------------------------------------------------


def _thresholded(image: Any, lower: float, upper: float) -> Any:
    algorithm = vtk.vtkImageThreshold()
    algorithm.SetInputData(image)
    algorithm.ThresholdBetween(lower, upper)
    algorithm.SetInValue(1)
    algorithm.SetOutValue(0)
    algorithm.SetOutputScalarTypeToUnsignedChar()
    algorithm.Update()
    return algorithm.GetOutput()


def _otsu(image: Any, options: dict[str, Any]) -> Any:
    calculator = vtkITK.vtkITKImageThresholdCalculator()
    calculator.SetInputData(image)
    calculator.SetMethodToOtsu()
    calculator.Update()
    return _thresholded(image, calculator.GetThreshold(), image.GetScalarRange()[1])


def _island_labels(image: Any, least: int) -> Any:
    cast = vtk.vtkImageCast()  # as the Islands effect does, and more labels than 255 need it
    cast.SetInputData(image)
    cast.SetOutputScalarTypeToUnsignedInt()
    islands = vtkITK.vtkITKIslandMath()
    islands.SetInputConnection(cast.GetOutputPort())
    islands.SetFullyConnected(False)
    islands.SetMinimumSize(least)
    islands.Update()
    return islands.GetOutput()


def _all_islands(image: Any, options: dict[str, Any]) -> Any:
    return _island_labels(image, 0)


def _largest(image: Any, options: dict[str, Any]) -> Any:
    return _thresholded(_island_labels(image, 0), 1, 1)


def _not_small(image: Any, options: dict[str, Any]) -> Any:
    return _thresholded(_island_labels(image, options["minimum_size"]), 1, 2.0**32)


def _grow(image: Any, options: dict[str, Any]) -> Any:
    margin = vtkITK.vtkITKImageMargin()
    margin.SetInputData(image)
    margin.CalculateMarginInMMOn()
    margin.SetOuterMarginMM(options["millimetres"])
    margin.Update()
    return margin.GetOutput()


def _shrink(image: Any, options: dict[str, Any]) -> Any:
    # As the Margin effect does it: it grows the rest.
    inverse = _thresholded(image, 0, 0)
    return _thresholded(_grow(inverse, options), 0, 0)


def _between_slices(image: Any, options: dict[str, Any]) -> Any:
    algorithm = vtkITK.vtkITKMorphologicalContourInterpolator()
    algorithm.SetInputData(image)
    algorithm.Update()
    return algorithm.GetOutput()


def _hollow(image: Any, options: dict[str, Any]) -> Any:
    # As the Hollow effect does it for OUTSIDE_SURFACE: a range of signed distances.
    margin = vtkITK.vtkITKImageMargin()
    margin.SetInputData(image)
    margin.CalculateMarginInMMOn()
    margin.SetInnerMarginMM(min(image.GetSpacing()) - options["millimetres"])
    margin.SetOuterMarginMM(0.0)
    margin.Update()
    return margin.GetOutput()


def _open_close(image: Any, options: dict[str, Any], opens: bool) -> Any:
    algorithm = vtk.vtkImageOpenClose3D()
    algorithm.SetInputData(image)
    algorithm.SetOpenValue(1 if opens else 0)
    algorithm.SetCloseValue(0 if opens else 1)
    algorithm.SetKernelSize(*[options["width"]] * 3)
    algorithm.Update()
    return algorithm.GetOutput()


def _jointly_smoothed(image: Any, options: dict[str, Any]) -> Any:
    # As the Smoothing effect does it: one mesh, then each label's part to voxels.
    padded = vtk.vtkImageConstantPad()
    padded.SetInputData(image)
    extent = image.GetExtent()
    whole = [bound + (1 if side % 2 else -1) for side, bound in enumerate(extent)]
    padded.SetOutputWholeExtent(whole)
    padded.Update()
    lattice = padded.GetOutput()
    lattice.SetSpacing(1.0, 1.0, 1.0)
    values = np.unique(array_of(image))
    contours = vtk.vtkDiscreteMarchingCubes()
    contours.SetInputData(lattice)
    contours.SetNumberOfContours(int((values > 0).sum()))
    for index, value in enumerate(values[values > 0]):
        contours.SetValue(index, int(value))
    smooth = vtk.vtkWindowedSincPolyDataFilter()
    smooth.SetInputConnection(contours.GetOutputPort())
    smooth.SetNumberOfIterations(100)
    smooth.BoundarySmoothingOff()
    smooth.FeatureEdgeSmoothingOff()
    smooth.SetFeatureAngle(90.0)
    smooth.SetPassBand(10.0 ** (-4.0 * options["factor"]))
    smooth.NonManifoldSmoothingOn()
    smooth.NormalizeCoordinatesOn()
    smooth.Update()
    result = np.zeros_like(array_of(lattice))
    for value in values[values > 0][::-1]:
        part = vtk.vtkThreshold()
        part.SetInputConnection(smooth.GetOutputPort())
        part.SetLowerThreshold(float(value))
        part.SetUpperThreshold(float(value))
        surface = vtk.vtkGeometryFilter()
        surface.SetInputConnection(part.GetOutputPort())
        stencil = vtk.vtkPolyDataToImageStencil()
        stencil.SetInputConnection(surface.GetOutputPort())
        stencil.SetOutputWholeExtent(whole)
        stencil.SetOutputSpacing(1.0, 1.0, 1.0)
        mask = vtk.vtkImageStencilToImage()
        mask.SetInputConnection(stencil.GetOutputPort())
        mask.SetInsideValue(1)
        mask.SetOutsideValue(0)
        mask.SetOutputScalarTypeToUnsignedChar()
        mask.Update()
        result[array_of(mask.GetOutput()) > 0] = value
    return oriented_image(result[1:-1, 1:-1, 1:-1], (0, 0, 0), (1.0, 1.0, 1.0))


def _grow_from_seeds(image: Any, options: dict[str, Any]) -> Any:
    grow = slicer.vtkImageGrowCutSegment()
    grow.SetIntensityVolume(options["volume"])
    grow.SetSeedLabelVolume(image)
    grow.SetDistancePenalty(0.0)
    grow.Update()
    return grow.GetOutput()


def _opening(image: Any, options: dict[str, Any]) -> Any:
    return _open_close(image, options, opens=True)


def _closing(image: Any, options: dict[str, Any]) -> Any:
    return _open_close(image, options, opens=False)


def _median(image: Any, options: dict[str, Any]) -> Any:
    algorithm = vtk.vtkImageMedian3D()
    algorithm.SetInputData(image)
    algorithm.SetKernelSize(*[options["width"]] * 3)
    algorithm.Update()
    return algorithm.GetOutput()


def _gaussian(image: Any, options: dict[str, Any]) -> Any:
    # As the Smoothing effect does it.
    bright = vtk.vtkImageThreshold()
    bright.SetInputData(image)
    bright.ThresholdByUpper(1)
    bright.SetInValue(255)
    bright.SetOutValue(0)
    bright.SetOutputScalarTypeToUnsignedChar()
    smooth = vtk.vtkImageGaussianSmooth()
    smooth.SetInputConnection(bright.GetOutputPort())
    smooth.SetStandardDeviations(*[options["millimetres"] / s for s in image.GetSpacing()])
    smooth.SetRadiusFactor(4.0)
    smooth.Update()
    return _thresholded(smooth.GetOutput(), 127, 255)


def _statistics(image: Any, options: dict[str, Any]) -> Any:
    # As Segment Statistics does it, for each segment by itself.
    values = np.unique(array_of(image))
    for value in values[values > 0]:
        stencil = vtk.vtkImageToImageStencil()
        stencil.SetInputData(_thresholded(image, float(value), float(value)))
        stencil.ThresholdBetween(1, 1)
        stencil.Update()
        found = vtk.vtkImageAccumulate()
        found.SetInputData(options["volume"])
        found.SetStencilData(stencil.GetOutput())
        found.Update()
    return image


class GrowthUpdate:
    """Grow from seeds, grown once; each call paints a few more seeds and updates it."""

    def __init__(self, image: Any, volume: Any) -> None:
        self.seeds = slicer.vtkOrientedImageData()
        self.seeds.DeepCopy(image)
        self.painted = 0
        self.grow = slicer.vtkImageGrowCutSegment()
        self.grow.SetIntensityVolume(volume)
        self.grow.SetSeedLabelVolume(self.seeds)
        self.grow.SetDistancePenalty(0.0)
        self.grow.Update()

    def __call__(self) -> Any:
        """Paint and update."""
        voxels = array_of(self.seeds)
        place, label = later_seeds(self.painted, voxels.shape)
        self.painted += 1
        voxels[place] = label
        self.seeds.GetPointData().GetScalars().Modified()
        self.seeds.Modified()
        self.grow.Update()
        return self.grow.GetOutput()


class SurfaceConversion(Scene):
    """Slicer's own conversion of a label map to closed surfaces, with its default settings."""

    def __init__(self, image: Any, options: dict[str, Any]) -> None:
        super().__init__()
        shared = slicer.vtkOrientedImageData()
        shared.DeepCopy(image)
        values = np.unique(array_of(image))
        self.segmentation.SetSourceRepresentationName(BINARY_LABELMAP)
        for value in values[values > 0]:
            segment = slicer.vtkSegment()
            segment.SetLabelValue(int(value))
            segment.AddRepresentation(BINARY_LABELMAP, shared)
            self.segmentation.AddSegment(segment, f"label {value}")
        factor = "0.5" if options["smooth"] else "0"
        self.segmentation.SetConversionParameter("Smoothing factor", factor)

    def __call__(self) -> str:
        """Convert all segments."""
        self.segmentation.RemoveRepresentation(CLOSED_SURFACE)
        if not self.segmentation.CreateRepresentation(CLOSED_SURFACE, True):
            raise RuntimeError("CreateRepresentation failed")
        return ""

    def outcome(self) -> tuple[str, int]:
        """What came out, in words, and its bytes."""
        surfaces = [
            self.segmentation.GetNthSegment(index).GetRepresentation(CLOSED_SURFACE)
            for index in range(self.segmentation.GetNumberOfSegments())
        ]
        cells = sum(surface.GetNumberOfCells() for surface in surfaces)
        return f"{cells:,} cells", sum(s.GetActualMemorySize() * 1024 for s in surfaces)


# By the case's name: the name of the method, how it differs, and the method. The options are the
# case's, and `volume`, the image below a label map.
SINGLE = "single precision: voxels just at the margin may differ"
FILTERS: dict[str, tuple[str, str, Callable[[Any, dict[str, Any]], Any]]] = {
    "threshold Otsu": (
        "vtkITKImageThresholdCalculator + vtkImageThreshold",
        "cuts the fraction off the threshold",
        _otsu,
    ),
    "islands label all": ("vtkITKIslandMath", "numbers by size, as ours", _all_islands),
    "islands label all, reused output": (
        "vtkITKIslandMath",
        "numbers by size, as ours; makes a new array",
        _all_islands,
    ),
    "grow from seeds": (
        "vtkImageGrowCutSegment",
        "seeds on the border do not grow; ties by its heap; single precision",
        _grow_from_seeds,
    ),
    "islands keep largest": ("vtkITKIslandMath + vtkImageThreshold", "", _largest),
    "islands remove small": ("vtkITKIslandMath + vtkImageThreshold", "", _not_small),
    "margin grow": ("vtkITKImageMargin", SINGLE, _grow),
    "margin shrink": ("vtkITKImageMargin of the inverse", SINGLE, _shrink),
    "fill between slices": (
        "vtkITKMorphologicalContourInterpolator",
        "another algorithm, in voxels",
        _between_slices,
    ),
    "joint smoothing": (
        "marching cubes, windowed sinc, stencils, as in the Segment Editor",
        "another mesh; rounds at the border",
        _jointly_smoothed,
    ),
    "median 3x3x3": ("vtkImageMedian3D", "", _median),
    "median 5x5x5": ("vtkImageMedian3D", "", _median),
    "opening": ("vtkImageOpenClose3D", "", _opening),
    "closing": ("vtkImageOpenClose3D", "", _closing),
    "Gaussian": ("vtkImageGaussianSmooth", "rounds down to 8 bits after every pass", _gaussian),
    "hollow": ("vtkITKImageMargin", "measures to the border voxels' centres", _hollow),
    "statistics": ("vtkImageAccumulate for each segment", "no percentiles", _statistics),
}
UPDATE = "grow from seeds, update"
SURFACES = ("CreateRepresentation, closed surface", "another algorithm; every segment by itself")


class Effects:
    """A loaded volume and what is done to it."""

    def __init__(self) -> None:
        self.image: Any = None
        self.volume: Any = None
        self.prepared: Callable[[], Any] | None = None

    def load(self, path: str, spacing: list[float], volume: str) -> dict[str, Any]:
        """Read the input of the following requests, and the volume below it if there is one."""
        self.image = self.volume = self.prepared = None
        self.image = oriented_image(np.load(path), (0, 0, 0), tuple(spacing))
        if volume:
            self.volume = oriented_image(np.load(volume), (0, 0, 0), tuple(spacing))
        return {}

    def method(self, effect: str, options: dict[str, Any]) -> dict[str, Any]:
        """Get ready for an effect; the answer has its name, or nothing if Slicer has none."""
        if effect.startswith("surfaces"):
            name, note = SURFACES
            self.prepared = SurfaceConversion(self.image, options)
            return {"name": name, "note": note}
        if effect == UPDATE:
            self.prepared = GrowthUpdate(self.image, self.volume)
            name, note, _ = FILTERS["grow from seeds"]
            return {"name": name, "note": note}
        if effect not in FILTERS:
            return {}
        name, note, function = FILTERS[effect]
        options = {**options, "volume": self.volume}
        self.prepared = lambda: function(self.image, options)
        return {"name": name, "note": note}

    def first(self, save: str) -> dict[str, Any]:
        """The warm-up: seconds, growth of memory without the result, and it in a file."""
        assert self.prepared is not None
        growth, seconds, result = first_run(self.prepared)
        if isinstance(self.prepared, SurfaceConversion):
            text, size = self.prepared.outcome()
        else:
            voxels = array_of(result)
            text, size = "", voxels.nbytes
            np.save(save, voxels != 0)
        return {"seconds": seconds, "growth": max(0, growth - size), "text": text}

    def run(self) -> dict[str, Any]:
        """Once more."""
        assert self.prepared is not None
        return {"seconds": stopwatch(self.prepared)[0]}


# -- the editor ----------------------------------------------------------------------------------


class World(Scene):
    """A segmentation whose label map covers a cube, edited by one of Slicer's two ways in."""

    def __init__(self, size: int, way: str) -> None:
        if way not in ("set", "modify"):
            raise ValueError(f"the way is {way!r}; expected set or modify")
        super().__init__()
        self.way = way
        geometry = slicer.vtkOrientedImageData()
        geometry.SetExtent(0, size - 1, 0, size - 1, 0, size - 1)
        converter = slicer.vtkSegmentationConverter
        self.segmentation.SetConversionParameter(
            converter.GetReferenceImageGeometryParameterName(),
            converter.SerializeImageGeometry(geometry),
        )
        for segment in (SEGMENT, OTHER):
            self.segmentation.AddEmptySegment(segment)
        # Two far corners, so that the stored label map covers the world, as a real segment does.
        corners = np.zeros((size, size, size), np.uint8)
        corners[0, 0, 0] = corners[-1, -1, -1] = 1
        self.logic.SetBinaryLabelmapToSegment(
            oriented_image(corners, (0, 0, 0), (1.0, 1.0, 1.0)),
            self.node,
            SEGMENT,
            self.logic.MODE_REPLACE,
        )
        self.editor = slicer.vtkSlicerSegmentEditorLogic()
        self.editor.SetMRMLScene(self.scene)
        self.editor.SetMRMLApplicationLogic(self.application)
        self.parameters = self.scene.AddNewNodeByClass("vtkMRMLSegmentEditorNode")
        self.editor.SetSegmentEditorNode(self.parameters)
        self.editor.SetSegmentationNode(self.node)
        self.parameters.SetSelectedSegmentID(SEGMENT)
        self.history = slicer.vtkSegmentationHistory()
        self.history.SetSegmentation(self.segmentation)

    def stroke(self, centre: list[int], radius: int, state: bool) -> dict[str, Any]:
        """Add a ball; with ``state``, after saving the state that undo goes back to."""
        saved = stopwatch(self.history.SaveState)[0] if state else None
        offsets = np.arange(-radius, radius + 1)
        squares = offsets[:, None, None] ** 2 + offsets[:, None] ** 2 + offsets**2
        ball = (squares <= radius * radius).astype(np.uint8)
        corner = tuple(at - radius for at in centre)
        modifier = oriented_image(ball, corner, (1.0, 1.0, 1.0))
        if self.way == "set":
            merge = self.logic.MODE_MERGE_MAX

            def add() -> None:
                self.logic.SetBinaryLabelmapToSegment(modifier, self.node, SEGMENT, merge)

        else:
            mode = self.editor.ModificationModeAdd

            def add() -> None:
                self.editor.ModifySegmentByLabelmap(
                    self.node, SEGMENT, modifier, mode, False, False
                )

        return {"seconds": stopwatch(add)[0], "saved": saved}

    def undo(self) -> dict[str, Any]:
        """Back to the saved state."""
        seconds, done = stopwatch(self.history.RestorePreviousState)
        if not done:
            raise RuntimeError("RestorePreviousState found no state")
        return {"seconds": seconds}

    def redo(self) -> dict[str, Any]:
        """Forward again."""
        seconds, done = stopwatch(self.history.RestoreNextState)
        if not done:
            raise RuntimeError("RestoreNextState found no state")
        return {"seconds": seconds}

    def voxels(self, save: str) -> dict[str, Any]:
        """The segment in a file, without the two corners."""
        image = self.segmentation.GetSegment(SEGMENT).GetRepresentation(BINARY_LABELMAP)
        value = self.segmentation.GetSegment(SEGMENT).GetLabelValue()
        mask = array_of(image) == value
        mask[0, 0, 0] = mask[-1, -1, -1] = False
        np.save(save, mask)
        return {}


class DataModel:
    """Work on the containers; each segmentation is that of a node in a scene, as in Slicer."""

    def __init__(self) -> None:
        self.scene = Scene()
        self.nodes: list[Any] = []
        self.tasks = Tasks(slicer, self.new_segmentation, self.modify, self.write_file)

    def new_segmentation(self) -> Any:
        """Of a node without display: nothing is drawn here. The last two are kept."""
        for node in self.nodes[:-1]:
            self.scene.scene.RemoveNode(node)
        self.nodes = self.nodes[-1:]
        self.nodes.append(self.scene.scene.AddNewNodeByClass("vtkMRMLSegmentationNode"))
        return self.nodes[-1].GetSegmentation()

    def modify(self, segmentation: Any, identifier: str, image: Any) -> bool:
        """Through the logic: the modifier itself cannot be reached from Python."""
        node = next(n for n in self.nodes if n.GetSegmentation() is segmentation)
        logic = self.scene.logic
        return bool(
            logic.SetBinaryLabelmapToSegment(image, node, identifier, logic.MODE_MERGE_MASK)
        )

    def write_file(self, segmentation: Any, file: str) -> bool:
        """By the storage node, as Slicer saves a segmentation."""
        node = next(n for n in self.nodes if n.GetSegmentation() is segmentation)
        storage = slicer.vtkMRMLSegmentationStorageNode()
        storage.SetFileName(file)
        return bool(storage.WriteData(node))

    def task(self, name: str, options: dict[str, Any]) -> dict[str, Any]:
        """Get ready."""
        self.tasks.prepare(name, options)
        return {}

    def task_run(self) -> dict[str, Any]:
        """Once."""
        return {"seconds": self.tasks.run(), "outcome": self.tasks.outcome()}


class Server:
    """Requests to calls."""

    def __init__(self) -> None:
        self.effects = Effects()
        self.data_model = DataModel()
        self.worlds: dict[tuple[int, str], World] = {}

    def version(self) -> dict[str, Any]:
        """Of slicer-core and its VTK."""
        import importlib.metadata

        return {
            "slicer-core": importlib.metadata.version("slicer-core"),
            "vtk": vtk.vtkVersion.GetVTKVersion(),
        }

    def open_world(self, size: int, way: str) -> dict[str, Any]:
        """Make a world."""
        self.worlds[size, way] = World(size, way)
        return {}

    def close_worlds(self) -> dict[str, Any]:
        """Forget all worlds."""
        self.worlds.clear()
        return {}

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do what a request says."""
        command = request.pop("command")
        if command in ("load", "method", "first", "run"):
            call = getattr(self.effects, command)
        elif command in ("task", "task_run"):
            call = getattr(self.data_model, command)
        elif command in ("stroke", "undo", "redo", "voxels"):
            world = self.worlds[request.pop("size"), request.pop("way")]
            call = getattr(world, command)
        elif command in ("version", "open_world", "close_worlds"):
            call = getattr(self, command)
        else:
            raise ValueError(f"unknown command {command!r}")
        result: dict[str, Any] = call(**request)
        return result


def main(threads: int) -> None:
    """Answer until the input ends."""
    vtk.vtkMultiThreader.SetGlobalDefaultNumberOfThreads(threads)
    vtk.vtkMultiThreader.SetGlobalMaximumNumberOfThreads(threads)
    vtk.vtkSMPTools.SetBackend("STDThread")
    vtk.vtkSMPTools.Initialize(threads)
    # What Slicer prints must not get between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    server = Server()
    for line in sys.stdin:
        try:
            answer = server.answer(json.loads(line))
        except Exception as error:
            answer = {"error": describe(error)}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {Path(sys.argv[0]).name} <threads>")
    main(int(sys.argv[1]))
