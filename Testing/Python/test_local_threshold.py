"""Local threshold against its steps by SciPy and Dijkstra's algorithm, and in a session."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from ellipsoid_oracle import ellipsoid, kernel_of
from sample_data import ALL_TYPES, assert_same, noise, smooth_volume, template
from scipy import ndimage
from segmentationcore import Editor, SegmentationCoreError, local_threshold, watershed
from session_world import World, add_segments, apply, array_of, done, mask_of, operation, whole
from test_grow_from_seeds import by_dijkstra
from vtkmodules.vtkCommonDataModel import vtkImageData

pytestmark = pytest.mark.python

ALGORITHMS = ("GrowCut", "Masking", "WaterShed")
LEAST = 125
WORLD = World((12, 14, 26), spacing=(1.0, 1.0, 1.0), first=(-3, 0, 5))


def by_steps(
    volume: np.ndarray,
    points: Any,
    low: float,
    high: float,
    millimetres: float = 3.0,
    algorithm: str = "GrowCut",
    spacing: tuple[float, ...] = (1.0, 1.0, 1.0),
    scale: int = 256,
) -> np.ndarray:
    """The selected voxels; whole numbers from 0, of which each is ``scale`` levels."""
    inside = (volume >= low) & (volume <= high)
    kernel = kernel_of(millimetres, spacing)
    core = ndimage.binary_erosion(inside, ellipsoid(kernel), border_value=1)
    islands, _ = ndimage.label(core)
    large = np.bincount(islands.ravel()) >= LEAST
    large[0] = False
    islands[~large[islands]] = 0
    candidates = np.argwhere(islands)
    chosen = set()
    for point in points:
        if any(not -0.5 <= p < n - 0.5 for p, n in zip(np.divide(point, spacing), volume.shape)):  # noqa: B905
            continue
        away = np.abs(candidates - np.divide(point, spacing))
        distances = np.linalg.norm(away * spacing, axis=1)
        near = (distances <= millimetres * (1 + 1e-12)) | (away <= 0.5).all(axis=1)
        if near.any():
            first = np.argmin(np.where(near, distances, np.inf))
            chosen.add(int(islands[tuple(candidates[first])]))
    mine = np.isin(islands, [*chosen])
    if not chosen:
        return mine
    others = (islands > 0) & ~mine
    if algorithm == "Masking":
        wide = ellipsoid([2 * k - 1 for k in kernel])
        allowed = inside & ~ndimage.binary_dilation(others, wide) | mine
        parts, _ = ndimage.label(allowed)
        return np.isin(parts, np.unique(parts[mine]))
    seeds = np.where(inside, np.where(mine, 2, np.where(others, 1, 0)), 3).astype(np.uint8)
    if algorithm == "WaterShed":  # which has tests of its own
        return np.asarray(watershed(seeds, volume, object_scale_mm=3.0, spacing=spacing) == 2)
    factor = 4.0 / (min(spacing) * scale)
    labels, _ = by_dijkstra(seeds, volume, factor, spacing, scale)
    return labels == 2


def rooms(shape: tuple[int, int, int], bridge: int, seed: int) -> np.ndarray:
    """Two rooms with a bridge between them, noise, and whole values from 0 to 255."""
    nz, ny, nx = shape
    volume = (noise(shape, seed) % np.uint64(60)).astype(np.int64) + 20
    walls = np.ones(shape, bool)
    walls[1 : nz - 1, 1 : ny - 1, : nx // 2 - 2] = False
    walls[1 : nz - 1, 1 : ny - 1, nx // 2 + 2 :] = False
    z, y = nz // 2, ny // 2
    walls[z : z + bridge, y : y + bridge, :] = False
    volume[~walls] += 130
    volume[0, 0, :2] = 0, 255
    return volume.astype(np.uint8)


def added(labels: np.ndarray, mask: np.ndarray, label: int = 1) -> np.ndarray:
    return np.where(mask, label, labels).astype(labels.dtype)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (1.3, 0.8, 1.0)])
@pytest.mark.parametrize("bridge", [1, 4])
def test_rooms(bridge: int, spacing: tuple[float, float, float], algorithm: Any) -> None:
    shape = (12, 14, 26)
    volume = rooms(shape, bridge, 3)
    labels = (noise(shape, 4) % np.uint64(3)).astype(np.uint8)
    left, right = np.multiply((5.2, 6.3, 4.1), spacing), np.multiply((6.2, 5.9, 20.3), spacing)
    for points in ([left], [right], [left, right], [left, (999.0, 0.0, 0.0)]):
        for millimetres in (0.0, 3.7):
            got = local_threshold(
                labels,
                volume,
                points=points,
                minimum_threshold=150,
                minimum_diameter_mm=millimetres,
                segmentation_algorithm=algorithm,
                spacing=spacing,
                label=2,
            )
            expected = by_steps(volume, points, 150, 1e299, millimetres, algorithm, spacing)
            assert_same(got, added(labels, expected, 2), f"{len(points)} points, {millimetres} mm:")
            assert expected.sum() > (500 if algorithm == "WaterShed" else 1000)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("seed", [1, 2])
def test_blobs(seed: int, algorithm: Any) -> None:
    shape, spacing = (14, 20, 30), (1.5, 1.0, 0.75)
    volume = smooth_volume(shape, seed).astype(np.int16)
    volume[0, 0, :2] = 0, 255
    labels = np.zeros(shape, np.int16)
    found = 0
    for where in np.argwhere(noise(shape, seed) % np.uint64(1200) == 0):
        point = (where + 0.1) * spacing
        given: dict[str, Any] = {
            "points": [point],
            "minimum_threshold": 20,
            "maximum_threshold": 60,
            "minimum_diameter_mm": 1.6,
            "segmentation_algorithm": algorithm,
        }
        got = local_threshold(labels, volume, spacing=spacing, **given)
        expected = by_steps(volume, [point], 20, 60, 1.6, algorithm, spacing)
        assert_same(got, added(labels, expected), f"point {where}:")
        found += int(expected.any())
    assert found > 0


def test_a_thin_bridge_is_cut_and_a_thick_one_is_not() -> None:
    labels = np.zeros((12, 14, 26), np.uint8)
    room = 10 * 12 * 11
    for algorithm in ALGORITHMS[:2]:  # WaterShed keeps to what is steep, not to the thresholds
        for bridge, low, high in ((2, room, 1.1 * room), (6, 2 * room, 2.3 * room)):
            volume = rooms(labels.shape, bridge, 5)
            got = local_threshold(
                labels,
                volume,
                points=[(5, 6, 4)],
                minimum_threshold=150,
                minimum_diameter_mm=4.0,
                segmentation_algorithm=algorithm,  # type: ignore[arg-type]
            )
            assert 0.97 * low <= got.sum() <= high


def test_ties_go_by_length() -> None:
    """Where all grey values are equal, rooms meet in the middle of their bridge."""
    volume = np.zeros((9, 9, 25), np.uint8)
    volume[1:8, 1:8, :9] = 200
    volume[1:8, 1:8, 16:] = 200
    volume[4, 4, 9:16] = 200  # 7 voxels; the one in the middle has no nearer side
    got = local_threshold(np.zeros_like(volume), volume, points=[(4, 4, 4)], minimum_threshold=100)
    expected = volume == 200
    expected[:, :, 12:] = False
    assert_same(got, expected.astype(np.uint8))


@pytest.mark.parametrize("dtype", ALL_TYPES, ids=str)
def test_types_of_the_volume(dtype: np.dtype[Any]) -> None:
    shape = (12, 14, 26)
    volume = rooms(shape, 2, 7) // 2  # up to 127
    labels = np.zeros(shape, np.uint8)
    point = [(5.2, 6.3, 4.1)]
    for algorithm in ALGORITHMS:
        expected = by_steps(volume, point, 74.6, 126.4, 2.0, algorithm)
        got = local_threshold(
            labels,
            volume.astype(dtype),
            points=point,
            minimum_threshold=74.6,
            maximum_threshold=126.4,
            minimum_diameter_mm=2.0,
            segmentation_algorithm=algorithm,  # type: ignore[arg-type]
        )
        assert_same(got, added(labels, expected))


def test_a_real_head() -> None:
    volume, _ = template("ch2bet.nii.gz")
    volume = np.ascontiguousarray(volume[60:84, 80:110, 60:90])
    volume[0, 0, :2] = 0, 255
    labels = np.zeros(volume.shape, np.uint8)
    for algorithm in ALGORITHMS:
        got = local_threshold(
            labels,
            volume,
            points=[(12, 15, 15)],
            minimum_threshold=90,
            maximum_threshold=254,
            segmentation_algorithm=algorithm,  # type: ignore[arg-type]
        )
        expected = by_steps(volume, [(12, 15, 15)], 90, 254, 3.0, algorithm)
        assert_same(got, expected.astype(np.uint8))
        assert got.any()


def test_in_a_session() -> None:
    volume = rooms(WORLD.shape, 2, 9)
    session = WORLD.session(volume)
    add_segments(session, ["a", "b", "c"])
    for algorithm, segment in zip(ALGORITHMS, "abc", strict=True):
        # An empty segment gets something, too.
        edit = operation(
            "local_threshold",
            segment,
            Points=[WORLD.point([4, 6, 5])],
            MinimumThreshold=150.0,
            MinimumDiameterMm=4.0,
            SegmentationAlgorithm=algorithm,
        )
        expected = by_steps(volume, [(5, 6, 4)], 150, 1e299, 4.0, algorithm)
        image = vtkImageData()
        done(session, session.Preview(json.dumps(edit), whole(session), 1, image))
        assert_same(array_of(image, "Mask"), expected.astype(np.uint8))
        apply(session, edit)
        assert_same(mask_of(session, segment), expected)
    # Nothing outside of a region is looked at: half of a room, and the other one for the rest.
    size = np.multiply(WORLD.spacing, (8.0, 14.0, 12.0)).tolist()
    center = WORLD.point([3.5, 6.5, 5.5])
    region = {"center": center, "size": size}
    edit["segment"] = "a"
    edit["region"] = region
    part = by_steps(volume[:, :, :8], [(5, 6, 4)], 150, 1e299, 4.0, ALGORITHMS[-1])
    apply(session, operation("logical", "a", Operation="CLEAR"))
    apply(session, edit)
    assert part.any()
    expected = np.zeros(WORLD.shape, bool)
    expected[:, :, :8] = part
    assert_same(mask_of(session, "a"), expected)


def test_in_the_editor() -> None:
    volume = rooms((12, 14, 26), 2, 9)
    editor = Editor(volume, spacing=(1.0, 2.0, 1.0))
    editor.add_segment("a")
    given: dict[str, Any] = {"points": [(5, 12, 4)], "minimum_threshold": 150}
    editor.apply("local_threshold", "a", **given)
    empty = np.zeros_like(volume)
    expected = local_threshold(empty, volume, spacing=(1.0, 2.0, 1.0), **given)
    assert expected.any()
    assert_same(editor.labels().labels, expected)


def test_wrong_arguments() -> None:
    volume = rooms((12, 14, 26), 2, 9)
    labels = np.zeros_like(volume)
    with pytest.raises(SegmentationCoreError, match="MinimumDiameterMm is 300 mm, which spans"):
        local_threshold(labels, volume, points=[(5, 6, 4)], minimum_diameter_mm=300.0)
    with pytest.raises(ValueError, match="segmentation_algorithm"):
        local_threshold(
            labels,
            volume,
            points=[(5, 6, 4)],
            segmentation_algorithm="Other",  # type: ignore[arg-type]
        )
