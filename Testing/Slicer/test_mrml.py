"""What a bridge serves, in real Slicer: MRML nodes, pictures, and files of Slicer's storage node.

Slicer's core is a wheel of its own with its own VTK, so it runs in another Python: the test starts
``SEGMENTATIONCORE_SLICER_PYTHON`` with ``mrml_scenarios.py``, which serves a backend in memory,
mirrors it, measures, and writes what it found as JSON. The assertions are here. Each picture is
judged by the colour of pixels whose place in the volume is known. ``SEGMENTATIONCORE_PICTURES``
names a folder to keep the pictures in.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve()
ROOT = HERE.parents[2]
PACKAGE = ROOT / "Wrapping" / "Python"

pytestmark = pytest.mark.slicer

SETUP = """SEGMENTATIONCORE_SLICER_PYTHON names no Python with slicer-core. Set one up with
    python3 -m venv slicer-venv
    slicer-venv/bin/pip install slicer-core vtk==9.6.2 numpy websockets msgpack
    export SEGMENTATIONCORE_SLICER_PYTHON=$PWD/slicer-venv/bin/python
or leave these tests out with -m "not slicer"."""


@functools.cache
def slicer(scenario: str, folder: str) -> dict[str, Any]:
    """Run a scenario in Slicer's Python and return what it found."""
    python = os.environ.get("SEGMENTATIONCORE_SLICER_PYTHON", "")
    if not python or not Path(python).exists():
        pytest.fail(SETUP, pytrace=False)
    paths = [str(PACKAGE), str(ROOT / "Testing" / "Python")]
    done = subprocess.run(
        [python, str(HERE.with_name("mrml_scenarios.py")), scenario, folder],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    result = json.loads(Path(folder, f"{scenario}.json").read_text(encoding="utf-8"))
    assert isinstance(result, dict)
    return result


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    chosen = os.environ.get("SEGMENTATIONCORE_PICTURES")
    if chosen:
        Path(chosen).mkdir(parents=True, exist_ok=True)
        return chosen
    return str(tmp_path_factory.mktemp("slicer"))


# Bounds of the boxes of bridge_backend.oblique_boxes, from its formula: corners of the voxel
# ranges, half a voxel around them, through the oblique matrix. Worked out in `expected_bounds`.


def expected_bounds(ranges: list[tuple[float, float]]) -> list[float]:
    axes = [[0.8, -0.576, 0.168], [0.6, 0.768, -0.224], [0.0, 0.28, 0.96]]
    spacing, origin = (1.0, 2.0, 3.0), (10.0, -20.0, 30.0)
    result = []
    for row, start in zip(axes, origin, strict=True):
        low = high = start
        for direction, step, ends in zip(row, spacing, ranges, strict=True):
            sides = [direction * step * end for end in ends]
            low, high = low + min(sides), high + max(sides)
        result += [low, high]
    return result


def test_the_node_has_the_servers_segments_in_order(folder: str) -> None:
    before = slicer("mirror", folder)["before"]
    assert before["order"] == ["s-red", "s-green"]
    assert before["names"] == ["Red box", "Green box \N{GREEK SMALL LETTER ALPHA}"]
    assert before["colors"] == [[1.0, 0.0, 0.0], [0.0, 0.8, 0.2]]
    assert before["label_values"] == [1, 2]
    assert before["visible"] == [True, False]


def test_surfaces_and_labels_lie_where_the_oblique_lattice_puts_them(folder: str) -> None:
    before = slicer("mirror", folder)["before"]
    red = expected_bounds([(5.5, 8.5), (-2.5, 1.5), (2.5, 5.5)])
    green = expected_bounds([(11.5, 15.5), (-0.5, 5.5), (3.5, 8.5)])
    assert before["surface_bounds"][0] == pytest.approx(red, abs=1e-3)
    assert before["surface_bounds"][1] == pytest.approx(green, abs=1e-3)
    assert before["extent"] == [5, 16, -3, 6, 2, 9]
    assert before["shared"] is True
    assert before["label_differences"] == 0
    assert before["matrix"] == pytest.approx(before["expected_matrix"], abs=1e-9)
    assert before["reference_extent"] == [5, 16, -3, 6, 2, 9]
    assert before["reference_matrix"] == pytest.approx(before["expected_matrix"], abs=1e-6)


def test_an_edit_renews_what_changed_and_nothing_else(folder: str) -> None:
    result = slicer("mirror", folder)
    after = result["after"]
    assert after["label_differences"] == 0
    assert after["green_surface_kept"]
    assert after["red_surface_renewed"]
    assert result["edit_traffic"].keys() >= {"surface-mesh", "label-region", "chunk"}
    assert result["surfaces_sent_for_edit"] == 1
    assert after["names"][0] == "Red box"


def test_new_names_colours_order_and_removed_segments_arrive(folder: str) -> None:
    renamed = slicer("mirror", folder)["renamed"]
    assert renamed["order"] == ["s-new", "s-green"]
    assert renamed["names"] == ["New", "Recoloured"]
    assert renamed["colors"][1] == [0.2, 0.8, 0.0]
    assert renamed["label_differences"] == 0


@pytest.mark.parametrize("region", ["whole", "slice"])
def test_the_complete_representation_is_the_source(folder: str, region: str) -> None:
    sources = slicer("mirror", folder)["sources"]
    assert sources[region] == {"whole": "Binary labelmap", "slice": "Closed surface"}[region]


OVERLAP_STEPS = (
    "copied",
    "grown",
    "renamed",
    "undone renamed",
    "undone grown",
    "undone copied",
    "redone",
    "others",
)
BOX = [7, 13, -1, 3, 4, 7]


@pytest.mark.parametrize("step", OVERLAP_STEPS)
def test_overlapping_segments_arrive_and_follow(folder: str, step: str) -> None:
    found = slicer("overlap", folder)[step]
    images = 1 if step == "undone copied" else 2
    for node in ("whole", "part"):
        assert found[node]["differences"] == {"s-red": 0, "s-green": 0}, node
        assert found[node]["images"] == found[node]["layers"] == images, node
    assert found["whole"]["extents"] == [[5, 16, -3, 6, 2, 9]] * 2
    assert found["part"]["extents"] == [BOX] * 2
    red = expected_bounds([(5.5, 8.5), (-2.5, 1.5), (2.5, 5.5)])
    grown = expected_bounds([(4.5, 9.5), (-3.5, 2.5), (1.5, 6.5)])
    green = expected_bounds([(11.5, 15.5), (-0.5, 5.5), (3.5, 8.5)])
    bounds = found["whole"]["bounds"]
    larger = step in ("grown", "renamed", "undone renamed", "others")
    # The grown box is round: its bounds are inside those of the corners that it lacks.
    if larger:
        assert bounds["s-red"][5] > red[5] + 1
        assert bounds["s-red"][5] <= grown[5] + 1e-3
    else:
        assert bounds["s-red"] == pytest.approx(red, abs=1e-3)
    expected = green if step == "undone copied" else red
    assert bounds["s-green"] == pytest.approx(expected, abs=1e-3)


def test_labels_are_fetched_where_they_changed_inside_the_region(folder: str) -> None:
    result = slicer("overlap", folder)
    # A segment in another layer is fetched as a whole.
    assert result["copied"]["regions"] == [[BOX, 1]]
    # Red grew to 5..9, -3..2, 2..6; the rest of that is outside of the box.
    assert result["grown"]["extent"] == [5, 9, -3, 2, 2, 6]
    assert result["grown"]["regions"] == [[[7, 9, -1, 2, 4, 6], 0]]
    assert result["green kept"] == [True, True]
    for step in ("renamed", "undone renamed"):
        assert result[step]["extent"] is None
        assert result[step]["regions"] == []
    assert result["undone grown"]["regions"] == [[[7, 9, -1, 2, 4, 6], 0]]
    assert result["undone copied"]["regions"] == [[BOX, 0]]


def test_slicer_saves_overlapping_segments(folder: str) -> None:
    found = slicer("overlap", folder)["file"]
    # Slicer's writer numbers the segments of each layer anew.
    assert found["problems"] == ["s-green: label value 1; expected 2"]
    assert [row["voxels_different"] for row in found["segments"]] == [0, 0]
    assert found["layers"] == 2


def test_slice_views_show_segments_in_their_colours_where_they_are(folder: str) -> None:
    for probe in slicer("pictures", folder)["slices"]:
        red, green, blue = probe["pixel"]
        where = (probe["view"], probe["segment"], probe["pixel"])
        if probe["segment"] == "s-red":
            assert red > 100, where
            assert max(green, blue) < 0.6 * red, where
        elif probe["segment"] == "s-green":
            assert green > 100, where
            assert max(red, blue) < 0.8 * green, where
        else:
            assert max(probe["pixel"]) - min(probe["pixel"]) <= 4, where


def test_the_patients_right_is_on_screen_left(folder: str) -> None:
    """Green is at larger R and S than red; a mirrored picture would exchange them."""
    sides = slicer("pictures", folder)["sides"]
    for view in ("Axial", "Coronal", "3d"):
        assert sides[view]["s-green"]["column"] < sides[view]["s-red"]["column"], view
    for view in ("Coronal", "Sagittal", "3d"):
        assert sides[view]["s-green"]["row"] < sides[view]["s-red"]["row"], view


def test_pictures_after_an_edit_show_it(folder: str) -> None:
    result = slicer("pictures", folder)
    for view, counts in result["red_pixels"].items():
        assert counts["after"] > 1.3 * counts["before"] > 0, view


def test_slicers_storage_node_agrees_with_the_snapshot(folder: str) -> None:
    result = slicer("files", folder)
    assert result["same"]["equal"], result["same"]["problems"]
    assert [row["voxels_different"] for row in result["same"]["segments"]] == [0, 0]


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("voxel", "s-red: 1 voxels differ"),
        ("name", "s-green: name"),
        ("color", "s-red: colour"),
        ("value", "label value"),
        ("origin", "voxels differ"),
        ("half", "the lattice differs"),
        ("order", "segments ['s-red', 's-green']; expected ['s-green', 's-red']"),
    ],
)
def test_the_check_of_a_file_can_fail(folder: str, damage: str, words: str) -> None:
    result = slicer("files", folder)[damage]
    assert not result["equal"]
    assert any(words in problem for problem in result["problems"]), result["problems"]


def test_the_demo_session_runs_and_reports(folder: str) -> None:
    report = slicer("session", folder)
    assert report["edit"]["changed"] == ["s-red"]
    assert 0 < report["edit"]["seconds_to_changed_surface"] < 60
    assert report["edit"]["bytes_received"] > 0
    assert report["segments"][0]["voxels_after"] > report["segments"][0]["voxels_before"]
    assert len(report["pictures"]) == 10
    for name in report["pictures"]:
        assert (Path(folder) / "session" / name).stat().st_size > 1000
