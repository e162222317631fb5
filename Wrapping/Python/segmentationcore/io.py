"""Reading volumes (NRRD, NIfTI, VTI) and segmentations, writing NRRD and .seg.nrrd.

In memory everything is in RAS millimetres, with the direction in the image's direction matrix;
files keep their own convention. Writers write aside and rename, so a file is either complete or
not there. All work is done by the C++ readers and writers.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._arrays import is_image
from ._compiled import find_class
from ._pipeline import execute
from .operations import LabelMap
from .segments import Segment, read_segments, write_segments

if TYPE_CHECKING:
    from vtkmodules.vtkCommonDataModel import vtkImageData

__all__ = ["read_segmentation", "read_volume", "write_segmentation", "write_volume"]

SEGMENTATION_SUFFIXES = (".seg.nrrd", ".seg.nhdr")

_Progress = Callable[[float], "bool | None"]


def is_segmentation_name(path: str | os.PathLike[str]) -> bool:
    """Whether a file's name says that it is a segmentation."""
    return os.fspath(path).lower().endswith(SEGMENTATION_SUFFIXES)


def _existing(path: str | os.PathLike[str]) -> str:
    name = os.fspath(path)
    if not isinstance(name, str):
        raise TypeError(f"path is {type(name).__name__}; expected a text or pathlib.Path")
    if not os.path.exists(name):
        raise FileNotFoundError(2, "no such file", name)
    if os.path.isdir(name):
        raise IsADirectoryError(21, "is a folder, expected a file", name)
    with open(name, "rb"):  # an OSError with its reason, rather than a reader's guess
        return name


def _writable(path: str | os.PathLike[str]) -> str:
    name = os.fspath(path)
    if not isinstance(name, str):
        raise TypeError(f"path is {type(name).__name__}; expected a text or pathlib.Path")
    folder = Path(name).parent
    if not folder.is_dir():
        raise FileNotFoundError(2, "no such folder to write into", str(folder))
    if os.path.isdir(name):
        raise IsADirectoryError(21, "is a folder, expected a file name", name)
    return name


def _read(
    class_name: str, path: str | os.PathLike[str], progress: _Progress | None
) -> vtkImageData:
    name = _existing(path)
    reader = find_class(class_name)()
    reader.SetFileName(name)
    execute(reader, name, progress)
    output = reader.GetOutputDataObject(0)
    image: vtkImageData = output.NewInstance()
    image.ShallowCopy(output)
    return image


def _write(
    class_name: str,
    path: str | os.PathLike[str],
    image: Any,
    compress: bool,
    progress: _Progress | None,
) -> None:
    name = _writable(path)
    if not is_image(image):
        raise TypeError(f"image is {type(image).__name__}; expected vtkImageData (see to_image)")
    source = image.NewInstance()
    source.ShallowCopy(image)
    writer = find_class(class_name)()
    writer.SetFileName(name)
    writer.SetInputDataObject(source)
    writer.SetUseCompression(compress)
    execute(writer, name, progress, writer.Write)


def read_volume(
    path: str | os.PathLike[str], *, progress: Callable[[float], bool | None] | None = None
) -> vtkImageData:
    """Read a volume: NRRD, NIfTI or VTI.

    Parameters
    ----------
    path : str or path
        The kind of file is told by its content.
    progress : callable, optional
        Called with a fraction from 0 to 1; returning False cancels.

    Returns
    -------
    vtkImageData
        In RAS millimetres, with direction matrix; `to_array` gives its voxels.

    Raises
    ------
    OSError
        The file is not there or cannot be read.
    SegmentationCoreError
        Its content is broken or not supported.
    """
    return _read("vtkRASVolumeReader", path, progress)


def write_volume(
    path: str | os.PathLike[str],
    image: vtkImageData,
    *,
    compress: bool = True,
    progress: Callable[[float], bool | None] | None = None,
) -> None:
    """Write the active point scalars of an image as NRRD.

    Parameters
    ----------
    path : str or path
        Ends in ``.nrrd``, or ``.nhdr`` for a header with the voxels in a file beside it; an
        existing file is replaced when the new one is complete.
    image : vtkImageData
        In RAS millimetres.
    compress : bool, default True
        Deflate the voxels.
    progress : callable, optional
        Called with a fraction from 0 to 1; returning False cancels.
    """
    _write("vtkRASVolumeWriter", path, image, compress, progress)


def read_segmentation(
    path: str | os.PathLike[str], *, progress: Callable[[float], bool | None] | None = None
) -> vtkImageData:
    """Read a ``.seg.nrrd`` file, or a plain label volume such as an atlas.

    Parameters
    ----------
    path : str or path
        The file. Of a volume without segments, each value above 0 becomes one.
    progress : callable, optional
        Called with a fraction from 0 to 1; returning False cancels.

    Returns
    -------
    vtkImageData
        One point array per layer (``Labels``, ``Labels_1``..); `read_segments` gives the segments.

    Raises
    ------
    OSError
        The file is not there or cannot be read.
    SegmentationCoreError
        Its content is broken or not supported.
    """
    return _read("vtkLabelMapNrrdReader", path, progress)


def write_segmentation(
    path: str | os.PathLike[str],
    labels: vtkImageData | LabelMap,
    *,
    segments: Iterable[Segment] | None = None,
    compress: bool = True,
    progress: Callable[[float], bool | None] | None = None,
) -> None:
    """Write a label map and its segments as ``.seg.nrrd``.

    Parameters
    ----------
    path : str or path
        Ends in ``.seg.nrrd``; an existing file is replaced when the new one is complete.
    labels : vtkImageData or LabelMap
        Label map with its table in the field data, or the result of `apply_operations` on an image.
    segments : iterable of Segment, optional
        Replaces the table that the image has.
    compress : bool, default True
        Deflate the voxels.
    progress : callable, optional
        Called with a fraction from 0 to 1; returning False cancels.

    Raises
    ------
    ValueError
        There is no segment table, or the name does not end in ``.seg.nrrd``.
    """
    if not is_segmentation_name(path):
        raise ValueError(
            f"{os.fspath(path)}: a segmentation's name ends in {' or '.join(SEGMENTATION_SUFFIXES)}"
        )
    image: Any = labels
    if isinstance(labels, LabelMap):
        image = labels.labels
        segments = labels.segments if segments is None else segments
    if not is_image(image):
        raise TypeError(
            f"labels is {type(image).__name__}; expected vtkImageData (see to_image), because a "
            "file needs spacing and direction"
        )
    if segments is not None:
        copy = image.NewInstance()
        copy.ShallowCopy(image)
        # Shallow copies share the field data's arrays but not their list: this changes ours alone.
        write_segments(copy, segments)
        image = copy
    elif not read_segments(image) and image.GetFieldData().GetAbstractArray("SegmentID") is None:
        raise ValueError(
            "labels has no segment table in its field data; give segments=[Segment(..), ..]"
        )
    _write("vtkLabelMapNrrdWriter", path, image, compress, progress)
