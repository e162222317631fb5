"""Operations on the segment table: order, visibility, status, tags, copies, merging."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sample_data import assert_same, smooth_volume
from segmentationcore import LabelMap, SegmentationCoreError, apply_operations, to_array, to_image

pytestmark = pytest.mark.python

ARRAY = smooth_volume((9, 10, 11), 3)
MASKS = {"a": ARRAY >= 60, "b": (ARRAY < 60) & (ARRAY >= 40), "c": ARRAY < 40}


def operation(effect: str, segment: str, **parameters: Any) -> dict[str, Any]:
    return {"effect": effect, "segment": segment, "parameters": parameters}


START = [
    operation("add_segment", "a", Name="A", Color=[1.0, 0.0, 0.0]),
    operation("threshold", "a", MinimumThreshold=60),
    operation("add_segment", "b"),
    operation("threshold", "b", MinimumThreshold=40, MaximumThreshold=59),
    operation("add_segment", "c"),
    operation("threshold", "c", MaximumThreshold=39),
]


def edited(*edits: dict[str, Any]) -> LabelMap:
    return apply_operations(to_image(ARRAY), [*START, *edits])


def voxels(result: LabelMap, segment: str) -> np.ndarray:
    row = row_of(result, segment)
    return to_array(result.labels, row.array_name) == row.label_value


def row_of(result: LabelMap, segment: str) -> Any:
    return next(row for row in result.segments if row.id == segment)


def order(result: LabelMap) -> str:
    return "".join(row.id for row in result.segments)


def test_the_start() -> None:
    result = edited()
    assert order(result) == "abc"
    for segment, mask in MASKS.items():
        assert mask.any()
        assert_same(voxels(result, segment), mask)


@pytest.mark.parametrize(
    ("segment", "index", "expected"),
    [("a", 0, "abc"), ("a", 1, "bac"), ("a", 2, "bca"), ("c", 0, "cab"), ("b", 2**31 - 1, "acb")],
)
def test_move(segment: str, index: int, expected: str) -> None:
    result = edited(operation("move_segment", segment, Index=index))
    assert order(result) == expected
    for other, mask in MASKS.items():
        assert_same(voxels(result, other), mask)


def test_show() -> None:
    hidden = operation("show_segment", "b", Visible=False)
    assert [row.visible for row in edited(hidden).segments] == [True, False, True]
    shown = edited(hidden, operation("show_segment", "b"))
    assert [row.visible for row in shown.segments] == [True] * 3


@pytest.mark.parametrize(
    ("status", "number"), [("NotStarted", 0), ("InProgress", 1), ("Completed", 2), ("Flagged", 3)]
)
def test_status(status: str, number: int) -> None:
    result = edited(operation("set_segment_status", "b", Status=status))
    assert row_of(result, "b").status == number
    assert row_of(result, "a").status == row_of(edited(), "a").status


def test_tags() -> None:
    first = operation("set_segment_tag", "b", Name="Region", Value="left|50%:ü")
    result = edited(first, operation("set_segment_tag", "b", Name="Empty"))
    assert dict(row_of(result, "b").tags) == {"Region": "left|50%:ü", "Empty": ""}
    result = edited(first, operation("set_segment_tag", "b", Name="Region", Value="right"))
    assert dict(row_of(result, "b").tags) == {"Region": "right"}
    with pytest.raises(SegmentationCoreError, match="Name is empty"):
        edited(operation("set_segment_tag", "b", Name=""))


def test_copy() -> None:
    tag = operation("set_segment_tag", "a", Name="Region", Value="left")
    result = edited(tag, operation("copy_segment", "twin", SourceSegmentID="a", Name="Twin"))
    assert [row.id for row in result.segments] == ["a", "b", "c", "twin"]
    twin = row_of(result, "twin")
    assert (twin.name, dict(twin.tags)) == ("Twin", {"Region": "left"})
    assert twin.voxel_count == MASKS["a"].sum()
    for segment, mask in (MASKS | {"twin": MASKS["a"]}).items():
        assert_same(voxels(result, segment), mask)
    assert row_of(edited(operation("copy_segment", "d", SourceSegmentID="a")), "d").name == "d"


def test_merge() -> None:
    result = edited(operation("merge_segments", "b", Segments=["c", "a"]))
    assert order(result) == "b"
    assert voxels(result, "b").all()
    assert row_of(result, "b").voxel_count == ARRAY.size
    result = edited(operation("merge_segments", "a", Segments=["c"]))
    assert order(result) == "ab"
    assert_same(voxels(result, "a"), MASKS["a"] | MASKS["c"])
    assert_same(voxels(result, "b"), MASKS["b"])
    assert row_of(result, "a").name == "A"


def test_merge_what_overlaps() -> None:
    copy = operation("copy_segment", "d", SourceSegmentID="a")
    result = edited(copy, operation("merge_segments", "d", Segments=["a", "b"]))
    assert order(result) == "cd"
    assert_same(voxels(result, "d"), MASKS["a"] | MASKS["b"])
    assert_same(voxels(result, "c"), MASKS["c"])


@pytest.mark.parametrize(
    ("wrong", "culprit"),
    [
        (operation("move_segment", "nobody", Index=0), "nobody"),
        (operation("show_segment", "nobody"), "nobody"),
        (operation("set_segment_status", "nobody", Status="Flagged"), "nobody"),
        (operation("set_segment_tag", "nobody", Name="x"), "nobody"),
        (operation("copy_segment", "d", SourceSegmentID="nobody"), "nobody"),
        (operation("copy_segment", "a", SourceSegmentID="b"), "'a'"),
        (operation("merge_segments", "nobody", Segments=["a"]), "nobody"),
        (operation("merge_segments", "a", Segments=["b", "nobody"]), "nobody"),
        (operation("merge_segments", "a", Segments=["a"]), "'a'"),
    ],
    ids=str,
)
def test_wrong_ones_name_the_culprit(wrong: dict[str, Any], culprit: str) -> None:
    with pytest.raises(SegmentationCoreError, match=culprit):
        edited(wrong)
