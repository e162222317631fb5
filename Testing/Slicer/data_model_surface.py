"""What a library of the containers shows by introspection, as JSON.

    python data_model_surface.py slicer_core.vtkSegmentationCore
    python data_model_surface.py segmentationcore.SegmentationCoreDataModel

Runs with the Python of either library and needs nothing but VTK. Of every class:

    bases       names of the library's classes above it and of the first one of VTK
    methods     of each method the set of its C++ signatures, without names of arguments
    constants   enum values and event numbers
    defaults    what each getter without arguments says of a new object

Signatures are those that VTK's wrapping leaves in the docstring. Python's snake_case properties are
made from the methods by the version of VTK, so they are not looked at.
"""

from __future__ import annotations

import contextlib
import importlib
import itertools
import json
import os
import re
import sys
from typing import Any

# Of vtkObject: they say something about this object or this process, not about the class.
NO_DEFAULTS = {
    "GetMTime",
    "GetReferenceCount",
    "GetAddressAsString",
    "GetObjectDescription",
    "GetObjectName",
    "GetIsInMemkind",
    "GetUsingMemkind",
    "GetGlobalWarningDisplay",
    "GetDebug",
    "GetCommand",
    "GetUpdateTime",
    "GetClassName",
}


def signatures(name: str, text: str) -> list[str]:
    """The C++ signatures in the docstring of a method."""
    found, lines, i = [], (text or "").splitlines(), 0
    while i < len(lines):
        if lines[i].startswith("C++: "):
            signature = lines[i][5:]
            while signature.count("(") > signature.count(")") and i + 1 < len(lines):
                i += 1
                signature += " " + lines[i].strip()
            found.append(_normal(name, signature))
        i += 1
    return sorted(set(found))


def _normal(name: str, signature: str) -> str:
    signature = re.sub(r"\s+", " ", signature).strip().rstrip(";")
    # SafeDownCast and the like are documented once, by VTK's macro.
    match = re.match(rf"(.*?)\b{re.escape(name)}\((.*)\)(.*)$", signature)
    if not match:
        return signature
    result, arguments, rest = match.groups()
    result = re.sub(r"\b(virtual|VTK_FUTURE_CONST)\b", "", result)
    rest = re.sub(r"\b(override|final|= ?default)\b", "", rest)
    arguments = ", ".join(_argument(a) for a in _split(arguments))
    return " ".join(f"{result} ({arguments}) {rest}".split())


def _split(arguments: str) -> list[str]:
    parts, depth, part = [], 0, ""
    for character in arguments:
        depth += character in "<({["
        depth -= character in ">)}]"
        if character == "," and depth == 0:
            parts.append(part)
            part = ""
        else:
            part += character
    return [p.strip() for p in [*parts, part] if p.strip()]


_TYPES = {"int", "double", "float", "char", "bool", "void", "long", "short", "unsigned", "const"}


def _argument(text: str) -> str:
    """The type and default value of an argument; its name may differ."""
    text, _, default = text.partition("=")
    match = re.match(r"^(.*[\s*&>])(\w+)((?:\[\w*\])*)$", text.strip())
    if match and match.group(2) not in _TYPES:
        text = match.group(1) + match.group(3)
    text = re.sub(r"\s*([*&<>\[\]])\s*", r"\1", text).strip()
    # VTK's own macros for vectors take const arrays since 9.3.
    text = re.sub(r"^const (\w+\[)", r"\1", text)
    default = re.sub(r"^(vtk\w+::|static_cast<\w+>\()", "", default.strip()).rstrip(")")
    default = default.replace("std::vector<std::string>(", "{}").replace("0L", "0")
    return f"{text}={default}" if default else text


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, (tuple, list)):
        return [_plain(v) for v in value]
    return "a " + type(value).__name__


def _defaults(cls: type, methods: set[str]) -> dict[str, Any]:
    try:
        thing: Any = cls()
    except (TypeError, NotImplementedError):
        thing = cls  # abstract, or only static methods: what the class itself says
    result = {}
    for name in sorted(methods):
        if re.match(r"(Get|Is)[A-Z]", name) and name not in NO_DEFAULTS:
            with contextlib.suppress(TypeError, ValueError, AttributeError):
                result[name] = _plain(getattr(thing, name)())
    return result


def _own_methods(cls: type, classes: set[str]) -> dict[str, list[str]]:
    """Methods of a class and those it has from other classes of the library."""
    found: dict[str, list[str]] = {}
    for parent in cls.__mro__:
        if parent.__name__ not in classes:
            continue
        for name, member in vars(parent).items():
            if not name.startswith("_") and callable(member) and name not in found:
                found[name] = signatures(name, member.__doc__ or "")
    return found


def surface(module: Any) -> dict[str, Any]:
    """All of it."""
    classes = {n for n, c in vars(module).items() if isinstance(c, type) and n.startswith("vtk")}
    result: dict[str, Any] = {}
    for class_name in sorted(classes):
        cls = getattr(module, class_name)
        methods = _own_methods(cls, classes)
        constants = {
            n: v
            for c in reversed(cls.__mro__)
            if c.__name__ in classes
            for n, v in vars(c).items()
            if isinstance(v, (int, float, str)) and not n.startswith("_")
        }
        bases = [c.__name__ for c in cls.__mro__[1:]]
        own = sum(1 for _ in itertools.takewhile(classes.__contains__, bases))
        result[class_name] = {
            "bases": [name for name in bases[: own + 1] if name != "object"],
            "methods": methods,
            "constants": {n: _plain(v) for n, v in sorted(constants.items())},
            "defaults": _defaults(cls, set(methods)),
        }
    constants = {n: v for n, v in vars(module).items() if isinstance(v, int) and n[0] != "_"}
    result[""] = {"bases": [], "methods": {}, "constants": constants, "defaults": {}}
    return result


if __name__ == "__main__":
    library = importlib.import_module(sys.argv[1])
    # VTK's errors about missing input are expected and would end up between the lines.
    with contextlib.suppress(AttributeError):
        importlib.import_module("vtkmodules.vtkCommonCore").vtkObject.GlobalWarningDisplayOff()
    print(json.dumps(surface(library)), flush=True)
    os._exit(0)  # Slicer's singletons do not survive an orderly end in every order of imports
