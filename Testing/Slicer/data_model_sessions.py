"""Random sessions for ``data_model_driver.py``, the processes that play them, and shrinking.

A session is data only (see the driver), made from a seed by Python's own generator, whose integers
are the same everywhere. Run as a program, it compares sessions until one differs:

    python data_model_sessions.py <Slicer's Python> <first seed> <number of sessions> [<kind>]
"""

from __future__ import annotations

import copy
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random
from types import TracebackType
from typing import IO, Any

HERE = Path(__file__).resolve().parent
DIFFERENCES = HERE.parents[1] / "SegmentationCore" / "DataModel" / "differences"

WORDS = ("bone", "skin", "vessel", "grain", "pore", "clay")
NAMES = ("Bone", "bone", "Skin", "Äther", "a|b", "")
IDS = ("", "a", "b", "c", "x", "Z", "m_1")
# Anisotropic and oblique.
LATTICE = (
    (0.4, -0.72, 0.504, 10.0, 0.3, 0.96, -0.672, -20.0, 0.0, 0.35, 2.88, 30.0, 0, 0, 0, 1),
    (0.0, -1.5, 0.0, 5.0, 0.75, 0.0, 0.0, 6.0, 0.0, 0.0, -2.0, 7.0, 0, 0, 0, 1),
)
EXTENT = [0, 9, 0, 8, 0, 6]
# Other voxels in the same places, none below index 0 of those above and none halfway between two.
OTHER_LATTICE = (
    (
        *(0.68, -0.576, 0.2268, 10.14168),
        *(0.51, 0.768, -0.3024, -19.54724),
        *(0.0, 0.28, 1.296, 32.4871),
        *(0, 0, 0, 1),
    ),
    (-0.9, 0.0, 0.0, 4.2, 0.0, 1.1, 0.0, 6.9, 0.0, 0.0, -1.3, 6.1, 0, 0, 0, 1),
)
# Sessions of these kinds have what the plain ones leave out, and leave out what depends on it:
#   below       boxes below index 0, where Slicer's images grow by a voxel
#   fractional  segmentations whose source are fractional labelmaps
#   smooth      smoothed surfaces; no labelmaps are made of them
#   mixed       layers of two lattices
KINDS = ("plain", "below", "fractional", "smooth", "mixed")
# With these the voxels of a converted surface do not depend on how either library smooths.
PARAMETERS = {"Smoothing factor": "0.0", "Decimation factor": "0.0"}

# How often each operation is chosen.
WEIGHTS = {
    "add_empty": 6,
    "add_image": 10,
    "add_surface": 2,
    "remove": 4,
    "remove_all": 0.3,
    "describe": 5,
    "set_index": 3,
    "reorder": 4,
    "share": 3,
    "separate": 4,
    "merge": 3,
    "collapse": 4,
    "create": 4,
    "drop": 3,
    "set_source": 0.6,
    "edit": 5,
    "modify": 12,
    "clear": 2,
    "save_state": 6,
    "undo": 5,
    "redo": 5,
    "states": 1,
    "forget": 0.4,
    "copy": 0.7,
    "copy_segment": 4,
    "parameter": 2,
    "parameters": 2,
    "transform": 1,
    "ask": 6,
    "file": 2,
}


# How often each operation is chosen where the source is fractional.
FRACTIONAL_WEIGHTS = {
    "add_fractional": 10,
    "add_surface": 4,
    "remove": 4,
    "describe": 4,
    "set_index": 2,
    "reorder": 3,
    "create": 8,
    "drop": 5,
    "save_state": 6,
    "undo": 5,
    "redo": 5,
    "states": 1,
    "copy": 1,
    "copy_segment": 5,
    "parameter": 2,
    "parameters": 2,
    "ask": 4,
    "file": 0.5,
}


def _box(random: Random, kind: str = "plain") -> dict[str, Any]:
    extent, fill = [], []
    for axis in range(3):
        # Below 0 in their own sessions only (extent-below-zero), but above the reference.
        least = EXTENT[2 * axis] - (4 if kind == "below" else 0)
        low = random.randint(least, EXTENT[2 * axis + 1] - 3)
        high = random.randint(low + 2, EXTENT[2 * axis + 1] + 1)
        extent += [low, high]
        first = random.randint(low, high)
        fill += [first, random.randint(first, high)]
    if random.random() < 0.1:
        fill = [5, 4, 5, 4, 5, 4]  # zeros only
    voxels = random.choice(("uchar", "uchar", "short", "int"))
    box = {"extent": extent, "fill": fill, "cut": random.random() < 0.5, "type": voxels}
    if kind == "mixed":
        box["other"] = random.random() < 0.4
    return box


def _color(random: Random) -> list[float]:
    return [random.randint(0, 255) / 255 for _ in range(3)]


def _some(random: Random) -> list[int]:
    return [random.randint(0, 9) for _ in range(random.randint(0, 4))]


def _operation(random: Random, kind: str, name: str = "") -> dict[str, Any]:
    weights = FRACTIONAL_WEIGHTS if kind == "fractional" else WEIGHTS
    if kind == "smooth":
        weights = {**weights, "set_source": 0.0, "create": 8.0}
    name = name or random.choices(list(weights), list(weights.values()))[0]
    op: dict[str, Any] = {"do": name, "target": int(random.random() < 0.25)}
    if name in ("add_empty", "add_image", "add_surface", "add_fractional"):
        op.update(id=random.choice(IDS), name=random.choice(NAMES), color=_color(random))
        if name != "add_empty":
            op["auto"] = random.random() < 0.5
            if random.random() < 0.5:
                op["before"] = random.randint(0, 9)
            if random.random() < 0.5:
                op["tag"] = random.choice(WORDS)
    if name == "add_image":
        op.update(box=_box(random, kind), label=random.choice((1, 1, 1, 2, 7, 200)))
    elif name == "add_fractional":
        op.update(box=_box(random), radius=random.choice((1.7, 2.3, 2.9)))
    elif name == "add_surface":
        # A quarter of a voxel away from all voxels, so that no centre lies on the surface.
        bounds = []
        for _ in range(3):
            low = random.randint(0, 4)
            bounds += [low - 0.25, random.randint(low + 1, 6) + 0.25]
        if kind == "fractional":
            # Nor one of the six samples along an axis.
            bounds = [b + (0.05 if i % 2 else -0.05) for i, b in enumerate(bounds)]
        op["bounds"] = bounds
    elif name == "describe":
        field = random.choice(("name", "color", "tag", "untag", "auto"))
        op[field] = {
            "name": random.choice(NAMES),
            "color": _color(random),
            "tag": random.choice(WORDS),
            "untag": random.choice(WORDS),
            "auto": random.random() < 0.5,
        }[field]
        op["value"] = random.choice(WORDS)
    elif name in ("create", "drop", "set_source"):
        op["name"] = random.choice(("Closed surface", "Closed surface", "Binary labelmap", "None"))
        if name == "set_source" and op["name"] == "None":
            op["name"] = "Binary labelmap"  # with an unknown one, nothing can be added any more
        if kind == "fractional" and name != "set_source" and random.random() < 0.4:
            op["name"] = "Fractional labelmap"
        op["always"] = random.random() < 0.3
    elif name == "reorder":
        op["segments"] = _some(random)
        if random.random() < 0.6:
            op["before"] = random.randint(0, 9)
    elif name == "merge":
        op["segments"] = _some(random)
    elif name == "collapse":
        op["force"] = random.random() < 0.2
    elif name == "edit":
        op.update(start=random.randint(0, 500), step=random.randint(3, 40))
    elif name == "modify":
        op.update(box=_box(random, kind), mode=random.randint(0, 3), overwrite=_some(random))
    elif name == "states":
        op["count"] = random.randint(2, 6)
    elif name == "copy_segment":
        op["move"] = random.random() < 0.4
    elif name == "parameter":
        op["name"] = random.choice(("Own parameter", "Another", "Collapse labelmaps"))
        op["value"] = random.choice(("0", "1"))
    elif name == "parameters":
        op["by_text"] = random.random() < 0.5
    elif name == "transform":
        # Never nothing at all.
        op.update(move=[random.randint(1, 3) for _ in range(3)], turn=random.choice((0, 90, 30)))
    elif name == "ask":
        op.update(name=random.choice(NAMES), mode=random.randint(0, 5), segments=_some(random))
        op["representation"] = random.choice(("Closed surface", "Binary labelmap", "None"))
    op.update(segment=random.randint(0, 9), index=random.randint(0, 9))
    op["with"] = random.randint(0, 9)
    return op


def session(seed: int, length: int = 60, kind: str = "plain") -> dict[str, Any]:
    """The session of a seed."""
    random = Random(seed)
    first = ("add_fractional",) if kind == "fractional" else ("add_image", "add_empty")
    return {
        "seed": seed,
        "kind": kind,
        "lattice": LATTICE[seed % len(LATTICE)],
        "other lattice": OTHER_LATTICE[seed % len(LATTICE)],
        "extent": EXTENT,
        "parameters": {**PARAMETERS, **({"Smoothing factor": "0.5"} if kind == "smooth" else {})},
        # Something to work on first.
        "operations": [
            _operation(random, kind, random.choice(first) if i < 5 else "") for i in range(length)
        ],
    }


class Player:
    """A process with one of the libraries; it is started again if it dies."""

    def __init__(self, python: str, library: str) -> None:
        self.command = [python, str(HERE / "data_model_driver.py"), library]
        self.process: subprocess.Popen[str] | None = None
        self.log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed by __exit__)

    def __enter__(self) -> Player:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()
        self.log.close()

    def _stop(self) -> int:
        if self.process is None:
            return 0
        if self.process.stdin:
            self.process.stdin.close()
        status = self.process.wait(timeout=60)
        self.process = None
        return status

    def start(self, played: dict[str, Any]) -> None:
        """Begin with a session; `answer` waits for the end."""
        if self.process is None:
            self.log.seek(0)
            self.log.truncate()
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.log,
                text=True,
            )
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(played) + "\n")
        self.process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """What came of the session; of a crash the status alone."""
        assert self.process is not None
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        status = self._stop()
        self.log.seek(0)
        text = self.log.read().decode(errors="replace")[-2000:]
        return {"crash": f"{self.command[-1]} ended with status {status}: {text}"}


def compare(slicer: dict[str, Any], ours: dict[str, Any]) -> tuple[int, str] | None:
    """The first step that differs, with the difference; step 0 is before all operations."""
    for side in (slicer, ours):
        if "crash" in side:
            return len(slicer.get("states", ours.get("states", []))), side["crash"]
    for step, (theirs, mine) in enumerate(zip(slicer["states"], ours["states"], strict=True)):
        found = list(_unlike(theirs, mine, ""))
        if found:
            return step, "\n".join(found[:12])
    return None


def _unlike(theirs: Any, mine: Any, where: str) -> Any:
    if isinstance(theirs, dict) and isinstance(mine, dict):
        for key in {**theirs, **mine}:
            yield from _unlike(theirs.get(key), mine.get(key), f"{where}.{key}")
    elif (
        isinstance(theirs, list)
        and isinstance(mine, list)
        and len(theirs) == len(mine)
        and not where.startswith(".events")
    ):
        for i, (a, b) in enumerate(zip(theirs, mine, strict=True)):
            yield from _unlike(a, b, f"{where}[{i}]")
    elif (
        isinstance(theirs, float)
        and isinstance(mine, float)
        # Rounded to one or the other side; or only about the same, in millimetres.
        and abs(theirs - mine) < (2.0 if ".rough" in where else 2e-5)
    ):
        return
    elif theirs != mine:
        yield f"  {where}: Slicer {theirs!r}, ours {mine!r}"


class Arena:
    """Both libraries beside each other."""

    def __init__(self, slicer_python: str, ours: str = "ours", python: str = sys.executable):
        self.slicer = Player(slicer_python, "slicer")
        self.ours = Player(python, ours)
        self.played = 0

    def __enter__(self) -> Arena:
        return self

    def __exit__(self, *error: object) -> None:
        for player in (self.slicer, self.ours):
            player.__exit__(None, None, None)

    def play(self, played: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """One session on both, at the same time."""
        self.slicer.start(played)
        self.ours.start(played)
        self.played += 1
        return self.slicer.answer(), self.ours.answer()

    def differs(self, played: dict[str, Any]) -> tuple[int, str] | None:
        """The first difference of a session."""
        return compare(*self.play(played))

    def shrink(self, played: dict[str, Any], limit: int = 400) -> dict[str, Any]:
        """The shortest session found that still differs (delta debugging; Zeller, Hildebrandt,
        IEEE Trans. Software Engineering 28, 2002, doi:10.1109/32.988498)."""
        best = copy.deepcopy(played)
        found = self.differs(best)
        if found is None:
            return best
        best["operations"] = best["operations"][: max(found[0], 1)]
        parts, start = 2, self.played
        while len(best["operations"]) > 1 and self.played - start < limit:
            operations = best["operations"]
            size = max(1, -(-len(operations) // parts))
            for first in range(0, len(operations), size):
                rest = operations[:first] + operations[first + size :]
                if rest and self.differs({**best, "operations": rest}) is not None:
                    best["operations"] = rest
                    parts = max(parts - 1, 2)
                    break
            else:
                if size == 1:
                    break
                parts = min(parts * 2, len(operations))
        found = self.differs(best)
        if found is not None:
            best["operations"] = best["operations"][: max(found[0], 1)]
        return best

    def report(self, played: dict[str, Any]) -> str:
        """What to print about a session that differs."""
        best = self.shrink(played)
        found = self.differs(best)
        steps = "\n".join(f"  {i}. {json.dumps(op)}" for i, op in enumerate(best["operations"], 1))
        what = f"after step {found[0]}:\n{found[1]}" if found else "not again: not deterministic"
        which = f"{played['kind']}, seed {played['seed']}"
        return f"{which}, shortest sequence found:\n{steps}\ndiffers {what}"


def row_names() -> set[str]:
    """Names of all rows of the tables of differences."""
    tables = [json.loads(p.read_text("utf-8")) for p in sorted(DIFFERENCES.glob("*.json"))]
    return {row["name"] for table in tables for row in table}


def main(slicer_python: str, first: str, count: str, kind: str = "plain") -> int:
    """Compare sessions until one differs."""
    with Arena(slicer_python) as arena:
        for seed in range(int(first), int(first) + int(count)):
            played = session(seed, kind=kind)
            if arena.differs(played) is not None:
                print(arena.report(played))
                return 1
        print(f"{arena.played} sessions are alike")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
