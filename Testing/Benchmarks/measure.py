"""Measuring: seconds of interleaved runs, growth of memory, and what the machine can copy.

A measurement is the median of several runs with the smallest and the largest beside it. Whatever is
compared takes turns (ours, theirs, ours, theirs ..), each round starting with another one, so that
a machine that becomes slower for a while is slower for all. A turn of a short one has several runs,
most of which then follow one of its own: after another's seconds the caches are cold, and a virtual
machine may have given its idle memory back to the host. The first run of each is a warm-up: it is
not timed, but its memory is looked at and its result is compared.

Standard library only; Slicer's process uses this file too.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import resource
import statistics
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

GIBIBYTE = 1 << 30

#: A turn ends after so many seconds or runs.
TURN_SECONDS = 0.4
TURN_RUNS = 3


@dataclass(frozen=True)
class Timing:
    """The runs of one contender, in seconds."""

    runs: tuple[float, ...]

    @property
    def median(self) -> float:
        """What is reported."""
        return statistics.median(self.runs)

    @property
    def least(self) -> float:
        """The fastest run."""
        return min(self.runs)

    @property
    def most(self) -> float:
        """The slowest run."""
        return max(self.runs)


class Contender(Protocol):
    """Something that can be run again and again and tells how long it took."""

    def run(self) -> float:
        """Run once; returns seconds."""


def stopwatch(function: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of one call, and its result. The garbage collector waits until the call is over."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        begin = time.perf_counter()
        result = function()
        seconds = time.perf_counter() - begin
    finally:
        if enabled:
            gc.enable()
    return seconds, result


def interleave(
    contenders: Mapping[str, Contender],
    warm_up: Mapping[str, float],
    *,
    rounds: int,
    budget: float,
    tell: Callable[[str], None] = lambda name: None,
) -> tuple[dict[str, Timing], dict[str, str]]:
    """Run the contenders in turns; returns the timings, and the errors of those that failed.

    A turn has up to ``TURN_RUNS`` runs, and ends when they have taken ``TURN_SECONDS``.

    Parameters
    ----------
    contenders : mapping
        By name.
    warm_up : mapping
        Seconds that each one's first run took. One that needs more than ``budget`` for a run is
        not run again: its first run is its only one.
    rounds : int
        Most turns of each.
    budget : float
        Seconds after which a contender leaves the rounds, though not before its second run.
    tell : callable
        Called with the name before each run.
    """
    runs: dict[str, list[float]] = {name: [] for name in contenders}
    errors: dict[str, str] = {}
    playing = []
    for name in contenders:
        if warm_up[name] > budget:
            runs[name].append(warm_up[name])
        else:
            playing.append(name)
    for turn in range(rounds):
        start = turn % len(playing) if playing else 0
        for name in [*playing[start:], *playing[:start]]:
            tell(name)
            before = sum(runs[name])
            try:
                for _ in range(TURN_RUNS):
                    runs[name].append(contenders[name].run())
                    if sum(runs[name]) - before >= TURN_SECONDS:
                        break
            except Exception as error:  # a peer's failure is a result, not the end
                errors[name] = describe(error)
        playing = [
            name
            for name in playing
            if name not in errors and (len(runs[name]) < 2 or sum(runs[name]) < budget)
        ]
    timings = {
        name: Timing(tuple(times)) for name, times in runs.items() if times and name not in errors
    }
    return timings, errors


def describe(error: BaseException) -> str:
    """An error in one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


# -- memory --------------------------------------------------------------------------------------


def _status(key: str) -> int:
    """Bytes of an entry of /proc/self/status."""
    with open("/proc/self/status", encoding="ascii") as stream:
        for line in stream:
            if line.startswith(key + ":"):
                return int(line.split()[1]) * 1024
    raise OSError(f"/proc/self/status has no {key}")


def resident() -> int:
    """Bytes of this process that are in memory now."""
    try:
        return _status("VmRSS")
    except OSError:
        return _highest()


def _highest() -> int:
    """The most that was resident since the process began, or since `_reset_highest`."""
    try:
        return _status("VmHWM")
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _reset_highest() -> None:
    """Start the high-water mark anew; where this is not allowed, growth is told too small."""
    with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


def settle() -> None:
    """Give back what is free, so that the next call cannot use it unseen."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def memory_growth(function: Callable[[], Any]) -> tuple[int, float, Any]:
    """Peak growth of resident bytes over one call (result included), seconds, and its result."""
    settle()
    _reset_highest()
    before = resident()
    seconds, result = stopwatch(function)
    return max(0, _highest() - before), seconds, result


def first_run(function: Callable[[], Any], quick: float = 2.0) -> tuple[int, float, Any]:
    """As `memory_growth`; a call quicker than so many seconds is measured when it is called again.

    The first call loads libraries and starts threads, and that memory is not the call's own.
    """
    growth, seconds, result = memory_growth(function)
    if seconds < quick:
        del result
        growth, seconds, result = memory_growth(function)
    return growth, seconds, result


# -- the machine ---------------------------------------------------------------------------------


def thread_counts() -> list[int]:
    """One, and all that this process may use."""
    try:
        available = len(os.sched_getaffinity(0))
    except AttributeError:
        available = os.cpu_count() or 1
    return sorted({1, available})


def memcpy_bandwidth(threads: int, size: int = GIBIBYTE, repetitions: int = 5) -> float:
    """Bytes per second, read and written counted, that the C library copies on warm pages."""
    source = ctypes.create_string_buffer(size)
    target = ctypes.create_string_buffer(size)
    ctypes.memset(source, 1, size)  # pages of zeros may all be the same one
    ctypes.memset(target, 1, size)
    edges = [size * i // threads for i in range(threads + 1)]

    def copy_part(first: int, last: int) -> None:
        # Foreign functions run without the interpreter's lock.
        begin = ctypes.addressof(target) + first
        ctypes.memmove(begin, ctypes.addressof(source) + first, last - first)

    def copy() -> None:
        workers = [
            threading.Thread(target=copy_part, args=edges[i : i + 2]) for i in range(1, threads)
        ]
        for worker in workers:
            worker.start()
        copy_part(*edges[:2])
        for worker in workers:
            worker.join()

    copy()
    seconds = statistics.median(stopwatch(copy)[0] for _ in range(repetitions))
    return 2 * size / seconds


def floor_seconds(moved: int, threads: int, bandwidth: Mapping[int, float]) -> float | None:
    """Time to move so many bytes; with more threads than were measured, as with the most."""
    fitting = [number for number in bandwidth if number <= threads]
    return moved / bandwidth[max(fitting)] if fitting else None


def flatness(values: Sequence[float]) -> float:
    """Largest over smallest."""
    return max(values) / min(values)
