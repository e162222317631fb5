"""The same calls on Slicer's containers and on ours; what they answer is compared by the test.

``calls(module)`` makes them and returns plain values. As a program it runs with Slicer's Python and
prints them as JSON.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
from typing import Any

BINARY = "Binary labelmap"
SURFACE = "Closed surface"
EVENTS = {
    62100: "source",
    62101: "representation",
    62102: "added",
    62103: "removed",
    62104: "segment",
    62105: "names",
    62106: "order",
}


def ask(python: str) -> dict[str, Any]:
    """What Slicer's own classes answer."""
    done = subprocess.run([python, __file__], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


class _Ear:
    def __init__(self, thing: Any) -> None:
        self.heard: list[str] = []
        thing.AddObserver("ModifiedEvent", lambda *_: self.heard.append("modified"))
        for number, name in EVENTS.items():
            thing.AddObserver(number, lambda *_, name=name: self.heard.append(name))

    def take(self) -> list[str]:
        heard, self.heard = self.heard, []
        return heard


def _image(module: Any, values: list[int], start: int = 0) -> Any:
    image = module.vtkOrientedImageData()
    image.SetExtent(start, start + len(values) - 1, 0, 0, 0, 0)
    image.AllocateScalars(3, 1)
    for i, value in enumerate(values):
        image.GetPointData().GetScalars().SetTuple1(i, value)
    return image


def _values(image: Any) -> list[int]:
    scalars = image.GetPointData().GetScalars()
    return [int(scalars.GetTuple1(i)) for i in range(scalars.GetNumberOfTuples())]


def _elements(matrix: Any) -> list[float]:
    return [matrix.GetElement(i, j) for i in range(4) for j in range(4)]


def _segment(module: Any, name: str, image: Any = None, label: int = 1) -> Any:
    segment = module.vtkSegment()
    segment.SetName(name)
    segment.SetLabelValue(label)
    if image is not None:
        segment.AddRepresentation(BINARY, image)
    return segment


def _geometry(module: Any) -> dict[str, Any]:
    from vtkmodules.vtkCommonDataModel import vtkImageData
    from vtkmodules.vtkCommonMath import vtkMatrix4x4

    answers: dict[str, Any] = {}
    image = module.vtkOrientedImageData()
    answers["default"] = [
        image.GetExtent(),
        image.GetScalarType(),
        image.IsEmpty(),
        image.GetBounds(),
    ]
    image.SetExtent(-3, 5, 2, 4, 7, 9)
    image.SetSpacing(1, 2, 3)
    image.SetOrigin(5, 6, 7)
    c, s = math.cos(0.3), math.sin(0.3)
    image.SetDirections(c, -s, 0, s, c, 0, 0, 0, 1)
    answers["bounds"] = image.GetBounds()
    answers["spacing"] = [image.GetMinSpacing(), image.GetMaxSpacing()]
    matrix = vtkMatrix4x4()
    for name in ("GetImageToWorldMatrix", "GetWorldToImageMatrix", "GetDirectionMatrix"):
        getattr(image, name)(matrix)
        answers[name] = _elements(matrix)
    for i, value in enumerate([0, -3, 0, 10, 2, 0, 0, 20, 0, 0, -4, 30]):
        matrix.SetElement(i // 4, i % 4, value)
    ear = _Ear(image)
    image.SetImageToWorldMatrix(matrix)
    image.SetGeometryFromImageToWorldMatrix(matrix)
    answers["set matrix"] = [ear.take(), image.GetSpacing(), image.GetOrigin(), image.GetBounds()]

    plain = vtkImageData()
    plain.SetDimensions(2, 3, 4)
    plain.SetSpacing(1, 2, 3)
    plain.AllocateScalars(4, 1)
    for copy in ("ShallowCopy", "DeepCopy"):
        target = module.vtkOrientedImageData()
        getattr(target, copy)(image)
        answers[f"{copy} oriented"] = [target.GetExtent(), target.GetBounds()]
        getattr(target, copy)(plain)  # keeps the directions
        target.GetImageToWorldMatrix(matrix)
        answers[f"{copy} plain"] = [target.GetScalarType(), _elements(matrix), target.GetBounds()]
    target = module.vtkOrientedImageData()
    target.CopyDirections(image)
    target.GetImageToWorldMatrix(matrix)
    answers["CopyDirections"] = _elements(matrix)
    return answers


def _strings(module: Any) -> dict[str, Any]:
    from vtkmodules.vtkCommonMath import vtkMatrix4x4

    converter = module.vtkSegmentationConverter
    answers: dict[str, Any] = {
        name: getattr(converter, name)()
        for name in (
            "GetBinaryLabelmapRepresentationName",
            "GetSegmentationFractionalLabelmapRepresentationName",
            "GetClosedSurfaceRepresentationName",
            "GetPlanarContourRepresentationName",
            "GetReferenceImageGeometryParameterName",
            "GetScalarRangeFieldName",
        )
    }
    matrix = vtkMatrix4x4()
    for i, value in enumerate([0.1, 1 / 3, -0.0, 1e6, 0.23597152210841135, 123456.789]):
        matrix.SetElement(i // 4, i % 4, value)
    text = converter.SerializeImageGeometry(matrix, [-1, 2, 3, 4, 5, 6])
    answers["geometry"] = text
    extent = [0] * 6
    answers["parsed"] = converter.DeserializeImageGeometry(
        text.replace(";", "; ") + " x", matrix, extent
    )
    answers["read"] = [_elements(matrix), list(extent)]
    answers["cut"] = converter.DeserializeImageGeometry(text[:-1], matrix, extent)
    image = module.vtkOrientedImageData()
    geometry = "2;0;0;0;0;2;0;0;0;0;2;0;0;0;0;1;0;9;0;9;0;9;"
    answers["image"] = [
        converter.DeserializeImageGeometry(geometry, image, True, 4, 2),
        image.GetExtent(),
        image.GetSpacing(),
        image.GetScalarType(),
        image.GetNumberOfScalarComponents(),
        converter.SerializeImageGeometry(image),
    ]
    parameters = module.vtkSegmentation()
    parameters.SetConversionParameter("b", "2")
    parameters.SetConversionParameter("a", "3")
    parameters.DeserializeConversionParameters("c|1|words&b|9|x&f|1|2")
    # Slicer lists the parameters of its conversion rules after these.
    answers["parameters"] = parameters.SerializeAllConversionParameters()[:21]
    answers["parameter"] = parameters.GetConversionParameter("b")
    return answers


def _one_segment(module: Any) -> dict[str, Any]:
    segment = module.vtkSegment()
    answers: dict[str, Any] = {
        "new": [
            segment.GetName(),
            segment.GetColor(),
            segment.GetNameAutoGenerated(),
            segment.GetColorAutoGenerated(),
            segment.GetLabelValue(),
            segment.GetTerminologyEntryTagName(),
            segment.GetTerminology(),
        ]
    }
    ear = _Ear(segment)
    steps = []
    for step in (
        lambda: segment.SetTag("a", 3),
        lambda: segment.SetTag("a", "3"),
        lambda: segment.RemoveTag("none"),
        lambda: segment.AddRepresentation(BINARY, _image(module, [1, 2], 4)),
        lambda: segment.AddRepresentation(BINARY, segment.GetRepresentation(BINARY)),
        lambda: segment.RemoveRepresentation("none"),
        lambda: segment.SetName("n"),
        lambda: segment.SetTerminology(""),
        segment.HasTerminology,
        lambda: segment.HasTag("TerminologyEntry"),
        lambda: segment.SetColor(1, 0, 0),
    ):
        steps.append([step(), ear.take()])
    answers["steps"] = steps
    bounds = [0.0] * 6
    segment.GetBounds(bounds)
    answers["bounds"] = bounds
    module.vtkSegment().GetBounds(bounds)
    answers["no bounds"] = bounds
    names: list[str] = []
    segment.GetContainedRepresentationNames(names)
    answers["names"] = names
    copy = module.vtkSegment()
    segment.SetLabelValue(2)
    copy.DeepCopy(segment)
    answers["copy"] = [
        copy.GetName(),
        copy.GetColor(),
        copy.GetLabelValue(),
        copy.HasTag("a"),
        _values(copy.GetRepresentation(BINARY)),
        _values(segment.GetRepresentation(BINARY)),
    ]
    return answers


def _identifiers(module: Any) -> dict[str, Any]:
    segmentation = module.vtkSegmentation()
    segmentation.UUIDSegmentIDsOff()  # the wheel of Slicer is built without
    ear = _Ear(segmentation)
    answers: dict[str, Any] = {"source": segmentation.GetSourceRepresentationName()}
    answers["ids"] = [segmentation.AddEmptySegment(x) for x in ("x", "x", "y", "y", "x")]
    answers["added"] = ear.take()
    segmentation.RemoveSegment("x_1")
    ear.take()
    answers["again"] = [
        segmentation.AddEmptySegment("x"),
        segmentation.AddEmptySegment("named", "Name", [1, 0, 0]),
    ]
    answers["segments"] = [
        [s.GetName(), s.GetColor(), s.GetLabelValue(), s.GetNameAutoGenerated()]
        for s in map(segmentation.GetNthSegment, range(segmentation.GetNumberOfSegments()))
    ]
    type(segmentation).GetSegmentIDRandomSequenceInstance().SetSeed(7)
    answers["random"] = [segmentation.GenerateUniqueSegmentID() for _ in range(3)]
    answers["unique"] = [segmentation.GenerateUniqueSegmentID(x) for x in ("x", "new")]
    segmentation.RemoveAllSegments()
    answers["after removal"] = [segmentation.AddEmptySegment("x") for _ in range(2)]
    return answers


def _order(module: Any) -> dict[str, Any]:
    segmentation = module.vtkSegmentation()
    for name in ("c", "a", "d", "b"):
        segmentation.AddEmptySegment(name)
    ear = _Ear(segmentation)
    steps = []
    for step in (
        lambda: segmentation.AddSegment(_segment(module, "e"), "e", "a"),
        lambda: segmentation.AddSegment(_segment(module, "f"), "f", "unknown"),
        lambda: segmentation.SetSegmentIndex("b", 0),
        lambda: segmentation.SetSegmentIndex("b", 0),
        lambda: segmentation.SetSegmentIndex("b", 99),
        lambda: segmentation.ReorderSegments(["d", "unknown", "b"], "e"),
        lambda: segmentation.ReorderSegments(["c", "d"]),
        lambda: segmentation.ReorderSegments(["d", "c"]),
        lambda: segmentation.ReorderSegments(["a", "e"], "a"),
        lambda: segmentation.ReorderSegments(["f"], "unknown"),
        lambda: segmentation.RemoveSegment("unknown"),
        lambda: segmentation.AddSegment(module.vtkSegment()),
        lambda: segmentation.AddSegment(module.vtkSegment(), "g"),
    ):
        answer = step()
        steps.append([answer, ear.take(), segmentation.GetSegmentIDs()])
    segmentation.GetSegment("e").SetName("Twin")
    segmentation.GetSegment("c").SetName("twin")
    return {
        "steps": steps,
        "by name": [segmentation.GetSegmentIdBySegmentName(x) for x in ("TWIN", "nobody")],
        "index": [segmentation.GetSegmentIndex(x) for x in ("a", "nobody")],
        "nth": [segmentation.GetNthSegmentID(0), segmentation.GetNthSegmentID(99)],
        "by segment": segmentation.GetSegmentIdBySegment(segmentation.GetSegment("d")),
    }


def _layers(module: Any) -> dict[str, Any]:
    segmentation = module.vtkSegmentation()
    ear = _Ear(segmentation)
    shared = _image(module, [0, 1, 5, 5])
    own = _image(module, [7], 20)
    segmentation.AddSegment(_segment(module, "z", shared, 1), "z")
    segmentation.AddSegment(_segment(module, "own", own, 7), "own")
    segmentation.AddSegment(_segment(module, "a", shared, 5), "a")
    segmentation.GetSegment("a").SetName("A")  # Slicer observes the last one's source from here
    answers: dict[str, Any] = {"added": ear.take()}
    bounds = [0.0] * 6
    segmentation.GetBounds(bounds)
    answers["bounds"] = bounds
    answers["layers"] = [
        segmentation.GetNumberOfLayers(),
        segmentation.GetNumberOfLayers(SURFACE),
        [segmentation.GetLayerIndex(x) for x in ("z", "own", "a")],
        [segmentation.GetSegmentIDsForLayer(x) for x in (0, 1)],
        segmentation.GetSegmentIDsForDataObject(shared),
        segmentation.GetLayerDataObject(9),
    ]
    sharing: list[str] = []
    segmentation.GetSegmentIDsSharingBinaryLabelmapRepresentation("a", sharing)
    others: list[str] = []
    segmentation.GetSegmentIDsSharingBinaryLabelmapRepresentation("a", others, False)
    answers["sharing"] = [sorted(sharing), others]  # Slicer sorts by ID
    answers["unique"] = [
        segmentation.GetUniqueLabelValueForSharedLabelmap("a"),
        segmentation.GetUniqueLabelValueForSharedLabelmap(shared),
        segmentation.GetUniqueLabelValueForSharedLabelmap(own),
    ]
    ear.take()
    own.Modified()
    answers["source modified"] = ear.take()
    answers["empty"] = [
        segmentation.AddEmptySegment("new"),
        segmentation.GetSegment("new").GetLabelValue(),
        segmentation.GetLayerIndex("new"),
        ear.take(),
    ]
    steps = []
    for step in (
        lambda: segmentation.SeparateSegmentLabelmap("own"),
        lambda: segmentation.SeparateSegmentLabelmap("a"),
        lambda: segmentation.RemoveSegment("z"),
        lambda: segmentation.RemoveSegment("own"),
        lambda: segmentation.RemoveSegment(segmentation.GetSegment("a")),
    ):
        step()
        steps.append([ear.take(), segmentation.GetSegmentIDs(), _values(shared)])
    answers["steps"] = steps
    return answers


def _copies(module: Any) -> dict[str, Any]:
    source = module.vtkSegmentation()
    shared = _image(module, [1, 2, 0])
    source.AddSegment(_segment(module, "b", shared, 2), "b")
    source.AddSegment(_segment(module, "own", _image(module, [1], 5)), "own")
    source.AddSegment(_segment(module, "a", shared, 1), "a")
    target = module.vtkSegmentation()
    target.AddEmptySegment("old")
    ear = _Ear(target)
    target.DeepCopy(source)
    answers: dict[str, Any] = {
        "deep": [
            ear.take(),
            target.GetSegmentIDs(),
            target.GetNumberOfLayers(),
            _values(target.GetLayerDataObject(0)),
        ]
    }
    other = module.vtkSegmentation()
    ear = _Ear(other)
    answers["copy"] = [
        other.CopySegmentFromSegmentation(source, "b"),
        other.CopySegmentFromSegmentation(source, "b"),
        other.CopySegmentFromSegmentation(source, "own", True),
        other.GetSegmentIDs(),
        source.GetSegmentIDs(),
        _values(other.GetSegmentRepresentation("b", BINARY)),
        ear.take(),
    ]
    surface = module.vtkSegmentation()
    ear = _Ear(surface)
    surface.SetSourceRepresentationName(SURFACE)
    surface.AddEmptySegment("s")
    answers["surface"] = [
        ear.take(),
        surface.IsSourceRepresentationPolyData(),
        surface.IsSourceRepresentationImageData(),
        surface.GetSegmentRepresentation("s", SURFACE).GetClassName(),
        surface.ContainsRepresentation(BINARY),
    ]
    return answers


def calls(module: Any) -> dict[str, Any]:
    """All answers, as JSON would give them back."""
    answers = {
        "geometry": _geometry(module),
        "strings": _strings(module),
        "segment": _one_segment(module),
        "identifiers": _identifiers(module),
        "order": _order(module),
        "layers": _layers(module),
        "copies": _copies(module),
    }
    return json.loads(json.dumps(answers))


if __name__ == "__main__":
    from slicer_core import vtkSegmentationCore

    # Without its rules Slicer cannot make empty representations.
    factory = vtkSegmentationCore.vtkSegmentationConverterFactory.GetInstance()
    factory.RegisterConverterRule(
        vtkSegmentationCore.vtkBinaryLabelmapToClosedSurfaceConversionRule()
    )
    factory.RegisterConverterRule(
        vtkSegmentationCore.vtkClosedSurfaceToBinaryLabelmapConversionRule()
    )
    sys.stdout.write("\n" + json.dumps(calls(vtkSegmentationCore)) + "\n")
