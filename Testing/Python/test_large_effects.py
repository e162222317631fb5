"""Effects beyond 2^31 voxels: in the last corner of a large image as in a small one.

Not among the tests of every day: some minutes, and up to 12 GB of memory. Run it with

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
    "fill_holes": lambda a: segmentationcore.fill_holes(a),
    "gaussian": lambda a: segmentationcore.gaussian(
        a, gaussian_standard_deviation_mm=1.0, spacing=SPACING
    ),
    "hollow": lambda a: segmentationcore.hollow(a, shell_thickness_mm=1.5, spacing=SPACING),
    "keep largest": lambda a: segmentationcore.islands(a, operation="KEEP_LARGEST_ISLAND"),
    "margin grow": lambda a: segmentationcore.margin(a, margin_size_mm=2.0, spacing=SPACING),
    "margin shrink": lambda a: segmentationcore.margin(a, margin_size_mm=-1.0, spacing=SPACING),
    "median": lambda a: segmentationcore.median(a, kernel_size_mm=2.0, spacing=SPACING),
    "opening": lambda a: segmentationcore.opening(a, kernel_size_mm=2.0, spacing=SPACING),
    "threshold": lambda a: segmentationcore.threshold(a, minimum_threshold=1.0),
}


@pytest.mark.parametrize("name", sorted(EFFECTS))
def test_the_last_corner(labels: NDArray[np.uint8], name: str) -> None:
    expected = EFFECTS[name](corner())
    found = EFFECTS[name](labels)
    assert np.any(expected)
    np.testing.assert_array_equal(found[CORNER], expected)
    # Nothing elsewhere; slice by slice, as a mask of all would be as large again.
    assert sum(np.count_nonzero(found[k]) for k in range(SIZE)) == np.count_nonzero(expected)


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
