"""``segmentationcore query``: measures segments, or makes volumes of them, from files to files.

Everything is made from the declarations: the commands, their help, what they read and write. A
query on a segment may be asked of several: their tables become one, with the segment's identifier
in the first column, their volumes files in a folder.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import tempfile
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import _registry
from ._command import UsageError, parse_setting, progress_bar, table_text

if TYPE_CHECKING:
    from ._pipeline import Progress
    from .segments import Segment

TABLES = (".csv", ".json")
VOLUMES = (".nrrd", ".nhdr")


def _queries() -> dict[str, dict[str, Any]]:
    """All that can be asked: the queries, and the numbers of islands."""
    label_islands = _registry.LABEL_ISLANDS
    queries = {**_registry.queries(), label_islands["identifier"]: label_islands}
    return dict(sorted(queries.items()))


# -- the command line ------------------------------------------------------------------------------


def add_queries(commands: Any) -> None:
    """Add ``query`` with a command for each declaration to the commands of a parser."""
    parser = commands.add_parser(
        "query",
        help="measure sizes and thickness, number islands, mask and split volumes",
        description="Measure segments, or make volumes of them. Each NAME has its own --help.",
    )
    try:
        queries = _queries()
    except ImportError:  # pure Python beside Slicer
        parser.set_defaults(run=lambda _options: _queries())
        return
    names = parser.add_subparsers(dest="query", metavar="NAME", required=True)
    for name, query in queries.items():
        summary = query["summary"].replace("%", "%%")
        one = names.add_parser(
            name,
            help=summary[0].lower() + summary[1:].rstrip("."),
            description=textwrap.fill(summary, 90),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            epilog=_epilog(query).replace("%", "%%"),
        )
        _add_arguments(one, query)
        one.set_defaults(run=command_query)


def _add_arguments(parser: argparse.ArgumentParser, query: Mapping[str, Any]) -> None:
    """What a query reads and writes."""
    if query["input"] == "volume":
        parser.add_argument("file", metavar="VOLUME", help=".nrrd, .nii, .nii.gz or .vti")
    else:
        parser.add_argument("file", metavar="FILE", help=".seg.nrrd, or a volume of labels")
    if query["volume"]:
        parser.add_argument(
            "--volume",
            required=query["volume"] is True,
            metavar="VOLUME",
            help="on the voxels of FILE: .nrrd, .nii, .nii.gz or .vti",
        )
    if query["input"] == "segment":
        parser.add_argument(
            "--segment",
            action="append",
            default=[],
            metavar="ID",
            help="segment, by its identifier or name; repeat it for several, all when absent",
        )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="Key=Value",
        help="a parameter, as below; a list as JSON, points also as Points=@FILE.json",
    )
    if query["output"] == "table":
        parser.add_argument(
            "-o", "--output", metavar="OUT", help=".csv or .json; to stdout when absent"
        )
        parser.add_argument(
            "--format", choices=("csv", "json"), help="instead of what OUT ends in; CSV on stdout"
        )
    else:
        parser.add_argument(
            "-o",
            "--output",
            required=True,
            metavar="OUT",
            help=".nrrd or .nhdr; or a folder, for a file ID.nrrd of each segment",
        )
        parser.add_argument(
            "--no-compression", action="store_true", help="write voxels as they are"
        )
    parser.add_argument("-q", "--quiet", action="store_true", help="print nothing but errors")


def _epilog(query: Mapping[str, Any]) -> str:
    """Parameters, columns and an example."""
    lines = ["parameters:"]
    for parameter in query["parameters"]:
        accepted = "required"
        if not parameter.get("required"):
            default = str(parameter["default"])
            accepted = f"default {default.lower() if parameter['type'] == 'bool' else default}"
        if parameter["type"] != "bool":
            accepted = f"{_registry.accepted(parameter)}; {accepted}"
        lines += _entry(parameter["name"], f"{parameter['sentence']} ({accepted})")
    if query["output"] == "table":
        lines += ["", "columns:"]
        if query["input"] == "segment":
            lines += _entry("segment", "Its identifier.")
        for column in query["columns"]:
            lines += _entry(column["name"], column["sentence"])
    lines += ["", "example:", f"  {_example(query)}"]
    return "\n".join(lines)


def _entry(name: str, text: str) -> list[str]:
    return [f"  {name}", *textwrap.wrap(text, 90, initial_indent="    ", subsequent_indent="    ")]


def _example(query: Mapping[str, Any]) -> str:
    words = ["segmentationcore query", query["identifier"]]
    words.append("rock.nrrd" if query["input"] == "volume" else "rock.seg.nrrd")
    if query["volume"]:
        words.append("--volume rock.nrrd")
    if query["input"] == "segment" and not query["crops"]:
        words.append("--segment pores")
    if any(parameter["name"] == "Points" for parameter in query["parameters"]):
        words.append("--set 'Points=[[10, 20, 5]]'")
    volume = "parts/" if query["crops"] else "result.nrrd"
    words.append(f"-o {'result.csv' if query['output'] == 'table' else volume}")
    return " ".join(words)


# -- what it does ----------------------------------------------------------------------------------


def command_query(options: argparse.Namespace) -> None:
    """Ask one query."""
    query = _queries()[options.query]
    checked = _checked(query, options.set)
    if query["output"] == "table":
        _table(query, checked, options)
    else:
        _volumes(query, checked, options)


def _checked(query: dict[str, Any], texts: Sequence[str]) -> dict[str, Any]:
    """The settings as `check_parameters` returns them."""
    from ._run import check_parameters

    settings = dict(parse_setting(text, query) for text in texts)
    for parameter in query["parameters"]:
        if parameter.get("required") and parameter["name"] not in settings:
            raise UsageError(
                f"{query['identifier']} needs --set {parameter['name']}=..: "
                f"{_registry.accepted(parameter)}"
            )
    try:
        return check_parameters(query, settings)
    except (TypeError, ValueError) as error:
        raise UsageError(str(error)) from error


def _table(
    query: Mapping[str, Any], checked: Mapping[str, Any], options: argparse.Namespace
) -> None:
    from ._queries import ask_segments, ask_volume, with_segments
    from .io import read_segmentation, read_volume
    from .operations import replace_text

    output = options.output
    if output is not None:
        if not output.endswith(TABLES) and not options.format:
            raise UsageError(
                f"--output {output}: the name must end in {' or '.join(TABLES)}, or give --format"
            )
        _check_target(output)
    kind = options.format or ("json" if (output or "").endswith(".json") else "csv")
    with progress_bar(query["identifier"], options.quiet) as progress:
        if query["input"] == "volume":
            image = read_volume(options.file)
            table = ask_volume(query, checked, image, where=options.file, progress=progress)
        else:
            image = read_segmentation(options.file)
            source = _source(query, options)
            if query["input"] == "segments":
                table = ask_segments(query, checked, image, source, progress=progress)
            else:
                chosen = _chosen(image, options)
                asked = _ask_each(query, checked, image, chosen, source, options.file, progress)
                tables = [table for _segment, table in asked]
                table = with_segments(chosen, tables)
    text = table_text(table, kind)
    if output is None:
        print(text, end="")
        return
    replace_text(output, text)
    if not options.quiet:
        print(f"wrote {output}")


def _ask_each(
    query: Mapping[str, Any],
    checked: Mapping[str, Any],
    image: Any,
    chosen: Sequence[Segment],
    source: Any,
    file: str,
    progress: Progress | None,
) -> Iterator[tuple[Segment, Any]]:
    """Each chosen segment, and what the query says of it."""
    from ._queries import ask_segment, part_of

    for number, segment in enumerate(chosen):
        result = ask_segment(
            query,
            checked,
            image,
            segment,
            source,
            where=f"{file}: segment {segment.id!r}",
            progress=part_of(progress, number, len(chosen)),
        )
        yield segment, result


def _volumes(
    query: Mapping[str, Any], checked: Mapping[str, Any], options: argparse.Namespace
) -> None:
    from .io import read_segmentation, write_volume

    into_folder = _is_folder(options.output)
    image = read_segmentation(options.file)
    source = _source(query, options)
    chosen = _chosen(image, options)
    if not into_folder and len(chosen) > 1:
        raise UsageError(
            f"{options.file} has {len(chosen)} segments ({_listed(chosen)}); choose one by "
            "--segment, or let --output be a folder"
            if not options.segment
            else f"--output {options.output}: one file cannot hold {len(chosen)} segments; "
            "name a folder"
        )
    if into_folder and not options.segment:
        chosen = _with_voxels(image, chosen, options.file)
    told = []
    with (
        progress_bar(query["identifier"], options.quiet) as progress,
        _Aside(options.output, into_folder) as paths,
    ):
        asked = _ask_each(query, checked, image, chosen, source, options.file, progress)
        for segment, result in asked:
            path, final = paths.next(segment.id)
            write_volume(path, result, compress=not options.no_compression)
            scalars = result.GetPointData().GetScalars()
            size = " x ".join(str(count) for count in result.GetDimensions())
            low, high = scalars.GetRange()
            kind = scalars.GetDataTypeAsString()
            told.append(f"wrote {final}: {segment.id}, {size}, {kind}, {low:g} to {high:g}")
            del result, scalars  # the next one needs the memory
    if not options.quiet:
        print("\n".join(told))


def _source(query: Mapping[str, Any], options: argparse.Namespace) -> Any:
    """The volume that the query reads beside the segments, if it does."""
    from ._arrays import point_array_name
    from .io import read_volume

    if not query["volume"] or options.volume is None:
        return None
    source = read_volume(options.volume)
    point_array_name(source, options.volume)
    return source


def _chosen(image: Any, options: argparse.Namespace) -> list[Segment]:
    """The segments that were asked for, by identifier or by a name that only one has."""
    from .segments import read_segments

    segments = read_segments(image)
    if not segments:
        raise ValueError(f"{options.file} has no segments")
    if not options.segment:
        return list(segments)
    chosen = []
    for text in options.segment:
        found = [row for row in segments if row.id == text]
        found = found or [row for row in segments if row.name == text]
        if len(found) > 1:
            raise UsageError(
                f"--segment {text}: {len(found)} segments of {options.file} have this name; "
                f"give an identifier: {_listed(found)}"
            )
        if not found:
            hint = _registry.suggestion(text, [row.id for row in segments])
            raise UsageError(
                f"--segment {text}: {options.file} has no such segment; "
                f"it has {_listed(segments)}{hint}"
            )
        if found[0] in chosen:
            raise UsageError(f"--segment {text}: the segment is named twice")
        chosen += found
    return chosen


def _listed(segments: Sequence[Segment]) -> str:
    return ", ".join(segment.id for segment in segments)


def _with_voxels(image: Any, segments: Sequence[Segment], file: str) -> list[Segment]:
    """Those that are not empty: of all segments nobody wants the empty ones."""
    import numpy as np

    from ._arrays import array_of_image

    present = {
        layer: set(np.unique(array_of_image(image, layer).array).tolist())
        for layer in {segment.array_name for segment in segments}
    }
    found = [row for row in segments if row.label_value in present[row.array_name]]
    if not found:
        raise ValueError(f"{file}: no segment of it has a voxel")
    return found


# -- files -----------------------------------------------------------------------------------------


def _check_target(output: str) -> None:
    """Whether a file can be written there, before there is work."""
    path = Path(output)
    if not path.parent.is_dir():
        raise FileNotFoundError(2, "no such folder to write into", str(path.parent))
    if path.is_dir():
        raise IsADirectoryError(21, "is a folder, expected a file name", output)


def _is_folder(output: str) -> bool:
    """Whether volumes go into a folder of this name; else it is a file's."""
    path, name = Path(output), output.lower()
    if path.is_dir() or output.endswith(("/", os.sep)) or not path.suffix:
        if path.exists() and not path.is_dir():
            raise NotADirectoryError(20, "is a file, expected a folder", output)
        if not path.parent.is_dir():
            raise FileNotFoundError(2, "no such folder to write into", str(path.parent))
        return True
    if name.endswith((".seg.nrrd", ".seg.nhdr")) or not name.endswith(VOLUMES):
        raise UsageError(
            f"--output {output}: the name must end in {' or '.join(VOLUMES)}, and not in "
            ".seg.nrrd; that of a folder in /"
        )
    _check_target(output)
    return False


class _Aside:
    """One file, or a folder whose files are written aside and get there when all are complete."""

    def __init__(self, output: str, into_folder: bool) -> None:
        self._output = Path(output)
        self._into_folder = into_folder
        self._aside: Path | None = None
        self._used: set[str] = set()

    def __enter__(self) -> _Aside:
        if self._into_folder:
            parent = self._output.parent
            self._aside = Path(tempfile.mkdtemp(dir=parent, prefix=f".{self._output.name}."))
        return self

    def next(self, identifier: str) -> tuple[Path, Path]:
        """Where to write a segment's file, and where it will be."""
        if self._aside is None:
            return self._output, self._output  # the writer does it by itself
        name = next(name for name in _file_names(identifier) if name.lower() not in self._used)
        self._used.add(name.lower())
        return self._aside / name, self._output / name

    def __exit__(self, kind: type[BaseException] | None, *_more: Any) -> None:
        if self._aside is None:
            return
        try:
            if kind is None:
                self._output.mkdir(exist_ok=True)
                for path in sorted(self._aside.iterdir()):
                    os.replace(path, self._output / path.name)
        finally:
            shutil.rmtree(self._aside, ignore_errors=True)


def _file_names(identifier: str) -> Iterator[str]:
    """Names that every file system takes, the plainest first."""
    plain = re.sub(r"[^\w.-]+", "_", identifier).strip("._") or "segment"
    yield f"{plain}.nrrd"
    number = 1
    while True:
        number += 1
        yield f"{plain}_{number}.nrrd"
