"""Processes that keep a journal and die: what `test_journal.py` starts.

    python journal_victim.py serve            forks a child for each line {"seed": ..., "path": ...}
    python journal_victim.py hold PATH        opens a journal and waits
    python journal_victim.py replay PATH N    replays it in blocks of edge N, says what came of it

Starting Python with VTK takes longer than all that a child does, hence the server: it has loaded
everything, started no thread, and forks. Of each child it writes the line `pid`; the child writes
`+` for each action that is complete, and `!` at its end. The server waits for it when it is given
another line, and writes one with its status: until then the number is the child's, dead or alive.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from random import Random
from typing import Any

from sample_data import smooth_volume
from session_world import World, add_segments, content_of, done, operation
from vtkmodules.vtkCommonCore import vtkSMPTools

WORLD = World((24, 24, 24), spacing=(1.0, 0.5, 2.0))
VOLUME = smooth_volume(WORLD.shape, 11)
SEGMENTS = ("a", "b", "c")
ACTIONS = 50


def new_session(block_edge: int = 8) -> Any:
    return WORLD.session(VOLUME, block_edge)


def actions(seed: int) -> list[Any]:
    """What a child does: lists of operations, "undo" and "redo"."""
    random = Random(seed)
    result: list[Any] = [[operation("add_segment", segment) for segment in SEGMENTS]]
    undoable, redoable = 3, 0
    while len(result) < ACTIONS:
        kind = random.random()
        if kind < 0.15 and undoable > 3:  # some segments are left
            result.append("undo")
            undoable, redoable = undoable - 1, redoable + 1
        elif kind < 0.3 and redoable:
            result.append("redo")
            undoable, redoable = undoable + 1, redoable - 1
        elif kind < 0.35:
            result.append([_edit(random) for _ in range(3)])
            undoable, redoable = undoable + 3, 0
        else:
            result.append([_edit(random)])
            undoable, redoable = undoable + 1, 0
    return result


def _edit(random: Random) -> dict[str, Any]:
    segment = random.choice(SEGMENTS)
    kind = random.random()
    if kind < 0.1:
        low = random.uniform(0, 100)
        masking = {"OverwriteMode": random.choice(["OverwriteAllSegments", "OverwriteNone"])}
        limits = {"MinimumThreshold": low, "MaximumThreshold": low + 20}
        return operation("threshold", segment, masking, **limits)
    if kind < 0.2:
        return operation("show_segment", segment, Visible=random.random() < 0.5)
    # Some lines are so long that a write may be interrupted.
    count = 1000 if kind > 0.95 else random.randint(1, 4)
    points = [WORLD.point([random.uniform(0, 23) for _ in range(3)]) for _ in range(count)]
    return operation(
        random.choice(["paint", "paint", "erase"]),
        segment,
        {"MaskMode": random.choice(["EditAllowedEverywhere", "EditAllowedOutsideAllSegments"])},
        Points=points[:4] if count == 4 else points,
        BrushPixelMode=count > 4,
        BrushAbsoluteDiameter=random.uniform(1.0, 7.0),
    )


def act(session: Any, action: Any) -> None:
    if action == "undo":
        done(session, session.Undo())
    elif action == "redo":
        done(session, session.Redo())
    else:
        done(session, session.Apply(json.dumps(action)))


def digest(session: Any) -> str:
    return hashlib.sha256(repr(content_of(session)).encode()).hexdigest()


def child(seed: int, path: str) -> None:
    session = new_session()
    done(session, session.OpenJournal(path))
    for action in actions(seed):
        act(session, action)
        os.write(1, b"+")
    os.write(1, b"!")


def serve() -> None:
    new_session()
    os.write(1, b"ready\n")
    while line := sys.stdin.readline():
        task = json.loads(line)
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                os.write(1, f"{os.getpid()}\n".encode())
                child(task["seed"], task["path"])
                status = 0
            finally:
                os._exit(status)
        sys.stdin.readline()
        _, status = os.waitpid(pid, 0)
        os.write(1, f"\n{status}\n".encode())


def hold(path: str) -> None:
    session = new_session()
    done(session, session.OpenJournal(path))
    add_segments(session, SEGMENTS)
    os.write(1, b"open\n")
    sys.stdin.read()


def replay(path: str, block_edge: int) -> None:
    vtkSMPTools.Initialize(1)
    session = new_session(block_edge)
    done(session, session.ReplayJournal(path, True))
    print(digest(session))


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    if command == "serve":
        serve()
    elif command == "hold":
        hold(*arguments)
    else:
        replay(arguments[0], int(arguments[1]))
