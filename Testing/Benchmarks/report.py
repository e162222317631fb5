"""Tables of a results document, as Markdown. Pure: numbers in, text out; see `results`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
Pair = tuple[Row, Row]
"""A row and its details."""


def pairs(document: Mapping[str, Any], group: str) -> list[Pair]:
    """The rows of a group with their details."""
    both = zip(document["rows"], document["details"], strict=True)
    return [(row, detail) for row, detail in both if row["group"] == group]


def is_slicer(peer: str | None) -> bool:
    """Whether a peer is what Slicer runs."""
    return peer is not None and (peer.startswith("Slicer") or "(Slicer's)" in peer)


def seconds(value: float | None) -> str:
    """A time with the unit that suits it."""
    if value is None:
        return "-"
    for limit, factor, unit in ((1e-3, 1e6, "µs"), (1.0, 1e3, "ms")):
        if value < limit:
            return f"{digits(value * factor)} {unit}"
    return f"{digits(value)} s"


def digits(value: float | None) -> str:
    """Three digits that count."""
    if value is None:
        return "-"
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    places = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:.{min(places, 6)}f}"


def times(value: float | None) -> str:
    """A ratio; what is slower than a peer stands out."""
    if value is None:
        return "-"
    text = f"{digits(value)} x"
    return f"**{text}**" if value < 1 else text


def size_text(size: Sequence[int]) -> str:
    """Lengths x, y, z."""
    return f"{size[0]}^3" if len(set(size)) == 1 else " x ".join(map(str, size))


def byte_text(value: float) -> str:
    """Bytes with the unit that suits them."""
    for limit, unit in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if value >= limit:
            return f"{digits(value / limit)} {unit}"
    return f"{value:.0f} B"


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """A table's lines."""
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |"
    yield ""


def markdown(document: Mapping[str, Any], pictures: Mapping[str, str] | None = None) -> str:
    """The whole report; ``pictures`` are file names by title, shown at the end of their group."""
    shown = pictures or {}
    lines = [
        "# Benchmarks",
        "",
        *_header(document["header"]),
        *_failures(document),
        *_bars(document),
        *_summary(document),
        *_disagreements(document),
    ]
    groups = (("effects", _effect_tables), ("editor", _editor), ("datamodel", _data_model))
    for group, body in groups:
        if pairs(document, group):
            lines += [f"## All numbers: {group}", ""]
            lines += body(document)
            for title, name in shown.items():
                if title.startswith(group):
                    lines += [f"![{title}]({name})", ""]
    return "\n".join(lines).rstrip() + "\n"


def _header(header: Mapping[str, Any]) -> Iterator[str]:
    versions = ", ".join(f"{name} {text}" for name, text in sorted(header["versions"].items()))
    yield f"Versions: {versions}."
    yield ""
    copied = ", ".join(
        f"{number} thread{'s' if number != '1' else ''} {value / 1e9:.1f} GB/s"
        for number, value in header["memcpy_bytes_per_second"].items()
    )
    yield f"Memory bandwidth (memcpy of 1 GiB, bytes read and written): {copied}."
    yield ""
    if header["quick"]:
        yield "**Made with --quick: few runs, little data; for a look, not for a claim.**"
        yield ""
    yield (
        "Seconds are medians of runs that took turns. *ratio* is their time over ours: above 1 we "
        "are faster, **bold** is where we are slower. *floor* is the time to move the bytes that "
        "have to be read and written once; *of floor* is the part of our time that it is (1: as "
        "fast as memory). *Mvoxel/s* is ours. *scratch* is the growth of resident memory at its "
        "peak, "
        "without the result, in bytes per voxel. *thr* is how many threads were allowed; numpy "
        "(but for the chunked threshold), scipy, scikit-image and cc3d use one. Peers get their "
        "own image type ready before the clock starts."
    )
    yield ""


def _failures(document: Mapping[str, Any]) -> Iterator[str]:
    sentences = list(document["failures"])
    for row, detail in zip(document["rows"], document["details"], strict=True):
        if detail["error"]:
            where = f"{row['effect']}, {row['data']}, {row['threads']} thr"
            sentences.append(f"{row['peer'] or 'ours'} ({where}): {detail['error']}")
    if sentences:
        yield "## Not measured"
        yield ""
        for sentence in sentences:
            yield f"- {sentence}"
        yield ""


def cases(found: Sequence[Pair]) -> dict[tuple[Any, ...], list[Pair]]:
    """Rows of the same effect, data, size and threads, in the order of their first one."""
    result: dict[tuple[Any, ...], list[Pair]] = {}
    for row, detail in found:
        key = row["effect"], row["data"], tuple(row["size"]), row["threads"]
        result.setdefault(key, []).append((row, detail))
    return result


def fastest(found: Sequence[Pair]) -> Pair | None:
    """The peer that needed the least time."""
    timed = [pair for pair in found if pair[0]["peer_seconds"] is not None]
    return min(timed, key=lambda pair: pair[0]["peer_seconds"]) if timed else None


def _bars(document: Mapping[str, Any]) -> Iterator[str]:
    if not document["bars"]:
        return
    answers = {True: "yes", False: "**no**", None: "-"}
    yield "## What was asked, and what was measured"
    yield ""
    yield from table(
        ["what", "asked", "measured", "met"],
        (
            [bar["bar"], bar["asked"], digits(bar["measured"]), answers[bar["met"]]]
            for bar in document["bars"]
        ),
    )


def speed(row: Row) -> str:
    """Voxels per second, in millions."""
    return (
        digits(math.prod(row["size"]) / row["ours_seconds"] / 1e6) if row["ours_seconds"] else "-"
    )


def floor_share(row: Row) -> str:
    """The floor as a part of our time: 1 is what memory allows."""
    if not row["floor_seconds"] or not row["ours_seconds"]:
        return "-"
    return digits(row["floor_seconds"] / row["ours_seconds"])


def _summary(document: Mapping[str, Any]) -> Iterator[str]:
    grouped = cases(pairs(document, "effects"))
    if not grouped:
        return
    yield "## Effects: us, the fastest peer, Slicer"
    yield ""
    rows, slower, compared = [], [], 0
    for (effect, name, size, threads), found in grouped.items():
        ours = found[0][0]["ours_seconds"]
        best = fastest(found)
        slicer = fastest([pair for pair in found if is_slicer(pair[0]["peer"])])
        if best:
            compared += 1
            if best[0]["ratio"] is not None and best[0]["ratio"] < 1:
                slower.append(f"{effect}, {name}, {threads} thr ({digits(best[0]['ratio'])} x)")
        rows.append(
            [
                effect,
                name,
                size_text(size),
                threads,
                seconds(ours),
                digits(found[0][0]["ours_scratch_bytes_per_voxel"]),
                best[0]["peer"] + (" †" if best[1]["note"] else "") if best else "-",
                times(best[0]["ratio"]) if best else "-",
                times(slicer[0]["ratio"]) if slicer else "-",
                speed(found[0][0]),
                floor_share(found[0][0]),
            ]
        )
    head = ["effect", "data", "size", "thr", "ours", "scratch", "fastest peer", "ratio"]
    yield from table([*head, "ratio to Slicer", "Mvoxel/s", "of floor"], rows)
    yield "† by another definition: its notes below tell which."
    yield ""
    if slower:
        yield f"Slower than the fastest peer in {len(slower)} of {compared}: " + "; ".join(slower)
    else:
        yield f"Not slower than the fastest peer in any of {compared}."
    yield ""


def _disagreements(document: Mapping[str, Any]) -> Iterator[str]:
    rows = [
        [
            row["effect"],
            row["data"],
            row["threads"],
            row["peer"],
            f"{detail['different_voxels']:,} of {detail['compared_voxels']:,}",
            detail["note"] or "**the definitions are the same**",
        ]
        for row, detail in zip(document["rows"], document["details"], strict=True)
        if detail["different_voxels"]
    ]
    checked = sum(detail["compared_voxels"] is not None for detail in document["details"])
    if not checked:
        return
    yield "## Do the results agree?"
    yield ""
    yield f"{checked - len(rows)} of {checked} compared results have the same voxels as ours."
    yield ""
    if rows:
        yield from table(["effect", "data", "thr", "peer", "different voxels", "why"], rows)


def _effect_tables(document: Mapping[str, Any]) -> Iterator[str]:
    for (effect, name, size, threads), found in cases(pairs(document, "effects")).items():
        yield f"### {effect}: {name}, {size_text(size)}, {threads} thr"
        yield ""
        yield from table(_HEAD, _runs(found))


_HEAD = ["who", "version", "runs", "median", "least - most", "ratio", "scratch", "voxels", "notes"]


def _runs(found: Sequence[Pair]) -> Iterator[list[str]]:
    """Us, the peers from the fastest on, and the floor."""
    row, detail = found[0]
    yield [
        "**ours**",
        "",
        detail["ours_runs"],
        f"**{seconds(row['ours_seconds'])}**",
        f"{seconds(detail['ours_least'])} - {seconds(detail['ours_most'])}",
        "",
        digits(row["ours_scratch_bytes_per_voxel"]),
        "",
        "",
    ]
    peers = [pair for pair in found if pair[0]["peer"] is not None]
    for row, detail in sorted(peers, key=lambda pair: pair[0]["peer_seconds"] or math.inf):
        different = detail["different_voxels"]
        agreement = "-" if different is None else f"{different:,} differ" if different else "equal"
        yield [
            row["peer"],
            row["peer_version"] or "-",
            detail["peer_runs"],
            seconds(row["peer_seconds"]),
            f"{seconds(detail['peer_least'])} - {seconds(detail['peer_most'])}",
            times(row["ratio"]),
            digits(detail["peer_scratch_bytes_per_voxel"]),
            agreement,
            detail["error"] or detail["note"],
        ]
    if row["floor_seconds"] is not None:
        yield ["*floor*", "", "", f"*{seconds(row['floor_seconds'])}*", "", "", "", "", ""]


def _data_model(document: Mapping[str, Any]) -> Iterator[str]:
    yield "| what | data | size | ours | Slicer | ratio | result |"
    yield "|---|---|---|---:|---:|---:|---|"
    for row, detail in pairs(document, "datamodel"):
        cells = [
            row["effect"],
            row["data"],
            size_text(row["size"]),
            seconds(row["ours_seconds"]),
            seconds(row["peer_seconds"]),
            times(row["ratio"]),
            detail["note"],
        ]
        yield "| " + " | ".join(cells) + " |"
    yield ""


def _editor(document: Mapping[str, Any]) -> Iterator[str]:
    found = pairs(document, "editor")
    timed = [pair for pair in found if pair[0]["ours_seconds"] is not None]
    worlds = sorted({row["size"][0] for row, _ in timed})
    if worlds:
        yield "### Latency (median) against the edge of the world"
        yield ""
        yield from table(["effect", "who", *(f"{world}^3" for world in worlds)], _latency(timed))
    if document["memory"]:
        yield "### Memory of a session"
        yield ""
        yield from table(
            ["world", "strokes", "labels", "undo", "growth of the process", "dense, 1 byte"],
            (
                [
                    f"{entry['size']}^3",
                    f"{entry['strokes']:,} of radius {entry['radius']}",
                    *(
                        byte_text(entry[key])
                        for key in (
                            "label_bytes",
                            "undo_bytes",
                            "resident_growth_bytes",
                            "dense_bytes",
                        )
                    ),
                ]
                for entry in document["memory"]
            ),
        )
    for (effect, _, size, threads), rows in cases(timed).items():
        yield f"### {effect}: {size_text(size)}, {threads} thr"
        yield ""
        yield from table(_HEAD, _runs(rows))


def _latency(found: Sequence[Pair]) -> Iterator[list[str]]:
    worlds = sorted({row["size"][0] for row, _ in found})
    for effect in dict.fromkeys(row["effect"] for row, _ in found):
        own: dict[int, float] = {}
        theirs: dict[str, dict[int, float]] = {}
        for row, _ in found:
            if row["effect"] == effect:
                own[row["size"][0]] = row["ours_seconds"]
                if row["peer"] and row["peer_seconds"] is not None:
                    theirs.setdefault(row["peer"], {})[row["size"][0]] = row["peer_seconds"]
        yield [effect, "**ours**", *(seconds(own.get(world)) for world in worlds)]
        for who, values in theirs.items():
            yield [effect, who, *(seconds(values.get(world)) for world in worlds)]
