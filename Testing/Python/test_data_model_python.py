"""The containers from Python: what Slicer's wrapping leaves out, files, and standing aside."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import segmentationcore

pytestmark = pytest.mark.python

BINARY = "Binary labelmap"


@pytest.fixture(scope="module")
def ours() -> Any:
    return pytest.importorskip("segmentationcore.SegmentationCoreDataModel")


def image(module: Any, labels: list[int]) -> Any:
    made = module.vtkOrientedImageData()
    made.SetExtent(0, len(labels) - 1, 0, 0, 0, 0)
    made.AllocateScalars(3, 1)
    for i, label in enumerate(labels):
        made.GetPointData().GetScalars().SetTuple1(i, label)
    return made


def two_segments(module: Any) -> Any:
    segmentation = module.vtkSegmentation()
    shared = image(module, [1, 1, 2, 0])
    for label, name in ((1, "b"), (2, "a")):
        segment = module.vtkSegment()
        segment.SetName(name)
        segment.SetLabelValue(label)
        segment.SetTag("kind", name * 2)
        segment.AddRepresentation(BINARY, shared)
        assert segmentation.AddSegment(segment, name)
    return segmentation


def test_all_classes_are_in_the_package(ours: Any) -> None:
    names = [name for name in vars(ours) if name.startswith("vtk")]
    assert "vtkSegmentationHistory" in names
    assert "vtkSegmentationFileReader" in names
    for name in names:
        assert getattr(segmentationcore, name) is getattr(ours, name)


def test_segments_by_tag(ours: Any) -> None:
    from vtkmodules.vtkCommonCore import vtkCollection

    segmentation = two_segments(ours)
    for value, expected in (("", ["b", "a"]), ("aa", ["a"]), ("c", [])):
        found = vtkCollection()
        segmentation.GetSegmentsByTag("kind", value, found)
        count = found.GetNumberOfItems()
        assert [found.GetItemAsObject(i).GetName() for i in range(count)] == expected


def test_tags_of_a_segment(ours: Any) -> None:
    segment = two_segments(ours).GetSegment("a")
    assert segment.GetTagNames() == ("TerminologyEntry", "kind")
    assert segment.GetTag("kind") == "aa"
    assert segment.GetTag("none") == ""


def test_available_representation_names(ours: Any) -> None:
    # In a process of its own: rules are for all segmentations of a process.
    printed = run(
        """
        from segmentationcore import SegmentationCoreDataModel as ours
        assert ours.vtkSegmentation().GetAvailableRepresentationNames() == ()
        ours.vtkSegmentationConverterFactory.GetInstance().RegisterConverterRule(
            ours.vtkBinaryLabelmapToClosedSurfaceConversionRule())
        print(ours.vtkSegmentation().GetAvailableRepresentationNames())
        """
    )
    assert printed == "('Binary labelmap', 'Closed surface')"


def test_modify_binary_labelmap(ours: Any) -> None:
    from vtkmodules.vtkCommonCore import vtkStringArray

    segmentation = two_segments(ours)
    overwrite, changed = vtkStringArray(), vtkStringArray()
    overwrite.InsertNextValue("b")
    modifier = ours.vtkSegmentationModifier
    assert modifier.ModifyBinaryLabelmapUsingArrays(
        image(ours, [0, 1, 0, 1]), segmentation, "a", modifier.MODE_MERGE_MASK, overwrite, changed
    )
    layer = segmentation.GetSegmentRepresentation("a", BINARY)
    scalars = layer.GetPointData().GetScalars()
    assert [scalars.GetTuple1(i) for i in range(4)] == [1, 2, 2, 2]
    assert [changed.GetValue(i) for i in range(changed.GetNumberOfValues())] == ["b", "a"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.seg.nrrd", "no such file"),
        ("empty.seg.nrrd", "empty.seg.nrrd"),
        ("empty.seg.vtm", "empty.seg.vtm"),
        ("text.seg.vtm", "is not a multi-block file"),
        ("blocks.seg.vtm", "none.vtp"),
    ],
)
def test_a_file_that_cannot_be_read(ours: Any, tmp_path: Path, name: str, message: str) -> None:
    for made, text in (
        ("empty.seg.nrrd", ""),
        ("empty.seg.vtm", ""),
        ("text.seg.vtm", "no XML at all"),
        (
            "blocks.seg.vtm",
            '<VTKFile type="vtkMultiBlockDataSet" version="1.0"><vtkMultiBlockDataSet>'
            '<DataSet index="0" file="none.vtp"/></vtkMultiBlockDataSet></VTKFile>',
        ),
    ):
        (tmp_path / made).write_text(text)
    segmentation = two_segments(ours)
    reader = ours.vtkSegmentationFileReader()
    heard: list[str] = []
    reader.AddObserver("ErrorEvent", lambda *_: heard.append("error"))
    reader.SetFileName(str(tmp_path / name))
    assert not reader.Read(segmentation)
    assert message in reader.GetLastError()
    assert heard == ["error"]
    assert segmentation.GetSegmentIDs() == ("b", "a")


def test_a_file_that_cannot_be_written(ours: Any, tmp_path: Path) -> None:
    segmentation = two_segments(ours)
    writer = ours.vtkSegmentationFileWriter()
    writer.AddObserver("ErrorEvent", lambda *_: None)
    for name, message in (
        ("", "no file name"),
        (str(tmp_path / "a.seg.vtm"), "must end in .nrrd"),
        (str(tmp_path / "a.txt"), "must end in .nrrd"),
        (str(tmp_path / "none" / "a.seg.nrrd"), "a.seg.nrrd"),
    ):
        writer.SetFileName(name)
        assert not writer.Write(segmentation)
        assert message in writer.GetLastError()
    writer.SetFileName(str(tmp_path / "a.seg.nrrd"))
    assert not writer.Write(None)
    assert "no segmentation" in writer.GetLastError()
    assert not list(tmp_path.iterdir())
    assert writer.Write(segmentation)
    assert writer.GetLastError() == ""
    assert writer.GetDefaultExtension(segmentation) == "seg.nrrd"


def run(code: str, python: str = sys.executable) -> str:
    """What a program prints, in a process of its own."""
    import textwrap

    done = subprocess.run(
        [python, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@pytest.mark.slicer
@pytest.mark.parametrize(
    "statement",
    [
        "import segmentationcore.SegmentationCoreDataModel",
        "from segmentationcore import SegmentationCoreDataModel",
        "from segmentationcore.SegmentationCoreDataModel import vtkSegmentation",
    ],
)
def test_our_containers_are_not_imported_beside_slicers(
    slicer_python: str, statement: str, tmp_path: Path
) -> None:
    """Nor does the attempt do harm: the package goes on with Slicer's classes."""
    (tmp_path / "segmentationcore").symlink_to(Path(segmentationcore.__file__).parent)
    printed = run(
        f"""
        import sys
        sys.path.insert(0, {str(tmp_path)!r})
        import slicer
        try:
            {statement}
        except ImportError as error:
            print(error)
        import segmentationcore as sc
        print("segmentationcore.SegmentationCoreDataModel" in sys.modules, "|",
              sc.vtkSegmentation.__module__, "|", type(slicer.vtkSegmentation()).__module__)
        import os; sys.stdout.flush(); os._exit(0)
        """,
        slicer_python,
    ).splitlines()
    assert "Slicer's data model (slicer_core.vtkSegmentationCore) is loaded" in printed[-2]
    theirs = "slicer_core.vtkSegmentationCore"
    assert printed[-1].split(" | ") == ["False", theirs, theirs]


@pytest.mark.slicer
@pytest.mark.parametrize("first", ["slicer", "segmentationcore"])
def test_whoever_comes_first_is_told(slicer_python: str, first: str, tmp_path: Path) -> None:
    """VTK keeps one class for each name: what is used, and whether that is safe, can be asked."""
    package = Path(segmentationcore.__file__).parent
    (tmp_path / "segmentationcore").symlink_to(package)
    question = "from vtkmodules.vtkCommonCore import vtkVersion as v; print(v.GetVTKVersion()[:3])"
    if run(question) != run(question, slicer_python):
        pytest.skip("our package was built for another VTK than Slicer's")
    imports = ["import slicer", "sc.vtkSegmentation()"]
    if first == "segmentationcore":
        imports.reverse()
    printed = run(
        f"""
        import sys
        sys.path.insert(0, {str(tmp_path)!r})
        import segmentationcore as sc
        {imports[0]}
        {imports[1]}
        provider = sc.data_model_provider()
        print(provider.name, "|", provider.reason, "|", sc.vtkSegmentation.__module__)
        import os; sys.stdout.flush(); os._exit(0)
        """,
        slicer_python,
    ).splitlines()[-1]
    name, reason, module = printed.split(" | ")
    if first == "slicer":
        assert name == "slicer"
        assert module == "slicer_core.vtkSegmentationCore"
    else:
        assert name == "segmentationcore"
        assert "import slicer first" in reason
