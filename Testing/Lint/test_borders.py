"""The borders between the layers, as drawn in CONTRIBUTING.md, checked by reading includes."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "SegmentationCore"
PACKAGE = ROOT / "Wrapping" / "Python" / "segmentationcore"

# What a kernel may include of VTK: plain types and threads.
KERNEL_VTK = {"vtkType.h", "vtkSMPTools.h", "vtkSMPThreadLocal.h"}
LAYERS = {
    # A layer may include headers of these layers.
    "Kernels": {"Kernels"},
    "Parallel": {"Parallel", "Kernels"},
    "Filters": {"Filters", "Parallel", "Kernels"},
    "Editor": {"Editor", "Filters", "Parallel", "Kernels"},
    "IO": {"IO", "Editor", "Filters", "Parallel", "Kernels"},
    "DataModel": {"DataModel", "IO", "Editor", "Filters", "Parallel", "Kernels"},
}


def sources(layer: str) -> list[Path]:
    return [p for p in (CORE / layer).iterdir() if p.suffix in {".h", ".cxx", ".txx", ".inc"}]


def includes(path: Path) -> list[str]:
    return re.findall(r'^\s*#\s*include\s+["<]([^">]+)[">]', path.read_text(), re.MULTILINE)


OWNER = {p.name: layer for layer in LAYERS for p in sources(layer)}


@pytest.mark.parametrize("layer", LAYERS)
def test_layers_include_only_what_is_below_them(layer: str) -> None:
    wrong = [
        f"{path.name} includes {name} of {OWNER[name]}"
        for path in sources(layer)
        for name in includes(path)
        if name in OWNER and OWNER[name] not in LAYERS[layer]
    ]
    assert sources(layer)
    assert not wrong


def test_kernels_know_no_vtk_pipeline() -> None:
    wrong = [
        f"{path.name} includes {name}"
        for path in sources("Kernels")
        for name in includes(path)
        if name.startswith("vtk") and name not in KERNEL_VTK
    ]
    assert not wrong


@pytest.mark.parametrize("layer", [layer for layer in LAYERS if layer != "Parallel"])
def test_only_parallel_communicates(layer: str) -> None:
    # Handing a controller on is fine; sending or receiving through it is not.
    call = re.compile(
        r"Controller\s*->\s*(Send|Receive|Broadcast|Gather|Reduce|AllReduce|AllGather|Barrier)"
    )
    wrong = [p.name for p in sources(layer) if call.search(p.read_text())]
    assert not wrong


def test_headers_have_a_licence_and_a_manual_page() -> None:
    for layer in LAYERS:
        for path in sources(layer):
            text = path.read_text()
            assert "SPDX-License-Identifier: BSD-3-Clause" in text[:300], path
            if path.suffix == ".h":
                assert re.search(r"[@\\](file|class)", text[:600]), (
                    f"{path} does not say what it is"
                )


def test_class_names_are_ours() -> None:
    """Slicer owns vtkSegment*; only DataModel, its drop-in, may use such names."""
    for layer in ("Filters", "Editor", "IO"):
        names = [p.stem for p in sources(layer) if p.name.startswith("vtk")]
        assert not [n for n in names if n.startswith("vtkSegment")]


def test_library_names_differ_from_slicers() -> None:
    for module in CORE.glob("*/vtk.module"):
        library = re.search(r"LIBRARY_NAME\s+(\S+)", module.read_text())
        assert library, module
        assert library.group(1).startswith("SegmentationCore")
        assert library.group(1) != "vtkSegmentationCore"


def test_package_never_imports_the_applications() -> None:
    """ParaView and Slicer are imported only where a host's own code runs."""
    for path in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                modules = [node.module or ""]
            else:
                continue
            assert not [m for m in modules if m.split(".")[0] in {"slicer", "paraview"}], path


def test_no_generated_or_large_file_is_committed() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
    ).stdout.decode()
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        generated = {"_effects.py", "_effects.pyi", "effects.json", "_build_info.py"}
        generated |= {"operation.schema.json", "operation_settings.json", "queries.json"}
        assert path.name not in generated, name
        if path.is_file():
            assert path.stat().st_size < 1_500_000, f"{name} is large; keep it by content hash"
