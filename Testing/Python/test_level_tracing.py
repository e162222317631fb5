"""Level tracing against SciPy's labels, and against the contour that Slicer follows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sample_data import assert_same, smooth_volume
from scipy import ndimage
from segmentationcore import level_tracing
from slicer_reference import ask

pytestmark = pytest.mark.python

SHAPE = (6, 23, 27)
AXES = ndimage.generate_binary_structure(2, 1)
ALL = ndimage.generate_binary_structure(2, 2)


def enclosed(values: np.ndarray, seed: tuple[int, int]) -> np.ndarray:
    """What the outline through a pixel of a slice encloses, from labelled regions."""
    above = values >= values[seed]
    nothing = np.zeros(values.shape, bool)
    start = nothing.copy()
    start[seed] = True
    for neighbours in (AXES, ALL):
        below = ndimage.binary_dilation(start, neighbours) & ~above
        if below.any():
            break
    else:
        return nothing
    regions, _ = ndimage.label(above, ALL)
    component = regions == regions[seed]
    # The exterior is around the slice as well.
    others, _ = ndimage.label(np.pad(~component, 1, constant_values=True), AXES)
    others = others[1:-1, 1:-1]
    touched = np.unique(others[below])
    if 1 in touched:  # the first one is at the corner
        return others != 1
    holes = np.isin(others, touched)
    return holes | (component & ndimage.binary_dilation(holes, AXES))


def seeds(count: int, slice_shape: tuple[int, ...]) -> list[tuple[int, int]]:
    height, width = slice_shape
    return [((7 * n) % height, (11 * n + n // height) % width) for n in range(count)]


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_outlines(axis: int) -> None:
    filled = nothing = 0
    for number in range(4):
        volume = smooth_volume(SHAPE, number)
        section = np.moveaxis(volume, axis, 0)[3]
        for seed in seeds(25, section.shape):
            expected = np.zeros(SHAPE, np.uint8)
            np.moveaxis(expected, axis, 0)[3] = enclosed(section, seed)
            point = np.insert(np.array(seed, float) + 0.3, axis, 2.8)
            result = level_tracing(
                volume,
                points=[point * (2.0, 0.5, 1.5)],
                slice_normal=np.eye(3)[axis] + 0.2,
                spacing=(2.0, 0.5, 1.5),
            )
            assert_same(result, expected, f"volume {number}, seed {seed}:")
            filled += bool(expected.any())
            nothing += not expected.any()
    assert filled > 20
    assert nothing > 2


def test_several_seeds_join() -> None:
    volume = smooth_volume(SHAPE, 5)
    points = [[1, 5, 5], [1, 12, 20], [4, 9, 9], [4, 100, 9]]
    expected = np.zeros(SHAPE, np.uint8)
    for z, y, x in points[:3]:
        expected[z] |= enclosed(volume[z], (y, x))
    assert expected.any()
    assert_same(level_tracing(volume, points=points, label=9), expected * 9)


@pytest.mark.parametrize(
    ("dtype", "low", "high"),
    [
        (np.float64, 0.25, 0.5),  # both are 0 as integers
        (np.int64, 2**60, 2**60 + 1),  # both are one number as floats
        (np.float32, -np.inf, 1e-30),
        (np.float64, np.nan, -5.0),
    ],
)
def test_levels_are_compared_in_the_type_of_the_volume(
    dtype: type, low: float, high: float
) -> None:
    volume = np.full((1, 9, 9), low, dtype)
    volume[0, 2:6, 3:8] = high
    expected = np.zeros(volume.shape, np.uint8)
    expected[0, 2:6, 3:8] = 1
    assert_same(level_tracing(volume, points=[[0, 2, 3]]), expected)


@pytest.mark.slicer
def test_what_slicer_follows_to_the_end(slicer_python: str, tmp_path: Path) -> None:
    volumes = [smooth_volume((1, 25, 27), number).astype(np.int16) for number in range(3)]
    jobs, expected = [], []
    for volume in volumes:
        for seed in seeds(25, volume[0].shape):
            inside = enclosed(volume[0], seed)
            # A seed by a hole, or a contour at the edge of the image, is another matter there.
            above, _ = ndimage.label(volume[0] >= volume[0][seed], ALL)
            component = above == above[seed]
            filled = ndimage.binary_fill_holes(component)
            edge = np.ones_like(filled)
            edge[1:-1, 1:-1] = False
            if not inside.any() or (inside != filled).any() or (filled & edge).any():
                continue
            jobs.append({"what": "level_tracing", "array": volume, "seed": [*seed[::-1], 0]})
            expected.append(inside)
    assert len(jobs) > 5
    same = 0
    for contour, inside in zip(ask(slicer_python, tmp_path, jobs), expected, strict=True):
        border = inside & ndimage.binary_dilation(~inside, AXES)
        followed = contour[0] == 1
        # All of it is of our outline; and where it was not given up at the first return, all is.
        assert not (followed & ~border).any()
        same += bool((followed == border).all())
    assert same > len(jobs) / 2
