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

    if task.effect == "islands label all, reused output":
        numbers = np.zeros(mask.shape, np.int32)

        def label_again() -> np.ndarray:
            ndimage.label(mask, output=numbers)
            return numbers

        yield Method("label(output=)", label_again)

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

    if task.effect == "size distribution":
        from ..catalogue import sizes_text

        def openings() -> dict[float, int]:
            room = ndimage.distance_transform_edt(mask, task.spacing)
            sizes = np.zeros(mask.shape, np.float32)
            for diameter in task.options["diameters"]:
                centres = room >= diameter / 2
                if not centres.any():
                    break
                away = ndimage.distance_transform_edt(~centres, task.spacing)
                sizes[away < diameter / 2] = diameter
            found, counts = np.unique(sizes[mask != 0], return_counts=True)
            return dict(zip(found.tolist(), counts.tolist(), strict=True))

        yield Method(
            "distance_transform_edt for each diameter",
            openings,
            sizes_text,
            note="between centres of voxels: 1 to 1.7 voxels thicker",
        )

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

    if task.effect in ("opening", "closing"):
        width = task.options["width"]
        offsets = np.arange(width) - width // 2
        squares = offsets[:, None, None] ** 2 + offsets[:, None] ** 2 + offsets**2
        ball = squares <= width * width / 4

        def there_and_back() -> np.ndarray:
            # What is beyond the border must not eat.
            if task.effect == "opening":
                inner = ndimage.binary_erosion(mask, ball, border_value=1)
                return ndimage.binary_dilation(inner, ball)
            outer = ndimage.binary_dilation(mask, ball)
            return ndimage.binary_erosion(outer, ball, border_value=1)

        yield Method("binary_erosion, binary_dilation", there_and_back)

    if task.effect == "Gaussian":
        note = "single precision, mirrors at the border; compared inside"
        yield Method(
            "gaussian_filter (float32) >= 0.5",
            lambda: (
                ndimage.gaussian_filter(mask, task.options["millimetres"], output=np.float32) >= 0.5
            ),
            note=note,
        )

    if task.effect == "mask volume, soft edge":
        from ..catalogue import values_text

        deviations = [task.options["millimetres"] / step for step in task.spacing]

        def soft() -> np.ndarray:
            inside = (mask == 1).astype(np.float32)
            weights = ndimage.gaussian_filter(inside, deviations, truncate=3, mode="nearest")
            return np.rint(task.volume * weights).astype(task.volume.dtype)

        yield Method(
            "gaussian_filter (float32), *, rint",
            soft,
            values_text,
            note="repeats voxels at the border",
        )

    if task.effect == "fill holes":
        yield Method("binary_fill_holes", lambda: ndimage.binary_fill_holes(mask))

    if task.effect == "hollow":
        thickness = task.options["millimetres"] * (1 + 1e-9)

        def shell() -> np.ndarray:
            distance = ndimage.distance_transform_edt(mask, task.spacing)
            return (distance > 0) & (distance <= thickness)

        yield Method(
            "distance_transform_edt + compare", shell, note="measures to the centres of voxels"
        )

    if task.effect == "wrap solidify":
        radius = task.options["millimetres"] * (1 + 1e-9)
        room = [int(radius / step) + 1 for step in task.spacing]

        def wrap() -> np.ndarray:
            around = np.pad(mask, [(n, n) for n in room])
            free = ndimage.distance_transform_edt(around == 0, task.spacing) > radius
            labels, _ = ndimage.label(free)
            outside = labels == labels[0, 0, 0]
            solid = ndimage.distance_transform_edt(~outside, task.spacing) > radius
            return solid[tuple(slice(n, -n) for n in room)]

        yield Method("two distance_transform_edt and label", wrap)
