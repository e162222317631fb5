"""Closing against scipy and VTK's filter as Slicer uses it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ellipsoid_oracle import closed, kernel_of
from sample_data import assert_same, blob_labels, random_mask, template
from segmentationcore import SegmentationCoreError, closing, opening
from slicer_reference import ask

pytestmark = pytest.mark.python


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.0, 0.7, 0.9), (0.4, 1.0, 3.5)], ids=str)
@pytest.mark.parametrize("millimetres", [1.0, 3.0, 5.0, 7.3])
def test_random_voxels(millimetres: float, spacing: tuple[float, ...]) -> None:
    kernel = kernel_of(millimetres, spacing)
    for seed, percent in ((1, 5), (2, 50), (3, 95)):
        mask = random_mask((12, 13, 14), seed, percent)
        result = closing(mask, kernel_size_mm=millimetres, spacing=spacing)
        assert_same(result, closed(mask, kernel), f"kernel {kernel}, seed {seed}:")


@pytest.mark.parametrize("millimetres", [3.0, 9.0, 21.0, 60.0])
def test_blobs_equal_scipy(millimetres: float) -> None:
    mask = blob_labels((25, 26, 27), 7) == 1
    spacing = (2.3, 0.9, 1.1)
    result = closing(mask, kernel_size_mm=millimetres, spacing=spacing)
    assert_same(result, closed(mask, kernel_of(millimetres, spacing)))


def test_holes_cracks_and_what_stays_open() -> None:
    labels = np.ones((11, 11, 24), np.uint8)
    labels[5, 5, 3] = 0  # a hole of one voxel
    labels[:, :, 8] = 0  # a crack
    labels[3:8, 3:8, 13:20] = 2  # a cave
    result = closing(labels, kernel_size_mm=3.0)
    assert (result[:, :, :12] == 1).all()
    assert (result[4:7, 4:7, 14:19] == 2).all()


@pytest.mark.parametrize("millimetres", [2.5, 6.0])
def test_laws(millimetres: float) -> None:
    """Idempotent, monotone, around the segment, and dual to opening."""
    spacing = (2.0, 0.7, 0.9)
    mask = blob_labels((15, 16, 17), 7) == 1
    result = closing(mask, kernel_size_mm=millimetres, spacing=spacing)
    assert (result >= mask).all()
    assert_same(closing(result, kernel_size_mm=millimetres, spacing=spacing), result)
    larger = mask | random_mask(mask.shape, 3, 2)
    assert (result <= closing(larger, kernel_size_mm=millimetres, spacing=spacing)).all()
    dual = ~opening(~mask, kernel_size_mm=millimetres, spacing=spacing)
    assert_same(result, dual)


def test_a_kernel_of_one_voxel_changes_nothing() -> None:
    labels = blob_labels((9, 10, 11), 7)
    assert_same(closing(labels, kernel_size_mm=1.0), labels)
    assert_same(closing(labels, kernel_size_mm=0.0), labels)


def test_a_size_for_other_voxels_is_refused() -> None:
    labels = blob_labels((9, 10, 11), 7)
    with pytest.raises(SegmentationCoreError, match=r"spans 599 voxels of 0\.005 mm"):
        closing(labels, spacing=(0.005, 0.005, 0.005))


def test_real_atlas() -> None:
    atlas, spacing = template("aal.nii.gz")
    mask = closed(atlas == 80, kernel_of(5.0, spacing))
    expected = np.where(mask, 80, np.where(atlas == 80, 0, atlas)).astype(atlas.dtype)
    result = closing(atlas, kernel_size_mm=5.0, label=80, spacing=spacing)
    assert_same(result, expected)


@pytest.mark.slicer
def test_equals_slicer(slicer_python: str, tmp_path: Path) -> None:
    spacing = (2.0, 0.7, 0.9)
    cases = [
        (mask, millimetres)
        for mask in (blob_labels((15, 16, 17), 7) == 1, random_mask((9, 11, 13), 2, 50))
        for millimetres in (2.0, 3.0, 5.5, 9.0)
    ]
    jobs = [
        {"what": "closing", "array": mask.astype(np.uint8), "kernel": kernel_of(size, spacing)}
        for mask, size in cases
    ]
    for (mask, size), slicer in zip(cases, ask(slicer_python, tmp_path, jobs), strict=True):
        result = closing(mask, kernel_size_mm=size, spacing=spacing)
        assert_same(result, slicer != 0, f"{size} mm:")
