"""Arguments for the tests: what an effect cannot run without, in terms of the image it is given.

Points, vectors and other segments cannot be taken from a declaration: what is worth trying depends
on the image. A test says them for any image: points as fractions of the way from the first voxel to
the last on each axis, vectors along the axes, matrices as maps of such fractions, other segments by
their labels, all in the order of an array's axes (z, y, x). `arguments` makes of them what the
function takes for an array or image.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sample_data import smooth_volume
from segmentationcore import to_image
from segmentationcore._registry import snake_case
from vtkmodules.vtkCommonDataModel import vtkImageData

# In a volume of 11 x 13 x 16 voxels: no point near the middle between two voxels, one of them
# outside, and from one to the next an odd number of voxels along the axis with most of them, so
# that no voxel of the line between is a tie either. Turned and mirrored strokes are then the same.
POINTS = (
    (1.2 / 10, 2.3 / 12, 2.1 / 15),
    (4.1 / 10, 8.8 / 12, 7.3 / 15),
    (8.3 / 10, 5.2 / 12, 16.4 / 15),
    (2.7 / 10, 10.8 / 12, 9.4 / 15),
)
# What is seen at x, y; the depth; and a camera that looks along all axes.
ALONG_Z = ((0.0, 0.0, 1.0, 0.0), (0.0, 1.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0))
CAMERA = ((0.1, 0.3, 1.1, 0.0), (0.2, 0.9, -0.2, 0.1), (0.9, 0.1, 0.0, 0.5), (0.7, 0.2, 0.1, 1.0))
OBLIQUE = (0.6, -0.64, 0.48)
OTHER_LABEL = 2

Effect = Mapping[str, Any]
Case = Mapping[str, Any]


def samples(effect: Effect) -> dict[str, Any]:
    """The arguments of this module's kinds, by the names of their parameters."""
    values = {"points": POINTS, "matrix": ALONG_Z, "segment": OTHER_LABEL}
    return {
        p["name"]: values[p["type"]] if p["type"] in values else tuple(reversed(p["default"]))
        for p in effect["parameters"]
        if p["type"] in ("points", "matrix", "segment", "vector")
    }


def arguments(
    effect: Effect, case: Case, data: Any, spacing: Sequence[float] | None = None
) -> dict[str, Any]:
    """What the function takes for this array or image, by the declared names."""
    result = dict(case)
    for name, sample in samples(effect).items():
        kind = next(p["type"] for p in effect["parameters"] if p["name"] == name)
        if kind == "vector" and name not in case and not isinstance(data, vtkImageData):
            continue  # absent: the default is along the axes of any array
        value = case.get(name, sample)
        convert = {"points": _points, "vector": _vector, "matrix": _matrix}.get(kind)
        result[name] = convert(np.array(value), data, spacing) if convert else value
    return result


def beside(effect: Effect, data: Any, change: Any = None) -> dict[str, Any]:
    """The volume for effects that read one beside a label map, as a keyword; else none.

    The same for all label maps of a shape. ``change`` turns it as the label map was turned.
    """
    if not effect["volume"]:
        return {}
    if not isinstance(data, vtkImageData):
        shape = data.shape if isinstance(data, np.ndarray) and data.ndim in (2, 3) else (2, 2, 2)
        volume = smooth_volume(shape, 11)
        return {"volume": change(volume) if change else volume}
    image = vtkImageData()
    image.CopyStructure(data)
    if data.GetNumberOfPoints():
        values = to_image(smooth_volume(tuple(reversed(data.GetDimensions())), 11))
        image.GetPointData().SetScalars(values.GetPointData().GetScalars())
    return {"volume": image}


def keywords(values: Case) -> dict[str, Any]:
    """The same in the spelling of the functions."""
    return {snake_case(name): value for name, value in values.items()}


def _points(fractions: np.ndarray, data: Any, spacing: Sequence[float] | None) -> Any:
    if not isinstance(data, (np.ndarray, vtkImageData)):
        return fractions  # of what will be refused
    if isinstance(data, np.ndarray):
        shape = np.array(np.shape(data))
        steps = np.ones(shape.size) if spacing is None else np.array(spacing)
        return fractions[:, -shape.size :] * (shape - 1) * steps
    extent = np.array(data.GetExtent()).reshape(3, 2)
    indices = extent[:, 0] + fractions[:, ::-1] * (extent[:, 1] - extent[:, 0])
    world = [[0.0] * 3 for _ in indices]
    for index, point in zip(indices, world, strict=True):
        data.TransformContinuousIndexToPhysicalPoint(*index, point)
    return world


def _vector(along: np.ndarray, data: Any, _spacing: Sequence[float] | None) -> Any:
    if not isinstance(data, vtkImageData):
        return along
    matrix = data.GetDirectionMatrix()
    rows = [[matrix.GetElement(row, axis) for axis in range(3)] for row in range(3)]
    return list(np.array(rows) @ along[::-1])


def _matrix(view: np.ndarray, data: Any, spacing: Sequence[float] | None) -> Any:
    """From a map of fractions to one of millimetres; one voxel is at 0."""
    to_fractions = np.eye(4)
    if not isinstance(data, vtkImageData):
        shape = np.array(np.shape(data)) if isinstance(data, np.ndarray) else np.ones(3)
        steps = np.ones(shape.size) if spacing is None else np.array(spacing)
        # A slice of two axes has a third one, and is at 0 on it.
        to_fractions[range(3 - shape.size, 3), range(3 - shape.size, 3)] = 1 / (
            np.maximum(shape - 1, 1) * steps
        )
        return view @ to_fractions
    extent = np.array(data.GetExtent()).reshape(3, 2)
    matrix = data.GetDirectionMatrix()
    rows = [[matrix.GetElement(row, axis) for axis in range(3)] for row in range(3)]
    to_index = np.eye(4)
    to_index[:3, :3] = np.linalg.inv(np.array(rows) * data.GetSpacing())
    to_index[:3, 3] = -to_index[:3, :3] @ data.GetOrigin() - extent[:, 0]
    to_fractions[range(3), range(3)] = 1 / np.maximum(extent[:, 1] - extent[:, 0], 1)
    xyz = view[:, [2, 1, 0, 3]]
    return (xyz @ to_fractions @ to_index).ravel().tolist()


def turned(effect: Effect, case: Case, order: Sequence[int]) -> dict[str, Any]:
    """The case for an array whose axes were put into another order, as by np.transpose."""

    def turn(value: Any, kind: str) -> Any:
        columns = [*order, 3] if kind == "matrix" else list(order)
        return np.array(value)[..., columns]

    return _changed(effect, case, turn)


def mirrored(effect: Effect, case: Case, axes: Sequence[int]) -> dict[str, Any]:
    """The case for an array that was flipped along some axes."""

    def flip(value: Any, kind: str) -> Any:
        result = np.array(value)
        for axis in axes:
            part = result[..., axis].copy()
            result[..., axis] = 1.0 - part if kind == "points" else -part
            if kind == "matrix":
                result[:, 3] += part
        return result

    return _changed(effect, case, flip)


def _changed(effect: Effect, case: Case, change: Any) -> dict[str, Any]:
    kinds = {p["name"]: p["type"] for p in effect["parameters"]}
    values = samples(effect) | dict(case)
    spatial = ("points", "vector", "matrix")
    return {**case, **{k: change(v, kinds[k]) for k, v in values.items() if kinds[k] in spatial}}


def renumbered(effect: Effect, case: Case, numbers: Sequence[int]) -> dict[str, Any]:
    """The case for a label map in which each label became another one."""
    kinds = {p["name"]: p["type"] for p in effect["parameters"]}
    values = samples(effect) | dict(case)
    return {
        **case,
        **{k: int(numbers[int(v)]) for k, v in values.items() if kinds[k] == "segment"},
    }
