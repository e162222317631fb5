"""Multiple thresholds against NumPy and scikit-image, and as segments of an editor."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from sample_data import ALL_TYPES, assert_same, noise, smooth_volume
from segmentationcore import (
    Editor,
    SegmentationCoreError,
    multi_threshold,
    to_image,
    vtkLabelMapMultiThreshold,
)
from skimage.filters import threshold_multiotsu

pytestmark = pytest.mark.python

SHAPE = (11, 13, 16)


def used_thresholds(volume: np.ndarray, classes: int, bins: int) -> list[float]:
    algorithm = vtkLabelMapMultiThreshold()
    algorithm.SetInputDataObject(to_image(volume))
    algorithm.SetNumberOfClasses(classes)
    algorithm.SetNumberOfBins(bins)
    algorithm.Update()
    assert algorithm.GetLastError() == ""
    return [
        algorithm.GetUsedThreshold(number)
        for number in range(algorithm.GetNumberOfUsedThresholds())
    ]


@pytest.mark.parametrize("dtype", ALL_TYPES, ids=str)
def test_classes_are_half_open(dtype: np.dtype[Any]) -> None:
    volume = smooth_volume(SHAPE, 3).astype(dtype)
    for thresholds in ([50], [20, 40, 40.5, 80], [-5.0, 99.0, 1e30]):
        result = multi_threshold(volume, thresholds=thresholds)
        assert_same(result, (np.digitize(volume, thresholds) + 1).astype(np.uint8))
        result = multi_threshold(volume, thresholds=np.array(thresholds), label=254)
        last = 254 + len(thresholds)
        expected = np.digitize(volume, thresholds) + 254
        assert_same(result, expected.astype(np.uint8 if last < 256 else np.uint16))


def test_not_a_number_is_in_no_class() -> None:
    volume = np.array([[[np.nan, -np.inf, 1.0, np.inf]]], np.float32)
    assert multi_threshold(volume, thresholds=[0.0]).tolist() == [[[0, 1, 2, 2]]]


@pytest.mark.parametrize("classes", [2, 3, 4, 5])
def test_found_thresholds_are_as_good_as_scikit_images(classes: int) -> None:
    for seed in (1, 2, 3):
        volume = smooth_volume(SHAPE, seed)
        bins = 64
        found = used_thresholds(volume, classes, bins)
        assert found == sorted(found)
        low, high = int(volume.min()), int(volume.max())
        width = (high - low) * (1 + 1 / (100 * bins)) / bins
        edges = low + np.arange(bins + 1) * width
        counts = np.histogram(volume, edges)[0]
        theirs = threshold_multiotsu(classes=classes, hist=(counts, np.arange(bins)))

        def variance(last_bins: Any, counts: Any = counts) -> float:
            parts = np.split(np.arange(len(counts)), np.asarray(last_bins) + 1)
            sums = [(counts[p].sum(), (counts[p] * p).sum()) for p in parts]
            return float(sum(s * s / n for n, s in sums if n))

        ours = [round((threshold - low) / width) - 1 for threshold in found]
        assert variance(ours) == pytest.approx(variance(theirs), rel=1e-12)
        assert variance(ours) >= variance(theirs) * (1 - 1e-12)


def test_no_other_thresholds_are_better() -> None:
    volume = (noise(SHAPE, 5) % np.uint64(12)).astype(np.uint8) ** 2
    found = used_thresholds(volume, 3, 122)

    def within(first: float, second: float) -> float:
        parts = np.digitize(volume, [first, second])
        return sum(
            float(((volume[parts == p] - volume[parts == p].mean()) ** 2).sum())
            for p in np.unique(parts)
        )

    best = min(within(a, b) for a, b in itertools.combinations(np.unique(volume) + 0.5, 2))
    assert within(*found) == pytest.approx(best, rel=1e-3)  # bins are a little wider than 1


def test_few_values_have_few_classes() -> None:
    flat = np.full(SHAPE, 7, np.int16)
    assert np.unique(multi_threshold(flat, number_of_classes=5)).tolist() == [1]
    flat[3:] = 9
    assert np.unique(multi_threshold(flat, number_of_classes=5)).tolist() == [1, 2]


def test_several_segments_of_an_editor() -> None:
    volume = smooth_volume(SHAPE, 3)
    editor = Editor(volume)
    editor.add_segment("dark")
    editor.apply("multi_threshold", "dark", thresholds=[40, 70])
    assert len(editor.segments) == 3
    labels = np.digitize(volume, [40, 70])
    masks = [editor.mask(segment.id) for segment in editor.segments]
    for number, mask in enumerate(masks):
        assert np.array_equal(mask, labels == number)
    assert editor.segments[0].id == "dark"
    editor.undo()
    assert [segment.voxel_count for segment in editor.segments] == [0]
    editor.redo()
    assert [segment.voxel_count for segment in editor.segments] == np.bincount(
        labels.ravel()
    ).tolist()


def test_wrong_thresholds() -> None:
    volume = smooth_volume(SHAPE, 3)
    for wrong in ([2.0, 1.0], [1.0, 1.0]):
        with pytest.raises(SegmentationCoreError, match="Thresholds do not ascend"):
            multi_threshold(volume, thresholds=wrong)
    with pytest.raises(TypeError, match="thresholds"):
        multi_threshold(volume, thresholds="high")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="thresholds"):
        multi_threshold(volume, thresholds=[None])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="thresholds"):
        multi_threshold(volume, thresholds=[float("nan")])
    with pytest.raises(SegmentationCoreError, match="no finite value"):
        multi_threshold(np.full(SHAPE, np.nan))
