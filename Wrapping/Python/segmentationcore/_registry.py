"""The effect declarations at run time, and the check of parameters against them.

``effects.json`` is made from ``SegmentationCore/Effects/*.json`` when the package is built, and
``operation_settings.json`` with it: what an operation of any effect may say. All checks of the
package (functions, operations, command line) are here, so that they say the same.
"""

from __future__ import annotations

import difflib
import functools
import json
import math
import numbers
import re
import reprlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

LARGEST_LABEL = 2**63 - 1

# Of label_islands(), as those of the queries, of which it is none: it also says how many islands
# there are. Here, where nothing else is imported, because the command line starts with it.
LABEL_ISLANDS: dict[str, Any] = {
    "identifier": "label_islands",
    "title": "Label islands",
    "class": "vtkLabelMapIslandNumbers",
    "summary": "Gives each connected component (island) of a segment a number, the largest first.",
    "input": "segment",
    "volume": False,
    "output": "volume",
    "crops": False,
    "parameters": [
        {
            "name": "MinimumSize",
            "type": "int64",
            "default": 1,
            "range": [0, 2**63 - 1],
            "unit": "voxels",
            "sentence": "Smaller islands get no number.",
        },
        {
            "name": "Connectivity",
            "type": "choice",
            "default": 6,
            "values": [6, 18, 26],
            "unit": "neighbours",
            "sentence": "Which voxels touch: those that share a face (6), also an edge (18), "
            "also a corner (26).",
        },
    ],
}

# Types that are a fixed number of numbers: how many, and which each may be.
_NUMBERS: dict[str, tuple[int, Callable[[float], bool]]] = {
    "color": (3, lambda number: 0.0 <= number <= 1.0),
    "vector": (3, math.isfinite),
    "matrix": (16, math.isfinite),
    "size": (3, lambda number: 0.0 < number < math.inf),
    "interval": (2, math.isfinite),
}


def _generated(name: str) -> Any:
    """The content of a file that is made when the package is built."""
    path = Path(__file__).with_name(name)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ImportError(
            f"{path} is missing: this is the source tree, not a built package. Install the wheel "
            "(pip install segmentationcore), or put a build folder on PYTHONPATH instead"
        ) from error


@functools.lru_cache(maxsize=1)
def effects() -> dict[str, dict[str, Any]]:
    """All declarations by identifier: voxel effects first, table operations last."""
    return {effect["identifier"]: effect for effect in _generated("effects.json")}


@functools.lru_cache(maxsize=1)
def operation_settings() -> dict[str, dict[str, Any]]:
    """What an operation of any effect may have beside the effect's parameters, by its key."""
    settings: dict[str, dict[str, Any]] = _generated("operation_settings.json")
    return settings


@functools.lru_cache(maxsize=1)
def queries() -> dict[str, dict[str, Any]]:
    """What measures segments: declarations by identifier. They are no operations."""
    return {query["identifier"]: query for query in _generated("queries.json")}


def voxel_effects() -> dict[str, dict[str, Any]]:
    """The effects that have a filter and a function."""
    return {name: effect for name, effect in effects().items() if effect["input"] != "table"}


def snake_case(name: str) -> str:
    """MarginSizeMm -> margin_size_mm, as in the functions."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def suggestion(given: object, accepted: Iterable[str]) -> str:
    """`` (did you mean ..?)`` for a name that is nearly right, else nothing."""
    accepted = list(accepted)
    folded = {name.lower(): name for name in accepted}
    close = difflib.get_close_matches(str(given).lower(), list(folded), n=1)
    return f" (did you mean {folded[close[0]]!r}?)" if close else ""


def accepted(parameter: Mapping[str, Any]) -> str:
    """What a parameter accepts, for messages."""
    kind = parameter["type"]
    if kind in ("double", "int", "int64"):
        low, high = parameter["range"]
        noun = "a number" if kind == "double" else "an integer"
        unit = f" {parameter['unit']}" if parameter.get("unit") else ""
        return f"{noun} from {low!r} to {high!r}{unit}"
    if kind in ("enum", "choice"):
        return "one of " + ", ".join(repr(value) for value in parameter["values"])
    return {
        "bool": "True or False",
        "string": "a text",
        "color": "three numbers from 0 to 1: red, green, blue",
        "points": _accepted_points("xyz"),
        "vector": "three finite numbers",
        "matrix": "4 rows of 4 finite numbers",
        "numbers": "a list of finite numbers",
        "size": "three numbers above 0",
        "interval": "two finite numbers",
        "segment": "a segment's identifier",
        "segments": "a list of segments' identifiers, at least one and none twice",
        "voxels": "a mapping with origin, spacing, direction and pieces, as a session exports it",
    }[kind]


def _accepted_points(axes: Sequence[str]) -> str:
    return f"a list of points, each {len(axes)} finite numbers: {', '.join(axes)} in mm"


def _is_number(value: object) -> bool:
    return isinstance(value, numbers.Real) and not _is_bool(value)


def _is_integer(value: object) -> bool:
    return isinstance(value, numbers.Integral) and not _is_bool(value)


def _is_bool(value: object) -> bool:
    # NumPy's bool_ is neither a bool nor a Number; its name changed with NumPy 2.
    return isinstance(value, bool) or type(value).__name__ in ("bool_", "bool")


def _listed(value: Any) -> list[Any] | None:
    """A sequence or a NumPy array as a list; None for anything else."""
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, (str, bytes)) or not isinstance(value, Sequence):
        return None
    return list(value)


def _rows_in_one(value: Any) -> list[Any] | None:
    """The numbers of a matrix, row by row: of a list of rows, or of one list of all."""
    rows = [_listed(row) for row in _listed(value) or ()]
    if not rows or any(row is None for row in rows):
        return _listed(value)
    if any(len(row) != len(rows) for row in rows if row is not None):
        return []
    return [number for row in rows if row is not None for number in row]


def _finite(value: Any) -> bool:
    return math.isfinite(_float(value))


def _float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer beyond all floating-point numbers
        return math.inf if value > 0 else -math.inf


def check_text(value: object, name: str, expected: str = "a text") -> str:
    """Return a text that can leave Python, or raise what is wrong."""
    if not isinstance(value, str):
        raise TypeError(f"{name} is {shown(value)} ({type(value).__name__}); expected {expected}")
    try:
        value.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        raise ValueError(f"{name} is {shown(value)}; expected {expected} in UTF-8") from None
    return str(value)


def shown(value: object) -> str:
    """A value as an error quotes it: long ones are cut."""
    return _SHORTENED.repr(value)


_SHORTENED = reprlib.Repr()
_SHORTENED.maxstring = _SHORTENED.maxother = _SHORTENED.maxlong = 80


def check_points(
    value: Any, name: str, axes: Sequence[str] = "xyz", *, required: bool = True
) -> list[list[float]]:
    """Return points as lists of numbers, one for each of ``axes``, or raise what is wrong."""
    expected = f"expected {_accepted_points(axes)}"
    points = _listed(value)
    if points is None:
        raise TypeError(f"{name} is {shown(value)} ({type(value).__name__}); {expected}")
    if not points and required:
        raise ValueError(f"{name} is empty; {expected}")
    result = []
    for index, point in enumerate(points):
        parts = _listed(point)
        if parts is None or not all(map(_is_number, parts)):
            raise TypeError(f"{name}[{index}] is {shown(point)}; {expected}")
        if len(parts) != len(axes) or not all(map(_finite, parts)):
            raise ValueError(f"{name}[{index}] is {shown(point)}; {expected}")
        result.append([float(part) for part in parts])
    return result


def check_value(parameter: Mapping[str, Any], value: Any, name: str) -> Any:
    """Return ``value`` as a plain Python object, or raise for what is not accepted.

    ``name`` is how the caller wrote the parameter, with as much context as helps.
    """
    kind = parameter["type"]

    def wrong(error: type[Exception]) -> Exception:
        given = shown(value)
        if error is TypeError:
            given = f"{given} ({type(value).__name__})"
        hint = ""
        if error is ValueError and kind == "enum":
            hint = suggestion(value, parameter["values"])
        return error(f"{name} is {given}; expected {accepted(parameter)}{hint}")

    if kind == "double":
        if not _is_number(value):
            raise wrong(TypeError)
        number = _float(value)
        unbounded = parameter.get("unbounded")
        if unbounded is not None and math.isinf(number) and (number > 0) == (unbounded > 0):
            number = float(unbounded)
        low, high = parameter["range"]
        if not low <= number <= high:
            raise wrong(ValueError)
        return number
    if kind in ("int", "int64"):
        if not _is_integer(value):
            raise wrong(TypeError)
        low, high = parameter["range"]
        if not low <= int(value) <= high:
            raise wrong(ValueError)
        return int(value)
    if kind == "bool":
        if not _is_bool(value):
            raise wrong(TypeError)
        return bool(value)
    if kind == "enum":
        if not isinstance(value, str):
            raise wrong(TypeError)
        if value not in parameter["values"]:
            raise wrong(ValueError)
        return str(value)
    if kind == "choice":
        if not _is_integer(value):
            raise wrong(TypeError)
        if int(value) not in parameter["values"]:
            raise wrong(ValueError)
        return int(value)
    if kind == "string":
        return check_text(value, name)
    if kind in _NUMBERS:
        count, is_good = _NUMBERS[kind]
        parts = _rows_in_one(value) if kind == "matrix" else _listed(value)
        if parts is None or not all(map(_is_number, parts)):
            raise wrong(TypeError)
        if len(parts) != count or not all(_finite(part) and is_good(part) for part in parts):
            raise wrong(ValueError)
        return [float(part) for part in parts]
    if kind == "numbers":
        parts = _listed(value)
        if parts is None or not all(map(_is_number, parts)):
            raise wrong(TypeError)
        if not all(map(_finite, parts)):
            raise wrong(ValueError)
        return [float(part) for part in parts]
    if kind == "points":
        return check_points(value, name, required="default" not in parameter)
    if kind == "segment":
        text = check_text(value, name, accepted(parameter))
        if parameter.get("required") and not text:
            raise wrong(ValueError)
        return text
    if kind == "segments":
        parts = _listed(value)
        if parts is None or not all(isinstance(part, str) for part in parts):
            raise wrong(TypeError)
        if not parts or not all(parts) or len(set(parts)) != len(parts):
            raise wrong(ValueError)
        return [check_text(part, name) for part in parts]
    if kind == "voxels":
        if not isinstance(value, Mapping):
            raise wrong(TypeError)
        if set(value) != {"origin", "spacing", "direction", "pieces"}:
            raise wrong(ValueError)
        return dict(value)
    raise AssertionError(f"effects.json has a parameter of unknown type {kind!r}")


def check_label(label: Any, name: str) -> int:
    """A voxel value that can stand for a segment."""
    if not _is_integer(label):
        raise TypeError(f"{name} is {shown(label)} ({type(label).__name__}); expected an integer")
    if not 1 <= int(label) <= LARGEST_LABEL:
        raise ValueError(
            f"{name} is {shown(label)}; expected an integer from 1 to {LARGEST_LABEL} "
            "(0 is the background)"
        )
    return int(label)


def setter_value(parameter: Mapping[str, Any], value: Any) -> Any:
    """The checked value as the filter's Set method takes it: an enum is its index."""
    return parameter["values"].index(value) if parameter["type"] == "enum" else value
