"""Operations: edits of a segmentation as plain data, checked here and run by the C++ editor.

An operation is what a journal, a file and the bridge hold::

    {"effect": "margin", "segment": "bone", "parameters": {"MarginSizeMm": 2.0}}

``effect`` is an identifier of docs/effects.md, ``segment`` the identifier of the segment that
changes, ``parameters`` has the declared names; absent ones have their default. Points and vectors
are world coordinates x, y, z in millimetres (RAS).

Operations that change voxels may have two more keys. ``masking`` has Slicer's settings, such as
``{"MaskMode": "EditAllowedOutsideAllSegments"}``; ``region`` is a box, ``{"center": [x, y, z],
"size": [sx, sy, sz]}`` with its edges along the image's axes, and the effect sees and changes only
what is in it; ``{"growth": 0.1}`` is the box around all visible segments, grown on each side by a
tenth of its size, at least 3 voxels; with ``{"points": [[x, y, z]], "diameter": d}`` the effect
sees everything, and changes only what is under a round brush that is moved along the points.

An effect on one segment may have ``"ApplyToAllVisibleSegments": true`` instead of ``segment``: it
is applied to each visible segment, in the order of the table, as one operation.

A file holds one operation or a list of them as JSON; ``operation.schema.json`` beside this file
describes it.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from . import _registry
from .segments import Segment, read_segments, write_segments

if TYPE_CHECKING:
    from ._run import ImageLike

__all__ = [
    "LabelMap",
    "apply_operations",
    "read_operations",
    "validate_operation",
    "validate_operations",
    "write_operations",
]

Operation = dict[str, Any]
_TO_ALL = "ApplyToAllVisibleSegments"
_KEYS = ("effect", "segment", "parameters", "masking", "region", _TO_ALL)


class LabelMap(NamedTuple):
    """Voxels and the segments that they belong to."""

    labels: Any
    """``vtkImageData`` with the table in its field data, or an array with the axes z, y, x.

    Segments that overlap are in different layers (`Segment.layer`). If there are several, an image
    has a point array for each, and an array a first axis more: layer, z, y, x.
    """
    segments: tuple[Segment, ...]
    """In display order."""


def validate_operation(operation: Any, *, where: str = "operation") -> Operation:
    """Check one operation and return it in its plain form.

    Parameters
    ----------
    operation : mapping
        With ``effect``, ``segment`` (not if it works on all segments at once, or has
        ``ApplyToAllVisibleSegments``) and, unless none is needed, ``parameters``; if it changes
        voxels, also with ``masking`` and ``region``.
    where : str, default "operation"
        Begins every message.

    Returns
    -------
    dict
        A new one, with plain Python values and ``parameters`` always present; what else was absent
        is not filled in.

    Raises
    ------
    TypeError
        A wrong kind of value; the text names it.
    ValueError
        An unknown effect, parameter or setting, a missing one, or a value that is not accepted.

    Examples
    --------
    >>> from segmentationcore import validate_operation
    >>> validate_operation({"effect": "margin", "segment": "bone"})
    {'effect': 'margin', 'segment': 'bone', 'parameters': {}}
    >>> validate_operation({"effect": "margn", "segment": "bone"})
    Traceback (most recent call last):
    ...
    ValueError: operation: effect is 'margn'; ... (did you mean 'margin'?)
    """
    if not isinstance(operation, Mapping):
        raise TypeError(
            f"{where} is {type(operation).__name__}; expected an object with {', '.join(_KEYS)}"
        )
    for key in operation:
        if key not in _KEYS:
            hint = _registry.suggestion(key, _KEYS)
            raise ValueError(
                f"{where}: unknown key {_registry.shown(key)}; expected {', '.join(_KEYS)}{hint}"
            )
    identifier = _text(operation, "effect", where)
    effects = _registry.effects()
    if identifier not in effects:
        hint = _registry.suggestion(identifier, effects)
        raise ValueError(
            f"{where}: effect is {_registry.shown(identifier)}; expected one of {[*effects]}{hint}"
        )
    effect = effects[identifier]
    checked: Operation = {"effect": identifier}
    to_all = False
    if _TO_ALL in operation:
        if effect["input"] != "segment":
            raise ValueError(
                f"{where} ({identifier}): {_TO_ALL} is given, which is for effects on one segment"
            )
        name = f"{where} ({identifier}): {_TO_ALL}"
        to_all = _registry.check_value({"type": "bool"}, operation[_TO_ALL], name)
        checked[_TO_ALL] = to_all
    if effect["input"] == "segments" or to_all:
        where = f"{where} ({identifier})"
        if "segment" in operation:
            does = (
                "is applied to all visible segments"
                if to_all
                else ("works on all visible segments at once")
            )
            raise ValueError(f"{where}: segment is given, but it {does}; leave it out")
    else:
        segment = checked["segment"] = _text(operation, "segment", where)
        if not segment:
            raise ValueError(f"{where} ({identifier}): segment is empty; expected a segment's id")
        where = f"{where} ({identifier} on {_registry.shown(segment)})"

    given = operation.get("parameters", {})
    checked["parameters"] = _check_object(given, effect["parameters"], where, "parameters")
    for key in ("masking", "region"):
        if key in operation:
            if effect["input"] == "table":
                raise ValueError(f"{where}: {key} is given, but this operation has none")
            setting = _registry.operation_settings()[key]
            values = _check_object(operation[key], setting["parameters"], where, key)
            for name, value, needed in setting["needs"]:
                if values.get(name) == value and values.get(needed, "") == "":
                    raise ValueError(f"{where}: {key}: {name} is {value!r}; it needs {needed}")
            _check_one_of(setting, values, f"{where}: {key}", f"in {key}")
            checked[key] = values
    return checked


def _check_one_of(
    setting: Mapping[str, Any], values: Mapping[str, Any], where: str, within: str
) -> None:
    """Check that one group of parameters is given as a whole, and no other."""
    groups = setting.get("one_of", [])
    if not groups:
        return
    either = ", or ".join(" and ".join(group) for group in groups)
    given = [group for group in groups if any(name in values for name in group)]
    if len(given) != 1:
        raise ValueError(f"{where} has {[*values]}; expected {either}")
    declared = {parameter["name"]: parameter for parameter in setting["parameters"]}
    for name in given[0]:
        if name not in values:
            accepted = _registry.accepted(declared[name])
            raise ValueError(
                f"{where.rpartition(': ')[0]}: {name} is missing {within}; expected {accepted}"
            )


def _text(operation: Mapping[str, Any], key: str, where: str) -> str:
    """Return a text that an operation must have."""
    if key not in operation:
        raise ValueError(f"{where}: key {key!r} is missing")
    return _registry.check_text(operation[key], f"{where}: {key}")


def _check_object(
    given: Any, parameters: Sequence[Mapping[str, Any]], where: str, key: str
) -> dict[str, Any]:
    """Check one object of an operation, its key, against what is declared."""
    if not isinstance(given, Mapping):
        raise TypeError(f"{where}: {key} is {type(given).__name__}; expected an object")
    declared = {parameter["name"]: parameter for parameter in parameters}
    for name in given:
        if name not in declared:
            hint = _registry.suggestion(name, declared)
            raise ValueError(
                f"{where}: {key} has no {_registry.shown(name)}; it has {[*declared]}{hint}"
            )
    for name, parameter in declared.items():
        if parameter.get("required") and name not in given:
            accepted = _registry.accepted(parameter)
            raise ValueError(f"{where}: {name} is missing in {key}; expected {accepted}")
    return {
        str(name): _registry.check_value(declared[name], value, f"{where}: {key}: {name}")
        for name, value in given.items()
    }


def validate_operations(operations: Any) -> list[Operation]:
    """Check one operation or a list of them; see `validate_operation`.

    Returns
    -------
    list of dict
        Messages of errors say which one, counted from 1.
    """
    if isinstance(operations, Mapping):
        return [validate_operation(operations)]
    if isinstance(operations, (str, bytes)) or not isinstance(operations, Iterable):
        raise TypeError(
            f"operations is {type(operations).__name__}; expected an operation or a list of them"
        )
    return [
        validate_operation(operation, where=f"operation {number}")
        for number, operation in enumerate(operations, start=1)
    ]


def read_operations(path: str | os.PathLike[str]) -> list[Operation]:
    """Read and check a JSON file with one operation or a list of them.

    Raises
    ------
    OSError
        The file cannot be read.
    TypeError, ValueError
        It is not JSON, or not operations; the text names file and culprit.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise ValueError(f"{os.fspath(path)}: not UTF-8 text: {error}") from error
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"{os.fspath(path)}: not valid JSON: {error}") from error
    try:
        return validate_operations(content)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{os.fspath(path)}: {error}") from error


def write_operations(path: str | os.PathLike[str], operations: Any) -> None:
    """Check operations and write them as a JSON list; an existing file is replaced at the end."""
    text = json.dumps(validate_operations(operations), indent=2, ensure_ascii=False) + "\n"
    replace_text(path, text)


def replace_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a text file aside and rename it, so that it is complete or as it was."""
    target = Path(path)
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        if os.name == "posix":
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(name, 0o666 & ~mask)  # as open() would have made it
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def apply_operations(
    volume: ImageLike,
    operations: Any,
    *,
    labels: Any = None,
    spacing: Sequence[float] | None = None,
    progress: Callable[[float], bool | None] | None = None,
) -> LabelMap:
    """Run operations one after another on a new or given label map.

    Parameters
    ----------
    volume : numpy.ndarray or vtkImageData
        The volume that effects such as threshold look at; gives the geometry. Never changed.
    operations : dict or list of dict
        See `validate_operation`. All are checked before the first one runs. Their points, vectors
        and regions are x, y, z also for arrays; the first voxel is then at the origin.
    labels : LabelMap, numpy.ndarray or vtkImageData, optional
        Where to start: what a former call or `read_segmentation` returned, or a plain label map
        (each value above 0 becomes a segment ``Segment_<value>``), on the same voxels as the
        volume. Empty and without segments when absent. Never changed.
    spacing : sequence of floats, optional
        For arrays: millimetres between voxels in the order of the axes; 1 when absent.
    progress : callable, optional
        Called with a fraction from 0 to 1; returning False cancels.

    Returns
    -------
    LabelMap
        ``labels`` is of the volume's kind, ``segments`` the table.

    Raises
    ------
    TypeError, ValueError
        Before anything runs.
    SegmentationCoreError
        An operation failed; the text says which one and why.
    Cancelled
        ``progress`` returned False, or Ctrl-C was pressed.

    Examples
    --------
    >>> import numpy as np
    >>> from segmentationcore import apply_operations
    >>> volume = np.arange(27, dtype=np.int16).reshape(3, 3, 3)
    >>> result = apply_operations(volume, [
    ...     {"effect": "add_segment", "segment": "bright", "parameters": {"Name": "Bright"}},
    ...     {"effect": "threshold", "segment": "bright", "parameters": {"MinimumThreshold": 20.0}},
    ... ])
    >>> int(np.count_nonzero(result.labels)), result.segments[0].name
    (7, 'Bright')
    """
    from ._arrays import image_of_array, is_image, point_array_name
    from ._compiled import find_class
    from ._pipeline import execute

    checked = validate_operations(operations)
    if is_image(volume):
        if spacing is not None:
            raise TypeError("apply_operations(): spacing is given, but a vtkImageData has its own")
        point_array_name(volume, "apply_operations(): volume")
        source: Any = volume.NewInstance()
        source.ShallowCopy(volume)
        axes = 0
    else:
        converted = image_of_array(volume, spacing, "Scalars", "apply_operations(): volume")
        source, axes = converted.image, converted.dimensions

    editor = find_class("vtkLabelMapEditor")()
    editor.SetInputDataObject(0, source)
    if labels is not None:
        what = "apply_operations(): labels"
        editor.SetInputDataObject(1, label_image(labels, source, axes or 3, what))
    editor.SetOperations(json.dumps(checked, ensure_ascii=False))
    execute(editor, "apply_operations()", progress)
    return label_map(editor.GetOutputDataObject(0), axes)


def label_map(output: Any, axes: int) -> LabelMap:
    """A label map that one of our classes made: as arrays of 2 or 3 axes, or as it is if 0."""
    import numpy as np

    from ._arrays import array_of_image

    segments = read_segments(output)
    if not axes:
        image = output.NewInstance()
        image.ShallowCopy(output)
        return LabelMap(image, segments)
    layers: list[Any] = []
    while output.GetPointData().HasArray(_layer_name(len(layers))):
        voxels = array_of_image(output, _layer_name(len(layers)), "the editor's result").array
        layers.append(voxels[0] if axes == 2 else voxels)
    return LabelMap(layers[0] if len(layers) == 1 else np.stack(layers), segments)


def _layer_name(layer: int) -> str:
    return f"Labels_{layer}" if layer else "Labels"


def label_image(labels: Any, volume: Any, axes: int, what: str) -> Any:
    """The label map to start from, as an image on the volume's voxels.

    ``volume`` is an image with the right geometry, ``axes`` (2 or 3) those of an array that has one
    layer. ``what`` begins the messages.
    """
    from ._arrays import image_of_array, is_image

    table: Sequence[Segment] | None = None
    voxels = labels
    if isinstance(labels, LabelMap):
        voxels, table = labels
    if is_image(voxels):
        image: Any = voxels.NewInstance()
        image.ShallowCopy(voxels)
        _check_dimensions(image, volume, what)
    else:
        layers = [voxels]
        if getattr(voxels, "ndim", 0) == axes + 1:
            layers = [*voxels]
        image = None
        for index, layer in enumerate(layers):
            one = image_of_array(layer, None, _layer_name(index), what).image
            if image is None:
                image = one
            else:
                image.GetPointData().AddArray(one.GetPointData().GetScalars())
        if image is None:
            raise ValueError(f"{what} has no layers (shape {voxels.shape})")
        _check_dimensions(image, volume, what)
        image.SetExtent(volume.GetExtent())
        image.SetOrigin(volume.GetOrigin())
        image.SetSpacing(volume.GetSpacing())
        image.SetDirectionMatrix(volume.GetDirectionMatrix())
    if table is not None:
        write_segments(image, table)
    return image


def _check_dimensions(image: Any, volume: Any, what: str) -> None:
    if image.GetDimensions() != volume.GetDimensions():
        raise ValueError(
            f"{what} has {image.GetDimensions()} voxels (x, y, z), the volume "
            f"{volume.GetDimensions()}; expected the same"
        )
