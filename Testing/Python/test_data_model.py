"""The containers with Slicer's names: the same calls on both, and what VTK makes of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import segmentationcore
from data_model_calls import BINARY, ask, calls
from vtkmodules.util.numpy_support import vtk_to_numpy

pytestmark = pytest.mark.python


@pytest.fixture(scope="module")
def ours() -> Any:
    """Our own classes, whatever Slicer is beside us."""
    return pytest.importorskip("segmentationcore.SegmentationCoreDataModel")


@pytest.fixture(scope="module")
def slicer(slicer_python: str) -> dict[str, Any]:
    return ask(slicer_python)


@pytest.mark.slicer
@pytest.mark.parametrize(
    "group", ["geometry", "strings", "segment", "identifiers", "order", "layers", "copies"]
)
def test_same_answers_as_slicer(ours: Any, slicer: dict[str, Any], group: str) -> None:
    answers = calls(ours)[group]
    assert answers.keys() == slicer[group].keys()
    for name, expected in slicer[group].items():
        if group == "geometry" and name not in ("default", "set matrix"):
            flat, reference = np.hstack(_flat(answers[name])), np.hstack(_flat(expected))
            np.testing.assert_allclose(flat, reference, rtol=1e-14, atol=1e-14, err_msg=name)
        else:
            assert answers[name] == expected, name


def _flat(value: Any) -> list[float]:
    return [x for item in value for x in _flat(item)] if isinstance(value, list) else [value]


def test_the_package_exports_them() -> None:
    for name in ("vtkSegmentation", "vtkSegment", "vtkOrientedImageData"):
        assert getattr(segmentationcore, name)().GetClassName() == name


def test_vtk_sees_the_directions(ours: Any, tmp_path: Path) -> None:
    from vtkmodules.vtkFiltersCore import vtkFlyingEdges3D
    from vtkmodules.vtkIOXML import vtkXMLImageDataReader, vtkXMLImageDataWriter

    image = ours.vtkOrientedImageData()
    image.SetDimensions(5, 5, 5)
    image.SetDirections(0, -1, 0, 1, 0, 0, 0, 0, 1)
    image.SetOrigin(100, 200, 300)
    image.AllocateScalars(3, 1)
    image.GetPointData().GetScalars().Fill(0)
    image.SetScalarComponentFromDouble(3, 2, 1, 0, 2)
    path = str(tmp_path / "oriented.vti")
    writer = vtkXMLImageDataWriter()
    writer.SetInputData(image)
    writer.SetFileName(path)
    assert writer.Write()
    reader = vtkXMLImageDataReader()
    reader.SetFileName(path)
    reader.Update()
    read = reader.GetOutput().GetDirectionMatrix()
    assert read.GetElement(0, 1) == -1
    assert read.GetElement(1, 0) == 1

    contour = vtkFlyingEdges3D()
    contour.SetInputData(image)
    contour.SetValue(0, 1)
    contour.Update()
    center = contour.GetOutput().GetCenter()
    assert center == pytest.approx((98, 203, 301))  # index 3, 2, 1


def test_label_map_to_segmentation_and_back(ours: Any) -> None:
    table = segmentationcore.vtkLabelSegmentTable()
    table.AddSegment("a", "first", 1, 0, 0, 3)
    table.AddSegment("b", "second", 0, 1, 0, 1)
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonDataModel import vtkImageData

    label_map = vtkImageData()
    label_map.SetDimensions(3, 1, 1)
    voxels = np.array([3, 0, 1], np.uint8)
    array = numpy_to_vtk(voxels)
    array.SetName("Labels")
    label_map.GetPointData().SetScalars(array)
    table.ToFieldData(label_map.GetFieldData())
    segmentation = ours.vtkSegmentation()
    adapter = ours.vtkSegmentationLabelMapAdapter
    assert adapter.LabelMapToSegmentation(label_map, segmentation)
    assert segmentation.GetSegmentIDs() == ("a", "b")
    layer = segmentation.GetSegmentRepresentation("a", BINARY)
    assert segmentation.GetSegmentRepresentation("b", BINARY) is layer
    assert np.shares_memory(vtk_to_numpy(layer.GetPointData().GetScalars()), voxels)
    back = vtkImageData()
    assert adapter.SegmentationToLabelMap(segmentation, back)
    assert np.shares_memory(vtk_to_numpy(back.GetPointData().GetScalars()), voxels)
    again = segmentationcore.vtkLabelSegmentTable()
    assert again.FromFieldData(back.GetFieldData())
    assert [again.GetNthSegmentName(i) for i in range(2)] == ["first", "second"]
