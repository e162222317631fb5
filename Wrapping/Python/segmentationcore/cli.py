"""The command ``segmentationcore``: look into files, edit, replay, measure, convert, serve.

Exit status: 0 done, 1 failed or cancelled, 2 the command line is wrong. Results go to stdout;
errors are one line on stderr that says what to do. Progress is shown on a terminal only.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

from . import _registry
from ._command import (
    UsageError,
    interrupts_held_back,
    parse_setting,
    progress_bar,
    table_text,
)
from ._query_command import add_queries

if TYPE_CHECKING:
    from .operations import LabelMap
    from .segments import Segment

DELEGATED = {
    "bridge": ("segmentationcore.bridge.command", "serve a running segmentation to Slicer"),
    "demo": ("segmentationcore.demo", "run the demonstration"),
}
OPTIONAL = ("msgpack", "websockets")


def _describe(image: Any, path: str) -> dict[str, Any]:
    """What ``info`` tells about an image."""
    from .segments import read_segments

    matrix = image.GetDirectionMatrix()
    arrays = image.GetPointData()
    names = [arrays.GetArrayName(i) for i in range(arrays.GetNumberOfArrays())]
    described: dict[str, Any] = {
        "file": path,
        "dimensions": list(image.GetDimensions()),
        "extent": list(image.GetExtent()),
        "spacing": list(image.GetSpacing()),
        "origin": list(image.GetOrigin()),
        "directions": [[matrix.GetElement(row, axis) for row in range(3)] for axis in range(3)],
        "arrays": [
            {
                "name": name,
                "type": arrays.GetAbstractArray(i).GetDataTypeAsString(),
                "components": arrays.GetAbstractArray(i).GetNumberOfComponents(),
                "range": list(arrays.GetArray(i).GetRange(0)) if arrays.GetArray(i) else None,
            }
            for i, name in enumerate(names)
        ],
        "segments": [],
    }
    counts = _voxel_counts(image)
    for segment in read_segments(image):
        row = {
            "id": segment.id,
            "name": segment.name,
            "color": [round(part, 6) for part in segment.color],
            "layer": segment.layer,
            "label_value": segment.label_value,
            "visible": segment.visible,
            "voxels": counts.get((segment.array_name, segment.label_value), 0),
            "tags": dict(segment.tags),
        }
        described["segments"].append(row)
    return described


def _voxel_counts(image: Any) -> dict[tuple[str, int], int]:
    """Voxels of each label in each layer, counted here and not believed."""
    import numpy as np

    from ._arrays import array_of_image
    from .segments import read_segments

    result = {}
    for layer in sorted({segment.array_name for segment in read_segments(image)}):
        if image.GetPointData().GetArray(layer) is not None:
            values, counts = np.unique(array_of_image(image, layer).array, return_counts=True)
            result.update({(layer, int(v)): int(n) for v, n in zip(values, counts, strict=True)})
    return result


def _read_any(path: str) -> Any:
    from .io import is_segmentation_name, read_segmentation, read_volume

    return read_segmentation(path) if is_segmentation_name(path) else read_volume(path)


def _numbers(values: Sequence[float]) -> str:
    return " x ".join(f"{value:g}" for value in values)


def command_info(options: argparse.Namespace) -> None:
    """Print what a file holds."""
    described = _describe(_read_any(options.file), options.file)
    if options.json:
        print(json.dumps(described, indent=2))
        return
    print(f"{described['file']}")
    print(f"  voxels     {_numbers(described['dimensions'])} (x, y, z)")
    print(f"  spacing    {_numbers(described['spacing'])} mm")
    print(f"  origin     {', '.join(f'{value:g}' for value in described['origin'])} mm RAS")
    for axis, direction in zip("ijk", described["directions"], strict=True):
        print(f"  {axis} axis     {', '.join(f'{value:g}' for value in direction)}")
    for array in described["arrays"]:
        low, high = array["range"] or ("?", "?")
        print(
            f"  array      {array['name'] or '(no name)'}: {array['type']}, "
            f"{array['components']} component(s), {low:g} to {high:g}"
        )
    if described["segments"]:
        print(f"  segments   {len(described['segments'])}")
        volume = described["spacing"][0] * described["spacing"][1] * described["spacing"][2]
        for row in described["segments"]:
            color = "".join(f"{round(255 * part):02x}" for part in row["color"])
            print(
                f"    {row['id']}: {row['name']!r}, layer {row['layer']}, label "
                f"{row['label_value']}, #{color}, {row['voxels']} voxels, "
                f"{row['voxels'] * volume:g} mm3{'' if row['visible'] else ', hidden'}"
            )


def _operations(options: argparse.Namespace) -> list[dict[str, Any]]:
    from .operations import read_operations, validate_operations

    if options.effect is None:
        beside = (options.segment, options.set, options.masking, options.region)
        if any(beside) or options.all_visible_segments:
            raise UsageError(
                "--segment, --all-visible-segments, --set, --masking and --region go with "
                "--effect, not with --operations"
            )
        if options.operations is not None:
            return read_operations(options.operations)
        if options.journal is None:
            raise UsageError("expected --operations, --effect or --journal")
        return []  # the journal's state alone
    effects = _registry.effects()
    if options.effect not in effects:
        hint = _registry.suggestion(options.effect, effects)
        raise UsageError(
            f"--effect {options.effect}: unknown; expected one of {', '.join(effects)}{hint}"
        )
    on_all = effects[options.effect]["input"] == "segments" or options.all_visible_segments
    if not options.segment and not on_all:
        raise UsageError("--effect needs --segment ID")
    settings = dict(parse_setting(text, effects[options.effect]) for text in options.set)
    more: dict[str, Any] = {"segment": options.segment} if options.segment else {}
    if options.all_visible_segments:
        more["ApplyToAllVisibleSegments"] = True
    for key in ("masking", "region"):
        text = getattr(options, key)
        if text is not None:
            try:
                more[key] = json.loads(text)
            except ValueError as error:
                raise UsageError(f"--{key} {text}: not valid JSON: {error}") from error
    try:
        return validate_operations({"effect": options.effect, **more, "parameters": settings})
    except (TypeError, ValueError) as error:
        raise UsageError(str(error)) from error


def command_apply(options: argparse.Namespace) -> None:
    """Apply operations to a volume and write the segmentation."""
    from .io import (
        SEGMENTATION_SUFFIXES,
        is_segmentation_name,
        read_segmentation,
        read_volume,
        write_segmentation,
    )
    from .operations import apply_operations
    from .segments import read_segments

    if not is_segmentation_name(options.output):
        raise UsageError(
            f"--output {options.output}: the name must end in {' or '.join(SEGMENTATION_SUFFIXES)}"
        )
    operations = _operations(options)
    labels = read_segmentation(options.labels) if options.labels else None
    volume = read_volume(options.volume)

    def complete(known: Sequence[Segment]) -> list[dict[str, Any]]:
        # One effect from the command line may start a segment of its own.
        if (
            options.effect in _registry.voxel_effects()
            and options.segment
            and options.segment not in {segment.id for segment in known}
        ):
            added = {"effect": "add_segment", "segment": options.segment, "parameters": {}}
            return [added, *operations]
        return operations

    if options.journal is not None:
        result = _apply_with_journal(options, volume, labels, complete)
    else:
        known = read_segments(labels) if labels is not None else ()
        with progress_bar("apply", options.quiet) as progress:
            result = apply_operations(volume, complete(known), labels=labels, progress=progress)
    write_segmentation(options.output, result, compress=not options.no_compression)
    if not options.quiet:
        _print_segments(result)
        print(f"wrote {options.output}")


def _apply_with_journal(
    options: argparse.Namespace,
    volume: Any,
    labels: Any,
    complete: Callable[[Sequence[Segment]], list[dict[str, Any]]],
) -> LabelMap:
    """Go on from a journal's state, or begin a journal."""
    from .editor import Editor

    with Editor(volume, labels=labels) as editor:
        with progress_bar("restore", options.quiet) as progress:
            editor.open_journal(options.journal, progress=progress)
        if editor.journal_was_torn:
            warnings.warn(
                f"{options.journal}: its last line was incomplete and was cut off", stacklevel=1
            )
        restored = len(editor.operations)
        operations = complete(editor.segments)
        with progress_bar("apply", options.quiet) as progress:
            editor.apply(operations, progress=progress)
        if not options.quiet:
            print(f"{options.journal}: {restored} operations restored, {len(operations)} added")
        return editor.labels()


def _print_segments(result: LabelMap) -> None:
    counts = _voxel_counts(result.labels)
    for segment in result.segments:
        voxels = counts.get((segment.array_name, segment.label_value), 0)
        print(f"{segment.id}: {segment.name!r}, label {segment.label_value}, {voxels} voxels")


def command_replay(options: argparse.Namespace) -> None:
    """Replay a journal on a volume, and tell how well it agrees with the coarse one."""
    from .io import SEGMENTATION_SUFFIXES, is_segmentation_name, write_segmentation
    from .operations import replace_text
    from .replay import replay_report, volume_text

    if options.output is None and options.report is None:
        raise UsageError("expected --output, --report or both")
    if options.output is not None and not is_segmentation_name(options.output):
        raise UsageError(
            f"--output {options.output}: the name must end in {' or '.join(SEGMENTATION_SUFFIXES)}"
        )
    if options.compare_labels is not None and options.compare is None:
        raise UsageError("--compare-labels goes with --compare")
    for name in (options.output, options.report):
        if name is not None and not Path(name).parent.is_dir():
            raise FileNotFoundError(2, "no such folder to write into", str(Path(name).parent))
    with progress_bar("replay", options.quiet) as progress:
        report = replay_report(
            options.journal,
            options.volume,
            options.compare,
            labels=options.labels,
            coarse_labels=options.compare_labels,
            blocks=options.blocks,
            progress=progress,
        )
    written = []
    if options.output is not None:
        write_segmentation(
            options.output, report.editor.labels(), compress=not options.no_compression
        )
        written.append(options.output)
    if options.report is not None:
        text = report.to_markdown(f"Replay of {Path(options.journal).name}")
        replace_text(options.report, text)
        written.append(options.report)
    if not options.quiet:
        for row in report.segments:
            line = f"{row['segment']}: {row['name']!r}, {volume_text(row['volume_mm3'])}"
            if report.coarse is not None:
                other = volume_text(row["other_volume_mm3"])
                line += f", coarse {other}, Dice {row['dice']:.4f}"
            print(line)
        print(f"wrote {' and '.join(written)}")


def command_statistics(options: argparse.Namespace) -> None:
    """Measure the segments of a file."""
    from ._queries import statistics
    from .io import read_segmentation, read_volume
    from .operations import replace_text

    query = _registry.queries()["segment_statistics"]
    settings = dict(parse_setting(text, query) for text in options.set)
    if options.output is not None and not options.output.endswith((".csv", ".json")):
        raise UsageError(f"--output {options.output}: the name must end in .csv or .json")
    image = read_segmentation(options.file)
    volume = read_volume(options.volume) if options.volume else None
    parameters = {_registry.snake_case(name): value for name, value in settings.items()}
    with progress_bar("statistics", options.quiet) as progress:
        try:
            table = statistics(image, volume, parameters, where="statistics", progress=progress)
        except (TypeError, ValueError) as error:
            raise UsageError(str(error)) from error
    text = table_text(table, "json" if (options.output or "").endswith(".json") else "csv")
    if options.output is None:
        print(text, end="")
        return
    replace_text(options.output, text)
    if not options.quiet:
        print(f"wrote {options.output}")


def command_convert(options: argparse.Namespace) -> None:
    """Convert a volume or a segmentation to the format that the output's name says."""
    from .io import is_segmentation_name, read_segmentation, write_segmentation, write_volume
    from .segments import read_segments

    compress = not options.no_compression
    if is_segmentation_name(options.output):
        # Of a volume of labels (an atlas) each value becomes a segment.
        image = read_segmentation(options.input)
        write_segmentation(options.output, image, compress=compress)
    else:
        image = _read_any(options.input)
        layers = {segment.layer for segment in read_segments(image)}
        if len(layers) > 1:
            raise UsageError(
                f"{options.input} has {len(layers)} layers of overlapping segments, which only "
                "a .seg.nrrd file can hold"
            )
        write_volume(options.output, image, compress=compress)
    if not options.quiet:
        print(f"wrote {options.output}")


def _delegate(command: str, arguments: list[str]) -> int:
    """Run a command of another part of the package; it has its own ``main(arguments)``."""
    try:
        module = importlib.import_module(DELEGATED[command][0])
        return int(module.main(arguments) or 0)
    except ModuleNotFoundError as error:
        if error.name in OPTIONAL:
            raise ImportError(
                f"{command} needs the module {error.name}; install it with: "
                'pip install "segmentationcore[bridge]"'
            ) from error
        if error.name == DELEGATED[command][0]:
            raise UsageError(f"{command} is not part of this installation") from error
        raise


class _Version(argparse.Action):
    """``--version``; looks the numbers up only when asked."""

    def __call__(self, parser: argparse.ArgumentParser, *_arguments: Any) -> NoReturn:
        import segmentationcore

        from ._compiled import build_info

        built = build_info().get("VTK_VERSION", "unknown")
        print(f"segmentationcore {segmentationcore.__version__} (built for VTK {built})")
        parser.exit(0)


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="segmentationcore",
        description="Segmentation of volumes and label maps. Effects and their parameters are "
        "listed by segmentationcore apply --list-effects, what measures segments or makes volumes "
        "of them by segmentationcore query --help.",
        epilog="Exit status: 0 done, 1 failed or cancelled, 2 wrong command line.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    info = commands.add_parser("info", help="print what a volume or segmentation file holds")
    info.add_argument("file", metavar="FILE", help=".seg.nrrd, .nrrd, .nii, .nii.gz or .vti")
    info.add_argument("--json", action="store_true", help="print as JSON")
    info.set_defaults(run=command_info)

    apply = commands.add_parser(
        "apply",
        help="apply effects to a volume and write the segmentation",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example:\n  segmentationcore apply head.nii.gz -o head.seg.nrrd --effect threshold"
        " \\\n    --segment brain --set AutoThresholdMode=SET_LOWER_MAX",
    )
    apply.add_argument("volume", metavar="VOLUME", help=".nrrd, .nii, .nii.gz or .vti")
    apply.add_argument("-o", "--output", required=True, metavar="OUT.seg.nrrd", help="to write")
    what = apply.add_mutually_exclusive_group()
    what.add_argument("--operations", metavar="FILE.json", help="operation, or list of them")
    what.add_argument("--effect", metavar="NAME", help="one effect")
    what.add_argument("--list-effects", action=_ListEffects, nargs=0, help="print all and exit")
    apply.add_argument("--segment", metavar="ID", help="segment that the effect changes or starts")
    apply.add_argument(
        "--all-visible-segments",
        action="store_true",
        help="instead of --segment: apply the effect to each visible segment",
    )
    apply.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="Key=Value",
        help="parameter of the effect; a list as JSON, points also as Points=@FILE.json",
    )
    apply.add_argument(
        "--masking", metavar="JSON", help="where the effect may change voxels: MaskMode and so on"
    )
    apply.add_argument(
        "--region",
        metavar="JSON",
        help='what the effect sees and changes: {"center": .., "size": ..} in mm, or '
        '{"growth": 0.1}, the box around the segments and a tenth more; or what it changes under '
        'a brush: {"points": .., "diameter": ..}',
    )
    apply.add_argument("--labels", metavar="IN.seg.nrrd", help="segmentation to start from")
    apply.add_argument(
        "--journal",
        metavar="FILE",
        help="write down every operation as it is complete; go on from there if the file exists",
    )
    _add_common(apply)
    apply.set_defaults(run=command_apply)

    replay = commands.add_parser(
        "replay",
        help="replay a journal on a volume, also of another resolution",
        description="Apply the operations of a journal (see segmentationcore apply --journal) to "
        "a volume. Lengths and positions stay, numbers of voxels are scaled. With --compare the "
        "journal is replayed on the coarse volume too, and the segments are compared.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example:\n  segmentationcore replay edits.journal rock.nrrd -o rock.seg.nrrd"
        " \\\n    --compare rock-small.nrrd --report report.md",
    )
    replay.add_argument("journal", metavar="JOURNAL", help="journal to replay")
    replay.add_argument("volume", metavar="VOLUME", help=".nrrd, .nii, .nii.gz or .vti")
    replay.add_argument("-o", "--output", metavar="OUT.seg.nrrd", help="to write")
    replay.add_argument("--labels", metavar="IN.seg.nrrd", help="segmentation to start from")
    replay.add_argument("--compare", metavar="COARSE", help="the volume that was edited")
    replay.add_argument("--compare-labels", metavar="IN.seg.nrrd", help="--labels of COARSE")
    replay.add_argument("--report", metavar="REPORT.md", help="Markdown text to write")
    replay.add_argument(
        "--blocks", type=_count, default=5, metavar="N", help="worst blocks to list (default 5)"
    )
    _add_common(replay)
    replay.set_defaults(run=command_replay)

    statistics = commands.add_parser(
        "statistics",
        help="measure the segments of a segmentation",
        description="Measure size, place, shape, surface and topology of each segment, and with "
        "--volume its intensities. The columns are listed in docs/effects.md.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example:\n  segmentationcore statistics rock.seg.nrrd --volume rock.nrrd"
        " \\\n    --set Islands=true -o rock.csv",
    )
    statistics.add_argument("file", metavar="FILE", help=".seg.nrrd, or a volume of labels")
    statistics.add_argument("--volume", metavar="VOLUME", help="to measure intensities in")
    statistics.add_argument(
        "-o", "--output", metavar="OUT", help=".csv or .json; CSV to stdout when absent"
    )
    statistics.add_argument(
        "--set", action="append", default=[], metavar="Key=Value", help="what to measure"
    )
    statistics.add_argument("-q", "--quiet", action="store_true", help="print nothing but errors")
    statistics.set_defaults(run=command_statistics)

    add_queries(commands)

    convert = commands.add_parser(
        "convert",
        help="convert a volume or segmentation; a volume of labels to .seg.nrrd as well",
    )
    convert.add_argument("input", metavar="IN", help="file to read")
    convert.add_argument("output", metavar="OUT", help="file to write; its suffix is the format")
    _add_common(convert)
    convert.set_defaults(run=command_convert)

    for name, (_, text) in DELEGATED.items():
        commands.add_parser(name, help=text, add_help=False)
    return parser


def _count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative")
    return value


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--no-compression", action="store_true", help="write voxels as they are")
    parser.add_argument("-q", "--quiet", action="store_true", help="print nothing but errors")


class _ListEffects(argparse.Action):
    """``--list-effects``."""

    def __call__(self, parser: argparse.ArgumentParser, *_arguments: Any) -> NoReturn:
        lines = []
        for identifier, effect in _registry.effects().items():
            lines.append(f"{identifier}: {effect['summary']}")
            for parameter in effect["parameters"]:
                default = "required"
                if not parameter.get("required"):
                    default = f"default {parameter['default']!r}"
                lines.append(f"  {parameter['name']}: {_registry.accepted(parameter)}; {default}")
        print("\n".join(lines))
        parser.exit(0)


def _warn(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """``warnings.showwarning`` in one line."""
    print(f"segmentationcore: warning: {' '.join(str(message).split())}", file=sys.stderr)


def _load_libraries() -> None:
    """Import what commands need."""
    from . import _compiled

    with contextlib.suppress(ImportError):  # who needs them will say so
        for name in _compiled.module_names():
            _compiled.load(name)
        importlib.import_module(".editor", __package__)


def _one_line(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        name = f"{error.filename}: " if error.filename else ""
        return f"{name}{error.strerror}"
    if isinstance(error, KeyboardInterrupt) and not str(error):
        return "interrupted; nothing was written"
    return " ".join(str(error).split()) or type(error).__name__


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Without the program's name; ``sys.argv`` when absent.

    Returns
    -------
    int
        The exit status.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if given and given[0] in DELEGATED:
            return _delegate(given[0], given[1:])
        with interrupts_held_back():  # they may crash a library that is half loaded
            options = make_parser().parse_args(given)
            _load_libraries()
        with warnings.catch_warnings():
            warnings.showwarning = _warn
            options.run(options)
        sys.stdout.flush()
        return 0
    except UsageError as error:
        print(f"segmentationcore: {_one_line(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as error:  # also Interrupted, which says how far it came
        print(f"segmentationcore: {_one_line(error)}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # segmentationcore info .. | head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (ImportError, OSError, MemoryError, RuntimeError, TypeError, ValueError) as error:
        print(f"segmentationcore: {_one_line(error)}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
