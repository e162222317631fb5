#!/usr/bin/env python3
"""Put together a VTK SDK whose libraries are those of the PyPI ``vtk`` wheel.

The wheel holds the libraries alone; the SDK of the same version is on its vendor's own index. Where that
one cannot be had, Debian's testing or sid carries headers, CMake package, hierarchy files and wrapping
tools of the same VTK version. This script fetches both, points the CMake package at the wheel's libraries
and removes from it what the wheel does not have. It installs nothing and needs no privileges; the result
is a folder for building and is not to be shipped.

    assemble_vtk_sdk.py --output build/vtk-sdk
    cmake -S . -B build/wheel -DVTK_DIR="$(python3 -c \
        'import json; print(json.load(open("build/vtk-sdk/sdk.json"))["vtk_dir"])')"

A complete folder of the same recipe, version and Python is left as it is.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

# Raise it with every change to what is written, so that folders made before are made anew.
RECIPE = 1
DEFAULT_VERSION = "9.6.2"
DEFAULT_SUITES = "testing,sid"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
DEBIAN_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
APT_SOURCES = Path("/etc/apt")

# What SegmentationCore builds against; an SDK without one of these is refused.
REQUIRED_MODULES = (  # noqa: SIM905 -- one name a line would be a screen of names
    "CommonCore CommonDataModel CommonExecutionModel CommonMath CommonMisc CommonSystem CommonTransforms "
    "FiltersCore FiltersGeneral FiltersGeometry FiltersModeling FiltersSources "
    "ImagingCore ImagingGeneral ImagingHybrid ImagingMath ImagingSources "
    "IOCore IOGeometry IOImage IOLegacy IOXML IOXMLParser "
    "ParallelCore RenderingCore WrappingPythonCore nlohmannjson vtksys"
).split()
WRAPPING_TOOLS = ("WrapHierarchy", "WrapPython", "WrapPythonInit")

# Configured into Debian's VTK and not into the wheel's. Modules that mention one of these were built
# another way there, so their headers cannot be trusted to describe the wheel's classes.
FOREIGN_MODULES = {"VTK::mpi", "VTK::vtkviskores", "VTK::Java"}
# Found by the mended package itself; every other outside target belongs to a library inside the wheel.
OUTSIDE_TARGETS = {"Threads::Threads", "Python3::Module", "Python3::Python"}
# Outside targets whose absence does not keep a module from being used: TBB is switched off in vtkSMP.h,
# and nlohmann's headers are put into the prefix.
REPLACED_TARGETS = {"TBB::tbb", "nlohmann_json::nlohmann_json"}

TARGET_NAME = re.compile(r"[A-Za-z_]\w*::[A-Za-z_][\w-]*")


class SdkError(Exception):
    """Something is missing; the message says what, and which command mends it."""


class Log:
    """Progress on standard error; the details only with ``--verbose``."""

    verbose = False

    @classmethod
    def say(cls, text: str) -> None:
        """Print one line."""
        print(f"vtk-sdk: {text}", file=sys.stderr, flush=True)

    @classmethod
    def detail(cls, text: str) -> None:
        """Print one line if details are wanted."""
        if cls.verbose:
            cls.say(text)


def run(command: Sequence[str | Path], cwd: Path | None = None) -> str:
    """Return the standard output; raise SdkError with the command's last words when it fails."""
    words = [str(word) for word in command]
    Log.detail(shlex.join(words))
    # Messages are read below, so they have to be in one language.
    done = subprocess.run(
        words,
        cwd=cwd,
        env={**os.environ, "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        tail = "\n".join((done.stderr or done.stdout).strip().splitlines()[-12:])
        raise SdkError(f"`{shlex.join(words)}` failed:\n{tail}")
    return done.stdout


# --- The wheel --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wheel:
    """An unpacked ``vtk`` wheel: the folder that holds ``vtkmodules``."""

    root: Path
    version: str

    @property
    def libraries(self) -> Path:
        """The folder of the shared libraries and the Python modules."""
        return self.root / "vtkmodules"

    @classmethod
    def at(cls, root: Path) -> Wheel:
        """The wheel in a folder; refused unless it is complete and made for this Python."""
        metadata = sorted(root.glob("vtk-*.dist-info/METADATA"))
        core = root / "vtkmodules" / "libvtkCommonCore.so"
        if len(metadata) != 1 or not core.is_file():
            raise SdkError(
                f"no vtk wheel in {root}: expected one vtk-*.dist-info and vtkmodules/{core.name}. "
                f"`{sys.executable} -m pip install vtk=={DEFAULT_VERSION}` installs one; "
                "without --vtk-wheel-root it is fetched."
            )
        if not (core.parent / f"libvtkWrappingPythonCore{PYTHON}.so").is_file():
            found = ", ".join(
                path.name for path in core.parent.glob("libvtkWrappingPythonCore*.so")
            )
            raise SdkError(
                f"the vtk wheel in {root} is for another Python ({found or 'none'}), this is {PYTHON}. "
                "Run this script with the Python the wheel is installed for."
            )
        version = re.search(
            r"^Version: (\S+)$", metadata[0].read_text(encoding="utf-8"), re.MULTILINE
        )
        if not version:
            raise SdkError(f"{metadata[0]} names no version")
        return cls(root, version[1])

    def uses_new_strings(self) -> bool:
        """Whether the libraries were compiled with the C++11 std::string; manylinux2014 ones were not."""
        return b"cxx1112basic_string" in (self.libraries / "libvtkCommonCore.so").read_bytes()


def pip_command() -> list[str]:
    """A pip that runs: this Python's, or else the one on the path."""
    candidates = [
        [sys.executable, "-m", "pip"],
        *([[found]] if (found := shutil.which("pip3")) else []),
    ]
    for candidate in candidates:
        with contextlib.suppress(SdkError):
            run([*candidate, "--version"])
            return candidate
    raise SdkError(
        f"pip is missing for {sys.executable}. Install it (`apt-get install python3-pip`, or "
        f"`{sys.executable} -m ensurepip`), or name an installed wheel with --vtk-wheel-root."
    )


def fetch_wheel(version: str, downloads: Path) -> Path:
    """Download the wheel of this version for this Python, or find it among the downloads."""
    tag = f"cp{PYTHON.replace('.', '')}"
    pattern = f"vtk-{version}-{tag}-*.whl"
    if not list(downloads.glob(pattern)):
        Log.say(f"downloading the vtk {version} wheel for Python {PYTHON}")
        downloads.mkdir(parents=True, exist_ok=True)
        # The tags are spelled out because pip may belong to another Python than this one.
        run(
            [
                *pip_command(),
                *("download", "--quiet", "--no-deps", "--only-binary", ":all:"),
                *("--python-version", PYTHON, "--implementation", "cp", "--abi", tag),
                *("--dest", str(downloads), f"vtk=={version}"),
            ]
        )
    return next(iter(sorted(downloads.glob(pattern))))


# --- The archive ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Source:
    """One entry of the machine's apt sources."""

    uri: str
    suites: frozenset[str]
    components: frozenset[str]
    signed_by: str


def one_line_sources(text: str) -> Iterator[Source]:
    """Entries of a ``.list`` file: ``deb [option=value ...] uri suite component ...``."""
    for line in text.splitlines():
        match = re.fullmatch(
            r"deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*(.*)", line.split("#")[0].strip()
        )
        if match:
            options, uri, suite, components = match.groups()
            signed_by = re.search(r"(?i)\bsigned-by=(\S+)", options or "")
            yield Source(
                uri,
                frozenset([suite]),
                frozenset(components.split()),
                signed_by[1] if signed_by else "",
            )


def deb822_sources(text: str) -> Iterator[Source]:
    """Entries of a ``.sources`` file: stanzas of ``Field: value``, values may go on in indented lines."""
    without_comments = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for stanza in re.split(r"\n\s*\n", without_comments):
        fields = {
            match[1].lower(): match[2].strip()
            for match in re.finditer(r"(?m)^([A-Za-z-]+):(.*(?:\n[ \t].*)*)", stanza)
        }
        if (
            "deb" in fields.get("types", "").split()
            and fields.get("enabled", "yes").lower() != "no"
        ):
            for uri in fields.get("uris", "").split():
                yield Source(
                    uri,
                    frozenset(fields.get("suites", "").split()),
                    frozenset(fields.get("components", "").split()),
                    fields.get("signed-by", ""),
                )


def os_release() -> dict[str, str]:
    """The fields of /etc/os-release; none where there is no such file."""
    with contextlib.suppress(OSError):
        lines = Path("/etc/os-release").read_text(encoding="utf-8").splitlines()
        return {
            key: value.strip("\"'") for key, _, value in (line.partition("=") for line in lines)
        }
    return {}


def debian_mirrors() -> list[Source]:
    """The machine's own Debian mirrors, the likeliest first; other vendors use Debian's suite names too."""
    sources: list[Source] = []
    for path in sorted([APT_SOURCES / "sources.list", *(APT_SOURCES / "sources.list.d").glob("*")]):
        parse = {".list": one_line_sources, ".sources": deb822_sources}.get(path.suffix)
        if parse and path.is_file():
            sources += parse(path.read_text(encoding="utf-8", errors="replace"))
    suites = {
        "testing",
        "unstable",
        "sid",
        "stable",
        "oldstable",
        os_release().get("VERSION_CODENAME", ""),
    }
    mirrors = [
        source
        for source in sources
        if source.suites & suites
        and "main" in source.components
        and not source.uri.startswith("cdrom:")
    ]
    return sorted(mirrors, key=lambda source: "debian-archive" not in source.signed_by)


class Archive:
    """One suite of a Debian mirror, read by apt with a state of its own: nothing of the system changes."""

    def __init__(self, mirror: Source, suite: str, state: Path) -> None:
        self.suite = suite
        self.downloads = state.parent / "packages"
        for folder in (
            self.downloads,
            state / "lists" / "partial",
            state / "cache" / "archives" / "partial",
        ):
            folder.mkdir(parents=True, exist_ok=True)
        # Debian's keyring rather than the entry's own keys: those may be the stable release's alone.
        keys = str(DEBIAN_KEYRING) if DEBIAN_KEYRING.is_file() else mirror.signed_by
        sources = state / "suite.sources"
        sources.write_text(
            f"Types: deb\nURIs: {mirror.uri}\nSuites: {suite}\nComponents: main\n"
            + (f"Signed-By: {keys}\n" if keys else ""),
            encoding="utf-8",
        )
        # Given by -c and not by APT_CONFIG, because it has to be read after the system's files, whose
        # hooks and pins are not for us. Proxies and the like still come from there.
        self.configuration = state / "apt.conf"
        self.configuration.write_text(
            "#clear APT::Update;\n#clear APT::Default-Release;\n"
            'APT::Update::Error-Mode "any";\n'
            f'Dir::Etc::sourcelist "{sources}";\nDir::Etc::sourceparts "-";\n'
            'Dir::Etc::preferences "/dev/null";\nDir::Etc::preferencesparts "-";\n'
            f'Dir::State::lists "{state}/lists";\nDir::State::status "/dev/null";\n'
            f'Dir::Cache "{state}/cache";\n'
            'Acquire::Languages "none";\nAPT::Sandbox::User "root";\n',
            encoding="utf-8",
        )
        Log.say(f"reading the package list of Debian {suite}")
        run(["apt-get", "-c", self.configuration, "-qq", "update"])

    def vtk_version(self) -> str | None:
        """Upstream's version of the suite's libvtk9-dev."""
        try:
            record = run(
                ["apt-cache", "-c", self.configuration, "show", "--no-all-versions", "libvtk9-dev"]
            )
        except SdkError:
            return None
        match = re.search(r"^Version: (?:\d+:)?(\d+\.\d+\.\d+)", record, re.MULTILINE)
        return match[1] if match else None

    def fetch(self, packages: Sequence[str]) -> list[Path]:
        """Download packages, checked by apt; ones that are there already are used again."""
        apt: list[str | Path] = ["apt-get", "-c", self.configuration, "-qq", "download"]
        # Asked for in another folder, because apt leaves out what the current one holds already.
        listing = run([*apt, "--print-uris", *packages], cwd=self.configuration.parent)
        rows = re.findall(r"^'[^']*' (\S+) (\d+) (?:SHA256:([0-9a-f]+))?", listing, re.MULTILINE)
        if len(rows) != len(packages):
            raise SdkError(f"Debian {self.suite} does not offer all of {', '.join(packages)}")
        files = {self.downloads / name: digest for name, _, digest in rows}
        if not all(path.is_file() and sha256(path) == digest for path, digest in files.items()):
            size = sum(int(size) for _, size, _ in rows)
            Log.say(
                f"downloading {len(rows)} packages of Debian {self.suite} ({size / 1e6:.0f} MB)"
            )
            for path in files:
                path.unlink(missing_ok=True)
            run([*apt, *packages], cwd=self.downloads)
        return list(files)


def sha256(path: Path) -> str:
    """Digest of a file in the notation of Debian's package lists."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def open_archives(suites: Iterable[str], state: Path) -> Iterator[Archive]:
    """The suites, each read when it is asked for, from the first mirror that has it."""
    advice = "Install the vendor's vtk-sdk of vtk's version, or set VTK_DIR to a VTK built with Python wrapping."
    for tool in ("apt-get", "apt-cache", "dpkg-deb"):
        if not shutil.which(tool):
            raise SdkError(
                f"{tool} was not found: an SDK can be assembled on Debian only. {advice}"
            )
    mirrors = debian_mirrors()
    if not mirrors:
        raise SdkError(
            f"no Debian mirror is named in {APT_SOURCES}/sources.list or {APT_SOURCES}/sources.list.d. "
            f"Add one (`deb <mirror> stable main`, with debian-archive-keyring installed). {advice}"
        )
    for suite in suites:
        failures: list[str] = []
        for number, mirror in enumerate(mirrors):
            try:
                archive = Archive(mirror, suite, state / f"{suite}-{number}")
            except SdkError as error:
                failures.append(str(error))
                continue
            yield archive
            break
        else:
            reasons = "\n".join(failures)
            remedy = "Check the network and the mirror in the machine's apt sources with `apt-get update`."
            if "NO_PUBKEY" in reasons or "not signed" in reasons:
                remedy = (
                    "The keys of the suite are missing here: "
                    "`apt-get update && apt-get install debian-archive-keyring` brings the newest."
                )
            Log.say(f"Debian {suite} could not be read.\n{reasons}\n{remedy}")


def choose(
    archives: Iterator[Archive], wanted: str, wheel: Wheel | None, downloads: Path
) -> tuple[Archive, str, Path | None]:
    """Return a suite, its VTK version and, unless a wheel was given, the wheel file of that version."""
    offers: list[tuple[Archive, str]] = []
    for archive in archives:
        version = archive.vtk_version()
        Log.say(f"Debian {archive.suite} has VTK {version or 'none'}")
        if version == wanted:
            return archive, wanted, None if wheel else fetch_wheel(wanted, downloads)
        if version:
            offers.append((archive, version))
    failures: list[str] = []
    for archive, version in offers if wheel is None else []:
        try:
            file = fetch_wheel(version, downloads)
        except SdkError as error:
            failures.append(str(error))
            continue
        Log.say(
            f"NOTE: VTK {wanted} was asked for, but no suite has it any more. Taking {version}, which Debian "
            f"{archive.suite} and PyPI both have: require vtk=={version} of what is built with it."
        )
        return archive, version, file
    offered = ", ".join(f"{version} ({archive.suite})" for archive, version in offers) or "none"
    problem = f"no suite has VTK {wanted}; they have: {offered}."
    if wheel:
        problem += f" The wheel in {wheel.root} fixes the version."
    elif offers:
        problem += f" PyPI has none of these for Python {PYTHON}."
    failures.append(
        f"{problem} Name other suites with --suites, or install the vendor's vtk-sdk of vtk's version, "
        "or set VTK_DIR to a VTK built with Python wrapping."
    )
    raise SdkError("\n".join(failures))


def unpack(package: Path, root: Path, place: Callable[[str], str | None]) -> None:
    """Unpack those files of a Debian package for which ``place`` names a path below ``root``."""
    command = ["dpkg-deb", "--fsys-tarfile", str(package)]
    Log.detail(shlex.join(command))
    # Read as a stream and written here: the runtime package is large, and little of it is wanted.
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE) as process,
        tarfile.open(fileobj=process.stdout, mode="r|") as archive,
    ):
        for member in archive:
            target = place(member.name.removeprefix("./"))
            if target is None or member.isdir():
                continue
            path = root / target
            path.parent.mkdir(parents=True, exist_ok=True)
            if member.issym():
                path.symlink_to(member.linkname)
            elif member.isfile() and (content := archive.extractfile(member)):
                with path.open("wb") as stream:
                    shutil.copyfileobj(content, stream)
                path.chmod(member.mode & 0o755)
    if process.returncode:
        raise SdkError(f"{package} cannot be unpacked; remove it and run again")


# --- The prefix -------------------------------------------------------------------------------------------


PLACES = (
    # Headers, of VTK and of nlohmann's library.
    (r"include/(?:vtk-[\d.]+|nlohmann)/.+", r"\g<0>"),
    # The CMake package without that of Viskores, and the classes of each module for the wrappers.
    (r"lib/[^/]+/cmake/vtk-[\d.]+/(?!viskores/).+", r"\g<0>"),
    (r"lib/[^/]+/vtk-[\d.]+/hierarchy/.+", r"\g<0>"),
    # The tools, and what they need to run apart from the system's C library.
    (rf"bin/(vtk(?:{'|'.join(WRAPPING_TOOLS)})-[\d.]+)", r"libexec/\1"),
    (r"lib/[^/]+/((?:ld-linux[^/]*|libc|libvtkWrappingTools-[\d.]+)\.so\.[\d.]+)", r"libexec/\1"),
)


def place_file(path: str) -> str | None:
    """Where a file of the Debian packages goes in the prefix; None for those that are not wanted."""
    path = path.removeprefix("usr/")
    for pattern, place in PLACES:
        if match := re.fullmatch(pattern, path):
            return match.expand(place)
    return None


def write_tool_scripts(prefix: Path) -> None:
    """Let the suite's wrapping tools run on an older system: by the suite's own loader and C library."""
    libexec = prefix / "libexec"
    loaders = [path for path in libexec.glob("ld-linux*") if not path.is_symlink()]
    tools = sorted(libexec.glob("vtkWrap*"))
    if len(loaders) != 1 or len(tools) != len(WRAPPING_TOOLS):
        raise SdkError(
            f"the packages hold {len(loaders)} loaders and {len(tools)} wrapping tools instead of 1 and "
            f"{len(WRAPPING_TOOLS)}: their layout has changed, and this script has to follow it"
        )
    for tool in tools:
        script = prefix / "bin" / tool.name
        script.parent.mkdir(exist_ok=True)
        script.write_text(
            '#!/bin/sh\nhere=$(dirname "$0")/../libexec\n'
            f'exec "$here/{loaders[0].name}" --library-path "$here" "$here/{tool.name}" "$@"\n',
            encoding="utf-8",
        )
        for program in (script, tool, loaders[0]):
            program.chmod(program.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


def replace(text: str, pattern: str, replacement: str, what: str) -> str:
    """Substitute a regular expression that has to occur: a silent miss would give a subtly wrong SDK."""
    result, count = re.subn(pattern, lambda match: match.expand(replacement), text)
    if not count:
        raise SdkError(
            f"{what} was not found where it was: the packages have changed, mend this script"
        )
    return result


def mend_headers(include: Path) -> None:
    """Describe the wheel's SMP: STDThread and Sequential; with TBB the classes' layouts would differ.

    The default below does not reach the wheel's libraries. What they start with is compiled into them, and
    can be changed by vtkSMPTools::SetBackend or VTK_SMP_BACKEND_IN_USE alone.
    """
    header = include / "vtkSMP.h"
    text = header.read_text(encoding="utf-8")
    text = replace(text, r"#define VTK_SMP_TBB\b", "#define VTK_SMP_STDTHREAD", "VTK_SMP_TBB")
    text = replace(text, r'VTK_SMP_BACKEND "TBB"', 'VTK_SMP_BACKEND "STDThread"', "VTK_SMP_BACKEND")
    for name, value in (("ENABLE_TBB", 0), ("DEFAULT_IMPLEMENTATION_TBB", 0), ("ENABLE_OPENMP", 0)):
        text = replace(text, rf"(VTK_SMP_{name}) \d", rf"\1 {value}", f"VTK_SMP_{name}")
    text = replace(
        text,
        r"(VTK_SMP_DEFAULT_IMPLEMENTATION_STDTHREAD) \d",
        r"\1 1",
        "the default SMP implementation",
    )
    header.write_text(text, encoding="utf-8")


@dataclass
class ExportFile:
    """A file of exported targets: what comes before the targets, one block for each, what comes after."""

    path: Path
    head: str
    blocks: dict[str, str]
    tail: str

    @classmethod
    def read(cls, path: Path, start: str, end: str) -> ExportFile:
        """Split a file: ``start`` matches the line that names a target, ``end`` begins the tail."""
        text = path.read_text(encoding="utf-8")
        body, mark, tail = text.partition(end)
        pieces = re.split(start, body, flags=re.MULTILINE)
        if not mark or len(pieces) == 1:
            raise SdkError(
                f"{path.name} does not look like an export file of CMake: mend this script"
            )
        # Each piece but the first follows its target's name; the comment that named it is not needed.
        return cls(path, pieces[0], dict(zip(pieces[1::2], pieces[2::2], strict=True)), mark + tail)

    def keep(self, names: set[str]) -> None:
        """Drop all other targets, from the list of expected ones too."""
        self.blocks = {name: block for name, block in self.blocks.items() if name in names}
        # The list of expected targets guards against reading the file twice.
        self.head = re.sub(
            r"(foreach\(_cmake_expected_target IN ITEMS) [^)]*\)",
            lambda match: f"{match[1]} {' '.join(self.blocks)})",
            self.head,
        )

    def write(self) -> None:
        """Put the parts together again, in the same file."""
        body = "".join(f"# {name}{block}" for name, block in self.blocks.items())
        self.path.write_text(self.head + body + self.tail, encoding="utf-8")


@dataclass
class CMakePackage:
    """Debian's CMake package of VTK, to be mended for the wheel's libraries."""

    folder: Path
    wheel: Wheel
    wheel_expression: str
    """How the CMake files name the folder of the wheel's libraries."""
    targets: ExportFile = field(init=False)
    locations: ExportFile = field(init=False)
    depends: dict[str, dict[str, set[str]]] = field(init=False, default_factory=dict)
    kept: set[str] = field(init=False, default_factory=set)
    hollow: set[str] = field(init=False, default_factory=set)
    """Kept because others link them, not offered: their headers came from a library of the system."""

    created = r"^# Create imported target (\S+)$"
    located = r'^# Import target "([^"]+)" for configuration "[^"]+"$'
    end_created = "# Load information for each installed configuration."
    end_located = "# Commands beyond this point should not need to know the version."

    def __post_init__(self) -> None:
        self.targets = ExportFile.read(
            self.folder / "VTK-targets.cmake", self.created, self.end_created
        )
        self.locations = ExportFile.read(
            self.one("VTK-targets-*.cmake"), self.located, self.end_located
        )
        properties = (self.folder / "VTK-vtk-module-properties.cmake").read_text(encoding="utf-8")
        pattern = r'set_property\(TARGET "([^"]+)" PROPERTY "INTERFACE_vtk_module_(\w*depends)" "([^"]*)"\)'
        for name, kind, value in re.findall(pattern, properties):
            self.depends.setdefault(name, {})[kind] = set(filter(None, value.split(";")))

    def one(self, pattern: str) -> Path:
        """The only file of the package that matches."""
        found = list(self.folder.glob(pattern))
        if len(found) != 1:
            raise SdkError(
                f"{len(found)} files {pattern} in the CMake package instead of one: mend this script"
            )
        return found[0]

    def mend(self) -> list[str]:
        """Mend all files and return the names of the components that are offered."""
        self.decide()
        self.mend_targets()
        self.mend_python_targets()
        self.mend_properties()
        self.mend_found_packages()
        return self.mend_configuration()

    def wheel_file(self, location: str) -> str | None:
        """The wheel's name of a library, Python module or tool of Debian's; None if it has none."""
        name = PurePosixPath(location).name
        if library := re.fullmatch(r"(libvtk\w+?)(3\.\d+)?-\d+\.\d+\.so[\d.]*", name):
            name = f"{library[1]}{PYTHON if library[2] else ''}.so"
        elif module := re.fullmatch(r"(vtk\w+)\.cpython-.*\.so", name):
            name = f"{module[1]}{sysconfig.get_config_var('EXT_SUFFIX')}"
        else:
            return None
        return name if (self.wheel.libraries / name).is_file() else None

    def decide(self) -> None:
        """Keep what the wheel has and was configured alike, and whatever needs nothing but that."""
        foreign = FOREIGN_MODULES | {
            name
            for name, kinds in self.depends.items()
            if any(mentioned & FOREIGN_MODULES for mentioned in kinds.values())
        }
        tools = {f"VTK::{name}" for name in WRAPPING_TOOLS}
        for name, block in self.targets.blocks.items():
            location = self.location(name)
            if name in foreign or name.removesuffix("-private-kit-links") in foreign:
                continue
            if location is None or name in tools or self.wheel_file(location):
                self.kept.add(name)
                outside = {
                    target
                    for target in TARGET_NAME.findall(block)
                    if not target.startswith("VTK::")
                }
                if outside - OUTSIDE_TARGETS - REPLACED_TARGETS:
                    self.hollow.add(name)
        while lost := {
            name
            for name in self.kept
            if not self.depends.get(name, {}).get("depends", set()) <= self.kept
            or (
                name.endswith("-private-kit-links")
                and name.removesuffix("-private-kit-links") not in self.kept
            )
        }:
            self.kept -= lost
        self.hollow &= self.kept

    def location(self, name: str) -> str | None:
        """Where Debian has the file of a target; None for a target without a file."""
        match = re.search(r'IMPORTED_LOCATION_\w+ "([^"]+)"', self.locations.blocks.get(name, ""))
        return match[1] if match else None

    def known(self, names: str) -> str:
        """Remove from a list what names a target that is not there."""
        entries = [
            entry
            for entry in names.split(";")
            if set(TARGET_NAME.findall(entry)) <= self.kept | OUTSIDE_TARGETS
            and not entry.startswith("/")
        ]
        return ";".join(entries)

    def mend_targets(self) -> None:
        """Keep the chosen targets; their files become the wheel's, their links the kept ones."""
        libraries = [
            name for name in self.targets.blocks if name in self.kept and self.is_library(name)
        ]
        self.targets.keep(self.kept)
        for name, block in self.targets.blocks.items():
            self.targets.blocks[name] = re.sub(
                r'(INTERFACE_LINK_LIBRARIES) "([^"]*)"',
                lambda match: f'{match[1]} "{self.known(match[2])}"',
                block,
            )
        # Other export sets the file insists on are those of modules that were dropped.
        self.targets.tail = re.sub(
            r"foreach\(_target (\"[^)]*)\)", "foreach(_target)", self.targets.tail
        )
        self.targets.tail = self.additions(libraries) + self.targets.tail
        self.targets.write()

        self.locations.keep(self.kept)
        for name, block in self.locations.blocks.items():
            self.locations.blocks[name] = self.mend_location(block)
            if "${_IMPORT_PREFIX}/lib/" in self.locations.blocks[name]:
                raise SdkError(f"{name} still names a library of Debian's: mend this script")
        self.locations.write()

    def is_library(self, name: str) -> bool:
        """Whether a target is a shared library."""
        return f"add_library({name} SHARED IMPORTED)" in self.targets.blocks[name]

    def additions(self, libraries: Sequence[str]) -> str:
        """What a consumer of the wheel's libraries has to know, said by the targets themselves."""
        lines = ["# Added by assemble_vtk_sdk.py."]
        if definitions := self.compile_definitions():
            lines += [
                f"foreach(_vtk_sdk_library IN ITEMS {' '.join(libraries)})",
                "  set_property(TARGET ${_vtk_sdk_library} APPEND PROPERTY",
                f'    INTERFACE_COMPILE_DEFINITIONS "{";".join(definitions)}")',
                "endforeach()",
                "unset(_vtk_sdk_library)",
            ]
        # Executables: the wheel's libraries find each other by $ORIGIN, and were linked on a system whose
        # libraries need not all be present here.
        lines += [
            "set_property(TARGET VTK::CommonCore APPEND PROPERTY INTERFACE_LINK_OPTIONS",
            f'  "LINKER:-rpath-link,{self.wheel_expression}" "LINKER:--allow-shlib-undefined")',
            "set_property(TARGET VTK::nlohmannjson APPEND PROPERTY INTERFACE_INCLUDE_DIRECTORIES",
            '  "${_IMPORT_PREFIX}/include" "${_IMPORT_PREFIX}/include/vtk-'
            + ".".join(self.wheel.version.split(".")[:2])
            + '")',
        ]
        return "\n".join([*lines, "", ""])

    def compile_definitions(self) -> list[str]:
        """What has to be defined to get the same std::string as in the wheel."""
        return [] if self.wheel.uses_new_strings() else ["_GLIBCXX_USE_CXX11_ABI=0"]

    def mend_location(self, block: str) -> str:
        """The block of a target with the wheel's files for Debian's, and links to kept targets only."""

        def located(match: re.Match[str]) -> str:
            file = self.wheel_file(match[1])
            return f'"{self.wheel_expression}/{file}"' if file else match[0]

        block = re.sub(r'"\$\{_IMPORT_PREFIX\}/([^"]*)"', located, block)
        block = re.sub(
            r'(IMPORTED_SONAME_\w+) "([^"]*)"',
            lambda match: f'{match[1]} "{self.wheel_file(match[2]) or match[2]}"',
            block,
        )
        return re.sub(
            r'(IMPORTED_LINK_DEPENDENT_LIBRARIES_\w+) "([^"]*)"',
            lambda match: f'{match[1]} "{self.known(match[2])}"',
            block,
        )

    def mend_python_targets(self) -> None:
        """Keep the Python modules that the wheel has, of those VTK modules that are kept."""
        targets = ExportFile.read(
            self.folder / "VTKPython-targets.cmake", self.created, self.end_created
        )
        locations = ExportFile.read(
            self.one("VTKPython-targets-*.cmake"), self.located, self.end_located
        )
        kept = set()
        for name, block in locations.blocks.items():
            location = re.search(r'IMPORTED_LOCATION_\w+ "([^"]+)"', block)
            module = re.fullmatch(r"VTK::vtk(\w+)Python", name)
            if (
                location
                and module
                and f"VTK::{module[1]}" in self.kept
                and self.wheel_file(location[1])
            ):
                kept.add(name)
                locations.blocks[name] = self.mend_location(block)
        for file in (targets, locations):
            file.keep(kept)
            file.write()
        self.rewrite_properties("vtkmodules-vtk-python-module-properties.cmake", self.kept | kept)

    def mend_properties(self) -> None:
        """Forget the properties of modules that were dropped."""
        self.rewrite_properties("VTK-vtk-module-properties.cmake", self.kept)

    def rewrite_properties(self, name: str, kept: set[str]) -> None:
        """Take from a file of module properties whatever names a target that is not kept."""
        lines = []
        for line in (self.folder / name).read_text(encoding="utf-8").splitlines():
            match = re.fullmatch(
                r'(set_property\(TARGET "([^"]+)" PROPERTY "([^"]+)") "([^"]*)"\)', line
            )
            if match and match[2] not in kept:
                continue
            if match and re.search(r"depends$|forward_link$|implements$", match[3]):
                lines.append(f'{match[1]} "{self.known(match[4])}")')
            else:
                lines.append(line)
        (self.folder / name).write_text("\n".join([*lines, ""]), encoding="utf-8")

    def mend_found_packages(self) -> None:
        """Search for threads and Python only: every other library the wheel needs is inside it."""
        path = self.folder / "VTK-vtk-module-find-packages.cmake"
        call = r"  find_package\((?!Threads\b|Python3\b)(\w+)\n(?:.*\n)*?"
        check = r"  if \(NOT \1_FOUND .*\n(?:.*\n)*?  endif \(\)\n"
        text = replace(
            path.read_text(encoding="utf-8"), call + check, "", "the search for other packages"
        )
        text = replace(
            text,
            r"find_package\(Python3\n\s+3\.\d+\n",
            f"find_package(Python3\n    {PYTHON} EXACT\n",
            "Python3",
        )
        path.write_text(text, encoding="utf-8")

    def mend_configuration(self) -> list[str]:
        """Have the package say what is offered now; returns the names of these components."""
        path = self.folder / "vtk-config.cmake"
        text = path.read_text(encoding="utf-8")
        listed = re.search(r'_AVAILABLE_COMPONENTS" "([^"]*)"', text)
        if not listed:
            raise SdkError(
                f"{path.name} lists no components: the packages have changed, mend this script"
            )
        offered = self.kept - self.hollow
        components = [name for name in listed[1].split(";") if f"VTK::{name}" in offered]
        text = text.replace(listed[1], ";".join(components))
        for variable in ("HAS_VISKORES", "HAS_VTKm", "WRAP_JAVA"):
            text = replace(text, rf'(FIND_PACKAGE_NAME}}_{variable}") "ON"', r'\1 "OFF"', variable)
        text = replace(
            text, r'(_SMP_BACKENDS") "[^"]*"', r'\1 "STDThread;Sequential"', "SMP_BACKENDS"
        )
        text = replace(
            text, r"if \(\d+\) # VTK_QT_VERSION", "if (0) # VTK_QT_VERSION", "VTK_QT_VERSION"
        )
        # The tools may be asked for like modules; a plain VTK calls them missing although they are there.
        found = "".join(f"set(VTK_{name}_FOUND 1)\n" for name in WRAPPING_TOOLS)
        text = replace(
            text,
            r"(?m)^set\(_vtk_missing_components\)\n",
            rf"{found}\g<0>",
            "the check of components",
        )
        path.write_text(text, encoding="utf-8")
        return components


def assemble(
    output: Path, wanted: str, given_wheel: Wheel | None, suites: Sequence[str], cache: Path | None
) -> dict[str, object]:
    """Build the SDK beside ``output`` and move it there when it is complete."""
    prefix = output.with_name(f"{output.name}.tmp")
    shutil.rmtree(prefix, ignore_errors=True)
    prefix.mkdir(parents=True)
    work = cache or prefix / "work"
    archive, version, wheel_archive = choose(
        open_archives(suites, work / "apt"), wanted, given_wheel, work / "wheels"
    )
    series = ".".join(version.split(".")[:2])
    names = [
        "libvtk9-dev",
        f"libvtk{series}",
        "vtk9",
        "python3-vtk9",
        "libc6",
        "nlohmann-json3-dev",
    ]
    packages = archive.fetch(names)

    if wheel_archive:
        Log.say(f"unpacking {wheel_archive.name}")
        with zipfile.ZipFile(wheel_archive) as file:
            file.extractall(prefix / "wheel")
        # Relative to the CMake files, so that the folder can be renamed when it is complete.
        wheel, wheel_expression = Wheel.at(prefix / "wheel"), "${_IMPORT_PREFIX}/wheel/vtkmodules"
    else:
        assert given_wheel
        wheel, wheel_expression = given_wheel, given_wheel.libraries.as_posix()
    Log.say(f"mending VTK {version} of Debian {archive.suite} for the wheel's libraries")
    for package in packages:
        unpack(package, prefix, place_file)
    write_tool_scripts(prefix)
    mend_headers(prefix / "include" / f"vtk-{series}")
    folders = list(prefix.glob(f"lib/*/cmake/vtk-{series}"))
    if len(folders) != 1:
        raise SdkError(
            f"{len(folders)} CMake packages in libvtk9-dev instead of one: mend this script"
        )
    package_files = CMakePackage(folders[0], wheel, wheel_expression)
    components = package_files.mend()
    if missing := [name for name in (*REQUIRED_MODULES, *WRAPPING_TOOLS) if name not in components]:
        raise SdkError(
            f"VTK {version} of Debian {archive.suite} and the wheel have no common {', '.join(missing)}"
        )

    description: dict[str, object] = {
        "vtk_version": version,
        "vtk_dir": str(output / folders[0].relative_to(prefix)),
        "wheel_root": str(output / "wheel" if wheel_archive else wheel.root),
        "python": {"version": PYTHON, "executable": sys.executable},
        "compile_definitions": package_files.compile_definitions(),
        "components": components,
        "debian_suite": archive.suite,
        "stamp": stamp(output, wanted, given_wheel),
    }
    (prefix / "sdk.json").write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
    if not cache:
        shutil.rmtree(work)
    shutil.rmtree(output, ignore_errors=True)
    prefix.rename(output)
    return description


def stamp(output: Path, wanted: str, wheel: Wheel | None) -> dict[str, object]:
    """What a folder has to have been made from to be used again."""
    return {
        "recipe": RECIPE,
        "output": str(output),
        "requested": wanted,
        "python": sysconfig.get_config_var("EXT_SUFFIX"),
        "wheel": str(wheel.root) if wheel else None,
    }


def finished(output: Path, expected: dict[str, object]) -> dict[str, object] | None:
    """The description of a complete folder that was made from the same; None if there is none."""
    with contextlib.suppress(OSError, ValueError):
        description: dict[str, object] = json.loads(
            (output / "sdk.json").read_text(encoding="utf-8")
        )
        if description.get("stamp") == expected:
            return description
    return None


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--output",
        type=Path,
        required=True,
        help="the folder to make; sdk.json in it says the rest",
    )
    parser.add_argument(
        "--vtk-wheel-root",
        type=Path,
        help="site-packages folder that holds vtkmodules (default: fetch the wheel into OUTPUT/wheel)",
    )
    parser.add_argument(
        "--version", help=f"version of VTK (default: the given wheel's, or {DEFAULT_VERSION})"
    )
    parser.add_argument(
        "--suites",
        default=DEFAULT_SUITES,
        help="Debian suites to try in this order (default: %(default)s)",
    )
    parser.add_argument(
        "--cache", type=Path, help="keep downloads here, for other folders and the next time"
    )
    parser.add_argument("--verbose", action="store_true", help="show the commands that are run")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    options = parse_arguments(arguments)
    Log.verbose = options.verbose
    output: Path = options.output.resolve()
    try:
        wheel = Wheel.at(options.vtk_wheel_root.resolve()) if options.vtk_wheel_root else None
        wanted = options.version or (wheel.version if wheel else DEFAULT_VERSION)
        if wheel and wheel.version != wanted:
            raise SdkError(
                f"the wheel in {wheel.root} is vtk {wheel.version}, --version says {wanted}"
            )
        if output.exists() and not (output / "sdk.json").is_file() and any(output.iterdir()):
            raise SdkError(
                f"{output} holds something else than a VTK SDK; name another folder or empty it"
            )
        output.parent.mkdir(parents=True, exist_ok=True)
        # Two configure runs may want the same folder at once; the second one finds it finished.
        with output.with_name(f"{output.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            description = finished(output, stamp(output, wanted, wheel))
            if description is None:
                if not (Path(sysconfig.get_path("include")) / "Python.h").is_file():
                    Log.say(
                        f"NOTE: Python.h of Python {PYTHON} is missing: `apt-get install python3-dev`"
                    )
                suites = [name.strip() for name in options.suites.split(",") if name.strip()]
                cache = options.cache.resolve() if options.cache else None
                description = assemble(output, wanted, wheel, suites, cache)
    except (SdkError, OSError) as error:
        Log.say(f"error: {error}")
        return 1
    Log.say(
        f"VTK {description['vtk_version']} for Python {PYTHON} is ready: VTK_DIR={description['vtk_dir']}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
