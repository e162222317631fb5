"""Surfaces to voxels beside Slicer's own library, and both beside the exact answer.

Where the two should agree they are compared; voxels are compared with what a surface holds by its
solid angle, which neither library uses, and ours may not be worse than Slicer's anywhere.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from surface_to_voxels_calls import (  # noqa: E402
    BINARY,
    FRACTIONAL,
    ask,
    calls,
    lattice_of,
    shapes,
)

pytestmark = pytest.mark.slicer


@pytest.fixture(scope="module")
def answers(
    slicer_python: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Slicer's answers, and ours."""
    ours = pytest.importorskip("segmentationcore.SegmentationCoreDataModel")
    return ask(slicer_python, tmp_path_factory.mktemp("slicer")), calls(ours)


def turns(points: np.ndarray, triangles: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Solid angle of a closed surface around each place, in turns: odd inside, even outside."""
    found = np.zeros(len(places))
    for begin in range(0, len(places), 2000):
        part = places[begin : begin + 2000]
        a, b, c = (points[triangles[:, i]][None] - part[:, None] for i in range(3))
        la, lb, lc = (np.linalg.norm(v, axis=-1) for v in (a, b, c))
        det = np.einsum("ijk,ijk->ij", a, np.cross(b, c))
        bottom = la * lb * lc
        bottom += np.einsum("ijk,ijk->ij", a, b) * lc
        bottom += np.einsum("ijk,ijk->ij", b, c) * la
        bottom += np.einsum("ijk,ijk->ij", c, a) * lb
        found[begin : begin + 2000] = np.arctan2(det, bottom).sum(axis=1) / (2 * np.pi)
    return found


def centres(name: str, extent: np.ndarray) -> np.ndarray:
    """World positions of the voxels of an image, x fastest."""
    axes = [np.arange(extent[2 * a], extent[2 * a + 1] + 1) for a in (2, 1, 0)]
    k, j, i = np.meshgrid(*axes, indexing="ij")
    index = np.stack([i, j, k, np.ones_like(i)], -1).reshape(-1, 4)
    return (index @ lattice_of(name).T)[:, :3]


def test_rules_are_the_same(answers: Any) -> None:
    slicer, ours = (json.loads(str(a["rules"])) for a in answers)
    assert ours == slicer


@pytest.mark.parametrize("what", ["geometries", "lattices"])
def test_geometries_are_the_same(answers: Any, what: str) -> None:
    slicer, ours = (json.loads(str(a[what])) for a in answers)
    assert len(ours) == len(slicer) == 60
    for mine, theirs in zip(ours, slicer, strict=True):
        numbers = [[float(x) for x in re.findall(r"[^;]+", text)] for text in (mine, theirs)]
        assert numbers[0][16:] == numbers[1][16:], (mine, theirs)
        np.testing.assert_allclose(numbers[0][:16], numbers[1][:16], rtol=1e-13, atol=1e-12)


def test_oversampling_factors_are_the_same(answers: Any) -> None:
    slicer, ours = (a["factors"] for a in answers)
    np.testing.assert_allclose(ours[:, 1:], slicer[:, 1:], rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(ours[:, 0], slicer[:, 0])
    assert set(ours[:, 0]) == {0.5, 1.0, 2.0, 4.0}


def test_levels_are_the_same(answers: Any) -> None:
    slicer, ours = (json.loads(str(a["levels"])) for a in answers)
    assert ours == slicer
    assert max(max(levels) for levels in ours) == 7


@pytest.mark.parametrize("name", list(shapes()))
def test_voxels_are_those_inside(answers: Any, name: str) -> None:
    slicer, ours = answers
    extent = ours[f"{BINARY} extent of {name}"]
    np.testing.assert_array_equal(extent, slicer[f"{BINARY} extent of {name}"])
    points, triangles = shapes()[name]
    places = centres(name, extent)
    mine = ours[f"{BINARY} of {name}"].ravel() > 0
    theirs = slicer[f"{BINARY} of {name}"].ravel() > 0
    if "on voxels" in name:
        # Half-open along each axis: the volume, where Slicer takes in faces (surface-exact-inside).
        low, high = points.min(axis=0), points.max(axis=0)
        truth = ((places >= low) & (places < high)).all(axis=1)
        assert truth.sum() == np.prod(high - low)
    else:
        truth = np.abs(turns(points.astype(np.float32).astype(float), triangles, places)) > 0.5
    np.testing.assert_array_equal(mine, truth)
    assert dice(mine, truth) >= dice(theirs, truth)
    if "on voxels" not in name:
        assert np.count_nonzero(mine != theirs) <= 1e-4 * np.count_nonzero(truth) + 1


def dice(a: np.ndarray, b: np.ndarray) -> float:
    """Overlap, 1 if equal."""
    return 2.0 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


@pytest.mark.parametrize("name", list(shapes()))
def test_fractions_are_nearly_slicers(answers: Any, name: str) -> None:
    """Difference "fractional-exact-samples"."""
    slicer, ours = answers
    extent = ours[f"{FRACTIONAL} extent of {name}"]
    np.testing.assert_array_equal(extent, slicer[f"{FRACTIONAL} extent of {name}"])
    mine, theirs = (a[f"{FRACTIONAL} of {name}"] for a in (ours, slicer))
    assert mine.min() == -108
    assert mine.max() == 108
    difference = np.abs(mine - theirs)
    boundary = np.count_nonzero((mine > -108) & (mine < 108))
    if "on voxels" in name:
        assert difference.max() == 0  # no sample lies on these faces
    else:
        assert np.count_nonzero(difference) <= 0.01 * boundary
        assert difference.max() <= 2
