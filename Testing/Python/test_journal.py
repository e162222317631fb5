"""The journal of a session: replays, restarts, hostile files, full disks, and killed processes."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import journal_victim
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journal_victim import SEGMENTS, VOLUME, WORLD, act, actions, digest, new_session
from sample_data import assert_same, random_mask
from scipy import ndimage
from session_world import (
    World,
    add_segments,
    apply,
    content_of,
    done,
    mask_of,
    operation,
    redone,
    refused,
    state_of,
    undone,
)

pytestmark = pytest.mark.python

VICTIM = str(Path(journal_victim.__file__))
PAINT = operation("paint", "a", Points=[WORLD.point((11, 12, 13))])
MORE = operation("paint", "b", {"OverwriteMode": "OverwriteNone"}, Points=[WORLD.point((9, 9, 9))])


def opened(path: Path, session: Any = None) -> Any:
    """A session (a new one if none is given) that continues a journal."""
    session = session or new_session()
    done(session, session.OpenJournal(str(path)))
    return session


def lines_of(path: Path) -> list[Any]:
    """The entries after the header."""
    text = path.read_text("utf-8")
    assert text.endswith("\n")
    header, *entries = (json.loads(line) for line in text[:-1].split("\n"))
    assert header["format"] == "segmentationcore-journal"
    return entries


def recorded(path: Path, seed: int = 0) -> Any:
    """A session whose journal has all kinds of entries; the journal is closed."""
    session = opened(path)
    for action in actions(seed):
        act(session, action)
    undone(session, 2)
    session.CloseJournal()
    return session


# ---------------------------------------------------------------------------------------------
# Recording, restarting, replaying.


def test_what_a_journal_says(tmp_path: Path) -> None:
    path = tmp_path / "a journal, ü"
    session = opened(path)
    assert lines_of(path) == []
    add_segments(session, SEGMENTS)
    name = operation("rename_segment", "a", Name='new\nline, "quotes", ü, \u2028')
    apply(session, PAINT, name)
    undone(session)
    redone(session)
    undone(session)
    entries = lines_of(path)
    added = [operation("add_segment", segment) for segment in SEGMENTS]
    assert entries == [
        *({"apply": edit} for edit in (*added, PAINT, name)),
        {"undo": True},
        {"redo": True},
        {"undo": True},
    ]
    assert json.loads(session.GetOperations()) == [*added, PAINT]
    # What does nothing is not recorded.
    apply(session)
    refused(session, PAINT, operation("paint", "nobody", Points=[[0, 0, 0]]))
    session.CloseJournal()
    apply(session, PAINT)
    assert lines_of(path) == entries
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize("seed", range(4))
def test_a_journal_opened_again_restores_all(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "journal"
    session = recorded(path, seed)
    again = opened(path)
    assert content_of(again) == content_of(session)
    assert again.GetOperations() == session.GetOperations()
    assert again.GetNumberOfRedoSteps() == session.GetNumberOfRedoSteps() == 2
    assert again.GetNumberOfUndoSteps() == session.GetNumberOfUndoSteps()
    assert not again.GetJournalWasTorn()
    redone(again)
    redone(session)
    assert content_of(again) == content_of(session)
    apply(again, MORE)
    apply(session, MORE)
    again.CloseJournal()
    third = opened(path)
    assert content_of(third) == content_of(session)
    while session.GetNumberOfUndoSteps():
        undone(session)
        undone(third)
        assert content_of(third) == content_of(session)


@pytest.mark.parametrize("limit", [0, 5000])
def test_what_was_taken_back_stays_so_in_little_memory(tmp_path: Path, limit: int) -> None:
    path = tmp_path / "journal"
    session = recorded(path)
    again = new_session()
    again.SetUndoMemoryLimit(limit)
    opened(path, again)
    assert content_of(again) == content_of(session)
    assert again.GetOperations() == session.GetOperations()
    redone(again, 2)
    redone(session, 2)
    assert content_of(again) == content_of(session)


def test_a_saved_journal_has_what_holds(tmp_path: Path) -> None:
    session = recorded(tmp_path / "journal")
    path = tmp_path / "saved"
    path.write_text("something else")
    done(session, session.SaveJournal(str(path)))
    assert [entry["apply"] for entry in lines_of(path)] == json.loads(session.GetOperations())
    again = opened(path)
    assert content_of(again) == content_of(session)
    assert again.GetNumberOfRedoSteps() == 0
    assert sorted(os.listdir(tmp_path)) == ["journal", "saved"]


@pytest.mark.parametrize("block_edge", [5, 32])
def test_a_replay_in_another_process_is_equal(tmp_path: Path, block_edge: int) -> None:
    path = tmp_path / "journal"
    session = recorded(path, 3)
    result = subprocess.run(
        [sys.executable, VICTIM, "replay", str(path), str(block_edge)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == digest(session)


def test_an_edited_journal_is_replayed(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    session = opened(path)
    add_segments(session, SEGMENTS)
    edits = [
        operation("threshold", "a", MinimumThreshold=50),
        operation("margin", "a", MarginSizeMm=1.1),
        operation("copy_segment", "d", SourceSegmentID="a"),
        MORE,
    ]
    apply(session, *edits)
    session.CloseJournal()
    text = path.read_text()
    assert text.count('"MinimumThreshold":50') == 1
    path.write_text(text.replace('"MinimumThreshold":50', '"MinimumThreshold":64.5'))
    edits[0]["parameters"]["MinimumThreshold"] = 64.5
    expected = new_session()
    add_segments(expected, SEGMENTS)
    apply(expected, *edits)
    assert content_of(expected) != content_of(session)
    for again in (opened(path), new_session()):
        if not again.GetNumberOfUndoSteps():
            done(again, again.ReplayJournal(str(path), True))
        assert content_of(again) == content_of(expected)
    # One line out, and one in.
    lines = path.read_text().splitlines(keepends=True)
    del lines[5]  # the margin
    lines.insert(5, json.dumps({"apply": PAINT}) + "\n")
    path.write_text("".join(lines))
    edits[1] = PAINT
    expected = new_session()
    add_segments(expected, SEGMENTS)
    apply(expected, *edits)
    done(again, again.Start(None))
    done(again, again.ReplayJournal(str(path)))
    assert content_of(again) == content_of(expected)


def test_a_replay_goes_on_from_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    session = new_session()
    add_segments(session, SEGMENTS)
    done(session, session.SaveJournal(str(path)))
    before = state_of(session)
    # All or nothing: there are such segments already.
    assert not session.ReplayJournal(str(path))
    assert str(path) in session.GetLastError()
    assert "already" in session.GetLastError()
    assert state_of(session) == before
    # A replay is recorded, too.
    other = opened(tmp_path / "other")
    done(other, other.ReplayJournal(str(path)))
    assert [entry["apply"] for entry in lines_of(tmp_path / "other")] == [
        operation("add_segment", segment) for segment in SEGMENTS
    ]


def test_an_open_journal_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    session = opened(path)
    add_segments(session, SEGMENTS)
    text = path.read_bytes()
    (tmp_path / "link").symlink_to(path)
    for name in (path, tmp_path / "link", tmp_path / "." / "journal"):
        assert not session.SaveJournal(str(name))
        assert session.GetLastError().startswith(f"{name}: ")
    other = new_session()
    assert not other.SaveJournal(str(path))
    assert other.GetLastError() == f"{path}: is in use by another session"
    assert path.read_bytes() == text
    apply(session, PAINT)
    session.CloseJournal()
    assert content_of(opened(path)) == content_of(session)


def test_a_journal_is_for_one_volume(tmp_path: Path) -> None:
    session = opened(tmp_path / "journal")
    volume = session.GetVolume()
    for other in (WORLD.image(VOLUME[::-1]), None):
        assert not session.SetVolume(other)
        assert "journal" in session.GetLastError()
        assert session.GetVolume() is volume
    session.CloseJournal()
    done(session, session.SetVolume(None))


def test_what_comes_back_is_told(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    session = opened(path)
    add_segments(session, SEGMENTS)
    apply(session, PAINT, operation("add_segment", "d"), operation("show_segment", "a"))
    undone(session, 2)
    session.CloseJournal()
    again = new_session()
    told: list[str] = []
    again.AddObserver(again.LabelsChangedEvent, lambda *_: told.append(again.GetLastChange()))
    opened(path, again)
    change = json.loads(told.pop())
    assert not told
    assert change["segments"] == ["a"]
    assert change["table"]
    index = np.argwhere(mask_of(session, "a"))[:, ::-1]
    assert (index.min(0) >= change["extent"][::2]).all()
    assert (index.max(0) <= change["extent"][1::2]).all()


def test_one_journal_at_a_time(tmp_path: Path) -> None:
    session = opened(tmp_path / "one")
    assert not session.OpenJournal(str(tmp_path / "two"))
    assert "close" in session.GetLastError()
    assert not session.Start(None)
    assert "journal" in session.GetLastError()
    assert not (tmp_path / "two").exists()
    session.CloseJournal()
    session.CloseJournal()
    add_segments(session, SEGMENTS)
    assert not session.OpenJournal(str(tmp_path / "one"))
    assert "exists" in session.GetLastError()
    opened(tmp_path / "two", session)  # with what was done before
    assert len(lines_of(tmp_path / "two")) == len(SEGMENTS)
    undone(session)
    assert lines_of(tmp_path / "two")[-1] == {"undo": True}


# ---------------------------------------------------------------------------------------------
# Other data.

MOVED = World(WORLD.shape, spacing=WORLD.spacing, origin=(0.0, 0.0, 0.0))
LONGER = World((25, 24, 24), spacing=WORLD.spacing)


def other_volume() -> Any:
    values = VOLUME.copy()
    values[5, 6, 7] ^= 1
    return WORLD.session(values)


def other_start() -> Any:
    session = new_session()
    done(session, session.Start(WORLD.image((VOLUME > 60).astype(np.uint8))))
    return session


OTHERS = {
    "volume": (other_volume, "volume"),
    "no volume": (WORLD.session, "volume"),
    "origin": (MOVED.session, "voxels"),
    "extent": (LONGER.session, "voxels"),
    "start": (other_start, "label map"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_data_are_refused_unless_replayed(tmp_path: Path, name: str) -> None:
    make, culprit = OTHERS[name]
    path = tmp_path / "journal"
    session = opened(path)
    add_segments(session, SEGMENTS)
    apply(session, PAINT)
    session.CloseJournal()
    text = path.read_bytes()
    other = make()
    before = state_of(other)
    assert not other.OpenJournal(str(path))
    assert other.GetLastError().startswith(f"{path}: ")
    assert culprit in other.GetLastError()
    assert not other.ReplayJournal(str(path), True)
    assert culprit in other.GetLastError()
    assert state_of(other) == before
    done(other, other.ReplayJournal(str(path)))
    assert json.loads(other.GetOperations()) == json.loads(session.GetOperations())
    assert path.read_bytes() == text


def test_a_journal_knows_what_it_was_started_from(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    session = opened(path, other_start())
    apply(session, operation("paint", "Segment_1", Points=[WORLD.point((3, 3, 3))]))
    session.CloseJournal()
    assert content_of(opened(path, other_start())) == content_of(session)
    fresh = new_session()
    assert not fresh.ReplayJournal(str(path), True)
    assert "label map" in fresh.GetLastError()


def test_numbers_of_voxels_are_volumes(tmp_path: Path) -> None:
    small = random_mask((12, 12, 12), 3, 25)
    coarse = World(small.shape, spacing=(2.0, 2.0, 2.0))
    fine = World((24, 24, 24), spacing=(1.0, 1.0, 1.0))
    least, path = 5, tmp_path / "journal"
    edits = [
        operation("add_segment", "a"),
        operation("threshold", "a", MinimumThreshold=1),
        operation("islands", "a", Operation="REMOVE_SMALL_ISLANDS", MinimumSize=least),
    ]
    session = coarse.session(small.astype(np.uint8))
    apply(session, *edits)
    labels, _ = ndimage.label(small)
    expected = (labels > 0) & (np.bincount(labels.ravel())[labels] >= least)
    assert 0 < expected.sum() < small.sum()
    assert_same(mask_of(session, "a"), expected)
    done(session, session.SaveJournal(str(path)))

    def doubled(array: np.ndarray) -> np.ndarray:
        return array.repeat(2, 0).repeat(2, 1).repeat(2, 2)

    volume = doubled(small).astype(np.uint8)
    large = opened(tmp_path / "large", fine.session(volume))
    done(large, large.ReplayJournal(str(path)))
    assert_same(mask_of(large, "a"), doubled(expected))
    # What was done is what is recorded: a second replay does not scale again.
    last = json.loads(large.GetOperations())[-1]
    assert last["parameters"]["MinimumSize"] == 8 * least
    large.CloseJournal()
    again = opened(tmp_path / "large", fine.session(volume))
    assert content_of(again) == content_of(large)
    done(large, large.SaveJournal(str(path)))
    again = fine.session(volume)
    done(again, again.ReplayJournal(str(path), True))
    assert content_of(again) == content_of(large)
    # And back.
    again = coarse.session(small.astype(np.uint8))
    done(again, again.ReplayJournal(str(path)))
    assert content_of(again) == content_of(session)


# ---------------------------------------------------------------------------------------------
# Hostile files.


def journal_text() -> list[str]:
    """The lines of a good journal of six operations, one of them undone."""
    session = new_session()
    add_segments(session, SEGMENTS)
    apply(session, PAINT, MORE)
    header = header_of(session)
    edits = [{"apply": edit} for edit in json.loads(session.GetOperations())]
    return [header, *(json.dumps(entry) for entry in (*edits, {"undo": True}))]


def header_of(session: Any) -> str:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal"
        done(session, session.SaveJournal(str(path)))
        return path.read_text().splitlines()[0]


GOOD = journal_text()
APPLY = '{"apply": {"effect": "show_segment", "segment": "a"}}'
# Text of a line that is put at the fifth place (or the whole file), and what the error tells.
HOSTILE: dict[str, Any] = {
    "bad JSON": '{"apply": {"effect": ',
    "empty line": "",
    "number": "1",
    "list": "[]",
    "nothing": "{}",
    "null": "null",
    "unknown key": '{"applied": {"effect": "show_segment", "segment": "a"}}',
    "two keys": '{"undo": true, "redo": true}',
    "undo false": '{"undo": false}',
    "undo 1": '{"undo": 1}',
    "list of no operations": '{"apply": []}',
    "list of operations": '{"apply": [{"effect": "show_segment", "segment": "a"}]}',
    "no operation": '{"apply": 5}',
    "unknown effect": '{"apply": {"effect": "unheard_of", "segment": "a"}}',
    "unknown parameter": '{"apply": {"effect": "show_segment", "segment": "a", '
    '"parameters": {"Hidden": true}}}',
    "key in an operation": '{"apply": {"effect": "show_segment", "segment": "a", "x": 1}}',
    "second header": GOOD[0],
    "deep": "[" * 100000 + "]" * 100000,
    "deep operation": '{"apply": {"effect": "show_segment", "segment": "a", "parameters": '
    + '{"Visible": ' * 50
    + "true"
    + "}" * 52,
    "huge line": '{"apply": "' + "x" * 5_000_000 + '"}',
    "huge number": '{"apply": {"effect": "move_segment", "segment": "a", '
    '"parameters": {"Index": 1e999}}}',
    "binary": bytes(range(1, 10)) + bytes(range(11, 256)),
    "zeros": b"\0" * 1000,
    "no UTF-8": b'{"apply": {"effect": "show_segment", "segment": "\xff"}}',
}
FILES: dict[str, tuple[bytes, int]] = {
    "empty file": (b"", 1),
    "one line end": (b"\n", 1),
    "truncated header": (GOOD[0][:40].encode(), 1),
    "header without line end": (GOOD[0].encode(), 1),
    "header cut and ended": (GOOD[0][:40].encode() + b"\n", 1),
    "no header": ((APPLY + "\n").encode(), 1),
    "other format": (b'{"format": "other", "version": 1}\n', 1),
    "other version": (GOOD[0].replace('"version":1', '"version":2').encode() + b"\n", 1),
    "version as text": (GOOD[0].replace('"version":1', '"version":"1"').encode() + b"\n", 1),
    "header as list": (b"[]\n", 1),
    "header of nulls": (b'{"format": null}\n', 1),
    "bare header": (b'{"format": "segmentationcore-journal", "version": 1}\n', 1),
    "bare world": (b'{"format": "segmentationcore-journal", "version": 1, "world": 1}\n', 1),
    "undo without operation": ((GOOD[0] + '\n{"undo": true}\n').encode(), 2),
    "undo too often": (
        ("\n".join([GOOD[0], APPLY] + ['{"undo": true}'] * 2) + "\n").encode(),
        4,
    ),
    "redo without undo": (("\n".join([*GOOD[:3], '{"redo": true}']) + "\n").encode(), 4),
    "redo after operation": (
        ("\n".join([*GOOD[:3], '{"undo": true}', APPLY, '{"redo": true}']) + "\n").encode(),
        6,
    ),
    "binary file": (bytes(range(256)) * 10, 1),
}
for name, line in HOSTILE.items():
    place = [text.encode() for text in GOOD]
    place.insert(4, line if isinstance(line, bytes) else line.encode())
    FILES[name] = (b"\n".join(place) + b"\n", 5)
WORLDS = [
    {"spacing": [0, 1, 1]},
    {"spacing": [1, 1]},
    {"spacing": [-1, 1, 1]},
    {"spacing": [1e-320, 1, 1]},
    {"spacing": "wide"},
    {"spacing": None},
]
for change in WORLDS:
    header = json.loads(GOOD[0])
    header["world"].update(change)
    FILES[f"header with {change}"] = ((json.dumps(header) + "\n" + APPLY + "\n").encode(), 1)


@pytest.mark.parametrize("name", FILES)
def test_hostile_journals_name_the_line(tmp_path: Path, name: str) -> None:
    text, line = FILES[name]
    path = tmp_path / "journal"
    path.write_bytes(text)
    session = new_session()
    add_segments(session, SEGMENTS)
    apply(session, PAINT)
    undone(session)
    fresh = new_session()
    attempts = [
        (session, lambda: session.ReplayJournal(str(path))),
        (session, lambda: session.ReplayJournal(str(path), True)),
        (fresh, lambda: fresh.OpenJournal(str(path))),
    ]
    for edited, attempt in attempts:
        before = state_of(edited)
        assert not attempt()
        error = edited.GetLastError()
        assert error.startswith(f"{path}: ")
        if not name.startswith("header with"):  # OpenJournal finds other voxels there
            assert f"line {line}: " in error
        assert len(error) < 1000
        assert error.isprintable()
        assert state_of(edited) == before
        assert path.read_bytes() == text
    assert os.listdir(tmp_path) == ["journal"]
    opened(tmp_path / "another", fresh)  # nothing was left open


def test_operations_that_do_not_fit_change_nothing(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    lines = [*GOOD[:3], APPLY.replace('"a"', '"nobody"'), '{"apply": {"eff']
    text = "\n".join(lines)  # with an incomplete last line, which stays as well
    path.write_text(text)
    session = new_session()
    before = state_of(session)
    for attempt in (session.OpenJournal, session.ReplayJournal):
        assert not attempt(str(path))
        assert session.GetLastError().startswith(f"{path}: ")
        assert "nobody" in session.GetLastError()
        assert state_of(session) == before
        assert path.read_text() == text


def test_what_is_no_file(tmp_path: Path) -> None:
    session = new_session()
    before = state_of(session)
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    os.mkfifo(tmp_path / "pipe")
    journal = tmp_path / "journal"
    journal.write_text("text")
    paths = [
        str(tmp_path / "folder"),
        str(tmp_path / "loop"),
        str(tmp_path / "pipe"),
        str(tmp_path / "missing" / "journal"),
        str(journal / "below"),
        str(tmp_path / ("x" * 300)),
        "/dev/full",
        "/dev/zero",
        "",
    ]
    for path in paths:
        for call in (session.OpenJournal, session.ReplayJournal):
            assert not call(path), path
            assert session.GetLastError().startswith(path)
    for path in paths:
        if path == "" or path.endswith(("folder", "journal", "below", "x")):
            assert not session.SaveJournal(path), path
            assert session.GetLastError().startswith(path)
    assert state_of(session) == before
    assert sorted(os.listdir(tmp_path)) == ["folder", "journal", "loop", "pipe"]
    assert (tmp_path / "loop").is_symlink()
    assert not session.ReplayJournal(str(tmp_path / "nothing"))
    assert not (tmp_path / "nothing").exists()


@contextlib.contextmanager
def without_rights() -> Iterator[None]:
    """Rights are nobody's: for root there would be no file that cannot be read."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


@pytest.mark.parametrize("mode", [0o000, 0o444, 0o222])
def test_a_file_that_cannot_be_read_or_written_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    path = tmp_path / "journal"
    recorded(path).CloseJournal()
    text = path.read_bytes()
    session = new_session()
    before = state_of(session)
    monkeypatch.chdir(tmp_path)  # whose parents nobody may enter
    tmp_path.chmod(0o777)
    path.chmod(mode)
    with without_rights():
        assert not session.OpenJournal("journal")
        error = session.GetLastError()
    path.chmod(0o644)
    assert error.startswith("journal: cannot be opened")
    assert "ermission" in error
    assert state_of(session) == before
    assert path.read_bytes() == text
    opened(path, session)


@settings(max_examples=150)
@given(st.data())
def test_damaged_journals(tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    text = bytearray(("\n".join(GOOD) + "\n").encode())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        kind = data.draw(st.sampled_from(["cut", "drop", "set", "insert", "repeat"]))
        more = data.draw(st.binary(min_size=1, max_size=6))
        if kind == "cut":
            del text[at:]
        elif kind == "drop":
            del text[at : at + len(more)]
        elif kind == "set":
            text[at : at + len(more)] = more
        elif kind == "insert":
            text[at:at] = more
        else:
            text[at:at] = text[max(0, at - 100) : at]
    path = tmp_path_factory.mktemp("damaged") / "journal"
    path.write_bytes(text)
    session = new_session()
    before = state_of(session)
    if session.OpenJournal(str(path)):
        complete = text[: text.rfind(b"\n") + 1]
        assert path.read_bytes() == complete
        assert session.GetJournalWasTorn() == (complete != text)
    else:
        assert session.GetLastError().startswith(f"{path}: ")
        assert state_of(session) == before
        assert path.read_bytes() == text


# ---------------------------------------------------------------------------------------------
# Two who want the same journal.


def test_a_journal_in_use_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with subprocess.Popen(
        [sys.executable, VICTIM, "hold", str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"open\n"
        text = path.read_bytes()
        session = new_session()
        before = state_of(session)
        assert not session.OpenJournal(str(path))
        assert session.GetLastError() == f"{path}: is in use by another session"
        assert state_of(session) == before
        assert path.read_bytes() == text
        done(session, session.ReplayJournal(str(path)))  # reading is no harm
        holder.kill()
    again = opened(path)
    assert content_of(again) == content_of(session)


def test_a_journal_in_use_by_another_session_of_the_process_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    session, other = opened(path), new_session()
    add_segments(session, SEGMENTS)
    for _ in range(2):
        assert not other.OpenJournal(str(path))
        assert "in use" in other.GetLastError()
        path.read_bytes()  # whoever closes the file again must not end the lock
        reader = new_session()
        done(reader, reader.ReplayJournal(str(path)))
    apply(session, PAINT)
    del session
    assert len(lines_of(opened(path, other) and path)) == len(SEGMENTS) + 1


# ---------------------------------------------------------------------------------------------
# A full disk.


@contextlib.contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Files cannot grow beyond this: to a program it looks like a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("room", [0, 1, 10])
def test_a_full_disk_leaves_session_and_journal(tmp_path: Path, room: int) -> None:
    path = tmp_path / "journal"
    session = opened(path)
    add_segments(session, SEGMENTS)
    apply(session, PAINT, MORE)
    undone(session)
    attempts = [
        lambda: session.Apply(json.dumps(PAINT)),
        lambda: session.Apply(json.dumps([MORE, PAINT, operation("remove_segment", "a")])),
        session.Undo,
        session.Redo,
        lambda: session.ReplayJournal(str(tmp_path / "other")),
    ]
    other = new_session()
    add_segments(other, "xyz")
    done(other, other.SaveJournal(str(tmp_path / "other")))
    before, text = state_of(session), path.read_bytes()
    for attempt in attempts:
        with largest_file(len(text) + room):
            assert not attempt()
            error = session.GetLastError()
        assert str(path) in error
        assert "cannot be written" in error
        assert state_of(session) == before
        assert path.read_bytes() == text
    redone(session)
    apply(session, PAINT)
    session.CloseJournal()
    assert content_of(opened(path)) == content_of(session)


def test_a_full_disk_leaves_what_was_saved(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    session = new_session()
    add_segments(session, SEGMENTS)
    path.write_text("old")
    with largest_file(100):
        assert not session.SaveJournal(str(path))
        error = session.GetLastError()
        assert not session.OpenJournal(str(tmp_path / "new"))
        assert str(tmp_path / "new") in session.GetLastError()
    assert str(path) in error
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["journal"]
    done(session, session.SaveJournal(str(path)))
    assert content_of(opened(path)) == content_of(session)


# ---------------------------------------------------------------------------------------------
# Processes that die.


class Reference:
    """The states after each entry of a journal."""

    def __init__(self, seed: int) -> None:
        session = new_session()
        self.states = [self.state(session)]
        self.after = [0]  # how many entries there are after each action
        for action in actions(seed):
            for single in [action] if isinstance(action, str) else [[edit] for edit in action]:
                act(session, single)
                self.states.append(self.state(session))
            self.after.append(len(self.states) - 1)

    @staticmethod
    def state(session: Any) -> tuple[Any, ...]:
        return (
            content_of(session),
            session.GetOperations(),
            session.GetNumberOfUndoSteps(),
            session.GetNumberOfRedoSteps(),
        )


@pytest.fixture(scope="module")
def references() -> dict[int, Reference]:
    return {seed: Reference(seed) for seed in range(6)}


def test_a_line_cut_anywhere_is_left_out(tmp_path: Path, references: Any) -> None:
    path = tmp_path / "journal"
    session = opened(path)
    for action in actions(1):
        act(session, action)
    session.CloseJournal()
    text = path.read_bytes()
    random = Random(5)
    ends = [at + 1 for at, byte in enumerate(text) if byte == 10]
    cuts = {random.randrange(ends[0], len(text)) for _ in range(60)} | set(ends)
    cuts |= {end - 1 for end in ends[1:]} | {end + 1 for end in ends[:-1]}
    for cut in sorted(cuts):
        path.write_bytes(text[:cut])
        count = text[:cut].count(b"\n") - 1
        again = opened(path)
        assert Reference.state(again) == references[1].states[count]
        assert again.GetJournalWasTorn() == (cut not in ends)
        assert path.read_bytes() == text[: ends[count]]
        again.CloseJournal()


KILLS = 250


class Server:
    """The server of `journal_victim.py`."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, VICTIM, "serve"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        self.heard = b""
        assert self.line() == b"ready"

    def close(self) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()

    def hear(self, seconds: float) -> None:
        assert self.process.stdout
        if select.select([self.process.stdout], [], [], seconds)[0]:
            more = os.read(self.process.stdout.fileno(), 65536)
            assert more, "the server died"
            self.heard += more

    def line(self) -> bytes:
        while b"\n" not in self.heard:
            self.hear(30)
        line, self.heard = self.heard.split(b"\n", 1)
        return line

    def kill_one(self, seed: int, path: Path, delay: float) -> tuple[int, int]:
        """Lets a child work for a while; how many actions it told, and its status."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps({"seed": seed, "path": str(path)}).encode() + b"\n")
        child = int(self.line())
        until = time.monotonic() + delay
        while (left := until - time.monotonic()) > 0 and b"!" not in self.heard:
            self.hear(left)
        os.kill(child, signal.SIGKILL)
        self.process.stdin.write(b"dead\n")
        told = self.line()
        assert set(told) <= set(b"+!")
        return told.count(b"+"), int(self.line())


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    started = Server()
    yield started
    started.close()


@pytest.mark.slow
def test_a_killed_process_loses_nothing(
    tmp_path: Path, references: dict[int, Reference], server: Server
) -> None:
    random = Random(17)
    begun = time.monotonic()
    told, _ = server.kill_one(0, tmp_path / "whole", 60.0)
    whole = time.monotonic() - begun
    assert told == journal_victim.ACTIONS
    ends: list[int] = []
    torn = beyond = 0
    for number in range(KILLS):
        seed = number % len(references)
        reference = references[seed]
        path = tmp_path / f"journal {number}"
        told, status = server.kill_one(seed, path, random.uniform(0, 1.1) * whole)
        assert status in (0, signal.SIGKILL)
        if not path.exists():
            assert told == 0
            continue
        text = path.read_bytes()
        entries = text.count(b"\n") - 1
        # All that was told, and at most what belongs to the next action.
        assert reference.after[told] <= entries
        assert entries <= reference.after[min(told + 1, journal_victim.ACTIONS)]
        session = opened(path)
        assert Reference.state(session) == reference.states[entries], f"after {entries} entries"
        assert session.GetJournalWasTorn() == (not text.endswith(b"\n"))
        torn += session.GetJournalWasTorn()
        beyond += entries > reference.after[told]
        if number % 10 == 0:  # it goes on
            add_segments(session, ["late"])
            expected = Reference.state(session)
            session.CloseJournal()
            assert Reference.state(opened(path)) == expected
        session.CloseJournal()
        path.unlink()
        ends.append(told)
    killed = [end for end in ends if end < journal_victim.ACTIONS]
    assert len(killed) > KILLS / 2
    assert len(set(killed)) > journal_victim.ACTIONS / 10  # at all times
    print(f"{len(killed)} of {KILLS} killed; {torn} torn; {beyond} with an action not yet told")
