"""The messages of the bridge: what they hold, what is refused, and how they become bytes.

A message is one msgpack map with a ``type`` key; every type is one frozen dataclass below. The
same checks run when a message is made and when one is received, so a peer can neither send nor
accept a malformed one. Bytes from the network pass three gates in this order, and nothing is
allocated from a number that the peer declared before all three are behind us:

1. length: the transport refuses a message above its limit, `decode` checks again;
2. shape: msgpack containers are bounded, extension types and duplicate keys are refused;
3. content: known type, exactly its keys, each value of its kind and inside its range, and sizes
   that must agree with each other (extent, scalar type and byte count, for instance).

Arrays of voxels and points travel as a header (`RegionHeader`, `SurfaceHeader`) that declares
everything about them and then as `Chunk` messages, each at most `Limits.chunk_bytes` of array data,
so that no message exceeds the limit however large the volume is. `ArrayAssembler` puts them
together again.

Conventions on the wire: world coordinates are RAS millimetres; extents are VTK's (first and last
index per axis, inclusive); label arrays are C ordered with axes (layer, k, j, i), so i is the
fastest; numbers are little-endian; colours are three floats from 0 to 1; label 0 is the background.

A segment is the voxels that have its label value in its layer. Segments of one layer never overlap;
one that does is in another layer, and may have the same label value there.

Extending: a new optional key or a new message type needs a new protocol version, because unknown
ones are refused. Only the shape of `Hello`, `Welcome` and `Error` is fixed for ever: they are
what two peers of different versions have in common.
"""

from __future__ import annotations

import dataclasses
import math
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar, Union, cast

import msgpack
import numpy as np
from numpy.typing import NDArray

PROTOCOL_VERSIONS: tuple[int, ...] = (3, 2)
"""Protocol versions that this software speaks, best first.

3 adds statistics, and operations that name no segment, to 2.
"""

DEFAULT_PORT = 18944
"""Port of the bridge where none is given."""

UNAUTHORIZED = "unauthorized"
PROTOCOL_VERSION = "protocol-version"
MALFORMED = "malformed"
UNEXPECTED = "unexpected"
INVALID = "invalid"
TOO_LARGE = "too-large"
BUSY = "busy"
CANCELLED = "cancelled"
OPERATION_FAILED = "operation-failed"
INTERNAL = "internal"
STOPPING = "stopping"

ERROR_CODES = frozenset(
    {
        UNAUTHORIZED,
        PROTOCOL_VERSION,
        MALFORMED,
        UNEXPECTED,
        INVALID,
        TOO_LARGE,
        BUSY,
        CANCELLED,
        OPERATION_FAILED,
        INTERNAL,
        STOPPING,
    }
)

LABEL_TYPES: Mapping[str, np.dtype[Any]] = {
    name: np.dtype(name).newbyteorder("<")
    for name in ("uint8", "int8", "uint16", "int16", "uint32", "int32")
}
"""Scalar types a label region may have: the ones a Slicer binary labelmap may have."""

COLUMN_TYPES: Mapping[str, np.dtype[Any]] = {
    "int64": np.dtype("<i8"),
    "float64": np.dtype("<f8"),
}
"""Types of the numbers in a table."""

POINT_TYPE = np.dtype("<f4")
TRIANGLE_TYPE = np.dtype("<i4")

MAX_SEGMENTS = 65535
MAX_TEXT = 4096
MAX_IDENTIFIER = 1024
MAX_PARAMETERS = 256
MAX_REQUEST_ID = 2**53 - 1
MAX_INDEX = 2**31 - 2
MAX_COUNT = 2**62
MAX_NESTING = 4
MAX_COMPONENTS = 16
MAX_COLUMNS = 256
AXES = ("i", "j", "k")


class BridgeError(Exception):
    """Something the bridge can name: a code from `ERROR_CODES` and a text for a person."""

    def __init__(self, code: str, text: str) -> None:
        if code not in ERROR_CODES:
            raise ValueError(f"error code {code!r} is not one of {sorted(ERROR_CODES)}")
        super().__init__(text)
        self.code = code
        self.text = text

    def __str__(self) -> str:
        return f"{self.text} [{self.code}]"


class ProtocolError(BridgeError):
    """A message that does not keep to the protocol."""


@dataclass(frozen=True)
class Limits:
    """What a peer accepts. All in bytes.

    ``request_bytes`` bounds a message to the server, ``message_bytes`` one to the client;
    ``chunk_bytes`` is how much array data goes into one chunk before compression; ``region_bytes``
    and ``surface_bytes`` bound a whole array after decompression.
    """

    request_bytes: int = 1 << 20
    message_bytes: int = 16 << 20
    chunk_bytes: int = 4 << 20
    region_bytes: int = 4 << 30
    surface_bytes: int = 2 << 30

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1024:
                raise ValueError(f"{field.name} is {value!r}; at least 1024 bytes are needed")
        if self.chunk_bytes + 1024 > self.message_bytes:
            raise ValueError(
                f"chunk_bytes {self.chunk_bytes} with its 1024 bytes of envelope does not fit into "
                f"message_bytes {self.message_bytes}"
            )


# -- checks of single values ---------------------------------------------------------------------
#
# A check takes the name of the culprit and the value, returns the value in its canonical form, or
# raises a ProtocolError that says what was given and what is accepted.

Check = Callable[[str, Any], Any]


def _shown(value: object) -> str:
    """A value as it appears in an error: short, printable, whatever it is."""
    if isinstance(value, (bytes, bytearray)):
        return f"{len(value)} bytes"
    if isinstance(value, (list, tuple, dict)) and len(value) > 12:
        return f"{type(value).__name__} of {len(value)}"
    text = ascii(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _refuse(name: str, value: object, expected: str) -> ProtocolError:
    return ProtocolError(INVALID, f"{name} is {_shown(value)}; expected {expected}")


def _integer(low: int, high: int) -> Check:
    def check(name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
            raise _refuse(name, value, "an integer")
        if not low <= value <= high:
            raise _refuse(name, value, f"an integer from {low} to {high}")
        return int(value)

    return check


def _number(low: float, high: float) -> Check:
    def check(name: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
            raise _refuse(name, value, "a number")
        number = float(value)
        if not math.isfinite(number) or not low <= number <= high:
            raise _refuse(name, value, f"a finite number from {low:g} to {high:g}")
        return number

    return check


def _boolean(name: str, value: Any) -> bool:
    if not isinstance(value, (bool, np.bool_)):
        raise _refuse(name, value, "true or false")
    return bool(value)


_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def _text(longest: int, shortest: int = 0) -> Check:
    def check(name: str, value: Any) -> str:
        if not isinstance(value, str):
            raise _refuse(name, value, "text")
        if not shortest <= len(value) <= longest:
            raise _refuse(name, value, f"text of {shortest} to {longest} characters")
        if _CONTROL.search(value):
            raise _refuse(name, value, "text without control characters")
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise _refuse(name, value, "text that UTF-8 can encode") from None
        return value

    return check


def _choice(*values: str) -> Check:
    def check(name: str, value: Any) -> str:
        if not isinstance(value, str) or value not in values:
            raise _refuse(name, value, "one of " + ", ".join(values))
        return value

    return check


def _binary(name: str, value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise _refuse(name, value, "bytes")
    return value


def _optional(inner: Check) -> Check:
    def check(name: str, value: Any) -> Any:
        return None if value is None else inner(name, value)

    return check


def _sequence(inner: Check, shortest: int, longest: int) -> Check:
    def check(name: str, value: Any) -> tuple[Any, ...]:
        if not isinstance(value, (list, tuple)):
            raise _refuse(name, value, "a list")
        if not shortest <= len(value) <= longest:
            wanted = str(longest) if shortest == longest else f"{shortest} to {longest}"
            raise _refuse(name, value, f"a list of {wanted} entries")
        return tuple(inner(f"{name}[{index}]", entry) for index, entry in enumerate(value))

    return check


def _unique(inner: Check) -> Check:
    def check(name: str, value: Any) -> tuple[Any, ...]:
        entries = cast("tuple[Any, ...]", inner(name, value))
        if len(set(entries)) != len(entries):
            raise _refuse(name, value, "every entry once")
        return entries

    return check


def _extent(name: str, value: Any) -> tuple[int, ...]:
    extent = cast("tuple[int, ...]", _sequence(_integer(-MAX_INDEX, MAX_INDEX), 6, 6)(name, value))
    for axis in range(3):
        if extent[2 * axis] > extent[2 * axis + 1]:
            raise _refuse(name, value, f"first <= last on axis {AXES[axis]}")
    return extent


def _directions(name: str, value: Any) -> tuple[float, ...]:
    """Row by row, columns are the image axes. Orthonormal; left-handed ones are valid."""
    rows = cast("tuple[float, ...]", _sequence(_number(-1.001, 1.001), 9, 9)(name, value))
    for first in range(3):
        for second in range(first, 3):
            product = sum(rows[3 * row + first] * rows[3 * row + second] for row in range(3))
            if abs(product - (first == second)) > 1e-3:
                raise _refuse(name, value, "three unit columns at right angles")
    return rows


def _json_value(name: str, value: Any, depth: int = MAX_NESTING) -> Any:
    """A value that JSON can hold, of bounded depth; sizes are bounded by the message."""
    if value is None or isinstance(value, (bool, str)):
        return value if not isinstance(value, str) else _text(MAX_TEXT)(name, value)
    if isinstance(value, int):
        return _integer(-(2**63), 2**64 - 1)(name, value)
    if isinstance(value, float):
        return _number(-1.8e308, 1.8e308)(name, value)
    if depth == 0:
        raise _refuse(name, value, f"at most {MAX_NESTING} levels of lists and maps")
    if isinstance(value, (list, tuple)):
        return [_json_value(f"{name}[{i}]", entry, depth - 1) for i, entry in enumerate(value)]
    if isinstance(value, dict):
        return {
            _text(MAX_IDENTIFIER, 1)(f"{name} key", key): _json_value(
                f"{name}.{key}", entry, depth - 1
            )
            for key, entry in value.items()
        }
    raise _refuse(name, value, "null, true, false, a number, text, a list or a map")


def check_operation(name: str, value: Any) -> dict[str, Any]:
    """An operation: ``effect``, ``segment``, ``parameters``, and if wanted ``masking``, ``region``.

    Effects on all visible segments name no segment. Only the envelope is checked here. Whether the
    effect exists and what its parameters and settings may be is for the registry on the server to
    say; an answer from there is an `OPERATION_FAILED` error.
    """
    if not isinstance(value, dict):
        raise _refuse(name, value, 'a map such as {"effect": .., "segment": .., "parameters": {}}')
    if "effect" not in value:
        raise _refuse(name, sorted(map(str, value)), "the key 'effect' among them")
    for key in ("effect", "segment"):
        if key in value:
            _text(MAX_IDENTIFIER, 1)(f"{name}.{key}", value[key])
    _parameters(f"{name}.parameters", value.get("parameters", {}))
    return cast("dict[str, Any]", _json_value(name, value))


def _parameters(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or len(value) > MAX_PARAMETERS:
        raise _refuse(name, value, f"a map of up to {MAX_PARAMETERS} entries")
    return cast("dict[str, Any]", _json_value(name, value))


_identifier = _text(MAX_IDENTIFIER, 1)
_request_id = _integer(1, MAX_REQUEST_ID)
_revision = _integer(0, MAX_REQUEST_ID)
_ids = _unique(_sequence(_identifier, 0, MAX_SEGMENTS))
_vector = _sequence(_number(-1e12, 1e12), 3, 3)
_spacing = _sequence(_number(1e-12, 1e12), 3, 3)
_color = _sequence(_number(0.0, 1.0), 3, 3)
_layer = _integer(0, MAX_SEGMENTS - 1)
_label_value = _integer(1, 2**31 - 1)


# -- declared records ----------------------------------------------------------------------------


def _wire(check: Check, **kwargs: Any) -> Any:
    return dataclasses.field(metadata={"check": check}, **kwargs)


R = TypeVar("R", bound="Record")


@dataclass(frozen=True)
class Record:
    """A group of checked fields; a map on the wire with exactly these keys."""

    def __post_init__(self) -> None:
        where = self.label()
        for field in dataclasses.fields(self):
            value = field.metadata["check"](f"{where}.{field.name}", getattr(self, field.name))
            object.__setattr__(self, field.name, value)
        self.agree()

    def agree(self) -> None:
        """Check what several fields say together. Fields are canonical by now."""

    @classmethod
    def label(cls) -> str:
        """What the record is called in an error."""
        return cls.__name__.lower()

    def to_wire(self) -> dict[str, Any]:
        """The map that goes onto the wire; ``None`` stands for an absent optional."""
        result: dict[str, Any] = {}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Record):
                value = value.to_wire()
            elif isinstance(value, tuple) and value and isinstance(value[0], Record):
                value = [entry.to_wire() for entry in value]
            result[field.name] = value
        return result

    @classmethod
    def from_wire(cls: type[R], values: Mapping[str, Any]) -> R:
        """Build from a received map. Missing and unknown keys are refused by name."""
        names = {field.name for field in dataclasses.fields(cls)}
        missing = sorted(names - values.keys())
        unknown = sorted(values.keys() - names)
        if missing:
            raise ProtocolError(INVALID, f"{cls.label()} lacks {', '.join(missing)}")
        if unknown:
            raise ProtocolError(
                INVALID,
                f"{cls.label()} has the unknown key {_shown(unknown[0])}; "
                f"expected {', '.join(sorted(names))}",
            )
        return cls(**values)


def _record(kind: type[R]) -> Check:
    def check(name: str, value: Any) -> R:
        if isinstance(value, kind):
            return value
        if not isinstance(value, dict):
            raise _refuse(name, value, "a map")
        return kind.from_wire(value)

    return check


@dataclass(frozen=True)
class Volume(Record):
    """Lattice of the volume: extent, spacing in mm, RAS position of index (0, 0, 0), axes."""

    extent: tuple[int, ...] = _wire(_extent)
    origin: tuple[float, ...] = _wire(_vector)
    spacing: tuple[float, ...] = _wire(_spacing)
    directions: tuple[float, ...] = _wire(_directions)

    def index_to_ras(self) -> NDArray[np.float64]:
        """4 x 4 matrix from voxel index (i, j, k, 1) to RAS millimetres."""
        matrix = np.eye(4)
        matrix[:3, :3] = np.reshape(self.directions, (3, 3)) * np.asarray(self.spacing)
        matrix[:3, 3] = self.origin
        return matrix


@dataclass(frozen=True)
class Segment(Record):
    """One row of the segment table."""

    id: str = _wire(_identifier)
    name: str = _wire(_text(MAX_TEXT))
    color: tuple[float, ...] = _wire(_color)
    layer: int = _wire(_layer)
    label_value: int = _wire(_label_value)
    visible: bool = _wire(_boolean)
    voxel_count: int = _wire(_integer(0, MAX_COUNT))


@dataclass(frozen=True)
class LabelLayer(Record):
    """Which segments are in a layer of labels, and the label value of each."""

    layer: int = _wire(_layer)
    segments: tuple[str, ...] = _wire(_ids)
    label_values: tuple[int, ...] = _wire(_unique(_sequence(_label_value, 0, MAX_SEGMENTS)))

    def agree(self) -> None:
        """Every segment has one label value."""
        if len(self.segments) != len(self.label_values):
            raise ProtocolError(
                INVALID,
                f"layer {self.layer} has {len(self.segments)} segments and "
                f"{len(self.label_values)} label values",
            )


def label_layers(
    segments: Sequence[Segment], wanted: Sequence[str] | None = None
) -> tuple[LabelLayer, ...]:
    """The layers that segments, all or the wanted ones, are in; layer 0 if there is none."""
    chosen = None if wanted is None else set(wanted)
    found: dict[int, list[Segment]] = {}
    for segment in segments:
        if chosen is None or segment.id in chosen:
            found.setdefault(segment.layer, []).append(segment)
    return tuple(
        LabelLayer(layer, tuple(row.id for row in rows), tuple(row.label_value for row in rows))
        for layer, rows in sorted(found.items())
    ) or (LabelLayer(0, (), ()),)


def box_around(first: Sequence[int] | None, second: Sequence[int] | None) -> tuple[int, ...] | None:
    """The smallest extent around two; None is the empty one."""
    if first is None or second is None:
        return None if first is second else tuple(first or second or ())
    return tuple((min, max)[i % 2](a, b) for i, (a, b) in enumerate(zip(first, second)))


def intersection(first: Sequence[int], second: Sequence[int]) -> tuple[int, ...] | None:
    """What two extents have in common; None if that is nothing."""
    common = tuple((max, min)[i % 2](a, b) for i, (a, b) in enumerate(zip(first, second)))
    return None if any(common[2 * a] > common[2 * a + 1] for a in range(3)) else common


@dataclass(frozen=True)
class Message(Record):
    """A record that travels on its own; ``kind`` is its ``type`` on the wire."""

    kind: ClassVar[str] = ""

    @classmethod
    def label(cls) -> str:
        """Messages are called by their type on the wire."""
        return cls.kind


# -- messages to the server ----------------------------------------------------------------------


@dataclass(frozen=True)
class Hello(Message):
    """First message of a client. The token is checked before anything else is looked at."""

    kind: ClassVar[str] = "hello"
    protocols: tuple[int, ...] = _wire(_unique(_sequence(_integer(1, 65535), 1, 64)))
    software: str = _wire(_text(256))
    token: str = _wire(_text(1024))


@dataclass(frozen=True)
class DescribeRequest(Message):
    """Asks for the volume and the segment table."""

    kind: ClassVar[str] = "segments"
    request: int = _wire(_request_id)


@dataclass(frozen=True)
class ApplyRequest(Message):
    """Asks for one edit, for example ``{"effect": "margin", "segment": "bone", ...}``."""

    kind: ClassVar[str] = "apply"
    request: int = _wire(_request_id)
    operation: dict[str, Any] = _wire(check_operation)


@dataclass(frozen=True)
class UndoRequest(Message):
    """Asks to take the last operation back, whoever asked for it."""

    kind: ClassVar[str] = "undo"
    request: int = _wire(_request_id)


@dataclass(frozen=True)
class RedoRequest(Message):
    """Asks to do again what was undone last; a new operation leaves nothing to redo."""

    kind: ClassVar[str] = "redo"
    request: int = _wire(_request_id)


@dataclass(frozen=True)
class RegionRequest(Message):
    """Asks for labels: of all or of some segments, of an extent, of a slice, or of everything.

    The layers of the segments arrive. Voxels of segments that were not asked for are 0. Give
    ``extent``, or ``axis`` with ``index``, or neither for the whole volume.
    """

    kind: ClassVar[str] = "region"
    request: int = _wire(_request_id)
    segments: tuple[str, ...] | None = _wire(_optional(_ids), default=None)
    extent: tuple[int, ...] | None = _wire(_optional(_extent), default=None)
    axis: str | None = _wire(_optional(_choice(*AXES)), default=None)
    index: int | None = _wire(_optional(_integer(-MAX_INDEX, MAX_INDEX)), default=None)

    def agree(self) -> None:
        """A slice is an axis and an index; it excludes an extent."""
        if (self.axis is None) != (self.index is None):
            raise ProtocolError(INVALID, "region has one of axis and index; a slice needs both")
        if self.extent is not None and self.axis is not None:
            raise ProtocolError(INVALID, "region has both an extent and a slice; give one of them")

    def resolve(self, volume: Volume) -> tuple[int, ...]:
        """The extent that is meant. Outside the volume is refused, not cropped."""
        extent = list(volume.extent if self.extent is None else self.extent)
        if self.axis is not None and self.index is not None:
            axis = AXES.index(self.axis)
            extent[2 * axis : 2 * axis + 2] = [self.index, self.index]
        for axis in range(3):
            if not (
                volume.extent[2 * axis] <= extent[2 * axis]
                and extent[2 * axis + 1] <= volume.extent[2 * axis + 1]
            ):
                raise ProtocolError(
                    INVALID,
                    f"region asks for {extent[2 * axis]}..{extent[2 * axis + 1]} on axis "
                    f"{AXES[axis]}; the volume has {volume.extent[2 * axis]}.."
                    f"{volume.extent[2 * axis + 1]}",
                )
        return tuple(extent)


@dataclass(frozen=True)
class SurfaceRequest(Message):
    """Asks for a closed surface. Coarsening n takes every n-th lattice point; 1 is all."""

    kind: ClassVar[str] = "surface"
    request: int = _wire(_request_id)
    segment: str = _wire(_identifier)
    coarsening: int = _wire(_integer(1, 1024), default=1)


@dataclass(frozen=True)
class StatisticsRequest(Message):
    """Asks to measure all segments; with ``intensities`` also the volume in them.

    ``parameters`` are those of the query ``segment_statistics``. Protocol 3.
    """

    kind: ClassVar[str] = "statistics"
    request: int = _wire(_request_id)
    parameters: dict[str, Any] = _wire(_parameters)
    intensities: bool = _wire(_boolean, default=False)


@dataclass(frozen=True)
class Cancel(Message):
    """Gives up a request. It ends with its ordinary answer or with a `CANCELLED` error."""

    kind: ClassVar[str] = "cancel"
    request: int = _wire(_request_id)


@dataclass(frozen=True)
class Bye(Message):
    """Either side leaves; nothing follows."""

    kind: ClassVar[str] = "bye"
    reason: str = _wire(_text(MAX_TEXT), default="")


# -- messages to the client ----------------------------------------------------------------------


@dataclass(frozen=True)
class Welcome(Message):
    """Answer to `Hello`: the protocol that both speak from now on, and what the server accepts."""

    kind: ClassVar[str] = "welcome"
    protocol: int = _wire(_integer(1, 65535))
    software: str = _wire(_text(256))
    request_bytes: int = _wire(_integer(1, MAX_COUNT))
    message_bytes: int = _wire(_integer(1, MAX_COUNT))


@dataclass(frozen=True)
class Description(Message):
    """The volume and the segments in display order; a label value is unique in its layer.

    ``undoable`` and ``redoable`` count the operations that can be undone and redone.
    """

    kind: ClassVar[str] = "description"
    request: int = _wire(_request_id)
    volume: Volume = _wire(_record(Volume))
    ranks: int = _wire(_integer(1, 2**31 - 1))
    revision: int = _wire(_revision)
    undoable: int = _wire(_integer(0, MAX_COUNT))
    redoable: int = _wire(_integer(0, MAX_COUNT))
    segments: tuple[Segment, ...] = _wire(_sequence(_record(Segment), 0, MAX_SEGMENTS))

    def agree(self) -> None:
        """No identifier appears twice, and no label value twice in a layer."""
        ids: set[str] = set()
        places: set[tuple[int, int]] = set()
        for segment in self.segments:
            place = (segment.layer, segment.label_value)
            if segment.id in ids:
                raise ProtocolError(INVALID, f"description has id {_shown(segment.id)} twice")
            if place in places:
                raise ProtocolError(
                    INVALID, f"description has label_value {place[1]} twice in layer {place[0]}"
                )
            ids.add(segment.id)
            places.add(place)


@dataclass(frozen=True)
class Applied(Message):
    """An operation is done, undone or redone; ``seconds`` are the server's.

    ``changed`` has the segments whose voxels or table row differ now, also those that are gone.
    ``extent`` holds all voxels that differ, and is None if none does.
    """

    kind: ClassVar[str] = "applied"
    request: int = _wire(_request_id)
    changed: tuple[str, ...] = _wire(_ids)
    extent: tuple[int, ...] | None = _wire(_optional(_extent))
    revision: int = _wire(_revision)
    seconds: float = _wire(_number(0, 1e12))


@dataclass(frozen=True)
class Progress(Message):
    """How far a request is, from 0 to 1, and what is being done."""

    kind: ClassVar[str] = "progress"
    request: int = _wire(_request_id)
    fraction: float = _wire(_number(0, 1))
    text: str = _wire(_text(MAX_TEXT), default="")


@dataclass(frozen=True)
class Error(Message):
    """A request failed; without a request, the connection is over."""

    kind: ClassVar[str] = "error"
    request: int | None = _wire(_optional(_request_id))
    code: str = _wire(_choice(*sorted(ERROR_CODES)))
    text: str = _wire(_text(MAX_TEXT))


@dataclass(frozen=True)
class Changed(Message):
    """Segments changed: the same as in `Applied`, sent to every client but the one that asked."""

    kind: ClassVar[str] = "changed"
    changed: tuple[str, ...] = _wire(_ids)
    extent: tuple[int, ...] | None = _wire(_optional(_extent))
    revision: int = _wire(_revision)

    def followed_by(self, news: Changed) -> Changed:
        """The same and later news in one."""
        return Changed(
            tuple(dict.fromkeys(self.changed + news.changed)),
            box_around(self.extent, news.extent),
            news.revision,
        )


@dataclass(frozen=True)
class RegionHeader(Message):
    """A label region follows in ``chunks`` chunks of the array ``labels``, ``size`` bytes.

    ``layers`` says, for each layer in the array, which segments it has and by which label values.
    """

    kind: ClassVar[str] = "label-region"
    request: int = _wire(_request_id)
    revision: int = _wire(_revision)
    layers: tuple[LabelLayer, ...] = _wire(_sequence(_record(LabelLayer), 1, MAX_SEGMENTS))
    extent: tuple[int, ...] = _wire(_extent)
    origin: tuple[float, ...] = _wire(_vector)
    spacing: tuple[float, ...] = _wire(_spacing)
    directions: tuple[float, ...] = _wire(_directions)
    dtype: str = _wire(_choice(*LABEL_TYPES))
    size: int = _wire(_integer(1, MAX_COUNT))
    chunks: int = _wire(_integer(1, MAX_COUNT))

    def agree(self) -> None:
        """The size is that of the layers' voxels, no chunk is empty, no layer comes twice."""
        expected = math.prod(self.shape) * LABEL_TYPES[self.dtype].itemsize
        if self.size != expected:
            raise ProtocolError(
                INVALID,
                f"label-region declares {self.size} bytes; extent {list(self.extent)} of "
                f"{self.dtype} in {len(self.layers)} layers has {expected}",
            )
        numbers = [layer.layer for layer in self.layers]
        if sorted(set(numbers)) != numbers:
            raise ProtocolError(
                INVALID,
                f"label-region has layers {_shown(numbers)}; expected each once, the lowest first",
            )
        ids = self.segments
        if len(set(ids)) != len(ids):
            raise ProtocolError(INVALID, "label-region has a segment in two layers")
        if self.chunks > self.size:
            raise ProtocolError(
                INVALID, f"label-region declares {self.chunks} chunks for {self.size} bytes"
            )

    @property
    def segments(self) -> tuple[str, ...]:
        """The segments of all layers."""
        return tuple(segment for layer in self.layers for segment in layer.segments)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Layers, and voxels per axis, slowest first: (layer, k, j, i)."""
        e = self.extent
        return (len(self.layers), e[5] - e[4] + 1, e[3] - e[2] + 1, e[1] - e[0] + 1)

    def volume(self) -> Volume:
        """The lattice the region lies on, its extent being the region's."""
        return Volume(self.extent, self.origin, self.spacing, self.directions)

    def arrays(self) -> dict[str, tuple[np.dtype[Any], tuple[int, ...]]]:
        """Array name to scalar type and shape, in the order of the chunks."""
        return {"labels": (LABEL_TYPES[self.dtype], self.shape)}


@dataclass(frozen=True)
class SurfaceHeader(Message):
    """A surface follows: first ``points`` (n x 3, RAS mm), then ``triangles`` (m x 3 indices)."""

    kind: ClassVar[str] = "surface-mesh"
    request: int = _wire(_request_id)
    revision: int = _wire(_revision)
    segment: str = _wire(_identifier)
    coarsening: int = _wire(_integer(1, 1024))
    points: int = _wire(_integer(0, 2**31 - 1))
    triangles: int = _wire(_integer(0, 2**32))
    size: int = _wire(_integer(0, MAX_COUNT))
    chunks: int = _wire(_integer(0, MAX_COUNT))

    def agree(self) -> None:
        """The size is that of the points and triangles, and no chunk is empty."""
        expected = 12 * (self.points + self.triangles)
        if self.size != expected:
            raise ProtocolError(
                INVALID,
                f"surface-mesh declares {self.size} bytes; {self.points} points and "
                f"{self.triangles} triangles have {expected}",
            )
        if self.chunks > self.size:
            raise ProtocolError(
                INVALID, f"surface-mesh declares {self.chunks} chunks for {self.size} bytes"
            )

    def arrays(self) -> dict[str, tuple[np.dtype[Any], tuple[int, ...]]]:
        """Array name to scalar type and shape, in the order of the chunks."""
        return {
            "points": (POINT_TYPE, (self.points, 3)),
            "triangles": (TRIANGLE_TYPE, (self.triangles, 3)),
        }


@dataclass(frozen=True)
class Chunk(Message):
    """A piece of an array: ``size`` bytes at byte ``offset``, raw or deflated by zlib."""

    kind: ClassVar[str] = "chunk"
    request: int = _wire(_request_id)
    array: str = _wire(_choice("labels", "points", "triangles"))
    offset: int = _wire(_integer(0, MAX_COUNT))
    size: int = _wire(_integer(1, MAX_COUNT))
    encoding: str = _wire(_choice("raw", "zlib"))
    data: bytes = _wire(_binary)

    def agree(self) -> None:
        """Raw data has the declared size; deflated data is smaller."""
        if self.encoding == "raw" and len(self.data) != self.size:
            raise ProtocolError(
                INVALID, f"chunk declares {self.size} raw bytes and holds {len(self.data)}"
            )
        if self.encoding == "zlib" and len(self.data) >= self.size:
            raise ProtocolError(
                INVALID,
                f"chunk holds {len(self.data)} deflated bytes for {self.size}; "
                "what does not shrink is sent raw",
            )


@dataclass(frozen=True)
class StatisticsColumn(Record):
    """One column of a table: a number, several (a position, say), or a text for each row.

    Numbers are little-endian and as the server has them, bit for bit, row after row; texts are
    ``texts``.
    """

    name: str = _wire(_identifier)
    type: str = _wire(_choice("text", *COLUMN_TYPES))
    components: int = _wire(_integer(1, MAX_COMPONENTS))
    data: bytes = _wire(_binary)
    texts: tuple[str, ...] = _wire(_sequence(_text(MAX_TEXT), 0, MAX_SEGMENTS))

    def agree(self) -> None:
        """Texts or numbers, and whole rows of these."""
        if self.type == "text":
            if self.data or self.components != 1:
                raise ProtocolError(INVALID, f"column {_shown(self.name)} has texts and numbers")
        elif self.texts:
            raise ProtocolError(INVALID, f"column {_shown(self.name)} has numbers and texts")
        elif len(self.data) % (8 * self.components):
            raise ProtocolError(
                INVALID,
                f"column {_shown(self.name)} has {len(self.data)} bytes; expected a multiple of "
                f"{8 * self.components}",
            )

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self.texts) if self.type == "text" else len(self.data) // (8 * self.components)


@dataclass(frozen=True)
class Statistics(Message):
    """Answer to `StatisticsRequest`: a table with a row for each segment, in display order."""

    kind: ClassVar[str] = "statistics-table"
    request: int = _wire(_request_id)
    revision: int = _wire(_revision)
    columns: tuple[StatisticsColumn, ...] = _wire(
        _sequence(_record(StatisticsColumn), 1, MAX_COLUMNS)
    )

    def agree(self) -> None:
        """All columns have the same number of rows, and names of their own."""
        rows = {column.rows for column in self.columns}
        if len(rows) != 1:
            raise ProtocolError(INVALID, f"statistics-table has columns of {sorted(rows)} rows")
        names = [column.name for column in self.columns]
        if len(set(names)) != len(names):
            raise ProtocolError(INVALID, "statistics-table has a column twice")

    @classmethod
    def of_table(cls, request: int, revision: int, table: NDArray[Any]) -> Statistics:
        """From a structured array: integers, floating-point numbers, and texts (objects)."""
        columns = []
        for name in table.dtype.names or ():
            values = table[name]
            if values.dtype.kind == "O":
                texts = tuple(str(text) for text in values.tolist())
                columns.append(StatisticsColumn(name, "text", 1, b"", texts))
                continue
            kind = "float64" if values.dtype.kind == "f" else "int64"
            components = math.prod(values.shape[1:])
            data = np.ascontiguousarray(values).astype(COLUMN_TYPES[kind]).tobytes()
            columns.append(StatisticsColumn(name, kind, components, data, ()))
        return cls(request, revision, tuple(columns))

    def table(self) -> NDArray[Any]:
        """As a structured array; columns of several numbers have a second axis."""
        kinds: list[Any] = []
        for column in self.columns:
            if column.type == "text":
                kinds.append((column.name, object))
            elif column.components == 1:
                kinds.append((column.name, column.type))
            else:
                kinds.append((column.name, column.type, (column.components,)))
        table = np.zeros(self.columns[0].rows, dtype=kinds)
        for column in self.columns:
            if column.type == "text":
                table[column.name] = np.array(column.texts, dtype=object)
            else:
                values = np.frombuffer(column.data, COLUMN_TYPES[column.type])
                table[column.name] = values.reshape(table[column.name].shape)
        return table


TO_SERVER: tuple[type[Message], ...] = (
    Hello,
    DescribeRequest,
    ApplyRequest,
    UndoRequest,
    RedoRequest,
    RegionRequest,
    SurfaceRequest,
    StatisticsRequest,
    Cancel,
    Bye,
)
TO_CLIENT: tuple[type[Message], ...] = (
    Welcome,
    Description,
    Applied,
    Progress,
    Error,
    Changed,
    RegionHeader,
    SurfaceHeader,
    Chunk,
    Statistics,
    Bye,
)

Header = Union[RegionHeader, SurfaceHeader]


# -- bytes ---------------------------------------------------------------------------------------


def encode(message: Message, limit: int) -> bytes:
    """A message as bytes. One above ``limit`` is refused here rather than by the peer."""
    data = cast(bytes, msgpack.packb({"type": message.kind, **message.to_wire()}))
    if len(data) > limit:
        raise ProtocolError(
            TOO_LARGE, f"{message.kind} message of {len(data)} bytes; at most {limit} are accepted"
        )
    return data


def _pairs(pairs: list[tuple[Any, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if not isinstance(key, str):
            raise ProtocolError(MALFORMED, f"map key {_shown(key)}; expected text")
        if key in result:
            raise ProtocolError(MALFORMED, f"map key {_shown(key)} appears twice")
        result[key] = value
    return result


def _no_extension(code: int, _data: bytes) -> Any:
    raise ProtocolError(MALFORMED, f"msgpack extension type {code}; none is accepted")


def unpack(data: object, limit: int) -> tuple[str, dict[str, Any]]:
    """The type and the other keys of a message: gates 1 and 2, nothing about its content."""
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise ProtocolError(MALFORMED, f"a {type(data).__name__} message; expected a binary one")
    size = len(data)
    if size > limit:
        raise ProtocolError(TOO_LARGE, f"message of {size} bytes; at most {limit} are accepted")
    try:
        values = msgpack.unpackb(
            data,
            raw=False,
            use_list=True,
            strict_map_key=True,
            object_pairs_hook=_pairs,
            ext_hook=_no_extension,
            max_str_len=size,
            max_bin_len=size,
            max_array_len=min(size, MAX_SEGMENTS),
            max_map_len=min(size, MAX_PARAMETERS),
            max_ext_len=0,
        )
    except ProtocolError:
        raise
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        text = _CONTROL.sub(" ", str(error))[:200] or type(error).__name__
        raise ProtocolError(MALFORMED, f"message of {size} bytes is not msgpack: {text}") from error
    if not isinstance(values, dict) or not isinstance(values.get("type"), str):
        raise ProtocolError(MALFORMED, "message is not a map with a text under 'type'")
    return values.pop("type"), values


def build(name: str, values: Mapping[str, Any], kinds: Sequence[type[Message]]) -> Message:
    """The message of type ``name``, one of ``kinds``, from its other keys: gate 3."""
    for kind in kinds:
        if kind.kind == name:
            return kind.from_wire(values)
    raise ProtocolError(
        UNEXPECTED,
        f"message type {_shown(name)}; expected {', '.join(kind.kind for kind in kinds)}",
    )


def decode(data: object, kinds: Sequence[type[Message]], limit: int) -> Message:
    """The message in ``data``, which must be of one of ``kinds``.

    Raises `ProtocolError` with a code: `TOO_LARGE`, `MALFORMED` (not a msgpack map with a type),
    `UNEXPECTED` (no such message here) or `INVALID` (a value is not as it must be).
    """
    return build(*unpack(data, limit), kinds)


def printable(text: str) -> str:
    """Any text, cut and cleaned so that a message can hold it."""
    cleaned = _CONTROL.sub(" ", text.encode("utf-8", errors="replace").decode("utf-8"))
    return cleaned if len(cleaned) <= MAX_TEXT else cleaned[: MAX_TEXT - 3] + "..."


def negotiate(offered: Sequence[int]) -> int:
    """The best protocol version that both sides speak."""
    for version in PROTOCOL_VERSIONS:
        if version in offered:
            return version
    raise ProtocolError(
        PROTOCOL_VERSION,
        f"the client speaks protocol {', '.join(map(str, offered))}; this bridge speaks "
        f"{', '.join(map(str, PROTOCOL_VERSIONS))}. Update the older side",
    )


# -- arrays --------------------------------------------------------------------------------------


def chunk_count(sizes: Sequence[int], chunk_bytes: int) -> int:
    """Number of chunks that arrays of these byte sizes are cut into."""
    return sum(-(-size // chunk_bytes) for size in sizes)


def chunks(
    request: int, arrays: Mapping[str, NDArray[Any]], chunk_bytes: int, level: int = 1
) -> Iterator[Chunk]:
    """Cut C-ordered little-endian arrays into chunks, deflating what shrinks.

    Lazy: one chunk is compressed when it is asked for, so memory stays at one chunk. Level 1 of
    zlib takes label maps to a few per cent; higher ones are slower than a loopback socket.
    """
    for name, array in arrays.items():
        flat = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        for offset in range(0, flat.size, chunk_bytes):
            piece = flat[offset : offset + chunk_bytes].tobytes()
            packed = zlib.compress(piece, level)
            if len(packed) < len(piece):
                yield Chunk(request, name, offset, len(piece), "zlib", packed)
            else:
                yield Chunk(request, name, offset, len(piece), "raw", piece)


def inflate(chunk: Chunk) -> bytes:
    """The bytes of a chunk. Never grows beyond the declared size, whatever the data claims."""
    if chunk.encoding == "raw":
        return chunk.data
    inflater = zlib.decompressobj()
    try:
        data = inflater.decompress(chunk.data, chunk.size)
        # Only the checksum may be left: ask for one more byte to find out.
        surplus = b"" if inflater.eof else inflater.decompress(inflater.unconsumed_tail, 1)
    except zlib.error as error:
        raise ProtocolError(INVALID, f"chunk of {chunk.array} does not inflate: {error}") from error
    if surplus or len(data) != chunk.size or not inflater.eof or inflater.unused_data:
        raise ProtocolError(
            INVALID, f"chunk of {chunk.array} declares {chunk.size} bytes and inflates to others"
        )
    return data


class ArrayAssembler:
    """Puts the chunks after a header together.

    ``limit`` bounds the whole; it is compared with what the header declares before any array is
    allocated. Chunks must come in order, without gap or overlap, which leaves a peer no way to
    make us hold more than it has sent and declared.
    """

    def __init__(self, header: Header, limit: int) -> None:
        if header.size > limit:
            raise ProtocolError(
                TOO_LARGE, f"{header.kind} declares {header.size} bytes; at most {limit} accepted"
            )
        self.header = header
        self._left = header.chunks
        self._arrays = {
            name: np.empty(shape, dtype) for name, (dtype, shape) in header.arrays().items()
        }
        self._order = [name for name, array in self._arrays.items() if array.nbytes]
        self._offset = 0
        if bool(self._left) != bool(self._order):
            raise ProtocolError(
                INVALID, f"{header.kind} declares {header.chunks} chunks for {header.size} bytes"
            )

    @property
    def complete(self) -> bool:
        """Whether the last chunk is in."""
        return not self._order

    @property
    def fraction(self) -> float:
        """How much of the chunks is in, from 0 to 1."""
        return 1.0 if self.complete else 1.0 - self._left / self.header.chunks

    def add(self, chunk: Chunk) -> None:
        """Take the next chunk."""
        if self.complete or chunk.array != self._order[0] or chunk.offset != self._offset:
            wanted = f"{self._order[0]} at {self._offset}" if self._order else "none"
            raise ProtocolError(
                INVALID, f"chunk of {chunk.array} at {chunk.offset}; expected {wanted}"
            )
        target = self._arrays[chunk.array].reshape(-1).view(np.uint8)
        if chunk.offset + chunk.size > target.size:
            raise ProtocolError(
                INVALID,
                f"chunk of {chunk.array} ends at byte {chunk.offset + chunk.size}; "
                f"the array has {target.size}",
            )
        piece = np.frombuffer(inflate(chunk), np.uint8)
        target[chunk.offset : chunk.offset + chunk.size] = piece
        self._offset += chunk.size
        self._left -= 1
        if self._offset == target.size:
            self._order.pop(0)
            self._offset = 0
        if (self._left == 0) != self.complete:
            raise ProtocolError(
                INVALID,
                f"{self.header.kind} declared {self.header.chunks} chunks; "
                f"{'more are needed' if self._left == 0 else 'fewer filled it'}",
            )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The finished arrays in the machine's byte order, checked as a whole."""
        if not self.complete:
            raise ProtocolError(INVALID, f"{self.header.kind} ended before its last chunk")
        result = {
            name: array.astype(array.dtype.newbyteorder("="), copy=False)
            for name, array in self._arrays.items()
        }
        if isinstance(self.header, SurfaceHeader):
            points, triangles = result["points"], result["triangles"]
            if not np.isfinite(points).all():
                raise ProtocolError(INVALID, "surface-mesh has points that are not finite")
            if triangles.size and (triangles.min() < 0 or triangles.max() >= len(points)):
                raise ProtocolError(
                    INVALID,
                    f"surface-mesh has triangle indices {triangles.min()}..{triangles.max()}; "
                    f"expected 0..{len(points) - 1}",
                )
        return result
