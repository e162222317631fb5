"""Types of parameters, from a declaration to the check of an argument, without any filter.

A made-up effect has one parameter of each type; the generator runs on it in a folder of its own.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from sample_data import assert_same, random_mask
from sample_parameters import CAMERA, OTHER_LABEL, POINTS, arguments, mirrored, renumbered, turned
from segmentationcore import SegmentationCoreError, _registry, operations, to_array, to_image
from segmentationcore._run import check_parameters
from segmentationcore.cli import UsageError, parse_setting
from segmentationcore.slicer import panel

pytestmark = pytest.mark.python

GENERATOR = (
    Path(__file__).resolve().parents[2] / "SegmentationCore" / "CMake" / "generate_effects.py"
)


def parameter(name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, "unit": "", "sentence": f"The {kind}.", **more}


POINTS_PARAMETER = parameter("Points", "points", required=True)
VECTOR = parameter("Axis", "vector", default=[0, 0, 1])
IDENTITY = [float(i % 5 == 0) for i in range(16)]
MATRIX = parameter("View", "matrix", default=IDENTITY)
TEXT = parameter("Title", "string", default="none")
SEGMENT = parameter("OtherSegmentID", "segment", default="")
SIZE = parameter("SizeMm", "double", default=1.0, range=[0.0, 9.0])
TOUCH: dict[str, Any] = {
    "identifier": "touch",
    "title": "Touch",
    "class": "vtkLabelMapTouch",
    "summary": "Touches voxels.",
    "input": "segment",
    "writes": "add",
    "local": True,
    "halo": "none",
    "scratch_bytes_per_voxel": 1,
    "exact_in_parallel": True,
    "parameters": [POINTS_PARAMETER, VECTOR, MATRIX, SEGMENT, TEXT, SIZE],
    "references": [],
}
WIPE = TOUCH | {
    "identifier": "wipe",
    "class": "vtkLabelMapWipe",
    "writes": "remove",
    "local": False,
    "parameters_of": "touch",
    "parameters": [parameter("Everywhere", "bool", default=False)],
}
JOIN: dict[str, Any] = {
    "identifier": "join",
    "title": "Join",
    "summary": "Joins segments.",
    "input": "table",
    "parameters": [
        parameter("Segments", "segments", required=True),
        parameter("Receiver", "segment", required=True),
    ],
}


def generate(folder: Path, *effects: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    declarations = folder / "effects"
    declarations.mkdir()
    for effect in effects:
        is_table = effect["input"] == "table"
        content = json.dumps([effect] if is_table else effect)
        (declarations / f"{effect['identifier']}.json").write_text(content)
    command = [sys.executable, str(GENERATOR), "--effects", str(declarations)]
    for kind in ("cxx", "xml", "python", "docs"):
        command += [f"--{kind}", str(folder / kind)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    done = generate(folder, TOUCH, WIPE, JOIN)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def registered(made: Path) -> dict[str, dict[str, Any]]:
    found = json.loads((made / "python" / "effects.json").read_text())
    return {effect["identifier"]: effect for effect in found}


# -- what the generator makes ----------------------------------------------------------------------


def test_parameters_of_another_effect_come_first(registered: dict[str, Any]) -> None:
    names = [p["name"] for p in registered["wipe"]["parameters"]]
    assert names == ["Points", "Axis", "View", "OtherSegmentID", "Title", "SizeMm", "Everywhere"]
    assert "parameters_of" not in registered["wipe"]


def test_how_an_effect_writes_is_always_told(tmp_path: Path) -> None:
    silent = {key: value for key, value in TOUCH.items() if key not in ("writes", "local")}
    assert generate(tmp_path, silent, JOIN).returncode == 0
    touch, join = json.loads((tmp_path / "python" / "effects.json").read_text())
    assert (touch["writes"], touch["local"]) == ("set", False)
    assert not {"writes", "local"} & set(join)


def test_cxx_sets_each_type(made: Path) -> None:
    text = (made / "cxx").read_text()
    for call in (
        "SetPoints(value.Values.data(), static_cast<vtkIdType>(value.Values.size() / 3));",
        "SetAxis(value.Values[0], value.Values[1], value.Values[2]);",
        "SetView(value.Values.data());",
        "SetOtherSegmentID(value.Text.c_str());",
        "SetTitle(value.Text.c_str());",
    ):
        assert text.count(f"filter->{call}") == 2


def test_paraview_has_a_property_for_each_type(made: Path) -> None:
    tree = ElementTree.parse(made / "xml")
    proxy = next(p for p in tree.iter("SourceProxy") if p.get("name") == "LabelMapTouch")
    found = {element.get("name"): element for element in proxy}
    points = found["Points"]
    assert points.tag == "DoubleVectorProperty"
    assert points.get("command") == "AddPoint"
    assert points.get("clean_command") == "RemoveAllPoints"
    assert points.get("repeat_command") == "1"
    assert points.get("number_of_elements_per_command") == "3"
    assert points.get("use_index") == "0"
    assert points.get("default_values") is None
    vector = found["Axis"]
    assert vector.tag == "DoubleVectorProperty"
    assert vector.get("number_of_elements") == "3"
    assert vector.get("default_values") == "0 0 1"
    matrix = found["View"]
    assert matrix.tag == "DoubleVectorProperty"
    assert matrix.get("number_of_elements") == "16"
    assert matrix.get("default_values") == " ".join(str(number) for number in IDENTITY)
    text = found["Title"]
    assert text.tag == "StringVectorProperty"
    assert text.get("default_values") == "none"
    segment = found["OtherSegmentID"]
    assert segment.tag == "StringVectorProperty"
    assert segment.get("command") == "SetOtherSegmentID"
    assert segment.get("default_values") == ""


def test_python_has_an_argument_for_each_type(made: Path) -> None:
    module = ast.parse((made / "python" / "_effects.py").read_text())
    touch = next(n for n in module.body if isinstance(n, ast.FunctionDef) and n.name == "touch")
    keywords = zip(touch.args.kwonlyargs, touch.args.kw_defaults, strict=True)
    found = {
        argument.arg: (ast.unparse(argument.annotation or ast.Constant(None)), default)
        for argument, default in keywords
    }
    assert found["points"] == ("Sequence[Sequence[float]] | NDArray[Any]", None)  # required
    annotation, default = found["axis"]
    assert (annotation, ast.unparse(default)) == ("Sequence[float] | None", "None")
    annotation, default = found["view"]
    assert annotation == "Sequence[Sequence[float]] | NDArray[Any] | None"
    assert ast.unparse(default) == "None"
    annotation, default = found["title"]
    assert (annotation, ast.unparse(default)) == ("str", "'none'")
    annotation, default = found["other_segment_id"]
    assert (annotation, ast.unparse(default)) == ("int | str | None", "None")
    text = " ".join((ast.get_docstring(touch) or "").split())
    assert "points : array_like of shape (n, 3) The points. Columns: z, y, x" in text
    assert "x, y, z = 0, 0, 1 when absent" in text
    assert "view : array_like of shape (4, 4), optional The matrix. Columns: z, y, x and 1" in text
    assert "points=[(8.0, 4.0, 4.0), (8.0, 4.0, 7.0), " in text
    assert "label=2, ... other_segment_id=1, ... spacing=" in text


def test_what_is_returned_depends_on_how_an_effect_writes(made: Path) -> None:
    module = ast.parse((made / "python" / "_effects.py").read_text())
    texts = {
        node.name: " ".join((ast.get_docstring(node) or "").split())
        for node in module.body
        if isinstance(node, ast.FunctionDef)
    }
    assert "voxels added to this segment: they become `label`, all others stay" in texts["touch"]
    assert "In the editor it costs what it touches" in texts["touch"]
    assert "voxels removed: they become 0, all others stay" in texts["wipe"]
    assert "In the editor" not in texts["wipe"]


def test_the_page_has_a_row_for_each_type(made: Path) -> None:
    page = (made / "docs").read_text()
    assert "| `Points` | points | required | x, y, z of each |  | The points. |" in page
    assert "| `Axis` | vector | `[0, 0, 1]` | x, y, z |  | The vector. |" in page
    assert "| `View` | matrix | identity | 16 numbers, row by row |  | The matrix. |" in page
    assert '| `Title` | string | `"none"` |  |  | The string. |' in page
    assert '| `OtherSegmentID` | segment | `""` | a segment\'s ID |  | The segment. |' in page
    assert "| `Segments` | segments | required | IDs, one or more |  | The segments. |" in page
    assert "Adds to the segment. Halo: none." in page
    assert "Removes from the segment. Halo: none." in page
    assert page.count("In the editor it costs what it touches") == 1
    assert "### `masking`" in page
    assert "### `region`" in page


@pytest.mark.parametrize(
    ("change", "culprit"),
    [
        ({"writes": "union"}, "writes must be one of"),
        ({"local": 1}, "local must be true or false"),
        ({"parameters_of": "nothing"}, "parameters_of is 'nothing'"),
        ({"parameters_of": "touch"}, "parameters_of is 'touch'"),
        ({"parameters": [parameter("Way", "points", required=True)]}, "points are named Points"),
        ({"parameters": [parameter("Points", "points", default=[[1, 2, 3]])]}, "or none are"),
        ({"parameters": [parameter("A", "vector", default=[1, 2])]}, "three numbers"),
        ({"parameters": [parameter("A", "vector", default=[1, 2, "3"])]}, "three numbers"),
        ({"parameters": [parameter("A", "matrix", default=[1.0] * 16)]}, "must be the identity"),
        ({"parameters": [parameter("A", "string", default=1)]}, "default must be a text"),
        ({"parameters": [parameter("A", "segment", default=1)]}, "default must be a text"),
        ({"parameters": [VECTOR, VECTOR]}, "name is used twice"),
        ({"parameters": [VECTOR | {"required": True}]}, "either a default or required"),
        ({"parameters": [parameter("A", "vector")]}, "either a default or required"),
        ({"parameters": [parameter("A", "enum", required=True)]}, "values are missing"),
        ({"parameters": [parameter("A", "color", default=None)]}, "for table operations only"),
        ({"parameters": [parameter("A", "size", default=[1, 1, 1])]}, "expected one of"),
        ({"input": "table"}, "is not for table operations"),
    ],
    ids=str,
)
def test_a_wrong_declaration_is_named(change: dict[str, Any], culprit: str, tmp_path: Path) -> None:
    done = generate(tmp_path, TOUCH | change)
    assert done.returncode == 1
    assert "touch.json" in done.stderr
    assert culprit in done.stderr


# -- operations ------------------------------------------------------------------------------------


def touch(**parameters: Any) -> dict[str, Any]:
    given = {"Points": [[0.0, 1.0, 2.0]]} | parameters
    return {"effect": "touch", "segment": "s", "parameters": given}


def join(**parameters: Any) -> dict[str, Any]:
    given = {"Segments": ["a", "b"], "Receiver": "c"} | parameters
    return {"effect": "join", "segment": "s", "parameters": given}


def to_all(**more: Any) -> dict[str, Any]:
    operation = touch() | {"ApplyToAllVisibleSegments": True} | more
    return {key: value for key, value in operation.items() if key != "segment" or "segment" in more}


INSIDE_ONE = {"MaskMode": "EditAllowedInsideSingleSegment"}
RANGE = {"SourceVolumeIntensityMaskRange": [-1, 2.5]}
BOX = {"center": [1, 2.5, -3], "size": [10, 20, 30]}
BRUSH = {"points": [[1, 2, 3]], "diameter": 0.5}
GOOD = [
    touch(),
    touch(Points=[[0, 1, 2], [3.5, 4, -5e9]], Axis=[0.5, 0, -1], OtherSegmentID="t"),
    touch(OtherSegmentID=""),
    touch(View=[*range(15), -0.5], Title="a text"),
    join(),
    touch() | {"masking": {}},
    touch() | {"masking": {"MaskMode": "EditAllowedOutsideVisibleSegments"}},
    touch() | {"masking": INSIDE_ONE | {"MaskSegmentID": "t"}},
    touch() | {"masking": {"MaskSegmentID": "", "OverwriteMode": "OverwriteNone"}},
    touch() | {"masking": RANGE | {"SourceVolumeIntensityMask": True}},
    touch() | {"masking": {"SourceVolumeIntensityMask": False}, "region": BOX},
    touch() | {"region": {"growth": 0.1}},
    touch() | {"region": {"growth": 0}},
    touch() | {"region": BRUSH},
    to_all() | {"region": BRUSH | {"points": [[0, 1.5, -2], [3, 4, 5]], "diameter": 7}},
    touch() | {"ApplyToAllVisibleSegments": False},
    to_all(),
    to_all() | {"masking": INSIDE_ONE | {"MaskSegmentID": "t"}, "region": BOX},
]
WRONG = [
    (touch(Points=[]), ValueError, r"Points is empty; expected a list of points"),
    (touch(Points=[1, 2, 3]), TypeError, r"Points\[0\] is 1; .* x, y, z in mm"),
    (touch(Points=[[1, 2, 3], [1, 2]]), ValueError, r"Points\[1\] is \[1, 2\]"),
    (touch(Points=[[1, 2, True]]), TypeError, r"Points\[0\]"),
    (touch(Points="here"), TypeError, "Points is 'here'"),
    (touch(Points=None), TypeError, "Points is None"),
    (touch(Axis=[1, 2]), ValueError, r"Axis is \[1, 2\]; expected three finite numbers"),
    (touch(Axis=[1, 2, "3"]), TypeError, "Axis is"),
    (touch(Axis=None), TypeError, "Axis is None"),
    (touch(View=[1.0] * 15), ValueError, r"View is \[.*; expected 4 rows of 4 finite numbers"),
    (touch(View=[[1.0, 0.0], [0.0, 1.0]]), ValueError, "View is"),
    (touch(View=[[1.0] * 4] * 3 + [[1.0] * 3]), ValueError, "View is"),
    (touch(View=["1"] * 16), TypeError, "View is"),
    (touch(View=1.0), TypeError, "View is 1.0"),
    (touch(View=None), TypeError, "View is None"),
    (touch(Title=3), TypeError, "Title is 3"),
    (touch(OtherSegmentID=3), TypeError, "OtherSegmentID is 3"),
    (touch(OtherSegmentID=None), TypeError, "OtherSegmentID is None"),
    ({"effect": "touch", "segment": "s"}, ValueError, "Points is missing in parameters"),
    (join(Segments=[]), ValueError, "Segments is .* at least one and none twice"),
    (join(Segments=["a", "a"]), ValueError, "Segments is"),
    (join(Segments=["a", ""]), ValueError, "Segments is"),
    (join(Segments="a"), TypeError, "Segments is 'a'"),
    (join(Segments=["a", 1]), TypeError, "Segments is"),
    (join(Receiver=""), ValueError, "Receiver is ''"),
    (join() | {"masking": {}}, ValueError, "masking is given, but this operation has none"),
    (join() | {"region": BOX}, ValueError, "region is given, but this operation has none"),
    (touch() | {"masking": []}, TypeError, "masking is list; expected an object"),
    (touch() | {"masking": {"Mode": 1}}, ValueError, "masking has no 'Mode'.*MaskMode"),
    (touch() | {"masking": {"MaskMode": "Everywhere"}}, ValueError, "MaskMode is 'Everywhere'"),
    (touch() | {"masking": INSIDE_ONE}, ValueError, "it needs MaskSegmentID"),
    (touch() | {"masking": INSIDE_ONE | {"MaskSegmentID": ""}}, ValueError, "needs MaskSegmentID"),
    (
        touch() | {"masking": {"SourceVolumeIntensityMask": True}},
        ValueError,
        "SourceVolumeIntensityMask is True; it needs SourceVolumeIntensityMaskRange",
    ),
    (
        touch() | {"masking": {"SourceVolumeIntensityMaskRange": [1, 2, 3]}},
        ValueError,
        "expected two finite numbers",
    ),
    (touch() | {"masking": {"OverwriteMode": None}}, TypeError, "OverwriteMode is None"),
    (touch() | {"region": None}, TypeError, "region is NoneType"),
    (touch() | {"region": {"center": [0, 0, 0]}}, ValueError, "size is missing in region"),
    (touch() | {"region": BOX | {"size": [1, 0, 1]}}, ValueError, "three numbers above 0"),
    (touch() | {"region": BOX | {"center": [1, 1]}}, ValueError, "three finite numbers"),
    (touch() | {"region": BOX | {"centre": [0, 0, 0]}}, ValueError, "did you mean 'center'"),
    (touch() | {"mask": {}}, ValueError, "did you mean 'masking'"),
    (touch() | {"region": {}}, ValueError, r"region has \[\]; expected center and size, or growth"),
    (touch() | {"region": BOX | {"growth": 1}}, ValueError, "expected center and size, or growth"),
    (touch() | {"region": {"growth": 1, "size": [1, 1, 1]}}, ValueError, "expected center and"),
    (
        touch() | {"region": {"growth": -0.1}},
        ValueError,
        "growth is -0.1; expected a number",
    ),
    (touch() | {"region": {"growth": 101}}, ValueError, "growth is 101"),
    (touch() | {"region": BRUSH | BOX}, ValueError, "or growth, or points and diameter"),
    (touch() | {"region": {"points": [[1, 2, 3]]}}, ValueError, "diameter is missing in region"),
    (touch() | {"region": {"diameter": 2}}, ValueError, "points is missing in region"),
    (touch() | {"region": BRUSH | {"points": []}}, ValueError, "points is empty"),
    (touch() | {"region": BRUSH | {"points": [[1, 2]]}}, ValueError, r"points\[0\] is \[1, 2\]"),
    (touch() | {"region": BRUSH | {"diameter": 0}}, ValueError, "diameter is 0; expected a number"),
    (touch() | {"region": BRUSH | {"diameter": "2"}}, TypeError, "diameter is '2'"),
    (touch() | {"region": {"growth": "0.1"}}, TypeError, "growth is '0.1'"),
    (touch() | {"region": {"growth": True}}, TypeError, "growth is True"),
    (to_all(segment="s"), ValueError, "applied to all visible segments; leave it out"),
    (to_all(segment=""), ValueError, "applied to all visible segments; leave it out"),
    (to_all(ApplyToAllVisibleSegments=1), TypeError, "ApplyToAllVisibleSegments is 1"),
    (to_all(ApplyToAllVisibleSegments=None), TypeError, "ApplyToAllVisibleSegments is None"),
    (to_all(ApplyToAllVisibleSegments=False), ValueError, "'segment' is missing"),
    (join() | {"ApplyToAllVisibleSegments": False}, ValueError, "for effects on one segment"),
]


@pytest.fixture
def validate(registered: dict[str, Any], made: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """validate_operation for the made-up effects."""
    settings = json.loads((made / "python" / "operation_settings.json").read_text())
    monkeypatch.setattr(_registry, "effects", lambda: registered)
    monkeypatch.setattr(_registry, "operation_settings", lambda: settings)
    return operations.validate_operation


@pytest.fixture(scope="module")
def schema(made: Path) -> Draft202012Validator:
    content = json.loads((made / "python" / "operation.schema.json").read_text())
    Draft202012Validator.check_schema(content)
    return Draft202012Validator(content)


@pytest.mark.parametrize("operation", GOOD, ids=str)
def test_good_operations(operation: Any, validate: Any, schema: Any) -> None:
    checked = validate(operation)
    assert checked == operation
    assert json.loads(json.dumps(checked)) == operation
    assert schema.is_valid(operation)


@pytest.mark.parametrize(("operation", "error", "culprit"), WRONG, ids=str)
def test_wrong_operations(
    operation: Any, error: type[Exception], culprit: str, validate: Any, schema: Any
) -> None:
    with pytest.raises(error, match=culprit):
        validate(operation)
    assert not schema.is_valid(operation)


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), -float("inf"), 10**400])
def test_numbers_must_be_finite(wrong: Any, validate: Any) -> None:
    for operation in (
        touch(Points=[[0, wrong, 0]]),
        touch(Axis=[0, 0, wrong]),
        touch(View=[*range(15), wrong]),
        touch() | {"region": BOX | {"center": [wrong, 0, 0]}},
        touch() | {"region": BOX | {"size": [wrong, 1, 1]}},
        touch() | {"region": BRUSH | {"points": [[0, wrong, 0]]}},
        touch() | {"region": BRUSH | {"diameter": wrong}},
        touch() | {"masking": {"SourceVolumeIntensityMaskRange": [0, wrong]}},
    ):
        with pytest.raises(ValueError, match="expected"):
            validate(operation)


def test_arrays_become_lists(validate: Any) -> None:
    operation = touch(Points=np.arange(6).reshape(2, 3), Axis=np.array([0, 1, 0], np.float32))
    parameters = validate(operation)["parameters"]
    assert parameters["Points"] == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    assert parameters["Axis"] == [0.0, 1.0, 0.0]
    assert json.dumps(parameters)
    # A matrix is one list, row by row.
    rows = np.arange(16.0).reshape(4, 4)
    for view in (rows, rows.tolist(), rows.ravel()):
        assert validate(touch(View=view))["parameters"]["View"] == rows.ravel().tolist()


# -- functions -------------------------------------------------------------------------------------


def test_points_and_vectors_follow_the_axes_of_an_array() -> None:
    rows = np.arange(16.0).reshape(4, 4)
    given = {"Points": [(1, 2, 3)], "Axis": (4, 5, 6), "View": rows, "OtherSegmentID": 7}
    given |= {"Title": "a", "SizeMm": 2}
    same = {"OtherSegmentID": "7", "Title": "a", "SizeMm": 2.0}
    checked = check_parameters(TOUCH, given, axes=3)
    assert checked.pop("View") == rows[:, [2, 1, 0, 3]].ravel().tolist()
    assert checked == {"Points": [[3.0, 2.0, 1.0]], "Axis": [6.0, 5.0, 4.0], **same}
    checked = check_parameters(TOUCH, given, axes=0)
    assert checked.pop("View") == rows.ravel().tolist()
    assert checked == {"Points": [[1.0, 2.0, 3.0]], "Axis": [4.0, 5.0, 6.0], **same}
    # A slice has the axes y, x and lies at z = 0; directions have three axes all the same.
    checked = check_parameters(TOUCH, given | {"Points": np.array([[2, 3], [5, 6]])}, axes=2)
    assert checked["Points"] == [[3.0, 2.0, 0.0], [6.0, 5.0, 0.0]]
    assert checked["Axis"] == [6.0, 5.0, 4.0]


def test_absent_arguments_are_left_to_the_filter() -> None:
    given = {"Points": [(1, 2, 3)], "Axis": None, "View": None, "OtherSegmentID": None}
    given |= {"SizeMm": 1.0}
    assert set(check_parameters(TOUCH, given, axes=3)) == {"Points", "SizeMm"}


@pytest.mark.parametrize(
    ("axes", "order"), [(0, "x, y, z in mm"), (3, "z, y, x in mm"), (2, "y, x in mm")]
)
def test_wrong_points_tell_the_order(axes: int, order: str) -> None:
    with pytest.raises(ValueError, match=rf"touch\(\): points\[1\] is .*: {order}"):
        check_parameters(TOUCH, {"Points": [[1.0] * (axes or 3), [1.0] * 4]}, axes)


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ("bone", ValueError),
        ("", ValueError),
        ("0", ValueError),
        ("-1", ValueError),
        (0, ValueError),
        (2**63, ValueError),
        (1.0, TypeError),
        (True, TypeError),
        ([1], TypeError),
    ],
)
def test_other_segments_are_labels_in_functions(value: Any, error: type[Exception]) -> None:
    assert check_parameters(TOUCH, {"OtherSegmentID": "300"}) == {"OtherSegmentID": "300"}
    assert check_parameters(TOUCH, {"OtherSegmentID": np.uint8(3)}) == {"OtherSegmentID": "3"}
    with pytest.raises(error, match=r"touch\(\): other_segment_id is"):
        check_parameters(TOUCH, {"OtherSegmentID": value})


def test_a_long_list_is_not_in_the_message() -> None:
    with pytest.raises(TypeError) as caught:
        check_parameters(TOUCH, {"Points": [[0.0, 0.0, 0.0]] * 1000 + [["x" * 1000]]})
    assert "points[1000]" in str(caught.value)
    assert len(str(caught.value)) < 200


# -- command line and panel ------------------------------------------------------------------------


def test_settings_of_the_command_line(tmp_path: Path) -> None:
    file = tmp_path / "points.json"
    file.write_text("[[1, 2, 3], [4, 5, 6]]")
    for text, expected in (
        ("Points=[[1, 2, 3]]", ("Points", [[1, 2, 3]])),
        ("points=[[1, 2, 3]]", ("Points", [[1, 2, 3]])),
        (f"Points=@{file}", ("Points", [[1, 2, 3], [4, 5, 6]])),
        ("axis=[0, 0.5, 1]", ("Axis", [0, 0.5, 1])),
        ("OtherSegmentID=7", ("OtherSegmentID", "7")),
        ("Points=here", ("Points", "here")),
    ):
        assert parse_setting(text, TOUCH) == expected
    assert parse_setting('Segments=["a", "b"]', JOIN) == ("Segments", ["a", "b"])
    file.write_text("[[1, 2")
    with pytest.raises(UsageError, match=r"points\.json is not valid JSON"):
        parse_setting(f"Points=@{file}", TOUCH)
    with pytest.raises(OSError, match=r"none\.json"):
        parse_setting(f"Points=@{tmp_path / 'none.json'}", TOUCH)


def test_the_panel_leaves_out_what_no_row_can_ask_for(monkeypatch: pytest.MonkeyPatch) -> None:
    touch = TOUCH | {"volume": False}
    plain = touch | {"identifier": "plain", "parameters": [SIZE]}
    both = plain | {"identifier": "both", "volume": True}
    optional = parameter("Points", "points", default=[])
    some = plain | {"identifier": "some", "parameters": [SIZE, optional]}
    everyone = parameter("EraseAllSegments", "bool", default=False)
    wipe = plain | {"identifier": "wipe", "parameters": [POINTS_PARAMETER, VECTOR, everyone]}
    grow = both | {"identifier": "grow", "input": "segments", "writes": "set"}
    trace = plain | {"identifier": "trace", "input": "volume", "parameters": [TEXT]}
    split = trace | {"identifier": "split", "makes_parts": True}
    other = plain | {"identifier": "other", "parameters": [SEGMENT]}
    tint = plain | {"identifier": "tint", "parameters": [parameter("Color", "color")]}
    effects = {
        effect["identifier"]: effect
        for effect in (touch, plain, some, both, wipe, grow, trace, split, other, tint)
    }
    monkeypatch.setattr(panel, "voxel_effects", lambda: effects)
    found = {effect.identifier: effect for effect in panel.effect_panels()}
    assert {name: [row.name for row in effect.rows] for name, effect in found.items()} == {
        "touch": [p["name"] for p in TOUCH["parameters"]],
        "plain": ["SizeMm"],
        "some": ["SizeMm", "Points"],
        "both": ["SizeMm"],
        "wipe": ["Points", "Axis", "EraseAllSegments"],
        "grow": ["SizeMm"],
        "trace": ["Title"],
        "split": ["Title"],
        "other": [SEGMENT["name"]],
    }
    assert {name for name, effect in found.items() if effect.other is not None} == {
        "touch", "other",
    }  # fmt: skip
    assert found["wipe"].mode_of({"EraseAllSegments": False}) == "Set"
    assert found["wipe"].mode_of({"EraseAllSegments": True}) == "RemoveAll"
    assert [name for name, effect in found.items() if effect.needs_volume] == [
        "both", "grow", "trace", "split",
    ]  # fmt: skip
    assert [name for name, effect in found.items() if effect.can_apply_to_each] == [
        "plain", "some", "both", "wipe",
    ]  # fmt: skip
    assert [name for name, effect in found.items() if effect.can_keep_near] == ["grow"]
    # Of a label map comes the whole segment; of a volume what joins it.
    assert {found["plain"].mode, found["wipe"].mode, found["grow"].mode} == {"Set"}
    assert found["trace"].mode == "Add"
    with pytest.raises(ValueError, match="Points is empty; Touch needs a markups node with points"):
        panel.check_values(found["wipe"], {"Points": [], "Axis": [0, 0, 1]})
    panel.check_values(found["some"], {"SizeMm": 0.0, "Points": []})


def test_numbers_of_the_panel() -> None:
    assert panel.parse_numbers(" 1, 2.5 -3e2", "Axis") == [1.0, 2.5, -300.0]
    assert panel.parse_numbers("", "Thresholds") == []
    with pytest.raises(ValueError, match="Axis is '1, x'; expected numbers"):
        panel.parse_numbers("1, x", "Axis")


def test_the_panels_extents_are_those_of_a_region() -> None:
    outer = (0, 99, -50, 49, 10, 30)
    assert panel.grown_extent((40, 60, 0, 0, 12, 20), outer, 0.1) == (37, 63, -3, 3, 10, 23)
    assert panel.grown_extent((10, 70, -40, 9, 10, 30), outer, 0.1) == (4, 76, -44, 13, 10, 30)


def test_the_panel_runs_effects_where_images_lie() -> None:
    # Points are world coordinates, also of an image that lies obliquely.
    found = {effect.identifier: effect for effect in panel.effect_panels()}
    shape, spacing = (6, 7, 8), (3.0, 1.0, 2.0)
    image = to_image(np.zeros(shape, np.uint8), spacing=spacing, origin=(5.0, -4.0, 1.0))
    image.SetDirectionMatrix([0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0])
    place = [0.0] * 3
    image.TransformIndexToPhysicalPoint(6, 2, 4, place)
    panel.run(found["paint"], image, {"Points": [place], "BrushPixelMode": True}, image)
    assert np.argwhere(to_array(image)).tolist() == [[4, 2, 6]]
    elsewhere = to_image(np.zeros(shape), spacing=spacing, origin=(5.0, -4.0, 1.1))
    with pytest.raises(ValueError, match=r"source volume lies elsewhere .* \(by .* mm"):
        panel.run(found["fast_marching"], image, {}, image, elsewhere)
    small = to_image(np.zeros((5, 7, 8)))
    with pytest.raises(ValueError, match=r"source volume has the extent .* resample"):
        panel.run(found["threshold"], small, {}, image)
    with pytest.raises(ValueError, match="there is no source volume"):
        panel.run(found["fast_marching"], image, {}, image)


def test_the_panel_combines_segments_that_overlap() -> None:
    found = {effect.identifier: effect for effect in panel.effect_panels()}
    first, second = random_mask((6, 7, 8), 1), random_mask((6, 7, 8), 2)
    assert (first & second).any()
    source, other, modifier = (
        to_image(mask.astype(np.uint8), spacing=(3.0, 1.0, 2.0), origin=(5.0, -4.0, 1.0))
        for mask in (first, second, np.zeros_like(first))
    )
    for operation, expected in (
        ("COPY", second),
        ("UNION", first | second),
        ("SUBTRACT", first & ~second),
        ("INTERSECT", first & second),
        ("XOR", first ^ second),
    ):
        values = {"Operation": operation, "ModifierSegmentID": "other", "BypassMasking": True}
        panel.run(found["logical"], source, values, modifier, None, other)
        assert_same(to_array(modifier), expected.astype(np.uint8), operation)
    assert_same(to_array(source), first.astype(np.uint8))
    assert source.GetPointData().GetNumberOfArrays() == 1
    assert source.GetFieldData().GetNumberOfArrays() == 0
    with pytest.raises(SegmentationCoreError, match="ModifierSegmentID"):
        panel.run(found["logical"], source, values | {"ModifierSegmentID": ""}, modifier)
    with pytest.raises(ValueError, match="other segment has the extent"):
        panel.run(found["logical"], source, values, modifier, None, to_image(np.zeros((2, 2, 2))))


def test_the_panel_takes_from_all_segments() -> None:
    found = {effect.identifier: effect for effect in panel.effect_panels()}
    image = to_image(np.zeros((6, 7, 8), np.uint8), spacing=(3.0, 1.0, 2.0))
    values = {"Points": [[4.0, 2.0, 6.0]], "BrushPixelMode": True, "EraseAllSegments": True}
    panel.run(found["erase"], image, values, image)
    assert np.argwhere(to_array(image)).tolist() == [[2, 2, 2]]


# -- the samples of the other tests ----------------------------------------------------------------


def matrix_of(numbers: Any) -> np.ndarray:
    return np.array(numbers).reshape(4, 4)


def test_samples_fit_the_image() -> None:
    array = np.zeros((11, 13, 16), np.uint8)
    spacing = (2.0, 1.0, 0.5)
    given = arguments(TOUCH, {}, array, spacing)
    assert set(given) == {"Points", "View", "OtherSegmentID"}
    assert given["OtherSegmentID"] == OTHER_LABEL
    np.testing.assert_allclose(given["Points"][0], [2.4, 2.3, 1.05])
    image = to_image(array, spacing=spacing, origin=(100.0, 0.0, 0.0))
    given = arguments(TOUCH, {"Axis": (0.0, 0.6, 0.8)}, image)
    np.testing.assert_allclose(given["Points"][0], [1.05, 2.3, 102.4])
    assert given["Axis"] == [0.8, 0.6, 0.0]
    assert arguments(TOUCH, {}, image)["Axis"] == [0.0, 0.0, 1.0]
    # What is seen of the points is the way from the first voxel to the last, x and y.
    seen = matrix_of(arguments(TOUCH, {}, image)["View"]) @ [*given["Points"][0], 1.0]
    np.testing.assert_allclose(seen, [POINTS[0][2], POINTS[0][1], POINTS[0][0], 1.0])
    view = np.array(CAMERA)
    seen = matrix_of(arguments(TOUCH, {"View": view}, image)["View"]) @ [*given["Points"][0], 1.0]
    np.testing.assert_allclose(seen, view @ [*POINTS[0], 1.0])
    zyx = arguments(TOUCH, {"View": view}, array, spacing)
    np.testing.assert_allclose(matrix_of(zyx["View"]) @ [*zyx["Points"][0], 1.0], seen)
    flat = arguments(TOUCH, {}, array[5], spacing[1:])
    np.testing.assert_allclose(flat["Points"][0], [2.3, 1.05])


def test_samples_move_with_the_image() -> None:
    array = np.zeros((11, 13, 16), np.uint8)
    order = (2, 0, 1)
    case = turned(TOUCH, {}, order)
    given = arguments(TOUCH, case, np.transpose(array, order))
    expected = np.array(arguments(TOUCH, {}, array)["Points"])[:, order]
    np.testing.assert_allclose(given["Points"], expected)
    assert list(given["Axis"]) == [0.0, 1.0, 0.0]
    given = arguments(TOUCH, mirrored(TOUCH, {}, (0, 2)), array)
    assert list(given["Axis"]) == [-1.0, 0.0, 0.0]
    expected = [1 - POINTS[0][0], POINTS[0][1], 1 - POINTS[0][2]]
    np.testing.assert_allclose(given["Points"][0], np.multiply(expected, (10, 12, 15)))
    # And the image is seen as before.
    view = np.array(CAMERA)
    seen = view @ [*POINTS[0], 1.0]
    case = mirrored(TOUCH, {"View": view}, (0, 2))
    np.testing.assert_allclose(case["View"] @ [*case["Points"][0], 1.0], seen)
    case = turned(TOUCH, {"View": view}, order)
    np.testing.assert_allclose(case["View"] @ [*case["Points"][0], 1.0], seen)
    assert renumbered(TOUCH, {}, [0, 250, 3, 77])["OtherSegmentID"] == 3
