"""The effects of the wheel, as Python functions on NumPy arrays, against other libraries.

All of a kind get the same voxels in the same run, and take turns. The result of each peer is
compared with ours, voxel by voxel; where both mean the same, a difference is told as such.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from segmentationcore.demo.data import DataError

from .. import data
from ..catalogue import BARS, CASES, Case, bars
from ..measure import Timing, describe, first_run, floor_seconds, interleave, stopwatch
from ..peers import Method, Task, local_methods
from ..peers.slicer import Slicer, SlicerError
from ..peers.vtk_peer import use_threads
from ..results import ratio
from . import Context

GROUP = "effects"
OURS = "segmentationcore"
DATA = ("rock", "large", "mri", "ct", "atlas")


def wanted_cases(key: str, bars_only: bool) -> list[Case]:
    """The cases that are timed on a kind of input."""
    asked = {bar.case for bar in BARS if key in bar.inputs}
    return [case for case in CASES if key in case.inputs and (not bars_only or case.name in asked)]


def tasks(name: str, size: int, bars_only: bool) -> Iterator[tuple[Case, str, str, Task]]:
    """For one sort of data: case, kind of input, title of the data, and the task (one thread)."""
    for kind, make in data.inputs(name, size).items():
        wanted = wanted_cases(f"{name} {kind}", bars_only)
        if not wanted:
            continue
        given = make()
        for case in wanted:
            spacing = given.spacing if case.spacing else (1.0, 1.0, 1.0)
            options = {**given.numbers, **case.options}
            task = Task(case.name, given.array, spacing, 1, options, given.volume)
            yield case, f"{name} {kind}", given.title, task


def compare(ours: Any, theirs: Any, border: int = 0) -> tuple[int | None, int | None]:
    """Voxels that were compared, and those that differ; None if there is nothing to compare.

    So many voxels at the border are left out, where rules for it differ.
    """
    if not isinstance(ours, np.ndarray) or not isinstance(theirs, np.ndarray):
        return None, None
    if ours.shape != theirs.shape:
        raise ValueError(f"the result has shape {theirs.shape}; ours has {ours.shape}")
    if border:
        inner = (slice(border, -border),) * 3
        ours, theirs = ours[inner], theirs[inner]
    return ours.size, int(np.count_nonzero((ours != 0) != (theirs != 0)))


class _Local:
    """A method of this process."""

    def __init__(self, method: Method, reused: bool = False) -> None:
        self.method = method
        self.reused = reused

    def first(self) -> tuple[float, int, Any]:
        growth, seconds, raw = first_run(self.method.function)
        result = self.method.convert(raw)
        if isinstance(result, np.ndarray):
            growth -= 0 if self.reused else result.nbytes
            result = result != 0
        elif hasattr(raw, "GetActualMemorySize"):  # a surface
            growth -= raw.GetActualMemorySize() * 1024
        return seconds, max(0, growth), result

    def run(self) -> float:
        return stopwatch(self.method.function)[0]


class _Remote:
    """A method of Slicer's process, made ready there."""

    def __init__(self, slicer: Slicer) -> None:
        self.slicer = slicer

    def first(self) -> tuple[float, int, Any]:
        answer = self.slicer.first()
        return answer["seconds"], answer["growth"], answer["result"]

    def run(self) -> float:
        return self.slicer.run()


def _moved(task: Task) -> int:
    """Bytes that must be read and written once."""
    return task.array.nbytes + (0 if task.effect.startswith("surfaces") else task.array.size)


class _Peers:
    """Slicer's processes, started when they are first needed and again after they ended."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.processes: dict[int, Slicer] = {}
        self.missing = False

    def slicer(self, threads: int) -> Slicer | None:
        if self.missing:
            return None
        process = self.processes.get(threads)
        if process is not None and process.alive:
            return process
        try:
            self.processes[threads] = Slicer(threads)
        except SlicerError as error:
            self.missing = True
            self.context.results.fail(f"Slicer was not measured: {error}")
            return None
        versions = self.processes[threads].versions
        self.context.results.document["header"]["versions"]["slicer-core"] = versions["slicer-core"]
        return self.processes[threads]

    def close(self) -> None:
        for process in self.processes.values():
            process.close()


def run(context: Context) -> None:
    """All effects on all data."""
    peers = _Peers(context)
    names = DATA[:1] if context.quick else DATA
    # One thread is asked for the rock alone.
    threads = {name: context.threads[-1:] for name in names}
    if not context.quick and not context.bars_only:
        threads["rock"] = context.threads
    for name in names:
        keys = {key for case in CASES for key in case.inputs if key.split()[0] == name}
        planned = sum(len(wanted_cases(key, context.bars_only)) for key in keys)
        context.progress.plan(planned * len(threads[name]))
    try:
        for name in names:
            context.progress.tell(f"loading {name}")
            try:
                for case, key, title, task in tasks(name, context.size, context.bars_only):
                    for number in threads[name]:
                        found = _measure(context, peers, case, title, replace(task, threads=number))
                        context.progress.step()
                    what = f"{case.title}, {title}"
                    context.results.document["bars"] += bars(case.name, key, what, found)
            except DataError as error:
                context.results.fail(f"The {name} was not measured: {error}")
    finally:
        peers.close()


def _candidates(
    context: Context, peers: _Peers, case: Case, task: Task
) -> Iterator[tuple[str, str, str, Callable[[], Any] | None, str]]:
    """Peer, version, note, a maker of its contender, and why there is none."""
    for library, version, method in local_methods(task):
        if isinstance(method, str):
            yield library, version, "", None, method
        else:
            maker = lambda method=method: _Local(method, case.reused)  # noqa: E731
            yield f"{library} {method.name}", version, method.note, maker, ""
    slicer = peers.slicer(task.threads)
    if slicer is None:
        return
    version = slicer.versions["slicer-core"]
    try:
        slicer.load(task)
        found = slicer.method(task)
    except SlicerError as error:
        yield "Slicer", version, "", None, describe(error)
        return
    if found:
        name = f"Slicer {found['name']}"
        yield name, version, found["note"], lambda: _Remote(slicer), ""


def _measure(
    context: Context, peers: _Peers, case: Case, data_title: str, task: Task
) -> dict[str, float | None]:
    """One effect on one volume with one number of threads; returns each peer's ratio to us."""
    what = f"{case.title}, {data_title}, {task.threads} thr"
    context.progress.tell(f"{what}: warm-up")
    use_threads(task.threads)
    voxels = task.array.size
    ours = _Local(case.method(task), reused=case.reused)
    seconds, growth, reference = ours.first()
    contenders: dict[str, Any] = {OURS: ours}
    warm_up = {OURS: seconds}
    about: dict[str, dict[str, Any]] = {}
    errors: dict[str, str] = {}
    scratch = growth / voxels
    our_text = reference if isinstance(reference, str) else ""
    for name, version, note, maker, reason in _candidates(context, peers, case, task):
        about[name] = {"peer_version": version or None, "note": note}
        if maker is None:
            errors[name] = reason
            continue
        context.progress.tell(f"{what}: {name}")
        try:
            contender = maker()
            warm_up[name], grown, result = contender.first()
            compared, different = compare(reference, result, task.options.get("width", 0) // 2)
        except Exception as error:  # a peer's failure is a result, not the end
            errors[name] = describe(error)
            continue
        contenders[name] = contender
        if isinstance(result, str):
            note = "; ".join(filter(None, [f"{result}, ours {our_text}", note]))
        about[name] |= {
            "peer_scratch": grown / voxels,
            "compared": compared,
            "different": different,
            "note": note,
        }
        del result
    del reference
    timings, failed = interleave(
        contenders,
        warm_up,
        rounds=3 if context.quick else 9,
        budget=2.0 if context.quick else 5.0,
        tell=lambda name: context.progress.tell(f"{what}: {name}"),
    )
    if OURS in failed:
        raise RuntimeError(f"{what}: our own effect failed: {failed[OURS]}")
    errors |= failed
    floor = floor_seconds(_moved(task), task.threads, context.results.bandwidth)
    shared: dict[str, Any] = {
        "group": GROUP,
        "effect": case.title,
        "data": data_title,
        "size": task.array.shape[::-1],
        "threads": task.threads,
        "ours": timings[OURS],
        "ours_scratch": scratch,
        "floor": floor,
    }
    if not about:
        context.results.add(**shared)
    for name, facts in about.items():
        theirs: Timing | None = timings.get(name)
        context.results.add(**shared, peer=name, theirs=theirs, error=errors.get(name, ""), **facts)
    mine = timings[OURS].median
    return {name: ratio(mine, timings[name].median) for name in about if name in timings}
