"""SimpleITK: ITK's filters in Python."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import Method, Task

LIBRARY = "SimpleITK"


def version() -> str:
    import SimpleITK

    return SimpleITK.Version.VersionString()


def methods(task: Task) -> Iterator[Method]:
    import numpy as np
    import SimpleITK as sitk

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(task.threads)
    array = task.array

    def image_of(values: np.ndarray) -> Any:
        image = sitk.GetImageFromArray(values)
        image.SetSpacing(task.spacing[::-1])
        return image

    def array_of(image: Any) -> np.ndarray:
        return sitk.GetArrayFromImage(image)

    if task.effect == "threshold":
        image = image_of(array)
        upper = float(array.max())
        yield Method(
            "BinaryThreshold",
            lambda: sitk.BinaryThreshold(image, task.options["minimum"], upper, 1, 0),
            array_of,
        )

    if task.effect == "threshold Otsu":
        image = image_of(array)

        def otsu() -> Any:
            # Inside is what lies at or below the threshold.
            return sitk.OtsuThreshold(image, 0, 1, task.options["bins"])

        yield Method(
            f"OtsuThreshold, {task.options['bins']} bins",
            otsu,
            array_of,
            note="rounds the threshold of an integer volume",
        )

    if task.effect == "statistics":
        from ..catalogue import statistics_text

        labels, volume = image_of(array), image_of(task.volume)

        def measure() -> Any:
            found = sitk.LabelStatisticsImageFilter()
            found.UseHistogramsOff()
            found.Execute(volume, labels)
            return found

        def words(found: Any) -> str:
            return statistics_text(found.GetCount(1), found.GetMean(1), found.GetSigma(1))

        yield Method("LabelStatistics", measure, words, note="no percentiles")

    if task.effect.startswith("islands") and "reused" not in task.effect:
        image = image_of(array)

        def relabelled(least: int) -> Any:
            labels = sitk.ConnectedComponent(image)
            return sitk.RelabelComponent(labels, minimumObjectSize=least)

        if task.effect == "islands label all":
            yield Method("ConnectedComponent", lambda: sitk.ConnectedComponent(image), array_of)
        elif task.effect == "islands keep largest":
            yield Method(
                "ConnectedComponent + RelabelComponent", lambda: relabelled(0) == 1, array_of
            )
        else:
            least = task.options["minimum_size"]
            yield Method(
                "ConnectedComponent + RelabelComponent", lambda: relabelled(least) > 0, array_of
            )

    if task.effect == "boundary removal":
        image = image_of(array)
        least = task.options["gradient"]
        yield Method(
            "GradientMagnitude + compare",
            lambda: sitk.GradientMagnitude(image) >= least,
            array_of,
            note="single precision",
        )

    if task.effect in ("margin grow", "margin shrink"):
        growing = task.effect == "margin grow"
        # Inside, its distances are to the object's own border, so shrinking is growing the rest.
        image = image_of(array if growing else 1 - array)
        reach = task.options["millimetres"] * (1 + 1e-6)

        def margin() -> Any:
            distances = sitk.SignedMaurerDistanceMap(
                image, insideIsPositive=False, squaredDistance=False, useImageSpacing=True
            )
            return distances <= reach if growing else distances > reach

        yield Method(
            "SignedMaurerDistanceMap + compare",
            margin,
            array_of,
            note="single precision: voxels just at the margin may differ",
        )

    if task.effect.startswith("median"):
        image = image_of(array)
        radius = [task.options["width"] // 2] * 3
        border = "repeats the border; compared inside"
        yield Method(
            "BinaryMedian",
            lambda: sitk.BinaryMedian(image, radius, 1.0, 0.0),
            array_of,
            note=border,
        )
        yield Method("Median", lambda: sitk.Median(image, radius), array_of, note=border)

    if task.effect in ("opening", "closing"):
        image = image_of(array)
        radius = [task.options["width"] // 2] * 3
        ball = "its ball; border rules differ"
        if task.effect == "opening":
            yield Method(
                "BinaryMorphologicalOpening",
                lambda: sitk.BinaryMorphologicalOpening(image, radius, sitk.sitkBall),
                array_of,
                note=ball,
            )
        else:
            yield Method(
                "BinaryMorphologicalClosing",
                lambda: sitk.BinaryMorphologicalClosing(image, radius, sitk.sitkBall),
                array_of,
                note=ball,
            )

    if task.effect == "Gaussian":
        real = sitk.Cast(image_of(array), sitk.sitkFloat32)
        deviation = task.options["millimetres"]
        yield Method(
            "SmoothingRecursiveGaussian (float32) >= 0.5",
            lambda: sitk.SmoothingRecursiveGaussian(real, deviation) >= 0.5,
            array_of,
            note="approximates the Gaussian; border rules differ",
        )

    if task.effect == "fill holes":
        image = image_of(array)
        yield Method("BinaryFillhole", lambda: sitk.BinaryFillhole(image), array_of)

    if task.effect == "watershed":
        markers = image_of(array)
        volume = sitk.Cast(image_of(task.volume), sitk.sitkFloat32)
        scale = task.options["scale"]

        def flooded() -> Any:
            relief = sitk.GradientMagnitudeRecursiveGaussian(volume, scale)
            return sitk.MorphologicalWatershedFromMarkers(relief, markers, False, False)

        yield Method(
            "GradientMagnitudeRecursiveGaussian + MorphologicalWatershedFromMarkers",
            flooded,
            array_of,
            note="approximates the Gaussian, as Slicer; ties by age",
        )
