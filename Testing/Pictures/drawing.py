"""A slice of a volume with its segments in colour, as a small PNG.

A picture is panels side by side, before and after. Grey values come in few steps, so that the files
stay small; segments are tinted and outlined.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

PANEL = 256
"""Pixels along the longer side of a panel."""
GAP = 8
STEPS = 20
"""Grey values in a picture."""

# Apart also for the colour-blind (after Okabe and Ito); more labels start again.
COLOURS = np.array(
    [
        (230, 159, 0),
        (86, 180, 233),
        (0, 158, 115),
        (240, 228, 66),
        (213, 94, 0),
        (204, 121, 167),
        (0, 114, 178),
    ],
    np.float64,
)


@dataclass(frozen=True)
class View:
    """Which slice of an array (z, y, x), and which way is up in it."""

    axis: int
    """The array's axis that is looked along."""
    at: float = 0.5
    """Where, as a fraction of the axis."""
    crop: tuple[float, float, float, float] = (0.0, 1.0, 0.0, 1.0)
    """First and last row and column, as fractions of the upright slice."""
    flips: tuple[bool, bool] = (False, False)
    """Whether rows and columns are turned round."""

    def index(self, shape: Sequence[int]) -> int:
        """Of the slice."""
        return round(self.at * (shape[self.axis] - 1))

    def plane(self, array: NDArray[Any]) -> NDArray[Any]:
        """The slice, upright and not yet cut or scaled."""
        found = np.take(array, self.index(array.shape), self.axis)
        return found[:: -1 if self.flips[0] else 1, :: -1 if self.flips[1] else 1]


def positions(
    shape: Sequence[int], steps: Sequence[float], view: View, size: int = PANEL
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rows and columns of a plane, in voxels, that the square pixels of a panel lie on."""
    ends = []
    for length, (first, last) in zip(shape, (view.crop[:2], view.crop[2:]), strict=True):
        ends.append((first * (length - 1), last * (length - 1)))
    lengths = [(end - begin) * step for (begin, end), step in zip(ends, steps, strict=True)]
    pixel = max(lengths) / (size - 1)
    rows, columns = (
        np.linspace(begin, end, max(2, round(length / pixel) + 1))
        for (begin, end), length in zip(ends, lengths, strict=True)
    )
    return rows, columns


def grey(
    plane: NDArray[Any], rows: NDArray[Any], columns: NDArray[Any], window: tuple[float, float]
) -> NDArray[np.float64]:
    """The intensities of a panel, linearly between voxels, 0 to 255 in few steps."""
    values = plane.astype(np.float64)
    for axis, at in ((0, rows), (1, columns)):
        low = np.clip(np.floor(at).astype(int), 0, values.shape[axis] - 2)
        part = (at - low).reshape((-1, 1) if axis == 0 else (1, -1))
        values = np.take(values, low, axis) * (1 - part) + np.take(values, low + 1, axis) * part
    share = np.clip((values - window[0]) / (window[1] - window[0]), 0, 1)
    return np.round(share * (STEPS - 1)) * (255 / (STEPS - 1))


def panel(
    volume: NDArray[Any],
    labels: NDArray[Any] | None,
    spacing: Sequence[float],
    window: tuple[float, float],
    view: View,
    marks: Sequence[Sequence[float]] = (),
    size: int = PANEL,
) -> NDArray[np.uint8]:
    """One panel as rows of red, green, blue; ``marks`` are points z, y, x in millimetres."""
    plane = view.plane(volume)
    steps = [step for axis, step in enumerate(spacing) if axis != view.axis]
    rows, columns = positions(plane.shape, steps, view, size)
    base = grey(plane, rows, columns, window)
    picture = np.repeat(base[..., None], 3, axis=2)
    if labels is not None:
        nearest = np.ix_(np.round(rows).astype(int), np.round(columns).astype(int))
        seen = view.plane(labels)[nearest].astype(np.int64)
        colours = COLOURS[(seen - 1) % len(COLOURS)]
        inside = seen > 0
        edge = np.zeros(seen.shape, bool)
        for axis in (0, 1):
            change = np.diff(seen, axis=axis) != 0
            edge[(slice(1, None), slice(None))[:: 1 - 2 * axis]] |= change
            edge[(slice(None, -1), slice(None))[:: 1 - 2 * axis]] |= change
        picture[inside] = 0.55 * picture[inside] + 0.45 * colours[inside]
        picture[inside & edge] = colours[inside & edge]
    for mark in marks:
        _cross(picture, mark, plane.shape, spacing, rows, columns, view)
    return np.round(picture).astype(np.uint8)


def _cross(
    picture: NDArray[Any],
    mark: Sequence[float],
    shape: Sequence[int],
    spacing: Sequence[float],
    rows: NDArray[Any],
    columns: NDArray[Any],
    view: View,
) -> None:
    """A white cross at a point, projected onto the slice."""
    at = [
        x / step
        for axis, (x, step) in enumerate(zip(mark, spacing, strict=True))
        if axis != view.axis
    ]
    at = [n - 1 - x if flip else x for x, n, flip in zip(at, shape, view.flips, strict=True)]
    row, column = (
        round((x - on[0]) / (on[1] - on[0])) for x, on in zip(at, (rows, columns), strict=True)
    )
    for off in range(-4, 5):
        for r, c in ((row + off, column), (row, column + off)):
            if 0 <= r < picture.shape[0] and 0 <= c < picture.shape[1]:
                picture[r, c] = 255


def nearest(
    values: NDArray[Any], spacing: Sequence[float], view: View, size: int = PANEL
) -> NDArray[Any]:
    """The values of a volume at the pixels of a panel."""
    plane = view.plane(values)
    steps = [step for axis, step in enumerate(spacing) if axis != view.axis]
    rows, columns = positions(plane.shape, steps, view, size)
    found: NDArray[Any] = plane[np.ix_(np.round(rows).astype(int), np.round(columns).astype(int))]
    return found


def side_by_side(*panels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Panels with white gaps; lower ones have white above and below."""
    height = max(panel.shape[0] for panel in panels)
    parts = [framed(panel, height, panel.shape[1]) for panel in panels]
    gap = np.full((height, GAP, 3), 255, np.uint8)
    for place in range(len(parts) - 1, 0, -1):
        parts.insert(place, gap)
    return np.concatenate(parts, axis=1)


def framed(panel: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """A panel in the middle of a white one."""
    result = np.full((height, width, 3), 255, np.uint8)
    top, left = (height - panel.shape[0]) // 2, (width - panel.shape[1]) // 2
    result[top : top + panel.shape[0], left : left + panel.shape[1]] = panel
    return result


def write_png(path: Path, picture: NDArray[np.uint8]) -> None:
    """Rows of red, green, blue, from the top; the same bytes for the same picture."""
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonDataModel import vtkImageData
    from vtkmodules.vtkIOImage import vtkPNGWriter

    image = vtkImageData()
    image.SetDimensions(picture.shape[1], picture.shape[0], 1)
    upside_down = np.ascontiguousarray(picture[::-1]).reshape(-1, 3)
    image.GetPointData().SetScalars(numpy_to_vtk(upside_down, deep=True))
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = vtkPNGWriter()
    writer.SetInputData(image)
    writer.SetCompressionLevel(9)
    writer.SetFileName(str(path))
    writer.Write()
    if not path.is_file():
        raise OSError(f"{path} was not written")
