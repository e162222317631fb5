#!/usr/bin/env python3
"""Run what setup.py made ready, with the right interpreter and environment.

    python3 tools/run.py demo [options]    see `python -m segmentationcore demo --help`
    python3 tools/run.py test [options]    options for pytest
    python3 tools/run.py bench [options]   see `make bench ARGS=--help`
    python3 tools/run.py pictures [effects]
    python3 tools/run.py lint

Standard library only, Python 3.9 or newer.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from common import BUILD, ENVIRONMENTS, ROOT, STATE, SYSTEM_PYTHON, environment_python, variables


def replace_process(command: list[str], environment: dict[str, str]) -> NoReturn:
    """Become another program, so that signals and the exit status are its own."""
    sys.stdout.flush()
    os.chdir(ROOT)
    os.execve(command[0], command, environment)


def demo(options: Sequence[str]) -> int:
    """The demonstration, in the Python of ParaView's client."""
    environment = variables()
    environment["PYTHONPATH"] = str(BUILD / "python")
    command = [str(SYSTEM_PYTHON), "-m", "segmentationcore", "demo", *options]
    replace_process(command, environment)


def test(options: Sequence[str]) -> int:
    """All tests; pytest is the one entry, and runs ctest too."""
    environment = variables()
    # Some of the tests import the package, and that is the one of the wheel.
    environment.pop("PYTHONPATH", None)
    # Files that are named replace the whole suite.
    named = any((ROOT / option.split("::")[0]).exists() for option in options)
    command = [str(environment_python("test")), "-m", "pytest", *([] if named else ["Testing"])]
    if not options:
        # The whole suite, by two workers or more; a file stays together, with what it starts. In
        # the order of their names, which leaves the C++ units, the last, to themselves: ranks that
        # wait for each other are slow beside other work.
        workers = max(2, min(8, (os.cpu_count() or 2) // 2))
        command += ["-n", str(workers), "--dist", "loadfile", "--no-loadscope-reorder"]
        environment["OMPI_MCA_mpi_yield_when_idle"] = "1"
    command += options
    replace_process(command, environment)


def bench(options: Sequence[str]) -> int:
    """The benchmarks, in the environment of the libraries that we are compared with."""
    environment = variables()
    environment["PYTHONPATH"] = str(ROOT / "Testing")
    replace_process([str(environment_python("bench")), "-m", "Benchmarks", *options], environment)


def pictures(options: Sequence[str]) -> int:
    """The pictures of the effects, in the environment of the tests."""
    environment = variables()
    environment["PYTHONPATH"] = str(ROOT / "Testing")
    replace_process([str(environment_python("test")), "-m", "Pictures", *options], environment)


def own_files(*patterns: str) -> list[str]:
    """The files that are in git, or could be added to it."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *patterns]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.split("\0") if (ROOT / name).is_file()]


def lint(_options: Sequence[str]) -> int:
    """The checks that need no build; all of them run, also after one has failed."""
    tool = ENVIRONMENTS / "lint" / "bin"
    core, wrapping, made = ROOT / "SegmentationCore", ROOT / "Wrapping" / "Python", STATE / "lint"
    generate: list[str | Path] = [sys.executable, core / "CMake" / "generate_effects.py"]
    generate += ["--effects", core / "Effects", "--python", made / "generated"]
    stage: list[str | Path] = [sys.executable, wrapping / "stage_package.py"]
    stage += [wrapping / "segmentationcore", made / "generated", made / "python/segmentationcore"]
    checks: dict[str, list[str | Path]] = {
        "ruff check": [tool / "ruff", "check", "."],
        "ruff format": [tool / "ruff", "format", "--check", "."],
        # Types are checked in the whole package, with what a build would add to it.
        "generate_effects": generate,
        "stage_package": stage,
        "mypy": [tool / "mypy"],
        "codespell": [tool / "codespell", *own_files()],
        "clang-format": [
            tool / "clang-format",
            "--dry-run",
            "--Werror",
            *own_files("*.h", "*.cxx"),
        ],
    }
    failed = []
    for name, command in checks.items():
        print(f"lint: {name}", flush=True)
        if subprocess.run([str(word) for word in command], cwd=ROOT, check=False).returncode:
            failed.append(name)
    if failed:
        print(f"lint: failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


COMMANDS = {"demo": demo, "test": test, "bench": bench, "pictures": pictures, "lint": lint}


def main(arguments: Sequence[str]) -> int:
    """Command line; returns the exit status."""
    if not arguments or arguments[0] not in COMMANDS:
        print(f"usage: run.py {{{','.join(COMMANDS)}}} [options]", file=sys.stderr)
        return 2
    return COMMANDS[arguments[0]](arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
