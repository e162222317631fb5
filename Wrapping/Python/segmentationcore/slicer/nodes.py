"""Effects on Slicer's nodes: one segment after the other, all at once, with points of markups.

For the panel and for scripts. Nothing here knows Qt: who writes a segment (Slicer's Segment Editor,
with its masking and undo) is given as a function.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import slicer
import vtk
from numpy.typing import NDArray
from vtk.util import numpy_support

from . import panel

BINARY_LABELMAP: str = (
    slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()
)

Write = Callable[[str, Any], None]
"""Writes a label map (1 in the segment) to the segment of this identifier."""


def visible_segments(node: Any) -> list[str]:
    """Identifiers of the visible segments, in the order of the table."""
    display = node.GetDisplayNode()
    return [
        key
        for key in node.GetSegmentation().GetSegmentIDs()
        if display is None or display.GetSegmentVisibility(key)
    ]


def other_segments(node: Any, selected: str) -> list[tuple[str, str]]:
    """Identifiers and names of all segments but the selected one, in the order of the table."""
    segmentation = node.GetSegmentation()
    return [
        (key, segmentation.GetSegment(key).GetName())
        for key in segmentation.GetSegmentIDs()
        if key != selected
    ]


def segment_image(node: Any, key: str, lattice: Any) -> Any:
    """One segment on the voxels of an image."""
    if node.GetSegmentation().GetSegment(key) is None:
        raise ValueError(f"there is no segment {key!r} any more; choose another one")
    return oriented(labels_of(node, [key], lattice), lattice)


def markups_points(markups: Any, node: Any) -> list[list[float]]:
    """Control points of a markups node in the coordinates of a segmentation node.

    Points that are not placed yet are left out. None: no points.
    """
    points: list[list[float]] = []
    for index in range(0 if markups is None else markups.GetNumberOfControlPoints()):
        if markups.GetNthControlPointPositionStatus(index) != markups.PositionDefined:
            continue
        world, local = [0.0] * 3, [0.0] * 3
        markups.GetNthControlPointPositionWorld(index, world)
        node.TransformPointFromWorld(world, local)
        points.append(local)
    return points


def view_matrix(view: Any, node: Any) -> list[float]:
    """From the coordinates of a segmentation node to those of a view, row by row.

    The view is a slice node or a camera node; None is a view along the world's axes. The aspect of
    a camera's view is left out: it is no part of what lies in one line of sight.
    """
    seen, placed, result = vtk.vtkMatrix4x4(), vtk.vtkMatrix4x4(), vtk.vtkMatrix4x4()
    if view is not None and view.IsA("vtkMRMLSliceNode"):
        vtk.vtkMatrix4x4.Invert(view.GetSliceToRAS(), seen)
    elif view is not None:
        seen.DeepCopy(view.GetCamera().GetCompositeProjectionTransformMatrix(1.0, -1.0, 1.0))
    parent = node.GetParentTransformNode()
    if parent is not None and not parent.GetMatrixTransformToWorld(placed):
        raise ValueError(
            "the segmentation is under a transform that is not linear; harden it, and try again"
        )
    vtk.vtkMatrix4x4.Multiply4x4(seen, placed, result)
    return [result.GetElement(row, column) for row in range(4) for column in range(4)]


def labels_of(node: Any, segments: Sequence[str], lattice: Any) -> NDArray[Any]:
    """Labels on the voxels of an image: n where the n-th of these segments is.

    The axes are z, y, x; where segments overlap, the first one is on top.
    """
    extent = lattice.GetExtent()
    shape = [extent[2 * axis + 1] - extent[2 * axis] + 1 for axis in (2, 1, 0)]
    merged = np.zeros(shape, np.uint8 if len(segments) < 255 else np.uint16)
    for number, key in reversed(list(enumerate(segments, start=1))):
        segment = node.GetSegmentation().GetSegment(key)
        image = segment.GetRepresentation(BINARY_LABELMAP)
        if image is None or image.IsEmpty():
            continue
        # Only this segment's voxels: others may share the image.
        alone = slicer.vtkOrientedImageData()
        alone.ShallowCopy(image)
        _set_voxels(alone, (_voxels(image) == segment.GetLabelValue()).astype(np.uint8))
        onto = slicer.vtkOrientedImageData()
        tools = slicer.vtkOrientedImageDataResample
        resampled = tools.ResampleOrientedImageToReferenceOrientedImage(
            alone, lattice, onto, False, False
        )
        if not resampled or tuple(onto.GetExtent()) != tuple(extent):
            raise RuntimeError(f"Slicer could not resample the segment {key!r}")
        merged[_voxels(onto) != 0] = number
    return merged


def run_on_each(
    effect: panel.EffectPanel,
    values: dict[str, Any],
    *,
    node: Any,
    lattice: Any,
    volume: Any = None,
    write: Write,
) -> list[str]:
    """Apply an effect to each visible segment in the order of the table; returns which these were.

    Each sees what became of those before. The lattice is the editor's reference geometry.
    """
    segments = _some(visible_segments(node))
    for key in segments:
        image = segment_image(node, key, lattice)
        panel.run(effect, image, values, image, volume)
        write(key, image)
    return segments


def run_on_all(
    effect: panel.EffectPanel,
    values: dict[str, Any],
    *,
    node: Any,
    lattice: Any,
    volume: Any = None,
    growth: float | None = None,
    forbidden: Any = None,
    write: Write,
) -> list[str]:
    """Run an effect on all visible segments at once; returns which these were.

    ``growth`` is how much around them to look at, as a part of their box, None everything;
    ``forbidden`` an image that is not 0 where nothing may change: what grows along a volume does
    not go through there, and no other effect changes anything there.
    """
    segments = _some(visible_segments(node))
    labels = labels_of(node, segments, lattice)
    whole = tuple(lattice.GetExtent())
    extent = whole
    if growth is not None:
        places = [np.flatnonzero(labels.any(axis=others)) for others in ((0, 1), (0, 2), (1, 2))]
        if not places[0].size:
            return segments  # nothing grows from nothing
        inner = [
            int(end) + whole[2 * axis]
            for axis, found in enumerate(places)
            for end in (found[0], found[-1])
        ]
        extent = panel.grown_extent(tuple(inner), whole, growth)
    part = tuple(
        slice(extent[2 * a] - whole[2 * a], extent[2 * a + 1] - whole[2 * a] + 1) for a in (2, 1, 0)
    )
    crop = slicer.vtkOrientedImageData()
    crop.SetExtent(*extent)
    crop.SetImageToWorldMatrix(_matrix(lattice))
    beside = None
    blocked = np.zeros(labels[part].shape, bool)
    if forbidden is not None:
        panel.check_same_voxels(forbidden, lattice, "mask")
        blocked = _voxels(forbidden)[part] != 0
    if effect.volume:
        panel.check_same_voxels(volume, lattice, "source volume")
        values_beside = _voxels(volume)[part]
        if blocked.any():
            # Voxels without a number are walls.
            values_beside = np.where(blocked, np.nan, values_beside.astype(np.float64))
        beside = oriented(values_beside, crop)
    before = labels[part]
    result = panel.result_of(effect, oriented(before, crop), values, beside, crop)
    after = np.where(blocked, before, _voxels(result))
    for number, key in enumerate(segments, start=1):
        now = after == number
        if (now != (before == number)).any():
            write(key, oriented(now.astype(np.uint8), crop))
    return segments


def write_parts(node: Any, selected: str, result: Any, lattice: Any, write: Write) -> list[str]:
    """Add a segment for each label of a result but the lowest, and write it; returns which.

    They are named after the selected segment, with a number from 2, as in our editor.
    """
    name = node.GetSegmentation().GetSegment(selected).GetName()
    added = []
    for number, label in enumerate(panel.labels_in(result)[1:], start=2):
        key = node.GetSegmentation().AddEmptySegment(f"{selected}_{number}", f"{name}_{number}")
        image = slicer.vtkOrientedImageData()
        image.SetExtent(*lattice.GetExtent())
        image.SetImageToWorldMatrix(_matrix(lattice))
        panel.set_mask(image, result, label)
        write(key, image)
        added.append(key)
    return added


def edit_mask(node: Any, editor: Any, lattice: Any, volume: Any) -> Any:
    """Where the settings of a segment editor node allow no change, whichever segment is edited.

    None if they allow it everywhere.
    """
    by_intensity = bool(editor.GetSourceVolumeIntensityMask())
    if editor.GetMaskMode() == node.EditAllowedEverywhere and not by_intensity:
        return None
    mask = slicer.vtkOrientedImageData()
    made = node.GenerateEditMask(
        mask,
        editor.GetMaskMode(),
        lattice,
        "",
        editor.GetMaskSegmentID() or "",
        volume if by_intensity else None,
        editor.GetSourceVolumeIntensityMaskRange() if by_intensity else None,
    )
    if not made:
        raise RuntimeError("Slicer could not make the mask of the editable area")
    return mask


def fill_statistics(table_node: Any, table: NDArray[Any]) -> None:
    """Put measurements, as `BridgeClient.statistics` returns them, into a table node.

    A row for each segment; columns of several numbers become one column for each, with a number
    after the name. What was not measured is NaN.
    """
    filled = vtk.vtkTable()

    def add(name: str, values: NDArray[Any]) -> None:
        if values.dtype.kind == "O":
            column = vtk.vtkStringArray()
            for text in values.tolist():
                column.InsertNextValue(text)
        else:
            flat = np.ascontiguousarray(values)
            kind = numpy_support.get_vtk_array_type(flat.dtype)
            column = numpy_support.numpy_to_vtk(flat, deep=True, array_type=kind)
        column.SetName(name)
        filled.AddColumn(column)

    for name in table.dtype.names or ():
        values = table[name]
        if values.ndim == 1:
            add(name, values)
            continue
        for component in range(values.shape[1]):
            add(f"{name}_{component}", values[:, component])
    table_node.SetAndObserveTable(filled)


def oriented(voxels: NDArray[Any], lattice: Any) -> Any:
    """An array with the axes z, y, x as Slicer's image on the voxels of another one."""
    image = slicer.vtkOrientedImageData()
    image.SetExtent(*lattice.GetExtent())
    image.SetImageToWorldMatrix(_matrix(lattice))
    _set_voxels(image, voxels)
    return image


def _some(segments: list[str]) -> list[str]:
    if not segments:
        raise ValueError("no segment is visible; show those to work on")
    return segments


def _matrix(image: Any) -> Any:
    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy([number for row in panel.index_to_world(image) for number in row])
    return matrix


def _voxels(image: Any) -> NDArray[Any]:
    extent = image.GetExtent()
    shape = [extent[2 * axis + 1] - extent[2 * axis] + 1 for axis in (2, 1, 0)]
    scalars = numpy_support.vtk_to_numpy(image.GetPointData().GetScalars())
    voxels: NDArray[Any] = scalars.reshape(shape)
    return voxels


def _set_voxels(image: Any, voxels: NDArray[Any]) -> None:
    flat = np.ascontiguousarray(voxels).ravel()
    kind = numpy_support.get_vtk_array_type(flat.dtype)
    scalars = numpy_support.numpy_to_vtk(flat, deep=True, array_type=kind)
    scalars.SetName("labels")
    image.GetPointData().SetScalars(scalars)
