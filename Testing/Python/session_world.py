"""Editing sessions for the tests: small oblique worlds, their voxels as NumPy arrays.

Arrays have the axes z, y, x; points, spacing and directions of this module are x, y, z, as in the
operations. A `World` says where voxels lie, and makes sessions in which nothing else is set.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from segmentationcore import vtkLabelMapEditSession
from stroke_oracle import pixels, swept
from vtkmodules.util import numpy_support
from vtkmodules.vtkCommonDataModel import vtkImageData

IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
TURNED = (0.8, -0.576, 0.168, 0.6, 0.768, -0.224, 0.0, 0.28, 0.96)


def operation(effect: str, segment: str, masking: Any = None, **parameters: Any) -> dict[str, Any]:
    """An operation; the keyword `region` is its region, the others are its parameters."""
    result: dict[str, Any] = {"effect": effect, "segment": segment}
    if "region" in parameters:
        result["region"] = parameters.pop("region")
    if parameters:
        result["parameters"] = parameters
    if masking:
        result["masking"] = masking
    return result


@dataclass(frozen=True)
class World:
    """A lattice of voxels."""

    shape: tuple[int, int, int]  # z, y, x
    spacing: tuple[float, float, float] = (0.5, 1.25, 2.0)
    origin: tuple[float, float, float] = (10.0, -20.0, 30.0)
    direction: tuple[float, ...] = TURNED
    first: tuple[int, int, int] = (0, 0, 0)  # index of the first voxel

    @property
    def extent(self) -> tuple[int, ...]:
        sizes = tuple(reversed(self.shape))
        return tuple(
            bound
            for low, size in zip(self.first, sizes, strict=True)
            for bound in (low, low + size - 1)
        )

    def point(self, index: Sequence[float]) -> list[float]:
        """Where a voxel (x, y, z, counted from the world's first one) is."""
        along = (np.array(index, float) + self.first) * self.spacing
        return list(np.array(self.origin) + np.array(self.direction).reshape(3, 3) @ along)

    def vector(self, along: Sequence[float]) -> list[float]:
        """A vector along the image's axes in world coordinates."""
        return list(np.array(self.direction).reshape(3, 3) @ np.array(along))

    def image(self, array: np.ndarray, name: str = "Scalars") -> vtkImageData:
        """The array as an image of this world."""
        image = vtkImageData()
        image.SetExtent(self.extent)
        image.SetOrigin(self.origin)
        image.SetSpacing(self.spacing)
        image.GetDirectionMatrix().DeepCopy(self.direction)
        values = numpy_support.numpy_to_vtk(np.ascontiguousarray(array).ravel(), deep=True)
        values.SetName(name)
        image.GetPointData().SetScalars(values)
        return image

    def session(
        self, volume: np.ndarray | None = None, block_edge: int = 32
    ) -> vtkLabelMapEditSession:
        """A session of this world, with a volume on its voxels if there is one."""
        session = vtkLabelMapEditSession()
        session.SetBlockEdge(block_edge)
        done(session, session.SetGeometry(self.extent, self.origin, self.spacing, self.direction))
        if volume is not None:
            done(session, session.SetVolume(self.image(volume)))
        return session

    def brush(self, indices: Sequence[Sequence[float]], **parameters: Any) -> np.ndarray:
        """The voxels that a stroke along these points (as for `point`) touches."""
        spacing = self.spacing[::-1]
        points = np.array(indices, float)[:, ::-1] * spacing
        if parameters.get("BrushPixelMode"):
            return pixels(self.shape, points, spacing)
        disc = {}
        if not parameters.get("BrushSphere", True):
            turned = np.array(self.direction).reshape(3, 3).T @ parameters["SliceNormal"]
            disc = {"normal": turned[::-1], "thickness": parameters.get("SliceThickness", 1.0)}
        diameter = parameters.get("BrushAbsoluteDiameter", 5.0)
        return swept(self.shape, points, diameter, spacing, **disc)


def done(session: Any, result: bool) -> None:
    """A call of the session that must not have failed."""
    assert result, session.GetLastError() or "refused without a reason"
    assert session.GetLastError() == ""


def apply(session: Any, *operations: Any) -> None:
    """Operations that must not fail."""
    done(session, session.Apply(json.dumps(operations)))


def refused(session: Any, *operations: Any) -> str:
    """Why the operations, which must fail, do."""
    assert not session.Apply(json.dumps(operations))
    assert session.GetLastError()
    return session.GetLastError()


def whole(session: Any) -> list[int]:
    extent = [0] * 6
    session.GetExtent(extent)
    return extent


def array_of(image: Any, name: str) -> np.ndarray:
    """A point array of an image, as a copy."""
    values = numpy_support.vtk_to_numpy(image.GetPointData().GetArray(name))
    return values.reshape(tuple(reversed(image.GetDimensions()))).copy()


def mask_of(session: Any, segment: str) -> np.ndarray:
    """The voxels of a segment."""
    image = vtkImageData()
    done(session, session.GetSegmentMask(segment, whole(session), image))
    return array_of(image, "Mask") == 1


def segments_of(session: Any) -> list[str]:
    table = session.GetSegmentTable()
    return [table.GetNthSegmentID(row) for row in range(table.GetNumberOfSegments())]


def masks_of(session: Any) -> dict[str, np.ndarray]:
    return {segment: mask_of(session, segment) for segment in segments_of(session)}


def counts_of(session: Any) -> dict[str, int]:
    table = session.GetSegmentTable()
    return {
        segment: table.GetNthSegmentVoxelCount(row)
        for row, segment in enumerate(segments_of(session))
    }


def rows_of(session: Any) -> list[tuple[Any, ...]]:
    """All that the segment table says, but labels and layers: they may differ in equal states."""
    table = session.GetSegmentTable()
    return [
        (
            table.GetNthSegmentID(row),
            table.GetNthSegmentName(row),
            tuple(table.GetNthSegmentColor(row)),
            table.GetNthSegmentVisible(row),
            table.GetNthSegmentStatus(row),
            table.GetNthSegmentSerializedTags(row),
            table.GetNthSegmentNameAutoGenerated(row),
            table.GetNthSegmentColorAutoGenerated(row),
            table.GetNthSegmentVoxelCount(row),
        )
        for row in range(table.GetNumberOfSegments())
    ]


def content_of(session: Any) -> tuple[Any, ...]:
    """Table and voxels: two sessions with equal contents show the same."""
    masks = masks_of(session)
    return rows_of(session), {segment: mask.tobytes() for segment, mask in masks.items()}


def state_of(session: Any) -> tuple[Any, ...]:
    """Everything that can be asked for; what fails must leave all of it as it was."""
    table = session.GetSegmentTable()
    places = [
        (table.GetNthSegmentLayer(row), table.GetNthSegmentLabelValue(row))
        for row in range(table.GetNumberOfSegments())
    ]
    return (
        content_of(session),
        places,
        session.GetNumberOfLayers(),
        session.GetNumberOfUndoSteps(),
        session.GetNumberOfRedoSteps(),
        session.GetOperations(),
        session.GetLastChange(),
    )


def undone(session: Any, times: int = 1) -> None:
    for _ in range(times):
        done(session, session.Undo())


def redone(session: Any, times: int = 1) -> None:
    for _ in range(times):
        done(session, session.Redo())


def check_counts(session: Any) -> None:
    """The table's numbers of voxels are those of the voxels."""
    counted = {segment: int(mask.sum()) for segment, mask in masks_of(session).items()}
    assert counts_of(session) == counted


def add_segments(session: Any, segments: Iterable[str]) -> None:
    apply(session, *(operation("add_segment", segment) for segment in segments))
