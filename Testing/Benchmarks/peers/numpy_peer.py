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
    if task.effect == "mask volume":
        from ..catalogue import values_text

        zero = task.volume.dtype.type(0)
        yield Method("where", lambda: np.where(task.array == 1, task.volume, zero), values_text)
    if task.effect == "multiple thresholds":
        thresholds = np.array(task.options["thresholds"], task.array.dtype)
        yield Method("digitize", lambda: np.digitize(task.array, thresholds) + 1)
    if task.effect == "local histogram":
        yield from _histogram(task)
    if task.effect == "split volume":
        yield from _split(task)
    if task.effect == "statistics":
        yield from _statistics(task)


def _histogram(task: Task) -> Iterator[Method]:
    import numpy as np

    from ..catalogue import ball_of, histogram_text

    volume = task.array
    centre, radius = ball_of(task)

    def of_the_box_around() -> tuple[int, float, float, float]:
        low = [
            max(0, int(np.ceil((at - radius) / step)))
            for at, step in zip(centre, task.spacing, strict=True)
        ]
        high = [
            int((at + radius) / step) + 1 for at, step in zip(centre, task.spacing, strict=True)
        ]
        box = volume[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
        squares = sum(
            ((np.arange(a, a + n) * step - at) ** 2).reshape(
                [-1 if axis == other else 1 for other in range(3)]
            )
            for axis, (a, n, step, at) in enumerate(
                zip(low, box.shape, task.spacing, centre, strict=True)
            )
        )
        values = box[squares <= radius * radius * (1 + 1e-12)]
        np.histogram(values, 64)
        return values.size, float(values.min()), float(values.max()), float(values.mean())

    yield Method(
        "mask of the box, histogram", of_the_box_around, lambda found: histogram_text(*found)
    )


def _split(task: Task) -> Iterator[Method]:
    import numpy as np

    from ..catalogue import values_text

    padding = task.options["padding"]

    def split() -> np.ndarray:
        inside = task.array == 1
        box = []
        for axis in range(3):
            others = tuple(other for other in range(3) if other != axis)
            places = np.flatnonzero(inside.any(axis=others))
            box.append(slice(int(places[0]), int(places[-1]) + 1))
        part = np.where(inside[tuple(box)], task.volume[tuple(box)], task.volume.dtype.type(0))
        return np.pad(part, padding)

    yield Method("any, where, pad", split, values_text)


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
