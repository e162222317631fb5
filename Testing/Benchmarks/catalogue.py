"""What is timed, as data: one `Case` for each effect with its parameters, and the bars.

To add an effect, add a `Case` to `CASES` (alphabetical) and say in `peers/<library>_peer.py`, for
its ``name``, how each library does the same. A test demands a case of every declared effect.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from segmentationcore import (
    label_islands,
    local_histogram,
    local_thickness,
    mask_volume,
    segment_statistics,
    size_distribution,
    split_volume,
    vtkLabelMapSurface,
)
from segmentationcore._compiled import find_class
from segmentationcore._registry import voxel_effects
from segmentationcore._run import run_effect

from .peers import Method, Task, later_seeds, seed_of
from .peers.vtk_peer import array_of, image_of, triangles
from .report import is_slicer

BINS = 64  # our default, as Slicer's

Parameters = Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """An effect with its parameters, and the data that it is timed on."""

    name: str
    """Its row, and what peers know it by: `Task.effect`."""
    effect: str
    """Identifier of a declared effect; empty for what is none."""
    inputs: tuple[str, ...]
    """Data and its kind, as `data.inputs` has them: ``"rock mask"``."""
    parameters: Parameters | Callable[[Task], Parameters] = field(default_factory=dict)
    """By their declared names, or what makes them of a task."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """What peers must know besides; the data's own numbers (``minimum``) are added."""
    without_peer: str = ""
    """Why no library is asked to do the same, if none is."""
    reused: bool = False
    """The result goes to an array that is there already, and so does that of the peers."""
    spacing: bool = True
    """Whether millimetres count; if not, a voxel is a millimetre."""
    ours: Callable[[Task], Method] | None = None
    """Our way, where it is no effect function with one array in and one out."""

    @property
    def title(self) -> str:
        """Name of the row: with the distance, if it has one."""
        distance = self.options.get("millimetres")
        return self.name if distance is None else f"{self.name} {distance:g} mm"

    def method(self, task: Task) -> Method:
        """Our way to do the task."""
        if self.ours is not None:
            return self.ours(task)
        array, spacing, out = task.array, task.spacing, None
        made = self.parameters(task) if callable(self.parameters) else self.parameters
        if self.reused:
            # A volume's label map is as narrow as label 1 allows.
            of_volume = voxel_effects()[self.effect]["input"] == "volume"
            out = np.zeros(array.shape, np.uint8 if of_volume else array.dtype)
        more = {"volume": task.volume} if voxel_effects()[self.effect]["volume"] else {}
        return Method(
            "", lambda: run_effect(self.effect, array, made, spacing=spacing, out=out, **more)
        )


def way(task: Task, *fractions: tuple[float, float, float]) -> list[list[float]]:
    """Points of the image, z, y, x in millimetres, as fractions of its edges."""
    edges = (np.array(task.array.shape) - 1) * np.array(task.spacing)
    return (np.array(fractions) * edges).tolist()


def _threshold(task: Task) -> Parameters:
    return {"MinimumThreshold": task.options["minimum"]}


def _brush(task: Task) -> Parameters:
    points = way(task, (0.3, 0.3, 0.3), (0.5, 0.7, 0.4), (0.7, 0.4, 0.7))
    return {"Points": points, "BrushAbsoluteDiameter": 20.0}


def _flood(task: Task) -> Parameters:
    return {
        "Points": [(np.array(seed_of(task)) * task.spacing).tolist()],
        "IntensityTolerance": task.options["tolerance"],
        "NeighborhoodSizeMm": 0.0,
    }


def _label_all(task: Task) -> Method:
    return Method("", lambda: label_islands(task.array).numbers)


def _label_all_again(task: Task) -> Method:
    numbers = np.zeros(task.array.shape, np.int32)
    return Method("", lambda: label_islands(task.array, out=numbers).numbers)


def outline(task: Task, corners: int = 200) -> np.ndarray:
    """A wavy ring in the last two axes, y, x in millimetres."""
    angles = 2 * np.pi * np.arange(corners) / corners
    radii = 0.35 * (1 + 0.1 * np.sin(9 * angles))
    fractions = 0.5 + np.column_stack([np.sin(angles), np.cos(angles)]) * radii[:, np.newaxis]
    return fractions * (np.array(task.array.shape[1:]) - 1) * task.spacing[1:]


def _outline(task: Task) -> dict[str, Any]:
    """In the middle of the image, on a slice."""
    middle = task.array.shape[0] // 2 * task.spacing[0]
    return {"Points": np.insert(outline(task), 0, middle, axis=1)}


def _way(task: Task) -> Parameters:
    return {"Points": way(task, (0.3, 0.3, 0.3), (0.5, 0.7, 0.4), (0.7, 0.4, 0.7), (0.4, 0.5, 0.2))}


def _plate(task: Task) -> Parameters:
    return {"Points": way(task, (0.5, 0.9, 0.1), (0.5, 0.9, 0.9), (0.5, 0.1, 0.1))}


def _surfaces(task: Task) -> Method:
    image = image_of(task.array, task.spacing)

    def surfaces() -> Any:
        algorithm = vtkLabelMapSurface()
        algorithm.SetInputData(image)
        algorithm.FacesOnceOn()  # as vtkSurfaceNets3D has them
        if not task.options["smooth"]:
            algorithm.SetSmoothingIterations(0)
        algorithm.Update()
        if algorithm.GetLastError():
            raise RuntimeError(algorithm.GetLastError())
        return algorithm.GetOutput()

    return Method("", surfaces, triangles)


def _update(task: Task) -> Method:
    # Grown once before the clock starts; each run paints a few more seeds.
    labels = np.array(task.array)
    image, volume = image_of(labels, task.spacing), image_of(task.volume, task.spacing)
    grow = find_class(voxel_effects()["grow_from_seeds"]["class"])()
    grow.SetInputData(0, image)
    grow.SetInputData(1, volume)
    grow.IncrementalOn()
    grow.Update()
    painted = itertools.count()

    def update() -> Any:
        place, label = later_seeds(next(painted), labels.shape)
        labels[place] = label
        image.GetPointData().GetScalars().Modified()
        image.Modified()
        grow.Update()
        if grow.GetLastError():
            raise RuntimeError(grow.GetLastError())
        return grow.GetOutput()

    return Method("", update, array_of)


def statistics_text(count: int, mean: float, deviation: float) -> str:
    """What a method found of label 1: the same words for all."""
    return f"label 1: {count} voxels, {mean:.6g} +- {deviation:.6g}"


def _statistics(task: Task) -> Method:
    # The volume's numbers alone, as others are asked for them.
    def measure() -> Any:
        return segment_statistics(
            task.array, task.volume, shape=False, outline=False, surface=False
        )[0]

    return Method(
        "", measure, lambda row: statistics_text(row["voxel_count"], row["mean"], row["stdev"])
    )


def sizes_text(sizes: Mapping[float, int]) -> str:
    """How many voxels a method found of which diameter: the same words for all."""
    mean = sum(d * n for d, n in sizes.items()) / max(1, sum(sizes.values()))
    return f"{sum(sizes.values())} voxels, mean diameter {mean:.3g} mm"


def _sizes(task: Task) -> Method:
    def measure() -> Any:
        return size_distribution(
            task.array, spacing=task.spacing, diameters=task.options["diameters"]
        )

    return Method(
        "",
        measure,
        lambda table: sizes_text(
            dict(zip(table["diameter_mm"], table["voxel_count"], strict=True))
        ),
    )


def thickness_text(thickness: Any) -> str:
    """The same of the thickness at each voxel, 0 where there is none."""
    found, counts = np.unique(thickness, return_counts=True)
    return sizes_text({d: n for d, n in zip(found.tolist(), counts.tolist(), strict=True) if d > 0})


def _thickness(task: Task) -> Method:
    return Method(
        "",
        lambda: local_thickness(
            task.array, spacing=task.spacing, diameters=task.options["diameters"]
        ),
        thickness_text,
    )


def _local(task: Task) -> Parameters:
    # Grains of quartz.
    return {
        "Points": way(task, (0.5, 0.3, 0.3), (0.5, 0.6, 0.35), (0.5, 0.35, 0.65)),
        "MinimumThreshold": 16000.0,
        "MaximumThreshold": 33000.0,
        "MinimumDiameterMm": 11.0,
    }


def values_text(values: Any) -> str:
    """What a method made of a volume, up to the error of a Gaussian: the same words for all."""
    return f"{' x '.join(map(str, values.shape))} voxels, mean {float(values.mean()):.4g}"


def _soft_edge(task: Task) -> Method:
    width = task.options["millimetres"]

    def mask() -> Any:
        return mask_volume(task.array, task.volume, soft_edge_mm=width, spacing=task.spacing)

    return Method("", mask, values_text)


def _hard_edge(task: Task) -> Method:
    return Method("", lambda: mask_volume(task.array, task.volume), values_text)


def _split(task: Task) -> Method:
    padding = task.options["padding"]
    return Method(
        "",
        lambda: split_volume(task.array, task.volume, padding_voxels=padding),
        lambda crop: values_text(crop.voxels),
    )


def histogram_text(count: int, least: float, most: float, mean: float) -> str:
    """What a method found under the brush: the same words for all."""
    return f"{count} voxels, {least:g} to {most:g}, mean {mean:.6g}"


def ball_of(task: Task) -> tuple[list[float], float]:
    """The middle of the image, and the radius of the brush."""
    return way(task, (0.5, 0.5, 0.5))[0], task.options["radius"]


def _histogram(task: Task) -> Method:
    centre, radius = ball_of(task)

    def measure() -> Any:
        return local_histogram(
            task.array,
            points=[centre],
            brush_type="LINE",
            brush_absolute_diameter=2 * radius,
            spacing=task.spacing,
        )[0]

    return Method(
        "",
        measure,
        lambda row: histogram_text(row["voxel_count"], row["lower"], row["upper"], row["average"]),
    )


VOLUMES = ("rock volume", "mri volume", "ct volume")
MASKS = ("rock mask", "mri mask", "ct mask")
NOISY = ("rock noisy", "mri mask", "ct mask")
STROKE = "a stroke is timed in the group editor, where it costs what it touches"
ALONE = "no library has it, and what it touches is little"

#: In millimetres, for voxels of 1 mm.
DIAMETERS = [2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0]

CASES = (
    Case(
        "boundary removal",
        "boundary_removal",
        ("rock volume",),
        {"AutoThreshold": False, "MinimumThreshold": 12000.0},
        {"gradient": 12000.0},
    ),
    Case("closing", "closing", NOISY, {"KernelSizeMm": 5.0}, {"width": 5}, spacing=False),
    Case("connectivity", "connectivity", ("rock noisy",), {"FlowDirection": [1.0, 0.0, 0.0]}),
    Case("depth range", "depth_range", ("rock mask",), _way, without_peer=ALONE),
    Case("draw", "draw", ("rock mask",), _outline),
    Case("draw tube", "draw_tube", ("rock mask",), _way, without_peer=ALONE),
    Case("engrave", "engrave", ("rock mask",), _plate, without_peer=ALONE),
    Case("erase", "erase", ("rock mask",), _brush, without_peer=STROKE),
    Case(
        "expand segments",
        "expand_segments",
        ("rock seeds", "atlas labels"),
        {"ExpansionSizeMm": 3.0},
        {"millimetres": 3.0},
    ),
    Case(
        "fast marching",
        "fast_marching",
        ("rock marked",),
        without_peer="no library has a front of this definition",
    ),
    Case("fill between slices", "fill_between_slices", ("ct slices", "atlas slices")),
    Case("fill holes", "fill_holes", NOISY),
    Case("flood filling", "flood_filling", ("rock volume",), _flood, {"tolerance": 6000.0}),
    Case(
        "Gaussian",
        "gaussian",
        NOISY,
        {"GaussianStandardDeviationMm": 3.0},
        {"millimetres": 3.0, "width": 25},  # the kernel, for what is compared
        spacing=False,
    ),
    Case("grow from seeds", "grow_from_seeds", ("rock marked", "ct marked")),
    Case("grow from seeds, update", "", ("rock marked",), reused=True, ours=_update),
    Case(
        "hollow",
        "hollow",
        ("rock mask", "ct mask"),
        {"ShellMode": "OUTSIDE_SURFACE", "ShellThicknessMm": 3.0},
        {"millimetres": 3.0},
    ),
    Case(
        "islands keep largest",
        "islands",
        NOISY,
        {"Operation": "KEEP_LARGEST_ISLAND"},
        spacing=False,
    ),
    Case("islands label all", "", (*NOISY, "large noisy"), ours=_label_all, spacing=False),
    Case(
        "islands label all, reused output",
        "",
        ("large noisy",),
        reused=True,
        ours=_label_all_again,
        spacing=False,
    ),
    Case(
        "islands remove small",
        "islands",
        (*NOISY, "large noisy"),
        {"Operation": "REMOVE_SMALL_ISLANDS", "MinimumSize": 1000},
        {"minimum_size": 1000},
        spacing=False,
    ),
    Case(
        "joint smoothing",
        "joint_smoothing",
        ("atlas labels",),
        {"JointTaubinSmoothingFactor": 0.5},
        {"factor": 0.5},
    ),
    Case("level tracing", "level_tracing", ("rock volume",), _way, without_peer=ALONE),
    Case(
        "local histogram",
        "",
        ("rock volume",),
        {},
        {"radius": 20.0},
        ours=_histogram,
        spacing=False,
    ),
    Case(
        "local thickness",
        "",
        ("rock mask",),
        {},
        {"diameters": DIAMETERS},
        ours=_thickness,
        spacing=False,
    ),
    Case(
        "local threshold",
        "local_threshold",
        ("rock seeds",),
        _local,
        without_peer="no library has it; its steps are timed by themselves",
        spacing=False,
    ),
    Case(
        "logical union",
        "logical",
        ("rock labels",),
        {"Operation": "UNION", "ModifierSegmentID": 2},
        {"other": 2},
    ),
    Case(
        "logical xor",
        "logical",
        ("rock labels",),
        {"Operation": "XOR", "ModifierSegmentID": 2},
        {"other": 2},
    ),
    Case("margin grow", "margin", MASKS, {"MarginSizeMm": 3.0}, {"millimetres": 3.0}),
    Case("margin shrink", "margin", MASKS, {"MarginSizeMm": -3.0}, {"millimetres": 3.0}),
    Case("mask volume", "", ("rock mask", "ct mask"), ours=_hard_edge, spacing=False),
    Case(
        "mask volume, soft edge",
        "",
        ("rock mask", "ct mask"),
        {},
        {"millimetres": 3.0},
        ours=_soft_edge,
    ),
    Case("median 3x3x3", "median", NOISY, {"KernelSizeMm": 3.0}, {"width": 3}, spacing=False),
    Case("median 5x5x5", "median", NOISY, {"KernelSizeMm": 5.0}, {"width": 5}, spacing=False),
    Case(
        "multiple thresholds",
        "multi_threshold",
        ("rock volume",),
        {"Thresholds": [16000, 33000]},
        {"thresholds": [16000, 33000]},
    ),
    Case(
        "multiple thresholds Otsu",
        "multi_threshold",
        ("rock volume",),
        {"NumberOfClasses": 3, "NumberOfBins": 256},
        {"classes": 3, "bins": 256},
    ),
    Case("opening", "opening", NOISY, {"KernelSizeMm": 5.0}, {"width": 5}, spacing=False),
    Case("paint", "paint", ("rock mask",), _brush, without_peer=STROKE),
    Case(
        "scissors", "scissors", ("rock mask",), lambda t: _outline(t) | {"Operation": "FillInside"}
    ),
    Case(
        "size distribution",
        "",
        ("rock mask",),
        {},
        {"diameters": DIAMETERS},
        ours=_sizes,
        spacing=False,
    ),
    Case("split volume", "", ("rock mask", "ct mask"), {}, {"padding": 5}, ours=_split),
    Case("statistics", "", ("rock labels", "atlas labels"), ours=_statistics),
    Case("surface cut", "surface_cut", ("rock mask",), _way, without_peer=ALONE),
    Case("surfaces", "", ("rock labels", "atlas labels"), {}, {"smooth": False}, ours=_surfaces),
    Case(
        "surfaces, smoothed",
        "",
        ("rock labels", "atlas labels"),
        {},
        {"smooth": True},
        ours=_surfaces,
    ),
    Case("threshold", "threshold", (*VOLUMES, "large volume"), _threshold),
    Case(
        "threshold Otsu",
        "threshold",
        (*VOLUMES, "large volume"),
        {"AutoThresholdMode": "SET_LOWER_MAX", "NumberOfBins": BINS},
        {"bins": BINS},
    ),
    Case(
        "threshold, reused output",
        "threshold",
        ("rock volume", "large volume"),
        _threshold,
        reused=True,
    ),
    Case(
        "watershed",
        "watershed",
        ("rock marked", "ct marked"),
        {"ObjectScaleMm": 1.0},
        {"scale": 1.0},
    ),
    Case(
        "wrap solidify",
        "wrap_solidify",
        ("mri mask", "ct mask"),
        {"CarveHolesInOuterSurfaceDiameter": 10.0},
        {"millimetres": 5.0},
    ),
)


@dataclass(frozen=True)
class Bar:
    """How many times faster than others a case has to be, on as many threads as there are."""

    case: str
    inputs: tuple[str, ...]
    peer: float | None
    """Than the fastest peer."""
    slicer: float | None = None
    """Than Slicer."""
    over: str = ""
    """Begins the names of the peers that count, where others do something easier."""


BARS = (
    Bar("threshold, reused output", ("large volume",), 1.5),
    Bar("threshold", ("large volume",), None, 20),
    Bar("threshold Otsu", ("large volume",), 5, 50),
    Bar("islands label all", ("large noisy",), 3, 45),
    Bar("islands label all, reused output", ("large noisy",), None, 45),
    Bar("islands keep largest", ("rock noisy",), 6, 12),
    Bar("islands remove small", ("large noisy",), 8, 30),
    Bar("margin grow", ("rock mask",), 10, 12),
    Bar("margin shrink", ("rock mask",), 10, 12),
    Bar("margin grow", ("ct mask",), 10, 10),
    Bar("median 3x3x3", ("rock noisy",), 10, 20),
    Bar("median 5x5x5", ("rock noisy",), 10, 80),
    Bar("opening", ("rock noisy",), 20, 20),
    Bar("closing", ("rock noisy",), 20, 20),
    Bar("Gaussian", ("rock noisy",), 4, 6),
    Bar("grow from seeds", ("rock marked", "ct marked"), None, 25),
    Bar("grow from seeds, update", ("rock marked",), None, 5),
    Bar("watershed", ("rock marked", "ct marked"), 5),
    Bar("surfaces, smoothed", ("atlas labels",), 1.5, 45),
    Bar("surfaces, smoothed", ("rock labels",), 1.5, 20),
    Bar("fill between slices", ("ct slices", "atlas slices"), 10, 20, over="ITK"),
    Bar("statistics", ("atlas labels",), 3, 200),
    Bar("statistics", ("rock labels",), 3, 15),
    # Group datamodel: rows by title and data.
    Bar("resampling, nearest", ("rings",), 2, 10),
    Bar("surfaces to labelmap", ("atlas",), None, 40),
    Bar("surfaces to labelmap, no collapse", ("atlas",), 10),
    Bar("write .seg.nrrd", ("rock, 3 labels",), 1.5, 8),
)


def bars(case: str, key: str, what: str, found: Mapping[str, float | None]) -> list[dict[str, Any]]:
    """What is asked of a case on an input, beside what was measured: ratios by peer."""
    result = []
    for bar in BARS:
        if bar.case != case or key not in bar.inputs:
            continue
        measured = {name: ratio for name, ratio in found.items() if ratio is not None}
        peers = {name: ratio for name, ratio in measured.items() if name.startswith(bar.over)}
        slicer = {name: ratio for name, ratio in measured.items() if is_slicer(name)}
        for asked, ratios, who in (
            (bar.peer, peers, "the fastest peer"),
            (bar.slicer, slicer, "Slicer"),
        ):
            if asked is None:
                continue
            name = min(ratios, key=lambda name: ratios[name]) if ratios else None
            result.append(
                {
                    "bar": f"{what}: against {name or who}",
                    "asked": f"{asked:g} x",
                    "measured": ratios[name] if name else None,
                    "met": ratios[name] >= asked if name else None,
                }
            )
    return result
