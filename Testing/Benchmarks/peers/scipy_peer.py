"""scipy.ndimage: labels, distances, box sums and medians. One thread."""

from __future__ import annotations

from collections.abc import Iterator

from . import Method, Task

LIBRARY = "scipy"


def version() -> str:
    import scipy

    return scipy.__version__


def methods(task: Task) -> Iterator[Method]:
    import numpy as np
    from scipy import ndimage

    mask = task.array

    if task.effect == "islands label all":
        yield Method("label", lambda: ndimage.label(mask)[0])

    if task.effect == "connectivity":

        def percolating() -> np.ndarray:
            labels, count = ndimage.label(mask)
            kept = np.zeros(count + 1, bool)
            kept[np.intersect1d(labels[0], labels[-1])] = True
            kept[0] = False
            return kept[labels]

        yield Method("label + faces + table", percolating)

    if task.effect == "boundary removal":
        least = task.options["gradient"]

        def steep() -> np.ndarray:
            square = np.zeros(mask.shape)
            for axis, length in enumerate(task.spacing):
                weights = np.array([-0.5, 0.0, 0.5]) / length
                slope = ndimage.correlate1d(mask.astype(float), weights, axis, mode="nearest")
                square += slope * slope
            return np.sqrt(square) >= least

        yield Method("correlate1d along each axis", steep)

    if task.effect == "islands keep largest":

        def largest() -> np.ndarray:
            labels, _ = ndimage.label(mask)
            counts = np.bincount(labels.ravel())
            counts[0] = 0
            return labels == counts.argmax()

        yield Method("label + bincount", largest)

    if task.effect == "islands remove small":

        def not_small() -> np.ndarray:
            labels, _ = ndimage.label(mask)
            kept = np.bincount(labels.ravel()) >= task.options["minimum_size"]
            kept[0] = False
            return kept[labels]

        yield Method("label + bincount + table", not_small)

    if task.effect in ("margin grow", "margin shrink"):
        reach = task.options["millimetres"] * (1 + 1e-9)  # as ours, ties belong to the margin
        if task.effect == "margin grow":
            empty = mask == 0

            def margin() -> np.ndarray:
                return ndimage.distance_transform_edt(empty, task.spacing) <= reach

        else:

            def margin() -> np.ndarray:
                return ndimage.distance_transform_edt(mask, task.spacing) > reach

        yield Method("distance_transform_edt + compare", margin)

    if task.effect == "expand segments":
        reach = task.options["millimetres"] * (1 + 1e-9)

        def nearest() -> np.ndarray:
            distance, index = ndimage.distance_transform_edt(
                mask == 0, task.spacing, return_indices=True
            )
            return np.where(distance <= reach, mask[tuple(index)], 0)

        yield Method(
            "distance_transform_edt with indices",
            nearest,
            note="any of the labels at equal distance",
        )

    if task.effect.startswith("median"):
        width = task.options["width"]
        border = "mirrors at the border; compared inside"
        yield Method(
            "uniform_filter (float32) > 0.5",
            lambda: ndimage.uniform_filter(mask, width, output=np.float32) > 0.5,
            note=border,
        )
        yield Method("median_filter", lambda: ndimage.median_filter(mask, width), note=border)
