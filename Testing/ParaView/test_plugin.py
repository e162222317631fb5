"""The plugin in real ParaView: pvserver with several ranks under MPI, and a pvpython client.

Each scenario of plugin_session.py runs once without a server and once with 1, 2, 3 and 4 ranks; it
writes what it found as JSON, and the assertions are here. Truth: NumPy where a voxel can be said
without us, and the session without server for the rest: no label may differ by the number of
ranks. ``SEGMENTATIONCORE_PARAVIEW_BUILD`` is the build folder, ``SEGMENTATIONCORE_PICTURES`` names
a folder to keep the pictures in.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import zlib
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

HERE = Path(__file__).resolve()
ROOT = HERE.parents[2]
BUILD = Path(os.environ.get("SEGMENTATIONCORE_PARAVIEW_BUILD", ROOT / "build" / "paraview"))
EFFECTS = ROOT / "SegmentationCore" / "Effects"
GENERATOR = ROOT / "SegmentationCore" / "CMake" / "generate_effects.py"
RANKS = (1, 2, 3, 4)

pytestmark = pytest.mark.paraview

SETUP = """{missing} is missing. Set ParaView and the plugin up with
    apt-get install paraview paraview-dev openmpi-bin xvfb
    cmake --preset paraview && cmake --build --preset paraview
or leave these tests out with -m "not paraview"."""


def _found(program: str) -> str:
    path = shutil.which(program)
    if not path:
        pytest.fail(SETUP.format(missing=program), pytrace=False)
    return path


def _plugin() -> str:
    found = sorted((BUILD / "lib").glob("**/SegmentationCore.so"))
    if not found:
        pytest.fail(SETUP.format(missing=f"{BUILD}/lib/**/SegmentationCore.so"), pytrace=False)
    return str(found[-1])


def _session_members(session: int) -> list[int]:
    """Processes of a session: Open MPI puts each rank into a process group of its own."""
    members = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            # The name, in parentheses, may hold blanks.
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) == session and fields[0] != "Z":
                members.append(int(entry.name))
    return members


class Program:
    """A program with a session of its own and a log, gone with all it started at the end."""

    def __init__(self, command: list[str], log: Path, environment: dict[str, str]) -> None:
        self.log = log
        with log.open("wb") as stream:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )

    def text(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def alive(self) -> bool:
        return self.process.poll() is None

    def end(self) -> None:
        if self.alive():
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(5.0)
        for number in (signal.SIGTERM, signal.SIGKILL):
            for member in _session_members(self.process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(member, number)
            deadline = time.monotonic() + 3.0
            while _session_members(self.process.pid) and time.monotonic() < deadline:
                time.sleep(0.05)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(3.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the scenarios."""
    chosen = os.environ.get("SEGMENTATIONCORE_PICTURES")
    folder = Path(chosen) / "paraview" if chosen else tmp_path_factory.mktemp("paraview")
    folder.mkdir(parents=True, exist_ok=True)
    write_files(folder)
    return folder


@pytest.fixture(scope="module")
def environment(folder: Path) -> Iterator[dict[str, str]]:
    """An environment with a display: Debian's ParaView cannot render without one."""
    result = dict(os.environ)
    result |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    for name in ("PYTHONPATH", "PYTHONHOME"):
        result.pop(name, None)
    number = folder / "display"
    number.unlink(missing_ok=True)
    # Xvfb chooses a free number and writes it to the file descriptor.
    # It must not start afresh whenever its last client leaves: the next one would be refused.
    options = "-displayfd 3 -screen 0 800x600x24 -nolisten tcp -noreset"
    command = f'exec "{_found("Xvfb")}" {options} 3>"{number}"'
    display = Program(["/bin/sh", "-c", command], folder / "xvfb.log", result)
    try:
        deadline = time.monotonic() + 20.0
        while not (number.exists() and number.read_text().strip()):
            assert display.alive(), display.text()
            assert time.monotonic() < deadline, "Xvfb does not start"
            time.sleep(0.05)
        result["DISPLAY"] = ":" + number.read_text().strip()
        yield result
    finally:
        display.end()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running_server(ranks: int, folder: Path, environment: dict[str, str]) -> Iterator[int]:
    """pvserver with that many ranks; gives its port, and sees to it that it lived to the end."""
    server = None
    for _ in range(3):  # somebody else may take the port first
        port = _free_port()
        command = [_found("mpirun"), "--oversubscribe", "-np", str(ranks), _found("pvserver")]
        command += [f"--server-port={port}", "--force-offscreen-rendering", "--timeout=10"]
        server = Program(command, folder / f"pvserver_{ranks}.log", environment)
        deadline = time.monotonic() + 60.0
        # Looking at the log: a trial connection would be taken for the client.
        while server.alive() and "Accepting connection" not in server.text():
            if time.monotonic() > deadline:
                server.end()
                pytest.fail(f"pvserver does not start:\n{server.text()[-3000:]}")
            time.sleep(0.05)
        if server.alive():
            break
        server.end()
    assert server is not None
    assert server.alive(), f"pvserver does not start:\n{server.text()[-3000:]}"
    try:
        yield port
    finally:
        server.end()


Session = Callable[[str, int], dict[str, Any]]


@pytest.fixture(scope="module")
def session(folder: Path, environment: dict[str, str]) -> Session:
    """session(scenario, ranks): what a scenario found; 0 ranks mean that there is no server."""
    known: dict[tuple[str, int], dict[str, Any] | str] = {}

    def run(scenario: str, ranks: int) -> dict[str, Any]:
        if (scenario, ranks) not in known:
            # A session that failed once is not tried again.
            known[scenario, ranks] = f"{scenario} with {ranks} ranks failed, see the first failure"
            command = [_found("pvpython"), "--force-offscreen-rendering"]
            command += [str(HERE.with_name("plugin_session.py")), scenario, str(folder), _plugin()]
            command.append(str(max(1, ranks)))
            with contextlib.ExitStack() as stack:
                if ranks:
                    port = stack.enter_context(running_server(ranks, folder, environment))
                    command.append(str(port))
                client = Program(command, folder / f"client_{scenario}_{ranks}.log", environment)
                stack.callback(client.end)
                try:
                    client.process.wait(120.0)
                except subprocess.TimeoutExpired:
                    pytest.fail(f"{scenario} with {ranks} ranks hangs:\n{client.text()[-3000:]}")
            assert client.process.returncode == 0, client.text()[-4000:]
            name = f"{scenario}_{ranks or 'serial'}.json"
            known[scenario, ranks] = json.loads((folder / name).read_text(encoding="utf-8"))
        result = known[scenario, ranks]
        assert not isinstance(result, str), result
        return result

    return run


# -- files -----------------------------------------------------------------------------------------

SIZES = (11, 9, 13)  # x, y, z
# Columns: the steps along i, j, k in LPS millimetres. Oblique (3-4-5), anisotropic, left-handed.
STEPS_LPS = np.array(
    [[0.6 * 0.5, -0.8 * 1.25, 0.0], [0.8 * 0.5, 0.6 * 1.25, 0.0], [0.0, 0.0, -2.0]]
)
ORIGIN_LPS = np.array([10.0, -20.5, 3.25])
TO_RAS = np.diag([-1.0, -1.0, 1.0])


def volume_values() -> np.ndarray:
    z, y, x = np.indices(SIZES[::-1])
    return (x + 2 * (y % 3) + 3 * (z % 4)).astype("<i2")


def label_values() -> np.ndarray:
    z, y, x = np.indices(SIZES[::-1])
    return np.where((x > 2) & (x < 6) & (y > 3) & (z > 2), 2, np.where(x > 8, 5, 0)).astype("<u1")


def write_nrrd(
    file: Path, values: np.ndarray, steps: np.ndarray, origin: np.ndarray, extra: str = ""
) -> None:
    """A raw NRRD file in LPS, as anybody could write it."""
    kind = {"<i2": "int16", "|u1": "uint8"}[values.dtype.str]
    columns = [f"({', '.join(repr(float(v)) for v in steps[:, a])})" for a in range(3)]
    header = f"""NRRD0004
type: {kind}
dimension: 3
space: left-posterior-superior
sizes: {" ".join(str(n) for n in values.shape[::-1])}
space directions: {" ".join(columns)}
kinds: domain domain domain
endian: little
encoding: raw
space origin: ({", ".join(repr(float(v)) for v in origin)})
{extra}
"""
    file.write_bytes(header.encode() + np.ascontiguousarray(values).tobytes())


def write_files(folder: Path) -> None:
    write_nrrd(folder / "volume.nrrd", volume_values(), STEPS_LPS, ORIGIN_LPS)
    content = (folder / "volume.nrrd").read_bytes()
    (folder / "cut.nrrd").write_bytes(content[:-100])
    segments = "".join(
        f"Segment{row}_ID:=Segment_{label}\nSegment{row}_Name:=Name {label}\n"
        f"Segment{row}_Color:=0.5 0.25 {row}\nSegment{row}_LabelValue:={label}\n"
        f"Segment{row}_Layer:=0\n"
        for row, label in enumerate((5, 2))
    )
    write_nrrd(folder / "labels.seg.nrrd", label_values(), STEPS_LPS, ORIGIN_LPS, segments)
    # Two balls; in RAS the first lies left and below, the second right (larger x) and above.
    size, radius = 48, 9.0
    z, y, x = np.indices((size, size, size)) - size / 2 + 0.5
    balls = np.zeros((size, size, size), "<i2")
    # The file is LPS with steps of one: RAS x is minus LPS x.
    balls[(x - 12) ** 2 + y**2 + (z + 8) ** 2 <= radius**2] = 1
    balls[(x + 12) ** 2 + y**2 + (z - 8) ** 2 <= radius**2] = 2
    first = np.full(3, -size / 2 + 0.5)
    write_nrrd(folder / "balls.nrrd", balls, np.eye(3), first)


# -- the registry ----------------------------------------------------------------------------------

READERS = ("RASVolumeReader", "LabelMapNrrdReader")
TOOLS = (
    "LabelMapEditor",
    "LabelMapIslandNumbers",
    "LabelMapRegionCollector",
    "LabelMapSurface",
)


def declarations() -> list[dict[str, Any]]:
    """What the declarations say, as the generator reads them."""
    specification = importlib.util.spec_from_file_location("generate_effects", GENERATOR)
    assert specification
    assert specification.loader
    generator = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(generator)
    effects = generator.load_effects(EFFECTS)
    return [*generator.voxel_effects(effects), *generator.queries(effects)]


def effect_parameters() -> list[Any]:
    return [
        pytest.param(effect, parameter, id=f"{effect['identifier']}-{parameter['name']}")
        for effect in declarations()
        for parameter in effect["parameters"]
    ]


@pytest.fixture(scope="module")
def proxies(session: Session, folder: Path) -> dict[str, Any]:
    names = [effect["class"].removeprefix("vtk") for effect in declarations()]
    (folder / "proxies.json").write_text(json.dumps([*names, *TOOLS, *READERS]), encoding="utf-8")
    return session("proxies", 0)


def test_the_same_proxies_exist_with_a_server(proxies: dict[str, Any], session: Session) -> None:
    assert session("proxies", 2) == proxies


@pytest.mark.parametrize("effect", declarations(), ids=lambda effect: effect["identifier"])
def test_every_effect_has_a_proxy(effect: dict[str, Any], proxies: dict[str, Any]) -> None:
    proxy = proxies[effect["class"].removeprefix("vtk")]
    assert proxy["class"] == effect["class"]
    assert proxy["group"] == "filters"
    expected = {parameter["name"] for parameter in effect["parameters"]}
    expected |= {"Input", "ScalarArray", "LastError"}
    if effect.get("volume"):
        expected |= {"Volume", "VolumeArray"}
    if effect.get("incremental"):
        expected.add("Incremental")
        assert proxy["properties"]["Incremental"]["default"] == [0]
    if effect["input"] == "segment" or (effect["input"] == "volume" and "output" not in effect):
        expected.add("SegmentLabel")
        assert proxy["properties"]["SegmentLabel"]["default"] == [1]
    assert set(proxy["properties"]) == expected
    # What a person writes in pvpython is what the registry calls it.
    assert {parameter["name"] for parameter in effect["parameters"]} <= set(proxy["python"])
    assert proxy["properties"]["LastError"]["information"]
    assert "vtkSMInputArrayDomain" in proxy["properties"]["Input"]["domains"]


@pytest.mark.parametrize(("effect", "parameter"), effect_parameters())
def test_properties_are_as_declared(
    effect: dict[str, Any], parameter: dict[str, Any], proxies: dict[str, Any]
) -> None:
    proxy = proxies[effect["class"].removeprefix("vtk")]
    found = proxy["properties"][parameter["name"]]
    kind, default = parameter["type"], parameter.get("default")
    assert parameter["sentence"] in " ".join(found["sentence"].split())
    if kind == "enum":
        values = parameter["values"]
        assert found["default"] == [values.index(default)]
        entries = [[index, name] for index, name in enumerate(values)]
        assert found["domains"] == {"vtkSMEnumerationDomain": {"entries": entries}}
        return
    if kind in ("points", "vector", "matrix", "numbers"):
        # A list without points or numbers, three numbers, sixteen numbers.
        assert found["class"] == "vtkSMDoubleVectorProperty"
        assert found["default"] == (default or [])
        return
    assert found["default"] == [default]
    if kind in ("segment", "string"):
        assert found["class"] == "vtkSMStringVectorProperty"
    elif kind == "bool":
        assert list(found["domains"]) == ["vtkSMBooleanDomain"]
    elif kind == "choice":
        entries = [[value, str(value)] for value in parameter["values"]]
        assert found["domains"] == {"vtkSMEnumerationDomain": {"entries": entries}}
    elif kind == "int64":
        assert found["class"] == "vtkSMIdTypeVectorProperty"
    elif "data_default" in parameter:
        assert list(found["domains"]) == ["vtkSMArrayRangeDomain"]
    else:
        name = "vtkSMIntRangeDomain" if kind == "int" else "vtkSMDoubleRangeDomain"
        assert found["domains"] == {name: {"range": parameter["range"]}}


@pytest.mark.parametrize(
    ("name", "properties"),
    [
        (
            "LabelMapEditor",
            {
                "Input",
                "LabelMap",
                "ScalarArray",
                "Operations",
                "LastChange",
                "LastError",
                "NumberOfAppliedOperations",
            },
        ),
        ("LabelMapRegionCollector", {"Input", "ScalarArray", "Extent", "LastError"}),
        (
            "LabelMapIslandNumbers",
            {"Input", "ScalarArray", "SegmentLabel", "MinimumSize", "Connectivity", "LastError"},
        ),
        (
            "LabelMapSurface",
            {
                "Input",
                "ScalarArray",
                "SegmentLabel",
                "SmoothingIterations",
                "Coarsening",
                "FacesOnce",
                "GatherToRoot",
                "LastError",
            },
        ),
    ],
)
def test_tools_have_their_properties(
    name: str, properties: set[str], proxies: dict[str, Any]
) -> None:
    assert proxies[name]["class"] == "vtk" + name
    assert set(proxies[name]["properties"]) == properties


def test_defaults_and_ranges_of_tools(proxies: dict[str, Any]) -> None:
    surface = proxies["LabelMapSurface"]["properties"]
    assert surface["SmoothingIterations"]["default"] == [12]
    assert surface["SmoothingIterations"]["domains"] == {"vtkSMIntRangeDomain": {"range": [0, 100]}}
    assert surface["Coarsening"]["domains"] == {"vtkSMIntRangeDomain": {"range": [1, 64]}}
    assert surface["GatherToRoot"]["default"] == [0]
    assert surface["FacesOnce"]["default"] == [0]
    assert proxies["LabelMapEditor"]["properties"]["Operations"]["default"] == ["[]"]
    extent = proxies["LabelMapRegionCollector"]["properties"]["Extent"]
    assert extent["default"] == [0, -1, 0, -1, 0, -1]


@pytest.mark.parametrize("name", READERS)
def test_readers_exist(name: str, proxies: dict[str, Any]) -> None:
    assert proxies[name]["group"] == "sources"
    assert "FileName" in proxies[name]["properties"]


# -- effects ---------------------------------------------------------------------------------------

LABEL_RESULTS = (
    "threshold",
    "otsu",
    "largest",
    "small",
    "grown",
    "shrunk",
    "wide",
    "median",
    "painted",
    "erased",
    "inverted",
    "expanded",
    "marched",
    "local",
    "seeded",
    "editor",
)


def check_pieces(result: dict[str, Any], ranks: int, *, shared: bool = True) -> None:
    """Each rank holds a part, together they are the whole, and no rank has a copy of it all."""
    found = result["pieces"]
    assert [piece["crc"] for piece in found] == result["piece_crcs"]
    extents = [piece["extent"] for piece in found if piece["extent"]]
    assert len(found) == ranks
    lows, highs = np.array(extents)[:, 0::2], np.array(extents)[:, 1::2]
    whole = np.array(result["extent"])
    assert (lows.min(axis=0) == whole[0::2]).all()
    assert (highs.max(axis=0) == whole[1::2]).all()
    if shared and ranks > 1:
        assert len(extents) == ranks
        voxels = [int(np.prod(high - low + 1)) for low, high in zip(lows, highs, strict=True)]
        total = int(np.prod(whole[1::2] - whole[0::2] + 1))
        assert max(voxels) < 0.75 * total
        # Neighbours share a plane of points, no more.
        assert total < sum(voxels) < 1.25 * total


@pytest.mark.parametrize("ranks", RANKS)
@pytest.mark.parametrize("name", LABEL_RESULTS)
def test_labels_do_not_depend_on_ranks(name: str, ranks: int, session: Session) -> None:
    serial = session("effects", 0)[name]
    result = session("effects", ranks)[name]
    assert result["error"] == ""
    for key in ("crc", "type", "shape", "extent", "counts"):
        assert result[key] == serial[key], key
    assert result["type"] == "uint8"
    # All cases do something: there is object and background.
    assert len(result["counts"]) >= (3 if name == "editor" else 2 if name != "wide" else 1)
    check_pieces(result, ranks)


def test_effects_change_what_they_are_given(session: Session) -> None:
    result = session("effects", 0)
    before = result["otsu"]["counts"]["1"]
    assert result["painted"]["counts"]["1"] > before
    assert result["erased"]["counts"]["1"] < before
    assert result["inverted"]["counts"]["1"] == result["otsu"]["counts"]["0"]
    assert result["marched"]["counts"]["1"] > before
    assert result["local"]["counts"]["2"] > 0
    assert set(result["seeded"]["counts"]) == {"1", "2"}


def test_threshold_is_right(session: Session) -> None:
    result = session("effects", 0)
    assert result["threshold"]["crc"] == result["threshold truth"]


@pytest.mark.parametrize("ranks", RANKS)
@pytest.mark.parametrize("name", ["soft edge", "split", "split again"])
def test_volumes_do_not_depend_on_ranks(name: str, ranks: int, session: Session) -> None:
    serial = session("effects", 0)[name]
    result = session("effects", ranks)[name]
    assert result["error"] == ""
    for key in ("crc", "type", "extent", "origin"):
        assert result[key] == serial[key], key
    check_pieces(result, ranks, shared=name == "soft edge")
    if name != "soft edge":
        assert result["crc"] == session("effects", ranks)[f"{name} truth"]


@pytest.mark.parametrize("ranks", [0, *RANKS])
def test_what_is_behind_a_crop_follows_it(ranks: int, session: Session) -> None:
    result = session("effects", ranks)
    for crop, behind, padding in (
        ("split", "split threshold", 4),
        ("split again", "split threshold again", 0),
    ):
        assert result[behind]["error"] == ""
        assert result[behind]["extent"] == result[crop]["extent"]
        check_pieces(result[behind], max(1, ranks), shared=False)
        assert result[behind]["extent"][0] == result["split again"]["extent"][0] - padding
    # The same voxels are inside.
    assert (
        result["split threshold"]["counts"]["1"] == result["split threshold again"]["counts"]["1"]
    )
    assert "SegmentLabel is 77, and no voxel" in result["split error"]


@pytest.mark.parametrize("ranks", RANKS)
def test_histograms_do_not_depend_on_ranks(ranks: int, session: Session) -> None:
    row = session("effects", ranks)["histogram"]
    assert row == session("effects", 0)["histogram"]
    assert session("effects", ranks)["histogram error"] == ""
    assert row["lower"][0] < row["average"][0] < row["upper"][0]
    assert sum(row["counts"]) == row["voxel_count"][0] > 500


@pytest.mark.parametrize("ranks", RANKS)
def test_editor_counts_voxels_and_keeps_its_table(ranks: int, session: Session) -> None:
    result = session("effects", ranks)
    table = result["table"]
    assert table == session("effects", 0)["table"]
    assert table["ids"] == ["a", "b"]
    assert table["names"] == ["A", "b"]
    assert table["labels"] == [1, 9]
    assert table["colors"][0] == [1.0, 0.2, 0.1]
    counts = result["editor"]["counts"]
    assert table["counts"] == [counts["1"], counts["9"]]
    assert result["applied"] == 9


@pytest.mark.parametrize("ranks", RANKS)
def test_failed_operation_changes_nothing(ranks: int, session: Session) -> None:
    result = session("effects", ranks)
    assert "operation 10 (margin on segment 'nope')" in result["editor error"]
    assert "expected one of 'a', 'b'" in result["editor error"]
    assert result["applied after error"] == 9
    assert result["crc after error"] == result["editor"]["crc"]


@pytest.mark.parametrize("ranks", RANKS)
@pytest.mark.parametrize("region", ["inside", "slice", "voxel", "clipped"])
def test_regions_are_cut_from_the_whole(region: str, ranks: int, session: Session) -> None:
    result = session("effects", ranks)["regions"][region]
    assert result["extent"] == result["expected extent"]
    assert result["crc"] == result["expected crc"]


@pytest.mark.parametrize("ranks", RANKS)
@pytest.mark.parametrize("name", ["surface", "coarse surface"])
def test_surfaces_do_not_depend_on_ranks(name: str, ranks: int, session: Session) -> None:
    serial = dict(session("effects", 0)[name])
    result = dict(session("effects", ranks)[name])
    parts = result.pop("parts")
    serial.pop("parts")
    assert result == serial
    assert result["error"] == ""
    assert result["triangles"] > 500
    assert result["open edges"] == 0
    assert result["distinct keys"]
    assert sum(parts) == result["triangles"]
    assert len(parts) == ranks
    if ranks > 1 and name == "surface":
        assert min(parts) > 0


@pytest.mark.parametrize("ranks", RANKS)
@pytest.mark.parametrize("name", ["one voxel", "two voxels", "one slice", "two slices"])
def test_ranks_without_voxels(name: str, ranks: int, session: Session) -> None:
    serial = session("few_voxels", 0)[name]
    result = session("few_voxels", ranks)[name]
    for part in ("threshold", "editor"):
        assert result[part]["error"] == ""
        assert result[part]["crc"] == serial[part]["crc"]
        assert result[part]["extent"] == result["extent"]
        check_pieces(result[part], ranks, shared=False)
    assert {**result["surface"], "parts": 0} == {**serial["surface"], "parts": 0}
    assert result["surface"]["error"] == ""
    assert result["surface"]["open edges"] == 0
    assert sum(result["surface"]["parts"]) == result["surface"]["triangles"] > 0


# -- errors ----------------------------------------------------------------------------------------

ERRORS = {
    "margin": "MarginSizeMm is 2e+06, expected -1e+06 to 1e+06",
    "no volume": "reads a volume beside the label map, and there is none",
    "bins": "NumberOfBins is 1, expected 2 to 65536",
    "median": "KernelSizeMm is -1, expected 0 to 1e+06",
    "islands": "MinimumSize is -1",
    "label": "SegmentLabel is 0, expected at least 1",
    "surface": "array 'RTData' has floating values",
    "smoothing": "SmoothingIterations is 101, expected 0 to 100",
    "collector": "Extent does not meet the image",
    "json": "the text of the operations is nested too deeply",
    "editor": "the effect 'margn' is unknown, expected one of ",
    "single value": "array 'flat' has a single value",
    "missing file": "missing.nrrd",
    "cut file": "cut.nrrd",
    "segmentation writer": "no such folder/labels.seg.nrrd",
    "volume writer": "no such folder/volume.nrrd",
}


@pytest.mark.parametrize("ranks", [0, 1, 3])
@pytest.mark.parametrize("name", ERRORS)
def test_errors_reach_the_client(name: str, ranks: int, session: Session) -> None:
    assert ERRORS[name] in session("errors", ranks)[name]


@pytest.mark.parametrize("ranks", [0, 1, 3])
def test_server_lives_on_after_errors(ranks: int, session: Session) -> None:
    result = session("errors", ranks)
    assert result["margin afterwards"] == ""
    assert result["afterwards"]["error"] == ""
    assert result["afterwards"]["crc"] == session("effects", 0)["editor"]["crc"]


# -- files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("ranks", [0, *RANKS])
def test_volume_from_a_file(ranks: int, session: Session) -> None:
    result = session("files", ranks)["volume"]
    assert result["shape"] == list(SIZES[::-1])
    assert result["crc"] == zlib.crc32(volume_values().tobytes())
    steps = TO_RAS @ STEPS_LPS
    spacing = np.linalg.norm(steps, axis=0)
    lattice = [*(TO_RAS @ ORIGIN_LPS), *spacing, *(steps / spacing).ravel()]
    assert result["lattice"] == pytest.approx(lattice, abs=1e-12)
    check_pieces(result, max(1, ranks))


@pytest.mark.parametrize("ranks", [0, *RANKS])
def test_segmentation_from_a_file_is_edited_on(ranks: int, session: Session) -> None:
    result = session("files", ranks)
    labels = label_values()
    assert result["segmentation"]["crc"] == zlib.crc32(labels.tobytes())
    assert result["segmentation"]["table"] == ["Segment_5", "Segment_2"]
    check_pieces(result["segmentation"], max(1, ranks))
    assert result["start"]["error"] == ""
    assert result["start"]["crc"] == zlib.crc32(labels.tobytes())
    assert result["start table"]["ids"] == ["Segment_5", "Segment_2"]
    assert result["start table"]["names"] == ["Name 5", "Name 2"]
    assert result["start table"]["counts"] == [int((labels == 5).sum()), int((labels == 2).sum())]
    # Grown by 1.5 mm at spacings of 0.5, 1.25 and 2 mm, then 11 and 12 belong to the new segment.
    expected = labels.copy()
    inside = np.argwhere(labels == 2)
    for z, y, x in np.ndindex(*labels.shape):
        away = (inside - (z, y, x)) * (2.0, 1.25, 0.5)
        if ((away**2).sum(axis=1) <= 1.5**2 * (1 + 1e-12)).any():
            expected[z, y, x] = 2
    expected[np.isin(volume_values(), (11, 12))] = 1
    assert result["edited"]["error"] == ""
    assert result["edited"]["crc"] == zlib.crc32(expected.tobytes())
    assert result["edited table"]["ids"] == ["Segment_5", "Segment_2", "new"]
    serial = session("files", 0)["surface"]
    assert {**result["surface"], "parts": 0} == {**serial, "parts": 0}
    assert result["surface"]["open edges"] == 0


# -- the bridge ------------------------------------------------------------------------------------

BRIDGE_RANKS = (0, 3)


def assert_segment(found: dict[str, Any], truth: dict[str, Any]) -> None:
    assert (found["voxels"], found["mask"]) == (truth["voxels"], truth["mask"])
    assert found["differences alone"] == 0
    assert len(found["values alone"]) == 2, "voxels of other segments came along"
    if "points" in truth:
        assert found["points"] == truth["points"]


def assert_within(inner: list[int], outer: list[int]) -> None:
    for axis in range(3):
        assert outer[2 * axis] <= inner[2 * axis], (inner, outer)
        assert inner[2 * axis + 1] <= outer[2 * axis + 1], (inner, outer)


@pytest.mark.bridge
@pytest.mark.parametrize("ranks", BRIDGE_RANKS)
def test_overlapping_segments_come_over_the_bridge(ranks: int, session: Session) -> None:
    result = session("bridge", ranks)
    otsu, shrunk, part = (result["truth"][name] for name in ("otsu", "shrunk", "part"))
    begin = result["begin"]
    assert begin["layers"] == [[0, ["a", "b"]]]
    assert_segment(begin["a"], otsu)
    assert (begin["b"]["voxels"], begin["b"]["points"]) == (0, None)

    copied = result["copied"]
    assert copied["changed"] == ["b"]
    assert_within(otsu["box"], copied["extent"])
    assert {key: copied["state"][key]["layer"] for key in "ab"} == {"a": 0, "b": 1}
    for key in "ab":
        assert_segment(copied["state"][key], otsu)

    after = result["shrunk"]
    assert after["changed"] == ["a"]
    assert_segment(after["state"]["a"], shrunk)
    assert_segment(after["state"]["b"], otsu)

    assert (result["added"]["changed"], result["added"]["extent"]) == (["c"], None)
    masked = result["masked"]
    assert masked["changed"] == ["c"]
    assert 0 < part["voxels"] < otsu["voxels"]
    assert_segment(masked["state"]["c"], part)
    assert_segment(masked["state"]["a"], shrunk)
    assert_segment(masked["state"]["b"], otsu)
    assert_within(part["box"], masked["extent"])
    assert_within(masked["extent"], part["region"])


@pytest.mark.bridge
@pytest.mark.parametrize("ranks", BRIDGE_RANKS)
def test_statistics_come_over_the_bridge(ranks: int, session: Session) -> None:
    result = session("bridge", ranks)
    truth, measured = result["truth"], result["measured"]
    assert {"label", "segment", "name", "surface_area_mm2", "island_count", "mean"} <= {
        *measured["columns"]
    }
    # a and c are in one layer, b in another one.
    for key, name in (("a", "shrunk"), ("b", "otsu"), ("c", "part")):
        assert measured[key]["voxels"] == truth[name]["voxels"], key
        assert measured[key]["extent"] == truth[name]["box"], key
        assert measured[key]["name"] == key
    for key, name in (("a", "shrunk"), ("b", "otsu")):
        assert measured[key]["centroid"] == pytest.approx(truth[name]["centroid"], abs=1e-9)
        assert measured[key]["mean"] == pytest.approx(truth[name]["mean"], rel=1e-9)
    assert "no parameter 'Size'" in result["refused statistics"]


@pytest.mark.bridge
@pytest.mark.parametrize("ranks", BRIDGE_RANKS)
def test_undo_and_redo_over_the_bridge(ranks: int, session: Session) -> None:
    result = session("bridge", ranks)

    def state(name: str) -> dict[str, Any]:
        found = dict(result[name].get("state", result[name]))
        del found["undoable"], found["redoable"]
        return found

    same = {
        "undone masked": "added",
        "undone added": "shrunk",
        "undone shrunk": "copied",
        "undone copied": "begin",
        "redone copied": "copied",
        "redone shrunk": "shrunk",
        "undone all": "shrunk",
        "undone filled": "shrunk",
    }
    for name, before in same.items():
        assert state(name) == state(before), name
    for name, (undoable, redoable) in {
        "masked": (7, 0),
        "undone copied": (3, 4),
        "redone shrunk": (5, 2),
        "all grown": (6, 0),
        "filled": (6, 0),
        "renamed": (6, 0),
        "empty": (0, 6),
    }.items():
        assert result[name]["state"]["undoable"] == undoable, name
        assert result[name]["state"]["redoable"] == redoable, name
    # Operations on all segments name none.
    assert result["all grown"]["changed"] == ["a", "b"]
    for key in "ab":
        grown, before = (result[name]["state"][key] for name in ("all grown", "shrunk"))
        assert grown["voxels"] > before["voxels"]
    assert result["undone masked"]["changed"] == ["c"]
    assert result["undone masked"]["extent"] == result["masked"]["extent"]
    assert result["undone added"]["changed"] == ["c"]
    assert result["undone added"]["extent"] is None
    assert result["undone copied"]["changed"] == ["b"]
    assert result["renamed"]["changed"] == ["b"]
    assert result["renamed"]["extent"] is None
    assert result["renamed"]["state"]["b"]["name"] == "B"
    assert "nothing to redo [operation-failed]" in result["no redo"]
    assert "nothing to undo [operation-failed]" in result["no undo"]
    assert result["empty"]["state"]["layers"] == [[0, []]]
    assert result["empty labels"] == 0


@pytest.mark.bridge
@pytest.mark.parametrize("ranks", BRIDGE_RANKS)
def test_settings_of_operations_are_checked(ranks: int, session: Session) -> None:
    result = session("bridge", ranks)
    mode, region, table, segment = result["refusals"]
    assert "did you mean" in mode or "EditAllowedEverywhere" in mode
    assert "size is missing in region" in region
    assert "region is given, but this operation has none" in table
    assert "nobody" in segment
    assert all(text.endswith("[operation-failed]") for text in result["refusals"])
    assert result["after refusals"] == result["masked"]["state"]


@pytest.mark.bridge
def test_what_the_bridge_gives_does_not_depend_on_ranks(session: Session) -> None:
    serial, parallel = (dict(session("bridge", ranks)) for ranks in BRIDGE_RANKS)
    for result in (serial, parallel):
        del result["refusals"]  # they may name a rank
    assert parallel == serial


# -- pictures --------------------------------------------------------------------------------------


@pytest.mark.parametrize("ranks", [0, 3])
def test_segments_have_their_colours(ranks: int, session: Session) -> None:
    result = session("picture", ranks)
    assert result["error"] == ""
    width, height = result["size"]
    low, high, background = (result[name] for name in ("low", "high", "background"))
    # 5 pixels per millimetre, radius 9 mm less what smoothing takes off.
    disc = np.pi * (9.0 * 5) ** 2
    for ball in (low, high):
        assert 0.9 * disc < ball["pixels"] < 1.02 * disc
    # Nothing else is in the picture, but for the blended pixels at the two outlines.
    rest = width * height - low["pixels"] - high["pixels"] - background["pixels"]
    assert rest < 4 * 2 * np.pi * 45
    # Not mirrored: low is left and below, high right and above; rows count from below.
    assert low["centre"] == pytest.approx([200 - 60, 150 - 40], abs=2.0)
    assert high["centre"] == pytest.approx([200 + 60, 150 + 40], abs=2.0)
    assert Path(result["shaded"]).stat().st_size > 1000


def test_nothing_of_a_server_stays(folder: Path, environment: dict[str, str]) -> None:
    with running_server(2, folder, environment):
        mine = [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit()]
        servers = [pid for pid in mine if _is_server(pid)]
        assert len(servers) >= 2
    assert not [pid for pid in servers if _is_server(pid)]


def _is_server(pid: int) -> bool:
    """A pvserver that this process started, directly or not (others may run their own)."""
    with contextlib.suppress(OSError):
        if "pvserver" not in Path(f"/proc/{pid}/comm").read_text():
            return False
        while pid > 1:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
            if pid == os.getpid():
                return True
    return False


def test_extents_of_pieces_touch(session: Session) -> None:
    """Of two ranks both hold one plane of points, which is what Parallel has to sort out."""
    extents = [piece["extent"] for piece in session("effects", 2)["editor"]["pieces"]]
    shared = [
        axis
        for axis in range(3)
        for first, second in pairwise(extents)
        if first[2 * axis + 1] == second[2 * axis]
    ]
    assert len(shared) == 1
