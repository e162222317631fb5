"""Joint smoothing: its definition in NumPy, what smoothing must keep, and a session."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from sample_data import assert_same, blob_labels, template
from segmentationcore import joint_smoothing
from session_world import World, add_segments, apply, counts_of, mask_of, operation, refused

pytestmark = pytest.mark.python

STEPS = 100
FACES = [(axis, side) for axis in range(3) for side in (0, 1)]


def factors(factor: float) -> np.ndarray:
    """Of the Chebyshev polynomials: a step, windowed, moved up until 0.999 remain of the band."""
    band = 10.0 ** (-4 * factor)
    angle = np.arccos(1 - band / 2)
    term = np.arange(STEPS + 1)
    phase = np.pi * term / (STEPS + 1)
    nuttall = np.array([0.355768, 0.487396, 0.144232, 0.012604])
    window = (nuttall * np.cos(np.outer(phase, np.arange(4)))).sum(axis=1)

    def series(edge: float) -> np.ndarray:
        with np.errstate(invalid="ignore"):
            step = np.where(term == 0, edge / np.pi, 2 * np.sin(term * edge) / (term * np.pi))
        return window * step

    def response(shift: float) -> float:
        return float((series(angle + shift) * np.cos(term * angle)).sum())

    shifts = np.linspace(0, np.pi - angle, 257)[1:]
    above = next((s for s in shifts if response(s) >= 0.999), shifts[-1])
    below = above - (np.pi - angle) / 256
    for _ in range(40):
        middle = (below + above) / 2
        below, above = (middle, above) if response(middle) < 0.999 else (below, middle)
    result = series(angle + above)
    return result / result.sum()


class Mesh:
    """The surface between all labels: points by cell, the neighbours of each, quads with labels."""

    def __init__(self, labels: np.ndarray) -> None:
        self.shape = labels.shape
        self.labels = np.pad(labels, 1)
        size = self.labels.shape
        corners = np.stack(
            [
                self.labels[tuple(slice(o, o + n - 1) for o, n in zip(offset, size, strict=True))]
                for offset in itertools.product((0, 1), repeat=3)
            ],
            axis=-1,
        )
        active = (corners != corners[..., :1]).any(axis=-1)
        self.cells = [tuple(map(int, cell)) for cell in np.argwhere(active)]
        number = {cell: n for n, cell in enumerate(self.cells)}
        self.neighbours = [
            [number[other] for other in self._neighbours(cell)] for cell in self.cells
        ]
        # Voxel i of the image is voxel i + 1 here, and between the cells i and i + 1.
        self.centres = np.array(self.cells, float) - 0.5
        self.quads: list[list[int]] = []
        self.sides: list[tuple[int, int]] = []
        for axis in range(3):
            step = np.eye(3, dtype=int)[axis]
            upper = np.moveaxis(self.labels, axis, 0)[1:]
            lower = np.moveaxis(self.labels, axis, 0)[:-1]
            for voxel in np.argwhere(np.moveaxis(upper != lower, 0, axis)):
                u, v = np.eye(3, dtype=int)[(axis + 1) % 3], np.eye(3, dtype=int)[(axis + 2) % 3]
                around = [voxel - u - v, voxel - v, voxel, voxel - u]
                self.quads.append([number[tuple(map(int, cell))] for cell in around])
                self.sides.append(
                    (int(self.labels[tuple(voxel)]), int(self.labels[tuple(voxel + step)]))
                )

    def _cell(self, cell: tuple[int, ...]) -> np.ndarray:
        return self.labels[tuple(slice(c, c + 2) for c in cell)]

    def _neighbours(self, cell: tuple[int, ...]) -> list[tuple[int, ...]]:
        outer = [a for a in range(3) if cell[a] in (0, self.shape[a])]
        corners = self._cell(cell)
        faces = {(a, s): np.take(corners, s, axis=a) for a, s in FACES}
        if len(outer) > 1:
            return []
        if outer:
            # Sides within the border count, by the two voxels that they have inside the image.
            inner = 1 if cell[outer[0]] == 0 else 0
            within = [face for face in FACES if face[0] != outer[0]]
            kept = []
            for a, s in within:
                voxels = np.take(faces[a, s], inner, axis=outer[0] - (outer[0] > a))
                if voxels[0] != voxels[1]:
                    kept.append((a, s))
        else:
            mixed = [f for f in FACES if len(np.unique(faces[f])) > 1]
            three = [f for f in FACES if len(np.unique(faces[f])) > 2]
            kept = three if len(three) > 1 else mixed
        return [
            tuple(c + (2 * s - 1 if a == axis else 0) for axis, c in enumerate(cell))
            for a, s in kept
        ]

    def smoothed(self, factor: float) -> np.ndarray:
        """Positions, in voxels of the image."""
        matrix = np.zeros((len(self.cells), len(self.cells)))
        fixed = np.ones(len(self.cells), bool)
        for n, others in enumerate(self.neighbours):
            if others:
                fixed[n] = False
                matrix[n, others] = 1 / len(others)
            else:
                matrix[n, n] = 1
        weights = factors(factor)
        before, now = self.centres, (self.centres + matrix @ self.centres) / 2
        total = weights[0] * before + weights[1] * now
        for weight in weights[2:]:
            after = now + matrix @ now - before
            after[fixed] = self.centres[fixed]
            total += weight * after
            before, now = now, after
        total[fixed] = self.centres[fixed]
        return total


def windings(mesh: Mesh, points: np.ndarray, label: int, voxels: np.ndarray) -> np.ndarray:
    """How often the surface of a label goes around each voxel: solid angles of its triangles."""
    total = np.zeros(len(voxels))
    for quad, (low, high) in zip(mesh.quads, mesh.sides, strict=True):
        if label not in (low, high):
            continue
        corners = points[quad] if label == low else points[quad[::-1]]
        middle = corners.mean(axis=0)
        for c in range(4):
            a, b, d = (p - voxels for p in (corners[c], corners[(c + 1) % 4], middle))
            la, lb, ld = (np.linalg.norm(p, axis=1) for p in (a, b, d))
            dot = [(p * q).sum(axis=1) for p, q in ((a, b), (b, d), (d, a))]
            volume = (a * np.cross(b, d)).sum(axis=1)
            total += 2 * np.arctan2(volume, la * lb * ld + dot[0] * ld + dot[1] * la + dot[2] * lb)
    return total / (4 * np.pi)


def by_winding(labels: np.ndarray, factor: float) -> tuple[np.ndarray, np.ndarray]:
    """The label around each voxel, and where that is beyond doubt."""
    mesh = Mesh(labels)
    points = mesh.smoothed(factor)
    voxels = np.argwhere(np.ones(labels.shape, bool))
    result = np.zeros(len(voxels), labels.dtype)
    inside = np.zeros(len(voxels), int)
    clear = np.ones(len(voxels), bool)
    aside = np.array([0.3, 0.7, 1.0]) * 1e-3
    for label in np.unique(labels[labels != 0]):
        # On two sides of the centre: the surface may pass through it.
        sides = [windings(mesh, points, int(label), voxels + shift) for shift in (aside, -aside)]
        for turns in sides:
            clear &= (np.abs(turns) < 1e-6) | (np.abs(turns - 1) < 1e-6)
        clear &= np.abs(sides[0] - sides[1]) < 0.5
        result[sides[0] > 0.5] = label
        inside += sides[0] > 0.5
    clear &= inside <= 1
    return result.reshape(labels.shape), clear.reshape(labels.shape)


@pytest.mark.parametrize("factor", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("shape", [(7, 8, 9), (1, 12, 14), (2, 2, 2)], ids=str)
def test_definition(shape: tuple[int, ...], factor: float) -> None:
    if max(shape) > 2:
        labels = blob_labels(shape, 1)
        expected, clear = by_winding(labels, factor)
        assert clear.mean() > 0.9
        got = joint_smoothing(labels, joint_taubin_smoothing_factor=factor)
        assert_same(got[clear], expected[clear])
    labels = np.ones(shape, np.uint8)
    assert_same(joint_smoothing(labels, joint_taubin_smoothing_factor=factor), labels)


def test_the_atlas_keeps_its_volumes() -> None:
    labels, _ = template("aal.nii.gz")
    labels = np.ascontiguousarray(labels, np.uint8)
    before = np.bincount(labels.ravel(), minlength=256)
    for factor, change in ((0.2, 0.01), (0.5, 0.06)):
        got = joint_smoothing(labels, joint_taubin_smoothing_factor=factor)
        after = np.bincount(got.ravel(), minlength=256)
        assert set(np.unique(got)) == set(np.unique(labels))
        large = before > 1000
        assert np.abs(after[large] / before[large] - 1).mean() < change
        assert (got != labels).sum() > 1000


def test_smoother_with_a_larger_factor() -> None:
    labels = blob_labels((30, 30, 30), 3)

    def edges(values: np.ndarray) -> int:
        return sum(int((np.diff(values.astype(int), axis=a) != 0).sum()) for a in range(3))

    counted = [edges(labels)] + [
        edges(joint_smoothing(labels, joint_taubin_smoothing_factor=f)) for f in (0.05, 0.25, 0.7)
    ]
    assert counted == sorted(counted, reverse=True)
    assert counted[0] > counted[-1]


def test_thin_plates_and_what_is_cut_off_stay() -> None:
    labels = np.zeros((20, 40, 40), np.uint8)
    labels[9, :, :] = 1  # a plate of one voxel through the whole image
    labels[10, :, :] = 2
    labels[12:, :20, :] = 3
    assert_same(joint_smoothing(labels)[:11], labels[:11])
    got = joint_smoothing(labels, joint_taubin_smoothing_factor=0.3)
    assert (got[-1, :15] == 3).all()  # not rounded off at the border of the image
    assert (got[15:, :15, 0] == 3).all()


def test_a_ball_keeps_its_size_and_a_speck_goes() -> None:
    z, y, x = np.ogrid[:60, :60, :60]
    ball = ((z - 30) ** 2 + (y - 30) ** 2 + (x - 30) ** 2 <= 20**2).astype(np.uint8)
    labels = ball.copy()
    labels[30, 30, 52:56] = 1  # a spike
    labels[4, 4, 4] = 2
    got = joint_smoothing(labels)
    assert not (got == 2).any()
    assert abs(int((got == 1).sum()) / int(ball.sum()) - 1) < 0.03


# ---------------------------------------------------------------------------------------------
# In a session: all visible segments at once, none named.

WORLD = World((12, 14, 16), first=(-3, 0, 5))
SMOOTH: dict[str, Any] = {"effect": "joint_smoothing", "parameters": {}}


def test_visible_segments_of_a_session() -> None:
    for block_edge in (32, 4):
        session = WORLD.session(None, block_edge)
        add_segments(session, ["a", "b", "hidden"])
        for segment, x in (("a", 4), ("b", 9)):
            stroke = {"Points": [WORLD.point([x, 6, 5])], "BrushAbsoluteDiameter": 5.0}
            apply(
                session, operation("paint", segment, {"OverwriteMode": "OverwriteNone"}, **stroke)
            )
        stroke = {"Points": [WORLD.point([12, 12, 10])], "BrushPixelMode": True}
        apply(session, operation("paint", "hidden", **stroke))
        apply(session, operation("show_segment", "hidden", Visible=False))
        # They overlap: the higher one in the table counts.
        merged = np.where(mask_of(session, "a"), 1, 2 * mask_of(session, "b")).astype(np.uint8)
        assert counts_of(session)["a"] > 20
        parameters = {"JointTaubinSmoothingFactor": 0.2}
        apply(session, {**SMOOTH, "parameters": parameters})
        expected = joint_smoothing(merged, joint_taubin_smoothing_factor=0.2)
        assert (expected != merged).any()
        assert_same(mask_of(session, "a"), expected == 1)
        assert_same(mask_of(session, "b"), expected == 2)
        assert counts_of(session)["hidden"] == 1


def test_what_is_refused() -> None:
    session = WORLD.session()
    add_segments(session, ["a"])
    assert "works on all visible segments" in refused(session, {**SMOOTH, "segment": "a"})
    with pytest.raises(ValueError, match="joint_taubin_smoothing_factor"):
        joint_smoothing(np.ones((2, 2, 2), np.uint8), joint_taubin_smoothing_factor=1.5)
