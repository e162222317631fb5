"""Segmentation files go both ways between Slicer's storage node and our reader and writer.

Each case is made by the same calls in a process of either library (``data_model_files.py``).
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
CASES = ("one-layer", "layers", "cropped", "empty", "no-segment", "surface")
WAYS = list(itertools.product(CASES, ("slicer", "ours")))

pytestmark = pytest.mark.slicer


def _name(case: str) -> str:
    return f"{case}.seg.vtm" if case in ("surface", "fractional") else f"{case}.seg.nrrd"


@dataclass
class Files:
    """What all jobs left: files by (writer, case, round), and what was read from them."""

    folder: Path
    pythons: dict[str, str]
    read: dict[tuple[str, Path], Any] = field(default_factory=dict)

    def path(self, writer: str, case: str, step: str = "first") -> Path:
        path = self.folder / writer / step / _name(case)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def run(self, who: str, jobs: list[list[Any]]) -> None:
        """Jobs in one process of a library."""
        done = subprocess.run(
            [self.pythons[who], str(HERE / "data_model_files.py"), who],
            input=json.dumps(jobs, default=str),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
        for job, result in zip(jobs, json.loads(done.stdout.splitlines()[-1]), strict=True):
            if job[0] == "read":
                for segment in result["segments"]:
                    # Slicer leaves what the file says about the segment with the poly data.
                    left = segment.pop("left", 0)
                    assert who == "slicer" or not left
                self.read[who, job[1]] = _comparable(result)


def _comparable(state: dict[str, Any]) -> dict[str, Any]:
    """Of a segment without voxels it says nothing where its image is."""
    for segment in state["segments"]:
        if segment.get("voxels") == 0:
            for key in ("matrix", "indices", "center"):
                segment.pop(key, None)
    return state


@pytest.fixture(scope="module")
def files(slicer_python: str, tmp_path_factory: pytest.TempPathFactory) -> Files:
    """All jobs, with few starts of Slicer."""
    pytest.importorskip("segmentationcore.SegmentationCoreDataModel")
    done = Files(
        tmp_path_factory.mktemp("files"), {"slicer": slicer_python, "ours": sys.executable}
    )
    path, crop = done.path, "cropped"
    for who in ("slicer", "ours"):
        done.run(who, [["write", case, path(who, case)] for case in CASES])
    done.run(
        "slicer",
        [["read", path(who, case)] for case, who in WAYS]
        + [
            ["rewrite", path("ours", case), path("ours", case, "by Slicer"), case == crop]
            for case in CASES
        ],
    )
    done.run(
        "ours",
        [["read", path(who, case)] for case, who in WAYS]
        + [["read", path("ours", case, "by Slicer")] for case in CASES]
        + [
            ["rewrite", path(who, case, old), path(who, case, new), case == crop]
            for old, new in (("first", "second"), ("second", "third"))
            for case, who in WAYS
        ]
        + [
            ["write", "fractional", path("ours", "fractional")],
            ["rewrite", path("ours", "fractional"), path("ours", "fractional", "second"), False],
            ["read", path("ours", "fractional")],
        ],
    )
    return done


def _header(path: Path) -> bytes:
    """What comes before the voxels; of a multi-block file all of it."""
    content = path.read_bytes()
    return content if path.suffix == ".vtm" else content.split(b"\n\n")[0]


@pytest.mark.parametrize(("case", "writer"), WAYS)
def test_both_read_the_same(files: Files, case: str, writer: str) -> None:
    path = files.path(writer, case)
    theirs, mine = files.read["slicer", path], files.read["ours", path]
    assert mine == theirs
    counts = {"no-segment": 0, "empty": 1, "one-layer": 2, "surface": 2}
    assert len(mine["segments"]) == counts.get(case, 3)


@pytest.mark.parametrize(("case", "writer"), WAYS)
def test_a_second_round_is_stable(files: Files, case: str, writer: str) -> None:
    """What we write of what we read is read and written by us to the same header."""
    first, second, third = (files.path(writer, case, n) for n in ("first", "second", "third"))
    assert _header(second) == _header(third)
    if writer == "ours":
        assert _header(first) == _header(second)
    if case == "surface":
        for i in range(2):
            blocks = [p.parent / "surface.seg" / f"surface.seg_{i}.vtp" for p in (second, third)]
            assert blocks[0].read_bytes() == blocks[1].read_bytes()


@pytest.mark.parametrize("case", CASES)
def test_through_slicer_and_back(files: Files, case: str) -> None:
    """Ours, read and written by Slicer, is still the same to us."""
    before = files.read["ours", files.path("ours", case)]
    assert files.read["ours", files.path("ours", case, "by Slicer")] == before


def test_a_fractional_source_is_kept(files: Files) -> None:
    """Slicer writes one voxel of it. Ours comes back with its field data, type and lattice."""
    first, second = (files.path("ours", "fractional", n) for n in ("first", "second"))
    state = files.read["ours", first]
    assert state["source"] == "Fractional labelmap"
    assert [s["id"] for s in state["segments"]] == ["part_0", "part_1"]
    oblique = [0.4, -0.72, 0.504, 10.0, 0.3, 0.96, -0.672, -20.0, 0.0, 0.35, 2.88, 30.0]
    for i, segment in enumerate(state["segments"]):
        assert segment["extent"] == [i, 4 + i, 0, 3, -1, 2]
        assert segment["exact matrix"] == pytest.approx(oblique, rel=1e-15)
        assert segment["type"] == 2  # char
        assert segment["values"] == [n % 217 - 108 for n in range(80)]
        assert segment["fields"] == {
            "ScalarRange": [-108, 108],
            "ThresholdValue": [0],
            "InterpolationType": [1],
        }
    for name in (Path(first.name), *(Path(first.stem) / f"{first.stem}_{i}.vti" for i in range(2))):
        assert (second.parent / name).read_bytes() == (first.parent / name).read_bytes()
