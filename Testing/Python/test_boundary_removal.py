"""Boundaries of a volume against numpy, scipy and ITK, and in the editor."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK
from sample_data import assert_same, noise, smooth_volume, template
from scipy import ndimage
from segmentationcore import Editor, boundary_removal, threshold

pytestmark = pytest.mark.python

SHAPE = (9, 12, 70)
SPACING = (2.0, 0.5, 0.75)


def magnitude(volume: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    """Central differences; the voxel itself stands in for a neighbour that is not there."""
    square = np.zeros(volume.shape)
    for axis, length in reversed(list(enumerate(spacing))):  # x first, as ours
        index = np.arange(volume.shape[axis])
        after = volume.astype(float).take(np.minimum(index + 1, index[-1]), axis)
        before = volume.astype(float).take(np.maximum(index - 1, 0), axis)
        square += ((after - before) * (0.5 / length)) ** 2
    return np.sqrt(square)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.float32, np.float64, np.int64])
def test_fixed_thresholds(dtype: type) -> None:
    for seed in range(3):
        volume = (noise(SHAPE, seed) % np.uint64(120)).astype(dtype)
        gradients = magnitude(volume, SPACING)
        # In a gap between two magnitudes; and at one of them, which belongs to the range.
        values = np.unique(gradients)
        low, high = values[values.size // 3 : values.size // 3 + 2]
        for least, most in (
            ((low + high) / 2, 1e299),
            (0.0, float(values[values.size // 2] + 1e-9)),
        ):
            result = boundary_removal(
                volume,
                auto_threshold=False,
                minimum_threshold=least,
                maximum_threshold=most,
                spacing=SPACING,
            )
            expected = (gradients >= least) & (gradients <= most)
            assert_same(result, expected.astype(np.uint8), f"seed {seed}, {least}..{most}:")


def test_equals_itk() -> None:
    volume = smooth_volume(SHAPE, 4).astype(np.float64)
    image = SimpleITK.GetImageFromArray(volume)
    image.SetSpacing(SPACING[::-1])
    gradients = SimpleITK.GetArrayFromImage(SimpleITK.GradientMagnitude(image))
    result = boundary_removal(
        volume, auto_threshold=False, minimum_threshold=14.0001, spacing=SPACING
    )
    assert_same(result, (gradients >= 14.0001).astype(np.uint8))
    assert 0 < result.mean() < 1


def test_the_minimum_is_otsus() -> None:
    # Two phases with noise: the gradients fall apart, and ours equals our threshold effect on them.
    grid = np.indices(SHAPE)[2]
    volume = (grid // 20 % 2 * 1000 + (noise(SHAPE, 1) % np.uint64(60)).astype(int)).astype(
        np.int16
    )
    gradients = magnitude(volume, SPACING)
    expected = threshold(gradients, auto_threshold_mode="SET_LOWER_MAX")
    result = boundary_removal(volume, spacing=SPACING)
    assert_same(result, expected)
    steps = (grid % 20 == 0) & (grid > 0) | (grid % 20 == 19) & (grid < SHAPE[2] - 1)
    assert_same(result, steps.astype(np.uint8))


def test_nothing_stands_out_of_one_value() -> None:
    assert not boundary_removal(np.full((4, 5, 6), 7.0)).any()
    ramp = np.arange(7.0)[np.newaxis, np.newaxis]
    assert not boundary_removal(np.full((4, 5, 6), np.nan)).any()
    assert boundary_removal(ramp).sum() == 5  # at both ends the slope is half


def test_values_that_are_no_number() -> None:
    volume = smooth_volume(SHAPE, 2).astype(np.float32)
    volume[4, 5, 6] = np.nan
    with np.errstate(invalid="ignore"):
        expected = magnitude(volume, SPACING) >= 5
    result = boundary_removal(volume, auto_threshold=False, minimum_threshold=5, spacing=SPACING)
    assert_same(result, expected.astype(np.uint8))
    near = ndimage.binary_dilation(np.isnan(volume))
    near[4, 5, 6] = False
    assert not result[near].any()


def test_real_head() -> None:
    volume, spacing = template("ch2better.nii.gz")
    gradients = magnitude(volume, spacing)
    result = boundary_removal(volume, spacing=spacing)
    assert_same(result, threshold(gradients, auto_threshold_mode="SET_LOWER_MAX"))


@pytest.mark.parametrize("everywhere", [False, True])
def test_the_editor_takes_boundaries_away(everywhere: bool) -> None:
    volume = smooth_volume(SHAPE, 5).astype(np.int16)
    editor = Editor(volume, spacing=SPACING)
    for name, low, high in (("a", 0, 39), ("b", 40, 100)):
        editor.add_segment(name)
        editor.apply("threshold", name, minimum_threshold=low, maximum_threshold=high)
    edges = boundary_removal(volume, spacing=SPACING) == 1
    editor.apply("boundary_removal", "a", all_segments=everywhere)
    assert_same(editor.mask("a"), (volume < 40) & ~edges)
    assert_same(editor.mask("b"), (volume >= 40) & ~(edges & everywhere))
