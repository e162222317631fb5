"""Grow from seeds against Dijkstra's algorithm, against Slicer's, and in a session."""

from __future__ import annotations

import heapq
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicer_reference
from sample_data import assert_same, blob_labels, noise, smooth_volume, template
from segmentationcore import (
    Editor,
    SegmentationCoreError,
    grow_from_seeds,
    to_array,
    to_image,
    vtkLabelMapGrowFromSeeds,
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
from vtkmodules.util import numpy_support
from vtkmodules.vtkCommonDataModel import vtkImageData

pytestmark = pytest.mark.python

WORLD = World((9, 12, 14), first=(-3, 0, 5))
STEPS = [step for step in itertools.product((-1, 0, 1), repeat=3) if any(step)]


def by_dijkstra(
    labels: np.ndarray,
    volume: np.ndarray,
    factor: float = 0.0,
    spacing: tuple[float, ...] = (1.0, 1.0, 1.0),
    scale: int = 1,
    walls: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Labels and costs; whole numbers only, with ``scale`` levels for each of them."""
    levels = volume.astype(object) * scale
    best: dict[tuple[int, ...], tuple[int, int]] = {}
    queue: list[tuple[int, int, tuple[int, ...]]] = []
    walls = np.zeros(labels.shape, bool) if walls is None else walls
    for voxel in map(tuple, np.argwhere((labels != 0) & ~walls)):
        best[voxel] = (0, int(labels[voxel]))
        queue.append((0, int(labels[voxel]), voxel))
    heapq.heapify(queue)
    lengths = {
        step: int(np.floor(factor * np.linalg.norm(np.multiply(step, spacing)) * scale + 0.5))
        for step in STEPS
    }
    while queue:
        cost, label, voxel = heapq.heappop(queue)
        if best[voxel] != (cost, label):
            continue
        for step in STEPS:
            other = tuple(a + b for a, b in zip(voxel, step, strict=True))
            if any(not 0 <= at < size for at, size in zip(other, labels.shape, strict=True)):
                continue
            if labels[other] or walls[other]:
                continue
            way = (cost + abs(levels[voxel] - levels[other]) + lengths[step], label)
            if other not in best or way < best[other]:
                best[other] = way
                heapq.heappush(queue, (*way, other))
    result, costs = labels.copy(), np.full(labels.shape, -1, np.int64)
    for voxel, (cost, label) in best.items():
        result[voxel], costs[voxel] = label, cost
    return result, costs


def seeds(shape: tuple[int, ...], seed: int, one_in: int) -> np.ndarray:
    dice = noise(shape, seed)
    return np.where(dice % one_in == 0, 1 + (dice >> 20) % 5, 0).astype(np.uint8)


@pytest.mark.parametrize("one_in", [5, 100, 600])
@pytest.mark.parametrize("values", [1, 3, 50, 60000])
def test_cheapest_path(values: int, one_in: int) -> None:
    shape = (7, 9, 40)
    labels = seeds(shape, one_in, one_in)
    volume = (noise(shape, values) % values).astype(np.int32) - 7
    assert_same(grow_from_seeds(labels, volume), by_dijkstra(labels, volume)[0])


@pytest.mark.parametrize(("span", "scale"), [(1, 256), (100, 256), (300, 128), (40000, 1)])
@pytest.mark.parametrize("factor", [0.1, 2.5, 10.0])
def test_locality(factor: float, span: int, scale: int) -> None:
    shape, spacing = (8, 9, 10), (2.0, 0.5, 1.25)
    labels = seeds(shape, 3, 150)
    volume = (noise(shape, 4) % (span + 1)).astype(np.uint16)
    volume[0, 0, :2] = 0, span
    got = grow_from_seeds(labels, volume, seed_locality_factor=factor, spacing=spacing)
    assert_same(got, by_dijkstra(labels, volume, factor, spacing, scale)[0])


def test_voxels_without_a_value_are_walls() -> None:
    shape = (8, 9, 10)
    labels, volume = seeds(shape, 3, 60), smooth_volume(shape, 4).astype(np.float32)
    walls = noise(shape, 5) % 3 == 0
    expected = by_dijkstra(labels, volume.astype(int), walls=walls)[0]
    volume[walls] = np.where(noise(shape, 6) % 2, np.nan, np.inf)[walls]
    got = grow_from_seeds(labels, volume)
    assert_same(got, expected)
    assert_same(got[walls], labels[walls])


def test_a_real_head() -> None:
    volume, _ = template("ch2bet.nii.gz")
    volume = np.ascontiguousarray(volume[60:76, 80:110, 60:90])
    labels = seeds(volume.shape, 9, 800)
    got = grow_from_seeds(labels, volume)
    expected, _ = by_dijkstra(labels, volume)
    assert_same(got, expected)


def test_what_does_not_change_the_result() -> None:
    # A span of 85: rounded to 65,536 levels, each grey value is 771 of them.
    labels = blob_labels((10, 14, 12), 3)
    volume = smooth_volume((10, 14, 12), 8).astype(np.int32) * 85 // 100
    volume = volume.astype(np.uint8)
    labels[noise(labels.shape, 1) % 4 != 0] = 0
    expected = grow_from_seeds(labels, volume)
    assert expected.all()
    # Grey values that are shifted, turned round, stretched, or in fractions.
    for same in (volume.astype(np.int64) - 2**40, 100 - volume, volume * np.uint64(2**50),
                 volume / 128.0 - 3.0):  # fmt: skip
        assert_same(grow_from_seeds(labels, same), expected)
    # Growing what has grown.
    assert_same(grow_from_seeds(expected, volume), expected)
    # Seeds added where they would grow to.
    more = np.where(noise(labels.shape, 2) % 5 == 0, expected, labels)
    wider = grow_from_seeds(more, volume)
    assert (wider[labels != 0] == labels[labels != 0]).all()


def test_equal_paths_go_to_the_lowest_label() -> None:
    volume = np.zeros((1, 1, 9), np.uint8)
    labels = np.array([[[0, 200, 0, 0, 7, 0, 0, 3, 0]]], np.uint8)
    assert grow_from_seeds(labels, volume).ravel().tolist() == [200, 200, 7, 7, 7, 3, 3, 3, 3]
    near = grow_from_seeds(labels, volume, seed_locality_factor=1.0)
    assert near.ravel().tolist() == [200, 200, 200, 7, 7, 7, 3, 3, 3]


@pytest.mark.parametrize("blocks", [1, 3])
def test_an_update_is_a_new_start(blocks: int) -> None:
    shape = (20, 24, 40)
    volume = smooth_volume(shape, 5).astype(np.int16)
    labels = seeds(shape, 3, 500)
    effect = vtkLabelMapGrowFromSeeds()
    effect.SetNumberOfBlocks(blocks)
    effect.IncrementalOn()
    image = to_image(volume)
    effect.SetVolumeData(image)

    def check(context: str) -> None:
        effect.SetInputDataObject(to_image(labels))
        execute(effect, "grow_from_seeds")
        expected = grow_from_seeds(labels, volume)
        assert_same(to_array(effect.GetOutput()), expected, context)

    check("first")
    labels[5:8, 5:8, 5:8] = 4
    check("added")
    labels[5:8, 5:8, 5:7] = 0
    check("erased")
    labels[labels == 2] = 3
    check("all of a label, which is then gone")
    labels[2, 3, 4:9] = 200
    check("a new label")
    for turn in range(5):
        change = noise(shape, turn) % 700 == 0
        labels[change] = (noise(shape, turn + 50) % 5)[change]
        check(f"turn {turn}")
    volume[3:9] += 20
    image.GetPointData().GetScalars().Modified()
    check("another volume")
    effect.SetSeedLocalityFactor(2.0)
    effect.SetInputDataObject(to_image(labels))
    execute(effect, "grow_from_seeds")
    expected = grow_from_seeds(labels, volume, seed_locality_factor=2.0)
    assert_same(to_array(effect.GetOutput()), expected)


@pytest.mark.slicer
@pytest.mark.parametrize("factor", [0.0, 0.5])
def test_as_slicer(slicer_python: str, tmp_path: Path, factor: float) -> None:
    """Where one label alone has the lowest cost, and Slicer's rounding cannot matter, it agrees."""
    shape, spacing = (24, 26, 28), (1.0, 1.0, 1.0)
    volume = (noise(shape, 4) % 60000).astype(np.uint16)
    volume[0, 0, :2] = 0, 59999
    labels = seeds(shape, 3, 700)
    # In Slicer's the voxels on the border are reached, but no path leads through them.
    inner = (slice(1, -1),) * 3
    seeded = np.zeros_like(labels)
    seeded[inner] = labels[inner]
    job = {"what": "grow_from_seeds", "array": np.stack([seeded, volume]), "spacing": spacing}
    (theirs,) = slicer_reference.ask(slicer_python, tmp_path, [{**job, "factor": factor}])
    ours = grow_from_seeds(
        labels[inner], volume[inner], seed_locality_factor=factor, spacing=spacing
    )
    # Half a grey value for each millimetre is rounded here: that decides between near equals.
    assert (ours == theirs[inner]).mean() > (0.999 if factor == 0.0 else 0.99)
    assert (ours != labels[inner]).mean() > 0.9


# ---------------------------------------------------------------------------------------------
# In a session: all visible segments, with the session's volume.


def growth(factor: float = 0.0, masking: Any = None, region: Any = None) -> dict[str, Any]:
    edit = {"effect": "grow_from_seeds", "parameters": {"SeedLocalityFactor": factor}}
    return edit | ({"masking": masking} if masking else {}) | ({"region": region} if region else {})


def session_with_seeds(
    volume: np.ndarray | None, block_edge: int = 32, world: World = WORLD
) -> Any:
    session = world.session(volume, block_edge)
    add_segments(session, ["a", "hidden", "b"])
    for segment, index in (("a", [2, 3, 1]), ("hidden", [7, 7, 4]), ("b", [11, 9, 7])):
        stroke = {"Points": [world.point(index)], "BrushAbsoluteDiameter": 3.0}
        apply(session, operation("paint", segment, **stroke))
    apply(session, operation("show_segment", "hidden", Visible=False))
    return session


def merged(session: Any) -> np.ndarray:
    return np.where(mask_of(session, "a"), 1, np.where(mask_of(session, "b"), 2, 0))


@pytest.mark.parametrize("block_edge", [32, 4])
def test_all_visible_segments_of_a_session(block_edge: int) -> None:
    volume = smooth_volume(WORLD.shape, 5)
    session = session_with_seeds(volume, block_edge)
    before = state_of(session)
    expected, _ = by_dijkstra(merged(session), volume.astype(int))
    image = vtkImageData()
    done(session, session.Preview(json.dumps(growth()), whole(session), 1, image))
    assert state_of(session) == before
    assert_same(array_of(image, "Mask"), expected)
    apply(session, growth())
    assert_same(merged(session), expected)
    assert counts_of(session)["hidden"] == 0  # overwritten, as it is background
    check_counts(session)
    after = state_of(session)
    undone(session)
    redone(session)
    assert state_of(session) == after


def test_what_must_not_change_is_never_entered() -> None:
    volume = smooth_volume(WORLD.shape, 5)
    session = session_with_seeds(volume)
    low, high = (float(value) for value in np.quantile(volume, [0.2, 0.9]))
    masking = {
        "SourceVolumeIntensityMask": True,
        "SourceVolumeIntensityMaskRange": [low, high],
        "OverwriteMode": "OverwriteAllSegments",
    }
    seeded = merged(session)
    walls = (volume < low) | (volume > high)
    expected, _ = by_dijkstra(seeded, volume.astype(int), walls=walls)
    hidden = mask_of(session, "hidden")
    apply(session, growth(masking=masking))
    assert_same(merged(session), expected)
    assert_same(mask_of(session, "hidden"), hidden & ~(~walls & (expected != 0)))
    # Seeds that may not change do not grow: here that is all of them.
    session = session_with_seeds(volume)
    before = merged(session)
    apply(session, growth(masking={"MaskMode": "EditAllowedOutsideVisibleSegments"}))
    assert_same(merged(session), before)


def test_a_region_is_all_that_it_sees() -> None:
    volume = smooth_volume(WORLD.shape, 5)
    session = session_with_seeds(volume)
    centre, size = WORLD.point([3, 3, 2]), [0.5 * 8, 1.25 * 6, 2.0 * 4]
    box = (slice(0, 5), slice(0, 7), slice(0, 8))
    seeded = merged(session)
    apply(session, growth(region={"center": centre, "size": size}))
    expected = seeded.copy()
    expected[box], _ = by_dijkstra(seeded[box], volume[box].astype(int))
    assert_same(merged(session), expected)


# Large enough for a new start to report its parts.
LARGE = World((40, 44, 48), first=(-3, 0, 5))


class Watched:
    """A session that grows again and again, and whether that was a new start."""

    def __init__(self, session: Any, volume: np.ndarray) -> None:
        self.session = session
        self.volume = volume

    def grown(self, **more: Any) -> tuple[np.ndarray, bool]:
        """A preview of all, and whether it began anew: an update reports no part of that."""
        fractions: list[float] = []

        def heard(_object: Any, _event: str, fraction: float) -> None:
            fractions.append(fraction)

        heard.CallDataType = 11  # type: ignore[attr-defined]  # VTK_DOUBLE
        tag = self.session.AddObserver("ProgressEvent", heard)
        image = vtkImageData()
        edit = json.dumps(growth(**more))
        done(self.session, self.session.Preview(edit, whole(self.session), 1, image))
        self.session.RemoveObserver(tag)
        return array_of(image, "Mask"), any(0.4 < fraction < 1.0 for fraction in fractions)

    def check(self, anew: bool, **more: Any) -> None:
        labels = merged(self.session).astype(np.uint8)
        expected = grow_from_seeds(
            labels,
            self.volume,
            spacing=LARGE.spacing[::-1],
            seed_locality_factor=more.get("factor", 0),
        )
        got, began_anew = self.grown(**more)
        assert_same(got, expected)
        assert began_anew == anew


def test_a_session_grows_again_at_the_cost_of_what_changed() -> None:
    volume = smooth_volume(LARGE.shape, 5).astype(np.int16)
    session = session_with_seeds(None, world=LARGE)
    image = LARGE.image(volume)
    done(session, session.SetVolume(image))
    watched = Watched(session, volume)
    watched.check(anew=True)
    watched.check(anew=False)
    stroke = {"Points": [LARGE.point([5, 8, 2])], "BrushAbsoluteDiameter": 2.0}
    apply(session, operation("paint", "a", **stroke))
    watched.check(anew=False)
    undone(session)  # erased seeds are forgotten
    watched.check(anew=False)
    apply(session, operation("erase", "a", **stroke), operation("paint", "b", **stroke))
    watched.check(anew=False)
    # What would have another result begins anew.
    watched.check(anew=True, factor=0.5)
    watched.check(anew=False, factor=0.5)
    watched.check(anew=True)
    # The operation itself goes on from the preview, and then all is seeds.
    labels = merged(session).astype(np.uint8)
    apply(session, growth())
    assert_same(merged(session), grow_from_seeds(labels, volume))
    undone(session)
    watched.check(anew=False)
    # Another volume, and the same memory with other values, of which nobody was told.
    values = numpy_support.vtk_to_numpy(image.GetPointData().GetScalars())
    values += smooth_volume(LARGE.shape, 6).ravel()
    watched.volume = values.reshape(LARGE.shape)
    watched.check(anew=True)
    watched.check(anew=False)
    done(session, session.SetVolume(LARGE.image(volume)))
    watched.volume = volume
    watched.check(anew=True)
    # No more memory than for undoing.
    session.SetUndoMemoryLimit(1000)
    watched.check(anew=True)
    watched.check(anew=True)


def test_growing_again_in_a_region_and_between_walls() -> None:
    volume = smooth_volume(LARGE.shape, 5)
    session = session_with_seeds(volume, world=LARGE)
    watched = Watched(session, volume)
    region = {"center": LARGE.point([24, 22, 19]), "size": [0.5 * 45, 1.25 * 41, 2.0 * 37]}
    low, high = (float(value) for value in np.quantile(volume, [0.1, 0.9]))
    masking = {"SourceVolumeIntensityMask": True, "SourceVolumeIntensityMaskRange": [low, high]}
    for more in ({"region": region}, {"masking": masking}):
        first, anew = watched.grown(**more)
        assert anew
        again, anew = watched.grown(**more)
        assert not anew
        assert_same(again, first)
        stroke = {"Points": [LARGE.point([6, 6, 4])], "BrushAbsoluteDiameter": 2.0}
        apply(session, operation("paint", "a", **stroke))
        updated, anew = watched.grown(**more)
        assert not anew
        fresh = session_with_seeds(volume, world=LARGE)
        apply(fresh, operation("paint", "a", **stroke))
        assert_same(updated, Watched(fresh, volume).grown(**more)[0])
        undone(session)


def test_what_depends_on_many_lost_voxels_begins_anew() -> None:
    volume = noise((64, 64, 64), 3).astype(np.uint8)
    editor = Editor(volume)
    for segment, point in (("a", [10, 10, 10]), ("b", [50, 50, 50])):
        editor.add_segment(segment)
        editor.apply("paint", segment, points=[point], brush_absolute_diameter=6.0)
    editor.apply("paint", "a", points=[[32, 32, 32]], brush_absolute_diameter=12.0)
    before = editor.preview("grow_from_seeds")
    assert editor.undo()
    after = editor.preview("grow_from_seeds")
    assert (before != after).sum() > 20_000
    assert_same(after, grow_from_seeds(editor.labels().labels, volume))


def test_what_is_refused() -> None:
    assert "the effect needs a volume, and there is none" in refused(
        session_with_seeds(None), growth()
    )
    session = session_with_seeds(None)
    coarse = World((5, 6, 7), spacing=(1.0, 2.5, 4.0))
    done(session, session.SetVolume(coarse.image(smooth_volume(coarse.shape, 5))))
    assert "resample it first" in refused(session, growth())
    small = World((4, 5, 14), first=(-3, 0, 5))
    done(session, session.SetVolume(small.image(smooth_volume(small.shape, 5))))
    assert "does not cover the voxels" in refused(session, growth())
    # In a region it covers it is enough.
    region = {"center": WORLD.point([3, 2, 1]), "size": [0.5 * 4, 1.25 * 2, 2.0 * 2]}
    apply(session, growth(region=region))


def test_in_the_editor() -> None:
    volume = smooth_volume((5, 9, 11), 3)
    editor = Editor(volume)
    for segment, point in (("a", [1, 1, 1]), ("b", [3, 7, 9])):
        editor.add_segment(segment)
        editor.apply("paint", segment, points=[point], brush_pixel_mode=True)
    labels = editor.labels().labels
    expected = grow_from_seeds(labels, volume)
    assert_same(editor.preview("grow_from_seeds"), expected)
    editor.apply("grow_from_seeds")
    assert_same(editor.labels().labels, expected)
    bare = Editor(shape=(3, 3, 3))
    bare.add_segment("a")
    bare.apply("paint", "a", points=[[1, 1, 1]], brush_pixel_mode=True)
    with pytest.raises(SegmentationCoreError, match="there is none"):
        bare.apply("grow_from_seeds")
