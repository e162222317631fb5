"""Median against a slow loop, scipy and VTK's filter as Slicer uses it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sample_data import assert_same, blob_labels, random_mask, template
from scipy import ndimage
from segmentationcore import median
from slicer_reference import ask

pytestmark = pytest.mark.python


def kernel_of(millimetres: float, spacing: tuple[float, ...]) -> list[int]:
    """The odd number of voxels nearest to the size on each axis, as Slicer rounds it."""
    return [max(1, 2 * round((millimetres / step + 1) / 2) - 1) for step in spacing]


def by_loop(mask: np.ndarray, kernel: list[int]) -> np.ndarray:
    """Majority of the window, clipped at the border; a tie is not a majority."""
    result = np.zeros_like(mask)
    for voxel in np.ndindex(mask.shape):
        window = mask[
            tuple(
                slice(max(0, at - width // 2), at + width // 2 + 1)
                for at, width in zip(voxel, kernel, strict=True)
            )
        ]
        result[voxel] = 2 * int(window.sum()) > window.size
    return result


def by_scipy(mask: np.ndarray, kernel: list[int]) -> np.ndarray:
    """The same with box sums of integers."""

    def box_sum(values: np.ndarray) -> np.ndarray:
        for axis, width in enumerate(kernel):
            ones = np.ones(width, np.int64)
            values = ndimage.correlate1d(values, ones, axis=axis, mode="constant")
        return values

    return 2 * box_sum(mask.astype(np.int64)) > box_sum(np.ones(mask.shape, np.int64))


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.0, 0.7, 0.9), (0.4, 1.0, 3.5)], ids=str)
@pytest.mark.parametrize("millimetres", [1.0, 3.0, 5.0, 7.3])
def test_random_voxels(millimetres: float, spacing: tuple[float, ...]) -> None:
    kernel = kernel_of(millimetres, spacing)
    for seed, percent in ((1, 30), (2, 50), (3, 70)):
        mask = random_mask((6, 7, 8), seed, percent)
        result = median(mask, kernel_size_mm=millimetres, spacing=spacing)
        assert_same(result, by_loop(mask, kernel), f"kernel {kernel}, seed {seed}:")


@pytest.mark.parametrize(
    ("millimetres", "voxels"),
    [(0.0, 1), (0.9, 1), (1.0, 1), (2.9, 3), (3.0, 3), (4.1, 5), (5.0, 5), (8.0, 7), (10.0, 11)],
)
def test_width_of_the_kernel(millimetres: float, voxels: int) -> None:
    # A run that is just a majority of the kernel survives, one voxel less does not.
    assert kernel_of(millimetres, (1.0,)) == [voxels]
    labels = np.zeros((1, 1, 41), np.uint8)
    labels[0, 0, 20 : 20 + voxels // 2 + 1] = 1
    assert median(labels, kernel_size_mm=millimetres).any()
    if voxels > 1:
        labels[0, 0, 20] = 0
        assert not median(labels, kernel_size_mm=millimetres).any()


@pytest.mark.parametrize("millimetres", [2.0, 4.0, 6.0, 8.0, 10.0])
def test_even_sizes_round_as_in_slicer(millimetres: float) -> None:
    mask = random_mask((5, 6, 30), 4, 50)
    assert_same(
        median(mask, kernel_size_mm=millimetres), by_loop(mask, kernel_of(millimetres, (1.0,) * 3))
    )


def test_a_tie_is_background() -> None:
    # At the border the window of 3 is clipped to 2: one of two is a tie.
    labels = np.array([[[1, 0, 1, 1]]], np.uint8)
    assert median(labels, kernel_size_mm=3.0).tolist() == [[[0, 1, 1, 1]]]


def test_a_kernel_of_one_voxel_changes_nothing() -> None:
    labels = blob_labels((9, 10, 11), 7)
    assert_same(median(labels, kernel_size_mm=1.0), labels)
    assert_same(median(labels, kernel_size_mm=0.0), labels)


def test_a_kernel_larger_than_the_image() -> None:
    mask = random_mask((4, 5, 6), 1, 60)
    assert median(mask, kernel_size_mm=500.0).all()
    assert not median(~mask, kernel_size_mm=500.0).any()
    mask = random_mask((4, 5, 6), 1, 50)
    assert_same(median(mask, kernel_size_mm=7.0), by_loop(mask, [7, 7, 7]))


def test_other_labels_stay_unless_covered() -> None:
    labels = np.array([[[1, 1, 2, 1, 1, 0, 3, 1, 3]]], np.int16)
    assert median(labels, kernel_size_mm=3.0).tolist() == [[[1, 1, 1, 1, 1, 0, 3, 0, 3]]]


@pytest.mark.parametrize("millimetres", [3.0, 9.0, 21.0])
def test_blobs_equal_scipy(millimetres: float) -> None:
    mask = blob_labels((25, 26, 27), 7) == 1
    spacing = (2.3, 0.9, 1.1)
    result = median(mask, kernel_size_mm=millimetres, spacing=spacing)
    assert_same(result, by_scipy(mask, kernel_of(millimetres, spacing)))


def test_real_atlas() -> None:
    atlas, spacing = template("aal.nii.gz")
    for label in (1, 80):
        mask = by_scipy(atlas == label, kernel_of(5.0, spacing))
        expected = np.where(mask, label, np.where(atlas == label, 0, atlas)).astype(atlas.dtype)
        result = median(atlas, kernel_size_mm=5.0, label=label, spacing=spacing)
        assert_same(result, expected, str(label))


@pytest.mark.slicer
def test_equals_slicer(slicer_python: str, tmp_path: Path) -> None:
    spacing = (2.0, 0.7, 0.9)
    cases = [
        (mask, millimetres)
        for mask in (blob_labels((15, 16, 17), 7) == 1, random_mask((9, 11, 13), 2, 50))
        for millimetres in (2.0, 3.0, 5.5, 9.0)
    ]
    jobs = [
        {"what": "median", "array": mask.astype(np.uint8), "kernel": kernel_of(size, spacing)}
        for mask, size in cases
    ]
    for (mask, size), slicer in zip(cases, ask(slicer_python, tmp_path, jobs), strict=True):
        result = median(mask, kernel_size_mm=size, spacing=spacing)
        assert_same(result, slicer != 0, f"{size} mm:")
