"""The one place that knows the interface of the editing session.

Everything in `editor` goes through here, so that a change of `vtkLabelMapEditSession` is followed
in this file alone.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import GroupError

SEGMENT = "a"


class EditError(Exception):
    """The session refused or failed; the message is its own."""


def session_class() -> Any:
    """The class, or an error that says what to do."""
    try:
        from segmentationcore import vtkLabelMapEditSession
    except (ImportError, AttributeError) as error:
        raise GroupError(
            "this segmentationcore has no vtkLabelMapEditSession. Build a wheel that "
            "has it (make build) and set up again (python3 tools/setup.py bench), or measure the "
            "effects alone: make bench ARGS='--group effects'"
        ) from error
    return vtkLabelMapEditSession


class Session:
    """A sparse world of ``size`` voxels along each edge, 1 mm each, first voxel at 0, one segment.

    Millimetres are voxels here; positions are x, y, z.
    """

    def __init__(self, size: int) -> None:
        self._session = session_class()()
        last = size - 1
        self._session.SetGeometry(
            [0, last, 0, last, 0, last],
            [0.0, 0.0, 0.0],
            [1.0, 1.0, 1.0],
            [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        )
        self.apply(json.dumps({"effect": "add_segment", "segment": SEGMENT}))

    def apply(self, operation: str) -> None:
        """One operation as JSON. This is what is timed, the parsing included."""
        if not self._session.Apply(operation):
            raise EditError(f"{operation[:200]}: {self._session.GetLastError()}")

    def undo(self) -> None:
        """Take the last operation back."""
        if self._session.Undo() is False:
            raise EditError(f"Undo: {self._session.GetLastError()}")

    def redo(self) -> None:
        """Do it again."""
        if self._session.Redo() is False:
            raise EditError(f"Redo: {self._session.GetLastError()}")

    def forget(self) -> None:
        """Forget what could be undone and redone."""
        self._session.ClearHistory()

    def memory(self) -> tuple[int, int]:
        """Bytes of the labels, and bytes that undo and redo need beside them."""
        return int(self._session.GetMemorySize()), int(self._session.GetUndoMemorySize())

    def voxels(self, first: Sequence[int], edge: int) -> np.ndarray:
        """The segment in a cube whose first voxel is given (x, y, z), axes z, y, x."""
        from vtkmodules.util.numpy_support import vtk_to_numpy
        from vtkmodules.vtkCommonDataModel import vtkImageData

        image = vtkImageData()
        extent = [at for start in first for at in (start, start + edge - 1)]
        if not self._session.GetSegmentMask(SEGMENT, extent, image):
            raise EditError(f"GetSegmentMask: {self._session.GetLastError()}")
        mask = vtk_to_numpy(image.GetPointData().GetArray("Mask"))
        return mask.reshape((edge,) * 3) != 0


def stroke(centre: Sequence[int], radius: int, effect: str = "paint") -> str:
    """The operation that adds (``paint``) or takes away (``erase``) a ball around a voxel."""
    return json.dumps(
        {
            "effect": effect,
            "segment": SEGMENT,
            "parameters": {
                "Points": [[float(at) for at in centre]],
                "BrushAbsoluteDiameter": 2.0 * radius,
            },
        }
    )


def remove_small_islands(first: Sequence[int], edge: int, minimum_size: int) -> str:
    """The operation that removes small islands inside a cube whose first voxel is given."""
    centre = [at + (edge - 1) / 2 for at in first]
    return json.dumps(
        {
            "effect": "islands",
            "segment": SEGMENT,
            "region": {"center": centre, "size": [float(edge)] * 3},
            "parameters": {"Operation": "REMOVE_SMALL_ISLANDS", "MinimumSize": minimum_size},
        }
    )
