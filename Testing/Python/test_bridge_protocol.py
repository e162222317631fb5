"""The bridge's messages: what goes in comes out, and lies are refused before they cost memory."""

from __future__ import annotations

import math
import re
import zlib
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from segmentationcore.bridge import protocol
from segmentationcore.bridge.protocol import ProtocolError

LIMIT = 1 << 20
EVERYTHING = (*protocol.TO_SERVER, *protocol.TO_CLIENT)

numbers = st.integers(1, protocol.MAX_REQUEST_ID)
letters = st.characters(blacklist_categories=("Cs", "Cc"))
identifiers = st.text(letters, min_size=1, max_size=40)
extents = st.tuples(*[st.integers(-50, 50), st.integers(0, 20)] * 3).map(
    lambda e: (e[0], e[0] + e[1], e[2], e[2] + e[3], e[4], e[4] + e[5])
)
json_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(letters, max_size=20),
    st.lists(st.integers(-9, 9), max_size=4),
)
operations = st.fixed_dictionaries(
    {
        "effect": identifiers,
        "segment": identifiers,
        "parameters": st.dictionaries(identifiers, json_values, max_size=5),
    }
)
ids = st.lists(identifiers, unique=True, max_size=5).map(tuple)
messages = st.one_of(
    st.builds(protocol.Hello, st.just((1, 7)), identifiers, identifiers),
    st.builds(protocol.DescribeRequest, numbers),
    st.builds(protocol.ApplyRequest, numbers, operations),
    st.builds(protocol.UndoRequest, numbers),
    st.builds(protocol.RedoRequest, numbers),
    st.builds(protocol.RegionRequest, numbers, st.none() | ids, st.none() | extents),
    st.builds(protocol.SurfaceRequest, numbers, identifiers, st.integers(1, 1024)),
    st.builds(
        protocol.StatisticsRequest,
        numbers,
        st.dictionaries(identifiers, json_values, max_size=5),
        st.booleans(),
    ),
    st.builds(
        protocol.Statistics,
        numbers,
        numbers,
        st.just(
            (
                protocol.StatisticsColumn("segment", "text", 1, b"", ("a", "b")),
                protocol.StatisticsColumn("label", "int64", 1, bytes(range(16)), ()),
                protocol.StatisticsColumn("centroid", "float64", 3, bytes(range(48)), ()),
            )
        ),
    ),
    st.builds(protocol.Cancel, numbers),
    st.builds(protocol.Bye, st.text(letters, max_size=20)),
    st.builds(protocol.Applied, numbers, ids, st.none() | extents, numbers, st.floats(0, 1e6)),
    st.builds(protocol.Progress, numbers, st.floats(0, 1), st.text(letters, max_size=20)),
    st.builds(
        protocol.Error,
        st.none() | numbers,
        st.sampled_from(sorted(protocol.ERROR_CODES)),
        st.text(letters, max_size=20),
    ),
    st.builds(protocol.Changed, ids, st.none() | extents, numbers),
    st.builds(
        protocol.Description,
        numbers,
        st.builds(
            protocol.Volume,
            extents,
            st.just((1.5, -2.0, 3.0)),
            st.just((1.0, 2.0, 0.5)),
            st.just((1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)),
        ),
        st.integers(1, 99),
        numbers,
        st.integers(0, 99),
        st.integers(0, 99),
        st.lists(
            st.builds(
                protocol.Segment,
                identifiers,
                identifiers,
                st.just((0.5, 1.0, 0.0)),
                st.integers(0, 3),
                st.integers(1, 9),
                st.booleans(),
                st.integers(0, 99),
            ),
            unique_by=(lambda row: row.id, lambda row: (row.layer, row.label_value)),
            max_size=4,
        ).map(tuple),
    ),
)


def packed(**values: Any) -> bytes:
    return msgpack.packb(values)


def refusal(data: object, kinds: Any = EVERYTHING, limit: int = LIMIT) -> ProtocolError:
    with pytest.raises(ProtocolError) as caught:
        protocol.decode(data, kinds, limit)
    return caught.value


def layer(number: int, **values: int) -> dict[str, Any]:
    return {"layer": number, "segments": [*values], "label_values": [*values.values()]}


def region_header(**changes: Any) -> dict[str, Any]:
    values = {
        "type": "label-region",
        "request": 1,
        "revision": 0,
        "layers": [layer(0, a=1)],
        "extent": [0, 3, 0, 2, 0, 1],
        "origin": [0, 0, 0],
        "spacing": [1, 1, 1],
        "directions": [1, 0, 0, 0, 1, 0, 0, 0, 1],
        "dtype": "uint8",
        "size": 24,
        "chunks": 1,
    }
    return {**values, **changes}


@given(messages)
def test_a_message_survives_the_wire(message: protocol.Message) -> None:
    assert protocol.decode(protocol.encode(message, LIMIT), EVERYTHING, LIMIT) == message


@given(st.binary(max_size=200))
@settings(max_examples=500)
def test_noise_is_refused_in_words(noise: bytes) -> None:
    with pytest.raises(ProtocolError):
        protocol.decode(noise, EVERYTHING, LIMIT)


@given(messages, st.data())
def test_a_damaged_message_is_refused_or_still_valid(
    message: protocol.Message, data: st.DataObject
) -> None:
    wire = bytearray(protocol.encode(message, LIMIT))
    place = data.draw(st.integers(0, len(wire) - 1))
    wire[place] = data.draw(st.integers(0, 255))
    outcome: protocol.Message | ProtocolError
    try:
        outcome = protocol.decode(bytes(wire), EVERYTHING, LIMIT)
    except ProtocolError as error:
        outcome = error
    assert isinstance(outcome, protocol.Message) or outcome.code in protocol.ERROR_CODES


@given(
    arrays.arrays(
        st.sampled_from(["uint8", "int8", "<u2", "<i2", "<u4", "<i4"]),
        arrays.array_shapes(min_dims=4, max_dims=4, max_side=7),
    ),
    st.integers(1, 400),
)
def test_labels_survive_being_cut_into_chunks(labels: Any, chunk_bytes: int) -> None:
    layers, nk, nj, ni = labels.shape
    size = labels.nbytes
    table = tuple(protocol.LabelLayer(n, (f"s{n}",), (1,)) for n in range(layers))
    header = protocol.RegionHeader(
        1, 0, table, (0, ni - 1, 5, 4 + nj, -2, nk - 3), (0, 0, 0), (1, 1, 1),
        (1, 0, 0, 0, 1, 0, 0, 0, 1), labels.dtype.name, size,
        protocol.chunk_count([size], chunk_bytes),
    )  # fmt: skip
    assembler = protocol.ArrayAssembler(header, LIMIT)
    for chunk in protocol.chunks(1, {"labels": labels}, chunk_bytes):
        wire = protocol.encode(chunk, LIMIT)
        received = protocol.decode(wire, (protocol.Chunk,), LIMIT)
        assert isinstance(received, protocol.Chunk)
        assembler.add(received)
    np.testing.assert_array_equal(assembler.arrays()["labels"], labels)


def test_no_chunk_message_exceeds_the_limit_of_noise_that_does_not_shrink() -> None:
    limits = protocol.Limits(message_bytes=8192, chunk_bytes=7168)
    noise = np.random.default_rng(1).integers(0, 255, (32, 32, 32), np.uint8)
    chunks = list(protocol.chunks(1, {"labels": noise}, limits.chunk_bytes))
    assert len(chunks) == protocol.chunk_count([noise.nbytes], limits.chunk_bytes) == 5
    assert {chunk.encoding for chunk in chunks} == {"raw"}
    assert all(len(protocol.encode(c, limits.message_bytes)) <= 8192 for c in chunks)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", protocol.MALFORMED),
        (b"\xc1", protocol.MALFORMED),
        (b"\x93\x01", protocol.MALFORMED),
        ("text", protocol.MALFORMED),
        (msgpack.packb([1, 2]), protocol.MALFORMED),
        (msgpack.packb({"type": 3}), protocol.MALFORMED),
        (msgpack.packb({1: 2}), protocol.MALFORMED),
        (msgpack.packb({"type": "bye"}) + b"\x00", protocol.MALFORMED),
        (msgpack.packb({"type": msgpack.ExtType(4, b"x")}), protocol.MALFORMED),
        (msgpack.packb({"type": msgpack.Timestamp(1)}), protocol.MALFORMED),
        (b"\x82\xa4type\xa3bye\xa4type\xa3bye", protocol.MALFORMED),
        (b"\x91" * 5000 + b"\x01", protocol.MALFORMED),
        (b"\xdd\xff\xff\xff\xff", protocol.MALFORMED),
        (b"\xdf\xff\xff\xff\xff", protocol.MALFORMED),
        (b"\xdb\xff\xff\xff\xff", protocol.MALFORMED),
        (b"\xc6\xff\xff\xff\xff", protocol.MALFORMED),
        (packed(type="sudo"), protocol.UNEXPECTED),
        (packed(type="bye", reason="", more=1), protocol.INVALID),
        (packed(type="bye"), protocol.INVALID),
        (packed(type="cancel", request=0), protocol.INVALID),
        (packed(type="cancel", request=True), protocol.INVALID),
        (packed(type="cancel", request=1.0), protocol.INVALID),
        (packed(type="bye", reason="a\x00b"), protocol.INVALID),
    ],
)
def test_what_is_no_message_is_refused(data: object, code: str) -> None:
    assert refusal(data).code == code


def test_a_message_above_the_limit_is_refused_on_both_sides() -> None:
    message = protocol.Bye("x" * 2000)
    with pytest.raises(ProtocolError, match="at most 1000"):
        protocol.encode(message, 1000)
    assert refusal(protocol.encode(message, LIMIT), limit=1000).code == protocol.TOO_LARGE


@pytest.mark.parametrize(
    ("changes", "culprit"),
    [
        ({"size": 25}, "declares 25 bytes"),
        ({"size": 2**62}, "declares"),
        ({"size": -1}, "size is -1"),
        ({"extent": [0, 2**31 - 2] * 3, "size": 24}, "declares 24 bytes"),
        ({"extent": [0, 2**31] * 3}, "extent"),
        ({"layers": []}, "layers is \\[\\]"),
        ({"layers": [layer(0, a=1), layer(1, b=1)]}, "in 2 layers has 48"),
        ({"layers": [layer(0)] * 2, "size": 48}, "each once"),
        ({"layers": [layer(1, a=1), layer(0, b=1)], "size": 48}, "the lowest first"),
        ({"layers": [layer(0, a=1), layer(1, a=1)], "size": 48}, "a segment in two layers"),
        ({"layers": [layer(0, a=1, b=1)]}, "every entry once"),
        ({"layers": [layer(0, a=0)]}, r"label_values\[0\]"),
        ({"layers": [{**layer(0, a=1), "label_values": []}]}, "1 segments and 0 label values"),
        ({"layers": [{**layer(0), "more": 1}]}, "unknown key"),
        ({"extent": [3, 0, 0, 2, 0, 1]}, "first <= last on axis i"),
        ({"extent": [0, 3, 0, 2, 0]}, "list of 6"),
        ({"dtype": "object"}, "dtype is 'object'"),
        ({"dtype": "float32"}, "dtype is 'float32'"),
        ({"spacing": [1, 0, 1]}, r"spacing\[1\]"),
        ({"spacing": [1, math.inf, 1]}, "finite"),
        ({"origin": [math.nan, 0, 0]}, "finite"),
        ({"directions": [1, 0, 0, 1, 0, 0, 0, 0, 1]}, "right angles"),
        ({"chunks": 25}, "25 chunks for 24 bytes"),
        ({"chunks": 0}, "chunks is 0"),
    ],
)
def test_a_region_header_that_contradicts_itself_is_refused(
    changes: dict[str, Any], culprit: str
) -> None:
    error = refusal(msgpack.packb(region_header(**changes)))
    assert error.code == protocol.INVALID
    with pytest.raises(ProtocolError, match=culprit):
        raise error


def test_a_huge_but_consistent_region_is_refused_before_it_is_allocated() -> None:
    side = 2**15
    wire = msgpack.packb(region_header(extent=[0, side - 1] * 3, size=side**3))
    header = protocol.decode(wire, (protocol.RegionHeader,), LIMIT)
    assert isinstance(header, protocol.RegionHeader)
    with pytest.raises(ProtocolError, match="at most 1048576") as caught:
        protocol.ArrayAssembler(header, LIMIT)
    assert caught.value.code == protocol.TOO_LARGE


def test_many_layers_are_refused_before_they_are_allocated() -> None:
    # Each is small enough, and all together are not.
    layers = [layer(n) for n in range(200)]
    wire = msgpack.packb(region_header(layers=layers, extent=[0, 19] * 3, size=200 * 8000))
    header = protocol.decode(wire, (protocol.RegionHeader,), LIMIT)
    assert isinstance(header, protocol.RegionHeader)
    with pytest.raises(ProtocolError, match="1600000 bytes; at most 1048576"):
        protocol.ArrayAssembler(header, LIMIT)


def test_segments_are_sorted_into_their_layers() -> None:
    rows = [
        protocol.Segment(key, key, (0.0, 0.0, 0.0), number, value, True, 0)
        for key, number, value in (("a", 2, 1), ("b", 0, 1), ("c", 2, 7))
    ]
    made = protocol.LabelLayer
    assert protocol.label_layers(rows) == (made(0, ("b",), (1,)), made(2, ("a", "c"), (1, 7)))
    assert protocol.label_layers(rows, ["c"]) == (made(2, ("c",), (7,)),)
    assert protocol.label_layers(rows, []) == (made(0, (), ()),)


@pytest.mark.parametrize("culprit", ["id 'a' twice", "label_value 1 twice in layer 3"])
def test_a_table_that_contradicts_itself_is_refused(culprit: str) -> None:
    volume = protocol.Volume((0, 1) * 3, (0, 0, 0), (1, 1, 1), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    keys, values = (("a", "a"), (1, 2)) if "id" in culprit else (("a", "b"), (1, 1))
    rows = [
        protocol.Segment(key, key, (0.0, 0.0, 0.0), 3, value, True, 0)
        for key, value in zip(keys, values, strict=True)
    ]
    with pytest.raises(ProtocolError, match=culprit):
        protocol.Description(1, volume, 1, 0, 0, 0, tuple(rows))


@given(st.none() | extents, st.none() | extents)
def test_boxes_are_joined_and_cut(first: Any, second: Any) -> None:
    around = protocol.box_around(first, second)
    assert (around is None) == (first is None and second is None)
    for box in (first, second):
        if box is not None:
            assert protocol.intersection(around, box) == box
    if first is not None and second is not None:
        for a in range(6):
            assert around[a] in (first[a], second[a])
        common = protocol.intersection(first, second)
        overlap = all(
            max(first[2 * a], second[2 * a]) <= min(first[2 * a + 1], second[2 * a + 1])
            for a in range(3)
        )
        assert (common is not None) == overlap


def test_news_are_put_together() -> None:
    first = protocol.Changed(("a", "b"), (0, 1, 0, 1, 0, 1), 4)
    second = protocol.Changed(("c", "a"), (3, 5, 0, 0, -2, 0), 6)
    expected = protocol.Changed(("a", "b", "c"), (0, 5, 0, 1, -2, 1), 6)
    assert first.followed_by(second) == expected
    renamed = protocol.Changed(("a",), None, 7)
    assert expected.followed_by(renamed) == protocol.Changed(("a", "b", "c"), expected.extent, 7)
    assert renamed.followed_by(renamed).extent is None


def test_a_bomb_is_not_inflated_beyond_its_declared_size() -> None:
    bomb = zlib.compress(bytes(200_000_000))
    chunk = protocol.Chunk(1, "labels", 0, len(bomb) + 1, "zlib", bomb)
    with pytest.raises(ProtocolError, match="inflates to others"):
        protocol.inflate(chunk)


@pytest.mark.parametrize("data", [zlib.compress(bytes(24))[:-1], b"no zlib", b""])
def test_deflated_data_that_is_damaged_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        protocol.inflate(protocol.Chunk(1, "labels", 0, 24, "zlib", data))


@pytest.mark.parametrize(
    "chunk",
    [
        protocol.Chunk(1, "labels", 1, 8, "raw", bytes(8)),
        protocol.Chunk(1, "points", 0, 8, "raw", bytes(8)),
        protocol.Chunk(1, "labels", 0, 25, "raw", bytes(25)),
        protocol.Chunk(1, "labels", 0, 8, "raw", bytes(8)),
    ],
    ids=["gap", "other array", "past the end", "too few chunks"],
)
def test_chunks_that_do_not_fit_are_refused(chunk: protocol.Chunk) -> None:
    values = region_header()
    del values["type"]
    assembler = protocol.ArrayAssembler(protocol.RegionHeader.from_wire(values), LIMIT)
    with pytest.raises(ProtocolError):
        assembler.add(chunk)


@pytest.mark.parametrize("index", [-1, 3])
def test_triangles_that_point_outside_the_points_are_refused(index: int) -> None:
    header = protocol.SurfaceHeader(1, 0, "s", 1, 3, 1, 48, 2)
    assembler = protocol.ArrayAssembler(header, LIMIT)
    points = np.zeros((3, 3), "<f4")
    triangles = np.array([[0, 1, index]], "<i4")
    for chunk in protocol.chunks(1, {"points": points, "triangles": triangles}, 1 << 16):
        assembler.add(chunk)
    with pytest.raises(ProtocolError, match=r"expected 0\.\.2"):
        assembler.arrays()


def test_operations_are_bounded_in_depth_and_kind() -> None:
    deep: Any = 1
    for _ in range(10):
        deep = [deep]
    for operation in (
        {"segment": "s"},
        {"effect": ""},
        {"effect": "x", "segment": ""},
        {"effect": "x", "segment": None},
        {"effect": "x", "segment": "s", "parameters": [1]},
        {"effect": "x", "segment": "s", "parameters": {"a": deep}},
        {"effect": "x", "segment": "s", "parameters": {"a": math.nan}},
        {"effect": "x", "segment": "s", "parameters": {"a": b"bytes"}},
    ):
        with pytest.raises(ProtocolError):
            protocol.ApplyRequest(1, operation)
    # Effects on all visible segments name none.
    assert protocol.ApplyRequest(1, {"effect": "x"}).operation == {"effect": "x"}


def test_the_index_to_ras_matrix_puts_axes_in_columns() -> None:
    volume = protocol.Volume(
        (0, 1, 0, 1, 0, 1), (10, 20, 30), (2, 3, 4), (0, -1, 0, 1, 0, 0, 0, 0, 1)
    )
    np.testing.assert_allclose(volume.index_to_ras() @ [1, 0, 0, 1], [10, 22, 30, 1])
    np.testing.assert_allclose(volume.index_to_ras() @ [0, 1, 0, 1], [7, 20, 30, 1])


def test_negotiation_takes_a_common_version_or_names_both() -> None:
    assert protocol.negotiate((9, 2)) == 2
    assert protocol.negotiate((2, 3, 9)) == 3
    with pytest.raises(ProtocolError, match="speaks protocol 8, 9; this bridge speaks 3, 2"):
        protocol.negotiate((8, 9))


# -- statistics ------------------------------------------------------------------------------------


def measured() -> Any:
    kinds = [("label", "<i8"), ("name", object), ("mean", "<f8"), ("centroid", "<f8", (3,))]
    table = np.zeros(3, dtype=kinds)
    table["label"] = [1, 2**62, 7]
    table["name"] = ["a", "\N{GREEK SMALL LETTER BETA}", ""]
    table["mean"] = [0.1, np.nan, -np.inf]
    table["centroid"] = np.arange(9).reshape(3, 3) / 7
    return table


def test_a_table_arrives_bit_for_bit() -> None:
    table = measured()
    sent = protocol.Statistics.of_table(5, 2, table)
    found = protocol.decode(protocol.encode(sent, LIMIT), protocol.TO_CLIENT, LIMIT)
    assert isinstance(found, protocol.Statistics)
    assert (found.request, found.revision) == (5, 2)
    received = found.table()
    assert received.dtype == table.dtype
    for name in table.dtype.names:
        if name == "name":
            assert received[name].tolist() == table[name].tolist()
        else:
            assert received[name].tobytes() == table[name].tobytes()
    # Narrower numbers become the types of the wire.
    narrow = np.zeros(2, dtype=[("count", "<u4"), ("extent", "<i4", (6,)), ("size", "<f4")])
    received = protocol.Statistics.of_table(1, 0, narrow).table()
    kinds = [("count", "<i8"), ("extent", "<i8", (6,)), ("size", "<f8")]
    assert received.dtype == np.dtype(kinds)
    assert protocol.Statistics.of_table(1, 0, table[:0]).table().dtype == table.dtype


def column(**changes: Any) -> dict[str, Any]:
    values = {"name": "c", "type": "int64", "components": 2, "data": bytes(32), "texts": []}
    return {**values, **changes}


@pytest.mark.parametrize(
    ("columns", "culprit"),
    [
        ([column(data=bytes(31))], "31 bytes; expected a multiple of 16"),
        ([column(texts=["a"])], "numbers and texts"),
        ([column(type="text", components=1, texts=["a", "b"])], "texts and numbers"),
        ([column(type="text", data=b"", texts=["a"])], "texts and numbers"),
        ([column(type="int32")], "one of text, int64, float64"),
        ([column(components=0)], "components"),
        ([column(components=17)], "components"),
        ([column(), column(name="d", data=bytes(16))], r"columns of \[1, 2\] rows"),
        ([column(), column()], "a column twice"),
        ([], "list of 1 to 256 entries"),
        ([column(data=1)], "expected bytes"),
        ([column(more=1)], "unknown key"),
    ],
)
def test_a_table_that_contradicts_itself_or_is_none_is_refused(columns: Any, culprit: str) -> None:
    message = packed(type="statistics-table", request=1, revision=0, columns=columns)
    error = refusal(message, protocol.TO_CLIENT)
    assert error.code == protocol.INVALID
    assert re.search(culprit, str(error)), str(error)
