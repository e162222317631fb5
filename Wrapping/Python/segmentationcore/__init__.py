"""SegmentationCore: segmentation of volumes and label maps, the same in every program.

Every effect is a function of this package, every wrapped C++ class can be imported from it::

    import numpy as np
    from segmentationcore import margin, vtkLabelMapMargin

    grown = margin(labels, margin_size_mm=2.0, spacing=(2.0, 0.5, 0.5))  # z, y, x in mm

Arrays have the axes z, y, x (a single slice: y, x) and ``spacing`` follows them. NumPy in gives
NumPy out, ``vtkImageData`` in gives ``vtkImageData`` out; the input is never changed. Several edits
of one segmentation, with undo, masking and a journal, are made by an `Editor`.

Importing the package loads nothing but a guard, which keeps `SegmentationCoreDataModel` out of a
process that has Slicer's classes of the same names; names are looked up when they are first used.
Parts that are pure Python (`segmentationcore.bridge`, `segmentationcore.slicer`) need no compiled
module.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from . import _guard

if TYPE_CHECKING:
    from . import _effects
    from ._arrays import to_array, to_image
    from ._compiled import DataModelProvider, data_model_provider
    from ._effects import *  # noqa: F403
    from ._run import ImageLike
    from .conversion import register_conversion_rule, register_conversion_rules
    from .crops import VolumeCrop
    from .editor import Editor
    from .errors import Cancelled, Interrupted, SegmentationCoreError
    from .io import read_segmentation, read_volume, write_segmentation, write_volume
    from .numbering import IslandNumbers, label_islands
    from .operations import (
        LabelMap,
        apply_operations,
        read_operations,
        validate_operation,
        validate_operations,
        write_operations,
    )
    from .replay import ReplayReport, replay_report
    from .segments import Segment, read_segments, write_segments

    __version__: str
    __all__ = [
        "Cancelled",
        "DataModelProvider",
        "Editor",
        "ImageLike",
        "Interrupted",
        "IslandNumbers",
        "LabelMap",
        "ReplayReport",
        "Segment",
        "SegmentationCoreError",
        "VolumeCrop",
        "apply_operations",
        "data_model_provider",
        "label_islands",
        "read_operations",
        "read_segmentation",
        "read_segments",
        "read_volume",
        "register_conversion_rule",
        "register_conversion_rules",
        "replay_report",
        "to_array",
        "to_image",
        "validate_operation",
        "validate_operations",
        "write_operations",
        "write_segmentation",
        "write_segments",
        "write_volume",
    ]
    __all__ += _effects.__all__

_guard.install()

# Where the names of the package are; effects and classes are found by looking.
_HOMES = {
    "Cancelled": "errors",
    "DataModelProvider": "_compiled",
    "Editor": "editor",
    "ImageLike": "_run",
    "Interrupted": "errors",
    "IslandNumbers": "numbering",
    "LabelMap": "operations",
    "ReplayReport": "replay",
    "Segment": "segments",
    "SegmentationCoreError": "errors",
    "VolumeCrop": "crops",
    "apply_operations": "operations",
    "data_model_provider": "_compiled",
    "label_islands": "numbering",
    "read_operations": "operations",
    "read_segmentation": "io",
    "read_segments": "segments",
    "read_volume": "io",
    "register_conversion_rule": "conversion",
    "register_conversion_rules": "conversion",
    "replay_report": "replay",
    "to_array": "_arrays",
    "to_image": "_arrays",
    "validate_operation": "operations",
    "validate_operations": "operations",
    "write_operations": "operations",
    "write_segmentation": "io",
    "write_segments": "segments",
    "write_volume": "io",
}
_SUBMODULES = (
    "bridge",
    "cli",
    "conversion",
    "demo",
    "editor",
    "errors",
    "io",
    "numbering",
    "operations",
    "replay",
    "segments",
    "slicer",
)


def _version() -> str:
    from ._compiled import build_info

    version = build_info().get("VERSION")
    if version:
        return version
    import importlib.metadata

    try:
        return importlib.metadata.version(__name__)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def _effect_names() -> list[str]:
    from ._registry import queries, voxel_effects

    try:
        return [*voxel_effects(), *queries()]
    except ImportError:  # pure Python beside Slicer: no effects here
        return []


def __getattr__(name: str) -> Any:
    """Find a name when it is first used (PEP 562)."""
    value: Any
    if name in _HOMES:
        value = getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    elif name.startswith("vtk"):
        from ._compiled import find_class

        return find_class(name)  # not kept: who provides it may change when Slicer is imported
    elif name == "__version__":
        value = _version()
    elif name == "__all__":
        value = sorted([*_HOMES, *_effect_names()])
    elif name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    elif name in _SUBMODULES:
        return importlib.import_module(f".{name}", __name__)
    elif name in _effect_names():
        value = getattr(importlib.import_module("._effects", __name__), name)
    else:
        from ._registry import suggestion

        hint = suggestion(name, [*_HOMES, *_effect_names()])
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}{hint}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    from ._compiled import class_names

    names = {key for key in globals() if key.startswith("__")}
    names.update(_HOMES, _SUBMODULES, _effect_names(), class_names(), ["__version__", "__all__"])
    return sorted(names)
