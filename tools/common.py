"""Where things are: shared by setup.py, which makes them, and run.py, which uses them.

Standard library only, Python 3.9 or newer.
"""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".setup"
LOGS = STATE / "logs"
STAMPS = STATE / "stamps"
ENVIRONMENTS = STATE / "environments"
DATA = STATE / "data"
BUILD = ROOT / "build" / "paraview"
DIST = ROOT / "dist"
SYSTEM_PYTHON = Path("/usr/bin/python3")


def environment_python(name: str) -> Path:
    """The interpreter of one of our virtual environments."""
    return ENVIRONMENTS / name / "bin" / "python"


def newest(folder: Path, pattern: str) -> Path | None:
    """The newest file of a folder that matches, if there is one."""
    found = sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime)
    return found[-1] if found else None


def plugin_file() -> Path | None:
    """The ParaView plugin of the build."""
    return newest(BUILD / "lib", "**/SegmentationCore.so")


def wheel_file() -> Path | None:
    """The wheel of the build."""
    return newest(DIST, "segmentationcore-*.whl")


def variables() -> dict[str, str]:
    """The environment in which the demonstration and the tests run."""
    result = dict(os.environ)
    result["SEGMENTATIONCORE_PARAVIEW_BUILD"] = str(BUILD)
    for name, environment in (
        ("SEGMENTATIONCORE_SLICER_PYTHON", "slicer"),
        ("SEGMENTATIONCORE_WHEEL_PYTHON", "wheel"),
    ):
        if environment_python(environment).exists():
            result.setdefault(name, str(environment_python(environment)))
    for name, path in (
        ("SEGMENTATIONCORE_PLUGIN", plugin_file()),
        ("SEGMENTATIONCORE_WHEEL", wheel_file()),
    ):
        if path is not None:
            result.setdefault(name, str(path))
    if DATA.is_dir():
        result.setdefault("SEGMENTATIONCORE_DATA_ROOT", str(DATA))
    # Open MPI refuses to start as root, and more ranks than processors, unless told.
    result.setdefault("OMPI_ALLOW_RUN_AS_ROOT", "1")
    result.setdefault("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1")
    result.setdefault("OMPI_MCA_rmaps_base_oversubscribe", "1")
    return result
