"""Fill between slices: its definition with scipy, slices left out of real data, and a session."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from sample_data import assert_same, blob_labels, noise, template
from scipy import ndimage
from segmentationcore import fill_between_slices
from session_world import World, add_segments, apply, mask_of, operation, refused

pytestmark = pytest.mark.python

EIGHT = np.ones((3, 3))


def weights(spacing: tuple[float, float]) -> np.ndarray:
    """Of the squares of steps along both axes: whole numbers, to 1/4096."""
    if spacing[0] == spacing[1]:
        return np.array([1, 1])
    ratios = np.minimum(512.0, np.asarray(spacing) / min(spacing))
    return np.floor(ratios**2 * 4096 + 0.5).astype(int)


def squares(pixels: np.ndarray, others: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Weighted squares of the distances of pixels to the nearest of the others."""
    return ((pixels[:, None] - others[None]) ** 2 * weight).sum(axis=2).min(axis=1)


def whole(value: float) -> int:
    """Rounded, halves towards 0."""
    return int(np.sign(value)) * int(np.ceil(abs(value) - 0.5))


def share(move: int, k: int, n: int) -> int:
    """k / n of a move, halves towards the middle of it."""
    part, rest = divmod(k * abs(move), n)
    part += 2 * rest > n or (2 * rest == n and 2 * k < n)
    return part if move >= 0 else -part


def background(part: set[tuple[int, int]], shape: tuple[int, int], shift: np.ndarray) -> np.ndarray:
    """Pixels of the image that are not in a part; those around the image if all are."""
    for margin in (0, 1):
        ranges = [range(-margin, size + margin) for size in shape]
        pixels = [p for p in itertools.product(*ranges) if p not in part]
        if pixels:
            return np.array(pixels) + shift
    raise AssertionError


def between(
    first: np.ndarray, last: np.ndarray, n: int, spacing: tuple[float, float]
) -> list[np.ndarray]:
    """The definition in FillBetweenSlices.h, word for word."""
    weight = weights(spacing)
    result = [np.zeros(first.shape, bool) for _ in range(n - 1)]
    slices = np.stack([first, last])
    # 8 neighbours in a slice, and the pixel above.
    structure = np.zeros((3, 3, 3))
    structure[1], structure[:, 1, 1] = 1, 1
    numbers, count = ndimage.label(slices, structure)
    groups = [
        tuple(np.argwhere(part == number) for part in numbers) for number in range(1, count + 1)
    ]
    middle = (np.array(first.shape) - 1) / 2

    def centre(part: np.ndarray) -> np.ndarray:
        return (part - middle).mean(axis=0)

    def nearest(part: np.ndarray, others: list[np.ndarray]) -> int | None:
        lengths = [(weight * (centre(other) - centre(part)) ** 2).sum() for other in others]
        best = [i for i, length in enumerate(lengths) if length <= min(lengths) * (1 + 1e-12)]
        return best[0] if len(best) == 1 else None

    alone = [[g[side] for g in groups if len(g[side]) and not len(g[1 - side])] for side in (0, 1)]
    groups = [group for group in groups if len(group[0]) and len(group[1])]
    linked: tuple[set[int], set[int]] = (set(), set())
    for i, part in enumerate(alone[0]):
        j = nearest(part, alone[1])
        if j is None or nearest(alone[1][j], alone[0]) != i:
            continue
        other = alone[1][j]
        diameters = sum(
            2 * np.sqrt(len(p) * np.sqrt(weight.prod(dtype=float)) / np.pi) for p in (part, other)
        )
        if np.sqrt((weight * (centre(other) - centre(part)) ** 2).sum()) <= diameters:
            groups.append((part, other))
            linked[0].add(i)
            linked[1].add(j)
    nothing = np.empty((0, 2), int)
    groups += [(p, nothing) for i, p in enumerate(alone[0]) if i not in linked[0]]
    groups += [(nothing, p) for j, p in enumerate(alone[1]) if j not in linked[1]]

    for a, b in groups:
        if not len(a) or not len(b):
            part = a if len(a) else b
            own = squares(
                part, background(set(map(tuple, part)), first.shape, np.zeros(2, int)), weight
            )
            for k in range(1, n):
                kept = part[n * n * own > 4 * k * k * own.max()]
                result[(k if len(a) else n - k) - 1][tuple(kept.T)] = True
            continue
        move = np.zeros(2, int)
        offset = centre(b) - centre(a)
        wanted = np.array([whole(o) if n % 2 else 2 * whole(o / 2) for o in offset])
        set_a, set_b = set(map(tuple, a)), set(map(tuple, b))
        common = len(set_a & set_b)
        if 2 * common < min(len(a), len(b)) and len(set_a & set(map(tuple, b - wanted))) > common:
            move = wanted
        outside_a = background(set_a, first.shape, np.zeros(2, int))
        outside_b = background(set_b, first.shape, -move)
        moved = b - move
        set_moved = set(map(tuple, moved))
        both = np.array([p for p in a if tuple(p) in set_moved], int).reshape(-1, 2)
        only_a = np.array([p for p in a if tuple(p) not in set_moved], int).reshape(-1, 2)
        only_b = np.array([p for p in moved if tuple(p) not in set_a], int).reshape(-1, 2)
        for k in range(1, n):
            inside = [both]
            if len(only_a):
                own, other = squares(only_a, outside_a, weight), squares(only_a, moved, weight)
                inside.append(only_a[(n - k) ** 2 * own >= k**2 * other])
            if len(only_b):
                own, other = squares(only_b, outside_b, weight), squares(only_b, a, weight)
                inside.append(only_b[k**2 * own >= (n - k) ** 2 * other])
            pixels = np.concatenate(inside) + [share(m, k, n) for m in move]
            pixels = pixels[((pixels >= 0) & (pixels < first.shape)).all(axis=1)]
            result[k - 1][tuple(pixels.T)] = True
    return result


def by_loop(labels: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    """All labels, axes and slices."""
    result = labels.copy()
    for label, axis in itertools.product(np.unique(labels[labels != 0])[::-1], range(3)):
        own = np.moveaxis(labels == label, axis, 0)
        others = np.pad(np.moveaxis(labels, axis, 0), 1)
        inner = np.pad(own, 1)
        drawn = own & (others[:-2, 1:-1, 1:-1] == 0) & (others[2:, 1:-1, 1:-1] == 0)
        for turn in (1, 2):
            for step in (-1, 1):
                drawn &= np.roll(inner, step, turn)[1:-1, 1:-1, 1:-1]
        marked = np.flatnonzero(drawn.any(axis=(1, 2)))
        flat = tuple(s for a, s in enumerate(spacing) if a != axis)
        view, before = np.moveaxis(result, axis, 0), np.moveaxis(labels, axis, 0)
        for i, j in itertools.pairwise(marked):
            for k, mask in enumerate(between(own[i], own[j], j - i, flat), start=1):
                free = mask & (before[i + k] == 0)
                view[i + k][free] = np.where(
                    (view[i + k] == 0) | (label < view[i + k]), label, view[i + k]
                )[free]
    return result


def drawn_slices(shape: tuple[int, ...], seed: int, every: int) -> np.ndarray:
    """Some slices of blobs along one or two axes."""
    labels = blob_labels(shape, seed)
    kept = np.zeros(shape, bool)
    kept[seed % every :: every] = True
    if seed % 3 == 0:
        kept[:, :, 3::7] = True
    return np.where(kept, labels, 0).astype(np.uint8)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.0, 0.7, 1.3), (0.5, 1.0, 1.0)], ids=str)
@pytest.mark.parametrize("every", [2, 3, 4, 6])
def test_definition(every: int, spacing: tuple[float, ...]) -> None:
    changed = 0
    for seed in range(6):
        labels = drawn_slices((13, 15, 17), seed, every)
        got = fill_between_slices(labels, spacing=spacing)
        assert_same(got, by_loop(labels, spacing), f"seed {seed}:")
        changed += int((got != labels).sum())
    assert changed > 100


def test_scattered_parts() -> None:
    """Small parts that move, split, merge, end and are linked."""
    for seed in range(40):
        dice = noise((2, 6, 7), seed)
        coarse = (dice % 3 == 0).astype(np.uint8)
        first, last = (np.kron(part, np.ones((3, 3), np.uint8)) for part in coarse)
        n = 2 + seed % 5
        labels = np.zeros((n + 1, *first.shape), np.uint8)
        labels[0], labels[n] = first, last
        assert_same(fill_between_slices(labels), by_loop(labels, (1.0, 1.0, 1.0)), f"seed {seed}:")


def left_out(labels: np.ndarray, every: int) -> tuple[np.ndarray, np.ndarray]:
    kept = np.zeros_like(labels)
    kept[::every] = labels[::every]
    return kept, labels[: (len(labels) - 1) // every * every + 1]


def dice_of(got: np.ndarray, truth: np.ndarray) -> float:
    return 2 * ((got == truth) & (truth != 0)).sum() / ((got != 0).sum() + (truth != 0).sum())


def test_slices_left_out_of_the_atlas_come_back() -> None:
    """ITK's MorphologicalContourInterpolator reaches 0.9047, Slicer 0.9049."""
    labels, spacing = template("aal.nii.gz")
    kept, truth = left_out(np.ascontiguousarray(labels, np.uint8), 4)
    got = fill_between_slices(kept, spacing=spacing)
    assert_same(got[kept != 0], kept[kept != 0])
    assert dice_of(got[: len(truth)], truth) > 0.915


def test_a_ball_and_a_leaning_tube() -> None:
    z, y, x = np.ogrid[:41, :61, :61]
    ball = ((z - 20) ** 2 + (y - 30) ** 2 + (x - 30) ** 2 <= 18**2).astype(np.uint8)
    kept, truth = left_out(ball, 4)
    assert dice_of(fill_between_slices(kept), truth) > 0.97
    # A tube that moves by more than its radius from slice to slice.
    tube = ((y - 30) ** 2 + (x - 10 - z) ** 2 <= 5**2).astype(np.uint8)
    kept, truth = left_out(tube, 8)
    assert dice_of(fill_between_slices(kept), truth) > 0.97


def test_labels_do_not_see_each_other() -> None:
    """Each label as if alone; where they overlap the lowest one wins."""
    labels = drawn_slices((16, 18, 20), 1, 5)
    together = fill_between_slices(labels)
    expected = np.zeros_like(labels)
    for label in (3, 2, 1):
        # Others count as labelled where slices are looked for, so keep them away from these.
        alone = fill_between_slices(np.where(labels == label, labels, 0).astype(np.uint8))
        expected[alone != 0] = label
    expected[labels != 0] = labels[labels != 0]
    assert_same(together, expected)


def test_filling_again_changes_nothing_between_full_slices() -> None:
    labels = np.zeros((9, 12, 12), np.uint8)
    labels[::4, 2:9, 3:11] = 1
    once = fill_between_slices(labels)
    assert (once[:, 2:9, 3:11] == 1).all()
    assert once.sum() == 9 * 7 * 8
    assert_same(fill_between_slices(once), once)


# ---------------------------------------------------------------------------------------------
# In a session: all visible segments at once, none named.

WORLD = World((9, 12, 14), first=(-3, 0, 5))
FILL: dict[str, Any] = {"effect": "fill_between_slices", "parameters": {}}


def draw(session: Any, segment: str, z: int, x: int) -> None:
    """A disc in a slice, by voxel strokes."""
    points = [WORLD.point([x + i, 5 + j, z]) for i, j in itertools.product((-1, 0, 1), repeat=2)]
    apply(session, operation("paint", segment, Points=points, BrushPixelMode=True))


def test_visible_segments_of_a_session() -> None:
    for block_edge in (32, 4):
        session = WORLD.session(None, block_edge)
        add_segments(session, ["a", "b", "hidden"])
        for z in (1, 5):
            draw(session, "a", z, 3)
            draw(session, "b", z, 9)
            draw(session, "hidden", z, 6)
        apply(session, operation("show_segment", "hidden", Visible=False))
        before = {name: mask_of(session, name) for name in ("a", "b", "hidden")}
        apply(session, FILL)
        assert_same(mask_of(session, "hidden"), before["hidden"])
        for name in ("a", "b"):
            expected = before[name].copy()
            expected[2:5] = expected[1]
            assert expected.sum() == 45
            assert_same(mask_of(session, name), expected)


def test_a_named_segment_is_refused() -> None:
    session = WORLD.session()
    assert "no segment is visible" in refused(session, FILL)
    add_segments(session, ["a"])
    text = refused(session, {**FILL, "segment": "a"})
    assert "has 'segment', but works on all visible segments" in text
