"""edt: exact Euclidean distances, with threads."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator

from . import Method, Task

LIBRARY = "edt"


def version() -> str:
    return importlib.metadata.version("edt")


def methods(task: Task) -> Iterator[Method]:
    import edt
    import numpy as np

    if task.effect not in ("margin grow", "margin shrink"):
        return
    growing = task.effect == "margin grow"
    mask = task.array == 0 if growing else task.array != 0
    limit = np.float32(task.options["millimetres"] ** 2 * (1 + 1e-6))

    def margin() -> np.ndarray:
        squares = edt.edtsq(
            mask, anisotropy=task.spacing, black_border=False, parallel=task.threads
        )
        return squares <= limit if growing else squares > limit

    yield Method("edtsq + compare", margin)
