"""Finding our compiled VTK modules, and Slicer's data model where that one counts.

The compiled modules sit in this folder, in the wheel as in a build for pvpython. Beside Slicer
there may be none: everything that needs one says so when it is used, not on import.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from ._guard import CONTAINERS, slicer_module

_PACKAGE = __name__.rpartition(".")[0]
_FOLDER = Path(__file__).parent
# Searched in this order; others (of the ParaView plugin, say) follow.
_KNOWN = (
    "SegmentationCoreFilters",
    "SegmentationCoreEditor",
    "SegmentationCoreIO",
    CONTAINERS,
)


class DataModelProvider(NamedTuple):
    """Whose container classes (``vtkSegmentation``..) this process uses."""

    name: str
    """``"slicer"`` or ``"segmentationcore"``."""
    reason: str
    """Why, in one sentence."""


def build_info() -> dict[str, str]:
    """What the build recorded: VTK_VERSION, and perhaps VERSION and PRODUCT; empty if nothing."""
    try:
        module = importlib.import_module("._build_info", _PACKAGE)
    except ImportError:
        return {}
    return {key: str(value) for key, value in vars(module).items() if key.isupper()}


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


@functools.lru_cache(maxsize=1)
def _check_vtk() -> str:
    """The version of the VTK of this process, if it is the one that we were built with."""
    built = build_info().get("VTK_VERSION", "")
    wanted = f'"vtk=={_minor(built)}.*"' if built else "vtk"
    try:
        from vtkmodules.vtkCommonCore import vtkVersion
    except ImportError as error:
        raise ImportError(
            f"VTK cannot be imported ({error}); install it with: pip install {wanted}"
        ) from error
    running = str(vtkVersion.GetVTKVersion())
    if built and _minor(built) != _minor(running):
        raise ImportError(
            f"segmentationcore was built for VTK {_minor(built)} ({built}), but this process has "
            f"VTK {running}. Use a segmentationcore built for VTK {_minor(running)}, or install "
            f"the matching VTK with: pip install {wanted}"
        )
    return running


@functools.lru_cache(maxsize=1)
def module_names() -> tuple[str, ...]:
    """The compiled modules that are there, in the order of the search."""
    found = {
        module.name
        for module in pkgutil.iter_modules([str(_FOLDER)])
        if module.name.startswith("SegmentationCore")
    }
    first = tuple(name for name in _KNOWN if name in found)
    return first + tuple(sorted(found - set(first)))


def load(name: str) -> ModuleType:
    """Import one compiled module, or raise an ImportError that tells what to do."""
    running = _check_vtk()
    if name not in module_names():
        info = build_info()
        built = info.get("VTK_VERSION", running)
        raise ImportError(
            f"the compiled module {name} of segmentationcore is not in {_FOLDER}. Install the "
            f'wheel with: pip install segmentationcore "vtk=={_minor(built)}.*"; in pvpython, put '
            "the build's Python folder on PYTHONPATH"
        )
    try:
        return importlib.import_module(f".{name}", _PACKAGE)
    except ImportError as error:
        built = build_info().get("VTK_VERSION", "an unknown VTK")
        raise ImportError(
            f"the compiled module {name} cannot be loaded: {error}. It was built for VTK {built}; "
            f"this process has VTK {running} from {_vtk_folder()}"
        ) from error


def _vtk_folder() -> str:
    return str(Path(str(sys.modules["vtkmodules"].__file__)).parent)


def data_model_provider() -> DataModelProvider:
    """Tell whose ``vtkSegmentation`` and other container classes this process uses.

    VTK keeps one Python class for each class name. Where Slicer's own data model is loaded, an
    object made by ours would reach Slicer's code with a foreign memory layout, so Slicer's classes
    are used then.

    Returns
    -------
    DataModelProvider
        ``name`` is ``"slicer"`` or ``"segmentationcore"``; ``reason`` says why.

    Examples
    --------
    >>> from segmentationcore import data_model_provider
    >>> data_model_provider().name
    'segmentationcore'
    """
    slicer = slicer_module()
    ours = sys.modules.get(f"{_PACKAGE}.{CONTAINERS}")
    if slicer is None:
        return DataModelProvider(
            "segmentationcore", "Slicer's data model is not loaded in this process"
        )
    if ours is not None and slicer.vtkSegmentation.__module__ == ours.__name__:
        return DataModelProvider(
            "segmentationcore",
            "its data model was imported before Slicer's, so VTK gave Slicer these classes too; "
            "this is not safe: import slicer first",
        )
    return DataModelProvider(
        "slicer", f"Slicer's data model is loaded in this process ({slicer.__name__})"
    )


def find_class(name: str) -> Any:
    """A wrapped class by its name, from whichever compiled module has it.

    Raises
    ------
    AttributeError
        There is no such class.
    ImportError
        There are no compiled modules, or they do not fit this process.
    """
    slicer_provides = data_model_provider().name == "slicer"
    if slicer_provides and hasattr(slicer_module(), name):
        return getattr(slicer_module(), name)
    names = module_names()
    if not names:
        load(_KNOWN[0])  # raises, and says what to do
    for module_name in names:
        if module_name == CONTAINERS and slicer_provides:
            continue
        found = getattr(load(module_name), name, None)
        if found is not None:
            return found
    beside = " (beside Slicer, containers are Slicer's own)" if slicer_provides else ""
    raise AttributeError(f"segmentationcore has no class {name}{beside}")


def class_names() -> list[str]:
    """All wrapped classes that can be had in this process; none where nothing can be loaded."""
    result: set[str] = set()
    slicer = slicer_module() if data_model_provider().name == "slicer" else None
    for name in module_names():
        if slicer is None or name != CONTAINERS:
            try:
                result.update(key for key in vars(load(name)) if key.startswith("vtk"))
            except ImportError:
                continue
    if slicer is not None:
        result.update(key for key in vars(slicer) if key.startswith("vtk"))
    return sorted(result)
