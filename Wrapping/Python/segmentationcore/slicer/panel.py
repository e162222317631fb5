"""The panel of the effects in Slicer's Segment Editor, without widgets: rows from the declarations.

Pure Python, so that it can be tested without Qt; the widgets are in the Slicer extension, and what
needs Slicer's nodes is in `nodes`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._registry import voxel_effects

# What a row of the panel can ask for. Points are those of a markups node, a matrix that of a view.
_ROW_TYPES = (
    "double", "int", "int64", "bool", "enum", "choice", "points", "vector", "numbers", "string",
    "segment", "matrix",
)  # fmt: skip

# Rows by which what an effect takes away leaves all segments: Slicer's editor does that.
_FROM_ALL = ("EraseAllSegments", "AllSegments")

EXTENT_GROWTH = 0.1
"""How much around the segments Slicer's effects that complete them look at, of their box."""

_LEAST_MARGIN = 3  # voxels


@dataclass(frozen=True)
class Row:
    """One parameter: what a widget needs to know."""

    name: str
    label: str
    kind: str
    default: Any
    required: bool
    unit: str
    sentence: str
    range: tuple[Any, Any] | None
    choices: tuple[Any, ...]


@dataclass(frozen=True)
class EffectPanel:
    """One effect and its rows, in the order of the declaration."""

    identifier: str
    title: str
    summary: str
    input: str
    """``"volume"``, ``"segment"``, or ``"segments"``: all visible ones at once."""
    volume: bool
    """Whether it reads the source volume beside the segments."""
    mode: str
    """How the result is written to the segment: ``"Set"``, ``"Add"`` or ``"Remove"``."""
    rows: tuple[Row, ...]

    @property
    def needs_volume(self) -> bool:
        """Whether there must be a source volume."""
        return self.volume or self.input == "volume"

    @property
    def can_apply_to_each(self) -> bool:
        """Whether it can be applied to one visible segment after the other."""
        return self.input == "segment" and self.other is None

    @property
    def other(self) -> Row | None:
        """The row that asks for another segment, if there is one."""
        return next((row for row in self.rows if row.kind == "segment"), None)

    def takes_from_all(self, values: dict[str, Any]) -> bool:
        """Whether with these values all segments lose what the effect takes away."""
        return any(values.get(name) for name in _FROM_ALL)

    def mode_of(self, values: dict[str, Any]) -> str:
        """How the result is written with these values: `mode`, or ``"RemoveAll"``."""
        return "RemoveAll" if self.takes_from_all(values) else self.mode

    @property
    def can_keep_near(self) -> bool:
        """Whether looking only at what lies around the segments is a choice."""
        return self.input == "segments" and self.volume


def effect_panels() -> list[EffectPanel]:
    """The effects whose parameters all fit into rows, in ParaView's order."""
    panels = []
    for effect in voxel_effects().values():
        if any(p["type"] not in _ROW_TYPES for p in effect["parameters"]):
            continue
        rows = tuple(
            Row(
                name=p["name"],
                label=re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", p["name"]),
                kind=p["type"],
                default=p.get("default", []),
                required=bool(p.get("required")),
                unit=p["unit"],
                sentence=p["sentence"],
                range=tuple(p["range"]) if "range" in p else None,
                choices=tuple(p.get("values", ())),
            )
            for p in effect["parameters"]
        )
        # What an effect makes of a label map is the segment as it shall be; of a volume it is what
        # joins or leaves it.
        modes = {"add": "Add", "remove": "Remove"}
        mode = modes.get(effect["writes"], "Set") if effect["input"] == "volume" else "Set"
        panels.append(
            EffectPanel(
                effect["identifier"],
                effect["title"],
                effect["summary"],
                effect["input"],
                effect["volume"],
                mode,
                rows,
            )
        )
    return panels


def parse_numbers(text: str, name: str) -> list[float]:
    """The numbers of a line of text: ``1, 2.5`` or ``1 2.5``."""
    try:
        return [float(part) for part in text.replace(",", " ").split()]
    except ValueError:
        raise ValueError(f"{name} is {text!r}; expected numbers, as in 1, 2.5") from None


def check_values(effect: EffectPanel, values: dict[str, Any]) -> None:
    """Raise a ValueError for rows that were left empty and must not be."""
    for row in effect.rows:
        if row.required and not values.get(row.name):
            what = "a markups node with points" if row.kind == "points" else "a value"
            raise ValueError(f"{row.label} is empty; {effect.title} needs {what}")


def run(
    effect: EffectPanel,
    source: Any,
    values: dict[str, Any],
    modifier: Any,
    volume: Any = None,
    other: Any = None,
) -> None:
    """Run an effect on an image and write its mask into the editor's modifier label map.

    ``source`` is the segment's label map, or the source volume if that is the effect's input;
    ``volume`` the source volume, for effects that read it as well; ``other`` the label map of the
    other segment, if one was chosen. All are on the voxels of ``modifier``, as Slicer's editor
    provides them; points and vectors among ``values`` are world coordinates. The geometry of
    ``modifier`` is kept. How it is to be written says `EffectPanel.mode_of`.
    """
    result = outcome(effect, source, values, modifier, volume, other)
    if labels_in(result)[1:]:
        raise ValueError(
            f"{effect.title} makes several segments with these settings, which cannot be done to "
            "one visible segment after the other"
        )
    set_mask(modifier, result)


def outcome(
    effect: EffectPanel,
    source: Any,
    values: dict[str, Any],
    lattice: Any,
    volume: Any = None,
    other: Any = None,
) -> Any:
    """What `run` writes, as an image of its own, which may have several labels.

    The lowest is for the selected segment, the others are for new ones.
    """
    taken = effect.takes_from_all(values) and effect.input == "segment"
    if taken:
        # What leaves a segment that is everywhere leaves any.
        source = _everywhere(lattice)
    result = result_of(effect, source, values, volume, lattice, other)
    if taken:
        _set_voxels(result, _voxels(result) == 0)
    return result


def labels_in(result: Any) -> list[int]:
    """The labels of an image, ascending; there may be none."""
    voxels = _voxels(result)
    found: list[int] = np.unique(voxels[voxels != 0]).tolist()
    return found


def set_mask(modifier: Any, result: Any, label: int | None = None) -> None:
    """Make a label map 1 where another image has a label, its only one by default."""
    voxels = _voxels(result)
    _set_voxels(modifier, voxels != 0 if label is None else voxels == label)
    modifier.Modified()


def result_of(
    effect: EffectPanel,
    source: Any,
    values: dict[str, Any],
    volume: Any,
    lattice: Any,
    other: Any = None,
) -> Any:
    """What an effect makes of images on the voxels of ``lattice``, as an image."""
    from .._run import run_effect

    check_values(effect, values)
    named = {"segmentation": source} if effect.input != "volume" else {"source volume": source}
    if effect.volume:
        named["source volume"] = volume
    if other is not None:
        named["other segment"] = other
    for name, image in named.items():
        check_same_voxels(image, lattice, name)
    if effect.other is not None:
        if other is not None:
            return _result_with(effect, effect.other, source, values, volume, other)
        values = {name: value for name, value in values.items() if name != effect.other.name}
    beside = {"volume": in_world(volume)} if effect.volume else {}
    return run_effect(effect.identifier, in_world(source), values, label=1, **beside)


def _result_with(
    effect: EffectPanel, row: Row, source: Any, values: dict[str, Any], volume: Any, other: Any
) -> Any:
    """What an effect with another segment makes; in a label map the two could not overlap."""
    from ..editor import Editor
    from ..segments import Segment, write_segments

    labels = in_world(source)
    layers = labels.GetPointData()
    layers.Initialize()
    segments = [Segment("segment", 1), Segment("other", 1, layer=1)]
    for segment, image in zip(segments, (source, other), strict=True):
        voxels = image.GetPointData().GetScalars()
        layer = voxels.NewInstance()
        layer.ShallowCopy(voxels)
        layer.SetName(segment.array_name)
        layers.AddArray(layer)
    layers.SetActiveScalars(segments[0].array_name)
    write_segments(labels, segments)
    edit = {"effect": effect.identifier, "segment": "segment"}
    with Editor(in_world(volume) if effect.volume else None, labels=labels) as editor:
        editor.apply({**edit, "parameters": {**values, row.name: "other"}})
        return editor.mask("segment")


def _everywhere(lattice: Any) -> Any:
    """A label map on the voxels of another image with the segment at each of them."""
    full = lattice.NewInstance()
    full.ShallowCopy(lattice)
    _set_voxels(full, np.ones(lattice.GetNumberOfPoints(), bool))
    return full


def _voxels(image: Any) -> NDArray[Any]:
    """The active scalars, one after the other."""
    from vtkmodules.util import numpy_support

    support: Any = numpy_support  # has no types
    voxels: NDArray[Any] = support.vtk_to_numpy(image.GetPointData().GetScalars())
    return voxels


def _set_voxels(image: Any, mask: NDArray[np.bool_]) -> None:
    from vtkmodules.util import numpy_support

    support: Any = numpy_support
    scalars = support.numpy_to_vtk(mask.astype(np.uint8), deep=True)
    scalars.SetName("labels")
    image.GetPointData().SetScalars(scalars)


def check_same_voxels(image: Any, lattice: Any, name: str) -> None:
    """Raise a ValueError if an image is missing or does not lie on the voxels of another one."""
    if image is None or image.GetPointData().GetScalars() is None:
        raise ValueError(f"there is no {name}; choose one in the Segment Editor")
    if tuple(image.GetExtent()) != tuple(lattice.GetExtent()):
        raise ValueError(
            f"the {name} has the extent {tuple(image.GetExtent())} and the modifier label map "
            f"{tuple(lattice.GetExtent())}; expected the same: resample it to the segmentation's "
            "geometry"
        )
    here, there = index_to_world(image), index_to_world(lattice)
    # A thousandth of a voxel at the far end, as the filters have it.
    extent = lattice.GetExtent()
    corners = [(i, j, k, 1.0) for i in extent[:2] for j in extent[2:4] for k in extent[4:6]]
    spacing = min(lattice.GetSpacing())
    for corner in corners:
        offset = [sum((here[r][c] - there[r][c]) * corner[c] for c in range(4)) for r in range(3)]
        if max(map(abs, offset)) > 1e-3 * spacing:
            raise ValueError(
                f"the {name} lies elsewhere than the segmentation's voxels (by "
                f"{max(map(abs, offset)):g} mm at a corner): resample it to the segmentation's "
                "geometry"
            )


def index_to_world(image: Any) -> list[list[float]]:
    """The matrix from voxel indices to world coordinates, of Slicer's images as well as VTK's."""
    from vtkmodules.vtkCommonMath import vtkMatrix4x4

    if hasattr(image, "GetImageToWorldMatrix"):
        matrix = vtkMatrix4x4()
        image.GetImageToWorldMatrix(matrix)
    else:
        matrix = image.GetIndexToPhysicalMatrix()
    return [[matrix.GetElement(row, column) for column in range(4)] for row in range(4)]


def in_world(image: Any) -> Any:
    """The image as a ``vtkImageData`` that knows its directions, which Slicer keeps elsewhere.

    Points and vectors in world coordinates then mean the same to the filters.
    """
    from vtkmodules.vtkCommonDataModel import vtkImageData

    matrix, spacing = index_to_world(image), image.GetSpacing()
    plain = vtkImageData()
    plain.SetExtent(image.GetExtent())
    plain.SetSpacing(spacing)
    plain.SetOrigin([matrix[row][3] for row in range(3)])
    plain.SetDirectionMatrix(
        [matrix[row][axis] / spacing[axis] for row in range(3) for axis in range(3)]
    )
    plain.GetPointData().ShallowCopy(image.GetPointData())
    return plain


def grown_extent(inner: tuple[int, ...], outer: tuple[int, ...], growth: float) -> tuple[int, ...]:
    """An extent grown on each side by a part of its size, at least 3 voxels, within another one.

    The same as the region ``{"growth": ..}`` of an operation.
    """
    result = []
    for axis in range(3):
        low, high = inner[2 * axis : 2 * axis + 2]
        margin = max(_LEAST_MARGIN, int(growth * (high - low)))
        result += [max(low - margin, outer[2 * axis]), min(high + margin, outer[2 * axis + 1])]
    return tuple(result)
