"""What is shown of each query: what was asked on the left, and the answer on the right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from segmentationcore import (
    closing,
    label_islands,
    local_histogram,
    local_thickness,
    mask_volume,
    median,
    paint,
    segment_statistics,
    size_distribution,
    split_volume,
)

from . import charts, scenes
from .drawing import COLOURS, GAP, PANEL, View, framed, nearest, panel, positions, side_by_side

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Question:
    """One picture."""

    query: str
    title: str
    caption: str
    """One sentence."""
    draw: Callable[[], Picture]


def _axial(data: scenes.Data, at: float = 0.5) -> View:
    return replace(data.views["axial"], at=at)


def _seen(data: scenes.Data, labels: NDArray[Any] | None, view: View) -> Picture:
    return panel(data.volume, labels, data.spacing, data.window, view)


def masked() -> Picture:
    """The brain, cut out with a hard and with a soft edge."""
    data = scenes.head()
    view = replace(_axial(data), crop=(0.02, 0.42, 0.08, 0.58))
    brain = closing(scenes.brain(data), kernel_size_mm=40.0, spacing=data.spacing)
    parts = [_seen(data, brain, view)]
    for width in (0.0, 4.0):
        made = mask_volume(brain, data.volume, soft_edge_mm=width, spacing=data.spacing)
        parts.append(panel(made, None, data.spacing, data.window, view))
    return side_by_side(*parts)


def split() -> Picture:
    """Crops of both thalami, putamina and caudate nuclei, framed in their colours."""
    data = scenes.head()
    labels, view = scenes.regions(71, 72, 73, 74, 77, 78)(data), _axial(data, 0.46)
    before = _seen(data, labels, replace(view, crop=(0.25, 0.75, 0.25, 0.75)))
    cell = (before.shape[0] - GAP) // 2
    rows = []
    for first in (1, 2):
        crops = []
        for label in range(first, 7, 2):
            crop = split_volume(
                labels, data.volume, label=label, padding_voxels=2, spacing=data.spacing
            )
            fullest = np.count_nonzero(crop.voxels, axis=(1, 2)).argmax()
            there = replace(view, at=fullest / (len(crop.voxels) - 1))
            seen = panel(crop.voxels, None, data.spacing, data.window, there, size=cell - 6)
            edged = np.empty((seen.shape[0] + 6, seen.shape[1] + 6, 3), np.uint8)
            edged[:] = COLOURS[label - 1]
            edged[3:-3, 3:-3] = seen
            crops.append(framed(edged, cell, cell))
        rows.append(side_by_side(*crops))
    gap = np.full((before.shape[0] - 2 * cell, rows[0].shape[1], 3), 255, np.uint8)
    return side_by_side(before, np.concatenate([rows[0], gap, rows[1]]))


def _smooth_pores(data: scenes.Data) -> NDArray[np.uint8]:
    pores: NDArray[np.uint8] = median(scenes.pores(data), kernel_size_mm=2.5, spacing=data.spacing)
    return pores


def numbered() -> Picture:
    """Grains of a mineral, each in its colour."""
    data = scenes.stone()
    view = _axial(data)
    grains = median(
        (data.volume >= 33000).astype(np.uint8), kernel_size_mm=2.5, spacing=data.spacing
    )
    numbers = label_islands(grains, minimum_size=100).numbers
    return side_by_side(_seen(data, grains, view), _seen(data, numbers, view))


def thick() -> Picture:
    """How wide the pores are, in colours."""
    data = scenes.stone()
    view, pores = _axial(data), _smooth_pores(data)
    thickness = local_thickness(pores, border_is_wall=True, spacing=data.spacing)
    seen = nearest(thickness, data.spacing, view)
    largest = float(np.ceil(thickness.max()))
    after = _seen(data, None, view).astype(np.float64)
    after[seen > 0] = charts.colours_of(seen[seen > 0], largest)
    return side_by_side(
        _seen(data, pores, view),
        np.round(after).astype(np.uint8),
        charts.colour_bar(largest, "diameter in mm"),
    )


def sizes() -> Picture:
    """The same pores, by size."""
    data = scenes.stone()
    pores = _smooth_pores(data)
    table = size_distribution(pores, number_of_bins=16, border_is_wall=True, spacing=data.spacing)
    chart = charts.distribution(
        table["diameter_mm"],
        table["fraction"],
        table["cumulative_fraction"],
        "diameter of the largest ball in mm",
        ("just so wide", "at least so wide"),
    )
    return side_by_side(_seen(data, pores, _axial(data)), chart)


def histogram() -> Picture:
    """A ball swept over grey and white matter, and what is under it."""
    data = scenes.head()
    brush: dict[str, Any] = {
        "points": [data.point(0.5, 0.62, 0.6), data.point(0.5, 0.7, 0.72)],
        "brush_absolute_diameter": 24.0,
        "spacing": data.spacing,
    }
    touched = paint(scenes.nothing(data), **brush)
    (row,) = local_histogram(data.volume, brush_type="LINE", number_of_bins=40, **brush)
    edges = row["bin_minimum"] + row["bin_width"] * np.arange(len(row["counts"]) + 1)
    marks = {
        "lowest": row["lower"],
        "mean": row["average"],
        "highest": row["upper"],
        "Otsu's threshold": row["auto_threshold"],
    }
    chart = charts.bars(
        edges.tolist(),
        row["counts"].tolist(),
        "intensity",
        "voxels",
        {name: float(value) for name, value in marks.items()},
    )
    return side_by_side(_seen(data, touched, _axial(data)), chart)


def measured() -> Picture:
    """The hippocampi from below with their oriented boxes, and a part of the table."""
    data = scenes.head()
    labels = scenes.regions(38, 37)(data)
    names = ("    right", "      left")
    table = segment_statistics(labels, data.volume, islands=True, spacing=data.spacing)
    view = replace(_axial(data, 0.33), crop=(0.31, 0.79, 0.2, 0.8))
    # All of them, whatever slice they are on.
    shadow = np.broadcast_to(labels.max(axis=0, keepdims=True), labels.shape)
    seen = _seen(data, shadow, view)
    for row, colour in zip(table, COLOURS, strict=False):
        edges = [
            row["obb_diameter_mm"][n] * row[f"obb_direction_{axis}"] for n, axis in enumerate("xyz")
        ]
        for corner in range(8):
            start = row["obb_origin"] + sum(edges[n] for n in range(3) if corner >> n & 1)
            for n in range(3):
                if not corner >> n & 1:
                    _line(seen, start, start + edges[n], data, view, colour)
    rows = [["", *names]]
    for title, name, form in (
        ("volume, cm³", "volume_cm3", "{:.2f}"),
        ("surface, mm²", "surface_area_mm2", "{:.0f}"),
        ("roundness", "roundness", "{:.2f}"),
        ("flatness", "flatness", "{:.2f}"),
        ("elongation", "elongation", "{:.2f}"),
        ("Feret, mm", "feret_diameter_mm", "{:.1f}"),
        ("islands", "island_count", "{}"),
        ("mean intensity", "mean", "{:.1f}"),
    ):
        rows.append([title, *(form.format(row[name]) for row in table)])
    return side_by_side(seen, charts.table(rows, COLOURS, 250))


def _line(
    picture: Picture, start: Any, end: Any, data: scenes.Data, view: View, colour: Any
) -> None:
    """A line between two points z, y, x in millimetres, projected onto the slice."""
    shape = [n for axis, n in enumerate(data.volume.shape) if axis != view.axis]
    steps = [step for axis, step in enumerate(data.spacing) if axis != view.axis]
    pixels = []
    for at, on in zip(
        np.delete(np.linspace(start, end, 4 * PANEL), view.axis, axis=1).T,
        zip(positions(shape, steps, view), shape, steps, view.flips, strict=True),
        strict=True,
    ):
        places, count, step, flip = on
        voxels = count - 1 - at / step if flip else at / step
        pixels.append(np.round((voxels - places[0]) / (places[1] - places[0])).astype(int))
    inside = np.all([(p >= 0) & (p < n) for p, n in zip(pixels, picture.shape, strict=False)], 0)
    picture[pixels[0][inside], pixels[1][inside]] = colour


QUESTIONS = (
    Question(
        "mask_volume",
        "Mask volume",
        "What is outside of the brain becomes 0: with a hard edge, and with a soft one of 4 mm.",
        masked,
    ),
    Question(
        "split_volume",
        "Split volume",
        "Each of six nuclei becomes a volume of its own, cropped around it.",
        split,
    ),
    Question(
        "label_islands",
        "Label islands",
        "Each grain of the heavy mineral gets a number, which is a colour here.",
        numbered,
    ),
    Question(
        "local_thickness",
        "Local thickness",
        "Of each voxel of the pores the diameter of the largest ball in them that covers it.",
        thick,
    ),
    Question(
        "size_distribution",
        "Size distribution",
        "How much of the pores is how wide; 0 is what no ball of the list covers.",
        sizes,
    ),
    Question(
        "local_histogram",
        "Local histogram",
        "The values under a brush, and the threshold that parts grey and white matter in it.",
        histogram,
    ),
    Question(
        "segment_statistics",
        "Segment statistics",
        "Both hippocampi, seen through from below, with their oriented boxes, and some of what is "
        "measured.",
        measured,
    ),
)
