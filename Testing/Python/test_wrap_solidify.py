"""Wrap solidify against the same steps by scipy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray
from sample_data import assert_same, blob_labels, random_mask, template
from scipy import ndimage
from segmentationcore import fill_holes, wrap_solidify

pytestmark = pytest.mark.python

TOLERANCE = 1 + 1e-12


def near(mask: np.ndarray, reach: float, spacing: tuple[float, ...], skin: float) -> np.ndarray:
    """Voxels at most this far from one of the mask, less its own half width if so asked."""
    size = [int(reach / step + skin) + 1 for step in spacing]
    offsets = np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in size), indexing="ij"), -1)
    gaps = np.maximum(np.abs(offsets) - skin, 0) * spacing
    footprint = (gaps**2).sum(-1) <= reach**2 * TOLERANCE
    if skin:
        footprint |= np.abs(offsets).sum(-1) == 1
    return ndimage.binary_dilation(mask, footprint)


def wrapped(
    mask: NDArray[np.bool_],
    diameter: float,
    spacing: tuple[float, ...],
    region: str = "OUTER_SURFACE",
    shell: str = "NONE",
    thickness: float = 0.0,
) -> NDArray[np.bool_]:
    """Grow, label what is left, grow what is wanted of it; in an image with room around."""
    radius = diameter / 2
    room = [int(radius / step) + 1 for step in spacing]
    padded = np.pad(mask, [(n, n) for n in room])
    free = ~near(padded, radius, spacing, 0.0)
    spaces, count = ndimage.label(free)
    outside = spaces[0, 0, 0]
    chosen = spaces == outside
    if region == "LARGEST_CAVITY":
        sizes = np.bincount(spaces.ravel(), minlength=count + 1)
        sizes[[0, outside]] = 0
        chosen = (sizes[spaces] == sizes.max()) & (sizes[spaces] > 0)
    solid = near(chosen, radius, spacing, 0.0)
    if region == "OUTER_SURFACE":
        solid = ~solid
    if shell == "INSIDE":
        solid &= near(~solid, thickness, spacing, 0.5)
    elif shell == "OUTSIDE":
        solid = ~solid & near(solid, thickness, spacing, 0.5)
    return solid[tuple(slice(n, -n) for n in room)]


def vessel() -> NDArray[np.bool_]:
    """A ball with a cavity, an opening of 3 voxels into it, and a smaller closed cavity."""
    z, y, x = np.ogrid[-15:16, -15:16, -15:16]
    mask = x**2 + y**2 + z**2 <= 13**2
    mask &= ~(x**2 + y**2 + (z - 2) ** 2 <= 7**2)
    mask[15:, 14:17, 14:17] = False
    return mask & ~(x**2 + y**2 + (z + 9) ** 2 <= 2)


@pytest.mark.parametrize("region", ["OUTER_SURFACE", "LARGEST_CAVITY"])
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.0, 0.7, 0.9)], ids=str)
def test_random_voxels(region: str, spacing: tuple[float, ...]) -> None:
    for diameter, (seed, percent) in itertools.product((0.0, 2.0, 3.1), ((1, 3), (2, 30), (3, 70))):
        mask = random_mask((9, 10, 11), seed, percent)
        result = wrap_solidify(
            mask,
            region=region,
            carve_holes_in_outer_surface_diameter=diameter,
            split_cavities_diameter=diameter,
            spacing=spacing,
        )
        assert_same(result, wrapped(mask, diameter, spacing, region), f"{diameter}, {percent} %:")


@pytest.mark.parametrize("region", ["OUTER_SURFACE", "LARGEST_CAVITY"])
@pytest.mark.parametrize("shell", ["NONE", "INSIDE", "OUTSIDE"])
def test_shells(region: str, shell: str) -> None:
    for mask, diameter in ((vessel(), 5.0), (blob_labels((25, 26, 27), 7) == 1, 4.0)):
        result = wrap_solidify(
            mask,
            region=region,
            carve_holes_in_outer_surface_diameter=diameter,
            split_cavities_diameter=diameter,
            shell_offset_direction=shell,
            shell_thickness=2.0,
        )
        assert_same(result, wrapped(mask, diameter, (1.0, 1.0, 1.0), region, shell, 2.0))


def test_openings_are_closed_or_carved() -> None:
    mask = vessel()
    filled = fill_holes(mask)
    assert filled[15, 15, 15] == 0  # the cavity is open
    # Too narrow for the ball: all of it is solid, and no more than a ball.
    solid = wrap_solidify(mask, carve_holes_in_outer_surface_diameter=5.0)
    assert solid[15, 15, 15]
    assert (solid >= filled).all()
    assert (solid.sum() - filled.sum()) < 2 * (filled == 0)[3:28, 3:28, 3:28].sum()
    # Wide enough: as without a ball, but for corners that it does not reach.
    carved = wrap_solidify(mask, carve_holes_in_outer_surface_diameter=1.0)
    assert carved[15, 15, 15] == 0
    assert_same(wrap_solidify(mask, carve_holes_in_outer_surface_diameter=0.0), filled)
    # Without the opening the cavity is found; with it only if the ball does not fit through.
    cavity = wrap_solidify(mask, region="LARGEST_CAVITY", split_cavities_diameter=5.0)
    assert cavity[17, 15, 15]
    assert not (cavity & mask).any()
    assert cavity.sum() > 0.8 * 4 / 3 * np.pi * 7**3
    small = wrap_solidify(mask, region="LARGEST_CAVITY", split_cavities_diameter=0.0)
    assert small[6, 15, 15]
    assert small.sum() < 30


def test_without_a_cavity_nothing_is_left() -> None:
    labels = np.ones((5, 6, 7), np.uint8)
    assert not wrap_solidify(labels, region="LARGEST_CAVITY").any()


def test_a_segment_at_the_border_of_the_image_is_not_glued_to_it() -> None:
    labels = np.zeros((12, 13, 14), np.uint8)
    labels[2:9, 3:, 1:5] = 1
    assert_same(wrap_solidify(labels, carve_holes_in_outer_surface_diameter=20.0), labels)


def test_larger_balls_make_larger_solids() -> None:
    mask = blob_labels((25, 26, 27), 7) == 1
    before = fill_holes(mask)
    counts = [before.sum()]
    for diameter in (2.0, 4.0, 8.0, 16.0):
        solid = wrap_solidify(mask, carve_holes_in_outer_surface_diameter=diameter)
        assert (solid >= before).all()
        counts.append(solid.sum())
    assert counts == sorted(counts)


def test_real_atlas() -> None:
    atlas, spacing = template("aal.nii.gz")
    mask = np.ascontiguousarray((atlas == 80)[20:140, 40:180, 20:140])
    expected = wrapped(mask, 8.0, spacing)
    assert (expected != mask).any()
    assert_same(
        wrap_solidify(mask, carve_holes_in_outer_surface_diameter=8.0, spacing=spacing), expected
    )
