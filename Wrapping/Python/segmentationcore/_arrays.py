"""NumPy arrays and vtkImageData: the one place where they become each other.

Axes. An array's axes are z, y, x: the last one is VTK's first (i, x), so that a C-contiguous array
and VTK's x-fastest memory are the same bytes. A 2-D array is one slice with the axes y, x.
``spacing`` follows the axes of the array.

Memory. A C-contiguous array in native byte order is shared, not copied, and stays alive as long as
the image uses it. Everything else (other strides, other byte order) is copied once; the result
says so and a debug message of the logger ``segmentationcore`` tells why. Images are shared with
arrays likewise. Nothing here writes into what it was given.

Types. All integers of 8 to 64 bits, float32 and float64. bool travels as uint8 and comes back as
bool. float16, longdouble, complex, object and text arrays are refused, because VTK has no such
type and a silent conversion would change values or memory use.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ._compiled import _check_vtk

if TYPE_CHECKING:
    from typing import TypeGuard

    from numpy.typing import NDArray
    from vtkmodules.vtkCommonDataModel import vtkImageData

_LOGGER = logging.getLogger("segmentationcore")

# (kind, bytes) of NumPy's types -> VTK's type numbers (vtkType.h).
_VTK_TYPES = {
    ("i", 1): 15,  # VTK_SIGNED_CHAR
    ("u", 1): 3,  # VTK_UNSIGNED_CHAR
    ("i", 2): 4,  # VTK_SHORT
    ("u", 2): 5,  # VTK_UNSIGNED_SHORT
    ("i", 4): 6,  # VTK_INT
    ("u", 4): 7,  # VTK_UNSIGNED_INT
    ("i", 8): 16,  # VTK_LONG_LONG: 64 bits on every platform
    ("u", 8): 17,  # VTK_UNSIGNED_LONG_LONG
    ("f", 4): 10,  # VTK_FLOAT
    ("f", 8): 11,  # VTK_DOUBLE
}


class ImageOfArray(NamedTuple):
    """An array as an image."""

    image: vtkImageData
    copied: str
    """Why the voxels were copied; empty if the memory is shared."""
    dimensions: int
    """Number of axes of the array: 2 or 3."""
    dtype: np.dtype[Any]
    """Type that results get: the array's, in native byte order; bool for bool."""


class ArrayOfImage(NamedTuple):
    """A point array of an image as a NumPy array with the axes z, y, x."""

    array: NDArray[Any]
    copied: str
    """Why the voxels were copied; empty if the memory is shared."""


def check_array(array: Any, name: str) -> NDArray[Any]:
    """Refuse what cannot become an image."""
    if not isinstance(array, np.ndarray):
        raise TypeError(
            f"{name} is {type(array).__name__}; expected a numpy.ndarray or vtkImageData"
        )
    if isinstance(array, np.ma.MaskedArray):
        raise TypeError(f"{name} is a masked array; give array.filled(value) instead")
    kind, size = array.dtype.kind, array.dtype.itemsize
    if kind != "b" and (kind, size) not in _VTK_TYPES:
        hint = {"f": "; convert with array.astype(numpy.float32)"}.get(kind, "")
        raise TypeError(
            f"{name} has the type {array.dtype}; expected bool, an integer of 8 to 64 bits, "
            f"float32 or float64{hint}"
        )
    if array.ndim not in (2, 3):
        raise ValueError(
            f"{name} has {array.ndim} axes (shape {array.shape}); expected 3 (z, y, x) or 2 (y, x)"
        )
    if array.size == 0:
        raise ValueError(f"{name} has no voxels (shape {array.shape})")
    return array


def check_spacing(spacing: Any, axes: int) -> tuple[float, ...]:
    """Millimetres between voxels in the order of the array's axes; 1 when not given."""
    if spacing is None:
        return (1.0,) * axes
    expected = f"{axes} positive numbers ({'z, y, x' if axes == 3 else 'y, x'})"
    values = check_numbers(spacing, (axes,), "spacing", expected)
    if not (values > 0).all():
        raise ValueError(f"spacing is {spacing!r}; expected {expected}")
    return tuple(values.tolist())


def check_numbers(
    value: Any, shape: tuple[int, ...], name: str, expected: str
) -> NDArray[np.float64]:
    """Finite numbers of that shape; texts and truth values are no numbers."""
    try:
        values = np.asarray(value)
    except ValueError:  # rows that differ in length
        raise TypeError(f"{name} is {value!r}; expected {expected}") from None
    if values.dtype.kind not in "iuf" and values.size:
        raise TypeError(f"{name} is {value!r}; expected {expected}")
    if values.shape != shape or not np.isfinite(values).all():
        raise ValueError(f"{name} is {value!r}; expected {expected}")
    return values.astype(np.float64)


def image_of_array(
    array: Any, spacing: Sequence[float] | None = None, name: str = "Scalars", what: str = "array"
) -> ImageOfArray:
    """Make an image of an array; see the module's text for axes, memory and types."""
    array = check_array(array, what)
    steps = check_spacing(spacing, array.ndim)
    _check_vtk()
    from vtkmodules.util import numpy_support
    from vtkmodules.vtkCommonDataModel import vtkImageData

    dtype = array.dtype.newbyteorder("=")
    reasons = []
    if not array.dtype.isnative:
        reasons.append("its byte order is not this machine's")
    if not array.flags.c_contiguous:
        reasons.append("it is not C-contiguous")
    copied = " and ".join(reasons)
    if copied:
        _LOGGER.debug("copied %s of %d bytes because %s", what, array.nbytes, copied)
    # No copy unless a reason was found above. asarray drops subclasses such as memmap and matrix.
    plain = np.asarray(array, dtype=dtype, order="C")
    if plain.dtype.kind == "b":
        plain = plain.view(np.uint8)
    flat = plain.reshape(-1)
    vtk_type = _VTK_TYPES[plain.dtype.kind, plain.dtype.itemsize]
    support: Any = numpy_support  # has no types
    data = support.numpy_to_vtk(flat, deep=0, array_type=vtk_type)  # keeps the array alive
    data.SetName(name)
    image = vtkImageData()
    image.SetDimensions(*reversed((1, *array.shape)[-3:]))
    image.SetSpacing(*reversed((1.0, *steps)[-3:]))
    image.GetPointData().SetScalars(data)
    return ImageOfArray(image, copied, array.ndim, dtype)


def point_array_name(image: Any, what: str) -> str:
    """Name of the image's active scalars; refuses an image that has none that can be used."""
    arrays = image.GetPointData()
    scalars = arrays.GetScalars()
    if image.GetNumberOfPoints() == 0:
        raise ValueError(f"{what} has no voxels (extent {image.GetExtent()})")
    if scalars is None:
        names = [arrays.GetArrayName(index) for index in range(arrays.GetNumberOfArrays())]
        raise ValueError(
            f"{what} has no active point scalars; its point arrays are {names}. Choose one with "
            "image.GetPointData().SetActiveScalars(name)"
        )
    if scalars.GetNumberOfComponents() != 1:
        raise ValueError(
            f"{what} has {scalars.GetNumberOfComponents()} components per voxel in array "
            f"{scalars.GetName()!r}; expected 1"
        )
    return str(scalars.GetName() or "")


def array_of_image(image: Any, name: str | None = None, what: str = "image") -> ArrayOfImage:
    """View a point array of an image (the active scalars by default) with the axes z, y, x."""
    _check_vtk()
    from vtkmodules.util import numpy_support

    if name is None:
        point_array_name(image, what)
        data = image.GetPointData().GetScalars()
    else:
        data = image.GetPointData().GetArray(name)
        if data is None:
            arrays = image.GetPointData()
            names = [arrays.GetArrayName(index) for index in range(arrays.GetNumberOfArrays())]
            raise ValueError(f"{what} has no point array {name!r}; it has {names}")
    copied = ""
    if not data.HasStandardMemoryLayout():
        copied = f"array {data.GetName()!r} does not hold its values in one piece"
        plain = data.CreateDataArray(data.GetDataType())
        plain.DeepCopy(data)
        data = plain
        _LOGGER.debug("copied %s because %s", what, copied)
    if data.GetDataType() == 1:  # VTK_BIT
        raise ValueError(f"array {data.GetName()!r} of {what} holds bits; convert it to bytes")
    shape = tuple(reversed(image.GetDimensions()))
    components = data.GetNumberOfComponents()
    support: Any = numpy_support  # has no types
    flat = support.vtk_to_numpy(data)
    return ArrayOfImage(flat.reshape(shape if components == 1 else (*shape, components)), copied)


def to_image(
    array: NDArray[Any],
    *,
    spacing: Sequence[float] | None = None,
    origin: Sequence[float] | None = None,
    name: str = "Scalars",
) -> vtkImageData:
    """Make a ``vtkImageData`` of an array, sharing its memory where the layout allows it.

    Parameters
    ----------
    array : numpy.ndarray
        Axes z, y, x, or y, x for a single slice; C-contiguous arrays are shared.
    spacing : sequence of floats, optional
        Millimetres between voxels in the order of the array's axes; 1 when absent.
    origin : sequence of floats, optional
        Position of the first voxel's centre in the order of the array's axes; 0 when absent.
    name : str, default "Scalars"
        Name of the point array.

    Returns
    -------
    vtkImageData
        With the array as its active scalars; bool arrays become unsigned char.

    Raises
    ------
    TypeError, ValueError
        For a type that VTK lacks (float16, complex, object..), a number of axes other than 2 or 3,
        or an array without voxels.

    Examples
    --------
    >>> import numpy as np
    >>> from segmentationcore import to_image
    >>> image = to_image(np.zeros((2, 3, 4), np.uint8), spacing=(2.0, 0.5, 0.25))
    >>> image.GetDimensions(), image.GetSpacing()
    ((4, 3, 2), (0.25, 0.5, 2.0))
    """
    image = image_of_array(array, spacing, name).image
    if origin is not None:
        values = check_numbers(origin, (array.ndim,), "origin", f"{array.ndim} numbers")
        image.SetOrigin(*reversed((0.0, *values.tolist())[-3:]))
    return image


def to_array(image: vtkImageData, name: str | None = None) -> NDArray[Any]:
    """View a point array of an image as NumPy array with the axes z, y, x.

    Parameters
    ----------
    image : vtkImageData
        Keeps its memory, which the array shares; use ``.copy()`` before changing values.
    name : str, optional
        Point array; the active scalars when absent.

    Returns
    -------
    numpy.ndarray
        Axes z, y, x, and components last if there are several.

    Raises
    ------
    ValueError
        There is no such array.

    Examples
    --------
    >>> import numpy as np
    >>> from segmentationcore import to_array, to_image
    >>> array = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    >>> np.shares_memory(to_array(to_image(array)), array)
    True
    """
    if not is_image(image):
        raise TypeError(f"image is {type(image).__name__}; expected vtkImageData")
    return array_of_image(image, name).array


def is_image(data: Any) -> TypeGuard[vtkImageData]:
    """Whether this is a vtkImageData, told without importing VTK for what is not."""
    return hasattr(data, "IsA") and bool(data.IsA("vtkImageData"))
