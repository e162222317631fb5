"""A rock of 512 voxels along each edge: what a user of micro-CT would do to it.

Bits against a plain reference on all voxels where there is a fast one; where there is none, against
the definition at some thousands of voxels; and cut into blocks, against the whole.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import segmentationcore
from Benchmarks.data import Sample, marks
from ellipsoid_oracle import ellipsoid, kernel_of
from numpy.typing import NDArray
from sample_data import assert_same
from segmentationcore import label_islands, to_array, to_image
from segmentationcore._pipeline import execute
from segmentationcore._registry import voxel_effects
from segmentationcore._run import VOLUME_RESULT, check_parameters, make_filter
from segmentationcore.demo.rock import rock
from test_label_islands import numbered

pytestmark = [pytest.mark.python, pytest.mark.slow]

SIZE = 512
SPACING = (1.3, 1.0, 0.8)  # millimetres, z, y, x
PORES = 18000  # below it: pores, and some hundred thousand specks

Labels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def volume() -> NDArray[np.uint16]:
    return rock(SIZE)


@pytest.fixture(scope="module")
def pores(volume: NDArray[np.uint16]) -> Labels:
    return (volume < PORES).astype(np.uint8)


def in_blocks(identifier: str, data: Any, blocks: int, volume: Any = None, **given: Any) -> Any:
    """The result of the filter, cut into blocks."""
    algorithm = make_filter(
        voxel_effects()[identifier], check_parameters(voxel_effects()[identifier], given), 1
    )
    algorithm.SetInputDataObject(to_image(data, spacing=SPACING, name="labels"))
    if volume is not None:
        algorithm.SetVolumeData(to_image(volume, spacing=SPACING))
    algorithm.SetNumberOfBlocks(blocks)
    execute(algorithm, identifier)
    of_volume = voxel_effects()[identifier]["input"] == "volume"
    return to_array(algorithm.GetOutput(), VOLUME_RESULT if of_volume else "labels")


def ball(radius: float) -> NDArray[np.int64]:
    """Steps z, y, x to the voxels whose centres are at most that many millimetres away."""
    reach = [int(radius / length) for length in SPACING]
    steps = np.stack(
        np.meshgrid(*(np.arange(-n, n + 1) for n in reach), indexing="ij"), axis=-1
    ).reshape(-1, 3)
    return steps[((steps * SPACING) ** 2).sum(axis=1) <= radius**2]


def kernel(millimetres: float) -> NDArray[np.int64]:
    """Steps to the voxels of the kernel of opening and closing."""
    element = ellipsoid(kernel_of(millimetres, SPACING))
    return np.argwhere(element) - np.array(element.shape) // 2


def places(count: int, border: int = 24) -> NDArray[np.int64]:
    """Voxels, z, y, x: away from the faces, a tenth of them on a seam of blocks in z."""
    random = np.random.default_rng(11)
    found = random.integers(border, SIZE - border, (count, 3))
    found[: count // 10, 0] = SIZE // 2 + random.integers(-2, 2, count // 10)
    return found


def around(mask: Labels, at: NDArray[np.int64], steps: NDArray[np.int64]) -> Labels:
    """The voxels at some steps from each place, one row per place."""
    there = at[:, None, :] + steps[None, :, :]
    return mask[there[..., 0], there[..., 1], there[..., 2]]


def value_at(array: NDArray[Any], at: NDArray[np.int64]) -> NDArray[Any]:
    return array[tuple(at.T)]


def test_thresholds(volume: NDArray[np.uint16]) -> None:
    found = segmentationcore.threshold(volume, minimum_threshold=PORES, spacing=SPACING)
    assert_same(found, (volume >= PORES).astype(found.dtype))
    assert_same(in_blocks("threshold", volume, 5, MinimumThreshold=PORES), found)
    otsu = {"AutoThresholdMode": "SET_LOWER_MAX", "NumberOfBins": 256}
    whole = in_blocks("threshold", volume, 1, **otsu)
    assert_same(in_blocks("threshold", volume, 5, **otsu), whole)
    # Otsu's bound splits so that the sum of the variances inside both parts is least: moving it by
    # two bins either way makes the sum larger.
    counts = np.bincount(volume.ravel(), minlength=1 << 16).astype(float)
    bound = int(volume[whole != 0].min())
    width = (int(volume.max()) - int(volume.min())) / 256

    def inside(at: float) -> float:
        values = np.arange(counts.size)
        total = 0.0
        for part in (values < at, values >= at):
            mean = np.average(values[part], weights=counts[part])
            total += (counts[part] * (values[part] - mean) ** 2).sum()
        return total

    assert inside(bound) < min(inside(bound - 2 * width), inside(bound + 2 * width))


def test_islands(pores: Labels) -> None:
    expected, count = numbered(pores == 1, 6)
    assert count > 100_000
    numbers = label_islands(pores)
    assert numbers.count == count
    assert_same(numbers.numbers, expected)
    sizes = np.bincount(expected.ravel(), minlength=count + 1)
    kept: dict[str, tuple[dict[str, Any], Labels]] = {
        "largest": ({"Operation": "KEEP_LARGEST_ISLAND"}, expected == 1),
        "not small": (
            {"Operation": "REMOVE_SMALL_ISLANDS", "MinimumSize": 50},
            (sizes[expected] >= 50) & (expected > 0),
        ),
    }
    for what, (given, mask) in kept.items():
        for blocks in (1, 5):
            found = in_blocks("islands", pores, blocks, **given)
            assert_same(found, mask.astype(np.uint8), f"{what}, {blocks} blocks")


def _grown(mask: Labels, at: NDArray[np.int64]) -> Labels:
    return around(mask, at, ball(3.0)).max(axis=1)


def _shrunk(mask: Labels, at: NDArray[np.int64]) -> Labels:
    return around(mask, at, ball(3.0)).min(axis=1)


def _opened(mask: Labels, at: NDArray[np.int64]) -> Labels:
    steps = kernel(5.0)
    kept = [around(mask, at + step, steps).min(axis=1) for step in steps]
    return np.max(kept, axis=0)


def _closed(mask: Labels, at: NDArray[np.int64]) -> Labels:
    steps = kernel(5.0)
    filled = [around(mask, at + step, steps).max(axis=1) for step in steps]
    return np.min(filled, axis=0)


def _median(mask: Labels, at: NDArray[np.int64]) -> Labels:
    box = np.stack(np.meshgrid(*[np.arange(-1, 2)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    return (around(mask, at, box).sum(axis=1) > 13).astype(np.uint8)


SHAPES: dict[str, tuple[str, dict[str, Any], Callable[[Labels, NDArray[np.int64]], Labels]]] = {
    "grown": ("margin", {"MarginSizeMm": 3.0}, _grown),
    "shrunk": ("margin", {"MarginSizeMm": -3.0}, _shrunk),
    "opened": ("opening", {"KernelSizeMm": 5.0}, _opened),
    "closed": ("closing", {"KernelSizeMm": 5.0}, _closed),
    "median": ("median", {"KernelSizeMm": 3.0}, _median),
}


@pytest.mark.parametrize("name", list(SHAPES))
def test_shapes(name: str, pores: Labels) -> None:
    identifier, given, rule = SHAPES[name]
    whole = in_blocks(identifier, pores, 1, **given)
    at = places(4000)
    expected = rule(pores, at)
    assert 0.01 < expected.mean() < 0.99
    assert_same(value_at(whole, at), expected)
    assert_same(in_blocks(identifier, pores, 5, **given), whole)


@pytest.mark.parametrize("identifier", ["grow_from_seeds", "watershed"])
def test_growing(identifier: str, volume: NDArray[np.uint16]) -> None:
    """Splits only: the rules themselves are tested on smaller images."""
    seeds = marks(Sample("rock", volume, SPACING, 16000, {}))
    whole = in_blocks(identifier, seeds, 1, volume)
    assert np.count_nonzero(whole) > np.count_nonzero(seeds)
    assert_same(in_blocks(identifier, seeds, 5, volume), whole)
