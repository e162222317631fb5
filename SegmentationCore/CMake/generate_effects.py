#!/usr/bin/env python3
"""Turn the effect declarations (Effects/*.json) into the files of every product.

One declaration feeds the C++ table of the editor, the ParaView proxies, the Python functions with
their stubs, the operation schema and the reference page, so that none of them can drift.

    generate_effects.py --effects DIR --cxx FILE
    generate_effects.py --effects DIR --xml FILE
    generate_effects.py --effects DIR --python DIR
    generate_effects.py --effects DIR --docs FILE
    generate_effects.py --effects DIR --list         (identifiers and classes, for CMake)

Only the standard library is used; a wrong declaration stops the build with the file's name, the
key, what was found and what is accepted.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

FILTER_TYPES = (
    "double", "int", "int64", "bool", "enum", "choice", "points", "vector", "matrix", "segment",
    "string", "numbers",
)  # fmt: skip
# Effects have only the types above; table operations have all.
PARAMETER_TYPES = (*FILTER_TYPES, "color", "segments", "voxels")
# volume, segment: write one segment; segments: all visible ones at once, and name none. The last two
# may read a volume as well ("volume": true).
INPUTS = ("volume", "segment", "segments", "table")
# What comes out instead of segments; such a query changes nothing, and is no operation of the editor.
OUTPUTS = {"table": "Gives a table", "volume": "Gives a volume"}
# How the result is written to the segment.
WRITES = {
    "set": "Replaces the segment",
    "add": "Adds to the segment",
    "remove": "Removes from the segment",
    "edit": "Adds to the segment or removes from it",
}
FILTER_KEYS = {"class", "halo", "scratch_bytes_per_voxel", "exact_in_parallel", "references"}
EFFECT_KEYS = FILTER_KEYS | {
    "identifier", "title", "summary", "input", "volume", "writes", "local", "parameters",
    "parameters_of", "makes_parts", "output", "columns", "crops", "incremental",
    "scratch_also",
}  # fmt: skip
PARAMETER_KEYS = {
    "name", "type", "default", "required", "range", "values", "unit", "sentence",
    "data_default", "unbounded",
}  # fmt: skip

# Every segment effect has this parameter; it says which voxels of a label map are the segment.
SEGMENT_LABEL = {
    "name": "SegmentLabel",
    "type": "int64",
    "default": 1,
    "range": [1, 9223372036854775807],
    "unit": "",
    "sentence": "Voxel value of the segment in the label map.",
}

# Of effects that are declared "incremental": how an update is computed, not what comes out. In the
# editor it is always on, and a function has nothing that was before.
INCREMENTAL = {
    "name": "Incremental",
    "type": "bool",
    "default": False,
    "unit": "",
    "sentence": "Whether to remember (4 bytes per voxel) what makes the next execution cost only what changed seeds change. The result is the same.",
}

# What an operation of any effect may say besides the effect's parameters. The names of the masking
# settings are Slicer's. Two types are found only here: interval (two numbers), and size (three
# numbers above 0). `needs`: a parameter, a value of it, and the parameter that must then be given.
# `one_of`: groups of parameters, one of which must be given as a whole, and no other.
OPERATION_SETTINGS: dict[str, dict[str, Any]] = {
    "masking": {
        "sentence": "Which voxels the operation may change, and which segments give way to it.",
        "needs": [
            ["MaskMode", "EditAllowedInsideSingleSegment", "MaskSegmentID"],
            ["SourceVolumeIntensityMask", True, "SourceVolumeIntensityMaskRange"],
        ],
        "parameters": [
            {
                "name": "MaskMode",
                "type": "enum",
                "default": "EditAllowedEverywhere",
                "values": [
                    "EditAllowedEverywhere",
                    "EditAllowedInsideAllSegments",
                    "EditAllowedInsideVisibleSegments",
                    "EditAllowedOutsideAllSegments",
                    "EditAllowedOutsideVisibleSegments",
                    "EditAllowedInsideSingleSegment",
                ],
                "unit": "",
                "sentence": "Which voxels may change: all, or those inside or outside of segments.",
            },
            {
                "name": "MaskSegmentID",
                "type": "segment",
                "default": "",
                "unit": "",
                "sentence": "The segment of EditAllowedInsideSingleSegment.",
            },
            {
                "name": "SourceVolumeIntensityMask",
                "type": "bool",
                "default": False,
                "unit": "",
                "sentence": "Whether only voxels with an intensity in SourceVolumeIntensityMaskRange may change.",
            },
            {
                "name": "SourceVolumeIntensityMaskRange",
                "type": "interval",
                "default": [0.0, 0.0],
                "unit": "intensity",
                "sentence": "Lowest and highest intensity, both inclusive.",
            },
            {
                "name": "OverwriteMode",
                "type": "enum",
                "default": "OverwriteAllSegments",
                "values": ["OverwriteAllSegments", "OverwriteVisibleSegments", "OverwriteNone"],
                "unit": "",
                "sentence": "Which other segments lose the voxels that this one gets.",
            },
        ],
    },
    "region": {
        "sentence": "A box: the effect sees and changes only what is in it. Or a brush: the effect sees everything and changes only what is under it. Give either center and size, or growth, or points and diameter.",
        "needs": [],
        "one_of": [["center", "size"], ["growth"], ["points", "diameter"]],
        "parameters": [
            {
                "name": "center",
                "type": "vector",
                "unit": "mm",
                "sentence": "Its centre in world coordinates.",
            },
            {
                "name": "size",
                "type": "size",
                "unit": "mm",
                "sentence": "Its edges along the first, second and third axis of the image.",
            },
            {
                "name": "growth",
                "type": "double",
                "range": [0.0, 100.0],
                "unit": "",
                "sentence": "Instead: the box around all visible segments, grown on each side by this part of its size and at least 3 voxels (Slicer: 0.1).",
            },
            {
                "name": "points",
                "type": "points",
                "unit": "mm",
                "sentence": "Instead: the way of a round brush, which is swept along the line from point to point.",
            },
            {
                "name": "diameter",
                "type": "double",
                "range": [1e-06, 1000000.0],
                "unit": "mm",
                "sentence": "Diameter of the brush.",
            },
        ],
    },
}


# The key of an operation that takes the place of the segment. The name is Slicer's.
TO_ALL_VISIBLE = "ApplyToAllVisibleSegments"
TO_ALL_VISIBLE_SENTENCE = (
    "Instead of a segment: the effect is applied to each visible segment, in the order of the table. "
    "Each sees what became of those before; it is one operation, and one step to undo."
)


class DeclarationError(Exception):
    """A declaration that cannot be used; the text names the culprit."""


def _require(condition: bool, where: str, text: str) -> None:
    if not condition:
        raise DeclarationError(f"{where}: {text}")


def check_parameter(parameter: dict[str, Any], where: str) -> None:
    """Check one parameter of a declaration."""
    name = parameter.get("name", "?")
    where = f"{where}, parameter {name}"
    unknown = set(parameter) - PARAMETER_KEYS
    _require(not unknown, where, f"unknown keys {sorted(unknown)}")
    _require(bool(re.fullmatch(r"[A-Z][A-Za-z0-9]*", name)), where, "name must be PascalCase")
    kind = parameter.get("type")
    _require(kind in PARAMETER_TYPES, where, f"type is {kind!r}, expected one of {PARAMETER_TYPES}")
    for key in ("unit", "sentence"):
        _require(isinstance(parameter.get(key), str), where, f"{key} is missing")
    _require(parameter["sentence"].endswith("."), where, "sentence must end with a full stop")
    required = parameter.get("required", False)
    _require(isinstance(required, bool), where, "required must be true or false")
    # Of both, the default would never be used.
    _require(required != ("default" in parameter), where, "give either a default or required")
    default = parameter.get("default")
    if kind in ("double", "int", "int64"):
        bounds = parameter.get("range")
        _require(isinstance(bounds, list) and len(bounds) == 2, where, "range must be [low, high]")
        _require(required or bounds[0] <= default <= bounds[1], where, "default is out of range")
    if kind in ("enum", "choice"):
        values = parameter.get("values", ())
        _require(bool(values), where, "values are missing")
        _require(required or default in values, where, "default not in values")
    if kind in ("string", "segment"):
        _require(required or isinstance(default, str), where, "default must be a text")
    if kind == "vector":
        good = isinstance(default, list) and [*map(type, default)] in ([int] * 3, [float] * 3)
        _require(required or good, where, "default must be three numbers of one type")
    if kind == "matrix":
        identity = [float(i % 5 == 0) for i in range(16)]
        _require(required or default == identity, where, "default must be the identity")
    if kind == "points":
        _require(name == "Points", where, "points are named Points")
        _require(required or default == [], where, "points are required, or none are the default")
    if kind == "numbers":
        _require(name.endswith("s"), where, "numbers have a name in the plural")
        _require(required or default == [], where, "the default of numbers must be []")
    if kind in ("segments", "voxels"):
        _require(required, where, f"{kind} must be required")


def is_query(effect: dict[str, Any]) -> bool:
    """Whether it gives something else than segments."""
    return "output" in effect


def check_effect(effect: dict[str, Any], where: str) -> None:
    """Check one declaration, and add what it leaves out: how it writes, and that it is not local."""
    unknown = set(effect) - EFFECT_KEYS
    _require(not unknown, where, f"unknown keys {sorted(unknown)}")
    for key in ("identifier", "title", "summary", "input", "parameters"):
        _require(key in effect, where, f"{key} is missing")
    _require(effect["input"] in INPUTS, where, f"input must be one of {INPUTS}")
    for parameter in effect["parameters"]:
        check_parameter(parameter, where)
    if effect["input"] == "table":
        for key in (*FILTER_KEYS, "writes", "local", "volume", "incremental", "scratch_also"):
            _require(key not in effect, where, f"{key} is not for table operations")
        return
    for key in sorted(FILTER_KEYS):
        _require(key in effect, where, f"{key} is missing")
    _require(effect["class"].startswith("vtkLabelMap"), where, "class must start with vtkLabelMap")
    for parameter in effect["parameters"]:
        _require(
            parameter["type"] in FILTER_TYPES,
            f"{where}, parameter {parameter['name']}",
            f"type {parameter['type']} is for table operations only",
        )
    if is_query(effect):
        _require(effect["output"] in OUTPUTS, where, f"output must be one of {(*OUTPUTS,)}")
        _require(
            effect["input"] != "volume"
            or (effect["output"] == "table" and not effect.get("volume")),
            where,
            "a query on a volume gives a table, and reads no other volume",
        )
        for column in effect.get("columns", ()):
            good = set(column) == {"name", "sentence"} and column["sentence"].endswith(".")
            _require(good, where, f"a column has a name and a sentence, found {column!r}")
        _require(
            (effect["output"] == "table") == ("columns" in effect), where, "tables have columns"
        )
        effect.setdefault("crops", False)
        _require(
            effect["crops"] is False or (effect["crops"] is True and effect["output"] == "volume"),
            where,
            "crops says that the volume that is the output is only a part, true or false",
        )
        effect.setdefault("volume", False)
        good = effect["volume"] in (True, False, "optional")
        _require(good, where, 'volume must be true, false or "optional"')
        for key in ("writes", "local"):
            _require(key not in effect, where, f"{key} is not for queries")
        return
    _require("crops" not in effect, where, "crops is for queries")
    effect.setdefault("writes", "set")
    _require(effect["writes"] in WRITES, where, f"writes must be one of {(*WRITES,)}")
    if effect["input"] == "segments":
        _require(
            effect["writes"] == "set" and not effect.get("local"),
            where,
            "effects on all segments replace them, and are not local",
        )
    for key in ("local", "volume", "makes_parts"):
        effect.setdefault(key, False)
        _require(isinstance(effect[key], bool), where, f"{key} must be true or false")
    _require(
        not effect["volume"] or (effect["input"] != "volume" and not effect["local"]),
        where,
        "volume says that a label map's effect, and one that is not local, reads a volume as well",
    )


def share_parameters(effects: list[dict[str, Any]]) -> None:
    """Put the parameters of the effect that ``parameters_of`` names before an effect's own."""
    own = {e["identifier"]: e["parameters"] for e in effects if "parameters_of" not in e}
    for effect in effects:
        where = f"{effect['identifier']}.json"
        if "parameters_of" in effect:
            other = effect.pop("parameters_of")
            _require(other in own, where, f"parameters_of is {other!r}, expected one of {[*own]}")
            effect["parameters"] = [*own[other], *effect["parameters"]]
        names = [parameter["name"] for parameter in effect["parameters"]]
        _require(len(set(names)) == len(names), where, "a parameter's name is used twice")


def load_effects(folder: Path) -> list[dict[str, Any]]:
    """Return all declarations, sorted by identifier, table operations last."""
    effects: list[dict[str, Any]] = []
    for path in sorted(folder.glob("*.json")):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except json.JSONDecodeError as error:
            raise DeclarationError(f"{path.name}: not valid JSON: {error}") from error
        for effect in content if isinstance(content, list) else [content]:
            check_effect(effect, path.name)
            if not isinstance(content, list):
                _require(
                    effect["identifier"] == path.stem, path.name, "identifier must be the file name"
                )
            effects.append(effect)
    _require(bool(effects), str(folder), "no declarations found")
    identifiers = [effect["identifier"] for effect in effects]
    _require(len(set(identifiers)) == len(identifiers), str(folder), "an identifier is used twice")
    share_parameters(effects)
    return sorted(effects, key=lambda effect: (effect["input"] == "table", effect["identifier"]))


def snake_case(name: str) -> str:
    """MarginSizeMm -> margin_size_mm."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def voxel_effects(effects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The effects that have a filter class and change segments."""
    return [effect for effect in effects if effect["input"] != "table" and not is_query(effect)]


def queries(effects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What measures segments, or makes volumes of them."""
    return [effect for effect in effects if is_query(effect)]


def operations(effects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the editor does: effects and table operations."""
    return [effect for effect in effects if not is_query(effect)]


# ---------------------------------------------------------------------------------------------
# C++


def make_cxx(effects: list[dict[str, Any]]) -> str:
    """The editor's table: the declarations as text, and how to make and set each filter."""
    lines = ["// Made from Effects/*.json by generate_effects.py; do not edit.", ""]
    for effect in voxel_effects(effects):
        lines.append(f'#include "{effect["class"]}.h"')
    lines += ["", "namespace", "{", 'const char* const EffectDeclarations = R"declarations(']
    lines += [json.dumps(operations(effects), indent=1), ')declarations";', ""]
    lines += ["const EffectMaker EffectMakers[] = {"]
    for effect in voxel_effects(effects):
        cls = effect["class"]
        lines += [
            f'  {{ "{effect["identifier"]}", []() -> vtkLabelMapAlgorithm* {{ return {cls}::New(); }},',
            "    [](vtkLabelMapAlgorithm* algorithm, const std::string& name, const ParameterValue& value)",
            "    {",
            f"      auto* filter = static_cast<{cls}*>(algorithm);",
        ]
        for parameter in effect["parameters"]:
            source = {
                "double": "value.Number",
                "int": "static_cast<int>(value.Integer)",
                "enum": "static_cast<int>(value.Integer)",
                "choice": "static_cast<int>(value.Integer)",
                "int64": "value.Integer",
                "bool": "value.Integer != 0",
                "points": "value.Values.data(), static_cast<vtkIdType>(value.Values.size() / 3)",
                "numbers": "value.Values.data(), static_cast<vtkIdType>(value.Values.size())",
                "vector": "value.Values[0], value.Values[1], value.Values[2]",
                "matrix": "value.Values.data()",
                "segment": "value.Text.c_str()",
                "string": "value.Text.c_str()",
            }[parameter["type"]]
            lines += [
                f'      if (name == "{parameter["name"]}")',
                "      {",
                f"        filter->Set{parameter['name']}({source});",
                "        return true;",
                "      }",
            ]
        lines += ["      return false;", "    } },"]
    lines += ["};", "}", ""]
    return "\n".join(lines)


# ---------------------------------------------------------------------------------------------
# ParaView


def _xml_property(parameter: dict[str, Any], volume: bool = False) -> list[str]:
    """The property of a parameter; `volume`: of an effect that reads one beside the label map."""
    name, kind = parameter["name"], parameter["type"]
    # paraview.simple names a property by its label without the blanks, so the unit stays out of it.
    label = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    text = parameter["sentence"] + (f" Unit: {parameter['unit']}." if parameter["unit"] else "")
    documentation = [f"        <Documentation>{escape(text)}</Documentation>"]
    if kind == "double":
        low, high = parameter["range"]
        head = (
            f'      <DoubleVectorProperty name="{name}" label={quoteattr(label)} '
            f'command="Set{name}" number_of_elements="1" default_values="{parameter["default"]!r}"'
        )
        if "data_default" in parameter:
            source, array = ("Volume", "VolumeArray") if volume else ("Input", "ScalarArray")
            domain = [
                f'        <ArrayRangeDomain name="range" default_mode="{parameter["data_default"]}">',
                "          <RequiredProperties>",
                f'            <Property name="{source}" function="Input"/>',
                f'            <Property name="{array}" function="ArraySelection"/>',
                "          </RequiredProperties>",
                "        </ArrayRangeDomain>",
            ]
        else:
            domain = [f'        <DoubleRangeDomain name="range" min="{low!r}" max="{high!r}"/>']
        return [head + ">", *domain, *documentation, "      </DoubleVectorProperty>"]
    if kind in ("int", "int64", "bool", "enum", "choice"):
        tag = "IdTypeVectorProperty" if kind == "int64" else "IntVectorProperty"
        default = parameter["default"]
        if kind == "enum":
            default = parameter["values"].index(default)
            domain = ['        <EnumerationDomain name="enum">']
            domain += [
                f'          <Entry value="{i}" text={quoteattr(text)}/>'
                for i, text in enumerate(parameter["values"])
            ]
            domain += ["        </EnumerationDomain>"]
        elif kind == "choice":
            domain = ['        <EnumerationDomain name="enum">']
            domain += [f'          <Entry value="{v}" text="{v}"/>' for v in parameter["values"]]
            domain += ["        </EnumerationDomain>"]
        elif kind == "bool":
            default = int(default)
            domain = ['        <BooleanDomain name="bool"/>']
        elif kind == "int64":
            # ParaView has no range domain for 64-bit integers in 5.11; the filter checks it.
            domain = []
        else:
            low, high = parameter["range"]
            domain = [f'        <IntRangeDomain name="range" min="{low}" max="{high}"/>']
        head = (
            f'      <{tag} name="{name}" label={quoteattr(label)} '
            f'command="Set{name}" number_of_elements="1" default_values="{default}">'
        )
        return [head, *domain, *documentation, f"      </{tag}>"]
    if kind in ("vector", "matrix"):
        default = " ".join(f"{value!r}" for value in parameter["default"])
        # The setter of a matrix has no form that takes its numbers one by one.
        array = 'argument_is_array="1" ' if kind == "matrix" else ""
        head = (
            f'      <DoubleVectorProperty name="{name}" label={quoteattr(label)} '
            f'command="Set{name}" number_of_elements="{len(parameter["default"])}" {array}'
            f'default_values="{default}">'
        )
        return [head, *documentation, "      </DoubleVectorProperty>"]
    if kind == "points":
        # A list of any length, three numbers for each call.
        head = (
            f'      <DoubleVectorProperty name="{name}" label={quoteattr(label)} '
            'command="AddPoint" clean_command="RemoveAllPoints" repeat_command="1" use_index="0" '
            'number_of_elements_per_command="3" animateable="0">'
        )
        return [head, *documentation, "      </DoubleVectorProperty>"]
    if kind == "numbers":
        head = (
            f'      <DoubleVectorProperty name="{name}" label={quoteattr(label)} '
            f'command="Add{name[:-1]}" clean_command="RemoveAll{name}" repeat_command="1" '
            'use_index="0" number_of_elements_per_command="1" animateable="0">'
        )
        return [head, *documentation, "      </DoubleVectorProperty>"]
    if kind in ("segment", "string"):
        head = (
            f'      <StringVectorProperty name="{name}" label={quoteattr(label)} command="Set{name}" '
            f'number_of_elements="1" default_values={quoteattr(parameter["default"])}>'
        )
        return [head, *documentation, "      </StringVectorProperty>"]
    raise DeclarationError(f"{name}: type {kind} has no ParaView property")


def _xml_volume(optional: bool = False) -> list[str]:
    """The second input of effects that read a volume beside the label map."""
    return [
        '      <InputProperty name="Volume" command="SetInputConnection" port_index="1">',
        '        <ProxyGroupDomain name="groups"><Group name="sources"/><Group name="filters"/></ProxyGroupDomain>',
        '        <DataTypeDomain name="input_type"><DataType value="vtkImageData"/></DataTypeDomain>',
        '        <InputArrayDomain name="volume_array" attribute_type="point" number_of_components="1"/>',
        "        <Documentation>The volume, on the voxels of the label map.</Documentation>",
        *(["        <Hints><Optional/></Hints>"] if optional else []),
        "      </InputProperty>",
        '      <StringVectorProperty name="VolumeArray" label="Volume Array" command="SetInputArrayToProcess"'
        ' number_of_elements="5" element_types="0 0 0 0 2" default_values="1;1;0;0;"'
        ' default_values_delimiter=";" animateable="0">',
        '        <ArrayListDomain name="array_list" attribute_type="Scalars" input_domain_name="volume_array">',
        '          <RequiredProperties><Property name="Volume" function="Input"/></RequiredProperties>',
        "        </ArrayListDomain>",
        "        <Documentation>The point array of the volume.</Documentation>",
        "      </StringVectorProperty>",
    ]


def make_xml(effects: list[dict[str, Any]]) -> str:
    """The server-manager proxies of all voxel effects."""
    lines = [
        "<!-- Made from Effects/*.json by generate_effects.py; do not edit. -->",
        "<ServerManagerConfiguration>",
        '  <ProxyGroup name="filters">',
    ]
    for effect in [*voxel_effects(effects), *queries(effects)]:
        proxy = effect["class"][len("vtk") :]
        # paraview.simple names a proxy by its label without the blanks: LabelMapMargin.
        title = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", proxy)
        lines += [
            f'    <SourceProxy name="{proxy}" class="{effect["class"]}" label={quoteattr(title)}>',
            f"      <Documentation short_help={quoteattr(effect['summary'])} "
            f"long_help={quoteattr(effect['summary'])}>{escape(effect['summary'])}</Documentation>",
            '      <InputProperty name="Input" command="SetInputConnection">',
            '        <ProxyGroupDomain name="groups"><Group name="sources"/><Group name="filters"/></ProxyGroupDomain>',
            '        <DataTypeDomain name="input_type"><DataType value="vtkImageData"/></DataTypeDomain>',
            '        <InputArrayDomain name="input_array" attribute_type="point" number_of_components="1"/>',
            "        <Documentation>"
            + ("The volume." if effect["input"] == "volume" else "The label map.")
            + "</Documentation>",
            "      </InputProperty>",
            '      <StringVectorProperty name="ScalarArray" label="Array" command="SetInputArrayToProcess"'
            ' number_of_elements="5" element_types="0 0 0 0 2" animateable="0">',
            '        <ArrayListDomain name="array_list" attribute_type="Scalars" input_domain_name="input_array">',
            '          <RequiredProperties><Property name="Input" function="Input"/></RequiredProperties>',
            "        </ArrayListDomain>",
            "        <Documentation>The point array to work on.</Documentation>",
            "      </StringVectorProperty>",
        ]
        if effect.get("volume"):
            lines += _xml_volume(optional=effect["volume"] == "optional")
        labelled = effect["input"] == "segment" or not (
            effect["input"] == "segments" or is_query(effect)
        )
        own = [SEGMENT_LABEL] if labelled else []
        own += [INCREMENTAL] if effect.get("incremental") else []
        for parameter in [*effect["parameters"], *own]:
            lines += _xml_property(parameter, volume=bool(effect.get("volume")))
        lines += [
            '      <StringVectorProperty name="LastError" command="GetLastError" information_only="1">',
            "        <Documentation>Why the last execution failed, on any rank; empty after success.</Documentation>",
            "      </StringVectorProperty>",
            '      <Hints><ShowInMenu category="Segmentation"/></Hints>',
            "    </SourceProxy>",
        ]
    lines += ["  </ProxyGroup>", "</ServerManagerConfiguration>", ""]
    return "\n".join(lines)


# ---------------------------------------------------------------------------------------------
# Operation schema


def _voxels_schema() -> dict[str, Any]:
    """The voxels of a segment with their lattice: runs outside and inside in turn, x fastest."""
    integers = {"type": "array", "items": {"type": "integer"}}
    piece = {
        "type": "object",
        "properties": {
            "extent": integers | {"minItems": 6, "maxItems": 6},
            "runs": {"type": "array", "items": {"type": "integer", "minimum": 0}},
        },
        "required": ["extent", "runs"],
        "additionalProperties": False,
    }
    properties = {
        "origin": _numbers_schema(3),
        "spacing": _numbers_schema(3, exclusiveMinimum=0),
        "direction": _numbers_schema(9),
        "pieces": {"type": "array", "items": piece},
    }
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def parameter_schema(parameter: dict[str, Any]) -> dict[str, Any]:
    """JSON Schema of one parameter."""
    kind = parameter["type"]
    schema: dict[str, Any] = {"description": parameter["sentence"]}
    if kind in ("double", "int", "int64"):
        schema["type"] = "number" if kind == "double" else "integer"
        schema["minimum"], schema["maximum"] = parameter["range"]
    elif kind == "bool":
        schema["type"] = "boolean"
    elif kind in ("enum", "choice"):
        schema["enum"] = parameter["values"]
    elif kind in ("string", "segment"):
        schema["type"] = "string"
        if kind == "segment" and parameter.get("required"):
            schema["minLength"] = 1
    elif kind == "segments":
        items = {"type": "string", "minLength": 1}
        schema |= {"type": "array", "items": items, "minItems": 1, "uniqueItems": True}
    elif kind == "voxels":
        schema |= _voxels_schema()
    elif kind == "points":
        least = 0 if "default" in parameter else 1
        schema |= {"type": "array", "items": _numbers_schema(3), "minItems": least}
    elif kind == "numbers":
        schema |= {"type": "array", "items": {"type": "number"}}
    elif kind == "color":
        schema |= _numbers_schema(3, minimum=0, maximum=1)
    elif kind == "vector":
        schema |= _numbers_schema(3)
    elif kind == "matrix":
        schema |= _numbers_schema(16)
    elif kind == "size":
        schema |= _numbers_schema(3, exclusiveMinimum=0)
    elif kind == "interval":
        schema |= _numbers_schema(2)
    if parameter.get("default") is not None:
        schema["default"] = parameter["default"]
    return schema


def _numbers_schema(count: int, **limits: float) -> dict[str, Any]:
    """JSON Schema of this many numbers."""
    return {
        "type": "array",
        "items": {"type": "number", **limits},
        "minItems": count,
        "maxItems": count,
    }


def _object_schema(parameters: list[dict[str, Any]]) -> dict[str, Any]:
    """JSON Schema of an object with these parameters and no others."""
    return {
        "type": "object",
        "properties": {p["name"]: parameter_schema(p) for p in parameters},
        "required": [p["name"] for p in parameters if p.get("required")],
        "additionalProperties": False,
    }


def _setting_schema(setting: dict[str, Any]) -> dict[str, Any]:
    """JSON Schema of the value of one of `OPERATION_SETTINGS`."""
    schema = {"description": setting["sentence"], **_object_schema(setting["parameters"])}
    rules = [
        {
            "if": {"properties": {name: {"const": value}}, "required": [name]},
            # A text that is empty counts as absent.
            "then": {"properties": {needed: {"minLength": 1}}, "required": [needed]},
        }
        for name, value, needed in setting["needs"]
    ]
    if rules:
        schema["allOf"] = rules
    if "one_of" in setting:
        groups = setting["one_of"]
        schema["oneOf"] = [
            {
                "required": group,
                "properties": {
                    name: False for other in groups if other is not group for name in other
                },
            }
            for group in groups
        ]
    return schema


def _operation_schema(effect: dict[str, Any]) -> dict[str, Any]:
    """JSON Schema of an operation of one effect."""
    parameters = _object_schema(effect["parameters"])
    properties: dict[str, Any] = {
        "effect": {"const": effect["identifier"]},
        "segment": {"type": "string", "minLength": 1, "description": "Segment identifier."},
        "parameters": parameters,
    }
    required = ["effect", "segment"]
    rules: dict[str, Any] = {}
    if effect["input"] == "segments":
        del properties["segment"]
        required.remove("segment")
    if effect["input"] == "segment":
        flag = {"description": TO_ALL_VISIBLE_SENTENCE, "type": "boolean", "default": False}
        properties[TO_ALL_VISIBLE] = flag
        required.remove("segment")
        rules = {
            "if": {"properties": {TO_ALL_VISIBLE: {"const": True}}, "required": [TO_ALL_VISIBLE]},
            "then": {"properties": {"segment": False}},
            "else": {"required": ["segment"]},
        }
    if effect["input"] != "table":
        properties |= {name: {"$ref": f"#/$defs/{name}"} for name in OPERATION_SETTINGS}
    return {
        "title": effect["title"],
        "description": effect["summary"],
        "type": "object",
        "properties": properties,
        "required": required + (["parameters"] if parameters["required"] else []),
        "additionalProperties": False,
        **rules,
    }


def make_schema(effects: list[dict[str, Any]]) -> dict[str, Any]:
    """JSON Schema (2020-12) of one operation."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "SegmentationCore operation",
        "description": "One edit of a segmentation: an effect, the segment it changes, its parameters, and where it may change what.",
        "oneOf": [_operation_schema(effect) for effect in operations(effects)],
        "$defs": {name: _setting_schema(setting) for name, setting in OPERATION_SETTINGS.items()},
    }


# ---------------------------------------------------------------------------------------------
# Python


def _annotation(parameter: dict[str, Any]) -> str:
    kind = parameter["type"]
    if kind == "enum" or kind == "choice":
        return f"Literal[{', '.join(_quoted(v) for v in parameter['values'])}]"
    return {
        "double": "float",
        "int": "int",
        "int64": "int",
        "bool": "bool",
        "points": "Sequence[Sequence[float]] | NDArray[Any]",
        "vector": "Sequence[float] | None",
        "matrix": "Sequence[Sequence[float]] | NDArray[Any] | None",
        "numbers": "Sequence[float] | NDArray[Any]",
        "segment": "int | str | None",
        "string": "str",
    }[kind]


def _python_default(parameter: dict[str, Any]) -> str | None:
    """The default in a function's signature; none if the argument is required."""
    if parameter.get("required"):
        return None
    if parameter["type"] in ("points", "numbers"):
        return "()"
    # The order of a vector's numbers depends on the data, and "" is no label.
    by_data = parameter["type"] in ("vector", "matrix", "segment")
    return "None" if by_data else _quoted(parameter["default"])


def _quoted(value: Any) -> str:
    # 1e+299 -> 1e299, as formatters write it.
    return json.dumps(value) if isinstance(value, str) else repr(value).replace("e+", "e")


RETURNS = {
    "set": "The label map with this segment replaced: voxels that leave it become 0, voxels that enter it "
    "become `label`, all others stay.",
    "add": "The label map with voxels added to this segment: they become `label`, all others stay.",
    "remove": "The label map with voxels removed: they become 0, all others stay.",
    "edit": "The label map with voxels added to this segment or removed from it: they become `label` or "
    "0, all others stay.",
}
RETURNS_SEGMENTS = "The label map with all segments as they have become; each keeps its value."
LOCAL = "In the editor it costs what it touches, whatever the size of the image."


def _scratch(effect: dict[str, Any]) -> str:
    count = effect["scratch_bytes_per_voxel"]
    also = f", and {effect['scratch_also']}" if "scratch_also" in effect else ""
    return f"Scratch memory: up to {count} {'byte' if count == 1 else 'bytes'} per voxel{also}"


def _docstring(effect: dict[str, Any]) -> list[str]:
    volume = effect["input"] == "volume"
    data = "volume" if volume else "labels"
    what = "Volume of any scalar type" if volume else "Label map of any scalar type"
    summary = _wrapped('"""' + effect["summary"], 4)
    lines = [*summary, "", "    Parameters", "    ----------"]
    lines += [
        f"    {data} : numpy.ndarray or vtkImageData",
        f"        {what}; never changed. An array has the axes z, y, x.",
    ]
    if effect["volume"]:
        lines += [
            "    volume : numpy.ndarray or vtkImageData",
            "        Volume of any scalar type on the voxels of `labels`: an array of the same shape, or",
            "        an image if `labels` is one; never changed.",
        ]
    for parameter in effect["parameters"]:
        lines += _parameter_docstring(parameter)
    label_text = "Value written for the segment." if volume else SEGMENT_LABEL["sentence"]
    if effect["input"] != "segments":
        lines += ["    label : int, default 1", f"        {label_text}"]
    lines += ["    spacing : sequence of floats, optional"]
    lines += _wrapped(
        "Millimetres between voxels, one number for each axis of the array, in their order (z, y, x); "
        "1 when absent. Not allowed with vtkImageData, which has its own.",
        8,
    )
    lines += ["    out : numpy.ndarray, optional"]
    lines += _wrapped(
        ("Array of the same shape" if volume else "Array of the same shape and type")
        + " that receives the result. Without `progress` a C-contiguous one"
        + (" of the result's type" if volume else "")
        + " is written directly, at no cost of memory, and holds anything after an error.",
        8,
    )
    lines += ["    progress : callable, optional"]
    lines += _wrapped("Called with a fraction from 0 to 1; returning False cancels the work.", 8)
    lines += ["", "    Returns", "    -------", "    numpy.ndarray or vtkImageData"]
    lines += _wrapped(
        "Label map with the value `label` in the segment and 0 elsewhere, in the smallest unsigned type."
        if volume
        else (RETURNS_SEGMENTS if effect["input"] == "segments" else RETURNS[effect["writes"]])
        + " Same type and geometry as the input.",
        8,
    )
    lines += ["", "    Raises", "    ------", "    TypeError, ValueError"]
    lines += _wrapped("For a wrong kind of argument, or a value that is not accepted.", 8)
    lines += ["    SegmentationCoreError", "        When the filter fails; carries its text."]
    lines += ["    Cancelled", "        When `progress` returned False, or Ctrl-C was pressed."]
    lines += ["", "    Notes", "    -----"]
    lines += _wrapped(
        f"Halo: {effect['halo']}. {_scratch(effect)}." + (f" {LOCAL}" if effect["local"] else ""),
        4,
    )
    if effect["references"]:
        lines += ["", "    References", "    ----------"]
        for reference in effect["references"]:
            lines += _wrapped(f"{reference['text']}. doi:{reference['doi']}", 4)
    lines += _example(effect)
    lines.append('    """')
    return lines


def _example(effect: dict[str, Any]) -> list[str]:
    """A call that the tests run."""
    name = effect["identifier"]
    data = "volume" if effect["input"] == "volume" else "labels"
    # A ball in the middle; and a second segment, made from the first.
    corners = "{}=[(8.0, 4.0, 4.0), (8.0, 4.0, 7.0), (8.0, 7.0, 5.0), (2.0, 5.0, 5.0)]"
    samples = {"points": [corners], "segment": ["label=2", "{}=1"]}
    arguments = ["volume"] if effect["volume"] else []
    arguments += [
        text.format(snake_case(parameter["name"]))
        for parameter in effect["parameters"]
        if parameter["type"] != "points" or parameter.get("required")
        for text in samples.get(parameter["type"], ())
    ]
    call = [data, *arguments, "spacing=(2.0, 1.0, 1.0)"]
    one_line = f"    >>> result = {name}({', '.join(call)})"
    lines = [one_line]
    if len(one_line) > 98:
        lines = [
            f"    >>> result = {name}(",
            *(f"    ...     {text}," for text in call),
            "    ... )",
        ]
    return [
        "",
        "    Examples",
        "    --------",
        "    >>> import numpy as np",
        f"    >>> from segmentationcore import {name}",
        f"    >>> {data} = np.zeros((9, 9, 9), np.uint8)",
        f"    >>> {data}[2:7, 2:7, 2:7] = 1",
        *(["    >>> volume = np.full((9, 9, 9), 100.0)"] if effect["volume"] else []),
        *lines,
        "    >>> result.shape",
        "    (9, 9, 9)",
    ]


def _doc_type(parameter: dict[str, Any]) -> str:
    if parameter["type"] in ("enum", "choice"):
        return "{" + ", ".join(_quoted(v) for v in parameter["values"]) + "}"
    return {
        "points": "array_like of shape (n, 3)",
        "vector": "sequence of 3 floats",
        "matrix": "array_like of shape (4, 4)",
        "numbers": "sequence of floats",
        "segment": "int or str",
    }.get(parameter["type"]) or _annotation(parameter)


def _parameter_docstring(parameter: dict[str, Any]) -> list[str]:
    """The entry of one parameter in a function's docstring."""
    kind, name = parameter["type"], snake_case(parameter["name"])
    default = _python_default(parameter)
    given = {None: "", "None": ", optional"}.get(default, f", default {default}")
    text = parameter["sentence"]
    line = f"    {name} : {_doc_type(parameter)}{given}"
    if len(line) > 98:
        line = f"    {name} : {type(parameter['values'][0]).__name__}{given}"
        text += " One of " + ", ".join(_quoted(value) for value in parameter["values"]) + "."
    if parameter["unit"]:
        text += f" Unit: {parameter['unit']}."
    if "range" in parameter:
        text += f" From {_quoted(parameter['range'][0])} to {_quoted(parameter['range'][1])}."
    if kind == "points":
        text += (
            " Columns: z, y, x from the centre of the first voxel for an array (y, x for a slice of "
            "two axes), world coordinates x, y, z for vtkImageData."
        )
    elif kind == "vector":
        numbers = ", ".join(f"{number:g}" for number in parameter["default"])
        text += (
            " Along the axes z, y, x of an array, along the world's x, y, z for vtkImageData; "
            f"x, y, z = {numbers} when absent."
        )
    elif kind == "matrix":
        text += (
            " Columns: z, y, x and 1 for an array, world coordinates x, y, z and 1 for vtkImageData; "
            "x, y, z as they are when absent."
        )
    elif kind == "segment":
        text += (
            " Segments of a label map are told by their values: give the value; none when absent."
        )
    return [line, *_wrapped(text, 8)]


def _wrapped(text: str, indent: int) -> list[str]:
    lines, line = [], " " * indent
    for word in text.split():
        if len(line) + 1 + len(word) > 98 and line.strip():
            lines.append(line.rstrip())
            line = " " * indent
        line += word + " "
    return [*lines, line.rstrip()]


def _signature(effect: dict[str, Any], overload: tuple[str, str] | None = None) -> list[str]:
    volume = effect["input"] == "volume"
    data = "volume" if volume else "labels"
    kind, result = overload or ("ImageLike", "Any")
    lines = [f"def {effect['identifier']}(", f"    {data}: {kind},"]
    lines += [f"    volume: {kind},"] if effect["volume"] else []
    lines += ["    *,"]
    for parameter in effect["parameters"]:
        name, annotation = snake_case(parameter["name"]), _annotation(parameter)
        default = _python_default(parameter)
        if default is None:
            lines.append(f"    {name}: {annotation},")
            continue
        if overload:
            default = "..."
        line = f"    {name}: {annotation} = {default},"
        if len(line) <= 100 or not annotation.startswith("Literal["):
            lines.append(line)
        else:  # broken as formatters do
            values = annotation[len("Literal[") : -1]
            lines += [f"    {name}: Literal["]
            if len(values) <= 92:
                lines += [f"        {values}"]
            else:
                lines += [f"        {_quoted(value)}," for value in parameter["values"]]
            lines += [f"    ] = {default},"]
    none = "..." if overload else "None"
    if effect["input"] != "segments":
        lines.append(f"    label: int = {'...' if overload else 1},")
    lines.append(f"    spacing: Sequence[float] | None = {none},")
    lines.append(f"    out: NDArray[Any] | None = {none},")
    lines.append(f"    progress: Callable[[float], bool | None] | None = {none},")
    lines.append(f") -> {result}:")
    return lines


def _takes_label_map(query: dict[str, Any]) -> bool:
    """Whether it measures all segments, of several layers too, and not one label of an array."""
    return query["output"] == "table" and query["input"] == "segments"


def _query_signature(query: dict[str, Any], stub: bool = False) -> list[str]:
    """The signature of a query's function."""
    volume, table = query["volume"], query["output"] == "table"
    none = "..." if stub else "None"
    kind = "ImageLike | LabelMap" if _takes_label_map(query) else "ImageLike"
    data = "    volume: ImageLike," if query["input"] == "volume" else f"    labels: {kind},"
    lines = [f"def {query['identifier']}(", data]
    if volume:
        lines.append(
            "    volume: ImageLike" + (f" | None = {none}," if volume == "optional" else ",")
        )
    lines.append("    *,")
    for parameter in query["parameters"]:
        default = _python_default(parameter)
        head = f"    {snake_case(parameter['name'])}: {_annotation(parameter)}"
        if default is None:
            lines.append(f"{head},")
            continue
        line = f"{head} = {'...' if stub else default},"
        if len(line) <= 100:
            lines.append(line)
        else:  # broken as formatters do
            lines += [f"    {snake_case(parameter['name'])}: Literal["]
            lines += [f"        {_quoted(value)}," for value in parameter["values"]]
            lines += [f"    ] = {'...' if stub else default},"]
    if query["input"] == "segment":
        lines.append(f"    label: int = {'...' if stub else 1},")
    lines.append(f"    spacing: Sequence[float] | None = {none},")
    lines.append(f"    progress: Callable[[float], bool | None] | None = {none},")
    return [*lines, f") -> {'NDArray[Any]' if table else 'Any'}:"]


def _query_docstring(query: dict[str, Any]) -> list[str]:
    volume, layers = query["volume"], _takes_label_map(query)
    lines = [*_wrapped('"""' + query["summary"], 4), "", "    Parameters", "    ----------"]
    if query["input"] == "volume":
        lines += [
            "    volume : numpy.ndarray or vtkImageData",
            "        Volume of any scalar type; never changed. An array has the axes z, y, x.",
        ]
    else:
        lines += [
            "    labels : numpy.ndarray"
            + (", vtkImageData or LabelMap" if layers else " or vtkImageData")
        ]
        lines += _wrapped(
            "Label map of any integer type; never changed. An array has the axes z, y, x."
            + (
                " A LabelMap may have several layers, and says what its segments are called."
                if layers
                else ""
            ),
            8,
        )
    if volume:
        lines += [
            "    volume : numpy.ndarray or vtkImageData"
            + (", optional" if volume == "optional" else ""),
            "        On the voxels of the label map, and of its kind; never changed.",
        ]
    for parameter in query["parameters"]:
        lines += _parameter_docstring(parameter)
    if query["input"] == "segment":
        lines += ["    label : int, default 1", f"        {SEGMENT_LABEL['sentence']}"]
    lines += ["    spacing : sequence of floats, optional"]
    lines += _wrapped(
        "Millimetres between voxels, one number for each axis of the array, in their order (z, y, x); "
        "1 when absent. Not allowed with vtkImageData, which has its own.",
        8,
    )
    lines += ["    progress : callable, optional"]
    lines += _wrapped("Called with a fraction from 0 to 1; returning False cancels the work.", 8)
    lines += ["", "    Returns", "    -------"]
    lines += _query_returns(query)
    lines += ["", "    Raises", "    ------", "    TypeError, ValueError"]
    lines += _wrapped("For a wrong kind of argument, or a value that is not accepted.", 8)
    lines += ["    SegmentationCoreError", "        When the filter fails; carries its text."]
    lines += ["    Cancelled", "        When `progress` returned False, or Ctrl-C was pressed."]
    lines += ["", "    Notes", "    -----"]
    lines += _wrapped(f"Halo: {query['halo']}. {_scratch(query)}.", 4)
    if query["references"]:
        lines += ["", "    References", "    ----------"]
    for reference in query["references"]:
        lines += _wrapped(f"{reference['text']}. doi:{reference['doi']}", 4)
    lines += [
        "",
        "    Examples",
        "    --------",
        "    >>> import numpy as np",
        f"    >>> from segmentationcore import {query['identifier']}",
    ]
    if query["input"] == "volume":
        # The middle, and what is within a millimetre of it on its slice.
        return [
            *lines,
            "    >>> volume = np.arange(729.0).reshape(9, 9, 9)",
            f"    >>> row = {query['identifier']}(",
            "    ...     volume, points=[(4.0, 4.0, 4.0)], brush_absolute_diameter=2.0",
            "    ... )[0]",
            '    >>> int(row["voxel_count"]), [float(row[n]) for n in ("lower", "average", "upper")]',
            "    (5, [355.0, 364.0, 373.0])",
            '    """',
        ]
    lines += [
        "    >>> labels = np.zeros((9, 9, 9), np.uint8)",
        "    >>> labels[2:7, 2:7, 2:7] = 1",
    ]
    if query["output"] == "table":
        lines += [
            f"    >>> table = {query['identifier']}(labels, spacing=(2.0, 1.0, 1.0))",
            '    >>> int(table["voxel_count"].sum()), float(table["volume_mm3"].sum())',
            "    (125, 250.0)",
        ]
    else:
        lines += ["    >>> volume = np.full((9, 9, 9), 100.0)"] if volume else []
        given = "labels, volume" if volume else "labels"
        lines += (
            [
                f"    >>> crop = {query['identifier']}({given}, spacing=(2.0, 1.0, 1.0))",
                "    >>> crop.voxels.shape, crop.offset, crop.origin",
                "    ((15, 15, 15), (-3, -3, -3), (-6.0, -3.0, -3.0))",
            ]
            if query["crops"]
            else [f"    >>> {query['identifier']}({given}).shape", "    (9, 9, 9)"]
        )
    return [*lines, '    """']


def _query_returns(query: dict[str, Any]) -> list[str]:
    if query["crops"]:
        return [
            "    VolumeCrop or vtkImageData",
            *_wrapped(
                "The part of the volume: of an array its voxels, and where the first of them is; of a "
                "vtkImageData an image whose voxels are where they were in the world.",
                8,
            ),
        ]
    if query["output"] == "volume":
        return [
            "    numpy.ndarray or vtkImageData",
            "        The new volume, of the kind, type and geometry of the one that was given."
            if query["volume"]
            else "        The volume, of the kind and geometry of the label map.",
        ]
    lines = ["    numpy.ndarray"]
    lines += _wrapped(
        "A structured array with one row. The columns:"
        if query["input"] == "volume"
        else "A structured array with a row for each label above 0 that occurs, by label; of a LabelMap "
        "one for each segment, in the order of its table. Positions and directions have three "
        "numbers each: z, y, x for "
        "arrays, counted from the centre of the first voxel; world coordinates x, y, z for "
        "vtkImageData. The columns:"
        if _takes_label_map(query)
        else "A structured array. The columns:",
        8,
    )
    lines += [""]
    for column in query["columns"]:
        item = _wrapped(f"- {column['name']}: {column['sentence']}", 8)
        lines += [item[0], *(f"  {line}" for line in item[1:])]
    return lines


def _query_function(query: dict[str, Any]) -> list[str]:
    of_volume = query["input"] == "volume"
    function = "run_table" if query["output"] == "table" else "run_volume"
    function = "run_table_of_volume" if of_volume else function
    lines = ["", *_query_signature(query), *_query_docstring(query), f"    return {function}("]
    lines += [
        f'        "{query["identifier"]}",',
        "        volume," if of_volume else "        labels,",
        *([] if of_volume else [f"        {'volume' if query['volume'] else 'None'},"]),
        "        {",
        *(f'            "{p["name"]}": {snake_case(p["name"])},' for p in query["parameters"]),
        "        },",
        *(["        label=label,"] if query["input"] == "segment" else []),
        "        spacing=spacing,",
        "        progress=progress,",
        "    )",
        "",
    ]
    return lines


def make_python(effects: list[dict[str, Any]]) -> str:
    """The functions."""
    lines = [
        '"""The effects as functions. Made from Effects/*.json by generate_effects.py; do not edit."""',
        "",
        "from __future__ import annotations",
        "",
        "from collections.abc import Callable, Sequence",
        "from typing import TYPE_CHECKING, Any, Literal",
        "",
        "from ._queries import run_table, run_table_of_volume, run_volume",
        "from ._run import ImageLike, run_effect",
        "",
        "if TYPE_CHECKING:",
        "    from numpy.typing import NDArray",
        "",
        "    from .operations import LabelMap",
        "",
        f"__all__ = {json.dumps(_function_names(effects))}",
        "",
    ]
    for effect in voxel_effects(effects):
        volume = effect["input"] == "volume"
        lines += ["", *_signature(effect), *_docstring(effect), "    return run_effect("]
        lines += [
            f'        "{effect["identifier"]}",',
            f"        {'volume' if volume else 'labels'},",
            "        {",
        ]
        lines += [
            f'            "{p["name"]}": {snake_case(p["name"])},' for p in effect["parameters"]
        ]
        lines += ["        },"]
        lines += ["        volume=volume,"] if effect["volume"] else []
        lines += ["        label=label,"] if effect["input"] != "segments" else []
        lines += ["        spacing=spacing,"]
        lines += [
            "        out=out,",
            "        progress=progress,",
            "    )",
            "",
        ]
    for query in queries(effects):
        lines += _query_function(query)
    return "\n".join(lines)


def _function_names(effects: list[dict[str, Any]]) -> list[str]:
    return [effect["identifier"] for effect in [*voxel_effects(effects), *queries(effects)]]


def make_stub(effects: list[dict[str, Any]]) -> str:
    """The type stub: arrays give arrays, images give images."""
    lines = [
        "# Made from Effects/*.json by generate_effects.py; do not edit.",
        "from collections.abc import Callable, Sequence",
        "from typing import Any, Literal, overload",
        "",
        "from numpy.typing import NDArray",
        "from vtkmodules.vtkCommonDataModel import vtkImageData",
        "",
        "from ._run import ImageLike",
        "from .operations import LabelMap",
        "",
        f"__all__: list[str] = {json.dumps(_function_names(effects))}",
        "",
    ]
    for effect in voxel_effects(effects):
        for overload in (("NDArray[Any]", "NDArray[Any]"), ("vtkImageData", "vtkImageData")):
            signature = _signature(effect, overload)
            signature[-1] += " ..."
            lines += ["@overload", *signature]
    for query in queries(effects):
        signature = _query_signature(query, stub=True)
        signature[-1] += " ..."
        lines += signature
    return "\n".join([*lines, ""])


# ---------------------------------------------------------------------------------------------
# Reference page


def _parameter_table(parameters: list[dict[str, Any]]) -> list[str]:
    """A Markdown table of parameters."""
    if not parameters:
        return []
    contents = {
        "points": "x, y, z of each",
        "vector": "x, y, z",
        "matrix": "16 numbers, row by row",
        "numbers": "finite numbers",
        "size": "three numbers above 0",
        "interval": "lowest, highest",
        "segment": "a segment's ID",
        "segments": "IDs, one or more",
        "voxels": "lattice and runs of voxels, as the session exports them",
    }
    lines = ["| Parameter | Type | Default | Accepted | Unit | |", "|---|---|---|---|---|---|"]
    for p in parameters:
        accepted = (
            ", ".join(f"`{v}`" for v in p.get("values", ()))
            or " to ".join(str(v) for v in p.get("range", ()))
            or contents.get(p["type"], "")
        )
        default = "required" if p.get("required") else ""
        if "default" in p:
            default = f"`{_quoted(p['default'])}`"
        default = "identity" if p["type"] == "matrix" else default
        lines.append(
            f"| `{p['name']}` | {p['type']} | {default} | {accepted} | {p['unit']} | {p['sentence']} |"
        )
    return [*lines, ""]


def make_docs(effects: list[dict[str, Any]]) -> str:
    """The reference page."""
    lines = [
        "# Effects",
        "",
        "<!-- Made from SegmentationCore/Effects/*.json by generate_effects.py; do not edit. -->",
        "",
        "Every effect is a ParaView filter, a Python function, an operation of the editor and of the command",
        "line, with the same parameter names. Lengths are millimetres, counts are voxels, points and vectors",
        "are world coordinates (RAS); only with NumPy arrays they follow the axes of the array.",
        "What changes no segment is no operation: the command line has `segmentationcore query` for it.",
        "",
    ]
    for effect in effects:
        lines += [f"## {effect['title']} (`{effect['identifier']}`)", "", effect["summary"], ""]
        if effect["input"] != "table":
            volume = ", and reads the volume" if effect["volume"] else ""
            facts = [
                f"Class `{effect['class']}`",
                *(
                    ["Works on all visible segments at once" + volume]
                    if effect["input"] == "segments"
                    else [f"Works on a {effect['input']}" + volume]
                ),
                *(
                    [WRITES[effect["writes"]]]
                    if effect.get("writes") and effect["input"] != "segments"
                    else []
                ),
                *([OUTPUTS[effect["output"]] + ", changes no segment"] if is_query(effect) else []),
                f"Halo: {effect['halo']}",
                _scratch(effect),
                "Exact in parallel" if effect["exact_in_parallel"] else "**Not** exact in parallel",
            ]
            lines += [". ".join(facts) + "." + (f" {LOCAL}" if effect.get("local") else ""), ""]
        lines += _parameter_table(effect["parameters"])
        if "columns" in effect:
            lines += ["| Column | |", "|---|---|"]
            for column in effect["columns"]:
                names = ", ".join(f"`{name}`" for name in column["name"].split(", "))
                lines.append(f"| {names} | {column['sentence']} |")
            lines.append("")
        for reference in effect.get("references", ()):
            lines += [
                f"- {reference['text']}. [doi:{reference['doi']}](https://doi.org/{reference['doi']})",
                "",
            ]
    lines += [
        "## Where an operation may change voxels",
        "",
        "An operation of an effect, not one on the table alone, may have these keys as well.",
        "",
    ]
    for name, setting in OPERATION_SETTINGS.items():
        lines += [f"### `{name}`", "", setting["sentence"], ""]
        lines += _parameter_table(setting["parameters"])
    lines += [
        "## One effect on all visible segments",
        "",
        f"An operation on a segment may have `{TO_ALL_VISIBLE}`, true or false, which is the default.",
        TO_ALL_VISIBLE_SENTENCE,
    ]
    return "\n".join(lines).rstrip() + "\n"


def write_if_changed(path: Path, text: str) -> None:
    """Keep the time stamp of an unchanged file, so that nothing is rebuilt for it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        description="Make the files of every product from the effect declarations."
    )
    parser.add_argument("--effects", type=Path, required=True, help="folder of the declarations")
    parser.add_argument("--cxx", type=Path, help="C++ table to write")
    parser.add_argument("--xml", type=Path, help="server-manager XML to write")
    parser.add_argument("--python", type=Path, help="folder of the Python package to write into")
    parser.add_argument("--docs", type=Path, help="Markdown page to write")
    parser.add_argument(
        "--list", action="store_true", help="print identifier:class of each effect and query"
    )
    options = parser.parse_args(arguments)
    try:
        effects = load_effects(options.effects)
    except DeclarationError as error:
        print(f"generate_effects: {error}", file=sys.stderr)
        return 1
    if options.cxx:
        write_if_changed(options.cxx, make_cxx(effects))
    if options.xml:
        write_if_changed(options.xml, make_xml(effects))
    if options.python:
        write_if_changed(options.python / "_effects.py", make_python(effects))
        write_if_changed(options.python / "_effects.pyi", make_stub(effects))
        for name, declared in (("effects", operations(effects)), ("queries", queries(effects))):
            write_if_changed(options.python / f"{name}.json", json.dumps(declared, indent=1) + "\n")
        write_if_changed(
            options.python / "operation_settings.json",
            json.dumps(OPERATION_SETTINGS, indent=1) + "\n",
        )
        write_if_changed(
            options.python / "operation.schema.json",
            json.dumps(make_schema(effects), indent=1) + "\n",
        )
    if options.docs:
        write_if_changed(options.docs, make_docs(effects))
    if options.list:
        declared = [*voxel_effects(effects), *queries(effects)]
        print(" ".join(f"{e['identifier']}:{e['class']}" for e in declared), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
