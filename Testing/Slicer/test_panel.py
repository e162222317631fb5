"""The panel's effects in real Slicer, beside the same operations of our editor, voxel by voxel.

Slicer's Python gets a copy of the installed package, which is built for the VTK that slicer-core
has. The widgets need Qt and are not run; `panel_scenarios.py` does what they do.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import segmentationcore
from segmentationcore import Editor, LabelMap, Segment, to_array, to_image

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "Python"))

from sample_data import assert_same, smooth_volume  # noqa: E402
from test_masking_oracle import LATTICE  # noqa: E402

pytestmark = pytest.mark.slicer

SHAPE = (13, 17, 19)
IDS = ("a", "hidden", "b", "c")
VOLUME = smooth_volume(SHAPE, 5).astype(np.int16)


def place(*index: float) -> list[float]:
    """World coordinates of a voxel, x, y, z."""
    direction = np.array(LATTICE["direction"])
    return list(np.array(LATTICE["origin"]) + direction @ (np.array(index) * LATTICE["spacing"]))


def seeds() -> np.ndarray:
    """Four segments that do not overlap: their label map has one layer."""
    voxels = np.zeros((4, *SHAPE), bool)
    voxels[0, 3:6, 4:8, 3:8] = True
    voxels[0, 4, 8:10, 4] = True
    voxels[1, 1:3, 13:16, 14:18] = True
    voxels[2, 4:8, 6:10, 9:14] = True
    voxels[2, 6, 8, 11] = False
    voxels[3, 8:11, 3:6, 5:9] = True
    return voxels


SHIFT = [3.0, -2.0, 5.0]
SQUARE = [place(2, 3, 4), place(9, 3, 4), place(9, 9, 4)]
RANGE = [float(value) for value in np.quantile(VOLUME, [0.15, 0.9])]
# A slice view that looks along (0, 0.6, 0.8), and the three corners in it.
NORMAL, ACROSS = [0.0, 0.6, 0.8], [1.0, 0.0, 0.0]
CUT = {"effect": "scissors", "segment": "a", "points": SQUARE}
JOBS: dict[str, dict[str, Any]] = {
    "segment": {"effect": "margin", "segment": "a", "values": {"MarginSizeMm": 1.3}},
    "volume": {"effect": "threshold", "segment": "b", "values": {"MinimumThreshold": 60.0}},
    "segment and volume": {
        "effect": "fast_marching",
        "segment": "a",
        "values": {"PercentMax": 60.0},
    },
    "points": {
        "effect": "paint",
        "segment": "c",
        "values": {"BrushAbsoluteDiameter": 2.5, "SliceNormal": [0.0, 0.6, 0.8]},
        "points": SQUARE,
    },
    "points under a transform": {
        "effect": "paint",
        "segment": "c",
        "values": {"BrushPixelMode": True},
        "points": [list(np.add(point, SHIFT)) for point in SQUARE],
        "shift": SHIFT,
    },
    "volume and points": {
        "effect": "flood_filling",
        "segment": "a",
        "values": {"IntensityTolerance": 25.0},
        "points": [place(12, 8, 9)],
    },
    "each": {"effect": "median", "segment": "a", "values": {"KernelSizeMm": 3.5}, "to_each": True},
    "all": {"effect": "expand_segments", "segment": "a", "values": {"ExpansionSizeMm": 2.0}},
    "all and volume": {"effect": "grow_from_seeds", "segment": "a", "values": {}},
    "around all": {"effect": "grow_from_seeds", "segment": "a", "values": {}, "growth": 0.1},
    "around all, masked": {
        "effect": "grow_from_seeds",
        "segment": "a",
        "values": {"SeedLocalityFactor": 0.5},
        "growth": 0.1,
        "masking": {"SourceVolumeIntensityMask": True, "SourceVolumeIntensityMaskRange": RANGE},
    },
    "another segment": {
        "effect": "logical",
        "segment": "a",
        "values": {"Operation": "UNION", "ModifierSegmentID": "b", "BypassMasking": True},
    },
    "another segment, which gives way": {
        "effect": "logical",
        "segment": "a",
        "values": {"Operation": "COPY", "ModifierSegmentID": "b", "BypassMasking": False},
    },
    "no other segment": {
        "effect": "logical",
        "segment": "c",
        "values": {"Operation": "INVERT", "ModifierSegmentID": "", "BypassMasking": True},
    },
    "from all segments": {
        "effect": "erase",
        "segment": "c",
        "values": {"EraseAllSegments": True, "BrushAbsoluteDiameter": 9.0},
        "points": SQUARE,
    },
    "boundaries of all segments": {
        "effect": "boundary_removal",
        "segment": "b",
        "values": {"AllSegments": True},
    },
    "parts of a segment": {
        "effect": "islands",
        "segment": "b",
        "values": {"Operation": "SPLIT_ISLANDS_TO_SEGMENTS", "MinimumSize": 1},
    },
    "parts of a volume": {
        "effect": "multi_threshold",
        "segment": "a",
        "values": {"NumberOfClasses": 3},
    },
    "seen in a slice": {
        **CUT,
        "values": {"Operation": "EraseInside"},
        "slice": [*NORMAL, *ACROSS, 3.0, 4.0, 5.0],
    },
    "seen in a slice, circle": {
        **CUT,
        "values": {"Operation": "FillInside", "Shape": "Circle", "SliceCutMode": "Positive"},
        "slice": [*NORMAL, *ACROSS, *SQUARE[0]],
    },
    "seen by a camera": {
        **CUT,
        "values": {"Operation": "FillInside"},
        "camera": [*np.add(SQUARE[1], [30.0, -40.0, 90.0]), *SQUARE[1]],
    },
    "seen along the axes, under a transform": {
        **CUT,
        "values": {"Operation": "EraseOutside"},
        "points": [list(np.add(point, SHIFT)) for point in SQUARE],
        "shift": SHIFT,
    },
    "seen in a slice, under a transform": {
        **CUT,
        "values": {"Operation": "FillInside", "Shape": "Rectangle"},
        "points": [list(np.add(point, SHIFT)) for point in SQUARE],
        "slice": [*NORMAL, *ACROSS, 3.0, 4.0, 5.0],
        "shift": SHIFT,
    },
}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no points": ({"effect": "paint", "segment": "a", "values": {}, "points": []}, "markups node"),
    "elsewhere": (
        {"effect": "fast_marching", "segment": "a", "values": {}, "volume elsewhere": True},
        "the source volume lies elsewhere than the segmentation's voxels",
    ),
    "parts": (
        {
            "effect": "islands",
            "segment": "b",
            "values": {"Operation": "SPLIT_ISLANDS_TO_SEGMENTS", "MinimumSize": 1},
            "to_each": True,
        },
        "makes several segments",
    ),
    "bent": ({**CUT, "values": {}, "bent": True}, "under a transform that is not linear"),
    "no such segment": (
        {"effect": "logical", "segment": "a", "values": {"ModifierSegmentID": "gone"}},
        "there is no segment 'gone' any more",
    ),
}


def parts(voxels: np.ndarray) -> np.ndarray:
    """Of b two parts, to be split."""
    voxels[2, 11, 15, 17] = True
    return voxels


@pytest.fixture(scope="module")
def results(slicer_python: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("panel")
    shutil.copytree(Path(segmentationcore.__file__).parent, folder / "segmentationcore")
    session = {
        **LATTICE,
        "segments": [{"id": key, "visible": key != "hidden"} for key in IDS],
        "layers": "packed",
    }
    jobs = [*JOBS.values(), *(job for job, _ in REFUSED.values())]
    np.savez(
        folder / "cases.npz",
        session=json.dumps(session),
        voxels=parts(seeds()),
        volume=VOLUME,
        jobs=json.dumps(jobs),
    )
    # The package lies apart from Slicer's VTK.
    modules = [*Path(slicer_python).parents[1].glob("lib/python*/site-packages/vtkmodules")]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(folder), str(HERE)]),
        "LD_LIBRARY_PATH": os.pathsep.join(map(str, modules)),
    }
    done = subprocess.run(
        [slicer_python, str(HERE / "panel_scenarios.py"), folder / "cases.npz", folder / "out.npz"],
        env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    with np.load(folder / "out.npz") as found:
        return {key: found[key] for key in found.files}


def image_of(array: np.ndarray, name: str) -> Any:
    image = to_image(array, spacing=LATTICE["spacing"][::-1], name=name)
    image.SetOrigin(LATTICE["origin"])
    image.SetDirectionMatrix([number for row in LATTICE["direction"] for number in row])
    return image


def seen(job: dict[str, Any]) -> np.ndarray:
    """The matrix of the job's view, by its definition."""
    if "slice" in job:
        normal, across, position = np.reshape(job["slice"], (3, 3))
        to_world = np.eye(4)
        to_world[:3] = np.transpose([across, np.cross(normal, across), normal, position])
        return np.linalg.inv(to_world)
    if "camera" in job:
        # What lies in one line of sight depends on the camera's place alone.
        place, focus = np.reshape(job["camera"], (2, 3))
        back = (place - focus) / np.linalg.norm(place - focus)
        right = np.cross([0.0, 0.0, 1.0], back)
        right /= np.linalg.norm(right)
        turn = np.array([right, np.cross(back, right), back])
        matrix = np.zeros((4, 4))
        matrix[:3, :3], matrix[:3, 3] = turn, -turn @ place
        matrix[3] = -matrix[2]
        matrix[2] = [0.0, 0.0, 0.0, 1.0]  # the depth on the screen, which counts nowhere
        return matrix
    return np.eye(4)


def expected(job: dict[str, Any]) -> tuple[list[list[str]], np.ndarray]:
    """What our editor makes of it: the segments' identifiers and names, and their voxels."""
    labels = np.zeros(SHAPE, np.uint8)
    for number, mask in enumerate(parts(seeds()), start=1):
        labels[mask] = number
    rows = tuple(Segment(key, n, visible=key != "hidden") for n, key in enumerate(IDS, start=1))
    editor = Editor(image_of(VOLUME, "grey"), labels=LabelMap(image_of(labels, "Labels"), rows))
    edit: dict[str, Any] = {"effect": job["effect"], "parameters": dict(job["values"])}
    if "points" in job:
        points = np.array(job["points"]) - job.get("shift", [0.0] * 3)
        edit["parameters"]["Points"] = points.tolist()
    if job["effect"] == "scissors":
        moved = np.eye(4)
        moved[:3, 3] = job.get("shift", [0.0] * 3)
        edit["parameters"]["ViewMatrix"] = (seen(job) @ moved).ravel().tolist()
    if job.get("to_each"):
        edit["ApplyToAllVisibleSegments"] = True
    elif job["effect"] not in ("expand_segments", "grow_from_seeds"):
        edit["segment"] = job["segment"]
    if "growth" in job:
        edit["region"] = {"growth": job["growth"]}
    if "masking" in job:
        edit["masking"] = job["masking"]
    editor.apply(edit)
    segments = [[row.id, row.name] for row in editor.segments]
    return segments, np.array([to_array(editor.mask(key), "Mask") == 1 for key, _ in segments])


@pytest.mark.parametrize("name", JOBS)
def test_the_panel_does_what_the_editor_does(name: str, results: Any) -> None:
    number = [*JOBS].index(name)
    assert f"error{number}" not in results, results[f"error{number}"]
    found, (segments, wanted) = results[f"voxels{number}"], expected(JOBS[name])
    assert results[f"segments{number}"].tolist() == segments
    assert (len(segments) > len(IDS)) == name.startswith("parts")
    assert (wanted[: len(IDS)] != parts(seeds())).any()
    for (key, _), mine, theirs in zip(segments, found, wanted, strict=True):
        assert_same(mine, theirs, f"{name}, {key}:")


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_panel_refuses(name: str, results: Any) -> None:
    number = len(JOBS) + [*REFUSED].index(name)
    assert REFUSED[name][1] in str(results[f"error{number}"])


def test_statistics_in_a_table_node(results: Any) -> None:
    assert json.loads(str(results["table"])) == [
        ["segment", ["a", "b"]],
        ["voxel_count", ["5", "0"]],
        ["centroid_0", ["1", "nan"]],
        ["centroid_1", ["2", "nan"]],
        ["centroid_2", ["3", "nan"]],
    ]
