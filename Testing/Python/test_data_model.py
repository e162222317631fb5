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


# Oblique, one of them left-handed; no element is a short decimal number.
OBLIQUE = [
    [[0.36, 0.48, -0.8], [-0.8, 0.6, 0.0], [0.48, 0.64, 0.6]],
    [[0.6, 0.8, 0.0], [0.8, -0.6, 0.0], [0.0, 0.0, 1.0]],
]


def _oblique_image(ours: Any, number: int) -> Any:
    image = ours.vtkOrientedImageData()
    image.SetExtent(-2, 2, 1, 4, 0, 3 + number)
    image.SetSpacing(0.7, 1.3 + number, 2.1)
    image.SetOrigin(-10.1, 20.2, 30.3 * number)
    image.SetDirections(*np.linalg.qr(np.array(OBLIQUE[number]))[0].ravel().tolist())
    image.AllocateScalars(15, 1)  # signed char
    vtk_to_numpy(image.GetPointData().GetScalars())[:] = np.arange(image.GetNumberOfPoints()) % 99
    return image


def _placed(image: Any) -> list[float]:
    from vtkmodules.vtkCommonMath import vtkMatrix4x4

    matrix = vtkMatrix4x4()
    matrix.DeepCopy(image.GetIndexToPhysicalMatrix())
    elements = [matrix.GetElement(i, j) for i in range(4) for j in range(4)]
    return [*elements, *image.GetExtent(), *vtk_to_numpy(image.GetPointData().GetScalars())]


def test_multi_block_files_keep_the_directions(ours: Any, tmp_path: Path) -> None:
    """VTK's own writer and reader, with blocks in blocks; nothing is lost, not the last digit."""
    from vtkmodules.vtkCommonDataModel import vtkMultiBlockDataSet
    from vtkmodules.vtkIOXML import vtkXMLMultiBlockDataReader, vtkXMLMultiBlockDataWriter

    images = [_oblique_image(ours, number) for number in range(2)]
    inner = vtkMultiBlockDataSet()
    inner.SetBlock(0, images[1])
    blocks = vtkMultiBlockDataSet()
    blocks.SetBlock(0, images[0])
    blocks.SetBlock(1, inner)
    path = str(tmp_path / "blocks.vtm")
    writer = vtkXMLMultiBlockDataWriter()
    writer.SetInputData(blocks)
    writer.SetFileName(path)
    assert writer.Write()
    reader = vtkXMLMultiBlockDataReader()
    reader.SetFileName(path)
    reader.Update()
    read = reader.GetOutput()
    for image, block in zip(images, (read.GetBlock(0), read.GetBlock(1).GetBlock(0)), strict=True):
        assert _placed(block) == _placed(image)
        # And back into a container, which takes the base class's matrix only if it is told to.
        again = ours.vtkOrientedImageData()
        again.ShallowCopy(block)
        again.SetDirectionMatrix(block.GetDirectionMatrix())
        assert _placed(again) == _placed(image)


def test_segments_in_multi_block_files_are_where_they_were(ours: Any, tmp_path: Path) -> None:
    """Fractional labelmaps in a .seg.vtm: for VTK's reader, and for ours."""
    from vtkmodules.vtkIOXML import vtkXMLMultiBlockDataReader

    fractional = "Fractional labelmap"
    segmentation = ours.vtkSegmentation()
    segmentation.SetSourceRepresentationName(fractional)
    for number in range(2):
        segment = ours.vtkSegment()
        segment.SetName(f"part {number}")
        segment.AddRepresentation(fractional, _oblique_image(ours, number))
        assert segmentation.AddSegment(segment, f"s{number}")
    path = str(tmp_path / "parts.seg.vtm")
    writer = ours.vtkSegmentationFileWriter()
    writer.SetFileName(path)
    assert writer.Write(segmentation), writer.GetLastError()
    plain = vtkXMLMultiBlockDataReader()
    plain.SetFileName(path)
    plain.Update()
    loaded = ours.vtkSegmentation()
    reader = ours.vtkSegmentationFileReader()
    reader.SetFileName(path)
    assert reader.Read(loaded), reader.GetLastError()
    for number in range(2):
        expected = _placed(_oblique_image(ours, number))
        assert _placed(plain.GetOutput().GetBlock(number)) == expected
        assert _placed(loaded.GetSegmentRepresentation(f"s{number}", fractional)) == expected


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
