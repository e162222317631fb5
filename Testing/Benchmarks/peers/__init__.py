"""The libraries that we are compared with: one file for each.

A peer's file has ``LIBRARY`` (name in the report), ``version()`` and ``methods(task)``, which gives
the ways in which the library does a task, none if it cannot. What a file imports is imported when
`methods` is called, so that a library that is missing is told and nothing else is lost.

Slicer has its own VTK and therefore its own process: `slicer_peer` runs there, `slicer` asks it.

The rules of a fair comparison: conversion of the input to the library's own image is done before
the clock starts and that of the result after it has stopped; every run makes a new result; the
library may use as many threads as ours. A method that means something else than ours says so in
``note``; its result is compared all the same, and the difference is reported.
"""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

MODULES = (
    "numpy_peer",
    "scipy_peer",
    "simpleitk_peer",
    "itk_peer",
    "cc3d_peer",
    "edt_peer",
    "skimage_peer",
    "vtk_peer",
)


@dataclass(frozen=True)
class Task:
    """What is to be done: the same for us and for every peer."""

    effect: str
    """Name of a case of `catalogue.CASES`."""
    array: Any
    """Axes z, y, x; a volume, or a label map whose segment is 1."""
    spacing: tuple[float, float, float]
    threads: int
    options: dict[str, Any] = field(default_factory=dict)
    """Of the case, with the numbers of the data."""
    volume: Any = None
    """The intensities below a label map."""


def seed_of(task: Task) -> tuple[int, int, int]:
    """A voxel that floods start at: the darkest one of the eight in the middle."""
    middle = [(length - 1) // 2 for length in task.array.shape]
    corners = itertools.product(
        *((m, min(m + 1, n - 1)) for m, n in zip(middle, task.array.shape, strict=True))
    )
    return min(corners, key=lambda corner: task.array[corner])


def later_seeds(number: int, shape: tuple[int, ...]) -> tuple[tuple[slice, ...], int]:
    """Where the user paints next, between the seeds that are there: a small cube, and its label."""
    step, edge = 48, 6
    counts = [max(1, (length - edge) // step) for length in shape]
    place = _place(number * 7, counts)
    return tuple(slice(step * at + 24, step * at + 24 + edge) for at in place), number % 3 + 1


def _place(number: int, counts: list[int]) -> list[int]:
    """The place of a number in a table, the last axis first; beyond its end it begins again."""
    place = []
    for count in reversed(counts):
        place.append(number % count)
        number //= count
    return place[::-1]


def _same(result: Any) -> Any:
    return result


@dataclass(frozen=True)
class Method:
    """One way to do a task."""

    name: str
    function: Callable[[], Any]
    """Timed."""
    convert: Callable[[Any], Any] = _same
    """Makes a NumPy array of the result (above 0 where selected), or a text that describes it."""
    note: str = ""
    """How its definition differs from ours; empty if both mean the same."""


def local_methods(task: Task) -> Iterator[tuple[str, str, Method | str]]:
    """Library, version and method of each peer of this process; a text instead if it fails."""
    for name in MODULES:
        module = importlib.import_module(f".{name}", __name__)
        try:
            version = module.version()
            found = list(module.methods(task))
        except Exception as error:
            yield module.LIBRARY, "", f"{type(error).__name__}: {error}"
            continue
        for method in found:
            yield module.LIBRARY, version, method


def local_versions() -> dict[str, str]:
    """Versions of the libraries that are there."""
    versions = {}
    for name in MODULES:
        module = importlib.import_module(f".{name}", __name__)
        try:
            versions[module.LIBRARY] = module.version()
        except ImportError:
            versions[module.LIBRARY] = "missing"
    return versions
