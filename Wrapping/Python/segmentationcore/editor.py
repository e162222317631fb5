"""The editing session: segments of a world of any size, edited step by step.

An `Editor` is the Python door to the C++ class ``vtkLabelMapEditSession``, whose manual says what
masking, regions, layers and journals are. An edit costs what it touches, not what the world holds:
label voxels exist only where somebody has drawn, and become arrays only where somebody asks.

Order of coordinates. The editor of an array has its order everywhere: points, vectors, regions,
origin and spacing are z, y, x (y, x for a single slice), and voxel [0, 0, 0] is at the origin
unless ``origin`` says otherwise. The editor of a ``vtkImageData`` has world coordinates x, y, z
(RAS) and the image's geometry. Whole operations, as dicts, are plain data: they are x, y, z in
every editor, as in files and journals. A part of the world is told as for a NumPy array, by slices
from the first voxel, in the order z, y, x in every editor; or by a region in millimetres.
"""

from __future__ import annotations

import json
import math
import operator
import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Union

import numpy as np

from . import _registry
from ._arrays import (
    array_of_image,
    check_numbers,
    check_spacing,
    image_of_array,
    is_image,
    point_array_name,
)
from ._compiled import find_class
from ._pipeline import execute, is_refusal
from ._run import check_argument
from .errors import Cancelled
from .io import _existing, _writable
from .operations import LabelMap, label_image, label_map, validate_operation, validate_operations
from .segments import Segment, read_segments

if TYPE_CHECKING:
    from types import TracebackType
    from typing import TypeAlias

    from numpy.typing import NDArray
    from vtkmodules.vtkCommonDataModel import vtkImageData

    from ._run import ImageLike

__all__ = ["Change", "Editor"]

Progress = Callable[[float], "bool | None"]
Part: TypeAlias = Union[slice, "Sequence[slice]", "Mapping[str, Sequence[float]]", None]


class Change(NamedTuple):
    """What an operation, an undo or a redo changed."""

    region: tuple[slice, ...] | None
    """Slices that hold all changed voxels, in the order of an array's axes; None if there are none.

    They may hold more; `Editor.labels` and `Editor.mask` take them.
    """
    segments: tuple[str, ...]
    """Identifiers of the segments whose voxels changed."""
    table: bool
    """Whether the table of segments changed in more than numbers of voxels."""


class Editor:
    """Segments of a world of any size, edited by operations, with undo and a journal.

    Parameters
    ----------
    volume : numpy.ndarray or vtkImageData, optional
        What thresholds and intensity masks look at; it gives the world its voxels. It is shared,
        not copied, and never changed.
    labels : LabelMap, numpy.ndarray or vtkImageData, optional
        Where to start: what a former call or `read_segmentation` returned, or a plain label map
        (each value above 0 becomes a segment ``Segment_<value>``). Empty when absent.
    spacing, origin : sequence of floats, optional
        For arrays and ``shape``: millimetres between voxels, 1 when absent, and position of the
        first voxel's centre, 0 when absent; in the order of the array's axes.
    direction : sequence of sequences of floats, optional
        For arrays and ``shape``: a square matrix whose column n is the unit step along axis n. Rows
        and columns have the order of the axes; the identity when absent.
    shape : sequence of int, optional
        Instead of a volume: an empty world of this many voxels (z, y, x, or y, x). What is not
        edited takes no memory, so it may be larger than any array.
    array : str, optional
        For a ``vtkImageData``: name of the point array, the active scalars when absent.
    undo_memory : int, default 2**30
        Bytes of history that are kept; the oldest steps are forgotten beyond it.

    Raises
    ------
    TypeError, ValueError
        For arguments that are not accepted.
    SegmentationCoreError
        The volume or label map cannot be edited; the text says why.

    Examples
    --------
    >>> import numpy as np
    >>> from segmentationcore import Editor
    >>> volume = np.zeros((20, 30, 40), np.int16)
    >>> volume[5:15, 5:25, 5:35] = 100
    >>> editor = Editor(volume, spacing=(2.0, 1.0, 1.0))
    >>> editor.add_segment("body", name="Body", color=(1.0, 0.8, 0.6)).name
    'Body'
    >>> editor.apply("threshold", "body", minimum_threshold=50)
    >>> editor.add_segment("hole").label_value
    2
    >>> editor.apply("paint", "hole", points=[[20.0, 15.0, 20.0]], brush_absolute_diameter=4.0,
    ...              masking={"mask_mode": "EditAllowedInsideSingleSegment",
    ...                       "mask_segment_id": "body"})
    >>> [(segment.id, segment.voxel_count) for segment in editor.segments]
    [('body', 5985), ('hole', 15)]
    >>> editor.undo(), int(editor.mask("hole").sum())
    (True, 0)
    >>> editor.labels().labels.shape
    (20, 30, 40)

    A brush stroke costs the same in a world that no memory could hold:

    >>> world = Editor(shape=(40000, 40000, 40000), spacing=(0.5, 0.5, 0.5))
    >>> world.add_segment("spot").id
    'spot'
    >>> world.apply("paint", "spot", points=[[9000, 9000, 9000]])
    >>> world.last_change.region[0]
    slice(17995, 18006, None)
    >>> world.labels(world.last_change.region).labels.shape
    (11, 11, 11)
    """

    def __init__(
        self,
        volume: ImageLike | None = None,
        *,
        labels: Any = None,
        spacing: Sequence[float] | None = None,
        origin: Sequence[float] | None = None,
        direction: Sequence[Sequence[float]] | NDArray[Any] | None = None,
        shape: Sequence[int] | None = None,
        array: str | None = None,
        undo_memory: int = 1 << 30,
    ) -> None:
        self._session: Any = find_class("vtkLabelMapEditSession")()
        self._events: list[bool] = []
        events = self._events  # the session must not keep the editor alive
        event = self._session.LabelsChangedEvent
        self._session.AddObserver(event, lambda *_: events.append(True))
        self._callbacks: list[Callable[[Change], object]] = []
        self._journal: str | None = None
        self.undo_memory = undo_memory

        geometry = {"spacing": spacing, "origin": origin, "direction": direction}
        given: Any = volume
        if shape is not None:
            if volume is not None:
                raise TypeError(
                    "Editor(): shape is given, but the volume gives the world its shape; for "
                    "another world, leave the volume out and call set_volume()"
                )
            lengths = _check_shape(shape)
            self._axes = len(lengths)
            self._lattice = _lattice(lengths, self._axes, geometry, "Editor()")
        else:
            if given is None:
                given = labels.labels if isinstance(labels, LabelMap) else labels
            if given is None:
                raise TypeError("Editor() needs a volume, labels, or the shape of an empty world")
            what = "Editor(): " + ("labels" if volume is None else "volume")
            source, self._axes = _as_image(given, geometry, None, what)
            self._lattice = _bare(source)
        if array is not None and not is_image(volume):
            raise TypeError("Editor(): array is given, but there is no vtkImageData to have it")
        if volume is None:
            image = self._lattice
            matrix = image.GetDirectionMatrix()
            directions = [matrix.GetElement(row, axis) for row in range(3) for axis in range(3)]
            self._do(
                "",
                lambda: self._session.SetGeometry(
                    image.GetExtent(), image.GetOrigin(), image.GetSpacing(), directions
                ),
            )
        else:
            self._set_volume(source, array, "")
        if labels is not None:
            start = label_image(labels, self._lattice, self._axes or 3, "Editor(): labels")
            self._do("", lambda: self._session.Start(start))

    def __repr__(self) -> str:
        ids = [segment.id for segment in self.segments]
        return f"<Editor of {' x '.join(map(str, self.shape))} voxels, segments {ids}>"

    # -- the world -------------------------------------------------------------------------------

    @property
    def session(self) -> Any:
        """The ``vtkLabelMapEditSession``, for what is not here."""
        return self._session

    @property
    def lattice(self) -> vtkImageData:
        """The world's geometry: an image without arrays, with coordinates x, y, z."""
        return _bare(self._lattice)

    @property
    def has_arrays(self) -> bool:
        """Whether labels and coordinates are those of arrays, not of a ``vtkImageData``."""
        return self._axes > 0

    @property
    def shape(self) -> tuple[int, ...]:
        """Numbers of voxels in the order of an array's axes."""
        lengths: Sequence[int] = self._lattice.GetDimensions()
        return tuple(reversed(lengths))[-(self._axes or 3) :]

    @property
    def spacing(self) -> tuple[float, ...]:
        """Millimetres between voxels, in the editor's order of coordinates."""
        return self._ordered(self._lattice.GetSpacing())

    @property
    def origin(self) -> tuple[float, ...]:
        """Position of voxel [0, 0, 0], in the editor's order of coordinates."""
        start = self._lattice.GetExtent()[::2]
        return self._ordered(_position(self._lattice, start))

    def _ordered(self, values: Sequence[float]) -> tuple[float, ...]:
        """World coordinates x, y, z in the editor's order."""
        return tuple(values[: self._axes][::-1]) if self._axes else tuple(values)

    def set_volume(
        self,
        volume: ImageLike | None,
        *,
        spacing: Sequence[float] | None = None,
        origin: Sequence[float] | None = None,
        direction: Sequence[Sequence[float]] | NDArray[Any] | None = None,
        array: str | None = None,
    ) -> None:
        """Give effects and intensity masks another volume to look at; the segments stay.

        Parameters
        ----------
        volume : numpy.ndarray, vtkImageData or None
            An array without geometry of its own lies on the world's voxels and has their shape.
            A volume on another lattice is interpolated. None takes the volume away.
        spacing, origin, direction, array
            As in the class.

        Examples
        --------
        >>> import numpy as np
        >>> from segmentationcore import Editor
        >>> editor = Editor(shape=(4, 4, 4))
        >>> editor.set_volume(np.full((3, 3, 3), 7), spacing=(2, 2, 2))
        >>> editor.add_segment("seven").id
        'seven'
        >>> editor.apply("threshold", "seven", minimum_threshold=7)
        >>> int(editor.mask("seven").sum())
        64
        """
        if volume is None:
            self._do("set_volume", lambda: self._session.SetVolume(None, None))
            return
        geometry = {"spacing": spacing, "origin": origin, "direction": direction}
        what = "Editor.set_volume(): volume"
        image, axes = _as_image(volume, geometry, None, what)
        if array is not None and not is_image(volume):
            raise TypeError("Editor.set_volume(): array is given, but the volume is no image")
        if axes and all(value is None for value in geometry.values()):
            if image.GetDimensions() != self._lattice.GetDimensions():
                raise ValueError(
                    f"{what} has the shape {np.shape(volume)}, the world {self.shape}; expected "
                    "the same, or its spacing and origin"
                )
            _copy_geometry(self._lattice, image)
        self._set_volume(image, array, "set_volume")

    def _set_volume(self, image: Any, array: str | None, method: str) -> None:
        if array is None:
            point_array_name(image, f"{_called(method)}: volume")
        elif not isinstance(array, str):
            raise TypeError(f"{_called(method)}: array is {array!r}; expected a name")
        else:
            found = array_of_image(image, array, f"{_called(method)}: volume").array
            if found.ndim != 3:
                raise ValueError(f"{_called(method)}: array {array!r} has several components")
        self._do(method, lambda: self._session.SetVolume(image, array))

    # -- operations ------------------------------------------------------------------------------

    def add_segment(
        self,
        segment: str,
        *,
        name: str | None = None,
        color: Sequence[float] | None = None,
        label_value: int | None = None,
    ) -> Segment:
        """Add an empty segment; the same as the operation ``add_segment``.

        Parameters
        ----------
        segment : str
            Its identifier.
        name : str, optional
            What people see; the identifier when absent.
        color : sequence of 3 floats, optional
            Red, green, blue from 0 to 1; the next one of a palette when absent.
        label_value : int, optional
            Value of its voxels; the next free one when absent.

        Returns
        -------
        Segment
        """
        given: dict[str, Any] = {"name": name, "color": color, "label_value": label_value}
        given = {key: value for key, value in given.items() if value is not None}
        self.apply("add_segment", segment, **given)
        return self.segments[-1]

    def apply(
        self,
        effect: str | Mapping[str, Any] | Sequence[Mapping[str, Any]],
        segment: str | None = None,
        /,
        *,
        masking: Mapping[str, Any] | None = None,
        region: Mapping[str, Any] | None = None,
        apply_to_all_visible_segments: bool = False,
        progress: Progress | None = None,
        **parameters: Any,
    ) -> None:
        """Run an operation, or several: all of them, or none if one fails.

        Parameters
        ----------
        effect : str, dict or list of dict
            An effect's identifier (see docs/effects.md), or whole operations, with world
            coordinates x, y, z (see `validate_operation`); then nothing else but ``progress`` is
            given.
        segment : str, optional
            Identifier of the segment that changes; none for an effect on all visible segments.
        masking : mapping, optional
            Which voxels may change, and which segments give way: Slicer's settings, as
            ``{"mask_mode": "EditAllowedOutsideAllSegments"}``.
        region : mapping, optional
            A box ``{"center": .., "size": ..}`` in millimetres: the effect sees and changes only
            what is in it. ``{"growth": 0.1}`` is the box around all visible segments, grown on each
            side by a tenth of its size, at least 3 voxels, as Slicer's "Grow from seeds" has it.
            With ``{"points": .., "diameter": ..}`` the effect sees everything, and changes only
            what is under a round brush that is moved along the points: a smoothing brush, say.
        apply_to_all_visible_segments : bool, default False
            Instead of ``segment``: apply the effect to each visible segment, in the order of the
            table. Each sees what became of those before; it is one step to undo.
        progress : callable, optional
            Called with a fraction from 0 to 1; returning False cancels.
        **parameters
            The effect's own. All names, also of masking, are Slicer's (``MarginSizeMm``) or those
            of the functions (``margin_size_mm``).

        Raises
        ------
        TypeError, ValueError
            Before anything runs.
        SegmentationCoreError
            An operation failed; the text says which one and why. Nothing is changed.
        Cancelled
            ``progress`` returned False, or Ctrl-C was pressed. Nothing is changed.

        Examples
        --------
        >>> from segmentationcore import Editor
        >>> editor = Editor(shape=(9, 9, 9))
        >>> editor.apply([{"effect": "add_segment", "segment": "a"},
        ...               {"effect": "logical", "segment": "a",
        ...                "parameters": {"Operation": "FILL"}}])
        >>> editor.apply("erase", "a", points=[[4, 4, 4]], brush_absolute_diameter=2.0)
        >>> editor.segments[0].voxel_count
        722
        """
        operations = self._operations(
            "apply", effect, segment, masking, region, apply_to_all_visible_segments, parameters
        )
        text = json.dumps(operations, ensure_ascii=False)
        self._do("apply", lambda: self._session.Apply(text), progress)

    def preview(
        self,
        effect: str | Mapping[str, Any],
        segment: str | None = None,
        /,
        *,
        part: Part = None,
        step: int = 1,
        masking: Mapping[str, Any] | None = None,
        region: Mapping[str, Any] | None = None,
        apply_to_all_visible_segments: bool = False,
        progress: Progress | None = None,
        **parameters: Any,
    ) -> Any:
        """What an operation would make of its segment; nothing is changed.

        Parameters
        ----------
        effect, segment, masking, region, apply_to_all_visible_segments, progress, **parameters
            As in `apply`, but one operation only.
        part : slices or mapping, optional
            What to return, as in `labels`; the whole world when absent. With a ``step``, slices
            count the voxels that are left.
        step : int, default 1
            Look at every ``step``-th voxel along each axis only, which is quicker and not exact.

        Returns
        -------
        numpy.ndarray or vtkImageData
            As of `mask`. Of an effect on (or applied to) all visible segments: n where the n-th of
            them would be.

        Examples
        --------
        >>> import numpy as np
        >>> from segmentationcore import Editor
        >>> editor = Editor(np.arange(64).reshape(4, 4, 4))
        >>> editor.add_segment("high").id
        'high'
        >>> np.flatnonzero(editor.preview("threshold", "high", minimum_threshold=62)).tolist()
        [62, 63]
        >>> editor.segments[0].voxel_count
        0
        """
        operations = self._operations(
            "preview", effect, segment, masking, region, apply_to_all_visible_segments, parameters
        )
        if len(operations) != 1:
            raise ValueError(f"Editor.preview(): {len(operations)} operations; expected 1")
        step = _check_integer(step, "Editor.preview(): step", 1)
        extent = self._extent(part, "Editor.preview(): part", step)
        text = json.dumps(operations[0], ensure_ascii=False)
        image = _new_image()
        self._do("preview", lambda: self._session.Preview(text, extent, step, image), progress)
        on_all = "segment" not in operations[0]
        return self._mask(image, np.uint8 if on_all else np.bool_)

    def _operations(
        self,
        method: str,
        effect: Any,
        segment: Any,
        masking: Any,
        region: Any,
        to_all: Any,
        parameters: Mapping[str, Any],
    ) -> list[dict[str, Any]]:
        """What `apply` and `preview` were given, as operations."""
        where = _called(method)
        if not isinstance(effect, str):
            beside = (segment, masking, region)
            if any(given is not None for given in beside) or to_all is not False or parameters:
                raise TypeError(
                    f"{where}: whole operations say their segment, parameters, masking and region "
                    "themselves; expected nothing beside them but progress"
                )
            return validate_operations(effect)
        effects = _registry.effects()
        if effect not in effects:
            hint = _registry.suggestion(effect, effects)
            raise ValueError(f"{where}: effect is {effect!r}; expected one of {[*effects]}{hint}")
        operation: dict[str, Any] = {"effect": effect}
        if effects[effect]["input"] == "segments":
            if segment is not None:
                raise TypeError(
                    f"{where}: segment is {segment!r}; expected none, since {effect} works on all "
                    "visible segments"
                )
        elif segment is None and to_all is not False:
            pass
        elif isinstance(segment, str):
            operation["segment"] = segment
        else:
            raise TypeError(
                f"{where}: segment is {segment!r} ({type(segment).__name__}); expected the "
                "identifier of a segment"
            )
        if to_all is not False:
            operation["ApplyToAllVisibleSegments"] = to_all
        declared = effects[effect]["parameters"]
        operation["parameters"] = self._named(parameters, declared, f"{where}: {effect}")
        for key, given in (("masking", masking), ("region", region)):
            if given is not None:
                if not isinstance(given, Mapping):
                    raise TypeError(f"{where}: {key} is {type(given).__name__}; expected a mapping")
                declared = _registry.operation_settings()[key]["parameters"]
                operation[key] = self._named(given, declared, f"{where}: {key}")
        return [validate_operation(operation, where=where)]

    def _named(
        self, given: Mapping[str, Any], declared: Sequence[Mapping[str, Any]], where: str
    ) -> dict[str, Any]:
        """Parameters by their declared names, with coordinates x, y, z."""
        by_name = {parameter["name"]: parameter for parameter in declared}
        spelled = {_registry.snake_case(name): name for name in by_name}
        result: dict[str, Any] = {}
        for key, value in given.items():
            name = spelled.get(key, key)
            if name not in by_name:
                accepted = [*spelled]
                hint = _registry.suggestion(key, accepted)
                raise TypeError(f"{where} has no {key!r}; it has {accepted}{hint}")
            if name in result:
                raise TypeError(f"{where}: {key} is given twice")
            kind = by_name[name]["type"]
            if value is None and kind in ("vector", "matrix", "segment"):
                continue  # the default, as in the functions
            if kind in ("points", "matrix") or (
                kind in ("vector", "size") and name not in ("center", "size")
            ):
                value = check_argument(by_name[name], value, f"{where}: {key}", self._axes)
            elif kind in ("vector", "size"):
                value = self._box_side(value, f"{where}: {key}", name)
            result[name] = value
        return result

    def _box_side(self, value: Any, where: str, key: str) -> list[float]:
        """Centre or size of a region in the editor's order -> x, y, z."""
        count = self._axes or 3
        expected = f"{count} numbers{' above 0' if key == 'size' else ''}"
        numbers: list[float] = check_numbers(value, (count,), where, expected).tolist()
        if key == "size" and min(numbers) <= 0.0:
            raise ValueError(f"{where} is {value!r}; expected {expected}")
        if not self._axes:
            return numbers
        # A slice of two axes lies at z = 0 and is 1 mm thick.
        return [*reversed(numbers), 0.0 if key == "center" else 1.0][:3]

    def undo(self) -> bool:
        """Take the last operation back; False if there is none."""
        return self.can_undo and bool(self._do("undo", self._session.Undo))

    def redo(self) -> bool:
        """Repeat the operation that was taken back last; False if there is none."""
        return self.can_redo and bool(self._do("redo", self._session.Redo))

    @property
    def can_undo(self) -> bool:
        """Whether there is an operation to take back."""
        return int(self._session.GetNumberOfUndoSteps()) > 0

    @property
    def can_redo(self) -> bool:
        """Whether there is an operation to repeat."""
        return int(self._session.GetNumberOfRedoSteps()) > 0

    def clear_history(self) -> None:
        """Forget what could be undone or redone."""
        self._session.ClearHistory()

    # -- what there is ---------------------------------------------------------------------------

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The segments in display order, with their numbers of voxels."""
        image = _new_image()
        self._session.GetSegmentTable().ToFieldData(image.GetFieldData())
        return read_segments(image)

    @property
    def operations(self) -> list[dict[str, Any]]:
        """The operations that hold, undone ones left out, with coordinates x, y, z."""
        operations: list[dict[str, Any]] = json.loads(self._session.GetOperations())
        return operations

    def labels(self, region: Part = None) -> LabelMap:
        """The labels of the world, or of a part of it.

        Parameters
        ----------
        region : slices or mapping, optional
            Slices in the order z, y, x as for an array (`Change.region`, or ``numpy.s_[2:5, :]``),
            or ``{"center": .., "size": ..}`` in millimetres; everything when absent, which may be
            more than memory holds.

        Returns
        -------
        LabelMap
            ``labels`` is of the volume's kind; an array if there was none.

        Examples
        --------
        >>> import numpy as np
        >>> from segmentationcore import Editor
        >>> editor = Editor(shape=(8, 8, 8))
        >>> editor.add_segment("all").id
        'all'
        >>> editor.apply("logical", "all", operation="FILL")
        >>> editor.labels(np.s_[2:4, :, 7:]).labels.shape
        (2, 8, 1)
        >>> editor.labels({"center": (4, 4, 4), "size": (2, 2, 2)}).labels.shape
        (3, 3, 3)
        """
        extent = self._extent(region, "Editor.labels(): region")
        image = _new_image()
        self._do("labels", lambda: self._session.GetLabelMap(extent, image))
        return label_map(image, self._axes)

    def mask(self, segment: str, region: Part = None) -> Any:
        """The voxels of one segment.

        Parameters
        ----------
        segment : str
            Its identifier.
        region : slices or mapping, optional
            As in `labels`.

        Returns
        -------
        numpy.ndarray or vtkImageData
            An array of bool; of an image's editor an image with the array ``Mask`` of 0 and 1.
        """
        if not isinstance(segment, str):
            raise TypeError(
                f"Editor.mask(): segment is {segment!r}; expected the identifier of a segment"
            )
        extent = self._extent(region, "Editor.mask(): region")
        image = _new_image()
        self._do("mask", lambda: self._session.GetSegmentMask(segment, extent, image))
        return self._mask(image)

    def _mask(self, image: Any, dtype: type[np.generic] = np.bool_) -> Any:
        if not self._axes:
            return image
        voxels = array_of_image(image, "Mask").array.view(dtype)
        return voxels[0] if self._axes == 2 else voxels

    def _extent(self, part: Part, where: str, step: int = 1) -> list[int]:
        """Slices or a region as an extent of the world, or of its every ``step``-th voxel."""
        whole: tuple[int, ...] = self._lattice.GetExtent()
        first = [0, 0, 0] if step > 1 else list(whole[::2])
        counts = [(length - 1) // step + 1 for length in self._lattice.GetDimensions()]
        low, high = [0, 0, 0], [count - 1 for count in counts]
        axes = self._axes or 3
        if isinstance(part, Mapping):
            box = {key: self._box_side(part[key], f"{where}: {key}", key) for key in part
                   if key in ("center", "size")}  # fmt: skip
            if len(box) != 2 or len(part) != 2:
                raise ValueError(f"{where} has the keys {[*part]}; expected 'center' and 'size'")
            middle = _index(self._lattice, box["center"])
            for axis in range(3):
                spacing = self._lattice.GetSpacing()[axis] * step
                at = (middle[axis] - whole[2 * axis]) / step
                half = box["size"][axis] / spacing / 2.0
                # As in operations: centres inside; a millionth of a voxel is rounding.
                low[axis] = max(low[axis], math.ceil(at - half - 1e-6))
                high[axis] = min(high[axis], math.floor(at + half + 1e-6))
        elif part is not None:
            slices = (part,) if isinstance(part, slice) else part
            if not isinstance(slices, (tuple, list)) or not all(
                isinstance(one, slice) for one in slices
            ):
                raise TypeError(
                    f"{where} is {part!r}; expected slices in the order of the axes, or a mapping "
                    "with center and size"
                )
            if len(slices) > axes:
                raise ValueError(f"{where} has {len(slices)} slices; expected up to {axes}")
            for number, one in enumerate(slices):
                axis = axes - 1 - number
                start, stop, stride = one.indices(counts[axis])
                if stride != 1:
                    raise ValueError(f"{where} has a slice with the step {stride}; expected 1")
                low[axis], high[axis] = start, stop - 1
        if any(high[axis] < low[axis] for axis in range(3)):
            raise ValueError(f"{where} is {part!r}; it holds no voxel of {self.shape}")
        return [first[axis] + bound for axis in range(3) for bound in (low[axis], high[axis])]

    @property
    def last_change(self) -> Change:
        """What the last operation, undo or redo changed."""
        told = json.loads(self._session.GetLastChange())
        extent, whole = told["extent"], self._lattice.GetExtent()
        region = None
        if all(extent[2 * axis] <= extent[2 * axis + 1] for axis in range(3)):
            region = tuple(
                slice(
                    extent[2 * axis] - whole[2 * axis], extent[2 * axis + 1] + 1 - whole[2 * axis]
                )
                for axis in reversed(range(self._axes or 3))
            )
        return Change(region, tuple(told["segments"]), bool(told["table"]))

    def on_change(self, callback: Callable[[Change], object]) -> Callable[[], None]:
        """Have a function called after every change that is made through this editor.

        Parameters
        ----------
        callback : callable
            Called with a `Change` when the operation, undo or redo is complete. What it raises
            reaches the caller; the change stays.

        Returns
        -------
        callable
            Call it to stop.

        Examples
        --------
        >>> from segmentationcore import Editor
        >>> editor = Editor(shape=(8, 8, 8))
        >>> editor.apply("add_segment", "a")
        >>> stop = editor.on_change(lambda change: print(change.segments))
        >>> editor.apply("paint", "a", points=[[4, 4, 4]])
        ('a',)
        >>> stop()
        """
        if not callable(callback):
            raise TypeError(f"callback is {type(callback).__name__}; expected a callable")
        self._callbacks.append(callback)

        def stop() -> None:
            if callback in self._callbacks:
                self._callbacks.remove(callback)

        return stop

    @property
    def memory(self) -> int:
        """Bytes of labels and history."""
        return int(self._session.GetMemorySize())

    @property
    def undo_memory_used(self) -> int:
        """Bytes of history."""
        return int(self._session.GetUndoMemorySize())

    @property
    def undo_memory(self) -> int:
        """Bytes of history that are kept."""
        return int(self._session.GetUndoMemoryLimit())

    @undo_memory.setter
    def undo_memory(self, value: int) -> None:
        self._session.SetUndoMemoryLimit(_check_integer(value, "Editor(): undo_memory", 0))

    # -- journal ---------------------------------------------------------------------------------

    def open_journal(
        self, path: str | os.PathLike[str], *, progress: Progress | None = None
    ) -> None:
        """Write every operation, undo and redo to a file as soon as it is complete.

        If the file exists, the state that it tells is restored first and the journal goes on: after
        a crash nothing is lost. The editor must then be as it was at the beginning, on the same
        voxels and volume, without operations of its own.

        Parameters
        ----------
        path : str or path
            The journal; a text file with one JSON object per line.
        progress : callable, optional
            Called with a fraction from 0 to 1; returning False cancels.

        Raises
        ------
        OSError
            There is no such folder.
        SegmentationCoreError
            The file is no journal, belongs to other data, or cannot be written.
        """
        name = _writable(path)
        before = self._session.GetOperations()
        self._do("open_journal", lambda: self._session.OpenJournal(name), progress, notify=False)
        self._journal = name
        if self._session.GetOperations() != before:
            self._events.append(True)
            self._notify()

    def close_journal(self) -> None:
        """End the journal; the file is complete after every operation anyway."""
        self._session.CloseJournal()
        self._journal = None

    @property
    def journal(self) -> str | None:
        """Path of the open journal."""
        return self._journal

    @property
    def journal_was_torn(self) -> bool:
        """Whether the journal that was opened ended in an incomplete line, which was cut off."""
        return bool(self._session.GetJournalWasTorn())

    def save_journal(self, path: str | os.PathLike[str]) -> None:
        """Write the operations that hold as a journal of its own.

        Parameters
        ----------
        path : str or path
            An existing file is replaced when the new one is complete.
        """
        name = _writable(path)
        self._do("save_journal", lambda: self._session.SaveJournal(name))

    def replay(
        self,
        path: str | os.PathLike[str],
        same_data: bool = False,
        *,
        progress: Progress | None = None,
    ) -> None:
        """Apply the operations of a journal, also on a volume of another resolution.

        Lengths and positions are in millimetres and stay; numbers of voxels (of islands) are
        scaled by the ratio of the voxels' volumes. All operations are applied, or none.

        Parameters
        ----------
        path : str or path
            A journal of `open_journal` or `save_journal`.
        same_data : bool, default False
            Refuse a journal that was recorded on other voxels or another volume.
        progress : callable, optional
            Called with a fraction from 0 to 1; returning False cancels.

        Examples
        --------
        >>> import os, tempfile
        >>> from segmentationcore import Editor
        >>> small = Editor(shape=(20, 20, 20), spacing=(2, 2, 2), origin=(0.5, 0.5, 0.5))
        >>> small.add_segment("ball").id
        'ball'
        >>> small.apply("paint", "ball", points=[[20, 20, 20]], brush_absolute_diameter=30)
        >>> large = Editor(shape=(40, 40, 40))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     small.save_journal(os.path.join(folder, "ball.journal"))
        ...     large.replay(os.path.join(folder, "ball.journal"))
        >>> small.segments[0].voxel_count * 8, large.segments[0].voxel_count
        (14328, 14147)
        >>> round(large.compare(small)[0]["dice"], 3)
        0.957
        """
        name = _existing(path)
        self._do("replay", lambda: self._session.ReplayJournal(name, bool(same_data)), progress)

    def compare(self, other: Editor, *, blocks: int = 5) -> list[dict[str, Any]]:
        """How the segments differ from those of another editor, also of another resolution.

        Each voxel of this editor is compared with the nearest one of the other, so this should be
        the finer one.

        Parameters
        ----------
        other : Editor
            Of the same part of the world.
        blocks : int, default 5
            How many blocks with differences to list at most.

        Returns
        -------
        list of dict
            For each segment of either: ``segment``, ``dice`` (1 if equal), ``volume_mm3`` and
            ``other_volume_mm3``, and ``worst``: blocks of voxels, the one with most differences
            first, each with its ``center`` in the editor's order and the number of differing
            ``voxels``.
        """
        if not isinstance(other, Editor):
            raise TypeError(f"Editor.compare(): other is {type(other).__name__}; expected Editor")
        blocks = _check_integer(blocks, "Editor.compare(): blocks", 0)
        told = json.loads(
            self._do("compare", lambda: self._session.Compare(other._session, blocks))
        )
        return [
            {
                "segment": row["segment"],
                "dice": float(row["dice"]),
                "volume_mm3": float(row["volume_mm3"][1]),
                "other_volume_mm3": float(row["volume_mm3"][0]),
                "worst": [
                    {"center": self._ordered(block["center"]), "voxels": int(block["voxels"])}
                    for block in row["worst"]
                ],
            }
            for row in told["segments"]
        ]

    def statistics(
        self,
        *,
        volume: ImageLike | None = None,
        progress: Progress | None = None,
        **parameters: Any,
    ) -> NDArray[Any]:
        """Measure all segments, also overlapping ones; see `segment_statistics`.

        This is a question, not an operation: nothing changes, and no journal tells of it.

        Parameters
        ----------
        volume : numpy.ndarray or vtkImageData, optional
            On the editor's voxels, to measure intensities in.
        progress : callable, optional
            Called with a fraction from 0 to 1; returning False cancels.
        **parameters
            Those of `segment_statistics`: what to measure.

        Returns
        -------
        numpy.ndarray
            A structured array with a row for each segment, in the order of `segments`. Positions
            have the order of the editor, and its origin.

        Examples
        --------
        >>> from segmentationcore import Editor
        >>> editor = Editor(shape=(8, 8, 8), spacing=(2, 1, 1), origin=(100, 0, 0))
        >>> _ = editor.add_segment("all")
        >>> editor.apply("logical", "all", operation="FILL")
        >>> table = editor.statistics(surface=False)
        >>> table["segment"][0], float(table["volume_mm3"][0]), table["centroid"][0].tolist()
        ('all', 1024.0, [107.0, 3.5, 3.5])
        """
        from ._queries import statistics

        image = self._label_image("statistics")
        return statistics(
            image,
            None if volume is None else self._volume_beside(image, volume, "statistics"),
            parameters,
            where=_called("statistics"),
            array_order=bool(self._axes),
            progress=progress,
        )

    def _label_image(self, method: str) -> Any:
        """All labels with the segment table, for a question."""
        image = _new_image()
        extent = self._extent(None, _called(method))
        self._do(method, lambda: self._session.GetLabelMap(extent, image), notify=False)
        return image

    def _volume_beside(self, image: Any, volume: Any, method: str) -> Any:
        """A volume that is asked about as an image; an array lies on the editor's voxels."""
        if is_image(volume):
            return volume
        what = f"{_called(method)}: volume"
        source = image_of_array(volume, None, "Scalars", what).image
        if source.GetDimensions() != image.GetDimensions():
            raise ValueError(f"{what} has the shape {np.shape(volume)}; expected {self.shape}")
        source.SetExtent(image.GetExtent())
        _copy_geometry(image, source)
        return source

    def local_histogram(
        self, volume: ImageLike, *, progress: Progress | None = None, **parameters: Any
    ) -> NDArray[Any]:
        """What values a volume has under a brush; see `local_histogram`.

        This is a question, not an operation: nothing changes, and no journal tells of it. Its
        answers are bounds for the effect ``threshold``.

        Parameters
        ----------
        volume : numpy.ndarray or vtkImageData
            An array lies on the editor's voxels; an image is where it is in the world.
        progress : callable, optional
            Called with a fraction from 0 to 1; returning False cancels.
        **parameters
            Those of the function `local_histogram`: ``points``, which it needs, ``brush_type`` and
            so on. Points and vectors are in the editor's order.

        Returns
        -------
        numpy.ndarray
            A structured array with one row.

        Examples
        --------
        >>> import numpy as np
        >>> from segmentationcore import Editor
        >>> volume = np.arange(729.0).reshape(9, 9, 9)
        >>> editor = Editor(volume, origin=(100, 0, 0))
        >>> _ = editor.add_segment("alike")
        >>> found = editor.local_histogram(
        ...     volume, points=[(104, 4, 3), (104, 4, 5)], brush_type="BOX"
        ... )[0]
        >>> editor.apply(
        ...     "threshold",
        ...     "alike",
        ...     minimum_threshold=found["lower"],
        ...     maximum_threshold=found["upper"],
        ... )
        >>> np.argwhere(editor.mask("alike")).tolist()
        [[4, 4, 3], [4, 4, 4], [4, 4, 5]]
        """
        from ._queries import table_of_volume

        return table_of_volume(
            "local_histogram",
            self._volume_beside(self._lattice, volume, "local_histogram"),
            parameters,
            where=_called("local_histogram"),
            axes=self._axes,
            progress=progress,
        )

    def split_volume(
        self,
        volume: ImageLike,
        segments: Sequence[str] | None = None,
        *,
        progress: Progress | None = None,
        **parameters: Any,
    ) -> dict[str, Any]:
        """The volume around each segment, with one value outside of it; see `split_volume`.

        This is a question, not an operation: nothing changes, and no journal tells of it.

        Parameters
        ----------
        volume : numpy.ndarray or vtkImageData
            On the editor's voxels.
        segments : sequence of str, optional
            Identifiers; all visible segments that have voxels when absent.
        progress : callable, optional
            Called with a fraction from 0 to 1; returning False cancels.
        **parameters
            Those of the function `split_volume`: ``padding_voxels`` and ``fill_value``.

        Returns
        -------
        dict
            By identifier, in the order that was asked for or that of the table: a `VolumeCrop`
            (offset from the editor's first voxel, origin as the editor's), or a vtkImageData if
            one was given.

        Examples
        --------
        >>> import numpy as np
        >>> from segmentationcore import Editor
        >>> volume = np.arange(8).reshape(2, 2, 2)
        >>> editor = Editor(volume, origin=(100, 0, 0))
        >>> _ = editor.add_segment("high")
        >>> editor.apply("threshold", "high", minimum_threshold=5)
        >>> crops = editor.split_volume(volume, padding_voxels=0, fill_value=-1)
        >>> crops["high"].voxels.tolist(), crops["high"].origin
        ([[[-1, 5], [6, 7]]], (101.0, 0.0, 0.0))
        """
        from ._queries import split_by_segments

        where = _called("split_volume")
        rows = {segment.id: segment for segment in self.segments}
        if segments is None:
            chosen = [row for row in rows.values() if row.visible and row.voxel_count != 0]
        else:
            if isinstance(segments, str):
                raise TypeError(f"{where}: segments is {segments!r}; expected a list of texts")
            for name in segments:
                if name not in rows:
                    hint = _registry.suggestion(str(name), rows)
                    raise ValueError(f"{where}: there is no segment {name!r}{hint}")
            chosen = [rows[name] for name in segments]
        image = self._label_image("split_volume")
        return split_by_segments(
            image,
            self._volume_beside(image, volume, "split_volume"),
            volume,
            chosen,
            parameters,
            where=where,
            progress=progress,
        )

    def mask_volume(
        self,
        segment: str,
        volume: ImageLike,
        *,
        progress: Progress | None = None,
        **parameters: Any,
    ) -> Any:
        """A volume with the values inside or outside of a segment replaced; see `mask_volume`.

        This is a question, not an operation: nothing changes, and no journal tells of it.

        Parameters
        ----------
        segment : str
            Its identifier.
        volume : numpy.ndarray or vtkImageData
            On the editor's voxels.
        progress : callable, optional
            Called with a fraction from 0 to 1; returning False cancels.
        **parameters
            Those of the function `mask_volume`: ``operation``, ``fill_value`` and so on.

        Returns
        -------
        numpy.ndarray or vtkImageData
            The new volume.

        Examples
        --------
        >>> import numpy as np
        >>> from segmentationcore import Editor
        >>> volume = np.arange(8).reshape(2, 2, 2)
        >>> editor = Editor(volume)
        >>> _ = editor.add_segment("high")
        >>> editor.apply("threshold", "high", minimum_threshold=5)
        >>> editor.mask_volume("high", volume, fill_value=-1).ravel().tolist()
        [-1, -1, -1, -1, -1, 5, 6, 7]
        """
        from . import _effects

        if self.has_arrays:
            parameters.setdefault("spacing", self.spacing)  # of a soft edge
        return _effects.mask_volume(self.mask(segment), volume, progress=progress, **parameters)

    def size_distribution(
        self, segment: str, *, progress: Progress | None = None, **parameters: Any
    ) -> NDArray[Any]:
        """How much of a segment is how thick; see `size_distribution`.

        This is a question, not an operation: nothing changes, and no journal tells of it.

        Parameters
        ----------
        segment : str
            Its identifier.
        progress : callable, optional
            Called with a fraction from 0 to 1; returning False cancels.
        **parameters
            Those of the function `size_distribution`: ``diameters``, ``number_of_bins`` and so on.

        Returns
        -------
        numpy.ndarray
            A structured array with a row for each diameter.

        Examples
        --------
        >>> import numpy as np
        >>> from segmentationcore import Editor
        >>> volume = np.zeros((7, 9, 9))
        >>> volume[2:5] = 1.0
        >>> editor = Editor(volume, spacing=(2, 1, 1))
        >>> _ = editor.add_segment("plate")
        >>> editor.apply("threshold", "plate", minimum_threshold=0.5)
        >>> table = editor.size_distribution("plate", diameters=[2, 4, 6, 8])
        >>> table["diameter_mm"].tolist(), table["voxel_count"].tolist()
        ([0.0, 2.0, 4.0, 6.0, 8.0], [0, 0, 0, 243, 0])
        """
        from . import _effects

        mask = self.mask(segment)
        spacing = None if is_image(mask) else self.spacing
        return _effects.size_distribution(mask, spacing=spacing, progress=progress, **parameters)

    def local_thickness(
        self, segment: str, *, progress: Progress | None = None, **parameters: Any
    ) -> Any:
        """How thick a segment is at each of its voxels; see `local_thickness`.

        This is a question, not an operation: nothing changes, and no journal tells of it.

        Parameters
        ----------
        segment : str
            Its identifier.
        progress : callable, optional
            Called with a fraction from 0 to 1; returning False cancels.
        **parameters
            Those of the function `local_thickness`: ``diameters``, ``number_of_bins`` and so on.

        Returns
        -------
        numpy.ndarray or vtkImageData
            Millimetres on the editor's voxels, 0 outside of the segment.

        Examples
        --------
        >>> import numpy as np
        >>> from segmentationcore import Editor
        >>> volume = np.zeros((7, 9, 9))
        >>> volume[2:5] = 1.0
        >>> editor = Editor(volume, spacing=(2, 1, 1))
        >>> _ = editor.add_segment("plate")
        >>> editor.apply("threshold", "plate", minimum_threshold=0.5)
        >>> editor.local_thickness("plate")[:, 4, 4].tolist()
        [0.0, 0.0, 6.0, 6.0, 6.0, 0.0, 0.0]
        """
        from . import _effects

        mask = self.mask(segment)
        spacing = None if is_image(mask) else self.spacing
        return _effects.local_thickness(mask, spacing=spacing, progress=progress, **parameters)

    @staticmethod
    def threshold_masking(
        minimum: float | None = None, maximum: float | None = None, **masking: Any
    ) -> dict[str, Any]:
        """Masking settings that let operations change only voxels with values in a range.

        Parameters
        ----------
        minimum, maximum : float, optional
            Lowest and highest value of the volume, both inclusive; unbounded when absent.
        **masking
            Further settings, as ``mask_mode``.

        Returns
        -------
        dict
            For the argument ``masking`` of `apply` and `preview`.

        Examples
        --------
        >>> import numpy as np
        >>> from segmentationcore import Editor
        >>> editor = Editor(np.arange(64.0).reshape(4, 4, 4))
        >>> _ = editor.add_segment("high")
        >>> inside = editor.threshold_masking(minimum=60)
        >>> editor.apply("logical", "high", operation="FILL", bypass_masking=False, masking=inside)
        >>> int(editor.mask("high").sum())
        4
        """
        low = -1e299 if minimum is None else float(minimum)
        high = 1e299 if maximum is None else float(maximum)
        if not low <= high:
            raise ValueError(
                f"Editor.threshold_masking(): minimum is {minimum!r} and maximum {maximum!r}; "
                "expected ascending numbers"
            )
        return {
            "source_volume_intensity_mask": True,
            "source_volume_intensity_mask_range": [low, high],
            **masking,
        }

    def export_segment(self, segment: str) -> dict[str, Any]:
        """An operation that adds a copy of a segment to another editor, whatever its voxels are.

        Parameters
        ----------
        segment : str
            The segment's ID.

        Returns
        -------
        dict
            ``import_segment`` with name, colour, tags and voxels; its ``segment`` may be changed.

        Raises
        ------
        SegmentationCoreError
            If there is no such segment.

        Examples
        --------
        >>> from segmentationcore import Editor
        >>> fine, coarse = Editor(shape=(8, 8, 8)), Editor(shape=(4, 4, 4), spacing=(2, 2, 2))
        >>> _ = fine.add_segment("a")
        >>> fine.apply("logical", "a", operation="FILL")
        >>> coarse.apply(fine.export_segment("a"))
        >>> [(row.id, row.voxel_count) for row in coarse.segments]
        [('a', 64)]
        """
        if not isinstance(segment, str):
            raise TypeError(
                f"Editor.export_segment(): segment is {type(segment).__name__}; expected str"
            )
        told = self._do("export_segment", lambda: self._session.ExportSegment(segment))
        operation: dict[str, Any] = json.loads(told)
        return operation

    def close(self) -> None:
        """Close the journal, if there is one."""
        self.close_journal()

    def __enter__(self) -> Editor:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # -- running ---------------------------------------------------------------------------------

    def _do(
        self,
        method: str,
        action: Callable[[], Any],
        progress: Progress | None = None,
        *,
        notify: bool = True,
    ) -> Any:
        """Call a method of the session; raise what goes wrong, and tell of changes."""
        where = _called(method)
        if progress is not None and not callable(progress):
            raise TypeError(f"{where}: progress is {type(progress).__name__}; expected a callable")
        self._events.clear()
        results: list[Any] = []
        reached = 0.0

        def report(fraction: float) -> bool | None:
            nonlocal reached
            reached = max(reached, fraction)  # several passes over the blocks are one bar
            return progress(reached) if progress else None

        def work() -> Any:
            # Operations on a few voxels are done before they could report; these can be refused.
            if progress and is_refusal(progress(0.0)):
                raise Cancelled(f"{where}: cancelled; nothing was changed")
            results.append(action())
            return results[0]

        try:
            execute(self._session, where, report if progress else None, work)
        finally:
            self._session.SetAbortExecute(False)  # else it would stop what comes next
            if notify:
                self._notify()  # also if it was cancelled too late
        if progress and reached < 1.0:
            progress(1.0)
        return results[0]

    def _notify(self) -> None:
        if self._events:
            self._events.clear()
            change = self.last_change
            for callback in tuple(self._callbacks):
                callback(change)


def _called(method: str) -> str:
    return f"Editor.{method}()" if method else "Editor()"


def _new_image() -> Any:
    from vtkmodules.vtkCommonDataModel import vtkImageData

    return vtkImageData()


def _check_integer(value: Any, name: str, least: int) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(
            f"{name} is {value!r} ({type(value).__name__}); expected an integer"
        ) from None
    if number < least or isinstance(value, bool):
        raise ValueError(f"{name} is {value!r}; expected an integer of at least {least}")
    return number


def _check_shape(shape: Any) -> tuple[int, ...]:
    expected = "expected 3 integers (z, y, x) or 2 (y, x), all above 0"
    try:
        lengths = tuple(operator.index(length) for length in shape)
    except TypeError:
        raise TypeError(f"Editor(): shape is {shape!r}; {expected}") from None
    if len(lengths) not in (2, 3) or not all(0 < length < 2**31 for length in lengths):
        raise ValueError(f"Editor(): shape is {shape!r}; {expected}")
    return lengths


def _lattice(
    lengths: Sequence[int], axes: int, geometry: Mapping[str, Any], where: str
) -> vtkImageData:
    """An image without arrays; lengths and geometry have the order of an array's axes."""
    image: vtkImageData = _new_image()
    image.SetDimensions(*reversed((1, *lengths)[-3:]))
    image.SetSpacing(*reversed((1.0, *check_spacing(geometry["spacing"], axes))[-3:]))
    _set_place(image, axes, geometry, where)
    return image


def _set_place(image: Any, axes: int, geometry: Mapping[str, Any], where: str) -> None:
    """Set origin and direction, given in the order of an array's axes."""
    origin, direction = geometry["origin"], geometry["direction"]
    if origin is not None:
        values = check_numbers(origin, (axes,), f"{where}: origin", f"{axes} numbers")
        image.SetOrigin(*reversed((0.0, *values.tolist())[-3:]))
    if direction is not None:
        expected = f"{axes} rows of {axes} numbers"
        matrix = np.eye(3)
        matrix[3 - axes :, 3 - axes :] = check_numbers(
            direction, (axes, axes), f"{where}: direction", expected
        )
        image.SetDirectionMatrix([float(part) for part in matrix[::-1, ::-1].ravel()])


def _as_image(
    data: Any, geometry: Mapping[str, Any], axes: int | None, what: str
) -> tuple[Any, int]:
    """A volume or label map as an image with its place, and its number of axes (0: an image)."""
    where = what.partition(": ")[0]
    if is_image(data):
        for key, value in geometry.items():
            if value is not None:
                raise TypeError(f"{where}: {key} is given, but a vtkImageData has its own")
        if data.GetNumberOfPoints() == 0:
            raise ValueError(f"{what} has no voxels (extent {data.GetExtent()})")
        image = data.NewInstance()
        image.ShallowCopy(data)  # the caller's object stays out of the session
        return image, 0
    if getattr(data, "ndim", 0) == 4:
        data = data[0]  # the layers of a label map
    converted = image_of_array(data, geometry["spacing"], "Scalars", what)
    _set_place(converted.image, converted.dimensions, geometry, where)
    return converted.image, converted.dimensions


def _bare(image: Any) -> vtkImageData:
    """An image of the same geometry without arrays."""
    bare: vtkImageData = _new_image()
    bare.SetExtent(image.GetExtent())
    _copy_geometry(image, bare)
    return bare


def _copy_geometry(source: Any, target: Any) -> None:
    target.SetOrigin(source.GetOrigin())
    target.SetSpacing(source.GetSpacing())
    target.SetDirectionMatrix(source.GetDirectionMatrix())


def _matrix(image: Any) -> NDArray[np.float64]:
    matrix = image.GetDirectionMatrix()
    return np.array([[matrix.GetElement(row, axis) for axis in range(3)] for row in range(3)])


def _position(image: Any, index: Sequence[float]) -> list[float]:
    """World position of an index x, y, z of the extent."""
    step = np.asarray(index, np.float64) * image.GetSpacing()
    return [float(part) for part in np.asarray(image.GetOrigin()) + _matrix(image) @ step]


def _index(image: Any, position: Sequence[float]) -> list[float]:
    """The opposite of `_position`."""
    offset = np.asarray(position, np.float64) - image.GetOrigin()
    return [float(part) for part in (_matrix(image).T @ offset) / image.GetSpacing()]
