"""Diagrams as panels; the only file here that needs matplotlib, which comes with VTK's wheel."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

HEIGHT = 256
WIDTH = 352
_DPI = 100

BAR, CURVE, MARK = "#0072b2", "#d55e00", "#555555"  # apart also for the colour-blind


def chart(
    draw: Callable[[Any], None], width: int = WIDTH, height: int = HEIGHT
) -> NDArray[np.uint8]:
    """What ``draw`` puts on the axes of a figure of this size in pixels."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    style = {
        "font.size": 8,
        "font.family": "DejaVu Sans",
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    with rc_context(style):
        figure = Figure((width / _DPI, height / _DPI), _DPI, layout="constrained")
        canvas = FigureCanvasAgg(figure)
        draw(figure.add_subplot())
        canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def bars(
    edges: Sequence[float],
    heights: Sequence[float],
    x_title: str,
    y_title: str,
    marks: Mapping[str, float],
) -> NDArray[np.uint8]:
    """A bar for each bin, and upright lines with a name and a number."""

    def draw(axes: Any) -> None:
        axes.stairs(heights, edges, fill=True, color=BAR)
        top, low, span = max(heights), edges[0], edges[-1] - edges[0]
        axes.set_xlim(low - 0.06 * span, low + 1.06 * span)
        # Names are to the right of their lines unless the next line is there, one above the other
        # where they would meet.
        taken: list[list[tuple[float, float]]] = [[] for _ in marks]
        ordered = sorted(marks.items(), key=lambda item: item[1])
        following = [at for _, at in ordered[1:]] + [ordered[-1][1]]
        for (name, at), after in zip(ordered, following, strict=True):
            reach, gap = 0.027 * max(len(name), 5) * span, 0.012 * span
            to_left = after - at < reach
            begin, end = (at - reach, at) if to_left else (at, at + reach)
            level = next(
                number
                for number, spans in enumerate(taken)
                if all(end < other or begin > last for other, last in spans)
            )
            taken[level].append((begin, end))
            height = top * (1.08 + 0.2 * level)
            axes.plot([at, at], [0, height + 0.14 * top], color=_line_colour(name), lw=1.44)
            side = "right" if to_left else "left"
            place = at - gap if to_left else at + gap
            axes.text(place, height, f"{name}\n{at:.4g}", ha=side, va="bottom", fontsize=7)
        axes.set_ylim(0, top * (1.32 + 0.2 * max(n for n, spans in enumerate(taken) if spans)))
        axes.set_xlabel(x_title)
        axes.set_ylabel(y_title)

    return chart(draw)


def _line_colour(name: str) -> str:
    return CURVE if "threshold" in name else MARK


def distribution(
    sizes: Sequence[float],
    fractions: Sequence[float],
    cumulative: Sequence[float],
    x_title: str,
    names: tuple[str, str],
) -> NDArray[np.uint8]:
    """Parts as bars, and how much is at least so large as a curve."""

    def draw(axes: Any) -> None:
        width = 0.8 * (sizes[1] - sizes[0])
        axes.bar(sizes, 100 * np.asarray(fractions), width, color=BAR, label=names[0])
        axes.plot(sizes, 100 * np.asarray(cumulative), color=CURVE, marker=".", label=names[1])
        axes.set_xlim(-width, sizes[-1] + width)
        axes.set_ylim(0, 105)
        axes.set_xlabel(x_title)
        axes.set_ylabel("% of the segment")
        axes.legend(frameon=False, loc="upper right")

    return chart(draw)


def table(rows: Sequence[Sequence[str]], colours: Sequence[Any], width: int) -> NDArray[np.uint8]:
    """A column of names, and one for each segment, whose head has its colour."""

    def draw(axes: Any) -> None:
        axes.set_axis_off()
        made = axes.table(rows, loc="center", cellLoc="right", edges="horizontal")
        made.auto_set_font_size(False)
        made.set_fontsize(8)
        made.scale(1, 1.35)
        made.auto_set_column_width(range(len(rows[0])))
        for (row, column), cell in made.get_celld().items():
            cell.set_edgecolor("#bbbbbb")
            cell.PAD = 0.06
            if column == 0:
                cell.set_text_props(ha="left")
            if row == 0 and column > 0:
                colour = tuple(part / 255 for part in colours[column - 1])
                cell.set_text_props(color=colour, weight="bold")

    return chart(draw, width)


def colours_of(values: NDArray[Any], largest: float) -> NDArray[np.float64]:
    """Red, green, blue from 0 to 255 of values from 0 to the largest."""
    from matplotlib import colormaps

    return 255 * np.asarray(colormaps["viridis"](np.asarray(values) / largest))[..., :3]


def colour_bar(largest: float, title: str) -> NDArray[np.uint8]:
    """The scale of `colours_of`."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    def draw(axes: Any) -> None:
        scale = ScalarMappable(Normalize(0, largest), "viridis")
        axes.figure.colorbar(scale, cax=axes, label=title)

    return chart(draw, width=64)
