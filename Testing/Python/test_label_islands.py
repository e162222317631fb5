"""Numbers of islands against scipy, cc3d's order and Slicer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sample_data import assert_same, blob_labels, random_mask
from scipy import ndimage
from segmentationcore import Cancelled, islands, label_islands, numbering, to_array, to_image
from slicer_reference import ask

pytestmark = pytest.mark.python

STRUCTURES = {n: ndimage.generate_binary_structure(3, i) for n, i in ((6, 1), (18, 2), (26, 3))}


def numbered(mask: np.ndarray, connectivity: int, minimum: int = 1) -> tuple[np.ndarray, int]:
    """scipy's islands, which are in the order of first voxels, by size."""
    numbers, count = ndimage.label(mask, STRUCTURES[connectivity])
    sizes = np.bincount(numbers.ravel(), minlength=count + 1)[1:]
    order = np.argsort(-sizes, kind="stable")
    values = np.zeros(count + 1, np.int32)
    values[order + 1] = np.arange(1, count + 1)
    kept = int((sizes >= max(1, minimum)).sum())
    values[values > kept] = 0
    return values[numbers], kept


@pytest.mark.parametrize("connectivity", [6, 18, 26])
@pytest.mark.parametrize("percent", [5, 20, 35, 60])
def test_random_voxels(connectivity: int, percent: int) -> None:
    for seed in range(3):
        mask = random_mask((19, 21, 70), seed, percent)
        for minimum in (0, 1, 4):
            expected, kept = numbered(mask, connectivity, minimum)
            numbers, count = label_islands(mask, minimum_size=minimum, connectivity=connectivity)
            assert count == kept
            assert numbers.dtype == np.int32
            assert_same(numbers, expected, f"seed {seed}, from {minimum} voxels:")


def test_sizes_above_and_below_what_is_counted_by_size() -> None:
    # Islands of 4095, 4096 and 4097 voxels, in another order, and many small ones.
    mask = np.zeros((9, 40, 5000), np.uint8)
    for row, size in enumerate((4096, 1, 4095, 4097, 4096, 4095, 2, 2)):
        mask[4, 2 * row, 3 : 3 + size] = 1
    mask[::2, 20::2, ::3] = 1
    expected, kept = numbered(mask == 1, 6)
    numbers, count = label_islands(mask)
    assert count == kept
    assert_same(numbers, expected)


def test_a_label_among_others_and_the_kept_island() -> None:
    labels = blob_labels((15, 16, 17), 7)
    numbers, _count = label_islands(labels, label=2)
    assert_same(numbers, numbered(labels == 2, 6)[0])
    assert_same(numbers == 1, islands(labels, label=2) == 2)


def test_slices_images_and_checkerboards() -> None:
    board = (np.indices((9, 10, 11)).sum(axis=0) % 2).astype(np.int16)
    numbers, count = label_islands(board)
    assert count == board.sum()
    assert numbers[board == 1].tolist() == list(range(1, count + 1))  # all of one size
    assert label_islands(board, connectivity=18).count == 1
    flat, count = label_islands(board[0])
    assert flat.shape == (10, 11)
    assert count == board[0].sum()
    image = to_image(board)
    result = label_islands(image)
    assert_same(to_array(result.numbers), numbers)
    assert result.numbers.GetPointData().GetScalars().GetName() == "Islands"
    assert image.GetPointData().GetNumberOfArrays() == 1
    assert label_islands(np.zeros((3, 4, 5), np.uint8)).count == 0


@pytest.mark.parametrize("kind", ["int32", "int64", "swapped", "strided", "slice"])
def test_into_an_array(kind: str) -> None:
    mask = random_mask((9, 11, 13), 5, 35).astype(np.uint8)
    mask = mask[0] if kind == "slice" else mask
    expected = label_islands(mask)
    dtype = {"int64": "i8", "swapped": ">i4"}.get(kind, "i4")
    memory = np.full((*mask.shape[:-1], 2 * mask.shape[-1]), 99, dtype)
    out = memory[..., ::2] if kind == "strided" else memory[..., : mask.shape[-1]].copy()
    for progress in (None, lambda _fraction: True):
        out[...] = 77
        numbers, count = label_islands(mask, out=out, progress=progress)
        assert numbers is out
        assert count == expected.count
        assert_same(np.asarray(out, np.int32), expected.numbers)
    if kind == "strided":
        assert (memory[..., 1::2] == 99).all()


def test_into_the_memory_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """No second array of numbers: the filter writes to the one that is given."""
    written = []

    def into(out: np.ndarray, numbers: np.ndarray, _function: str) -> np.ndarray:
        written.append(np.shares_memory(out, numbers))
        return out

    monkeypatch.setattr(numbering, "into", into)
    mask = random_mask((9, 11, 13), 5, 35).astype(np.uint8)
    out = np.zeros(mask.shape, np.int32)
    assert_same(label_islands(mask, out=out).numbers, numbered(mask == 1, 6)[0])
    assert written == [True]


def test_arrays_that_cannot_take_the_numbers() -> None:
    mask = np.ones((3, 4, 5), np.uint8)
    integers = np.full(mask.shape, 7, np.int32)
    read_only = integers.copy()
    read_only.flags.writeable = False
    for out, error, text in (
        ([], TypeError, "out is list"),
        (np.zeros((3, 4, 6), np.int32), ValueError, "shape"),
        (np.zeros(mask.shape, np.int16), ValueError, "int16; expected int32 or int64"),
        (np.zeros(mask.shape, np.float64), ValueError, "float64; expected int32 or int64"),
        (read_only, ValueError, "read-only"),
    ):
        with pytest.raises(error, match=text):
            label_islands(mask, out=out)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="no numpy"):
        label_islands(to_image(mask), out=integers)
    with pytest.raises(ValueError, match="shares memory"):
        label_islands(integers, out=integers, label=7)
    with pytest.raises(Cancelled):
        label_islands(mask, out=integers, progress=lambda _fraction: False)
    assert (integers == 7).all()


def test_wrong_arguments() -> None:
    mask = np.ones((3, 4, 5), np.uint8)
    for arguments, error in (
        ({"label": 0}, ValueError),
        ({"minimum_size": -1}, ValueError),
        ({"minimum_size": 1.5}, TypeError),
        ({"connectivity": 8}, ValueError),
        ({"progress": 3}, TypeError),
    ):
        with pytest.raises(error, match=next(iter(arguments))):
            label_islands(mask, **arguments)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="labels"):
        label_islands("mask")  # type: ignore[arg-type]
    with pytest.raises(Cancelled):
        label_islands(mask, progress=lambda _fraction: False)


@pytest.mark.slicer
def test_equals_slicer(slicer_python: str, tmp_path: Path) -> None:
    # Where Slicer's output type has a label for each.
    masks = [random_mask((9, 11, 13), 1, 35), blob_labels((15, 16, 17), 7) == 1]
    jobs = [
        {"what": "islands", "array": mask.astype(np.uint8), "minimum": 1, "fully": fully}
        for mask in masks
        for fully in (False, True)
    ]
    for job, expected in zip(jobs, ask(slicer_python, tmp_path, jobs), strict=True):
        numbers, _count = label_islands(job["array"], connectivity=26 if job["fully"] else 6)
        assert_same(numbers, expected.astype(np.int32))
