"""The editing session: masking against the oracle, undo, tables, previews, worlds of any size."""

from __future__ import annotations

import itertools
import json
from random import Random
from typing import Any

import masking_oracle
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from masking_oracle import MASK_MODES, OVERWRITE_MODES, Segment, State
from sample_data import assert_same, random_mask, smooth_volume
from scipy import ndimage
from segmentationcore import islands, margin, median, read_segments, vtkLabelMapEditSession
from session_world import (
    IDENTITY,
    World,
    add_segments,
    apply,
    array_of,
    check_counts,
    content_of,
    counts_of,
    done,
    mask_of,
    masks_of,
    operation,
    redone,
    refused,
    rows_of,
    segments_of,
    state_of,
    undone,
    whole,
)
from vtkmodules.vtkCommonCore import vtkCommand
from vtkmodules.vtkCommonDataModel import vtkImageData

pytestmark = pytest.mark.python

WORLD = World((9, 12, 14), first=(-3, 0, 5))
VOLUME = smooth_volume(WORLD.shape, 3)


def label_map_of(session: Any) -> vtkImageData:
    image = vtkImageData()
    done(session, session.GetLabelMap(whole(session), image))
    return image


def assert_images_equal(got: vtkImageData, expected: vtkImageData) -> None:
    points, others = got.GetPointData(), expected.GetPointData()
    assert points.GetNumberOfArrays() == others.GetNumberOfArrays()
    for i in range(others.GetNumberOfArrays()):
        name = others.GetArrayName(i)
        assert points.GetArray(name).GetDataType() == others.GetArray(name).GetDataType()
        assert_same(array_of(got, name), array_of(expected, name), name)
    assert read_segments(got) == read_segments(expected)


def preview_of(session: Any, edit: dict[str, Any], step: int = 1) -> np.ndarray:
    """What an operation would make of its segment; it must not be made of it."""
    before = state_of(session)
    image = vtkImageData()
    done(session, session.Preview(json.dumps(edit), everywhere(session, step), step, image))
    assert state_of(session) == before
    return array_of(image, "Mask") == 1


def everywhere(session: Any, step: int) -> list[int]:
    """The whole extent, of the reduced lattice if there is a step."""
    extent = whole(session)
    if step == 1:
        return extent
    return [
        bound
        for axis in range(3)
        for bound in (0, (extent[2 * axis + 1] - extent[2 * axis]) // step)
    ]


# ---------------------------------------------------------------------------------------------
# Masking: random edits, each compared with the oracle.

COMBINATIONS = list(itertools.product(MASK_MODES, OVERWRITE_MODES, (False, True)))
EDITS = ("paint", "erase", "threshold", "logical")
VOLUME_TYPES = ("uint8", "int16", "float32", "float64", "uint64")


class Edits:
    """Random edits of a session, and what the oracle makes of them."""

    def __init__(self, seed: int, block_edge: int) -> None:
        self.random = Random(seed)
        numpy_random = np.random.default_rng(seed)
        kind = np.dtype(VOLUME_TYPES[seed % len(VOLUME_TYPES)])
        values = smooth_volume(WORLD.shape, seed).astype(kind)
        if kind == np.uint64:  # no double holds these
            values += np.uint64(2**63) + numpy_random.integers(0, 3, WORLD.shape, np.uint64)
        elif kind.kind == "f":
            values += numpy_random.random(WORLD.shape).astype(kind)
        self.volume = values
        self.session = WORLD.session(values, block_edge)
        self.segments = [f"s{i}" for i in range(2 + seed % 4)]
        add_segments(self.session, self.segments)
        self.display = label_map_of(self.session)
        empty = Segment(np.zeros(WORLD.shape, bool))
        self.state = State(dict.fromkeys(self.segments, empty), values)
        for segment in self.segments[:-1]:  # that overlap
            self.edit("paint", segment, {"OverwriteMode": "OverwriteNone"})
            self.edit("paint", segment, {"OverwriteMode": "OverwriteNone"})

    def show(self) -> None:
        """Hides or shows a segment."""
        segment, visible = self.random.choice(self.segments), self.random.random() < 0.5
        apply(self.session, operation("show_segment", segment, Visible=visible))
        held = {
            key: Segment(value.voxels, visible if key == segment else value.visible)
            for key, value in self.state.segments.items()
        }
        self.state = State(held, self.volume)

    def masking(self, mode: str, overwrite: str, by_intensity: bool) -> dict[str, Any]:
        result: dict[str, Any] = {"MaskMode": mode, "OverwriteMode": overwrite}
        if mode == "EditAllowedInsideSingleSegment":
            result["MaskSegmentID"] = self.random.choice(self.segments)
        if by_intensity:
            result["SourceVolumeIntensityMask"] = True
            result["SourceVolumeIntensityMaskRange"] = self.range()
        return result

    def range(self) -> list[float]:
        """Bounds that some voxels have, or none, or that lie between values."""
        low = float(self.volume.min()) + self.random.uniform(-5, 80)
        high = low + self.random.uniform(-2, 70)
        if self.random.random() < 0.5:
            low, high = float(np.floor(low)), float(np.floor(high))
        return [low, high]

    def stroke(self) -> tuple[dict[str, Any], np.ndarray]:
        sizes = WORLD.shape[::-1]
        points = [
            [self.random.uniform(-2.5, size + 1.5) for size in sizes]
            for _ in range(self.random.randint(1, 3))
        ]
        parameters: dict[str, Any] = {"BrushAbsoluteDiameter": self.random.uniform(0.5, 9.0)}
        shape = self.random.random()
        if shape < 0.15:
            parameters = {"BrushPixelMode": True}
        elif shape < 0.4:
            parameters |= {
                "BrushSphere": False,
                "SliceNormal": WORLD.vector([self.random.uniform(-1, 1) for _ in range(3)]),
                "SliceThickness": self.random.uniform(0.5, 4.0),
            }
        mask = WORLD.brush(points, **parameters)
        return {"Points": [WORLD.point(point) for point in points], **parameters}, mask

    def region(self) -> tuple[dict[str, Any], np.ndarray]:
        """A region, and its voxels; away from ties."""
        sizes = np.array(WORLD.shape[::-1])
        low = [self.random.uniform(-1, size) for size in sizes]
        high = [a + self.random.uniform(0.2, size) for a, size in zip(low, sizes, strict=True)]
        middle = (np.array(low) + high) / 2
        box = {
            "center": WORLD.point(middle),
            "size": list((np.array(high) - low) * WORLD.spacing),
        }
        indices = np.indices(WORLD.shape)[::-1]
        inside = [(a <= i) & (i <= b) for a, i, b in zip(low, indices, high, strict=True)]
        return box, np.logical_and.reduce(inside)

    def modifier(self, effect: str, segment: str) -> tuple[dict[str, Any], np.ndarray, str]:
        """Parameters, the voxels they stand for, and what is done with them."""
        own = self.state.segments[segment].voxels
        if effect == "paint":
            return (*self.stroke(), "add")
        if effect == "erase":
            parameters, mask = self.stroke()
            if self.random.random() < 0.3:
                return parameters | {"EraseAllSegments": True}, mask, "remove_all"
            return parameters, mask, "remove"
        if effect == "threshold":
            low, high = self.range()
            if high < low:
                low, high = high, low
            values = self.volume.astype(np.longdouble)
            limits = {"MinimumThreshold": low, "MaximumThreshold": high}
            return limits, (low <= values) & (values <= high), "set"
        if effect == "logical":
            other = self.random.choice(self.segments)
            kind = self.random.choice(list(LOGICAL))
            parameters = {"Operation": kind, "BypassMasking": False}
            if kind not in ("INVERT", "CLEAR", "FILL"):
                parameters["ModifierSegmentID"] = other
            mask = LOGICAL[kind](own, self.state.segments[other].voxels)
            # As in Slicer, a union adds the other segment, and a difference removes it.
            return parameters, mask, {"UNION": "add", "SUBTRACT": "remove"}.get(kind, "set")
        return (*self.grown(effect, own), "set")

    def grown(self, effect: str, own: np.ndarray) -> tuple[dict[str, Any], np.ndarray]:
        """What other effects make of the segment, seen alone."""
        labels, spacing = own.astype(np.uint8), WORLD.spacing[::-1]
        if effect == "margin":
            size = self.random.choice([-2.6, -1.3, 1.3, 2.6])
            result = margin(labels, margin_size_mm=size, spacing=spacing)
            return {"MarginSizeMm": size}, result == 1
        if effect == "islands":
            return {}, islands(labels) == 1
        return {"KernelSizeMm": 3.0}, median(labels, kernel_size_mm=3.0, spacing=spacing) == 1

    def edit(self, effect: str, segment: str, masking: Any, in_region: bool = False) -> None:
        """An edit of both, which must then be the same."""
        region, inside = self.region() if in_region else (None, np.ones(WORLD.shape, bool))
        parameters, modifier, mode = self.modifier(effect, segment)
        edit = operation(effect, segment, masking, **parameters)
        if region:
            edit["region"] = region
        before = self.state
        shown = self.random.random() < 0.3
        foreseen = preview_of(self.session, edit) if shown else None
        apply(self.session, edit)
        after = masking_oracle.apply(before, segment, modifier, mode, masking)
        held = {
            key: Segment(np.where(inside, value.voxels, before.segments[key].voxels), value.visible)
            for key, value in after.segments.items()
        }
        self.state = State(held, self.volume)
        self.check(json.dumps(edit), before)
        if foreseen is not None:
            context = f"preview of {json.dumps(edit)}:"
            assert_same(foreseen, self.state.segments[segment].voxels, context)

    def check(self, context: str, before: State) -> None:
        """Voxels, their numbers, what is told about the change, and a display that follows it."""
        different = np.zeros(WORLD.shape, bool)
        changed = set()
        for segment, mask in masks_of(self.session).items():
            assert_same(mask, self.state.segments[segment].voxels, f"{segment} after {context}:")
            if (mask != before.segments[segment].voxels).any():
                changed.add(segment)
                different |= mask != before.segments[segment].voxels
        check_counts(self.session)
        change = json.loads(self.session.GetLastChange())
        assert set(change["segments"]) == changed, context
        self.follow(change["extent"], different)

    def follow(self, extent: list[int], different: np.ndarray) -> None:
        if different.any():
            ends = [(i.min(), i.max()) for i in np.nonzero(different)[::-1]]
            for axis, (low, high) in enumerate(ends):
                assert extent[2 * axis] <= low + WORLD.first[axis]
                assert extent[2 * axis + 1] >= high + WORLD.first[axis]
        if not self.session.UpdateLabelMap(extent, self.display):
            assert "GetLabelMap" in self.session.GetLastError()
            self.display = label_map_of(self.session)
        assert_images_equal(self.display, label_map_of(self.session))


# The modifier of each logical operation.
LOGICAL: dict[str, Any] = {
    "COPY": lambda a, b: b,
    "UNION": lambda a, b: b,
    "SUBTRACT": lambda a, b: b,
    "INTERSECT": lambda a, b: a & b,
    "XOR": lambda a, b: a ^ b,
    "INVERT": lambda a, b: ~a,
    "CLEAR": lambda a, b: np.zeros_like(a),
    "FILL": lambda a, b: np.ones_like(a),
}


@pytest.mark.parametrize("seed", range(20))
def test_masking_is_the_oracles(seed: int) -> None:
    edits = Edits(seed, block_edge=[32, 4, 7, 1][seed % 4])
    todo = [(*combination, effect) for combination in COMBINATIONS for effect in EDITS]
    edits.random.shuffle(todo)
    start = content_of(edits.session)
    first = edits.session.GetNumberOfUndoSteps()
    for mode, overwrite, by_intensity, effect in todo:
        if edits.random.random() < 0.25:
            edits.show()
        in_region = edits.random.random() < 0.2
        segment = edits.random.choice(edits.segments)
        edits.edit(effect, segment, edits.masking(mode, overwrite, by_intensity), in_region)
    end = state_of(edits.session)
    steps = edits.session.GetNumberOfUndoSteps() - first
    undone(edits.session, steps)
    assert content_of(edits.session) == start
    redone(edits.session, steps)
    after = state_of(edits.session)
    assert after == end


def test_a_single_segment_must_be_named() -> None:
    session = started()
    before = state_of(session)
    masking = {"MaskMode": "EditAllowedInsideSingleSegment"}
    for wrong in (masking, masking | {"MaskSegmentID": ""}):
        assert "MaskSegmentID" in refused(session, operation("erase", "a", wrong, **CLICK))
    wrong = masking | {"MaskSegmentID": "nobody"}
    assert "nobody" in refused(session, operation("erase", "a", wrong, **CLICK))
    assert state_of(session) == before


# ---------------------------------------------------------------------------------------------
# Properties of any list of operations.

SMALL = World((10, 18, 37), spacing=(1.0, 0.5, 2.0))
CLICK: dict[str, Any] = {"Points": [WORLD.point((7, 6, 4))]}
NAMES = ("a", "b", "c")


def started(block_edge: int = 32, world: World = WORLD) -> Any:
    """A session with two segments that share voxels, one that hides, and a step to redo."""
    session = world.session(smooth_volume(world.shape, 3), block_edge)
    add_segments(session, NAMES)
    near = world.point([size // 2 for size in world.shape[::-1]])
    keep = {"OverwriteMode": "OverwriteNone"}
    apply(
        session,
        operation("paint", "a", Points=[near], BrushAbsoluteDiameter=6.0),
        operation("paint", "b", keep, Points=[near], BrushAbsoluteDiameter=4.0),
        operation("threshold", "c", MinimumThreshold=70),
        operation("show_segment", "b", Visible=False),
        operation("paint", "c", Points=[near]),
    )
    undone(session)
    return session


points = st.tuples(st.integers(-1, 37), st.integers(-1, 18), st.integers(-1, 10)).map(SMALL.point)
maskings = st.fixed_dictionaries(
    {"MaskMode": st.sampled_from(MASK_MODES), "OverwriteMode": st.sampled_from(OVERWRITE_MODES)},
    optional={
        "SourceVolumeIntensityMask": st.just(True),
        "MaskSegmentID": st.sampled_from(NAMES),
    },
).map(lambda m: {"MaskSegmentID": "a", "SourceVolumeIntensityMaskRange": [25.5, 75], **m})
strokes = st.builds(
    lambda effect, segment, masking, where, diameter: operation(
        effect, segment, masking, Points=where, BrushAbsoluteDiameter=diameter
    ),
    st.sampled_from(["paint", "erase"]),
    st.sampled_from(NAMES),
    maskings,
    st.lists(points, min_size=1, max_size=3),
    st.sampled_from([0.9, 3.1, 7.3]),
)
others = st.builds(
    lambda segment, masking, what: operation(what[0], segment, masking, **what[1]),
    st.sampled_from(NAMES),
    maskings,
    st.sampled_from(
        [
            ("threshold", {"MinimumThreshold": 40, "MaximumThreshold": 60}),
            ("threshold", {"AutoThresholdMode": "SET_MIN_UPPER"}),
            ("margin", {"MarginSizeMm": 2.0}),
            ("median", {}),
            ("islands", {}),
            ("threshold", {"MinimumThreshold": 30, "region": {"growth": 0.5}}),
            ("median", {"region": {"growth": 0.0}}),
            ("logical", {"Operation": "INVERT", "BypassMasking": False}),
            ("logical", {"Operation": "XOR", "ModifierSegmentID": "b"}),
            ("logical", {"Operation": "UNION", "ModifierSegmentID": "a", "BypassMasking": False}),
        ]
    ),
)
tables = st.builds(
    lambda segment, what: operation(what[0], segment, **what[1]),
    st.sampled_from(NAMES),
    st.sampled_from(
        [
            ("show_segment", {"Visible": False}),
            ("show_segment", {}),
            ("move_segment", {"Index": 0}),
            ("rename_segment", {"Name": "ü"}),
            ("set_segment_tag", {"Name": "n", "Value": "v"}),
        ]
    ),
)
edits = st.one_of(strokes, strokes, others, tables)


@settings(max_examples=40)
@given(
    st.lists(st.one_of(edits, edits, edits, st.sampled_from(["undo", "redo"])), max_size=12),
    st.sampled_from([4, 16, 64]),
)
def test_undo_and_redo(actions: list[Any], block_edge: int) -> None:
    session = started(block_edge, SMALL)
    add_again = session.GetNumberOfRedoSteps()
    assert add_again == 1
    past, future = [], []
    for action in actions:
        now = content_of(session)
        if action == "undo":
            if not past:
                continue
            undone(session)
            future.append(now)
            assert content_of(session) == past.pop()
        elif action == "redo":
            assert session.Redo() == (session.GetNumberOfRedoSteps() < add_again + len(future))
            if future:
                past.append(now)
                assert content_of(session) == future.pop()
                continue
            break  # the step of the start
        else:
            apply(session, action)
            past.append(now)
            future.clear()
            add_again = 0
        check_counts(session)
    while past:
        undone(session)
        assert content_of(session) == past.pop()


@settings(max_examples=30)
@given(st.lists(edits, min_size=1, max_size=6))
def test_the_size_of_blocks_changes_nothing(program: list[Any]) -> None:
    sessions = [started(block_edge, SMALL) for block_edge in (4, 16, 32, 64)]
    for edit in program:
        for session in sessions:
            apply(session, edit)
        expected = content_of(sessions[0])
        for session in sessions[1:]:
            assert content_of(session) == expected
    for session in sessions:
        undone(session, len(program))
        assert content_of(session) == content_of(sessions[0])


@settings(max_examples=40)
@given(st.permutations(range(12)), st.sampled_from([4, 32]))
def test_strokes_that_do_not_meet_may_come_in_any_order(order: list[int], edge: int) -> None:
    # One stroke in each slab of three voxels along x, painted by turns, erased, with a gap.
    def stroke(i: int) -> dict[str, Any]:
        way = [SMALL.point((3 * i + 1, 2 + i % 3, 2)), SMALL.point((3 * i + 1, 15, 7))]
        effect = "erase" if i % 4 == 3 else "paint"
        return operation(effect, NAMES[i % 3], Points=way, BrushAbsoluteDiameter=1.9)

    ordered, mixed = started(edge, SMALL), started(edge, SMALL)
    apply(ordered, *map(stroke, range(12)))
    for i in order:
        apply(mixed, stroke(i))
    assert content_of(mixed) == content_of(ordered)
    check_counts(mixed)


@settings(max_examples=20)
@given(st.lists(edits, min_size=1, max_size=6), st.sampled_from([0, 3000, 20000]))
def test_old_steps_are_compressed_and_forgotten(program: list[Any], limit: int) -> None:
    free, limited = started(16, SMALL), started(16, SMALL)
    limited.SetUndoMemoryLimit(limit)
    contents = []
    for edit in program:
        contents.append(content_of(free))
        apply(free, edit)
        apply(limited, edit)
        assert limited.GetUndoMemorySize() <= limit
    assert content_of(limited) == content_of(free)
    assert limited.GetOperations() == free.GetOperations()
    remembered = limited.GetNumberOfUndoSteps()
    while contents and remembered:
        undone(limited)
        remembered -= 1
        assert content_of(limited) == contents.pop()


def test_steps_are_forgotten_on_demand() -> None:
    session = started()
    before = content_of(session)
    session.ClearHistory()
    assert (session.GetNumberOfUndoSteps(), session.GetNumberOfRedoSteps()) == (0, 0)
    for nothing in (session.Undo, session.Redo):
        assert not nothing()
        assert session.GetLastError() == ""
    assert content_of(session) == before
    apply(session, operation("paint", "b", **CLICK))
    undone(session)
    assert content_of(session) == before


# ---------------------------------------------------------------------------------------------
# Errors leave everything as it was.

KEEP = {"OverwriteMode": "OverwriteNone"}
GOOD = operation("paint", "a", KEEP, BrushAbsoluteDiameter=9.0, **CLICK)
WRONG: dict[str, tuple[Any, str]] = {
    "unknown effect": (operation("unheard_of", "a"), "unheard_of"),
    "unknown segment": (operation("paint", "nobody", **CLICK), "nobody"),
    "unknown parameter": (operation("paint", "a", Size=1, **CLICK), "Size"),
    "unknown key": (GOOD | {"mask": {}}, "mask"),
    "missing parameter": (operation("paint", "a"), "Points"),
    "wrong type": (operation("paint", "a", Points=[[1, 2]]), "Points"),
    "no object": ("paint", "paint"),
    "out of range": (operation("paint", "a", BrushAbsoluteDiameter=0, **CLICK), "Diameter"),
    "no normal": (operation("paint", "a", BrushSphere=False, SliceNormal=[0, 0, 0], **CLICK), ""),
    "no modifier": (operation("logical", "a"), "ModifierSegmentID"),
    "unknown modifier": (operation("logical", "a", ModifierSegmentID="nobody"), "nobody"),
    "unknown mask mode": (operation("paint", "a", {"MaskMode": "x"}, **CLICK), "MaskMode"),
    "unknown masking": (operation("paint", "a", {"Mask": 1}, **CLICK), "Mask"),
    "no range": (operation("paint", "a", {"SourceVolumeIntensityMask": True}, **CLICK), "Range"),
    "masked table": (operation("move_segment", "a", {"MaskMode": MASK_MODES[0]}, Index=0), "table"),
    "region of nothing": (
        operation("paint", "a", region={"center": [0, 0, 0], "size": [1, 1, 0]}, **CLICK),
        "size",
    ),
    "segment twice": (operation("add_segment", "a"), "already"),
    "label twice": (operation("add_segment", "d", LabelValue=3), "'c'"),
    "merged into itself": (operation("merge_segments", "a", Segments=["b", "a"]), "'a'"),
    "merged twice": (operation("merge_segments", "a", Segments=["b", "b"]), "twice"),
    "merged with nobody": (operation("merge_segments", "a", Segments=["b", "nobody"]), "nobody"),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("first", [False, True])
def test_errors_leave_all_as_it_was(name: str, first: bool) -> None:
    wrong, culprit = WRONG[name]
    session = started(4)
    before, redo = state_of(session), started(4)
    redone(redo)
    # After edits that overlap, add, merge and remove, which must be taken back.
    good = [
        operation("add_segment", "new", LabelValue=2**33),
        operation("paint", "new", {"OverwriteMode": "OverwriteNone"}, **CLICK),
        operation("copy_segment", "twin", SourceSegmentID="c"),
        operation("merge_segments", "twin", Segments=["new"]),
        operation("remove_segment", "twin"),
        GOOD,
        operation("show_segment", "a", Visible=False),
    ]
    calls = count_events(session, vtkLabelMapEditSession.LabelsChangedEvent)
    error = refused(session, *([] if first else good), wrong)
    assert culprit in error
    assert f"operation {1 if first else len(good) + 1}" in error
    assert state_of(session) == before
    assert not calls
    redone(session)
    assert content_of(session) == content_of(redo)
    check_counts(session)


@pytest.mark.parametrize(
    "text", ["", "{", "[1", "null", "[[]]", '{"effect": "paint"}', "\0", "[" * 100000, '"\ud800"']
)
def test_what_is_no_operation_is_refused(text: str) -> None:
    session = started()
    before = state_of(session)
    assert not session.Apply(text.encode("utf-8", "surrogatepass").decode("utf-8", "replace"))
    assert session.GetLastError()
    assert state_of(session) == before


def test_no_operations_are_fine() -> None:
    session = started()
    before = content_of(session)
    apply(session)
    assert content_of(session) == before
    assert session.GetNumberOfRedoSteps() == 1
    assert json.loads(session.GetLastChange()) == {
        "extent": [0, -1, 0, -1, 0, -1],
        "segments": [],
        "table": False,
    }


def test_without_a_world() -> None:
    session = vtkLabelMapEditSession()
    image = vtkImageData()
    text = json.dumps(GOOD)
    extent = [0, 1, 0, 1, 0, 1]
    for call in (
        lambda: session.Apply(text),
        lambda: session.Undo(),
        lambda: session.Start(None),
        lambda: session.SetVolume(None),
        lambda: session.GetLabelMap(extent, image),
        lambda: session.GetSegmentMask("a", extent, image),
        lambda: session.Preview(text, extent, 1, image),
        lambda: session.OpenJournal("nothing"),
        lambda: session.ReplayJournal("nothing"),
        lambda: session.SaveJournal("nothing"),
    ):
        assert not call()
        assert "no world" in session.GetLastError()
    assert session.GetSegmentTable().GetNumberOfSegments() == 0
    assert session.GetOperations() == "[]"
    assert whole(session)[1] < whole(session)[0]
    assert json.loads(session.GetLastChange())["segments"] == []


@pytest.mark.parametrize(
    ("change", "culprit"),
    [
        ({"spacing": (1.0, 0.0, 1.0)}, "spacing"),
        ({"spacing": (1.0, float("nan"), 1.0)}, "spacing"),
        ({"origin": (0.0, float("inf"), 1.0)}, "origin"),
        ({"direction": (1.0, 0, 0, 1.0, 0, 0, 0, 0, 1.0)}, "direction"),
        ({"extent": (0, -1, 0, 3, 0, 3)}, "extent"),
        ({"edge": 0}, "edge"),
        ({"edge": 257}, "edge"),
    ],
    ids=str,
)
def test_worlds_that_cannot_be(change: dict[str, Any], culprit: str) -> None:
    session = started()
    before = state_of(session)
    world = {
        "extent": WORLD.extent,
        "origin": WORLD.origin,
        "spacing": WORLD.spacing,
        "direction": WORLD.direction,
        **change,
    }
    session.SetBlockEdge(world.pop("edge", 32))
    assert not session.SetGeometry(*world.values())
    assert culprit in session.GetLastError()
    session.SetBlockEdge(32)
    assert state_of(session) == before


# ---------------------------------------------------------------------------------------------
# The table.


def test_table_operations_and_their_undo() -> None:
    session = started()
    before = [content_of(session)]
    masks = masks_of(session)
    steps = [
        (operation("move_segment", "c", Index=0), ["c", "a", "b"]),
        (operation("rename_segment", "a", Name="Äh|%"), ["c", "a", "b"]),
        (operation("recolor_segment", "a", Color=[0.5, 0.25, 1]), ["c", "a", "b"]),
        (operation("set_segment_status", "b", Status="Flagged"), ["c", "a", "b"]),
        (operation("set_segment_tag", "b", Name="x:y", Value="1|2"), ["c", "a", "b"]),
        (operation("copy_segment", "twin", SourceSegmentID="b"), ["c", "a", "b", "twin"]),
        (operation("move_segment", "twin", Index=1), ["c", "twin", "a", "b"]),
        (operation("merge_segments", "a", Segments=["b", "c"]), ["twin", "a"]),
        (operation("remove_segment", "twin"), ["a"]),
        (operation("add_segment", "late", Name="Late", Color=[0, 0, 0]), ["a", "late"]),
    ]
    for edit, order in steps:
        apply(session, edit)
        assert segments_of(session) == order
        assert json.loads(session.GetLastChange())["table"]
        check_counts(session)
        before.append(content_of(session))
    assert_same(mask_of(session, "a"), masks["a"] | masks["b"] | masks["c"])
    name, color, visible, status = rows_of(session)[0][1:5]
    assert (name, color, visible, status) == ("Äh|%", (0.5, 0.25, 1.0), True, 1)
    for content in reversed(before[:-1]):
        undone(session)
        assert content_of(session) == content
    for content in before[1:]:
        redone(session)
        assert content_of(session) == content


def test_a_copy_is_equal_and_overlaps() -> None:
    session = started()
    apply(
        session,
        operation("set_segment_tag", "c", Name="k", Value="v"),
        operation("copy_segment", "twin", SourceSegmentID="c", Name="Twin"),
    )
    assert_same(mask_of(session, "twin"), mask_of(session, "c"))
    twin, c = rows_of(session)[-1], rows_of(session)[2]
    assert (twin[1], twin[5], twin[8]) == ("Twin", c[5], c[8])
    # A stroke on one is no stroke on the other.
    masking = {"OverwriteMode": "OverwriteNone"}
    before = mask_of(session, "c")
    apply(session, operation("erase", "twin", masking, BrushAbsoluteDiameter=50.0, **CLICK))
    assert not mask_of(session, "twin").any()
    assert_same(mask_of(session, "c"), before)


def test_an_overlap_takes_a_second_layer() -> None:
    session = WORLD.session()
    add_segments(session, NAMES)
    apply(session, operation("paint", "a", **CLICK))
    assert session.GetNumberOfLayers() == 1
    for segment, layers in (("b", 2), ("c", 3)):
        apply(session, operation("paint", segment, {"OverwriteMode": "OverwriteNone"}, **CLICK))
        assert session.GetNumberOfLayers() == layers
    assert len({mask.tobytes() for mask in masks_of(session).values()}) == 1
    for layers in (2, 1):
        undone(session)
        assert session.GetNumberOfLayers() == layers
        assert label_map_of(session).GetPointData().GetNumberOfArrays() == layers
    redone(session, 2)
    assert session.GetNumberOfLayers() == 3
    apply(session, operation("remove_segment", "c"), operation("paint", "a", **CLICK))
    assert session.GetNumberOfLayers() == 2
    assert counts_of(session)["b"] == 0


def test_numbers_are_at_once_in_the_table() -> None:
    session = started()
    assert counts_of(session)["a"] == mask_of(session, "a").sum() > 0
    assert [status for *_, status in (row[:5] for row in rows_of(session))] == [1, 1, 1]
    apply(session, operation("add_segment", "new"))
    assert rows_of(session)[-1][4] == 0
    apply(session, operation("paint", "new", **CLICK))
    assert rows_of(session)[-1][4] == 1  # in progress
    undone(session)
    assert rows_of(session)[-1][4] == 0


def test_labels_widen() -> None:
    session = WORLD.session()
    values = {"a": 200, "b": 300, "c": 2**20, "d": 2**40, "e": 2**63 - 1}
    types = ["unsigned char", "unsigned short", "unsigned int", "unsigned long", "unsigned long"]
    corner = WORLD.point((0, 0, 0))
    contents = []
    for (segment, value), kind in zip(values.items(), types, strict=True):
        apply(
            session,
            operation("add_segment", segment, LabelValue=value),
            operation("paint", segment, Points=[corner], BrushPixelMode=True),
            operation("paint", segment, BrushPixelMode=True, **CLICK),
        )
        image = label_map_of(session)
        labels = image.GetPointData().GetArray("Labels")
        assert labels.GetDataTypeAsString().removeprefix("vtktypeu").startswith(kind)
        assert sorted(np.unique(array_of(image, "Labels"))) == [0, value]
        assert mask_of(session, segment)[0, 0, 0]
        contents.append(content_of(session))
        check_counts(session)
    again = WORLD.session()
    done(again, again.Start(label_map_of(session)))
    assert content_of(again) == content_of(session)
    for content in reversed(contents[:-1]):
        undone(session, 3)
        assert content_of(session) == content
    assert label_map_of(session).GetPointData().GetArray("Labels").GetDataTypeSize() == 1
    assert "already" in refused(session, operation("add_segment", "a", LabelValue=2**40))
    assert "LabelValue" in refused(session, operation("add_segment", "z", LabelValue=200))


def test_many_segments() -> None:
    session = WORLD.session()
    names = [f"segment {i}" for i in range(300)]
    add_segments(session, names)
    apply(
        session,
        *(
            operation(
                "paint",
                name,
                Points=[WORLD.point((i % 14, i // 14 % 12, i // 168))],
                BrushPixelMode=True,
            )
            for i, name in enumerate(names)
        ),
    )
    assert set(counts_of(session).values()) == {1}
    labels = array_of(label_map_of(session), "Labels")
    assert labels.dtype == np.uint16
    assert (labels > 0).sum() == 300
    check_counts(session)


# ---------------------------------------------------------------------------------------------
# Starting from a label map.


def test_a_start_from_what_another_session_made() -> None:
    first = started()
    again = WORLD.session(VOLUME, block_edge=4)
    done(again, again.Start(label_map_of(first)))
    assert content_of(again) == content_of(first)
    assert (again.GetNumberOfUndoSteps(), again.GetOperations()) == (0, "[]")
    edit = operation("paint", "b", {"MaskMode": "EditAllowedInsideVisibleSegments"}, **CLICK)
    apply(first, edit)
    apply(again, edit)
    assert content_of(again) == content_of(first)
    done(again, again.Start(None))
    assert segments_of(again) == []
    assert again.GetNumberOfBlocks() == 0


@pytest.mark.parametrize("kind", ["uint8", "int16", "uint64", "int64"])
def test_labels_without_a_table_become_segments(kind: str) -> None:
    session = WORLD.session()
    labels = (VOLUME // 30).astype(kind)
    done(session, session.Start(WORLD.image(labels)))
    assert segments_of(session) == ["Segment_1", "Segment_2", "Segment_3"]
    for value, segment in enumerate(segments_of(session), 1):
        assert_same(mask_of(session, segment), labels == value)
    check_counts(session)


@pytest.mark.parametrize(
    ("labels", "world", "culprit"),
    [
        (VOLUME.astype(np.int16) - 50, WORLD, "negative"),
        (VOLUME.astype(np.float32), WORLD, "floating"),
        (np.full(WORLD.shape, 2**63, np.uint64), WORLD, "2\\^63"),
        (VOLUME, World(WORLD.shape), "extent"),
        (VOLUME, World(WORLD.shape, spacing=(1.0, 1.0, 1.0), first=WORLD.first), "spacing"),
    ],
    ids=["negative", "float", "too large", "extent", "spacing"],
)
def test_a_label_map_that_is_none(labels: np.ndarray, world: World, culprit: str) -> None:
    session = started()
    before = state_of(session)
    assert not session.Start(world.image(labels))
    assert culprit.replace("\\", "") in session.GetLastError()
    assert state_of(session) == before


# ---------------------------------------------------------------------------------------------
# Regions and previews.


def test_a_region_is_all_that_an_effect_sees() -> None:
    session = started()
    inside = np.zeros(WORLD.shape, bool)
    inside[2:8, 3:9, 4:10] = True
    center = WORLD.point((6.5, 5.5, 4.5))
    region = {"center": center, "size": [step * 6 for step in WORLD.spacing]}
    spacing = WORLD.spacing[::-1]
    for effect, parameters, function in (
        (
            "margin",
            {"MarginSizeMm": -1.3},
            lambda m: margin(m, margin_size_mm=-1.3, spacing=spacing),
        ),
        ("margin", {"MarginSizeMm": 2.6}, lambda m: margin(m, margin_size_mm=2.6, spacing=spacing)),
        ("median", {}, lambda m: median(m, spacing=spacing)),
        ("islands", {}, islands),
        ("threshold", {"MinimumThreshold": 50}, lambda m: VOLUME >= 50),
        ("logical", {"Operation": "FILL"}, np.ones_like),
    ):
        before = mask_of(session, "c")
        edit = operation(effect, "c", region=region, **parameters)
        cut = (before & inside).astype(np.uint8)[2:8, 3:9, 4:10]
        full = np.zeros(WORLD.shape, bool)
        full[2:8, 3:9, 4:10] = (
            function(cut) if effect != "threshold" else (VOLUME >= 50)[2:8, 3:9, 4:10]
        )
        expected = np.where(inside, full, before)
        assert_same(preview_of(session, edit), expected, effect)
        apply(session, edit)
        assert_same(mask_of(session, "c"), expected, effect)
        undone(session)


@pytest.mark.parametrize("far", [1e6, 1e300, -1e300, 1.7e308, -1.7e308])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_region_far_away_has_no_voxels(far: float, axis: int) -> None:
    world = World(WORLD.shape, direction=IDENTITY, origin=(0.0, 0.0, 0.0))
    session = world.session()
    add_segments(session, "a")
    middle = world.point((7, 6, 4))
    center = list(middle)
    center[axis] = far
    region = {"center": center, "size": [1e3, 1e3, 1e3]}
    apply(session, operation("paint", "a", Points=[middle], region=region))
    apply(session, operation("logical", "a", Operation="FILL", region=region))
    assert counts_of(session) == {"a": 0}
    region = {"center": middle, "size": [1.7e308] * 3}
    apply(session, operation("logical", "a", Operation="FILL", region=region))
    assert mask_of(session, "a").all()


@pytest.mark.parametrize("step", [2, 3, 5, 100])
def test_a_reduced_preview(step: int) -> None:
    session = started()
    reduced = tuple(slice(None, None, step) for _ in range(3))
    masks = masks_of(session)
    coarse = World(VOLUME[reduced].shape, spacing=tuple(s * step for s in WORLD.spacing))
    image = vtkImageData()
    edit = operation("threshold", "a", MinimumThreshold=39.5, MaximumThreshold=70.5)
    extent = everywhere(session, step)
    done(session, session.Preview(json.dumps(edit), extent, step, image))
    assert image.GetSpacing() == pytest.approx(coarse.spacing)
    assert list(image.GetOrigin()) == pytest.approx(WORLD.point((0, 0, 0)))
    values = VOLUME[reduced]
    assert_same(array_of(image, "Mask") == 1, (values > 39) & (values < 71))
    way = [(2, 3, 1), (9, 8, 6)]
    edit = operation("paint", "a", Points=[WORLD.point(p) for p in way], BrushAbsoluteDiameter=4.1)
    expected = masks["a"] | WORLD.brush(way, BrushAbsoluteDiameter=4.1)
    assert_same(preview_of(session, edit, step), expected[reduced])
    edit = operation("logical", "a", Operation="XOR", ModifierSegmentID="c")
    assert_same(preview_of(session, edit, step), (masks["a"] ^ masks["c"])[reduced])
    # Numbers of voxels stand for volumes.
    size = 2 * step**3
    edit = operation("islands", "c", Operation="REMOVE_SMALL_ISLANDS", MinimumSize=size)
    labels, count = ndimage.label(masks["c"][reduced])
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    assert_same(preview_of(session, edit, step), (labels > 0) & (sizes[labels] >= 2))


def test_previews_that_cannot_be() -> None:
    session = started()
    before = state_of(session)
    image = vtkImageData()
    text = json.dumps(GOOD)
    for wrong, step, culprit in (
        (text, 0, "step"),
        (text, -1, "step"),
        (json.dumps([GOOD, GOOD]), 1, "2 operations"),
        ("[]", 1, "0 operations"),
        (json.dumps(operation("add_segment", "d")), 1, "add_segment"),
        (json.dumps(operation("paint", "nobody", **CLICK)), 1, "nobody"),
        ("{", 1, "JSON"),
    ):
        assert not session.Preview(wrong, whole(session), step, image)
        assert culprit in session.GetLastError()
    assert not session.Preview(text, whole(session), 1, None)
    assert session.GetLastError()
    done(session, session.Preview(text, [1000, 1010, 0, 1, 0, 1], 1, image))
    assert image.GetNumberOfPoints() == 0
    assert state_of(session) == before


def test_parts_of_the_world() -> None:
    session = started(4)
    image = vtkImageData()
    x, y, z = WORLD.first
    extent = [x + 2, x + 100, y - 5, y + 3, z + 4, z + 4]
    cut = (slice(4, 5), slice(0, 4), slice(2, None))
    labels = array_of(label_map_of(session), "Labels")
    done(session, session.GetLabelMap(extent, image))
    assert image.GetExtent() == (x + 2, x + 13, y, y + 3, z + 4, z + 4)
    assert_same(array_of(image, "Labels"), labels[cut])
    done(session, session.GetSegmentMask("a", extent, image))
    assert_same(array_of(image, "Mask") == 1, mask_of(session, "a")[cut])
    for nowhere in ([0, -1, 0, -1, 0, -1], [500, 600, 0, 1, 0, 1]):
        done(session, session.GetLabelMap(nowhere, image))
        assert image.GetNumberOfPoints() == 0
        done(session, session.GetSegmentMask("a", nowhere, image))
        assert image.GetNumberOfPoints() == 0
    for call in (
        lambda: session.GetSegmentMask("nobody", extent, image),
        lambda: session.GetSegmentMask("a", extent, None),
        lambda: session.GetLabelMap(extent, None),
        lambda: session.UpdateLabelMap(extent, None),
    ):
        assert not call()
        assert session.GetLastError()


def test_a_display_that_cannot_be_updated_stays() -> None:
    session = started()
    shown = label_map_of(session)
    labels = array_of(shown, "Labels")
    apply(session, operation("add_segment", "wide", LabelValue=2**40))
    assert not session.UpdateLabelMap(whole(session), shown)
    assert "GetLabelMap" in session.GetLastError()
    assert_same(array_of(shown, "Labels"), labels)
    undone(session)
    done(session, session.UpdateLabelMap(whole(session), shown))


# ---------------------------------------------------------------------------------------------
# Events, progress, and stopping.


def count_events(session: Any, event: int) -> list[str]:
    """What was changed last, at each of these events."""
    told: list[str] = []
    session.AddObserver(event, lambda *_: told.append(session.GetLastChange()))
    return told


def test_changes_are_told() -> None:
    session = started()
    told = count_events(session, vtkLabelMapEditSession.LabelsChangedEvent)
    apply(session, GOOD, operation("show_segment", "c", Visible=False))
    first = json.loads(told[0])
    assert first["segments"] == ["a"]
    assert first["table"]
    undone(session, 2)
    redone(session)
    assert len(told) == 4
    assert json.loads(told[1])["segments"] == []
    assert json.loads(told[2])["segments"] == json.loads(told[3])["segments"] == ["a"]
    assert json.loads(told[2])["extent"] == first["extent"]
    preview_of(session, GOOD)
    label_map_of(session)
    session.Apply("{")
    session.ClearHistory()
    session.Undo()
    assert len(told) == 4


LONG = {
    "margin": operation("margin", "a", MarginSizeMm=3.0),
    "median": operation("median", "a", KernelSizeMm=3.0),
    "islands": operation("islands", "a"),
    "threshold": operation("threshold", "b", MinimumThreshold=40),
    "otsu": operation("threshold", "b", AutoThresholdMode="SET_LOWER_MAX"),
    "invert": operation("logical", "a", Operation="INVERT"),
    "masked": operation(
        "logical", "a", {"OverwriteMode": "OverwriteNone"}, Operation="FILL", BypassMasking=False
    ),
}


@pytest.mark.parametrize("name", LONG)
def test_progress_and_stopping(name: str) -> None:
    world = World((48, 40, 52))
    session = world.session(smooth_volume(world.shape, 1), block_edge=8)
    add_segments(session, "ab")
    apply(session, operation("threshold", "a", MinimumThreshold=55))
    apply(session, operation("paint", "b", Points=[world.point((20, 20, 20))]))
    undone(session)
    before = state_of(session)
    fractions: list[float] = []
    stop = [True]

    def hear(caller: Any, _event: str, fraction: float) -> None:
        fractions.append(fraction)
        if stop[0]:
            caller.SetAbortExecute(True)

    hear.CallDataType = 11  # type: ignore[attr-defined]  # VTK_DOUBLE
    session.AddObserver(vtkCommand.ProgressEvent, hear)
    error = refused(session, LONG[name])
    assert fractions
    assert "cancel" in error or "abort" in error or "stop" in error, error
    assert state_of(session) == before
    check_counts(session)
    stop[0] = False
    fractions.clear()
    apply(session, LONG[name])  # the wish to stop was for the one before
    assert fractions
    assert all(0 <= fraction <= 1 for fraction in fractions)
    undone(session)
    assert content_of(session) == before[0]


# ---------------------------------------------------------------------------------------------
# A world that no memory holds.

HUGE = World((4096, 4096, 4096), spacing=(0.5, 0.25, 1.0))
MEGABYTE = 2**20


def test_strokes_in_a_huge_world() -> None:
    session = HUGE.session()
    add_segments(session, NAMES)
    assert session.GetMemorySize() < 1000
    part = World((24, 24, 24), spacing=HUGE.spacing)
    corners = [(0, 0, 0), (2040, 2040, 2040), (4072, 4072, 4072)]
    way = [(4, 5, 6), (19, 14, 9)]
    brush = part.brush(way, BrushAbsoluteDiameter=2.3)
    image = vtkImageData()

    def seen(segment: str, corner: tuple[int, ...]) -> np.ndarray:
        extent = [bound for low in corner for bound in (low, low + 23)]
        done(session, session.GetSegmentMask(segment, extent, image))
        return array_of(image, "Mask") == 1

    for segment, corner in zip(NAMES, corners, strict=True):
        points = [HUGE.point(np.add(corner, p)) for p in way]
        apply(session, operation("paint", segment, Points=points, BrushAbsoluteDiameter=2.3))
    for segment, corner in zip(NAMES, corners, strict=True):
        assert_same(seen(segment, corner), brush)
    assert set(counts_of(session).values()) == {int(brush.sum())}
    assert session.GetMemorySize() < MEGABYTE
    # Some masked by the others, some that cannot be seen from here.
    masking = {"MaskMode": "EditAllowedOutsideAllSegments", "OverwriteMode": "OverwriteNone"}
    corner = corners[1]
    points = [HUGE.point(np.add(corner, p)) for p in [(0, 5, 5), (23, 5, 9)]]
    apply(session, operation("paint", "a", masking, Points=points, BrushAbsoluteDiameter=3.0))
    other = part.brush([(0, 5, 5), (23, 5, 9)], BrushAbsoluteDiameter=3.0)
    assert_same(seen("a", corner), other & ~brush)
    assert_same(seen("b", corner), brush)
    apply(session, operation("logical", "c", Operation="UNION", ModifierSegmentID="a"))
    apply(session, operation("margin", "b", KEEP, MarginSizeMm=0.6))
    assert counts_of(session)["b"] > brush.sum()
    end = counts_of(session)
    assert session.GetMemorySize() < 2 * MEGABYTE
    assert session.GetUndoMemorySize() < 4 * MEGABYTE
    undone(session, 9)
    assert segments_of(session) == []
    assert session.GetMemorySize() < 1000
    redone(session, 9)
    assert counts_of(session) == end
    assert_same(seen("a", corner), other & ~brush)
    change = json.loads(session.GetLastChange())["extent"]
    assert max(change[1::2]) < 2200  # of the margin alone


def test_a_line_in_a_huge_world_takes_what_it_touches() -> None:
    session = HUGE.session(block_edge=16)
    add_segments(session, "a")
    ends = [HUGE.point((3072, 3072, 3072)), HUGE.point((4095, 4095, 4095))]
    apply(session, operation("paint", "a", Points=ends, BrushPixelMode=True))
    assert counts_of(session) == {"a": 1024}
    assert session.GetNumberOfBlocks() == 64
    assert session.GetMemorySize() < 64 * (16**3 + 100)
    image = vtkImageData()
    point = HUGE.point((64, 128, 0))
    edit = json.dumps(operation("paint", "a", Points=[point], BrushAbsoluteDiameter=1e-3))
    done(session, session.Preview(edit, [0, 63] * 3, 64, image))
    seen = [list(reversed(index)) for index in np.argwhere(array_of(image, "Mask")).tolist()]
    assert seen == [[1, 2, 0], *([i, i, i] for i in range(48, 64))]
    apply(session, operation("erase", "a", Points=ends, BrushAbsoluteDiameter=1e-3))
    assert counts_of(session) == {"a": 0}
    undone(session)
    assert counts_of(session) == {"a": 1024}


# ---------------------------------------------------------------------------------------------
# Volumes, also of another geometry.


def test_a_volume_gives_the_world_its_geometry() -> None:
    session = vtkLabelMapEditSession()
    done(session, session.SetVolume(WORLD.image(VOLUME)))
    assert tuple(whole(session)) == WORLD.extent
    add_segments(session, "a")
    apply(session, operation("threshold", "a", MinimumThreshold=50))
    assert_same(mask_of(session, "a"), VOLUME >= 50)
    assert len(session.GetVolumeFingerprint()) == 16


def test_volumes_that_are_none() -> None:
    session = started()
    before, volume = state_of(session), session.GetVolume()
    image = WORLD.image(VOLUME, "Values")
    assert not session.SetVolume(image, "Intensity")
    assert "Intensity" in session.GetLastError()
    image.GetPointData().SetActiveScalars("")
    image.GetPointData().RemoveArray("Values")
    assert not session.SetVolume(image)
    assert session.GetLastError()
    assert session.GetVolume() is volume
    assert state_of(session) == before


def test_what_needs_a_volume_says_so() -> None:
    session = WORLD.session()
    add_segments(session, "a")
    masking = {"SourceVolumeIntensityMask": True, "SourceVolumeIntensityMaskRange": [0, 1]}
    assert "volume" in refused(session, operation("threshold", "a"))
    assert "volume" in refused(session, operation("paint", "a", masking, **CLICK))
    done(session, session.SetVolume(WORLD.image(VOLUME)))
    apply(session, operation("paint", "a", masking, **CLICK))
    done(session, session.SetVolume(None))
    assert session.GetVolume() is None
    assert "volume" in refused(session, operation("threshold", "a"))


def test_the_array_of_a_volume_is_chosen() -> None:
    image = WORLD.image(VOLUME, "first")
    image.GetPointData().AddArray(
        WORLD.image(np.uint8(100) - VOLUME, "second").GetPointData().GetArray(0)
    )
    session = WORLD.session()
    add_segments(session, "a")
    fingerprints = set()
    for name, values in ((None, VOLUME), ("second", 100 - VOLUME.astype(int)), ("first", VOLUME)):
        done(session, session.SetVolume(image, name))
        apply(session, operation("threshold", "a", MinimumThreshold=50))
        assert_same(mask_of(session, "a"), values >= 50)
        fingerprints.add(session.GetVolumeFingerprint())
    assert len(fingerprints) == 2


def plane(world: World, normal: tuple[float, ...]) -> np.ndarray:
    """Values that rise along a direction: what interpolation gives exactly, but for rounding."""
    indices = np.moveaxis(np.indices(world.shape)[::-1], 0, -1) + world.first
    places = indices * world.spacing @ np.array(world.direction).reshape(3, 3).T + world.origin
    return places @ np.array(normal)


# Coarser, turned, and about as large as the other: it covers a part of it.
OTHER = World(
    (8, 7, 9),
    spacing=(1.13, 1.87, 2.31),
    origin=(10.513, -18.027, 33.041),
    direction=(0.6, -0.64, 0.48, 0.8, 0.48, -0.36, 0.0, 0.6, 0.8),
)


def inside(world: World, other: World) -> np.ndarray:
    """Voxels whose place lies between the other's voxels."""
    result = np.ones(world.shape, bool)
    for axis in range(3):
        normal = np.array(other.direction).reshape(3, 3)[:, axis]
        index = (plane(world, normal) - np.dot(other.origin, normal)) / other.spacing[axis]
        index -= other.first[axis]
        size = other.shape[::-1][axis]
        assert np.abs(index - np.clip(index.round(), -1, size)).min() > 1e-6  # no ties
        result &= (index >= 0) & (index <= size - 1)
    return result


def test_a_volume_of_another_geometry_is_interpolated() -> None:
    normal = (0.3, -0.5, 0.8)
    values = plane(WORLD, normal)
    covered = inside(WORLD, OTHER)
    assert 100 < covered.sum() < covered.size - 100
    low, high = np.quantile(values[covered], [0.3, 0.8])
    selected = (values >= low + 1e-7) & (values <= high - 1e-7)
    limits = [low + 1e-7, high - 1e-7]
    session = WORLD.session(block_edge=4)
    add_segments(session, NAMES)
    done(session, session.SetVolume(OTHER.image(plane(OTHER, normal))))
    apply(
        session, operation("threshold", "a", MinimumThreshold=limits[0], MaximumThreshold=limits[1])
    )
    assert_same(mask_of(session, "a"), covered & selected)
    masking = {"SourceVolumeIntensityMask": True, "SourceVolumeIntensityMaskRange": limits}
    way = [(2, 3, 1), (9, 8, 6)]
    stroke = {"Points": [WORLD.point(p) for p in way], "BrushAbsoluteDiameter": 9.0}
    apply(session, operation("paint", "b", masking, **stroke))
    brush = WORLD.brush(way, BrushAbsoluteDiameter=9.0)
    assert_same(mask_of(session, "b"), brush & covered & selected)
    check_counts(session)


def test_a_volume_of_the_same_voxels_that_covers_a_part() -> None:
    part = World((5, 20, 6), first=(-1, -3, 7))  # of WORLD's lattice
    values = smooth_volume(part.shape, 9)
    session = WORLD.session()
    add_segments(session, "a")
    done(session, session.SetVolume(part.image(values)))
    expected = np.zeros(WORLD.shape, bool)
    expected[2:7, :, 2:8] = values[:, 3:15, :] >= 40
    apply(session, operation("threshold", "a", MinimumThreshold=40))
    assert_same(mask_of(session, "a"), expected)


# ---------------------------------------------------------------------------------------------
# Comparing with a session at another resolution.


def test_two_resolutions() -> None:
    fine = World((16, 12, 20), spacing=(0.5, 0.5, 0.5), first=(0, 0, 0))
    coarse = World((8, 6, 10), spacing=(1.0, 1.0, 1.0), origin=tuple(fine.point((0.5, 0.5, 0.5))))
    small = random_mask(coarse.shape, 5, 30)
    large = small.repeat(2, 0).repeat(2, 1).repeat(2, 2)
    first, second = fine.session(), coarse.session()
    done(first, first.Start(fine.image(large.astype(np.uint8))))
    done(second, second.Start(coarse.image(small.astype(np.uint8))))
    for one, other in ((first, first), (second, second), (first, second), (second, first)):
        report = one.Compare(other)
        assert one.GetLastError() == ""
        text = json.dumps(json.loads(report))
        assert "Segment_1" in text
        assert '"dice": 1.0' in text.lower(), text
    assert first.Compare(None) == ""
    assert first.GetLastError()
    assert first.Compare(second, -1) == ""
    assert first.GetLastError()
