"""Islands that reach faces, against scipy, and in the editor."""

from __future__ import annotations

import numpy as np
import pytest
from sample_data import assert_same, blob_labels, random_mask
from scipy import ndimage
from segmentationcore import Editor, connectivity

pytestmark = pytest.mark.python

STRUCTURES = {n: ndimage.generate_binary_structure(3, i) for n, i in ((6, 1), (18, 2), (26, 3))}
FACES = ["INLET_AND_OUTLET", "INLET", "OUTLET", "INLET_OR_OUTLET", "ALL_FACES", "ANY_FACE"]


def by_scipy(
    mask: np.ndarray, faces: str, axis: int, forward: bool = True, neighbours: int = 6
) -> np.ndarray:
    """Numbers of the islands on each face, as sets."""
    numbers, _count = ndimage.label(mask, STRUCTURES[neighbours])
    reached = [
        (set(numbers.take(0, a).ravel()) - {0}, set(numbers.take(-1, a).ravel()) - {0})
        for a in range(3)
    ]
    inlet, outlet = reached[axis] if forward else reached[axis][::-1]
    every = [face for pair in reached for face in pair]
    kept = {
        "INLET_AND_OUTLET": inlet & outlet,
        "INLET": inlet,
        "OUTLET": outlet,
        "INLET_OR_OUTLET": inlet | outlet,
        "ALL_FACES": set.intersection(*every),
        "ANY_FACE": set.union(*every),
    }[faces]
    return np.isin(numbers, list(kept)) & mask


@pytest.mark.parametrize("neighbours", [6, 18, 26])
@pytest.mark.parametrize("faces", FACES)
def test_random_voxels(faces: str, neighbours: int) -> None:
    directions = [((1.0, 0.2, -0.3), 0, True), ((0.0, -2.0, 1.0), 1, False), ((0, 0, 1), 2, True)]
    for percent in (10, 32, 45):
        for seed, (direction, axis, forward) in enumerate(directions):
            mask = random_mask((9, 11, 67), seed, percent)
            result = connectivity(
                mask, faces=faces, flow_direction=direction, connectivity=neighbours
            )
            expected = by_scipy(mask, faces, axis, forward, neighbours)
            assert_same(result, expected, f"{percent} %, axis {axis}:")


def test_the_default_flows_along_the_first_axis_of_the_world() -> None:
    mask = random_mask((5, 30, 31), 2, 40)
    # In an array the world's z is axis 0.
    assert_same(connectivity(mask), by_scipy(mask, "INLET_AND_OUTLET", 0))


def test_an_island_along_an_edge_of_the_image_counts() -> None:
    # GeoSlicer looks at the faces without their edges.
    mask = np.zeros((4, 5, 6), np.uint8)
    mask[:, 0, 0] = 1
    assert_same(connectivity(mask, flow_direction=(1, 0, 0)), mask)
    assert not connectivity(mask, flow_direction=(0, 1, 0)).any()


def test_what_percolates_both_ways_is_the_same() -> None:
    labels = blob_labels((15, 16, 17), 7)
    forth = connectivity(labels, label=2, flow_direction=(0, 0, 1))
    assert_same(connectivity(labels, label=2, flow_direction=(0, 0, -3)), forth)
    flipped = connectivity(labels[:, :, ::-1].copy(), label=2, flow_direction=(0, 0, 1))
    assert_same(flipped[:, :, ::-1], forth)
    # What reaches the inlet and what reaches the outlet have in common what percolates.
    ends = [
        connectivity(labels, label=2, faces=faces, flow_direction=(0, 0, 1)) == 2
        for faces in ("INLET", "OUTLET")
    ]
    assert_same(forth == 2, ends[0] & ends[1])


def test_the_editor_looks_at_the_faces_of_the_image() -> None:
    # Not at those of the segment's box.
    editor = Editor(np.zeros((9, 10, 11), np.uint8))
    editor.add_segment("a")
    ways = {"through": [[4, 2, 0], [4, 2, 10]], "half": [[4, 6, 0], [4, 6, 7]]}
    for points in (*ways.values(), [[1, 8, 3], [1, 8, 6]]):
        editor.apply("paint", "a", points=points, brush_pixel_mode=True)
    before = editor.mask("a")
    assert before.sum() == 11 + 8 + 4
    editor.apply("connectivity", "a", flow_direction=(0, 0, 1))
    assert_same(editor.mask("a"), by_scipy(before, "INLET_AND_OUTLET", 2))
    assert editor.mask("a").sum() == 11
    editor.undo()
    editor.apply("connectivity", "a", faces="INLET", flow_direction=(0, 0, 1))
    assert editor.mask("a").sum() == 11 + 8
