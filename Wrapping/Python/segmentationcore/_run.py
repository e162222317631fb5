"""What every effect function does: check, convert, run the filter, convert back.

The functions in the generated ``_effects.py`` call `run_effect` and hold nothing else.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _registry
from ._arrays import array_of_image, check_array, image_of_array, is_image, point_array_name
from ._compiled import find_class
from ._pipeline import execute
from .errors import SegmentationCoreError

if TYPE_CHECKING:
    from typing import TypeAlias

    from numpy.typing import NDArray
    from vtkmodules.vtkCommonDataModel import vtkImageData

    ImageLike: TypeAlias = NDArray[Any] | vtkImageData
else:  # the package imports no VTK before it is needed
    ImageLike = Any

__all__ = ["ImageLike", "run_effect"]

VOLUME_RESULT = "Labels"


def check_parameters(
    effect: Mapping[str, Any], parameters: Mapping[str, Any], axes: int = 0
) -> dict[str, Any]:
    """Check a function's arguments; messages use the function's names.

    Returns what an operation would hold: points, vectors and the columns of matrices have the order
    x, y, z. In ``parameters`` they have that of an array with this many ``axes``, or x, y, z if it
    is 0.
    """
    checked = {}
    for parameter in effect["parameters"]:
        if parameter["name"] in parameters:
            value = parameters[parameter["name"]]
            where = f"{effect['identifier']}(): {_registry.snake_case(parameter['name'])}"
            if value is None and parameter["type"] in ("vector", "matrix", "segment"):
                continue  # the filter has the default
            checked[parameter["name"]] = check_argument(parameter, value, where, axes)
    return checked


def check_argument(parameter: Mapping[str, Any], value: Any, where: str, axes: int) -> Any:
    kind = parameter["type"]
    if kind == "points":
        points = _registry.check_points(
            value,
            where,
            "zyx"[-axes:] if axes else "xyz",
            required="default" not in parameter,
        )
        # A slice of two axes lies at z = 0.
        return [[*reversed(point), 0.0][:3] for point in points] if axes else points
    if kind == "segment":
        return _check_label_text(value, where)
    checked = _registry.check_value(parameter, value, where)
    if kind == "matrix" and axes:
        # The columns of x, y and z; the fourth one stays.
        rows = [checked[at : at + 4] for at in range(0, 16, 4)]
        return [number for row in rows for number in (*row[2::-1], row[3])]
    return checked[::-1] if kind == "vector" and axes else checked


def _check_label_text(value: Any, where: str) -> str:
    """The name of another segment in a plain label map: its value, as a text."""
    if isinstance(value, str):
        if not value.isdecimal():
            raise ValueError(f"{where} is {value!r}; expected the value of a label, or its text")
        value = int(value)
    return str(_registry.check_label(value, where))


def set_parameter(algorithm: Any, parameter: Mapping[str, Any], value: Any) -> None:
    """Set a filter's parameter to a value as `check_parameters` returns it."""
    if parameter["type"] == "points":
        algorithm.RemoveAllPoints()
        for point in value:
            algorithm.AddPoint(*point)
        return
    if parameter["type"] == "numbers":
        getattr(algorithm, f"RemoveAll{parameter['name']}")()
        for number in value:
            getattr(algorithm, f"Add{parameter['name'][:-1]}")(number)
        return
    setter = getattr(algorithm, f"Set{parameter['name']}")
    if parameter["type"] == "vector":
        setter(*value)
    else:
        setter(_registry.setter_value(parameter, value))


def make_filter(effect: Mapping[str, Any], checked: Mapping[str, Any], label: int) -> Any:
    """The effect's filter with parameters that `check_parameters` returned."""
    algorithm = find_class(effect["class"])()
    for parameter in effect["parameters"]:
        if parameter["name"] in checked:
            set_parameter(algorithm, parameter, checked[parameter["name"]])
    algorithm.SetSegmentLabel(label)
    return algorithm


def _check_label_fits(label: int, dtype: np.dtype[Any], name: str) -> None:
    if dtype.kind == "b":
        largest = 1
    elif dtype.kind in "iu":
        largest = int(np.iinfo(dtype).max)
    else:  # beyond its digits a float cannot tell neighbouring labels apart
        largest = int(2 ** (np.finfo(dtype).nmant + 1))
    if label > largest:
        raise ValueError(f"{name} is {label}; a label map of type {dtype} holds up to {largest}")


def check_out(out: Any, data: Any, function: str, is_volume: bool) -> NDArray[Any]:
    """Refuse an array that the result cannot go to; ``is_volume``: of whatever type it is."""
    if not isinstance(out, np.ndarray):
        raise TypeError(f"{function}(): out is {type(out).__name__}; expected a numpy.ndarray")
    if not isinstance(data, np.ndarray):
        raise TypeError(f"{function}(): out is given, but the input is no numpy.ndarray")
    native = data.dtype.newbyteorder("=")
    # The filter decides on the type of what it makes of a volume.
    if out.shape != data.shape or (not is_volume and out.dtype.newbyteorder("=") != native):
        expected = f"{data.shape}" if is_volume else f"{data.shape} and {native}, as the input"
        raise ValueError(
            f"{function}(): out has shape {out.shape} and type {out.dtype}; expected {expected}"
        )
    if not out.flags.writeable:
        raise ValueError(f"{function}(): out is read-only")
    try:
        overlap = np.shares_memory(out, data, max_work=100_000)  # type: ignore[arg-type]
    except RuntimeError:  # numpy's TooHardError: rather refuse than change the input
        overlap = True
    if overlap:
        raise ValueError(
            f"{function}(): out shares memory with the input, which is never changed; "
            "give another array"
        )
    return out


def offered(out: NDArray[Any] | None) -> vtkImageData:
    """An image for the result that has the caller's memory, if that has the layout of an image."""
    if out is not None and out.dtype.isnative and out.flags.c_contiguous and out.flags.aligned:
        with contextlib.suppress(TypeError):  # no type of VTK: the result will be copied
            return image_of_array(out).image
    from vtkmodules.vtkCommonDataModel import vtkImageData

    return vtkImageData()


def into(out: NDArray[Any], voxels: NDArray[Any], function: str) -> NDArray[Any]:
    """The result in the caller's array; nothing to do if the filter wrote there."""
    if np.may_share_memory(out, voxels):
        return out
    if out.dtype.kind == "b" and voxels.dtype.kind == "u":
        fits = bool(voxels.max() <= 1)
    else:
        fits = np.can_cast(voxels.dtype, out.dtype, "safe")
    if not fits:
        raise ValueError(
            f"{function}(): out has the type {out.dtype}, which does not hold every value of "
            f"the result's, {voxels.dtype}"
        )
    out[...] = voxels
    return out


def _volume_beside(
    labels: ImageLike, volume: Any, spacing: Sequence[float] | None, what: str
) -> Any:
    """The volume that an effect reads beside a label map, as an image on the same voxels."""
    if is_image(labels) != is_image(volume):
        raise TypeError(
            f"{what} is {type(volume).__name__} and labels is {type(labels).__name__}; "
            "expected two numpy.ndarray or two vtkImageData"
        )
    if is_image(volume):
        point_array_name(volume, what)
        source: Any = volume.NewInstance()
        source.ShallowCopy(volume)
        return source
    array = check_array(volume, what)
    if array.shape != labels.shape:
        raise ValueError(f"{what} has the shape {array.shape}; expected {labels.shape}, as labels")
    return image_of_array(array, spacing, "Volume", what).image


def run_effect(
    identifier: str,
    data: ImageLike,
    parameters: Mapping[str, Any],
    *,
    volume: ImageLike | None = None,
    label: int = 1,
    spacing: Sequence[float] | None = None,
    out: NDArray[Any] | None = None,
    progress: Callable[[float], bool | None] | None = None,
) -> Any:
    """Run an effect by its identifier; the named functions are the usual way.

    Parameters
    ----------
    identifier : str
        As in docs/effects.md.
    data : numpy.ndarray or vtkImageData
        The volume or label map; never changed.
    parameters : mapping
        By their declared names, as ``{"MarginSizeMm": 2.0}``; absent ones have their default.
        Points and vectors are in the order of an array's axes, as in the functions.
    volume : numpy.ndarray or vtkImageData, optional
        For effects that read one beside a label map, which need it.
    label, spacing, out, progress
        As in the functions.

    Returns
    -------
    numpy.ndarray or vtkImageData
        As in the functions.

    Raises
    ------
    TypeError, ValueError
        Before VTK is touched.
    SegmentationCoreError
        The filter failed.
    Cancelled
        ``progress`` returned False, or Ctrl-C was pressed.
    """
    effects = _registry.voxel_effects()
    if identifier not in effects:
        hint = _registry.suggestion(identifier, effects)
        raise ValueError(f"effect is {identifier!r}; expected one of {sorted(effects)}{hint}")
    effect = effects[identifier]
    names = [parameter["name"] for parameter in effect["parameters"]]
    for name in parameters:
        if name not in names:
            hint = _registry.suggestion(name, names)
            raise TypeError(f"{identifier}() has no parameter {name!r}; it has {names}{hint}")
    for parameter in effect["parameters"]:
        if parameter.get("required") and parameter["name"] not in parameters:
            raise TypeError(f"{identifier}() needs the parameter {parameter['name']!r}")
    # What is no array at all is refused below.
    axes = 0 if is_image(data) else 2 if getattr(data, "ndim", 3) == 2 else 3
    checked = check_parameters(effect, parameters, axes)
    label = _registry.check_label(label, f"{identifier}(): label")
    if progress is not None and not callable(progress):
        raise TypeError(
            f"{identifier}(): progress is {type(progress).__name__}; expected a callable"
        )
    if effect["volume"] != (volume is not None):
        raise TypeError(
            f"{identifier}() "
            + (
                "needs the argument volume: it reads a volume beside the labels"
                if effect["volume"]
                else "takes no volume beside its input"
            )
        )
    is_volume = effect["input"] == "volume"
    what = f"{identifier}(): {'volume' if is_volume else 'labels'}"

    if is_image(data):
        if spacing is not None:
            raise TypeError(f"{identifier}(): spacing is given, but a vtkImageData has its own")
        if out is not None:
            check_out(out, data, identifier, is_volume)
        name = point_array_name(data, what)
        if not is_volume:
            scalars = data.GetPointData().GetScalars()
            dtype = array_of_image(data, None, what).array.dtype if scalars else np.dtype("u1")
            _check_label_fits(label, dtype, f"{identifier}(): label")
        source: Any = data.NewInstance()
        source.ShallowCopy(data)  # the caller's object stays out of our pipeline
        dimensions, result_type = 3, None
    else:
        array = check_array(data, what)
        if not is_volume:
            _check_label_fits(label, array.dtype, f"{identifier}(): label")
        if out is not None:
            out = check_out(out, array, identifier, is_volume)
        name = "Scalars"
        converted = image_of_array(array, spacing, name, what)
        source, dimensions, result_type = converted.image, converted.dimensions, converted.dtype

    algorithm = make_filter(effect, checked, label)
    algorithm.SetInputDataObject(source)
    if volume is not None:
        if out is not None and isinstance(volume, np.ndarray) and np.may_share_memory(out, volume):
            raise ValueError(f"{identifier}(): out shares memory with volume; give another array")
        algorithm.SetVolumeData(_volume_beside(data, volume, spacing, f"{identifier}(): volume"))
    if out is None or progress is not None:  # cancelling leaves `out` as it was
        execute(algorithm, f"{identifier}()", progress)
        output = algorithm.GetOutput()
    else:
        # Labels of a volume may be others than 0 and 1, which no bool array may hold.
        output = offered(None if is_volume and out.dtype.kind == "b" else out)
        run = functools.partial(algorithm.Apply, source, output)
        execute(algorithm, f"{identifier}()", None, run)
    if output.GetNumberOfPoints() != source.GetNumberOfPoints():
        raise SegmentationCoreError(f"{identifier}(): the filter produced no result")

    if is_image(data):
        # An instance of the caller's class (vtkOrientedImageData, say) with the result's arrays.
        result = data.NewInstance()
        result.ShallowCopy(data)
        result.GetPointData().ShallowCopy(output.GetPointData())
        result.GetCellData().ShallowCopy(output.GetCellData())
        result.GetFieldData().ShallowCopy(output.GetFieldData())
        return result

    voxels = array_of_image(output, VOLUME_RESULT if is_volume else name).array
    if dimensions == 2:
        voxels = voxels[0]
    if result_type is not None and result_type.kind == "b" and not is_volume:
        voxels = voxels.view(np.bool_)
    if out is not None:
        return into(out, voxels, identifier)
    if np.may_share_memory(voxels, data):  # a filter that passed its input through
        voxels = voxels.copy()
    return voxels
