"""The benchmarks' own arithmetic, schema and tables. Nothing here is timed."""

from __future__ import annotations

import json
import sys
import types
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from Benchmarks import catalogue, data, measure, report, results
from Benchmarks.groups import Context, GroupError, datamodel, editor, editor_adapter, effects
from Benchmarks.measure import Timing
from Benchmarks.peers import Task
from scipy import ndimage
from segmentationcore._registry import queries, voxel_effects

pytestmark = pytest.mark.python


def made(**more: Any) -> results.Results:
    """Three rows: a slower peer, a faster one that disagrees, and a failed one."""
    found = results.Results({"numpy": "2.0"}, [1, 2], {1: 10e9, 2: 16e9}, False)
    shared: dict[str, Any] = {
        "group": "effects",
        "effect": "margin grow 3 mm",
        "data": "ct bone",
        "size": (256, 256, 108),
        "threads": 2,
        "ours": Timing((0.1, 0.3, 0.2)),
        "ours_scratch": 4.0,
        "floor": 0.001,
    }
    slower = {"peer": "Slicer vtkITKImageMargin", "peer_version": "5.13", "compared": 1000}
    found.add(**shared, **slower, theirs=Timing((0.4,)), different=0)
    faster = {"peer": "edt edtsq", "peer_version": "3.1", "compared": 1000, "different": 17}
    found.add(**shared, **faster, theirs=Timing((0.05, 0.04, 0.06)))
    found.add(**shared, peer="scipy label", error="ValueError: no")
    return found


def test_median_and_spread() -> None:
    timing = Timing((3.0, 1.0, 2.0, 10.0))
    assert (timing.median, timing.least, timing.most) == (2.5, 1.0, 10.0)


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [(0.5, 2.0, 4.0), (2.0, 0.5, 0.25), (None, 1.0, None), (1.0, None, None), (0.0, 1.0, None)],
)
def test_ratio_is_their_time_over_ours(ours: Any, theirs: Any, expected: Any) -> None:
    assert results.ratio(ours, theirs) == expected


def test_rows_have_exactly_the_promised_keys(tmp_path: Path) -> None:
    made().write(tmp_path / "results.json")
    document = json.loads((tmp_path / "results.json").read_text())
    assert list(document["rows"][0]) == [
        "group",
        "effect",
        "data",
        "size",
        "threads",
        "ours_seconds",
        "ours_scratch_bytes_per_voxel",
        "peer",
        "peer_version",
        "peer_seconds",
        "ratio",
        "floor_seconds",
    ]
    assert document["rows"][0]["ratio"] == 2.0
    assert document["rows"][2]["peer_seconds"] is None
    assert document["rows"][2]["ratio"] is None
    assert document["header"]["memcpy_bytes_per_second"] == {"1": 10e9, "2": 16e9}
    assert results.read(tmp_path / "results.json") == document


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("ratio", 3.0),
        ("effect", ""),
        ("threads", 0),
        ("size", [256, 256]),
        ("ours_seconds", -1.0),
        ("peer", None),
    ],
)
def test_a_wrong_row_is_refused(key: str, value: Any) -> None:
    document = made().document
    document["rows"][0][key] = value
    with pytest.raises(results.ResultsError, match=key):
        results.check(document)


def test_a_missing_or_new_key_is_refused() -> None:
    document = made().document
    del document["rows"][1]["floor_seconds"]
    with pytest.raises(results.ResultsError, match="floor_seconds"):
        results.check(document)
    document = made().document
    document["machine"] = "mine"
    with pytest.raises(results.ResultsError, match="sections"):
        results.check(document)


def test_report_tells_the_good_and_the_bad() -> None:
    text = report.markdown(made().document)
    assert "Slower than the fastest peer in 1 of 1: margin grow 3 mm, ct bone" in text
    assert "**0.250 x**" in text  # edt, faster than us
    assert "| 2.00 x |" in text  # Slicer, slower than us
    assert "1 of 2 compared results have the same voxels" in text
    assert "17 of 1,000 | **the definitions are the same**" in text
    assert "scipy label (margin grow 3 mm, ct bone, 2 thr): ValueError: no" in text
    assert "16.0 GB/s" in text
    # The fastest peer first.
    assert text.index("| edt edtsq | 3.1 |") < text.index("| Slicer vtkITKImageMargin | 5.13 |")


def test_report_of_nothing() -> None:
    empty = results.Results({}, [1], {1: 1e9}, True)
    empty.fail("Group editor FAILED: no class")
    results.check(empty.document)
    text = report.markdown(empty.document)
    assert "- Group editor FAILED: no class" in text
    assert "--quick" in text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (2.5e-5, "25.0 µs"), (0.0123, "12.3 ms"), (1.5, "1.50 s"), (1234.0, "1,234 s")],
)
def test_times_have_a_unit(value: Any, text: str) -> None:
    assert report.seconds(value) == text


class Counted:
    """A contender of constant speed that remembers when its turn was."""

    def __init__(self, name: str, seconds: float, log: list[str], fails: bool = False) -> None:
        self.name, self.seconds, self.log, self.fails = name, seconds, log, fails

    def run(self) -> float:
        self.log.append(self.name)
        if self.fails:
            raise ValueError("no\nluck")
        return self.seconds


def test_contenders_take_turns() -> None:
    log: list[str] = []
    field = {name: Counted(name, 1.0, log) for name in "abc"}
    timings, errors = measure.interleave(field, dict.fromkeys("abc", 1.0), rounds=3, budget=100)
    assert "".join(log) == "abcbcacab"
    assert {name: len(timing.runs) for name, timing in timings.items()} == {"a": 3, "b": 3, "c": 3}
    assert not errors


def test_a_turn_of_a_short_contender_has_several_runs() -> None:
    log: list[str] = []
    seconds = {"a": 0.01, "b": 0.3, "c": 0.4}
    field = {name: Counted(name, time, log) for name, time in seconds.items()}
    timings, _ = measure.interleave(field, seconds, rounds=2, budget=100)
    assert "".join(log) == "aaabbc" + "bbcaaa"
    assert {name: len(timing.runs) for name, timing in timings.items()} == {"a": 6, "b": 4, "c": 2}


def test_slow_and_failing_contenders_leave_early() -> None:
    log: list[str] = []
    field = {
        "fast": Counted("fast", 1.0, log),
        "slow": Counted("slow", 6.0, log),
        "endless": Counted("endless", 60.0, log),
        "broken": Counted("broken", 1.0, log, fails=True),
    }
    warm_up = {"fast": 1.0, "slow": 6.0, "endless": 60.0, "broken": 1.0}
    timings, errors = measure.interleave(field, warm_up, rounds=5, budget=10)
    assert len(timings["fast"].runs) == 5
    assert len(timings["slow"].runs) == 2
    assert timings["endless"].runs == (60.0,)  # its warm-up
    assert "broken" not in timings
    assert errors == {"broken": "ValueError: no luck"}


def test_memory_of_a_call_is_seen() -> None:
    size = 64 << 20

    def work() -> int:
        return int(np.ones(size, np.uint8)[-1])  # freed before the end

    growth, _, result = measure.memory_growth(work)
    assert result == 1
    assert 0.9 * size < growth < 1.5 * size


def test_floor_takes_the_bandwidth_of_as_many_threads() -> None:
    bandwidth = {1: 10.0, 2: 20.0}
    assert measure.floor_seconds(40, 1, bandwidth) == 4.0
    assert measure.floor_seconds(40, 2, bandwidth) == 2.0
    assert measure.floor_seconds(40, 8, bandwidth) == 2.0
    assert measure.floor_seconds(40, 1, {}) is None


def test_results_are_compared_by_selection_and_medians_inside() -> None:
    ours = np.zeros((7, 8, 9), np.uint8)
    theirs = ours.astype(bool)
    ours[3, 4, 4] = 1
    theirs[0, 0, 0] = True
    assert effects.compare(ours, theirs) == (ours.size, 2)
    assert effects.compare(ours, theirs, 2) == (3 * 4 * 5, 1)
    assert effects.compare("9 triangles", "8 triangles") == (None, None)
    with pytest.raises(ValueError, match="shape"):
        effects.compare(ours, theirs[1:])


@pytest.mark.parametrize("case", catalogue.CASES, ids=lambda case: case.name)
def test_every_case_runs(case: catalogue.Case) -> None:
    shape = (9, 10, 11)
    if case.effect and voxel_effects()[case.effect]["input"] == "volume":
        array = np.arange(990, dtype=np.uint16).reshape(shape)
    else:
        array = np.zeros(shape, np.uint8)
        array[2:7, 2:7, 2:7], array[3:6, 3:6, 7:9] = 1, 2
    options = {**case.options, "minimum": 1}
    method = case.method(Task(case.name, array, (1.0, 1.0, 1.0), 1, options, array))
    raw = method.function()
    result = method.convert(raw)
    assert case.inputs
    if isinstance(result, np.ndarray):
        assert result.shape == array.shape
        assert (method.function() is raw) == case.reused
    else:
        assert result


def test_every_effect_has_a_case() -> None:
    assert {case.effect for case in catalogue.CASES} - {""} == set(voxel_effects())
    names = [case.name for case in catalogue.CASES]
    assert names == sorted(set(names), key=str.lower)


def test_every_query_has_a_case() -> None:
    source = Path(catalogue.__file__).read_text(encoding="utf-8")
    for name in queries():
        assert f"{name}(" in source, name


def test_cases_have_a_peer_or_say_why_not() -> None:
    folder = Path(catalogue.__file__).parent / "peers"
    text = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*_peer.py"))
    for case in catalogue.CASES:
        known = (
            f'"{case.name}"' in text or f'startswith("{case.name.split()[0].strip(",")}"' in text
        )
        assert known != bool(case.without_peer), case.name


def test_inputs_of_cases_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    rock = data.load("rock", 32)
    monkeypatch.setattr(
        data, "load", lambda name, size: replace(rock, name={"large": "large rock"}.get(name, name))
    )
    kinds = {f"{name} {kind}" for name in effects.DATA for kind in data.inputs(name, 32)}
    assert {key for case in catalogue.CASES for key in case.inputs} <= kinds


def test_bars_are_about_what_is_measured(tmp_path: Path) -> None:
    inputs = {case.name: set(case.inputs) for case in catalogue.CASES}
    np.save(tmp_path / "atlas.npy", np.zeros((2, 3, 4), np.uint8))
    todo = datamodel.cases(True, tmp_path / "atlas.npy", tmp_path / "rock.npy")
    named = {title: {name} for title, name, *_ in todo}
    named["surfaces to labelmap, no collapse"] = {"atlas"}  # of stencil
    for bar in catalogue.BARS:
        assert set(bar.inputs) <= (inputs | named)[bar.case], bar


def test_bars_of_a_case_tell_the_nearest_peer() -> None:
    ratios = {"edt edtsq": 9.0, "Slicer vtkITKImageMargin": 20.0, "scipy edt": None}
    found = catalogue.bars("margin grow", "rock mask", "here", ratios)
    assert [(bar["asked"], bar["measured"], bar["met"]) for bar in found] == [
        ("10 x", 9.0, False),
        ("12 x", 20.0, True),
    ]
    assert "edt edtsq" in found[0]["bar"]
    nobody = catalogue.bars("margin grow", "rock mask", "here", {})
    assert [bar["met"] for bar in nobody] == [None, None]
    assert catalogue.bars("margin grow", "mri mask", "here", ratios) == []


def test_balls_are_those_of_the_definition() -> None:
    assert editor.ball(1).sum() == 7
    assert editor.ball(3).sum() == 123
    assert editor.ball(10).shape == (21, 21, 21)
    assert editor.ball(10).sum() == 4169


def test_a_dense_world_holds_its_strokes() -> None:
    world = editor.DenseWorld(64)
    world.stroke((20, 30, 40), 3)
    assert world.voxels.sum() == 123
    assert world.voxels[40, 30, 20] == 1


def test_bars() -> None:
    title = editor.stroke_title(10)
    timings = {
        (title, 512, editor.OURS): Timing((1e-4,)),
        (title, 4096, editor.OURS): Timing((1.3e-4,)),
        (title, 512, editor.NUMPY): Timing((2.5e-5,)),
        (title, 512, editor.SLICER_WAYS["set"]): Timing((0.1,)),
    }
    found = editor.bars(timings, (512, 4096))
    assert [bar["met"] for bar in found] == [True, None, True, False, None]
    assert [bar["measured"] for bar in found] == [
        pytest.approx(1000),
        None,
        pytest.approx(4),
        pytest.approx(1.3),
        pytest.approx(1.3),
    ]


def test_without_the_session_the_editor_group_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "segmentationcore", types.ModuleType("segmentationcore"))
    with pytest.raises(GroupError, match=r"vtkLabelMapEditSession.*make build.*--group effects"):
        editor_adapter.session_class()


class FakeSession:
    """Paints into an array that covers a part of the world; forgets what is outside."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.strokes: list[tuple[tuple[int, ...], int]] = []
        self.undone: list[Any] = []
        self.cleaned = False

    def apply(self, operation: str) -> None:
        asked = json.loads(operation)
        if asked["effect"] == "paint":
            point = tuple(int(at) for at in asked["parameters"]["Points"][0])
            self.strokes.append((point, int(asked["parameters"]["BrushAbsoluteDiameter"] / 2)))
            assert all(0 <= at < self.size for at in point)
        elif asked["effect"] == "erase":
            self.strokes.clear()
            self.cleaned = False
        elif asked["effect"] == "islands":
            self.cleaned = True

    def undo(self) -> None:
        self.undone.append(self.strokes.pop())

    def redo(self) -> None:
        self.strokes.append(self.undone.pop())

    def memory(self) -> tuple[int, int]:
        return 1000 * len(self.strokes), 500 * len(self.strokes)

    def forget(self) -> None:
        self.undone.clear()

    def voxels(self, first: Any, edge: int) -> np.ndarray:
        result = np.zeros((edge,) * 3, bool)
        for centre, radius in self.strokes:
            inside = [at - start for at, start in zip(centre, first, strict=True)]
            result[editor.around(inside, radius)] |= editor.ball(radius) > 0
        return with_scipy(result) if self.cleaned else result


def with_scipy(region: np.ndarray) -> np.ndarray:
    labels, _ = ndimage.label(region)
    kept = np.bincount(labels.ravel()) >= editor.MINIMUM_SIZE
    kept[0] = False
    return kept[labels]


def test_the_editor_group_reports_all_worlds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEGMENTATIONCORE_SLICER_PYTHON", raising=False)
    monkeypatch.setattr(editor, "Session", FakeSession)
    monkeypatch.setattr(editor, "session_class", lambda: FakeSession)
    monkeypatch.setattr(editor, "QUICK_WORLDS", (128, 512, 4096))
    monkeypatch.setattr(editor, "NUMPY_LARGEST", 128)
    monkeypatch.setitem(
        sys.modules, "cc3d", types.SimpleNamespace(dust=lambda region, **_: with_scipy(region))
    )
    found = results.Results({"numpy": "2.0", "cc3d": "4"}, [1, 2], {1: 10e9}, True)
    editor.run(Context(found, 256, True, [1, 2]))
    results.check(found.document)
    effects_found = {row["effect"] for row in found.document["rows"]}
    assert {"stroke, radius 10", "undo", "redo", editor.ISLANDS} <= effects_found
    assert {row["size"][0] for row in found.document["rows"]} == {128, 512, 4096}
    notes = [detail["note"] for detail in found.document["details"]]
    assert [note for note in notes if "20 strokes" in note] == [
        "compared after 20 strokes, 58,402 voxels"
    ]
    compared = [detail["different_voxels"] for detail in found.document["details"]]
    assert [different for different in compared if different is not None] == [0, 0]
    assert [entry["label_bytes"] for entry in found.document["memory"]] == [1_000_000] * 3
    assert "Slicer's editor was not measured" in found.document["failures"][0]
    text = report.markdown(found.document)
    assert "### Latency (median) against the edge of the world" in text
    assert "| stroke, radius 10 | **ours** |" in text
    assert "| 128^3 | 1,000 of radius 10 | 1.00 MB | 500 kB |" in text


def test_operations_of_the_session_are_json() -> None:
    painted = json.loads(editor_adapter.stroke((1, 2, 3), 10))
    assert painted["parameters"] == {"Points": [[1.0, 2.0, 3.0]], "BrushAbsoluteDiameter": 20.0}
    cleaned = json.loads(editor_adapter.remove_small_islands((0, 1, 2), 64, 1000))
    # The box of 64 mm ends between voxels: half a voxel before the first, half behind the last.
    assert cleaned["region"] == {"center": [31.5, 32.5, 33.5], "size": [64.0, 64.0, 64.0]}


@pytest.mark.parametrize(
    ("task", "options", "expected"),
    [
        ("history", {"size": 24, "undo": False}, None),
        ("history", {"size": 24, "undo": True}, [6 * 6 * 24 + 2.0]),
        ("surfaces", {"joint": False}, None),
        ("surfaces", {"joint": True}, None),
        ("labelmap", {}, None),
        ("collapse", {"count": 8, "size": 12, "force": False}, [125.0] * 8),
        ("collapse", {"count": 8, "size": 12, "force": True}, [125.0] * 8),
        ("extents", {"count": 8, "size": 12}, None),
        ("add", {"count": 3}, [3.0]),
        ("write", {"file": "written.seg.nrrd"}, None),
    ],
)
def test_every_task_of_the_data_model_runs(
    tmp_path: Path, task: str, options: dict[str, Any], expected: list[float] | None
) -> None:
    pytest.importorskip("segmentationcore.SegmentationCoreDataModel")
    from Benchmarks.groups.datamodel import Ours

    labels = np.zeros((12, 12, 12), np.uint8)
    labels[2:10, 2:10, 2:6], labels[2:10, 2:10, 6:10] = 1, 2
    np.save(tmp_path / "labels.npy", labels)
    if task in ("surfaces", "labelmap", "write"):
        options = {**options, "path": str(tmp_path / "labels.npy")}
    if task == "write":
        options["file"] = str(tmp_path / options["file"])
    ours = Ours()
    ours.tasks.prepare(task, options)
    assert ours.run() > 0
    assert ours.run() > 0
    found = ours.tasks.outcome()
    assert found
    assert expected is None or found == expected
