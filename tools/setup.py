#!/usr/bin/env python3
"""Get this machine ready: system packages, virtual environments, the plugin, the wheel.

    python3 tools/setup.py demo        what `make demo` needs
    python3 tools/setup.py test        what `make test` needs
    python3 tools/setup.py bench       what `make bench` needs
    python3 tools/setup.py build       the plugin and the wheel

Safe to run again: what is there and up to date is left alone, without looking at the network.
Everything that is made lies in .setup, build and dist beside this folder; system packages come
from the system's own package manager, with sudo where that is needed. Standard library only,
Python 3.9 or newer.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from common import (
    BUILD,
    DATA,
    DIST,
    ENVIRONMENTS,
    LOGS,
    ROOT,
    STAMPS,
    STATE,
    SYSTEM_PYTHON,
    environment_python,
    plugin_file,
    wheel_file,
)

# Debian's names. Found on a minimal Debian 12: without one of these something does not work.
RUN_PACKAGES = [
    # ParaView under MPI, its Python, and a display for it
    "paraview",
    "python3-paraview",
    "openmpi-bin",
    "xvfb",
    "libgl1-mesa-dri",
    # the bridge
    "python3-numpy",
    "python3-websockets",
    "python3-msgpack",
    # real data
    "mricron-data",
    "invesalius-examples",
]
BUILD_PACKAGES = [
    "g++",
    "cmake",
    "ninja-build",
    "ccache",
    "git",
    "paraview-dev",
    "libopenmpi-dev",
    "libdouble-conversion-dev",
    "zlib1g-dev",
    "libisal-dev",
    "python3-dev",
    "python3-venv",
]

CT_EXAMPLE = Path("/usr/share/doc/invesalius-examples/examples/Cranium.inv3")

# What a build depends on. Python files that are not compiled are put into both as well.
SOURCES = ["CMakeLists.txt", "CMakePresets.json", "SegmentationCore", "Wrapping"]
PLUGIN_SOURCES = [*SOURCES, "ParaViewPlugin", "Testing/Cxx"]
WHEEL_SOURCES = [*SOURCES, "pyproject.toml", "LICENSE", "README.md"]

REQUIREMENTS = {
    "build": ["tools/requirements-build.txt"],
    "wheel": ["tools/requirements-wheel.txt"],
    "slicer": ["tools/requirements-slicer.txt"],
    "test": ["tools/requirements-wheel.txt", "Testing/requirements.txt"],
    "bench": ["tools/requirements-wheel.txt", "tools/requirements-bench.txt"],
    "lint": ["tools/requirements-lint.txt"],
}
# Environments that get our wheel as well.
WITH_WHEEL = {"wheel", "test", "bench"}

GOALS = {
    "demo": ["packages", "plugin", "wheel", "slicer environment", "wheel environment"],
    "test": [
        "packages",
        "plugin",
        "wheel",
        "slicer environment",
        "wheel environment",
        "test environment",
    ],
    "bench": ["packages", "wheel", "slicer environment", "bench environment"],
    "build": ["packages", "plugin", "wheel"],
    "lint": ["lint environment"],
}


class SetupError(Exception):
    """Something is missing; the message says what, and what mends it."""


def say(text: str) -> None:
    """One line about what is being done."""
    print(f"setup: {text}", flush=True)


@contextlib.contextmanager
def step(text: str) -> Iterator[None]:
    """Say what is being done, and how long it took."""
    say(f"{text} ...")
    begin = time.monotonic()
    yield
    say(f"{text}: done in {time.monotonic() - begin:.0f} s")


def run(
    name: str,
    command: Sequence[str | Path],
    variables: dict[str, str] | None = None,
) -> None:
    """Run a command in the repository; its output goes to a log, whose end is shown on failure."""
    words = [str(word) for word in command]
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{name}.log"
    with log.open("ab") as stream:
        stream.write(f"\n$ {shlex.join(words)}\n".encode())
        stream.flush()
        done = subprocess.run(
            words,
            cwd=ROOT,
            env={**os.environ, **(variables or {})},
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-30:]
        raise SetupError(
            "\n".join(
                [
                    *tail,
                    "",
                    f"`{shlex.join(words)}` failed ({done.returncode}).",
                    f"The lines above are the end of {log.relative_to(ROOT)}.",
                ]
            )
        )


# -- stamps --------------------------------------------------------------------------------------


def fingerprint(paths: Iterable[Path], *more: str) -> str:
    """A hash of the names and contents of files, and of folders with everything in them."""
    digest = hashlib.sha256()
    for text in more:
        digest.update(text.encode() + b"\0")
    for path in paths:
        if path.is_dir():
            files = sorted(
                file
                for file in path.rglob("*")
                if file.is_file() and "__pycache__" not in file.parts and "_cache/" not in str(file)
            )
        else:
            files = [path] if path.is_file() else []
        for file in files:
            digest.update(str(file.relative_to(ROOT)).encode() + b"\0")
            content = file.read_bytes()
            digest.update(str(len(content)).encode() + b"\0" + content)
    return digest.hexdigest()


def is_stamped(name: str, mark: str) -> bool:
    """Whether this was finished with the same mark before."""
    stamp = STAMPS / name
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == mark


def put_stamp(name: str, mark: str) -> None:
    """Remember that this is finished."""
    STAMPS.mkdir(parents=True, exist_ok=True)
    (STAMPS / name).write_text(mark, encoding="utf-8")


def drop_stamp(name: str) -> None:
    """Forget it, before beginning again."""
    (STAMPS / name).unlink(missing_ok=True)


# -- system packages -----------------------------------------------------------------------------


def is_debian() -> bool:
    """Whether packages have Debian's names here."""
    release = Path("/etc/os-release")
    words: set[str] = set()
    if release.is_file():
        for line in release.read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition("=")
            if key in ("ID", "ID_LIKE"):
                words.update(value.strip("\"'").split())
    return bool(words & {"debian", "ubuntu"}) and shutil.which("dpkg-query") is not None


def missing_packages(packages: Sequence[str]) -> list[str]:
    """Those that are not installed, in the order given."""
    done = subprocess.run(
        ["dpkg-query", "--show", "--showformat", "${db:Status-Status} ${Package}\n", *packages],
        capture_output=True,
        text=True,
        check=False,  # it fails for a name it has never heard of
    )
    installed = {
        line.split()[1] for line in done.stdout.splitlines() if line.startswith("installed ")
    }
    return [name for name in packages if name not in installed]


def privileges(advice: str) -> list[str]:
    """What to put before a command that needs the rights of root."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo"):
        if subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0:
            return ["sudo", "-n"]
        if sys.stdin.isatty():
            say("sudo will ask for your password, to install system packages")
            return ["sudo"]
        raise SetupError(
            f"system packages are missing, and sudo wants a password. Run:\n  {advice}"
        )
    raise SetupError(
        f"system packages are missing, and there is no sudo. As root, run:\n  {advice}"
    )


def install_packages() -> None:
    """Install the system packages that are missing."""
    wanted = [*RUN_PACKAGES, *BUILD_PACKAGES]
    if not is_debian():
        check_foreign_system()
        return
    missing = missing_packages(wanted)
    if missing:
        install = ["apt-get", "install", "--yes", "--no-install-recommends", *missing]
        advice = f"apt-get update && {shlex.join(install)}"
        before = [*privileges(advice), "env", "DEBIAN_FRONTEND=noninteractive"]
        with step(f"installing {len(missing)} system packages: {' '.join(missing)}"):
            try:
                run("packages", [*before, "apt-get", "-q", "update"])
                run("packages", [*before, *install])
            except SetupError as error:
                raise SetupError(
                    f"{error}\nMend that, or install them by hand:\n  {advice}"
                ) from None
        still = missing_packages(wanted)
        if still:
            raise SetupError(f"still not installed: {' '.join(still)}. Run:\n  {advice}")
    unpack_example()


def unpack_example() -> None:
    """Get the CT where the system leaves out /usr/share/doc, as small images of Debian do."""
    target = DATA / CT_EXAMPLE.relative_to("/")
    if CT_EXAMPLE.is_file() or target.is_file():
        return
    folder = DATA / "packages"
    folder.mkdir(parents=True, exist_ok=True)
    with step(
        "this system leaves out documentation; unpacking the CT of invesalius-examples beside it"
    ):
        # apt-get download wants a folder that its own user may write into.
        run("packages", ["sh", "-c", f"cd {shlex.quote(str(folder))} && "
            "apt-get -o APT::Sandbox::User=root download invesalius-examples"])  # fmt: skip
        archive = next(iter(sorted(folder.glob("invesalius-examples_*.deb"))), None)
        if archive is None:
            raise SetupError(f"apt-get left no invesalius-examples package in {folder}")
        run("packages", ["dpkg-deb", "--extract", archive, DATA])
    if not target.is_file():
        raise SetupError(f"{archive} does not hold {CT_EXAMPLE}")


def check_foreign_system() -> None:
    """Elsewhere than on Debian: look for what has to be there, and say what is not."""
    wanted = {
        "pvserver": "ParaView 5.11 or newer, built with MPI and Python, and its development files",
        "pvpython": "ParaView's Python, with NumPy, websockets (10 or newer) and msgpack",
        "mpirun": "Open MPI",
        "Xvfb": "the X virtual framebuffer, with Mesa's software OpenGL",
        "c++": "a C++17 compiler",
        "cmake": "CMake 3.22 or newer",
        "ninja": "Ninja",
        "git": "git",
    }
    missing = [
        f"  {program:<10} {what}" for program, what in wanted.items() if not shutil.which(program)
    ]
    if not SYSTEM_PYTHON.exists():
        missing.append(f"  {SYSTEM_PYTHON}  Python 3.10 or newer with venv")
    if missing:
        raise SetupError(
            "this is not a Debian or Ubuntu, so nothing is installed for you. Missing:\n"
            + "\n".join(missing)
            + "\nOn Debian 12 all of it comes from these packages:\n  "
            + " ".join([*RUN_PACKAGES, *BUILD_PACKAGES])
        )
    say("this is not a Debian or Ubuntu; using the programs that are there")


# -- virtual environments ------------------------------------------------------------------------


def prepare_environment(name: str) -> None:
    """Make or renew one virtual environment."""
    files = [ROOT / file for file in REQUIREMENTS[name]]
    wheel = wheel_file() if name in WITH_WHEEL else None
    if name in WITH_WHEEL and wheel is None:
        raise SetupError(
            f"there is no wheel in {DIST.relative_to(ROOT)} to put into an environment"
        )
    python = environment_python(name)
    version = subprocess.run(
        [SYSTEM_PYTHON, "-VV"], capture_output=True, text=True, check=True
    ).stdout.strip()
    requirements = fingerprint(files, version, str(ROOT))
    content = fingerprint([wheel] if wheel else [], requirements)
    if python.exists() and is_stamped(f"environment-{name}", content):
        return
    pip: list[str | Path] = [python, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    quiet = {"PYTHONPATH": "", "PYTHONNOUSERSITE": "1"}
    log = f"environment-{name}"
    drop_stamp(f"environment-{name}")
    if not python.exists() or not is_stamped(f"requirements-{name}", requirements):
        with step(f"making the {name} environment"):
            drop_stamp(f"requirements-{name}")
            run(log, [SYSTEM_PYTHON, "-m", "venv", "--clear", ENVIRONMENTS / name], quiet)
            arguments = [word for file in files for word in ("--requirement", str(file))]
            run(log, [*pip, "install", *arguments], quiet)
            put_stamp(f"requirements-{name}", requirements)
    if wheel:
        with step(f"putting {wheel.name} into the {name} environment"):
            # Its dependencies are there already, pinned; --no-deps keeps the index out of this.
            run(
                log, [*pip, "install", "--no-deps", "--no-index", "--force-reinstall", wheel], quiet
            )
            run(log, [*pip, "check"], quiet)
    put_stamp(f"environment-{name}", content)


# -- builds --------------------------------------------------------------------------------------


def build_plugin() -> None:
    """Build the ParaView plugin and the C++ tests."""
    mark = fingerprint([ROOT / name for name in PLUGIN_SOURCES], str(ROOT))
    if plugin_file() is not None and is_stamped("plugin", mark):
        return
    drop_stamp("plugin")
    with step("building the ParaView plugin"):
        # The system's CMake with the system's Python, whatever else is first on the path.
        variables = {"PATH": f"/usr/bin:{os.environ.get('PATH', '')}", "PYTHONPATH": ""}
        run("plugin", ["cmake", "--preset", "paraview"], variables)
        run("plugin", ["cmake", "--build", "--preset", "paraview"], variables)
    if plugin_file() is None:
        raise SetupError(f"the build left no SegmentationCore.so below {BUILD / 'lib'}")
    put_stamp("plugin", mark)


def build_wheel() -> None:
    """Build the wheel; with its requirements at hand, so that the next time downloads nothing."""
    names = [ROOT / name for name in (*WHEEL_SOURCES, *REQUIREMENTS["build"])]
    mark = fingerprint(names, str(ROOT))
    if wheel_file() is not None and is_stamped("wheel", mark):
        return
    drop_stamp("wheel")
    prepare_environment("build")
    with step("building the wheel"):
        for old in DIST.glob("segmentationcore-*.whl"):
            old.unlink()
        python = environment_python("build")
        variables = {
            "PATH": f"{python.parent}:{os.environ.get('PATH', '')}",
            "PYTHONPATH": "",
            # The headers and tools of the wheel's VTK are put together here, once.
            "SEGMENTATIONCORE_VTK_SDK": str(STATE / "vtk-sdk"),
        }
        pip: list[str | Path] = [python, "-m", "pip", "--disable-pip-version-check", "--no-input"]
        arguments: list[str | Path] = ["--no-deps", "--no-build-isolation", "--no-index"]
        arguments += ["--wheel-dir", DIST]
        run("wheel", [*pip, "wheel", ".", *arguments], variables)
    if wheel_file() is None:
        raise SetupError(f"the build left no wheel in {DIST}")
    put_stamp("wheel", mark)


@contextlib.contextmanager
def only_one() -> Iterator[None]:
    """Wait for another setup of this folder to end."""
    STATE.mkdir(exist_ok=True)
    with (STATE / "lock").open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another setup of this folder")
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def prepare(goal: str) -> None:
    """Do everything for one goal."""
    for part in GOALS[goal]:
        if part == "packages":
            install_packages()
        elif part == "plugin":
            build_plugin()
        elif part == "wheel":
            build_wheel()
        else:
            prepare_environment(part.split()[0])


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("goal", choices=GOALS)
    options = parser.parse_args(arguments)
    begin = time.monotonic()
    try:
        with only_one():
            prepare(options.goal)
    except SetupError as error:
        print(f"\nsetup: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nsetup: interrupted; run it again to go on", file=sys.stderr)
        return 130
    say(f"ready to {goal_text(options.goal)} ({time.monotonic() - begin:.1f} s)")
    return 0


def goal_text(goal: str) -> str:
    """The goal as a verb."""
    sentences = {
        "demo": "run the demonstration",
        "test": "run the tests",
        "bench": "run the benchmarks",
    }
    return sentences.get(goal, goal)


if __name__ == "__main__":
    sys.exit(main())
