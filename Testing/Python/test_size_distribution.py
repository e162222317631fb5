"""Sizes by inscribed spheres against a loop over all balls, openings by SciPy, and shapes."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from sample_data import ALL_TYPES, INTEGER_TYPES, blob_labels, noise, smooth_volume
from scipy import ndimage
from segmentationcore import (
    Cancelled,
    Editor,
    SegmentationCoreError,
    size_distribution,
    to_image,
    vtkLabelMapSizeDistribution,
)
from segmentationcore._registry import queries
from vtkmodules.vtkCommonCore import vtkSMPTools

pytestmark = pytest.mark.python

SHAPE = (9, 11, 12)
SPACING = (2.0, 0.7, 1.1)  # z, y, x
DIAMETERS = [0.6, 1.3, 2.1, 2.9, 3.7, 4.5]


def thickness(
    mask: np.ndarray, spacing: tuple[float, ...], diameters: Any, wall: bool = False
) -> np.ndarray:
    """For each voxel the largest diameter of which a ball in the mask covers it; 0 if none does.

    A loop over all balls; ties are kept apart by a billionth.
    """
    result = np.zeros(mask.shape)
    voxels = np.argwhere(np.ones(mask.shape, bool))
    background = np.argwhere(~mask)
    edges = np.array(mask.shape)
    for centre in np.argwhere(mask):
        # To the boxes of the background, and to the faces of the image.
        gaps = np.maximum(np.abs(background - centre) - 0.5, 0.0) * spacing
        room = np.sqrt((gaps**2).sum(axis=1)).min(initial=np.inf)
        if wall:
            room = min(room, ((np.minimum(centre, edges - 1 - centre) + 0.5) * spacing).min())
        fitting = [d for d in diameters if d / 2 <= room * (1 + 1e-9)]
        steps = np.sqrt((((voxels - centre) * spacing) ** 2).sum(axis=1)).reshape(mask.shape)
        for diameter in fitting:
            covered = steps <= diameter / 2 * (1 + 1e-9)
            result[covered] = np.maximum(result[covered], diameter)
    return result


def check(table: np.ndarray, sizes: np.ndarray, mask: np.ndarray, diameters: Any) -> None:
    """The table tells how many voxels of the mask have which size."""
    assert table["diameter_mm"].tolist() == pytest.approx([0.0, *diameters])
    expected = [int((mask & (sizes == d)).sum()) for d in (0.0, *diameters)]
    assert table["voxel_count"].tolist() == expected
    assert not sizes[~mask].any()
    assert table["fraction"] == pytest.approx(np.array(expected) / mask.sum())
    cumulative = np.cumsum(expected[::-1])[::-1] / mask.sum()
    assert table["cumulative_fraction"] == pytest.approx(cumulative)


def test_the_columns_are_those_that_are_declared() -> None:
    declared = queries()["size_distribution"]["columns"]
    table = size_distribution(blob_labels(SHAPE, 3))
    assert list(table.dtype.names) == [column["name"] for column in declared]


@pytest.mark.parametrize("wall", [False, True])
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), SPACING])
@pytest.mark.parametrize("seed", [3, 4])
def test_every_ball(seed: int, spacing: tuple[float, float, float], wall: bool) -> None:
    labels = blob_labels(SHAPE, seed)
    labels[noise(SHAPE, seed) % 40 == 0] = 0
    for label in (1, 2):
        mask = labels == label
        table = size_distribution(
            labels, label=label, spacing=spacing, diameters=DIAMETERS, border_is_wall=wall
        )
        check(table, thickness(mask, spacing, DIAMETERS, wall), mask, DIAMETERS)
        assert np.count_nonzero(table["voxel_count"]) > 1
        # The voxel's volume is that of a box.
        assert table["volume_mm3"] == pytest.approx(table["voxel_count"] * np.prod(spacing))


def test_bins_end_at_the_largest_ball() -> None:
    labels = blob_labels(SHAPE, 3)
    for bins in (1, 6):
        table = size_distribution(labels, spacing=SPACING, number_of_bins=bins)
        largest = table["diameter_mm"][-1]
        step = min(SPACING) / 16
        mask = labels == 1
        assert table["diameter_mm"] == pytest.approx(np.linspace(0, largest, bins + 1))
        assert thickness(mask, SPACING, [largest]).any()
        assert not thickness(mask, SPACING, [largest + step]).any()
        assert largest / step == pytest.approx(round(largest / step))
        sizes = thickness(mask, SPACING, table["diameter_mm"][1:])
        check(table, sizes, mask, table["diameter_mm"][1:])


def test_openings_of_a_larger_image() -> None:
    """By distances of SciPy, on a lattice twice as fine, whose odd points are faces of voxels."""
    shape = (40, 44, 48)
    rough = smooth_volume(shape, 5).astype(np.int64)
    for axis in range(3):
        rough = ndimage.correlate1d(rough, np.ones(7, np.int64), axis, mode="nearest")
    mask = rough > np.median(rough)
    diameters = [1.0, 3.0, 5.0, 7.0, 9.0]
    table = size_distribution(mask.astype(np.uint8), diameters=diameters)
    fine = np.zeros([2 * n + 1 for n in shape], bool)  # half voxels: corners, edges, faces, centres
    for z, y, x in itertools.product(range(3), repeat=3):
        fine[z : z + 2 * shape[0] : 2, y : y + 2 * shape[1] : 2, x : x + 2 * shape[2] : 2] |= ~mask
    # From a centre to the nearest point of a box is to one of these.
    room = ndimage.distance_transform_edt(~fine, 0.5)[1::2, 1::2, 1::2]
    sizes = np.zeros(shape)
    for diameter in diameters:
        centres = room >= diameter / 2 - 1e-9
        if centres.any():
            steps = ndimage.distance_transform_edt(~centres)
            sizes[steps <= diameter / 2 + 1e-9] = diameter
    check(table, sizes, mask, diameters)
    assert np.count_nonzero(table["voxel_count"]) >= 4


def test_spheres_and_a_cylinder_have_their_diameters() -> None:
    z, y, x = np.meshgrid(*(np.arange(n) * 0.5 for n in (61, 61, 121)), indexing="ij")

    def ball(centre: float, radius: float) -> np.ndarray:
        return (z - 15) ** 2 + (y - 15) ** 2 + (x - centre) ** 2 <= radius**2

    spacing = (0.5, 0.5, 0.5)
    diameters = np.arange(1.0, 26.0)
    small, large = ball(10, 5.0), ball(40, 12.0)
    table = size_distribution(
        (small | large).astype(np.uint8), spacing=spacing, diameters=diameters
    )
    volumes = dict(zip(table["diameter_mm"], table["volume_mm3"], strict=True))
    # Two peaks, each within two voxels below the true diameter, with most of its ball.
    assert sum(volumes[d] for d in (9.0, 10.0)) > 0.65 * small.sum() / 8
    assert sum(volumes[d] for d in (23.0, 24.0)) > 0.8 * large.sum() / 8
    assert sum(volumes[d] for d in np.arange(11.0, 20.0)) < 0.1 * large.sum() / 8
    assert volumes[25.0] == 0
    # A cylinder goes on beyond the image, unless its border is a wall.
    rod = ((y - 15) ** 2 + (x - 30) ** 2 <= 8.0**2)[:21].astype(np.uint8)
    table = size_distribution(rod, spacing=spacing, diameters=diameters)
    volumes = dict(zip(table["diameter_mm"], table["fraction"], strict=True))
    assert volumes[15.0] + volumes[16.0] > 0.8
    assert size_distribution(rod, spacing=spacing)["diameter_mm"][-1] == pytest.approx(
        15.6, abs=0.5
    )
    walled = size_distribution(rod, spacing=spacing, border_is_wall=True)
    assert walled["diameter_mm"][-1] == pytest.approx(10.5)  # 21 voxels


@pytest.mark.parametrize("dtype", ALL_TYPES, ids=str)
def test_types(dtype: np.dtype[Any]) -> None:
    labels = blob_labels(SHAPE, 3)
    expected = size_distribution(labels, label=2, spacing=SPACING)
    for data in (labels.astype(dtype), np.asfortranarray(labels.astype(dtype))):
        assert np.array_equal(size_distribution(data, label=2, spacing=SPACING), expected)
    image = to_image(labels.astype(dtype), spacing=SPACING)
    assert np.array_equal(size_distribution(image, label=2), expected)
    if dtype in INTEGER_TYPES:
        top = min(int(np.iinfo(dtype).max), 2**63 - 1)
        high = np.where(labels == 2, top, 0).astype(dtype)
        assert np.array_equal(size_distribution(high, label=top, spacing=SPACING), expected)


def test_turned_and_flat_images() -> None:
    labels = blob_labels(SHAPE, 3)
    expected = size_distribution(labels, spacing=SPACING, diameters=DIAMETERS)
    for order in itertools.permutations(range(3)):
        turned = size_distribution(
            np.transpose(labels, order),
            spacing=[SPACING[axis] for axis in order],
            diameters=DIAMETERS,
        )
        assert np.array_equal(turned, expected)
    flat = size_distribution(labels[4], spacing=SPACING[1:], diameters=DIAMETERS)
    deep = size_distribution(labels[4:5], spacing=(1.0, *SPACING[1:]), diameters=DIAMETERS)
    assert np.array_equal(flat, deep)


def test_any_number_of_blocks_and_threads() -> None:
    labels = blob_labels((24, 30, 33), 3)
    expected = size_distribution(labels, spacing=SPACING, number_of_bins=5)
    algorithm = vtkLabelMapSizeDistribution()
    algorithm.SetInputDataObject(to_image(labels, spacing=SPACING))
    algorithm.SetNumberOfBins(5)
    for blocks in (1, 2, 7, 30):
        algorithm.SetNumberOfBlocks(blocks)
        algorithm.Update()
        counts = algorithm.GetOutput().GetColumnByName("voxel_count")
        assert [counts.GetValue(i) for i in range(6)] == expected["voxel_count"].tolist()
    for threads in (1, 2, 3):
        vtkSMPTools.SetBackend("STDThread")
        vtkSMPTools.Initialize(threads)
        again = size_distribution(labels, spacing=SPACING, number_of_bins=5)
        assert np.array_equal(again, expected)


def test_segments_without_background_or_voxels() -> None:
    full = np.ones((4, 5, 6), np.uint8)
    table = size_distribution(full, diameters=[1, 100])
    assert table["voxel_count"].tolist() == [0, 0, 120]
    largest = size_distribution(full)["diameter_mm"][-1]
    assert np.sqrt(77) - 1 / 16 < largest <= np.sqrt(77)
    table = size_distribution(full, border_is_wall=True)
    assert table["diameter_mm"][-1] == 3.0  # of 4 voxels an odd number
    for label in (2, 200):
        assert size_distribution(full, label=label).tolist() == [(0, 0, 0, 0, 0)]
        table = size_distribution(full, label=label, diameters=[1, 2])
        assert table["voxel_count"].tolist() == [0, 0, 0]
    single = np.ones((1, 1, 1), np.uint8)
    assert size_distribution(single, border_is_wall=True)["diameter_mm"][-1] == 1.0


def test_an_editor_measures_a_segment() -> None:
    volume = smooth_volume(SHAPE, 4)
    editor = Editor(volume, spacing=SPACING)
    editor.add_segment("bright")
    editor.apply("threshold", "bright", minimum_threshold=40)
    expected = size_distribution((volume >= 40).astype(np.uint8), spacing=SPACING)
    assert np.array_equal(editor.size_distribution("bright"), expected)
    with pytest.raises(TypeError, match="bins"):
        editor.size_distribution("bright", bins=3)


def test_wrong_arguments() -> None:
    labels = blob_labels(SHAPE, 3)
    for wrong in ([2, 1], [1, 1]):
        with pytest.raises(SegmentationCoreError, match="Diameters do not ascend"):
            size_distribution(labels, diameters=wrong)
    with pytest.raises(SegmentationCoreError, match="Diameters is -1"):
        size_distribution(labels, diameters=[-1, 1])
    with pytest.raises(ValueError, match="number_of_bins"):
        size_distribution(labels, number_of_bins=0)
    with pytest.raises(SegmentationCoreError, match="SegmentLabel 256 does not fit"):
        size_distribution(labels, label=256)
    with pytest.raises(ValueError, match="label"):
        size_distribution(labels, label=0)
    with pytest.raises(TypeError):
        size_distribution([1, 2])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="spacing is given"):
        size_distribution(to_image(labels), spacing=(1, 1, 1))


def test_progress_and_cancelling() -> None:
    labels = blob_labels(SHAPE, 3)
    seen: list[float] = []
    size_distribution(labels, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    for calls in (1, 3, len(seen) - 1):
        count = itertools.count(1)
        with pytest.raises(Cancelled):
            size_distribution(labels, progress=lambda _, c=count, n=calls: next(c) < n)
