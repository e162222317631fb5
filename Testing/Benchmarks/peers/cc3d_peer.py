"""cc3d (connected-components-3d). One thread."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator

from . import Method, Task

LIBRARY = "cc3d"


def version() -> str:
    return importlib.metadata.version("connected-components-3d")


def methods(task: Task) -> Iterator[Method]:
    import cc3d

    mask = task.array
    if task.effect in ("islands label all", "islands label all, reused output"):
        yield Method(
            "connected_components", lambda: cc3d.connected_components(mask, connectivity=6)
        )
    if task.effect == "islands keep largest":
        yield Method("largest_k(k=1)", lambda: cc3d.largest_k(mask, k=1, connectivity=6))
    if task.effect == "islands remove small":
        least = task.options["minimum_size"]
        yield Method("dust", lambda: cc3d.dust(mask, threshold=least, connectivity=6))
