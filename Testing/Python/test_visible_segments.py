"""Operations that go by what is visible: one effect on each segment, and the region around all.

The oracle of the first is the one of masking, one segment after the other; of the second, the same
operation with the box that NumPy finds.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from random import Random
from typing import Any

import masking_oracle
import numpy as np
import pytest
from masking_oracle import MASK_MODES, OVERWRITE_MODES, Segment, State
from sample_data import assert_same, smooth_volume
from segmentationcore import (
    Editor,
    SegmentationCoreError,
    apply_operations,
    margin,
    median,
    read_segmentation,
    to_array,
    to_image,
    vtkLabelMapEditSession,
    write_segmentation,
    write_volume,
)
from segmentationcore.cli import main
from session_world import (
    World,
    add_segments,
    apply,
    array_of,
    check_counts,
    content_of,
    done,
    masks_of,
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
SEGMENTS = ("s0", "s1", "s2", "s3")


def to_all(effect: str, masking: Any = None, **parameters: Any) -> dict[str, Any]:
    edit = operation(effect, "", masking, **parameters)
    del edit["segment"]
    return {**edit, "ApplyToAllVisibleSegments": True}


def started(seed: int, block_edge: int = 32, world: World = WORLD) -> Any:
    """A session with four segments that overlap; the third one is hidden."""
    random = Random(seed)
    session = world.session(smooth_volume(world.shape, seed), block_edge)
    add_segments(session, SEGMENTS)
    for segment in SEGMENTS:
        points = [world.point([random.uniform(0, size) for size in world.shape[::-1]])]
        stroke = {"Points": points, "BrushAbsoluteDiameter": random.uniform(3.0, 8.0)}
        apply(session, operation("paint", segment, {"OverwriteMode": "OverwriteNone"}, **stroke))
    apply(session, operation("show_segment", "s2", Visible=False))
    return session


def state_like(session: Any, volume: np.ndarray) -> State:
    segments = {key: Segment(mask, key != "s2") for key, mask in masks_of(session).items()}
    return State(segments, volume)


def alone(effect: str, mask: np.ndarray, edit: dict[str, Any]) -> np.ndarray:
    """What an effect makes of one segment, by the functions and the brush of the tests."""
    spacing, labels = WORLD.spacing[::-1], mask.astype(np.uint8)
    if effect == "margin":
        size = edit["parameters"]["MarginSizeMm"]
        return np.asarray(margin(labels, margin_size_mm=size, spacing=spacing) == 1)
    size = edit["parameters"]["KernelSizeMm"]
    return np.asarray(median(labels, kernel_size_mm=size, spacing=spacing) == 1)


@pytest.mark.parametrize("block_edge", [32, 4])
@pytest.mark.parametrize("mode", MASK_MODES)
def test_each_in_the_order_of_the_table(mode: str, block_edge: int) -> None:
    random = Random(f"{mode}{block_edge}")
    for overwrite, by_intensity, effect in itertools.product(
        OVERWRITE_MODES, (False, True), ("margin", "median", "erase")
    ):
        seed = random.randrange(1000)
        session = started(seed, block_edge)
        volume = smooth_volume(WORLD.shape, seed)
        masking: dict[str, Any] = {"MaskMode": mode, "OverwriteMode": overwrite}
        if mode == "EditAllowedInsideSingleSegment":
            masking["MaskSegmentID"] = random.choice(SEGMENTS)
        if by_intensity:
            low = float(np.quantile(volume, random.uniform(0, 0.5)))
            masking |= {"SourceVolumeIntensityMask": True}
            masking["SourceVolumeIntensityMaskRange"] = [low, low + 60]
        if effect == "erase":
            index = [size / 2 for size in WORLD.shape[::-1]]
            parameters = {"Points": [WORLD.point(index)], "BrushAbsoluteDiameter": 5.0}
            brush = WORLD.brush([index], BrushAbsoluteDiameter=5.0)
        else:
            parameters = {"margin": {"MarginSizeMm": 1.3}, "median": {"KernelSizeMm": 4.0}}[effect]
        edit = to_all(effect, masking, **parameters)

        expected = state_like(session, volume)
        for segment in ("s0", "s1", "s3"):
            if effect == "erase":
                expected = masking_oracle.apply(expected, segment, brush, "remove", masking)
                continue
            own = expected.segments[segment].voxels
            modifier = alone(effect, own, edit)
            expected = masking_oracle.apply(expected, segment, modifier, "set", masking)

        before = state_of(session)
        image = vtkImageData()
        done(session, session.Preview(json.dumps(edit), whole(session), 1, image))
        assert state_of(session) == before
        foreseen = np.zeros(WORLD.shape, np.uint8)
        for number, segment in reversed([*enumerate(("s0", "s1", "s3"), start=1)]):
            foreseen[expected.segments[segment].voxels] = number
        context = f"{effect} with {masking}, "
        assert_same(array_of(image, "Mask"), foreseen, context + "preview")

        steps = session.GetNumberOfUndoSteps()
        apply(session, edit)
        assert session.GetNumberOfUndoSteps() == steps + 1
        for key, mask in masks_of(session).items():
            assert_same(mask, expected.segments[key].voxels, context + key)
        check_counts(session)
        after = state_of(session)
        undone(session)
        assert content_of(session) == before[0]
        redone(session)
        assert state_of(session) == after


def test_a_reduced_preview_of_all() -> None:
    session = started(3)
    edit = to_all("margin", MarginSizeMm=2.5)
    before = state_of(session)
    image = vtkImageData()
    sizes = [(size - 1) // 2 for size in WORLD.shape[::-1]]
    extent = [bound for size in sizes for bound in (0, size)]
    done(session, session.Preview(json.dumps(edit), extent, 2, image))
    assert state_of(session) == before
    coarse = World(
        tuple((size - 1) // 2 + 1 for size in WORLD.shape),
        spacing=tuple(2 * step for step in WORLD.spacing),
    )
    other = coarse.session()
    add_segments(other, SEGMENTS)
    for key, mask in masks_of(session).items():
        for z, y, x in np.argwhere(mask[::2, ::2, ::2]).tolist():
            pixel = {"Points": [coarse.point((x, y, z))], "BrushPixelMode": True}
            apply(other, operation("paint", key, {"OverwriteMode": "OverwriteNone"}, **pixel))
    apply(other, operation("show_segment", "s2", Visible=False), edit)
    masks = masks_of(other)
    expected = np.zeros(coarse.shape, np.uint8)
    for number, key in reversed([*enumerate(("s0", "s1", "s3"), start=1)]):
        expected[masks[key]] = number
    assert_same(array_of(image, "Mask"), expected)


def test_parts_become_segments_of_their_own() -> None:
    session = WORLD.session()
    add_segments(session, ["a", "b"])
    for segment, x in (("a", 1), ("a", 6), ("b", 9), ("b", 12)):
        pixel = {"Points": [WORLD.point([x, 3, 2])], "BrushPixelMode": True}
        apply(session, operation("paint", segment, **pixel))
    before = content_of(session)
    apply(session, to_all("islands", Operation="SPLIT_ISLANDS_TO_SEGMENTS", MinimumSize=1))
    counts = {key: int(mask.sum()) for key, mask in masks_of(session).items()}
    assert counts == {"a": 1, "b": 1, "a_2": 1, "b_2": 1}
    check_counts(session)
    undone(session)
    assert content_of(session) == before


def test_what_is_refused_changes_nothing() -> None:
    session = started(1, 4)
    before = state_of(session)
    first = operation("paint", "s0", Points=[WORLD.point((7, 6, 4))])
    wrong = to_all("logical", Operation="COPY", ModifierSegmentID="nobody")
    text = refused(session, first, wrong)
    assert "operation 2 (logical on all visible segments): segment 's0'" in text
    assert "nobody" in text
    hide = [operation("show_segment", segment, Visible=False) for segment in SEGMENTS]
    assert "no segment is visible" in refused(session, *hide, to_all("median"))
    assert "for effects on one segment" in refused(session, to_all("threshold"))
    assert "for effects on one segment" in refused(session, to_all("joint_smoothing"))
    assert "leave one of them out" in refused(session, to_all("median") | {"segment": "s0"})
    assert "true or false" in refused(session, to_all("median") | {"ApplyToAllVisibleSegments": 1})
    assert state_of(session) == before


def test_it_is_one_line_of_the_journal(tmp_path: Path) -> None:
    path = tmp_path / "edits.journal"
    volume = smooth_volume(WORLD.shape, 1)
    session = WORLD.session(volume)
    done(session, session.OpenJournal(str(path)))
    add_segments(session, ["a", "b"])
    for segment, x in (("a", 3), ("b", 9)):
        stroke = {"Points": [WORLD.point([x, 6, 4])], "BrushAbsoluteDiameter": 4.0}
        apply(session, operation("paint", segment, **stroke))
    edits = [
        to_all("margin", region={"growth": 0.25}, MarginSizeMm=1.3),
        {"effect": "grow_from_seeds", "region": {"growth": 0.1}},
    ]
    apply(session, *edits)
    session.CloseJournal()
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert [line["apply"] for line in lines[-2:]] == edits
    again = WORLD.session(volume, block_edge=4)
    done(again, again.ReplayJournal(str(path), True))
    assert content_of(again) == content_of(session)
    resumed = WORLD.session(volume)
    done(resumed, resumed.OpenJournal(str(path)))
    assert content_of(resumed) == content_of(session)
    undone(resumed, 2)
    undone(session, 2)
    assert content_of(resumed) == content_of(session)


# ---------------------------------------------------------------------------------------------
# The region around the visible segments.


def box_around(mask: np.ndarray, growth: float) -> tuple[slice, ...]:
    """As Slicer's effects that complete segments have it."""
    result = []
    for axis, size in enumerate(mask.shape):
        found = np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis)))
        margin_ = max(3, int(growth * (found[-1] - found[0])))
        result.append(slice(max(0, found[0] - margin_), min(size, found[-1] + margin_ + 1)))
    return tuple(result)


def region_of(box: tuple[slice, ...]) -> dict[str, Any]:
    ends = [(part.start, part.stop - 1) for part in box[::-1]]
    return {
        "center": WIDE.point([(low + high) / 2 for low, high in ends]),
        "size": [
            (high - low + 0.5) * step for (low, high), step in zip(ends, WIDE.spacing, strict=True)
        ],
    }


WIDE = World((20, 30, 60), first=(-3, 0, 5))


@pytest.mark.parametrize(
    "effect", ["grow_from_seeds", "fill_between_slices", "threshold", "median"]
)
@pytest.mark.parametrize("growth", [0.0, 0.1, 0.5, 100.0])
def test_the_region_is_the_box_around_the_visible_segments(effect: str, growth: float) -> None:
    for seed in range(4):
        sessions = [started_in_the_middle(seed, edge) for edge in (32, 5)]
        masks = masks_of(sessions[0])
        box = box_around(masks["s0"] | masks["s1"] | masks["s3"], growth)
        own = {"segment": "s1"} if effect in ("threshold", "median") else {}
        if effect == "threshold":
            own["parameters"] = {"MinimumThreshold": 50.0}
        edit = {"effect": effect, **own}
        apply(sessions[0], edit | {"region": region_of(box)})
        apply(sessions[1], edit | {"region": {"growth": growth}})
        assert content_of(sessions[1]) == content_of(sessions[0])
        if growth < 0.5 and effect in ("grow_from_seeds", "threshold"):
            changed = json.loads(sessions[1].GetLastChange())["extent"]
            for axis, part in enumerate(box[::-1]):
                assert changed[2 * axis] - WIDE.first[axis] >= part.start
                assert changed[2 * axis + 1] - WIDE.first[axis] < part.stop
            assert any(
                part.stop - part.start < size for part, size in zip(box, WIDE.shape, strict=True)
            )


def started_in_the_middle(seed: int, block_edge: int) -> Any:
    random = Random(seed)
    session = WIDE.session(smooth_volume(WIDE.shape, seed), block_edge)
    add_segments(session, SEGMENTS)
    for segment in SEGMENTS:
        near = [random.uniform(0.35, 0.65) * size for size in WIDE.shape[::-1]]
        stroke = {"Points": [WIDE.point(near)], "BrushAbsoluteDiameter": random.uniform(1.5, 4.0)}
        apply(session, operation("paint", segment, {"OverwriteMode": "OverwriteNone"}, **stroke))
    far = {"Points": [WIDE.point([1, 1, 1])], "BrushAbsoluteDiameter": 3.0}
    apply(session, operation("paint", "s2", **far), operation("show_segment", "s2", Visible=False))
    return session


def test_around_nothing_is_nothing() -> None:
    session = WIDE.session(smooth_volume(WIDE.shape, 1))
    add_segments(session, ["a"])
    before = content_of(session)[1]
    edit = operation("threshold", "a", region={"growth": 1.0}, MinimumThreshold=-1e9)
    apply(session, edit, {"effect": "grow_from_seeds", "region": {"growth": 1.0}})
    assert content_of(session)[1] == before


def test_growing_costs_what_lies_around_the_seeds() -> None:
    # A world whose voxels no memory holds, and a volume that covers a corner of it.
    session = vtkLabelMapEditSession()
    extent = [0, 29999, 0, 29999, 0, 29999]
    identity = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    done(session, session.SetGeometry(extent, (0.0,) * 3, (1.0,) * 3, identity))
    volume = World((40, 40, 40), (1.0,) * 3, (0.0,) * 3, identity).image(
        smooth_volume((40, 40, 40), 2)
    )
    done(session, session.SetVolume(volume))
    add_segments(session, ["a", "b"])
    for segment, x in (("a", 12), ("b", 24)):
        pixel = {"Points": [[x, 20.0, 20.0]], "BrushPixelMode": True}
        apply(session, operation("paint", segment, **pixel))
    assert "does not cover" in refused(session, {"effect": "grow_from_seeds"})
    apply(session, {"effect": "grow_from_seeds", "region": {"growth": 0.5}})
    table = session.GetSegmentTable()
    # 12 voxels from seed to seed and 6 more on each side; 3 on each side of the other axes.
    assert sum(table.GetNthSegmentVoxelCount(row) for row in range(2)) == 25 * 7 * 7
    assert session.GetMemorySize() < 1 << 21


# ---------------------------------------------------------------------------------------------
# Where operations come from: the editor, plain lists, the command line.


def editor_with_two() -> Editor:
    editor = Editor(smooth_volume((20, 30, 40), 3), spacing=(2.0, 1.0, 1.0))
    for segment, x in (("a", 14.0), ("b", 25.0)):
        editor.add_segment(segment)
        editor.apply("paint", segment, points=[[20.0, 15.0, x]], brush_absolute_diameter=6.0)
    return editor


def test_in_the_editor() -> None:
    editor, other = editor_with_two(), editor_with_two()
    expected = editor.preview("median", apply_to_all_visible_segments=True, kernel_size_mm=4.0)
    assert expected.dtype == np.uint8
    editor.apply("median", apply_to_all_visible_segments=True, kernel_size_mm=4.0)
    assert_same(editor.labels().labels, expected)
    for segment in "ab":
        other.apply("median", segment, kernel_size_mm=4.0)
    assert_same(other.labels().labels, expected)
    assert editor.operations[-1] == {
        "effect": "median",
        "ApplyToAllVisibleSegments": True,
        "parameters": {"KernelSizeMm": 4.0},
    }
    assert editor.undo()
    assert_same(editor.labels().labels, editor_with_two().labels().labels)

    editor.apply("grow_from_seeds", region={"growth": 0.1})
    mask = editor.mask("a") | editor.mask("b")
    seeds = editor_with_two().labels().labels > 0
    box = np.zeros(mask.shape, bool)
    box[box_around(seeds, 0.1)] = True
    assert_same(mask, box)
    with pytest.raises(TypeError, match="segment is None"):
        editor.apply("median")
    with pytest.raises(ValueError, match="leave it out"):
        editor.apply("median", "a", apply_to_all_visible_segments=True)
    with pytest.raises(ValueError, match="for effects on one segment"):
        editor.apply("threshold", apply_to_all_visible_segments=True)
    with pytest.raises(TypeError, match="ApplyToAllVisibleSegments is 1"):
        editor.apply("median", apply_to_all_visible_segments=1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="whole operations say"):
        editor.apply(editor.operations[:1], apply_to_all_visible_segments=True)
    with pytest.raises(ValueError, match="expected center and size, or growth"):
        editor.apply("median", "a", region={"growth": 1.0, "size": (1, 1, 1)})


def test_in_a_list_of_operations() -> None:
    volume = smooth_volume((12, 14, 16), 3)
    begin: list[dict[str, Any]] = [
        {"effect": "add_segment", "segment": "a"},
        {"effect": "add_segment", "segment": "b"},
        {"effect": "threshold", "segment": "a", "parameters": {"MinimumThreshold": 60.0}},
        {"effect": "threshold", "segment": "b", "parameters": {"MaximumThreshold": 40.0}},
    ]
    masking = {"OverwriteMode": "OverwriteNone"}
    size = {"parameters": {"KernelSizeMm": 3.0}, "masking": masking}
    all_at_once = [*begin, {"effect": "median", "ApplyToAllVisibleSegments": True, **size}]
    one_by_one = [*begin, *({"effect": "median", "segment": key, **size} for key in "ab")]
    assert_same(
        apply_operations(volume, all_at_once).labels, apply_operations(volume, one_by_one).labels
    )
    hide = [
        {"effect": "show_segment", "segment": key, "parameters": {"Visible": False}} for key in "ab"
    ]
    with pytest.raises(SegmentationCoreError, match=r"operation 7 .*no segment is visible"):
        apply_operations(volume, [*begin, *hide, all_at_once[-1]])


def test_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    editor = editor_with_two()
    spacing = (2.0, 1.0, 1.0)
    volume = to_image(smooth_volume((20, 30, 40), 3), spacing=spacing)
    write_volume(tmp_path / "volume.nrrd", volume)
    start = editor.labels()
    labels = to_image(start.labels, spacing=spacing, name="Labels")
    write_segmentation(tmp_path / "start.seg.nrrd", type(start)(labels, start.segments))

    def run(*more: str) -> int:
        return main(
            ["apply", str(tmp_path / "volume.nrrd"), "-q", "-o", str(tmp_path / "out.seg.nrrd"),
             "--labels", str(tmp_path / "start.seg.nrrd"), *more]
        )  # fmt: skip

    def result() -> np.ndarray:
        return to_array(read_segmentation(tmp_path / "out.seg.nrrd"), "Labels")

    assert run("--effect", "margin", "--all-visible-segments", "--set", "MarginSizeMm=2") == 0
    editor.apply("margin", apply_to_all_visible_segments=True, margin_size_mm=2.0)
    assert_same(result(), editor.labels().labels)
    editor.undo()
    masking = '{"OverwriteMode": "OverwriteNone"}'
    grow = ["--effect", "grow_from_seeds", "--region", '{"growth": 0.2}', "--masking", masking]
    assert run(*grow) == 0
    editor.apply("grow_from_seeds", region={"growth": 0.2})
    assert_same(result(), editor.labels().labels)
    capsys.readouterr()
    for wrong, culprit in (
        (["--effect", "margin", "--all-visible-segments", "--segment", "a"], "leave it out"),
        (["--effect", "threshold", "--all-visible-segments"], "for effects on one segment"),
        (["--effect", "margin", "--segment", "a", "--region", "{"], "--region {: not valid JSON"),
        (["--effect", "margin", "--segment", "a", "--region", "{}"], "expected center and size"),
        (["--all-visible-segments", "--operations", "x.json"], "--all-visible-segments"),
    ):
        assert run(*wrong) == 2
        assert culprit in capsys.readouterr().err
