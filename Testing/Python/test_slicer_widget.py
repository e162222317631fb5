"""The Segment Editor effect of the Slicer extension, with stand-ins for Qt and Slicer.

Slicer's application cannot be installed here. The stand-ins hold what the class sets and calls, so
that names and the flow are run: which rows get which widgets, what is read from them, what is
written, in which mode and after which state was saved. The work itself is tested in real Slicer
classes by ``Testing/Slicer/test_panel.py``.
"""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sample_data import assert_same
from segmentationcore import SegmentationCoreError, margin, to_array, to_image
from segmentationcore.slicer import panel

pytestmark = pytest.mark.python

SOURCE = (
    Path(__file__).resolve().parents[2]
    / "Wrapping/Slicer/SegmentEditorSegmentationCore/SegmentEditorSegmentationCoreLib"
    / "SegmentEditorEffect.py"
)


class Widget:
    """Holds what is set, and offers what Qt's and Slicer's widgets have that is used."""

    def __init__(self, text: str = "") -> None:
        self.text, self.items, self.index = text, [], 0
        self.children: list[Any] = []
        self.node: Any = None
        self.visible, self.checked = True, False

    def connect(self, signal: str, slot: Any) -> None:
        self.signal, self.slot = signal, slot

    # Combo boxes and stacks.
    def clear(self) -> None:
        self.items, self.index = [], -1

    def addItem(self, _text: str, value: Any = None) -> None:
        self.items.append(value)

    def setCurrentIndex(self, index: int) -> None:
        self.index = index

    @property
    def currentIndex(self) -> int:
        return self.index

    @property
    def currentData(self) -> Any:
        return self.items[self.index]

    def addWidget(self, widget: Any) -> None:
        self.children.append(widget)

    def setMRMLScene(self, scene: Any) -> None:
        self.scene = scene

    def currentNode(self) -> Any:
        return self.node


class Form:
    def __init__(self, page: Widget) -> None:
        page.rows = []  # type: ignore[attr-defined]
        self.page = page

    def addRow(self, label: str, widget: Widget) -> None:
        self.page.rows.append((label, widget))  # type: ignore[attr-defined]


class Scripted:
    """Slicer's side of the effect: what it provides, and what was done to it."""

    def __init__(self, images: dict[str, Any]) -> None:
        self.images, self.calls, self.visible = images, [], True
        node = SimpleNamespace()
        self.selected = "a"
        self.editor = SimpleNamespace(
            GetSegmentationNode=lambda: node, GetSelectedSegmentID=lambda: self.selected
        )
        self.node = node
        self.widgets: list[Any] = []

    def addLabeledOptionsWidget(self, _label: str, widget: Any) -> None:
        self.widgets.append(widget)

    def addOptionsWidget(self, widget: Any) -> None:
        self.widgets.append(widget)

    def confirmCurrentSegmentVisible(self) -> bool:
        self.calls.append("confirm")
        return self.visible

    def parameterSetNode(self) -> Any:
        return self.editor

    def defaultModifierLabelmap(self) -> Any:
        return self.images["modifier"]

    def selectedSegmentLabelmap(self) -> Any:
        return self.images["segment"]

    def sourceVolumeImageData(self) -> Any:
        return self.images["volume"]

    def saveStateForUndo(self) -> None:
        self.calls.append("save")

    def modifySelectedSegmentByLabelmap(self, image: Any, mode: str, bypass: bool) -> None:
        self.calls.append((mode, to_array(image).copy()))
        self.bypass = bypass

    def modifySegmentByLabelmap(self, node: Any, key: str, image: Any, mode: str) -> None:
        assert node is self.node
        self.calls.append((mode, key, image))


class Nodes:
    """In place of ``segmentationcore.slicer.nodes``, which needs Slicer's classes."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = []
        self.table = {"a": mask(), "b": mask()[::-1], "c": mask()[:, ::-1]}

    def markups_points(self, markups: Any, _node: Any) -> Any:
        return markups or []

    def view_matrix(self, view: Any, _node: Any) -> list[float]:
        return view or [float(row == column) for row in range(4) for column in range(4)]

    def other_segments(self, _node: Any, selected: str) -> list[tuple[str, str]]:
        return [(key, f"name of {key}") for key in self.table if key != selected]

    def segment_image(self, _node: Any, key: str, _lattice: Any) -> Any:
        return to_image(np.ascontiguousarray(self.table[key]))

    def write_parts(
        self, _node: Any, selected: str, result: Any, _lattice: Any, write: Any
    ) -> None:
        for label in panel.labels_in(result)[1:]:
            write(f"{selected}_{label}", (to_array(result) == label).sum())

    def edit_mask(self, *_arguments: Any) -> str:
        return "mask"

    def run_on_each(self, effect: Any, values: Any, *, write: Any, **more: Any) -> None:
        self.asked.append(("each", effect.identifier, values, more))
        write("a", "image of a")
        write("b", "image of b")

    def run_on_all(self, effect: Any, values: Any, *, write: Any, **more: Any) -> None:
        self.asked.append(("all", effect.identifier, values, more))
        write("a", "image of a")


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Any:
    widgets = ("QComboBox", "QStackedWidget", "QWidget", "QCheckBox", "QPushButton", "QLineEdit")
    qt, ctk, slicer = ModuleType("qt"), ModuleType("ctk"), ModuleType("slicer")
    for name in (*widgets, "QSpinBox"):
        setattr(qt, name, Widget)
    qt.QFormLayout = Form  # type: ignore[attr-defined]
    ctk.ctkDoubleSpinBox = Widget  # type: ignore[attr-defined]
    slicer.qMRMLNodeComboBox = Widget  # type: ignore[attr-defined]
    slicer.mrmlScene = "the scene"  # type: ignore[attr-defined]
    modes = {f"ModificationMode{mode}": mode for mode in ("Set", "Add", "Remove", "RemoveAll")}
    slicer.qSlicerSegmentEditorAbstractEffect = SimpleNamespace(**modes)  # type: ignore[attr-defined]

    @contextlib.contextmanager
    def display(_text: str, waitCursor: bool) -> Iterator[None]:
        yield  # errors reach the test

    slicer.util = SimpleNamespace(tryWithErrorDisplay=display)  # type: ignore[attr-defined]
    i18n = ModuleType("slicer.i18n")
    i18n.tr = lambda text: text  # type: ignore[attr-defined]

    class Base:
        def __init__(self, scripted: Any) -> None:
            self.scriptedEffect = scripted

    effects = ModuleType("SegmentEditorEffects")
    effects.AbstractScriptedSegmentEditorEffect = Base  # type: ignore[attr-defined]
    found = {"qt": qt, "ctk": ctk, "slicer": slicer, "slicer.i18n": i18n}
    for name, one in {**found, "SegmentEditorEffects": effects}.items():
        monkeypatch.setitem(sys.modules, name, one)
    stand_in = ModuleType("segmentationcore.slicer.nodes")
    monkeypatch.setitem(sys.modules, "segmentationcore.slicer.nodes", stand_in)
    monkeypatch.setattr(sys.modules["segmentationcore.slicer"], "nodes", stand_in, raising=False)
    spec = importlib.util.spec_from_file_location("SegmentEditorEffect", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def mask() -> np.ndarray:
    result = np.zeros((7, 8, 9), np.uint8)
    result[2:5, 2:6, 3:6] = 1
    return result


@pytest.fixture
def widget(module: Any) -> Any:
    volume = np.arange(7 * 8 * 9, dtype=np.int16).reshape(7, 8, 9)
    images = {
        "modifier": to_image(np.zeros((7, 8, 9), np.uint8)),
        "segment": to_image(mask()),
        "volume": to_image(volume),
    }
    effect = module.SegmentEditorEffect(Scripted(images))
    module.nodes = Nodes()
    effect.nodes = module.nodes
    effect.setupOptionsFrame()
    return effect


def choose(widget: Any, identifier: str) -> dict[str, Widget]:
    """Choose an effect; returns its widgets by their parameters."""
    index = [effect.identifier for effect in widget.effects].index(identifier)
    widget.choice.setCurrentIndex(index)
    widget.choice.slot(index)
    return {name: one for (owner, name), one in widget.widgets.items() if owner == identifier}


def test_every_row_has_a_widget_with_its_default(widget: Any) -> None:
    assert widget.choice.items == [effect.identifier for effect in panel.effect_panels()]
    for effect, page in zip(widget.effects, widget.pages.children, strict=True):
        assert len(page.rows) == len(effect.rows), effect.identifier
        for row in effect.rows:
            assert widget.widgets[effect.identifier, row.name].toolTip == row.sentence
        values = widget._values(effect, None)
        for row in effect.rows:
            if row.kind == "points":
                assert values[row.name] == []
            elif row.kind == "segment":
                assert values[row.name] == ""
            elif row.kind == "int64":
                assert values[row.name] == min(row.default, 2**31 - 1)
            else:
                assert values[row.name] == row.default, (effect.identifier, row.name)
    assert widget.helpText().count("<b>") == len(widget.effects)


def test_choices_are_shown_where_there_are_any(widget: Any) -> None:
    for identifier, each, near in (
        ("median", True, False), ("threshold", False, False), ("fast_marching", True, False),
        ("joint_smoothing", False, False), ("grow_from_seeds", False, True),
    ):  # fmt: skip
        choose(widget, identifier)
        assert (widget.toAllVisible.visible, widget.nearOnly.visible) == (each, near), identifier


def test_the_selected_segment(widget: Any) -> None:
    rows = choose(widget, "margin")
    rows["MarginSizeMm"].value = -1.0  # type: ignore[attr-defined]
    widget.onApply()
    confirmed, saved, (mode, written) = widget.scriptedEffect.calls
    assert (confirmed, saved, mode) == ("confirm", "save", "Set")
    assert_same(written, margin(mask(), margin_size_mm=-1.0))
    widget.scriptedEffect.visible = False
    widget.scriptedEffect.calls.clear()
    widget.onApply()
    assert widget.scriptedEffect.calls == ["confirm"]


def test_a_volume_joins_or_leaves_the_segment(widget: Any) -> None:
    rows = choose(widget, "flood_filling")
    with pytest.raises(ValueError, match="needs a markups node with points"):
        widget.onApply()
    assert "save" not in widget.scriptedEffect.calls
    rows["Points"].node = [[0.0, 0.0, 0.0]]
    rows["NeighborhoodSizeMm"].value = 0.0  # type: ignore[attr-defined]
    widget.onApply()
    mode, written = widget.scriptedEffect.calls[-1]
    assert mode == "Add"
    assert written[0, 0, :9].all()
    choose(widget, "boundary_removal")
    widget.onApply()
    assert widget.scriptedEffect.calls[-1][0] == "Remove"
    widget.scriptedEffect.images["volume"] = None
    with pytest.raises(ValueError, match="there is no source volume"):
        widget.onApply()


def test_another_segment_is_chosen_among_the_others(widget: Any) -> None:
    rows = choose(widget, "logical")
    assert not widget.toAllVisible.visible
    other = rows["ModifierSegmentID"]
    assert other.items == ["", "b", "c"]
    other.setCurrentIndex(2)
    rows["Operation"].setCurrentIndex(1)
    scripted = widget.scriptedEffect
    widget.onApply()
    assert (scripted.calls[-1][0], scripted.bypass) == ("Set", True)
    assert_same(scripted.calls[-1][1], mask() | mask()[:, ::-1])
    # The selection moves and a segment goes: the choice stays while it can.
    scripted.selected = "b"
    widget.updateGUIFromMRML()
    assert (other.items, other.currentData) == (["", "a", "c"], "c")
    del widget.nodes.table["c"]
    widget.updateGUIFromMRML()
    assert (other.items, other.currentData) == (["", "a"], "")
    scripted.calls.clear()
    with pytest.raises(RuntimeError, match="ModifierSegmentID"):
        widget.onApply()
    assert scripted.calls == ["confirm"]
    rows["Operation"].setCurrentIndex(rows["Operation"].items.index("FILL"))
    rows["BypassMasking"].checked = False
    widget.onApply()
    assert scripted.calls[-1][1].all()
    assert not scripted.bypass
    scripted.editor = None  # before there is an editor
    widget.updateGUIFromMRML()
    assert other.items == ["", "a"]


def test_the_view_is_a_node(widget: Any) -> None:
    rows = choose(widget, "scissors")
    assert rows["ViewMatrix"].nodeTypes == [  # type: ignore[attr-defined]
        "vtkMRMLSliceNode", "vtkMRMLCameraNode"]  # fmt: skip
    rows["Points"].node = [[2.5, 0.0, 1.5], [2.5, 0.0, 3.5], [4.5, 0.0, 3.5], [4.5, 0.0, 1.5]]
    # Along y: the view's axes are x, z, -y.
    rows["ViewMatrix"].node = [1.0, 0, 0, 0, 0, 0, 1.0, 0, 0, -1.0, 0, 0, 0, 0, 0, 1.0]
    widget.onApply()
    expected = mask()
    expected[2:4, :, 3:5] = 0
    assert_same(widget.scriptedEffect.calls[-1][1], expected)


def test_parts_become_segments(widget: Any) -> None:
    rows = choose(widget, "multi_threshold")
    rows["Thresholds"].text = "100 400"
    scripted = widget.scriptedEffect
    widget.onApply()
    confirmed, saved, second, third, (mode, written) = scripted.calls
    assert (confirmed, saved, mode) == ("confirm", "save", "Set")
    assert second == ("Add", "a_2", 300)
    assert third == ("Add", "a_3", 104)
    assert_same(written.ravel(), (np.arange(7 * 8 * 9) < 100).astype(np.uint8))
    # Nothing is in the lowest class: the next one stays in the segment.
    scripted.calls.clear()
    rows["Thresholds"].text = "-5 300"
    widget.onApply()
    _confirmed, _saved, (_, key, count), (_mode, written) = scripted.calls
    assert (key, count) == ("a_3", 204)
    assert int(written.sum()) == 300


def test_what_is_taken_leaves_all_segments(widget: Any) -> None:
    rows = choose(widget, "erase")
    rows["Points"].node = [[4.0, 3.0, 2.0]]
    rows["BrushPixelMode"].checked = rows["EraseAllSegments"].checked = True
    widget.toAllVisible.checked = True  # all lose it anyway
    widget.onApply()
    confirmed, saved, (mode, written) = widget.scriptedEffect.calls
    assert (confirmed, saved, mode) == ("confirm", "save", "RemoveAll")
    assert np.argwhere(written).tolist() == [[2, 3, 4]]


def test_each_visible_segment(widget: Any) -> None:
    rows = choose(widget, "fast_marching")
    rows["PercentMax"].value = 30.0  # type: ignore[attr-defined]
    widget.toAllVisible.checked = True
    widget.onApply()
    scripted = widget.scriptedEffect
    assert scripted.calls == ["save", ("Set", "a", "image of a"), ("Set", "b", "image of b")]
    ((kind, identifier, values, more),) = widget.nodes.asked
    assert (kind, identifier, values["PercentMax"]) == ("each", "fast_marching", 30.0)
    assert more["volume"] is scripted.images["volume"]
    assert more["lattice"] is scripted.images["modifier"]


@pytest.mark.parametrize("near", [True, False])
def test_all_visible_segments_at_once(widget: Any, near: bool) -> None:
    choose(widget, "grow_from_seeds")
    widget.toAllVisible.checked = True  # of another effect: it means nothing here
    widget.nearOnly.checked = near
    widget.onApply()
    assert widget.scriptedEffect.calls == ["save", ("Set", "a", "image of a")]
    ((kind, identifier, _, more),) = widget.nodes.asked
    assert (kind, identifier) == ("all", "grow_from_seeds")
    assert more["growth"] == (0.1 if near else None)
    assert more["forbidden"] == "mask"
    choose(widget, "fill_between_slices")
    widget.onApply()
    assert widget.nodes.asked[-1][3]["growth"] is None
    assert widget.nodes.asked[-1][3]["volume"] is None


def test_a_failure_is_told(widget: Any, module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: Any, **_more: Any) -> None:
        raise SegmentationCoreError("no luck", [])

    monkeypatch.setattr(module.nodes, "run_on_all", fail)
    choose(widget, "joint_smoothing")
    with pytest.raises(RuntimeError, match="no luck"):
        widget.onApply()
    assert widget.scriptedEffect.calls == []
