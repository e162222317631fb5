"""The C++ units: ctest runs beneath pytest, one pytest result per label."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BUILD = Path(os.environ.get("SEGMENTATIONCORE_PARAVIEW_BUILD", ROOT / "build" / "paraview"))
LABELS = ("kernel", "parallel", "filter", "editor", "io", "datamodel")


@pytest.mark.cxx
@pytest.mark.parametrize("label", LABELS)
def test_ctest(label: str) -> None:
    if not (BUILD / "CTestTestfile.cmake").exists():
        pytest.fail(f"{BUILD} is not a build with tests; run: make build")
    ctest = shutil.which("ctest")
    assert ctest, "ctest is missing; install the package cmake"
    run = subprocess.run(
        [ctest, "--output-on-failure", "-L", f"^{label}$", "--no-tests=error"],
        cwd=BUILD,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-20000:] + run.stderr[-5000:]
    summary = re.search(r"(\d+)% tests passed, 0 tests failed out of (\d+)", run.stdout)
    assert summary, run.stdout[-2000:]
    assert int(summary.group(2)) > 0
