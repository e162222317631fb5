"""What is measured: one file per group, each with ``run(context)``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..results import Results


class GroupError(Exception):
    """A group that cannot run at all; the message says why and what helps."""


@dataclass
class Context:
    """What every group gets."""

    results: Results
    size: int
    """Edge of the rock in voxels."""
    quick: bool
    """Few repetitions and the most important data only."""
    threads: list[int]
    tell: Callable[[str], None]
    """Shows what is being done, for people at a terminal."""
