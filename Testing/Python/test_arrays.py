"""NumPy arrays and images: axes, types, shared memory."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sample_data import ALL_TYPES, noise
from segmentationcore import margin, threshold, to_array, to_image
from segmentationcore._arrays import array_of_image, check_spacing, image_of_array

pytestmark = pytest.mark.python

SHAPES = hnp.array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=7)
TYPES = st.sampled_from([*ALL_TYPES, np.dtype(bool)])


@given(hnp.arrays(TYPES, SHAPES))
def test_round_trip(array: np.ndarray) -> None:
    converted = image_of_array(array)
    assert converted.copied == ""
    assert converted.dtype == array.dtype
    back = array_of_image(converted.image).array
    assert back.shape == (1, *array.shape)[-3:]
    assert back.tobytes() == array.tobytes()
    assert np.shares_memory(back, array)


@given(
    hnp.arrays(TYPES, SHAPES),
    st.sampled_from(["transposed", "fortran", "reversed", "strided", "swapped"]),
)
def test_round_trip_of_other_layouts(array: np.ndarray, layout: str) -> None:
    changed = {
        "transposed": lambda: array.T,
        "fortran": lambda: np.asfortranarray(array),
        "reversed": lambda: array[::-1, ::-1],
        "strided": lambda: np.repeat(array, 2, axis=-1)[..., ::2],
        "swapped": lambda: array.astype(array.dtype.newbyteorder("S")),
    }[layout]()
    before = changed.tobytes()
    converted = image_of_array(changed)
    back = array_of_image(converted.image).array.reshape(changed.shape)
    assert (
        back.astype(array.dtype).tobytes()
        == np.ascontiguousarray(changed).astype(array.dtype).tobytes()
    )
    assert changed.tobytes() == before
    may_share = changed.flags.c_contiguous and changed.dtype.isnative
    assert (converted.copied == "") == may_share
    assert np.shares_memory(back, changed) == may_share
    if not may_share:
        assert "contiguous" in converted.copied or "byte order" in converted.copied


def test_axes_are_z_y_x() -> None:
    array = np.zeros((2, 3, 4), np.int16)
    array[1, 2, 3] = 5
    array[0, 0, 1] = 7
    image = to_image(array, spacing=(4.0, 2.0, 1.0), origin=(30.0, 20.0, 10.0))
    assert image.GetDimensions() == (4, 3, 2)
    assert image.GetSpacing() == (1.0, 2.0, 4.0)
    assert image.GetOrigin() == (10.0, 20.0, 30.0)
    assert image.GetScalarComponentAsDouble(3, 2, 1, 0) == 5
    assert image.GetScalarComponentAsDouble(1, 0, 0, 0) == 7


def test_a_2d_array_has_the_axes_y_x() -> None:
    image = to_image(np.zeros((3, 4), np.uint8), spacing=(2.0, 1.0), origin=(5.0, 6.0))
    assert image.GetDimensions() == (4, 3, 1)
    assert image.GetSpacing() == (1.0, 2.0, 1.0)
    assert image.GetOrigin() == (6.0, 5.0, 0.0)
    result = margin(np.eye(5, dtype=np.uint8), margin_size_mm=1.0, spacing=(1.0, 1.0))
    assert result.shape == (5, 5)


def test_spacing_follows_the_axes() -> None:
    labels = np.zeros((9, 9, 9), np.uint8)
    labels[4, 4, 4] = 1
    grown = margin(labels, margin_size_mm=2.0, spacing=(2.0, 1.0, 0.5))
    assert [int(grown.any(axis=axes).sum()) for axes in ((1, 2), (0, 2), (0, 1))] == [3, 5, 9]


def test_the_array_lives_as_long_as_the_image() -> None:
    array = noise((64, 64, 64), 1).copy()
    expected = array.sum()
    image = to_image(array)
    scalars = image.GetPointData().GetScalars()
    del array, image
    gc.collect()
    garbage = [np.zeros((64, 64, 64), np.uint64) for _ in range(8)]
    from vtkmodules.vtkCommonDataModel import vtkImageData

    again = vtkImageData()
    again.SetDimensions(64, 64, 64)
    again.GetPointData().SetScalars(scalars)
    del scalars
    gc.collect()
    assert to_array(again).sum() == expected
    del garbage


def test_the_image_lives_as_long_as_the_array() -> None:
    array = to_array(to_image(noise((32, 32, 32), 1).copy()))
    expected = noise((32, 32, 32), 1)
    gc.collect()
    garbage = [np.zeros((32, 32, 32), np.uint64) for _ in range(8)]
    assert (array == expected).all()
    del garbage


def test_a_result_lives_without_its_filter() -> None:
    result = threshold(np.arange(2**15, dtype=np.int32).reshape(32, 32, 32), minimum_threshold=99)
    gc.collect()
    garbage = [np.full((32, 32, 32), 255, np.uint8) for _ in range(20)]
    assert result.sum() == 2**15 - 99
    del garbage


def test_read_only_arrays_are_shared_and_stay() -> None:
    array = noise((4, 5, 6), 2).astype(np.uint8) % 2
    array.flags.writeable = False
    assert image_of_array(array).copied == ""
    before = array.tobytes()
    margin(array)
    assert array.tobytes() == before


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((2, 2, 2), np.float16),
        np.zeros((2, 2, 2), np.complex64),
        np.zeros((2, 2, 2), object),
        np.zeros((2, 2, 2), "U1"),
        np.zeros((2, 2, 2), "M8[s]"),
        np.zeros((2, 2, 2), [("a", "u1")]),
        np.zeros((2, 2, 2), np.longdouble),
        np.ma.zeros((2, 2, 2), np.uint8),
        [[[1]]],
        None,
    ],
    ids=lambda array: str(getattr(array, "dtype", type(array).__name__)),
)
def test_types_that_are_refused(array: object) -> None:
    with pytest.raises(TypeError, match=r"expected|masked"):
        to_image(array)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(), (5,), (2, 2, 2, 2), (0, 3, 3), (3, 0), (3, 3, 0)], ids=str)
def test_shapes_that_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"axes|no voxels"):
        to_image(np.zeros(shape, np.uint8))


@pytest.mark.parametrize(
    "spacing",
    [
        (1, 1),
        (1, 1, 1, 1),
        (0, 1, 1),
        (-1, 1, 1),
        (float("nan"), 1, 1),
        (float("inf"), 1, 1),
        1.0,
        (),
    ],
    ids=str,
)
def test_spacings_that_are_refused(spacing: object) -> None:
    with pytest.raises(ValueError, match=r"spacing.*expected 3 positive numbers"):
        check_spacing(spacing, 3)


@pytest.mark.parametrize(
    "spacing",
    [
        "abc",
        (None, 1, 1),
        ([1], 1, 1),
        ("1", "1", "1"),
        ("1", 1, 1),
        (True, True, True),
        (1j, 1, 1),
    ],
    ids=str,
)
def test_kinds_of_spacing_that_are_refused(spacing: object) -> None:
    with pytest.raises(TypeError, match=r"spacing.*expected 3 positive numbers"):
        check_spacing(spacing, 3)


@pytest.mark.parametrize(
    ("origin", "error"),
    [
        ((1, 2), ValueError),
        ((1, 2, float("nan")), ValueError),
        (5, ValueError),
        ("abc", TypeError),
        (("1", "2", "3"), TypeError),
        ((None,) * 3, TypeError),
    ],
    ids=str,
)
def test_origins_that_are_refused(origin: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"origin is .*expected 3 numbers"):
        to_image(np.zeros((2, 2, 2), np.uint8), origin=origin)


def test_copying_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "segmentationcore")
    to_image(np.zeros((3, 4, 5), np.uint8))
    assert not caplog.records
    to_image(np.zeros((3, 4, 5), np.uint8).T)
    assert "not C-contiguous" in caplog.text


def test_an_array_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match=r"no point array 'mask'; it has \['Scalars'\]"):
        to_array(to_image(np.zeros((2, 2, 2), np.uint8)), "mask")


def test_memory_maps_and_matrices(tmp_path: object) -> None:
    mapped = np.memmap(f"{tmp_path}/voxels.raw", np.uint8, "w+", shape=(3, 4, 5))
    mapped[1, 2, 3] = 1
    assert image_of_array(mapped).copied == ""
    result = margin(mapped, margin_size_mm=1.0)
    assert type(result) is np.ndarray
    assert result.sum() == 7
