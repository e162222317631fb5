"""`BridgeClient`: the other side of the bridge for scripts, notebooks and Slicer.

Synchronous and pure Python. A background thread owns the socket; calls may come from any thread,
one request at a time. Answers come back on the calling thread, and so does progress, so a callback
may touch the caller's objects (MRML nodes, widgets).

    with BridgeClient.connect(url, token_file=path) as client:
        for segment in client.describe().segments:
            print(segment.name, segment.voxel_count)
        client.apply({"effect": "margin", "segment": "bone", "parameters": {"MarginSizeMm": 2.0}})
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
import os
import queue
import ssl
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, TypeVar, cast

from numpy.typing import NDArray

from . import protocol
from .protocol import BridgeError, Message, ProtocolError
from .token import read_token
from .transport import (
    Connection,
    ConnectionClosed,
    Transport,
    TransportError,
    WebSocketTransport,
)

logger = logging.getLogger("segmentationcore.bridge")

ProgressCallback = Callable[[float, str], None]

M = TypeVar("M", bound=Message)
T = TypeVar("T")

_GREETING = 0
_INBOX_MESSAGES = 8


class BridgeTimeout(TransportError):  # noqa: N818 - the connection is as good as before
    """The server did not answer in time. The request was cancelled; the connection stays open."""


@dataclass(frozen=True)
class LabelRegion:
    """Labels of a box of voxels.

    ``labels`` has axes (layer, k, j, i), with ``layers`` along the first; segments that overlap are
    in different ones. ``volume`` is the lattice: its extent is the region's, its origin is the RAS
    position of index (0, 0, 0), which need not be inside.
    """

    labels: NDArray[Any]
    layers: tuple[protocol.LabelLayer, ...]
    volume: protocol.Volume
    revision: int

    def mask(self, segment: str) -> NDArray[Any]:
        """Where a segment is: booleans with axes (k, j, i)."""
        for labels, layer in zip(self.labels, self.layers):
            if segment in layer.segments:
                value = layer.label_values[layer.segments.index(segment)]
                return cast("NDArray[Any]", labels == value)
        raise KeyError(f"the region has no segment {segment!r}")


@dataclass(frozen=True)
class Surface:
    """A closed triangle surface: ``points`` n x 3 in RAS mm, ``triangles`` m x 3 indices."""

    segment: str
    points: NDArray[Any]
    triangles: NDArray[Any]
    coarsening: int
    revision: int


@dataclass
class Traffic:
    """Bytes and messages since recording began, by message type, as they were on the socket."""

    sent: dict[str, int] = field(default_factory=dict)
    received: dict[str, int] = field(default_factory=dict)
    messages: int = 0
    largest: int = 0

    def add(self, side: dict[str, int], kind: str, size: int) -> None:
        """Count one message."""
        side[kind] = side.get(kind, 0) + size
        self.messages += 1
        self.largest = max(self.largest, size)

    @property
    def sent_bytes(self) -> int:
        """Total to the server."""
        return sum(self.sent.values())

    @property
    def received_bytes(self) -> int:
        """Total from the server."""
        return sum(self.received.values())


class BridgeClient:
    """A connection to a bridge; make one with `BridgeClient.connect`.

    Errors: `TransportError` when there is no connection (any more), `BridgeTimeout` when an answer
    took too long, `BridgeError` with a code when the server refused or failed, `ProtocolError` when
    what the server sent is not valid. After the last one the connection is closed.
    """

    def __init__(self, limits: protocol.Limits) -> None:
        self.limits = limits
        self.welcome: protocol.Welcome | None = None
        self._loop = asyncio.new_event_loop()
        self._connection: Connection | None = None
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="segmentationcore-bridge-client", daemon=True
        )
        # Answers to the current request, and at the end why there are no more. The loop's thread
        # stops reading while _INBOX_MESSAGES wait, so a fast server costs no memory here.
        self._inbox: queue.SimpleQueue[Message | BaseException] = queue.SimpleQueue()
        self._room: asyncio.Semaphore | None = None
        self._current: int | None = None
        self._number = 0
        self._turn = threading.Lock()
        # Shared with the loop's thread; the condition's lock guards all three.
        self._event = threading.Condition()
        self._ending: BaseException | None = None
        self._news: protocol.Changed | None = None
        self._recording: list[Traffic] = []

    # -- opening and closing -------------------------------------------------------------------

    @classmethod
    def connect(
        cls,
        url: str,
        *,
        token: str | None = None,
        token_file: str | os.PathLike[str] | None = None,
        timeout: float = 10.0,
        limits: protocol.Limits | None = None,
        software: str = "segmentationcore client",
        ssl_context: ssl.SSLContext | None = None,
        allow_insecure: bool = False,
        transport: Transport | None = None,
    ) -> BridgeClient:
        """Connect to the bridge at ``url`` with its token, or the file that holds it."""
        if (token is None) == (token_file is None):
            raise ValueError("give either the token or the token file")
        secret = token if token_file is None else read_token(token_file)
        if secret is None:
            raise AssertionError("neither a token nor a file")
        client = cls(limits or protocol.Limits())
        client._thread.start()
        try:
            client._connection = client._run(
                (transport or WebSocketTransport()).connect(
                    url,
                    max_bytes=client.limits.message_bytes,
                    timeout=timeout,
                    ssl_context=ssl_context,
                    allow_insecure=allow_insecure,
                ),
                None,
            )
            asyncio.run_coroutine_threadsafe(client._read(client._connection), client._loop)
            client._greet(secret, software, timeout)
        except BaseException:
            client.close()
            raise
        return client

    def close(self) -> None:
        """Say goodbye and close. Does nothing when closed already."""
        if not self._thread.is_alive():
            return
        connection, self._connection = self._connection, None
        if connection is not None:
            # Whoever leaves does not mind that the other side is gone too.
            with contextlib.suppress(TransportError, concurrent.futures.TimeoutError):
                self._run(self._leave(connection), 5.0)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(_settle(tasks))
        self._loop.close()
        self._end(TransportError("the connection is closed"))

    def __enter__(self) -> BridgeClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # -- requests ------------------------------------------------------------------------------

    def describe(self, timeout: float | None = 60.0) -> protocol.Description:
        """The volume and the segments in display order."""
        return self._ask(protocol.DescribeRequest, protocol.Description, None, timeout)

    def apply(
        self,
        operation: dict[str, Any],
        *,
        progress: ProgressCallback | None = None,
        timeout: float | None = None,
    ) -> protocol.Applied:
        """Have an operation done; returns what changed. Without a timeout, waits for its end."""
        return self._ask(
            protocol.ApplyRequest, protocol.Applied, progress, timeout, operation=operation
        )

    def undo(
        self, *, progress: ProgressCallback | None = None, timeout: float | None = None
    ) -> protocol.Applied:
        """Have the last operation taken back, whoever asked for it; returns what changed."""
        return self._ask(protocol.UndoRequest, protocol.Applied, progress, timeout)

    def redo(
        self, *, progress: ProgressCallback | None = None, timeout: float | None = None
    ) -> protocol.Applied:
        """Have the operation that was undone last done again; returns what changed."""
        return self._ask(protocol.RedoRequest, protocol.Applied, progress, timeout)

    def region(
        self,
        extent: Sequence[int] | None = None,
        *,
        axis: str | None = None,
        index: int | None = None,
        segments: Sequence[str] | None = None,
        progress: ProgressCallback | None = None,
        timeout: float | None = 600.0,
    ) -> LabelRegion:
        """Labels of ``extent``, or of slice ``index`` across ``axis`` ("i", "j", "k"), or of all.

        The layers of ``segments`` come, with 0 where other segments are; None means every segment.
        """
        wanted = None if extent is None else tuple(extent)

        def acceptable(header: protocol.RegionHeader) -> bool:
            if segments is not None and set(header.segments) != set(segments):
                return False
            if axis is not None:
                place = 2 * protocol.AXES.index(axis)
                return header.extent[place : place + 2] == (index, index)
            return wanted is None or header.extent == wanted

        header, arrays = self._fetch(
            protocol.RegionRequest,
            protocol.RegionHeader,
            acceptable,
            self.limits.region_bytes,
            progress,
            timeout,
            segments=None if segments is None else tuple(segments),
            extent=wanted,
            axis=axis,
            index=index,
        )
        return LabelRegion(arrays["labels"], header.layers, header.volume(), header.revision)

    def surface(
        self,
        segment: str,
        coarsening: int = 1,
        *,
        progress: ProgressCallback | None = None,
        timeout: float | None = 600.0,
    ) -> Surface:
        """Closed surface of a segment, looking at every ``coarsening``-th voxel."""
        header, arrays = self._fetch(
            protocol.SurfaceRequest,
            protocol.SurfaceHeader,
            lambda found: (found.segment, found.coarsening) == (segment, coarsening),
            self.limits.surface_bytes,
            progress,
            timeout,
            segment=segment,
            coarsening=coarsening,
        )
        return Surface(segment, arrays["points"], arrays["triangles"], coarsening, header.revision)

    def statistics(
        self,
        *,
        intensities: bool = False,
        progress: ProgressCallback | None = None,
        timeout: float | None = None,
        **parameters: Any,
    ) -> NDArray[Any]:
        """Measure all segments, and with ``intensities`` the server's volume in them.

        A question, not an operation. ``parameters`` are those of the function
        `segmentationcore.segment_statistics` (``surface=False``, say), and so are the columns of
        the structured array that comes back, a row for each segment in display order; positions
        are RAS. Needs a server that speaks protocol 3.
        """
        if self.welcome is not None and self.welcome.protocol < 3:
            raise BridgeError(
                protocol.PROTOCOL_VERSION,
                f"statistics need protocol 3; this bridge speaks {self.welcome.protocol}",
            )
        answer = self._ask(
            protocol.StatisticsRequest,
            protocol.Statistics,
            progress,
            timeout,
            parameters=parameters,
            intensities=intensities,
        )
        return answer.table()

    def cancel(self) -> None:
        """Give up the request that another thread is waiting for; that call then raises.

        The server may be past the point where it can stop; the call then returns as usual.
        """
        number = self._current
        if number is not None:
            self._send(protocol.Cancel(number))

    def changes(self, wait: float = 0.0) -> protocol.Changed | None:
        """News of edits that others asked for, put together since the last call; None if none.

        Waits up to ``wait`` seconds for it. May be called while another thread has a request open.
        """
        with self._event:
            self._event.wait_for(lambda: self._news is not None or self._ending is not None, wait)
            news, self._news = self._news, None
            if news is None and self._ending is not None:
                raise self._ending
            return news

    @contextlib.contextmanager
    def record(self) -> Iterator[Traffic]:
        """Count the traffic inside a ``with`` block."""
        traffic = Traffic()
        with self._event:
            self._recording.append(traffic)
        try:
            yield traffic
        finally:
            with self._event:
                # By identity: two recordings of nothing are equal.
                self._recording = [other for other in self._recording if other is not traffic]

    # -- the caller's thread -------------------------------------------------------------------

    def _greet(self, token: str, software: str, timeout: float) -> None:
        self._current = _GREETING
        self._send(protocol.Hello(protocol.PROTOCOL_VERSIONS, software, token))
        message = self._receive(timeout)
        self._current = None
        if not isinstance(message, protocol.Welcome):
            raise self._broken(f"{message.kind} message before the welcome")
        if message.protocol not in protocol.PROTOCOL_VERSIONS:
            raise self._broken(f"welcome to protocol {message.protocol}, which was not offered")
        self.welcome = message

    def _ask(
        self,
        kind: Callable[..., Message],
        answer: type[M],
        progress: ProgressCallback | None,
        timeout: float | None,
        **values: Any,
    ) -> M:
        with self._turn, self._open(kind, values) as number:
            return self._answer(number, answer, progress, _deadline(timeout))

    def _fetch(
        self,
        kind: Callable[..., Message],
        answer: type[M],
        acceptable: Callable[[M], bool],
        limit: int,
        progress: ProgressCallback | None,
        timeout: float | None,
        **values: Any,
    ) -> tuple[M, dict[str, NDArray[Any]]]:
        with self._turn, self._open(kind, values) as number:
            deadline = _deadline(timeout)
            header = self._answer(number, answer, progress, deadline)
            if not isinstance(header, (protocol.RegionHeader, protocol.SurfaceHeader)):
                raise AssertionError(f"{header.kind} is not followed by arrays")
            if not acceptable(header):
                raise self._broken(f"{header.kind} is not the one that was asked for")
            try:
                assembler = protocol.ArrayAssembler(header, limit)
                while not assembler.complete:
                    assembler.add(self._answer(number, protocol.Chunk, progress, deadline))
                    if progress is not None:
                        progress(assembler.fraction, "receiving")
                return header, assembler.arrays()
            except ProtocolError as error:
                raise self._break(error) from None

    @contextlib.contextmanager
    def _open(self, kind: Callable[..., Message], values: dict[str, Any]) -> Iterator[int]:
        """A numbered request. Left before its answer, it is cancelled and its answer ignored."""
        number = self._number + 1
        message = kind(number, **values)
        self._number = self._current = number
        try:
            self._send(message)
            yield number
        except BridgeError:
            raise
        except BaseException:
            # A timeout, an interrupt, or a progress callback that raised.
            if self._ending is None:
                with contextlib.suppress(TransportError):
                    self._send(protocol.Cancel(number))
            raise
        finally:
            self._current = None
            self._forget()

    def _answer(
        self,
        number: int,
        kind: type[M],
        progress: ProgressCallback | None,
        deadline: float | None,
    ) -> M:
        while True:
            message = self._receive(None if deadline is None else deadline - time.monotonic())
            if getattr(message, "request", number) != number:
                continue  # crossed with giving up the request before
            if isinstance(message, kind):
                return message
            if isinstance(message, protocol.Error):
                raise BridgeError(message.code, message.text)
            if not isinstance(message, protocol.Progress):
                raise self._broken(f"{message.kind} message; expected {kind.kind}")
            if progress is not None:
                progress(message.fraction, message.text)

    def _receive(self, timeout: float | None) -> Message:
        """The next message for the current request."""
        try:
            item = self._inbox.get(timeout=None if timeout is None else max(timeout, 0.0))
        except queue.Empty:
            raise BridgeTimeout("the bridge did not answer in time") from None
        if isinstance(item, BaseException):
            self._inbox.put(item)  # for whoever asks next
            raise item
        self._make_room()
        return item

    def _forget(self) -> None:
        """Drop what is left of a request that was given up."""
        with contextlib.suppress(queue.Empty):
            while True:
                item = self._inbox.get_nowait()
                if isinstance(item, BaseException):
                    self._inbox.put(item)
                    return
                self._make_room()

    def _make_room(self) -> None:
        if self._room is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._room.release)

    def _send(self, message: Message) -> None:
        with self._event:
            ending = self._ending
        if ending is not None:
            raise ending
        if self._connection is None:
            raise TransportError("the connection is closed")
        limit = self.limits.request_bytes
        if self.welcome is not None:
            limit = min(limit, self.welcome.request_bytes)
        data = protocol.encode(message, limit)
        try:
            self._run(self._connection.send(data), None)
        except ConnectionClosed as error:
            # The server may have said why before it closed; the reader is about to know.
            with self._event:
                self._event.wait_for(lambda: self._ending is not None, 2.0)
                raise (self._ending or error) from None
        with self._event:
            for traffic in self._recording:
                traffic.add(traffic.sent, message.kind, len(data))

    def _broken(self, text: str) -> ProtocolError:
        return self._break(ProtocolError(protocol.UNEXPECTED, f"the bridge sent a {text}"))

    def _break(self, error: ProtocolError) -> ProtocolError:
        """Close the connection to a server that cannot be trusted to keep to the protocol."""
        self._end(error)
        if self._connection is not None:
            asyncio.run_coroutine_threadsafe(self._connection.close(), self._loop)
        return error

    def _run(self, work: Coroutine[Any, Any, T], timeout: float | None) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout)

    # -- both threads --------------------------------------------------------------------------

    def _end(self, ending: BaseException) -> None:
        """The connection is of no use any more: every later call raises the first such reason."""
        with self._event:
            if self._ending is None:
                self._ending = ending
                self._inbox.put(ending)
                self._event.notify_all()

    # -- the loop's thread ---------------------------------------------------------------------

    async def _read(self, connection: Connection) -> None:
        """Sort messages into news, answers and endings until the connection ends."""
        self._room = asyncio.Semaphore(_INBOX_MESSAGES)
        try:
            while True:
                data = await connection.receive()
                message = protocol.decode(data, protocol.TO_CLIENT, self.limits.message_bytes)
                with self._event:
                    for traffic in self._recording:
                        traffic.add(traffic.received, message.kind, len(cast(bytes, data)))
                if isinstance(message, protocol.Changed):
                    self._take_news(message)
                elif isinstance(message, protocol.Bye):
                    raise ConnectionClosed(f"the bridge said goodbye: {message.reason}")
                elif isinstance(message, protocol.Error) and message.request is None:
                    raise BridgeError(message.code, message.text)
                else:
                    await self._pass_on(message)
        except (TransportError, BridgeError) as error:
            self._end(error)
        except Exception as error:
            logger.exception("the bridge's network thread failed")
            self._end(TransportError(f"the network thread failed: {error}"))
        finally:
            await connection.close()

    async def _pass_on(self, message: Message) -> None:
        """Give an answer to whoever waits for it; drop the tail of one that was given up."""
        number = getattr(message, "request", _GREETING)
        if number > self._number:
            raise ProtocolError(
                protocol.UNEXPECTED,
                f"the bridge sent a {message.kind} message for request {number}; the last request "
                f"was {self._number}",
            )
        if number == self._current and self._room is not None:
            await self._room.acquire()
            self._inbox.put(message)

    def _take_news(self, news: protocol.Changed) -> None:
        with self._event:
            self._news = news if self._news is None else self._news.followed_by(news)
            self._event.notify_all()

    async def _leave(self, connection: Connection) -> None:
        if self._ending is None:
            await connection.send(protocol.encode(protocol.Bye(), self.limits.request_bytes))
        await connection.close()


async def _settle(tasks: set[asyncio.Task[Any]]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)


def _deadline(timeout: float | None) -> float | None:
    return None if timeout is None else time.monotonic() + timeout
