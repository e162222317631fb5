"""The declarations against the compiled classes, the generated files and the editor."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import segmentationcore
from jsonschema import Draft202012Validator
from sample_data import assert_same
from sample_parameters import arguments, keywords
from segmentationcore import _compiled, _registry, apply_operations, to_array, to_image
from segmentationcore._run import check_parameters, make_filter

pytestmark = pytest.mark.python

REPOSITORY = Path(__file__).resolve().parents[2]
GENERATOR = REPOSITORY / "SegmentationCore" / "CMake" / "generate_effects.py"
DECLARATIONS = REPOSITORY / "SegmentationCore" / "Effects"
EFFECTS = _registry.voxel_effects()
TABLE = {k: v for k, v in _registry.effects().items() if v["input"] == "table"}


def parameters() -> list[Any]:
    return [
        pytest.param(effect, parameter, id=f"{identifier}-{parameter['name']}")
        for identifier, effect in EFFECTS.items()
        for parameter in effect["parameters"]
    ]


def generate(*arguments: str) -> None:
    command = [sys.executable, str(GENERATOR), "--effects", str(DECLARATIONS), *arguments]
    subprocess.run(command, check=True, timeout=60)


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generated")
    generate("--python", str(folder), "--docs", str(folder / "effects.md"))
    return folder


@pytest.mark.parametrize("effect", EFFECTS.values(), ids=EFFECTS)
def test_the_class_is_there(effect: dict[str, Any]) -> None:
    algorithm = getattr(segmentationcore, effect["class"])()
    assert algorithm.GetClassName() == effect["class"]
    assert algorithm.IsA("vtkLabelMapAlgorithm")
    assert algorithm.GetSegmentLabel() == 1
    assert algorithm.GetNumberOfBlocks() == 1
    assert algorithm.GetLastError() == ""


@pytest.mark.parametrize(("effect", "parameter"), parameters())
def test_defaults_are_those_of_the_class(effect: dict[str, Any], parameter: dict[str, Any]) -> None:
    algorithm = make_filter(effect, {}, 1)
    if parameter["type"] == "points":
        assert algorithm.GetNumberOfPoints() == 0
        return
    if parameter["type"] == "numbers":
        assert getattr(algorithm, f"GetNumberOf{parameter['name']}")() == 0
        return
    value = getattr(algorithm, f"Get{parameter['name']}")()
    if parameter["type"] in ("vector", "matrix"):
        assert value == tuple(parameter["default"])
        return
    assert value == _registry.setter_value(parameter, parameter["default"])
    kinds = {"double": float, "bool": (bool, int), "segment": str, "string": str}
    expected = kinds.get(parameter["type"], int)
    assert isinstance(value, expected)


@pytest.mark.parametrize(("effect", "parameter"), parameters())
def test_the_ends_of_the_range_are_accepted(
    effect: dict[str, Any], parameter: dict[str, Any]
) -> None:
    # What is beyond is in the common suite.
    if parameter["type"] in ("enum", "choice"):
        values = [_registry.setter_value(parameter, value) for value in parameter["values"]]
    elif parameter["type"] == "bool":
        values = [0, 1]
    else:
        values = parameter.get("range", ())
    image = to_image(np.arange(27, dtype=np.uint8).reshape(3, 3, 3) % 3)
    given = check_parameters(effect, arguments(effect, {}, image))
    for value in values:
        algorithm = make_filter(effect, given, 1)
        getattr(algorithm, f"Set{parameter['name']}")(value)
        assert getattr(algorithm, f"Get{parameter['name']}")() == value
        algorithm.SetInputDataObject(image)
        if effect["volume"]:
            algorithm.SetVolumeData(image)
        algorithm.Update()
        if "Choose a size that fits the voxels" in algorithm.GetLastError():
            # Millimetres that these voxels are too small for, and it says so.
            assert parameter["name"] in algorithm.GetLastError()
            assert abs(value) == parameter["range"][1]
            continue
        assert algorithm.GetLastError() == ""
        assert algorithm.GetOutput().GetNumberOfPoints() == 27


@pytest.mark.parametrize("effect", EFFECTS.values(), ids=EFFECTS)
def test_the_class_has_no_parameter_that_is_not_declared(effect: dict[str, Any]) -> None:
    cls = getattr(segmentationcore, effect["class"])
    base = _compiled.load("SegmentationCoreFilters").vtkLabelMapAlgorithm
    own = {
        name[3:]
        for name in set(dir(cls)) - set(dir(base))
        if name.startswith("Set") and hasattr(cls, f"Get{name[3:]}")
    }
    kinds = {parameter["name"]: parameter["type"] for parameter in effect["parameters"]}
    own -= {"Incremental"} if effect.get("incremental") else set()  # how, not what
    # Points and numbers of a list are added one by one.
    assert own == {name for name, kind in kinds.items() if kind not in ("points", "numbers")}
    for name, kind in kinds.items():
        assert hasattr(cls, f"Add{name[:-1]}") == (kind in ("points", "numbers"))
    assert hasattr(cls, "AddPoint") == ("points" in kinds.values())


@pytest.mark.parametrize("query", _registry.queries().values(), ids=_registry.queries())
def test_queries_are_as_declared(query: dict[str, Any]) -> None:
    algorithm = getattr(segmentationcore, query["class"])()
    assert query["identifier"] not in _registry.effects()
    assert algorithm.GetLastError() == ""
    assert hasattr(algorithm, "SetVolumeConnection") == bool(query["volume"])
    for parameter in query["parameters"]:
        if parameter["type"] == "numbers":  # of a list, added one by one
            assert getattr(algorithm, f"GetNumberOf{parameter['name']}")() == 0
            assert hasattr(algorithm, f"Add{parameter['name'][:-1]}")
            continue
        if parameter["type"] == "points":
            assert algorithm.GetNumberOfPoints() == 0
            continue
        value = getattr(algorithm, f"Get{parameter['name']}")()
        default = parameter["default"]
        if parameter["type"] == "vector":
            assert value == tuple(default)
            continue
        assert value == _registry.setter_value(parameter, default)


def is_abstract(cls: type) -> bool:
    try:
        cls()
    except (NotImplementedError, TypeError):  # how VTK's versions refuse to make an abstract class
        return True
    return False


def test_every_effect_class_is_declared() -> None:
    module = _compiled.load("SegmentationCoreFilters")
    base = module.vtkLabelMapAlgorithm
    classes = {
        name
        for name, cls in vars(module).items()
        if isinstance(cls, type) and issubclass(cls, base) and not is_abstract(cls)
    }
    # Its numbers are no segments: it is a tool, and the function label_islands.
    assert "vtkLabelMapIslandNumbers" in classes
    classes.remove("vtkLabelMapIslandNumbers")
    assert classes == {effect["class"] for effect in EFFECTS.values()}


def test_every_declaration_is_in_the_package(generated: Path) -> None:
    packaged = Path(segmentationcore.__file__).parent
    for name in ("effects.json", "queries.json", "operation.schema.json", "operation_settings.json",
                 "_effects.py", "_effects.pyi"):  # fmt: skip
        assert (packaged / name).read_text() == (generated / name).read_text(), (
            f"{name} of the package is not made from the declarations of this source tree; rebuild"
        )


def test_the_reference_page_is_current(generated: Path) -> None:
    page = REPOSITORY / "docs" / "effects.md"
    assert page.read_text() == (generated / "effects.md").read_text(), (
        f"docs/effects.md is not current; run: {GENERATOR.relative_to(REPOSITORY)} "
        "--effects SegmentationCore/Effects --docs docs/effects.md"
    )


def test_the_schema_is_a_schema(generated: Path) -> None:
    Draft202012Validator.check_schema(json.loads((generated / "operation.schema.json").read_text()))


@pytest.mark.parametrize(
    ("change", "culprit"),
    [
        ({"identifier": "other"}, "identifier must be the file name"),
        ({"colour": 1}, "unknown keys"),
        ({"input": "image"}, "input must be one of"),
        ({"input": "segments", "writes": "add"}, "effects on all segments replace them"),
        ({"input": "segments", "writes": "set", "local": True}, "and are not local"),
        ({"class": "vtkSomething"}, "class must start with"),
        ({"input": "volume", "volume": True}, "volume says that a label map's effect"),
        ({"volume": 1}, "volume must be true or false"),
        ({"output": "mesh", "writes": "set"}, "output must be one of"),
        ({"output": "volume", "input": "volume"}, "a query on a volume gives a table"),
        ({"output": "table", "input": "segments"}, "tables have columns"),
        ({"output": "volume", "input": "segment", "writes": "set"}, "writes is not for queries"),
        ({"output": "volume", "input": "segment", "volume": "maybe"}, "volume must be true, false"),
        ({"makes_parts": 1}, "makes_parts must be true or false"),
        ({"crops": True}, "crops is for queries"),
        ({"output": "volume", "input": "segment", "crops": 1}, "crops says that the volume"),
    ],
    ids=str,
)
def test_a_wrong_declaration_stops_the_build(
    change: dict[str, Any], culprit: str, tmp_path: Path
) -> None:
    identifier = next(iter(EFFECTS))
    source = json.loads((DECLARATIONS / f"{identifier}.json").read_text())
    (tmp_path / f"{identifier}.json").write_text(json.dumps(source | change))
    command = [sys.executable, str(GENERATOR), "--effects", str(tmp_path), "--list"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert f"{identifier}.json" in done.stderr
    assert culprit in done.stderr


# What the table operations are given, by the names of their parameters.
TABLE_SAMPLES = {
    "Name": "A name",
    "Color": [0.25, 0.5, 1.0],
    "LabelValue": 7,
    "Visible": False,
    "Status": "Flagged",
    "Value": "A value",
    "Index": 1,
    "SourceSegmentID": "first",
    "Segments": ["second"],
    "Tags": "a:b|",
    "Voxels": {
        "origin": [0, 0, 0],
        "spacing": [1, 1, 1],
        "direction": [1, 0, 0, 0, 1, 0, 0, 0, 1],
        "pieces": [{"extent": [0, 2, 0, 2, 2, 2], "runs": [0, 9]}],
    },
}


@pytest.mark.parametrize("effect", TABLE.values(), ids=TABLE)
def test_the_editor_knows_every_table_operation(effect: dict[str, Any]) -> None:
    volume = np.arange(27, dtype=np.int16).reshape(3, 3, 3)
    start = [
        {"effect": "add_segment", "segment": "first"},
        {"effect": "threshold", "segment": "first", "parameters": {"MinimumThreshold": 20}},
        {"effect": "add_segment", "segment": "second"},
        {"effect": "threshold", "segment": "second", "parameters": {"MaximumThreshold": 5}},
    ]
    makers = ("add_segment", "copy_segment", "import_segment")
    segment = "new" if effect["identifier"] in makers else "first"
    given = {p["name"]: TABLE_SAMPLES[p["name"]] for p in effect["parameters"]}
    operation = {"effect": effect["identifier"], "segment": segment, "parameters": given}
    before = apply_operations(volume, start)
    after = apply_operations(volume, [*start, operation])
    assert after.segments != before.segments
    row = next((row for row in after.segments if row.id == segment), None)
    assert (row is None) == (effect["identifier"] == "remove_segment")
    if row is not None and effect["identifier"] != "set_segment_tag" and "Name" in given:
        assert row.name == given["Name"]
    if row is not None and "Color" in given:
        assert row.color == tuple(given["Color"])
    if row is not None and "LabelValue" in given:
        assert row.label_value == given["LabelValue"]
    if effect["identifier"] == "remove_segment":
        assert_same(after.labels, np.where(before.labels == 1, 0, before.labels))
    elif effect["identifier"] not in ("copy_segment", "import_segment", "merge_segments"):
        assert_same(after.labels, before.labels)


@pytest.mark.parametrize("effect", EFFECTS.values(), ids=EFFECTS)
def test_the_editor_knows_every_effect(effect: dict[str, Any]) -> None:
    array = np.zeros((9, 9, 9), np.uint8)
    array[2:7, 2:7, 2:7] = 100
    array[:2] = 200
    volume = to_image(array)  # of an array, only the first layer would be seen
    operations = [
        {"effect": "add_segment", "segment": "s"},
        {"effect": "threshold", "segment": "s", "parameters": {"MinimumThreshold": 50}},
        {"effect": "add_segment", "segment": "other"},
        {"effect": "threshold", "segment": "other", "parameters": {"MinimumThreshold": 150}},
    ]
    start = apply_operations(volume, operations)
    labels = to_array(start.labels, "Labels")
    assert [row.label_value for row in start.segments] == [1, 2]
    given = arguments(effect, {}, volume)
    named = {p["name"]: "other" for p in effect["parameters"] if p["type"] == "segment"}
    operation = {"effect": effect["identifier"], "parameters": {**given, **named}}
    if effect["input"] != "segments":
        operation["segment"] = "s"
    after = apply_operations(volume, [*operations, operation])
    data = array if effect["input"] == "volume" else labels
    function = getattr(segmentationcore, effect["identifier"])
    beside = {"volume": array} if effect["volume"] else {}
    expected = function(data, **beside, **keywords(arguments(effect, {}, data))) == 1
    if effect["input"] == "volume":  # the function knows no segment to join or to leave
        joined = {"add": expected | (labels == 1), "remove": ~expected & (labels == 1)}
        expected = joined.get(effect["writes"], expected)
    row = next(row for row in after.segments if row.id == "s")
    held = to_array(after.labels, row.array_name)
    assert_same(held == row.label_value, expected)
