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

    if task.effect != "threshold":
        return
    array = task.array
    minimum = array.dtype.type(task.options["minimum"])
    yield Method("volume >= t", lambda: array >= minimum)

    reused = np.empty(array.shape, np.bool_)
    flat, out = array.reshape(-1), reused.reshape(-1)
    chunk = 1 << 18
    edges = range(0, flat.size, chunk)
    pool = ThreadPoolExecutor(task.threads)

    def part(first: int) -> None:
        np.greater_equal(flat[first : first + chunk], minimum, out=out[first : first + chunk])

    def chunked() -> np.ndarray:
        list(pool.map(part, edges))
        return reused

    yield Method("volume >= t into a reused output, in chunks", chunked)
