"""The demonstration as a whole, on a small rock: every door and every check of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.paraview, pytest.mark.slicer, pytest.mark.bridge, pytest.mark.slow]

TOOLS = Path(__file__).resolve().parents[2] / "tools"


def test_all_doors_agree_on_a_small_rock(tmp_path: Path) -> None:
    output = tmp_path / "demo-output"
    command = [sys.executable, str(TOOLS / "run.py"), "demo", "--size", "48", "--volumes", "rock"]
    run = subprocess.run(
        [*command, "--output", str(output)],
        capture_output=True,
        text=True,
        timeout=300,
        env=dict(os.environ),
        check=False,
    )
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-4000:]
    for other in ("Slicer's reading", "file", "wheel"):
        assert f"server and {other}: all 110,592 voxels equal" in run.stdout + run.stderr
    pictures = sorted(path.name for path in (output / "rock").glob("*.png"))
    assert {"paraview.png", "slicer-3d-before.png", "slicer-3d-after.png"} <= set(pictures)
    assert "(rock/slicer-3d-after.png)" in (output / "report.md").read_text(encoding="utf-8")
