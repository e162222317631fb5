"""Islands against scipy, ITK and Slicer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from sample_data import assert_same, blob_labels, random_mask, template
from scipy import ndimage
from segmentationcore import (
    Editor,
    SegmentationCoreError,
    islands,
    threshold,
    to_image,
    vtkLabelMapIslands,
)
from slicer_reference import ask

pytestmark = pytest.mark.python

STRUCTURES = {n: ndimage.generate_binary_structure(3, i) for n, i in ((6, 1), (18, 2), (26, 3))}


def largest(mask: np.ndarray, connectivity: int) -> np.ndarray:
    """scipy's largest island; of equal ones the first in raster order, as scipy numbers them."""
    numbers, count = ndimage.label(mask, STRUCTURES[connectivity])
    sizes = np.bincount(numbers.ravel(), minlength=count + 1)
    sizes[0] = 0
    return (numbers == sizes.argmax()) & mask


def at_least(mask: np.ndarray, connectivity: int, minimum: int) -> np.ndarray:
    """scipy's islands of this size and more."""
    numbers, _count = ndimage.label(mask, STRUCTURES[connectivity])
    return (np.bincount(numbers.ravel()) >= minimum)[numbers] & mask


@pytest.mark.parametrize("connectivity", [6, 18, 26])
@pytest.mark.parametrize("percent", [5, 20, 35, 50, 80])
def test_random_voxels(connectivity: int, percent: int) -> None:
    for seed in range(4):
        mask = random_mask((9, 11, 13), seed, percent)
        context = f"seed {seed}, {percent} %, {connectivity}:"
        result = islands(mask, connectivity=connectivity)
        assert_same(result, largest(mask, connectivity), context)
        for minimum in (0, 1, 2, 5, 40):
            result = islands(
                mask,
                operation="REMOVE_SMALL_ISLANDS",
                minimum_size=minimum,
                connectivity=connectivity,
            )
            assert_same(result, at_least(mask, connectivity, minimum), f"{context} {minimum}")


def split(mask: np.ndarray, connectivity: int, minimum: int, top: int = 1) -> np.ndarray:
    """scipy's islands by size, then by first voxel: 1, top + 1, top + 2, ...; small ones are 0."""
    numbers, count = ndimage.label(mask, STRUCTURES[connectivity])
    sizes = np.bincount(numbers.ravel(), minlength=count + 1)[1:]
    order = [n for n in np.argsort(-sizes, kind="stable") if sizes[n] >= max(1, minimum)]
    values = np.zeros(count + 1, np.int64)
    for place, number in enumerate(order):
        values[number + 1] = top + place if place else 1
    return values[numbers]


@pytest.mark.parametrize("connectivity", [6, 18, 26])
@pytest.mark.parametrize("minimum", [0, 2, 5])
def test_split_gives_each_island_a_label(connectivity: int, minimum: int) -> None:
    for seed in range(4):
        mask = random_mask((9, 11, 13), seed, 20).astype(np.uint16)
        mask[0, 0, :5] = 7  # another label, the largest one
        result = islands(
            mask,
            operation="SPLIT_ISLANDS_TO_SEGMENTS",
            minimum_size=minimum,
            connectivity=connectivity,
        )
        expected = split(mask == 1, connectivity, minimum, 7)
        expected[mask == 7] = 7
        assert_same(result, expected.astype(np.uint16), f"seed {seed}:")


def test_split_refuses_more_islands_than_labels() -> None:
    labels = np.zeros((1, 64, 64), np.uint8)
    labels[0, ::2, ::4] = 1  # 512 islands, but a byte has 255 labels
    with pytest.raises(SegmentationCoreError, match="no labels for 512 islands"):
        islands(labels, operation="SPLIT_ISLANDS_TO_SEGMENTS", minimum_size=0)
    result = islands(labels.astype(np.int32), operation="SPLIT_ISLANDS_TO_SEGMENTS", minimum_size=0)
    assert result.max() == 512
    many = np.zeros((41, 64, 64), np.int32)
    many[::2, ::2, ::2] = 1
    with pytest.raises(SegmentationCoreError, match="more than 10000 islands"):
        islands(many, operation="SPLIT_ISLANDS_TO_SEGMENTS", minimum_size=0)


def holding(region: np.ndarray, connectivity: int, voxels: list[tuple[int, ...]]) -> np.ndarray:
    """scipy's islands of the region that hold one of the voxels."""
    numbers, _count = ndimage.label(region, STRUCTURES[connectivity])
    return np.isin(numbers, [numbers[voxel] for voxel in voxels if numbers[voxel]])


@pytest.mark.parametrize("connectivity", [6, 18, 26])
@pytest.mark.parametrize("percent", [20, 40, 60])
def test_selected_islands(connectivity: int, percent: int) -> None:
    voxels = [(4, 5, 33), (0, 0, 0), (8, 10, 66), (7, 1, 20)]
    for seed in range(3):
        labels = random_mask((9, 11, 67), seed, percent).astype(np.uint8)
        labels[random_mask(labels.shape, seed + 50, 15)] = 2
        own = labels == 1
        given = {
            "points": [*voxels, (3, 3, 200)],  # the last one is outside
            "connectivity": connectivity,
        }
        hit = holding(own, connectivity, voxels)
        kept = islands(labels, operation="KEEP_SELECTED_ISLAND", **given)
        assert_same(kept, np.where(own & ~hit & hit.any(), 0, labels).astype(np.uint8))
        removed = islands(labels, operation="REMOVE_SELECTED_ISLAND", **given)
        assert_same(removed, np.where(hit, 0, labels).astype(np.uint8))
        added = islands(labels, operation="ADD_SELECTED_ISLAND", **given)
        free = holding(labels == 0, connectivity, voxels)
        other = holding(labels == 2, connectivity, voxels)
        assert_same(added, np.where(free | other, 1, labels).astype(np.uint8))


def test_points_beside_the_segment_change_nothing() -> None:
    labels = np.array([[[1, 1, 0, 2, 1]]], np.uint8)
    for operation in ("KEEP_SELECTED_ISLAND", "REMOVE_SELECTED_ISLAND"):
        result = islands(labels, operation=operation, points=[[0, 0, 2], [0, 0, 3], [9, 9, 9]])
        assert_same(result, labels)
    with pytest.raises(SegmentationCoreError, match="Points is empty"):
        islands(labels, operation="KEEP_SELECTED_ISLAND")


def test_the_editor_adds_the_region_between_segments() -> None:
    # Labels are those of the visible segments: a hidden one is no border.
    editor = Editor(np.zeros((3, 9, 12), np.uint8))
    for name, column in (("a", 2), ("wall", 5), ("hidden", 8)):
        editor.add_segment(name)
        for z in range(3):
            way = [[z, 0, column], [z, 8, column]]
            editor.apply("paint", name, points=way, brush_pixel_mode=True)
    editor.apply("show_segment", "hidden", visible=False)
    editor.apply("islands", "a", operation="ADD_SELECTED_ISLAND", points=[[1, 4, 10]])
    columns = editor.mask("a").all(axis=(0, 1))
    assert columns.tolist() == [False] * 2 + [True] + [False] * 3 + [True] * 6
    assert editor.mask("wall").sum() == 27
    editor.apply("islands", "a", operation="REMOVE_SELECTED_ISLAND", points=[[0, 0, 11]])
    assert np.flatnonzero(editor.mask("a").any(axis=(0, 1))).tolist() == [2]
    editor.undo()
    editor.apply("islands", "a", operation="KEEP_SELECTED_ISLAND", points=[[0, 0, 11]])
    assert np.flatnonzero(editor.mask("a").any(axis=(0, 1))).tolist() == list(range(6, 12))


@pytest.mark.parametrize(("offset", "touches"), [((0, 0, 1), 6), ((0, 1, 1), 18), ((1, 1, 1), 26)])
def test_neighbours(offset: tuple[int, int, int], touches: int) -> None:
    labels = np.zeros((4, 4, 4), np.uint8)
    labels[1, 1, 1] = 1
    labels[1 + offset[0], 1 + offset[1], 1 + offset[2]] = 1
    for connectivity in (6, 18, 26):
        result = islands(labels, connectivity=connectivity)
        assert result.sum() == (2 if connectivity >= touches else 1), connectivity


def test_of_equal_islands_the_first_in_raster_order_stays() -> None:
    labels = np.zeros((3, 5, 5), np.uint8)
    labels[2, 0, 0:2] = 1  # first in x and y, but its slice is last
    labels[0, 4, 3:5] = 1
    result = islands(labels)
    assert result[0, 4].tolist() == [0, 0, 0, 1, 1]
    assert result.sum() == 2


def test_keep_largest_ignores_the_minimum_size() -> None:
    # Slicer clears the segment if its largest island is below the leftover MinimumSize.
    labels = np.zeros((4, 4, 4), np.uint8)
    labels[0, 0, :3] = 1
    labels[3, 3, 3] = 1
    assert islands(labels, minimum_size=10**9).sum() == 3


def test_an_island_of_the_minimum_size_stays() -> None:
    labels = np.zeros((1, 5, 5), np.uint8)
    labels[0, 0, :3] = 1
    labels[0, 2, :2] = 1
    labels[0, 4, :4] = 1
    result = islands(labels, operation="REMOVE_SMALL_ISLANDS", minimum_size=3)
    assert result[0].sum(axis=1).tolist() == [3, 0, 0, 0, 4]


def test_other_labels_neither_join_islands_nor_change() -> None:
    labels = np.array([[[1, 1, 2, 1, 0, 3, 1]]], np.int16)
    assert islands(labels).tolist() == [[[1, 1, 2, 0, 0, 3, 0]]]
    assert islands(labels, label=3).tolist() == labels.tolist()


def test_the_number_of_islands_is_told() -> None:
    mask = random_mask((9, 11, 13), 1, 20)
    algorithm = vtkLabelMapIslands()
    algorithm.SetInputDataObject(to_image(mask))
    algorithm.Update()
    _numbers, count = ndimage.label(mask)
    assert algorithm.GetNumberOfIslands() == count


def test_a_spiral_is_one_island() -> None:
    # Joined late in the scan, and through every block border.
    labels = np.zeros((1, 33, 33), np.uint8)
    for ring in range(0, 16, 2):
        labels[0, ring, ring : 33 - ring] = 1
        labels[0, ring : 33 - ring, 32 - ring] = 1
        labels[0, 32 - ring, ring : 33 - ring] = 1
        labels[0, ring + 2 : 33 - ring, ring] = 1
        labels[0, ring + 2, ring : ring + 3] = 1
    assert_same(islands(labels), largest(labels == 1, 6).astype(np.uint8))


def test_a_checkerboard_has_only_single_voxels() -> None:
    board = (np.indices((9, 10, 11)).sum(axis=0) % 2).astype(np.uint8)
    assert islands(board).sum() == 1
    assert islands(board, connectivity=18).sum() == board.sum()
    assert islands(board, operation="REMOVE_SMALL_ISLANDS", minimum_size=2).sum() == 0


@pytest.mark.parametrize("fully", [False, True])
def test_equals_itk(fully: bool) -> None:
    mask = blob_labels((15, 16, 17), 7) == 1
    numbers = SimpleITK.ConnectedComponent(
        SimpleITK.GetImageFromArray(mask.astype(np.uint8)), fully
    )
    sorted_numbers = SimpleITK.GetArrayFromImage(SimpleITK.RelabelComponent(numbers))
    result = islands(mask, connectivity=26 if fully else 6)
    assert_same(result, sorted_numbers == 1)


def test_real_head() -> None:
    volume, spacing = template("ch2better.nii.gz")
    mask = threshold(volume, auto_threshold_mode="SET_LOWER_MAX", spacing=spacing)
    assert_same(islands(mask), largest(mask == 1, 6).astype(np.uint8))
    result = islands(mask, operation="REMOVE_SMALL_ISLANDS", minimum_size=50, connectivity=26)
    assert_same(result, at_least(mask == 1, 26, 50).astype(np.uint8))


def test_real_atlas() -> None:
    atlas, spacing = template("aal.nii.gz")
    for label in (1, 50, 116):
        expected = atlas.copy()
        expected[(atlas == label) & ~largest(atlas == label, 6)] = 0
        assert_same(islands(atlas, label=label, spacing=spacing), expected, str(label))


@pytest.mark.slicer
def test_equals_slicer(slicer_python: str, tmp_path: Path) -> None:
    masks = [random_mask((9, 11, 13), 1, 25), random_mask((5, 20, 6), 2, 33)]
    masks.append(blob_labels((15, 16, 17), 7) == 1)
    jobs = [
        {"what": "islands", "array": mask.astype(np.uint8), "minimum": minimum, "fully": fully}
        for mask in masks
        for minimum in (1, 4)
        for fully in (False, True)
    ]
    for job, numbers in zip(jobs, ask(slicer_python, tmp_path, jobs), strict=True):
        connectivity = 26 if job["fully"] else 6
        mask = job["array"]
        small_removed = islands(
            mask,
            operation="REMOVE_SMALL_ISLANDS",
            minimum_size=job["minimum"],
            connectivity=connectivity,
        )
        assert_same(small_removed, (numbers > 0).astype(np.uint8), str(job["minimum"]))
        if (numbers == 1).sum() != (numbers == 2).sum():
            kept = islands(mask, connectivity=connectivity)
            assert_same(kept, (numbers == 1).astype(np.uint8))
