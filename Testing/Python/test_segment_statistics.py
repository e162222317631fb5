"""Statistics against NumPy, SciPy, scikit-image and ITK (SimpleITK), and slow loops."""

from __future__ import annotations

import csv
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import segmentationcore
import SimpleITK
from sample_data import ALL_TYPES, INTEGER_TYPES, blob_labels, noise, smooth_volume
from scipy import ndimage
from segmentationcore import (
    Cancelled,
    Editor,
    LabelMap,
    SegmentationCoreError,
    segment_statistics,
    to_image,
    vtkLabelMapSegmentStatistics,
    write_segmentation,
)
from segmentationcore._registry import queries
from segmentationcore.cli import main
from skimage.measure import euler_number
from vtkmodules.vtkCommonCore import vtkSMPTools

pytestmark = pytest.mark.python

SHAPE = (14, 17, 19)
SPACING = (2.0, 0.7, 1.1)  # z, y, x


def ball(radius: float, spacing: tuple[float, float, float]) -> np.ndarray:
    """A ball whose centre is at no special place."""
    half = [int(radius / step) + 2 for step in spacing]
    axes = [(np.arange(-n, n + 1) + 0.23) * step for n, step in zip(half, spacing, strict=True)]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    return (z**2 + y**2 + x**2 <= radius**2).astype(np.uint8)


def corners(mask: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    """The corners of all voxels, in millimetres, in the order of the axes."""
    voxels = np.argwhere(mask)
    around = np.array([*itertools.product((-0.5, 0.5), repeat=3)])
    return np.unique((voxels[:, None] + around).reshape(-1, 3), axis=0) * spacing


def test_the_columns_are_those_that_are_declared() -> None:
    declared = queries()["segment_statistics"]["columns"]
    names = [name for column in declared for name in column["name"].split(", ")]
    labels = blob_labels(SHAPE, 3)
    labelmap = LabelMap(labels, (segmentationcore.Segment("a", 1),))
    table = segment_statistics(labelmap, labels, islands=True)
    assert list(table.dtype.names) == names
    table = segment_statistics(labels, shape=False, outline=False, surface=False)
    assert list(table.dtype.names) == [
        "label", "voxel_count", "volume_mm3", "volume_cm3", "volume_fraction",
    ]  # fmt: skip


@pytest.mark.parametrize("dtype", INTEGER_TYPES, ids=str)
def test_sizes_and_places(dtype: np.dtype[Any]) -> None:
    labels = (blob_labels(SHAPE, 3).astype(dtype) * 40).astype(dtype)  # 40, 80, 120
    table = segment_statistics(labels, spacing=SPACING)
    assert table["label"].tolist() == [40, 80, 120]
    for row in table:
        voxels = np.argwhere(labels == row["label"])
        assert row["voxel_count"] == len(voxels)
        assert row["volume_mm3"] == pytest.approx(len(voxels) * np.prod(SPACING))
        assert row["volume_cm3"] == pytest.approx(row["volume_mm3"] / 1000)
        assert row["volume_fraction"] == len(voxels) / labels.size
        extent = np.stack([voxels.min(axis=0), voxels.max(axis=0)], axis=1).ravel()
        assert row["extent"].tolist() == extent.tolist()
        assert row["centroid"] == pytest.approx(voxels.mean(axis=0) * SPACING)
        covariance = np.cov((voxels * SPACING).T, bias=True)
        assert row["principal_moments"] == pytest.approx(np.linalg.eigvalsh(covariance))
        for moment, axis in zip(row["principal_moments"], "xyz", strict=True):
            vector = row[f"principal_axis_{axis}"]
            assert covariance @ vector == pytest.approx(moment * vector, abs=1e-9)
            assert np.linalg.norm(vector) == pytest.approx(1.0)


def test_as_itk_in_an_oblique_image() -> None:
    labels = blob_labels(SHAPE, 5)
    image = to_image(labels, spacing=SPACING)
    image.SetExtent(-3, SHAPE[2] - 4, 5, SHAPE[1] + 4, 0, SHAPE[0] - 1)
    image.SetOrigin(12.5, -7.25, 100.0)
    turn = np.array([[0.6, -0.8, 0.0], [0.8, 0.6, 0.0], [0.0, 0.0, 1.0]])
    image.SetDirectionMatrix([*turn.ravel()])
    table = segment_statistics(image)
    other = SimpleITK.GetImageFromArray(labels)
    other.SetSpacing(SPACING[::-1])
    other.SetDirection([*turn.ravel()])
    first = np.array(image.GetOrigin()) + turn @ (np.array([-3, 5, 0]) * SPACING[::-1])
    other.SetOrigin(first.tolist())
    itk = SimpleITK.LabelShapeStatisticsImageFilter()
    itk.ComputeOrientedBoundingBoxOn()
    itk.ComputeFeretDiameterOn()
    itk.ComputePerimeterOn()
    itk.Execute(other)
    assert table["label"].tolist() == [*itk.GetLabels()]
    for row in table:
        label = int(row["label"])
        assert row["voxel_count"] == itk.GetNumberOfPixels(label)
        assert row["volume_mm3"] == pytest.approx(itk.GetPhysicalSize(label))
        assert row["centroid"] == pytest.approx(itk.GetCentroid(label))
        assert row["principal_moments"] == pytest.approx(itk.GetPrincipalMoments(label))
        assert row["flatness"] == pytest.approx(itk.GetFlatness(label))
        assert row["elongation"] == pytest.approx(itk.GetElongation(label))
        assert row["obb_diameter_mm"] == pytest.approx(itk.GetOrientedBoundingBoxSize(label))
        axes = np.array(itk.GetPrincipalAxes(label)).reshape(3, 3)
        for axis, direction in zip("xyz", axes, strict=True):
            for column in (f"principal_axis_{axis}", f"obb_direction_{axis}"):
                assert abs(row[column] @ direction) == pytest.approx(1.0)
        # ITK's is between centres of voxels.
        diagonal = float(np.linalg.norm(SPACING))
        assert 0 < row["feret_diameter_mm"] - itk.GetFeretDiameter(label) <= diagonal
        # The box holds the segment and touches it on all sides.
        matrix = np.array([row[f"obb_direction_{axis}"] for axis in "xyz"])
        assert np.linalg.det(matrix) == pytest.approx(1.0)
        points = corners(labels == label, SPACING)[:, ::-1] @ turn.T + first
        inside = (points - row["obb_origin"]) @ matrix.T
        assert inside.min(axis=0) == pytest.approx(np.zeros(3), abs=1e-9)
        assert inside.max(axis=0) == pytest.approx(row["obb_diameter_mm"])


def test_feret_diameters_by_many_directions() -> None:
    labels = blob_labels((9, 10, 11), 4)
    table = segment_statistics(labels, spacing=SPACING, shape=False, surface=False)
    theta, phi = np.meshgrid(np.linspace(0, np.pi, 300), np.linspace(0, np.pi, 300))
    directions = np.stack(
        [np.cos(theta), np.sin(theta) * np.sin(phi), np.sin(theta) * np.cos(phi)]
    ).reshape(3, -1)
    for row in table:
        points = corners(labels == row["label"], SPACING)
        along = points @ directions
        widths = along.max(axis=0) - along.min(axis=0)
        largest = np.linalg.norm(points[:, None] - points[None], axis=2).max()
        assert row["feret_diameter_mm"] == pytest.approx(largest)
        # A direction is at most a hundredth of a radian away from the best one.
        assert widths.min() - 0.015 * largest < row["minimum_feret_diameter_mm"]
        assert row["minimum_feret_diameter_mm"] < widths.min() + 1e-9


def test_a_single_voxel_has_the_size_of_a_voxel() -> None:
    labels = np.zeros((1, 1, 1), np.uint8) + np.uint8(7)
    row = segment_statistics(labels, spacing=(2.0, 3.0, 4.0))[0]
    assert row["feret_diameter_mm"] == pytest.approx(np.sqrt(4 + 9 + 16))
    assert row["minimum_feret_diameter_mm"] == pytest.approx(2.0)
    assert sorted(row["obb_diameter_mm"]) == pytest.approx([2.0, 3.0, 4.0])
    assert row["principal_moments"].tolist() == [0, 0, 0]
    assert row["euler_number_6"] == row["euler_number_26"] == 1
    assert row["volume_fraction"] == 1.0


@pytest.mark.parametrize("spacing", [(1, 1, 1), (0.8, 1.0, 1.3), (2.0, 0.5, 0.5)])
def test_the_surface_of_balls(spacing: tuple[float, float, float]) -> None:
    for radius in (8.0, 15.0):
        labels = ball(radius, spacing)
        row = segment_statistics(labels, spacing=spacing, shape=False, outline=False)[0]
        area = 4 * np.pi * radius**2
        # Anisotropic voxels know the sphere in coarser directions.
        assert row["surface_area_mm2"] == pytest.approx(area, rel=0.01 if spacing[0] == 1 else 0.03)
        assert row["roundness"] == pytest.approx(1.0, abs=0.03)


def test_euler_numbers() -> None:
    for seed, percent in itertools.product((1, 2), (20, 50, 80)):
        mask = noise((9, 10, 11), seed) % np.uint64(100) < percent
        labels = np.where(mask, 2, 5).astype(np.int16)
        table = segment_statistics(labels, shape=False, outline=False)
        for row in table:
            own = labels == row["label"]
            assert row["euler_number_6"] == euler_number(own, connectivity=1)
            assert row["euler_number_26"] == euler_number(own, connectivity=3)
    ring = np.zeros((3, 5, 5), np.uint8)
    ring[1, 1:4, 1:4] = 1
    ring[1, 2, 2] = 0
    assert segment_statistics(ring)["euler_number_6"][0] == 0


@pytest.mark.parametrize(("connectivity", "order"), [(6, 1), (18, 2), (26, 3)])
def test_islands(connectivity: Any, order: int) -> None:
    labels = np.where(noise((9, 10, 11), 3) % np.uint64(100) < 30, 1, 0).astype(np.uint8)
    labels[noise((9, 10, 11), 4) % np.uint64(100) < 20] = 2
    table = segment_statistics(labels, islands=True, connectivity=connectivity, surface=False)
    for row in table:
        own = labels == row["label"]
        found, count = ndimage.label(own, ndimage.generate_binary_structure(3, order))
        assert row["island_count"] == count
        largest = np.bincount(found.ravel())[1:].max()
        assert row["connected_fraction"] == largest / own.sum()


@pytest.mark.parametrize("dtype", ALL_TYPES, ids=str)
def test_intensities(dtype: np.dtype[Any]) -> None:
    labels = blob_labels(SHAPE, 3)
    volume = smooth_volume(SHAPE, 8).astype(dtype)
    if dtype.kind == "f":
        volume = (volume * dtype.type(0.137) - dtype.type(3.3)).astype(dtype)
    elif dtype.itemsize > 1:
        volume = (volume * 7 - (300 if dtype.kind == "i" else 0)).astype(dtype)
    table = segment_statistics(labels, volume, outline=False, surface=False, shape=False)
    for row in table:
        values = volume[labels == row["label"]].astype(np.float64)
        assert row["intensity_voxel_count"] == values.size
        assert row["min"] == values.min()
        assert row["max"] == values.max()
        assert row["mean"] == pytest.approx(values.mean(), rel=1e-12, abs=1e-12)
        assert row["stdev"] == pytest.approx(values.std(ddof=1), rel=1e-11)
        for column, percent in (
            ("percentile_5", 5), ("percentile_25", 25), ("median", 50), ("percentile_75", 75),
            ("percentile_95", 95),
        ):  # fmt: skip
            assert row[column] == pytest.approx(np.percentile(values, percent), rel=1e-13)


def test_values_that_are_not_finite_are_left_out() -> None:
    labels = np.array([[[1, 1, 1, 2, 2, 3]]], np.uint8)
    volume = np.array([[[np.nan, 2.0, 4.0, np.inf, -np.inf, 5.0]]], np.float32)
    table = segment_statistics(labels, volume)
    assert table["intensity_voxel_count"].tolist() == [2, 0, 1]
    assert table["mean"].tolist()[::2] == [3.0, 5.0]
    assert np.isnan(table["mean"][1])
    assert np.isnan(table["median"][1])
    assert table["stdev"].tolist()[::2] == [pytest.approx(np.sqrt(2.0)), 0.0]


def test_many_labels_and_many_values() -> None:
    # Too many for a histogram of each: counted by the bits of keys, few at a time.
    labels = (np.arange(40 * 50 * 60, dtype=np.uint32) // 3 + 1).reshape(40, 50, 60)
    volume = (noise(labels.shape, 2) % np.uint64(60000)).astype(np.uint16)
    table = segment_statistics(labels, volume, shape=False, outline=False, surface=False)
    assert table["label"].tolist() == [*range(1, 40001)]
    values = np.sort(volume.reshape(-1, 3).astype(np.float64), axis=1)
    assert table["median"].tolist() == values[:, 1].tolist()
    assert table["min"].tolist() == values[:, 0].tolist()
    assert table["mean"] == pytest.approx(values.mean(axis=1))
    assert table["stdev"] == pytest.approx(values.std(axis=1, ddof=1))


def test_axes_numbers_and_threads_change_nothing() -> None:
    labels, volume = blob_labels(SHAPE, 6), smooth_volume(SHAPE, 7)
    table = segment_statistics(labels, volume, spacing=SPACING, islands=True)
    for order in itertools.permutations(range(3)):
        spacing = tuple(SPACING[axis] for axis in order)
        turned = segment_statistics(
            labels.transpose(order), volume.transpose(order), spacing=spacing, islands=True
        )
        for name in table.dtype.names:
            values = table[name]
            if name == "centroid":
                values = values[:, list(order)]
            # Axes may point the other way.
            if not any(part in name for part in ("extent", "obb_origin", "_axis_", "direction")):
                assert turned[name] == pytest.approx(values, rel=1e-9), name
    more = np.array([0, 7, 300, 5], np.uint16)[labels]
    rows = segment_statistics(more, volume, spacing=SPACING, islands=True)
    order_of_rows = np.argsort([7, 300, 5])
    assert rows["label"].tolist() == [5, 7, 300]
    for name in table.dtype.names[1:]:
        assert np.array_equal(rows[name], table[name][order_of_rows]), name
    for threads in (1, 2, 3):
        vtkSMPTools.SetBackend("STDThread")
        vtkSMPTools.Initialize(threads)
        again = segment_statistics(labels, volume, spacing=SPACING, islands=True)
        assert again.tobytes() == table.tobytes()


def test_the_input_stays_and_arrays_of_any_layout_work() -> None:
    labels, volume = blob_labels(SHAPE, 6), smooth_volume(SHAPE, 7)
    before = labels.tobytes() + volume.tobytes()
    table = segment_statistics(labels, volume)
    assert labels.tobytes() + volume.tobytes() == before
    again = segment_statistics(np.asfortranarray(labels), volume.astype(">i4"))
    assert again.tobytes() == table.tobytes()
    flat = segment_statistics(labels[4], volume[4], spacing=(0.7, 1.1))
    deep = segment_statistics(labels[4:5], volume[4:5], spacing=(1.0, 0.7, 1.1))
    assert flat.tobytes() == deep.tobytes()
    mask = labels == 1
    assert segment_statistics(mask)["voxel_count"].tolist() == [int(mask.sum())]


def test_no_labels_no_rows() -> None:
    labels = np.zeros((3, 4, 5), np.uint8)
    table = segment_statistics(labels, labels, islands=True)
    assert len(table) == 0
    assert "mean" in table.dtype.names


def test_segments_of_an_editor() -> None:
    volume = smooth_volume(SHAPE, 7)
    editor = Editor(volume, spacing=SPACING, origin=(100.0, 50.0, 20.0))
    for name in ("bright", "empty", "all"):
        editor.add_segment(name, name=name.title())
    editor.apply("threshold", "bright", minimum_threshold=60)
    editor.apply("logical", "all", operation="FILL")  # over the other one
    before = editor.operations
    table = editor.statistics(volume=volume, surface=False)
    assert editor.operations == before
    assert table["segment"].tolist() == ["bright", "empty", "all"]
    assert table["name"].tolist() == ["Bright", "Empty", "All"]
    inside = volume >= 60
    assert table["voxel_count"].tolist() == [int(inside.sum()), 0, volume.size]
    assert table["mean"][0] == pytest.approx(volume[inside].mean())
    assert np.isnan(table["mean"][1])
    assert table["volume_mm3"][1] == 0.0
    assert table["median"][2] == np.median(volume)
    centre = np.argwhere(inside).mean(axis=0) * SPACING + (100.0, 50.0, 20.0)
    assert table["centroid"][0] == pytest.approx(centre)
    labelmap = segment_statistics(editor.labels(), volume, spacing=SPACING, surface=False)
    assert labelmap["voxel_count"].tolist() == table["voxel_count"].tolist()
    with pytest.raises(TypeError, match=r"'surfaces'.*did you mean 'surface'"):
        editor.statistics(surfaces=False)
    with pytest.raises(ValueError, match="volume has the shape"):
        editor.statistics(volume=volume[1:])


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = blob_labels(SHAPE, 3)
    file, volume = tmp_path / "a.seg.nrrd", tmp_path / "v.nrrd"
    segments = tuple(segmentationcore.Segment(f"s{n}", n) for n in (3, 1, 2))
    write_segmentation(file, LabelMap(to_image(labels, spacing=SPACING, name="Labels"), segments))
    segmentationcore.write_volume(volume, to_image(smooth_volume(SHAPE, 7), spacing=SPACING))
    assert main(["statistics", str(file), "--set", "Surface=false"]) == 0
    rows = [*csv.DictReader(capsys.readouterr().out.splitlines())]
    assert [row["segment"] for row in rows] == ["s3", "s1", "s2"]
    assert [int(row["voxel_count"]) for row in rows] == [
        int((labels == n).sum()) for n in (3, 1, 2)
    ]
    assert "centroid_2" in rows[0]
    assert "surface_area_mm2" not in rows[0]
    out = tmp_path / "out.json"
    assert main(["statistics", str(file), "--volume", str(volume), "-o", str(out)]) == 0
    told = json.loads(out.read_text())
    assert told[1]["name"] == "s1"
    assert told[1]["mean"] == pytest.approx(smooth_volume(SHAPE, 7)[labels == 1].mean())
    assert len(told[1]["obb_origin"]) == 3
    assert main(["statistics", str(file), "-o", str(tmp_path / "out.txt")]) == 2
    assert ".csv or .json" in capsys.readouterr().err
    assert main(["statistics", str(file), "--set", "Surfaces=false"]) == 2


def test_wrong_arguments() -> None:
    labels = blob_labels(SHAPE, 3)
    with pytest.raises(SegmentationCoreError, match="floating values"):
        segment_statistics(labels.astype(np.float32))
    with pytest.raises(SegmentationCoreError, match="-1, expected labels"):
        segment_statistics(labels.astype(np.int16) - np.int16(1))
    with pytest.raises(ValueError, match="volume has the shape"):
        segment_statistics(labels, labels[1:])
    with pytest.raises(TypeError, match="same kind"):
        segment_statistics(labels, to_image(labels))
    with pytest.raises(TypeError, match="spacing"):
        segment_statistics(to_image(labels), spacing=(1, 1, 1))
    with pytest.raises(ValueError, match="connectivity"):
        segment_statistics(labels, connectivity=7)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="labels"):
        segment_statistics([1, 2])  # type: ignore[arg-type]
    moved = to_image(labels)
    moved.SetOrigin(0.4, 0.0, 0.0)
    with pytest.raises(SegmentationCoreError, match="resample"):
        segment_statistics(to_image(labels), moved)


def test_progress_and_cancelling() -> None:
    labels, volume = np.tile(blob_labels(SHAPE, 3), (2, 2, 2)), np.zeros((28, 34, 38), np.float32)
    seen: list[float] = []
    segment_statistics(labels, volume, islands=True, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert len(seen) > 5
    for calls in (1, 3):
        count = itertools.count(1)
        with pytest.raises(Cancelled):
            segment_statistics(labels, volume, progress=lambda _, c=count, n=calls: next(c) < n)
    algorithm = vtkLabelMapSegmentStatistics()
    algorithm.SetInputDataObject(to_image(labels))
    algorithm.SetConnectivity(5)
    algorithm.Update()
    assert "Connectivity" in algorithm.GetLastError()
    assert algorithm.GetOutput().GetNumberOfColumns() == 0
    algorithm.SetConnectivity(18)
    algorithm.Update()
    assert algorithm.GetLastError() == ""
    assert algorithm.GetOutput().GetNumberOfRows() == 3
