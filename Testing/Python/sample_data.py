"""Volumes for the tests: small, seeded, the same on every platform; and real ones where installed.

Random numbers come from an integer mapping of our own (SplitMix64 of the voxel's number), so no
library can change them.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

TEMPLATES = Path("/usr/share/mricron/templates")
INTEGER_TYPES = [np.dtype(kind + str(size)) for kind in "iu" for size in (1, 2, 4, 8)]
ALL_TYPES = [*INTEGER_TYPES, np.dtype(np.float32), np.dtype(np.float64)]


def noise(shape: tuple[int, ...], seed: int) -> NDArray[np.uint64]:
    """Independent 64-bit numbers."""
    with np.errstate(over="ignore"):
        value = np.arange(1, np.prod(shape) + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        value += np.uint64(seed) * np.uint64(0xD1342543DE82EF95)
        value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return (value ^ (value >> np.uint64(31))).reshape(shape)


def random_mask(shape: tuple[int, ...], seed: int, percent: int = 50) -> NDArray[np.bool_]:
    """Independent voxels, this many in a hundred of them set."""
    return noise(shape, seed) % np.uint64(100) < percent


def smooth_volume(shape: tuple[int, ...], seed: int) -> NDArray[np.uint8]:
    """Blobs with whole values from 0 to 100, which every scalar type holds."""
    rough = (noise(shape, seed) % np.uint64(1000)).astype(np.int64)
    # Integer sums: no rounding, hence no difference between platforms.
    for axis in range(len(shape)):
        rough = ndimage.correlate1d(rough, np.ones(3, np.int64), axis=axis, mode="nearest")
    low, high = int(rough.min()), int(rough.max())
    return ((rough - low) * 100 // max(1, high - low)).astype(np.uint8)


def blob_labels(shape: tuple[int, ...], seed: int) -> NDArray[np.uint8]:
    """Labels 0 to 3 that touch each other and the border.

    Label 1 has several islands and one of most voxels, with 6 and with 26 neighbours: which of two
    equal ones counts depends on the order of the axes, which tests turn around.
    """
    for attempt in range(seed, seed + 100):
        first, second = smooth_volume(shape, attempt), smooth_volume(shape, attempt + 1000)
        labels = np.zeros(shape, np.uint8)
        labels[first > 52] = 1
        labels[second > 62] = 2
        labels[(second > 62) & (first > 60)] = 3
        if all(_has_largest(labels == 1, neighbours) for neighbours in (1, 2, 3)):
            return labels
    raise AssertionError(f"no seed from {seed} gives islands of different sizes in {shape}")


def _has_largest(mask: NDArray[np.bool_], neighbours: int) -> bool:
    structure = ndimage.generate_binary_structure(mask.ndim, neighbours)
    islands, count = ndimage.label(mask, structure)
    sizes = np.sort(np.bincount(islands.ravel())[1:])
    return count >= 3 and bool(sizes[-1] > sizes[-2])


@functools.lru_cache(maxsize=4)
def _read(name: str) -> tuple[Any, tuple[float, ...]]:
    import SimpleITK

    image = SimpleITK.ReadImage(str(TEMPLATES / name))
    array = SimpleITK.GetArrayFromImage(image)
    array.flags.writeable = False
    return array, tuple(reversed(image.GetSpacing()))


def template(name: str) -> tuple[NDArray[Any], tuple[float, ...]]:
    """A real image of Debian's mricron-data (axes z, y, x) with its spacing."""
    if not (TEMPLATES / name).exists():
        pytest.skip(f"{TEMPLATES / name} is not installed (apt-get install mricron-data)")
    return _read(name)


def assert_same(got: NDArray[Any], expected: NDArray[Any], context: str = "") -> None:
    """Equal voxel by voxel; a failure names the first voxel that differs."""
    assert got.shape == expected.shape, context
    different = np.argwhere(np.asarray(got) != np.asarray(expected))
    if len(different):
        at = tuple(int(i) for i in different[0])
        pytest.fail(
            f"{context} {len(different)} of {got.size} voxels differ; first at (z, y, x) {at}: "
            f"got {got[at]}, expected {expected[at]}"
        )
