"""Hollow against a slow loop, scipy, and Slicer where its definition is the same."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sample_data import assert_same, blob_labels, random_mask, template
from scipy import ndimage
from segmentationcore import hollow
from slicer_reference import ask

pytestmark = pytest.mark.python

MODES = ("INSIDE_SURFACE", "MEDIAL_SURFACE", "OUTSIDE_SURFACE")


def near(
    mask: NDArray[np.bool_], millimetres: float, spacing: tuple[float, ...], is_open: bool = False
) -> NDArray[np.bool_]:
    """Voxels whose centre is at most this far from a voxel of the mask, which is a box."""
    reach = [int(millimetres / step + 0.5) + 1 for step in spacing]
    offsets = np.stack(np.meshgrid(*(np.arange(-r, r + 1) for r in reach), indexing="ij"), -1)
    gaps = np.maximum(np.abs(offsets) - 0.5, 0) * spacing
    limit = millimetres**2 * (1 - 1e-12 if is_open else 1 + 1e-12)
    footprint = (gaps**2).sum(-1) <= limit
    if not is_open:
        footprint |= np.abs(offsets).sum(-1) == 1
    return ndimage.binary_dilation(mask, footprint)


def shell(
    mask: NDArray[np.bool_], mode: str, thickness: float, spacing: tuple[float, ...]
) -> NDArray[np.bool_]:
    """The definition of the header."""
    half = thickness / 2
    return {
        "INSIDE_SURFACE": lambda: near(mask, thickness, spacing) & ~mask,
        "OUTSIDE_SURFACE": lambda: near(~mask, thickness, spacing) & mask,
        "MEDIAL_SURFACE": lambda: (
            (near(~mask, half, spacing) & mask) | (near(mask, half, spacing, is_open=True) & ~mask)
        ),
    }[mode]()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.0, 0.7, 0.9), (0.4, 1.0, 3.5)], ids=str)
def test_random_voxels(mode: str, spacing: tuple[float, ...]) -> None:
    for thickness, (seed, percent) in itertools.product(
        (0.0, 1.0, 2.5, 4.0), ((1, 5), (2, 50), (3, 95))
    ):
        mask = random_mask((9, 10, 11), seed, percent)
        result = hollow(mask, shell_mode=mode, shell_thickness_mm=thickness, spacing=spacing)
        assert_same(result, shell(mask, mode, thickness, spacing), f"{thickness} mm, {percent} %:")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("thickness", [1.3, 5.0, 13.0])
def test_blobs(mode: str, thickness: float) -> None:
    spacing = (2.3, 0.9, 1.1)
    mask = blob_labels((25, 26, 27), 7) == 1
    result = hollow(mask, shell_mode=mode, shell_thickness_mm=thickness, spacing=spacing)
    assert_same(result, shell(mask, mode, thickness, spacing))


@pytest.mark.parametrize(
    ("mode", "thickness", "expected"),
    [
        ("INSIDE_SURFACE", 2.0, [3, 4, 16, 17]),
        ("MEDIAL_SURFACE", 2.0, [4, 5, 15, 16]),
        ("MEDIAL_SURFACE", 3.0, [4, 5, 6, 14, 15, 16]),
        ("MEDIAL_SURFACE", 1.0, [5, 15]),
        ("OUTSIDE_SURFACE", 2.0, [5, 6, 14, 15]),
    ],
)
def test_a_slab_as_in_slicer(mode: str, thickness: float, expected: list[int]) -> None:
    labels = np.zeros((1, 1, 21), np.uint8)
    labels[0, 0, 5:16] = 1
    result = hollow(labels, shell_mode=mode, shell_thickness_mm=thickness)
    assert np.flatnonzero(result).tolist() == expected


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("thickness", [0.1, 2.0, 3.4, 3.6, 7.0])
def test_flat_walls_have_the_nearest_number_of_voxels(axis: int, thickness: float) -> None:
    spacing = (3.0, 0.5, 1.2)
    shape = [1, 1, 1]
    shape[axis] = 80
    labels = np.zeros(shape, np.uint8)
    labels.ravel()[20:60] = 1
    voxels = max(1, round(thickness / spacing[axis]))
    for mode in ("INSIDE_SURFACE", "OUTSIDE_SURFACE"):
        result = hollow(labels, shell_mode=mode, shell_thickness_mm=thickness, spacing=spacing)
        assert result.sum() == 2 * voxels, mode


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("thickness", [0.1, 1.0, 3.0])
def test_shells_have_no_gaps(mode: str, thickness: float) -> None:
    z, y, x = np.ogrid[-12:13, -12:13, -12:13]
    ball = z**2 + (y + 0.3) ** 2 + x**2 <= 7.3**2
    result = hollow(ball, shell_mode=mode, shell_thickness_mm=thickness, spacing=(2.0, 0.7, 0.9))
    # What is left is the inside and the outside, apart.
    assert ndimage.label(~result)[1] == 2


def test_the_parts_make_the_whole() -> None:
    labels = blob_labels((15, 16, 17), 7)
    inner = hollow(labels == 1, shell_mode="OUTSIDE_SURFACE", shell_thickness_mm=2.0)
    outer = hollow(labels != 1, shell_mode="INSIDE_SURFACE", shell_thickness_mm=2.0)
    assert_same(inner, outer)  # the surface is the same from both sides


def test_other_labels_stay_unless_covered() -> None:
    labels = np.array([[[2, 3, 1, 1, 1, 1, 1, 1, 3, 2]]], np.int16)
    inside = hollow(labels, shell_mode="OUTSIDE_SURFACE", shell_thickness_mm=1.0)
    assert inside.tolist() == [[[2, 3, 1, 0, 0, 0, 0, 1, 3, 2]]]
    around = hollow(labels, shell_mode="INSIDE_SURFACE", shell_thickness_mm=1.0)
    assert around.tolist() == [[[2, 1, 0, 0, 0, 0, 0, 0, 1, 2]]]


def test_no_wall_at_the_border_of_the_image() -> None:
    for mode in MODES:
        assert not hollow(np.ones((4, 5, 6), np.uint8), shell_mode=mode).any()


def test_real_atlas() -> None:
    atlas, spacing = template("aal.nii.gz")
    mask = shell(atlas == 80, "OUTSIDE_SURFACE", 2.0, spacing)
    expected = np.where(mask, 80, np.where(atlas == 80, 0, atlas)).astype(atlas.dtype)
    result: NDArray[Any] = hollow(
        atlas, shell_mode="OUTSIDE_SURFACE", shell_thickness_mm=2.0, label=80, spacing=spacing
    )
    assert_same(result, expected)


@pytest.mark.slicer
def test_flat_walls_equal_slicer(slicer_python: str, tmp_path: Path) -> None:
    labels = np.zeros((9, 9, 40), np.uint8)
    labels[:, :, 13:27] = 1
    cases = [(mode, thickness) for mode in MODES for thickness in (1.0, 2.0, 3.0, 4.0)]
    jobs = [
        {"what": "hollow", "array": labels, "mode": mode, "thickness": thickness}
        for mode, thickness in cases
    ]
    for (mode, thickness), slicer in zip(cases, ask(slicer_python, tmp_path, jobs), strict=True):
        result = hollow(labels, shell_mode=mode, shell_thickness_mm=thickness)
        assert_same(result, slicer != 0, f"{mode} {thickness} mm:")
