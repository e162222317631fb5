"""Scratch memory: what effects take beyond input and output is what they declare."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import segmentationcore
from sample_data import template
from sample_parameters import arguments, keywords
from segmentationcore._registry import queries, voxel_effects

pytestmark = pytest.mark.python

EDGE = 200
EFFECTS = voxel_effects() | queries()
# Work in blocks, of a volume whose values are larger than any scratch memory.
IN_BLOCKS = ("fast_marching", "grow_from_seeds", "watershed")
BLOCKS = 7
# Half a megabyte per thread, tables, and what the allocator keeps for later.
ALLOWANCE = 0.4


def labels() -> np.ndarray:
    z, y, x = np.ogrid[:EDGE, :EDGE, :EDGE]
    result = np.zeros((EDGE,) * 3, np.uint8)
    result[(x - 70) ** 2 + (y - 80) ** 2 + (z - 90) ** 2 < 45**2] = 1
    result[(x - 140) ** 2 + (y - 130) ** 2 + (z - 120) ** 2 < 35**2] = 2
    return result


def volume(dtype: Any) -> np.ndarray:
    z, y, x = np.ogrid[:EDGE, :EDGE, :EDGE]
    waves = np.sin(x / 17) * np.cos(y / 13) * np.sin(z / 19) * 1000
    return (waves + (7 * x + 3 * y + 5 * z) % 50).astype(dtype)


def _memory(key: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key))


def _taken(work: Any) -> float:
    """Bytes per voxel of memory that was in use at once, besides what is kept."""
    Path("/proc/self/clear_refs").write_text("5")
    before = _memory("VmRSS")
    kept = work()
    return (_memory("VmHWM") - before - kept) / EDGE**3


def _of_function(name: str) -> float:
    function = getattr(segmentationcore, name)
    accepted = inspect.signature(function).parameters
    data = {"labels": labels(), "volume": volume(np.int16)}

    def call(part: Any, out: Any) -> Any:
        given = [np.ascontiguousarray(data[key][part]) for key in data if key in accepted]
        more = keywords(arguments(EFFECTS[name], {}, given[0])) if name in EFFECTS else {}
        return function(*given, **more, **({} if out is None else {"out": out}))

    small = (slice(70, 100), slice(70, 100), slice(60, 90))
    call(small, None)
    out = None
    if "out" in accepted:
        dtype = np.int32 if name == "label_islands" else np.uint8
        out = np.full((EDGE,) * 3, 1, dtype if "labels" in accepted else _result_type(name))

    def work() -> int:
        result = call((slice(None),) * 3, out)
        new = out is None and isinstance(result, np.ndarray) and result.shape == (EDGE,) * 3
        return int(result.nbytes) if new else getattr(result, "voxels", np.empty(0)).nbytes

    return _taken(work)


def _result_type(name: str) -> Any:
    return getattr(segmentationcore, name)(
        volume(np.int16)[:2, :2, :2], **keywords(arguments(EFFECTS[name], {}, np.zeros((2, 2, 2))))
    ).dtype


def _in_blocks(name: str) -> float:
    effect = getattr(segmentationcore, EFFECTS[name]["class"])()
    effect.SetNumberOfBlocks(BLOCKS)
    effect.SetInputDataObject(segmentationcore.to_image(labels()))
    effect.SetVolumeData(segmentationcore.to_image(volume(np.float64)))

    def work() -> int:
        effect.Update()
        assert effect.GetLastError() == ""
        return EDGE**3  # its output

    return _taken(work)


def _of_atlas() -> float:
    atlas = np.ascontiguousarray(template("aal.nii.gz")[0].astype(np.uint8))
    out = np.full_like(atlas, 1)

    def work() -> int:
        segmentationcore.joint_smoothing(atlas, out=out)
        return 0

    return _taken(work) * EDGE**3 / atlas.size


def measure() -> dict[str, float]:
    found = {name: _of_function(name) for name in [*EFFECTS, "label_islands"]}
    found |= {f"{name} in blocks": _in_blocks(name) for name in IN_BLOCKS}
    return found | {"atlas": _of_atlas()}


@pytest.fixture(scope="module")
def taken() -> dict[str, float]:
    """Measured by a process of its own, whose allocator gives back what is freed."""
    if not os.access("/proc/self/clear_refs", os.W_OK):
        pytest.skip("the peak of the memory in use is measured by Linux's /proc/self/clear_refs")
    given_back = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "0"}
    code = "import json, test_scratch_memory as t; print(json.dumps(t.measure()))"
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parent,
        env=os.environ | given_back | {"PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    found: dict[str, float] = json.loads(result.stdout)
    return found


def surface_points(array: np.ndarray) -> np.ndarray:
    """Points of a surface between labels, by slice: one in each cell of eight voxels that are not
    alike."""
    padded = np.pad(array, 1)
    cells = np.lib.stride_tricks.sliding_window_view(padded, (2, 2, 2))
    return (cells.min(axis=(3, 4, 5)) != cells.max(axis=(3, 4, 5))).sum(axis=(1, 2))


@pytest.mark.parametrize("name", [*EFFECTS, *(f"{name} in blocks" for name in IN_BLOCKS)])
def test_scratch_memory_is_as_declared(name: str, taken: dict[str, float]) -> None:
    declared = EFFECTS[name.removesuffix(" in blocks")]["scratch_bytes_per_voxel"]
    if name == "joint_smoothing":
        points = surface_points(labels())
        within = max(points[first : first + 110].sum() for first in range(points.size))
        declared += (65 * within + 12 * points.sum()) / EDGE**3
    if name.endswith("in blocks"):
        # The voxels of 8 bytes on both sides of what parts the blocks.
        declared += 2 * (BLOCKS - 1) * 8 / EDGE
    assert taken[name] <= declared + ALLOWANCE


def test_no_effect_takes_more_than_four_bytes_per_voxel(taken: dict[str, float]) -> None:
    assert max(effect["scratch_bytes_per_voxel"] for effect in EFFECTS.values()) <= 4
    assert taken["atlas"] <= 4  # joint smoothing of 116 labels
    assert taken["label_islands"] <= 2.2 + ALLOWANCE
    # So that nothing was measured would not pass.
    assert taken["grow_from_seeds"] > 3.5
