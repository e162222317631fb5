"""NumPy: comparisons, and a threshold that reuses its output."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from . import Method, Task

LIBRARY = "numpy"


def version() -> str:
    import numpy as np

    return np.__version__


def methods(task: Task) -> Iterator[Method]:
    import numpy as np

    if task.effect in ("threshold", "threshold, reused output"):
        yield from _threshold(task)
    if task.effect == "logical union":
        labels = task.array
        one, other = labels.dtype.type(1), labels.dtype.type(task.options["other"])
        yield Method("where", lambda: np.where(labels == other, one, labels))


def _threshold(task: Task) -> Iterator[Method]:
    import numpy as np

    array = task.array
    minimum = array.dtype.type(task.options["minimum"])
    reused = np.zeros(array.shape, np.bool_)
    if task.effect == "threshold":
        yield Method("volume >= t", lambda: array >= minimum)
        return

    def whole() -> np.ndarray:
        return np.greater_equal(array, minimum, out=reused)

    yield Method("greater_equal(out=)", whole)
    flat, out = array.reshape(-1), reused.reshape(-1)
    chunk = 1 << 18
    edges = range(0, flat.size, chunk)
    pool = ThreadPoolExecutor(task.threads)

    def part(first: int) -> None:
        np.greater_equal(flat[first : first + chunk], minimum, out=out[first : first + chunk])

    def chunked() -> np.ndarray:
        list(pool.map(part, edges))
        return reused

    yield Method("greater_equal(out=) in chunks, on threads", chunked)
