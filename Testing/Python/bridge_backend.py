"""A bridge backend in memory, for tests: a small label volume in a NumPy array.

It does what the tests need to see happen (edits, progress, failures, long work) with effects short
enough to check by eye, and nothing else. Surfaces are the faces of the voxels, so their bounds are
known exactly: half a voxel outside the outermost voxel centres.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from segmentationcore.bridge.backend import (
    ApplyResult,
    BackendDescription,
    BackendError,
    Cancelled,
    ProgressReporter,
)

OBLIQUE = np.array([[0.8, -0.6, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, 1.0]]) @ np.array(
    [[1.0, 0.0, 0.0], [0.0, 0.96, -0.28], [0.0, 0.28, 0.96]]
)
"""A rotation about two axes with exact decimals."""


class NumpyBackend:
    """Labels with axes (k, j, i) whose first voxel has the index ``start`` = (i, j, k).

    They are layer 0; segments come into others by ``effect_copy``, with the same label values.
    """

    def __init__(
        self,
        labels: NDArray[Any],
        names: dict[str, tuple[str, tuple[float, float, float], int]],
        *,
        start: Sequence[int] = (0, 0, 0),
        origin: Sequence[float] = (0.0, 0.0, 0.0),
        spacing: Sequence[float] = (1.0, 1.0, 1.0),
        directions: NDArray[Any] | None = None,
    ) -> None:
        self.layers = [labels]
        self.layer_of: dict[str, int] = {}
        self.names = dict(names)
        self.undone: list[tuple[Any, ...]] = []
        self.done: list[tuple[Any, ...]] = []
        self.hidden: set[str] = set()
        self.start = tuple(start)
        self.origin = [float(x) for x in origin]
        self.spacing = [float(x) for x in spacing]
        self.directions = np.eye(3) if directions is None else directions
        self.revision = 0
        self.threads: set[int] = set()
        self.regions: list[tuple[tuple[int, ...], int]] = []
        """What was asked for: extent and layer."""
        self.asked: list[tuple[dict[str, Any], bool]] = []
        """What to measure."""
        self.release = threading.Event()
        self.entered = threading.Event()

    @property
    def labels(self) -> NDArray[Any]:
        return self.layers[0]

    @labels.setter
    def labels(self, labels: NDArray[Any]) -> None:
        self.layers[0] = labels

    def mask(self, segment: str) -> NDArray[Any]:
        mask: NDArray[Any] = self.layers[self.layer_of.get(segment, 0)] == self.names[segment][2]
        return mask

    @property
    def extent(self) -> tuple[int, ...]:
        nk, nj, ni = self.labels.shape
        i, j, k = self.start
        return (i, i + ni - 1, j, j + nj - 1, k, k + nk - 1)

    def describe(self) -> BackendDescription:
        self.threads.add(threading.get_ident())
        return {
            "volume": {
                "extent": list(self.extent),
                "origin": self.origin,
                "spacing": self.spacing,
                "directions": [float(x) for x in self.directions.ravel()],
            },
            "ranks": 1,
            "revision": self.revision,
            "undoable": len(self.done),
            "redoable": len(self.undone),
            "segments": [
                {
                    "id": key,
                    "name": name,
                    "color": list(color),
                    "layer": self.layer_of.get(key, 0),
                    "label_value": value,
                    "visible": key not in self.hidden,
                    "voxel_count": int(self.mask(key).sum()),
                }
                for key, (name, color, value) in self.names.items()
            ],
        }

    def apply(self, operation: dict[str, Any], progress: ProgressReporter) -> ApplyResult:
        self.threads.add(threading.get_ident())
        segment, parameters = operation["segment"], operation["parameters"]
        if segment not in self.names:
            raise BackendError(f"no segment {segment!r}")
        effect = getattr(self, "effect_" + operation["effect"], None)
        if effect is None:
            raise BackendError(f"no effect {operation['effect']!r}")
        before = self._state()
        effect(segment, progress, **parameters)
        self.done.append(before)
        self.undone.clear()
        return self._changed(before, {segment})

    def undo(self, progress: ProgressReporter) -> ApplyResult:
        return self._go(self.done, self.undone, "undo")

    def redo(self, progress: ProgressReporter) -> ApplyResult:
        return self._go(self.undone, self.done, "redo")

    def region(self, extent: Sequence[int], layer: int) -> tuple[NDArray[Any], Sequence[int]]:
        self.threads.add(threading.get_ident())
        self.regions.append((tuple(extent), layer))
        i, j, k = self.start
        e = extent
        labels = self.layers[layer][
            e[4] - k : e[5] - k + 1, e[2] - j : e[3] - j + 1, e[0] - i : e[1] - i + 1
        ].copy()
        return labels, extent

    def surface(self, segment_id: str, coarsening: int) -> tuple[NDArray[Any], NDArray[Any]]:
        self.threads.add(threading.get_ident())
        inside = self.mask(segment_id)[::coarsening, ::coarsening, ::coarsening]
        return self._faces(inside, coarsening)

    def statistics(
        self, parameters: dict[str, Any], intensities: bool, progress: ProgressReporter
    ) -> NDArray[Any]:
        """A few columns, of all kinds: numbers, vectors and texts, and one that is not measured."""
        self.threads.add(threading.get_ident())
        self.asked.append((parameters, intensities))
        for name in parameters:
            if name.lower() not in ("surface", "islands"):
                raise BackendError(f"statistics has no parameter {name!r}")
        progress(0.5, "measuring")
        kinds = [("label", "<i8"), ("segment", object), ("name", object), ("voxel_count", "<i8")]
        table = np.zeros(len(self.names), [*kinds, ("centroid", "<f8", (3,)), ("mean", "<f8")])
        for row, (key, (name, _, value)) in enumerate(self.names.items()):
            places = np.argwhere(self.mask(key))[:, ::-1]
            middle = (places.mean(0) + self.start) * self.spacing
            centroid = self.directions @ middle + self.origin
            table[row] = (value, key, name, len(places), centroid, np.nan)
        return table

    def _state(self) -> tuple[Any, ...]:
        return [labels.copy() for labels in self.layers], dict(self.layer_of), dict(self.names)

    def _go(self, source: list[Any], target: list[Any], what: str) -> ApplyResult:
        if not source:
            raise BackendError(f"there is nothing to {what}")
        before = self._state()
        target.append(before)
        self.layers, self.layer_of, self.names = source.pop()
        return self._changed(before, set())

    def _changed(self, before: tuple[Any, ...], changed: set[str]) -> ApplyResult:
        """Compare with a state before, by brute force."""
        layers, layer_of, names = before
        different = np.zeros(self.labels.shape, bool)
        for key in names.keys() | self.names.keys():
            nothing = np.zeros(self.labels.shape, bool)
            was = layers[layer_of.get(key, 0)] == names[key][2] if key in names else nothing
            here = was != (self.mask(key) if key in self.names else nothing)
            different |= here
            if here.any() or names.get(key) != self.names.get(key):
                changed.add(key)
        self.revision += 1
        extent = None
        if different.any():
            places = np.argwhere(different)[:, ::-1] + self.start
            extent = [
                int(x) for ends in zip(places.min(0), places.max(0), strict=True) for x in ends
            ]
        return {"changed": sorted(changed), "extent": extent, "revision": self.revision}

    def _faces(self, inside: NDArray[Any], coarsening: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """Two triangles per voxel face between inside and outside, seen counter-clockwise."""
        padded = np.pad(inside, 1)
        quads = []
        for axis in range(3):  # i, j, k
            step = np.roll(padded, -1, axis=2 - axis)
            for sign in (1, -1):
                found = (padded & ~step) if sign == 1 else (~padded & step)
                for kji in np.argwhere(found):
                    center = kji[::-1].astype(float) - 1.0
                    center[axis] += 0.5
                    u, v = np.eye(3)[(axis + 1) % 3] / 2, np.eye(3)[(axis + 2) % 3] / 2
                    corners = [center - u - v, center + u - v, center + u + v, center - u + v]
                    quads.append(corners if sign == 1 else corners[::-1])
        if not quads:
            return np.empty((0, 3), np.float32), np.empty((0, 3), np.int32)
        index = np.array(quads).reshape(-1, 3) * coarsening + np.array(self.start)
        ras = index * self.spacing @ self.directions.T + self.origin
        points, inverse = np.unique(ras.round(6), axis=0, return_inverse=True)
        corner = inverse.reshape(-1, 4)
        triangles = np.concatenate([corner[:, [0, 1, 2]], corner[:, [0, 2, 3]]])
        return points.astype(np.float32), triangles.astype(np.int32)

    # -- effects -------------------------------------------------------------------------------

    def effect_margin(self, segment: str, progress: ProgressReporter, MarginSizeMm: float) -> None:
        """Grow by whole voxels along the axes, taking over other segments of the layer."""
        value, layer = self.names[segment][2], self.layer_of.get(segment, 0)
        mask = np.pad(self.mask(segment), 1)
        count = round(MarginSizeMm / min(self.spacing))
        for step in range(count):
            grown = mask.copy()
            for axis in range(3):
                grown |= np.roll(mask, 1, axis) | np.roll(mask, -1, axis)
            mask = np.pad(grown[1:-1, 1:-1, 1:-1], 1)
            progress((step + 1) / count, "growing")
        labels = np.where(mask[1:-1, 1:-1, 1:-1], value, self.layers[layer])
        self.layers[layer] = labels.astype(self.labels.dtype)

    def effect_copy(self, segment: str, progress: ProgressReporter, Source: str) -> None:
        """Give a segment the voxels of another one, in a layer of its own."""
        mask, value = self.mask(Source), self.names[segment][2]
        self.layers = [layer.copy() for layer in self.layers]
        self.layers[self.layer_of.get(segment, 0)][self.mask(segment)] = 0
        self.layer_of[segment] = len(self.layers)
        self.layers.append(np.where(mask, value, 0).astype(self.labels.dtype))

    def effect_slow(self, segment: str, progress: ProgressReporter, Seconds: float) -> None:
        """Take time, report, and stop when asked."""
        begin = time.monotonic()
        self.entered.set()
        while (done := time.monotonic() - begin) < Seconds:
            if progress.cancelled:
                raise Cancelled
            progress(done / Seconds, "waiting")
            time.sleep(0.02)

    def effect_blocked(self, segment: str, progress: ProgressReporter) -> None:
        """Wait until the test releases it, deaf to cancelling."""
        self.entered.set()
        if not self.release.wait(20):
            raise BackendError("the test did not release the operation")

    def effect_hold(self, segment: str, progress: ProgressReporter, Seconds: float) -> None:
        """Hold the interpreter lock, as ParaView's client does during an operation."""
        progress(0.25, "before")
        ctypes.PyDLL(None).usleep(ctypes.c_uint(int(Seconds * 1e6)))
        progress(0.75, "after")

    def effect_refuse(self, segment: str, progress: ProgressReporter) -> None:
        raise BackendError("the segment is too small for this")

    def effect_break(self, segment: str, progress: ProgressReporter) -> None:
        raise ZeroDivisionError("a defect in the backend")

    def effect_recolor(self, segment: str, progress: ProgressReporter, Name: str) -> None:
        _, color, value = self.names[segment]
        self.names[segment] = (Name, color[::-1], value)


def two_boxes(**geometry: Any) -> NumpyBackend:
    """Red box near index (0, 0, 0), green box at the far end of i; 12 x 10 x 8 voxels."""
    labels = np.zeros((8, 10, 12), np.uint8)
    labels[1:4, 1:5, 1:4] = 1
    labels[2:7, 3:9, 7:11] = 2
    return NumpyBackend(
        labels,
        {
            "s-red": ("Red box", (1.0, 0.0, 0.0), 1),
            "s-green": ("Green box \N{GREEK SMALL LETTER ALPHA}", (0.0, 0.8, 0.2), 2),
        },
        **geometry,
    )


def oblique_boxes() -> NumpyBackend:
    """`two_boxes` on an oblique lattice with uneven spacing and a first index that is not 0."""
    return two_boxes(
        start=(5, -3, 2), origin=(10.0, -20.0, 30.0), spacing=(1.0, 2.0, 3.0), directions=OBLIQUE
    )
