"""A few values far from all others: they take neither the levels of growing nor the bins."""

from __future__ import annotations

import numpy as np
import pytest
from sample_data import assert_same, noise, template
from segmentationcore import (
    fast_marching,
    grow_from_seeds,
    multi_threshold,
    threshold,
    to_image,
    vtkLabelMapThreshold,
    watershed,
)

pytestmark = pytest.mark.python

FAR = (0, 3, 5)  # of the voxels without data, away from everything


def head() -> np.ndarray:
    """A real image in fractions of its range, with the noise that makes a scan no whole numbers."""
    volume, _ = template("ch2better.nii.gz")
    part = volume[20:110:2, 30:170:2, 20:150:2].astype(np.float32)
    return (part + (noise(part.shape, 5) % 1000).astype(np.float32) / 1000) / 256


def seeds(volume: np.ndarray) -> np.ndarray:
    labels = np.zeros(volume.shape, np.uint8)
    labels[(noise(volume.shape, 6) % 200 == 0) & (volume > 0.45)] = 1
    labels[(noise(volume.shape, 7) % 200 == 0) & (volume < 0.1)] = 2
    labels[FAR[0], FAR[1], :8] = 0
    return labels


def spoil(volume: np.ndarray, value: float) -> np.ndarray:
    result = volume.copy()
    result[FAR] = value
    result[FAR[0], FAR[1], FAR[2] + 1] = value / 2
    return result


@pytest.mark.parametrize("value", [-1e4, 1e4, -3e38, 3e38])
@pytest.mark.parametrize("effect", [grow_from_seeds, watershed, fast_marching])
def test_two_voxels_change_little(effect, value: float) -> None:
    volume = head()
    labels = seeds(volume)
    more = {"percent_max": 30.0} if effect is fast_marching else {}
    expected = effect(labels, volume, **more)
    found = effect(labels, spoil(volume, value), **more)
    assert np.count_nonzero(expected != labels) > expected.size // 5
    # The levels are a ninth as many in the worst case, so some ties are cut another way.
    assert np.count_nonzero(found != expected) < expected.size // 100


@pytest.mark.parametrize("dtype", [np.int32, np.float32, np.int64])
def test_many_voxels_without_data_leave_whole_numbers_alone(dtype) -> None:
    """A fifth of an image, outside of a core, has a value that no scanner measures."""
    volume, _ = template("ch2better.nii.gz")
    part = volume[20:110:2, 30:170:2, 20:150:2].astype(dtype)
    labels = seeds(part / 256)
    _, y, x = np.indices(part.shape)
    outside = (y - 35) ** 2 + (x - 33) ** 2 > 36**2
    assert 0.05 < outside.mean() < 0.4
    part[outside] = np.iinfo(np.int32).min
    labels[outside] = 0
    found = grow_from_seeds(labels, part)
    span = int(part[~outside].max()) - int(part[~outside].min())
    near = part.copy()
    near[outside] = np.floor(int(part[~outside].min()) - 7.5 * span)
    assert_same(found, grow_from_seeds(labels, near.astype(np.int16)))


def core_of(values: np.ndarray, tail: float) -> tuple[float, float]:
    """By sorting: all values but a part at each end."""
    order = np.sort(values[np.isfinite(values)].ravel())
    beyond = int(np.floor(tail * order.size))
    return float(order[beyond]), float(order[order.size - 1 - beyond])


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64])
@pytest.mark.parametrize("tail", [0.0001, 0.01, 0.2])
def test_bins_between_the_tails(dtype, tail: float) -> None:
    """With two bins Otsu's threshold is the middle of the range, so it tells the range."""
    values = (noise((30, 31, 32), 9) % 200 + 20).astype(dtype)
    low, high = core_of(values, tail)
    if dtype not in (np.uint8,):
        values[3, 4, 5] = 30000
    if np.issubdtype(dtype, np.floating):
        values[5, 4, 3] = -1e30
        values[5, 5, 5] = np.nan
        low, high = core_of(values, tail)
    effect = vtkLabelMapThreshold()
    effect.SetInputDataObject(to_image(values))
    effect.SetAutoThresholdMode(2)
    effect.SetAutoThresholdMethod(7)
    effect.SetNumberOfBins(2)
    effect.SetTailFraction(tail)
    for blocks in (1, 5):
        effect.SetNumberOfBlocks(blocks)
        effect.Modified()
        effect.Update()
        assert effect.GetLastError() == ""
        assert effect.GetAutoThreshold() == pytest.approx((low + high) / 2, abs=(high - low) / 300)


def test_otsu_with_outliers_is_otsu_without() -> None:
    volume = head()
    expected = threshold(volume, auto_threshold_mode="SET_LOWER_MAX")
    spoilt = spoil(volume, 1e6)
    plain = threshold(spoilt, auto_threshold_mode="SET_LOWER_MAX")
    assert np.count_nonzero(plain) <= 2  # all bins but the first are taken
    found = threshold(spoilt, auto_threshold_mode="SET_LOWER_MAX", tail_fraction=0.0001)
    assert np.count_nonzero(found != expected) < volume.size // 50
    three = multi_threshold(spoilt, number_of_classes=3, tail_fraction=0.0001)
    assert np.count_nonzero(three != multi_threshold(volume, number_of_classes=3)) < (
        volume.size // 50
    )


@pytest.mark.parametrize("tail", [-0.001, 0.3, float("nan")])
@pytest.mark.parametrize("effect", [threshold, multi_threshold])
def test_tails_are_checked(effect, tail: float) -> None:
    with pytest.raises(ValueError, match=r"tail_fraction is .*; expected a number"):
        effect(head(), tail_fraction=tail)
