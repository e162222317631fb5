"""Laws that hold whatever the image: monotone, idempotent, in the order of their sizes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_data import noise, random_mask, smooth_volume
from segmentationcore import (
    closing,
    expand_segments,
    fill_holes,
    hollow,
    islands,
    label_islands,
    margin,
    median,
    opening,
    wrap_solidify,
)

pytestmark = pytest.mark.python

SPACINGS = st.sampled_from([(1.0, 1.0, 1.0), (2.5, 1.0, 0.5), (0.7, 1.9, 1.1)])
SEEDS = st.integers(0, 10_000)
SHAPES = st.tuples(st.integers(1, 14), st.integers(1, 16), st.integers(1, 70))
CALM = settings(max_examples=40, deadline=None)


def blobs(shape: tuple[int, ...], seed: int) -> np.ndarray:
    return (smooth_volume(shape, seed) > 50).astype(np.uint8)


def pair(shape: tuple[int, ...], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A segment, and one that holds it."""
    inner = blobs(shape, seed) if seed % 2 else random_mask(shape, seed, 30).astype(np.uint8)
    return inner, inner | random_mask(shape, seed + 1, 10).astype(np.uint8)


def within(a: np.ndarray, b: np.ndarray) -> bool:
    return not np.any((a != 0) & (b == 0))


@CALM
@given(shape=SHAPES, seed=SEEDS, spacing=SPACINGS, size=st.floats(-4, 4))
def test_margin(shape: tuple[int, ...], seed: int, spacing: tuple[float, ...], size: float) -> None:
    inner, outer = pair(shape, seed)
    grown = margin(inner, margin_size_mm=size, spacing=spacing)
    assert within(grown, margin(outer, margin_size_mm=size, spacing=spacing))
    assert within(inner, grown) if size >= 0 else within(grown, inner)
    # In the order of sizes, and a voxel lies in at most as many as it is far.
    more = margin(inner, margin_size_mm=size + 0.75, spacing=spacing)
    assert within(grown, more) or (size < 0 <= size + 0.75 and within(grown, inner))


@CALM
@given(shape=SHAPES, seed=SEEDS, spacing=SPACINGS, size=st.floats(0.5, 4))
def test_shrinking_after_growing_is_closing_or_less(
    shape: tuple[int, ...], seed: int, spacing: tuple[float, ...], size: float
) -> None:
    segment = blobs(shape, seed)
    there = margin(segment, margin_size_mm=size, spacing=spacing)
    assert within(segment, margin(there, margin_size_mm=-size, spacing=spacing))
    back = margin(segment, margin_size_mm=-size, spacing=spacing)
    assert within(margin(back, margin_size_mm=size, spacing=spacing), segment)


@CALM
@given(shape=SHAPES, seed=SEEDS, size=st.integers(1, 60), kind=st.sampled_from([6, 18, 26]))
def test_islands(shape: tuple[int, ...], seed: int, size: int, kind: int) -> None:
    segment = random_mask(shape, seed, 35).astype(np.uint8)
    largest = islands(segment, connectivity=kind)
    assert within(largest, segment)
    assert np.array_equal(islands(largest, connectivity=kind), largest)
    assert label_islands(largest, connectivity=kind).count == min(1, int(segment.sum()))
    small = {"operation": "REMOVE_SMALL_ISLANDS", "connectivity": kind}
    kept = islands(segment, minimum_size=size, **small)
    assert np.array_equal(islands(kept, minimum_size=size, **small), kept)
    assert within(islands(segment, minimum_size=size + 7, **small), kept)
    # More neighbours, larger islands.
    if kind < 26:
        wider = islands(segment, minimum_size=size, **(small | {"connectivity": 26}))
        assert within(kept, wider)
    counts = [label_islands(segment, connectivity=k).count for k in (6, 18, 26)]
    assert counts == sorted(counts, reverse=True)


@CALM
@given(shape=SHAPES, seed=SEEDS, spacing=SPACINGS, size=st.floats(1.0, 6.0))
def test_morphology(
    shape: tuple[int, ...], seed: int, spacing: tuple[float, ...], size: float
) -> None:
    inner, outer = pair(shape, seed)
    for effect, less in ((opening, True), (closing, False)):
        once = effect(inner, kernel_size_mm=size, spacing=spacing)
        assert np.array_equal(effect(once, kernel_size_mm=size, spacing=spacing), once)
        assert within(once, effect(outer, kernel_size_mm=size, spacing=spacing))
        assert within(once, inner) if less else within(inner, once)
    smooth = median(inner, kernel_size_mm=size, spacing=spacing)
    assert within(smooth, median(outer, kernel_size_mm=size, spacing=spacing))


@CALM
@given(shape=SHAPES, seed=SEEDS, spacing=SPACINGS, size=st.floats(0.5, 5.0))
def test_shells_and_expansion(
    shape: tuple[int, ...], seed: int, spacing: tuple[float, ...], size: float
) -> None:
    segment = blobs(shape, seed)
    given_ = {"shell_thickness_mm": size, "spacing": spacing}
    around = hollow(segment, shell_mode="INSIDE_SURFACE", **given_)
    assert not np.any(around & segment)
    assert within(hollow(segment, shell_mode="OUTSIDE_SURFACE", **given_), segment)
    labels = (noise(shape, seed) % 9 == 0) * (1 + noise(shape, seed + 1) % 3).astype(np.uint8)
    near = expand_segments(labels, expansion_size_mm=size, spacing=spacing)
    far = expand_segments(labels, expansion_size_mm=size + 1, spacing=spacing)
    assert np.array_equal(near[labels != 0], labels[labels != 0])
    assert np.array_equal(far[near != 0], near[near != 0])


@CALM
@given(shape=SHAPES, seed=SEEDS)
def test_filling(shape: tuple[int, ...], seed: int) -> None:
    inner, outer = pair(shape, seed)
    filled = fill_holes(inner)
    assert within(inner, filled)
    assert np.array_equal(fill_holes(filled), filled)
    assert within(filled, fill_holes(outer))
    if min(shape) > 1:  # a single slice has holes, but nothing in it is closed off
        solid = wrap_solidify(inner, carve_holes_in_outer_surface_diameter=0.0)
        assert np.array_equal(solid, filled)


@CALM
@given(shape=SHAPES, seed=SEEDS, turn=st.integers(0, 5), flips=st.integers(0, 7))
def test_turned_images_give_turned_results(
    shape: tuple[int, ...], seed: int, turn: int, flips: int
) -> None:
    """Axis swaps and mirrors, with their spacings."""
    axes = [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)][turn]
    mirrored = tuple(a for a in range(3) if flips >> a & 1)
    spacing = (2.0, 1.0, 0.7)

    def turned(array: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(np.flip(array.transpose(axes), mirrored))

    other = tuple(spacing[a] for a in axes)
    segment = blobs(shape, seed)
    for effect, given_ in (
        (margin, {"margin_size_mm": 2.0}),
        (margin, {"margin_size_mm": -1.0}),
        (opening, {"kernel_size_mm": 3.0}),
        (median, {"kernel_size_mm": 3.0}),
        (islands, {}),
        (fill_holes, {}),
    ):
        expected = turned(effect(segment, spacing=spacing, **given_))
        found = effect(turned(segment), spacing=other, **given_)
        if effect is islands and label_islands(segment).count > 1:
            # Of equally large ones the first is kept, which is another from another side.
            assert found.sum() == expected.sum()
        else:
            assert np.array_equal(found, expected), effect.__name__
