"""Every class, method, overload, constant and default of Slicer's containers is there in ours.

Both libraries are asked in processes of their own (``data_model_surface.py``). What is different on
purpose is listed with its reason in ``data_model_surface_differences.py``; anything else fails, and
so does a row that describes no difference any more.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from data_model_surface_differences import DIFFERENCES  # noqa: E402

pytestmark = pytest.mark.slicer


def ask(python: str, module: str) -> dict[str, Any]:
    """The surface of a library, from a process that has nothing else."""
    done = subprocess.run(
        [python, str(HERE / "data_model_surface.py"), module],
        capture_output=True,
        text=True,
        timeout=120,
        env=dict(os.environ),
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


def compare(slicer: dict[str, Any], ours: dict[str, Any]) -> dict[str, str]:
    """What is missing or different, with a text that shows both."""
    found: dict[str, str] = {}
    for name, reference in slicer.items():
        if name not in ours:
            found[name] = "there is no such class"
            continue
        mine = ours[name]
        where = f"{name}." if name else ""
        if mine["bases"] != reference["bases"]:
            found[f"{where}bases"] = f"{reference['bases']}, ours {mine['bases']}"
        for method, signatures in reference["methods"].items():
            if method not in mine["methods"]:
                found[f"{where}{method}"] = f"no such method: {signatures}"
                continue
            missing = sorted(set(signatures) - set(mine["methods"][method]))
            if missing:
                found[f"{where}{method}"] = f"{missing}, ours {mine['methods'][method]}"
        for group in ("constants", "defaults"):
            for key, value in reference[group].items():
                if group == "defaults" and key not in mine["methods"]:
                    continue  # reported above
                if key not in mine[group] or mine[group][key] != value:
                    found[f"{where}{key} {group[:-1]}"] = (
                        f"{value!r}, ours {mine[group].get(key)!r}"
                    )
    return found


def test_same_surface(slicer_python: str) -> None:
    pytest.importorskip("segmentationcore.SegmentationCoreDataModel")
    found = compare(
        ask(slicer_python, "slicer_core.vtkSegmentationCore"),
        ask(sys.executable, "segmentationcore.SegmentationCoreDataModel"),
    )
    unlisted = {key: text for key, text in found.items() if key not in DIFFERENCES}
    assert not unlisted, "\n".join(f"{key}: Slicer {text}" for key, text in unlisted.items())
    gone = [key for key in DIFFERENCES if key not in found]
    assert not gone, f"these rows describe no difference any more: {gone}"
    assert all(reason.strip() for reason in DIFFERENCES.values())


def test_the_comparison_sees_what_is_missing() -> None:
    """The test of the test: each kind of difference is reported under its own key."""
    method = {"Get": ["int ()", "int (int)"], "Go": ["void ()"]}
    reference = {
        "vtkA": {
            "bases": ["vtkObject"],
            "methods": method,
            "constants": {"MODE": 1},
            "defaults": {"Get": 5},
        },
        "vtkB": {"bases": [], "methods": {}, "constants": {}, "defaults": {}},
    }
    assert compare(reference, reference) == {}
    poorer = {
        "vtkA": {
            "bases": ["vtkAlgorithm"],
            "methods": {"Get": ["int ()"]},
            "constants": {"MODE": 2},
            "defaults": {"Get": 6},
        }
    }
    keys = {"vtkA.bases", "vtkA.Get", "vtkA.Go", "vtkA.MODE constant", "vtkA.Get default", "vtkB"}
    assert set(compare(reference, poorer)) == keys
