"""The editing session: latency of single edits, and memory, in worlds of growing size.

A world is a cube of voxels without a volume. Ours is sparse, so that one of 4096 voxels along each
edge is no problem; Slicer's segmentation node holds a label map of the whole world, so it is
measured up to 512. All worlds are edited in turns in one run, because the question is whether the
size of the world matters.

=================== ============================================================================
stroke              a ball at a random place in an empty world, JSON parsed and undo recorded
undo, redo          of that stroke
islands in a region small islands removed in a cube of 64 voxels along each edge
long session        1000 strokes: the last hundred of them, and the memory that is held then
=================== ============================================================================

After each edit the world is emptied again, while the clock is not running, so that a small world
does not fill up and become another one than the large.

The peers of a stroke: NumPy's maximum on the box of the brush in an array whose pages are in memory
(what writing these voxels costs at least), and Slicer from the finished brush stamp on, by
`SetBinaryLabelmapToSegment` and by the `ModifySegmentByLabelmap` of its editor. Slicer's times are
without the saving of a state for undo and without displaying anything; ours include undo.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..measure import Timing, describe, flatness, floor_seconds, resident, settle, stopwatch
from ..peers.slicer import Slicer, SlicerError
from . import Context
from .editor_adapter import Session, remove_small_islands, session_class, stroke

GROUP = "editor"
WORLDS = (128, 256, 512, 1024, 2048, 4096)
QUICK_WORLDS = (128, 512, 4096)
SLICER_LARGEST = 512
NUMPY_LARGEST = 512
RADII = (3, 10, 30)
COMPARED = 128  # the world in which everybody draws the same strokes
RADIUS = 10  # of the bars, and of undo and redo
REGION = 64
MINIMUM_SIZE = 1000
STROKES = 1000
DATA = "sparse world"

NUMPY = "numpy maximum on the box of the brush"
SLICER_WAYS = {
    "set": "Slicer SetBinaryLabelmapToSegment",
    "modify": "Slicer ModifySegmentByLabelmap",
}
SLICER_UNDO = "Slicer vtkSegmentationHistory"
CC3D = "cc3d dust on the region"
OURS = ""

Samples = dict[tuple[str, int, str], list[float]]
"""Seconds of (effect, world, who)."""


def stroke_title(radius: int) -> str:
    """Name of a stroke's row."""
    return f"stroke, radius {radius}"


ISLANDS = f"islands in a region of {REGION}^3"
LATE = f"last 100 of {STROKES} strokes, radius {RADIUS}"


class DenseWorld:
    """The bare write into an array, as large as can be held."""

    def __init__(self, size: int) -> None:
        self.edge = min(size, NUMPY_LARGEST)
        self.voxels = np.full((self.edge,) * 3, 1, np.uint8)  # touches the pages
        self.voxels.fill(0)
        self.balls = {radius: ball(radius) for radius in RADII}

    def stroke(self, centre: Sequence[int], radius: int) -> float:
        """Seconds of one stroke; a place outside the array is moved into it."""
        room = self.edge - 2 * radius
        x, y, z = ((at - radius) % room for at in centre)
        stamp = self.balls[radius]
        width = 2 * radius + 1

        def write() -> None:
            box = self.voxels[z : z + width, y : y + width, x : x + width]
            np.maximum(box, stamp, out=box)

        return stopwatch(write)[0]


def ball(radius: int) -> np.ndarray:
    """The voxels whose centre is not farther than the radius, as ones."""
    offsets = np.arange(-radius, radius + 1)
    squares = offsets[:, None, None] ** 2 + offsets[:, None] ** 2 + offsets**2
    return (squares <= radius * radius).astype(np.uint8)


def place(generator: random.Random, size: int, margin: int) -> list[int]:
    """A random voxel that is ``margin`` away from the border, x, y, z."""
    return [generator.randrange(margin, size - margin) for _ in range(3)]


def run(context: Context) -> None:
    """All worlds."""
    session_class()  # fails at once, with a message
    worlds = QUICK_WORLDS if context.quick else WORLDS
    slicer = _start_slicer(context, worlds)
    try:
        samples = _latencies(context, worlds, slicer)
        notes = _agreement(context, slicer)
        notes[CC3D] = _islands_agreement()
    finally:
        if slicer is not None:
            slicer.close()
    memory = [_long_session(context, size, samples) for size in worlds]
    _report(context, worlds, samples, notes, memory, slicer)


# -- measuring -----------------------------------------------------------------------------------


def _start_slicer(context: Context, worlds: Sequence[int]) -> Slicer | None:
    """Slicer with its worlds open, or None, which is told."""
    try:
        slicer = Slicer(context.threads[-1])
    except SlicerError as error:
        context.results.fail(f"Slicer's editor was not measured: {error}")
        return None
    context.results.document["header"]["versions"]["slicer-core"] = slicer.versions["slicer-core"]
    try:
        for size in worlds:
            if size <= SLICER_LARGEST:
                for way in SLICER_WAYS:
                    context.progress.tell(f"Slicer: a world of {size}^3")
                    slicer.ask("open_world", size=size, way=way)
    except SlicerError as error:
        slicer.close()
        context.results.fail(f"Slicer's editor was not measured: {error}")
        return None
    return slicer


def _latencies(context: Context, worlds: Sequence[int], slicer: Slicer | None) -> Samples:
    """Edits in all worlds, in turns."""
    generator = random.Random(1)
    sessions = {size: Session(size) for size in worlds}
    arrays = {size: DenseWorld(size) for size in {min(size, NUMPY_LARGEST) for size in worlds}}
    samples: Samples = defaultdict(list)
    rounds = 10 if context.quick else 40
    ours_per_round = 5
    slicer_every = 2 if context.quick else 4
    context.progress.plan((rounds + 1) * len(worlds))
    for turn in range(-1, rounds):
        # The round before the first is a warm-up and counts for nobody.
        found: Samples = samples if turn >= 0 else defaultdict(list)
        asked = turn < 0 or turn % slicer_every == 0
        start = turn % len(worlds)
        for size in [*worlds[start:], *worlds[:start]]:
            context.progress.tell(f"edits, round {max(turn, 0) + 1} of {rounds}, {size}^3")
            session, array = sessions[size], arrays[min(size, NUMPY_LARGEST)]
            for _ in range(ours_per_round):
                for radius in RADII:
                    centre = place(generator, size, radius + 1)
                    _stroke(found, session, array, size, centre, radius)
            _islands(found, session, size, generator)
            session.forget()
            if slicer is not None and size <= SLICER_LARGEST and asked:
                _slicer_strokes(context, found, slicer, size, generator)
            context.progress.step()
    return samples


def _stroke(
    found: Samples,
    session: Session,
    array: DenseWorld,
    size: int,
    centre: Sequence[int],
    radius: int,
) -> None:
    """One stroke by us and by NumPy; with undo and redo for the usual radius."""
    title = stroke_title(radius)
    operation = stroke(centre, radius)
    found[title, size, OURS].append(stopwatch(lambda: session.apply(operation))[0])
    found[title, size, NUMPY].append(array.stroke(centre, radius))
    if radius == RADIUS:
        found["undo", size, OURS].append(stopwatch(session.undo)[0])
        found["redo", size, OURS].append(stopwatch(session.redo)[0])
    session.apply(stroke(centre, radius, "erase"))


def _islands(
    found: Samples, session: Session, size: int, generator: random.Random
) -> tuple[np.ndarray, np.ndarray]:
    """A ball and specks in a region, and the removal of the specks; the region after it."""
    import cc3d

    half = REGION // 2
    centre = place(generator, size, half)
    first = [at - half for at in centre]
    region = np.zeros((REGION,) * 3, bool)
    balls = [((half,) * 3, 16)]
    balls += [(tuple(generator.randrange(2, REGION - 2) for _ in range(3)), 1) for _ in range(20)]
    for offset, radius in balls:
        session.apply(stroke([at + by for at, by in zip(first, offset, strict=True)], radius))
        region[around(offset, radius)] |= ball(radius) > 0
    operation = remove_small_islands(first, REGION, MINIMUM_SIZE)
    found[ISLANDS, size, OURS].append(stopwatch(lambda: session.apply(operation))[0])

    def dust() -> None:
        region[...] = cc3d.dust(region, threshold=MINIMUM_SIZE, connectivity=6)

    found[ISLANDS, size, CC3D].append(stopwatch(dust)[0])
    left = session.voxels(first, REGION)
    session.apply(stroke(centre, REGION, "erase"))
    return left, region


def around(centre: Sequence[int], radius: int) -> tuple[slice, ...]:
    """The box around a voxel x, y, z, to index an array with the axes z, y, x."""
    return tuple(slice(at - radius, at + radius + 1) for at in reversed(centre))


def _slicer_strokes(
    context: Context, found: Samples, slicer: Slicer, size: int, generator: random.Random
) -> None:
    """A stroke of each radius in each of Slicer's two ways; undo and redo in the first."""
    try:
        for way, name in SLICER_WAYS.items():
            for radius in RADII:
                centre = place(generator, size, radius + 1)
                state = radius == RADIUS and way == "set"
                answer = slicer.ask(
                    "stroke", size=size, way=way, centre=centre, radius=radius, state=state
                )
                found[stroke_title(radius), size, name].append(answer["seconds"])
                if state:
                    for command in ("undo", "redo"):
                        answer = slicer.ask(command, size=size, way=way)
                        found[command, size, SLICER_UNDO].append(answer["seconds"])
    except SlicerError as error:
        context.results.fail(f"Slicer's editor, {size}^3: {describe(error)}")


def _agreement(context: Context, slicer: Slicer | None) -> dict[str, dict[str, Any]]:
    """The same strokes by everybody in a small world: do the numbers of voxels agree?"""
    size = COMPARED
    generator = random.Random(2)
    strokes = [(place(generator, size, 11), generator.choice((3, 10))) for _ in range(20)]
    array = DenseWorld(size)
    session = Session(size)
    for centre, radius in strokes:
        session.apply(stroke(centre, radius))
        array.voxels[around(centre, radius)] |= ball(radius)
    ours = session.voxels((0, 0, 0), size)
    theirs = {NUMPY: array.voxels != 0}
    if slicer is not None:
        try:
            slicer.ask("close_worlds")
            for way, name in SLICER_WAYS.items():
                slicer.ask("open_world", size=size, way=way)
                for centre, radius in strokes:
                    slicer.ask(
                        "stroke", size=size, way=way, centre=centre, radius=radius, state=False
                    )
                theirs[name] = slicer.voxels(size, way)
        except SlicerError as error:
            context.results.fail(f"The voxels of Slicer's strokes were not compared: {error}")
    return {
        name: {
            "compared": size**3,
            "different": int(np.count_nonzero(voxels != ours)),
            "note": f"compared after {len(strokes)} strokes, {np.count_nonzero(voxels):,} voxels",
        }
        for name, voxels in theirs.items()
    }


def _islands_agreement() -> dict[str, Any]:
    """What is left of the islands, by us and by cc3d."""
    ours, theirs = _islands(defaultdict(list), Session(COMPARED), COMPARED, random.Random(4))
    different = int(np.count_nonzero(ours != theirs))
    return {"compared": ours.size, "different": different}


def _long_session(context: Context, size: int, samples: Samples) -> dict[str, Any]:
    """A new session with many strokes that stay: the seconds of the last, and the memory."""
    context.progress.tell(f"memory after {STROKES} strokes, {size}^3")
    generator = random.Random(3)
    settle()
    before = resident()
    session = Session(size)
    seconds = []
    for _ in range(STROKES):
        operation = stroke(place(generator, size, RADIUS + 1), RADIUS)
        seconds.append(stopwatch(lambda operation=operation: session.apply(operation))[0])
    samples[LATE, size, OURS] = seconds[-100:]
    settle()
    labels, undo = session.memory()
    return {
        "size": size,
        "strokes": STROKES,
        "radius": RADIUS,
        "label_bytes": labels,
        "undo_bytes": undo,
        "resident_growth_bytes": max(0, resident() - before),
        "dense_bytes": size**3,
    }


# -- rows ----------------------------------------------------------------------------------------


def _moved(effect: str) -> int | None:
    """Bytes that must be read and written at least, as far as the voxels go."""
    for radius in RADII:
        if effect == stroke_title(radius) or (effect == LATE and radius == RADIUS):
            return 3 * (2 * radius + 1) ** 3  # stamp and box are read, the box is written
    if effect in ("undo", "redo"):
        return 2 * (2 * RADIUS + 1) ** 3
    return 2 * REGION**3 if effect == ISLANDS else None


def _report(
    context: Context,
    worlds: Sequence[int],
    samples: Samples,
    notes: dict[str, dict[str, Any]],
    memory: list[dict[str, Any]],
    slicer: Slicer | None,
) -> None:
    """Rows, memory and bars."""
    results = context.results
    versions = results.document["header"]["versions"]
    timings = {key: Timing(tuple(values)) for key, values in samples.items() if values}
    for effect in (*map(stroke_title, RADII), "undo", "redo", ISLANDS, LATE):
        for size in worlds:
            moved = _moved(effect)
            shared: dict[str, Any] = {
                "group": GROUP,
                "effect": effect,
                "data": DATA,
                "size": (size,) * 3,
                "threads": context.threads[-1],
                "ours": timings[effect, size, OURS],
                "floor": floor_seconds(moved, context.threads[-1], results.bandwidth)
                if moved
                else None,
            }
            peers = [who for (what, edge, who) in timings if (what, edge) == (effect, size) and who]
            for who in peers:
                compared = size == COMPARED and effect in (stroke_title(RADIUS), ISLANDS)
                more = dict(notes.get(who, {})) if compared else {}
                if who == NUMPY and size > NUMPY_LARGEST:
                    note = f"in an array of {NUMPY_LARGEST}^3"
                    more["note"] = "; ".join(filter(None, [note, more.get("note", "")]))
                results.add(
                    **shared,
                    peer=who,
                    peer_version=_version_of(who, versions),
                    theirs=timings[effect, size, who],
                    **more,
                )
            if not peers:
                results.add(**shared)
    for entry in memory:
        results.add(
            group=GROUP,
            effect=f"memory after {STROKES} strokes",
            data=DATA,
            size=(entry["size"],) * 3,
            threads=context.threads[-1],
            ours=None,
            ours_scratch=entry["resident_growth_bytes"] / entry["size"] ** 3,
            note="growth of resident memory per voxel of the world",
        )
    results.document["memory"].extend(memory)
    results.document["bars"].extend(bars(timings, worlds))


def _version_of(peer: str, versions: dict[str, str]) -> str | None:
    """By the first word of a peer's name."""
    word = peer.split()[0]
    return versions.get({"Slicer": "slicer-core"}.get(word, word))


def bars(
    timings: dict[tuple[str, int, str], Timing], worlds: Sequence[int]
) -> list[dict[str, Any]]:
    """What is asked of the editor: ``bar``, ``asked``, ``measured``, ``met`` (None: unknown)."""
    title = stroke_title(RADIUS)
    found = []

    def seconds(size: int, who: str) -> float | None:
        timing = timings.get((title, size, who))
        return timing.median if timing else None

    ours = seconds(512, OURS)
    for name in SLICER_WAYS.values():
        theirs = seconds(512, name)
        value = theirs / ours if ours and theirs else None
        found.append(
            {
                "bar": f"a stroke at 512^3 is so many times faster than {name}",
                "asked": "at least 500",
                "measured": value,
                "met": None if value is None else value >= 500,
            }
        )
    bare = seconds(512, NUMPY)
    value = ours / bare if ours and bare else None
    found.append(
        {
            "bar": "a stroke at 512^3 takes so many times as long as NumPy's bare write",
            "asked": "at most 5",
            "measured": value,
            "met": None if value is None else value <= 5,
        }
    )
    largest = seconds(4096, OURS)
    value = largest / ours if ours and largest else None
    found.append(
        {
            "bar": "a stroke at 4096^3 takes so many times as long as one at 512^3",
            "asked": "at most 1.2",
            "measured": value,
            "met": None if value is None else value <= 1.2,
        }
    )
    medians = [value for size in worlds if (value := seconds(size, OURS))]
    if len(medians) > 1:
        found.append(
            {
                "bar": "slowest over fastest world, strokes",
                "asked": "for information",
                "measured": flatness(medians),
                "met": None,
            }
        )
    return found
