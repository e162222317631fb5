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
    if task.effect == "logical xor":
        labels = task.array
        one, other = labels.dtype.type(1), labels.dtype.type(task.options["other"])

        def xor() -> np.ndarray:
            own = labels == one
            rest = np.where(own, labels.dtype.type(0), labels)
            return np.where(own ^ (labels == other), one, rest)

        yield Method("==, ^, where", xor)
    if task.effect == "multiple thresholds":
        thresholds = np.array(task.options["thresholds"], task.array.dtype)
        yield Method("digitize", lambda: np.digitize(task.array, thresholds) + 1)
    if task.effect == "statistics":
        yield from _statistics(task)


def _statistics(task: Task) -> Iterator[Method]:
    import numpy as np

    from ..catalogue import statistics_text

    labels, volume = task.array.ravel(), task.volume.ravel()

    def joint_histogram() -> tuple[int, float, float]:
        lowest, count = int(volume.min()), int(volume.max()) - int(volume.min()) + 1
        key = labels.astype(np.int32) * count + (volume.astype(np.int32) - lowest)
        counts = np.bincount(key, minlength=(int(labels.max()) + 1) * count)
        table = counts.reshape(-1, count)
        values = np.arange(lowest, lowest + count, dtype=np.float64)
        voxels = table.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            means = table @ values / voxels
            variances = (table @ values**2 - voxels * means**2) / (voxels - 1)
        return int(voxels[1]), float(means[1]), float(np.sqrt(variances[1]))

    yield Method("joint histogram", joint_histogram, lambda found: statistics_text(*found))


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
