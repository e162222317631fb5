"""Opening and closing by scipy, with Slicer's ellipsoid and its rule at the border of the image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage


def kernel_of(millimetres: float, spacing: tuple[float, ...]) -> list[int]:
    """The odd number of voxels nearest to the size on each axis, as Slicer rounds it."""
    return [max(1, 2 * round((millimetres / step + 1) / 2) - 1) for step in spacing]


def ellipsoid(kernel: list[int]) -> NDArray[np.bool_]:
    """The footprint: voxels whose centre is in the ellipsoid that fills the box."""
    axes = np.meshgrid(*(np.arange(k) - k // 2 for k in kernel), indexing="ij")
    # An exact comparison: 4 sum (offset / k)^2 <= 1 times all squares of k.
    squares = np.array(kernel, dtype=object) ** 2
    product = np.prod(squares)
    return np.array(
        4 * sum(a.astype(object) ** 2 * (product // s) for a, s in zip(axes, squares, strict=True))
        <= product,
        bool,
    )


def opened(mask: NDArray[np.bool_], kernel: list[int]) -> NDArray[np.bool_]:
    """What lies beyond the border neither fills nor eats."""
    footprint = ellipsoid(kernel)
    eroded = ndimage.binary_erosion(mask, footprint, border_value=1)
    return ndimage.binary_dilation(eroded, footprint)


def closed(mask: NDArray[np.bool_], kernel: list[int]) -> NDArray[np.bool_]:
    """Opening of the background."""
    return ~opened(~mask, kernel)
