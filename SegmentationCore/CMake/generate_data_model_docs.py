#!/usr/bin/env python3
"""Make docs/data-model.md from the tables in SegmentationCore/DataModel/differences.

    generate_data_model_docs.py --differences DIR --docs FILE

Each table is a JSON array of rows {"name", "where", "slicer", "ours", "why"}: one place where the
containers behave differently from Slicer's on purpose. Standard library only, Python 3.10 or newer.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

KEYS = ("name", "where", "slicer", "ours", "why")

# The page has these sections; a row belongs to the first one that lists the class of its "where".
SECTIONS = {
    "Segmentations": ("vtkSegmentation",),
    "Segments": ("vtkSegment",),
    "Images": ("vtkOrientedImageData", "vtkOrientedImageDataResample"),
    "Conversion": (
        "vtkSegmentationConverter",
        "vtkSegmentationConverterFactory",
        "vtkSegmentationConverterRule",
        "vtkSegmentationConversionParameters",
        "vtkSegmentationConversionPath",
        "vtkSegmentationConversionPaths",
    ),
    "Surfaces to voxels": (
        "vtkClosedSurfaceToBinaryLabelmapConversionRule",
        "vtkClosedSurfaceToFractionalLabelmapConversionRule",
        "vtkPolyDataToFractionalLabelmapFilter",
        "vtkCalculateOversamplingFactor",
    ),
    "Voxels to surfaces": (
        "vtkBinaryLabelmapToClosedSurfaceConversionRule",
        "vtkFractionalLabelmapToClosedSurfaceConversionRule",
    ),
    "Editing and undo": ("vtkSegmentationModifier", "vtkSegmentationHistory"),
    "Files": ("vtkSegmentationFileReader", "vtkSegmentationFileWriter"),
    "Others": (),
}

INTRODUCTION = """\
# The data model

Made by `make docs` from `SegmentationCore/DataModel/differences`; do not edit.

`SegmentationCore/DataModel` has the containers of 3D Slicer, written anew: `vtkSegmentation`, an ordered
list of `vtkSegment`s, each with its name, colour, tags and representations; `vtkOrientedImageData`, an
image with directions; the conversion of binary and fractional labelmaps to closed surfaces and back; the
modifier through which edits go, and the undo history. Class names, signatures, enums, event numbers,
parameter names and texts are Slicer's, so that code written for Slicer compiles and runs unchanged. They
need nothing but VTK.

    import segmentationcore as sc

    sc.vtkSegmentationConverterFactory.RegisterStandardConversionRules()
    segmentation = sc.vtkSegmentation()
    reader = sc.vtkSegmentationFileReader()
    reader.SetFileName("head.seg.nrrd")
    reader.Read(segmentation)
    segmentation.CreateRepresentation("Closed surface")
    writer = sc.vtkSegmentationFileWriter()
    writer.SetFileName("again.seg.nrrd")
    writer.Write(segmentation)

No conversion rule is registered unless somebody does it, as in Slicer, where the application does; a
segmentation has those that were registered when it was made.

**Beside Slicer.** VTK keeps one Python class for each class name. In a process where Slicer's own library
is loaded, `segmentationcore.vtkSegmentation` and the others are therefore Slicer's, and ours are not
loaded; `segmentationcore.data_model_provider()` says which ones are in use, and why. Importing
`segmentationcore.SegmentationCoreDataModel` itself is refused there, with an ImportError that says so.

**How it is tested.** `Testing/Slicer/test_data_model_surface.py` compares every method, overload, constant
and default with Slicer's; `test_data_model_random.py` runs random sequences of operations on both and
compares IDs, order, names, layers, label values, voxels and events after each; `test_data_model_files.py`
has each open the other's files. What is different on purpose is in the tables below, and nowhere else:
the tests look it up there by its name.

"""


def load(folder: Path) -> list[dict[str, str]]:
    """All rows, checked; raises ValueError that names the file and the row."""
    rows: list[dict[str, str]] = []
    names: dict[str, str] = {}
    for path in sorted(folder.glob("*.json")):
        table = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(table, list) or not table:
            raise ValueError(f"{path.name}: must be an array of rows, and not empty")
        for number, row in enumerate(table):
            _check(row, f"{path.name}, row {number}")
            if row["name"] in names:
                raise ValueError(f"{path.name}: {row['name']} is in {names[row['name']]}, too")
            names[row["name"]] = path.name
            rows.append(row)
    return rows


def _check(row: object, where: str) -> None:
    if not isinstance(row, dict) or sorted(row) != sorted(KEYS):
        raise ValueError(f"{where}: must have exactly the keys {', '.join(KEYS)}")
    for key in KEYS:
        if not isinstance(row[key], str) or not row[key].strip():
            raise ValueError(f"{where}: {key} must be a text that is not empty")
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", row["name"]):
        raise ValueError(f"{where}: the name {row['name']!r} must be words joined by hyphens")
    if not re.match(r"vtk[A-Z]\w+(::~?\w+)?", row["where"]):
        raise ValueError(f"{where}: where must begin with a class or Class::Method")


def _section(row: dict[str, str]) -> str:
    name = re.match(r"\w+", row["where"])
    assert name is not None  # checked
    return next((title for title, classes in SECTIONS.items() if name[0] in classes), "Others")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def make_docs(rows: list[dict[str, str]]) -> str:
    """The page."""
    page = INTRODUCTION + "## Differences from Slicer\n"
    for title in SECTIONS:
        chosen = [row for row in rows if _section(row) == title]
        if not chosen:
            continue
        page += f"\n### {title}\n\n| name | where | Slicer | ours | why |\n|---|---|---|---|---|\n"
        for row in chosen:
            cells = [f"`{row['name']}`", f"`{row['where']}`"]
            cells += [_cell(row[key]) for key in ("slicer", "ours", "why")]
            page += "| " + " | ".join(cells) + " |\n"
    return page


def main() -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--differences", type=Path, required=True, help="folder of the tables")
    parser.add_argument("--docs", type=Path, required=True, help="Markdown page to write")
    options = parser.parse_args()
    try:
        page = make_docs(load(options.differences))
    except ValueError as error:
        print(f"{options.differences}: {error}", file=sys.stderr)
        return 1
    if not options.docs.exists() or options.docs.read_text(encoding="utf-8") != page:
        options.docs.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
