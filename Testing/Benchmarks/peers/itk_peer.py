"""ITK's remote module that Slicer's Fill between slices uses; SimpleITK does not have it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import Method, Task

LIBRARY = "ITK"


def version() -> str:
    from importlib.metadata import version as version_of

    return version_of("itk-morphologicalcontourinterpolation")


def methods(task: Task) -> Iterator[Method]:
    if task.effect != "fill between slices":
        return
    import itk

    itk.MultiThreaderBase.SetGlobalDefaultNumberOfThreads(task.threads)
    itk.MultiThreaderBase.SetGlobalMaximumNumberOfThreads(task.threads)
    image = itk.image_from_array(task.array)

    def fill() -> Any:
        algorithm = itk.MorphologicalContourInterpolator.New(image)
        algorithm.Update()
        return algorithm.GetOutput()

    yield Method(
        "MorphologicalContourInterpolator",
        fill,
        itk.array_from_image,
        note="another algorithm, in voxels",
    )
