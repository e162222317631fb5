"""Which places are inside of an outline, edge by edge and for every place: the oracle of outlines.

Places lie in a plane and have the axes y, x.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def inside_outline(outline: Any, places: np.ndarray) -> np.ndarray:
    """Even-odd; places on an edge belong to what is above it and to its right."""
    y, x = places[..., 0], places[..., 1]
    inside = np.zeros(y.shape, bool)
    corners = np.asarray(outline, float)
    for (ay, ax), (by, bx) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if ay == by:
            continue
        crosses = (ay > y) != (by > y)
        inside ^= crosses & (ax + (bx - ax) * ((y - ay) / (by - ay)) > x)
    return inside


def centres(shape: tuple[int, ...], spacing: Any = (1.0, 1.0, 1.0)) -> np.ndarray:
    """The centre of every voxel, z, y, x in millimetres, along the last axis."""
    return np.moveaxis(np.indices(shape), 0, -1) * np.array(spacing)


def slice_thickness(normal: Any, spacing: Any) -> float:
    """The least at which a slab along the axes of an array has no holes."""
    unit = np.array(normal, float) / np.linalg.norm(normal)
    return float(np.abs(unit * np.array(spacing)).max())


def basis(normal: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The normal, and two vectors across it, of length 1."""
    n = np.array(normal, float) / np.linalg.norm(normal)
    u = np.cross(n, np.eye(3)[np.abs(n).argmin()])
    u /= np.linalg.norm(u)
    return n, u, np.cross(n, u)
