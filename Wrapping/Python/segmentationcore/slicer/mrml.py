"""`SegmentationMirror`: a ``vtkMRMLSegmentationNode`` that follows a bridge.

The node gets the server's segments with their IDs, names, colours, visibility and order. Two
representations are filled, each on demand:

``Closed surface``
    the whole segment, possibly coarsened, in RAS like everything else in MRML;
``Binary labelmap``
    a chosen region (a slice, a box, or all), its voxels having the server's indices. Segments that
    cannot overlap share one image and are told apart by the server's label values; for segments
    that can there is an image for each of the server's layers.

The source representation, which Slicer saves and edits, is the one that is complete: the labelmap
when it covers the whole volume, otherwise the surfaces. The reference geometry is the volume's.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Union

import numpy as np
import slicer
import vtk
from vtk.util import numpy_support

from ..bridge import protocol

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..bridge.client import BridgeClient, LabelRegion, Surface

News = Union[protocol.Applied, protocol.Changed]
"""What tells of a change: what the client's methods return."""

_ATTEMPTS = 10

BINARY_LABELMAP: str = (
    slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()
)
CLOSED_SURFACE: str = (
    slicer.vtkSegmentationConverter.GetSegmentationClosedSurfaceRepresentationName()
)


@dataclass(frozen=True)
class Region:
    """Which voxels the labelmap holds: an extent, or slice ``index`` across ``axis``, or all."""

    extent: tuple[int, ...] | None = None
    axis: str | None = None
    index: int | None = None

    @property
    def whole(self) -> bool:
        """Whether that is the whole volume."""
        return self.extent is None and self.axis is None

    def resolve(self, volume: protocol.Volume) -> tuple[int, ...]:
        """The extent that is meant."""
        request = protocol.RegionRequest(1, None, self.extent, self.axis, self.index)
        return request.resolve(volume)


class _MovedMeanwhile(Exception):  # noqa: N818 - not an error, but a reason to begin again
    """A segment is in another place than the description says: somebody edited in between."""


class SegmentationMirror:
    """Fills ``node`` from ``client`` and follows edits. Call it on the thread that owns MRML.

    ``surfaces`` and ``labels`` choose the representations; at least one is needed. ``coarsening``
    is the one of the surfaces (1: every voxel).
    """

    def __init__(
        self,
        client: BridgeClient,
        node: Any,
        *,
        surfaces: bool = True,
        coarsening: int = 1,
        labels: Region | None = None,
    ) -> None:
        if not surfaces and labels is None:
            raise ValueError("neither surfaces nor labels: a segment needs a representation")
        if node.GetScene() is None:
            raise ValueError("the segmentation node is not in a scene")
        self.client = client
        self.node = node
        self.description: protocol.Description | None = None
        self._surfaces = surfaces
        self._coarsening = coarsening
        self._region = labels
        # What the node shows: the rows of the server's table, and of each layer its labels in the
        # region, with axes (k, j, i), and the image that they became.
        self._rows: dict[str, protocol.Segment] = {}
        self._layers: dict[int, NDArray[Any]] = {}
        self._images: dict[int, Any] = {}

    @property
    def source_representation(self) -> str:
        """The representation that is complete."""
        complete = self._region is not None and (self._region.whole or not self._surfaces)
        return BINARY_LABELMAP if complete else CLOSED_SURFACE

    def fill(self) -> protocol.Description:
        """Empty the node and fill it with everything the server has."""
        self._forget()
        return self.update()

    def update(self, news: News | None = None) -> protocol.Description:
        """Bring the node up to date with ``news``; None means that anything may have changed.

        Give what `BridgeClient.apply`, ``undo``, ``redo`` or ``changes`` returned. Only surfaces of
        segments that changed are transferred, and labels of these only where voxels changed inside
        of the region. Segments that are new are fetched, those that are gone are removed, names,
        colours, visibility and order are compared for all. Everything is fetched before the node
        is touched, so a connection that breaks leaves the node as it was.
        """
        for _ in range(_ATTEMPTS):
            description = self.client.describe()
            if self.description is not None and self.description.volume != description.volume:
                self._forget()
                news = None
            try:
                return self._follow(description, news)
            except _MovedMeanwhile:
                continue
        raise RuntimeError("the segmentation is edited faster than it can be fetched")

    def _forget(self) -> None:
        self.node.GetSegmentation().RemoveAllSegments()
        self.description = None
        self._rows, self._layers, self._images = {}, {}, {}

    def _follow(self, description: protocol.Description, news: News | None) -> protocol.Description:
        rows = {row.id: row for row in description.segments}
        held = set(self.node.GetSegmentation().GetSegmentIDs())
        wanted: Collection[str] = rows
        if news is not None:
            wanted = () if news.extent is None else set(news.changed)
        stale = [key for key in rows if key in wanted or key not in held]
        gone = sorted(held - rows.keys())

        meshes = (
            {key: self.client.surface(key, self._coarsening) for key in stale}
            if self._surfaces
            else {}
        )
        layers = self._fetch_layers(description, None if news is None else news.extent, stale)

        modifying = self.node.StartModify()
        try:
            self._write(description, meshes, layers, gone)
        finally:
            self.node.EndModify(modifying)
        self.description = description
        self._rows = rows
        self._layers = layers
        return description

    def _fetch_layers(
        self,
        description: protocol.Description,
        changed: tuple[int, ...] | None,
        stale: Sequence[str],
    ) -> dict[int, NDArray[Any]]:
        """All layers of the region; arrays that are those held before have not changed.

        ``changed`` holds all voxels that differ in segments that are where they were.
        """
        if self._region is None:
            return {}
        rows = {row.id: row for row in description.segments}
        whole = self._region.resolve(description.volume)
        before = self._rows if self._layers else {}
        # In another layer, or with another label value, nothing of what is held is of use.
        moved = {
            key for key in (*rows, *before) if _place(rows.get(key)) != _place(before.get(key))
        }
        box = whole if changed is None else protocol.intersection(whole, changed)
        partly = [key for key in stale if key not in moved] if box is not None else []
        fresh = [
            self._fetch(segments, extent, rows)
            for segments, extent in (
                ([key for key in rows if key in moved and rows[key].voxel_count], whole),
                (partly, box),
            )
            if segments and extent is not None
        ]

        used = sorted({row.layer for row in rows.values()})
        shape = [whole[2 * a + 1] - whole[2 * a] + 1 for a in (2, 1, 0)]
        layers = {n: self._layers.get(n, np.zeros(shape, np.uint8)) for n in used}

        def writable(n: int, kind: Any) -> NDArray[Any]:
            wide = np.promote_types(layers[n].dtype, kind)
            if layers[n] is self._layers.get(n) or layers[n].dtype != wide:
                layers[n] = layers[n].astype(wide)
            return layers[n]

        for keys, extent in ((sorted(moved), whole), (partly, box)):
            for key in keys:
                row = before.get(key)
                if row is not None and row.layer in layers and extent is not None:
                    target = writable(row.layer, np.uint8)[_within(whole, extent)]
                    target[target == row.label_value] = 0
        for region in fresh:
            for labels, layer in zip(region.labels, region.layers):
                target = writable(layer.layer, labels.dtype)[_within(whole, region.volume.extent)]
                np.copyto(target, labels, where=labels != 0)
        return layers

    def _fetch(
        self, segments: list[str], extent: tuple[int, ...], rows: dict[str, protocol.Segment]
    ) -> LabelRegion:
        region = self.client.region(extent, segments=segments)
        for layer in region.layers:
            for key, value in zip(layer.segments, layer.label_values):
                if (layer.layer, value) != _place(rows[key]):
                    raise _MovedMeanwhile
        return region

    def _write(
        self,
        description: protocol.Description,
        meshes: dict[str, Surface],
        layers: dict[int, NDArray[Any]],
        gone: Sequence[str],
    ) -> None:
        segmentation = self.node.GetSegmentation()
        self.node.CreateDefaultDisplayNodes()
        display = self.node.GetDisplayNode()
        for key in gone:
            segmentation.RemoveSegment(key)
        if segmentation.GetNumberOfSegments() == 0:
            # Changing the source of a segmentation that has segments would convert or drop them.
            segmentation.SetSourceRepresentationName(self.source_representation)
        _set_reference_geometry(segmentation, description.volume)
        if self._region is not None:
            lattice = replace(description.volume, extent=self._region.resolve(description.volume))
            self._images = {
                n: self._images[n]
                if n in self._images and self._layers.get(n) is labels
                else labelmap_image(labels, lattice)
                for n, labels in layers.items()
            }

        for row in description.segments:
            segment = segmentation.GetSegment(row.id)
            new = segment is None
            if new:
                segment = slicer.vtkSegment()
            _set_row(segment, row)
            if row.id in meshes:
                segment.AddRepresentation(CLOSED_SURFACE, surface_mesh(meshes[row.id]))
            image = self._images.get(row.layer)
            if image is segment.GetRepresentation(BINARY_LABELMAP):
                image = None  # nothing in its layer has changed, or there are no labels
            if image is not None:
                segment.AddRepresentation(BINARY_LABELMAP, image)
            if new and not segmentation.AddSegment(segment, row.id):
                raise RuntimeError(f"Slicer did not accept segment {row.id!r} ({row.name})")
            if bool(display.GetSegmentVisibility(row.id)) != row.visible:
                display.SetSegmentVisibility(row.id, row.visible)
            if not new and (row.id in meshes or image is not None):
                segmentation.InvokeEvent(slicer.vtkSegmentation.RepresentationModified, row.id)

        order = [row.id for row in description.segments]
        if list(segmentation.GetSegmentIDs()) != order:
            segmentation.ReorderSegments(order)


def _set_row(segment: Any, row: protocol.Segment) -> None:
    """Name, colour and label value; touched only where they differ, to keep events few."""
    if segment.GetName() != row.name:
        segment.SetName(row.name)
    if tuple(segment.GetColor()) != tuple(row.color):
        segment.SetColor(*row.color)
    if segment.GetLabelValue() != row.label_value:
        segment.SetLabelValue(row.label_value)


def _matrix(values: NDArray[np.float64]) -> Any:
    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy(values.ravel().tolist())
    return matrix


def _set_reference_geometry(segmentation: Any, volume: protocol.Volume) -> None:
    converter = slicer.vtkSegmentationConverter
    text = converter.SerializeImageGeometry(_matrix(volume.index_to_ras()), list(volume.extent))
    name = converter.GetReferenceImageGeometryParameterName()
    if segmentation.GetConversionParameter(name) != text:
        segmentation.SetConversionParameter(name, text)


def _place(row: protocol.Segment | None) -> tuple[int, int] | None:
    return None if row is None else (row.layer, row.label_value)


def _within(whole: Sequence[int], extent: Sequence[int]) -> tuple[slice, ...]:
    """Where an extent is in an array with axes (k, j, i) that holds ``whole``."""
    return tuple(
        slice(extent[2 * a] - whole[2 * a], extent[2 * a + 1] - whole[2 * a] + 1) for a in (2, 1, 0)
    )


def labelmap_image(labels: NDArray[Any], lattice: protocol.Volume) -> Any:
    """One layer as Slicer's ``vtkOrientedImageData``, in RAS, with the server's voxel indices."""
    image = slicer.vtkOrientedImageData()
    image.SetExtent(*lattice.extent)
    image.SetImageToWorldMatrix(_matrix(lattice.index_to_ras()))
    scalars = numpy_support.numpy_to_vtk(
        np.ascontiguousarray(labels).ravel(),
        deep=True,
        array_type=numpy_support.get_vtk_array_type(labels.dtype),
    )
    scalars.SetName("labels")
    image.GetPointData().SetScalars(scalars)
    return image


def surface_mesh(surface: Surface) -> Any:
    """A surface as ``vtkPolyData`` with point normals, which smooth shading needs."""
    points = vtk.vtkPoints()
    points.SetData(
        numpy_support.numpy_to_vtk(np.ascontiguousarray(surface.points, np.float32), deep=True)
    )
    cells = vtk.vtkCellArray()
    cells.SetData(
        3, numpy_support.numpy_to_vtk(np.ascontiguousarray(surface.triangles.ravel()), deep=True)
    )
    mesh = vtk.vtkPolyData()
    mesh.SetPoints(points)
    mesh.SetPolys(cells)
    if not surface.triangles.size:
        return mesh
    normals = vtk.vtkPolyDataNormals()
    normals.SetInputData(mesh)
    normals.ConsistencyOff()
    normals.SplittingOff()
    normals.Update()
    return normals.GetOutput()
