"""Files against the programs that others use: SimpleITK (ITK), pynrrd, Slicer's storage node."""

from __future__ import annotations

import gzip
import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nrrd
import numpy as np
import pytest
import SimpleITK
from sample_data import TEMPLATES, noise
from segmentationcore import (
    Segment,
    SegmentationCoreError,
    read_segmentation,
    read_segments,
    vtkLabelMapNrrdReader,
    vtkLabelMapNrrdWriter,
    vtkRASVolumeReader,
    vtkRASVolumeWriter,
    write_segments,
)
from segmentationcore.demo.rock import rock
from slicer_files import slicer_read, slicer_write
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkSMPTools
from vtkmodules.vtkCommonDataModel import vtkImageData

pytestmark = pytest.mark.python

# An oblique, anisotropic lattice (x, y, z), and one that is left-handed besides.
ORIGIN = [10.25, -20.5, 30.125]
SPACING = [0.7, 1.3, 2.0]
OBLIQUE = np.reshape(SimpleITK.Euler3DTransform((0, 0, 0), 0.3, -0.2, 0.5).GetMatrix(), (3, 3))
DIRECTIONS = {"oblique": OBLIQUE, "left-handed": OBLIQUE @ np.diag([1.0, 1.0, -1.0])}
LPS = np.diag([-1.0, -1.0, 1.0])


def image_of(
    arrays: dict[str, np.ndarray],
    direction: np.ndarray = OBLIQUE,
    start: tuple[int, int, int] = (0, 0, 0),
) -> Any:
    """vtkImageData with these point arrays (z, y, x)."""
    image = vtkImageData()
    shape = next(iter(arrays.values())).shape
    image.SetExtent([v for s, n in zip(start, shape[2::-1], strict=True) for v in (s, s + n - 1)])
    image.SetOrigin(ORIGIN)
    image.SetSpacing(SPACING)
    image.SetDirectionMatrix(*direction.ravel().tolist())
    for name, array in arrays.items():
        components = 1 if array.ndim == 3 else array.shape[3]
        data = numpy_to_vtk(np.ascontiguousarray(array).reshape(-1, components), deep=1)
        data.SetName(name)
        image.GetPointData().AddArray(data)
    image.GetPointData().SetActiveScalars(next(iter(arrays)))
    return image


def array_of(image: Any, name: str | None = None) -> np.ndarray:
    scalars = image.GetPointData().GetArray(name) if name else image.GetPointData().GetScalars()
    shape = image.GetDimensions()[::-1]
    if scalars.GetNumberOfComponents() > 1:
        shape = (*shape, scalars.GetNumberOfComponents())
    return vtk_to_numpy(scalars).reshape(shape)


def matrix_of(image: Any) -> np.ndarray:
    """Index to world, 4 x 4."""
    direction = image.GetDirectionMatrix()
    matrix = np.eye(4)
    matrix[:3, :3] = [[direction.GetElement(i, j) for j in range(3)] for i in range(3)]
    matrix[:3, :3] *= image.GetSpacing()
    matrix[:3, 3] = image.GetOrigin()
    return matrix


def run(algorithm: Any) -> Any:
    """Update; errors must not be overlooked."""
    algorithm.UpdateWholeExtent()
    assert algorithm.GetLastError() == ""
    return algorithm.GetOutputDataObject(0)


def read(kind: Any, path: Path) -> Any:
    reader = kind()
    reader.SetFileName(str(path))
    assert reader.CanReadFile(str(path))
    return run(reader)


def write(kind: Any, path: Path, image: Any, **options: Any) -> None:
    writer = kind()
    writer.SetFileName(str(path))
    writer.SetInputDataObject(image)
    for name, value in options.items():
        getattr(writer, f"Set{name}")(value)
    assert writer.Write() == 1
    assert writer.GetLastError() == ""


def failure(algorithm: Any) -> str:
    """Update an algorithm that fails; nothing of it is printed."""
    algorithm.AddObserver("ErrorEvent", lambda *_: None)
    algorithm.GetExecutive().AddObserver("ErrorEvent", lambda *_: None)
    algorithm.Update()
    return str(algorithm.GetLastError())


def itk_matrix(image: Any) -> np.ndarray:
    """Index to world as ITK sees it, in RAS."""
    matrix = np.eye(4)
    matrix[:3, :3] = (
        LPS @ np.array(image.GetDirection()).reshape(3, 3) @ np.diag(image.GetSpacing())
    )
    matrix[:3, 3] = LPS @ np.array(image.GetOrigin())
    return matrix


# ---------------------------------------------------------------------------------------------
# Volumes


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("turn", DIRECTIONS)
@pytest.mark.parametrize(
    "dtype", ["u1", "i1", "<u2", ">i2", "<i4", "<u4", "<i8", "<u8", "<f4", ">f4", "<f8"]
)
def test_nrrd_of_itk_is_read(tmp_path: Path, dtype: str, turn: str, compressed: bool) -> None:
    array = (noise((4, 5, 6), 1) % np.uint64(100)).astype(np.dtype(dtype).newbyteorder("="))
    image = SimpleITK.GetImageFromArray(array)
    image.SetOrigin(ORIGIN)
    image.SetSpacing(SPACING)
    image.SetDirection(DIRECTIONS[turn].ravel().tolist())
    path = tmp_path / "v.nrrd"
    SimpleITK.WriteImage(image, str(path), useCompression=compressed)
    got = read(vtkRASVolumeReader, path)
    np.testing.assert_array_equal(array_of(got), array)
    assert array_of(got).dtype == array.dtype
    np.testing.assert_allclose(matrix_of(got), itk_matrix(image), rtol=0, atol=1e-12)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("turn", DIRECTIONS)
@pytest.mark.parametrize("name", ["v.nrrd", "v.nhdr"])
def test_itk_reads_what_is_written(tmp_path: Path, name: str, turn: str, compressed: bool) -> None:
    array = (noise((4, 5, 6), 2) % np.uint64(30000)).astype(np.int16)
    source = image_of({"a": array}, DIRECTIONS[turn], start=(3, -2, 5))
    before = source.GetMTime()
    write(vtkRASVolumeWriter, tmp_path / name, source, UseCompression=compressed)
    assert source.GetMTime() == before
    got = SimpleITK.ReadImage(str(tmp_path / name))
    np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(got), array)
    shift = np.eye(4)
    shift[:3, 3] = (3, -2, 5)
    np.testing.assert_allclose(itk_matrix(got), matrix_of(source) @ shift, rtol=0, atol=1e-12)
    again = read(vtkRASVolumeReader, tmp_path / name)
    np.testing.assert_array_equal(array_of(again), array)
    np.testing.assert_allclose(matrix_of(again), matrix_of(source) @ shift, rtol=0, atol=1e-12)
    assert len(list(tmp_path.iterdir())) == (2 if name.endswith("nhdr") else 1)


@pytest.mark.parametrize("components", [2, 3, 4, 6])
def test_vectors_both_ways(tmp_path: Path, components: int) -> None:
    array = (noise((3, 4, 5, components), 3) % np.uint64(256)).astype(np.uint8)
    write(vtkRASVolumeWriter, tmp_path / "v.nrrd", image_of({"a": array}))
    got = SimpleITK.ReadImage(str(tmp_path / "v.nrrd"))
    assert got.GetNumberOfComponentsPerPixel() == components
    np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(got), array)
    np.testing.assert_array_equal(array_of(read(vtkRASVolumeReader, tmp_path / "v.nrrd")), array)
    SimpleITK.WriteImage(got, str(tmp_path / "i.nrrd"), useCompression=True)
    np.testing.assert_array_equal(array_of(read(vtkRASVolumeReader, tmp_path / "i.nrrd")), array)


@pytest.mark.parametrize("encoding", ["raw", "gzip", "ascii"])
@pytest.mark.parametrize("space", ["right-anterior-superior", "left-anterior-superior", "LPS"])
def test_pynrrd_in_every_space(tmp_path: Path, space: str, encoding: str) -> None:
    array = (noise((6, 5, 4), 4) % np.uint64(1000)).astype(np.uint16)  # x, y, z
    signs = {"r": (1, 1), "l": (-1, 1)}.get(space[0], (-1, -1))
    directions = (OBLIQUE * SPACING).T
    header = {
        "space": space,
        "space directions": directions,
        "space origin": ORIGIN,
        "encoding": encoding,
    }
    nrrd.write(str(tmp_path / "p.nrrd"), array, header)
    got = read(vtkRASVolumeReader, tmp_path / "p.nrrd")
    np.testing.assert_array_equal(array_of(got), array.T)
    to_ras = np.diag([*signs, 1.0])
    np.testing.assert_allclose(matrix_of(got)[:3, :3], to_ras @ directions.T, atol=1e-12)
    np.testing.assert_allclose(matrix_of(got)[:3, 3], to_ras @ ORIGIN, atol=1e-12)


def test_pynrrd_reads_what_is_written(tmp_path: Path) -> None:
    array = (noise((4, 5, 6), 5) % np.uint64(1000)).astype(np.float32)
    write(vtkRASVolumeWriter, tmp_path / "v.nrrd", image_of({"a": array}))
    got, header = nrrd.read(str(tmp_path / "v.nrrd"))
    np.testing.assert_array_equal(got, array.T)
    np.testing.assert_allclose(
        header["space directions"], (LPS @ (OBLIQUE * SPACING)).T, atol=1e-12
    )


@pytest.mark.parametrize(
    "header",
    [
        "spacings: 1 2 3\naxis mins: 10 20 30",
        "spacings: 1 2 3\naxis mins: 10 20 30\ncenters: node node node",
        "spacings: 1 2 3",
        "space: 3D-right-handed\nspace directions: (1,0,0) (0,0,2) (0,3,0)\nspace origin: (1,2,3)",
        "space dimension: 3\nspace directions: (1,0,0) (0,2,0) (0,0,3)\nspace origin: (1,2,3)",
    ],
)
def test_without_anatomical_space_as_itk(tmp_path: Path, header: str) -> None:
    path = tmp_path / "v.nrrd"
    text = f"NRRD0004\ntype: uint8\nencoding: raw\ndimension: 3\nsizes: 2 3 4\n{header}\n\n"
    path.write_bytes(text.encode() + bytes(range(24)))
    expected = itk_matrix(SimpleITK.ReadImage(str(path)))
    np.testing.assert_allclose(matrix_of(read(vtkRASVolumeReader, path)), expected, atol=1e-12)


@pytest.mark.parametrize(
    "name",
    ["ch2.nii.gz", "aal.nii.gz", "inia19-t1-brain.nii.gz", "JHU-WhiteMatter-labels-2mm.nii.gz"],
)
def test_real_nifti_as_itk(name: str) -> None:
    if not (TEMPLATES / name).exists():
        pytest.skip("mricron-data is not installed")
    expected = SimpleITK.ReadImage(str(TEMPLATES / name))
    got = read(vtkRASVolumeReader, TEMPLATES / name)
    np.testing.assert_array_equal(array_of(got), SimpleITK.GetArrayFromImage(expected))
    np.testing.assert_allclose(matrix_of(got), itk_matrix(expected), atol=1e-4)  # float headers


def nifti_header(**given: Any) -> bytearray:
    """A NIfTI-1 header of 2 x 3 x 4 voxels of one byte, from the format's definition."""
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, *given.get("dim", (3, 2, 3, 4, 1, 1, 1, 1)))
    struct.pack_into("<2h", header, 70, *given.get("type", (2, 8)))
    struct.pack_into("<8f", header, 76, given.get("qfac", 1), 1, 2, 3, 1, 1, 1, 1)
    struct.pack_into("<3f", header, 108, 352, given.get("slope", 0), given.get("intercept", 0))
    header[123] = 2
    struct.pack_into("<2h", header, 252, given.get("qform", 0), given.get("sform", 0))
    struct.pack_into("<6f", header, 256, *given.get("quatern", (0, 0, 0)), 10, 20, 30)
    struct.pack_into("<12f", header, 280, *np.ravel(given.get("matrix", np.zeros(12))))
    header[344:348] = b"n+1\0"
    return header


SFORM = np.array([[0.8, -1.2, 0, 10], [0.6, 1.6, 0, 20], [0, 0, 3, 30]])
NIFTIS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "qform": {"qform": 1, "quatern": (0.1, -0.3, 0.6)},
    "half turn": {"qform": 1, "quatern": (0.6, 0.8, 0.0)},
    "left-handed qform": {"qform": 1, "quatern": (0.1, -0.3, 0.6), "qfac": -1},
    "sform": {"sform": 1, "matrix": SFORM},
    "left-handed sform": {"sform": 4, "matrix": SFORM * [1, 1, -1, 1]},
    "sform before qform": {"sform": 1, "qform": 1, "matrix": SFORM},
    "scaled": {"sform": 1, "matrix": SFORM, "slope": 2.0, "intercept": -3.0},
    "scaled shorts": {"sform": 1, "matrix": SFORM, "slope": 0.5, "type": (4, 16)},
}


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
@pytest.mark.parametrize("case", NIFTIS)
def test_nifti_orientation_as_itk(tmp_path: Path, case: str, ending: str) -> None:
    size = NIFTIS[case].get("type", (2, 8))[1] // 8
    data = bytes(nifti_header(**NIFTIS[case])) + bytes(range(24 * size))
    path = tmp_path / ("v" + ending)
    path.write_bytes(gzip.compress(data) if ending.endswith("gz") else data)
    expected = SimpleITK.ReadImage(str(path))
    got = read(vtkRASVolumeReader, path)
    np.testing.assert_allclose(matrix_of(got), itk_matrix(expected), atol=1e-5)
    np.testing.assert_array_equal(array_of(got), SimpleITK.GetArrayFromImage(expected))
    assert array_of(got).dtype == SimpleITK.GetArrayFromImage(expected).dtype


def test_nifti_written_by_itk(tmp_path: Path) -> None:
    array = (noise((4, 5, 6), 6) % np.uint64(1000)).astype(np.int32)
    image = SimpleITK.GetImageFromArray(array)
    image.SetOrigin(ORIGIN)
    image.SetSpacing(SPACING)
    image.SetDirection(OBLIQUE.ravel().tolist())
    for name in ("v.nii", "v.nii.gz", "v.hdr"):  # the last one with v.img beside it
        SimpleITK.WriteImage(image, str(tmp_path / name))
        got = read(vtkRASVolumeReader, tmp_path / name)
        np.testing.assert_array_equal(array_of(got), array)
        np.testing.assert_allclose(matrix_of(got), itk_matrix(image), atol=1e-4)


@pytest.mark.parametrize("ending", ["nrrd", "nii", "nii.gz"])
def test_part_equals_part_of_whole(tmp_path: Path, ending: str) -> None:
    array = (noise((7, 8, 9), 7) % np.uint64(60000)).astype(np.uint16)
    path = tmp_path / f"v.{ending}"
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(array), str(path))
    reader = vtkRASVolumeReader()
    reader.SetFileName(str(path))
    reader.UpdateInformation()
    assert reader.GetOutputInformation(0).Has(reader.CAN_PRODUCE_SUB_EXTENT())
    for extent in ([2, 6, 1, 3, 4, 5], [0, 8, 0, 7, 3, 3], [8, 8, 7, 7, 6, 6]):
        reader.UpdateExtent(extent)
        got = reader.GetOutput()
        assert list(got.GetExtent()) == extent
        x0, x1, y0, y1, z0, z1 = extent
        np.testing.assert_array_equal(array_of(got), array[z0 : z1 + 1, y0 : y1 + 1, x0 : x1 + 1])


def test_refusals_name_the_file_and_the_reason(tmp_path: Path) -> None:
    header = b"NRRD0004\ntype: uint8\nencoding: raw\ndimension: 1\nsizes: 4\n"
    cases: dict[str, tuple[bytes, str]] = {
        "none.nrrd": (b"", "neither"),
        "time.nii": (bytes(nifti_header(dim=(4, 2, 3, 4, 5, 1, 1, 1))) + bytes(120), "time series"),
        "complex.nii": (bytes(nifti_header(type=(32, 64))) + bytes(192), "complex"),
        "short.nii": (bytes(nifti_header()) + bytes(23), "24 bytes"),
        "list.nhdr": (
            header + b"data file: LIST\na\nb\n",
            "several files",
        ),
        "elsewhere.nhdr": (
            header + b"data file: /etc/hosts\n",
            "not in the header's folder",
        ),
        "bad.vti": (b"<?xml", "XML"),
    }
    for name, (data, reason) in cases.items():
        (tmp_path / name).write_bytes(data)
        reader = vtkRASVolumeReader()
        reader.SetFileName(str(tmp_path / name))
        text = failure(reader)
        assert str(tmp_path / name) in text
        assert reason in text
    reader = vtkRASVolumeReader()
    assert "FileName" in failure(reader)
    reader.SetFileName(str(tmp_path / "missing.nrrd"))
    assert "no such file" in failure(reader)


# ---------------------------------------------------------------------------------------------
# Segmentations


def sample(start: tuple[int, int, int] = (0, 0, 0), direction: np.ndarray = OBLIQUE) -> Any:
    """Three segments in two layers, which overlap."""
    labels = np.zeros((6, 7, 8), np.uint8)
    labels[1:4, 2:5, 1:4] = 1
    labels[2:5, 2:5, 5:7] = 3
    overlay = np.zeros_like(labels)
    overlay[2:4, 1:6, 2:7] = 2
    image = image_of({"Labels": labels, "Labels_1": overlay}, direction, start)
    write_segments(
        image,
        [
            Segment(
                "first", 1, name="Première", color=(1.0, 0.5, 0.1), tags={"plain": "a:b 50% c"}
            ),
            Segment("second", 3, name="Two", status=2, name_auto_generated=True),
            Segment("over", 2, name="Over", layer=1, color=(0.0, 0.25, 1.0)),
        ],
    )
    return image


def positions(image: Any, segment: Segment) -> np.ndarray:
    """World positions of a segment's voxels, sorted."""
    where = np.argwhere(array_of(image, segment.array_name) == segment.label_value)[:, ::-1]
    where = where + np.array(image.GetExtent()[::2])
    matrix = matrix_of(image)
    return in_order(where @ matrix[:3, :3].T + matrix[:3, 3])


def in_order(points: np.ndarray) -> np.ndarray:
    rounded = points.round(6)
    return points[np.lexsort(rounded.T)]


@pytest.mark.slicer
@pytest.mark.parametrize("crop", [False, True])
@pytest.mark.parametrize("turn", DIRECTIONS)
@pytest.mark.parametrize("start", [(0, 0, 0), (-3, 2, 5)], ids=["zero", "offset"])
def test_slicer_reads_what_is_written(
    tmp_path: Path, slicer_python: str, turn: str, crop: bool, start: tuple[int, int, int]
) -> None:
    image = sample(start, DIRECTIONS[turn])
    path = tmp_path / "s.seg.nrrd"
    write(vtkLabelMapNrrdWriter, path, image, CropToMinimumExtent=crop)
    found = slicer_read(slicer_python, path)
    assert [row["id"] for row in found] == ["first", "second", "over"]
    assert [row["name"] for row in found] == ["Première", "Two", "Over"]
    assert [row["label"] for row in found] == [1, 3, 2]
    assert [row["layer"] for row in found] == [0, 0, 1]
    assert [row["name_auto"] for row in found] == [False, True, False]
    assert found[0]["tags"]["plain"] == "a:b 50% c"
    assert found[1]["status"] == 2
    np.testing.assert_allclose(found[0]["color"], (1.0, 0.5, 0.1))
    extent = [int(value) for value in found[0]["reference"].split(";")[16:22]]
    assert extent == list(image.GetExtent())
    for row, segment in zip(found, read_segments(image), strict=True):
        assert len(row["voxels"]) > 0
        np.testing.assert_allclose(in_order(row["voxels"]), positions(image, segment), atol=1e-9)


@pytest.mark.slicer
@pytest.mark.parametrize("crop", [False, True])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("start", [(0, 0, 0), (2, -1, 4)], ids=["zero", "offset"])
def test_what_slicer_writes_is_read(
    tmp_path: Path, slicer_python: str, layers: int, crop: bool, start: tuple[int, int, int]
) -> None:
    image = sample(start)
    rows: list[dict[str, Any]] = [
        {"id": "first", "name": "First é", "color": (1.0, 0.5, 0.1), "label": 1, "layer": 0},
        {"id": "second", "name": "", "color": (0.0, 1.0, 0.0), "label": 3, "layer": 0},
        {"id": "over", "name": "Over", "color": (0.0, 0.0, 1.0), "label": 2, "layer": 1},
    ]
    rows[0]["tags"] = {"odd": '100% a:b\\c\nnewline "quoted" %7C', "Segmentation.Status": "flagged"}
    rows = [row for row in rows if row["layer"] < layers]
    path = tmp_path / "s.seg.nrrd"
    slicer_write(
        slicer_python,
        path,
        [array_of(image, f"Labels{'_1' * layer}") for layer in range(layers)],
        rows,
        origin=ORIGIN,
        spacing=SPACING,
        direction=OBLIQUE.tolist(),
        start=start,
        crop=crop,
    )
    got = read(vtkLabelMapNrrdReader, path)
    assert got.GetExtent() == image.GetExtent()
    np.testing.assert_allclose(matrix_of(got), matrix_of(image), atol=1e-12)
    segments = read_segments(got)
    assert [segment.id for segment in segments] == [row["id"] for row in rows]
    assert segments[0].name == "First é"
    assert segments[0].tags["odd"] == rows[0]["tags"]["odd"]
    assert segments[0].status == 3
    assert "Segmentation.Status" not in segments[0].tags
    assert segments[0].tags["TerminologyEntry"].startswith("Segmentation category")
    np.testing.assert_allclose(segments[0].color, (1.0, 0.5, 0.1), atol=1e-6)
    for segment, row in zip(segments, rows, strict=True):
        expected = array_of(image, f"Labels{'_1' * row['layer']}") == row["label"]
        np.testing.assert_array_equal(
            array_of(got, segment.array_name) == segment.label_value, expected
        )

    # And written again, Slicer still sees the same.
    again = tmp_path / "again.seg.nrrd"
    write(vtkLabelMapNrrdWriter, again, got)
    for first, second in zip(
        slicer_read(slicer_python, path), slicer_read(slicer_python, again), strict=True
    ):
        np.testing.assert_allclose(
            in_order(first.pop("voxels")), in_order(second.pop("voxels")), atol=1e-9
        )
        np.testing.assert_allclose(first.pop("color"), second.pop("color"), atol=1e-6)
        del first["reference"], second["reference"]  # the same numbers, differently rounded
        assert first == second


@pytest.mark.slicer
@pytest.mark.parametrize("crop", [False, True])
def test_slicer_and_empty_segments(tmp_path: Path, slicer_python: str, crop: bool) -> None:
    image = image_of({"Labels": np.zeros((3, 4, 5), np.uint8)})
    write_segments(image, [Segment("a", 1), Segment("b", 2)])
    path = tmp_path / "e.seg.nrrd"
    write(vtkLabelMapNrrdWriter, path, image, CropToMinimumExtent=crop)
    assert [len(row["voxels"]) for row in slicer_read(slicer_python, path)] == [0, 0]
    got = read(vtkLabelMapNrrdReader, path)
    assert got.GetExtent() == image.GetExtent()
    assert not array_of(got, "Labels").any()
    assert [segment.id for segment in read_segments(got)] == ["a", "b"]

    # One voxel alone: Slicer takes a stored image of one voxel for none.
    labels = np.zeros((3, 4, 5), np.uint8)
    labels[1, 2, 3] = 1
    image = image_of({"Labels": labels})
    write_segments(image, [Segment("a", 1), Segment("b", 2)])
    write(vtkLabelMapNrrdWriter, path, image, CropToMinimumExtent=crop)
    assert [len(row["voxels"]) for row in slicer_read(slicer_python, path)] == [1, 0]

    # Two layers, one of them without a voxel.
    image = image_of({"Labels": labels, "Labels_1": np.zeros_like(labels)})
    write_segments(image, [Segment("a", 1), Segment("b", 2, layer=1)])
    write(vtkLabelMapNrrdWriter, path, image, CropToMinimumExtent=crop)
    assert [len(row["voxels"]) for row in slicer_read(slicer_python, path)] == [1, 0]


@pytest.mark.slicer
def test_slicer_and_no_segments(tmp_path: Path, slicer_python: str) -> None:
    image = image_of({"Labels": np.zeros((3, 4, 5), np.uint8)})
    write_segments(image, [])
    path = tmp_path / "e.seg.nrrd"
    write(vtkLabelMapNrrdWriter, path, image)
    assert slicer_read(slicer_python, path) == []
    got = read(vtkLabelMapNrrdReader, path)
    assert got.GetExtent() == image.GetExtent()
    assert read_segments(got) == ()


def test_itk_sees_the_layers(tmp_path: Path) -> None:
    image = sample()
    path = tmp_path / "s.seg.nrrd"
    write(vtkLabelMapNrrdWriter, path, image)
    voxels, header = nrrd.read(str(path))
    assert header["kinds"] == ["list", "domain", "domain", "domain"]
    np.testing.assert_array_equal(voxels[0].T, array_of(image, "Labels"))
    np.testing.assert_array_equal(voxels[1].T, array_of(image, "Labels_1"))
    assert header["Segment1_Extent"] == "5 6 2 4 2 4"
    assert header["Segment1_Tags"] == "Segmentation.Status:completed|"


@pytest.mark.parametrize("count", [1, 3, 4, 5, 20, 255])
@pytest.mark.parametrize("width", [1, 15, 16, 17, 33, 70])
def test_extents_of_few_and_many_labels(tmp_path: Path, width: int, count: int) -> None:
    # Runs, so that most rows have few labels, and single voxels among them.
    shape = (5, 6, width)
    runs = noise((5, 6, width // 9 + 1), count).repeat(9, axis=2)[..., :width]
    single = noise(shape, 7) % np.uint64(10) == 0
    labels = np.where(single, noise(shape, 8), runs) % np.uint64(count + 1)
    image = image_of({"Labels": labels.astype(np.uint8)})
    present = np.unique(labels[labels > 0]).astype(int).tolist()
    write_segments(image, [Segment(f"s{value}", value) for value in present])
    path = tmp_path / "l.seg.nrrd"
    write(vtkLabelMapNrrdWriter, path, image)
    header = nrrd.read_header(str(path))
    for number, value in enumerate(present):
        where = np.argwhere(labels == value)[:, ::-1]
        extent = np.stack([where.min(axis=0), where.max(axis=0)], axis=1).ravel()
        assert header[f"Segment{number}_Extent"] == " ".join(map(str, extent)), value


def test_any_text_survives(tmp_path: Path) -> None:
    image = sample()
    odd = {"a|b:c%": "x|y\r\n\t%41", "empty": "", "é": "ü|"}
    write_segments(image, [Segment("i:=|d\n", 1, name=' "n" \\n: = #', tags=odd)])
    write(vtkLabelMapNrrdWriter, tmp_path / "t.seg.nrrd", image)
    (segment,) = read_segments(read(vtkLabelMapNrrdReader, tmp_path / "t.seg.nrrd"))
    assert (segment.id, segment.name) == ("i:=|d\n", ' "n" \\n: = #')
    assert dict(segment.tags) == odd


def test_names_that_are_not_in_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "s.seg.nrrd"
    header = "NRRD0004\ntype: uint8\nencoding: raw\ndimension: 3\nsizes: 1 1 1\nSegment0_ID:=é\n"
    keys = "Segment0_Name:=Käse\nSegment0_Tags:=Öl:ü|\n"
    path.write_bytes((header + keys + "\n").encode("latin-1") + b"\1")
    with pytest.warns(RuntimeWarning, match=r"s\.seg\.nrrd:6: .*ISO 8859-1") as told:
        (segment,) = read_segments(read_segmentation(path))
    assert (segment.id, segment.name, dict(segment.tags)) == ("é", "Käse", {"Öl": "ü"})
    assert str(told[0].message).count(path.name) == 1
    path.write_bytes(b"NRRD0004\nty\xffpe")
    text = re.escape(f"{path}:2: 'tyÿpe' found")
    with pytest.raises(SegmentationCoreError, match=text) as caught:
        read_segmentation(path)
    assert str(caught.value).count(path.name) == 1


def test_plain_label_volumes(tmp_path: Path) -> None:
    array = np.zeros((3, 4, 5), np.int16)
    array[0, 0, 0], array[2, 3, 4], array[1] = 7, 7, 300
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(array), str(tmp_path / "p.nrrd"))
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(array), str(tmp_path / "p.nii.gz"))
    for name in ("p.nrrd", "p.nii.gz"):
        got = read(vtkLabelMapNrrdReader, tmp_path / name)
        np.testing.assert_array_equal(array_of(got, "Labels"), array)
        segments = read_segments(got)
        assert [(s.id, s.label_value) for s in segments] == [("Segment_7", 7), ("Segment_300", 300)]
        assert segments[0].color != segments[1].color
        assert segments[0].color_auto_generated


def test_real_atlas() -> None:
    if not (TEMPLATES / "aal.nii.gz").exists():
        pytest.skip("mricron-data is not installed")
    got = read(vtkLabelMapNrrdReader, TEMPLATES / "aal.nii.gz")
    values = np.unique(array_of(got, "Labels"))
    assert [segment.label_value for segment in read_segments(got)] == values[values > 0].tolist()
    assert len({segment.color for segment in read_segments(got)}) == np.count_nonzero(values)


@pytest.mark.parametrize("dtype", ["i8", "u8", "u4", "i1"])
def test_label_types(tmp_path: Path, dtype: str) -> None:
    labels = np.zeros((3, 4, 5), dtype)
    labels[1] = 100
    image = image_of({"Labels": labels})
    write_segments(image, [Segment("a", 100)])
    write(vtkLabelMapNrrdWriter, tmp_path / "l.seg.nrrd", image)
    got = array_of(read(vtkLabelMapNrrdReader, tmp_path / "l.seg.nrrd"), "Labels")
    np.testing.assert_array_equal(got, labels)
    assert got.dtype == ("i4" if dtype.endswith("8") else dtype)


def stream_of(path: Path) -> bytes:
    """What follows the header of an attached NRRD file."""
    return path.read_bytes().split(b"\n\n", 1)[1]


@pytest.fixture
def threads_of_vtk() -> Iterator[Any]:
    """VTK's threads, whose number may be changed; some builds start none by themselves."""
    backend = vtkSMPTools.GetBackend()
    vtkSMPTools.SetBackend("STDThread")
    yield vtkSMPTools
    vtkSMPTools.SetBackend(backend)
    vtkSMPTools.Initialize(0)


@pytest.mark.parametrize("level", [1, 3, 4, 6, 9])
@pytest.mark.parametrize("dtype", ["u1", "i4"])
@pytest.mark.parametrize("shape", [(70, 91, 103), (64, 64, 64)], ids=["rest", "whole chunks"])
def test_compressed_labels_are_one_stream_of_any_gzip(
    tmp_path: Path, shape: tuple[int, int, int], dtype: str, level: int, threads_of_vtk: Any
) -> None:
    # Chunks of 2^18 bytes, the last one short or full; rows that are like the row before.
    z, y, x = np.ogrid[tuple(slice(n) for n in shape)]
    labels = ((x + y // 3 + z // 5) // 17 % 4).astype(dtype)
    labels[noise(labels.shape, 3) % np.uint64(100) == 0] = 2
    image = image_of({"Labels": labels})
    write_segments(image, [Segment(f"s{value}", value) for value in (1, 2, 3)])
    path = tmp_path / "l.seg.nrrd"
    streams = []
    for threads in (1, 2, 3):
        threads_of_vtk.Initialize(threads)
        write(vtkLabelMapNrrdWriter, path, image, CompressionLevel=level)
        streams.append(stream_of(path))
    assert len(set(streams)) == 1
    whole = zlib.decompressobj(31)
    assert whole.decompress(streams[0]) == labels.tobytes()
    assert whole.eof
    assert whole.unused_data == b""
    np.testing.assert_array_equal(array_of(read(vtkLabelMapNrrdReader, path), "Labels"), labels)


@pytest.mark.parametrize("what", ["atlas", "rock"])
def test_labels_searched_for_runs_are_smaller_than_by_the_quick_search(
    tmp_path: Path, what: str
) -> None:
    if what == "atlas":
        labels = array_of(read(vtkLabelMapNrrdReader, TEMPLATES / "aal.nii.gz"), "Labels")
    else:
        labels = np.digitize(rock(96), (16000, 33000)).astype(np.uint8) + np.uint8(1)
    image = image_of({"Labels": labels})
    write_segments(image, [Segment(f"s{v}", v) for v in np.unique(labels[labels > 0]).tolist()])
    sizes = {}
    for level in (1, 6):
        write(vtkLabelMapNrrdWriter, tmp_path / "l.seg.nrrd", image, CompressionLevel=level)
        sizes[level] = len(stream_of(tmp_path / "l.seg.nrrd"))
    # The fast level is about as small as zlib's, the search for runs smaller than both.
    quick = len(zlib.compress(labels.tobytes(), 1))
    assert sizes[6] <= sizes[1] < 1.02 * quick
    assert sizes[6] < 0.97 * quick


def test_voxels_that_cannot_be_made_smaller_are_stored(tmp_path: Path) -> None:
    voxels = noise((61, 67, 71), 5).astype(np.uint16).astype("i2")
    for level in (1, 6):
        write(
            vtkRASVolumeWriter, tmp_path / "n.nrrd", image_of({"V": voxels}), CompressionLevel=level
        )
        stream = stream_of(tmp_path / "n.nrrd")
        assert zlib.decompress(stream, 31) == voxels.tobytes()
        assert len(stream) < 1.001 * voxels.nbytes + 100


def test_failure_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "s.seg.nrrd"
    image = sample()
    write(vtkLabelMapNrrdWriter, path, image)
    old = path.read_bytes()
    image.GetPointData().RemoveArray("Labels_1")
    writer = vtkLabelMapNrrdWriter()
    writer.SetFileName(str(path))
    writer.SetInputDataObject(image)
    assert "Labels_1" in failure(writer)
    assert path.read_bytes() == old
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ("Segment0_Color:=red", "Segment0_Color"),
        ("Segment0_LabelValue:=0", "Segment0_LabelValue"),
        ("Segment1_ID:=a", "Segment1_ID"),
        ("Segment1_ID:=b\nSegment1_Layer:=0", "Segment1_LabelValue"),
        ("Segmentation_ReferenceImageExtentOffset:=1 2", "ReferenceImageExtentOffset"),
    ],
)
def test_broken_keys_are_named(tmp_path: Path, change: str, word: str) -> None:
    path = tmp_path / "s.seg.nrrd"
    text = (
        "NRRD0004\ntype: uint8\nencoding: raw\ndimension: 3\nsizes: 2 2 2\nSegment0_ID:=a\n"
        f"Segment0_Layer:=0\n{change}\n\n"
    )
    path.write_bytes(text.encode() + bytes(8))
    reader = vtkLabelMapNrrdReader()
    reader.SetFileName(str(path))
    assert word in failure(reader)
