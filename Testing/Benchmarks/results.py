"""What is written: one row per comparison, a header, and what belongs to neither.

``results.json`` is an object with

======== ==========================================================================================
header   versions, numbers of threads, bytes per second that memcpy moves (`HEADER_KEYS`)
rows     objects with exactly `ROW_KEYS`; null where there is no such number
details  one object per row, in the same order, with exactly `DETAIL_KEYS`: spread and agreement
memory   what an editing session holds after many strokes, one object per world
bars     what is asked of us, with what was measured
failures groups and peers that could not run, in sentences
======== ==========================================================================================

``ratio`` is peer_seconds / ours_seconds: above 1 we are faster.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .measure import Timing

ROW_KEYS = (
    "group",
    "effect",
    "data",
    "size",
    "threads",
    "ours_seconds",
    "ours_scratch_bytes_per_voxel",
    "peer",
    "peer_version",
    "peer_seconds",
    "ratio",
    "floor_seconds",
)
DETAIL_KEYS = (
    "ours_least",
    "ours_most",
    "ours_runs",
    "peer_least",
    "peer_most",
    "peer_runs",
    "peer_scratch_bytes_per_voxel",
    "compared_voxels",
    "different_voxels",
    "note",
    "error",
)
HEADER_KEYS = ("versions", "threads", "memcpy_bytes_per_second", "quick")
SECTIONS = ("header", "rows", "details", "memory", "bars", "failures")


class ResultsError(Exception):
    """A document that is not what this file says."""


def ratio(ours: float | None, theirs: float | None) -> float | None:
    """How many times faster we are; None where one of the two is missing."""
    if ours is None or theirs is None or ours <= 0:
        return None
    return theirs / ours


class Results:
    """The document while it grows."""

    def __init__(
        self,
        versions: Mapping[str, str],
        threads: Sequence[int],
        bandwidth: Mapping[int, float],
        quick: bool,
    ) -> None:
        self.bandwidth = dict(bandwidth)
        self.document: dict[str, Any] = {
            "header": {
                "versions": dict(versions),
                "threads": list(threads),
                "memcpy_bytes_per_second": {str(k): v for k, v in bandwidth.items()},
                "quick": quick,
            },
            "rows": [],
            "details": [],
            "memory": [],
            "bars": [],
            "failures": [],
        }

    def add(
        self,
        *,
        group: str,
        effect: str,
        data: str,
        size: Sequence[int],
        threads: int,
        ours: Timing | None,
        ours_scratch: float | None = None,
        peer: str | None = None,
        peer_version: str | None = None,
        theirs: Timing | None = None,
        peer_scratch: float | None = None,
        floor: float | None = None,
        compared: int | None = None,
        different: int | None = None,
        note: str = "",
        error: str = "",
    ) -> None:
        """One row with its details."""
        ours_median = ours.median if ours else None
        peer_median = theirs.median if theirs else None
        self.document["rows"].append(
            {
                "group": group,
                "effect": effect,
                "data": data,
                "size": [int(length) for length in size],
                "threads": threads,
                "ours_seconds": ours_median,
                "ours_scratch_bytes_per_voxel": ours_scratch,
                "peer": peer,
                "peer_version": peer_version,
                "peer_seconds": peer_median,
                "ratio": ratio(ours_median, peer_median),
                "floor_seconds": floor,
            }
        )
        self.document["details"].append(
            {
                "ours_least": ours.least if ours else None,
                "ours_most": ours.most if ours else None,
                "ours_runs": len(ours.runs) if ours else 0,
                "peer_least": theirs.least if theirs else None,
                "peer_most": theirs.most if theirs else None,
                "peer_runs": len(theirs.runs) if theirs else 0,
                "peer_scratch_bytes_per_voxel": peer_scratch,
                "compared_voxels": compared,
                "different_voxels": different,
                "note": note,
                "error": error,
            }
        )

    def fail(self, sentence: str) -> None:
        """Something could not run; told once."""
        if sentence not in self.document["failures"]:
            self.document["failures"].append(sentence)

    def write(self, path: Path) -> None:
        """Check the document and write it."""
        check(self.document)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.document, indent=1) + "\n", encoding="utf-8")


def check(document: Mapping[str, Any]) -> None:
    """Raise `ResultsError` unless the document has exactly what is promised."""
    if sorted(document) != sorted(SECTIONS):
        raise ResultsError(f"the sections are {sorted(document)}; expected {sorted(SECTIONS)}")
    if sorted(document["header"]) != sorted(HEADER_KEYS):
        raise ResultsError(
            f"the header has {sorted(document['header'])}; expected {sorted(HEADER_KEYS)}"
        )
    if len(document["rows"]) != len(document["details"]):
        raise ResultsError(
            f"{len(document['rows'])} rows have {len(document['details'])} details; "
            "expected one for each"
        )
    for kind, keys in (("rows", ROW_KEYS), ("details", DETAIL_KEYS)):
        for index, row in enumerate(document[kind]):
            if tuple(row) != keys:
                raise ResultsError(f"{kind}[{index}] has the keys {list(row)}; expected {keys}")
    for index, row in enumerate(document["rows"]):
        where = f"rows[{index}]"
        for key in ("group", "effect", "data"):
            if not isinstance(row[key], str) or not row[key]:
                raise ResultsError(f"{where}: {key} is {row[key]!r}; expected a text")
        if not isinstance(row["threads"], int) or row["threads"] < 1:
            raise ResultsError(f"{where}: threads is {row['threads']!r}; expected 1 or more")
        if len(row["size"]) != 3 or any(not isinstance(n, int) or n < 1 for n in row["size"]):
            raise ResultsError(f"{where}: size is {row['size']!r}; expected three lengths x, y, z")
        for key in ("ours_seconds", "peer_seconds", "ratio", "floor_seconds"):
            if row[key] is not None and not row[key] > 0:
                raise ResultsError(f"{where}: {key} is {row[key]!r}; expected a number above 0")
        if row["ratio"] != ratio(row["ours_seconds"], row["peer_seconds"]):
            raise ResultsError(f"{where}: ratio is not peer_seconds / ours_seconds")
        if row["peer"] is None and row["peer_seconds"] is not None:
            raise ResultsError(f"{where}: peer_seconds without a peer")


def read(path: Path) -> dict[str, Any]:
    """A document that was written."""
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    check(document)
    return document
