"""``segmentationcore demo``: the main job from beginning to end, on real programs and real data.

A ParaView server runs under MPI with our plugin. Each rank reads its part of a volume, all of
them segment it together; Slicer, in a process of its own, receives the segments over the bridge,
draws them, asks for an edit, and draws what came back. What the server holds is then compared
voxel by voxel with its ``.seg.nrrd`` as Slicer reads it, and with the result of the same
operations in our wheel, serially.

Exit status: 0 all equal, 1 something differs or went wrong, 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..bridge.snapshot import read_snapshot
from . import data
from .checks import Check, compare_file
from .processes import DemoError, Program, Programs, Talker, signals_as_interrupts
from .report import Report, Step, volume_text
from .sequences import TASKS, Task, operation_text

_PACKAGE = __name__.rpartition(".demo.")[0]
_DIRECTIONS = {"rock": (1.0, 1.2, 0.8)}
_FROM_THE_FRONT = (0.6, 1.0, 0.4)
_FEW = 6
_TRANSLUCENT = {"ct": ["soft"]}


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    output: Path
    size: int
    seed: int
    ranks: int
    tasks: tuple[Task, ...]
    plugin: Path
    slicer_python: Path
    wheel_python: Path


class Demonstration:
    """One run. The steps are in the order of `run`."""

    def __init__(self, options: Options, programs: Programs) -> None:
        self.options = options
        self.programs = programs
        self.report = Report(options.output, options.ranks)
        # The package as it was built, for ParaView; its sources alone, without a compiled part, for
        # Slicer. (A build folder links to the sources.)
        self._package = str(Path(os.path.abspath(__file__)).parents[2])
        self._sources = str(Path(__file__).resolve().parents[2])
        self._watched: list[Program] = []
        self._labels: dict[str, Path] = {}  # segmentations to begin with

    def run(self) -> bool:
        """Do everything; returns whether all results are equal."""
        volumes = self.prepare_data()
        client = self.start_paraview()
        try:
            for task in self.options.tasks:
                self.one_volume(client, task, volumes[task.name])
            client.finish(30.0)
        finally:
            client.close()
        path = self.report.write()
        self.report.print_summary()
        print(f"report: {path}")
        return all(check.equal for check in self.report.checks)

    # -- data ------------------------------------------------------------------------------------

    def prepare_data(self) -> dict[str, Path]:
        """Make or find the volumes."""
        folder = self.options.output / "data"
        folder.mkdir(parents=True, exist_ok=True)
        names = [task.name for task in self.options.tasks]
        result = {}
        begin = time.perf_counter()
        if "rock" in names:
            size, seed = self.options.size, self.options.seed
            rock = folder / f"rock-{size}-{seed}.nrrd"
            if not rock.exists():
                say(f"making a rock of {size}^3 voxels (seed {seed})")
                partial = rock.with_suffix(".partial")
                data.write_rock(partial, size, seed)
                partial.replace(rock)
            result["rock"] = rock
        if "ct" in names:
            ct = folder / "ct.nrrd"
            if not ct.exists():
                data.write_nrrd(ct, data.read_ct(data.located(data.CT_FILE)))
            result["ct"] = ct
        if "brain" in names:
            result["brain"] = data.require(data.located(data.BRAIN_FILE))
        if "atlas" in names:
            result["atlas"] = data.require(data.located(data.HEAD_FILE))
            labels = folder / "atlas.seg.nrrd"
            if not labels.exists():
                data.write_atlas(labels, data.located(data.ATLAS_FILE), data.ATLAS_REGIONS)
            self._labels["atlas"] = labels
        self.report.add(Step("", "data", 1, time.perf_counter() - begin))
        return result

    # -- ParaView --------------------------------------------------------------------------------

    def start_paraview(self) -> Talker:
        """Start a display, the server under MPI, and its client."""
        begin = time.perf_counter()
        ranks = self.options.ranks
        say(f"starting pvserver with {ranks} ranks, and pvpython as its client")
        variables = {
            "DISPLAY": self.start_display(),
            "PYTHONPATH": self._package,
            # One thread per rank and processor; the ranks share this machine.
            "VTK_SMP_MAX_THREADS": str(max(1, (os.cpu_count() or 1) // ranks)),
        }
        identity = str(int.from_bytes(os.urandom(3), "little"))
        server = self.programs.start(
            "pvserver",
            [
                program("mpirun"),
                "--oversubscribe",
                "-np",
                str(ranks),
                program("pvserver"),
                "--server-port=0",
                f"--connect-id={identity}",
                "--force-offscreen-rendering",
            ],
            variables=variables,
        )
        self._watched.append(server)
        port = wait_for_text(server, rb"Accepting connection\(s\): \S*:(\d+)", 60.0)
        client = Talker(
            self.programs,
            "pvpython",
            [
                program("pvpython"),
                f"--connect-id={identity}",
                "--force-offscreen-rendering",
                "-m",
                f"{_PACKAGE}.demo.paraview_session",
                "--server-port",
                port,
                "--plugin",
                str(self.options.plugin),
            ],
            variables,
        )
        hello = client.ask("hello", seconds=90.0, others=self._watched)
        if hello["ranks"] != ranks:
            raise server.failure(f"runs with {hello['ranks']} ranks instead of {ranks}")
        self.report.versions["ParaView"] = str(hello["paraview"])
        self.report.add(Step("", "start ParaView", ranks, time.perf_counter() - begin))
        return client

    def start_display(self) -> str:
        """An X display without a screen; Debian's ParaView cannot render without one."""
        reading, writing = os.pipe()
        try:
            display = self.programs.start(
                "display",
                [
                    program("Xvfb"),
                    "-displayfd",
                    str(writing),
                    "-screen",
                    "0",
                    "1280x1024x24",
                    "-nolisten",
                    "tcp",
                    "-noreset",
                ],
                pass_files=[writing],
            )
        finally:
            os.close(writing)
        with os.fdopen(reading, "rb") as stream:
            number = stream.readline().strip().decode()
        if not number:
            raise display.failure("did not start")
        self._watched.append(display)
        return f":{number}"

    # -- one volume ------------------------------------------------------------------------------

    def one_volume(self, client: Talker, task: Task, volume: Path) -> None:
        """Everything that is done to one volume."""
        folder = self.options.output / task.name
        folder.mkdir(parents=True, exist_ok=True)
        ranks = self.options.ranks
        labels = self._labels.get(task.name)
        say(f"{task.title}: {volume.name}")
        opened = client.ask(
            "open",
            seconds=300.0,
            others=self._watched,
            volume=str(volume),
            labels=None if labels is None else str(labels),
        )
        extent = opened["volume"]["extent"]
        voxels = 1
        for axis in range(3):
            voxels *= extent[2 * axis + 1] - extent[2 * axis] + 1
        patience = 120.0 + voxels * 1e-5
        self.report.open_task(task, opened["volume"], voxels, opened["parts"])
        self.report.add(Step(task.name, "read", ranks, opened["seconds"], voxels))

        for operation in task.operations:
            self.edit(client, task, operation, patience)

        rendered = client.ask(
            "render",
            seconds=patience,
            others=self._watched,
            picture=str(folder / "paraview.png"),
            ranks_picture=str(folder / "paraview-ranks.png"),
            direction=_DIRECTIONS.get(task.name, _FROM_THE_FRONT),
            translucent=_TRANSLUCENT.get(task.name, []),
            coarsening=self.coarsening(task),
        )
        self.report.add(Step(task.name, "surfaces and pictures", ranks, rendered["seconds"]))

        operations = self.slicer_session(client, task, volume, folder, patience)
        self.compare(client, task, volume, folder, operations, patience)
        client.ask("close", seconds=patience, others=self._watched)

    def coarsening(self, task: Task) -> int:
        """How much surfaces are reduced: a picture of 800 pixels shows no more than that."""
        longest = {"rock": self.options.size, "brain": 370}.get(task.name, 0)
        return max(1, longest // 128)

    def edit(self, client: Talker, task: Task, operation: dict[str, Any], patience: float) -> None:
        """One operation on all ranks."""
        answer = client.ask("apply", seconds=patience, others=self._watched, operation=operation)
        row = next(row for row in answer["segments"] if row["id"] == operation["segment"])
        self.report.add(
            Step(
                task.name,
                operation_text(operation),
                self.options.ranks,
                answer["seconds"],
                row["voxel_count"],
                segment_volumes(answer, operation["segment"]),
            )
        )

    def slicer_session(
        self, client: Talker, task: Task, volume: Path, folder: Path, patience: float
    ) -> list[dict[str, Any]]:
        """Slicer connects, shows, asks for an edit, shows again; returns all operations so far."""
        token = folder / "bridge.token"
        client.tell("serve", token_file=str(token))
        bridge = client.answer("serve", seconds=60.0, others=self._watched)
        begin = time.perf_counter()
        self.programs.run(
            f"slicer-{task.name}",
            [
                self.options.slicer_python,
                "-m",
                f"{_PACKAGE}.slicer.demo_session",
                "session",
                "--bridge",
                bridge["url"],
                "--token-file",
                bridge["token_file"],
                "--volume",
                volume,
                "--output",
                folder,
                "--operation",
                json.dumps(task.slicer_operation),
                "--coarsening",
                str(self.coarsening(task)),
            ],
            seconds=2 * patience,
            variables=self.other_python(),
            others=[*self._watched, client.program],
        )
        seconds = time.perf_counter() - begin
        client.tell("stop")
        served = client.answer("serve", seconds=60.0, others=self._watched)
        described = client.ask("describe", seconds=60.0, others=self._watched)
        session = json.loads((folder / "slicer-session.json").read_text(encoding="utf-8"))
        edit = session["edit"]
        row = next(
            row for row in described["segments"] if row["id"] == task.slicer_operation["segment"]
        )
        self.report.sessions[task.name] = session
        self.report.add(
            Step(
                task.name,
                f"Slicer asks: {operation_text(task.slicer_operation)}",
                self.options.ranks,
                edit["seconds_to_changed_surface"],
                row["voxel_count"],
                segment_volumes(described, task.slicer_operation["segment"]),
            )
        )
        self.report.add(Step(task.name, "Slicer session with pictures", 1, seconds))
        return list(served["operations"])

    def compare(
        self,
        client: Talker,
        task: Task,
        volume: Path,
        folder: Path,
        operations: list[dict[str, Any]],
        patience: float,
    ) -> None:
        """Write the result, and compare it with what Slicer reads and with the wheel's."""
        ranks = self.options.ranks
        segmentation = folder / f"{task.name}.seg.nrrd"
        snapshot_file = folder / "server.npz"
        saved = client.ask(
            "save",
            seconds=patience,
            others=self._watched,
            segmentation=str(segmentation),
            snapshot=str(snapshot_file),
        )
        self.report.add(Step(task.name, "write .seg.nrrd", ranks, saved["seconds"]))

        begin = time.perf_counter()
        slicer_report = folder / "slicer-check.json"
        slicer_report.unlink(missing_ok=True)
        self.programs.run(
            f"slicer-check-{task.name}",
            [
                self.options.slicer_python,
                "-m",
                f"{_PACKAGE}.slicer.demo_session",
                "check",
                "--seg-nrrd",
                segmentation,
                "--expected",
                snapshot_file,
                "--report",
                slicer_report,
            ],
            seconds=patience,
            variables=self.other_python(),
            accept_failure=True,
        )
        self.report.add(
            Step(task.name, "Slicer reads and compares", 1, time.perf_counter() - begin)
        )
        self.check(slicer_check(f"{task.title}: server and Slicer's reading", slicer_report))
        snapshot = read_snapshot(snapshot_file)
        self.check(compare_file(f"{task.title}: server and file", snapshot, segmentation))

        operations_file = folder / "operations.json"
        operations_file.write_text(json.dumps(operations, indent=1) + "\n", encoding="utf-8")
        serial = folder / "serial.seg.nrrd"
        serial.unlink(missing_ok=True)
        labels = self._labels.get(task.name)
        start = [] if labels is None else ["--labels", str(labels)]
        begin = time.perf_counter()
        self.programs.run(
            f"wheel-{task.name}",
            # -I: the environment's own packages, and nothing of this process.
            [
                self.options.wheel_python,
                "-I",
                "-m",
                _PACKAGE,
                "apply",
                volume,
                "--operations",
                operations_file,
                "--output",
                serial,
                *start,
            ],
            seconds=3 * patience,
        )
        self.report.add(
            Step(task.name, "the same, serially, in the wheel", 1, time.perf_counter() - begin)
        )
        self.check(compare_file(f"{task.title}: server and wheel", snapshot, serial))
        snapshot_file.unlink()

    def check(self, check: Check) -> None:
        """Note the outcome of a comparison, and say it."""
        say(check.sentence())
        self.report.checks.append(check)

    def other_python(self) -> dict[str, str]:
        """Variables for a Python that borrows our package, but nothing that is compiled in it."""
        return {"PYTHONPATH": self._sources, "PYTHONNOUSERSITE": "1"}


def say(text: str) -> None:
    """One line about what is being done."""
    print(f"demo: {text}", flush=True)


def program(name: str) -> str:
    """The path of a program, or an error that says where it comes from."""
    found = shutil.which(name)
    if found is None:
        packages = {"pvserver": "paraview", "pvpython": "paraview python3-paraview"}
        packages |= {"mpirun": "openmpi-bin", "Xvfb": "xvfb"}
        raise DemoError(f"{name} is missing. Install it: apt-get install {packages[name]}")
    return found


def wait_for_text(program: Program, pattern: bytes, seconds: float) -> str:
    """Wait until a program writes something, and return the group of the pattern."""
    deadline = time.monotonic() + seconds
    while True:
        match = re.search(pattern, program.log.read_bytes())
        if match:
            return match[1].decode()
        program.check()
        if time.monotonic() > deadline:
            raise program.failure(f"was not ready within {seconds:g} s")
        time.sleep(0.1)


def segment_volumes(answer: dict[str, Any], edited: str) -> str:
    """Volumes of all segments, or of the edited one where there are many, in a few words."""
    spacing = answer["volume"]["spacing"]
    voxel = spacing[0] * spacing[1] * spacing[2]
    return ", ".join(
        f"{row['id']} {volume_text(row['voxel_count'] * voxel)}"
        for row in answer["segments"]
        if row["id"] == edited or len(answer["segments"]) <= _FEW
    )


def slicer_check(name: str, path: Path) -> Check:
    """What Slicer's process found, as a check of ours."""
    if not path.is_file():
        return Check(name, 0, 0, ("Slicer wrote no result; see the log",))
    result = json.loads(path.read_text(encoding="utf-8"))
    different = sum(int(row["voxels_different"]) for row in result["segments"])
    problems = tuple(result["problems"])
    if not result["equal"] and not problems:
        problems = ("Slicer says that it differs",)
    return Check(name, int(result["voxels_compared"]), different, problems)


def existing_file(text: str) -> Path:
    """A file that has to be there, for the command line."""
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"{text} is not a file")
    # Not resolved: a virtual environment's python is a link that must keep its place.
    return path.absolute()


def parse_arguments(arguments: Sequence[str] | None) -> Options:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="segmentationcore demo",
        description=str(__doc__),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--output", type=Path, default=Path("demo-output"), help="%(default)s")
    parser.add_argument(
        "--size", type=int, default=256, help="voxels along each edge of the rock (%(default)s)"
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of the rock (%(default)s)")
    parser.add_argument("--ranks", type=int, default=3, help="of the server (%(default)s)")
    parser.add_argument(
        "--volumes", default=",".join(TASKS), help="which, separated by commas (%(default)s)"
    )
    for option, variable, what in (
        ("--plugin", "SEGMENTATIONCORE_PLUGIN", "our ParaView plugin"),
        ("--slicer-python", "SEGMENTATIONCORE_SLICER_PYTHON", "a Python with slicer-core"),
        ("--wheel-python", "SEGMENTATIONCORE_WHEEL_PYTHON", "a Python with our wheel"),
    ):
        default = os.environ.get(variable)
        parser.add_argument(
            option,
            type=existing_file,
            default=default,
            required=default is None,
            help=f"{what} (default: ${variable})",
        )
    given = parser.parse_args(arguments)
    if not 16 <= given.size <= 1024:
        parser.error(f"--size {given.size}: expected 16 to 1024")
    if not 1 <= given.ranks <= 64:
        parser.error(f"--ranks {given.ranks}: expected 1 to 64")
    if not 0 <= given.seed < 2**31:
        parser.error(f"--seed {given.seed}: expected 0 to {2**31 - 1}")
    names = given.volumes.split(",")
    unknown = [name for name in names if name not in TASKS]
    if unknown:
        parser.error(f"--volumes: {unknown[0]!r} is none of {', '.join(TASKS)}")
    return Options(
        given.output.resolve(),
        given.size,
        given.seed,
        given.ranks,
        tuple(TASKS[name] for name in names),
        given.plugin,
        given.slicer_python,
        given.wheel_python,
    )


def clear(options: Options) -> None:
    """Remove what an earlier run left, but the data."""
    for name in (*TASKS, "logs"):
        folder = options.output / name
        if folder.is_dir():
            shutil.rmtree(folder)
    (options.output / "report.md").unlink(missing_ok=True)
    options.output.mkdir(parents=True, exist_ok=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """``segmentationcore demo``; returns the exit status."""
    options = parse_arguments(arguments)
    try:
        clear(options)
        with signals_as_interrupts(), Programs(options.output / "logs") as programs:
            equal = Demonstration(options, programs).run()
    except (DemoError, data.DataError) as error:
        print(f"\ndemo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ndemo: interrupted; everything that it started was ended", file=sys.stderr)
        return 130
    if not equal:
        print("\ndemo: results that have to be equal are not; see above", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
