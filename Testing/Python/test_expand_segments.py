"""Expand segments against scipy and a slow loop, and what it does to the segments of a session."""

from __future__ import annotations

import itertools
import json
from random import Random
from typing import Any

import numpy as np
import pytest
from masking_oracle import MASK_MODES, NO_MASKING, OVERWRITE_MODES, Segment, State, overwrites
from sample_data import assert_same, blob_labels, noise, smooth_volume, template
from scipy import ndimage
from segmentationcore import expand_segments
from session_world import (
    World,
    add_segments,
    apply,
    array_of,
    check_counts,
    counts_of,
    done,
    mask_of,
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

TOLERANCE = 1 + 1e-12
WORLD = World((9, 12, 14), first=(-3, 0, 5))


def by_loop(labels: np.ndarray, millimetres: float, spacing: tuple[float, ...]) -> np.ndarray:
    """Every background voxel looks at every label; at equal distance the lowest one wins."""
    centres = np.argwhere(labels)
    values = labels[tuple(centres.T)]
    result = labels.copy()
    for voxel in np.argwhere(labels == 0):
        squares = ((centres - voxel) ** 2 * np.square(spacing)).sum(axis=1)
        near = squares <= millimetres**2 * TOLERANCE
        if near.any():
            result[tuple(voxel)] = values[squares == squares.min()].min()
    return result


def seeds(shape: tuple[int, ...], seed: int, one_in: int) -> np.ndarray:
    dice = noise(shape, seed)
    return np.where(dice % one_in == 0, 1 + (dice >> 20) % 5, 0).astype(np.uint8)


@pytest.mark.parametrize("one_in", [3, 40, 400])
@pytest.mark.parametrize("millimetres", [0.0, 1.0, 2.0, 4.5, 1000.0])
def test_nearest_label(millimetres: float, one_in: int) -> None:
    # With spacings that are powers of two squares are exact, so that ties are ties.
    labels, spacing = seeds((9, 11, 13), one_in, one_in), (2.0, 0.5, 1.0)
    got = expand_segments(labels, expansion_size_mm=millimetres, spacing=spacing)
    assert_same(got, by_loop(labels, millimetres, spacing))


@pytest.mark.parametrize("name", ["aal.nii.gz", "JHU-WhiteMatter-labels-1mm.nii.gz"])
def test_atlas(name: str) -> None:
    """scipy tells a nearest label; ours is as near, and nothing is nearer."""
    labels, spacing = template(name)
    labels = np.ascontiguousarray(labels[40:100, 60:130, 50:120])
    millimetres = 4.2
    got = expand_segments(labels, expansion_size_mm=millimetres, spacing=spacing)
    distance = ndimage.distance_transform_edt(labels == 0, spacing)
    assert_same(got != 0, distance <= millimetres * TOLERANCE)
    assert_same(got[labels != 0], labels[labels != 0])
    for value in np.unique(labels[labels != 0]):
        own = ndimage.distance_transform_edt(labels != value, spacing)
        taken = got == value
        np.testing.assert_allclose(own[taken], distance[taken], rtol=1e-12)
        # Of several at that distance the lowest one.
        tied = (own <= distance * TOLERANCE) & (got != 0)
        assert (got[tied] <= value).all()


def test_mirrored_and_renumbered() -> None:
    labels, spacing = blob_labels((10, 14, 12), 3), (1.5, 0.7, 1.1)
    expected = expand_segments(labels, expansion_size_mm=3.0, spacing=spacing)
    for axes in ((0,), (1,), (2,), (0, 1, 2)):
        got = expand_segments(np.flip(labels, axes), expansion_size_mm=3.0, spacing=spacing)
        assert_same(got, np.flip(expected, axes))
    numbers = np.array([0, 7, 300, 65535], np.uint16)  # in the same order
    assert_same(
        expand_segments(numbers[labels], expansion_size_mm=3.0, spacing=spacing), numbers[expected]
    )


def test_expanding_twice_is_expanding_in_one_go_where_nobody_is_in_the_way() -> None:
    labels = np.zeros((1, 1, 30), np.uint8)
    labels[0, 0, 4] = 1
    twice = expand_segments(expand_segments(labels, expansion_size_mm=3.0), expansion_size_mm=5.0)
    assert_same(twice, expand_segments(labels, expansion_size_mm=8.0))


# ---------------------------------------------------------------------------------------------
# In a session: all visible segments at once, none named.


def expansion(millimetres: float, masking: Any = None, region: Any = None) -> dict[str, Any]:
    edit = {"effect": "expand_segments", "parameters": {"ExpansionSizeMm": millimetres}}
    return edit | ({"masking": masking} if masking else {}) | ({"region": region} if region else {})


def expected_state(state: State, millimetres: float, masking: dict[str, Any]) -> State:
    """In plain NumPy: the merged visible segments expand where the area allows it."""
    masking = NO_MASKING | masking
    visible = [key for key, held in state.segments.items() if held.visible]
    merged = np.zeros(state.volume.shape, np.uint8)
    for number, key in reversed(list(enumerate(visible, start=1))):
        merged[state.segments[key].voxels] = number
    grown = by_loop(merged, millimetres, WORLD.spacing[::-1])

    def union(keys: list[str]) -> np.ndarray:
        return np.logical_or.reduce([state.segments[key].voxels for key in keys])

    area = {
        "EditAllowedEverywhere": lambda: np.ones(merged.shape, bool),
        "EditAllowedInsideAllSegments": lambda: union([*state.segments]),
        "EditAllowedInsideVisibleSegments": lambda: union(visible),
        "EditAllowedOutsideAllSegments": lambda: ~union([*state.segments]),
        "EditAllowedOutsideVisibleSegments": lambda: ~union(visible),
        "EditAllowedInsideSingleSegment": lambda: union([masking["MaskSegmentID"]]),
    }[masking["MaskMode"]]()
    if masking["SourceVolumeIntensityMask"]:
        low, high = masking["SourceVolumeIntensityMaskRange"]
        area = area & (low <= state.volume) & (state.volume <= high)
    after = {}
    for key, held in state.segments.items():
        if held.visible:
            now = grown == visible.index(key) + 1
            voxels = np.where(area, now, held.voxels)
        elif overwrites(masking["OverwriteMode"], held):
            voxels = held.voxels & ~(area & (grown != 0))
            # What a visible segment had there already, it does not take.
            for other in visible:
                same = state.segments[other].voxels & (grown == visible.index(other) + 1)
                voxels |= held.voxels & same & ~area
        else:
            voxels = held.voxels
        after[key] = Segment(voxels, held.visible)
    return State(after, state.volume)


@pytest.mark.parametrize("block_edge", [32, 4])
@pytest.mark.parametrize("mode", MASK_MODES)
def test_all_visible_segments_of_a_session(mode: str, block_edge: int) -> None:
    random = Random(f"{mode}{block_edge}")
    for overwrite, by_intensity, hidden in itertools.product(
        OVERWRITE_MODES, (False, True), (None, "s1", "s3")
    ):
        volume = smooth_volume(WORLD.shape, random.randrange(1000))
        session = WORLD.session(volume, block_edge)
        segments = ["s0", "s1", "s2", "s3"]
        add_segments(session, segments)
        for segment in segments:  # that overlap
            points = [WORLD.point([random.uniform(0, n) for n in WORLD.shape[::-1]])]
            stroke = {"Points": points, "BrushAbsoluteDiameter": random.uniform(2.0, 8.0)}
            apply(
                session, operation("paint", segment, {"OverwriteMode": "OverwriteNone"}, **stroke)
            )
        if hidden:
            apply(session, operation("show_segment", hidden, Visible=False))
        masking: dict[str, Any] = {"MaskMode": mode, "OverwriteMode": overwrite}
        if mode == "EditAllowedInsideSingleSegment":
            masking["MaskSegmentID"] = random.choice(segments)
        if by_intensity:
            low = float(np.quantile(volume, random.uniform(0, 0.5)))
            masking |= {"SourceVolumeIntensityMask": True}
            masking["SourceVolumeIntensityMaskRange"] = [low, low + 60]
        state = State(
            {key: Segment(mask, key != hidden) for key, mask in masks_of(session).items()}, volume
        )
        expected = expected_state(state, 3.0, masking)
        edit = expansion(3.0, masking)
        before = state_of(session)
        image = vtkImageData()
        done(session, session.Preview(json.dumps(edit), whole(session), 1, image))
        assert state_of(session) == before
        foreseen = array_of(image, "Mask")
        apply(session, edit)
        context = f"{masking}, {hidden} hidden, "
        for key, mask in masks_of(session).items():
            assert_same(mask, expected.segments[key].voxels, context + key)
        for number, key in enumerate([key for key in segments if key != hidden], start=1):
            # Where segments still overlap, because nothing may change there, the first one shows.
            assert not (foreseen == number)[~expected.segments[key].voxels].any(), context + key
        check_counts(session)
        after = state_of(session)
        undone(session)
        assert state_of(session)[:1] == before[:1]
        assert {k: m.tobytes() for k, m in masks_of(session).items()} == {
            key: held.voxels.tobytes() for key, held in state.segments.items()
        }
        redone(session)
        assert state_of(session) == after


def test_no_layer_is_added_when_segments_only_trade_voxels() -> None:
    session = WORLD.session()
    add_segments(session, ["a", "b"])
    for segment, x in (("a", 3), ("b", 9)):
        stroke = {"Points": [WORLD.point([x, 6, 4])], "BrushAbsoluteDiameter": 3.0}
        apply(session, operation("paint", segment, **stroke))
    apply(session, expansion(1000.0, {"OverwriteMode": "OverwriteNone"}))
    table = session.GetSegmentTable()
    assert {table.GetNthSegmentLayer(row) for row in range(2)} == {0}
    assert sum(counts_of(session).values()) == np.prod(WORLD.shape)


def test_a_region_is_all_that_it_sees() -> None:
    session = WORLD.session()
    add_segments(session, ["a", "b"])
    for segment, index in (("a", [2, 2, 2]), ("b", [11, 9, 7])):
        apply(
            session, operation("paint", segment, Points=[WORLD.point(index)], BrushPixelMode=True)
        )
    region = {"center": WORLD.point([2, 2, 2]), "size": [0.5 * 4, 1.25 * 2, 2.0 * 2]}
    apply(session, expansion(1000.0, region=region))
    box = np.zeros(WORLD.shape, bool)
    box[1:4, 1:4, 0:5] = True
    assert_same(mask_of(session, "a"), box)
    assert mask_of(session, "b").sum() == 1


def test_what_is_refused() -> None:
    session = WORLD.session()
    assert "no segment is visible" in refused(session, expansion(1.0))
    add_segments(session, ["a"])
    apply(session, operation("show_segment", "a", Visible=False))
    text = refused(session, expansion(1.0))
    assert "operation 1 (expand_segments): no segment is visible" in text
    named = {**expansion(1.0), "segment": "a"}
    assert "has 'segment', but works on all visible segments" in refused(session, named)
    # Nothing to expand is no error.
    apply(session, operation("show_segment", "a", Visible=True))
    apply(session, expansion(1.0))
    assert counts_of(session) == {"a": 0}
