"""Threshold against NumPy, ITK (SimpleITK) and Slicer."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from sample_data import ALL_TYPES, assert_same, noise, smooth_volume, template
from segmentationcore import SegmentationCoreError, threshold, to_image, vtkLabelMapThreshold
from slicer_reference import ask

pytestmark = pytest.mark.python


METHODS = (
    "HUANG",
    "INTERMODES",
    "ISO_DATA",
    "KITTLER_ILLINGWORTH",
    "LI",
    "MAXIMUM_ENTROPY",
    "MOMENTS",
    "OTSU",
    "RENYI_ENTROPY",
    "SHANBHAG",
    "TRIANGLE",
    "YEN",
)


def automatic_threshold(volume: np.ndarray, bins: int = 64, method: str = "OTSU") -> float:
    """The value that the filter found."""
    algorithm = vtkLabelMapThreshold()
    algorithm.SetInputDataObject(to_image(volume))
    algorithm.SetAutoThresholdMode(4)
    algorithm.SetAutoThresholdMethod(getattr(algorithm, f"METHOD_{method}"))
    algorithm.SetNumberOfBins(bins)
    algorithm.Update()
    assert algorithm.GetLastError() == ""
    return algorithm.GetAutoThreshold()


def slow_otsu(volume: np.ndarray, bins: int) -> float:
    """Otsu's criterion tried for every bin edge, in exact integers where it matters."""
    values = volume.astype(np.float64).ravel()
    low, high = values.min(), values.max()
    width = (high - low) * (1 + 1 / (100 * bins)) / bins
    counts = [0] * bins
    for value in values:
        counts[min(bins - 1, int((value - low) / width))] += 1
    best, where = -1.0, 0
    for k in range(bins - 1):
        below, above = counts[: k + 1], counts[k + 1 :]
        if sum(below) and sum(above):
            mean_below = sum(c * (i + 0.5) for i, c in enumerate(below)) / sum(below)
            mean_above = sum(c * (i + k + 1.5) for i, c in enumerate(above)) / sum(above)
            between = sum(below) * sum(above) * (mean_below - mean_above) ** 2
            if between > best * (1 + 1e-12):
                best, where = between, k
    return low + (where + 1) * width


@pytest.mark.parametrize("dtype", ALL_TYPES, ids=str)
def test_bounds_are_inclusive(dtype: np.dtype) -> None:
    volume = np.arange(24, dtype=dtype).reshape(2, 3, 4)
    result = threshold(volume, minimum_threshold=10, maximum_threshold=12)
    assert_same(result, ((volume >= 10) & (volume <= 12)).astype(np.uint8))
    assert result.dtype == np.uint8


@pytest.mark.parametrize(
    ("low", "high", "selected"),
    [
        (10.7, 12.9, [11, 12]),
        (-3.7, -1.2, [-3, -2]),
        (-0.5, 0.5, [0]),
        (5.0, 5.0, [5]),
        (5.1, 5.9, []),
    ],
)
def test_fractional_bounds_are_not_truncated(low: float, high: float, selected: list[int]) -> None:
    # Slicer (vtkImageThreshold) truncates toward zero and selects 10, 11, 12 for the first.
    volume = np.arange(-20, 20, dtype=np.int16).reshape(1, 5, 8)
    result = threshold(volume, minimum_threshold=low, maximum_threshold=high)
    assert volume[result == 1].tolist() == selected


def test_minimum_above_maximum_selects_nothing() -> None:
    volume = np.arange(27, dtype=np.float32).reshape(3, 3, 3)
    assert not threshold(volume, minimum_threshold=5.0, maximum_threshold=4.0).any()


def test_default_selects_all_but_nan() -> None:
    volume = np.array([[[-np.inf, np.nan, 0.0, np.inf, 1e308, -1e308]]])
    assert threshold(volume).tolist() == [[[1, 0, 1, 1, 1, 1]]]
    assert threshold(volume, maximum_threshold=0.0).tolist() == [[[1, 0, 1, 0, 0, 1]]]
    assert threshold(volume, minimum_threshold=-np.inf).tolist() == [[[1, 0, 1, 1, 1, 1]]]


@pytest.mark.parametrize("dtype", [np.int64, np.uint64], ids=str)
def test_64_bit_values_beyond_the_digits_of_a_double(dtype: type) -> None:
    top = np.iinfo(dtype).max
    volume = np.array([[[2**53, 2**53 + 1, 2**53 + 2, top - 1, top]]], dtype)
    result = threshold(volume, minimum_threshold=2.0**53 + 2.0)
    assert result.tolist() == [[[0, 0, 1, 1, 1]]]
    assert threshold(volume, maximum_threshold=2.0**53).tolist() == [[[1, 0, 0, 0, 0]]]


def test_float_bounds_are_compared_exactly() -> None:
    # 0.1 as float32 is above 0.1 as float64.
    volume = np.array([[[0.1]]], np.float32)
    assert not threshold(volume, maximum_threshold=0.1).any()
    assert threshold(volume, minimum_threshold=0.1).all()


@pytest.mark.parametrize(
    ("label", "dtype"),
    [(1, "u1"), (255, "u1"), (256, "u2"), (65536, "u4"), (2**32, "u8"), (2**63 - 1, "u8")],
)
def test_labels_have_the_smallest_unsigned_type(label: int, dtype: str) -> None:
    result = threshold(
        np.arange(8, dtype=np.int8).reshape(2, 2, 2), minimum_threshold=4, label=label
    )
    assert result.dtype == np.dtype(dtype)
    assert sorted({int(v) for v in result.ravel()}) == [0, label]


@pytest.mark.parametrize("bins", [2, 3, 16, 64, 255, 1000])
def test_otsu_is_the_best_bin_edge(bins: int) -> None:
    for seed in range(3):
        volume = smooth_volume((6, 7, 8), seed).astype(np.float32) * 1.37 - 20
        assert automatic_threshold(volume, bins) == pytest.approx(slow_otsu(volume, bins), rel=1e-9)


@pytest.mark.parametrize("bins", [32, 64, 128, 256])
def test_otsu_equals_itk(bins: int) -> None:
    # Of integer volumes SimpleITK tells the threshold rounded to an integer.
    for seed, dtype in enumerate((np.float32, np.float64, np.float32, np.float64)):
        volume = (smooth_volume((9, 10, 11), seed).astype(np.int64) * 7 % 251).astype(dtype)
        itk = SimpleITK.OtsuThresholdImageFilter()
        itk.SetNumberOfHistogramBins(bins)
        itk.SetReturnBinMidpoint(False)
        itk.Execute(SimpleITK.GetImageFromArray(volume))
        assert automatic_threshold(volume, bins) == pytest.approx(itk.GetThreshold(), rel=1e-6), (
            dtype
        )


def test_otsu_separates_two_peaks() -> None:
    volume = np.where(smooth_volume((8, 9, 10), 3) > 50, 200, 20).astype(np.int16)
    result = threshold(volume, auto_threshold_mode="SET_LOWER_MAX")
    assert_same(result, (volume == 200).astype(np.uint8))


def test_automatic_modes_replace_the_bounds_they_name() -> None:
    volume = smooth_volume((8, 9, 10), 4)
    t = automatic_threshold(volume)
    expected = {
        "NONE": (volume >= 20) & (volume <= 90),
        "SET_UPPER": (volume >= 20) & (volume <= t),
        "SET_LOWER": (volume >= t) & (volume <= 90),
        "SET_MIN_UPPER": volume <= t,
        "SET_LOWER_MAX": volume >= t,
    }
    for mode, mask in expected.items():
        result = threshold(
            volume, minimum_threshold=20, maximum_threshold=90, auto_threshold_mode=mode
        )
        assert_same(result, mask.astype(np.uint8), mode)


def test_otsu_ignores_values_that_are_not_finite() -> None:
    volume = smooth_volume((6, 6, 6), 5).astype(np.float32)
    expected = automatic_threshold(volume)
    more = np.concatenate([volume, np.full((1, 6, 6), np.nan, np.float32)])
    more[-1, 0] = np.inf
    more[-1, 1] = -np.inf
    assert automatic_threshold(more) == expected


@pytest.mark.parametrize("value", [0.0, 7.0, np.nan])
def test_otsu_of_a_single_value_is_an_error(value: float) -> None:
    with pytest.raises(SegmentationCoreError, match="threshold"):
        threshold(np.full((3, 3, 3), value), auto_threshold_mode="SET_LOWER")


def test_real_head() -> None:
    volume, spacing = template("ch2better.nii.gz")
    t = automatic_threshold(volume)
    result = threshold(volume, auto_threshold_mode="SET_LOWER_MAX", spacing=spacing)
    assert_same(result, (volume >= t).astype(np.uint8))
    assert 0.05 < result.mean() < 0.6


def mixture(seed: int) -> np.ndarray:
    """Values of some of four distributions, as a volume of floats."""
    random = np.random.default_rng(seed)
    parts = [
        random.normal(50, 10, 3000),
        random.normal(120, 20, random.integers(500, 5000)),
        random.gamma(2, 20, 2000),
        random.uniform(-100, 200, random.integers(0, 3000)),
    ]
    chosen = [part for part in parts if random.random() < 0.6] or parts[:1]
    values = np.concatenate(chosen).astype(np.float32)
    return values[: len(values) // 8 * 8].reshape(2, 2, -1)


def bin_of(value: float, volume: np.ndarray, bins: int = 64) -> float:
    """Where a value lies in the histogram, in bins from the first edge."""
    low, high = float(volume.min()), float(volume.max())
    return (value - low) / ((high - low) * (1 + 1 / (100 * bins)) / bins)


# Here ITK rounds intensities to whole numbers; the criteria are tested by TestAutoThreshold.
ROUNDED = ("HUANG", "LI")


@pytest.mark.parametrize("bins", [64, 100])
@pytest.mark.parametrize("method", METHODS)
def test_methods_equal_itk(method: str, bins: int) -> None:
    name = "".join(word.capitalize() for word in method.split("_"))
    equal = 0
    for seed in range(30):
        volume = mixture(seed)
        itk = getattr(SimpleITK, f"{name}ThresholdImageFilter")()
        itk.SetNumberOfHistogramBins(bins)
        if method == "OTSU":
            itk.SetReturnBinMidpoint(False)
        try:
            itk.Execute(SimpleITK.GetImageFromArray(volume))
        except RuntimeError:  # there is none, or it gave up
            if method in ROUNDED:
                continue
            with pytest.raises(SegmentationCoreError, match="finds no threshold"):
                threshold(
                    volume,
                    auto_threshold_mode="SET_UPPER",
                    auto_threshold_method=method,
                    number_of_bins=bins,
                )
            continue
        got = bin_of(automatic_threshold(volume, bins, method), volume, bins)
        expected = bin_of(itk.GetThreshold(), volume, bins)
        same = abs(got - expected) < 1e-2
        assert same or method in ROUNDED, (seed, got, expected)
        equal += same
    assert equal >= (5 if method in ROUNDED else 20)


def test_a_method_that_finds_nothing_says_so() -> None:
    two = np.array([[[0.0, 1.0], [0.0, 1.0]]])
    with pytest.raises(SegmentationCoreError, match=r"finds no threshold.*set MinimumThreshold"):
        threshold(two, auto_threshold_mode="SET_UPPER", auto_threshold_method="KITTLER_ILLINGWORTH")


@pytest.mark.parametrize("method", ["HUANG", "SHANBHAG"])
def test_slow_methods_take_fewer_bins(method: str) -> None:
    volume = mixture(1)
    given = {"auto_threshold_method": method, "number_of_bins": 5000}
    with pytest.raises(SegmentationCoreError, match="NumberOfBins is 5000, expected 2 to 4096"):
        threshold(volume, auto_threshold_mode="SET_LOWER", **given)
    threshold(volume, **given)  # not asked for


@pytest.mark.slicer
def test_methods_equal_slicer(slicer_python: str, tmp_path: Path) -> None:
    volumes = [mixture(seed) for seed in range(4)]
    volumes.append((noise((9, 9, 9), 2) % np.uint64(4000)).astype(np.int16) - 1000)
    with contextlib.suppress(pytest.skip.Exception):
        volumes.append(template("ch2better.nii.gz")[0])
    jobs = [
        {"what": "threshold", "method": number, "array": volume}
        for number in range(len(METHODS))
        for volume in volumes
    ]
    for job, slicer in zip(jobs, ask(slicer_python, tmp_path, jobs), strict=True):
        method, volume = METHODS[job["method"]], job["array"]
        if method in ROUNDED or (method == "KITTLER_ILLINGWORTH" and float(slicer) == 0.0):
            continue  # 0: ITK gave up
        got = bin_of(automatic_threshold(volume, 64, method), volume)
        assert got == pytest.approx(bin_of(float(slicer), volume), abs=1e-2), method


@pytest.mark.slicer
def test_otsu_equals_slicer(slicer_python: str, tmp_path: Path) -> None:
    volumes = [
        smooth_volume((12, 13, 14), 1),
        (noise((9, 9, 9), 2) % np.uint64(4000)).astype(np.int16) - 1000,
        smooth_volume((12, 13, 14), 3).astype(np.float32) / 7,
        smooth_volume((12, 13, 14), 4).astype(np.float64) * 1e5,
        (smooth_volume((12, 13, 14), 5) > 70).astype(np.uint16) * 900,
    ]
    with contextlib.suppress(pytest.skip.Exception):
        volumes.append(template("ch2better.nii.gz")[0])
    expected = ask(
        slicer_python,
        tmp_path,
        [{"what": "threshold", "method": METHODS.index("OTSU"), "array": v} for v in volumes],
    )
    for volume, slicer in zip(volumes, expected, strict=True):
        assert automatic_threshold(volume) == pytest.approx(float(slicer), rel=1e-6), volume.dtype
