"""No result depends on how the image is cut: effects and queries in random numbers of blocks.

On real images, and on data that is made against it: components that wind through all blocks or
touch each of them, checkerboards, plateaus, ties, and what lies alone at the corners of blocks.
Ranks, and queries that are cut by ranks only, are the business of the C++ tests.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sample_data import assert_same, noise, template
from sample_parameters import arguments
from segmentationcore import to_image
from segmentationcore._pipeline import execute
from segmentationcore._registry import queries, voxel_effects
from segmentationcore._run import check_parameters, find_class, set_parameter
from session_world import TURNED
from vtkmodules.util import numpy_support
from vtkmodules.vtkCommonDataModel import vtkImageData, vtkTable

pytestmark = pytest.mark.python

EFFECTS = {
    name: effect
    for name, effect in (voxel_effects() | queries()).items()
    if hasattr(find_class(effect["class"]), "SetNumberOfBlocks")
}
SHAPE = (19, 22, 25)
SPACING = (1.6, 1.1, 0.7)
Data = tuple[np.ndarray, np.ndarray]  # labels, volume


def spiral() -> Data:
    """One component, three voxels from turn to turn in every slice, joined at the ends."""
    plane = np.zeros(SHAPE[1:], np.uint8)
    y, x, step = 0, 0, (0, 1)
    while True:
        plane[y, x] = 1
        ahead = (y + step[0], x + step[1])
        beyond = (y + 2 * step[0], x + 2 * step[1])
        free = all(0 <= a < n for a, n in zip(ahead, plane.shape, strict=True)) and not plane[ahead]
        clear = (
            not all(0 <= b < n for b, n in zip(beyond, plane.shape, strict=True))
            or not plane[beyond]
        )
        if free and clear:
            y, x = ahead
            continue
        step = (step[1], -step[0])
        ahead = (y + step[0], x + step[1])
        beyond = (y + 2 * step[0], x + 2 * step[1])
        if (
            not all(0 <= a < n for a, n in zip(ahead, plane.shape, strict=True))
            or plane[ahead]
            or (all(0 <= b < n for b, n in zip(beyond, plane.shape, strict=True)) and plane[beyond])
        ):
            break
    labels = np.zeros(SHAPE, np.uint8)
    labels[::2] = plane
    for z in range(1, SHAPE[0], 2):
        labels[(z, 0, 0) if z % 4 == 1 else (z, y, x)] = 1
    labels[9:12, 20:, 22:] = 2
    return labels, (100 * labels + noise(SHAPE, 3) % 40).astype(np.int16)


def checkerboard() -> Data:
    odd = np.indices(SHAPE).sum(axis=0) % 2
    return (1 + odd).astype(np.uint8) * (noise(SHAPE, 4) % 9 > 0), (50 * odd).astype(np.int16)


def comb() -> Data:
    """One component that touches every block, with teeth of one voxel; another between them."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[:, 0, :] = labels[:, :, 0] = 1
    labels[::3, :, ::3] = 1
    labels[1::3, 3:, 2::6] = 2
    return labels, (noise(SHAPE, 5) % 3 * 30).astype(np.int16)


def plateaus() -> Data:
    """A volume of few values, and seeds far apart."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[2, 3, 4] = labels[3, 3, 4] = labels[11, 18, 12] = 1
    labels[16, 18, 20] = labels[16, 18, 21] = 2
    steps = np.add.outer(
        np.add.outer(np.arange(SHAPE[0]) // 8, np.arange(SHAPE[1]) // 9), np.arange(SHAPE[2]) // 11
    )
    return labels, (steps * 30).astype(np.int16)


def ties() -> Data:
    """A constant volume, and seeds from which everything is equally far."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[9, 11, 2] = labels[9, 11, -3] = 1
    labels[9, 2, 12] = labels[9, -3, 12] = labels[1, 11, 12] = labels[-2, 11, 12] = 2
    return labels, np.full(SHAPE, 40, np.int16)


def corners() -> Data:
    """Voxels alone, where blocks of many sizes meet."""
    labels = np.zeros(SHAPE, np.uint8)
    for size in (3, 4, 5, 7):
        labels[size - 1 :: size, size - 1 :: size, size - 1 :: size] = 1
        labels[size::size, size::size, size::size] = 2
    return labels, (labels * 40 + 10).astype(np.int16)


def slab() -> Data:
    labels = np.zeros((1, 40, 37), np.uint8)
    labels[:, 5:30, 3:20] = 1
    labels[:, 12:20, 8:12] = 0
    labels[:, 20:38, 20:34] = 2
    return labels, (noise(labels.shape, 6) % 100).astype(np.int16)


def atlas() -> Data:
    """A quarter of the labels of the brain, and the head that they were drawn on."""
    labels, _ = template("aal.nii.gz")
    head, _ = template("ch2bet.nii.gz")
    part = (slice(30, 110, 2), slice(40, 150, 3), slice(30, 140, 3))
    few = labels[part]
    return np.where(few % 4 == 1, few, 0).astype(np.uint8), head[part].astype(np.int16)


def head() -> Data:
    """Tissue of the head."""
    volume, _ = template("ch2better.nii.gz")
    part = volume[20:110:2, 30:170:4, 20:150:3].astype(np.int16)
    return np.digitize(part, [60, 100]).astype(np.uint8), part


DATA: dict[str, Callable[[], Data]] = {
    make.__name__: make
    for make in (spiral, checkerboard, comb, plateaus, ties, corners, slab, atlas, head)
}


@functools.cache
def images(name: str) -> tuple[vtkImageData, vtkImageData]:
    """Labels and volume as images: oblique, with an extent of their own."""
    made = []
    for array in DATA[name]():
        image = to_image(np.ascontiguousarray(array), spacing=SPACING, origin=(3.0, -40.0, 8.0))
        image.GetDirectionMatrix().DeepCopy(TURNED)
        low = (-4, 3, 7)
        sizes = image.GetDimensions()
        image.SetExtent(*(v for a in range(3) for v in (low[a], low[a] + sizes[a] - 1)))
        made.append(image)
    return made[0], made[1]


def run(identifier: str, data: str, blocks: int) -> Any:
    effect = EFFECTS[identifier]
    labels, volume = images(data)
    image = volume if effect["input"] == "volume" else labels
    algorithm = find_class(effect["class"])()
    label = int(np.unique(numpy_support.vtk_to_numpy(labels.GetPointData().GetScalars()))[1])
    given = arguments(effect, {}, image)
    for parameter in effect["parameters"]:
        if parameter["type"] == "segment":
            given[parameter["name"]] = label + 1
    for name, value in check_parameters(effect, given).items():
        declared = next(p for p in effect["parameters"] if p["name"] == name)
        set_parameter(algorithm, declared, value)
    if hasattr(algorithm, "SetSegmentLabel"):
        algorithm.SetSegmentLabel(label)
    algorithm.SetNumberOfBlocks(blocks)
    algorithm.SetInputDataObject(image)
    if effect["volume"]:
        algorithm.SetInputDataObject(1, volume)
    execute(algorithm, identifier)
    return algorithm.GetOutputDataObject(0)


def arrays(output: Any) -> dict[str, np.ndarray]:
    """All that an output says, by name."""
    attributes = output.GetRowData() if isinstance(output, vtkTable) else output.GetPointData()
    result = {}
    for fields in (attributes, output.GetFieldData()):
        for index in range(fields.GetNumberOfArrays()):
            array = fields.GetAbstractArray(index)
            values = [array.GetVariantValue(n).ToString() for n in range(array.GetNumberOfValues())]
            numbers = fields.GetArray(index)
            result[array.GetName()] = (
                np.array(values) if numbers is None else numpy_support.vtk_to_numpy(numbers)
            )
    return result


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("identifier", EFFECTS)
def test_blocks_do_not_matter(identifier: str, data: str) -> None:
    expected = arrays(run(identifier, data, 1))
    seed = sum(map(ord, identifier + data))
    for blocks in (2, *(3 + noise((2,), seed) % 95).tolist()):
        got = arrays(run(identifier, data, int(blocks)))
        assert [*got] == [*expected]
        for name, values in expected.items():
            assert_same(got[name], values, f"{name} of {blocks} blocks")
