"""What goes wrong, and how it is told.

``TypeError`` is raised for the wrong kind of argument and ``ValueError`` for a value that is not
accepted, both before any voxel is touched. The classes here are for what happens later.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["Cancelled", "Interrupted", "SegmentationCoreError"]


class SegmentationCoreError(RuntimeError):
    """A failure inside VTK or our filters; ``str()`` says what happened.

    Attributes
    ----------
    vtk_messages : tuple of str
        Everything that VTK reported during the work, unabridged.
    """

    def __init__(self, message: str, vtk_messages: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.vtk_messages = tuple(vtk_messages)


class Cancelled(SegmentationCoreError):  # noqa: N818 - not an error of anybody
    """The work was given up on request; nothing was changed and nothing is half written."""


class Interrupted(Cancelled, KeyboardInterrupt):
    """`Cancelled` by Ctrl-C. Also a ``KeyboardInterrupt``, so that a loop in a script ends."""
