"""Conversion rules: the built-in ones by one call, and rules that are Python functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import segmentationcore

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.python

BINARY = "Binary labelmap"


@pytest.fixture
def ours() -> Iterator[Any]:
    """Our own classes, with a factory that is as it was when the test is over."""
    module = pytest.importorskip("segmentationcore.SegmentationCoreDataModel")
    factory = module.vtkSegmentationConverterFactory.GetInstance()
    before = [factory.GetNthConverterRule(i) for i in range(factory.GetNumberOfConverterRules())]
    while factory.GetNumberOfConverterRules():
        factory.UnregisterConverterRule(factory.GetNthConverterRule(0))
    yield module
    while factory.GetNumberOfConverterRules():
        factory.UnregisterConverterRule(factory.GetNthConverterRule(0))
    for rule in before:
        factory.RegisterConverterRule(rule)


def two_segments(module: Any) -> Any:
    """Segments a and b in one layer of 4 voxels: 1 2 2 0."""
    image = module.vtkOrientedImageData()
    image.SetDimensions(4, 1, 1)
    image.AllocateScalars(3, 1)
    for x, value in enumerate((1, 2, 2, 0)):
        image.SetScalarComponentFromDouble(x, 0, 0, 0, value)
    segmentation = module.vtkSegmentation()
    for name, label in (("a", 1), ("b", 2)):
        segment = module.vtkSegment()
        segment.SetName(name)
        segment.SetLabelValue(label)
        segment.AddRepresentation(BINARY, image)
        assert segmentation.AddSegment(segment, name)
    return segmentation


def points_of(data: Any, segment: Any, parameters: dict[str, str]) -> Any:
    """The centres of a segment's voxels, moved by a parameter, as a poly data."""
    from vtkmodules.vtkCommonCore import vtkPoints
    from vtkmodules.vtkCommonDataModel import vtkPolyData

    points = vtkPoints()
    for x in range(data.GetDimensions()[0]):
        if data.GetScalarComponentAsDouble(x, 0, 0, 0) == segment.GetLabelValue():
            points.InsertNextPoint(x + float(parameters["shift"]), 0, 0)
    result = vtkPolyData()
    result.SetPoints(points)
    return result


def test_the_four_are_registered_once(ours: Any) -> None:
    assert segmentationcore.register_conversion_rules() == 4
    assert segmentationcore.register_conversion_rules() == 0
    factory = ours.vtkSegmentationConverterFactory.GetInstance()
    names = [
        (
            factory.GetNthConverterRule(i).GetSourceRepresentationName(),
            factory.GetNthConverterRule(i).GetTargetRepresentationName(),
        )
        for i in range(factory.GetNumberOfConverterRules())
    ]
    assert names == [
        ("Binary labelmap", "Closed surface"),
        ("Closed surface", "Binary labelmap"),
        ("Closed surface", "Fractional labelmap"),
        ("Fractional labelmap", "Closed surface"),
    ]


def test_a_rule_in_python(ours: Any) -> None:
    rule = segmentationcore.register_conversion_rule(
        BINARY,
        "Points",
        points_of,
        cost=7,
        parameters={"shift": ("0.5", "Added to x")},
    )
    assert rule.GetName() == "Binary labelmap to Points"
    segmentation = two_segments(ours)
    assert "shift|0.5|Added to x&" in segmentation.SerializeAllConversionParameters()
    assert segmentation.CreateRepresentation("Points")
    made = segmentation.GetSegmentRepresentation("b", "Points")
    assert [made.GetPoint(i)[0] for i in range(made.GetNumberOfPoints())] == [1.5, 2.5]

    # The value belongs to the segmentation; the registered rule keeps its own.
    segmentation.SetConversionParameter("shift", "10")
    assert rule.GetConversionParameter("shift") == "0.5"
    assert segmentation.CreateRepresentation("Points", True)
    assert segmentation.GetSegmentRepresentation("a", "Points").GetPoint(0)[0] == 10

    # It is one step of longer ways as well.
    paths = ours.vtkSegmentationConversionPaths()
    segmentation.GetPossibleConversions("Points", paths)
    assert paths.GetPath(0).GetCost() == 7
    with pytest.raises(ValueError, match="index"):
        paths.GetPath(1)


@pytest.mark.parametrize("reason", ["raises", "returns nothing"])
def test_a_failure_is_an_error_and_changes_nothing(
    ours: Any, reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    def bad(_data: Any, segment: Any, _parameters: dict[str, str]) -> Any:
        if segment.GetName() == "a":
            from vtkmodules.vtkCommonDataModel import vtkPolyData

            return vtkPolyData()
        if reason == "raises":
            raise RuntimeError("the moon is full")
        return None

    segmentationcore.register_conversion_rule(BINARY, "Points", bad)
    segmentation = two_segments(ours)
    errors: list[str] = []

    def hear(_caller: Any, _event: str, text: str) -> None:
        errors.append(text)

    hear.CallDataType = 13  # type: ignore[attr-defined]  # VTK_STRING
    segmentation.AddObserver("ErrorEvent", hear)
    assert not segmentation.CreateRepresentation("Points")
    assert "failed for segment 'b'" in errors[0]
    assert not segmentation.ContainsRepresentation("Points")
    assert segmentation.GetSegmentRepresentation("a", "Points") is None
    capfd.readouterr()


def test_bad_arguments(ours: Any) -> None:
    register = segmentationcore.register_conversion_rule
    with pytest.raises(TypeError, match="convert must be a function, not int"):
        register("A", "B", 3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="two representations"):
        register("A", "A", points_of)
    with pytest.raises(ValueError, match="target_class: 'vtkNothing'"):
        register("A", "B", points_of, target_class="vtkNothing")
    assert ours.vtkSegmentationConverterFactory.GetInstance().GetNumberOfConverterRules() == 0
    rule = register("A", "B", points_of, target_class="vtkTable")
    assert rule.ConstructRepresentationObjectByRepresentation("B").IsA("vtkTable")
