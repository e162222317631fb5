"""The backend on a ParaView client: the segmentation is distributed over the ranks of a server.

Needs ParaView's Python (``pvpython``) and a server with our plugin loaded. Everything here runs on
one thread, which is the main one, because a ParaView client tolerates no other.

The editor proxy owns the segmentation. Its ``Operations`` property is the journal: a JSON array of
all operations so far, of which the server runs what it has not run yet, and undoes what is not in
it any more. What was undone is kept here, to be done again. Voxels come to the client only when
asked for, a region or a surface at a time, gathered on rank 0 by filters of ours; ParaView's own
fetch would return one rank's piece.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from paraview import servermanager, simple
from vtkmodules.util import numpy_support

from .._queries import check_statistics, layers_of, rows_of_layers, structured
from ..operations import validate_operation
from ..segments import Segment
from .backend import (
    ApplyResult,
    BackendDescription,
    BackendError,
    ProgressReporter,
    SegmentDescription,
)
from .protocol import LABEL_TYPES

vtk_to_numpy: Any = numpy_support.vtk_to_numpy  # has no types

_REQUIRED = (
    "LabelMapEditor",
    "LabelMapRegionCollector",
    "LabelMapSegmentStatistics",
    "LabelMapSurface",
)


def require_plugin() -> None:
    """Raise `BackendError` unless our proxies are there, on the server that is connected."""
    missing = [name for name in _REQUIRED if not hasattr(simple, name)]
    if missing:
        raise BackendError(
            f"ParaView does not know {', '.join(missing)}; load the SegmentationCore plugin on the "
            "server and on the client first (--plugin)"
        )


class ParaViewBackend:
    """Serves the segmentation of ``editor``, a ``LabelMapEditor`` proxy."""

    def __init__(self, editor: Any) -> None:
        require_plugin()
        self.editor = editor
        self._collector = simple.LabelMapRegionCollector(Input=editor)
        self._mesher = simple.LabelMapSurface(Input=editor)
        self._mesher.GatherToRoot = 1
        self._undone: list[dict[str, Any]] = []
        self._revision = 0
        self._description: BackendDescription | None = None
        _update(self.editor)
        error = last_error(self.editor)
        if error:
            raise BackendError(error)

    @classmethod
    def open(cls, volume: Any, operations: Sequence[dict[str, Any]] = ()) -> ParaViewBackend:
        """Segment a volume (a source proxy), beginning with ``operations``."""
        require_plugin()
        editor = simple.LabelMapEditor(Input=volume)
        editor.Operations = json.dumps(list(operations))
        return cls(editor)

    # -- Backend -------------------------------------------------------------------------------

    def describe(self) -> BackendDescription:
        """See `Backend.describe`. Asks the server once per revision."""
        if self._description is None:
            self._description = self._ask_description()
        return self._description

    def apply(self, operation: dict[str, Any], progress: ProgressReporter) -> ApplyResult:
        """See `Backend.apply`. Cannot be cancelled half way: the ranks finish what they began."""
        try:
            checked = validate_operation(operation)
        except (TypeError, ValueError) as error:
            raise BackendError(str(error)) from error
        journal = self._journal()
        return self._run(journal, [*journal, checked], [], progress)

    def undo(self, progress: ProgressReporter) -> ApplyResult:
        """See `Backend.undo`. Also takes back what the journal began with."""
        journal = self._journal()
        if not journal:
            raise BackendError("there is nothing to undo")
        return self._run(journal, journal[:-1], [*self._undone, journal[-1]], progress)

    def redo(self, progress: ProgressReporter) -> ApplyResult:
        """See `Backend.redo`."""
        if not self._undone:
            raise BackendError("there is nothing to redo")
        journal = self._journal()
        return self._run(journal, [*journal, self._undone[-1]], self._undone[:-1], progress)

    def region(self, extent: Sequence[int], layer: int) -> tuple[NDArray[Any], Sequence[int]]:
        """See `Backend.region`."""
        image = self._fetch_image(extent, layer)
        scalars = image.GetPointData().GetScalars()
        if scalars is None:
            raise RuntimeError("the label map came without scalars")
        ni, nj, nk = image.GetDimensions()
        # A copy: the fetched image and its memory go away.
        labels = _as_label_type(vtk_to_numpy(scalars).reshape(nk, nj, ni).copy())
        return labels, list(image.GetExtent())

    def surface(self, segment_id: str, coarsening: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """See `Backend.surface`."""
        row = next((r for r in self.describe()["segments"] if r["id"] == segment_id), None)
        if row is None:
            raise BackendError(f"no segment has the ID {segment_id!r}")
        self._mesher.Array = ["POINTS", _layer_array(row["layer"])]
        self._mesher.SegmentLabel = row["label_value"]
        self._mesher.Coarsening = coarsening
        _update(self._mesher)
        error = last_error(self._mesher)
        if error:
            raise BackendError(error)
        mesh = servermanager.Fetch(self._mesher, 0)
        if mesh is None or not mesh.IsA("vtkPolyData"):
            raise RuntimeError("the surface did not arrive as poly data")
        if mesh.GetNumberOfPoints() == 0:
            if row["voxel_count"] and coarsening == 1:
                raise RuntimeError(
                    f"segment {segment_id!r} has {row['voxel_count']} voxels and no surface"
                )
            return np.empty((0, 3), np.float32), np.empty((0, 3), np.int32)
        points = vtk_to_numpy(mesh.GetPoints().GetData()).copy()
        cells = mesh.GetPolys()
        offsets = vtk_to_numpy(cells.GetOffsetsArray())
        if not (np.diff(offsets) == 3).all():
            raise RuntimeError("the surface has cells that are not triangles")
        return points, vtk_to_numpy(cells.GetConnectivityArray()).reshape(-1, 3).copy()

    def statistics(
        self, parameters: dict[str, Any], intensities: bool, progress: ProgressReporter
    ) -> NDArray[Any]:
        """See `Backend.statistics`. The ranks measure their parts; the table alone comes here."""
        try:
            checked = check_statistics(parameters, "statistics")
        except (TypeError, ValueError) as error:
            raise BackendError(str(error)) from error
        segments = [
            Segment(row["id"], row["label_value"], name=row["name"], layer=row["layer"])
            for row in self.describe()["segments"]
        ]
        proxy = simple.LabelMapSegmentStatistics(Input=self.editor)
        try:
            for name, value in checked.items():
                proxy.SetPropertyWithName(name, value)
            if intensities:
                proxy.Volume = self.editor.Input
                proxy.VolumeArray = ["POINTS", str(self.editor.Array.GetArrayName())]
            tables = {}
            with self._relay(progress):
                for layer in layers_of(segments):
                    proxy.Array = ["POINTS", layer]
                    _update(proxy)
                    failure = last_error(proxy)
                    if failure:
                        raise BackendError(failure)
                    table = servermanager.Fetch(proxy, 0)
                    if table is None or not table.IsA("vtkTable"):
                        raise RuntimeError("the statistics did not arrive as a table")
                    tables[layer] = structured(table)
        finally:
            simple.Delete(proxy)
        return rows_of_layers(segments, tables)

    # -- the proxies ---------------------------------------------------------------------------

    def refresh(self) -> None:
        """Forget what is known of the segmentation, after somebody else changed the editor."""
        self._undone = []
        self._description = None
        self._revision += 1

    def _run(
        self,
        before: Sequence[dict[str, Any]],
        after: Sequence[dict[str, Any]],
        undone: list[dict[str, Any]],
        progress: ProgressReporter,
    ) -> ApplyResult:
        """Give the editor another journal; on failure it has the one before again."""
        rows = {row["id"]: row for row in self.describe()["segments"]}
        with self._relay(progress):
            self._assign(after)
        error = last_error(self.editor)
        if error:
            self._assign(before)
            again = last_error(self.editor)
            if again:
                raise RuntimeError(
                    f"the journal could not be restored after a failure ({error}): {again}"
                )
            raise BackendError(error)
        changed, extent = _last_change(self.editor)
        self.refresh()
        self._undone = undone
        # Rows tell of names and colours, and of segments that are gone.
        found = {row["id"]: row for row in self.describe()["segments"]}
        changed |= {key for key in found if rows.get(key) != found[key]} | (rows.keys() - found)
        return {"changed": sorted(changed), "extent": extent, "revision": self._revision}

    def _journal(self) -> list[dict[str, Any]]:
        text = str(self.editor.GetPropertyValue("Operations") or "[]")
        journal = json.loads(text)
        if not isinstance(journal, list):
            raise RuntimeError(f"the editor's journal is not a list: {text[:80]}")
        return journal

    def _assign(self, journal: Sequence[dict[str, Any]]) -> None:
        self.editor.Operations = json.dumps(list(journal))
        _update(self.editor)

    @contextlib.contextmanager
    def _relay(self, progress: ProgressReporter) -> Iterator[None]:
        """Pass ParaView's progress events on while a block runs."""
        handler = servermanager.ActiveConnection.Session.GetProgressHandler()

        def report(caller: Any, _event: str) -> None:
            progress(caller.GetLastProgress() / 100.0, caller.GetLastProgressText() or "")

        tag = handler.AddObserver("ProgressEvent", report)
        try:
            yield
        finally:
            handler.RemoveObserver(tag)

    def _fetch_image(self, extent: Sequence[int], layer: int) -> Any:
        self._collector.Array = ["POINTS", _layer_array(layer)]
        self._collector.Extent = list(extent)
        _update(self._collector)
        error = last_error(self._collector)
        if error:
            raise BackendError(error)
        image = servermanager.Fetch(self._collector, 0)
        if image is None or not image.IsA("vtkImageData"):
            raise RuntimeError("the region did not arrive as an image")
        if list(image.GetExtent()) != list(extent):
            raise RuntimeError(
                f"the region arrived with extent {list(image.GetExtent())} instead of "
                f"{list(extent)}"
            )
        return image

    def _ask_description(self) -> BackendDescription:
        """The lattice and the table ride along with a region of a single voxel."""
        extent = [int(x) for x in self.editor.GetDataInformation().GetExtent()]
        if any(extent[2 * axis] > extent[2 * axis + 1] for axis in range(3)):
            raise BackendError("the volume is empty: it was not read, or not yet")
        image = self._fetch_image([extent[2 * (i // 2)] for i in range(6)], 0)
        # ParaView 5.11 rounds or drops the image's own lattice on the way; the collector sends it.
        numbers = image.GetFieldData().GetArray("Lattice")
        if numbers is None or numbers.GetNumberOfComponents() != 15:
            raise RuntimeError("the region arrived without its Lattice field array")
        lattice = [float(numbers.GetComponent(0, i)) for i in range(15)]
        return {
            "volume": {
                "extent": extent,
                "origin": lattice[0:3],
                "spacing": lattice[3:6],
                "directions": lattice[6:15],
            },
            "ranks": int(servermanager.ActiveConnection.GetNumberOfDataPartitions()),
            "revision": self._revision,
            "undoable": len(self._journal()),
            "redoable": len(self._undone),
            "segments": _segment_table(image.GetFieldData()),
        }


def _update(proxy: Any) -> None:
    """Run a proxy, and learn its information properties."""
    proxy.UpdatePipeline()
    proxy.UpdatePropertyInformation()


def last_error(proxy: Any) -> str:
    """What went wrong on the ranks, or nothing; after ``UpdatePropertyInformation``."""
    return _information(proxy, "LastError")


def _information(proxy: Any, name: str) -> str:
    # Writers hide their information properties from ParaView's Python layer.
    found = proxy.SMProxy.GetProperty(name)
    if found is None:
        raise RuntimeError(
            f"{proxy.GetXMLName()} has no property {name}; is the plugin another version?"
        )
    return str(found.GetElement(0))


def _last_change(editor: Any) -> tuple[set[str], list[int] | None]:
    """Segments whose voxels the editor's last run changed, and the extent of all such voxels."""
    change = json.loads(_information(editor, "LastChange"))
    extent = [int(x) for x in change["extent"]]
    empty = any(extent[2 * axis] > extent[2 * axis + 1] for axis in range(3))
    return set(change["segments"]), None if empty else extent


def _layer_array(layer: int) -> str:
    """The point array that holds a layer; see ``vtkLabelSegmentTable``."""
    return f"Labels_{layer}" if layer else "Labels"


def _segment_table(fields: Any) -> list[SegmentDescription]:
    """The rows of the table in the label map's field data; see ``vtkLabelSegmentTable``."""
    ids = fields.GetAbstractArray("SegmentID")
    if ids is None:
        return []  # a label map without a table has no segments yet
    rows = ids.GetNumberOfTuples()

    def column(name: str) -> Any:
        array = fields.GetAbstractArray(name)
        if array is not None and array.GetNumberOfTuples() != rows:
            raise RuntimeError(
                f"field array {name} has {array.GetNumberOfTuples()} rows; the segment table has "
                f"{rows}"
            )
        return array

    names, colors, visible = (
        column(name) for name in ("SegmentName", "SegmentColor", "SegmentVisible")
    )
    values, counts = column("SegmentLabelValue"), column("SegmentVoxelCount")
    layers = column("SegmentLayer")
    if values is None or counts is None:
        raise RuntimeError("the segment table has no label values or no voxel counts")
    table: list[SegmentDescription] = []
    for row in range(rows):
        count = int(counts.GetValue(row))
        if count < 0:
            raise RuntimeError(f"the editor did not count the voxels of {ids.GetValue(row)!r}")
        table.append(
            {
                "id": ids.GetValue(row),
                "name": ids.GetValue(row) if names is None else names.GetValue(row),
                "color": [0.5] * 3 if colors is None else [float(x) for x in colors.GetTuple3(row)],
                "layer": 0 if layers is None else int(layers.GetValue(row)),
                "label_value": int(values.GetValue(row)),
                "visible": visible is None or bool(visible.GetValue(row)),
                "voxel_count": count,
            }
        )
    return table


def _as_label_type(labels: NDArray[Any]) -> NDArray[Any]:
    """Labels in a type that the wire and Slicer have; 64-bit ones hold small values."""
    if labels.dtype.name in LABEL_TYPES:
        return labels
    # Unsigned ones only, so that the types of several layers have a common one.
    for name in ("uint8", "uint16", "uint32"):
        limits = np.iinfo(name)
        if limits.min <= labels.min() and labels.max() <= limits.max:
            return labels.astype(name)
    raise RuntimeError(
        f"labels of type {labels.dtype.name} from {labels.min()} to {labels.max()} fit no label "
        "type of 32 bits"
    )
