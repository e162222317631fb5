"""Local histograms against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sample_data import ALL_TYPES, assert_same, noise, smooth_volume
from segmentationcore import (
    Cancelled,
    Editor,
    SegmentationCoreError,
    local_histogram,
    threshold,
    to_image,
)
from segmentationcore._registry import queries

pytestmark = pytest.mark.python

SHAPE = (11, 13, 16)
SPACING = (2.0, 0.75, 1.25)


def places() -> NDArray[np.float64]:
    """Millimetres of every voxel, axes last."""
    return np.moveaxis(np.indices(SHAPE), 0, -1) * np.array(SPACING)


def on_way(points: Any, axes: Any = (0, 1, 2)) -> NDArray[np.float64]:
    """The distance of every voxel to the way through points, along some axes."""
    voxels, corners = places()[..., axes], np.array(points)[:, axes]
    least = np.full(SHAPE, np.inf)
    for a, b in zip(corners, [*corners[1:], corners[-1]], strict=True):
        length = (b - a) @ (b - a)
        t = np.clip((voxels - a) @ (b - a) / length, 0, 1) if length else np.zeros(SHAPE)
        least = np.minimum(
            least, np.linalg.norm(voxels - a - t[..., np.newaxis] * (b - a), axis=-1)
        )
    return least


# By brush: the arguments, and the voxels that it touches.
WAY = [(6.1, 2.3, 4.2), (6.1, 7.1, 11.3), (6.1, 4.4, 15.1)]
CORNERS = [(9.2, 2.1, 3.4), (5.1, 6.3, 12.2)]
OUTLINE = [(8.0, 1.1, 2.1), (8.0, 8.05, 2.3), (8.0, 8.1, 16.2), (8.0, 1.2, 16.1)]
BRUSHES: dict[str, tuple[dict[str, Any], Any]] = {
    "circle": (
        {"points": WAY, "brush_absolute_diameter": 4.1},
        lambda: (on_way(WAY, (1, 2)) <= 2.05) & (places()[..., 0] == 6.0),
    ),
    "thick circle": (
        {"points": WAY, "brush_absolute_diameter": 4.1, "slice_thickness": 7.0},
        lambda: (on_way(WAY, (1, 2)) <= 2.05) & (abs(places()[..., 0] - 6.1) <= 3.5),
    ),
    "circle across another axis": (
        {
            "points": [(7.1, 4.4, 10.1)],
            "brush_absolute_diameter": 9.3,
            "slice_normal": (0.0, 0.0, -2.0),
        },
        lambda: (on_way([(7.1, 4.4, 10.1)], (0, 1)) <= 4.65) & (places()[..., 2] == 10.0),
    ),
    "line": (
        {"points": WAY, "brush_type": "LINE", "brush_absolute_diameter": 4.3},
        lambda: on_way(WAY) <= 2.15,
    ),
    "box": (
        {"points": CORNERS, "brush_type": "BOX"},
        lambda: (
            (np.indices(SHAPE) >= np.reshape((3, 3, 3), (3, 1, 1, 1)))
            & (np.indices(SHAPE) <= np.reshape((5, 8, 10), (3, 1, 1, 1)))
        ).all(axis=0),
    ),
    "outline": (
        {"points": OUTLINE, "brush_type": "DRAW"},
        lambda: (
            (places()[..., 0] == 8.0)
            & (places()[..., 1] > 1.2)
            & (places()[..., 1] < 8.0)
            & (places()[..., 2] > 2.3)
            & (places()[..., 2] < 16.1)
        ),
    ),
}


def assert_row(row: Any, values: NDArray[Any], bins: int = 64) -> None:
    """What the table tells of these values."""
    finite = values[np.isfinite(values.astype(np.float64))].astype(np.float64)
    assert row["voxel_count"] == finite.size > 1
    assert (row["lower"], row["upper"]) == (finite.min(), finite.max())
    largest = abs(finite).max()
    assert row["average"] == pytest.approx(finite.mean(), rel=1e-12, abs=1e-12 * largest)
    assert row["stdev"] == pytest.approx(finite.std(ddof=1), rel=1e-9, abs=1e-12 * largest)
    width = (finite.max() - finite.min()) * (1 + 1 / (100 * bins)) / bins
    assert row["bin_minimum"] == finite.min()
    assert row["bin_width"] == pytest.approx(width, rel=1e-14)
    assert row["counts"].shape == (bins,)
    if finite.max() < 2**53:
        edges = row["bin_minimum"] + np.arange(bins + 1) * row["bin_width"]
        assert_same(row["counts"], np.histogram(finite, edges)[0].astype(np.int64))


@pytest.mark.parametrize("name", BRUSHES)
@pytest.mark.parametrize("dtype", ALL_TYPES, ids=str)
def test_brushes(name: str, dtype: np.dtype[Any]) -> None:
    given, touched = BRUSHES[name]
    volume = noise(SHAPE, 3).astype(np.int64).astype(dtype)
    if dtype.kind == "f":
        volume = ((noise(SHAPE, 3) % 100_003) / 7 - 4000).astype(dtype)
        volume[:, ::5, ::3] = np.nan
        volume[:, ::7, 1::3] = -np.inf
    inside = touched()
    before = volume.tobytes()
    for bins in (64, 7):
        table = local_histogram(volume, **given, number_of_bins=bins, spacing=SPACING)
        assert table.shape == (1,)
        declared = queries()["local_histogram"]["columns"]
        assert list(table.dtype.names or ()) == ", ".join(c["name"] for c in declared).split(", ")
        assert_row(table[0], volume[inside], bins)
    assert volume.tobytes() == before


def test_images_and_slices() -> None:
    volume = smooth_volume(SHAPE, 4)
    image = to_image(volume, spacing=SPACING)
    image.SetOrigin(10.0, -3.0, 4.0)
    image.SetDirectionMatrix([0, 1, 0, -1, 0, 0, 0, 0, 1])
    world = []
    for z, y, x in np.array(WAY) / SPACING:
        point = [0.0, 0.0, 0.0]
        image.TransformContinuousIndexToPhysicalPoint(x, y, z, point)
        world.append(point)
    expected = local_histogram(volume, points=WAY, spacing=SPACING)
    assert local_histogram(image, points=world).tobytes() == expected.tobytes()
    assert_row(expected[0], volume[(on_way(WAY, (1, 2)) <= 2.5) & (places()[..., 0] == 6.0)])
    flat = local_histogram(
        np.asfortranarray(volume[3]), points=np.array(WAY)[:, 1:], spacing=SPACING[1:]
    )
    assert_row(flat[0], volume[3][(on_way(WAY, (1, 2)) <= 2.5)[0]])
    assert local_histogram(volume > 40, points=WAY)["upper"] == 1.0


def test_the_automatic_threshold_is_that_of_the_effect() -> None:
    volume = smooth_volume(SHAPE, 4).astype(np.int16)
    whole: dict[str, Any] = {"points": [(0, 0, 0), (10, 12, 15)], "brush_type": "BOX"}
    for method in ("OTSU", "LI", "TRIANGLE"):
        row = local_histogram(volume, **whole, auto_threshold_method=method)[0]
        selected = threshold(
            volume, auto_threshold_mode="SET_LOWER_MAX", auto_threshold_method=method
        )
        assert_same(selected, (volume >= row["auto_threshold"]).astype(np.uint8))
    row = local_histogram(np.full(SHAPE, 7.5), points=[(4, 4, 4)])[0]
    assert np.isnan(row["auto_threshold"])
    assert (row["lower"], row["average"], row["upper"], row["stdev"]) == (7.5, 7.5, 7.5, 0.0)


def test_an_editor_asks_in_its_own_coordinates() -> None:
    volume = smooth_volume(SHAPE, 4)
    editor = Editor(volume, spacing=SPACING, origin=(100.0, -50.0, 0.0))
    operations = editor.operations
    moved = np.array(WAY) + np.array((100.0, -50.0, 0.0))
    expected = local_histogram(volume, points=WAY, spacing=SPACING)
    found = editor.local_histogram(volume, points=moved)
    assert found.tobytes() == expected.tobytes()
    assert editor.operations == operations
    assert editor.local_histogram(volume, points=moved, number_of_bins=5)["counts"].shape == (1, 5)
    with pytest.raises(TypeError, match=r"Editor.local_histogram\(\) needs points"):
        editor.local_histogram(volume)
    with pytest.raises(TypeError, match="no parameter 'bins'"):
        editor.local_histogram(volume, points=moved, bins=5)
    with pytest.raises(ValueError, match="has the shape"):
        editor.local_histogram(volume[1:], points=moved)


def test_wrong_arguments() -> None:
    volume = smooth_volume(SHAPE, 4)
    with pytest.raises(SegmentationCoreError, match="the brush touches no voxel"):
        local_histogram(volume, points=[(1000, 0, 0)])
    with pytest.raises(SegmentationCoreError, match="NumberOfBins is 5000, expected 2 to 4096"):
        local_histogram(
            volume, points=[(4, 4, 4)], number_of_bins=5000, auto_threshold_method="HUANG"
        )
    with pytest.raises(ValueError, match="brush_type"):
        local_histogram(volume, points=[(4, 4, 4)], brush_type="BALL")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="points"):
        local_histogram(volume, points=[])
    with pytest.raises(TypeError, match="a numpy"):
        local_histogram([1, 2], points=[(4, 4, 4)])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="has its own"):
        local_histogram(to_image(volume), points=[(4, 4, 4)], spacing=(1, 1, 1))
    with pytest.raises(Cancelled):
        local_histogram(volume, points=[(4, 4, 4)], progress=lambda _: False)
