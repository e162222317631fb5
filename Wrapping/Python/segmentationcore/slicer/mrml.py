"""`SegmentationMirror`: a ``vtkMRMLSegmentationNode`` that follows a bridge.

The node gets the server's segments with their IDs, names, colours, visibility and order. Two
representations are filled, each on demand:

``Closed surface``
    the whole segment, possibly coarsened, in RAS like everything else in MRML;
``Binary labelmap``
    a chosen region (a slice, a box, or all), one image shared by all segments and told apart by
    the server's label values, its voxels having the server's indices.

The source representation, which Slicer saves and edits, is the one that is complete: the labelmap
when it covers the whole volume, otherwise the surfaces. The reference geometry is the volume's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import slicer
import vtk
from vtk.util import numpy_support

from ..bridge import protocol

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..bridge.client import BridgeClient, LabelRegion, Surface

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
        self._labels: LabelRegion | None = None
        self._values: dict[str, int] = {}

    @property
    def source_representation(self) -> str:
        """The representation that is complete."""
        complete = self._region is not None and (self._region.whole or not self._surfaces)
        return BINARY_LABELMAP if complete else CLOSED_SURFACE

    def fill(self) -> protocol.Description:
        """Empty the node and fill it with everything the server has."""
        self.node.GetSegmentation().RemoveAllSegments()
        self.description = self._labels = None
        self._values = {}
        return self.update()

    def update(self, changed: Iterable[str] | None = None) -> protocol.Description:
        """Bring the node up to date; transfers voxels and surfaces of ``changed`` segments only.

        Give what `BridgeClient.apply` or `BridgeClient.changes` reported; None means all. Segments
        that are new are fetched, those that are gone are removed, names, colours, visibility and
        order are compared for all. Everything is fetched before the node is touched, so a
        connection that breaks leaves the node as it was.
        """
        description = self.client.describe()
        if self.description is not None and self.description.volume != description.volume:
            self.node.GetSegmentation().RemoveAllSegments()
            self._labels, self._values, changed = None, {}, None
        rows = {row.id: row for row in description.segments}
        held = set(self.node.GetSegmentation().GetSegmentIDs())
        wanted = set(rows) if changed is None else set(changed)
        stale = [key for key in rows if key in wanted or key not in held]
        gone = sorted(held - rows.keys())

        meshes = (
            {key: self.client.surface(key, self._coarsening) for key in stale}
            if self._surfaces
            else {}
        )
        labels = self._fetch_labels(rows, stale, gone)

        modifying = self.node.StartModify()
        try:
            self._write(description, meshes, labels, gone)
        finally:
            self.node.EndModify(modifying)
        self.description = description
        self._labels = labels
        self._values = {row.id: row.label_value for row in description.segments}
        return description

    def _ask_region(self, segments: Sequence[str] | None) -> LabelRegion:
        region = self._region or Region()
        return self.client.region(
            region.extent, axis=region.axis, index=region.index, segments=segments
        )

    def _fetch_labels(
        self, rows: dict[str, protocol.Segment], stale: Sequence[str], gone: Sequence[str]
    ) -> LabelRegion | None:
        """The region with the stale segments' voxels renewed and all others kept."""
        if self._region is None:
            return None
        before = self._labels
        if before is None or set(stale) == rows.keys():
            return self._ask_region(None)
        if not stale and not gone:
            return before
        fresh = self._ask_region(stale)
        old = [self._values[key] for key in (*stale, *gone) if key in self._values]
        kept = np.where(np.isin(before.labels, old), 0, before.labels)
        merged = np.where(fresh.labels != 0, fresh.labels, kept)
        kind = np.promote_types(before.labels.dtype, fresh.labels.dtype)
        return type(fresh)(merged.astype(kind), fresh.volume, fresh.revision)

    def _write(
        self,
        description: protocol.Description,
        meshes: dict[str, Surface],
        labels: LabelRegion | None,
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
        image = None
        if labels is not None and labels is not self._labels:
            image = labelmap_image(labels)

        for row in description.segments:
            segment = segmentation.GetSegment(row.id)
            new = segment is None
            if new:
                segment = slicer.vtkSegment()
                if image is None and labels is not None:
                    image = labelmap_image(labels)
            _set_row(segment, row)
            if row.id in meshes:
                segment.AddRepresentation(CLOSED_SURFACE, surface_mesh(meshes[row.id]))
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


def labelmap_image(region: LabelRegion) -> Any:
    """A region as Slicer's ``vtkOrientedImageData``, in RAS, with the server's voxel indices."""
    image = slicer.vtkOrientedImageData()
    image.SetExtent(*region.volume.extent)
    image.SetImageToWorldMatrix(_matrix(region.volume.index_to_ras()))
    scalars = numpy_support.numpy_to_vtk(
        np.ascontiguousarray(region.labels).ravel(),
        deep=True,
        array_type=numpy_support.get_vtk_array_type(region.labels.dtype),
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
