"""Flood filling against scikit-image, scipy and VTK, and in the editor."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from sample_data import assert_same, noise, random_mask, smooth_volume, template
from scipy import ndimage
from segmentationcore import Editor, SegmentationCoreError, flood_filling
from skimage.segmentation import flood

pytestmark = pytest.mark.python

SHAPE = (13, 14, 70)
SPACING = (2.0, 0.5, 0.75)


def ball(millimetres: float, spacing: tuple[float, ...]) -> np.ndarray:
    """The neighbourhood, as a structuring element."""
    reach = [int(millimetres / step + 1e-9) for step in spacing]
    grid = np.meshgrid(*(np.arange(-r, r + 1) for r in reach), indexing="ij")
    squares = sum((axis * step) ** 2 for axis, step in zip(grid, spacing, strict=True))
    return squares <= millimetres**2 * (1 + 1e-9)


def by_scipy(
    volume: np.ndarray,
    seeds: list[tuple[int, ...]],
    tolerance: float,
    millimetres: float = 0.0,
    spacing: tuple[float, ...] = SPACING,
    allowed: np.ndarray | None = None,
) -> np.ndarray:
    """The component of accepted voxels that holds the seed, for each seed."""
    result = np.zeros(volume.shape, np.uint8)
    for seed in seeds:
        inside = np.abs(volume.astype(float) - float(volume[seed])) <= tolerance
        weights = ball(millimetres, spacing).astype(int)
        count = ndimage.correlate(inside.astype(int), weights, mode="constant")
        there = ndimage.correlate(np.ones(volume.shape, int), weights, mode="constant")
        accepted = inside & (2 * count >= there)
        if allowed is not None:
            accepted &= allowed
        numbers, _count = ndimage.label(accepted)
        if numbers[seed]:
            result[numbers == numbers[seed]] = 1
    return result


def point(seed: tuple[int, ...], spacing: tuple[float, ...] = SPACING) -> list[float]:
    return [index * step for index, step in zip(seed, spacing, strict=True)]


@pytest.mark.parametrize("tolerance", [0.0, 12.0, 30.0, 1000.0])
def test_equals_scikit_image(tolerance: float) -> None:
    for seed in range(3):
        volume = smooth_volume(SHAPE, seed).astype(np.int16)
        start = (6, 7, 33)
        result = flood_filling(
            volume,
            points=[point(start)],
            intensity_tolerance=tolerance,
            neighborhood_size_mm=0.0,
            spacing=SPACING,
        )
        expected = flood(volume, start, connectivity=1, tolerance=tolerance)
        assert_same(result, expected.astype(np.uint8), f"seed {seed}:")


@pytest.mark.parametrize("millimetres", [0.4, 0.5, 1.0, 2.0, 3.1])
def test_neighbourhoods(millimetres: float) -> None:
    seeds = [(6, 7, 33), (0, 0, 0), (12, 13, 69)]
    for seed in range(2):
        volume = (noise(SHAPE, seed) % np.uint64(100)).astype(np.uint8)
        volume[3:9, 3:11, 20:50] = 50
        result = flood_filling(
            volume,
            points=[point(s) for s in seeds],
            intensity_tolerance=35.0,
            neighborhood_size_mm=millimetres,
            spacing=SPACING,
        )
        assert_same(result, by_scipy(volume, seeds, 35.0, millimetres), f"seed {seed}:")
        assert result.any()


def test_equals_vtk() -> None:
    # Slicer's effect uses this filter; its radius is in millimetres, its fraction 0.5.
    from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
    from vtkmodules.vtkCommonCore import vtkPoints
    from vtkmodules.vtkCommonDataModel import vtkImageData
    from vtkmodules.vtkImagingMorphological import vtkImageThresholdConnectivity

    start = (6, 7, 33)
    for seed in range(4):
        volume = (noise(SHAPE, seed) % np.uint64(100)).astype(np.uint8)
        volume[3:9, 3:11, 20:50] = 50
        image = vtkImageData()
        image.SetDimensions(*SHAPE[::-1])
        image.GetPointData().SetScalars(numpy_to_vtk(volume.ravel()))
        points = vtkPoints()
        points.InsertNextPoint(*start[::-1])
        for radius in (0.0, 1.0, 2.0):
            algorithm = vtkImageThresholdConnectivity()
            algorithm.SetInputData(image)
            algorithm.SetSeedPoints(points)
            algorithm.ThresholdBetween(50 - 30, 50 + 30)
            algorithm.SetNeighborhoodRadius(radius, radius, radius)
            algorithm.SetNeighborhoodFraction(0.5)
            algorithm.SetInValue(1)
            algorithm.SetOutValue(0)
            algorithm.Update()
            expected = vtk_to_numpy(algorithm.GetOutput().GetPointData().GetScalars())
            result = flood_filling(
                volume,
                points=[start],
                intensity_tolerance=30.0,
                neighborhood_size_mm=radius,
            )
            assert_same(result, expected.reshape(SHAPE), f"seed {seed}, radius {radius}:")


def test_a_thin_bridge_is_not_crossed() -> None:
    volume = np.zeros((1, 11, 30), np.uint8)
    volume[0, 1:10, 1:12] = volume[0, 1:10, 18:29] = volume[0, 5, 12:18] = 100
    for millimetres, reached in ((0.0, True), (2.0, False)):
        result = flood_filling(
            volume, points=[[0, 5, 5]], neighborhood_size_mm=millimetres, intensity_tolerance=1
        )
        assert bool(result[0, 5, 25]) == reached


def test_real_head() -> None:
    volume, spacing = template("ch2better.nii.gz")
    start = tuple(n // 2 for n in volume.shape)
    result = flood_filling(
        volume, points=[point(start, spacing)], intensity_tolerance=25, spacing=spacing
    )
    assert_same(result, by_scipy(volume, [start], 25, 1.0, spacing))
    assert 1000 < result.sum() < result.size / 2


def test_a_neighbourhood_for_other_voxels_is_refused() -> None:
    with pytest.raises(SegmentationCoreError, match=r"more than 100 voxels of 0\.001"):
        flood_filling(np.zeros((3, 4, 300)), points=[[0, 0, 0]], spacing=(0.001, 0.001, 0.001))


def test_the_editor_floods_what_may_be_edited() -> None:
    volume = smooth_volume(SHAPE, 5).astype(np.int16)
    start, settings = (6, 7, 33), {"intensity_tolerance": 30.0, "neighborhood_size_mm": 0.0}
    wall = np.zeros(SHAPE, bool)
    wall[:, :, 40] = True
    editor = Editor(volume, spacing=SPACING)
    editor.add_segment("wall")
    editor.add_segment("a")
    editor.apply(
        "paint",
        "wall",
        points=[[z * 2.0, y * 0.5, 30.0] for z, y in itertools.product(range(13), range(14))],
        brush_pixel_mode=True,
    )
    assert_same(editor.mask("wall"), wall)
    editor.apply("flood_filling", "a", points=[point(start)], **settings)
    assert_same(editor.mask("a"), by_scipy(volume, [start], 30.0) == 1)
    assert editor.mask("a")[:, :, 41:].any()
    editor.undo()
    # The flood stops at the wall, and does not come out behind it.
    outside = {"mask_mode": "EditAllowedOutsideAllSegments"}
    editor.apply("flood_filling", "a", points=[point(start)], masking=outside, **settings)
    assert_same(editor.mask("a"), by_scipy(volume, [start], 30.0, allowed=~wall) == 1)
    assert not editor.mask("a")[:, :, 40:].any()
    # What was there stays.
    editor.apply("flood_filling", "a", points=[point((0, 0, 69))], **settings)
    both = by_scipy(volume, [(0, 0, 69)], 30.0) | by_scipy(volume, [start], 30.0, allowed=~wall)
    assert_same(editor.mask("a"), both == 1)


def test_voxels_with_one_bit() -> None:
    mask = random_mask(SHAPE, 3, 60)
    start = tuple(int(i) for i in np.argwhere(mask)[100])
    result = flood_filling(mask, points=[start], intensity_tolerance=0.5, neighborhood_size_mm=0.0)
    assert_same(result, by_scipy(mask, [start], 0.5))
