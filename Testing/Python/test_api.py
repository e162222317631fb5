"""The package as a user meets it: quick import, names, types, documentation, errors."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import json
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import segmentationcore
from segmentationcore import _registry, errors
from segmentationcore._pipeline import readable

pytestmark = pytest.mark.python

PACKAGE = Path(segmentationcore.__file__).parent
EFFECTS = _registry.voxel_effects()
PUBLIC = [
    "_arrays", "_compiled", "_effects", "cli", "crops", "editor", "errors", "io", "operations",
    "replay", "segments",
]  # fmt: skip


def python(code: str, *, path: Path | None = None, executable: str = sys.executable) -> str:
    """Run code in a new process; returns what it prints."""
    environment = dict(os.environ, PYTHONPATH=str(path or PACKAGE.parent))
    done = subprocess.run(
        [executable, "-c", textwrap.dedent(code)],
        capture_output=True, text=True, timeout=120, env=environment, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def pure_copy(folder: Path, *, keep: tuple[str, ...] = (".py", ".json")) -> Path:
    """The package without its compiled modules, as it lies beside Slicer."""
    package = folder / "segmentationcore"
    package.mkdir(parents=True)
    for path in PACKAGE.iterdir():
        if path.suffix in keep or path.is_dir():
            (package / path.name).symlink_to(path)
    return folder


def test_import_loads_nothing_else() -> None:
    loaded = python(
        """
        import sys
        before = set(sys.modules)
        import segmentationcore
        print(*sorted(name.split(".")[0] for name in set(sys.modules) - before))
        """
    )
    heavy = {"numpy", "vtkmodules", "vtk", "json", "scipy", "paraview", "slicer", "argparse"}
    assert not heavy & set(loaded.split())


def test_ctrl_c_and_vtk_are_left_alone_by_import() -> None:
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_all_names_are_there() -> None:
    for name in segmentationcore.__all__:
        assert getattr(segmentationcore, name) is not None
    assert set(EFFECTS) <= set(segmentationcore.__all__)
    listed = dir(segmentationcore)
    assert set(segmentationcore.__all__) <= set(listed)
    for effect in EFFECTS.values():
        assert effect["class"] in listed
    namespace: dict[str, Any] = {}
    exec("from segmentationcore import *", namespace)
    assert set(segmentationcore.__all__) <= set(namespace)


def test_names_for_type_checkers_are_the_names_at_run_time() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    typed = next(
        ast.literal_eval(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__"
    )
    assert sorted([*typed, *EFFECTS, *_registry.queries()]) == segmentationcore.__all__


@pytest.mark.parametrize(
    "name",
    ["vtkLabelMapMargin", "vtkLabelMapEditor", "vtkLabelSegmentTable", "vtkRASVolumeReader",
     "vtkRASVolumeWriter", "vtkLabelMapNrrdReader", "vtkLabelMapNrrdWriter", "vtkSegmentation",
     "vtkSegment", "vtkLabelMapEditSession"],
)  # fmt: skip
def test_classes_are_found_by_name(name: str) -> None:
    cls = getattr(segmentationcore, name)
    assert cls().GetClassName() == name
    assert name in dir(segmentationcore)


def test_unknown_names() -> None:
    with pytest.raises(AttributeError, match=r"'margins' \(did you mean 'margin'\?\)"):
        _ = segmentationcore.margins
    with pytest.raises(AttributeError, match="no class vtkNothing"):
        _ = segmentationcore.vtkNothing
    assert not hasattr(segmentationcore, "__wrapped__")
    with pytest.raises(ImportError):
        exec("from segmentationcore import vtkNothing")


def test_missing_compiled_modules_are_told(tmp_path: Path) -> None:
    pure_copy(tmp_path)
    printed = python(
        """
        import numpy, segmentationcore
        import segmentationcore.bridge, segmentationcore.slicer
        print(segmentationcore.data_model_provider().name)
        print(sorted(n for n in dir(segmentationcore) if n.startswith("vtk")))
        for work in (
            lambda: segmentationcore.vtkSegmentation,
            lambda: segmentationcore.margin(numpy.zeros((3, 3, 3), "u1")),
        ):
            try:
                work()
            except ImportError as error:
                print(error)
        """,
        path=tmp_path,
    ).splitlines()
    assert printed[:2] == ["segmentationcore", "[]"]
    assert len(printed) == 4
    for line in printed[2:]:
        assert "pip install segmentationcore" in line
        assert "PYTHONPATH" in line


def test_another_vtk_is_told(tmp_path: Path) -> None:
    pure_copy(tmp_path)
    info = tmp_path / "segmentationcore" / "_build_info.py"
    info.unlink(missing_ok=True)
    info.write_text('VTK_VERSION = "8.7.6"\n')
    printed = python(
        """
        import segmentationcore
        from vtkmodules.vtkCommonCore import vtkVersion
        print(vtkVersion.GetVTKVersion())
        try:
            segmentationcore.vtkSegmentation
        except ImportError as error:
            print(error)
        """,
        path=tmp_path,
    ).splitlines()
    assert "built for VTK 8.7" in printed[1]
    assert f"VTK {printed[0]}" in printed[1]
    assert 'pip install "vtk==8.7.*"' in printed[1]


def test_without_vtk_is_told(tmp_path: Path) -> None:
    pure_copy(tmp_path)
    printed = python(
        """
        import sys
        sys.modules["vtkmodules"] = None
        import numpy, segmentationcore
        import segmentationcore.operations, segmentationcore.bridge
        print(segmentationcore.validate_operation({"effect": "margin", "segment": "s"})["effect"])
        try:
            segmentationcore.margin(numpy.zeros((3, 3, 3), "u1"))
        except ImportError as error:
            print(error)
        """,
        path=tmp_path,
    ).splitlines()
    assert printed[0] == "margin"
    assert "VTK cannot be imported" in printed[1]
    assert "pip install" in printed[1]


def test_without_generated_files_is_told(tmp_path: Path) -> None:
    pure_copy(tmp_path)
    for name in ("effects.json", "_effects.py", "_build_info.py"):
        (tmp_path / "segmentationcore" / name).unlink(missing_ok=True)
    printed = python(
        """
        import segmentationcore, segmentationcore.bridge
        print(segmentationcore.__version__, "margin" in dir(segmentationcore))
        try:
            segmentationcore.run_effect
        except AttributeError:
            print("AttributeError")
        """,
        path=tmp_path,
    ).splitlines()
    assert printed[0].endswith("False")
    assert printed[1] == "AttributeError"


def default(parameter: dict[str, Any]) -> Any:
    """What the function has where nothing is given."""
    if parameter.get("required"):
        return inspect.Parameter.empty
    if parameter["type"] in ("points", "numbers"):
        return ()
    by_data = parameter["type"] in ("vector", "matrix", "segment")
    return None if by_data else parameter["default"]


@pytest.mark.parametrize("identifier", EFFECTS)
def test_signatures_follow_the_declaration(identifier: str) -> None:
    function = getattr(segmentationcore, identifier)
    signature = inspect.signature(function)
    effect = EFFECTS[identifier]
    data = ["volume"] if effect["input"] == "volume" else ["labels"]
    data += ["volume"] if effect["volume"] else []
    everything = list(signature.parameters.values())
    first, others = everything[: len(data)], everything[len(data) :]
    assert [parameter.name for parameter in first] == data
    assert all(p.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD for p in first)
    assert all(other.kind is inspect.Parameter.KEYWORD_ONLY for other in others)
    declared = {_registry.snake_case(p["name"]): default(p) for p in effect["parameters"]}
    assert declared.items() <= {other.name: other.default for other in others}.items()
    common = {"spacing", "progress", "out"}
    common |= {"label"} if effect["input"] != "segments" else set()
    assert {other.name for other in others} == set(declared) | common


@pytest.mark.parametrize("identifier", EFFECTS)
def test_docstrings_tell_everything(identifier: str) -> None:
    function = getattr(segmentationcore, identifier)
    text = inspect.getdoc(function) or ""
    for section in ("Parameters", "Returns", "Raises", "Notes", "Examples"):
        assert f"{section}\n{'-' * len(section)}" in text
    for name in inspect.signature(function).parameters:
        assert f"\n{name} : " in text
    assert max(map(len, text.splitlines())) <= 100


def test_the_stub_is_the_module() -> None:
    stub = ast.parse((PACKAGE / "_effects.pyi").read_text())
    overloads: dict[str, list[ast.FunctionDef]] = {}
    for node in stub.body:
        if isinstance(node, ast.FunctionDef):
            overloads.setdefault(node.name, []).append(node)
    module = importlib.import_module("segmentationcore._effects")
    queries = _registry.queries()
    assert sorted(overloads) == sorted(module.__all__) == sorted([*EFFECTS, *queries])
    for name in queries:
        (node,) = overloads.pop(name)
        annotations = inspect.get_annotations(getattr(module, name))
        for argument in [*node.args.args, *node.args.kwonlyargs]:
            assert ast.unparse(argument.annotation or ast.Constant(None)) == ast.unparse(
                ast.parse(annotations[argument.arg])
            )
    for name, nodes in overloads.items():
        assert len(nodes) == 2
        signature = inspect.signature(getattr(module, name))
        annotations = {k: v.annotation for k, v in signature.parameters.items()}
        for node, kind in zip(nodes, ("NDArray[Any]", "vtkImageData"), strict=True):
            arguments = [*node.args.args, *node.args.kwonlyargs]
            assert [argument.arg for argument in arguments] == list(annotations)
            assert ast.unparse(node.returns or ast.Constant(None)) == kind
            data = [argument for argument in arguments if argument.arg in ("labels", "volume")]
            assert data == arguments[: len(data)]
            for argument in data:
                assert ast.unparse(argument.annotation or ast.Constant(None)) == kind
            for argument in arguments[len(data) :]:
                in_stub = ast.unparse(argument.annotation or ast.Constant(None))
                at_run_time = ast.unparse(ast.parse(annotations[argument.arg]))
                assert in_stub == at_run_time, (name, argument.arg)


def test_py_typed_is_there() -> None:
    assert (PACKAGE / "py.typed").exists()


@pytest.mark.parametrize("name", PUBLIC)
def test_examples_run(name: str) -> None:
    module = importlib.import_module(f"segmentationcore.{name}")
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    failed, attempted = doctest.testmod(module, optionflags=flags)
    assert failed == 0
    if name in ("_arrays", "_effects", "editor", "operations", "replay", "segments"):
        assert attempted >= 3


@pytest.mark.parametrize("name", PUBLIC)
def test_public_functions_are_documented(name: str) -> None:
    module = importlib.import_module(f"segmentationcore.{name}")
    for key, value in vars(module).items():
        if inspect.isfunction(value) and value.__module__ == module.__name__ and key[0] != "_":
            assert inspect.getdoc(value), f"{name}.{key}"


USER_CODE = """
from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray
from segmentationcore import Editor, LabelMap, SegmentationCoreError, apply_operations, margin
from segmentationcore import read_volume, threshold, vtkLabelMapMargin
from vtkmodules.vtkCommonDataModel import vtkImageData

array: NDArray[np.uint8] = np.zeros((3, 3, 3), np.uint8)
assert_type(margin(array, margin_size_mm=2), NDArray[Any])
assert_type(threshold(read_volume("x.nrrd"), auto_threshold_mode="SET_LOWER"), vtkImageData)
result: LabelMap = apply_operations(array, [])
filter = vtkLabelMapMargin()
with Editor(array, spacing=(1, 1, 1)) as editor:
    editor.apply("margin", "a", margin_size_mm=2, masking={"mask_mode": "EditAllowedEverywhere"})
    assert_type(editor.labels(), LabelMap)
    assert_type(editor.undo(), bool)
"""


@pytest.mark.slow
def test_a_users_code_is_type_checked(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    vtkmodules = importlib.import_module("vtkmodules")
    if not (Path(str(vtkmodules.__file__)).parent / "py.typed").exists():
        pytest.skip("this VTK has no type stubs (Debian's ParaView 5.11)")
    (tmp_path / "user.py").write_text(USER_CODE)
    wrong = USER_CODE + 'threshold(array, auto_threshold_mode="SET_LOWR")\nmargin(array, 2.0)\n'
    (tmp_path / "wrong.py").write_text(wrong)
    environment = dict(os.environ, MYPYPATH=str(PACKAGE.parent))
    command = [sys.executable, "-m", "mypy", "--strict", "--python-version", "3.11"]
    command += ["--follow-imports", "silent", "--cache-dir", str(tmp_path / "cache")]
    if "site-packages" in str(PACKAGE):
        environment.pop("MYPYPATH")

    def check(name: str) -> str:
        return subprocess.run(
            [*command, name], cwd=tmp_path, env=environment, capture_output=True, text=True,
            timeout=300, check=False,
        ).stdout  # fmt: skip

    assert "Success" in check("user.py"), check("user.py")
    text = check("wrong.py")
    assert 'No overload variant of "threshold"' in text
    assert 'No overload variant of "margin"' in text


def test_errors_are_one_family() -> None:
    assert issubclass(errors.Cancelled, errors.SegmentationCoreError)
    assert issubclass(errors.Interrupted, errors.Cancelled)
    assert issubclass(errors.Interrupted, KeyboardInterrupt)
    error = errors.SegmentationCoreError("text", ["one"])
    assert (str(error), error.vtk_messages) == ("text", ("one",))
    assert str(pickle.loads(pickle.dumps(error))) == "text"


def test_vtk_messages_are_made_readable() -> None:
    text = "ERROR: In /a/b.cxx, line 12\nvtkLabelMapMargin (0x5581): MarginSizeMm is 2\n\n"
    assert readable(text) == "MarginSizeMm is 2"
    assert readable("plain: text (1): more") == "plain: text (1): more"


def test_no_vtk_message_is_only_printed(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(segmentationcore.SegmentationCoreError) as caught:
        segmentationcore.threshold(np.zeros((3, 3, 3)), auto_threshold_mode="SET_LOWER")
    assert "single value" in str(caught.value)
    assert "single value" in " ".join(caught.value.vtk_messages)
    with pytest.raises(segmentationcore.SegmentationCoreError):
        segmentationcore.apply_operations(
            np.zeros((3, 3, 3)), {"effect": "margin", "segment": "nobody"}
        )
    with pytest.raises(segmentationcore.Cancelled):
        segmentationcore.margin(np.eye(9, dtype=np.uint8), progress=lambda _f: False)
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err == ""


def test_ctrl_c_interrupts_an_effect() -> None:
    labels = np.zeros((60, 60, 60), np.uint8)
    labels[20:40, 20:40, 20:40] = 1
    out = np.full_like(labels, 99)
    calls = []

    def press(_fraction: float) -> None:
        calls.append(1)
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt) as caught:
        segmentationcore.margin(labels, out=out, progress=press)
    assert isinstance(caught.value, segmentationcore.Cancelled)
    assert (out == 99).all()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_effects_run_in_other_threads() -> None:
    labels = np.zeros((20, 20, 20), np.uint8)
    labels[10, 10, 10] = 1
    results: list[int] = []

    def work() -> None:
        results.append(int(segmentationcore.margin(labels, margin_size_mm=1.0).sum()))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [7, 7, 7, 7]


def test_the_schema_beside_the_package_is_json() -> None:
    assert json.loads((PACKAGE / "operation.schema.json").read_text())["oneOf"]


@pytest.mark.slicer
def test_beside_slicer_the_containers_are_slicers(slicer_python: str, tmp_path: Path) -> None:
    pure_copy(tmp_path)
    printed = python(
        """
        import slicer, segmentationcore
        provider = segmentationcore.data_model_provider()
        print(provider.name)
        print(provider.reason)
        from segmentationcore import vtkSegmentation, vtkSegment, vtkOrientedImageData
        print(vtkSegmentation is slicer.vtkSegmentation, vtkSegment is slicer.vtkSegment,
              vtkOrientedImageData is slicer.vtkOrientedImageData)
        import segmentationcore.bridge, segmentationcore.slicer
        """,
        path=tmp_path,
        executable=slicer_python,
    ).splitlines()
    assert printed[0] == "slicer"
    assert "slicer_core.vtkSegmentationCore" in printed[1]
    assert printed[2] == "True True True"


@pytest.mark.slicer
def test_effects_work_beside_slicer(slicer_python: str, tmp_path: Path) -> None:
    versions = [
        python(
            "from vtkmodules.vtkCommonCore import vtkVersion; print(vtkVersion.GetVTKVersion())",
            executable=e,
        )
        for e in (sys.executable, slicer_python)
    ]
    if versions[0].rpartition(".")[0] != versions[1].rpartition(".")[0]:
        pytest.skip(f"built for VTK {versions[0]}, Slicer has {versions[1]}")
    (tmp_path / "segmentationcore").symlink_to(PACKAGE)
    printed = python(
        """
        import slicer, numpy, segmentationcore
        labels = numpy.zeros((9, 9, 9), "u1")
        labels[4, 4, 4] = 1
        print(segmentationcore.margin(labels, margin_size_mm=1.0).sum())
        image = slicer.vtkOrientedImageData()
        image.DeepCopy(segmentationcore.to_image(labels))
        image.SetDirections([[0, 1, 0], [1, 0, 0], [0, 0, -1]])
        grown = segmentationcore.margin(image, margin_size_mm=1.0)
        print(type(grown) is slicer.vtkOrientedImageData, segmentationcore.to_array(grown).sum())
        print([grown.GetImageToWorldMatrix(m := slicer.vtk.vtkMatrix4x4()), m.GetElement(2, 2)][1]
              if hasattr(slicer, "vtk") else -1.0)
        print(segmentationcore.data_model_provider().name)
        """,
        path=tmp_path,
        executable=slicer_python,
    ).splitlines()
    assert printed == ["7", "True 7", "-1.0", "slicer"]
