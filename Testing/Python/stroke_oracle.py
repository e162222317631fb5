"""Which voxels a brush touches, by the definition and for every voxel: the oracle of strokes.

Points, spacing and normal are in the order of an array's axes (z, y, x); voxel [0, 0, 0] is at the
origin. Ties: a distance d counts as at most r if d d <= r r (1 + 1e-12).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

LIMIT = 1 + 1e-12


def swept(
    shape: tuple[int, ...],
    points: Sequence[Sequence[float]],
    diameter: float,
    spacing: Sequence[float] = (1.0, 1.0, 1.0),
    normal: Sequence[float] | None = None,
    thickness: float = 1.0,
) -> np.ndarray:
    """Voxels within the brush somewhere on its way: a ball, or a disc if there is a normal."""
    centres = np.moveaxis(np.indices(shape), 0, -1) * np.array(spacing)
    path = [np.array(point, float) for point in points]
    touched = np.zeros(shape, bool)
    for start, end in pairwise(path if len(path) > 1 else [*path, *path]):
        offset, step = centres - start, end - start
        first, last = np.zeros(shape), np.ones(shape)
        if normal is not None:
            axis = np.array(normal) / np.linalg.norm(normal)
            height, climb = offset @ axis, float(step @ axis)
            half = thickness / 2 * LIMIT
            if abs(climb) < 1e-10 * half:
                first[np.abs(height) > half] = 2.0  # nowhere
            else:  # where on its way the disc is so high
                ends = np.stack([(height - half) / climb, (height + half) / climb])
                first, last = np.maximum(ends.min(0), 0.0), np.minimum(ends.max(0), 1.0)
            # What remains is the distance in the plane of the disc.
            offset = offset - height[..., np.newaxis] * axis
            step = step - climb * axis
        length2 = float(step @ step)
        nearest = offset @ step / length2 if length2 > 0 else np.zeros(shape)
        t = np.clip(nearest, first, np.maximum(first, last))
        distance2 = ((offset - t[..., np.newaxis] * step) ** 2).sum(-1)
        touched |= (distance2 <= (diameter / 2) ** 2 * LIMIT) & (first <= last)
    return touched


def pixels(
    shape: tuple[int, ...],
    points: Sequence[Sequence[float]],
    spacing: Sequence[float] = (1.0, 1.0, 1.0),
) -> np.ndarray:
    """The voxels nearest to the points, and on the digital lines between; halves are rounded up."""
    touched = np.zeros(shape, bool)
    nearest = np.floor(np.array(points) / np.array(spacing) + 0.5).astype(np.int64)
    for start, end in pairwise([*nearest, nearest[-1]]):
        count = max(1, int(np.abs(end - start).max()))
        for step in range(count + 1):
            voxel = start + (2 * step * (end - start) + count) // (2 * count)
            if ((voxel >= 0) & (voxel < shape)).all():
                touched[tuple(voxel)] = True
    return touched
