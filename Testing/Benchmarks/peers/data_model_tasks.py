"""Work on Slicer's containers, by the same calls for Slicer's library and for ours.

Runs in our process with our module, and in Slicer's with its own. A task is prepared while the
clock is stopped, and run again and again; each run leaves the containers as it found them, or
prepares anew before the clock starts.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkStringArray

from ..measure import stopwatch

BINARY = "Binary labelmap"
SURFACE = "Closed surface"
REFERENCE = "Reference image geometry"

Modify = Callable[[Any, str, Any], bool]
"""Adds an image's voxels to a segment: segmentation, segment's ID, image."""

WriteFile = Callable[[Any, str], bool]
"""Writes a segmentation to a file, compressed by default settings."""


class Tasks:
    """The containers of one library, and the task that is prepared.

    Parameters
    ----------
    module
        Where the classes are.
    new_segmentation
        Makes an empty segmentation for which ``modify`` works.
    modify, write_file
        See `Modify` and `WriteFile`.
    """

    def __init__(
        self,
        module: Any,
        new_segmentation: Callable[[], Any],
        modify: Modify,
        write_file: WriteFile,
    ) -> None:
        self.module = module
        self.new_segmentation = new_segmentation
        self.modify = modify
        self.write_file = write_file
        self.prepared: Callable[[], float] | None = None
        self.outcome: Callable[[], list[float]] = list

    def prepare(self, name: str, options: dict[str, Any]) -> None:
        """Get ready; the options are the task's own."""
        self.prepared = None
        self.outcome = list
        self.prepared = getattr(self, name)(**options)

    def run(self) -> float:
        """Seconds of one run."""
        assert self.prepared is not None
        return self.prepared()

    # -- parts -----------------------------------------------------------------------------------

    SPACING = (1.0, 1.25, 1.5)

    def _image(self, voxels: np.ndarray, first: tuple[int, int, int] = (0, 0, 0)) -> Any:
        """An array (z, y, x) whose first voxel has the index ``first`` (x, y, z); copies."""
        image = self.module.vtkOrientedImageData()
        extent = [
            at
            for start, count in zip(first, voxels.shape[::-1], strict=True)
            for at in (start, start + count - 1)
        ]
        image.SetExtent(*extent)
        image.SetSpacing(*self.SPACING)
        scalars = numpy_to_vtk(np.ascontiguousarray(voxels).ravel(), deep=True)
        image.GetPointData().SetScalars(scalars)
        return image

    def _segment(self, name: str, image: Any, label: int = 1, kind: str = BINARY) -> Any:
        segment = self.module.vtkSegment()
        segment.SetName(name)
        segment.SetLabelValue(label)
        if image is not None:
            segment.AddRepresentation(kind, image)
        return segment

    def _labels(self, voxels: np.ndarray) -> Any:
        """All labels of an array as segments of one layer."""
        segmentation = self.new_segmentation()
        shared = self._image(voxels)
        for value in np.unique(voxels[voxels > 0]).tolist():
            segmentation.AddSegment(self._segment(f"label {value}", shared, value), f"s{value}")
        self._reference(segmentation, shared)
        return segmentation

    def _reference(self, segmentation: Any, image: Any) -> None:
        geometry = self.module.vtkSegmentationConverter.SerializeImageGeometry(image)
        segmentation.SetConversionParameter(REFERENCE, geometry)

    # -- tasks -----------------------------------------------------------------------------------

    def history(self, size: int, undo: bool, told: bool = True) -> Callable[[], float]:
        """Save a state after a small edit of a layer of size^3, or undo one.

        An edit that nobody is told of is one of the voxels alone, with `Modified()`.
        """
        voxels = np.zeros((size,) * 3, np.uint8)
        voxels[size // 4 : size // 2, size // 4 : size // 2, :] = 1
        voxels[0, 0, 0] = voxels[-1, -1, -1] = 1  # so that the layer stays as large
        segmentation = self.new_segmentation()
        segmentation.AddSegment(self._segment("a", self._image(voxels)), "a")
        segmentation.GetSegment("a").Modified()  # Slicer observes the voxels from here on
        history = self.module.vtkSegmentationHistory()
        history.SetSegmentation(segmentation)
        history.SaveState()
        place = np.random.default_rng(1)
        brush = np.ones((10, 10, 10), np.uint8)

        def run() -> float:
            # Beside the block along y: an edit that changes nothing is no state to go back from.
            first = tuple(place.integers((0, size // 2, 0), size - 10).tolist())
            if told:
                if not self.modify(segmentation, "a", self._image(brush, first)):
                    raise RuntimeError("the edit failed")
            else:
                image = segmentation.GetSegmentRepresentation("a", BINARY)
                scalars = image.GetPointData().GetScalars()
                z, y, x = first
                volume = vtk_to_numpy(scalars).reshape((size,) * 3)
                volume[z : z + 10, y : y + 10, x : x + 10] = 1
                scalars.Modified()
                image.Modified()
            if not undo:
                seconds, done = stopwatch(history.SaveState)
            else:
                history.SaveState()
                seconds, done = stopwatch(history.RestorePreviousState)
            if not done:
                raise RuntimeError("the history did nothing")
            return seconds

        def outcome() -> list[float]:
            image = segmentation.GetSegmentRepresentation("a", BINARY)
            return [float(vtk_to_numpy(image.GetPointData().GetScalars()).sum(dtype=np.int64))]

        self.outcome = outcome
        return run

    def stroke(self, size: int) -> Callable[[], float]:
        """Add 10^3 voxels to a segment in a layer of size^3."""
        voxels = np.zeros((size,) * 3, np.uint8)
        voxels[size // 4 : size // 2, size // 4 : size // 2, :] = 1
        voxels[0, 0, 0] = voxels[-1, -1, -1] = 1
        segmentation = self.new_segmentation()
        segmentation.AddSegment(self._segment("a", self._image(voxels)), "a")
        place = np.random.default_rng(1)
        brush = np.ones((10, 10, 10), np.uint8)

        def run() -> float:
            image = self._image(brush, tuple(place.integers(0, size - 10, 3).tolist()))
            seconds, done = stopwatch(lambda: self.modify(segmentation, "a", image))
            if not done:
                raise RuntimeError("the edit failed")
            return seconds

        return run

    DIRECTIONS = (0.36, 0.48, -0.8, -0.8, 0.6, 0.0, 0.48, 0.64, 0.6)
    """Of the lattice that is resampled to."""

    @staticmethod
    def origin(size: int) -> tuple[float, float, float]:
        """Of the lattice that is resampled to."""
        return size / 4, size / 4, size / 8

    @staticmethod
    def rings(size: int) -> np.ndarray:
        """Shells around the middle."""
        at = np.arange(size, dtype=np.float32) - size / 2
        distance = np.hypot(np.hypot(at[:, None, None], at[:, None]), at)
        return (distance / 8 % 2 * 60).astype(np.uint8)

    def resample(self, size: int, linear: bool) -> Callable[[], float]:
        """Read a volume of size^3 on a lattice that is turned about all axes."""
        image = self._image(self.rings(size))
        reference = self._image(np.zeros((size,) * 3, np.uint8))
        reference.SetDirections(*self.DIRECTIONS)
        reference.SetOrigin(*self.origin(size))
        out = self.module.vtkOrientedImageData()
        tools = self.module.vtkOrientedImageDataResample

        def run() -> float:
            seconds, done = stopwatch(
                lambda: tools.ResampleOrientedImageToReferenceOrientedImage(
                    image, reference, out, linear
                )
            )
            if not done:
                raise RuntimeError("resampling failed")
            return seconds

        def outcome() -> list[float]:
            return [float(vtk_to_numpy(out.GetPointData().GetScalars()).sum(dtype=np.int64))]

        self.outcome = outcome
        return run

    def surfaces(self, path: str, joint: bool) -> Callable[[], float]:
        """Closed surfaces of all labels of an array in a file."""
        segmentation = self._labels(np.load(path))
        segmentation.SetConversionParameter("Joint smoothing", str(int(joint)))

        def run() -> float:
            segmentation.RemoveRepresentation(SURFACE)
            seconds, done = stopwatch(lambda: segmentation.CreateRepresentation(SURFACE, True))
            if not done:
                raise RuntimeError("CreateRepresentation failed")
            return seconds

        self.outcome = lambda: self._areas(segmentation)
        return run

    @staticmethod
    def _areas(segmentation: Any) -> list[float]:
        """Numbers of points: surfaces are compared by the tests, this is a look."""
        count = segmentation.GetNumberOfSegments()
        surfaces = [segmentation.GetNthSegment(i).GetRepresentation(SURFACE) for i in range(count)]
        return [float(sum(s.GetNumberOfPoints() for s in surfaces))]

    def labelmap(self, path: str) -> Callable[[], float]:
        """Binary labelmaps of the closed surfaces of all labels of an array in a file."""
        made = self._labels(np.load(path))
        made.CreateRepresentation(SURFACE, True)
        reference = made.GetConversionParameter(REFERENCE)
        segmentation = self.new_segmentation()
        segmentation.SetSourceRepresentationName(SURFACE)
        segmentation.SetConversionParameter(REFERENCE, reference)
        for i in range(made.GetNumberOfSegments()):
            surface = made.GetNthSegment(i).GetRepresentation(SURFACE)
            segment = self._segment(made.GetNthSegment(i).GetName(), surface, 1, SURFACE)
            segmentation.AddSegment(segment, made.GetNthSegmentID(i))

        def run() -> float:
            segmentation.RemoveRepresentation(BINARY)
            seconds, done = stopwatch(lambda: segmentation.CreateRepresentation(BINARY, True))
            if not done:
                raise RuntimeError("CreateRepresentation failed")
            return seconds

        self.outcome = lambda: self._voxels(segmentation)
        return run

    @staticmethod
    def _voxels(segmentation: Any) -> list[float]:
        """How many voxels each segment has."""
        found = []
        for identifier in segmentation.GetSegmentIDs():
            image = segmentation.GetSegmentRepresentation(identifier, BINARY)
            label = segmentation.GetSegment(identifier).GetLabelValue()
            empty = image.IsEmpty()
            values = None if empty else vtk_to_numpy(image.GetPointData().GetScalars())
            found.append(0.0 if values is None else float(np.count_nonzero(values == label)))
        return found

    def _boxes(self, count: int, size: int) -> Any:
        """Segments with a layer each: boxes in images of size^3 that do not overlap."""
        segmentation = self.new_segmentation()
        side = int(np.ceil(count ** (1 / 3)))
        step = size // side
        for n in range(count):
            voxels = np.zeros((size,) * 3, np.uint8)
            z, y, x = (step * (n // side**a % side) for a in (2, 1, 0))
            voxels[z : z + step - 1, y : y + step - 1, x : x + step - 1] = 1
            segmentation.AddSegment(self._segment(f"box {n}", self._image(voxels)), f"b{n}")
        return segmentation

    def collapse(self, count: int, size: int, force: bool) -> Callable[[], float]:
        """Put segments with a layer each into one: those that do not overlap, or by merging."""
        source = self._boxes(count, size)
        kept: list[Any] = []

        def run() -> float:
            segmentation = self.new_segmentation()
            for i in range(count):
                image = source.GetNthSegment(i).GetRepresentation(BINARY)
                copy = self._segment(f"box {i}", image)
                segmentation.AddSegment(copy, source.GetNthSegmentID(i))
            seconds, _ = stopwatch(lambda: segmentation.CollapseBinaryLabelmaps(force))
            if segmentation.GetNumberOfLayers() != 1:
                raise RuntimeError("there is more than one layer")
            kept[:] = [segmentation]
            return seconds

        self.outcome = lambda: self._voxels(kept[0])
        return run

    def remove(self, count: int, size: int) -> Callable[[], float]:
        """Take one of many segments out of the layer that they share."""
        source = self._boxes(count, size)
        source.CollapseBinaryLabelmaps(False)
        kept: list[Any] = []

        def run() -> float:
            segmentation = self.new_segmentation()
            segmentation.DeepCopy(source)
            seconds, _ = stopwatch(lambda: segmentation.RemoveSegment(f"b{count // 2}"))
            kept[:] = [segmentation]
            return seconds

        self.outcome = lambda: self._voxels(kept[0])
        return run

    def extents(self, count: int, size: int) -> Callable[[], float]:
        """The box of what is labelled, for all segments of one layer."""
        segmentation = self._boxes(count, size)
        segmentation.CollapseBinaryLabelmaps(False)
        chosen = vtkStringArray()
        segmentation.GetSegmentIDs(chosen)
        mode = self.module.vtkSegmentation.EXTENT_UNION_OF_EFFECTIVE_SEGMENTS
        found: list[str] = []

        def run() -> float:
            seconds, text = stopwatch(
                lambda: segmentation.DetermineCommonLabelmapGeometry(mode, chosen)
            )
            found[:] = [text]
            return seconds

        self.outcome = lambda: [float(part) for part in found[0].split(";") if part]
        return run

    def add(self, count: int) -> Callable[[], float]:
        """Add segments without voxels."""
        kept: list[Any] = []

        def run() -> float:
            segmentation = self.new_segmentation()
            segments = [self._segment(f"segment {i}", None) for i in range(count)]

            def add_all() -> None:
                for i, segment in enumerate(segments):
                    if not segmentation.AddSegment(segment, f"s{i}"):
                        raise RuntimeError("AddSegment failed")

            kept[:] = [segmentation]
            return stopwatch(add_all)[0]

        self.outcome = lambda: [float(kept[0].GetNumberOfSegments())]
        return run

    def write(self, path: str, file: str) -> Callable[[], float]:
        """Write all labels of an array in a file to a compressed ``.seg.nrrd``."""
        segmentation = self._labels(np.load(path))

        def run() -> float:
            seconds, done = stopwatch(lambda: self.write_file(segmentation, file))
            if not done:
                raise RuntimeError("writing failed")
            return seconds

        self.outcome = lambda: [float(Path(file).stat().st_size)]
        return run
