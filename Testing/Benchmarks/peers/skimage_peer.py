"""scikit-image: Otsu's threshold, polygons, expanded labels, watershed, surfaces. One thread."""

from __future__ import annotations

from collections.abc import Iterator

from . import Method, Task, seed_of

LIBRARY = "scikit-image"


def version() -> str:
    import skimage

    return skimage.__version__


def methods(task: Task) -> Iterator[Method]:
    import numpy as np

    array = task.array
    if task.effect == "threshold Otsu":
        from skimage.filters import threshold_otsu

        note = "a bin for every value of an integer volume"
        yield Method("threshold_otsu + compare", lambda: array > threshold_otsu(array), note=note)
        if array.dtype.kind == "u":

            def by_counts() -> np.ndarray:
                counts = np.bincount(array.ravel())
                return array > threshold_otsu(hist=(counts, np.arange(counts.size)))

            yield Method("threshold_otsu(hist=bincount) + compare", by_counts, note=note)

    if task.effect == "flood filling":
        from skimage.segmentation import flood

        seed, tolerance = seed_of(task), task.options["tolerance"]
        yield Method("flood", lambda: flood(array, seed, connectivity=1, tolerance=tolerance))
    if task.effect == "draw":
        from skimage.draw import polygon

        from ..catalogue import outline

        def draw() -> np.ndarray:
            result = array.copy()
            section = result[array.shape[0] // 2]
            rows, columns = (outline(task) / task.spacing[1:]).T
            section[polygon(rows, columns, section.shape)] = 1
            return result

        yield Method("copy + draw.polygon", draw)
    if task.effect == "multiple thresholds Otsu":
        from skimage.filters import threshold_multiotsu

        classes, bins = task.options["classes"], task.options["bins"]
        yield Method(
            "threshold_multiotsu + digitize",
            lambda: np.digitize(array, threshold_multiotsu(array, classes, nbins=bins)) + 1,
            note="other bins",
        )

    if task.effect == "expand segments":
        from skimage.segmentation import expand_labels

        reach = task.options["millimetres"] * (1 + 1e-9)
        yield Method(
            "expand_labels",
            lambda: expand_labels(array, reach, task.spacing),
            note="any of the labels at equal distance",
        )

    if task.effect == "watershed":
        from scipy.ndimage import gaussian_gradient_magnitude
        from skimage.segmentation import watershed

        deviations = [task.options["scale"] / length for length in task.spacing]

        def flooded() -> np.ndarray:
            volume = task.volume.astype(np.float32)
            return watershed(gaussian_gradient_magnitude(volume, deviations), array)

        yield Method(
            "gaussian_gradient_magnitude (SciPy) + watershed",
            flooded,
            note="slopes per voxel, not per millimetre; ties by age",
        )

    if task.effect.startswith("surfaces") and not task.options["smooth"]:
        from skimage.measure import marching_cubes

        values = np.unique(array)
        values = values[values > 0]
        if values.size > 10:  # it sees the whole volume for every label
            return

        def surfaces() -> str:
            triangles = 0
            for value in values:
                _, faces, _, _ = marching_cubes(array == value, 0.5, spacing=task.spacing)
                triangles += len(faces)
            return f"{triangles:,} triangles"

        yield Method("marching_cubes per label", surfaces, note="another algorithm; open at border")
