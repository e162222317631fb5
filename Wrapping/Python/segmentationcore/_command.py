"""What the commands of ``segmentationcore`` share: settings, tables as text, progress, errors."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from . import _registry


class UsageError(Exception):
    """The command line asks for what cannot be."""


@contextlib.contextmanager
def interrupts_held_back() -> Iterator[None]:
    """Ctrl-C waits until this is over, and is a KeyboardInterrupt then.

    By a handler, as a blocked signal would go to another thread of a library. Where Ctrl-C does
    something else already, and on other threads than the main one, nothing changes.
    """
    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    ):
        yield
        return
    came: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _frame: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if came:
        raise KeyboardInterrupt


@contextlib.contextmanager
def progress_bar(title: str, quiet: bool) -> Iterator[Callable[[float], None] | None]:
    """A bar on a terminal, nothing elsewhere."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    try:
        from tqdm import tqdm  # type: ignore[import-untyped,unused-ignore]
    except ImportError:
        yield None
        return
    with tqdm(
        total=100, desc=title, unit="%", leave=False, bar_format="{desc} {bar} {n:.0f}%"
    ) as bar:

        def report(fraction: float) -> None:
            bar.update(max(0.0, 100.0 * fraction - bar.n))

        yield report


def parse_setting(text: str, effect: dict[str, Any]) -> tuple[str, Any]:
    """``Key=Value`` -> a parameter and its value; the function's spelling is accepted too."""
    key, equals, value = text.partition("=")
    declared = {parameter["name"]: parameter for parameter in effect["parameters"]}
    spelled = {_registry.snake_case(name): name for name in declared}
    name = spelled.get(key, key)
    if not equals:
        raise UsageError(f"--set {text}: expected Key=Value")
    if name not in declared:
        hint = _registry.suggestion(key, declared)
        raise UsageError(
            f"--set {text}: {effect['identifier']} has no parameter {key!r}; "
            f"it has {', '.join(declared) or 'none'}{hint}"
        )
    kind = declared[name]["type"]
    if kind in ("string", "enum", "segment"):
        return name, value
    if kind == "points" and value.startswith("@"):
        try:
            return name, json.loads(Path(value[1:]).read_text(encoding="utf-8"))
        except ValueError as error:
            raise UsageError(f"--set {text}: {value[1:]} is not valid JSON: {error}") from error
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value  # the check says what is accepted


def table_text(table: Any, kind: str) -> str:
    """A structured array as CSV or, if ``kind`` is "json", as JSON."""
    return _json(table) if kind == "json" else _csv(table)


def _json(table: Any) -> str:
    """A list with an object for each row; what was not measured is null."""

    def plain(value: Any) -> Any:
        value = value.tolist() if hasattr(value, "tolist") else value
        if isinstance(value, list):
            return [plain(part) for part in value]
        return None if isinstance(value, float) and value != value else value

    rows = [{name: plain(row[name]) for name in table.dtype.names} for row in table]
    return json.dumps(rows, indent=2) + "\n"


def _csv(table: Any) -> str:
    """A line for each row; columns of several numbers have a number after their name."""
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    titles: list[str] = []
    for name in table.dtype.names:
        count = table[name].shape[1] if table[name].ndim > 1 else 1
        titles += [name] if count == 1 else [f"{name}_{number}" for number in range(count)]
    writer.writerow(titles)
    for row in table:
        line: list[Any] = []
        for name in table.dtype.names:
            value = row[name].tolist() if hasattr(row[name], "tolist") else row[name]
            line += value if isinstance(value, list) else [value]
        writer.writerow(line)
    return text.getvalue()
