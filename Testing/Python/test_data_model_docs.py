"""The tables of differences from Slicer are well formed, and docs/data-model.md is made of them."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from types import ModuleType

import pytest

pytestmark = pytest.mark.python

ROOT = Path(__file__).resolve().parents[2]
GENERATOR = ROOT / "SegmentationCore" / "CMake" / "generate_data_model_docs.py"
TABLES = ROOT / "SegmentationCore" / "DataModel" / "differences"
PAGE = ROOT / "docs" / "data-model.md"


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_data_model_docs", GENERATOR)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_current(generator: ModuleType) -> None:
    rows = generator.load(TABLES)
    assert rows
    assert PAGE.read_text("utf-8") == generator.make_docs(rows), "not current; run: make docs"


def test_every_row_is_about_something_that_exists(generator: ModuleType) -> None:
    headers = ROOT / "SegmentationCore" / "DataModel"
    for row in generator.load(TABLES):
        name, _, method = re.match(r"(\w+)(::)?(\w*)", row["where"]).groups()
        header = headers / f"{name}.h"
        assert header.exists(), f"{row['name']}: there is no {name}.h"
        if method:
            text = _with_bases(headers, name)
            assert re.search(rf"\b{method}\b|[GS]etMacro\({method[3:]},", text), (
                f"{row['name']}: {name} has no {method}"
            )


def _with_bases(headers: Path, name: str) -> str:
    text = (headers / f"{name}.h").read_text("utf-8")
    base = re.search(rf"class \w+ {name} : public (\w+)", text)
    if base and (headers / f"{base[1]}.h").exists():
        text += _with_bases(headers, base[1])
    return text


def test_the_example_runs(tmp_path: Path) -> None:
    pytest.importorskip("segmentationcore.SegmentationCoreDataModel")
    example = re.search(r"\n\n((?:    .+\n|\n(?=    ))+)", PAGE.read_text("utf-8"))
    assert example is not None
    code = textwrap.dedent(example[1])
    made = f"""
import os, numpy as np, segmentationcore
os.chdir({str(tmp_path)!r})
labels = np.zeros((9, 9, 9), np.uint8)
labels[2:6, 3:7, 2:8] = 1
segmentationcore.write_volume("head.seg.nrrd", segmentationcore.to_image(labels))
"""
    check = """
assert segmentation.GetNumberOfSegments() == 1
assert segmentation.GetNthSegment(0).GetRepresentation("Closed surface").GetNumberOfPoints() > 0
"""
    done = subprocess.run(
        [sys.executable, "-c", made + code + check],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "again.seg.nrrd").exists()


ROW = {"name": "a-b", "where": "vtkSegment::New", "slicer": "s", "ours": "o", "why": "w"}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "not empty"),
        ([{**ROW, "more": "x"}], "exactly the keys"),
        ([{**ROW, "why": " "}], "why must be a text"),
        ([{**ROW, "name": "A b"}], "joined by hyphens"),
        ([{**ROW, "where": "nowhere"}], "begin with a class"),
        ([ROW, ROW], "is in .*, too"),
    ],
)
def test_a_wrong_row_is_named(
    generator: ModuleType, tmp_path: Path, rows: list[dict[str, str]], message: str
) -> None:
    (tmp_path / "table.json").write_text(json.dumps(rows), "utf-8")
    with pytest.raises(ValueError, match=message) as error:
        generator.load(tmp_path)
    assert "table.json" in str(error.value)


def test_a_cell_cannot_break_the_table(generator: ModuleType) -> None:
    page = generator.make_docs([{**ROW, "slicer": "a | b\nc"}])
    assert "| a \\| b c |" in page
