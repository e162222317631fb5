"""Every local effect as an operation of the editor: what it does, masked, undone and redone.

Effects are found in the registry, so a new one is tested the moment it says that it is local.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import segmentationcore
from sample_data import assert_same, smooth_volume
from sample_parameters import arguments, keywords
from segmentationcore import Editor, to_array, to_image
from segmentationcore._registry import snake_case, voxel_effects

pytestmark = pytest.mark.python

SHAPE = (12, 14, 16)
LOCAL = {name: effect for name, effect in voxel_effects().items() if effect["local"]}
RANGE = (35.0, 65.0)
PLACE: dict[str, Any] = {"spacing": (1.5, 0.9, 1.0), "origin": (30.0, -2.0, 1e4)}


class Session:
    """Two segments beside a volume, and an operation of one effect on the first of them."""

    def __init__(self, identifier: str) -> None:
        self.effect = LOCAL[identifier]
        self.volume = smooth_volume(SHAPE, 3)
        self.image = to_image(self.volume, **PLACE)
        self.editor = Editor(self.image)
        self.editor.add_segment("a", label_value=1)
        self.editor.add_segment("b", label_value=2)
        self.editor.apply("threshold", "a", minimum_threshold=55)
        self.editor.apply("threshold", "b", maximum_threshold=30)
        self.before = self.mask("a")
        assert self.before.any()
        assert self.mask("b").any()

    def mask(self, segment: str) -> np.ndarray:
        return to_array(self.editor.mask(segment)).astype(bool)

    def parameters(self, data: Any, **more: Any) -> dict[str, Any]:
        given = keywords(arguments(self.effect, {}, data))
        kinds = {p["name"]: p["type"] for p in self.effect["parameters"]}
        if "BypassMasking" in kinds:
            more["bypass_masking"] = False
        if self.effect["identifier"] == "threshold":
            more["maximum_threshold"] = 70.0
        return given | more

    def expected(self) -> np.ndarray:
        """The segment after the effect, by the function."""
        function = getattr(segmentationcore, self.effect["identifier"])
        if self.effect["input"] == "volume":
            mask = to_array(function(self.image, **self.parameters(self.image))) == 1
            return self.before | mask if self.effect["writes"] == "add" else mask
        labels = np.where(self.before, 1, np.where(self.mask("b"), 2, 0)).astype(np.uint8)
        image = to_image(labels, **PLACE)
        return to_array(function(image, **self.parameters(image))) == 1

    def check(self, expected: np.ndarray) -> None:
        """The segment is as expected; an effect that spreads may do less where it may not pass."""
        after = self.mask("a")
        if self.effect["halo"] == "none":
            assert_same(after, expected)
        else:
            assert not ((after != self.before) & (after != expected)).any()

    def apply(self, **more: Any) -> None:
        given = self.parameters(self.image)
        for parameter in self.effect["parameters"]:
            if parameter["type"] == "segment":
                given[snake_case(parameter["name"])] = "b"
        self.editor.apply(self.effect["identifier"], "a", **given, **more)


every_local_effect = pytest.mark.parametrize("identifier", LOCAL)


@every_local_effect
def test_an_operation_does_what_the_function_does(identifier: str) -> None:
    session = Session(identifier)
    expected = session.expected()
    assert (expected != session.before).any()
    session.apply()
    assert_same(session.mask("a"), expected)


@every_local_effect
def test_an_operation_stays_within_its_mask(identifier: str) -> None:
    session = Session(identifier)
    allowed = (session.volume >= RANGE[0]) & (session.volume <= RANGE[1])
    expected = np.where(allowed, session.expected(), session.before)
    masking = {
        "SourceVolumeIntensityMask": True,
        "SourceVolumeIntensityMaskRange": RANGE,
        "OverwriteMode": "OverwriteNone",
    }
    others = session.mask("b")
    session.apply(masking=masking)
    session.check(expected)
    assert_same(session.mask("b"), others)


@every_local_effect
def test_an_operation_is_undone_and_redone(identifier: str) -> None:
    session = Session(identifier)
    others = session.mask("b")
    session.apply()
    after = session.mask("a")
    later = session.mask("b")
    for _ in range(2):
        assert session.editor.undo()
        assert_same(session.mask("a"), session.before)
        assert_same(session.mask("b"), others)
        assert session.editor.redo()
        assert_same(session.mask("a"), after)
        assert_same(session.mask("b"), later)


@every_local_effect
def test_an_operation_in_a_box_changes_what_is_in_it(identifier: str) -> None:
    session = Session(identifier)
    expected = session.before.copy()
    box = (slice(2, 9), slice(3, 12), slice(4, 14))
    expected[box] = session.expected()[box]
    extent = session.image.GetExtent()
    centre, size = [], []
    for axis, part in enumerate(reversed(box)):
        step = session.image.GetSpacing()[axis]
        first = session.image.GetOrigin()[axis] + (extent[2 * axis] + part.start) * step
        size.append((part.stop - part.start) * step)
        centre.append(first + (part.stop - part.start - 1) / 2 * step)
    session.apply(region={"center": centre, "size": size})
    session.check(expected)
