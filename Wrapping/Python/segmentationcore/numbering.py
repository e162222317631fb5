"""Numbers for all islands of a segment; the effect ``islands`` makes a few of them segments."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from . import _registry
from ._arrays import array_of_image, check_array, image_of_array, is_image, point_array_name
from ._pipeline import execute
from ._run import check_out, check_parameters, into, make_filter, offered

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ._run import ImageLike

_NAME = "label_islands"
_FUNCTION = f"{_NAME}()"
_RESULT = "Islands"


class IslandNumbers(NamedTuple):
    """What `label_islands` found."""

    numbers: Any
    """The number of each voxel's island: an array, or a vtkImageData if one was given."""
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody needs here
    """How many islands have a number, which is the largest one."""


def label_islands(
    labels: ImageLike,
    *,
    label: int = 1,
    minimum_size: int = 1,
    connectivity: Literal[6, 18, 26] = 6,
    out: NDArray[Any] | None = None,
    progress: Callable[[float], bool | None] | None = None,
) -> IslandNumbers:
    """Give each connected component (island) of a segment a number.

    Islands are numbered 1, 2, ... by their number of voxels, the largest first, and of equal ones
    by the first voxel, the last axis fastest: islands 1 to n are the n largest.

    Parameters
    ----------
    labels : numpy.ndarray or vtkImageData
        The label map or mask, axes z, y, x or y, x; never changed.
    label : int, default 1
        The value of the segment.
    minimum_size : int, default 1
        Smaller islands, in voxels, get no number.
    connectivity : {6, 18, 26}, default 6
        Which voxels touch: those that share a face (6), also an edge (18), also a corner (26).
    out : numpy.ndarray, optional
        Where to put the numbers of an array, of its shape and of type int32 or int64: memory that
        is there already is faster than new memory.
    progress : callable, optional
        Called with the fraction done; stops the work when it returns False.

    Returns
    -------
    IslandNumbers
        ``numbers``, of type int32 (int64 beyond two billion islands) and 0 where there is no
        island, as an array or in the active scalars "Islands" of a vtkImageData, as was given; and
        their ``count``.

    Raises
    ------
    TypeError, ValueError
        Before VTK is touched.
    SegmentationCoreError
        The filter failed.
    Cancelled
        ``progress`` returned False, or Ctrl-C was pressed.

    Examples
    --------
    >>> import numpy as np
    >>> from segmentationcore import label_islands
    >>> numbers, count = label_islands(np.array([[1, 0, 1, 1, 0, 1]], np.uint8))
    >>> numbers.tolist(), count
    ([[2, 0, 1, 1, 0, 3]], 3)
    """
    label = _registry.check_label(label, f"{_FUNCTION}: label")
    given = {"MinimumSize": minimum_size, "Connectivity": connectivity}
    checked = check_parameters(_registry.LABEL_ISLANDS, given)
    if progress is not None and not callable(progress):
        raise TypeError(f"{_FUNCTION}: progress is {type(progress).__name__}; expected a callable")
    what = f"{_FUNCTION}: labels"
    dimensions = 3
    if is_image(labels):
        point_array_name(labels, what)
        source: Any = labels.NewInstance()
        source.ShallowCopy(labels)
    else:
        converted = image_of_array(check_array(labels, what), None, "Scalars", what)
        source, dimensions = converted.image, converted.dimensions
    if out is not None:
        check_out(out, labels, _NAME, True)
        if not np.can_cast(np.int32, out.dtype, "safe") or out.dtype.kind != "i":
            raise ValueError(f"{_FUNCTION}: out has the type {out.dtype}; expected int32 or int64")
    algorithm = make_filter(_registry.LABEL_ISLANDS, checked, label)
    algorithm.SetInputDataObject(source)
    if out is None or progress is not None:  # cancelling leaves `out` as it was
        execute(algorithm, _FUNCTION, progress)
        output = algorithm.GetOutput()
    else:
        output = offered(out)
        execute(algorithm, _FUNCTION, None, functools.partial(algorithm.Apply, source, output))
    count = int(algorithm.GetNumberOfIslands())
    if is_image(labels):
        result = labels.NewInstance()
        result.ShallowCopy(labels)
        result.GetPointData().ShallowCopy(output.GetPointData())
        return IslandNumbers(result, count)
    numbers = array_of_image(output, _RESULT).array
    numbers = numbers[0] if dimensions == 2 else numbers
    return IslandNumbers(numbers if out is None else into(out, numbers, _NAME), count)
