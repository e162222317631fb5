"""Scissors against the projection of every voxel, with matrices of slices and cameras."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from outline_oracle import centres, inside_outline, slice_thickness
from sample_data import assert_same, blob_labels, noise
from segmentationcore import scissors, to_array, to_image
from skimage.measure import points_in_poly
from vtkmodules.vtkRenderingCore import vtkCamera

pytestmark = pytest.mark.python

SHAPE = (12, 14, 16)
SPACING = (1.3, 0.8, 1.1)
OPERATIONS = ["EraseInside", "EraseOutside", "FillInside", "FillOutside"]
MODES = ["Unlimited", "Positive", "Negative", "Symmetric"]
# Rows x, y, depth, w; columns z, y, x, 1.
TILTED = np.array([[0.1, 0.6, -0.8, 1], [0.2, 0.8, 0.6, -2], [0.9, -0.3, 0.2, 4], [0, 0, 0, 1]])
PERSPECTIVE = np.array(
    [[0.2, 0.3, 1.1, 0], [0.1, 0.9, -0.2, 1], [1, 0.1, 0, 5], [0.07, 0.02, 0.01, 1]]
)


def some_points(count: int, seed: int) -> np.ndarray:
    fractions = (noise((count, 3), seed) % np.uint64(10007)).astype(float) / 10007
    return fractions * (np.array(SHAPE) - 1) * SPACING


def places(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """y, x of the view."""
    seen = points @ matrix[:, :3].T + matrix[:, 3]
    return seen[..., [1, 0]] / seen[..., [3]]


def edited(labels: np.ndarray, mask: np.ndarray, operation: str, label: int) -> np.ndarray:
    if operation.startswith("Erase"):
        return np.where(mask & (labels == label), 0, labels).astype(labels.dtype)
    return np.where(mask, label, labels).astype(labels.dtype)


def depths(matrix: np.ndarray, points: np.ndarray, limit: float, mode: str) -> np.ndarray:
    """Whether a voxel is deep enough, and not too deep."""
    sight = matrix[3, :3] if matrix[3, :3].any() else matrix[2, :3]
    sight = sight / np.linalg.norm(sight)
    depth = (centres(SHAPE, SPACING) - points.mean(axis=0)) @ sight
    half = slice_thickness(sight, SPACING) / 2
    if mode == "Positive":
        return depth >= -half
    if mode == "Negative":
        return depth < half
    limit = max(half, limit / 2)
    return (np.abs(depth) < limit) | (mode == "Unlimited")


@pytest.mark.parametrize("matrix", [TILTED, PERSPECTIVE], ids=["tilted", "perspective"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_free_form(operation: str, matrix: np.ndarray) -> None:
    labels = blob_labels(SHAPE, 5)
    for seed, mode in enumerate(MODES):
        points = some_points(4 + 3 * seed, seed)
        limit = 4.4 if seed % 2 else 0.0
        inside = inside_outline(places(matrix, points), places(matrix, centres(SHAPE, SPACING)))
        mask = (inside != operation.endswith("Outside")) & depths(matrix, points, limit, mode)
        assert mask.any()
        result = scissors(
            labels,
            points=points,
            operation=operation,
            slice_cut_mode=mode,
            slice_cut_depth_mm=limit,
            view_matrix=matrix,
            spacing=SPACING,
            label=2,
        )
        assert_same(result, edited(labels, mask, operation, 2), f"{mode}:")


@pytest.mark.parametrize("matrix", [TILTED, PERSPECTIVE], ids=["tilted", "perspective"])
@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("shape", ["Circle", "Rectangle"])
def test_circles_and_rectangles(shape: str, centred: bool, matrix: np.ndarray) -> None:
    voxels = places(matrix, centres(SHAPE, SPACING))
    for seed in range(5):
        points = some_points(2, seed)
        first, last = places(matrix, points)
        middle = first if centred else (first + last) / 2
        if shape == "Circle":
            radius = np.linalg.norm(last - middle)
            inside = np.linalg.norm(voxels - middle, axis=-1) <= radius
        else:
            inside = (np.abs(voxels - middle) < np.abs(last - middle)).all(axis=-1)
        assert inside.any()
        result = scissors(
            np.zeros(SHAPE, np.uint8),
            points=points,
            operation="FillInside",
            shape=shape,
            shape_draw_centered=centred,
            view_matrix=matrix,
            spacing=SPACING,
        )
        assert_same(result, inside.astype(np.uint8), f"seed {seed}:")


def test_the_default_looks_along_the_last_axis_of_the_world() -> None:
    labels = np.ones(SHAPE, np.uint8)
    points = [[3.0, 2.2, 3.1], [3.0, 9.4, 4.3], [3.0, 5.5, 12.2]]
    inside = inside_outline(np.array(points)[:, 1:], centres(SHAPE[1:], (1.0, 1.0)))
    expected = labels.copy()
    expected[:, inside] = 0
    assert_same(scissors(labels, points=points), expected)


def test_shared_edges_count_once() -> None:
    # A camera sees no voxel on the line exactly, but each on one side of it.
    quarter = np.array([[5.0, 3.0, 3.0], [5.0, 3.0, 12.0], [5.0, 11.0, 12.0], [5.0, 11.0, 3.0]])
    for matrix in (TILTED, PERSPECTIVE):
        total = np.zeros(SHAPE, int)
        parts = ([0, 1, 2], [2, 3, 0])
        for part in (*parts, [0, 1, 2, 3]):
            filled = scissors(
                np.zeros(SHAPE, np.uint8),
                points=quarter[part],
                operation="FillInside",
                view_matrix=matrix,
            )
            total += filled.astype(int) * (1 if part in parts else -1)
        assert not total.any()


@pytest.mark.parametrize("parallel", [False, True])
def test_a_camera_of_vtk(parallel: bool) -> None:
    image = to_image(blob_labels(SHAPE, 3), spacing=SPACING, origin=(-20.0, 5.0, 100.0))
    camera = vtkCamera()
    camera.SetPosition(40.0, -60.0, 130.0)
    camera.SetFocalPoint(image.GetCenter())
    camera.SetViewUp(0.1, 0.2, 1.0)
    camera.SetParallelProjection(parallel)
    camera.SetParallelScale(9.0)
    camera.SetClippingRange(1.0, 300.0)
    # Pixels of a window of 600 x 400, so that both axes have one scale.
    projection = camera.GetCompositeProjectionTransformMatrix(1.5, -1.0, 1.0)
    view = np.array([[projection.GetElement(r, c) for c in range(4)] for r in range(4)])
    window = np.diag([300.0, 200.0, 1.0, 1.0]) @ view
    to_world = np.linalg.inv(window)
    outline = [(-60.0, -30.0), (10.0, 33.0), (45.0, -22.0), (0.0, -5.0)]

    centre = window @ [*image.GetCenter(), 1.0]

    def world(x: float, y: float) -> Any:
        place = to_world @ [x, y, centre[2] / centre[3], 1.0]
        return (place[:3] / place[3]).tolist()

    points = [world(*corner) for corner in outline]
    shown = np.empty((*SHAPE, 2))
    for k, j, i in itertools.product(*map(range, SHAPE)):
        x, y, _, w = window @ [*image.GetPoint(image.ComputePointId((i, j, k))), 1.0]
        shown[k, j, i] = x / w, y / w
    inside = points_in_poly(shown.reshape(-1, 2), outline).reshape(SHAPE)
    assert 20 < inside.sum() < inside.size - 20
    result = scissors(image, points=points, operation="EraseOutside", view_matrix=window)
    assert_same(to_array(result), edited(to_array(image), ~inside, "EraseOutside", 1))
    # From the front half of the image alone.
    front = scissors(
        image, points=points, view_matrix=window.ravel().tolist(), slice_cut_mode="Negative"
    )
    removed = (to_array(image) == 1) & (to_array(front) == 0)
    assert not (removed & ~inside).any()
    assert 0 < removed.sum() < (inside & (to_array(image) == 1)).sum()


def test_crossing_outlines_follow_the_even_odd_rule() -> None:
    # Slicer's stencil fails on some of them.
    star = [(6 + 5.3 * np.sin(a), 7 + 6.1 * np.cos(a)) for a in 4 * np.pi / 5 * np.arange(5) + 0.1]
    points = [[2.0, y, x] for y, x in star]
    result = scissors(np.ones(SHAPE, np.uint8), points=points)
    inside = inside_outline(star, centres(SHAPE[1:], (1.0, 1.0)))
    assert not inside[6, 7]  # its middle is crossed twice
    assert_same(result[4] == 0, inside)


def test_what_is_refused_says_why() -> None:
    labels = np.ones(SHAPE, np.uint8)
    points = some_points(3, 1)
    for arguments, text in (
        ({"points": points[:2]}, "Points has 2, expected at least 3"),
        ({"points": points[:1], "shape": "Circle"}, "Points has 1, expected at least 2"),
        ({"points": points, "view_matrix": np.ones((4, 4))}, "ViewMatrix cannot be inverted"),
        ({"points": points, "view_matrix": np.diag([1.0, 1, 1, 0])}, "cannot be inverted"),
        ({"points": points, "view_matrix": [*TILTED[:3], [-9, 0, 0, 1]]}, "behind the camera"),
    ):
        with pytest.raises(Exception, match=text):
            scissors(labels, **arguments)
