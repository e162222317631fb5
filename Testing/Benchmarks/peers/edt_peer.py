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

    def squares(mask: np.ndarray) -> np.ndarray:
        return edt.edtsq(mask, anisotropy=task.spacing, black_border=False, parallel=task.threads)

    if task.effect in ("size distribution", "local thickness"):
        from ..catalogue import sizes_text, thickness_text

        def thickness() -> np.ndarray:
            room = squares(task.array != 0)
            sizes = np.zeros(task.array.shape, np.float32)
            for diameter in task.options["diameters"]:
                centres = room >= np.float32(diameter * diameter / 4)
                if not centres.any():
                    break
                sizes[squares(~centres) < np.float32(diameter * diameter / 4)] = diameter
            return sizes

        def openings() -> dict[float, int]:
            found, counts = np.unique(thickness()[task.array != 0], return_counts=True)
            return dict(zip(found.tolist(), counts.tolist(), strict=True))

        whole = task.effect == "local thickness"
        yield Method(
            "edtsq for each diameter",
            thickness if whole else openings,
            thickness_text if whole else sizes_text,
            note="between centres of voxels: 1 to 1.7 voxels thicker",
        )
    if task.effect not in ("margin grow", "margin shrink"):
        return
    growing = task.effect == "margin grow"
    mask = task.array == 0 if growing else task.array != 0
    limit = np.float32(task.options["millimetres"] ** 2 * (1 + 1e-6))

    def margin() -> np.ndarray:
        distances = squares(mask)
        return distances <= limit if growing else distances > limit

    yield Method("edtsq + compare", margin)
