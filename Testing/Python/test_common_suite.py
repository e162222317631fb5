"""What every effect must do, run over all effects that are registered.

Nothing here knows an effect by name: cases are made from the declarations, so a new effect is
tested the moment it has one. Adding an exclusion needs a reason; there are none. What depends on
the image (points, vectors, other segments) is made by sample_parameters.py.
"""

from __future__ import annotations

import functools
import itertools
import os
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import segmentationcore
from sample_data import ALL_TYPES, assert_same, blob_labels, smooth_volume
from sample_parameters import (
    ALONG_Z,
    CAMERA,
    OBLIQUE,
    arguments,
    beside,
    keywords,
    mirrored,
    renumbered,
    samples,
    turned,
)
from segmentationcore import Cancelled, SegmentationCoreError, to_array, to_image
from segmentationcore._pipeline import execute
from segmentationcore._registry import setter_value, snake_case, voxel_effects
from segmentationcore._run import (
    VOLUME_RESULT,
    check_parameters,
    make_filter,
    run_effect,
    set_parameter,
)
from vtkmodules.vtkCommonCore import vtkSMPTools
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkCommonMath import vtkMatrix3x3

pytestmark = pytest.mark.python

EFFECTS = voxel_effects()
SHAPE = (11, 13, 16)
SPACING = (1.7, 0.8, 1.1)
RAN: set[str] = set()
CHOICES = ("enum", "choice", "bool")


def alternatives(parameter: dict[str, Any]) -> list[Any]:
    """Values worth trying: the default, all choices, and numbers that fit a small volume."""
    kind, default = parameter["type"], parameter.get("default")
    if kind == "vector":  # in the order of an array's axes
        return [tuple(reversed(default)), OBLIQUE]
    if kind == "matrix":
        return [ALONG_Z, CAMERA]
    if kind == "string":
        return [default]
    if kind in ("enum", "choice"):
        return list(parameter["values"])
    if kind == "bool":
        return [False, True]
    if kind == "numbers":  # of the volume's values, 0 to 100
        return [(), (35.0, 50.5, 75.0)]
    if "data_default" in parameter:  # compared with the volume's values, 0 to 100
        return [{"min": 40, "max": 75}[parameter["data_default"]]]
    low, high = parameter["range"]
    if kind == "double":
        tried = [default, default * 0.45, -default * 0.45]
    else:
        tried = [default, max(1, default // 40)]
    return [value for value in dict.fromkeys(tried) if low <= value <= high]


def combinations(parameters: list[dict[str, Any]]) -> Iterator[tuple[Any, ...]]:
    """All combinations of choices, of many some; numbers, and choices of many, go side by side."""
    tried = [
        (p["type"] in CHOICES and len(alternatives(p)) < 10, alternatives(p)) for p in parameters
    ]
    numbers = max((len(values) for choice, values in tried if not choice), default=1)
    products = [*itertools.product(*(values if choice else [None] for choice, values in tried))]
    # A prime step meets each value with each other one, and about 20 combinations in all.
    step = next(p for p in (1, 5, 7, 11, 13, 17, 19, 23) if len(products) <= 32 * p)
    for chosen in products[::step]:
        for turn in range(numbers):
            yield tuple(
                value if choice else values[turn % len(values)]
                for value, (choice, values) in zip(chosen, tried, strict=True)
            )


def cases() -> Iterator[Any]:
    """All combinations of alternatives, and all defaults first."""
    for identifier, effect in EFFECTS.items():
        yield pytest.param(identifier, {}, id=f"{identifier}-defaults")
        varied = [p for p in effect["parameters"] if p["type"] not in ("points", "segment")]
        names = [parameter["name"] for parameter in varied]
        for values in combinations(varied):
            chosen = dict(zip(names, values, strict=True))
            text = "-".join(str(value) for value in values)
            yield pytest.param(identifier, chosen, id=f"{identifier}-{text}")


every_case = pytest.mark.parametrize(("identifier", "parameters"), list(cases()))
every_effect = pytest.mark.parametrize("identifier", list(EFFECTS))
every_effect_with_a_volume_beside = pytest.mark.parametrize(
    "identifier", [name for name, effect in EFFECTS.items() if effect["volume"]]
)
every_effect_with_a_label = pytest.mark.parametrize(
    "identifier", [name for name, effect in EFFECTS.items() if effect["input"] != "segments"]
)


def is_volume(identifier: str) -> bool:
    return EFFECTS[identifier]["input"] == "volume"


def makes_parts(identifier: str) -> bool:
    """Whether the result has labels from that of the segment on."""
    return EFFECTS[identifier]["makes_parts"]


def is_made_of_the_segment(identifier: str) -> bool:
    """Whether the result comes from the segment alone: then an empty one stays empty."""
    effect = EFFECTS[identifier]
    others = {parameter["type"] for parameter in effect["parameters"]} & {"segment", "points"}
    if effect["writes"] in ("add", "edit") or effect["input"] != "segment":
        return False
    return effect["writes"] == "remove" or not others


def sample(identifier: str, shape: tuple[int, ...] = SHAPE, seed: int = 7) -> np.ndarray:
    """A volume or label map for the effect; axes z, y, x."""
    return smooth_volume(shape, seed) if is_volume(identifier) else blob_labels(shape, seed)


def run(identifier: str, data: Any, parameters: dict[str, Any], **more: Any) -> Any:
    """Run the effect, through the public function."""
    function = getattr(segmentationcore, identifier)
    given = arguments(EFFECTS[identifier], parameters, data, more.get("spacing"))
    more = beside(EFFECTS[identifier], data) | more
    result = function(data, **keywords(given), **more)
    RAN.add(identifier)
    return result


def filter_for(
    identifier: str, image: vtkImageData, parameters: dict[str, Any], label: int = 1
) -> Any:
    """The filter itself, ready to run."""
    effect = EFFECTS[identifier]
    checked = check_parameters(effect, arguments(effect, parameters, image))
    algorithm = make_filter(effect, checked, label)
    algorithm.SetInputDataObject(image)
    if effect["volume"]:
        algorithm.SetVolumeData(beside(effect, image)["volume"])
    return algorithm


def run_filter(
    identifier: str,
    image: vtkImageData,
    parameters: dict[str, Any],
    label: int = 1,
    blocks: int = 1,
) -> np.ndarray:
    """Run the filter itself in blocks."""
    algorithm = filter_for(identifier, image, parameters, label)
    algorithm.SetNumberOfBlocks(blocks)
    execute(algorithm, identifier)
    name = VOLUME_RESULT if is_volume(identifier) else image.GetPointData().GetScalars().GetName()
    return to_array(algorithm.GetOutput(), name)


def oblique_image(array: np.ndarray) -> vtkImageData:
    """Extent, origin, spacing and direction that nobody takes for granted; two arrays."""
    image = to_image(array, spacing=SPACING, name="source")
    nz, ny, nx = array.shape
    image.SetExtent(-4, nx - 5, 7, ny + 6, 100, nz + 99)
    image.SetOrigin(-12.5, 300.25, 7.125)
    # A rotation about (1, 1, 1), and a mirrored axis.
    c, s = 0.28, 0.96
    third, root = (1 - c) / 3, s / 3**0.5
    rows = [
        (c + third, third - root, third + root),
        (third + root, c + third, third - root),
        (third - root, third + root, c + third),
    ]
    matrix = vtkMatrix3x3()
    for i, j in itertools.product(range(3), repeat=2):
        matrix.SetElement(i, j, rows[i][j] * (-1 if j == 0 else 1))
    image.SetDirectionMatrix(matrix)
    other = to_image(np.arange(array.size, dtype=np.float32).reshape(array.shape), name="other")
    image.GetPointData().AddArray(other.GetPointData().GetArray("other"))
    return image


def state(image: vtkImageData) -> tuple[Any, ...]:
    """Everything about an image that could be changed."""
    arrays = image.GetPointData()
    matrix = image.GetDirectionMatrix()
    return (
        image.GetExtent(),
        image.GetOrigin(),
        image.GetSpacing(),
        tuple(matrix.GetElement(i, j) for i in range(3) for j in range(3)),
        arrays.GetScalars().GetName(),
        tuple(
            (arrays.GetArrayName(i), to_array(image, arrays.GetArrayName(i)).tobytes())
            for i in range(arrays.GetNumberOfArrays())
        ),
        image.GetFieldData().GetNumberOfArrays(),
        image.GetMTime(),
    )


@every_case
def test_array_input_stays(identifier: str, parameters: dict[str, Any]) -> None:
    data = sample(identifier)
    before = data.tobytes()
    result = run(identifier, data, parameters, spacing=SPACING)
    assert data.tobytes() == before
    assert result.shape == data.shape
    assert not np.shares_memory(result, data)
    result[...] = 0  # the result is the caller's own
    assert data.tobytes() == before


@every_case
def test_image_input_stays_and_geometry_is_kept(
    identifier: str, parameters: dict[str, Any]
) -> None:
    data = sample(identifier)
    image = oblique_image(data)
    before = state(image)
    result = run(identifier, image, parameters)
    assert state(image) == before
    assert isinstance(result, vtkImageData)
    assert result is not image
    assert state(result)[:4] == before[:4]
    assert np.shares_memory(to_array(result, "other"), to_array(image, "other"))
    name = VOLUME_RESULT if is_volume(identifier) else "source"
    assert result.GetPointData().GetScalars().GetName() == name
    # Extent, origin and direction change nothing; spacing is the same.
    expected = run(identifier, data, parameters, spacing=SPACING)
    assert_same(to_array(result), expected)
    names = [
        result.GetPointData().GetArrayName(i)
        for i in range(result.GetPointData().GetNumberOfArrays())
    ]
    assert sorted(names) == sorted({"source", "other", name})


@every_case
def test_all_scalar_types_agree(identifier: str, parameters: dict[str, Any]) -> None:
    data = sample(identifier)
    expected = run(identifier, data, parameters, spacing=SPACING)
    for dtype in ALL_TYPES:
        result = run(identifier, data.astype(dtype), parameters, spacing=SPACING)
        assert_same(result, expected, f"{dtype}:")
        assert result.dtype == (expected.dtype if is_volume(identifier) else dtype)
    result = run(identifier, data.astype(">i4"), parameters, spacing=SPACING)
    assert_same(result, expected, "big-endian:")


@every_case
def test_bool_and_strided_arrays(identifier: str, parameters: dict[str, Any]) -> None:
    data = sample(identifier)
    expected = run(identifier, data, parameters, spacing=SPACING)
    spread = np.zeros(tuple(2 * n for n in SHAPE), np.uint8)
    spread[::2, 1::2, ::2] = data
    for strided in (np.asfortranarray(data), spread[::2, 1::2, ::2], data[:, ::-1].copy()[:, ::-1]):
        assert_same(run(identifier, strided, parameters, spacing=SPACING), expected)
    if not is_volume(identifier):
        mask = data == 1
        result = run(identifier, mask, parameters, spacing=SPACING)
        assert result.dtype == np.bool_
        assert_same(
            result, run(identifier, mask.astype(np.uint8), parameters, spacing=SPACING) == 1
        )


@every_case
def test_only_the_segment_changes(identifier: str, parameters: dict[str, Any]) -> None:
    if is_volume(identifier):
        result = run(identifier, sample(identifier), parameters, spacing=SPACING, label=7)
        last = 22 if makes_parts(identifier) else 7
        assert set(np.unique(result)) <= {0, *range(7, last + 1)}
        return
    labels = sample(identifier)
    if EFFECTS[identifier]["input"] == "segments":
        result = run(identifier, labels, parameters, spacing=SPACING)
        assert set(np.unique(result)) <= {0, *np.unique(labels)}
        return
    for label in (1, 2, 3, 9):
        result = run(identifier, labels, parameters, spacing=SPACING, label=label)
        changed = result != labels
        written = {"add": {label}, "remove": {0}}.get(EFFECTS[identifier]["writes"], {0, label})
        if parameters.get("Operation") == "SPLIT_ISLANDS_TO_SEGMENTS":
            written |= set(range(int(labels.max()) + 1, 256))  # new labels, after the largest one
            assert (labels[changed] == label).all()
        assert set(np.unique(result[changed])) <= written
        if parameters.get("EraseAllSegments"):
            continue  # as it says
        assert (labels[changed & (result == 0)] == label).all()


@pytest.mark.parametrize(
    "shape", [(1, 1, 1), (1, 9, 8), (9, 1, 8), (9, 8, 1), (1, 1, 9), (9, 1, 1), (2, 2, 2)], ids=str
)
@pytest.mark.parametrize("content", ["empty", "full", "one voxel", "mixed"])
@every_case
def test_degenerate_images(
    identifier: str, parameters: dict[str, Any], content: str, shape: tuple[int, ...]
) -> None:
    data = np.full(shape, 1 if content == "full" else 0, np.uint8)
    if content == "one voxel":
        data[tuple(n // 2 for n in shape)] = 1
    elif content == "mixed":
        data.flat[::3] = 1
    refusal = ""
    try:
        result = run(identifier, data, parameters, spacing=SPACING)
    except SegmentationCoreError as error:
        refusal = str(error)
    if refusal:
        # Only because a volume with so few values has nothing to find, and it says so.
        values = len(np.unique(data))
        assert ("single value" if values == 1 else "finds no threshold") in refusal
        assert is_volume(identifier)
        assert parameters
        assert values <= 2
        return
    assert result.shape == shape
    assert set(np.unique(result)) <= {0, 1} or makes_parts(identifier)
    adds = parameters.get("Operation") == "ADD_SELECTED_ISLAND"
    if content == "empty" and is_made_of_the_segment(identifier) and not adds:
        assert not result.any()


@every_case
def test_a_2d_array_is_a_single_slice(identifier: str, parameters: dict[str, Any]) -> None:
    data = sample(identifier)[5]
    effect = EFFECTS[identifier]
    flat = run(identifier, data, parameters, spacing=SPACING[1:])
    volume = beside(effect, data, lambda slice_: slice_[np.newaxis])
    # Which is 1 mm thick.
    deep = run(identifier, data[np.newaxis], parameters, spacing=(1.0, *SPACING[1:]), **volume)
    assert_same(flat, deep[0])


@every_case
def test_renumbered_labels_give_the_matching_result(
    identifier: str, parameters: dict[str, Any]
) -> None:
    data = sample(identifier)
    if is_volume(identifier):
        one = run(identifier, data, parameters, spacing=SPACING)
        many = run(identifier, data, parameters, spacing=SPACING, label=300)
        # The first label is given, more follow it.
        assert_same(many, np.where(one > 0, one + np.uint16(299), np.uint16(0)))
        return
    if EFFECTS[identifier]["input"] == "segments":
        # In the same order: it may decide between equals.
        ordered = np.array([0, 3, 77, 250], np.uint16)
        result = run(identifier, ordered[data], parameters, spacing=SPACING)
        assert_same(result, ordered[run(identifier, data, parameters, spacing=SPACING)])
        return
    # New labels follow the largest one, 3 or 250.
    numbers = np.array([0, 250, 3, 77, *range(251, 500)], np.uint16)
    for label in (1, 2, 3):
        expected = numbers[run(identifier, data, parameters, spacing=SPACING, label=label)]
        renamed = renumbered(EFFECTS[identifier], parameters, numbers)
        result = run(identifier, numbers[data], renamed, spacing=SPACING, label=int(numbers[label]))
        assert_same(result, expected)


@every_case
def test_turned_volumes_give_the_turned_result(identifier: str, parameters: dict[str, Any]) -> None:
    data = sample(identifier)
    effect = EFFECTS[identifier]
    expected = run(identifier, data, parameters, spacing=SPACING)
    for order in itertools.permutations(range(3)):
        spacing = tuple(SPACING[axis] for axis in order)
        chosen = turned(effect, parameters, order)
        volume = beside(effect, data, functools.partial(np.transpose, axes=order))
        result = run(identifier, np.transpose(data, order), chosen, spacing=spacing, **volume)
        assert_same(result, np.transpose(expected, order), f"axes {order}:")
    for axes in ((0,), (1,), (2,), (0, 1, 2)):
        chosen = mirrored(effect, parameters, axes)
        volume = beside(effect, data, functools.partial(np.flip, axis=axes))
        result = run(identifier, np.flip(data, axes), chosen, spacing=SPACING, **volume)
        assert_same(result, np.flip(expected, axes), f"flipped {axes}:")


@pytest.mark.parametrize("shape", [SHAPE, (40, 3, 5), (1, 17, 19)], ids=str)
@every_case
def test_any_number_of_blocks(
    identifier: str, parameters: dict[str, Any], shape: tuple[int, ...]
) -> None:
    image = to_image(sample(identifier, shape), spacing=SPACING)
    expected = run_filter(identifier, image, parameters)
    for blocks in (2, 3, 5, 8, 64):
        assert_same(
            run_filter(identifier, image, parameters, blocks=blocks), expected, f"{blocks} blocks:"
        )


@pytest.fixture
def smp() -> Iterator[type]:
    """vtkSMPTools; put back afterwards."""
    backend = vtkSMPTools.GetBackend()
    yield vtkSMPTools
    vtkSMPTools.SetBackend(backend)
    vtkSMPTools.Initialize(0)


@every_case
def test_any_number_of_threads(identifier: str, parameters: dict[str, Any], smp: Any) -> None:
    # Large enough for kernels to share the work.
    shape = (40, 70, 90)
    data = np.tile(sample(identifier, (20, 35, 30)), (2, 2, 3))
    assert data.shape == shape
    backend = smp.GetBackend()  # what this VTK uses; it must not be the one without threads
    smp.SetBackend("Sequential")
    if parameters.get("AutoThresholdMethod") == "INTERMODES":
        data = np.where(data > 50, data // 4 + 75, data // 4)  # two peaks, or there is no threshold
    expected = run(identifier, data, parameters, spacing=SPACING)
    smp.SetBackend(backend if backend != "Sequential" else "STDThread")
    for threads in (1, 2, 5):  # VTK takes no more than there are cores
        smp.Initialize(threads)
        assert smp.GetEstimatedNumberOfThreads() == min(threads, os.cpu_count() or 1)
        result = run(identifier, data, parameters, spacing=SPACING)
        assert_same(result, expected, f"{smp.GetBackend()}, {threads} threads:")


def wrong_values(parameter: dict[str, Any]) -> list[tuple[Any, type[Exception]]]:
    """What must be refused, and how."""
    kind = parameter["type"]
    if kind in ("double", "int", "int64"):
        low, high = parameter["range"]
        step = max(1.0, abs(high)) if kind == "double" else 1
        wrong = [
            (low - step, ValueError),
            (high + step, ValueError),
            ("3", TypeError),
            (True, TypeError),
        ]
        wrong += [(None, TypeError), ([3], TypeError)]
        if kind == "double":
            return [*wrong, (float("nan"), ValueError)]
        return [*wrong, (3.0, TypeError)]
    if kind == "enum":
        return [
            ("", ValueError),
            (parameter["values"][0].lower(), ValueError),
            (0, TypeError),
            (None, TypeError),
        ]
    if kind == "choice":
        return [
            (max(parameter["values"]) + 1, ValueError),
            (True, TypeError),
            ("6", TypeError),
            (6.0, TypeError),
        ]
    if kind == "points":
        return [
            (None, TypeError),
            ("3", TypeError),
            ([3.0, 2.0, 1.0], TypeError),
            ([["3", 2.0, 1.0]], TypeError),
            (np.ones((2, 3), bool), TypeError),
            *([([], ValueError)] if parameter.get("required") else []),
            (np.ones((2, 2)), ValueError),
            ([[3.0, 2.0, 1.0], [3.0, float("nan"), 1.0]], ValueError),
        ]
    if kind == "vector":
        return [
            ("xyz", TypeError),
            (3.0, TypeError),
            ([0, 0, "1"], TypeError),
            ([0.0, 1.0], ValueError),
            (np.array([0.0, np.inf, 1.0]), ValueError),
        ]
    if kind == "matrix":
        return [
            (3.0, TypeError),
            ("identity", TypeError),
            ([["1"] * 4] * 4, TypeError),
            (np.eye(3), ValueError),
            (np.full((4, 4), np.nan), ValueError),
        ]
    if kind == "string":
        return [(3, TypeError), (None, TypeError)]
    if kind == "numbers":
        return [
            (None, TypeError),
            ("3", TypeError),
            (["3"], TypeError),
            ([1.0, float("nan")], ValueError),
            ([np.inf], ValueError),
        ]
    if kind == "segment":
        return [
            ("bone", ValueError),
            ("", ValueError),
            ("0", ValueError),
            (0, ValueError),
            (-1, ValueError),
            (2.0, TypeError),
            (True, TypeError),
        ]
    return [(2, TypeError), (None, TypeError)]


@every_effect
def test_wrong_parameters_raise_and_name_the_culprit(identifier: str) -> None:
    data = sample(identifier)
    effect = EFFECTS[identifier]
    function = getattr(segmentationcore, identifier)
    for parameter in effect["parameters"]:
        for value, error in wrong_values(parameter):
            given = arguments(effect, {}, data) | {parameter["name"]: value}
            with pytest.raises(error) as caught:
                function(data, **beside(effect, data), **keywords(given))
            assert type(caught.value) is error, (parameter["name"], value)
            assert snake_case(parameter["name"]) in str(caught.value)
            assert identifier in str(caught.value)


@every_effect_with_a_label
def test_wrong_labels_raise(identifier: str) -> None:
    data = sample(identifier)
    for label, error in (
        (0, ValueError),
        (-1, ValueError),
        (2**63, ValueError),
        (1.0, TypeError),
        ("1", TypeError),
    ):
        with pytest.raises(error, match="label"):
            run(identifier, data, {}, label=label)


@every_effect
def test_a_missing_argument_is_named(identifier: str) -> None:
    data = sample(identifier)
    effect = EFFECTS[identifier]
    for parameter in effect["parameters"]:
        if parameter.get("required"):
            given = arguments(effect, {}, data)
            del given[parameter["name"]]
            with pytest.raises(TypeError, match=parameter["name"]):
                run_effect(identifier, data, given, **beside(effect, data))
            with pytest.raises(TypeError, match=snake_case(parameter["name"])):
                getattr(segmentationcore, identifier)(
                    data, **beside(effect, data), **keywords(given)
                )


def algorithm_value(effect: dict[str, Any], parameter: dict[str, Any], image: vtkImageData) -> Any:
    """A value that is accepted, as a filter takes it."""
    if parameter["name"] in samples(effect):
        return check_parameters(effect, arguments(effect, {}, image))[parameter["name"]]
    return setter_value(parameter, parameter["default"])


def write(algorithm: Any, parameter: dict[str, Any], value: Any) -> None:
    """Set what the filter itself takes: an enum by its number."""
    if parameter["type"] in ("points", "vector", "matrix", "numbers"):
        set_parameter(algorithm, parameter, value)
    else:
        getattr(algorithm, f"Set{parameter['name']}")(value)


@every_effect
def test_the_filter_refuses_what_the_function_refuses(identifier: str) -> None:
    # Other programs set the filter without our checks.
    effect = EFFECTS[identifier]
    image = to_image(sample(identifier))
    for parameter in effect["parameters"]:
        kind = parameter["type"]
        if kind == "enum":
            wrong = [-1, len(parameter["values"])]
        elif kind == "choice":
            wrong = [min(parameter["values"]) - 1, max(parameter["values"]) + 1]
        elif kind == "points":
            wrong = [[[1.0, 2.0, 3.0], [1.0, float("nan"), 3.0]], [[float("inf"), 0.0, 0.0]]]
            wrong += [[]] if parameter.get("required") else []
        elif kind == "vector":
            wrong = [[0.0, 0.0, 0.0], [0.0, float("nan"), 1.0], [float("inf"), 0.0, 0.0]]
        elif kind == "matrix":
            wrong = [[0.0] * 16, [float(i % 5 == 0) for i in range(15)] + [float("nan")]]
        elif kind == "string":
            continue
        elif kind == "numbers":
            wrong = [[1.0, float("nan")], [float("inf")]]
        elif kind == "segment":
            wrong = ["bone", "0", "-1", "1.5", "2 "]
        elif kind == "bool":
            continue
        else:
            limits = {"int": 2**31 - 1, "int64": 2**63 - 1}.get(kind)
            low, high = parameter["range"]
            step = max(1.0, abs(high)) if kind == "double" else 1
            wrong = [
                v for v in (low - step, high + step) if limits is None or -limits <= v <= limits
            ]
            wrong += [float("nan")] if kind == "double" else []
        for value in wrong:
            algorithm = filter_for(identifier, image, {})
            good = algorithm_value(effect, parameter, image)
            write(algorithm, parameter, value)
            # Which parameter names a segment that is not there, a filter need not know.
            culprit = value if kind == "segment" else parameter["name"]
            with pytest.raises(SegmentationCoreError, match=re.escape(culprit)):
                execute(algorithm, identifier)
            assert algorithm.GetOutput().GetNumberOfPoints() == 0
            assert culprit in algorithm.GetLastError()
            # The same filter works again once it is set right, and forgets the error.
            write(algorithm, parameter, good)
            execute(algorithm, identifier)
            assert algorithm.GetLastError() == ""
            assert algorithm.GetOutput().GetNumberOfPoints() == image.GetNumberOfPoints()


@every_effect
def test_the_filter_refuses_wrong_labels_and_blocks(identifier: str) -> None:
    image = to_image(sample(identifier))
    for name, value in (("SegmentLabel", 0), ("SegmentLabel", -3), ("NumberOfBlocks", 0)):
        algorithm = filter_for(identifier, image, {})
        getattr(algorithm, f"Set{name}")(value)
        with pytest.raises(SegmentationCoreError, match=name):
            execute(algorithm, identifier)
        assert algorithm.GetOutput().GetNumberOfPoints() == 0


@every_effect_with_a_label
def test_labels_must_fit_the_type(identifier: str) -> None:
    data = sample(identifier)
    if is_volume(identifier):  # the result takes the type that the label needs
        assert run(identifier, data, {}, label=256).dtype == np.uint16
        return
    for dtype, largest in (
        (np.uint8, 255),
        (np.int8, 127),
        (np.int16, 32767),
        (np.float32, 2**24),
        (np.bool_, 1),
    ):
        run(identifier, data.astype(dtype), {}, label=largest)
        with pytest.raises(ValueError, match=f"label is {largest + 1}.*up to {largest}"):
            run(identifier, data.astype(dtype), {}, label=largest + 1)
    algorithm = filter_for(identifier, to_image(data), {}, label=256)
    with pytest.raises(SegmentationCoreError, match="256"):
        execute(algorithm, identifier)


@every_effect
def test_wrong_images_raise(identifier: str) -> None:
    empty = vtkImageData()
    with pytest.raises(ValueError, match="no voxels"):
        run(identifier, empty, {})
    bare = vtkImageData()
    bare.SetDimensions(3, 3, 3)
    with pytest.raises(ValueError, match="no active point scalars"):
        run(identifier, bare, {})
    vectors = vtkImageData()
    vectors.SetDimensions(3, 3, 3)
    vectors.AllocateScalars(3, 3)
    with pytest.raises(ValueError, match="3 components"):
        run(identifier, vectors, {})
    for wrong in (None, [[[1]]], "file.nrrd", 3, np.zeros((2, 2, 2), np.complex64)):
        with pytest.raises(TypeError):
            run(identifier, wrong, {})
    with pytest.raises(TypeError, match="spacing"):
        run(identifier, to_image(sample(identifier)), {}, spacing=(1, 1, 1))
    # And the filter itself, as other programs meet it.
    for image in (empty, bare, vectors):
        algorithm = filter_for(identifier, image, {})
        with pytest.raises(SegmentationCoreError):
            execute(algorithm, identifier)
        assert algorithm.GetLastError()


@every_case
def test_progress_grows_from_0_to_1(identifier: str, parameters: dict[str, Any]) -> None:
    seen: list[float] = []
    run(identifier, sample(identifier), parameters, progress=seen.append)
    assert seen, "no progress was reported"
    assert seen == sorted(seen)
    assert seen[0] >= 0.0
    assert seen[-1] == 1.0


@pytest.mark.parametrize("calls", [1, 2, 5])
@every_case
def test_cancelling_leaves_nothing_half_written(
    identifier: str, parameters: dict[str, Any], calls: int
) -> None:
    data = np.tile(sample(identifier), (2, 2, 2))
    before = data.tobytes()
    seen: list[float] = []

    def stop(fraction: float) -> bool:
        seen.append(fraction)
        return len(seen) < calls

    more: dict[str, Any] = {} if is_volume(identifier) else {"out": np.full_like(data, 99)}
    # An effect may be quicker than five calls; the last call comes when all is done.
    complete: list[float] = []
    run(identifier, data, parameters, progress=complete.append)
    if len(complete) < calls:
        return
    with pytest.raises(Cancelled):
        run(identifier, data, parameters, progress=stop, **more)
    assert len(seen) == calls, "it went on after it was told to stop"
    assert data.tobytes() == before
    if more:
        assert (more["out"] == 99).all()


@every_case
def test_aborting_the_filter_leaves_an_empty_output(
    identifier: str, parameters: dict[str, Any]
) -> None:
    algorithm = filter_for(identifier, to_image(sample(identifier)), parameters)
    errors: list[str] = []
    algorithm.AddObserver("ErrorEvent", lambda *_: errors.append("error"))
    tag = algorithm.AddObserver("ProgressEvent", lambda *_: algorithm.SetAbortExecute(1))
    algorithm.Update()
    assert algorithm.GetOutput().GetNumberOfPoints() == 0
    assert (
        "abort" in algorithm.GetLastError().lower() or "cancel" in algorithm.GetLastError().lower()
    )
    # And it can be used again.
    algorithm.RemoveObserver(tag)
    algorithm.SetAbortExecute(0)
    algorithm.Modified()
    algorithm.Update()
    assert algorithm.GetOutput().GetNumberOfPoints() == np.prod(SHAPE)
    assert algorithm.GetLastError() == ""


@every_effect
def test_an_error_of_progress_comes_through(identifier: str) -> None:
    def fail(_fraction: float) -> None:
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        run(identifier, sample(identifier), {}, progress=fail)


@every_effect
def test_out(identifier: str) -> None:
    data = sample(identifier)
    expected = run(identifier, data, {})
    out = np.full_like(expected, 99)
    assert run(identifier, data, {}, out=out) is out
    assert_same(out, expected)
    strided = np.asfortranarray(np.full_like(expected, 99))
    run(identifier, data, {}, out=strided)
    assert_same(strided, expected)
    swapped = np.full_like(expected, 99).astype(expected.dtype.newbyteorder())
    run(identifier, data, {}, out=swapped)
    assert_same(swapped.astype(expected.dtype), expected)
    unfit = np.zeros(SHAPE, np.int8 if is_volume(identifier) else np.int16)
    for wrong in (unfit, np.zeros((1, *SHAPE[1:]), expected.dtype), data, data[::-1]):
        with pytest.raises(ValueError, match="out"):
            run(identifier, data, {}, out=wrong)
    with pytest.raises(TypeError, match="out"):
        run(identifier, data, {}, out=to_image(data))
    with pytest.raises(TypeError, match="out"):
        run(identifier, to_image(data), {}, out=out)


@every_effect
def test_memory_of_the_output_is_used_again_or_left_alone(identifier: str) -> None:
    image = to_image(sample(identifier))
    algorithm = filter_for(identifier, image, {})
    name = VOLUME_RESULT if is_volume(identifier) else image.GetPointData().GetScalars().GetName()

    def apply(output: vtkImageData) -> np.ndarray:
        assert algorithm.Apply(image, output)
        return to_array(output, name)

    expected = apply(vtkImageData()).copy()
    given = np.full_like(expected, 99)
    result = apply(to_image(given))
    assert_same(result, expected)
    assert np.shares_memory(result, given)
    other = np.uint16 if expected.dtype == np.uint8 else np.uint8
    for unfit in (np.full_like(expected[1:], 99), np.full(SHAPE, 99, other)):
        before = unfit.copy()
        assert_same(apply(to_image(unfit)), expected)
        assert np.array_equal(unfit, before)
    own = image.NewInstance()
    own.ShallowCopy(image)  # shares the input's voxels, which are never changed
    before = to_array(image).copy()
    assert_same(apply(own), expected)
    assert_same(to_array(image), before)


@every_effect
def test_an_unnamed_array_works(identifier: str) -> None:
    image = to_image(sample(identifier))
    image.GetPointData().GetScalars().SetName(None)
    result = run(identifier, image, {})
    assert_same(to_array(result), run(identifier, sample(identifier), {}))


@every_effect
def test_two_runs_are_equal(identifier: str) -> None:
    data = sample(identifier)
    assert_same(run(identifier, data, {}), run(identifier, data, {}))
    effect = EFFECTS[identifier]
    given = arguments(effect, {}, data)
    again = run_effect(identifier, data, given, **beside(effect, data))
    assert_same(again, run(identifier, data, {}))


@every_effect_with_a_volume_beside
def test_volumes_beside_a_label_map(identifier: str) -> None:
    data, effect = sample(identifier), EFFECTS[identifier]
    volume = beside(effect, data)["volume"]
    before = volume.tobytes()
    expected = run(identifier, data, {}, spacing=SPACING)
    for dtype in ALL_TYPES:
        result = run(identifier, data, {}, spacing=SPACING, volume=volume.astype(dtype))
        assert_same(result, expected, f"{dtype}:")
    spread = np.zeros(tuple(2 * n for n in SHAPE), np.uint8)
    spread[::2, 1::2, ::2] = volume
    for strided in (np.asfortranarray(volume), spread[::2, 1::2, ::2], volume.astype(">i2")):
        assert_same(run(identifier, data, {}, spacing=SPACING, volume=strided), expected)
    run(identifier, data, {}, volume=volume)
    assert volume.tobytes() == before
    # In an image whose geometry nobody takes for granted.
    image = oblique_image(data)
    other = beside(effect, image)["volume"]
    assert_same(to_array(run(identifier, image, {}, volume=other)), expected)
    moved = vtkImageData()
    moved.ShallowCopy(other)
    moved.SetOrigin(-12.4, 300.25, 7.125)
    with pytest.raises(SegmentationCoreError, match="origin, spacing or direction"):
        run(identifier, image, {}, volume=moved)
    shifted = vtkImageData()
    shifted.ShallowCopy(other)
    extent = list(other.GetExtent())
    shifted.SetExtent(extent[0] + 1, extent[1] + 1, *extent[2:])
    with pytest.raises(SegmentationCoreError, match="extent"):
        run(identifier, image, {}, volume=shifted)


@every_effect
def test_wrong_volumes_raise(identifier: str) -> None:
    data, effect = sample(identifier), EFFECTS[identifier]
    given = arguments(effect, {}, data)
    if not effect["volume"]:
        with pytest.raises(TypeError, match="takes no volume"):
            run_effect(identifier, data, given, volume=data)
        return
    with pytest.raises(TypeError, match="needs the argument volume"):
        run_effect(identifier, data, given)
    function = getattr(segmentationcore, identifier)
    for wrong, error, culprit in (
        (to_image(data), TypeError, "volume is (vtk)?ImageData"),
        ("file.nrrd", TypeError, "volume is str"),
        (np.zeros(SHAPE, complex), TypeError, "volume has the type complex128"),
        (data[1:], ValueError, r"volume has the shape \(10, 13, 16\)"),
    ):
        with pytest.raises(error, match=culprit):
            function(data, volume=wrong, **keywords(given))
    image = to_image(data)
    with pytest.raises(TypeError, match="volume is ndarray"):
        function(image, volume=data, **keywords(given))
    with pytest.raises(ValueError, match="volume has no voxels"):
        function(image, volume=vtkImageData(), **keywords(given))
    # And the filter itself, as other programs meet it.
    algorithm = filter_for(identifier, image, {})
    algorithm.SetInputConnection(1, None)
    with pytest.raises(SegmentationCoreError, match="reads a volume"):
        execute(algorithm, identifier)
    assert algorithm.GetOutput().GetNumberOfPoints() == 0


@every_effect
def test_samples_of_points_and_segments_change_something(identifier: str) -> None:
    if samples(EFFECTS[identifier]):
        data = sample(identifier)
        # By default, or with one of its switches on.
        switches = [p["name"] for p in EFFECTS[identifier]["parameters"] if p["type"] == "bool"]
        cases = [{}, *({name: True} for name in switches)]
        assert any((run(identifier, data, case, spacing=SPACING) != data).any() for case in cases)


def test_every_effect_ran() -> None:
    """Last: an effect that never ran fails the suite."""
    if not RAN:
        pytest.skip("only this test was chosen")
    assert set(EFFECTS) == RAN
