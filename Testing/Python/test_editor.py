"""The editing session in Python: coordinates, kinds of data, errors, undo, journal."""

from __future__ import annotations

import gc
import json
import os
import signal
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sample_data import assert_same, blob_labels, smooth_volume
from segmentationcore import (
    Cancelled,
    Editor,
    LabelMap,
    Segment,
    SegmentationCoreError,
    apply_operations,
    erase,
    islands,
    margin,
    median,
    paint,
    read_segments,
    threshold,
    to_array,
    to_image,
    write_segments,
)
from segmentationcore.editor import Change
from stroke_oracle import swept

pytestmark = pytest.mark.python

SHAPE = (12, 14, 16)
SPACING = (1.5, 0.9, 1.0)
ORIGIN = (3.0, -2.0, 10.0)


def editor_of(kind: str, volume: np.ndarray, **more: Any) -> Editor:
    """An editor of an array, or of an image with the same geometry and a shifted extent."""
    if kind == "array":
        return Editor(volume, spacing=SPACING, origin=ORIGIN, **more)
    image = to_image(volume, spacing=SPACING, origin=ORIGIN)
    # The same place, told by an extent that does not begin at 0.
    first = (5, -3, 2)
    origin = [
        o - i * s for o, i, s in zip(image.GetOrigin(), first, image.GetSpacing(), strict=True)
    ]
    extent = [i + bound for i, n in zip(first, image.GetDimensions(), strict=True)
              for bound in (0, n - 1)]  # fmt: skip
    image.SetExtent(extent)
    image.SetOrigin(origin)
    return Editor(image, **more)


def ordered(kind: str, *values: Any) -> Any:
    """Coordinates z, y, x as an editor of this kind wants them."""
    result = [list(value) if kind == "array" else list(value)[::-1] for value in values]
    return result[0] if len(result) == 1 else result


def array_of(mask: Any) -> np.ndarray:
    return mask if isinstance(mask, np.ndarray) else to_array(mask).astype(bool)


KINDS = pytest.mark.parametrize("kind", ["array", "image"])


@KINDS
def test_effects_give_what_the_functions_give(kind: str) -> None:
    volume = smooth_volume(SHAPE, 3)
    before = volume.tobytes()
    editor = editor_of(kind, volume)
    assert editor.shape == SHAPE
    assert editor.spacing == pytest.approx(ordered(kind, SPACING))
    assert editor.origin == pytest.approx(ordered(kind, ORIGIN))
    row = editor.add_segment("a", name="First", color=(1.0, 0.5, 0.0), label_value=7)
    assert (row.name, row.color, row.label_value) == ("First", (1.0, 0.5, 0.0), 7)
    editor.apply("threshold", "a", minimum_threshold=45)
    expected = threshold(volume, minimum_threshold=45)
    assert_same(array_of(editor.mask("a")), expected == 1)
    editor.apply("islands", "a", operation="REMOVE_SMALL_ISLANDS", MinimumSize=20, connectivity=18)
    expected = islands(expected, operation="REMOVE_SMALL_ISLANDS", minimum_size=20, connectivity=18)
    editor.apply("margin", "a", margin_size_mm=np.float32(-1.0))
    expected = margin(expected, margin_size_mm=-1.0, spacing=SPACING)
    editor.apply("median", "a", KernelSizeMm=3.0)
    expected = median(expected, kernel_size_mm=3.0, spacing=SPACING)
    assert_same(array_of(editor.mask("a")), expected == 1)
    # Points are in world coordinates, also where the origin is elsewhere.
    centre = np.array(ORIGIN) + np.array(SPACING) * (5, 6, 7)
    points = ordered(kind, centre, centre + np.array([4.0, 0.0, -3.0]))
    editor.apply("paint", "a", points=points, brush_absolute_diameter=4.4)
    local = [np.array(SPACING) * (5, 6, 7), np.array(SPACING) * (5, 6, 7) + (4.0, 0.0, -3.0)]
    assert_same(
        array_of(editor.mask("a")),
        (expected == 1) | swept(SHAPE, local, 4.4, SPACING),
    )
    expected = paint(expected, points=local, brush_absolute_diameter=4.4, spacing=SPACING)
    disc = {"brush_sphere": False, "slice_thickness": 2.0}
    normal = ordered(kind, (0.0, 0.6, 0.8))
    editor.apply("erase", "a", points=points, slice_normal=normal, **disc)
    expected = erase(expected, points=local, slice_normal=(0.0, 0.6, 0.8), spacing=SPACING, **disc)
    labels, (row,) = editor.labels()
    if kind == "image":
        assert read_segments(labels) == (row,)
        labels = to_array(labels, "Labels")
    assert_same(labels, np.where(expected == 1, np.uint8(7), np.uint8(0)))
    assert row.voxel_count == np.count_nonzero(expected)
    assert volume.tobytes() == before


@KINDS
def test_operations_have_world_coordinates_in_every_editor(kind: str) -> None:
    editor = editor_of(kind, smooth_volume(SHAPE, 3))
    point = np.array(ORIGIN) + np.array(SPACING) * (5, 6, 7)
    operation = {
        "effect": "paint", "segment": "a", "parameters": {"Points": [point[::-1].tolist()]},
    }  # fmt: skip
    editor.apply([{"effect": "add_segment", "segment": "a"}, operation])
    assert array_of(editor.mask("a"))[5, 6, 7]
    editor.add_segment("b")
    editor.apply("paint", "b", points=[ordered(kind, point)])
    told = editor.operations
    assert told[1] == operation
    assert told[3] == {**operation, "segment": "b"}
    assert json.loads(json.dumps(told)) == told


def test_the_direction_matrix_is_in_the_order_of_the_axes() -> None:
    # Axis 0 of the array goes along -y of the world, axis 1 along z, axis 2 along x.
    direction = [[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]  # rows: z, y, x
    editor = Editor(shape=SHAPE, spacing=SPACING, origin=ORIGIN, direction=direction)
    editor.add_segment("a")
    point = np.array(ORIGIN) + np.array(direction) @ (np.array(SPACING) * (3, 9, 4))
    editor.apply("paint", "a", points=[point], brush_pixel_mode=True)
    assert np.argwhere(editor.mask("a")).tolist() == [[3, 9, 4]]
    with pytest.raises(SegmentationCoreError, match="perpendicular"):
        Editor(shape=SHAPE, direction=np.ones((3, 3)))


def test_a_slice_of_two_axes() -> None:
    volume = smooth_volume((14, 16), 3)
    editor = Editor(volume, spacing=(0.9, 1.0), origin=(5.0, 6.0))
    assert (editor.shape, editor.spacing, editor.origin) == ((14, 16), (0.9, 1.0), (5.0, 6.0))
    editor.add_segment("a")
    editor.apply("threshold", "a", minimum_threshold=50)
    assert_same(editor.mask("a"), volume >= 50)
    editor.apply("logical", "a", operation="FILL", region={"center": [7.7, 10.0], "size": [2, 4]})
    filled = volume >= 50
    filled[2:5, 2:7] = True
    assert_same(editor.mask("a"), filled)
    editor.apply("paint", "a", points=[[5.0, 6.0]], brush_absolute_diameter=1.0)
    change = editor.last_change
    assert change.region is None or len(change.region) == 2
    assert editor.mask("a", np.s_[:3]).shape == (3, 16)
    assert editor.labels({"center": (5.0, 6.0), "size": (2.0, 2.0)}).labels.shape == (2, 2)
    assert editor.labels().labels[0, 0] == 1


@KINDS
def test_regions_and_masking(kind: str) -> None:
    volume = smooth_volume(SHAPE, 3)
    editor = editor_of(kind, volume)
    for name in "ab":
        editor.add_segment(name)
    editor.apply("threshold", "a", minimum_threshold=50)
    centre = np.array(ORIGIN) + np.array(SPACING) * (5, 6, 7)
    region = {"center": ordered(kind, centre), "size": ordered(kind, np.array(SPACING) * (4, 2, 6))}
    editor.apply(
        "logical", "b", operation="FILL", bypass_masking=False, region=region,
        masking={"mask_mode": "EditAllowedOutsideAllSegments", "OverwriteMode": "OverwriteNone"},
    )  # fmt: skip
    box = np.zeros(SHAPE, bool)
    box[3:8, 5:8, 4:11] = True
    assert_same(array_of(editor.mask("b")), box & (volume < 50))
    part = np.s_[3:8, 5:8, 4:11]
    assert_same(array_of(editor.mask("b", region)), (volume < 50)[part])
    assert_same(array_of(editor.mask("b", part)), (volume < 50)[part])
    change = editor.last_change
    assert change.segments == ("b",)
    assert change.region is not None
    inside = np.zeros(SHAPE, bool)
    inside[change.region] = True
    assert inside[box & (volume < 50)].all()
    assert inside.sum() < inside.size
    labels = editor.labels(change.region).labels
    whole = editor.labels().labels
    if kind == "image":
        labels, whole = to_array(labels, "Labels"), to_array(whole, "Labels")
    assert_same(labels, whole[change.region])
    editor.apply(
        "logical", "a", operation="FILL", bypass_masking=False,
        masking={"source_volume_intensity_mask": True,
                 "source_volume_intensity_mask_range": [20, 30]},
    )  # fmt: skip
    assert_same(array_of(editor.mask("a")), (volume >= 50) | ((volume >= 20) & (volume <= 30)))


@KINDS
def test_overlapping_segments_are_layers(kind: str) -> None:
    volume = smooth_volume(SHAPE, 3)
    editor = editor_of(kind, volume)
    editor.add_segment("low")
    editor.add_segment("high")
    editor.apply("threshold", "low", maximum_threshold=60)
    editor.apply(
        "threshold", "high", minimum_threshold=40, masking={"overwrite_mode": "OverwriteNone"}
    )
    masks = {"low": volume <= 60, "high": volume >= 40}

    def check(result: LabelMap) -> None:
        assert sorted(row.layer for row in result.segments) == [0, 1]
        for row in result.segments:
            voxels = (
                to_array(result.labels, row.array_name)
                if kind == "image"
                else result.labels[row.layer]
            )
            assert_same(voxels == row.label_value, masks[row.id])

    result = editor.labels()
    check(result)
    # And on from there, in an editor, and by the function.
    check(editor_of(kind, volume, labels=result).labels())
    source: Any = editor.session.GetVolume() if kind == "image" else volume
    check(apply_operations(source, [], labels=result))
    check(apply_operations(source, editor.operations))
    if kind == "array":
        check(Editor(labels=result).labels())
        assert editor.labels(np.s_[:2, 3:5]).labels.shape == (2, 2, 2, 16)


def test_layers_of_a_slice() -> None:
    volume = smooth_volume((14, 16), 3)
    editor = Editor(volume)
    for name in "ab":
        editor.add_segment(name)
        editor.apply(
            "threshold", name, minimum_threshold=40, masking={"overwrite_mode": "OverwriteNone"}
        )
    result = editor.labels()
    assert result.labels.shape == (2, 14, 16)
    again = Editor(volume, labels=result)
    assert_same(again.mask("a"), volume >= 40)
    assert_same(again.mask("b"), volume >= 40)


def test_starting_from_labels() -> None:
    labels = blob_labels(SHAPE, 7)
    editor = Editor(labels=labels, spacing=SPACING)
    assert [row.id for row in editor.segments] == ["Segment_1", "Segment_2", "Segment_3"]
    assert editor.spacing == SPACING
    editor.apply("margin", "Segment_1", margin_size_mm=1.0)
    assert_same(editor.mask("Segment_1"), margin(labels, margin_size_mm=1.0, spacing=SPACING) == 1)
    rows = (Segment("x", 2, name="X"), Segment("y", 3, visible=False))
    editor = Editor(
        smooth_volume(SHAPE, 3), labels=LabelMap(np.where(labels == 1, 0, labels), rows)
    )
    assert [(row.id, row.name, row.visible) for row in editor.segments] == [
        ("x", "X", True),
        ("y", "y", False),
    ]
    assert not editor.can_undo
    image = to_image(labels, spacing=SPACING, name="Labels")
    write_segments(image, [Segment("one", 1), Segment("two", 2), Segment("three", 3)])
    before = labels.tobytes()
    editor = Editor(labels=image)
    editor.apply("remove_segment", "two")
    assert [row.id for row in editor.segments] == ["one", "three"]
    assert labels.tobytes() == before
    assert len(read_segments(image)) == 3


def test_undo_and_redo() -> None:
    editor = Editor(smooth_volume(SHAPE, 3))
    assert not editor.can_undo
    assert not editor.undo()
    assert not editor.redo()
    editor.add_segment("a")
    states = [editor.labels().labels]
    for size in (3, 5, 9):
        editor.apply("paint", "a", points=[[5, 6, size]], brush_absolute_diameter=size)
        states.append(editor.labels().labels)
    assert editor.undo_memory_used > 0
    assert editor.memory >= editor.undo_memory_used
    for state in states[-2::-1]:
        assert editor.undo()
        assert_same(editor.labels().labels, state)
    assert len(editor.operations) == 1
    assert editor.can_redo
    for state in states[1:]:
        assert editor.redo()
        assert_same(editor.labels().labels, state)
    assert not editor.can_redo
    assert len(editor.operations) == 4
    editor.clear_history()
    assert not editor.can_undo
    assert_same(editor.labels().labels, states[-1])
    editor.undo_memory = 0
    assert editor.undo_memory == 0
    editor.apply("erase", "a", points=[[5, 6, 5]])
    assert not editor.can_undo


@KINDS
def test_a_preview_is_what_would_come(kind: str) -> None:
    volume = smooth_volume(SHAPE, 3)
    editor = editor_of(kind, volume)
    editor.add_segment("a")
    before = editor.operations
    shown = array_of(editor.preview("threshold", "a", minimum_threshold=45))
    assert_same(shown, volume >= 45)
    assert_same(
        array_of(editor.preview("threshold", "a", minimum_threshold=45, part=np.s_[2:5, :3])),
        (volume >= 45)[2:5, :3],
    )
    reduced = array_of(editor.preview("threshold", "a", minimum_threshold=45, step=3))
    assert_same(reduced, (volume >= 45)[::3, ::3, ::3])
    some = array_of(
        editor.preview("threshold", "a", minimum_threshold=45, step=3, part=np.s_[1:3, 2:, :])
    )
    assert_same(some, (volume >= 45)[::3, ::3, ::3][1:3, 2:])
    assert not array_of(editor.mask("a")).any()
    assert editor.operations == before
    operation = {"effect": "threshold", "segment": "a", "parameters": {"MinimumThreshold": 45}}
    assert_same(array_of(editor.preview(operation)), volume >= 45)
    with pytest.raises(ValueError, match="2 operations; expected 1"):
        editor.preview([operation, operation])
    with pytest.raises(ValueError, match="0 operations; expected 1"):
        editor.preview([])
    with pytest.raises(SegmentationCoreError, match="nobody"):
        editor.preview("margin", "nobody")


def test_worlds_larger_than_memory() -> None:
    editor = Editor(shape=(30000, 30000, 30000), spacing=(0.1, 0.1, 0.1))
    editor.add_segment("a")
    editor.apply("paint", "a", points=[[1500.0, 1500.0, 1500.0]], brush_absolute_diameter=2.0)
    region = editor.last_change.region
    assert region is not None
    assert_same(editor.mask("a", region), swept((21, 21, 21), [[10, 10, 10]], 20.0))
    assert editor.memory < 1 << 22
    assert "30000 x 30000 x 30000" in repr(editor)
    with pytest.raises(SegmentationCoreError):
        editor.apply("threshold", "a", minimum_threshold=1)  # no volume


def test_another_volume() -> None:
    volume = smooth_volume(SHAPE, 3)
    editor = Editor(shape=SHAPE, spacing=SPACING, origin=ORIGIN)
    editor.add_segment("a")
    editor.set_volume(volume)
    editor.apply("threshold", "a", minimum_threshold=45)
    assert_same(editor.mask("a"), volume >= 45)
    other = smooth_volume(SHAPE, 4)
    editor.set_volume(to_image(other, spacing=SPACING, origin=ORIGIN))
    editor.apply("threshold", "a", minimum_threshold=45)
    assert_same(editor.mask("a"), other >= 45)
    editor.set_volume(None)
    with pytest.raises(SegmentationCoreError):
        editor.apply("threshold", "a", minimum_threshold=45)
    with pytest.raises(ValueError, match=r"shape \(3, 3, 3\).*expected the same"):
        editor.set_volume(np.zeros((3, 3, 3)))
    image = to_image(volume, spacing=SPACING)
    image.GetPointData().AddArray(to_image(other, name="other").GetPointData().GetScalars())
    editor = Editor(image, array="other")
    editor.add_segment("a")
    editor.apply("threshold", "a", minimum_threshold=45)
    assert_same(array_of(editor.mask("a")), other >= 45)
    with pytest.raises(ValueError, match="no point array 'none'"):
        Editor(image, array="none")


def test_changes_are_told() -> None:
    editor = Editor(shape=(8, 9, 10))
    told: list[Change] = []
    stop = editor.on_change(told.append)
    editor.add_segment("a")
    assert told == [Change(None, told[0].segments, True)]
    editor.apply("paint", "a", points=[[4, 4, 4]], brush_absolute_diameter=2.0)
    assert told[1].segments == ("a",)
    assert told[1] == editor.last_change
    assert told[1].region is not None
    assert editor.mask("a", told[1].region).sum() == 7
    editor.undo()
    editor.redo()
    assert len(told) == 4
    assert told[3].region == told[2].region == told[1].region
    with pytest.raises(SegmentationCoreError):
        editor.apply("margin", "nobody")
    assert not editor.undo() or editor.redo()
    editor.preview("margin", "a", margin_size_mm=1.0)
    editor.labels()
    assert len(told) == 6
    stop()
    stop()
    editor.undo()
    assert len(told) == 6

    def broken(_change: Change) -> None:
        raise RuntimeError("in the callback")

    editor.on_change(broken)
    with pytest.raises(RuntimeError, match="in the callback"):
        editor.redo()
    assert editor.mask("a").sum() == 7
    with pytest.raises(TypeError, match="expected a callable"):
        editor.on_change("x")  # type: ignore[arg-type]


def test_an_editor_is_freed() -> None:
    editor = Editor(np.zeros((3, 4, 5)))
    editor.on_change(print)
    alive = weakref.ref(editor)
    del editor
    gc.collect()
    assert alive() is None


def test_an_effect_on_all_segments_names_none() -> None:
    editor = Editor(shape=(1, 1, 12))
    for segment, place in (("a", 2), ("hidden", 5), ("b", 8)):
        editor.add_segment(segment)
        editor.apply("paint", segment, points=[[0, 0, place]], brush_pixel_mode=True)
    editor.apply("show_segment", "hidden", visible=False)
    foreseen = editor.preview("expand_segments", expansion_size_mm=2.0)
    expected = [1, 1, 1, 1, 1, 0, 2, 2, 2, 2, 2, 0]
    assert foreseen.dtype == np.uint8
    assert foreseen.ravel().tolist() == expected
    editor.apply("expand_segments", expansion_size_mm=2.0)
    assert editor.mask("a").ravel().tolist() == [value == 1 for value in expected]
    assert editor.mask("b").ravel().tolist() == [value == 2 for value in expected]
    assert editor.mask("hidden").sum() == 1
    editor.undo()
    assert [row.voxel_count for row in editor.segments] == [1, 1, 1]
    with pytest.raises(TypeError, match="works on all visible segments"):
        editor.apply("expand_segments", "a")


@pytest.mark.parametrize(
    ("arguments", "error", "culprit"),
    [
        ({}, TypeError, "needs a volume, labels, or the shape"),
        ({"volume": [[1, 2]]}, TypeError, "volume is list"),
        ({"volume": np.zeros((2, 2, 2), complex)}, TypeError, "volume has the type complex"),
        ({"volume": np.zeros((2, 2, 2)), "shape": (2, 2, 2)}, TypeError, "shape is given, but"),
        ({"volume": np.zeros((2, 2, 2)), "array": "a"}, TypeError, "array is given"),
        ({"shape": (2, 2)}, None, ""),
        ({"shape": (2, 0, 2)}, ValueError, "all above 0"),
        ({"shape": (2, 2.5, 2)}, TypeError, "shape is"),
        ({"shape": 3}, TypeError, "shape is 3"),
        ({"shape": (2, 2, 2), "spacing": (1, 1)}, ValueError, "spacing is"),
        ({"shape": (2, 2, 2), "origin": (1, 1)}, ValueError, "origin is"),
        ({"shape": (2, 2, 2), "origin": "abc"}, TypeError, "origin is 'abc'"),
        ({"shape": (2, 2, 2), "origin": ("1", 2, 3)}, TypeError, "origin is .'1'"),
        ({"shape": (2, 2, 2), "direction": np.eye(2)}, ValueError, "direction is"),
        ({"shape": (2, 2, 2), "direction": [[1], [0, 1]]}, TypeError, "direction is"),
        ({"shape": (2, 2, 2), "direction": np.eye(3, dtype=bool)}, TypeError, "direction is"),
        pytest.param(
            {"volume": to_image(np.zeros((2, 2, 2))), "spacing": (1, 1, 1)},
            TypeError,
            "its own",
            id="an image, and a spacing",  # an address in the name would differ between processes
        ),
        (
            {"shape": (2, 2, 2), "labels": np.zeros((2, 2, 3), "u1")},
            ValueError,
            "expected the same",
        ),
        ({"shape": (2, 2, 2), "labels": "a.nrrd"}, TypeError, "labels is str"),
        ({"shape": (2, 2, 2), "undo_memory": -1}, ValueError, "undo_memory is -1"),
        ({"shape": (2, 2, 2), "undo_memory": 0.5}, TypeError, "undo_memory is 0.5"),
    ],
    ids=str,
)
def test_wrong_worlds(arguments: dict[str, Any], error: Any, culprit: str) -> None:
    if error is None:
        Editor(**arguments)
        return
    with pytest.raises(error, match=culprit):
        Editor(**arguments)


@pytest.mark.parametrize(
    ("arguments", "more", "error", "culprit"),
    [
        (("margn", "a"), {}, ValueError, "did you mean 'margin'"),
        (("margin",), {}, TypeError, "segment is None"),
        (("margin", ""), {}, ValueError, "segment is empty"),
        (("margin", "a"), {"margin_size": 1}, TypeError, "did you mean 'margin_size_mm'"),
        (("margin", "a"), {"margin_size_mm": "1"}, TypeError, "MarginSizeMm is '1'"),
        (("margin", "a"), {"margin_size_mm": 1, "MarginSizeMm": 1}, TypeError, "given twice"),
        (("paint", "a"), {}, ValueError, "Points is missing"),
        (("paint", "a"), {"points": [[1, 2]]}, ValueError, r"points\[0\] is \[1, 2\].*z, y, x"),
        (("paint", "a"), {"points": 3}, TypeError, "points is 3"),
        (("margin", "a"), {"masking": 3}, TypeError, "masking is int"),
        (("margin", "a"), {"masking": {"mask": 3}}, TypeError, "masking has no 'mask'"),
        (("margin", "a"), {"masking": {"mask_mode": "x"}}, ValueError, "MaskMode is 'x'"),
        (("margin", "a"), {"region": {"center": (1, 2, 3)}}, ValueError, "size is missing"),
        (
            ("margin", "a"),
            {"region": {"center": (1, 2, 3), "size": (1, 2, 0)}},
            ValueError,
            "size is .*above 0",
        ),
        (("add_segment", "b"), {"masking": {}}, ValueError, "masking is given"),
        (({"effect": "margin", "segment": "a"}, "a"), {}, TypeError, "whole operations say"),
        (({"effect": "margin", "segment": "a"},), {"x": 1}, TypeError, "whole operations say"),
        ((3,), {}, TypeError, "operations is int"),
        (("margin", "a"), {"progress": 3}, TypeError, "progress is int"),
    ],
    ids=str,
)
def test_wrong_operations_change_nothing(
    arguments: Any, more: dict[str, Any], error: type[Exception], culprit: str
) -> None:
    editor = Editor(shape=(5, 6, 7))
    editor.add_segment("a")
    with pytest.raises(error, match=culprit):
        editor.apply(*arguments, **more)
    assert len(editor.operations) == 1


def test_failures_say_why_and_change_nothing() -> None:
    editor = Editor(smooth_volume(SHAPE, 3))
    editor.add_segment("a")
    good = {"effect": "threshold", "segment": "a", "parameters": {"MinimumThreshold": 50.0}}
    with pytest.raises(SegmentationCoreError, match=r"Editor.apply\(\): .*nobody"):
        editor.apply([good, {"effect": "margin", "segment": "nobody"}])
    assert not editor.mask("a").any()
    assert len(editor.operations) == 1
    with pytest.raises(SegmentationCoreError, match="nobody"):
        editor.mask("nobody")
    for region, error in (
        (3, TypeError),
        (np.s_[1:1], ValueError),
        (np.s_[::2], ValueError),
        ((slice(None),) * 4, ValueError),
        ((1, 2, 3), TypeError),
        ({"center": (1, 1, 1)}, ValueError),
        ({"center": (1, 1, 1), "size": (1, 1)}, ValueError),
        ({"center": (1, 1, 1), "size": (1, 1, "1")}, TypeError),
        ({"center": (-99, 1, 1), "size": (1, 1, 1)}, ValueError),
    ):
        with pytest.raises(error, match="region"):
            editor.labels(region)  # type: ignore[arg-type]


def test_cancelling_changes_nothing() -> None:
    editor = Editor(smooth_volume((40, 40, 40), 3))
    editor.add_segment("a")
    seen: list[float] = []
    editor.apply("threshold", "a", minimum_threshold=50, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    before = editor.mask("a")
    with pytest.raises(Cancelled, match="nothing was changed"):
        editor.apply("margin", "a", margin_size_mm=3, progress=lambda _f: False)
    assert_same(editor.mask("a"), before)
    assert len(editor.operations) == 2

    def fail(_fraction: float) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        editor.apply("margin", "a", margin_size_mm=3, progress=fail)
    assert_same(editor.mask("a"), before)

    def press(_fraction: float) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt) as caught:
        editor.apply("margin", "a", margin_size_mm=3, progress=press)
    assert isinstance(caught.value, Cancelled)
    assert_same(editor.mask("a"), before)
    editor.apply("margin", "a", margin_size_mm=3)
    assert_same(editor.mask("a"), margin(before.astype(np.uint8), margin_size_mm=3) == 1)


def test_a_journal_restores_what_was_done(tmp_path: Path) -> None:
    volume = smooth_volume(SHAPE, 3)
    path = tmp_path / "edits.journal"
    with Editor(volume, spacing=SPACING) as editor:
        editor.open_journal(path)
        assert editor.journal == str(path)
        editor.add_segment("a", name="Größe")
        editor.apply("threshold", "a", minimum_threshold=50)
        editor.apply("margin", "a", margin_size_mm=1.5)
        editor.undo()
        expected = editor.labels()
        # Everything is in the file before it is closed.
        assert len(path.read_text(encoding="utf-8").splitlines()) == 5
    assert editor.journal is None
    with open(path, "ab") as file:
        file.write(b'{"apply": {"effe')  # a process that died
    again = Editor(volume, spacing=SPACING)
    told: list[Change] = []
    again.on_change(told.append)
    again.open_journal(path)
    assert again.journal_was_torn
    assert len(told) == 1
    assert_same(again.labels().labels, expected.labels)
    assert again.segments == expected.segments
    assert again.redo()
    again.close()
    assert len(again.operations) == 3
    third = Editor(volume, spacing=SPACING)
    third.replay(path, same_data=True)
    assert_same(third.labels().labels, again.labels().labels)
    third.save_journal(tmp_path / "copy.journal")
    fourth = Editor(volume, spacing=SPACING)
    fourth.replay(tmp_path / "copy.journal")
    assert fourth.segments == again.segments
    other = Editor(smooth_volume(SHAPE, 4), spacing=SPACING)
    with pytest.raises(SegmentationCoreError, match="another volume"):
        other.replay(path, same_data=True)
    assert other.segments == ()
    with pytest.raises(SegmentationCoreError, match="another volume"):
        other.open_journal(path)
    assert other.journal is None


def test_broken_journals(tmp_path: Path) -> None:
    editor = Editor(shape=(4, 4, 4))
    with pytest.raises(FileNotFoundError):
        editor.replay(tmp_path / "none.journal")
    with pytest.raises(FileNotFoundError, match="no such folder"):
        editor.open_journal(tmp_path / "none" / "a.journal")
    with pytest.raises(IsADirectoryError):
        editor.save_journal(tmp_path)
    path = tmp_path / "a.journal"
    for text in ("no journal\n", '{"format": "other"}\n', "{}\n"):
        path.write_text(text)
        for action in (editor.replay, editor.open_journal):
            with pytest.raises(SegmentationCoreError, match=r"a\.journal"):
                action(path)
        assert path.read_text() == text
    assert editor.operations == []


def test_comparing() -> None:
    first, second = Editor(shape=(20, 20, 20)), Editor(shape=(20, 20, 20))
    for editor in (first, second):
        editor.add_segment("ball")
        editor.add_segment("same")
        editor.apply("paint", "same", points=[[3, 3, 3]])
    first.apply("paint", "ball", points=[[10, 10, 10]], brush_absolute_diameter=10)
    second.apply("paint", "ball", points=[[10, 10, 12]], brush_absolute_diameter=10)
    first.add_segment("alone")
    rows = {row["segment"]: row for row in first.compare(second)}
    assert [*rows] == ["ball", "same", "alone"]
    assert (rows["same"]["dice"], rows["same"]["worst"]) == (1.0, [])
    masks = first.mask("ball"), second.mask("ball")
    dice = 2 * (masks[0] & masks[1]).sum() / (masks[0].sum() + masks[1].sum())
    assert rows["ball"]["dice"] == pytest.approx(dice)
    assert rows["ball"]["volume_mm3"] == masks[0].sum()
    assert rows["ball"]["other_volume_mm3"] == masks[1].sum()
    (block,) = rows["ball"]["worst"]
    assert block == {"center": (9.5, 9.5, 9.5), "voxels": int((masks[0] ^ masks[1]).sum())}
    assert first.compare(second, blocks=0)[0]["worst"] == []
    with pytest.raises(TypeError, match="other is str"):
        first.compare("second")  # type: ignore[arg-type]


# -- copies between editors --------------------------------------------------------------------


def test_a_segment_is_copied_to_another_lattice() -> None:
    fine = Editor(shape=(24, 20, 16), spacing=(1.0, 0.5, 2.0), origin=(3.0, -2.0, 1.0))
    fine.add_segment("a", name="Pore", color=(0.2, 0.4, 0.6))
    fine.apply("paint", "a", points=[[14.0, 3.0, 17.0]], brush_absolute_diameter=7.0)
    fine.apply({"effect": "set_segment_tag", "segment": "a", "parameters": {"Name": "x|y"}})
    same = Editor(shape=(24, 20, 16), spacing=(1.0, 0.5, 2.0), origin=(3.0, -2.0, 1.0))
    operation = fine.export_segment("a")
    same.apply(operation)
    assert (same.mask("a") == fine.mask("a")).all()
    assert same.segments[0].name == "Pore"
    assert same.segments[0].color == pytest.approx((0.2, 0.4, 0.6))
    assert dict(same.segments[0].tags) == {"x|y": ""}
    # Every other voxel of each axis: the nearest voxel is exactly there.
    coarse = Editor(shape=(12, 10, 8), spacing=(2.0, 1.0, 4.0), origin=(3.0, -2.0, 1.0))
    coarse.apply({**operation, "segment": "b"})
    assert (coarse.mask("b") == fine.mask("a")[::2, ::2, ::2]).all()
    assert coarse.segments[0].voxel_count == coarse.mask("b").sum() > 0
    assert coarse.undo()
    assert coarse.segments == ()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"spacing": [1, 0, 1]}, "spacing along axis 1 is 0"),
        ({"direction": [1, 0, 0, 1, 0, 0, 0, 0, 1]}, "perpendicular"),
        ({"pieces": [{"extent": [0, 1, 0, 1, 0, 1], "runs": [4, 9]}]}, "'runs' do not fit"),
        ({"pieces": [{"extent": [0, 1, 0, 1, 0, 1], "runs": [4, -1]}]}, "'runs' do not fit"),
        ({"pieces": [{"extent": [0, 10**8, 0, 10**8, 0, 1], "runs": []}]}, "too large"),
        ({"pieces": [{"extent": [0, 1], "runs": []}]}, "expected 'extent', six indices"),
        ({"pieces": 3}, "expected 'origin', 'spacing', 'direction' and 'pieces'"),
    ],
)
def test_hostile_voxels_are_refused(change: dict[str, Any], message: str) -> None:
    editor = Editor(shape=(8, 8, 8))
    editor.add_segment("a")
    operation = editor.export_segment("a") | {"segment": "b"}
    operation["parameters"]["Voxels"].update(change)
    with pytest.raises(SegmentationCoreError, match=message):
        editor.apply(operation)
    assert [row.id for row in editor.segments] == ["a"]
