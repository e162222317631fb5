"""Operations under a brush: the effect sees everything, and changes only what the brush touches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sample_data import assert_same, smooth_volume
from sample_parameters import arguments
from segmentationcore import Editor, median, to_array
from segmentationcore._registry import voxel_effects
from session_world import World, apply, mask_of, masks_of, operation, undone

pytestmark = pytest.mark.python

WORLD = World((13, 17, 23), first=(-4, 2, 5))
WAY = [[6, 5, 4], [15, 9, 8]]
BRUSH = {"points": [WORLD.point(index) for index in WAY], "diameter": 6.0}
UNDER = WORLD.brush(WAY, BrushAbsoluteDiameter=6.0)
EFFECTS = voxel_effects()
# Where nothing may change they do not pass.
WALLED = {"flood_filling", "grow_from_seeds", "watershed"}
# What does little in so small a world with its defaults.
CASES: dict[str, dict[str, Any]] = {
    "fast_marching": {"PercentMax": 40.0},
    "fill_holes": {"Connectivity": 26},
    "flood_filling": {"IntensityTolerance": 25.0},
    "islands": {"Operation": "REMOVE_SMALL_ISLANDS", "MinimumSize": 50},
    "local_threshold": {"MinimumThreshold": 20.0, "MaximumThreshold": 80.0},
    "threshold": {"MinimumThreshold": 45.0},
}


def begun() -> Editor:
    editor = Editor(WORLD.image(smooth_volume(WORLD.shape, 5)))
    for segment in ("a", "b", "hidden"):
        editor.add_segment(segment)
    for segment, index, diameter in (("a", [8, 6, 5], 9.0), ("b", [16, 10, 8], 7.0)):
        editor.apply(
            "paint", segment, points=[WORLD.point(index)], brush_absolute_diameter=diameter
        )
    keep = {"OverwriteMode": "OverwriteNone"}
    editor.apply("threshold", "hidden", minimum_threshold=62.0, masking=keep)
    editor.apply("threshold", "a", minimum_threshold=66.0, masking=keep, region=BRUSH)
    editor.apply("show_segment", "hidden", visible=False)
    return editor


def edit(effect: str, **more: Any) -> dict[str, Any]:
    parameters = arguments(EFFECTS[effect], CASES.get(effect, {}), begun().lattice)
    for parameter in EFFECTS[effect]["parameters"]:
        value = parameters.get(parameter["name"])
        if parameter["type"] == "segment":
            parameters[parameter["name"]] = "b"
        elif isinstance(value, np.ndarray):
            parameters[parameter["name"]] = value.tolist()
    segment = {} if EFFECTS[effect]["input"] == "segments" else {"segment": "a"}
    return {"effect": effect, **segment, "parameters": parameters, **more}


@pytest.mark.parametrize("effect", sorted(set(EFFECTS) - WALLED))
def test_it_is_the_whole_result_under_the_brush(effect: str) -> None:
    everywhere, brushed = begun(), begun()
    before = masks_of(everywhere.session)
    everywhere.apply(edit(effect))
    brushed.apply(edit(effect, region=BRUSH))
    after = masks_of(everywhere.session)
    for segment, mask in before.items():
        expected = np.where(UNDER, after[segment], mask)
        assert_same(mask_of(brushed.session, segment), expected, segment)
    for segment, mask in masks_of(brushed.session).items():
        if segment not in before:
            assert_same(mask, np.where(UNDER, after[segment], False), segment)


@pytest.mark.parametrize("effect", sorted(EFFECTS))
def test_it_is_a_mask_of_the_same_voxels(effect: str) -> None:
    """A segment that was painted by the brush, and hidden, allows the same."""
    brushed, masked = begun(), begun()
    for editor in (brushed, masked):
        editor.add_segment("brush")
        everywhere = {"OverwriteMode": "OverwriteNone"}
        editor.apply(
            "paint",
            "brush",
            points=BRUSH["points"],
            brush_absolute_diameter=BRUSH["diameter"],
            masking=everywhere,
        )
        editor.apply("show_segment", "brush", visible=False)
    masking = {"OverwriteMode": "OverwriteVisibleSegments"}
    within = masking | {"MaskMode": "EditAllowedInsideSingleSegment", "MaskSegmentID": "brush"}
    if EFFECTS[effect]["writes"] == "remove":
        return  # inside of one segment it would give that the voxels
    own = edit(effect)
    if "BypassMasking" in {parameter["name"] for parameter in EFFECTS[effect]["parameters"]}:
        own["parameters"]["BypassMasking"] = False
    brushed.apply({**own, "masking": masking, "region": BRUSH})
    masked.apply({**own, "masking": within})
    if EFFECTS[effect]["writes"] != "edit":
        for segment in ("a", "b", "hidden"):
            assert_same(
                mask_of(brushed.session, segment), mask_of(masked.session, segment), segment
            )


def test_a_smoothing_brush_for_arrays() -> None:
    labels = (smooth_volume((20, 22, 24), 3) > 50).astype(np.uint8)
    editor = Editor(labels=labels, spacing=(2.0, 1.0, 0.5))
    before = editor.mask("Segment_1").copy()
    points = [[10.0, 5.0, 4.0], [24.0, 12.0, 8.0]]
    region = {"points": points, "diameter": 9.0}
    editor.apply("median", "Segment_1", kernel_size_mm=5.0, region=region)
    whole = median(labels, kernel_size_mm=5.0, spacing=(2.0, 1.0, 0.5)) == 1
    brush = Editor(shape=labels.shape, spacing=(2.0, 1.0, 0.5))
    brush.add_segment("brush")
    brush.apply("paint", "brush", points=points, brush_absolute_diameter=9.0)
    under = brush.mask("brush") == 1
    assert (before != whole)[under].any()
    assert_same(editor.mask("Segment_1"), np.where(under, whole, before))
    assert editor.undo()
    assert_same(editor.mask("Segment_1"), before)


def test_a_bypassed_mask_is_no_bypassed_brush() -> None:
    editor = begun()
    before = mask_of(editor.session, "a")
    editor.apply("logical", "a", operation="FILL", region=BRUSH)
    assert_same(mask_of(editor.session, "a"), before | UNDER)


def test_effects_on_all_visible_segments_in_turn() -> None:
    everywhere, brushed = begun(), begun()
    before = masks_of(brushed.session)
    shrink = {"margin_size_mm": -1.3, "apply_to_all_visible_segments": True}
    everywhere.apply("margin", **shrink)
    brushed.apply("margin", region=BRUSH, **shrink)
    for segment, mask in masks_of(everywhere.session).items():
        expected = np.where(UNDER, mask, before[segment])
        assert_same(mask_of(brushed.session, segment), expected, segment)


def test_a_preview_shows_what_will_be() -> None:
    editor = begun()
    shown = editor.preview("median", "a", kernel_size_mm=4.0, region=BRUSH)
    editor.apply("median", "a", kernel_size_mm=4.0, region=BRUSH)
    assert_same(to_array(editor.mask("a")), to_array(shown))


def test_a_brush_beside_the_world_changes_nothing() -> None:
    editor = begun()
    before = masks_of(editor.session)
    far = {"points": [WORLD.point([500, 5, 5])], "diameter": 3.0}
    for effect in ("median", "logical", "expand_segments", "islands"):
        editor.apply(edit(effect, region=far))
    assert all((mask == before[name]).all() for name, mask in masks_of(editor.session).items())


def test_a_segment_that_no_memory_holds() -> None:
    """What looks nearby costs what lies under the brush: here 6e10 voxels are full."""
    world = World((4000, 4000, 4000), spacing=(1.0, 1.0, 1.0))
    session = world.session()
    apply(session, {"effect": "add_segment", "segment": "a"})
    apply(session, operation("logical", "a", Operation="FILL"))
    far = {"points": [world.point([2000, 2000, 2000])], "diameter": 12.0}
    for effect in ("median", "opening", "closing", "gaussian", "margin", "hollow"):
        apply(session, operation(effect, "a", region=far))
    apply(session, {"effect": "expand_segments", "region": far})
    undone(session)
    assert session.GetMemorySize() < 1 << 26
