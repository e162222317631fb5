"""Fill holes against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sample_data import assert_same, random_mask, template
from scipy import ndimage
from segmentationcore import fill_holes, to_array, to_image

pytestmark = pytest.mark.python

NEIGHBOURS = {6: 1, 18: 2, 26: 3}


def by_scipy(mask: NDArray[np.bool_], connectivity: int = 6, maximum: int = 0) -> NDArray[np.bool_]:
    """Components of the background that do not touch the border, small ones if so asked."""
    structure = ndimage.generate_binary_structure(3, min(mask.ndim, NEIGHBOURS[connectivity]))
    structure = structure if mask.ndim == 3 else structure[1]
    regions, count = ndimage.label(~mask, structure)
    inner = np.zeros(mask.shape, bool)
    inner[(slice(1, -1),) * mask.ndim] = True
    open_ones = np.unique(regions[~inner])
    sizes = np.bincount(regions.ravel(), minlength=count + 1)
    filled = np.ones(count + 1, bool)
    filled[open_ones] = False
    filled[0] = False
    if maximum:
        filled &= sizes <= maximum
    return mask | filled[regions]


def by_slices(mask: NDArray[np.bool_], axis: int, connectivity: int, maximum: int) -> np.ndarray:
    slices = [by_scipy(s, connectivity, maximum) for s in np.moveaxis(mask, axis, 0)]
    return np.moveaxis(np.array(slices), 0, axis)


@pytest.mark.parametrize("connectivity", [6, 18, 26])
@pytest.mark.parametrize("percent", [20, 55, 70, 90])
def test_random_voxels(connectivity: int, percent: int) -> None:
    mask = random_mask((14, 15, 16), 5, percent)
    for maximum in (0, 1, 3):
        result = fill_holes(mask, connectivity=connectivity, maximum_size=maximum)
        assert_same(result, by_scipy(mask, connectivity, maximum), f"at most {maximum}:")


def test_the_definition_of_scipy() -> None:
    mask = random_mask((20, 21, 22), 5, 68)
    assert_same(fill_holes(mask), ndimage.binary_fill_holes(mask))
    slices = np.array([ndimage.binary_fill_holes(s) for s in mask])
    assert_same(fill_holes(mask, slice_by_slice=True), slices)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("connectivity", [6, 18, 26])
def test_slice_by_slice(axis: int, connectivity: int) -> None:
    mask = random_mask((14, 15, 16), 7, 60)
    normal = [0.1, -0.2, 0.05]
    normal[axis] = -3.0
    for maximum in (0, 2):
        result = fill_holes(
            mask,
            connectivity=connectivity,
            maximum_size=maximum,
            slice_by_slice=True,
            slice_normal=normal,
        )
        assert_same(result, by_slices(mask, axis, connectivity, maximum))


def test_the_normal_is_one_of_the_world() -> None:
    mask = random_mask((9, 10, 11), 7, 60)
    image = to_image(mask.astype(np.uint8))
    # The axis i of the lattice runs along z of the world, j along x, k along y.
    image.SetDirectionMatrix(0, 1, 0, 0, 0, 1, 1, 0, 0)
    for axis, normal in ((2, (0, 0, 1)), (1, (1, 0, 0)), (0, (0, 1, 0))):
        result = to_array(fill_holes(image, slice_by_slice=True, slice_normal=normal))
        assert_same(result, by_slices(mask, axis, 6, 0), f"normal {normal}:")


def test_a_single_slice_is_an_image_of_its_own() -> None:
    mask = random_mask((20, 21), 3, 60)
    expected = ndimage.binary_fill_holes(mask)
    assert (expected != mask).any()
    assert_same(fill_holes(mask), expected)
    assert_same(fill_holes(mask[np.newaxis])[0], expected)
    assert_same(fill_holes(mask[:, np.newaxis])[:, 0], expected)


def test_idempotent_and_monotone() -> None:
    mask = random_mask((14, 15, 16), 9, 65)
    result = fill_holes(mask)
    assert (result >= mask).all()
    assert_same(fill_holes(result), result)
    larger = mask | random_mask(mask.shape, 2, 5)
    assert (result <= fill_holes(larger)).all()


def test_what_is_in_a_hole_is_covered() -> None:
    labels = np.array([[1, 1, 1, 1, 0, 2], [1, 2, 0, 1, 2, 1], [1, 1, 1, 1, 0, 3]], np.uint8)
    expected = [[1, 1, 1, 1, 0, 2], [1, 1, 1, 1, 2, 1], [1, 1, 1, 1, 0, 3]]
    assert fill_holes(labels).tolist() == expected


def test_real_atlas() -> None:
    atlas, _ = template("aal.nii.gz")
    brain = (atlas > 0) & ~random_mask(atlas.shape, 7, 1)
    assert_same(fill_holes(brain), ndimage.binary_fill_holes(brain))
