"""The equality checks of the demonstration: every voxel of two results, whoever made them.

A `.seg.nrrd` is read here with NumPy alone, so that neither our writer nor our reader vouches for
itself.
"""

from __future__ import annotations

import gzip
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Union

import numpy as np
from numpy.typing import NDArray

from ..bridge.snapshot import Snapshot

PathLike = Union[str, "os.PathLike[str]"]


class CheckError(Exception):
    """A file that cannot be compared at all."""


@dataclass(frozen=True)
class Check:
    """The outcome of one comparison."""

    name: str
    voxels: int
    different: int
    problems: tuple[str, ...] = ()

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        return not self.different and not self.problems

    def sentence(self) -> str:
        """The outcome for a person."""
        if self.equal:
            return f"{self.name}: all {self.voxels:,} voxels equal"
        counted = f"{self.different:,} of {self.voxels:,} voxels differ" if self.different else ""
        return f"{self.name}: NOT EQUAL: " + "; ".join(filter(None, [counted, *self.problems]))


@dataclass(frozen=True)
class SegmentationFile:
    """A one-layer ``.seg.nrrd``: labels with axes z, y, x, the lattice in RAS, the header."""

    labels: NDArray[Any]
    axes: NDArray[np.float64]
    origin: NDArray[np.float64]
    pairs: dict[str, str]

    def segments(self) -> list[dict[str, str]]:
        """The pairs of each segment without their prefix, in order."""
        number = 0
        found = []
        while f"Segment{number}_ID" in self.pairs:
            prefix = f"Segment{number}_"
            found.append(
                {
                    key[len(prefix) :]: value
                    for key, value in self.pairs.items()
                    if key.startswith(prefix)
                }
            )
            number += 1
        return found


_TYPES = {
    "unsigned char": "u1",
    "uint8": "u1",
    "uchar": "u1",
    "signed char": "i1",
    "int8": "i1",
    "short": "i2",
    "int16": "i2",
    "unsigned short": "u2",
    "ushort": "u2",
    "uint16": "u2",
    "int": "i4",
    "int32": "i4",
    "unsigned int": "u4",
    "uint": "u4",
    "uint32": "u4",
}


def read_seg_nrrd(path: PathLike) -> SegmentationFile:
    """Read an attached one-layer NRRD of labels."""
    content = Path(path).read_bytes()
    header, separator, body = content.partition(b"\n\n")
    lines = header.decode("utf-8").splitlines()
    if not separator or not lines or not lines[0].startswith("NRRD"):
        raise CheckError(f"{path} is not an attached NRRD file")
    fields: dict[str, str] = {}
    pairs: dict[str, str] = {}
    for line in lines[1:]:
        if line.startswith("#"):
            continue
        key, colon, value = line.partition(":")
        if value.startswith("="):
            pairs[key] = value[1:]
        elif colon:
            fields[key.strip().lower()] = value.strip()
    try:
        if fields["dimension"] != "3":
            raise CheckError(f"{path} has {fields['dimension']} axes; one layer has three")
        kind = np.dtype(_TYPES[fields["type"]])
        kind = kind.newbyteorder(">" if fields.get("endian") == "big" else "<")
        sizes = [int(word) for word in fields["sizes"].split()]
        vectors = _vectors(fields["space directions"])
        origin = _vectors(fields["space origin"])[0]
        to_ras = {
            "left-posterior-superior": np.array([-1.0, -1.0, 1.0]),
            "right-anterior-superior": np.ones(3),
        }[fields["space"]]
        if fields["encoding"] in ("gzip", "gz"):
            body = gzip.decompress(body)
        elif fields["encoding"] != "raw":
            raise CheckError(f"{path} has the encoding {fields['encoding']}")
    except (KeyError, ValueError, OSError, EOFError) as error:
        raise CheckError(f"{path} cannot be read: {error!r}") from error
    if len(body) != int(np.prod(sizes)) * kind.itemsize:
        raise CheckError(f"{path} holds {len(body)} bytes of labels for the sizes {sizes}")
    labels = np.frombuffer(body, kind).reshape(sizes[::-1])
    return SegmentationFile(labels, vectors * to_ras, origin * to_ras, pairs)


def _vectors(text: str) -> NDArray[np.float64]:
    vectors = re.findall(r"\(([^)]*)\)", text)
    return np.array([[float(part) for part in vector.split(",")] for vector in vectors], np.float64)


def compare_file(name: str, snapshot: Snapshot, path: PathLike) -> Check:
    """Compare a ``.seg.nrrd`` with what the server held: table, lattice, every voxel."""
    try:
        found = read_seg_nrrd(path)
    except (CheckError, OSError) as error:
        return Check(name, snapshot.labels.size, snapshot.labels.size, (str(error),))
    problems = []
    segments = found.segments()
    ids = tuple(row["ID"] for row in segments)
    if ids != snapshot.ids:
        problems.append(f"segments {list(ids)}, expected {list(snapshot.ids)}")
    else:
        for index, row in enumerate(segments):
            color = [float(part) for part in row["Color"].split()]
            if row["Name"] != snapshot.names[index]:
                problems.append(f"{ids[index]} has the name {row['Name']!r}")
            if int(row["LabelValue"]) != snapshot.label_values[index]:
                problems.append(f"{ids[index]} has the label value {row['LabelValue']}")
            if not np.allclose(color, snapshot.colors[index], rtol=0, atol=1e-5):
                problems.append(f"{ids[index]} has the colour {color}")
    if len(snapshot.labels) != 1:
        problems.append(f"one layer of labels, expected {len(snapshot.labels)}")
    labels = _on_lattice(found, snapshot, problems)
    return compare_labels(name, snapshot.labels[0], labels, problems)


def compare_labels(
    name: str, expected: NDArray[Any], found: NDArray[Any], problems: list[str] | None = None
) -> Check:
    """Compare two arrays voxel by voxel."""
    problems = list(problems or [])
    if expected.shape != found.shape:
        problems.append(f"shape {found.shape}, expected {expected.shape}")
        return Check(name, expected.size, expected.size, tuple(problems))
    differs = expected != found
    different = int(np.count_nonzero(differs))
    if different:
        k, j, i = np.unravel_index(int(np.argmax(differs)), differs.shape)
        problems.append(
            f"the first at i={i} j={j} k={k}: {found[k, j, i]}, expected {expected[k, j, i]}"
        )
    return Check(name, expected.size, different, tuple(problems))


def _on_lattice(found: SegmentationFile, snapshot: Snapshot, problems: list[str]) -> NDArray[Any]:
    """The file's labels on the snapshot's lattice; a file may hold a part of it."""
    volume = snapshot.volume
    directions = np.reshape(volume.directions, (3, 3))
    axes = (directions * np.array(volume.spacing)).T
    extent = np.reshape(volume.extent, (3, 2))
    first = np.array(volume.origin) + extent[:, 0] @ axes
    # 1e-4 of a voxel over the whole extent: the file has decimal numbers.
    shift = (found.origin - first) @ np.linalg.inv(axes)
    offset = np.rint(shift).astype(np.int64)
    size = np.array(found.labels.shape[::-1])
    bend = np.abs((found.axes - axes) @ np.linalg.inv(axes)) * size[:, np.newaxis]
    if np.abs(shift - offset).max() > 1e-4 or bend.max() > 1e-4:
        problems.append(f"another lattice: axes {found.axes.tolist()}, expected {axes.tolist()}")
    result = np.zeros(snapshot.labels.shape[1:], found.labels.dtype)
    shape = np.array(result.shape[::-1])
    low, high = np.maximum(offset, 0), np.minimum(offset + size, shape)
    outside = found.labels.astype(bool)
    if (low < high).all():
        target = tuple(slice(a, b) for a, b in zip(low[::-1], high[::-1], strict=True))
        source = tuple(
            slice(a, b) for a, b in zip((low - offset)[::-1], (high - offset)[::-1], strict=True)
        )
        result[target] = found.labels[source]
        outside[source] = False
    lost = int(np.count_nonzero(outside))
    if lost:
        problems.append(f"{lost:,} voxels are outside the volume")
    return result
