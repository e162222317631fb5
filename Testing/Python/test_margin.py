"""Margin against scipy, a slow loop and Slicer."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from sample_data import assert_same, blob_labels, random_mask, template
from scipy import ndimage
from segmentationcore import margin
from slicer_reference import ask

pytestmark = pytest.mark.python

TOLERANCE = 1 + 1e-12


def with_scipy(mask: np.ndarray, millimetres: float, spacing: tuple[float, ...]) -> np.ndarray:
    """scipy's exact Euclidean distances; far from ties their rounding does not matter."""
    if not mask.any() or mask.all():
        return mask
    if millimetres >= 0:
        return ndimage.distance_transform_edt(~mask, spacing) <= millimetres * TOLERANCE
    return ndimage.distance_transform_edt(mask, spacing) > -millimetres * TOLERANCE


def by_loop(mask: np.ndarray, millimetres: float, spacing: tuple[float, ...]) -> np.ndarray:
    """Every pair of voxels; squares of whole numbers of steps, as the definition says."""
    target = mask if millimetres >= 0 else ~mask
    centres = np.argwhere(target)
    near = np.zeros_like(mask)
    for voxel in np.ndindex(mask.shape):
        squares = ((centres - voxel) ** 2 * np.square(spacing)).sum(axis=1)
        near[voxel] = bool((squares <= millimetres**2 * TOLERANCE).any())
    return near if millimetres >= 0 else mask & ~near


@pytest.mark.parametrize(
    ("millimetres", "voxels"),
    [(0.5, 1), (1, 7), (1.41, 7), (2**0.5, 19), (3**0.5, 27), (2, 33), (3, 123)],
)
def test_ball_of_one_voxel(millimetres: float, voxels: int) -> None:
    labels = np.zeros((9, 9, 9), np.uint8)
    labels[4, 4, 4] = 1
    assert margin(labels, margin_size_mm=millimetres).sum() == voxels


def test_anisotropic_spacing() -> None:
    labels = np.zeros((9, 9, 11), np.uint8)
    labels[4, 4, 5] = 1
    grown = margin(labels, margin_size_mm=2.0, spacing=(2.0, 1.0, 0.5))
    assert grown[4, 4].sum() == 9
    assert grown[4, :, 5].sum() == 5
    assert grown[:, 4, 5].sum() == 3


@pytest.mark.parametrize("steps", range(1, 12))
def test_decimal_margins_reach_the_voxel_they_name(steps: int) -> None:
    # 3 * 0.1 is not 0.3 in binary.
    labels = np.zeros((1, 1, 25), np.uint8)
    labels[0, 0, 12] = 1
    grown = margin(labels, margin_size_mm=float(f"{steps / 10}"), spacing=(1.0, 1.0, 0.1))
    assert grown.sum() == 2 * steps + 1
    hollow = 1 - labels
    shrunk = margin(hollow, margin_size_mm=-float(f"{steps / 10}"), spacing=(1.0, 1.0, 0.1))
    assert_same(shrunk, 1 - grown)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.0, 0.7, 0.9), (0.3, 0.3, 1.1)], ids=str)
@pytest.mark.parametrize("millimetres", [0.25, 1.0, 1.7, 4.3, -0.25, -1.0, -1.7, -2.2])
def test_random_voxels_by_loop(millimetres: float, spacing: tuple[float, ...]) -> None:
    for seed, percent in ((1, 3), (2, 60), (3, 97)):
        mask = random_mask((6, 7, 8), seed, percent)
        result = margin(mask, margin_size_mm=millimetres, spacing=spacing)
        assert_same(result, by_loop(mask, millimetres, spacing), f"seed {seed}:")


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (3.3, 0.71, 0.93)], ids=str)
@pytest.mark.parametrize("millimetres", [0.37, 1.13, 2.51, 7.7, 40.3, -0.37, -1.13, -2.51, -7.7])
def test_blobs_equal_scipy(millimetres: float, spacing: tuple[float, ...]) -> None:
    mask = blob_labels((20, 21, 22), 7) == 1
    result = margin(mask, margin_size_mm=millimetres, spacing=spacing)
    assert_same(result, with_scipy(mask, millimetres, spacing))


def test_zero_changes_nothing() -> None:
    labels = blob_labels((9, 10, 11), 7)
    assert_same(margin(labels, margin_size_mm=0.0), labels)


@pytest.mark.parametrize("millimetres", [-250.0, -2.0, 2.0, 250.0])
def test_full_image_stays(millimetres: float) -> None:
    # Slicer clears a segment that fills the image when it grows.
    assert margin(np.ones((4, 5, 6), np.uint8), margin_size_mm=millimetres).all()


@pytest.mark.parametrize("millimetres", [-250.0, -2.0, 2.0, 250.0])
def test_empty_image_stays(millimetres: float) -> None:
    assert not margin(np.zeros((4, 5, 6), np.uint8), margin_size_mm=millimetres).any()


def test_a_large_margin_fills_or_clears() -> None:
    labels = np.zeros((4, 5, 6), np.uint8)
    labels[1:3, 1:3, 1:3] = 1
    assert margin(labels, margin_size_mm=250.0).all()
    assert not margin(labels, margin_size_mm=-250.0).any()


def test_shrinking_does_not_start_at_the_border() -> None:
    labels = np.zeros((5, 5, 5), np.uint8)
    labels[:, :, :3] = 1
    shrunk = margin(labels, margin_size_mm=-1.0)
    assert shrunk[:, :, :2].all()
    assert not shrunk[:, :, 2:].any()


def test_growing_covers_other_labels_and_shrinking_leaves_background() -> None:
    labels = np.array([[[2, 2, 1, 1, 1, 3, 3]]], np.int16)
    assert margin(labels, margin_size_mm=1.0).tolist() == [[[2, 1, 1, 1, 1, 1, 3]]]
    assert margin(labels, margin_size_mm=-1.0).tolist() == [[[2, 2, 0, 1, 0, 3, 3]]]


def test_grow_and_shrink_are_duals() -> None:
    mask = random_mask((8, 9, 10), 5, 30)
    spacing = (1.5, 0.8, 1.1)
    grown = margin(mask, margin_size_mm=1.9, spacing=spacing)
    assert_same(grown, ~margin(~mask, margin_size_mm=-1.9, spacing=spacing))


@pytest.mark.parametrize("axis", range(3))
def test_one_line_of_voxels(axis: int) -> None:
    shape = [1, 1, 1]
    shape[axis] = 30
    mask = random_mask(tuple(shape), 4, 15)
    for millimetres in (2.6, -1.2):
        result = margin(mask, margin_size_mm=millimetres, spacing=(0.7, 0.7, 0.7))
        assert_same(result, by_loop(mask, millimetres, (0.7, 0.7, 0.7)))


def test_real_atlas() -> None:
    atlas, spacing = template("aal.nii.gz")
    for label, millimetres in itertools.product((1, 80), (2.3, -1.3)):
        mask = with_scipy(atlas == label, millimetres, spacing)
        expected = np.where(mask, label, np.where(atlas == label, 0, atlas)).astype(atlas.dtype)
        result = margin(atlas, margin_size_mm=millimetres, label=label, spacing=spacing)
        assert_same(result, expected, f"{label}, {millimetres} mm:")


@pytest.mark.slicer
def test_equals_slicer(slicer_python: str, tmp_path: Path) -> None:
    # Margins away from ties, because Slicer compares single-precision squares.
    cases = [
        (mask, millimetres, spacing)
        for mask in (blob_labels((15, 16, 17), 7) == 1, random_mask((9, 11, 13), 2, 10))
        for millimetres in (0.4, 1.3, 2.61, -1.3, -2.61)
        for spacing in ((1.0, 1.0, 1.0), (2.0, 0.7, 0.9))
    ]
    jobs = [
        {
            "what": "margin",
            "array": (mask if millimetres > 0 else ~mask).astype(np.uint8),
            "millimetres": millimetres,
            "spacing": spacing,
        }
        for mask, millimetres, spacing in cases
    ]
    results = ask(slicer_python, tmp_path, jobs)
    for (mask, millimetres, spacing), slicer in zip(cases, results, strict=True):
        expected = slicer != 0 if millimetres > 0 else slicer == 0
        result = margin(mask, margin_size_mm=millimetres, spacing=spacing)
        assert_same(result, expected, f"{millimetres} mm, spacing {spacing}:")
