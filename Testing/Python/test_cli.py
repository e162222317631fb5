"""The command line: what it prints, what it writes, how it fails."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import segmentationcore
from sample_data import assert_same, smooth_volume
from segmentationcore import (
    Segment,
    expand_segments,
    margin,
    read_segmentation,
    read_segments,
    read_volume,
    threshold,
    to_array,
    to_image,
    write_segmentation,
    write_volume,
)
from segmentationcore.cli import main

pytestmark = pytest.mark.python

SPACING = (1.5, 0.9, 1.0)


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    image = to_image(smooth_volume((12, 14, 16), 3), spacing=SPACING, origin=(3.0, 2.0, 1.0))
    write_volume(tmp_path / "volume.nrrd", image)
    return tmp_path / "volume.nrrd"


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    command = [sys.executable, "-m", "segmentationcore", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def failing(*arguments: object) -> tuple[int, str]:
    """Exit status and the one line on stderr."""
    done = run(*arguments)
    lines = done.stderr.splitlines()
    assert done.stdout == ""
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("segmentationcore: ")
    return done.returncode, lines[0]


def test_version() -> None:
    done = run("--version")
    assert done.returncode == 0
    assert done.stdout.startswith(
        f"segmentationcore {segmentationcore.__version__} (built for VTK "
    )


def test_help_names_all_commands() -> None:
    done = run("--help")
    assert done.returncode == 0
    commands = ("info", "apply", "replay", "convert", "statistics", "query", "bridge", "demo")
    for command in commands:
        assert re.search(rf"^    {command}\s", done.stdout, re.MULTILINE)


def test_help_waits_for_no_library() -> None:
    code = (
        "import sys; from segmentationcore.cli import make_parser; "
        "text = make_parser().format_help(); print('query' in text, *sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    has_commands, *loaded = done.stdout.split()
    assert has_commands == "True"
    assert not {"numpy", "vtkmodules", "vtk", "tqdm"} & set(loaded)


@pytest.mark.parametrize("command", ["bridge", "demo"])
def test_other_commands_have_their_own_help(command: str) -> None:
    done = run(command, "--help")
    assert done.returncode == 0, done.stderr
    assert f"segmentationcore {command}" in done.stdout


@pytest.mark.parametrize("command", ["bridge", "demo"])
def test_a_missing_module_is_told_with_the_command_that_installs_it(command: str) -> None:
    code = (
        "import sys; sys.modules['msgpack'] = None; from segmentationcore.cli import main; "
        f"sys.exit(main(['{command}', '--help']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    if done.returncode == 0:  # it needs the module only later
        return
    assert done.returncode == 1
    assert 'needs the module msgpack; install it with: pip install "segmentationcore[bridge]"' in (
        done.stderr
    )


def test_no_command_is_a_usage_error() -> None:
    done = run()
    assert done.returncode == 2
    assert "COMMAND" in done.stderr


def test_list_effects(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["apply", "--list-effects"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert "margin: " in text
    assert "MarginSizeMm: a number from -1000000.0 to 1000000.0 mm; default 3.0" in text


def test_info_of_a_volume(volume: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(volume)]) == 0
    text = capsys.readouterr().out
    assert "16 x 14 x 12" in text
    assert "1 x 0.9 x 1.5 mm" in text
    assert main(["info", "--json", str(volume)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["dimensions"] == [16, 14, 12]
    assert told["spacing"] == pytest.approx([1.0, 0.9, 1.5])
    assert told["origin"] == pytest.approx([1.0, 2.0, 3.0])
    assert told["arrays"][0]["type"] == "unsigned char"
    assert told["segments"] == []


def test_apply_one_effect(volume: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.seg.nrrd"
    arguments = [
        "apply",
        str(volume),
        "-o",
        str(out),
        "--effect",
        "threshold",
        "--segment",
        "bright",
    ]
    assert (
        main([*arguments, "--set", "MinimumThreshold=60", "--set", "maximum_threshold=90.5"]) == 0
    )
    expected = threshold(
        smooth_volume((12, 14, 16), 3), minimum_threshold=60, maximum_threshold=90.5
    )
    assert f"bright: 'bright', label 1, {expected.sum()} voxels" in capsys.readouterr().out
    image = read_segmentation(out)
    assert_same(to_array(image, "Labels"), expected)
    (row,) = read_segments(image)
    assert row.id == "bright"
    assert image.GetSpacing() == pytest.approx((1.0, 0.9, 1.5))
    assert sorted(os.listdir(tmp_path)) == ["out.seg.nrrd", "volume.nrrd"]

    # And on from there.
    more = tmp_path / "more.seg.nrrd"
    arguments = ["apply", str(volume), "-o", str(more), "--labels", str(out), "-q"]
    assert (
        main([*arguments, "--effect", "margin", "--segment", "bright", "--set", "MarginSizeMm=-1"])
        == 0
    )
    assert capsys.readouterr().out == ""
    expected = margin(expected, margin_size_mm=-1, spacing=SPACING)
    assert_same(to_array(read_segmentation(more), "Labels"), expected)
    assert main(["info", "--json", str(more)]) == 0
    (told,) = json.loads(capsys.readouterr().out)["segments"]
    assert (told["id"], told["voxels"]) == ("bright", int(expected.sum()))


def test_an_effect_on_all_segments_needs_no_segment(
    volume: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, out = tmp_path / "first.seg.nrrd", tmp_path / "out.seg.nrrd"
    common = ["apply", str(volume), "-q", "-o"]
    effect = ["--effect", "threshold", "--segment", "bright", "--set", "MinimumThreshold=80"]
    assert main([*common, str(first), *effect]) == 0
    expand = ["--labels", str(first), "--effect", "expand_segments", "--set", "ExpansionSizeMm=2"]
    assert main([*common, str(out), *expand]) == 0
    labels = to_array(read_segmentation(first), "Labels")
    expected = expand_segments(labels, expansion_size_mm=2.0, spacing=SPACING)
    assert expected.sum() > labels.sum()
    assert_same(to_array(read_segmentation(out), "Labels"), expected)
    assert main([*common, str(out), *expand, "--segment", "bright"]) == 2
    assert "works on all visible segments" in capsys.readouterr().err


def test_apply_a_file_of_operations(volume: Path, tmp_path: Path) -> None:
    edits = [
        {
            "effect": "add_segment",
            "segment": "a",
            "parameters": {"Name": "Größe", "Color": [1, 0, 0]},
        },
        {
            "effect": "threshold",
            "segment": "a",
            "parameters": {"AutoThresholdMode": "SET_LOWER_MAX"},
        },
        {"effect": "islands", "segment": "a"},
    ]
    (tmp_path / "edits.json").write_text(json.dumps(edits))
    out = tmp_path / "out.seg.nrrd"
    assert (
        main(["apply", str(volume), "-o", str(out), "--operations", str(tmp_path / "edits.json")])
        == 0
    )
    (row,) = read_segments(read_segmentation(out))
    assert (row.name, row.color) == ("Größe", (1.0, 0.0, 0.0))


def test_apply_goes_on_from_a_journal(
    volume: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, journal = tmp_path / "out.seg.nrrd", tmp_path / "edits.journal"
    common = ["apply", str(volume), "-o", str(out), "--journal", str(journal)]
    effect = ["--effect", "threshold", "--segment", "bright", "--set", "MinimumThreshold=60"]
    assert main([*common, *effect]) == 0
    assert f"{journal}: 0 operations restored, 2 added" in capsys.readouterr().out
    assert main([*common, "--effect", "margin", "--segment", "bright"]) == 0
    assert f"{journal}: 2 operations restored, 1 added" in capsys.readouterr().out
    expected = threshold(smooth_volume((12, 14, 16), 3), minimum_threshold=60)
    expected = margin(expected, spacing=SPACING)
    assert_same(to_array(read_segmentation(out), "Labels"), expected)
    # The state alone, after a crash in the middle of a line.
    out.unlink()
    with open(journal, "ab") as file:
        file.write(b'{"apply')
    assert main(common) == 0
    printed = capsys.readouterr()
    assert "3 operations restored, 0 added" in printed.out
    assert printed.err == (
        f"segmentationcore: warning: {journal}: its last line was incomplete and was cut off\n"
    )
    assert_same(to_array(read_segmentation(out), "Labels"), expected)
    # A failure leaves journal and result as they were.
    before = journal.read_bytes(), out.read_bytes()
    status, line = failing(
        *common, "--effect", "islands", "--segment", "s", "--set", "Connectivity=7"
    )
    assert status == 2
    (tmp_path / "edits.json").write_text('{"effect": "margin", "segment": "nobody"}')
    status, line = failing(*common, "--operations", tmp_path / "edits.json")
    assert status == 1
    assert "nobody" in line
    assert (journal.read_bytes(), out.read_bytes()) == before
    # Another volume is refused.
    other = to_image(smooth_volume((12, 14, 16), 4), spacing=SPACING, origin=(3.0, 2.0, 1.0))
    write_volume(tmp_path / "other.nrrd", other)
    status, line = failing("apply", tmp_path / "other.nrrd", "-o", out, "--journal", journal)
    assert status == 1
    assert "another volume" in line
    assert (journal.read_bytes(), out.read_bytes()) == before


def test_replay(volume: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, journal, report = (tmp_path / name for name in ("o.seg.nrrd", "e.journal", "r.md"))
    edited = tmp_path / "edited.seg.nrrd"
    effect = ["--effect", "threshold", "--segment", "bright", "--set", "MinimumThreshold=60"]
    apply = ["apply", str(volume), "-o", str(edited), "--journal", str(journal), "-q"]
    assert main([*apply, *effect]) == 0
    assert capsys.readouterr().out == ""
    fine = np.repeat(np.repeat(np.repeat(smooth_volume((12, 14, 16), 3), 2, 0), 2, 1), 2, 2)
    origin = [o - s / 4 for o, s in zip((3.0, 2.0, 1.0), SPACING, strict=True)]
    image = to_image(fine, spacing=[s / 2 for s in SPACING], origin=origin)
    write_volume(tmp_path / "fine.nrrd", image)
    arguments = ["replay", str(journal), str(tmp_path / "fine.nrrd")]
    assert main([*arguments, "-o", str(out)]) == 0
    assert_same(to_array(read_segmentation(out), "Labels"), (fine >= 60).astype(np.uint8))
    printed = capsys.readouterr().out
    assert "bright: 'bright', " in printed
    assert f"wrote {out}" in printed
    arguments += ["--compare", str(volume), "--report", str(report), "--blocks", "1"]
    assert main([*arguments]) == 0
    printed = capsys.readouterr().out
    assert "Dice 1.0000" in printed
    text = report.read_text(encoding="utf-8")
    assert text.startswith("# Replay of e.journal\n")
    assert "| bright | 1.0000 |" in text
    assert main([*arguments, "-q"]) == 0
    assert capsys.readouterr().out == ""


def test_what_replay_refuses(volume: Path, tmp_path: Path) -> None:
    journal, out = tmp_path / "edits.journal", tmp_path / "out.seg.nrrd"
    effect = ["--effect", "threshold", "--segment", "s"]
    assert (
        main(["apply", str(volume), "-o", str(out), "--journal", str(journal), "-q", *effect]) == 0
    )
    out.unlink()
    (tmp_path / "no.journal").write_text("{}\n")
    before = sorted(os.listdir(tmp_path))
    good = ["replay", journal, volume]
    for arguments, status, culprit in (
        (good, 2, "expected --output, --report or both"),
        ([*good, "-o", tmp_path / "out.nii"], 2, ".seg.nrrd"),
        ([*good, "-o", out, "--compare-labels", out], 2, "--compare"),
        (["replay", tmp_path / "none", volume, "-o", out], 1, "none: no such file"),
        (["replay", journal, tmp_path / "none.nrrd", "-o", out], 1, "none.nrrd: no such file"),
        (["replay", volume, volume, "-o", out], 1, "volume.nrrd: is no journal; expected"),
        (["replay", tmp_path / "no.journal", volume, "-o", out], 1, "is no journal"),
        ([*good, "-o", tmp_path / "none" / "o.seg.nrrd"], 1, "no such folder"),
        ([*good, "--report", tmp_path / "none" / "r.md"], 1, "no such folder"),
        (["apply", volume, "-o", out], 2, "expected --operations, --effect or --journal"),
    ):
        told, line = failing(*arguments)
        assert told == status, line
        assert culprit in line
    assert sorted(os.listdir(tmp_path)) == before


def test_convert(volume: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = tmp_path / "copy.nhdr"
    assert main(["convert", str(volume), str(copy), "--no-compression"]) == 0
    assert_same(to_array(read_volume(copy)), to_array(read_volume(volume)))
    # A volume of labels becomes a segmentation, and a segmentation a volume.
    labels = np.zeros((4, 5, 6), np.int16)
    labels[1] = 300
    labels[2] = 2
    write_volume(tmp_path / "atlas.nrrd", to_image(labels, spacing=SPACING))
    assert main(["convert", str(tmp_path / "atlas.nrrd"), str(tmp_path / "atlas.seg.nrrd")]) == 0
    image = read_segmentation(tmp_path / "atlas.seg.nrrd")
    assert sorted(row.label_value for row in read_segments(image)) == [2, 300]
    assert_same(to_array(image, "Labels"), labels)
    assert main(["convert", str(tmp_path / "atlas.seg.nrrd"), str(tmp_path / "back.nrrd")]) == 0
    assert_same(to_array(read_volume(tmp_path / "back.nrrd")), labels)


def test_usage_errors(volume: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.seg.nrrd"
    apply = ["apply", volume, "-o", out]
    for arguments, culprit in (
        ([*apply, "--effect", "margn", "--segment", "s"], "did you mean 'margin'"),
        ([*apply, "--effect", "margin"], "--segment"),
        ([*apply, "--effect", "margin", "--segment", "s", "--set", "MarginSizeMm"], "Key=Value"),
        (
            [*apply, "--effect", "margin", "--segment", "s", "--set", "Size=1"],
            "no parameter 'Size'",
        ),
        (
            [*apply, "--effect", "margin", "--segment", "s", "--set", "MarginSizeMm=x"],
            "MarginSizeMm is 'x'",
        ),
        (
            [*apply, "--effect", "margin", "--segment", "s", "--set", "MarginSizeMm=1e9"],
            "MarginSizeMm",
        ),
        (
            ["apply", volume, "-o", tmp_path / "out.nii", "--effect", "margin", "--segment", "s"],
            ".seg.nrrd",
        ),
        ([*apply, "--operations", volume, "--segment", "s"], "--segment"),
    ):
        status, line = failing(*arguments)
        assert status == 2, line
        assert culprit in line
    assert os.listdir(tmp_path) == ["volume.nrrd"]


def test_failures(volume: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.nrrd").write_bytes(b"NRRD0004\ntype: uint8\ndimension: 3\nsizes: 9 9 9\n")
    (tmp_path / "broken.json").write_text("[{]")
    before = sorted(os.listdir(tmp_path))
    out = tmp_path / "out.seg.nrrd"
    effect = ["--effect", "threshold", "--segment", "s"]
    for arguments, culprit in (
        (["info", tmp_path / "none.nrrd"], "none.nrrd: no such file"),
        (["info", tmp_path], "folder"),
        (["info", tmp_path / "broken.nrrd"], "broken.nrrd"),
        (["info", tmp_path / "broken.json"], "broken.json"),
        (["apply", tmp_path / "none.nrrd", "-o", out, *effect], "none.nrrd: no such file"),
        (["apply", volume, "-o", tmp_path / "none" / "out.seg.nrrd", *effect], "no such folder"),
        (["apply", volume, "-o", out, "--operations", tmp_path / "broken.json"], "not valid JSON"),
        (["convert", volume, tmp_path / "out.xyz"], "out.xyz"),
    ):
        status, line = failing(*arguments)
        assert status == 1, line
        assert culprit in line
    assert sorted(os.listdir(tmp_path)) == before


def test_an_operation_that_fails_writes_nothing(volume: Path, tmp_path: Path) -> None:
    (tmp_path / "edits.json").write_text('{"effect": "margin", "segment": "nobody"}')
    out = tmp_path / "out.seg.nrrd"
    out.write_text("old")
    status, line = failing("apply", volume, "-o", out, "--operations", tmp_path / "edits.json")
    assert status == 1
    assert "nobody" in line
    assert out.read_text() == "old"


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.2, 0.3, 1.0, 2.0])
def test_ctrl_c_leaves_no_partial_file(tmp_path: Path, seconds: float) -> None:
    small = smooth_volume((20, 35, 30), 3)
    write_volume(tmp_path / "volume.nrrd", to_image(np.tile(small, (12, 8, 9))), compress=False)
    edits = [
        {"effect": "add_segment", "segment": "s"},
        {"effect": "threshold", "segment": "s", "parameters": {"MinimumThreshold": 50}},
        *[{"effect": "margin", "segment": "s", "parameters": {"MarginSizeMm": n}} for n in (3, -3)]
        * 200,
    ]
    (tmp_path / "edits.json").write_text(json.dumps(edits))
    before = sorted(os.listdir(tmp_path))
    command = [sys.executable, "-m", "segmentationcore", "apply", str(tmp_path / "volume.nrrd")]
    command += ["-o", str(tmp_path / "out.seg.nrrd"), "--operations", str(tmp_path / "edits.json")]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        time.sleep(seconds)
        assert process.poll() is None, "it was done too soon; make the volume larger"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert out == ""
    # While Python itself starts nobody catches it.
    if "Traceback" not in err:
        assert process.returncode == 1
        assert len(err.splitlines()) == 1
        assert "interrupted; nothing was" in err
    assert sorted(os.listdir(tmp_path)) == before


def test_a_closed_pipe_is_no_traceback(volume: Path) -> None:
    command = f"{sys.executable} -m segmentationcore apply --list-effects | head -1"
    done = subprocess.run(
        command, shell=True, capture_output=True, text=True, timeout=60, check=False
    )
    assert "Traceback" not in done.stderr


def test_hidden_segments_and_names_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = to_image(np.ones((2, 3, 4), np.uint8), name="Labels")
    rows = [Segment("a", 1, name="A name", visible=False, color=(1.0, 0.0, 0.0))]
    write_segmentation(tmp_path / "a.seg.nrrd", image, segments=rows)
    assert read_segments(image) == ()
    assert main(["info", str(tmp_path / "a.seg.nrrd")]) == 0
    text = capsys.readouterr().out
    assert "a: 'A name', layer 0, label 1, #ff0000, 24 voxels, 24 mm3" in text
