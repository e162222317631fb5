"""Run the benchmarks and write ``results.json``, ``report.md`` and pictures.

``make bench`` calls this with everything in place.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

from . import measure, plots, report
from .groups import Context, GroupError, Progress
from .peers import local_versions
from .results import Results

GROUPS = ("effects", "editor", "datamodel")
ROOT = Path(__file__).resolve().parents[2]


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="make bench ARGS=...", description="Our speed beside that of others, good or bad."
    )
    made.add_argument("--group", choices=GROUPS, help="only this group; all by default")
    made.add_argument(
        "--size", type=int, default=256, help="edge of the synthetic rock in voxels (256)"
    )
    made.add_argument(
        "--quick", action="store_true", help="few runs, the rock only, all threads only"
    )
    made.add_argument(
        "--bars", action="store_true", help="only what has a bar to meet, all threads only"
    )
    made.add_argument(
        "--output",
        type=Path,
        default=ROOT / "bench-output",
        help="folder that is written (bench-output)",
    )
    return made


def versions() -> dict[str, str]:
    """Of us, of Python and of the peers in this environment."""
    return {
        "segmentationcore": importlib.metadata.version("segmentationcore"),
        "Python": platform.python_version(),
        **local_versions(),
    }


class Bar(Progress):
    """A progress bar on a terminal, nothing elsewhere."""

    def __init__(self) -> None:
        from tqdm import tqdm

        form = "{percentage:3.0f} % |{bar:24}| {elapsed} {desc}"
        self.bar = tqdm(total=0, bar_format=form, disable=None, dynamic_ncols=True, leave=False)

    def plan(self, steps: int) -> None:
        self.bar.total = (self.bar.total or 0) + steps
        self.bar.refresh()

    def tell(self, text: str) -> None:
        self.bar.set_description_str(text)

    def step(self) -> None:
        self.bar.update()

    def close(self) -> None:
        """Take the bar away."""
        self.bar.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status: 0 if every group ran."""
    options = parser().parse_args(arguments)
    if not 32 <= options.size <= 2048:
        parser().error(f"--size is {options.size}; from 32 to 2048 are accepted")
    threads = measure.thread_counts()
    bar = Bar()
    bar.tell("memory bandwidth")
    bandwidth = {number: measure.memcpy_bandwidth(number) for number in (1, 2)}
    measure.settle()
    results = Results(versions(), threads, bandwidth, options.quick)
    context = Context(results, options.size, options.quick, threads, options.bars, bar)
    failed = False
    try:
        for name in [options.group] if options.group else GROUPS:
            try:
                importlib.import_module(f".groups.{name}", __package__).run(context)
            except GroupError as error:
                failed = True
                results.fail(f"Group {name} FAILED: {error}")
            except Exception as error:
                # What the other groups found is written all the same.
                failed = True
                results.fail(f"Group {name} FAILED: {measure.describe(error)}")
                import traceback

                traceback.print_exc()
    except KeyboardInterrupt:
        print("\nbench: interrupted; nothing was written", file=sys.stderr)
        return 130
    finally:
        bar.close()
    options.output.mkdir(parents=True, exist_ok=True)
    results.write(options.output / "results.json")
    pictures = plots.draw(results.document, options.output)
    text = report.markdown(results.document, pictures)
    (options.output / "report.md").write_text(text, encoding="utf-8")
    print(text.split("## All numbers")[0].rstrip())
    for asked in results.document["bars"]:
        measured = report.digits(asked["measured"])
        verdict = {True: "met", False: "NOT MET", None: ""}[asked["met"]]
        print(f"bar: {asked['bar']}: {measured} ({asked['asked']}) {verdict}".rstrip())
    print(f"\nbench: everything is in {options.output / 'report.md'}")
    for sentence in results.document["failures"]:
        print(f"bench: {sentence}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
