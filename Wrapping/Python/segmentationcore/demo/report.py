"""What the demonstration leaves behind: a table, and ``report.md`` with the pictures."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .checks import Check
from .sequences import Task, operation_text


def volume_text(cubic_millimetres: float) -> str:
    """A volume in millilitres, with three digits."""
    millilitres = cubic_millimetres / 1000
    digits = 0 if millilitres >= 100 else 1 if millilitres >= 10 else 2
    return f"{millilitres:.{digits}f} ml"


@dataclass(frozen=True)
class Step:
    """One row of the table."""

    task: str
    what: str
    ranks: int
    seconds: float
    voxels: int | None = None
    volumes: str = ""


@dataclass(frozen=True)
class _Opened:
    task: Task
    volume: dict[str, Any]
    voxels: int
    parts: Sequence[int]


@dataclass
class Report:
    """Everything that was seen, in the order it was seen."""

    output: Path
    ranks: int
    steps: list[Step] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    sessions: dict[str, dict[str, Any]] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    _opened: list[_Opened] = field(default_factory=list)

    def open_task(
        self, task: Task, volume: dict[str, Any], voxels: int, parts: Sequence[int]
    ) -> None:
        """A volume was read."""
        self._opened.append(_Opened(task, volume, voxels, parts))

    def add(self, step: Step) -> None:
        """Note a step and print its row."""
        if not self.steps:
            print(_row("step", "ranks", "seconds", "voxels", "volumes"))
        self.steps.append(step)
        print(_row(*_cells(step)), flush=True)

    def print_summary(self) -> None:
        """The checks, once more, together."""
        print()
        for check in self.checks:
            print(f"  {'equal    ' if check.equal else 'NOT EQUAL'}  {check.sentence()}")
        for name, session in self.sessions.items():
            edit = session["edit"]
            print(
                f"  {name}: from Slicer's request to the changed surface "
                f"{edit['seconds_to_changed_surface']:.2f} s, "
                f"{edit['bytes_received'] / 1e6:.2f} MB received"
            )

    def write(self) -> Path:
        """Write ``report.md``; returns its path."""
        lines = ["# SegmentationCore: demonstration", ""]
        versions = {**self.versions, "Python": platform.python_version()}
        lines += [
            f"{self.ranks} ranks of `pvserver`; "
            + ", ".join(f"{name} {version}" for name, version in versions.items())
            + ".",
            "",
            "## Checks",
            "",
            "| | Comparison | Voxels | Different |",
            "|---|---|---:|---:|",
        ]
        for check in self.checks:
            mark = "equal" if check.equal else "**NOT EQUAL**"
            problems = "".join(f"<br>{problem}" for problem in check.problems)
            lines.append(
                f"| {mark} | {check.name}{problems} | {check.voxels:,} | {check.different:,} |"
            )
        for opened in self._opened:
            lines += self._task_lines(opened)
        lines += ["", "## Beginning", "", *self._table("")]
        path = self.output / "report.md"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    def _task_lines(self, opened: _Opened) -> list[str]:
        task = opened.task
        extent = opened.volume["extent"]
        size = [extent[2 * axis + 1] - extent[2 * axis] + 1 for axis in range(3)]
        lines = ["", f"## {task.title}", ""]
        spacing = ", ".join(f"{value:.4g}" for value in opened.volume["spacing"])
        parts = (
            f" Points per rank: {', '.join(f'{n:,}' for n in opened.parts)}."
            if opened.parts
            else ""
        )
        lines += [
            f"{size[0]} x {size[1]} x {size[2]} voxels of {spacing} mm.{parts}",
            "",
            *self._table(task.name),
            "",
            "ParaView: the segments in their colours, and coloured by the rank that holds them.",
            "",
            self._pictures(task.name, ["paraview.png", "paraview-ranks.png"]),
        ]
        session = self.sessions.get(task.name)
        if session:
            edit = session["edit"]
            lines += [
                "",
                "Slicer, before and after the edit that it asked for "
                f"({operation_text(edit['operation'])}): "
                f"{edit['seconds_to_changed_surface']:.2f} s from request to changed surface, "
                f"{edit['bytes_received']:,} bytes in {edit['messages']} messages.",
                "",
                "| Before | After |",
                "|---|---|",
            ]
            before = [name for name in session["pictures"] if name.endswith("-before.png")]
            for name in before:
                pair = [name, name.replace("-before.png", "-after.png")]
                cells = " | ".join(f"![{one}]({task.name}/{one})" for one in pair)
                lines.append(f"| {cells} |")
        return lines

    def _pictures(self, folder: str, names: Sequence[str]) -> str:
        return " ".join(f"![{name}]({folder}/{name})" for name in names)

    def _table(self, task: str) -> list[str]:
        lines = [
            "| Step | Ranks | Seconds | Voxels | Segment volumes |",
            "|---|---:|---:|---:|---|",
        ]
        for step in self.steps:
            if step.task == task:
                lines.append("| " + " | ".join(_cells(step, named=False)) + " |")
        return lines


def _cells(step: Step, named: bool = True) -> tuple[str, str, str, str, str]:
    return (
        f"{step.task} {step.what}".strip() if named else step.what,
        str(step.ranks),
        f"{step.seconds:.2f}",
        "" if step.voxels is None else f"{step.voxels:,}",
        step.volumes,
    )


def _row(what: str, ranks: str, seconds: str, voxels: str, volumes: str) -> str:
    return f"  {what:<58} {ranks:>5} {seconds:>8} {voxels:>12}  {volumes}".rstrip()
