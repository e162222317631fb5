"""A synthetic tomogram of a porous rock: the same voxels for the same seed on every machine.

Grains and pores are the two sides of a level of a smooth random field, a second field places a
denser mineral inside the grains. The grey values then get what a scanner adds: partial volumes at
the borders, rings around the axis of rotation, and noise.

Everything is made from integers: a counter-based generator (the voxel's index is hashed, so no
voxel depends on which ones were made before), box filters by running sums, and fixed integer
levels. Nothing depends on a math library, the order of evaluation or the number of threads. A
voxel of a small rock and the voxel of the same index of a larger one come from the same fields;
they differ in the rings only, which have the middle of the volume as their centre.

The volume is made in slabs of planes and written as it is made: a rock of 1024 voxels along each
edge needs less than 1 GB of memory.

The generator is SplitMix64's finalizer: G. Steele, D. Lea, C. Flood, Fast splittable pseudorandom
number generators, OOPSLA 2014, doi:10.1145/2660193.2660195.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PORE, QUARTZ, HEAVY = 8000, 24000, 42000
"""Grey values of the three phases before noise."""

NOISE = 2600
"""Standard deviation of the noise: one voxel in 1000 falls on the wrong side of the pores."""

_GRAIN_RADIUS = 4  # of the box filters, three per axis: standard deviation of about 4.5 voxels
_HEAVY_RADIUS = 6
_PORE_LEVEL = -0.55  # standard deviations: 29 % of the volume
_HEAVY_LEVEL = 1.10  # 14 % of the grains
_RING = 2000  # largest amplitude of a ring
_SLAB = 32  # planes made at a time
_BYTES = 8  # noise values in one hash


def rock(size: int, seed: int = 1) -> NDArray[np.uint16]:
    """The whole rock, axes z, y, x."""
    return np.concatenate(list(rock_slabs(size, seed)))


def rock_slabs(size: int, seed: int = 1) -> Iterator[NDArray[np.uint16]]:
    """The planes of the rock from the first to the last, some at a time, axes z, y, x."""
    if not 8 <= size <= 4096:
        raise ValueError(f"a rock of {size} voxels along each edge; from 8 to 4096 are accepted")
    # One voxel more on every side, for the partial volumes.
    grains = _Field(seed * 8 + 1, _GRAIN_RADIUS, -1, size + 1)
    heavy = _Field(seed * 8 + 2, _HEAVY_RADIUS, -1, size + 1)
    pore_level = math.floor(_PORE_LEVEL * grains.deviation)
    heavy_level = math.floor(_HEAVY_LEVEL * heavy.deviation)
    rings = _rings(size, seed * 8 + 3)
    for first in range(0, size, _SLAB):
        last = min(first + _SLAB, size)
        phases = np.full((last - first + 2, size + 2, size + 2), QUARTZ, np.int32)
        phases[heavy.planes(first - 1, last + 1) > heavy_level] = HEAVY
        phases[grains.planes(first - 1, last + 1) < pore_level] = PORE
        for axis in range(3):
            phases = _box_sum(phases, 1, axis)
        phases //= 27
        phases += rings
        phases += _noise(size, first, last, seed * 8 + 4)
        # The sums left the axes in another order in memory.
        yield np.clip(phases, 0, 65535).astype(np.uint16, order="C")


@dataclass
class _Field:
    """A Gaussian random field on the cube [first, last)^3, made plane by plane along z."""

    seed: int
    radius: int
    first: int
    last: int

    def __post_init__(self) -> None:
        self._kept: dict[int, NDArray[np.int32]] = {}

    @property
    def deviation(self) -> float:
        """Standard deviation, from that of the bytes and the weights of the filter."""
        box = np.ones(2 * self.radius + 1)
        weights = np.convolve(np.convolve(box, box), box)
        gain = math.sqrt(float(np.sum(weights * weights))) / self._divisor
        return math.sqrt((256**2 - 1) / 3) * gain**3

    @property
    def _divisor(self) -> int:
        """Applied after every axis, to stay within 32 bits."""
        return (2 * self.radius + 1) ** 2

    def planes(self, first: int, last: int) -> NDArray[np.int32]:
        """Planes [first, last); to be asked for in ascending order."""
        halo = 3 * self.radius
        wanted = range(first - halo, last + halo)
        self._kept = {z: plane for z, plane in self._kept.items() if z in wanted}
        for z in wanted:
            if z not in self._kept:
                self._kept[z] = self._plane(z)
        return self._smooth(np.stack([self._kept[z] for z in wanted]), 0)

    def _plane(self, z: int) -> NDArray[np.int32]:
        halo = 3 * self.radius
        values = _bytes(self.seed, z, self.first - halo, self.last + halo).astype(np.int32)
        values *= 2
        values -= 255  # mean 0
        return self._smooth(self._smooth(values, 1), 0)

    def _smooth(self, values: NDArray[np.int32], axis: int) -> NDArray[np.int32]:
        for _ in range(3):
            values = _box_sum(values, self.radius, axis)
        values += self._divisor // 2
        values //= self._divisor
        return values


def _box_sum(values: NDArray[np.int32], radius: int, axis: int) -> NDArray[np.int32]:
    """Sums of 2 radius + 1 neighbours; the result is shorter by 2 radius."""
    width = 2 * radius + 1
    moved = np.moveaxis(np.cumsum(values, axis=axis, dtype=np.int32), axis, 0)
    sums = moved[width - 1 :].copy()
    sums[1:] -= moved[:-width]
    return np.moveaxis(sums, 0, axis)


def _hash(counters: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Every counter becomes 64 bits that look random."""
    mixed: NDArray[np.uint64] = counters * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(30)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def _bytes(seed: int, z: int, first: int, last: int) -> NDArray[np.uint8]:
    """Random bytes of the voxels [first, last)^2 of plane z."""
    # Eight neighbours along x share one hash; the row starts at a multiple of eight.
    start = first // _BYTES
    stop = -(-last // _BYTES)
    bias = 1 << 12  # indices may be negative
    x = np.arange(start + bias, stop + bias, dtype=np.uint64)
    y = np.arange(first + bias, last + bias, dtype=np.uint64)[:, np.newaxis]
    base = ((seed << 14) + z + bias) << 28
    row = _hash(np.uint64(base) + (y << np.uint64(14)) + x).astype("<u8").view(np.uint8)
    offset = first - start * _BYTES
    return row[:, offset : offset + last - first]


def _noise(size: int, first: int, last: int, seed: int) -> NDArray[np.int32]:
    """Sum of four bytes per voxel, scaled: nearly Gaussian, and bounded."""
    sums = np.empty((last - first, size, size), np.int32)
    for z in range(first, last):
        four = _bytes(seed, z, 0, 4 * size)[:size].reshape(size, size, 4)
        sums[z - first] = np.sum(four, axis=2, dtype=np.int32)
    deviation = math.sqrt(4 * (256**2 - 1) / 12)
    sums -= 510
    sums *= round(NOISE / deviation * 256)
    sums //= 256
    return sums


def _rings(size: int, seed: int) -> NDArray[np.int32]:
    """Faulty detector elements, seen as rings around the middle of every plane."""
    # Twice the distance from the middle is whole, and a square root of whole numbers is exact
    # enough to be cut to a whole number without doubt.
    twice = 2 * np.arange(size, dtype=np.int64) - (size - 1)
    squares = twice[:, np.newaxis] ** 2 + twice[np.newaxis, :] ** 2
    radius = np.sqrt(squares.astype(np.float64)).astype(np.int64) // 2
    values = _hash(np.arange(int(radius.max()) + 1, dtype=np.uint64) + np.uint64(seed << 32))
    strength = (values & np.uint64(0xFFFF)).astype(np.int64) - 0x8000
    # One element in sixteen is bad, the rest is nearly even.
    bad = (values >> np.uint64(16)) & np.uint64(15) == 0
    amplitude = np.where(bad, strength * _RING, strength * (_RING // 8)) // 0x8000
    result: NDArray[np.int32] = amplitude.astype(np.int32)[radius]
    return result
