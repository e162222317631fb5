"""The demonstration's data, its comparisons, and its care for the programs it starts.

Truth: hashes that were computed once and have to be the same on every machine; a Gaussian filter of
SciPy for the statistics of the rock; left and right, front and back of the real volumes by anatomy.
"""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from segmentationcore.bridge.protocol import Volume
from segmentationcore.bridge.snapshot import Snapshot
from segmentationcore.demo import checks, data, processes, rock, run
from segmentationcore.demo.sequences import TASKS

pytestmark = pytest.mark.python


# -- rock ----------------------------------------------------------------------------------------


def test_rock_is_the_same_everywhere() -> None:
    voxels = rock.rock(40, seed=7).astype("<u2")
    assert hashlib.sha256(voxels.tobytes()).hexdigest() == ROCK_HASH


ROCK_HASH = "6c11d4e4c54a30fe6527df279be90fcdc3e171c9a49fe73efb2f75822609109b"


def test_rock_depends_on_the_seed() -> None:
    assert (rock.rock(16, seed=1) != rock.rock(16, seed=2)).mean() > 0.9


def test_rock_does_not_depend_on_how_it_is_cut_into_slabs(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = rock.rock(40)
    monkeypatch.setattr(rock, "_SLAB", 7)
    np.testing.assert_array_equal(rock.rock(40), whole)


def test_fields_are_gaussian_with_the_deviation_that_the_levels_assume() -> None:
    field = rock._Field(5, 2, -3, 93)
    values = field.planes(0, 90).astype(float)
    # A correlation length of 2.5 voxels leaves some 50,000 independent values.
    assert abs(values.mean()) < 0.02 * field.deviation
    assert values.std() == pytest.approx(field.deviation, rel=0.02)
    below = (values < -0.55 * field.deviation).mean()
    assert below == pytest.approx(0.291, abs=0.01)  # the normal distribution's


def test_rock_has_three_phases_in_the_intended_shares() -> None:
    voxels = rock.rock(128)
    middle = (rock.PORE + rock.QUARTZ) // 2, (rock.QUARTZ + rock.HEAVY) // 2
    shares = np.histogram(voxels, [0, *middle, 65536])[0] / voxels.size
    assert 0.22 < shares[0] < 0.38
    assert 0.05 < shares[2] < 0.16


def test_rock_file_holds_the_rock(tmp_path: Path) -> None:
    data.write_rock(tmp_path / "rock.nrrd", 24, seed=3)
    header, _, body = (tmp_path / "rock.nrrd").read_bytes().partition(b"\n\n")
    assert b"sizes: 24 24 24\n" in header
    assert b"space directions: (0.5,0.0,0.0) (0.0,0.5,0.0) (0.0,0.0,0.6)\n" in header
    found = np.frombuffer(body, "<u2").reshape(24, 24, 24)
    np.testing.assert_array_equal(found, rock.rock(24, seed=3))


@pytest.mark.parametrize("size", [7, 5000])
def test_rock_of_an_unreasonable_size_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match=f"{size} voxels"):
        rock.rock(size)


# -- real volumes --------------------------------------------------------------------------------


def needs(path: Path) -> Path:
    found = data.located(path)
    if not found.is_file():
        pytest.skip(f"{data.PACKAGES[path]} is not installed")
    return found


def test_missing_data_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = Path("/nowhere/Cranium.inv3")
    monkeypatch.setitem(data.PACKAGES, missing, "invesalius-examples")
    with pytest.raises(data.DataError, match="apt-get install invesalius-examples"):
        data.require(missing)


def test_ct_stands_upright() -> None:
    ct = data.read_ct(needs(data.CT_FILE))
    assert ct.voxels.shape == (108, 256, 256)
    np.testing.assert_allclose(np.diag(ct.axes), [0.9570312, 0.9570312, 1.5])
    bone = np.argwhere(ct.voxels > 300)[:, ::-1]
    positions = bone @ ct.axes + ct.origin
    top = positions[positions[:, 2] > np.percentile(positions[:, 2], 95)]
    # Superior is up: the vault is narrow at the top, where the skull ends within the volume.
    assert np.ptp(top[:, 0]) < 0.8 * np.ptp(positions[:, 0])
    # The nose is in front: in the lowest planes, what reaches out on the middle line is anterior.
    head = np.argwhere(ct.voxels[:10] > -300)[:, ::-1] @ ct.axes + ct.origin
    middle = head[np.abs(head[:, 0] - np.median(head[:, 0])) < 8]
    beside = head[np.abs(head[:, 0] - np.median(head[:, 0])) > 25]
    assert middle[:, 1].min() < beside[:, 1].min() - 5  # LPS: anterior is negative


def test_atlas_is_not_mirrored(tmp_path: Path) -> None:
    """Names with _L lie on the left, in the file that is written and in the head it belongs to."""
    needs(data.ATLAS_FILE)
    number = data.write_atlas(tmp_path / "atlas.seg.nrrd")
    found = checks.read_seg_nrrd(tmp_path / "atlas.seg.nrrd")
    segments = found.segments()
    assert number == len(segments) == 116
    sides = 0
    places = dict(data.places_by_label(found.labels))
    for row in segments:
        k, j, i = places[int(row["LabelValue"])]
        right = (np.stack([i, j, k], 1).mean(0) @ found.axes + found.origin)[0]
        if row["ID"].endswith(("_L", "_R")):
            assert (right < 0) == row["ID"].endswith("_L"), row["ID"]
            sides += 1
    assert sides == 108


def test_atlas_lies_in_the_head() -> None:
    head = data.read_nifti(needs(data.HEAD_FILE))
    atlas = data.read_nifti(needs(data.ATLAS_FILE))
    places = np.argwhere(atlas.voxels > 0)[:, ::-1] @ atlas.axes + atlas.origin
    index = np.rint((places - head.origin) @ np.linalg.inv(head.axes)).astype(int)
    size = np.array(head.voxels.shape[::-1])
    inside = ((index >= 0) & (index < size)).all(1)
    assert inside.all()
    i, j, k = index.T
    assert (head.voxels[k, j, i] > 20).mean() > 0.95  # brain, not air


def test_head_stands_upright() -> None:
    head = data.read_nifti(needs(data.HEAD_FILE))
    positions = np.argwhere(head.voxels > 60)[::50, ::-1] @ head.axes + head.origin
    # The nose is lower than the back of the head: the most anterior tenth lies below the rest.
    front = positions[positions[:, 1] < np.percentile(positions[:, 1], 2)]
    back = positions[positions[:, 1] > np.percentile(positions[:, 1], 98)]
    assert front[:, 2].mean() < back[:, 2].mean() + 20


def test_places_by_label() -> None:
    labels = np.array([[[0, 3], [1, 0]], [[3, 3], [0, 0]]], np.uint8)
    found = {label: np.stack(place, 1).tolist() for label, place in data.places_by_label(labels)}
    assert found == {1: [[0, 1, 0]], 3: [[0, 0, 1], [1, 0, 0], [1, 0, 1]]}


def test_broken_projects_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "broken.inv3"
    path.write_bytes(b"no archive")
    with pytest.raises(data.DataError, match="not an InVesalius project"):
        data.read_ct(path)


# -- comparisons ---------------------------------------------------------------------------------


@pytest.fixture
def snapshot() -> Snapshot:
    """Two segments on an anisotropic, turned lattice with an extent that does not begin at 0."""
    labels = np.zeros((5, 6, 7), np.uint8)
    labels[1:3, 2:5, 1:6] = 1
    labels[3, 2:4, 2:4] = 2
    volume = Volume(
        (10, 16, -2, 3, 0, 4), (1.5, -20.0, 7.0), (0.5, 0.75, 2.0), (0, -1, 0, 1, 0, 0, 0, 0, 1)
    )
    colors = np.array([[0.25, 0.5, 1.0], [1.0, 0.5, 0.0]])
    return Snapshot(
        labels[np.newaxis], volume, ("a", "b"), ("Alpha", "Beta"), colors, (0, 0), (1, 2)
    )


def write(path: Path, snapshot: Snapshot, labels: np.ndarray, first: tuple[int, ...] = (0, 0, 0)):
    """The snapshot's table with these labels, which begin at an index inside its extent."""
    volume = snapshot.volume
    axes = (np.reshape(volume.directions, (3, 3)) * np.array(volume.spacing)).T
    start = np.reshape(volume.extent, (3, 2))[:, 0] + np.array(first)
    to_lps = np.array([-1.0, -1.0, 1.0])
    origin = (np.array(volume.origin) + start @ axes) * to_lps
    fields = {}
    for index, key in enumerate(snapshot.ids):
        fields |= {
            f"Segment{index}_ID": key,
            f"Segment{index}_Name": snapshot.names[index],
            f"Segment{index}_Color": " ".join(str(part) for part in snapshot.colors[index]),
            f"Segment{index}_LabelValue": str(snapshot.label_values[index]),
        }
    data.write_nrrd(path, data.Volume(labels, axes * to_lps, origin), fields)


def test_equal_files_are_equal(tmp_path: Path, snapshot: Snapshot) -> None:
    write(tmp_path / "a.seg.nrrd", snapshot, snapshot.labels[0])
    check = checks.compare_file("same", snapshot, tmp_path / "a.seg.nrrd")
    assert check.equal, check.sentence()
    assert check.sentence() == "same: all 210 voxels equal"


def test_cropped_files_are_equal(tmp_path: Path, snapshot: Snapshot) -> None:
    write(tmp_path / "a.seg.nrrd", snapshot, snapshot.labels[0, 1:4, 2:5, 1:6], (1, 2, 1))
    assert checks.compare_file("cropped", snapshot, tmp_path / "a.seg.nrrd").equal


def test_a_layer_that_is_missing_is_found(tmp_path: Path, snapshot: Snapshot) -> None:
    write(tmp_path / "a.seg.nrrd", snapshot, snapshot.labels[0])
    two = dataclasses.replace(snapshot, labels=np.concatenate([snapshot.labels] * 2))
    check = checks.compare_file("layers", two, tmp_path / "a.seg.nrrd")
    assert not check.equal
    assert "one layer of labels, expected 2" in check.sentence()


def test_one_different_voxel_is_found(tmp_path: Path, snapshot: Snapshot) -> None:
    labels = snapshot.labels[0].copy()
    labels[4, 5, 6] = 2
    write(tmp_path / "a.seg.nrrd", snapshot, labels)
    check = checks.compare_file("one", snapshot, tmp_path / "a.seg.nrrd")
    assert not check.equal
    assert check.different == 1
    assert "i=6 j=5 k=4: 2, expected 0" in check.sentence()


def test_cropping_away_a_voxel_is_found(tmp_path: Path, snapshot: Snapshot) -> None:
    write(tmp_path / "a.seg.nrrd", snapshot, snapshot.labels[0, 1:3, 2:5, 1:6], (1, 2, 1))
    assert checks.compare_file("cut", snapshot, tmp_path / "a.seg.nrrd").different == 4


@pytest.mark.parametrize("what", ["mirrored", "shifted", "half a voxel", "spacing"])
def test_another_place_is_found(tmp_path: Path, snapshot: Snapshot, what: str) -> None:
    write(tmp_path / "a.seg.nrrd", snapshot, snapshot.labels[0])
    header, _, body = (tmp_path / "a.seg.nrrd").read_bytes().partition(b"\n\n")
    text = header.decode()
    before = text
    if what == "mirrored":
        text = text.replace("left-posterior-superior", "right-anterior-superior")
    else:
        lines = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)
        origin = lines["space origin"]
        z = float(origin.strip("()").split(",")[2])
        if what == "spacing":
            text = text.replace("2.0)", "2.01)", 1)
        else:
            moved = z + (2.0 if what == "shifted" else 1.0)
            text = text.replace(origin, f"{origin.rpartition(',')[0]},{moved})")
    assert text != before
    (tmp_path / "a.seg.nrrd").write_bytes(text.encode() + b"\n\n" + body)
    assert not checks.compare_file(what, snapshot, tmp_path / "a.seg.nrrd").equal


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Segment0_Name:=Alpha", "Segment0_Name:=Omega"),
        ("Segment1_LabelValue:=2", "Segment1_LabelValue:=3"),
        ("Segment0_Color:=0.25", "Segment0_Color:=0.26"),
        ("Segment0_ID:=a", "Segment0_ID:=z"),
        ("Segment1_ID:=b", "Unknown:=b"),
    ],
)
def test_another_table_is_found(
    tmp_path: Path, snapshot: Snapshot, before: str, after: str
) -> None:
    path = tmp_path / "a.seg.nrrd"
    write(path, snapshot, snapshot.labels[0])
    content = path.read_bytes()
    assert before.encode() in content
    path.write_bytes(content.replace(before.encode(), after.encode(), 1))
    check = checks.compare_file("table", snapshot, path)
    assert not check.equal
    assert check.different == 0  # the voxels are right


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"NRRD0004\ndimension: 3\n\n",
        b"NRRD0004\ntype: uchar\ndimension: 3\nspace: left-posterior-superior\nsizes: 9 9 9\n"
        b"space directions: (1,0,0) (0,1,0) (0,0,1)\nspace origin: (0,0,0)\nencoding: gzip\n\n"
        + gzip.compress(b"short"),
    ],
)
def test_files_that_cannot_be_read_are_not_equal(
    tmp_path: Path, snapshot: Snapshot, content: bytes
) -> None:
    path = tmp_path / "a.seg.nrrd"
    path.write_bytes(content)
    assert not checks.compare_file("broken", snapshot, path).equal
    assert not checks.compare_file("absent", snapshot, tmp_path / "absent.seg.nrrd").equal


def test_slicer_that_finds_a_difference_fails_the_check(tmp_path: Path) -> None:
    path = tmp_path / "check.json"
    assert not run.slicer_check("absent", path).equal
    path.write_text(
        '{"equal": false, "problems": ["a: 3 voxels differ"], "voxels_compared": 9,'
        ' "segments": [{"voxels_different": 3}]}'
    )
    check = run.slicer_check("different", path)
    assert (check.equal, check.different) == (False, 3)
    path.write_text('{"equal": true, "problems": [], "voxels_compared": 9, "segments": []}')
    assert run.slicer_check("equal", path).equal


# -- sequences -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(TASKS))
def test_sequences_keep_to_the_schema(name: str) -> None:
    from segmentationcore import validate_operations

    task = TASKS[name]
    operations = [*task.operations, task.slicer_operation]
    assert validate_operations(operations) == operations


# -- programs ------------------------------------------------------------------------------------

SLEEPER = """
import os, subprocess, sys, time
child = subprocess.Popen(["sleep", "300"], process_group=0 if sys.version_info >= (3, 11) else None)
open(sys.argv[1], "w").write(f"{os.getpid()} {child.pid}")
time.sleep(300)
"""


def is_running(number: int) -> bool:
    try:
        stat = Path(f"/proc/{number}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def wait_for_file(path: Path) -> list[int]:
    deadline = time.monotonic() + 20
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return [int(word) for word in path.read_text().split()]


def test_programs_end_with_everything_they_started(tmp_path: Path) -> None:
    numbers: list[int] = []

    def fail_in_between() -> None:
        with processes.Programs(tmp_path) as programs:
            programs.start("sleeper", [sys.executable, "-c", SLEEPER, str(tmp_path / "pids")])
            numbers.extend(wait_for_file(tmp_path / "pids"))
            assert all(is_running(number) for number in numbers)
            raise RuntimeError("in between")

    with pytest.raises(RuntimeError, match="in between"):
        fail_in_between()
    assert len(numbers) == 2
    assert not any(is_running(number) for number in numbers)


def test_programs_end_when_the_demonstration_is_told_to(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from segmentationcore.demo.processes import Programs, signals_as_interrupts\n"
        "with signals_as_interrupts(), Programs(Path(sys.argv[1])) as programs:\n"
        f"    programs.run('sleeper', [sys.executable, '-c', {SLEEPER!r}, sys.argv[2]], seconds=60)"
    )
    arguments = [str(tmp_path), str(tmp_path / "pids")]
    with subprocess.Popen(
        [sys.executable, "-c", script, *arguments], stderr=subprocess.DEVNULL
    ) as process:
        numbers = wait_for_file(tmp_path / "pids")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) != 0
    assert not any(is_running(number) for number in numbers)


def test_a_program_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    with (
        processes.Programs(tmp_path) as programs,
        pytest.raises(processes.DemoError, match=r"did not end within 0\.3 s"),
    ):
        programs.run("sleep", ["sleep", "300"], seconds=0.3)


def test_the_log_of_a_program_that_fails_is_shown(tmp_path: Path) -> None:
    with (
        processes.Programs(tmp_path) as programs,
        pytest.raises(processes.DemoError, match=r"exit status 3(.|\n)*no such luck"),
    ):
        programs.run("bad", ["sh", "-c", "echo no such luck; exit 3"], seconds=20)


def test_a_program_that_vanishes_while_it_is_asked_is_reported(tmp_path: Path) -> None:
    with processes.Programs(tmp_path) as programs:
        talker = processes.Talker(programs, "mute", ["sh", "-c", "read line; exit 4", "mute"], {})
        try:
            with pytest.raises(processes.DemoError, match="ended during 'hello'"):
                talker.ask("hello", seconds=20)
        finally:
            talker.close()


def test_files_of_the_command_line_have_to_be_there(tmp_path: Path) -> None:
    os.environ.pop("SEGMENTATIONCORE_PLUGIN", None)
    with pytest.raises(SystemExit) as failure:
        run.parse_arguments(["--plugin", str(tmp_path / "absent.so")])
    assert failure.value.code == 2
