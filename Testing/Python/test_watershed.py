"""Watershed against its definition in NumPy, against SimpleITK and scikit-image, in a session."""

from __future__ import annotations

import heapq
import json
from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from sample_data import assert_same, blob_labels, noise, smooth_volume, template
from scipy import ndimage
from segmentationcore import (
    Editor,
    SegmentationCoreError,
    to_array,
    to_image,
    vtkLabelMapWatershed,
    watershed,
)
from segmentationcore._pipeline import execute
from session_world import (
    World,
    add_segments,
    apply,
    array_of,
    check_counts,
    counts_of,
    done,
    mask_of,
    operation,
    redone,
    refused,
    state_of,
    undone,
    whole,
)
from vtkmodules.vtkCommonDataModel import vtkImageData

pytestmark = pytest.mark.python

WORLD = World((9, 12, 14), first=(-3, 0, 5))
HIGHEST = 65534


def slopes(
    volume: np.ndarray, scale: float, spacing: tuple[float, ...] = (1.0, 1.0, 1.0)
) -> np.ndarray:
    """Magnitude of the gradient of the smoothed volume; SciPy's Gaussian, cut as ours."""
    smooth = volume.astype(float)
    for axis, length in enumerate(spacing):
        deviation = scale / length
        if deviation > 0:
            radius = int(np.ceil(4 * deviation))
            smooth = ndimage.gaussian_filter1d(
                smooth, deviation, axis, mode="nearest", radius=radius
            )
    square = np.zeros(volume.shape)
    for axis in (2, 1, 0):  # x first: sums of squares round as ours
        length = spacing[axis]
        padded = np.pad(smooth, [(int(a == axis),) * 2 for a in range(3)], mode="edge")
        ends = [np.take(padded, range(s, s + volume.shape[axis]), axis) for s in (0, 2)]
        square += ((ends[1] - ends[0]) / (2 * length)) ** 2
    return np.sqrt(square)


def levels_of(found: np.ndarray) -> np.ndarray:
    """To 65,535 levels, in single precision as the filter keeps its gradients."""
    found = found.astype(np.float32).astype(float)
    low, high = found.min(), found.max()
    if high == low:
        return np.zeros(found.shape, int)
    return np.floor((found - low) * (HIGHEST / (high - low)) + 0.5).astype(int)


def relief(
    volume: np.ndarray, scale: float, spacing: tuple[float, ...] = (1.0, 1.0, 1.0)
) -> np.ndarray:
    return levels_of(slopes(volume, scale, spacing))


def flooded(
    labels: np.ndarray, levels: np.ndarray, walls: np.ndarray | None = None
) -> tuple[np.ndarray, dict[tuple[int, ...], tuple[int, int]]]:
    """Labels and times of flooding: all voxels of one time together, in the order of times."""
    walls = np.zeros(labels.shape, bool) if walls is None else walls
    result = labels.copy()
    times: dict[tuple[int, ...], tuple[int, int]] = {}
    waves: dict[tuple[int, int], list[tuple[int, ...]]] = defaultdict(list)
    queue: list[tuple[int, int]] = []

    def wait(voxel: tuple[int, ...], time: tuple[int, int]) -> None:
        times[voxel] = time
        if time not in waves:
            heapq.heappush(queue, time)
        waves[time].append(voxel)

    for voxel in map(tuple, np.argwhere((labels != 0) & ~walls)):
        wait(voxel, (int(levels[voxel]), 0))
    while queue:
        time = heapq.heappop(queue)
        best: dict[tuple[int, ...], int] = {}
        for voxel in waves[time]:
            for axis in range(3):
                for step in (-1, 1):
                    other = (*voxel[:axis], voxel[axis] + step, *voxel[axis + 1 :])
                    if not 0 <= other[axis] < labels.shape[axis]:
                        continue
                    if other not in times and not labels[other] and not walls[other]:
                        label = int(result[voxel])
                        best[other] = min(label, best.get(other, label))
        for other, label in best.items():
            level = int(levels[other])
            result[other] = label
            wait(other, (level, 0) if level > time[0] else (time[0], time[1] + 1))
    return result, times


def markers(shape: tuple[int, ...], seed: int, one_in: int) -> np.ndarray:
    dice = noise(shape, seed)
    return np.where(dice % one_in == 0, 1 + (dice >> 20) % 5, 0).astype(np.uint8)


@pytest.mark.parametrize("one_in", [5, 100, 600])
@pytest.mark.parametrize("values", [1, 2, 50, 60000])
def test_by_definition(values: int, one_in: int) -> None:
    shape = (7, 9, 40)
    labels = markers(shape, one_in, one_in)
    volume = (noise(shape, values) % values).astype(np.int32) - 7
    assert_same(
        watershed(labels, volume, object_scale_mm=0.0), flooded(labels, relief(volume, 0.0))[0]
    )


@pytest.mark.parametrize("scale", [0.3, 1.0, 3.7])
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.0, 0.5, 1.25)])
def test_millimetres(scale: float, spacing: tuple[float, ...]) -> None:
    shape = (12, 19, 20)
    labels = markers(shape, 3, 150)
    volume = smooth_volume(shape, 4).astype(np.float32) + (noise(shape, 5) % 30)
    got = watershed(labels, volume, object_scale_mm=scale, spacing=spacing)
    levels = relief(volume, scale, spacing)
    expected, _ = flooded(labels, levels)
    # Sums that are rounded otherwise may tip a level: that decides between near equals.
    assert (got == expected).mean() > 0.99
    if scale < 3:
        other = watershed(labels, volume, object_scale_mm=scale, spacing=(1.1, 1.0, 0.9))
        assert (got != other).any()


def test_nothing_is_left_between_segments_that_meet_at_an_edge() -> None:
    volume = np.zeros((20, 21, 22), np.int16)
    volume[:, :, 9:] = 100
    labels = np.zeros(volume.shape, np.uint8)
    labels[3, 4, 1], labels[15, 9, 20] = 7, 200
    expected = np.full(volume.shape, 7, np.uint8)
    expected[:, :, 9:] = 200
    for scale in (0.0, 1.0, 2.0):
        assert_same(watershed(labels, volume, object_scale_mm=scale), expected)


def test_flat_ground_is_halved_and_ties_go_to_the_lowest_label() -> None:
    volume = np.zeros((1, 1, 9), np.uint8)
    labels = np.array([[[200, 0, 0, 0, 7, 0, 0, 0, 9]]], np.uint8)
    assert watershed(labels, volume).ravel().tolist() == [200, 200, 7, 7, 7, 7, 7, 9, 9]
    flat = np.full((9, 10, 11), 3.5)
    for one_in in (50, 400):
        labels = markers(flat.shape, 2, one_in)
        got = watershed(labels, flat)
        near = np.full(flat.shape, 999)
        lowest = np.zeros(flat.shape, int)
        index = np.indices(flat.shape)
        for voxel in np.argwhere(labels != 0):
            steps = np.abs(index - voxel.reshape(3, 1, 1, 1)).sum(axis=0)
            label = int(labels[tuple(voxel)])
            better = (steps < near) | ((steps == near) & (label < lowest))
            near[better], lowest[better] = steps[better], label
        # The lowest label of the nearest markers: on flat ground the first to come have it.
        assert_same(got, lowest.astype(np.uint8))


def test_voxels_without_a_value_are_walls() -> None:
    shape = (8, 9, 30)
    labels, volume = markers(shape, 3, 60), smooth_volume(shape, 4).astype(np.float32)
    walls = noise(shape, 5) % 3 == 0
    volume[walls] = np.where(noise(shape, 6) % 2, np.nan, np.inf)[walls]
    # Slopes by hand: a voxel without a value is replaced by the one in the middle.
    square = np.zeros(shape)
    for axis in (2, 1, 0):
        ends = []
        for step in (-1, 1):
            moved = np.pad(volume.astype(float), 1, constant_values=np.nan)
            moved = np.roll(moved, -step, axis)[1:-1, 1:-1, 1:-1]
            ends.append(np.where(np.isfinite(moved), moved, volume))
        with np.errstate(invalid="ignore"):
            square += ((ends[1] - ends[0]) / 2) ** 2
    found = np.where(walls, np.nan, np.sqrt(np.where(walls, 0, square)))
    levels = np.zeros(shape, int)
    levels[~walls] = levels_of(found[~walls])
    expected, _ = flooded(labels, levels, walls)
    assert_same(watershed(labels, volume, object_scale_mm=0.0), expected)
    # Smoothing leaves them out, and what is enclosed stays as it is.
    smoothed = watershed(labels, volume, object_scale_mm=1.5)
    assert_same(smoothed[walls], labels[walls])
    assert_same(smoothed == 0, expected == 0)


def test_a_real_head() -> None:
    volume, _ = template("ch2bet.nii.gz")
    volume = np.ascontiguousarray(volume[60:76, 80:110, 60:90])
    labels = markers(volume.shape, 9, 800)
    got = watershed(labels, volume, object_scale_mm=1.0)
    expected, _ = flooded(labels, relief(volume, 1.0))
    assert (got == expected).mean() > 0.995


def test_what_does_not_change_the_result() -> None:
    labels = blob_labels((10, 14, 12), 3)
    volume = smooth_volume((10, 14, 12), 8).astype(np.uint8)
    labels[noise(labels.shape, 1) % 4 != 0] = 0
    expected = watershed(labels, volume)
    assert expected.all()
    # Other types and units, and what is dark is bright. No rounding: powers of two.
    for same in (volume.astype(np.int64), volume * np.uint64(2**50), volume / 128.0,
                 -volume.astype(np.int16), volume * 2.0**1000):  # fmt: skip
        assert_same(watershed(labels, same), expected)
    # All lengths in another unit.
    quarter = watershed(labels, volume, object_scale_mm=0.5, spacing=(0.25, 0.25, 0.25))
    assert_same(quarter, expected)
    # Mirrored images, and growing what has grown.
    for axis in range(3):
        turned = watershed(np.flip(labels, axis).copy(), np.flip(volume, axis).copy())
        assert_same(np.flip(turned, axis), expected)
    assert_same(watershed(expected, volume), expected)


def test_labels_of_many_values() -> None:
    shape = (16, 20, 70)
    labels = np.zeros(shape, np.int32)
    places = np.argwhere(noise(shape, 7) % 3 == 0)
    labels[tuple(places.T)] = np.arange(len(places)) * 7 - 20000
    volume = noise(shape, 8) % 1000
    got = watershed(labels, volume, object_scale_mm=0.0)
    assert_same(got, flooded(labels, relief(volume, 0.0))[0])


# -- other libraries -----------------------------------------------------------------------------
# They are given our relief, made by NumPy.


def itk_watershed(levels: np.ndarray, labels: np.ndarray) -> np.ndarray:
    sitk = pytest.importorskip("SimpleITK")
    return sitk.GetArrayFromImage(
        sitk.MorphologicalWatershedFromMarkers(
            sitk.GetImageFromArray(levels.astype(np.int32)),
            sitk.GetImageFromArray(labels),
            False,
            False,
        )
    )


def skimage_watershed(levels: np.ndarray, labels: np.ndarray) -> np.ndarray:
    segmentation = pytest.importorskip("skimage.segmentation")
    return segmentation.watershed(levels, labels)


OTHERS = pytest.mark.parametrize("theirs", [itk_watershed, skimage_watershed])


@OTHERS
def test_as_others_where_no_two_levels_are_equal(theirs: Any) -> None:
    shape, found = (4, 5, 15), 0
    for seed in range(30):
        volume = (noise(shape, seed) % 2**20).astype(np.int32)
        levels = relief(volume, 0.0)
        if np.unique(levels).size < levels.size:
            continue
        found += 1
        labels = np.zeros(shape, np.uint8)
        for label, voxel in enumerate(np.argwhere(noise(shape, seed + 100) % 20 == 0), 1):
            labels[tuple(voxel)] = label
        assert labels.max() > 5
        assert_same(watershed(labels, volume, object_scale_mm=0.0), theirs(levels, labels))
    assert found > 5


@OTHERS
def test_as_others_in_noise(theirs: Any) -> None:
    shape = (20, 30, 40)
    volume = (noise(shape, 11) % 2**20).astype(np.int32)
    labels = markers(shape, 12, 150)
    ours = watershed(labels, volume, object_scale_mm=0.0)
    assert (ours == theirs(relief(volume, 0.0), labels)).mean() > 0.98


@OTHERS
@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_as_others_on_a_head(theirs: Any, scale: float) -> None:
    volume, _ = template("ch2bet.nii.gz")
    volume = np.ascontiguousarray(volume[50:100, 60:140, 40:110])
    labels = np.zeros(volume.shape, np.uint8)
    labels[5::16, 5::16, 5::16] = 1 + np.digitize(volume[5::16, 5::16, 5::16], (30, 70, 100))
    ours = watershed(labels, volume, object_scale_mm=scale)
    found = theirs(relief(volume, scale), labels)
    assert (ours == found).mean() > 0.98
    assert ours.all()


# ---------------------------------------------------------------------------------------------
# Blocks, and sessions: all visible segments, with the session's volume.


@pytest.mark.parametrize("blocks", [2, 7])
@pytest.mark.parametrize("scale", [0.0, 2.0])
def test_blocks_do_not_matter(blocks: int, scale: float) -> None:
    shape = (40, 45, 70)
    volume, labels = smooth_volume(shape, 5).astype(np.float32), markers(shape, 3, 5000)
    volume += noise(shape, 6) % 5
    volume[noise(shape, 7) % 100 == 0] = np.nan
    expected = watershed(labels, volume, object_scale_mm=scale)
    effect = vtkLabelMapWatershed()
    effect.SetNumberOfBlocks(blocks)
    effect.SetObjectScaleMm(scale)
    effect.SetVolumeData(to_image(volume))
    effect.SetInputDataObject(to_image(labels))
    execute(effect, "watershed")
    assert_same(to_array(effect.GetOutput()), expected)


def flood(scale: float = 1.0, masking: Any = None, region: Any = None) -> dict[str, Any]:
    edit = {"effect": "watershed", "parameters": {"ObjectScaleMm": scale}}
    return edit | ({"masking": masking} if masking else {}) | ({"region": region} if region else {})


def session_with_markers(volume: np.ndarray | None, block_edge: int = 32) -> Any:
    session = WORLD.session(volume, block_edge)
    add_segments(session, ["a", "hidden", "b"])
    for segment, index in (("a", [2, 3, 1]), ("hidden", [7, 7, 4]), ("b", [11, 9, 7])):
        stroke = {"Points": [WORLD.point(index)], "BrushAbsoluteDiameter": 3.0}
        apply(session, operation("paint", segment, **stroke))
    apply(session, operation("show_segment", "hidden", Visible=False))
    return session


def merged(session: Any) -> np.ndarray:
    labels = np.where(mask_of(session, "a"), 1, np.where(mask_of(session, "b"), 2, 0))
    return labels.astype(np.uint8)


SPACING = (2.0, 1.25, 0.5)  # of WORLD, z, y, x


@pytest.mark.parametrize("block_edge", [32, 4])
def test_all_visible_segments_of_a_session(block_edge: int) -> None:
    volume = smooth_volume(WORLD.shape, 5)
    session = session_with_markers(volume, block_edge)
    before = state_of(session)
    expected = watershed(merged(session), volume, object_scale_mm=1.0, spacing=SPACING)
    assert expected.all()
    image = vtkImageData()
    done(session, session.Preview(json.dumps(flood()), whole(session), 1, image))
    assert state_of(session) == before
    assert_same(array_of(image, "Mask"), expected)
    apply(session, flood())
    assert_same(merged(session), expected)
    assert counts_of(session)["hidden"] == 0  # overwritten, as it is background
    check_counts(session)
    after = state_of(session)
    undone(session)
    redone(session)
    assert state_of(session) == after


def test_what_must_not_change_is_never_entered() -> None:
    volume = smooth_volume(WORLD.shape, 5)
    session = session_with_markers(volume)
    low, high = (float(value) for value in np.quantile(volume, [0.2, 0.9]))
    masking = {
        "SourceVolumeIntensityMask": True,
        "SourceVolumeIntensityMaskRange": [low, high],
        "OverwriteMode": "OverwriteAllSegments",
    }
    seeded = merged(session)
    walls = (volume < low) | (volume > high)
    expected, _ = flooded(seeded, relief(volume, 0.0, SPACING), walls)
    apply(session, flood(0.0, masking=masking))
    assert_same(merged(session), expected)
    # Markers that may not change do not grow: here that is all of them.
    session = session_with_markers(volume)
    before = merged(session)
    apply(session, flood(masking={"MaskMode": "EditAllowedOutsideVisibleSegments"}))
    assert_same(merged(session), before)


def test_a_region_is_all_that_it_sees() -> None:
    volume = smooth_volume(WORLD.shape, 5)
    session = session_with_markers(volume)
    centre, size = WORLD.point([3, 3, 2]), [0.5 * 8, 1.25 * 6, 2.0 * 4]
    box = (slice(0, 5), slice(0, 7), slice(0, 8))
    expected = merged(session)
    part = [np.ascontiguousarray(array[box]) for array in (expected, volume)]
    expected[box] = watershed(*part, object_scale_mm=1.0, spacing=SPACING)
    apply(session, flood(region={"center": centre, "size": size}))
    assert_same(merged(session), expected)


def test_what_is_refused() -> None:
    assert "the effect needs a volume" in refused(session_with_markers(None), flood())
    volume, labels = np.zeros((3, 4, 5)), np.zeros((3, 4, 5), np.uint8)
    with pytest.raises(ValueError, match=r"object_scale_mm is 10\.1; expected"):
        watershed(labels, volume, object_scale_mm=10.1)
    with pytest.raises(SegmentationCoreError, match=r"spans 16001 voxels of 0\.001 mm"):
        watershed(labels, volume, spacing=(0.001, 0.1, 0.1))
    watershed(labels, volume, object_scale_mm=0.128, spacing=(0.001, 0.1, 0.1))


def test_in_the_editor() -> None:
    volume = smooth_volume((5, 9, 11), 3)
    editor = Editor(volume)
    for segment, point in (("a", [1, 1, 1]), ("b", [3, 7, 9])):
        editor.add_segment(segment)
        editor.apply("paint", segment, points=[point], brush_pixel_mode=True)
    labels = editor.labels().labels
    expected = watershed(labels, volume)
    assert_same(editor.preview("watershed"), expected)
    editor.apply("watershed")
    assert_same(editor.labels().labels, expected)
