"""What is shown of each effect: the table, and the data it is shown on.

Views are named as radiologists name them. All points are in millimetres, z, y, x, as in the
functions of the package.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from segmentationcore._registry import voxel_effects
from segmentationcore._run import run_effect
from segmentationcore.demo import data as demo_data
from segmentationcore.demo.rock import rock

from .drawing import View

Labels = NDArray[Any]


@dataclass(frozen=True)
class Data:
    """A volume, how it is shown, and where up is."""

    volume: NDArray[Any]
    spacing: tuple[float, float, float]
    window: tuple[float, float]
    views: dict[str, View]
    atlas: NDArray[np.uint8] | None = None

    def point(self, *fractions: float) -> list[float]:
        """A point, z, y, x in millimetres, from fractions of the edges."""
        edges = (np.array(self.volume.shape) - 1) * np.array(self.spacing)
        return [float(x) for x in np.array(fractions) * edges]


Maker = Callable[[Data], Labels]
Parameters = Mapping[str, Any]


@dataclass(frozen=True)
class Scene:
    """One picture."""

    effect: str
    data: str
    """A function of this file."""
    caption: str
    """One sentence."""
    parameters: Parameters | Callable[[Data], Parameters] = field(default_factory=dict)
    before: Maker | None = None
    """Makes the label map that the effect is given; none for an effect on volumes."""
    view: str = "axial"
    at: float = 0.5
    crop: tuple[float, float, float, float] = (0.0, 1.0, 0.0, 1.0)
    after: Callable[[Data, Labels | None, Parameters], Labels] | None = None
    """Runs the effect, where it is no function with one array in and one label map out."""

    def load(self) -> Data:
        """The data."""
        loaded: Data = globals()[self.data]()
        return loaded

    def looking(self, data: Data) -> View:
        """The slice."""
        return replace(data.views[self.view], at=self.at, crop=self.crop)

    def given(self, data: Data) -> Parameters:
        """The parameters, by their declared names."""
        return self.parameters(data) if callable(self.parameters) else self.parameters

    def run(self, data: Data, labels: Labels | None) -> Labels:
        """The label map that the effect makes."""
        if self.after is not None:
            return self.after(data, labels, self.given(data))
        array = data.volume if labels is None else labels
        more = {"volume": data.volume} if voxel_effects()[self.effect]["volume"] else {}
        result: Labels = run_effect(
            self.effect, array, self.given(data), spacing=data.spacing, **more
        )
        return result


# -- data ----------------------------------------------------------------------------------------


def _views(axes: NDArray[np.float64]) -> dict[str, View]:
    """Upright slices of arrays whose index axes x, y, z step by these LPS vectors."""
    right = bool(axes[0][0] < 0)  # the patient's left is shown on the right
    front, up = bool(axes[1][1] < 0), bool(axes[2][2] > 0)
    return {
        "axial": View(0, flips=(front, right)),
        "coronal": View(1, flips=(up, right)),
        "sagittal": View(2, flips=(up, not front)),
    }


def _of(
    volume: demo_data.Volume, window: tuple[float, float], atlas: NDArray[np.uint8] | None = None
) -> Data:
    x, y, z = (float(length) for length in np.linalg.norm(volume.axes, axis=1))
    native = volume.voxels.dtype.newbyteorder("=")
    voxels = np.ascontiguousarray(volume.voxels, native)
    return Data(voxels, (z, y, x), window, _views(volume.axes), atlas)


@functools.cache
def head() -> Data:
    """MRI of a head, 1 mm, with the atlas of its brain."""
    regions = demo_data.read_nifti(demo_data.located(demo_data.ATLAS_FILE)).voxels
    volume = demo_data.read_nifti(demo_data.located(demo_data.HEAD_FILE))
    return _of(volume, (0, 130), np.ascontiguousarray(regions, np.uint8))


@functools.cache
def ct() -> Data:
    """CT of a head."""
    return _of(demo_data.read_ct(demo_data.located(demo_data.CT_FILE)), (-200, 900))


@functools.cache
def stone() -> Data:
    """The synthetic rock."""
    spacing = (0.6, 0.5, 0.5)
    return Data(rock(128), spacing, (0, 50000), _views(np.diag((1.0, 1.0, 1.0))))


# -- label maps to begin with --------------------------------------------------------------------


def nothing(data: Data) -> Labels:
    """An empty label map."""
    return np.zeros(data.volume.shape, np.uint8)


def bone(data: Data) -> Labels:
    """Bone of the CT."""
    return (data.volume >= 226).astype(np.uint8)


def pores(data: Data) -> Labels:
    """Pores of the rock, with grain noise in them."""
    return (data.volume < 18000).astype(np.uint8)


def grains(data: Data) -> Labels:
    """Grains of the rock, with noise in them."""
    return (data.volume >= 18000).astype(np.uint8)


def brain(data: Data) -> Labels:
    """What the atlas covers."""
    assert data.atlas is not None
    return (data.atlas > 0).astype(np.uint8)


def regions(*values: int) -> Maker:
    """Some regions of the atlas as labels 1, 2, .."""

    def made(data: Data) -> Labels:
        assert data.atlas is not None
        labels = np.zeros(data.atlas.shape, np.uint8)
        for label, value in enumerate(values, 1):
            labels[data.atlas == value] = label
        return labels

    return made


def all_regions(data: Data) -> Labels:
    """The atlas."""
    assert data.atlas is not None
    return data.atlas


def slices_of(maker: Maker) -> Maker:
    """Every tenth axial slice of a label map."""

    def made(data: Data) -> Labels:
        whole = maker(data)
        drawn = np.zeros_like(whole)
        drawn[::10] = whole[::10]
        return drawn

    return made


def two_halves(data: Data) -> Labels:
    """The left side of the brain as 1, and a ball across the middle as 2."""
    labels = brain(data)
    labels[:, :, labels.shape[2] // 2 :] = 0
    z, y, x = np.ogrid[tuple(slice(0, n) for n in labels.shape)]
    nz, ny, nx = labels.shape
    ball = (z - nz / 2) ** 2 + (y - ny / 2) ** 2 + (x - nx / 2) ** 2 < 40**2
    labels[ball & (labels == 0)] = 2
    return labels


def _ring(at: float, corners: int = 60) -> list[tuple[float, float, float]]:
    """A wavy outline in an axial slice, as fractions."""
    angles = [2 * math.pi * n / corners for n in range(corners)]
    radii = [0.24 + 0.04 * math.sin(5 * angle) for angle in angles]
    return [
        (at, 0.5 + radius * math.sin(angle), 0.5 + radius * math.cos(angle))
        for angle, radius in zip(angles, radii, strict=True)
    ]


def phase_seeds(data: Data) -> Labels:
    """Small cubes in the pores, the quartz and the mineral of the rock."""
    phases = np.digitize(data.volume, (16000, 33000)) + 1
    labels = nothing(data)
    for place in np.ndindex(*(n // 16 for n in labels.shape)):
        cube = tuple(slice(16 * at + 6, 16 * at + 10) for at in place)
        values, counts = np.unique(phases[cube], return_counts=True)
        if counts.max() > 0.95 * counts.sum():
            labels[cube] = values[counts.argmax()]
    return labels


def ball(*fractions: float, radius: float) -> Maker:
    """A ball, by its centre as fractions of the edges, and its radius in millimetres."""

    def made(data: Data) -> Labels:
        centre = data.point(*fractions)
        squares = sum(
            ((np.arange(n) * step - at) ** 2).reshape([-1 if a == b else 1 for b in range(3)])
            for a, (n, step, at) in enumerate(
                zip(data.volume.shape, data.spacing, centre, strict=True)
            )
        )
        return (squares <= radius**2).astype(np.uint8)

    return made


def _way(*points: Sequence[float], **more: Any) -> Callable[[Data], Parameters]:
    return lambda data: {"Points": [data.point(*point) for point in points], **more}


# -- the table, in the order of the page -----------------------------------------------------------

SCENES = (
    Scene(
        "threshold",
        "ct",
        "Bone is what is brighter than 226 Hounsfield units.",
        {"MinimumThreshold": 226},
    ),
    Scene(
        "multi_threshold",
        "stone",
        "Pores, grains and a heavy mineral, by the two thresholds that part them best.",
        {"NumberOfClasses": 3},
    ),
    Scene(
        "paint",
        "head",
        "A ball of 24 mm is swept along four points.",
        _way(
            (0.5, 0.3, 0.3),
            (0.5, 0.5, 0.42),
            (0.5, 0.62, 0.6),
            (0.5, 0.7, 0.72),
            BrushAbsoluteDiameter=24.0,
        ),
        nothing,
    ),
    Scene(
        "erase",
        "head",
        "The same brush takes voxels away from the brain.",
        _way((0.5, 0.3, 0.3), (0.5, 0.62, 0.6), BrushAbsoluteDiameter=24.0),
        brain,
    ),
    Scene(
        "draw",
        "head",
        "What a closed outline on a slice encloses.",
        _way(*_ring(0.5)),
        nothing,
    ),
    Scene(
        "scissors",
        "ct",
        "A cut through all slices takes away the bone that is seen inside of an outline.",
        _way((0.5, 0.02, 0.3), (0.5, 0.02, 0.8), (0.5, 0.45, 0.9), (0.5, 0.4, 0.35)),
        bone,
    ),
    Scene(
        "level_tracing",
        "head",
        "The outline of equal intensity through one voxel at the scalp, filled.",
        _way((0.5, 0.5, 7 / 180)),
    ),
    Scene(
        "draw_tube",
        "head",
        "A round tube of 14 mm follows a spline through five points.",
        _way(
            (0.5, 0.15, 0.4),
            (0.5, 0.3, 0.65),
            (0.5, 0.5, 0.4),
            (0.5, 0.7, 0.65),
            (0.5, 0.85, 0.4),
            Radius=7.0,
        ),
        nothing,
    ),
    Scene(
        "surface_cut",
        "head",
        "A smooth closed surface through eight points, four of them on this slice.",
        _way(
            (0.5, 0.25, 0.5),
            (0.5, 0.75, 0.5),
            (0.5, 0.5, 0.25),
            (0.5, 0.5, 0.75),
            (0.7, 0.4, 0.4),
            (0.7, 0.6, 0.6),
            (0.3, 0.4, 0.6),
            (0.3, 0.6, 0.4),
        ),
        nothing,
    ),
    Scene(
        "engrave",
        "head",
        "A text is embossed; three corners of its plate are given.",
        _way((0.5, 0.35, 0.8), (0.5, 0.35, 0.2), (0.5, 0.65, 0.8), Text="Brain", Mode="EMBOSS"),
        nothing,
    ),
    Scene(
        "depth_range",
        "stone",
        "All that lies between two depths.",
        _way((0.3, 0.5, 0.2), (0.6, 0.5, 0.7)),
        nothing,
        view="coronal",
    ),
    Scene(
        "islands",
        "stone",
        "Noise leaves thousands of islands; those of fewer than 200 voxels are removed.",
        {"Operation": "REMOVE_SMALL_ISLANDS", "MinimumSize": 200},
        pores,
    ),
    Scene(
        "connectivity",
        "stone",
        "What stays of the pores is what a fluid can get through, from the left to the right.",
        {"FlowDirection": [1.0, 0.0, 0.0]},
        pores,
    ),
    Scene(
        "flood_filling",
        "head",
        "From a point in a ventricle through similar intensities, but not over thin bridges.",
        _way((0.5, 0.45, 0.4), IntensityTolerance=14.0, NeighborhoodSizeMm=2.0),
    ),
    Scene(
        "boundary_removal",
        "stone",
        "Boundaries are where the gradient is large; segments lose them.",
        crop=(0.0, 0.6, 0.0, 0.6),
    ),
    Scene("margin", "ct", "Bone grows by 3 mm.", {"MarginSizeMm": 3.0}, bone),
    Scene(
        "median",
        "stone",
        "The majority in a box of 5 voxels removes noise and keeps the outline.",
        {"KernelSizeMm": 2.5},
        pores,
    ),
    Scene(
        "opening",
        "stone",
        "Spots and bridges that a ball of 1.5 mm does not fit into are removed.",
        {"KernelSizeMm": 1.5},
        pores,
    ),
    Scene(
        "closing",
        "head",
        "Gaps in the grey matter that a ball of 12 mm does not fit into are filled.",
        {"KernelSizeMm": 12.0},
        brain,
    ),
    Scene(
        "gaussian",
        "stone",
        "Blurred by 1 mm and cut at one half: rounder than by the median.",
        {"GaussianStandardDeviationMm": 1.0},
        pores,
    ),
    Scene(
        "hollow",
        "head",
        "The brain becomes a shell of 6 mm: it is the outside surface.",
        {"ShellMode": "OUTSIDE_SURFACE", "ShellThicknessMm": 6.0},
        brain,
    ),
    Scene(
        "fill_holes",
        "stone",
        "Holes of up to 100 voxels in the grains, which are noise, are filled.",
        {"MaximumSize": 100},
        grains,
    ),
    Scene(
        "wrap_solidify",
        "ct",
        "A ball of 15 mm cannot get into the frontal sinus, which becomes part of the solid.",
        {"CarveHolesInOuterSurfaceDiameter": 15.0},
        bone,
    ),
    Scene(
        "logical",
        "head",
        "The first segment, orange, becomes both together.",
        {"Operation": "UNION", "ModifierSegmentID": 2},
        two_halves,
    ),
    Scene(
        "expand_segments",
        "head",
        "Regions grow by 6 mm and meet half-way.",
        {"ExpansionSizeMm": 6.0},
        regions(1, 2, 7, 8, 13, 14, 29, 30, 77, 78),
    ),
    Scene(
        "grow_from_seeds",
        "stone",
        "Small cubes in the pores, the quartz and the heavy mineral grow until they meet.",
        {"SeedLocalityFactor": 10.0},
        phase_seeds,
        at=72 / 127,
    ),
    Scene(
        "watershed",
        "stone",
        "The same cubes grow until they meet where the volume, smoothed by 0.6 mm, is steepest.",
        {"ObjectScaleMm": 0.6},
        phase_seeds,
        at=72 / 127,
    ),
    Scene(
        "fast_marching",
        "head",
        "A ball in the white matter grows along what is as bright, to 4 % of the image.",
        {"PercentMax": 4.0, "SeedLocalityFactor": 1.0},
        ball(0.55, 0.55, 0.38, radius=8.0),
        at=0.55,
    ),
    Scene(
        "local_threshold",
        "stone",
        "A grain of quartz, picked by a point in it, is cut off where it touches others.",
        lambda d: {
            "Points": [d.point(72 / 127, 0.6, 0.35)],
            "MinimumThreshold": 16000.0,
            "MaximumThreshold": 33000.0,
            "MinimumDiameterMm": 8.5,
        },
        nothing,
        at=72 / 127,
    ),
    Scene(
        "fill_between_slices",
        "head",
        "Of the brain every tenth slice was drawn; those between follow.",
        before=slices_of(brain),
        view="coronal",
    ),
    Scene(
        "joint_smoothing",
        "head",
        "Regions are smoothed together: no gaps between them, and no overlaps.",
        {"JointTaubinSmoothingFactor": 0.8},
        all_regions,
        crop=(0.05, 0.55, 0.05, 0.55),
    ),
)
