"""Effects beyond 2^31 voxels: in the last corner of a large image as in a small one.

Not among the tests of every day: a quarter of an hour, and up to 18 GB of memory. Run it with

    make test ARGS='-m large -k effects'

The volumes are made of zeros that the system does not store until somebody writes them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import segmentationcore
from numpy.typing import NDArray

pytestmark = [pytest.mark.python, pytest.mark.large]

SIZE = 1300  # 2.197e9 voxels; the last 49 million have numbers that 31 bits do not hold
EDGE = 48  # of the corner that holds something
SPACING = (0.75, 0.5, 0.5)
CORNER = (slice(SIZE - EDGE, SIZE),) * 3


def corner() -> NDArray[np.uint8]:
    """Something for every effect, away from the faces that the small image has alone."""
    random = np.random.default_rng(3)
    found = np.zeros((EDGE,) * 3, np.uint8)
    found[20:34, 18:36, 22:40] = 1
    found[24:28, 24:28, 26:30] = 0  # a hole
    found[38:44, 36:42, 30:36] = 1  # an island
    found[20, 20, 42:46] = 1  # a small one
    speck = random.random(found.shape) < 0.02
    speck[:16] = speck[:, :16] = speck[:, :, :16] = False
    found[speck] = 1
    return found


@pytest.fixture(scope="module")
def labels() -> NDArray[np.uint8]:
    large = np.zeros((SIZE,) * 3, np.uint8)
    assert large.size > 2**31
    large[CORNER] = corner()
    return large


EFFECTS: dict[str, Callable[[Any], Any]] = {
    "closing": lambda a: segmentationcore.closing(a, kernel_size_mm=2.0, spacing=SPACING),
    "expand_segments": lambda a: segmentationcore.expand_segments(
        a, expansion_size_mm=2.0, spacing=SPACING
    ),
    "connectivity": lambda a: segmentationcore.connectivity(
        a, faces="OUTLET", flow_direction=(1.0, 0.0, 0.0), connectivity=26
    ),
    "fill_between_slices": lambda a: segmentationcore.fill_between_slices(sparse(a)),
    "fill_holes": lambda a: segmentationcore.fill_holes(a),
    "gaussian": lambda a: segmentationcore.gaussian(
        a, gaussian_standard_deviation_mm=1.0, spacing=SPACING
    ),
    "hollow": lambda a: segmentationcore.hollow(a, shell_thickness_mm=1.5, spacing=SPACING),
    "joint_smoothing": lambda a: segmentationcore.joint_smoothing(
        a, joint_taubin_smoothing_factor=0.2
    ),
    "keep largest": lambda a: segmentationcore.islands(a, operation="KEEP_LARGEST_ISLAND"),
    "margin grow": lambda a: segmentationcore.margin(a, margin_size_mm=2.0, spacing=SPACING),
    "margin shrink": lambda a: segmentationcore.margin(a, margin_size_mm=-1.0, spacing=SPACING),
    "median": lambda a: segmentationcore.median(a, kernel_size_mm=2.0, spacing=SPACING),
    "opening": lambda a: segmentationcore.opening(a, kernel_size_mm=2.0, spacing=SPACING),
    "remove small": lambda a: segmentationcore.islands(
        a, operation="REMOVE_SMALL_ISLANDS", minimum_size=3
    ),
    "threshold": lambda a: segmentationcore.threshold(a, minimum_threshold=1.0),
    "wrap_solidify": lambda a: segmentationcore.wrap_solidify(
        a, carve_holes_in_outer_surface_diameter=2.0, spacing=SPACING
    ),
}


def sparse(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Every fourth slice of the corner, in place; undone by whoever gives the corner back."""
    part = labels[CORNER] if labels.shape[0] == SIZE else labels
    kept = np.arange(EDGE) % 4 == 1
    part[~kept] = 0
    return labels


@pytest.mark.parametrize("name", sorted(EFFECTS))
def test_the_last_corner(labels: NDArray[np.uint8], name: str) -> None:
    expected = EFFECTS[name](corner())
    found = EFFECTS[name](labels)
    labels[CORNER] = corner()
    assert np.any(expected)
    np.testing.assert_array_equal(found[CORNER], expected)
    # Nothing elsewhere; slice by slice, as a mask of all would be as large again.
    assert sum(np.count_nonzero(found[k]) for k in range(SIZE)) == np.count_nonzero(expected)


@pytest.mark.parametrize("name", ["grow_from_seeds", "watershed", "fast_marching", "flood_filling"])
def test_growing_in_the_last_corner(labels: NDArray[np.uint8], name: str) -> None:
    """Everything else is a segment already, so that nothing grows there."""
    seeds = np.full((EDGE,) * 3, 3, np.uint8)
    seeds[8:, 8:, 8:] = 0
    seeds[20, 20, 20] = 1
    seeds[30, 33, 40] = 2
    random = np.random.default_rng(8)
    far = 255 if name == "fast_marching" else 0
    relief = np.full((EDGE,) * 3, far, np.uint8)
    most = 60 if name == "fast_marching" else 200
    relief[24:, 24:, 24:] = random.integers(0, most, (EDGE - 24,) * 3, np.uint8)
    if name == "fast_marching":
        seeds[20, 20, 20], seeds[30, 33, 40] = 0, 1  # what it grows into costs less than the rest
    # A Gaussian looks that far around; there all is alike.
    given: dict[str, Any] = {"object_scale_mm": 1.0} if name == "watershed" else {}

    def run(seeds: NDArray[np.uint8], relief: NDArray[np.uint8], first: int) -> NDArray[np.uint8]:
        if name == "flood_filling":
            point = np.array([[first + 30.0, first + 31.0, first + 32.0]])
            found = segmentationcore.flood_filling(
                relief, points=point, intensity_tolerance=60.0, neighborhood_size_mm=0.0
            )
        elif name == "fast_marching":
            # As many voxels, whatever the size of the image.
            percent = 100 * (3000.5 + 1) / seeds.size
            found = segmentationcore.fast_marching(
                seeds, relief, percent_max=percent, seed_locality_factor=0.0
            )
        else:
            found = getattr(segmentationcore, name)(seeds, relief, spacing=SPACING, **given)
        result: NDArray[np.uint8] = found
        return result

    expected = run(seeds, relief, 0)
    assert np.count_nonzero(expected != seeds) > 2000
    volume = np.zeros(labels.shape, np.uint8)
    if far:
        volume[:] = far
    volume[CORNER] = relief
    labels[:] = 3
    labels[CORNER] = seeds
    found = run(labels, volume, SIZE - EDGE)
    np.testing.assert_array_equal(found[CORNER], expected)
    for k in range(SIZE):
        wrong = found[k] != (0 if name == "flood_filling" else 3)
        if k >= SIZE - EDGE:
            wrong[CORNER[1:]] = False
        assert not wrong.any()
    labels[:] = 0
    labels[CORNER] = corner()


def test_numbers_of_islands(labels: NDArray[np.uint8]) -> None:
    expected = segmentationcore.label_islands(corner())
    found = segmentationcore.label_islands(labels)
    assert found.count == expected.count
    np.testing.assert_array_equal(found.numbers[CORNER], expected.numbers)


def test_statistics(labels: NDArray[np.uint8]) -> None:
    expected = segmentationcore.segment_statistics(corner(), spacing=SPACING)[0]
    found = segmentationcore.segment_statistics(labels, spacing=SPACING)[0]
    for name in expected.dtype.names:
        if name in ("voxel_count", "volume_mm3", "surface_area_mm2", "euler_number_6"):
            assert found[name] == expected[name], name
    far = np.array([SIZE - EDGE] * 6)
    np.testing.assert_array_equal(found["extent"], expected["extent"] + far)
