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
from segmentationcore import _compiled, _registry, apply_operations
from segmentationcore._run import make_filter

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
    value = getattr(algorithm, f"Get{parameter['name']}")()
    assert value == _registry.setter_value(parameter, parameter["default"])
    expected = {"double": float, "bool": (bool, int)}.get(parameter["type"], int)
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
        values = parameter["range"]
    volume = np.arange(27, dtype=np.uint8).reshape(3, 3, 3) % 3
    for value in values:
        algorithm = make_filter(effect, {}, 1)
        getattr(algorithm, f"Set{parameter['name']}")(value)
        assert getattr(algorithm, f"Get{parameter['name']}")() == value
        algorithm.SetInputDataObject(segmentationcore.to_image(volume))
        algorithm.Update()
        assert algorithm.GetLastError() == ""
        assert algorithm.GetOutput().GetNumberOfPoints() == 27


@pytest.mark.parametrize("effect", EFFECTS.values(), ids=EFFECTS)
def test_the_class_has_no_parameter_that_is_not_declared(effect: dict[str, Any]) -> None:
    cls = getattr(segmentationcore, effect["class"])
    own = {
        name[3:] for name in vars(cls) if name.startswith("Set") and hasattr(cls, f"Get{name[3:]}")
    }
    assert own == {parameter["name"] for parameter in effect["parameters"]}


def test_every_effect_class_is_declared() -> None:
    module = _compiled.load("SegmentationCoreFilters")
    base = module.vtkLabelMapAlgorithm
    classes = {
        name
        for name, cls in vars(module).items()
        if isinstance(cls, type) and issubclass(cls, base) and cls is not base
    }
    assert classes == {effect["class"] for effect in EFFECTS.values()}


def test_every_declaration_is_in_the_package(generated: Path) -> None:
    packaged = Path(segmentationcore.__file__).parent
    for name in ("effects.json", "operation.schema.json", "_effects.py", "_effects.pyi"):
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
        ({"class": "vtkSomething"}, "class must start with"),
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


def sample_value(parameter: dict[str, Any]) -> Any:
    return {"string": "A name", "color": [0.25, 0.5, 1.0], "int64": 7}[parameter["type"]]


@pytest.mark.parametrize("effect", TABLE.values(), ids=TABLE)
def test_the_editor_knows_every_table_operation(effect: dict[str, Any]) -> None:
    volume = np.arange(27, dtype=np.int16).reshape(3, 3, 3)
    start = [
        {"effect": "add_segment", "segment": "first"},
        {"effect": "threshold", "segment": "first", "parameters": {"MinimumThreshold": 20}},
    ]
    segment = "second" if effect["identifier"] == "add_segment" else "first"
    given = {parameter["name"]: sample_value(parameter) for parameter in effect["parameters"]}
    operation = {"effect": effect["identifier"], "segment": segment, "parameters": given}
    before = apply_operations(volume, start)
    after = apply_operations(volume, [*start, operation])
    assert after.segments != before.segments
    row = next((row for row in after.segments if row.id == segment), None)
    if effect["identifier"] == "remove_segment":
        assert row is None
        assert not after.labels.any()
        return
    assert row is not None
    if "Name" in given:
        assert row.name == given["Name"]
    if "Color" in given:
        assert row.color == tuple(given["Color"])
    if "LabelValue" in given:
        assert row.label_value == given["LabelValue"]
    assert (after.labels == before.labels).all()


@pytest.mark.parametrize("effect", EFFECTS.values(), ids=EFFECTS)
def test_the_editor_knows_every_effect(effect: dict[str, Any]) -> None:
    volume = np.zeros((9, 9, 9), np.uint8)
    volume[2:7, 2:7, 2:7] = 100
    operations = [
        {"effect": "add_segment", "segment": "s"},
        {"effect": "threshold", "segment": "s", "parameters": {"MinimumThreshold": 50}},
    ]
    start = apply_operations(volume, operations)
    after = apply_operations(
        volume, [*operations, {"effect": effect["identifier"], "segment": "s"}]
    )
    data = volume if effect["input"] == "volume" else start.labels
    expected = getattr(segmentationcore, effect["identifier"])(data)
    assert (after.labels == expected).all()
