"""Containers, history and editor beyond 2^31 voxels, with labels above 32,767.

Not among the tests of every day: half a minute, and up to 5 GB of memory. Run it with

    make test ARGS='-m large'

The volumes are made of zeros that the system does not store until somebody writes them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy

pytestmark = [pytest.mark.python, pytest.mark.large]

SIZE = 1300  # 2.197e9 voxels; the last 49 million have numbers that 31 bits do not hold
BINARY = "Binary labelmap"
FAR = SIZE - 20
HIGH, LOW = 40_000, 3
LARGEST = 50_000  # of another segment


@pytest.fixture(scope="module")
def ours() -> Any:
    return pytest.importorskip("segmentationcore.SegmentationCoreDataModel")


def oriented(ours: Any, volume: np.ndarray, first: tuple[int, int, int] = (0, 0, 0)) -> Any:
    """An image of an array (z, y, x) whose first voxel has an index (x, y, z); shares memory."""
    image = ours.vtkOrientedImageData()
    extent = [
        at
        for start, count in zip(first, volume.shape[::-1], strict=True)
        for at in (start, start + count - 1)
    ]
    image.SetExtent(*extent)
    image.SetSpacing(0.5, 0.5, 0.75)
    image.GetPointData().SetScalars(numpy_to_vtk(volume.ravel()))
    return image


def view(segmentation: Any, identifier: str) -> np.ndarray:
    """The voxels of a segment's layer."""
    image = segmentation.GetSegmentRepresentation(identifier, BINARY)
    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1])


def box(at: int) -> tuple[slice, ...]:
    return (slice(at, at + 10),) * 3


def test_a_layer_beyond_31_bits(ours: Any) -> None:
    volume = np.zeros((SIZE,) * 3, np.uint16)
    assert volume.size > 2**31
    volume[0, 0, 0] = volume[-1, -1, -1] = LARGEST  # so that the layer stays as large
    volume[box(100)] = LOW
    volume[box(FAR)] = HIGH
    image = oriented(ours, volume)
    segmentation = ours.vtkSegmentation()
    for identifier, label in (("low", LOW), ("high", HIGH), ("corners", LARGEST)):
        segment = ours.vtkSegment()
        segment.SetName(identifier)
        segment.SetLabelValue(label)
        segment.AddRepresentation(BINARY, image)
        assert segmentation.AddSegment(segment, identifier)
    assert segmentation.GetNumberOfLayers() == 1
    assert segmentation.GetUniqueLabelValueForSharedLabelmap(image) == LARGEST + 1
    mode = segmentation.EXTENT_UNION_OF_EFFECTIVE_SEGMENTS
    extent = segmentation.DetermineCommonLabelmapGeometry(mode, None).split(";")[16:22]
    assert [int(text) for text in extent] == [0, SIZE - 1] * 3

    history = ours.vtkSegmentationHistory()
    history.SetSegmentation(segmentation)
    assert history.SaveState()
    kept = history.GetMemory()
    assert kept < 1e7

    # A stroke at the far end, beside and over what is there.
    modifier = ours.vtkSegmentationModifier
    start = FAR + 5
    brush = oriented(ours, np.ones((10, 10, 10), np.uint8), (start, start, start))
    before = view(segmentation, "low")
    assert modifier.ModifyBinaryLabelmapUsingArrays(
        brush, segmentation, "low", modifier.MODE_MERGE_MASK, _texts("low", "high"), None
    )
    assert np.shares_memory(before[-30:, -30:, -30:], view(segmentation, "low")[-30:, -30:, -30:])
    corner = np.zeros((20, 20, 20), np.uint16)
    corner[-1, -1, -1] = LARGEST
    corner[:10, :10, :10] = HIGH
    drawn = corner.copy()
    drawn[5:15, 5:15, 5:15] = LOW

    def far() -> np.ndarray:
        return view(segmentation, "low")[FAR:, FAR:, FAR:]

    np.testing.assert_array_equal(far(), drawn)
    assert history.SaveState()
    assert history.RestorePreviousState()
    np.testing.assert_array_equal(far(), corner)
    assert history.RestoreNextState()
    np.testing.assert_array_equal(far(), drawn)
    assert history.GetMemory() < kept + 1e6

    # An edit that nobody noted: all voxels are compared.
    layer = segmentation.GetSegmentRepresentation("low", BINARY)
    far()[-3, -2, -4] = HIGH
    layer.GetPointData().GetScalars().Modified()
    layer.Modified()
    assert history.SaveState()
    assert history.RestorePreviousState()
    np.testing.assert_array_equal(far(), drawn)

    # A segment leaves the layer, and comes back by packing.
    segmentation.SeparateSegmentLabelmap("high")
    assert segmentation.GetNumberOfLayers() == 2
    own = view(segmentation, "high")[FAR:, FAR:, FAR:]
    np.testing.assert_array_equal(own, drawn == HIGH)
    np.testing.assert_array_equal(far(), np.where(drawn == HIGH, 0, drawn))
    del before, own
    history.RemoveAllStates()
    segmentation.CollapseBinaryLabelmaps(False)
    assert segmentation.GetNumberOfLayers() == 1
    label = segmentation.GetSegment("high").GetLabelValue()
    assert label == LARGEST + 1
    np.testing.assert_array_equal(far(), np.where(drawn == HIGH, label, drawn))
    np.testing.assert_array_equal(view(segmentation, "low")[box(100)], LOW)


def _texts(*values: str) -> Any:
    from vtkmodules.vtkCommonCore import vtkStringArray

    array = vtkStringArray()
    for value in values:
        array.InsertNextValue(value)
    return array
