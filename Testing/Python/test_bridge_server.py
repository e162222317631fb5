"""The bridge over real sockets: who gets in, what they get, and what a bad client cannot do."""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgpack
import numpy as np
import pytest
from bridge_backend import NumpyBackend, oblique_boxes, two_boxes
from segmentationcore.bridge import protocol
from segmentationcore.bridge.client import BridgeClient, BridgeTimeout
from segmentationcore.bridge.command import serve
from segmentationcore.bridge.protocol import BridgeError
from segmentationcore.bridge.server import BridgeServer
from segmentationcore.bridge.snapshot import read_snapshot, take_snapshot
from segmentationcore.bridge.token import (
    TokenError,
    matches,
    new_token,
    read_token,
    remove_token,
    write_token,
)
from segmentationcore.bridge.transport import (
    InsecureError,
    TransportError,
    WebSocketTransport,
    is_loopback,
)

TOKEN = "correct-horse-battery-staple"
HELLO = {"type": "hello", "protocols": [2], "software": "test", "token": TOKEN}


class Running:
    """A server whose backend thread is a thread of the test."""

    def __init__(self, backend: NumpyBackend, **options: Any) -> None:
        self.backend = backend
        self.server = BridgeServer(backend, token=TOKEN, port=0, **options)
        self.server.start()
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def client(self, **options: Any) -> BridgeClient:
        return BridgeClient.connect(self.server.url, token=TOKEN, **options)

    def stop(self) -> None:
        self.backend.release.set()
        self.server.stop()
        self.thread.join(20)
        assert not self.thread.is_alive(), "the server hangs"


@pytest.fixture
def start() -> Iterator[Callable[..., Running]]:
    """Start servers that are stopped after the test, and must then stop."""
    running: list[Running] = []

    def make(backend: NumpyBackend | None = None, **options: Any) -> Running:
        running.append(Running(backend or two_boxes(), **options))
        return running[-1]

    yield make
    for one in running:
        one.stop()


def converse(url: str, *sent: object, answers: int = 1) -> list[Any]:
    """Send raw messages, then receive; a closed connection ends the list with its reason."""

    async def talk() -> list[Any]:
        connection = await WebSocketTransport().connect(url, max_bytes=1 << 24, timeout=5)
        received: list[Any] = []
        try:
            for message in sent:
                data = message if isinstance(message, (bytes, str)) else msgpack.packb(message)
                await connection.send(data)  # type: ignore[arg-type]
            for _ in range(answers):
                data = await asyncio.wait_for(connection.receive(), 10)
                received.append(msgpack.unpackb(data))
        except TransportError as error:
            received.append(str(error))
        await connection.close()
        return received

    return asyncio.run(talk())


def margin(segment: str = "s-red", size: float = 1.0) -> dict[str, Any]:
    return {"effect": "margin", "segment": segment, "parameters": {"MarginSizeMm": size}}


def operation(effect: str, segment: str = "s-red", **parameters: Any) -> dict[str, Any]:
    return {"effect": effect, "segment": segment, "parameters": parameters}


# -- who gets in ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "hello",
    [
        {**HELLO, "token": "wrong" * 5},
        {**HELLO, "token": TOKEN[:-1]},
        {**HELLO, "token": ""},
        {**HELLO, "token": None},
        {**HELLO, "token": "wrong", "protocols": [99]},
        {**HELLO, "token": "wrong", "unknown": 1},
        {key: value for key, value in HELLO.items() if key != "token"},
        {"type": "segments", "request": 1},
    ],
)
def test_without_the_token_nothing_is_learnt(start: Any, hello: dict[str, Any]) -> None:
    answer, ending = converse(start().server.url, hello, {"type": "segments", "request": 1},
                              answers=2)  # fmt: skip
    assert answer["code"] == protocol.UNAUTHORIZED
    assert answer["request"] is None
    assert "closed" in ending


def test_the_client_reports_a_refused_token(start: Any) -> None:
    with pytest.raises(BridgeError, match="token") as caught:
        BridgeClient.connect(start().server.url, token="not the token at all")
    assert caught.value.code == protocol.UNAUTHORIZED


def test_a_version_that_is_not_spoken_is_refused(start: Any) -> None:
    answer, _ = converse(start().server.url, {**HELLO, "protocols": [1, 99]}, answers=2)
    assert answer["code"] == protocol.PROTOCOL_VERSION
    assert "1, 99" in answer["text"]


def test_a_stranger_who_says_nothing_is_sent_away(start: Any) -> None:
    (answer,) = converse(start(hello_seconds=0.2).server.url)
    assert answer["code"] == protocol.UNAUTHORIZED


def test_a_browser_page_is_refused(start: Any) -> None:
    port = start().server.port
    with socket.create_connection(("127.0.0.1", port), 5) as link:
        link.sendall(
            b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Origin: https://example.org\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
        )
        assert b"403" in link.recv(4096).split(b"\r\n")[0]


def test_too_many_clients_are_refused(start: Any) -> None:
    running = start(max_clients=1)
    with running.client(), pytest.raises(BridgeError, match="1 clients") as caught:
        running.client()
    assert caught.value.code == protocol.BUSY


def test_plain_sockets_stay_on_this_machine() -> None:
    for host in ("127.0.0.1", "::1", "localhost"):
        assert is_loopback(host), host
    for host in ("0.0.0.0", "", "192.0.2.1"):
        assert not is_loopback(host), host
        with pytest.raises(InsecureError, match="--insecure"):
            BridgeServer(two_boxes(), token=TOKEN, host=host, port=0).start()
    with pytest.raises(InsecureError, match="--insecure"):
        BridgeClient.connect("ws://192.0.2.1:1", token=TOKEN)


def test_all_addresses_can_be_served_when_asked_for(start: Any) -> None:
    running = start(host="0.0.0.0", allow_insecure=True)
    url = f"ws://127.0.0.1:{running.server.port}"
    with BridgeClient.connect(url, token=TOKEN) as client:
        assert client.describe().ranks == 1


def test_a_port_in_use_is_reported(start: Any) -> None:
    port = start().server.port
    with pytest.raises(TransportError, match=f"cannot listen on 127.0.0.1:{port}"):
        BridgeServer(two_boxes(), token=TOKEN, port=port).start()


# -- the token file ------------------------------------------------------------------------------


def test_a_token_file_is_private_new_and_read_back(tmp_path: Path) -> None:
    path, token = tmp_path / "token", new_token()
    before = os.umask(0)
    try:
        write_token(path, token)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_token(path) == token
    with pytest.raises(TokenError, match="exists"):
        write_token(path, token)
    path.chmod(0o640)
    with pytest.raises(TokenError, match="0640"):
        read_token(path)
    remove_token(path)
    remove_token(path)
    with pytest.raises(TokenError, match="cannot read"):
        read_token(path)


def test_a_link_in_place_of_the_token_file_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "token").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(TokenError):
        write_token(tmp_path / "token", new_token())
    assert not (tmp_path / "elsewhere").exists()


def test_only_the_token_matches() -> None:
    assert matches(TOKEN, TOKEN)
    for other in (TOKEN + " ", TOKEN.upper(), "", None, 3, TOKEN.encode(), "\ud800"):
        assert not matches(TOKEN, other)


def test_serving_makes_a_token_file_and_removes_it(tmp_path: Path) -> None:
    path, urls = tmp_path / "token", queue.Queue()  # type: ignore[var-annotated]
    thread = threading.Thread(
        target=serve,
        args=(two_boxes(),),
        kwargs={"port": 0, "token_file": path, "ready": lambda server, _: urls.put(server)},
    )
    thread.start()
    server = urls.get(timeout=10)
    with BridgeClient.connect(server.url, token_file=path) as client:
        assert len(client.describe().segments) == 2
    server.stop()
    thread.join(10)
    assert not path.exists()


# -- what clients get ----------------------------------------------------------------------------


def test_a_client_gets_what_the_backend_holds(start: Any) -> None:
    backend = oblique_boxes()
    with start(backend).client() as client:
        description = client.describe()
        assert [row.id for row in description.segments] == ["s-red", "s-green"]
        assert description.segments[1].name.endswith("\N{GREEK SMALL LETTER ALPHA}")
        assert description.segments[0].voxel_count == 36
        region = client.region()
        np.testing.assert_array_equal(region.labels, [backend.labels])
        assert region.layers == (protocol.LabelLayer(0, ("s-red", "s-green"), (1, 2)),)
        np.testing.assert_array_equal(region.mask("s-red"), backend.labels == 1)
        assert region.volume == description.volume
        box = client.region((6, 9, -2, 0, 3, 4), segments=["s-green"])
        np.testing.assert_array_equal(box.labels, [(backend.labels == 2)[1:3, 1:4, 1:5] * 2])
        plane = client.region(axis="j", index=1)
        np.testing.assert_array_equal(plane.labels, [backend.labels[:, 4:5, :]])
        surface = client.surface("s-red")
        # Voxels 1..3, 1..4, 1..3 from index (5, -3, 2), half a voxel around them.
        corners = np.stack(np.meshgrid([5.5, 8.5], [-2.5, 1.5], [2.5, 5.5]), -1).reshape(-1, 3)
        ras = corners @ description.volume.index_to_ras()[:3, :3].T + backend.origin
        np.testing.assert_allclose(surface.points.min(0), ras.min(0), atol=1e-4)
        np.testing.assert_allclose(surface.points.max(0), ras.max(0), atol=1e-4)


def test_the_backend_sees_one_thread_and_it_is_the_serving_one(start: Any) -> None:
    running = start()
    with running.client() as one, running.client() as two:
        one.describe(), two.region(), one.apply(margin()), two.surface("s-green")
    assert running.backend.threads == {running.thread.ident}


def test_large_arrays_travel_in_messages_below_the_limit(start: Any) -> None:
    labels = np.random.default_rng(2).integers(0, 3, (40, 50, 60)).astype(np.int16)
    backend = NumpyBackend(labels, two_boxes().names)
    limits = protocol.Limits(message_bytes=16 << 10, chunk_bytes=8 << 10)
    running = start(backend, limits=limits)
    with running.client(limits=limits) as client, client.record() as traffic:
        np.testing.assert_array_equal(client.region().labels, [labels])
    assert traffic.messages > 30
    assert traffic.largest <= limits.message_bytes
    assert traffic.sent_bytes < 200


def test_two_clients_and_the_one_that_did_not_ask_is_told(start: Any) -> None:
    running = start()
    with running.client() as one, running.client() as two:
        applied = one.apply(margin())
        assert applied.changed == ("s-red",)
        news = two.changes(wait=5)
        # Voxels 1..3, 1..4, 1..3 and one more around them.
        assert applied.extent == (0, 4, 0, 5, 0, 4)
        assert news == protocol.Changed(("s-red",), applied.extent, applied.revision)
        assert one.changes(wait=0.1) is None
        two.apply(operation("recolor", "s-green", Name="Renamed"))
        one_news = one.changes(wait=5)
        assert one_news is not None
        assert (one_news.changed, one_news.extent) == (("s-green",), None)
        assert one.describe().segments[1].name == "Renamed"


def test_overlapping_segments_come_in_layers(start: Any) -> None:
    backend = oblique_boxes()
    with start(backend).client() as client:
        # Voxels 2..6, 3..8, 7..10 from index (5, -3, 2), and what green had is what red had.
        applied = client.apply(operation("copy", "s-green", Source="s-red"))
        assert applied.changed == ("s-green",)
        assert applied.extent == (6, 15, -2, 5, 3, 8)
        red, green = client.describe().segments
        assert (red.layer, red.label_value) == (0, 1)
        assert (green.layer, green.label_value) == (1, 2)
        assert red.voxel_count == green.voxel_count == 36
        region = client.region()
        assert region.labels.shape == (2, 8, 10, 12)
        np.testing.assert_array_equal(region.mask("s-red"), region.mask("s-green"))
        np.testing.assert_array_equal(region.labels, backend.layers)
        before, after = client.surface("s-red"), client.surface("s-green")
        np.testing.assert_array_equal(before.points, after.points)

        backend.regions.clear()
        part = client.region((5, 8, -3, 0, 4, 5), segments=["s-green"])
        assert backend.regions == [((5, 8, -3, 0, 4, 5), 1)], "another layer was asked for"
        assert part.layers == (protocol.LabelLayer(1, ("s-green",), (2,)),)
        np.testing.assert_array_equal(part.labels, [backend.layers[1][2:4, 0:4, 0:4]])
        with pytest.raises(KeyError, match="s-red"):
            part.mask("s-red")
        empty = client.region(segments=[])
        assert (empty.layers, empty.labels.any()) == ((protocol.LabelLayer(0, (), ()),), False)


def test_all_layers_together_count_for_the_limit(start: Any) -> None:
    backend = two_boxes()
    with start(backend, limits=protocol.Limits(region_bytes=1024)).client() as client:
        assert client.region().labels.size == 960
        client.apply(operation("copy", "s-green", Source="s-red"))
        backend.regions.clear()
        with pytest.raises(BridgeError, match="1920 voxels in 2 layers; at most 1024") as caught:
            client.region()
        assert caught.value.code == protocol.TOO_LARGE
        assert not backend.regions, "the backend was asked before the limit was looked at"
        assert client.region(segments=["s-green"]).labels.size == 960


def test_operations_are_undone_and_redone(start: Any) -> None:
    running = start()
    backend = running.backend
    states = [backend.labels.copy()]
    with running.client() as one, running.client() as two:
        for edit in (margin(), margin("s-green")):
            one.apply(edit)
            states.append(backend.labels.copy())
        two.changes(wait=5)
        undone = two.undo()
        assert (undone.changed, undone.revision) == (("s-green",), 3)
        assert undone.extent == (6, 11, 2, 9, 1, 7)
        np.testing.assert_array_equal(backend.labels, states[1])
        news = one.changes(wait=5)
        assert news == protocol.Changed(undone.changed, undone.extent, undone.revision)
        assert one.undo().changed == ("s-red",)
        np.testing.assert_array_equal(backend.labels, states[0])
        description = one.describe()
        assert (description.undoable, description.redoable) == (0, 2)
        with pytest.raises(BridgeError, match="nothing to undo") as caught:
            one.undo()
        assert caught.value.code == protocol.OPERATION_FAILED
        for state in states[1:]:
            assert one.redo().extent is not None
            np.testing.assert_array_equal(backend.labels, state)
        one.undo()
        one.apply(operation("recolor", Name="Other"))
        with pytest.raises(BridgeError, match="nothing to redo"):
            one.redo()
        assert one.undo().extent is None
        assert one.describe().segments[0].name == "Red box"


def test_masking_and_region_reach_the_backend_as_they_are(start: Any) -> None:
    running = start()
    seen: list[Any] = []
    apply = running.backend.apply
    running.backend.apply = lambda edit, progress: (seen.append(edit), apply(edit, progress))[1]
    edit = {
        **margin(),
        "masking": {
            "MaskMode": "EditAllowedInsideSingleSegment",
            "MaskSegmentID": "s-green",
            "SourceVolumeIntensityMask": True,
            "SourceVolumeIntensityMaskRange": [1.5, 7.0],
        },
        "region": {"center": [0.0, 1.0, -2.5], "size": [10.0, 20.0, 30.0]},
    }
    with running.client() as client:
        client.apply(edit)
    assert seen == [edit]


def test_an_operation_on_all_segments_names_none(start: Any) -> None:
    running = start()
    seen: list[Any] = []

    def apply(edit: dict[str, Any], _progress: Any) -> Any:
        seen.append(edit)
        return {"changed": [], "extent": None, "revision": 1}

    running.backend.apply = apply
    edits = [
        {"effect": "grow_from_seeds", "region": {"growth": 0.1}},
        {"effect": "median", "ApplyToAllVisibleSegments": True, "parameters": {}},
    ]
    with running.client() as client:
        for edit in edits:
            assert client.apply(edit).revision == 1
    assert seen == edits


def test_statistics_come_as_the_backend_has_them(start: Any) -> None:
    running = start(oblique_boxes())
    with running.client() as client:
        table = client.statistics(intensities=True, surface=False, Islands=True)
        assert table["segment"].tolist() == ["s-red", "s-green"]
        assert table["name"][1] == "Green box \N{GREEK SMALL LETTER ALPHA}"
        expected = running.backend.statistics({}, False, lambda *_: None)
        assert table.dtype == expected.dtype
        assert table["centroid"].tobytes() == expected["centroid"].tobytes()
        assert table["voxel_count"].tolist() == [36, 120]
        assert np.isnan(table["mean"]).all()
        assert running.backend.asked == [({"surface": False, "Islands": True}, True), ({}, False)]
        assert client.describe().revision == 0
        with pytest.raises(BridgeError, match="no parameter 'Size'") as caught:
            client.statistics(Size=1)
        assert caught.value.code == protocol.OPERATION_FAILED
        client.apply(margin())
        assert client.statistics()["voxel_count"][0] > 36


def test_statistics_of_other_segments_are_a_defect(start: Any) -> None:
    running = start()
    running.backend.statistics = lambda *_: np.zeros(1, [("label", "i8")])
    with running.client() as client:
        with pytest.raises(BridgeError, match="measured 1 segments of 2") as caught:
            client.statistics()
        assert caught.value.code == protocol.INTERNAL


def test_an_older_bridge_is_not_asked_for_statistics(
    start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = start()
    monkeypatch.setattr(protocol, "PROTOCOL_VERSIONS", (2,))
    with running.client() as client:
        monkeypatch.undo()
        assert client.describe().ranks == 1
        with pytest.raises(BridgeError, match="need protocol 3; this bridge speaks 2"):
            client.statistics()


def test_the_owner_can_tell_clients_about_changes(start: Any) -> None:
    running = start()
    with running.client() as client:
        running.server.notify(["s-red"], [1, 2, 3, 4, 5, 6], 7)
        assert client.changes(wait=5) == protocol.Changed(("s-red",), (1, 2, 3, 4, 5, 6), 7)


def test_progress_arrives_while_the_operation_runs(start: Any) -> None:
    reports: list[tuple[float, float]] = []
    with start().client() as client:
        client.apply(
            operation("slow", Seconds=0.6),
            progress=lambda fraction, text: reports.append((time.monotonic(), fraction)),
        )
    ended = time.monotonic()
    assert len(reports) >= 3
    assert ended - reports[0][0] > 0.3, "progress came only with the answer"
    assert [f for _, f in reports] == sorted(f for _, f in reports)


def test_failures_name_their_cause_and_leave_the_connection_open(start: Any) -> None:
    with start().client() as client:
        for wrong, code, words in (
            (lambda: client.apply(operation("refuse")), protocol.OPERATION_FAILED, "too small"),
            (lambda: client.apply(operation("unknown")), protocol.OPERATION_FAILED, "unknown"),
            (lambda: client.apply(operation("break")), protocol.INTERNAL, "a defect"),
            (lambda: client.region(axis="k", index=99), protocol.INVALID, r"99\.\.99 on axis k"),
            (lambda: client.region(segments=["nobody"]), protocol.INVALID, "'nobody'"),
            (lambda: client.surface("nobody"), protocol.INVALID, "'nobody'"),
        ):
            with pytest.raises(BridgeError, match=words) as caught:
                wrong()
            assert caught.value.code == code
        assert client.describe().revision == 0


def test_a_region_above_the_servers_limit_is_refused_unread(start: Any) -> None:
    backend = NumpyBackend(np.zeros((11, 10, 10), np.uint8), two_boxes().names)
    with start(backend, limits=protocol.Limits(region_bytes=1024)).client() as client:
        with pytest.raises(BridgeError, match="1100 voxels in 1 layer; at most 1024") as caught:
            client.region()
        assert caught.value.code == protocol.TOO_LARGE
        assert client.region(axis="k", index=0).labels.shape == (1, 1, 10, 10)


def test_a_running_operation_can_be_cancelled(start: Any) -> None:
    running = start()
    with running.client() as client:
        threading.Thread(target=lambda: (running.backend.entered.wait(5), client.cancel())).start()
        begin = time.monotonic()
        with pytest.raises(BridgeError) as caught:
            client.apply(operation("slow", Seconds=15))
        assert caught.value.code == protocol.CANCELLED
        assert time.monotonic() - begin < 5
        assert client.describe().revision == 0


def test_a_timeout_leaves_a_usable_connection(start: Any) -> None:
    running = start()
    with running.client() as client:
        with pytest.raises(BridgeTimeout):
            client.apply(operation("slow", Seconds=15), timeout=0.3)
        assert client.describe(timeout=5).revision == 0
        assert client.region().labels.shape == (1, 8, 10, 12)


def test_a_callback_that_raises_does_not_confuse_the_next_request(start: Any) -> None:
    def fail(fraction: float, text: str) -> None:
        raise KeyError("in the callback")

    limits = protocol.Limits(message_bytes=4096, chunk_bytes=1024)
    labels = np.random.default_rng(3).integers(0, 3, (40, 40, 40)).astype(np.uint8)
    with start(NumpyBackend(labels, two_boxes().names), limits=limits).client() as client:
        for _ in range(3):
            with pytest.raises(KeyError):
                client.region(progress=fail)
        np.testing.assert_array_equal(client.region().labels, [labels])


# -- what a bad client cannot do -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"\xc1\xc1\xc1", protocol.MALFORMED),
        (b"\xdd\xff\xff\xff\xff", protocol.MALFORMED),
        ("a text message", protocol.MALFORMED),
        ({"type": "sudo", "request": 1}, protocol.UNEXPECTED),
        ({"type": "welcome", "protocol": 1}, protocol.UNEXPECTED),
        (HELLO, protocol.UNEXPECTED),
        ({"type": "bye", "reason": "", "extra": 1}, protocol.INVALID),
    ],
)
def test_a_message_out_of_protocol_ends_the_connection(
    start: Any, message: object, code: str
) -> None:
    running = start()
    welcome, error, ending = converse(running.server.url, HELLO, message, answers=3)
    assert welcome["type"] == "welcome"
    assert (error["code"], error["request"]) == (code, None)
    assert "closed" in ending
    with running.client() as client:
        assert len(client.describe().segments) == 2


@pytest.mark.parametrize(
    "request_",
    [
        {"type": "region", "request": 5, "segments": None, "axis": None, "index": None,
         "extent": [0, 2**40, 0, 1, 0, 1]},
        {"type": "region", "request": 5, "segments": None, "axis": "k", "index": None,
         "extent": None},
        {"type": "surface", "request": 5, "segment": "s-red", "coarsening": 0},
        {"type": "surface", "request": 5, "segment": "s-red", "coarsening": 1, "more": 1},
        {"type": "apply", "request": 5, "operation": {"segment": "s-red"}},
        {"type": "statistics", "request": 5, "parameters": [], "intensities": False},
        {"type": "statistics", "request": 5, "parameters": {}, "intensities": 1},
    ],
)  # fmt: skip
def test_a_bad_request_costs_the_request_only(start: Any, request_: dict[str, Any]) -> None:
    after = {"type": "segments", "request": 6}
    _, error, description = converse(start().server.url, HELLO, request_, after, answers=3)
    assert (error["code"], error["request"]) == (protocol.INVALID, 5)
    assert description["request"] == 6


def test_an_oversized_message_is_cut_off_and_the_server_lives(start: Any) -> None:
    running = start(limits=protocol.Limits(request_bytes=4096))

    async def oversize() -> None:
        connection = await WebSocketTransport().connect(
            running.server.url, max_bytes=1 << 20, timeout=5
        )
        await connection.send(msgpack.packb(HELLO))
        # Read first: closing with data unread resets the link, and what is under way is lost.
        assert b"welcome" in await connection.receive()  # type: ignore[operator]

        async def exceed_the_limit() -> None:
            await connection.send(bytes(1 << 20))
            await asyncio.wait_for(connection.receive(), 10)

        with pytest.raises(TransportError):
            await exceed_the_limit()

    asyncio.run(oversize())
    with running.client() as client:
        assert client.apply(margin()).changed == ("s-red",)


def test_a_client_does_not_send_what_the_server_would_refuse(start: Any) -> None:
    with start(limits=protocol.Limits(request_bytes=4096)).client() as client:
        with pytest.raises(BridgeError, match="at most 4096"):
            client.apply(operation("margin", Text="x" * 4000, More="y" * 4000))
        assert len(client.describe().segments) == 2


def test_open_requests_are_bounded(start: Any) -> None:
    running = start(max_requests=2)
    blocked = {"type": "apply", "request": 1, "operation": operation("blocked")}
    more = [{"type": "segments", "request": number} for number in (2, 3)]
    _, busy = converse(running.server.url, HELLO, blocked, *more, answers=2)
    assert (busy["code"], busy["request"]) == (protocol.BUSY, 3)


def test_a_client_that_vanishes_in_the_middle_of_a_transfer(start: Any) -> None:
    labels = np.random.default_rng(4).integers(0, 3, (160, 200, 200)).astype(np.int32)
    running = start(NumpyBackend(labels, two_boxes().names), send_seconds=2)

    async def vanish() -> None:
        connection = await WebSocketTransport().connect(
            running.server.url, max_bytes=1 << 25, timeout=5
        )
        await connection.send(msgpack.packb(HELLO))
        request = protocol.encode(protocol.RegionRequest(1), 1 << 20)
        await connection.send(request)
        for _ in range(3):  # welcome, header, first chunk
            await connection.receive()
        connection._connection.transport.abort()

    asyncio.run(vanish())
    with running.client() as client:
        np.testing.assert_array_equal(client.region().labels, [labels])


def test_a_client_that_stops_reading_is_dropped_and_holds_up_nobody(start: Any) -> None:
    labels = np.random.default_rng(5).integers(0, 2**30, (160, 200, 200)).astype(np.int32)
    running = start(NumpyBackend(labels, two_boxes().names), send_seconds=1)
    stuck = socket.create_connection(("127.0.0.1", running.server.port), 5)
    stuck.sendall(
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
    )
    assert b"101" in stuck.recv(4096)
    for message in (HELLO, {"type": "region", "request": 1, "segments": None, "extent": None,
                            "axis": None, "index": None}):  # fmt: skip
        data = msgpack.packb(message)
        stuck.sendall(bytes([0x82, 0x80 | 126, len(data) >> 8, len(data) & 255, 0, 0, 0, 0]) + data)
    begin = time.monotonic()
    with running.client() as client:
        assert client.apply(margin()).revision == 1
        assert time.monotonic() - begin < 5
    deadline = time.monotonic() + 15
    while running.server._clients and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not running.server._clients
    stuck.close()


def test_a_client_that_vanishes_in_the_middle_of_an_operation(start: Any) -> None:
    running = start()
    blocked = {"type": "apply", "request": 1, "operation": operation("blocked")}
    queued = {"type": "apply", "request": 2, "operation": margin("s-green")}

    async def vanish() -> None:
        connection = await WebSocketTransport().connect(
            running.server.url, max_bytes=1 << 20, timeout=5
        )
        for message in (HELLO, blocked, queued):
            await connection.send(msgpack.packb(message))
        await asyncio.get_running_loop().run_in_executor(None, running.backend.entered.wait, 5)
        connection._connection.transport.abort()

    with running.client() as watcher:
        assert len(watcher.describe().segments) == 2
        asyncio.run(vanish())
        deadline = time.monotonic() + 10
        while len(running.server._clients) > 1 and time.monotonic() < deadline:
            time.sleep(0.02)
        running.backend.release.set()
        news = watcher.changes(wait=10)
        assert news == protocol.Changed(("s-red",), None, 1), "the begun edit was not finished"
        assert watcher.describe().revision == 1, "the queued edit was not dropped"


# -- stopping, and the interpreter lock ----------------------------------------------------------


def test_stopping_says_goodbye_to_clients(start: Any) -> None:
    running = start()
    client = running.client()
    running.stop()
    with pytest.raises((TransportError, BridgeError), match=r"stopping|goodbye"):
        client.describe()
    client.close()
    client.close()


def test_stopping_answers_requests_that_wait(start: Any) -> None:
    running = start()
    outcome: queue.Queue[Any] = queue.Queue()

    def ask() -> None:
        try:
            with running.client() as client:
                outcome.put(client.apply(operation("blocked")))
                outcome.put(client.describe())
        except Exception as error:
            outcome.put(error)

    asking = threading.Thread(target=ask)
    asking.start()
    assert running.backend.entered.wait(5)
    running.server.stop()
    running.backend.release.set()
    first = outcome.get(timeout=10)
    assert isinstance(first, protocol.Applied), "the running operation was not finished"
    asking.join(10)
    assert isinstance(outcome.get(timeout=1), (TransportError, BridgeError))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_bridge_in_good_order(tmp_path: Path, number: int) -> None:
    with _other_process(tmp_path) as process:
        url, token = _wait_for(process, tmp_path)
        client = BridgeClient.connect(url, token_file=token)
        assert len(client.describe().segments) == 2
        process.send_signal(number)
        assert process.wait(15) == 0
        assert not token.exists()
        with pytest.raises((TransportError, BridgeError)):
            client.describe()
        client.close()


def test_a_backend_that_holds_the_interpreter_lock_keeps_its_clients(tmp_path: Path) -> None:
    reports: list[tuple[float, float]] = []
    with _other_process(tmp_path) as process:
        url, token = _wait_for(process, tmp_path)
        with BridgeClient.connect(url, token_file=token) as client:
            client.apply(
                operation("hold", Seconds=2.0),
                progress=lambda fraction, _: reports.append((time.monotonic(), fraction)),
            )
            done = time.monotonic()
            assert [fraction for _, fraction in reports] == [0.25, 0.75]
            assert done - reports[0][0] > 1.5, "the first report waited for the lock"
            assert client.describe().revision == 1


_SERVE = """
import sys
from bridge_backend import two_boxes
from segmentationcore.bridge.command import serve
serve(two_boxes(), port=0, token_file=sys.argv[1],
      ready=lambda server, path: print(server.url, flush=True))
"""


@contextlib.contextmanager
def _other_process(folder: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVE, str(folder / "token")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        with process:
            try:
                yield process
            finally:
                process.terminate()
    finally:
        process.kill()


def _wait_for(process: subprocess.Popen[str], folder: Path) -> tuple[str, Path]:
    assert process.stdout is not None
    return process.stdout.readline().strip(), folder / "token"


# -- snapshots -----------------------------------------------------------------------------------


def test_a_snapshot_holds_what_the_backend_holds(tmp_path: Path) -> None:
    backend = oblique_boxes()
    take_snapshot(backend, tmp_path / "s.npz")
    snapshot = read_snapshot(tmp_path / "s.npz")
    np.testing.assert_array_equal(snapshot.labels, [backend.labels])
    assert snapshot.volume.extent == backend.extent
    assert snapshot.ids == ("s-red", "s-green")
    assert snapshot.names[1] == backend.names["s-green"][0]
    assert snapshot.label_values == (1, 2)
    backend.effect_copy("s-green", None, Source="s-red")  # type: ignore[arg-type]
    take_snapshot(backend, tmp_path / "s.npz")
    overlapping = read_snapshot(tmp_path / "s.npz")
    assert overlapping.layers == (0, 1)
    np.testing.assert_array_equal(overlapping.mask(0), snapshot.mask(0))
    np.testing.assert_array_equal(overlapping.mask(1), snapshot.mask(0))
