"""Operations: checked as plain data, run by the editor, and the segment table."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import segmentationcore
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from sample_data import assert_same, smooth_volume
from segmentationcore import (
    Cancelled,
    LabelMap,
    Segment,
    SegmentationCoreError,
    apply_operations,
    islands,
    margin,
    median,
    read_operations,
    read_segments,
    threshold,
    to_array,
    to_image,
    validate_operation,
    validate_operations,
    write_operations,
    write_segments,
)
from segmentationcore._registry import effects, operation_settings
from segmentationcore.segments import format_tags, parse_tags

pytestmark = pytest.mark.python

SCHEMA = Draft202012Validator(
    json.loads((Path(segmentationcore.__file__).parent / "operation.schema.json").read_text())
)


@pytest.mark.parametrize(
    ("operation", "error", "culprit"),
    [
        (None, TypeError, "operation is NoneType"),
        ("margin", TypeError, "operation is str"),
        ([], TypeError, "operation is list"),
        ({}, ValueError, "'effect' is missing"),
        ({"effect": "margin"}, ValueError, "'segment' is missing"),
        ({"effect": 3, "segment": "s"}, TypeError, "effect is 3"),
        ({"effect": "margn", "segment": "s"}, ValueError, "did you mean 'margin'"),
        ({"effect": "margin", "segment": ""}, ValueError, "segment is empty"),
        ({"effect": "margin", "segment": 1}, TypeError, "segment is 1"),
        (
            {"effect": "margin", "segment": "s", "params": {}},
            ValueError,
            "'params'.*did you mean 'parameters'",
        ),
        ({"effect": "margin", "segment": "s", "parameters": []}, TypeError, "parameters is list"),
        (
            {"effect": "margin", "segment": "s", "parameters": {"MarginSizeMM": 1}},
            ValueError,
            "margin on 's'.*'MarginSizeMM'.*did you mean 'MarginSizeMm'",
        ),
        (
            {"effect": "margin", "segment": "s", "parameters": {"MarginSizeMm": "1"}},
            TypeError,
            "MarginSizeMm is '1'.*expected a number from",
        ),
        (
            {"effect": "margin", "segment": "s", "parameters": {"MarginSizeMm": 1e7}},
            ValueError,
            "MarginSizeMm is 10000000.0.*expected a number from",
        ),
        (
            {"effect": "margin", "segment": "s", "parameters": {"MarginSizeMm": 10**400}},
            ValueError,
            r"MarginSizeMm is 10+\.\.\.0+; expected a number from",
        ),
        ({"effect": "margin", "segment": "\ud800"}, ValueError, r"segment is '\\ud800'.*UTF-8"),
        (
            {"effect": "rename_segment", "segment": "s", "parameters": {"Name": "a\udfff"}},
            ValueError,
            r"Name is 'a\\udfff'.*UTF-8",
        ),
        (
            {"effect": "logical", "segment": "s", "parameters": {"ModifierSegmentID": "\ud800"}},
            ValueError,
            r"ModifierSegmentID is '\\ud800'.*UTF-8",
        ),
        ({"effect": "x" * 1000, "segment": "s"}, ValueError, r"effect is 'x{30,40}\.\.\.x{30,40}'"),
        ({"effect": "rename_segment", "segment": "s"}, ValueError, "Name is missing"),
        (
            {"effect": "recolor_segment", "segment": "s", "parameters": {"Color": [0, 0, 2]}},
            ValueError,
            r"Color is \[0, 0, 2\].*three numbers from 0 to 1",
        ),
        (
            {"effect": "recolor_segment", "segment": "s", "parameters": {"Color": "red"}},
            TypeError,
            "Color is 'red'",
        ),
    ],
    ids=lambda value: ascii(value)[:90],
)
def test_wrong_operations_name_the_culprit(
    operation: Any, error: type[Exception], culprit: str
) -> None:
    with pytest.raises(error, match=culprit):
        validate_operation(operation)


def test_the_number_of_a_wrong_operation_is_told() -> None:
    good = {"effect": "margin", "segment": "s"}
    with pytest.raises(ValueError, match="operation 3: effect is 'x'"):
        validate_operations([good, good, {"effect": "x", "segment": "s"}])
    with pytest.raises(TypeError, match="operations is str"):
        validate_operations("margin")


def test_operations_are_returned_plain_and_new() -> None:
    given_one = {"effect": "margin", "segment": "s", "parameters": {"MarginSizeMm": np.float32(2)}}
    checked = validate_operation(given_one)
    assert json.loads(json.dumps(checked)) == checked
    assert checked["parameters"] == {"MarginSizeMm": 2.0}
    assert checked is not given_one
    assert checked["parameters"] is not given_one["parameters"]
    assert "parameters" in validate_operation({"effect": "margin", "segment": "s"})


# No floats with whole values: for a schema 3.0 is an integer, for us it is not.
FLOATS = st.floats(allow_nan=False, allow_infinity=False).filter(lambda v: v != int(v))
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-10, 10),
    FLOATS,
    st.sampled_from(["", "KEEP_LARGEST_ISLAND", "NONE", "x"]),
    st.sampled_from([6, 18, 26, 64]),
    st.sampled_from(["s", "EditAllowedInsideSingleSegment", "OverwriteNone"]),
    st.lists(st.floats(-0.5, 1.5), max_size=4),
    st.lists(st.lists(st.integers(-9, 9), min_size=2, max_size=4), max_size=2),
    st.lists(st.sampled_from(["", "a", "b"]), max_size=2),
    st.dictionaries(st.text(max_size=2), st.none(), max_size=1),
)


@st.composite
def operations(draw: st.DrawFn) -> Any:
    """Nearly right operations."""
    identifier = draw(st.sampled_from([*effects(), "nothing"]))
    declared = [p["name"] for p in effects().get(identifier, {"parameters": []})["parameters"]]
    names = st.sampled_from([*declared, "Other"])
    operation: dict[str, Any] = {
        "effect": identifier,
        "segment": draw(st.sampled_from(["s", "", 3])),
    }
    if draw(st.integers(0, 5)):
        operation["parameters"] = draw(st.dictionaries(names, VALUES, max_size=3))
    for key, setting in operation_settings().items():
        if not draw(st.integers(0, 3)):
            names = st.sampled_from([*(p["name"] for p in setting["parameters"]), "Other"])
            operation[key] = draw(st.dictionaries(names, VALUES, max_size=3))
    if not draw(st.integers(0, 3)):
        operation["ApplyToAllVisibleSegments"] = draw(st.sampled_from([True, False, 1, None]))
        if draw(st.booleans()):
            del operation["segment"]
    if not draw(st.integers(0, 9)):
        operation.pop(draw(st.sampled_from(sorted(operation))))
    return operation


@given(operations())
def test_the_check_agrees_with_the_schema(operation: Any) -> None:
    try:
        validate_operation(operation)
        accepted = True
    except (TypeError, ValueError):
        accepted = False
    assert accepted == SCHEMA.is_valid(operation)


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "edits.json"
    edits = [
        {"effect": "add_segment", "segment": "knöchern", "parameters": {"Name": "骨"}},
        {"effect": "margin", "segment": "knöchern", "parameters": {"MarginSizeMm": 2.0}},
    ]
    write_operations(path, edits)
    assert read_operations(path) == edits
    assert os.listdir(tmp_path) == ["edits.json"]
    path.write_text(json.dumps(edits[1]))
    assert read_operations(path) == edits[1:]
    for text, culprit in (
        ("{", "not valid JSON"),
        ("3", "operations is int"),
        ('[{"effect": 1}]', "operation 1"),
    ):
        path.write_text(text)
        with pytest.raises((TypeError, ValueError), match=f"edits.json.*{culprit}"):
            read_operations(path)
    path.write_bytes(b'"\xff"')
    with pytest.raises(ValueError, match="UTF-8"):
        read_operations(path)


def test_a_wrong_operation_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "edits.json"
    path.write_text("old")
    with pytest.raises(ValueError, match="effect"):
        write_operations(path, [{"effect": "x", "segment": "s"}])
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["edits.json"]


SEQUENCE = [
    {
        "effect": "add_segment",
        "segment": "a",
        "parameters": {"Name": "First", "Color": [1.0, 0.5, 0.0]},
    },
    {"effect": "threshold", "segment": "a", "parameters": {"AutoThresholdMode": "SET_LOWER_MAX"}},
    {
        "effect": "islands",
        "segment": "a",
        "parameters": {"Operation": "REMOVE_SMALL_ISLANDS", "MinimumSize": 30},
    },
    {"effect": "islands", "segment": "a"},
    {"effect": "margin", "segment": "a", "parameters": {"MarginSizeMm": -1.0}},
    {"effect": "margin", "segment": "a", "parameters": {"MarginSizeMm": 2.0}},
    {"effect": "median", "segment": "a", "parameters": {"KernelSizeMm": 3.0}},
]
SPACING = (1.5, 0.9, 1.0)


def by_functions(volume: np.ndarray) -> np.ndarray:
    labels = threshold(volume, auto_threshold_mode="SET_LOWER_MAX")
    labels = islands(labels, operation="REMOVE_SMALL_ISLANDS", minimum_size=30)
    labels = islands(labels)
    labels = margin(labels, margin_size_mm=-1.0, spacing=SPACING)
    labels = margin(labels, margin_size_mm=2.0, spacing=SPACING)
    return median(labels, kernel_size_mm=3.0, spacing=SPACING)


def test_a_sequence_equals_the_functions() -> None:
    volume = smooth_volume((15, 20, 25), 3)
    before = volume.tobytes()
    result = apply_operations(volume, SEQUENCE, spacing=SPACING)
    assert volume.tobytes() == before
    assert_same(result.labels, by_functions(volume))
    (row,) = result.segments
    assert (row.id, row.name, row.color, row.layer) == ("a", "First", (1.0, 0.5, 0.0), 0)
    assert row.voxel_count in (-1, int(np.count_nonzero(result.labels == row.label_value)))


def test_images_keep_their_geometry() -> None:
    volume = to_image(smooth_volume((15, 20, 25), 3), spacing=SPACING, origin=(5.0, 6.0, 7.0))
    volume.SetExtent(10, 34, -3, 16, 0, 14)
    result = apply_operations(volume, SEQUENCE)
    assert result.labels.GetExtent() == volume.GetExtent()
    assert result.labels.GetOrigin() == volume.GetOrigin()
    assert result.labels.GetSpacing() == volume.GetSpacing()
    assert_same(to_array(result.labels, "Labels"), by_functions(to_array(volume)))
    assert read_segments(result.labels) == result.segments


@pytest.mark.parametrize("cut", range(1, len(SEQUENCE)))
@pytest.mark.parametrize("kind", ["array", "image"])
def test_going_on_from_a_result(cut: int, kind: str) -> None:
    array = smooth_volume((15, 20, 25), 3)
    volume: Any = to_image(array, spacing=SPACING) if kind == "image" else array
    spacing = None if kind == "image" else SPACING
    whole = apply_operations(volume, SEQUENCE, spacing=spacing)
    half = apply_operations(volume, SEQUENCE[:cut], spacing=spacing)
    rest = apply_operations(volume, SEQUENCE[cut:], labels=half, spacing=spacing)
    assert rest.segments == whole.segments
    if kind == "image":
        assert_same(to_array(rest.labels, "Labels"), to_array(whole.labels, "Labels"))
    else:
        assert_same(rest.labels, whole.labels)


def test_a_plain_label_map_gets_a_segment_for_each_value() -> None:
    volume = smooth_volume((9, 10, 11), 3)
    labels = np.where(volume > 60, 300, np.where(volume > 40, 2, 0)).astype(np.int16)
    result = apply_operations(volume, [], labels=labels)
    assert [(row.id, row.label_value) for row in result.segments] == [
        ("Segment_2", 2),
        ("Segment_300", 300),
    ]
    assert_same(result.labels, labels)


def test_the_labels_that_are_given_stay() -> None:
    volume = smooth_volume((9, 10, 11), 3)
    start = apply_operations(volume, SEQUENCE[:2])
    before = start.labels.tobytes()
    apply_operations(volume, [{"effect": "remove_segment", "segment": "a"}], labels=start)
    assert start.labels.tobytes() == before
    image = apply_operations(to_image(volume), SEQUENCE[:2]).labels
    rows = read_segments(image)
    apply_operations(to_image(volume), [{"effect": "remove_segment", "segment": "a"}], labels=image)
    assert read_segments(image) == rows


def test_two_segments_share_the_layer() -> None:
    volume = smooth_volume((9, 10, 11), 3)
    result = apply_operations(
        volume,
        [
            {"effect": "add_segment", "segment": "low"},
            {"effect": "add_segment", "segment": "high", "parameters": {"LabelValue": 9}},
            {"effect": "threshold", "segment": "low", "parameters": {"MaximumThreshold": 60}},
            {"effect": "threshold", "segment": "high", "parameters": {"MinimumThreshold": 50}},
        ],
    )
    low, high = result.segments
    assert (low.label_value, high.label_value) == (1, 9)
    assert low.color != high.color
    assert_same(result.labels, np.where(volume >= 50, 9, 1))  # the later one covers
    gone = apply_operations(volume, {"effect": "remove_segment", "segment": "high"}, labels=result)
    assert [row.id for row in gone.segments] == ["low"]
    assert_same(gone.labels, np.where(volume >= 50, 0, 1))


@pytest.mark.parametrize(
    ("operation", "culprit"),
    [
        ({"effect": "margin", "segment": "nobody"}, "nobody"),
        ({"effect": "add_segment", "segment": "a"}, "a"),
        ({"effect": "add_segment", "segment": "b", "parameters": {"LabelValue": 1}}, "1"),
        ({"effect": "remove_segment", "segment": "nobody"}, "nobody"),
    ],
    ids=str,
)
def test_operations_that_fail_say_which_and_why(operation: Any, culprit: str) -> None:
    volume = smooth_volume((9, 10, 11), 3)
    with pytest.raises(SegmentationCoreError, match=culprit) as caught:
        apply_operations(volume, [*SEQUENCE[:2], operation])
    assert "3" in str(caught.value) or operation["effect"] in str(caught.value)


def test_cancelling() -> None:
    with pytest.raises(Cancelled):
        apply_operations(smooth_volume((9, 10, 11), 3), SEQUENCE, progress=lambda _fraction: False)


def test_progress() -> None:
    seen: list[float] = []
    apply_operations(smooth_volume((9, 10, 11), 3), SEQUENCE, progress=seen.append)
    assert len(seen) >= len(SEQUENCE)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_wrong_labels_raise() -> None:
    volume = smooth_volume((9, 10, 11), 3)
    rows = (Segment("a", 1),)
    with pytest.raises(TypeError, match="labels is str"):
        apply_operations(volume, SEQUENCE[1:], labels="start.seg.nrrd")
    with pytest.raises(TypeError, match="labels has the type float16"):
        apply_operations(volume, SEQUENCE[1:], labels=np.zeros((9, 10, 11), np.float16))
    with pytest.raises(SegmentationCoreError, match="whole numbers"):
        apply_operations(volume, SEQUENCE[1:], labels=np.zeros((9, 10, 11), np.float32))
    with pytest.raises(ValueError, match="expected the same"):
        apply_operations(
            volume, SEQUENCE[1:], labels=LabelMap(np.zeros((9, 10, 10), np.uint8), rows)
        )
    with pytest.raises(ValueError, match="same label 1"):
        apply_operations(
            volume,
            SEQUENCE[1:],
            labels=LabelMap(np.zeros((9, 10, 11), np.uint8), (Segment("a", 1), Segment("b", 1))),
        )


ROWS = (
    Segment(
        "bone", 1, name="Bone", color=(1.0, 0.75, 0.5), tags={"TerminologyEntry": "a~b^c|50%:x"}
    ),
    Segment(
        "Haut", 7, layer=1, visible=False, status=2, voxel_count=2**40, name_auto_generated=True
    ),
)


def test_the_table_survives_in_field_data() -> None:
    image = to_image(np.zeros((2, 2, 2), np.uint8), name="Labels")
    assert read_segments(image) == ()
    write_segments(image, ROWS)
    assert read_segments(image) == ROWS
    write_segments(image, ROWS[:1])
    assert read_segments(image) == ROWS[:1]
    write_segments(image, [])
    assert read_segments(image) == ()


def test_the_table_is_the_one_of_the_editor() -> None:
    image = to_image(np.zeros((2, 2, 2), np.uint8), name="Labels")
    write_segments(image, ROWS)
    table = segmentationcore.vtkLabelSegmentTable()
    assert table.FromFieldData(image.GetFieldData())
    assert table.GetNumberOfSegments() == 2
    for index, row in enumerate(ROWS):
        assert table.GetNthSegmentID(index) == row.id
        assert table.GetNthSegmentName(index) == row.name
        assert table.GetNthSegmentLabelValue(index) == row.label_value
        assert table.GetNthSegmentLayer(index) == row.layer
        assert bool(table.GetNthSegmentVisible(index)) == row.visible
        assert table.GetNthSegmentStatus(index) == row.status
        assert table.GetNthSegmentVoxelCount(index) == row.voxel_count
        for name, value in row.tags.items():
            assert table.GetNthSegmentTag(index, name) == value
    other = to_image(np.zeros((2, 2, 2), np.uint8), name="Labels")
    table.ToFieldData(other.GetFieldData())
    assert read_segments(other) == ROWS


@given(st.dictionaries(st.text(min_size=1), st.text()))
def test_tags_survive(tags: dict[str, str]) -> None:
    # A lone surrogate is no text that VTK could hold.
    try:
        json.dumps(tags, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return
    assert parse_tags(format_tags(tags)) == tags


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"id": ""}, ValueError),
        ({"label_value": 0}, ValueError),
        ({"layer": -1}, ValueError),
        ({"color": (0, 0, 2)}, ValueError),
        ({"id": 3}, TypeError),
    ],
    ids=str,
)
def test_wrong_segments_raise(fields: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        Segment(**({"id": "s", "label_value": 1} | fields))


def test_a_broken_table_is_named() -> None:
    image = to_image(np.zeros((2, 2, 2), np.uint8), name="Labels")
    write_segments(image, ROWS)
    image.GetFieldData().GetAbstractArray("SegmentColor").SetNumberOfTuples(1)
    with pytest.raises(ValueError, match="SegmentColor"):
        read_segments(image)
    image.GetFieldData().RemoveArray("SegmentLabelValue")
    with pytest.raises(ValueError, match="SegmentLabelValue"):
        read_segments(image)
