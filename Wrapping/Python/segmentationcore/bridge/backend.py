"""What a bridge serves: the interface between the server and whoever holds the segmentation.

A backend lives on one thread. `BridgeServer` calls it only from the thread that runs
`BridgeServer.serve_forever`, one call at a time, so a backend needs no locks and may be something
that tolerates no other thread, as ParaView's client does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypedDict

from numpy.typing import NDArray


class BackendError(Exception):
    """A request that the backend understood and cannot fulfil; the text goes to the client.

    Any other exception counts as a defect: the client learns that much and the server logs it.
    """


class Cancelled(Exception):  # noqa: N818 - what the client asked for, not an error
    """Raised by a backend that stopped because `ProgressReporter.cancelled` was set."""


class ProgressReporter(Protocol):
    """What a backend reports to while it works."""

    @property
    def cancelled(self) -> bool:
        """Whether the client gave the request up.

        A backend that can stop should then leave everything as it was and raise `Cancelled`; one
        that cannot may finish.
        """

    def __call__(self, fraction: float, text: str = "") -> None:
        """Report ``fraction`` done, from 0 to 1, doing ``text``. Cheap; call it often."""


class VolumeDescription(TypedDict):
    """Lattice of the volume, in RAS millimetres; directions row by row, columns are axes."""

    extent: Sequence[int]
    origin: Sequence[float]
    spacing: Sequence[float]
    directions: Sequence[float]


class SegmentDescription(TypedDict):
    """One row of the segment table: the segment is the voxels of its layer with its label value.

    Segments of one layer cannot overlap, those of different layers can.
    """

    id: str
    name: str
    color: Sequence[float]
    layer: int
    label_value: int
    visible: bool
    voxel_count: int


class BackendDescription(TypedDict):
    """Everything but voxels. The revision grows with every change.

    ``undoable`` and ``redoable`` count the operations that `Backend.undo` and `Backend.redo` have.
    """

    volume: VolumeDescription
    ranks: int
    revision: int
    undoable: int
    redoable: int
    segments: Sequence[SegmentDescription]


class ApplyResult(TypedDict):
    """What an edit did: segments whose voxels or table row differ now, and the new revision.

    Segments that are gone are among them. The extent holds all voxels that differ, of any segment;
    None means that no voxel does.
    """

    changed: Sequence[str]
    extent: Sequence[int] | None
    revision: int


class Backend(Protocol):
    """Holds a segmentation. Every method runs on one thread and may raise `BackendError`."""

    def describe(self) -> BackendDescription:
        """The volume and the segments in display order."""

    def apply(self, operation: dict[str, Any], progress: ProgressReporter) -> ApplyResult:
        """Do one edit. On failure everything is as it was before."""

    def undo(self, progress: ProgressReporter) -> ApplyResult:
        """Take the last operation back."""

    def redo(self, progress: ProgressReporter) -> ApplyResult:
        """Do again what was undone last. A new operation leaves nothing to redo."""

    def region(self, extent: Sequence[int], layer: int) -> tuple[NDArray[Any], Sequence[int]]:
        """Labels of one layer in an extent inside the volume, and the extent delivered.

        The axes are (k, j, i). Asked for layers that segments are in, and for layer 0.
        """

    def surface(self, segment_id: str, coarsening: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """Closed surface of a segment: points n x 3 in RAS mm, triangles m x 3.

        An empty segment has an empty surface. ``coarsening`` n looks at every n-th voxel only.
        """

    def statistics(
        self, parameters: dict[str, Any], intensities: bool, progress: ProgressReporter
    ) -> NDArray[Any]:
        """Measurements of all segments: what `segmentationcore.Editor.statistics` gives.

        A structured array with a row for each segment in display order; positions are RAS.
        ``parameters`` have the names of the declaration or of the function; ``intensities`` asks
        to measure the volume in the segments, too.
        """
