"""The volumes that the effects are timed on.

====== ===================================================================================
rock   synthetic tomogram of the demonstration, seeded; pores, quartz and a heavy mineral
large  the same of 512 voxels along each edge
mri    head MRI of Debian's ``mricron-data`` with the brain cut out, 0.5 mm
ct     head CT of Debian's ``invesalius-examples``
atlas  116 labels of ``mricron-data`` on the MRI head that they were drawn on, 1 mm
====== ===================================================================================

Each has several kinds of input, see `inputs`.

Arrays have the axes z, y, x, and so has the spacing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from segmentationcore.demo import data as demo_data
from segmentationcore.demo.rock import rock

CT_SKIN = -300
"""Hounsfield units from which on the head CT is patient."""

LARGE = 512
"""Edge of the large rock."""


@dataclass(frozen=True)
class Sample:
    """A volume, with the numbers that make label maps of it."""

    name: str
    volume: NDArray[Any]
    spacing: tuple[float, float, float]
    minimum: float
    """Lower bound of the threshold effect."""
    masks: dict[str, Callable[[NDArray[Any]], NDArray[np.bool_]]]
    """By name, how a segment is made of the volume; the first one is for distances."""

    @property
    def size(self) -> tuple[int, ...]:
        """Lengths in voxels, x, y, z."""
        return self.volume.shape[::-1]

    def labels(self, mask: str) -> NDArray[np.uint8]:
        """A label map of one segment."""
        return self.masks[mask](self.volume).astype(np.uint8)


@dataclass(frozen=True)
class Input:
    """What an effect is run on."""

    title: str
    array: NDArray[Any]
    spacing: tuple[float, float, float]
    volume: NDArray[Any] | None
    """The intensities below a label map; None where the array is the volume itself."""
    numbers: dict[str, Any]
    """What the data is like: ``minimum``, the lower bound of its threshold."""


def load(name: str, size: int) -> Sample:
    """One of ``rock``, ``large``, ``mri``, ``ct``; the size is that of the rock's edge.

    Raises
    ------
    segmentationcore.demo.data.DataError
        The file is missing; says which package has it.
    """
    if name in ("rock", "large"):
        return Sample(
            "rock" if name == "rock" else "large rock",
            rock(size if name == "rock" else LARGE),
            tuple(reversed(demo_data.ROCK_SPACING)),
            16000,
            {
                "pores": lambda volume: volume < 16000,
                # One grain voxel in a hundred falls below this: a hundred thousand islands.
                "noisy pores": lambda volume: volume < 18000,
            },
        )
    if name == "mri":
        volume = demo_data.read_nifti(demo_data.located(demo_data.BRAIN_FILE))
        return _sample("mri", volume, 40, {"brain": lambda values: values >= 40})
    if name == "ct":
        volume = demo_data.read_ct(demo_data.located(demo_data.CT_FILE))
        return _sample("ct", volume, 226, {"bone": lambda values: values >= 226})
    raise ValueError(f"the data is {name!r}; expected rock, large, mri or ct")


def inputs(name: str, size: int) -> dict[str, Callable[[], Input]]:
    """By kind, what makes the inputs of one sort of data.

    ====== ==================================================================================
    volume the intensities
    mask   a segment that is one thing: pores, brain, bone
    noisy  rock only: pores with a hundred thousand islands
    labels rock: three phases; atlas: 116 regions
    seeds  rock only: two of the three phases, the rest is empty
    slices ct: every fifth slice of the patient; atlas: every fourth slice of the labels
    marked small cubes of three labels, in dark, middle and bright parts
    ====== ==================================================================================
    """
    if name == "atlas":
        return {"labels": lambda: _atlas_input(), "slices": lambda: _slices(_atlas_input(), 4)}
    sample = load(name, size)
    numbers = {"minimum": sample.minimum}

    def made(title: str, array: NDArray[Any], volume: NDArray[Any] | None = sample.volume) -> Input:
        return Input(f"{sample.name}{title}", array, sample.spacing, volume, numbers)

    first, last = next(iter(sample.masks)), list(sample.masks)[-1]
    found = {
        "volume": lambda: made("", sample.volume, None),
        "mask": lambda: made(f" {first}", sample.labels(first)),
        "marked": lambda: made(", 3 seed labels", marks(sample)),
    }
    if sample.name.endswith("rock"):
        found |= {
            "noisy": lambda: made(f" {last}", sample.labels(last)),
            "labels": lambda: made(", 3 labels", rock_phases(sample)),
            "seeds": lambda: made(", 2 of 3 labels", rock_phases(sample) % np.uint8(3)),
        }
    if sample.name == "ct":
        found["slices"] = lambda: _slices(made(" skin", _skin(sample)), 5)
    return found


def _skin(sample: Sample) -> NDArray[np.uint8]:
    return (sample.volume >= CT_SKIN).astype(np.uint8)


def _slices(given: Input, every: int) -> Input:
    """The same with some slices only."""
    drawn = np.zeros_like(given.array)
    drawn[::every] = given.array[::every]
    return replace(given, title=f"{given.title}, 1 slice in {every}", array=drawn)


def _atlas_input() -> Input:
    labels, spacing = atlas()
    head = demo_data.read_nifti(demo_data.located(demo_data.HEAD_FILE)).voxels
    volume = np.ascontiguousarray(head, head.dtype.newbyteorder("="))
    return Input("atlas, 116 labels", labels, spacing, volume, {})


def marks(sample: Sample, step: int = 48, edge: int = 8) -> NDArray[np.uint8]:
    """Seeds: of the cubes on a lattice, those that lie in one of three parts of the grey values."""
    bounds = (sample.minimum, (sample.minimum + float(sample.volume.max())) / 2)
    labels = np.zeros(sample.volume.shape, np.uint8)
    counts = [max(0, n - edge) // step + 1 for n in labels.shape]
    for place in np.ndindex(*counts):
        cube = tuple(slice(step * at, step * at + edge) for at in place)
        parts = np.digitize(sample.volume[cube], bounds) + 1
        part = np.bincount(parts.ravel()).argmax()
        if np.mean(parts == part) > 0.9:
            labels[cube][parts == part] = part
    return labels


def rock_phases(sample: Sample) -> NDArray[np.uint8]:
    """The rock as a label map of three segments."""
    return np.digitize(sample.volume, (16000, 33000)).astype(np.uint8) + np.uint8(1)


def atlas() -> tuple[NDArray[np.uint8], tuple[float, float, float]]:
    """The label map of the brain atlas and its spacing."""
    volume = demo_data.read_nifti(demo_data.located(demo_data.ATLAS_FILE))
    return np.ascontiguousarray(volume.voxels, np.uint8), _spacing(volume)


def _spacing(volume: demo_data.Volume) -> tuple[float, float, float]:
    x, y, z = (float(length) for length in np.linalg.norm(volume.axes, axis=1))
    return z, y, x


def _sample(name: str, volume: demo_data.Volume, minimum: float, masks: Any) -> Sample:
    native = volume.voxels.dtype.newbyteorder("=")
    return Sample(
        name, np.ascontiguousarray(volume.voxels, native), _spacing(volume), minimum, masks
    )
