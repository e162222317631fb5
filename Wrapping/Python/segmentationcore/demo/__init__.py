"""The demonstration: a distributed edit in ParaView that Slicer displays, and asks to change.

=================== ==================================================================
`data`, `rock`      the volumes
`sequences`         what is done to each of them
`run`               the whole of it: programs, steps, checks; ``main``
`paraview_session`  the client of ParaView's server; runs in ``pvpython``
`processes`         programs that are gone when the demonstration ends
`checks`            voxel by voxel, and able to fail
`report`            the table, and ``report.md`` with the pictures
=================== ==================================================================
"""

from __future__ import annotations

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """``segmentationcore demo``; returns the exit status."""
    from .run import main as run_main

    return run_main(arguments)
