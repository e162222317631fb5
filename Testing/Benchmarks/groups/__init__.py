"""What is measured: one file per group, each with ``run(context)``."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..results import Results


class GroupError(Exception):
    """A group that cannot run at all; the message says why and what helps."""


class Progress:
    """Shows what is being done to people at a terminal; this one shows nothing."""

    def plan(self, steps: int) -> None:
        """So many steps are coming, beside those already planned."""

    def tell(self, text: str) -> None:
        """What is being done now."""

    def step(self) -> None:
        """One step is done."""


@dataclass
class Context:
    """What every group gets."""

    results: Results
    size: int
    """Edge of the rock in voxels."""
    quick: bool
    """Few repetitions and the most important data only."""
    threads: list[int]
    bars_only: bool = False
    """Only what has a bar, on all threads."""
    progress: Progress = field(default_factory=Progress)
