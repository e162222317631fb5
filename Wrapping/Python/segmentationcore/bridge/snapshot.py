"""A segmentation in one ``.npz`` file: what a server holds, written down to be compared with.

Plain arrays, no pickle: ``labels`` with axes (layer, k, j, i); ``extent``, ``origin``, ``spacing``,
``directions`` of the lattice in RAS; ``ids``, ``names``, ``colors``, ``layers``, ``label_values``
of the segments in display order.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .backend import Backend
from .protocol import Volume


@dataclass(frozen=True)
class Snapshot:
    """Labels, their lattice, and the segment table.

    ``layers`` says for each segment where along the first axis of ``labels`` it is.
    """

    labels: NDArray[Any]
    volume: Volume
    ids: tuple[str, ...]
    names: tuple[str, ...]
    colors: NDArray[np.float64]
    layers: tuple[int, ...]
    label_values: tuple[int, ...]

    def mask(self, index: int) -> NDArray[np.bool_]:
        """Where a segment is, by its place in the table."""
        found: NDArray[np.bool_] = self.labels[self.layers[index]] == self.label_values[index]
        return found


def take_snapshot(backend: Backend, path: str | os.PathLike[str]) -> None:
    """Write everything that ``backend`` holds. Call it on the backend's thread."""
    description = backend.describe()
    volume, segments = description["volume"], description["segments"]
    layers = [row["layer"] for row in segments]
    numbers = range(max(layers, default=0) + 1)
    labels = [backend.region(volume["extent"], number)[0] for number in numbers]
    np.savez_compressed(
        path,
        labels=np.stack(labels),
        extent=np.array(volume["extent"], np.int64),
        origin=np.array(volume["origin"], float),
        spacing=np.array(volume["spacing"], float),
        directions=np.array(volume["directions"], float),
        ids=np.array([row["id"] for row in segments], dtype=np.str_),
        names=np.array([row["name"] for row in segments], dtype=np.str_),
        colors=np.array([row["color"] for row in segments], float).reshape(-1, 3),
        layers=np.array(layers, np.int64),
        label_values=np.array([row["label_value"] for row in segments], np.int64),
    )


def read_snapshot(path: str | os.PathLike[str]) -> Snapshot:
    """Read what `take_snapshot` wrote."""
    with np.load(path, allow_pickle=False) as arrays:
        volume = Volume(
            arrays["extent"].tolist(),
            arrays["origin"].tolist(),
            arrays["spacing"].tolist(),
            arrays["directions"].ravel().tolist(),
        )
        return Snapshot(
            arrays["labels"],
            volume,
            tuple(arrays["ids"].tolist()),
            tuple(arrays["names"].tolist()),
            arrays["colors"],
            tuple(arrays["layers"].tolist()),
            tuple(arrays["label_values"].tolist()),
        )
