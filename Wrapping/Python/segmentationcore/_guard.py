"""Keeps our container classes out of a process that has Slicer's.

VTK keeps one Python class for each class name. Where Slicer's own data model is loaded, importing
ours would make objects that Slicer's C++ code takes for its own, with a foreign memory layout. The
package looks containers up in Slicer's library then; a direct import of our compiled module is
refused here.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import ModuleType

CONTAINERS = "SegmentationCoreDataModel"
# Slicer's library of the same containers: in the application, and in the slicer-core wheel.
_SLICER_MODULES = ("vtkSegmentationCorePython", "slicer_core.vtkSegmentationCore")
_GUARDED = f"{__name__.rpartition('.')[0]}.{CONTAINERS}"


def slicer_module() -> ModuleType | None:
    """Slicer's container library if it is loaded in this process."""
    for name in _SLICER_MODULES:
        module = sys.modules.get(name)
        if module is not None and hasattr(module, "vtkSegmentation"):
            return module
    return None


class _Guard:
    """A finder that finds nothing, and refuses one module while Slicer's data model is loaded."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> None:
        slicer = slicer_module() if name == _GUARDED else None
        if slicer is not None:
            raise ImportError(
                f"{name} cannot be imported: Slicer's data model ({slicer.__name__}) is loaded in "
                "this process and has the same class names. Its classes are the ones to use here: "
                "take them from segmentationcore (from segmentationcore import vtkSegmentation) "
                "or from slicer",
                name=name,
            )


def install() -> None:
    """Watch the imports of this process from now on."""
    if _Guard not in sys.meta_path:
        sys.meta_path.insert(0, _Guard)
