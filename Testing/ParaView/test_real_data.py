"""Every effect and query in pvserver with 1 to 4 ranks: the same as in the wheel.

On a part of the brain atlas and the head it was drawn on, on a head's CT, on a synthetic tomogram
of a rock, and on the data that test_splits.py makes against cutting; in an oblique and anisotropic
lattice, from files of which each rank reads a part.
"""

from __future__ import annotations

import json
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[1] / "Python"), str(HERE.parent)]

from sample_data import noise, template  # noqa: E402
from sample_parameters import arguments  # noqa: E402
from segmentationcore import vtkLabelMapNrrdReader, vtkRASVolumeReader  # noqa: E402
from segmentationcore._pipeline import execute  # noqa: E402
from segmentationcore._registry import queries, voxel_effects  # noqa: E402
from segmentationcore._run import check_parameters, find_class, set_parameter  # noqa: E402
from segmentationcore.demo.data import CT_FILE, located, read_ct  # noqa: E402
from segmentationcore.demo.rock import rock  # noqa: E402
from test_plugin import ORIGIN_LPS, RANKS, STEPS_LPS, Session, write_nrrd  # noqa: E402
from test_plugin import environment as environment  # noqa: E402
from test_plugin import session as session  # noqa: E402
from test_splits import DATA  # noqa: E402
from vtkmodules.util.numpy_support import vtk_to_numpy  # noqa: E402
from vtkmodules.vtkCommonDataModel import vtkImageData, vtkTable  # noqa: E402

pytestmark = pytest.mark.paraview

EFFECTS: dict[str, Any] = dict(voxel_effects() | queries())
PART = (slice(30, 132, 2), slice(40, 172, 3), slice(30, 145, 3))
SEGMENT = {"atlas": 85}
OTHER = {"atlas": 37}
MADE = ("spiral", "checkerboard", "comb", "plateaus", "ties", "corners")
NAMES = ("atlas", "ct", "rock", *MADE)
FLAT = ("points", "vector", "matrix", "numbers")


def pictures() -> tuple[np.ndarray, np.ndarray]:
    """With specks and holes, which a drawn atlas has not."""
    labels = template("aal.nii.gz")[0][PART]
    head = template("ch2better.nii.gz")[0][PART]
    labels = np.where(labels % 2 == 1, labels, 0).astype("|u1")
    labels[noise(labels.shape, 1) % 40 == 0] = 0
    labels[noise(labels.shape, 2) % 200 == 0] = SEGMENT["atlas"]
    return labels, head.astype("<i2")


def ct() -> tuple[np.ndarray, np.ndarray]:
    """Bone and what is soft."""
    values = read_ct(located(CT_FILE)).voxels[10:100:3, 20:236:4, 20:236:4]
    return np.select([values >= 226, values > -200], [1, 2]), values


def stone() -> tuple[np.ndarray, np.ndarray]:
    """Pores and what is heavy."""
    values = rock(56).astype(np.int32) - 30000
    return np.select([values < -14000, values > 3000], [1, 2]), values


def read(reader: Any, file: Path) -> vtkImageData:
    reader.SetFileName(str(file))
    reader.Update()
    assert reader.GetLastError() == ""
    return reader.GetOutputDataObject(0)


def given(effect: Any, image: vtkImageData, name: str) -> dict[str, Any]:
    """Parameters of an effect for this image, by their declared names."""
    values = arguments(effect, {}, image)
    for parameter in effect["parameters"]:
        if parameter["type"] == "segment":
            values[parameter["name"]] = OTHER.get(name, 2)
        if parameter["name"].endswith("Mm") and parameter["default"] not in (0.0, 0):
            values[parameter["name"]] = 2.5
    return dict(check_parameters(effect, values))


def by_wheel(folder: Path, data: str) -> dict[str, Any]:
    """What the wheel makes of it, on one rank."""
    labels = read(vtkLabelMapNrrdReader(), folder / f"{data}.seg.nrrd")
    volume = read(vtkRASVolumeReader(), folder / f"{data}.nrrd")
    results: dict[str, Any] = {}
    for identifier, effect in EFFECTS.items():
        algorithm = find_class(effect["class"])()
        for name, value in given(effect, volume, data).items():
            declared = next(p for p in effect["parameters"] if p["name"] == name)
            set_parameter(algorithm, declared, value)
        if hasattr(algorithm, "SetSegmentLabel"):
            algorithm.SetSegmentLabel(SEGMENT.get(data, 1))
        algorithm.SetInputDataObject(volume if effect["input"] == "volume" else labels)
        if effect["volume"]:
            algorithm.SetInputDataObject(1, volume)
        execute(algorithm, identifier)
        output = algorithm.GetOutputDataObject(0)
        if isinstance(output, vtkTable):
            columns = [output.GetColumn(number) for number in range(output.GetNumberOfColumns())]
            results[identifier] = {
                column.GetName(): zlib.crc32(vtk_to_numpy(column).tobytes())
                for column in columns
                if column.IsNumeric()
            }
        else:
            values = vtk_to_numpy(output.GetPointData().GetScalars())
            before = (labels, volume)[effect["input"] == "volume"].GetPointData().GetScalars()
            results[identifier] = {
                "array": output.GetPointData().GetScalars().GetName(),
                "type": str(values.dtype),
                "crc": zlib.crc32(np.ascontiguousarray(values).tobytes()),
                "count": int(values.size),
                "changed": not np.array_equal(values, vtk_to_numpy(before)),
            }
    return results


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files, and what the client shall do with them."""
    folder = tmp_path_factory.mktemp("real")
    tasks: list[dict[str, Any]] = []
    results: dict[str, Any] = {}
    make = DATA | {"atlas": pictures, "ct": ct, "rock": stone}
    for data in NAMES:
        labels, volume = make[data]()
        labels, volume = labels.astype("|u1"), volume.astype("<i2")
        found = np.unique(labels)[1:].tolist()
        assert {SEGMENT.get(data, 1), OTHER.get(data, 2)} <= {*found}
        write_nrrd(folder / f"{data}.nrrd", volume, STEPS_LPS, ORIGIN_LPS)
        segments = "".join(
            f"Segment{row}_ID:=Segment_{label}\nSegment{row}_LabelValue:={label}\n"
            f"Segment{row}_Layer:=0\n"
            for row, label in enumerate(found)
        )
        write_nrrd(folder / f"{data}.seg.nrrd", labels, STEPS_LPS, ORIGIN_LPS, segments)
        image = read(vtkRASVolumeReader(), folder / f"{data}.nrrd")
        results[data] = by_wheel(folder, data)
        tasks += [task(identifier, data, image, results[data]) for identifier in EFFECTS]
    (folder / "expected.json").write_text(json.dumps(results), encoding="utf-8")
    (folder / "real.json").write_text(json.dumps(tasks), encoding="utf-8")
    return folder


def task(
    identifier: str, data: str, image: vtkImageData, results: dict[str, Any]
) -> dict[str, Any]:
    effect = EFFECTS[identifier]
    kinds = {parameter["name"]: parameter["type"] for parameter in effect["parameters"]}
    return {
        "identifier": identifier,
        "data": data,
        "proxy": effect["class"].removeprefix("vtk"),
        "input": "volume" if effect["input"] == "volume" else "labels",
        "volume": bool(effect["volume"]),
        "array": results[identifier].get("array", ""),
        "segment": SEGMENT.get(data, 1),
        "parameters": {
            name: np.array(value, float).ravel().tolist() if kinds[name] in FLAT else value
            for name, value in given(effect, image, data).items()
        },
    }


@pytest.fixture(scope="module")
def expected(folder: Path) -> dict[str, Any]:
    result: dict[str, Any] = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    return result


@pytest.mark.parametrize("ranks", [0, *RANKS])
@pytest.mark.parametrize("identifier", EFFECTS)
def test_ranks_do_not_matter(
    identifier: str, ranks: int, session: Session, expected: dict[str, Any]
) -> None:
    for data in NAMES:
        found = dict(session("real", ranks)[data][identifier])
        assert found.pop("error") == "", data
        wanted = dict(expected[data][identifier])
        changed, array = wanted.pop("changed", True), wanted.pop("array", "")
        assert changed or data != "atlas", f"{array} is as it was"
        assert found == wanted, data
