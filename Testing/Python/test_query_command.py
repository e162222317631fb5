"""``segmentationcore query``: all queries from files to files, as their functions say."""

from __future__ import annotations

import csv
import io
import json
import os
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import segmentationcore
from sample_data import assert_same, blob_labels, smooth_volume
from segmentationcore import (
    Segment,
    label_islands,
    local_histogram,
    local_thickness,
    mask_volume,
    read_segmentation,
    read_volume,
    segment_statistics,
    size_distribution,
    split_volume,
    to_array,
    to_image,
    write_segmentation,
    write_volume,
)
from segmentationcore._registry import LABEL_ISLANDS, queries
from segmentationcore.cli import main

pytestmark = pytest.mark.python

SHAPE = (12, 14, 16)
SPACING = (1.5, 0.9, 1.0)
ORIGIN = (3.0, 2.0, 1.0)
NAMES = sorted([*queries(), "label_islands"])
OF_SEGMENTS = [name for name in NAMES if name != "local_histogram"]
VOLUMES = ("label_islands", "local_thickness", "mask_volume", "split_volume")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with a volume, and segments in two layers; the second name needs care in files."""
    labels = blob_labels(SHAPE, 1)
    image = to_image(labels, spacing=SPACING, origin=ORIGIN, name="Labels")
    over = to_image((labels > 1).astype(np.uint8), spacing=SPACING, name="Labels_1")
    image.GetPointData().AddArray(over.GetPointData().GetScalars())
    rows = [
        Segment("a", 1, name="Same"),
        Segment("b/ü b", 2, name="Only"),
        Segment("c", 3, name="Same"),
        Segment("over", 1, layer=1),
        Segment("empty", 7),
    ]
    write_segmentation(tmp_path / "s.seg.nrrd", image, segments=rows)
    volume = to_image(smooth_volume(SHAPE, 5), spacing=SPACING, origin=ORIGIN)
    write_volume(tmp_path / "v.nrrd", volume)
    write_volume(tmp_path / "labels.nrrd", to_image((labels == 1).astype(np.uint8)))
    return tmp_path


def ask(files: Path, text: str, status: int = 0) -> None:
    """The command in the folder of the files."""
    before = os.getcwd()
    os.chdir(files)
    try:
        assert main(["query", *shlex.split(text)]) == status
    finally:
        os.chdir(before)


def refused(files: Path, text: str, status: int, capsys: pytest.CaptureFixture[str]) -> str:
    """What is said on stderr; nothing is written, and nothing said elsewhere."""
    before = {path.name: path.stat().st_mtime_ns for path in files.iterdir()}
    ask(files, text, status)
    assert {path.name: path.stat().st_mtime_ns for path in files.iterdir()} == before
    told = capsys.readouterr()
    assert told.out == ""
    (line,) = told.err.splitlines()
    assert line.startswith("segmentationcore: ")
    return line


def same_rows(text: str, table: Any) -> None:
    """Columns and numbers of a CSV text, digit by digit."""
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == len(table)
    for name in table.dtype.names:
        for row, value in zip(rows, table[name], strict=True):
            parts = np.atleast_1d(value).tolist()
            keys = [name] if np.ndim(value) == 0 else [f"{name}_{n}" for n in range(len(parts))]
            assert [row[key] for key in keys] == [str(part) for part in parts]


# -- help ------------------------------------------------------------------------------------------


def test_help_names_all_queries(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["query", "--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert all(f"    {name}" in text for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_each_query_tells_its_parameters(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["query", name, "--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    declared = queries().get(name, LABEL_ISLANDS)
    assert " ".join(declared["summary"].split()) in " ".join(text.split())
    for parameter in declared["parameters"]:
        assert f"\n  {parameter['name']}\n" in text
    for column in declared.get("columns", ()):
        assert f"\n  {column['name']}\n" in text
    assert ("--volume" in text) == bool(declared["volume"])
    assert ("--segment" in text.split("example:")[0]) == (declared["input"] == "segment")


def test_the_numbers_of_islands_are_declared_as_their_function_is() -> None:
    made = segmentationcore.vtkLabelMapIslandNumbers()
    for parameter in LABEL_ISLANDS["parameters"]:
        assert getattr(made, f"Get{parameter['name']}")() == parameter["default"]
        function = label_islands.__kwdefaults__
        assert (
            function[segmentationcore._registry.snake_case(parameter["name"])]
            == (parameter["default"])
        )


# -- tables ----------------------------------------------------------------------------------------


def test_size_distribution(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = read_segmentation(files / "s.seg.nrrd")
    expected = {
        value: size_distribution(image, label=value, number_of_bins=4) for value in (1, 2, 3)
    }
    over = to_image(to_array(image, "Labels_1"), spacing=SPACING)
    ask(files, "size_distribution s.seg.nrrd --set NumberOfBins=4 --segment a")
    text = capsys.readouterr().out
    assert text.startswith("segment,diameter_mm,voxel_count,volume_mm3,fraction,cumulative_")
    same_rows(text, expected[1])
    # Several, by identifier and by a name that is the only one; another layer.
    ask(
        files,
        "size_distribution s.seg.nrrd --set number_of_bins=4 --segment Only --segment over "
        "-o t.csv",
    )
    assert capsys.readouterr().out == "wrote t.csv\n"
    text = (files / "t.csv").read_text(encoding="utf-8")
    same_rows(text, np.concatenate([expected[2], size_distribution(over, number_of_bins=4)]))
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["segment"] for row in rows] == ["b/ü b"] * 5 + ["over"] * 5
    # All, as JSON; a list as a parameter.
    ask(files, "size_distribution s.seg.nrrd --set 'Diameters=[1,2.5]' -q -o t.json")
    told = json.loads((files / "t.json").read_text())
    assert list(dict.fromkeys(row["segment"] for row in told)) == [
        "a", "b/ü b", "c", "over", "empty"]  # fmt: skip
    table = size_distribution(image, label=3, diameters=[1, 2.5])
    found = [row for row in told if row["segment"] == "c"]
    assert [row["voxel_count"] for row in found] == table["voxel_count"].tolist()
    assert [row["diameter_mm"] for row in found] == [0.0, 1.0, 2.5]
    assert capsys.readouterr().out == ""


def test_local_histogram(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    volume = read_volume(files / "v.nrrd")
    points = [[5.0, 6.0, 9.0], [12.0, 10.0, 9.0]]
    expected = local_histogram(
        volume, points=points, brush_type="LINE", brush_absolute_diameter=6.0, number_of_bins=5
    )
    (files / "points.json").write_text(json.dumps(points))
    ask(
        files,
        "local_histogram v.nrrd --set Points=@points.json --set BrushType=LINE "
        "--set BrushAbsoluteDiameter=6 --set NumberOfBins=5 --format json -o t.txt",
    )
    assert capsys.readouterr().out == "wrote t.txt\n"
    (row,) = json.loads((files / "t.txt").read_text())
    assert row["counts"] == expected["counts"][0].tolist()
    assert row["auto_threshold"] == expected["auto_threshold"][0]
    line = refused(files, "local_histogram v.nrrd --set Points=[[500,500,500]]", 1, capsys)
    assert "the brush touches no voxel" in line


def test_statistics(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ask(files, "segment_statistics s.seg.nrrd --volume v.nrrd --set Islands=true")
    text = capsys.readouterr().out
    before = os.getcwd()
    os.chdir(files)
    try:
        assert main(["statistics", "s.seg.nrrd", "--volume=v.nrrd", "--set", "Islands=true"]) == 0
    finally:
        os.chdir(before)
    assert capsys.readouterr().out == text
    image = read_segmentation(files / "s.seg.nrrd")
    expected = segment_statistics(image, read_volume(files / "v.nrrd"), islands=True)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["segment"] for row in rows] == ["a", "b/ü b", "c", "over", "empty"]
    assert [row["island_count"] for row in rows[:3]] == [
        str(count) for count in expected["island_count"][:3]
    ]


# -- volumes ---------------------------------------------------------------------------------------


def test_mask_volume(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ask(
        files,
        "mask_volume s.seg.nrrd --volume v.nrrd --segment c --set FillValue=7 "
        "--set SoftEdgeMm=1.5 -o out.nrrd",
    )
    image, volume = read_segmentation(files / "s.seg.nrrd"), read_volume(files / "v.nrrd")
    expected = mask_volume(image, volume, label=3, fill_value=7, soft_edge_mm=1.5)
    found = read_volume(files / "out.nrrd")
    assert_same(to_array(found), to_array(expected))
    assert to_array(found).dtype == np.uint8
    assert found.GetSpacing() == pytest.approx(volume.GetSpacing())
    assert found.GetOrigin() == pytest.approx(volume.GetOrigin())
    low, high = to_array(found).min(), to_array(found).max()
    assert capsys.readouterr().out == (
        f"wrote out.nrrd: c, 16 x 14 x 12, unsigned char, {low} to {high}\n"
    )
    # Of a segment in another layer, without compression, to a header with voxels beside it.
    ask(
        files,
        "mask_volume s.seg.nrrd --volume v.nrrd --segment over -q --no-compression -o out.nhdr "
        "--set Operation=FILL_INSIDE",
    )
    assert capsys.readouterr().out == ""
    expected_array = to_array(volume).copy()
    expected_array[to_array(image, "Labels_1") == 1] = 0
    assert_same(to_array(read_volume(files / "out.nhdr")), expected_array)


def test_split_volume(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image, volume = read_segmentation(files / "s.seg.nrrd"), read_volume(files / "v.nrrd")
    listed = sorted(os.listdir(files))
    ask(files, "split_volume s.seg.nrrd --volume v.nrrd --set PaddingVoxels=2 -o parts")
    told = capsys.readouterr().out.splitlines()
    assert sorted(os.listdir(files)) == sorted([*listed, "parts"])
    # The empty segment has no file; names are such as every file system takes.
    assert sorted(os.listdir(files / "parts")) == ["a.nrrd", "b_ü_b.nrrd", "c.nrrd", "over.nrrd"]
    assert [line.split(":")[0] for line in told] == [
        f"wrote {Path('parts') / name}" for name in ("a.nrrd", "b_ü_b.nrrd", "c.nrrd", "over.nrrd")
    ]
    for name, label in (("a", 1), ("b_ü_b", 2), ("c", 3)):
        expected = split_volume(image, volume, label=label, padding_voxels=2)
        found = read_volume(files / "parts" / f"{name}.nrrd")
        assert_same(to_array(found), to_array(expected))
        corner = [0.0] * 3
        expected.TransformIndexToPhysicalPoint(*expected.GetExtent()[::2], corner)
        assert found.GetOrigin() == pytest.approx(corner)
    # One segment to a file; several to a folder that is there, whose other files stay.
    ask(files, "split_volume s.seg.nrrd --volume v.nrrd --segment c -q -o c.nrrd")
    assert_same(
        to_array(read_volume(files / "c.nrrd")), to_array(split_volume(image, volume, label=3))
    )
    (files / "parts" / "mine.txt").write_text("mine")
    ask(files, "split_volume s.seg.nrrd --volume v.nrrd --segment c --segment a -q -o parts/")
    assert len(os.listdir(files / "parts")) == 5
    assert_same(
        to_array(read_volume(files / "parts" / "c.nrrd")), to_array(read_volume(files / "c.nrrd"))
    )
    assert sorted(os.listdir(files)) == sorted([*listed, "parts", "c.nrrd"])


def test_files_of_like_names_do_not_overwrite_each_other(tmp_path: Path) -> None:
    labels = np.arange(1, 5, dtype=np.uint8).reshape(1, 1, 4).repeat(3, 0).repeat(3, 1)
    rows = [Segment(name, n) for n, name in enumerate(("x/1", "x:1", "X_1", ".."), 1)]
    image = to_image(labels, name="Labels")
    write_segmentation(tmp_path / "s.seg.nrrd", image, segments=rows)
    ask(tmp_path, "label_islands s.seg.nrrd -q -o n")
    assert sorted(os.listdir(tmp_path / "n")) == [
        "X_1_3.nrrd", "segment.nrrd", "x_1.nrrd", "x_1_2.nrrd"]  # fmt: skip
    assert_same(
        to_array(read_volume(tmp_path / "n" / "X_1_3.nrrd")), (labels == 3).astype(np.int32)
    )


def test_local_thickness_and_islands(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = read_segmentation(files / "s.seg.nrrd")
    ask(files, "local_thickness s.seg.nrrd --segment a --set BorderIsWall=true -q -o t.nrrd")
    expected = local_thickness(image, border_is_wall=True)
    assert_same(to_array(read_volume(files / "t.nrrd")), to_array(expected, "Thickness"))
    ask(files, "label_islands s.seg.nrrd --segment a --set Connectivity=26 -o i.nrrd")
    numbers, count = label_islands(image, connectivity=26)
    found = to_array(read_volume(files / "i.nrrd"))
    assert_same(found, to_array(numbers, "Islands"))
    assert capsys.readouterr().out.endswith(f"int, 0 to {count}\n")
    # Of a volume of labels with one value no segment need be named.
    ask(files, "label_islands labels.nrrd -q -o j.nrrd --set MinimumSize=5")
    mask = (blob_labels(SHAPE, 1) == 1).astype(np.uint8)
    assert_same(to_array(read_volume(files / "j.nrrd")), label_islands(mask, minimum_size=5)[0])


# -- refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OF_SEGMENTS)
def test_what_each_refuses(name: str, files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    declared = queries().get(name, LABEL_ISLANDS)
    rest = " --volume v.nrrd" if declared["volume"] else ""
    rest += " --segment a" if declared["input"] == "segment" else ""
    out = " -o out.nrrd" if name in VOLUMES else " -o out.csv"
    good = f"{name} s.seg.nrrd{rest}"
    assert "no parameter 'Nonsense'" in refused(files, f"{good}{out} --set Nonsense=1", 2, capsys)
    assert "Key=Value" in refused(files, f"{good}{out} --set Nonsense", 2, capsys)
    first = declared["parameters"][0]
    line = refused(files, f"{good}{out} --set {first['name']}='{{}}'", 2, capsys)
    assert segmentationcore._registry.snake_case(first["name"]) in line
    assert "none.seg.nrrd: no such file" in refused(
        files, f"{name} none.seg.nrrd{rest}{out}", 1, capsys
    )
    assert "out.xyz: the name must end in" in refused(files, f"{good} -o out.xyz", 2, capsys)
    assert "no such folder" in refused(files, f"{good} -o none/{out.split()[1]}", 1, capsys)
    if declared["volume"]:
        line = refused(files, f"{good.replace('v.nrrd', 'none.nrrd')}{out}", 1, capsys)
        assert "none.nrrd: no such file" in line
        small = to_image(smooth_volume((3, 4, 5), 1))
        write_volume(files / "small.nrrd", small)
        line = refused(files, f"{good.replace('v.nrrd', 'small.nrrd')}{out}", 1, capsys)
        assert name in line or "s.seg.nrrd: segment 'a'" in line
    if declared["input"] == "segment":
        line = refused(files, good.replace("--segment a", "--segment ovr") + out, 2, capsys)
        assert "no such segment; it has a, b/ü b, c, over, empty (did you mean 'over'?)" in line
        line = refused(files, good.replace("--segment a", "--segment Same") + out, 2, capsys)
        assert "2 segments of s.seg.nrrd have this name; give an identifier: a, c" in line
        line = refused(files, f"{good} --segment a{out}", 2, capsys)
        assert "twice" in line
    if name in VOLUMES:
        line = refused(files, good.replace(" --segment a", "") + out, 2, capsys)
        assert "s.seg.nrrd has 5 segments (a, b/ü b, c, over, empty); choose one" in line
        line = refused(files, f"{good} --segment c{out}", 2, capsys)
        assert "one file cannot hold 2 segments" in line
        assert ".seg.nrrd" in refused(files, f"{good} -o out.seg.nrrd", 2, capsys)
        (files / "plain").write_text("a file")
        assert "plain" in refused(files, f"{good} -o plain", 1, capsys)
    else:
        assert "is a folder" in refused(files, f"{good} --format csv -o .", 1, capsys)


def test_a_failure_in_the_middle_leaves_no_folder(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    split = "split_volume s.seg.nrrd --volume v.nrrd --segment a --segment empty -o parts"
    line = refused(files, split, 1, capsys)
    assert "s.seg.nrrd: segment 'empty': " in line
    assert "there is nothing to crop to" in line
    # A folder that was there stays as it was.
    (files / "parts").mkdir()
    (files / "parts" / "a.nrrd").write_text("old")
    refused(files, split, 1, capsys)
    assert os.listdir(files / "parts") == ["a.nrrd"]
    assert (files / "parts" / "a.nrrd").read_text() == "old"


def test_ctrl_c_between_two_segments_leaves_no_folder(
    files: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []

    def once(path: Path, image: Any, **more: Any) -> None:
        if written:
            raise KeyboardInterrupt
        write_volume(path, image, **more)
        written.append(path)

    monkeypatch.setattr("segmentationcore.io.write_volume", once)
    line = refused(files, "label_islands s.seg.nrrd -o parts", 1, capsys)
    assert line.endswith("interrupted; nothing was written")
    assert written[0].name == "a.nrrd"


def test_what_is_missing_is_told(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "local_histogram needs --set Points=" in refused(
        files, "local_histogram v.nrrd -o t.csv", 2, capsys
    )
    write_segmentation(
        files / "none.seg.nrrd", to_image(np.zeros((2, 3, 4), np.uint8), name="Labels"), segments=[]
    )
    assert "none.seg.nrrd has no segments" in refused(
        files, "size_distribution none.seg.nrrd", 1, capsys
    )
    rows = [Segment("e", 1)]
    image = to_image(np.zeros(SHAPE, np.uint8), spacing=SPACING, origin=ORIGIN, name="Labels")
    write_segmentation(files / "none.seg.nrrd", image, segments=rows)
    assert "no segment of it has a voxel" in refused(
        files, "label_islands none.seg.nrrd -o parts/", 1, capsys
    )
    colours = to_image(np.zeros((2, 3, 4), np.uint8))
    from vtkmodules.util.numpy_support import numpy_to_vtk

    colours.GetPointData().SetScalars(numpy_to_vtk(np.zeros((24, 3), np.uint8), deep=True))
    write_volume(files / "colours.nrrd", colours)
    line = refused(files, "local_histogram colours.nrrd --set Points=[[0,0,0]]", 1, capsys)
    assert "colours.nrrd" in line
    assert "3 components" in line
    for text in ("mask_volume s.seg.nrrd -o out.nrrd", "split_volume s.seg.nrrd --volume v.nrrd",
                 "nonsense s.seg.nrrd", "label_islands"):  # fmt: skip
        with pytest.raises(SystemExit) as caught:
            ask(files, text)
        assert caught.value.code == 2
        capsys.readouterr()
