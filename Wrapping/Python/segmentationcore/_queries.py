"""What every query does: check, convert, run the filter, and make an array of its table.

A query measures segments and changes nothing. The functions in the generated ``_effects.py`` call
`run_table` and hold nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _registry
from ._arrays import array_of_image, check_array, image_of_array, is_image, point_array_name
from ._compiled import find_class
from ._pipeline import execute
from ._run import ImageLike, check_parameters, set_parameter
from .crops import VolumeCrop

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .operations import LabelMap
    from .segments import Segment

__all__ = [
    "ask_segment",
    "ask_segments",
    "ask_volume",
    "run_table",
    "run_table_of_volume",
    "run_volume",
    "split_by_segments",
    "statistics",
    "table_of_volume",
    "with_segments",
]

# Columns that have the order of an array's axes.
_VECTORS = {"centroid", "obb_origin"}
_VECTORS |= {f"{kind}_{axis}" for kind in ("principal_axis", "obb_direction") for axis in "xyz"}
_EXTENTS = ("extent",)

Progress = Callable[[float], "bool | None"]


def run_table(
    identifier: str,
    labels: ImageLike | LabelMap,
    volume: ImageLike | None,
    parameters: Mapping[str, Any],
    *,
    label: int | None = None,
    spacing: Sequence[float] | None = None,
    progress: Progress | None = None,
) -> NDArray[Any]:
    """Run a query that gives a table, by its identifier; the named functions are the usual way.

    Parameters and errors are those of the functions; ``parameters`` have their declared names.
    ``label`` is for queries on one segment.
    """
    from .operations import LabelMap

    query = _registry.queries()[identifier]
    checked = check_parameters(query, parameters)
    if label is not None:
        label = _registry.check_label(label, f"{identifier}(): label")
    _check_progress(progress, identifier)
    what = f"{identifier}(): labels"
    segments: Sequence[Segment] | None = None
    if isinstance(labels, LabelMap) and query["input"] == "segments":
        labels, segments = labels
    image, on_array = _as_image(labels, spacing, what, layers=segments is not None)
    source = None
    if volume is not None:
        source = _volume_beside(identifier, labels, image, on_array, volume, spacing)
    if segments is None:
        name = point_array_name(image, what)
        table = _run(query, checked, image, name, source, progress, label)
    else:
        from .segments import write_segments

        write_segments(image, segments)
        table = _run_layers(query, checked, image, segments, source, progress)
    return _to_array_order(table) if on_array else table


def run_table_of_volume(
    identifier: str,
    volume: ImageLike,
    parameters: Mapping[str, Any],
    *,
    spacing: Sequence[float] | None = None,
    progress: Progress | None = None,
) -> NDArray[Any]:
    """Run a query that gives a table of a volume; the named functions are the usual way.

    Parameters and errors are those of the functions; ``parameters`` have their declared names.
    """
    query = _registry.queries()[identifier]
    axes = 0 if is_image(volume) else 2 if getattr(volume, "ndim", 3) == 2 else 3
    checked = check_parameters(query, parameters, axes)
    _check_progress(progress, identifier)
    what = f"{identifier}(): volume"
    image, _on_array = _as_image(volume, spacing, what)
    return _run(query, checked, image, point_array_name(image, what), None, progress)


def table_of_volume(
    identifier: str,
    image: Any,
    parameters: Mapping[str, Any],
    *,
    where: str,
    axes: int = 0,
    progress: Progress | None = None,
) -> NDArray[Any]:
    """The same of an image, with points and vectors in the order of an array with these axes.

    ``parameters`` have the function's spelling; ``where`` begins messages.
    """
    query = _registry.queries()[identifier]
    declared = _declared(query, parameters, where)
    for parameter in query["parameters"]:
        if parameter.get("required") and parameter["name"] not in declared:
            raise TypeError(f"{where} needs {_registry.snake_case(parameter['name'])}")
    checked = check_parameters(query, declared, axes)
    return ask_volume(query, checked, image, where=where, progress=progress)


def run_volume(
    identifier: str,
    labels: ImageLike,
    volume: ImageLike | None,
    parameters: Mapping[str, Any],
    *,
    label: int = 1,
    spacing: Sequence[float] | None = None,
    progress: Progress | None = None,
) -> Any:
    """Run a query that gives a volume, by its identifier; the named functions are the usual way.

    Parameters and errors are those of the functions; ``parameters`` have their declared names.
    """
    query = _registry.queries()[identifier]
    checked = check_parameters(query, parameters)
    label = _registry.check_label(label, f"{identifier}(): label")
    _check_progress(progress, identifier)
    what = f"{identifier}(): labels"
    image, on_array = _as_image(labels, spacing, what)
    name = point_array_name(image, what)
    # A query that reads no volume adds its own to the label map.
    source, array = None, ""
    if volume is not None:
        source = _volume_beside(identifier, labels, image, on_array, volume, spacing)
        array = point_array_name(source, f"{identifier}(): volume")
    algorithm = _filter(query, checked, image, name, source)
    algorithm.SetSegmentLabel(label)
    execute(algorithm, f"{identifier}()", progress)
    output = algorithm.GetOutput()
    if not on_array:
        result = (image if source is None else source).NewInstance()
        result.ShallowCopy(output)
        return result
    if source is None:
        voxels = array_of_image(output, output.GetPointData().GetScalars().GetName()).array
        return voxels[0] if np.ndim(labels) == 2 else voxels
    if query["crops"]:
        return _crop(output, array, volume, source.GetExtent()[::2])
    return _like(array_of_image(output, array).array, 0, volume)


def _like(voxels: NDArray[Any], slice_number: int, volume: Any) -> NDArray[Any]:
    """The voxels of a result with the axes and the type of the array that was given."""
    voxels = voxels[slice_number] if np.ndim(volume) == 2 else voxels
    return voxels.view(np.bool_) if getattr(volume, "dtype", None) == np.bool_ else voxels


def _crop(image: Any, array: str, volume: Any, start: Sequence[int]) -> VolumeCrop:
    """A part of an array whose first voxel has the index ``start``, x, y, z."""
    axes = np.ndim(volume)
    first = list(image.GetExtent()[::2])
    # An array of two axes has one slice, and so has the part.
    slice_number = start[2] - first[2]
    if axes == 2:
        first[2] = start[2]
    position = [0.0, 0.0, 0.0]
    image.TransformIndexToPhysicalPoint(*first, position)
    voxels = _like(array_of_image(image, array).array, slice_number, volume)
    offset = [first[axis] - start[axis] for axis in range(axes)]
    return VolumeCrop(voxels, tuple(reversed(offset)), tuple(reversed(position[:axes])))


def split_by_segments(
    image: Any,
    source: Any,
    volume: Any,
    segments: Sequence[Segment],
    parameters: Mapping[str, Any],
    *,
    where: str,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """``split_volume`` of some segments of an image with a segment table, by identifier.

    ``parameters`` have the function's spelling; ``where`` begins messages. ``source`` is ``volume``
    as an image.
    """
    query = _registry.queries()["split_volume"]
    checked = check_parameters(query, _declared(query, parameters, where))
    array = point_array_name(source, f"{where}: volume")
    crops: dict[str, Any] = {}
    for number, segment in enumerate(segments):
        part = part_of(progress, number, len(segments))
        output = ask_segment(query, checked, image, segment, source, where=where, progress=part)
        if is_image(volume):
            crops[segment.id] = output
        else:
            crops[segment.id] = _crop(output, array, volume, source.GetExtent()[::2])
    return crops


def ask_segment(
    query: Mapping[str, Any],
    checked: Mapping[str, Any],
    image: Any,
    segment: Segment,
    source: Any,
    *,
    where: str,
    progress: Progress | None = None,
) -> Any:
    """What a query on one segment says of it: a structured array or a vtkImageData.

    ``checked`` is what `check_parameters` returned; ``image`` has the segment's layer, ``source``
    is the volume as an image, if the query reads one.
    """
    algorithm = _filter(query, checked, image, segment.array_name, source)
    algorithm.SetSegmentLabel(segment.label_value)
    execute(algorithm, where, progress)
    output = algorithm.GetOutput()
    if query["output"] == "table":
        return structured(output)
    result = (image if source is None else source).NewInstance()
    result.ShallowCopy(output)
    return result


def ask_segments(
    query: Mapping[str, Any],
    checked: Mapping[str, Any],
    image: Any,
    source: Any,
    *,
    progress: Progress | None = None,
) -> NDArray[Any]:
    """What a query says of all segments of an image with a segment table: a row for each."""
    from .segments import read_segments

    return _run_layers(query, checked, image, read_segments(image), source, progress)


def _check_progress(progress: Progress | None, identifier: str) -> None:
    if progress is not None and not callable(progress):
        raise TypeError(
            f"{identifier}(): progress is {type(progress).__name__}; expected a callable"
        )


def _volume_beside(
    identifier: str,
    labels: Any,
    image: Any,
    on_array: bool,
    volume: ImageLike,
    spacing: Sequence[float] | None,
) -> Any:
    """The volume as an image, if it is of the same kind and shape as the labels."""
    source, volume_on_array = _as_image(volume, spacing, f"{identifier}(): volume")
    if on_array != volume_on_array:
        raise TypeError(
            f"{identifier}(): volume is {type(volume).__name__} and labels "
            f"{type(labels).__name__}; expected the same kind"
        )
    if on_array and source.GetDimensions() != image.GetDimensions():
        raise ValueError(
            f"{identifier}(): volume has the shape {np.shape(volume)}; expected that of "
            f"labels, {np.shape(labels)}"
        )
    return source


def statistics(
    image: Any,
    source: Any,
    parameters: Mapping[str, Any],
    *,
    where: str,
    array_order: bool = False,
    progress: Progress | None = None,
) -> NDArray[Any]:
    """``segment_statistics`` of the segments of an image with a segment table.

    ``parameters`` have the function's spelling; ``where`` begins messages.
    """
    query = _registry.queries()["segment_statistics"]
    checked = check_statistics(parameters, where)
    table = ask_segments(query, checked, image, source, progress=progress)
    return _to_array_order(table) if array_order else table


def ask_volume(
    query: Mapping[str, Any],
    checked: Mapping[str, Any],
    image: Any,
    *,
    where: str,
    progress: Progress | None = None,
) -> NDArray[Any]:
    """What a query says of a volume; ``where`` begins messages."""
    array = point_array_name(image, f"{where}: volume")
    return _run(query, checked, image, array, None, progress)


def with_segments(segments: Sequence[Segment], tables: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """The tables of some segments in one; the first column says whose a row is."""
    kinds = [("segment", np.dtype(object)), *_fields(tables[0].dtype)]
    rows = np.zeros(sum(len(table) for table in tables), dtype=kinds)
    rows["segment"] = np.repeat(
        np.array([segment.id for segment in segments], dtype=object),
        [len(table) for table in tables],
    )
    joined = np.concatenate(tables)
    for name in joined.dtype.names or ():
        rows[name] = joined[name]
    return rows


def _fields(dtype: np.dtype[Any]) -> list[tuple[str, np.dtype[Any]]]:
    return [(name, dtype[name]) for name in dtype.names or ()]


def _declared(
    query: Mapping[str, Any], parameters: Mapping[str, Any], where: str
) -> dict[str, Any]:
    """Parameters in the function's spelling, or by their declared names, by the latter."""
    names = {_registry.snake_case(p["name"]): p["name"] for p in query["parameters"]}
    declared = set(names.values())
    given: dict[str, Any] = {}
    for key, value in parameters.items():
        name = key if key in declared else names.get(key)
        if name is None or name in given:
            hint = _registry.suggestion(key, names)
            what = f"has no parameter {key!r}" if name is None else f"is given {key!r} twice"
            raise TypeError(f"{where} {what}; it has {[*names]}{hint}")
        given[name] = value
    return given


def check_statistics(parameters: Mapping[str, Any], where: str) -> dict[str, Any]:
    """What to measure, in the function's spelling or by the declared names, checked."""
    query = _registry.queries()["segment_statistics"]
    return check_parameters(query, _declared(query, parameters, where))


def _as_image(
    data: Any, spacing: Sequence[float] | None, what: str, layers: bool = False
) -> tuple[Any, bool]:
    """A label map or volume as an image that is ours, and whether it was an array."""
    if is_image(data):
        if spacing is not None:
            function = what.partition(":")[0]
            raise TypeError(f"{function}: spacing is given, but a vtkImageData has its own")
        image = data.NewInstance()
        image.ShallowCopy(data)
        return image, False
    if layers and getattr(data, "ndim", 0) == 4:
        image = None
        for index, layer in enumerate(data):
            name = f"Labels_{index}" if index else "Labels"
            one = image_of_array(layer, spacing, name, what).image
            if image is None:
                image = one
            else:
                image.GetPointData().AddArray(one.GetPointData().GetScalars())
        return image, True
    array = check_array(data, what)
    return image_of_array(array, spacing, "Labels" if layers else "Scalars", what).image, True


def _run(
    query: Mapping[str, Any],
    checked: Mapping[str, Any],
    image: Any,
    array: str,
    source: Any,
    progress: Progress | None,
    label: int | None = None,
) -> NDArray[Any]:
    """The table of one label array, or of a label in it."""
    algorithm = _filter(query, checked, image, array, source)
    if label is not None:
        algorithm.SetSegmentLabel(label)
    execute(algorithm, f"{query['identifier']}()", progress)
    return structured(algorithm.GetOutput())


def _filter(
    query: Mapping[str, Any], checked: Mapping[str, Any], image: Any, array: str, source: Any
) -> Any:
    """The query's filter with parameters that `check_parameters` returned, and its inputs."""
    algorithm = find_class(query["class"])()
    for parameter in query["parameters"]:
        if parameter["name"] in checked:
            set_parameter(algorithm, parameter, checked[parameter["name"]])
    algorithm.SetInputDataObject(0, image)
    algorithm.SetInputArrayToProcess(0, 0, 0, 0, array)  # of points
    if source is not None:
        algorithm.SetInputDataObject(1, source)
    return algorithm


def structured(table: Any) -> NDArray[Any]:
    """A vtkTable as a structured array; columns of several components become vectors."""
    from vtkmodules.util import numpy_support

    support: Any = numpy_support  # has no types
    columns: dict[str, NDArray[Any]] = {}
    for number in range(table.GetNumberOfColumns()):
        column = table.GetColumn(number)
        if column.IsA("vtkStringArray"):
            texts = [column.GetValue(row) for row in range(column.GetNumberOfValues())]
            columns[column.GetName()] = np.array(texts, dtype=object)
        else:
            columns[column.GetName()] = support.vtk_to_numpy(column)
    kinds = [(name, values.dtype, values.shape[1:]) for name, values in columns.items()]
    rows = np.zeros(table.GetNumberOfRows(), dtype=kinds)
    for name, values in columns.items():
        rows[name] = values
    return rows


def _run_layers(
    query: Mapping[str, Any],
    checked: Mapping[str, Any],
    image: Any,
    segments: Sequence[Segment],
    source: Any,
    progress: Progress | None,
) -> NDArray[Any]:
    """One row for each segment, of the layer that it is in; zeros and NaN for empty ones."""
    layers = layers_of(segments)
    tables = {}
    for number, layer in enumerate(layers):
        tables[layer] = _run(
            query, checked, image, layer, source, part_of(progress, number, len(layers))
        )
    return rows_of_layers(segments, tables)


def layers_of(segments: Sequence[Segment]) -> list[str]:
    """The arrays that segments are in; the first layer's if there are none."""
    return list(dict.fromkeys(segment.array_name for segment in segments)) or ["Labels"]


def rows_of_layers(segments: Sequence[Segment], tables: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    """One row for each segment from the tables of their layers; zeros and NaN for empty ones."""
    rows = np.zeros(len(segments), dtype=next(iter(tables.values())).dtype)
    for name in rows.dtype.names or ():
        if rows.dtype[name].base.kind == "f" and not name.startswith("volume_"):
            rows[name] = np.nan
    for row, segment in enumerate(segments):
        table = tables[segment.array_name]
        found = np.flatnonzero(table["label"] == segment.label_value)
        if found.size:
            rows[row] = table[found[0]]
        else:
            rows[row]["label"] = segment.label_value
            rows[row]["segment"], rows[row]["name"] = segment.id, segment.name or segment.id
    return rows


def part_of(progress: Progress | None, number: int, count: int) -> Progress | None:
    """The progress of one of several runs."""
    if progress is None:
        return None
    report = progress
    return lambda fraction: report((number + fraction) / count)


def _to_array_order(table: NDArray[Any]) -> NDArray[Any]:
    """Positions, directions and extents in the order of an array's axes."""
    for name in table.dtype.names or ():
        if name in _VECTORS:
            table[name] = table[name][:, ::-1].copy()
        elif name in _EXTENTS:
            pairs = table[name].reshape(-1, 3, 2)
            table[name] = pairs[:, ::-1].reshape(-1, 6).copy()
    return table
