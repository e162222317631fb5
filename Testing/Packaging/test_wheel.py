"""The wheel: what it declares and holds, and that it works in an environment with nothing else."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

pytestmark = pytest.mark.packaging

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def wheel() -> Path:
    name = os.environ.get("SEGMENTATIONCORE_WHEEL")
    found = [Path(name)] if name else sorted((ROOT / "dist").glob("segmentationcore-*.whl"))
    if not found or not found[-1].exists():
        pytest.fail("there is no wheel; run: make build")
    return found[-1]


@pytest.fixture(scope="session")
def clean_python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with the wheel and what it asks for."""
    folder = tmp_path_factory.mktemp("clean")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, capture_output=True)
    python = folder / "bin" / "python"
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel],
        check=True,
        capture_output=True,
        timeout=600,
    )
    return python


def run(python: Path, code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {
        k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "LD_LIBRARY_PATH"}
    }
    return subprocess.run(
        [python, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={**environment, **variables},
        cwd="/",
    )


def test_metadata_ties_the_wheel_to_one_minor_version_of_vtk(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        name = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(archive.read(name).decode())
    requirements = metadata.get_all("Requires-Dist") or []
    assert "vtk==9.6.*" in requirements
    assert metadata["License-Expression"] == "BSD-3-Clause"


def test_wheel_holds_the_package_and_nothing_foreign(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    for expected in (
        "py.typed",
        "_effects.py",
        "_effects.pyi",
        "effects.json",
        "operation_settings.json",
        "operation.schema.json",
    ):
        assert f"segmentationcore/{expected}" in names
    folders = {n.split("/")[0] for n in names}
    assert {f.split("-")[0].split(".")[0] for f in folders} == {"segmentationcore"}
    assert not [n for n in names if "libvtk" in n], "VTK's libraries belong to the vtk package"
    assert sum(info.file_size for info in zipfile.ZipFile(wheel).infolist()) < 50_000_000


@pytest.mark.slow
def test_clean_environment_runs_every_effect(clean_python: Path) -> None:
    code = """
import json, pathlib, numpy as np, segmentationcore as sc
from segmentationcore._registry import snake_case
folder = pathlib.Path(sc.__file__).parent
effects = [e for e in json.loads((folder / "effects.json").read_text()) if e["input"] != "table"]
volume = np.arange(8 * 9 * 10, dtype=np.int16).reshape(8, 9, 10)
labels = (volume > 300).astype(np.uint8)
samples = {"points": [(4, 4, 5), (4, 4, 8), (4, 7, 6), (2, 5, 5)], "segment": 2}
for effect in effects:
    data = [volume] if effect["input"] == "volume" else [labels]
    data += [volume] if effect["volume"] else []
    named = [p for p in effect["parameters"] if p["type"] in samples]
    given = {snake_case(p["name"]): samples[p["type"]] for p in named}
    result = getattr(sc, effect["identifier"])(*data, **given)
    assert result.shape == labels.shape, effect
print(len(effects))
"""
    result = run(clean_python, code)
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) >= 29


@pytest.mark.slow
def test_libraries_of_others_come_with_the_wheel_and_their_licence(
    wheel: Path, clean_python: Path
) -> None:
    code = """
import pathlib, segmentationcore as sc
from segmentationcore.SegmentationCoreIO import vtkLabelMapNrrdWriter
print(pathlib.Path(sc.__file__).parent)
print({line.split()[-1] for line in open("/proc/self/maps") if ".so" in line})
"""
    result = run(clean_python, code)
    assert result.returncode == 0, result.stderr
    folder, mapped = result.stdout.splitlines()
    compressors = [path for path in ast.literal_eval(mapped) if "libisal" in path]
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    ours = [n for n in names if n.startswith("segmentationcore/libisal.so")]
    assert compressors == [str(Path(folder).parent / n) for n in ours]
    assert ("segmentationcore/LICENSE.isa-l" in names) == bool(ours)


@pytest.mark.slow
def test_clean_environment_has_the_command_line(clean_python: Path) -> None:
    command = clean_python.parent / "segmentationcore"
    result = subprocess.run([command, "--version"], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "0.1.0" in result.stdout


@pytest.mark.slow
def test_effects_use_all_threads_and_leave_vtks_choice_alone(clean_python: Path) -> None:
    """PyPI's vtk is sequential by default; an effect is not, and leaves others as they are."""
    code = """
import os, threading, time, numpy as np, segmentationcore as sc
seen = 0
def watch():
    global seen
    while not done:
        seen = max(seen, len(os.listdir("/proc/self/task")))
        time.sleep(0.001)
done = False
before = len(os.listdir("/proc/self/task"))
watcher = threading.Thread(target=watch); watcher.start()
mask = np.random.default_rng(0).integers(0, 2, (160, 160, 160), dtype=np.uint8)
for _ in range(5):
    sc.median(mask, kernel_size_mm=9)
done = True; watcher.join()
print(seen - before - 1)
"""
    if (os.cpu_count() or 1) < 2:
        pytest.skip("needs two cores to see a second thread")
    result = run(clean_python, code)
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) >= 1
    alone = run(clean_python, code, VTK_SMP_BACKEND_IN_USE="Sequential")
    assert int(alone.stdout) == 0, "the user's choice of back end must win"


@pytest.mark.slow
def test_another_vtk_is_refused_with_both_versions_named(clean_python: Path) -> None:
    code = """
import segmentationcore._build_info as info
info.VTK_VERSION = "9.5.1"
try:
    from segmentationcore import vtkLabelMapMargin
except ImportError as error:
    print(error)
"""
    result = run(clean_python, code)
    assert result.returncode == 0, result.stderr
    assert "9.5" in result.stdout
    assert "9.6" in result.stdout
    assert "pip install" in result.stdout
