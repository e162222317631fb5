"""The volumes of the demonstration, and how they are written.

====== ==========================================================================
rock   synthetic tomogram of `rock`, NRRD
brain  MRI ``ch2better.nii.gz`` of Debian's ``mricron-data``, read in place: a
       head of which the brain was cut out, 0.5 mm
atlas  MRI ``ch2.nii.gz`` of the whole head, 1 mm, with its atlas ``aal.nii.gz``
       as ``.seg.nrrd`` with names
ct     head CT of Debian's ``invesalius-examples``, out of its project, NRRD
====== ==========================================================================

Arrays have the axes z, y, x. Positions in files are LPS millimetres, as NRRD files of Slicer have
them. Needs NumPy and nothing of ours that is compiled.
"""

from __future__ import annotations

import colorsys
import gzip
import os
import plistlib
import posixpath
import struct
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Union

import numpy as np
from numpy.typing import NDArray

from .rock import rock_slabs

BRAIN_FILE = Path("/usr/share/mricron/templates/ch2better.nii.gz")
HEAD_FILE = Path("/usr/share/mricron/templates/ch2.nii.gz")
ATLAS_FILE = Path("/usr/share/mricron/templates/aal.nii.gz")
CT_FILE = Path("/usr/share/doc/invesalius-examples/examples/Cranium.inv3")
PACKAGES = {
    BRAIN_FILE: "mricron-data",
    HEAD_FILE: "mricron-data",
    ATLAS_FILE: "mricron-data",
    CT_FILE: "invesalius-examples",
}

ROCK_SPACING = (0.5, 0.5, 0.6)
"""Millimetres. A micro-CT voxel is a hundred times smaller; enlarged like this, a rock wants the
same margins in millimetres as a head does."""

ATLAS_REGIONS = (
    "Precentral",
    "Postcentral",
    "Frontal_Sup_L",
    "Frontal_Sup_R",
    "Frontal_Mid_L",
    "Frontal_Mid_R",
    "Parietal_Sup",
    "Parietal_Inf",
    "Angular",
    "Occipital_Mid",
    "Temporal_Sup_L",
    "Temporal_Sup_R",
    "Temporal_Mid_L",
    "Temporal_Mid_R",
    "Cerebelum_Crus",
    "Thalamus",
)
"""Large regions on both sides; the whole atlas has 116, which takes Slicer a minute."""

PathLike = Union[str, "os.PathLike[str]"]


class DataError(Exception):
    """A file that is missing or is not what it should be."""


@dataclass(frozen=True)
class Volume:
    """Voxels with axes z, y, x and where they are.

    ``axes`` has one row per index axis x, y, z: the step to the next voxel in LPS millimetres.
    ``origin`` is the middle of the first voxel.
    """

    voxels: NDArray[Any]
    axes: NDArray[np.float64]
    origin: NDArray[np.float64]

    def position(self, index: Sequence[float]) -> NDArray[np.float64]:
        """LPS position of a voxel index x, y, z."""
        return self.origin + np.asarray(index, np.float64) @ self.axes


def located(path: Path) -> Path:
    """Where a file of a package is: in its place, or below the folder it was unpacked to.

    Small installations leave out /usr/share/doc; ``SEGMENTATIONCORE_DATA_ROOT`` then names that
    folder.
    """
    root = os.environ.get("SEGMENTATIONCORE_DATA_ROOT")
    if not path.is_file() and root:
        elsewhere = Path(root) / path.relative_to("/")
        if elsewhere.is_file():
            return elsewhere
    return path


def require(path: Path) -> Path:
    """The path, or an error that says how to get it."""
    if not path.is_file():
        package = PACKAGES.get(path)
        advice = f" Install it: apt-get install {package}" if package else ""
        raise DataError(f"{path} is missing.{advice}")
    return path


def write_rock(path: PathLike, size: int, seed: int = 1) -> None:
    """Write the rock of ``size`` voxels along each edge, plane by plane; its middle is at 0."""
    axes = np.diag(ROCK_SPACING)
    middle = -0.5 * (size - 1) * np.array(ROCK_SPACING)
    with open(path, "wb") as stream:
        stream.write(nrrd_header(np.dtype("<u2"), (size, size, size), axes, middle, "raw"))
        for slab in rock_slabs(size, seed):
            stream.write(np.ascontiguousarray(slab, "<u2").data)


def read_ct(path: PathLike = CT_FILE) -> Volume:
    """The CT of an InVesalius project (``.inv3``): a tar archive of property lists and raw arrays.

    What the matrix means was found by looking at it and in InVesalius' own way of making one: an
    axial series keeps the columns of the DICOM images (to the patient's left) and turns the rows
    round (to the front), and the planes go up. Here the rows are turned back, so that all three
    axes are those of DICOM: left, posterior, superior. The project does not keep the position, so
    the middle is put at 0.
    """
    try:
        with tarfile.open(require(Path(path))) as archive:
            members = {posixpath.basename(member.name): member for member in archive.getmembers()}

            def content(name: str) -> bytes:
                stream = archive.extractfile(members[name])
                if stream is None:
                    raise KeyError(name)
                return stream.read()

            project = plistlib.loads(content("main.plist"))
            matrix = project["matrix"]
            shape = tuple(int(length) for length in matrix["shape"])
            kind = np.dtype(str(matrix["dtype"])).newbyteorder("<")
            raw = content(posixpath.basename(matrix["filename"]))
            spacing = [float(length) for length in project["spacing"]]
            orientation = int(project["orientation"])
    except (
        tarfile.TarError,
        KeyError,
        TypeError,
        ValueError,
        plistlib.InvalidFileException,
    ) as error:
        raise DataError(f"{path} is not an InVesalius project: {error!r}") from error
    if orientation != 1 or len(shape) != 3 or len(spacing) != 3:
        raise DataError(f"{path} holds no axial series (orientation {orientation}, shape {shape})")
    if len(raw) != int(np.prod(shape)) * kind.itemsize:
        raise DataError(f"{path} holds {len(raw)} bytes of voxels for the shape {shape} of {kind}")
    voxels = np.frombuffer(raw, kind).reshape(shape)[:, ::-1, :]
    middle = -0.5 * (np.array(shape[::-1], np.float64) - 1) * spacing
    return Volume(voxels, np.diag(spacing), middle)


def read_nifti(path: PathLike) -> Volume:
    """A small reader of NIfTI-1 (``.nii.gz``, little-endian): what the atlas and the tests need."""
    content = gzip.decompress(require(Path(path)).read_bytes())
    kinds = {2: "<u1", 4: "<i2", 8: "<i4", 16: "<f4", 512: "<u2"}
    code = struct.unpack_from("<h", content, 70)[0]
    if struct.unpack_from("<i", content)[0] != 348 or code not in kinds:
        raise DataError(f"{path} is not a little-endian NIfTI-1 file of a known type")
    dimensions = struct.unpack_from("<8h", content, 40)
    if struct.unpack_from("<h", content, 254)[0] <= 0:
        raise DataError(f"{path} has no sform")
    affine = np.array(struct.unpack_from("<12f", content, 280), np.float64).reshape(3, 4)
    shape = dimensions[3], dimensions[2], dimensions[1]
    first = int(struct.unpack_from("<f", content, 108)[0])
    voxels = np.frombuffer(content, kinds[code], int(np.prod(shape)), first).reshape(shape)
    to_lps = np.array([-1.0, -1.0, 1.0])  # NIfTI is RAS
    return Volume(voxels, affine[:, :3].T * to_lps, affine[:, 3] * to_lps)


def read_atlas_names(path: PathLike) -> dict[int, str]:
    """Label value to name, from the table that lies beside an atlas."""
    rows = (line.split() for line in require(Path(path)).read_text(encoding="utf-8").splitlines())
    return {int(row[0]): row[1] for row in rows if len(row) >= 2}


def read_atlas_colours(path: PathLike) -> NDArray[np.uint8]:
    """256 colours: a table of 256 reds, 256 greens and 256 blues."""
    planes = np.frombuffer(require(Path(path)).read_bytes(), np.uint8)
    if planes.size != 768:
        raise DataError(f"{path} has {planes.size} bytes; 768 are expected")
    colours: NDArray[np.uint8] = planes.reshape(3, 256).T
    return colours


def write_atlas(
    path: PathLike, source: Path = ATLAS_FILE, regions: Sequence[str] | None = None
) -> int:
    """Write the atlas as a segmentation; returns the number of segments.

    ``regions`` are beginnings of the names that are wanted; None means all of them.

    Written here and not by our own writer, so that the reader of the plugin meets a file of
    another hand.
    """
    atlas = read_nifti(source)
    base = str(source)[: -len(".gz")]
    names = read_atlas_names(base + ".txt")
    colours = read_atlas_colours(base + ".lut")
    fields: dict[str, str] = {
        "Segmentation_MasterRepresentation": "Binary labelmap",
        "Segmentation_ContainedRepresentationNames": "Binary labelmap|",
        "Segmentation_ReferenceImageExtentOffset": "0 0 0",
    }
    number = 0
    labels = np.zeros_like(atlas.voxels)
    for label, place in places_by_label(atlas.voxels):
        name = names.get(label, f"Region_{label}")
        if regions is not None and not name.startswith(tuple(regions)):
            continue
        labels[place] = label
        color = colours[label] / 255
        if color.sum() < 0.3:  # some entries of the table are black
            color = np.array(colorsys.hsv_to_rgb(label * 0.618 % 1.0, 0.5, 0.9))
        extent = " ".join(f"{axis.min()} {axis.max()}" for axis in reversed(place))
        prefix = f"Segment{number}_"
        fields |= {
            prefix + "ID": name,
            prefix + "Name": name.replace("_", " "),
            prefix + "Color": " ".join(f"{value:.6g}" for value in color),
            prefix + "LabelValue": str(label),
            prefix + "Layer": "0",
            prefix + "Extent": extent,
            prefix + "Tags": "",
        }
        number += 1
    write_nrrd(path, Volume(labels, atlas.axes, atlas.origin), fields)
    return number


def places_by_label(
    labels: NDArray[Any],
) -> Iterator[tuple[int, tuple[NDArray[np.int64], ...]]]:
    """For each label above 0, in ascending order, the indices z, y, x of its voxels."""
    flat = labels.ravel()
    places = np.flatnonzero(flat)
    places = places[np.argsort(flat[places], kind="stable")]
    values, starts = np.unique(flat[places], return_index=True)
    for value, group in zip(values, np.split(places, starts[1:]), strict=True):
        yield int(value), np.unravel_index(group, labels.shape)


def nrrd_header(
    kind: np.dtype[Any],
    sizes: Sequence[int],
    axes: NDArray[np.float64],
    origin: NDArray[np.float64],
    encoding: str,
    fields: Mapping[str, str] | None = None,
) -> bytes:
    """Header of an LPS volume; ``sizes`` in the order x, y, z."""
    types = {"u1": "unsigned char", "i2": "short", "u2": "unsigned short", "f4": "float"}
    # repr gives the shortest text that is read as the same number.
    vectors = ["(" + ",".join(repr(float(part)) for part in row) + ")" for row in [*axes, origin]]
    lines = [
        "NRRD0004",
        f"type: {types[kind.str[1:]]}",
        "dimension: 3",
        "space: left-posterior-superior",
        f"sizes: {' '.join(str(int(length)) for length in sizes)}",
        f"space directions: {' '.join(vectors[:3])}",
        "kinds: domain domain domain",
        "endian: little",
        f"encoding: {encoding}",
        f"space origin: {vectors[3]}",
        *(f"{key}:={value}" for key, value in (fields or {}).items()),
    ]
    return ("\n".join(lines) + "\n\n").encode("utf-8")


def write_nrrd(path: PathLike, volume: Volume, fields: Mapping[str, str] | None = None) -> None:
    """Write a volume, or with ``fields`` a segmentation, compressed with gzip then."""
    kind = volume.voxels.dtype.newbyteorder("<")
    voxels = np.ascontiguousarray(volume.voxels, kind)
    encoding = "gzip" if fields else "raw"
    sizes = voxels.shape[::-1]
    with open(path, "wb") as stream:
        stream.write(nrrd_header(kind, sizes, volume.axes, volume.origin, encoding, fields))
        stream.write(gzip.compress(voxels.tobytes(), 6, mtime=0) if fields else voxels.tobytes())
