"""Pictures of a results document; the only file that needs matplotlib."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .report import cases, is_slicer, pairs

OURS, SLICER, OTHER = "#0072b2", "#d55e00", "#999999"  # apart also for the colour-blind


def draw(document: Mapping[str, Any], folder: Path) -> dict[str, str]:
    """Write the pictures; returns their file names by title, which starts with the group."""
    import matplotlib

    matplotlib.use("Agg")
    made = {}
    for name, found in _by_data(document).items():
        title = f"effects: {name}"
        file = f"effects-{name.split()[0].strip(',')}.png"
        _bars(found, title, folder / file)
        made[title] = file
    strokes = [
        row
        for row, _ in pairs(document, "editor")
        if row["ours_seconds"] is not None and row["effect"] == "stroke, radius 10"
    ]
    if strokes:
        _latency(strokes, folder / "editor-latency.png")
        made["editor: latency of a stroke against the size of the world"] = "editor-latency.png"
    if document["memory"]:
        _memory(document["memory"], folder / "editor-memory.png")
        made["editor: memory after 1000 strokes"] = "editor-memory.png"
    return made


def _by_data(document: Mapping[str, Any]) -> dict[str, dict[tuple[Any, ...], list[Any]]]:
    """The cases with the most threads, by sort of data (the first word of its title)."""
    grouped = cases(pairs(document, "effects"))
    if not grouped:
        return {}
    most = max(key[3] for key in grouped)
    result: dict[str, dict[tuple[Any, ...], list[Any]]] = {}
    for key, found in grouped.items():
        if key[3] == most:
            result.setdefault(key[1].split()[0].strip(","), {})[key] = found
    return result


def _bars(grouped: Mapping[tuple[Any, ...], list[Any]], title: str, path: Path) -> None:
    """A block of horizontal bars for each effect: us, then the peers from the fastest on."""
    from matplotlib import pyplot

    labels, values, colours, ticks = [], [], [], []
    at = 0.0
    for (effect, data, _, _), found in grouped.items():
        entries = [(f"ours: {effect}, {data}", found[0][0]["ours_seconds"], OURS)]
        timed = [row for row, _ in found if row["peer_seconds"] is not None]
        for row in sorted(timed, key=lambda row: row["peer_seconds"]):
            colour = SLICER if is_slicer(row["peer"]) else OTHER
            entries.append((row["peer"], row["peer_seconds"], colour))
        for label, value, colour in entries:
            labels.append(label)
            values.append(value)
            colours.append(colour)
            ticks.append(at)
            at += 1
        at += 0.8
    figure, axes = pyplot.subplots(figsize=(10, 1.2 + 0.2 * at), layout="constrained")
    axes.barh(ticks, values, color=colours)
    axes.set_yticks(ticks, labels, fontsize=7)
    axes.set_ylim(at, -1)
    axes.set_xscale("log")
    axes.set_xlabel("seconds (median), logarithmic; blue: ours, orange: what Slicer runs")
    axes.set_title(f"{title}, {next(iter(grouped))[3]} threads allowed")
    axes.grid(axis="x", alpha=0.3)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def _latency(rows: list[Any], path: Path) -> None:
    """Latency of a stroke against the world's edge, both logarithmic."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 5.5), layout="constrained")
    ours = {row["size"][0]: row["ours_seconds"] * 1e3 for row in rows}
    axes.plot(*zip(*sorted(ours.items()), strict=True), "o-", color=OURS, lw=2, label="ours")
    markers = iter("svD^x+")
    for peer in dict.fromkeys(row["peer"] for row in rows if row["peer"]):
        curve = sorted(
            (row["size"][0], row["peer_seconds"] * 1e3)
            for row in rows
            if row["peer"] == peer and row["peer_seconds"] is not None
        )
        if curve:
            colour = SLICER if is_slicer(peer) else OTHER
            axes.plot(
                *zip(*curve, strict=True), marker=next(markers), ls="--", color=colour, label=peer
            )
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(sorted(ours), [f"{edge}³" for edge in sorted(ours)])
    axes.set_xlabel("voxels of the world")
    axes.set_ylabel("milliseconds (median)")
    axes.set_title("A stroke of radius 10 voxels")
    axes.grid(alpha=0.3, which="both")
    axes.legend(fontsize=8)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def _memory(entries: list[Any], path: Path) -> None:
    """Memory of a session against the world's edge, both logarithmic."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 5.5), layout="constrained")
    edges = [entry["size"] for entry in entries]
    for key, label, colour, style in (
        ("label_bytes", "labels", OURS, "o-"),
        ("undo_bytes", "undo", OURS, "^-."),
        ("resident_growth_bytes", "growth of the process", OURS, "s:"),
        ("dense_bytes", "a dense label map of one byte", OTHER, "--"),
    ):
        values = [entry[key] / 1e6 for entry in entries]
        axes.plot(edges, values, style, color=colour, label=label)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(edges, [f"{edge}³" for edge in edges])
    axes.set_xlabel("voxels of the world")
    axes.set_ylabel("MB")
    axes.set_title(f"Memory after {entries[0]['strokes']:,} strokes at random places")
    axes.grid(alpha=0.3, which="both")
    axes.legend(fontsize=8)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
