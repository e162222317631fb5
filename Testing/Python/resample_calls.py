"""The same work on oriented images by Slicer's library and by ours; the test compares the answers.

``calls(module, modify)`` makes the calls and returns plain values. As a program it runs with
Slicer's Python and prints them as JSON.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable
from typing import Any

BINARY = "Binary labelmap"
TYPES = [2, 3, 4, 5, 6, 7, 10, 11]  # char to int, float, double
SEEDS = range(12)


def ask(python: str) -> dict[str, Any]:
    """What Slicer's own classes answer."""
    done = subprocess.run([python, __file__], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def _directions(source: random.Random) -> list[float]:
    from vtkmodules.vtkCommonTransforms import vtkTransform

    turn = vtkTransform()
    turn.RotateX(source.uniform(-60, 60))
    turn.RotateY(source.uniform(-60, 60))
    turn.RotateZ(source.uniform(-60, 60))
    matrix = turn.GetMatrix()
    sign = source.choice([1, 1, -1])
    return [matrix.GetElement(r, c) * (sign if c == 2 else 1) for r in range(3) for c in range(3)]


def image(
    module: Any, source: random.Random, type_: int, most: int = 9, oblique: bool = True
) -> Any:
    """An image of random boxes of values on a random lattice."""
    made = module.vtkOrientedImageData()
    extent = []
    for _ in range(3):
        low = source.randint(-4, 4)
        extent += [low, low + source.randint(3, most)]
    made.SetExtent(*extent)
    made.SetSpacing(*(source.choice([0.5, 0.8, 1.0, 1.3, 2.0]) for _ in range(3)))
    made.SetOrigin(*(source.uniform(-5, 5) for _ in range(3)))
    if oblique:
        made.SetDirections(*_directions(source))
    made.AllocateScalars(type_, 1)
    fill(made, 0, extent)
    for _ in range(4):
        part = []
        for a in range(3):
            low = source.randint(extent[2 * a], extent[2 * a + 1])
            part += [low, source.randint(low, extent[2 * a + 1])]
        fill(made, source.choice([1, 2, 3, 100]), part)
    return made


def fill(image_: Any, value: float, box: list[int]) -> None:
    """Without the function under test."""
    for k in range(box[4], box[5] + 1):
        for j in range(box[2], box[3] + 1):
            for i in range(box[0], box[1] + 1):
                image_.SetScalarComponentFromDouble(i, j, k, 0, value)
    image_.GetPointData().GetScalars().Modified()


def seen(image_: Any) -> dict[str, Any]:
    """What there is to compare of an image."""
    from vtkmodules.vtkCommonMath import vtkMatrix4x4

    matrix = vtkMatrix4x4()
    image_.GetImageToWorldMatrix(matrix)
    scalars = image_.GetPointData().GetScalars()
    count = scalars.GetNumberOfTuples() if scalars else 0
    return {
        "extent": list(image_.GetExtent()),
        "type": image_.GetScalarType(),
        "matrix": [matrix.GetElement(r, c) for r in range(4) for c in range(4)],
        "voxels": [scalars.GetTuple1(i) for i in range(count)],
    }


def _near(module: Any, source: random.Random, other: Any, type_: int) -> Any:
    """A second image around the first one, so that they overlap."""
    made = image(module, source, type_)
    made.SetOrigin(*(x + source.uniform(-2, 2) for x in other.GetCenter()))
    return made


def _moved(source: random.Random) -> Any:
    from vtkmodules.vtkCommonTransforms import vtkTransform

    transform = vtkTransform()
    transform.Translate(*(source.uniform(-3, 3) for _ in range(3)))
    transform.RotateWXYZ(source.uniform(0, 90), *(source.uniform(-1, 1) for _ in range(3)))
    transform.Scale(*(source.uniform(0.7, 1.4) for _ in range(3)))
    return transform


def _bent(source: random.Random) -> Any:
    from vtkmodules.vtkCommonCore import vtkPoints
    from vtkmodules.vtkCommonTransforms import vtkThinPlateSplineTransform

    there, here = vtkPoints(), vtkPoints()
    for corner in range(8):
        point = [20.0 * (corner >> a & 1) - 10 for a in range(3)]
        here.InsertNextPoint(*point)
        there.InsertNextPoint(*(x + source.uniform(-1, 1) for x in point))
    transform = vtkThinPlateSplineTransform()
    transform.SetSourceLandmarks(here)
    transform.SetTargetLandmarks(there)
    transform.SetBasisToR()
    return transform


def _resampling(module: Any) -> dict[str, Any]:
    tools = module.vtkOrientedImageDataResample
    answers: dict[str, Any] = {}
    for seed in SEEDS:
        source = random.Random(seed)
        type_ = TYPES[seed % len(TYPES)]
        one = image(module, source, type_)
        other = _near(module, source, one, 3)
        for linear in (False, True):
            for pad in (False, True):
                out = module.vtkOrientedImageData()
                background = source.choice([0, 5])
                done = tools.ResampleOrientedImageToReferenceOrientedImage(
                    one, other, out, linear, pad, None, background
                )
                answers[f"{seed} linear {linear} pad {pad}"] = [done, seen(out)]
        for name, transform in (("moved", _moved(source)), ("bent", _bent(source))):
            out = module.vtkOrientedImageData()
            done = tools.ResampleOrientedImageToReferenceOrientedImage(
                one, other, out, False, True, transform
            )
            answers[f"{seed} {name}"] = [done, seen(out)]
        from vtkmodules.vtkCommonMath import vtkMatrix4x4

        matrix = vtkMatrix4x4()
        other.GetImageToWorldMatrix(matrix)
        out = module.vtkOrientedImageData()
        done = tools.ResampleOrientedImageToReferenceGeometry(one, matrix, out)
        answers[f"{seed} geometry"] = [done, seen(out)]
    return answers


def _transforming(module: Any) -> dict[str, Any]:
    tools = module.vtkOrientedImageDataResample
    answers: dict[str, Any] = {}
    for seed in SEEDS:
        source = random.Random(100 + seed)
        straight = image(module, source, 3, oblique=False)
        transform = _moved(source)
        bounds = [0.0] * 6
        tools.TransformOrientedImageDataBounds(straight, transform, bounds)
        answers[f"{seed} bounds"] = bounds
        moved = module.vtkOrientedImageData()
        moved.DeepCopy(straight)
        tools.TransformOrientedImage(moved, transform)
        answers[f"{seed} linear"] = [True, seen(moved)]
        tools.TransformOrientedImage(straight, transform, False, True)
        answers[f"{seed} resampled"] = [True, seen(straight)]
        extents = []
        for _ in range(8):
            low = [source.randint(-5, 5) for _ in range(3)]
            extent = [0] * 6
            tools.TransformExtent(
                [x for a in low for x in (a, a + source.randint(0, 7))], _moved(source), extent
            )
            extents.append(extent)
        answers[f"{seed} extents"] = extents
    return answers


def _combining(module: Any) -> dict[str, Any]:
    tools = module.vtkOrientedImageDataResample
    answers: dict[str, Any] = {}
    for seed in SEEDS:
        source = random.Random(200 + seed)
        one = image(module, source, TYPES[seed % len(TYPES)])
        other = image(module, source, source.choice([2, 3, 4, 7]))
        other.SetSpacing(one.GetSpacing())
        other.SetOrigin(one.GetOrigin())
        other.CopyDirections(one)
        box = [source.randint(-3, 3) for _ in range(3)]
        box = [x for low in box for x in (low, low + 4)]
        for operation in range(3):
            out = module.vtkOrientedImageData()
            done = tools.MergeImage(one, other, out, operation, other.GetExtent(), 1, 7)
            answers[f"{seed} merge {operation}"] = [done, seen(out)]
            changed = module.vtkOrientedImageData()
            changed.DeepCopy(one)
            done = tools.ModifyImage(changed, other, operation, box, 0, 9)
            answers[f"{seed} modify {operation}"] = [done, seen(changed)]
        mask = image(module, source, 3)  # the only type that Slicer takes
        mask.SetSpacing(one.GetSpacing())
        mask.SetOrigin(one.GetOrigin())
        mask.CopyDirections(one)
        for inverted in (False, True):
            masked = module.vtkOrientedImageData()
            masked.DeepCopy(one)
            done = tools.ApplyImageMask(masked, mask, 4, inverted)
            answers[f"{seed} mask {inverted}"] = [done, seen(masked)]
        out = module.vtkOrientedImageData()
        answers[f"{seed} copy"] = [tools.CopyImage(one, out, box), seen(out)]
        out = module.vtkOrientedImageData()
        answers[f"{seed} pad"] = [tools.PadImageToContainImage(one, other, out, box), seen(out)]
        labels: list[int] = []
        tools.GetLabelValuesInMask(labels, one, other)
        extent = [0] * 6
        answers[f"{seed} asked"] = [
            labels,
            tools.IsLabelInMask(one, other),
            [
                [tools.CalculateEffectiveExtent(one, extent, t), list(extent)]
                for t in (0, 1, 2.5, 99)
            ],
            tools.IsImageScalarTypeValid(one),
            tools.DoGeometriesMatch(one, other),
            tools.DoExtentsMatch(one, other),
        ]
    return answers


def _casting(module: Any) -> dict[str, Any]:
    tools = module.vtkOrientedImageDataResample
    answers: dict[str, Any] = {}
    for value in (0, 1, 127, 128, 255, 256, -1, 32767, 32768, 65535, 65536, 2**31, -32769, 300.5):
        kept = []
        for type_ in TYPES[:6]:
            made = image(module, random.Random(1), type_)
            tools.CastImageForValue(made, value)
            kept.append(made.GetScalarType())
        answers[f"for {value}"] = kept
    for low, high in (
        (0, 255),
        (-1, 127),
        (-1, 128),
        (0, 65535),
        (0, 2**31),
        (-1, 2**31),
        (0.5, 9),
    ):
        asked = tools.GetSmallestIntegerTypeForSegmentationScalarRange([low, high])
        answers[f"range {low} {high}"] = asked
    for type_ in (8, 10, 11, 12, 16):
        made = image(module, random.Random(2), type_)
        made.SetScalarComponentFromDouble(*made.GetExtent()[::2], 0, 2.75)
        made.GetPointData().GetScalars().Modified()
        checked = tools.IsImageScalarTypeValid(made)
        done = tools.CastSegmentationToSmallestIntegerType(made)
        answers[f"cast {type_}"] = [checked, done, seen(made)]
    return answers


def _modifying(module: Any, modify: Callable[..., bool]) -> dict[str, Any]:
    """Random sequences of strokes on three segments, two of which share a labelmap."""
    answers: dict[str, Any] = {}
    for seed in range(40):
        source = random.Random(300 + seed)
        segmentation = module.vtkSegmentation()
        shared = image(module, source, 3)
        fill(shared, 0, list(shared.GetExtent()))
        fill(shared, 1, [-2, 1, -2, 1, -2, 1] if _within(shared, 1) else [*shared.GetExtent()])
        for name, label in (("a", 1), ("b", 2)):
            segment = module.vtkSegment()
            segment.SetName(name)
            segment.SetLabelValue(label)
            segment.AddRepresentation(BINARY, shared)
            segmentation.AddSegment(segment, name)
        own = module.vtkOrientedImageData()
        own.DeepCopy(shared)
        segment = module.vtkSegment()
        segment.SetName("c")
        segment.AddRepresentation(BINARY, own)
        segmentation.AddSegment(segment, "c")
        for step in range(6):
            stroke = image(module, source, source.choice([3, 5]), most=5)
            box = list(stroke.GetExtent())
            voxels = stroke.GetPointData().GetScalars()
            for i in range(voxels.GetNumberOfTuples()):
                voxels.SetTuple1(i, 1 if voxels.GetTuple1(i) else 0)
            voxels.Modified()
            stroke.SetSpacing(shared.GetSpacing())
            stroke.SetOrigin(shared.GetOrigin())
            stroke.CopyDirections(shared)
            if not any(voxels.GetTuple1(i) for i in range(voxels.GetNumberOfTuples())):
                continue
            name = source.choice("abc")
            mode = source.randrange(4)
            if (mode == 1 and name != "c") or (mode == 2 and source.random() < 0.3):
                mode = 3  # the maximum is a listed difference in a shared labelmap
            overwrite = source.choice([[], ["a", "b", "c"], ["b"]])
            every = source.random() < 0.3
            done = modify(segmentation, stroke, name, mode, overwrite, every)
            answers[f"{seed}.{step} {name} mode {mode} {overwrite} {every} in {box}"] = [
                done,
                [segmentation.GetLayerIndex(n, BINARY) for n in "abc"],
                [segmentation.GetSegment(n).GetLabelValue() for n in "abc"],
                [seen(segmentation.GetSegmentRepresentation(n, BINARY)) for n in "abc"],
            ]
    return answers


def _within(image_: Any, most: int) -> bool:
    extent = image_.GetExtent()
    return all(extent[2 * a] <= -2 and extent[2 * a + 1] >= most for a in range(3))


def calls(module: Any, modify: Callable[..., bool]) -> dict[str, dict[str, Any]]:
    return {
        "resampling": _resampling(module),
        "transforming": _transforming(module),
        "combining": _combining(module),
        "casting": _casting(module),
        "modifying": _modifying(module, modify),
    }


def _in_slicer() -> None:
    import importlib

    from slicer_core import MRMLCore, vtkSegmentationCore

    logic = importlib.import_module("slicer_core.vtkSlicerSegmentationsModuleLogic")
    vtkSegmentationCore.vtkSegmentationConverterFactory.GetInstance().RegisterConverterRule(
        vtkSegmentationCore.vtkBinaryLabelmapToClosedSurfaceConversionRule()
    )

    def modify(
        segmentation: Any, stroke: Any, name: str, mode: int, overwrite: list[str], every: bool
    ) -> bool:
        node = MRMLCore.vtkMRMLSegmentationNode()
        node.SetAndObserveSegmentation(segmentation)
        return logic.vtkSlicerSegmentationsModuleLogic.SetBinaryLabelmapToSegment(
            stroke, node, name, mode, stroke.GetExtent(), every, overwrite
        )

    print(json.dumps(calls(vtkSegmentationCore, modify)))


if __name__ == "__main__":
    sys.exit(_in_slicer())
