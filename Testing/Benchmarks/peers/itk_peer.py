"""ITK's remote module that Slicer's Fill between slices uses; SimpleITK does not have it.

In a process of its own: ITK and SimpleITK, both loaded by one, break its heap when it ends.
"""

from __future__ import annotations

import atexit
import functools
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from . import Method, Task

LIBRARY = "ITK"

# Of the other process: the input, and what was made of it last.
_state: dict[str, Any] = {}


def version() -> str:
    from importlib.metadata import version as version_of

    return version_of("itk-morphologicalcontourinterpolation")


@functools.cache
def _process() -> ProcessPoolExecutor:
    executor = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
    atexit.register(executor.shutdown)
    return executor


def _load(array: Any, threads: int) -> None:
    import itk

    itk.MultiThreaderBase.SetGlobalDefaultNumberOfThreads(threads)
    itk.MultiThreaderBase.SetGlobalMaximumNumberOfThreads(threads)
    _state["image"] = itk.image_from_array(array)


def _fill() -> None:
    import itk

    algorithm = itk.MorphologicalContourInterpolator.New(_state["image"])
    algorithm.Update()
    _state["result"] = algorithm.GetOutput()


def _result() -> Any:
    import itk

    return itk.array_from_image(_state["result"])


def methods(task: Task) -> Iterator[Method]:
    if task.effect != "fill between slices":
        return
    _process().submit(_load, task.array, task.threads).result()
    yield Method(
        "MorphologicalContourInterpolator",
        lambda: _process().submit(_fill).result(),
        lambda _nothing: _process().submit(_result).result(),
        note="another algorithm, in voxels; its scratch memory, of another process, is not counted",
    )
