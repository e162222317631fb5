"""The segments of a label map: the table that travels in the image's field data.

A label map is a ``vtkImageData`` with one integer point array per layer. Which segments there are
is told by arrays of its field data, one value per segment in display order (the C++ class is
``vtkLabelSegmentTable``). This file reads and writes those arrays as plain Python objects; it
needs VTK, and no compiled module of ours.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from vtkmodules.vtkCommonDataModel import vtkImageData

__all__ = ["Segment", "read_segments", "write_segments"]

STATUSES = ("not started", "in progress", "completed", "flagged")


@dataclasses.dataclass(frozen=True)
class Segment:
    """One row of the segment table.

    Attributes
    ----------
    id : str
        Identifier: unique, not empty; operations address the segment by it.
    label_value : int
        Value of the segment's voxels in its layer, from 1.
    name : str
        What people see; the identifier if empty.
    color : tuple of 3 floats
        Red, green, blue from 0 to 1.
    layer : int
        0 is the array ``Labels``, n the array ``Labels_n``.
    visible : bool
        Whether views should show it.
    status : int
        0 not started, 1 in progress, 2 completed, 3 flagged.
    voxel_count : int
        Number of voxels in the whole image; -1 if unknown.
    tags : mapping of str to str
        Free text by name, as in Slicer.
    name_auto_generated, color_auto_generated : bool
        True while no person chose the name or colour.

    Examples
    --------
    >>> from segmentationcore import Segment
    >>> Segment("bone", 1, color=(1.0, 0.9, 0.8)).name
    'bone'
    """

    id: str
    label_value: int
    name: str = ""
    color: tuple[float, float, float] = (0.5, 0.5, 0.5)
    layer: int = 0
    visible: bool = True
    status: int = 0
    voxel_count: int = -1
    tags: Mapping[str, str] = dataclasses.field(default_factory=lambda: MappingProxyType({}))
    name_auto_generated: bool = False
    color_auto_generated: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.id, str) or not isinstance(self.name, str):
            raise TypeError(f"segment id {self.id!r} and name {self.name!r} must be texts")
        if not self.id:
            raise ValueError("a segment's id is empty; expected a text")
        if not 1 <= self.label_value < 2**63:
            raise ValueError(
                f"segment {self.id!r}: label_value is {self.label_value!r}; expected 1 or more"
            )
        if self.layer < 0:
            raise ValueError(f"segment {self.id!r}: layer is {self.layer!r}; expected 0 or more")
        if len(self.color) != 3 or not all(0.0 <= part <= 1.0 for part in self.color):
            raise ValueError(
                f"segment {self.id!r}: color is {self.color!r}; expected three numbers from 0 to 1"
            )
        if not self.name:
            object.__setattr__(self, "name", self.id)

    @property
    def array_name(self) -> str:
        """Name of the point array that holds the segment's voxels."""
        return f"Labels_{self.layer}" if self.layer else "Labels"


def parse_tags(line: str) -> dict[str, str]:
    """``name:value|name:value|`` -> tags; %XX stands for a byte, as the table writes it."""
    tags = {}
    for piece in line.split("|"):
        if piece:
            name, _, value = piece.partition(":")
            tags[unquote(name)] = unquote(value)
    return tags


def format_tags(tags: Mapping[str, str]) -> str:
    """The opposite of `parse_tags`."""

    def escaped(text: str, special: str) -> str:
        return re.sub(f"[{special}\x00-\x1f\x7f]", lambda found: quote(found[0], safe=""), text)

    return "".join(
        f"{escaped(name, '|%:')}:{escaped(value, '|%')}|" for name, value in tags.items()
    )


def _field(image: Any) -> Any:
    if not hasattr(image, "GetFieldData"):
        raise TypeError(f"image is {type(image).__name__}; expected vtkImageData")
    return image.GetFieldData()


def read_segments(image: vtkImageData) -> tuple[Segment, ...]:
    """The segments of a label map in display order; none if it has no table.

    Parameters
    ----------
    image : vtkImageData
        Label map with a segment table in its field data.

    Returns
    -------
    tuple of Segment

    Raises
    ------
    ValueError
        The table is broken; the text names the array.

    Examples
    --------
    >>> import numpy as np
    >>> from segmentationcore import Segment, read_segments, to_image, write_segments
    >>> image = to_image(np.zeros((2, 2, 2), np.uint8), name="Labels")
    >>> write_segments(image, [Segment("bone", 1), Segment("skin", 2, name="Skin")])
    >>> [segment.name for segment in read_segments(image)]
    ['bone', 'Skin']
    """
    field = _field(image)
    ids = field.GetAbstractArray("SegmentID")
    if ids is None:
        return ()
    count = ids.GetNumberOfValues()

    def column(name: str, components: int = 1) -> Any:
        found = field.GetAbstractArray(name)
        if found is not None and (
            found.GetNumberOfTuples() != count or found.GetNumberOfComponents() != components
        ):
            raise ValueError(
                f"segment table: array {name!r} has {found.GetNumberOfTuples()} tuples of "
                f"{found.GetNumberOfComponents()}; expected {count} of {components}"
            )
        return found

    labels = column("SegmentLabelValue")
    if labels is None:
        raise ValueError("segment table: array 'SegmentLabelValue' is missing")
    colors = column("SegmentColor", 3)
    names, tags = column("SegmentName"), column("SegmentTags")
    layers, status = column("SegmentLayer"), column("SegmentStatus")
    visible, counts = column("SegmentVisible"), column("SegmentVoxelCount")
    name_auto = column("SegmentNameAutoGenerated")
    color_auto = column("SegmentColorAutoGenerated")

    def value(array: Any, index: int, otherwise: int) -> int:
        return otherwise if array is None else int(array.GetValue(index))

    return tuple(
        Segment(
            id=ids.GetValue(i),
            label_value=value(labels, i, 0),
            name=names.GetValue(i) if names is not None else "",
            color=tuple(colors.GetTuple3(i)) if colors is not None else (0.5, 0.5, 0.5),
            layer=value(layers, i, 0),
            visible=bool(value(visible, i, 1)),
            status=value(status, i, 0),
            voxel_count=value(counts, i, -1),
            tags=MappingProxyType(parse_tags(tags.GetValue(i)) if tags is not None else {}),
            name_auto_generated=bool(value(name_auto, i, 0)),
            color_auto_generated=bool(value(color_auto, i, 0)),
        )
        for i in range(count)
    )


def check_segments(segments: Iterable[Segment]) -> tuple[Segment, ...]:
    """Refuse two segments with the same identifier, or the same label in one layer."""
    rows = tuple(segments)
    ids: set[str] = set()
    labels: dict[tuple[int, int], str] = {}
    for row in rows:
        if not isinstance(row, Segment):
            raise TypeError(f"segments holds {type(row).__name__}; expected Segment")
        if row.id in ids:
            raise ValueError(f"two segments have the id {row.id!r}")
        ids.add(row.id)
        other = labels.setdefault((row.layer, row.label_value), row.id)
        if other != row.id:
            raise ValueError(
                f"segments {other!r} and {row.id!r} have the same label {row.label_value} "
                f"in layer {row.layer}"
            )
    return rows


def write_segments(image: vtkImageData, segments: Iterable[Segment]) -> None:
    """Put a segment table into the field data of a label map, replacing the one it has.

    Parameters
    ----------
    image : vtkImageData
        Its field data is changed, its voxels are not.
    segments : iterable of Segment
        In display order.

    Raises
    ------
    ValueError
        Two segments have the same identifier, or the same label value in one layer.
    """
    rows = check_segments(segments)
    field = _field(image)
    from vtkmodules import vtkCommonCore

    def put(kind: str, name: str, values: list[Any], components: int = 1) -> None:
        array: Any = getattr(vtkCommonCore, kind)()
        array.SetName(name)
        array.SetNumberOfComponents(components)
        array.SetNumberOfTuples(len(values) // components)
        for index, item in enumerate(values):
            array.SetValue(index, item)
        field.AddArray(array)

    put("vtkStringArray", "SegmentID", [row.id for row in rows])
    put("vtkStringArray", "SegmentName", [row.name for row in rows])
    put("vtkStringArray", "SegmentTags", [format_tags(row.tags) for row in rows])
    put("vtkDoubleArray", "SegmentColor", [part for row in rows for part in row.color], 3)
    put("vtkTypeInt64Array", "SegmentLabelValue", [row.label_value for row in rows])
    put("vtkTypeInt64Array", "SegmentVoxelCount", [row.voxel_count for row in rows])
    put("vtkIntArray", "SegmentLayer", [row.layer for row in rows])
    put("vtkIntArray", "SegmentStatus", [row.status for row in rows])
    put("vtkUnsignedCharArray", "SegmentVisible", [int(row.visible) for row in rows])
    for name, values in (
        ("SegmentNameAutoGenerated", [int(row.name_auto_generated) for row in rows]),
        ("SegmentColorAutoGenerated", [int(row.color_auto_generated) for row in rows]),
    ):
        put("vtkUnsignedCharArray", name, values)
