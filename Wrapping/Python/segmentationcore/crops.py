"""Parts of volumes, as arrays that know where they begin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["VolumeCrop"]


class VolumeCrop(NamedTuple):
    """The part of an array that `split_volume` makes.

    Examples
    --------
    >>> import numpy as np
    >>> from segmentationcore import split_volume
    >>> volume = np.arange(12.0).reshape(3, 4)
    >>> labels = volume > 9
    >>> crop = split_volume(labels, volume, padding_voxels=0, spacing=(2.0, 0.5))
    >>> crop.voxels.tolist(), crop.offset, crop.origin
    ([[10.0, 11.0]], (2, 2), (4.0, 1.0))
    """

    voxels: NDArray[Any]
    """Axes and type of the array that it is a part of."""
    offset: tuple[int, ...]
    """Index of its first voxel in that array, in the order of the axes; may be below 0."""
    origin: tuple[float, ...]
    """Position of its first voxel's centre in millimetres, in the order of the axes."""
