"""`BridgeServer`: serves a backend to any number of clients.

Two threads. An asyncio loop in the background owns every socket; the thread that calls
`BridgeServer.serve_forever` owns the backend and works requests off a queue, one at a time, in the
order they came. Neither waits for the other: a client that stops reading, or dies, holds up its
own connection and nothing else.

What happens when a client vanishes: its requests that have not begun are dropped; one that is
running is finished, because an edit belongs to the segmentation and not to whoever asked; the
other clients hear about the change; what was being sent to it is let go.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
import math
import queue
import signal
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import FrameType, TracebackType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from . import protocol
from .backend import Backend, BackendError, Cancelled
from .protocol import BridgeError, Message, ProtocolError
from .token import matches
from .transport import (
    Connection,
    ConnectionClosed,
    Listener,
    Transport,
    TransportError,
    WebSocketTransport,
)

logger = logging.getLogger("segmentationcore.bridge")

_REPORT_SECONDS = 0.1
_YIELD_SECONDS = 0.005
_FAREWELL_SECONDS = 5.0

BackendMessage: TypeAlias = (
    protocol.DescribeRequest
    | protocol.ApplyRequest
    | protocol.UndoRequest
    | protocol.RedoRequest
    | protocol.RegionRequest
    | protocol.SurfaceRequest
    | protocol.StatisticsRequest
)
_REQUESTS = (
    protocol.DescribeRequest,
    protocol.ApplyRequest,
    protocol.UndoRequest,
    protocol.RedoRequest,
    protocol.RegionRequest,
    protocol.SurfaceRequest,
    protocol.StatisticsRequest,
)


class _Job:
    """One request on its way through the backend. Made by the loop, run by the backend thread."""

    def __init__(self, client: _Client, message: BackendMessage) -> None:
        self.client = client
        self.message = message
        self.cancelled = threading.Event()
        """The client gave it up: stop if that is possible."""
        self.abandoned = threading.Event()
        """The client is gone: do not begin, but finish what has begun."""
        self.answered = False
        """The loop has the answer in the outbox."""


@dataclass
class _Answer:
    """What ends a job: messages to its client, news for the others."""

    messages: Iterator[Message]
    changed: protocol.Changed | None = None


@dataclass
class _Client:
    """One client that gave the right token. Belongs to the loop.

    The outbox holds answers, progress and news in order. Progress and news are kept once and
    replaced while they wait, so a slow reader costs no memory: the outbox never holds more than
    one answer per request, one mark per request for its progress, and one mark for news.
    """

    connection: Connection
    outbox: asyncio.Queue[Any]
    jobs: dict[int, _Job] = field(default_factory=dict)
    progress: dict[int, protocol.Progress] = field(default_factory=dict)
    news: protocol.Changed | None = None

    def report(self, message: protocol.Progress) -> None:
        if message.request not in self.jobs:
            return
        if message.request not in self.progress:
            self.outbox.put_nowait(message.request)
        self.progress[message.request] = message

    def notify(self, news: protocol.Changed) -> None:
        if self.news is None:
            self.outbox.put_nowait(protocol.Changed)
            self.news = news
        else:
            self.news = self.news.followed_by(news)

    def take_news(self) -> protocol.Changed:
        news, self.news = self.news, None
        if news is None:
            raise AssertionError("a mark for news without news")
        return news


class _Reporter:
    """Passes a backend's progress to the client. Lives on the backend thread."""

    def __init__(self, job: _Job, loop: asyncio.AbstractEventLoop) -> None:
        self._job = job
        self._loop = loop
        self._last = -math.inf

    @property
    def cancelled(self) -> bool:
        return self._job.cancelled.is_set()

    def __call__(self, fraction: float, text: str = "") -> None:
        now = time.monotonic()
        if now - self._last < _REPORT_SECONDS:
            return
        self._last = now
        fraction = min(max(float(fraction), 0.0), 1.0) if math.isfinite(fraction) else 0.0
        message = protocol.Progress(
            self._job.message.request, fraction, protocol.printable(str(text))
        )
        self._loop.call_soon_threadsafe(self._job.client.report, message)
        # ParaView's client holds the interpreter lock all through an operation, except here.
        time.sleep(_YIELD_SECONDS)


class BridgeServer:
    """Serves ``backend`` on ``host`` and ``port`` (0: any free one) to holders of ``token``.

    ::

        with BridgeServer(backend, token=token) as server:
            print(server.url)
            server.serve_forever()      # until stop(), SIGINT or SIGTERM

    ``start`` opens the port and returns at once; requests wait until ``serve_forever`` runs.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        token: str,
        host: str = "127.0.0.1",
        port: int = protocol.DEFAULT_PORT,
        ssl_context: ssl.SSLContext | None = None,
        allow_insecure: bool = False,
        limits: protocol.Limits | None = None,
        software: str = "segmentationcore",
        transport: Transport | None = None,
        max_clients: int = 16,
        max_requests: int = 4,
        hello_seconds: float = 10.0,
        send_seconds: float = 60.0,
    ) -> None:
        if len(token) < 16:
            raise ValueError(f"the token has {len(token)} characters; at least 16 are needed")
        self.limits = limits or protocol.Limits()
        self.host = host
        self._backend = backend
        self._token = token
        self._port = port
        self._ssl = ssl_context
        self._allow_insecure = allow_insecure
        self._software = software
        self._transport: Transport = transport or WebSocketTransport()
        self._max_clients = max_clients
        self._max_requests = max_requests
        self._hello_seconds = hello_seconds
        self._send_seconds = send_seconds
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._clients: list[_Client] = []
        self._strangers = 0
        self._stopping = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listener: Listener | None = None
        self._thread: threading.Thread | None = None

    # -- the owner's side ----------------------------------------------------------------------

    @property
    def port(self) -> int:
        """The port that is listened on."""
        if self._listener is None:
            raise RuntimeError("the bridge is not listening; call start() first")
        return self._listener.port

    @property
    def url(self) -> str:
        """The address that clients connect to."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'ws' if self._ssl is None else 'wss'}://{host}:{self.port}"

    def start(self) -> None:
        """Open the port. Raises `TransportError` when that is refused or fails."""
        if self._thread is not None:
            raise RuntimeError("the bridge was started already")
        started: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._thread = threading.Thread(
            target=self._run_loop, args=(started,), name="segmentationcore-bridge", daemon=True
        )
        self._thread.start()
        try:
            started.result()
        except BaseException:
            self._thread.join()
            self._thread = None
            raise

    def serve_forever(self) -> None:
        """Work requests off on this thread until `stop`, SIGINT or SIGTERM; then close.

        Signals are only watched when this is the main thread. The first one lets a running
        operation finish; a second one does what it did before.
        """
        if self._thread is None:
            self.start()
        try:
            with self._signals():
                while not self._stopping.is_set():
                    job = self._jobs.get()
                    if job is not None:
                        self._run(job)
        finally:
            self.close()

    def stop(self) -> None:
        """Have `serve_forever` return after the request it is at. Any thread, or a signal."""
        self._stopping.set()
        self._jobs.put(None)

    def close(self) -> None:
        """Say goodbye to the clients and close the port. Waits for the background thread."""
        self.stop()
        thread, loop = self._thread, self._loop
        if thread is None or loop is None or not thread.is_alive():
            return
        # The loop may end between the check and the call; that is what is wanted.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(self._ended.set)
        thread.join()

    def notify(self, changed: Sequence[str], extent: Sequence[int] | None, revision: int) -> None:
        """Tell every client about a change that no client asked for. Any thread.

        The extent is that of the voxels that changed, None if none did.
        """
        news = protocol.Changed(tuple(changed), None if extent is None else tuple(extent), revision)
        if self._loop is None:
            raise RuntimeError("the bridge is not listening; call start() first")
        self._loop.call_soon_threadsafe(self._broadcast, news, None)

    def __enter__(self) -> BridgeServer:
        if self._thread is None:
            self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before: dict[int, Any] = {}

        def restore() -> None:
            for number, handler in before.items():
                signal.signal(number, handler)
            before.clear()

        def handle(number: int, _frame: FrameType | None) -> None:
            logger.info("signal %d: the bridge stops", number)
            restore()
            self.stop()

        for number in (signal.SIGINT, signal.SIGTERM):
            # None stands for a handler that C code installed and Python cannot put back.
            before[number] = signal.signal(number, handle) or signal.SIG_DFL
        try:
            yield
        finally:
            restore()

    # -- the backend thread --------------------------------------------------------------------

    def _run(self, job: _Job) -> None:
        """One request against the backend. Whatever happens, the client gets one answer."""
        if self._loop is None:
            raise RuntimeError("a request without a loop")
        request = job.message.request
        try:
            if job.abandoned.is_set():
                return
            if job.cancelled.is_set():
                raise Cancelled
            answer = self._answer(job, _Reporter(job, self._loop))
        except Cancelled:
            answer = _failure(request, protocol.CANCELLED, "the request was cancelled")
        except BridgeError as error:
            answer = _failure(request, error.code, error.text)
        except BackendError as error:
            answer = _failure(request, protocol.OPERATION_FAILED, str(error))
        except Exception as error:
            logger.exception("%s from %s failed", job.message.kind, job.client.connection.remote)
            answer = _failure(
                request,
                protocol.INTERNAL,
                f"{job.message.kind} failed on the server: {type(error).__name__}: {error}",
            )
        self._loop.call_soon_threadsafe(self._finish, job, answer)

    def _answer(self, job: _Job, progress: _Reporter) -> _Answer:
        message = job.message
        if isinstance(message, (protocol.ApplyRequest, protocol.UndoRequest, protocol.RedoRequest)):
            begin = time.perf_counter()
            if isinstance(message, protocol.ApplyRequest):
                result = self._backend.apply(message.operation, progress)
            elif isinstance(message, protocol.UndoRequest):
                result = self._backend.undo(progress)
            else:
                result = self._backend.redo(progress)
            seconds = time.perf_counter() - begin
            changed, revision = tuple(result["changed"]), result["revision"]
            extent = None if result["extent"] is None else tuple(result["extent"])
            applied = protocol.Applied(message.request, changed, extent, revision, seconds)
            return _Answer(iter([applied]), protocol.Changed(changed, extent, revision))
        description = self._describe(message.request)
        if isinstance(message, protocol.RegionRequest):
            return self._region(message, description)
        if isinstance(message, protocol.SurfaceRequest):
            return self._surface(message, description)
        if isinstance(message, protocol.StatisticsRequest):
            table = self._backend.statistics(message.parameters, message.intensities, progress)
            return self._statistics(message, description, table)
        return _Answer(iter([description]))

    def _describe(self, request: int) -> protocol.Description:
        found = self._backend.describe()
        try:
            return protocol.Description(
                request,
                protocol.Volume.from_wire(found["volume"]),
                found["ranks"],
                found["revision"],
                found["undoable"],
                found["redoable"],
                tuple(protocol.Segment.from_wire(row) for row in found["segments"]),
            )
        except ProtocolError as error:
            raise BridgeError(
                protocol.INTERNAL, f"the backend's description is not valid: {error.text}"
            ) from error

    def _region(
        self, message: protocol.RegionRequest, description: protocol.Description
    ) -> _Answer:
        _require_known(message.segments or (), description)
        extent = message.resolve(description.volume)
        layers = protocol.label_layers(description.segments, message.segments)
        voxels = math.prod(extent[2 * a + 1] - extent[2 * a] + 1 for a in range(3)) * len(layers)
        if voxels > self.limits.region_bytes:
            raise ProtocolError(
                protocol.TOO_LARGE,
                f"region of {voxels} voxels in {len(layers)} layer{'s' * (len(layers) > 1)}; "
                f"at most {self.limits.region_bytes} bytes are sent. Ask for a smaller extent",
            )
        everybody = protocol.label_layers(description.segments)
        found = []
        for layer in layers:
            one = self._layer(extent, layer.layer)
            if layer not in everybody:
                one = np.where(np.isin(one, layer.label_values), one, 0).astype(one.dtype)
            found.append(one)
        labels = np.stack(found) if len(found) > 1 else found[0][np.newaxis]
        del found
        dtype = protocol.LABEL_TYPES.get(labels.dtype.name)
        if dtype is None:
            raise BridgeError(
                protocol.INTERNAL, f"the backend delivered {labels.dtype.name} labels"
            )
        volume = description.volume
        size = voxels * dtype.itemsize
        header = protocol.RegionHeader(
            message.request,
            description.revision,
            layers,
            extent,
            volume.origin,
            volume.spacing,
            volume.directions,
            dtype.name,
            size,
            protocol.chunk_count([size], self.limits.chunk_bytes),
        )
        if size > self.limits.region_bytes:
            raise ProtocolError(
                protocol.TOO_LARGE,
                f"region of {size} bytes; at most {self.limits.region_bytes} are sent. "
                "Ask for a smaller extent",
            )
        return self._transfer(header, {"labels": np.asarray(labels, dtype)})

    def _layer(self, extent: tuple[int, ...], layer: int) -> NDArray[Any]:
        """Labels of one layer from the backend, which is not trusted to keep to the extent."""
        labels, delivered = self._backend.region(extent, layer)
        shape = tuple(extent[2 * a + 1] - extent[2 * a] + 1 for a in (2, 1, 0))
        if tuple(delivered) != extent or labels.shape != shape:
            raise BridgeError(
                protocol.INTERNAL,
                f"the backend delivered labels of extent {list(delivered)} and shape "
                f"{labels.shape} for {list(extent)}",
            )
        return labels

    def _surface(
        self, message: protocol.SurfaceRequest, description: protocol.Description
    ) -> _Answer:
        _require_known([message.segment], description)
        points, triangles = self._backend.surface(message.segment, message.coarsening)
        points = np.asarray(points, protocol.POINT_TYPE).reshape(-1, 3)
        triangles = np.asarray(triangles).reshape(-1, 3)
        if len(points) > 2**31 - 1:
            raise ProtocolError(
                protocol.TOO_LARGE,
                f"surface of {len(points)} points; at most {2**31 - 1} are sent. Coarsen it",
            )
        triangles = triangles.astype(protocol.TRIANGLE_TYPE, copy=False)
        sizes = [points.nbytes, triangles.nbytes]
        if sum(sizes) > self.limits.surface_bytes:
            raise ProtocolError(
                protocol.TOO_LARGE,
                f"surface of {sum(sizes)} bytes; at most {self.limits.surface_bytes} are sent. "
                f"Coarsen it by more than {message.coarsening}",
            )
        header = protocol.SurfaceHeader(
            message.request,
            description.revision,
            message.segment,
            message.coarsening,
            len(points),
            len(triangles),
            sum(sizes),
            protocol.chunk_count(sizes, self.limits.chunk_bytes),
        )
        return self._transfer(header, {"points": points, "triangles": triangles})

    def _statistics(
        self,
        message: protocol.StatisticsRequest,
        description: protocol.Description,
        table: NDArray[Any],
    ) -> _Answer:
        if len(table) != len(description.segments):
            raise BridgeError(
                protocol.INTERNAL,
                f"the backend measured {len(table)} segments of {len(description.segments)}",
            )
        answer = protocol.Statistics.of_table(message.request, description.revision, table)
        return _Answer(iter([answer]))

    def _transfer(self, header: protocol.Header, arrays: dict[str, Any]) -> _Answer:
        def messages() -> Iterator[Message]:
            yield header
            yield from protocol.chunks(header.request, arrays, self.limits.chunk_bytes)

        return _Answer(messages())

    # -- the loop's thread ---------------------------------------------------------------------

    def _run_loop(self, started: concurrent.futures.Future[None]) -> None:
        try:
            asyncio.run(self._main(started))
        except Exception as error:
            if started.done():
                logger.exception("the bridge's network thread failed")
                self.stop()
            else:
                started.set_exception(error)

    async def _main(self, started: concurrent.futures.Future[None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        self._listener = await self._transport.serve(
            self._welcome,
            self.host,
            self._port,
            max_bytes=self.limits.request_bytes,
            ssl_context=self._ssl,
            allow_insecure=self._allow_insecure,
        )
        started.set_result(None)
        await self._ended.wait()
        farewells = [self._farewell(client) for client in self._clients]
        await asyncio.gather(*farewells, return_exceptions=False)
        await self._listener.close()

    async def _farewell(self, client: _Client) -> None:
        """End a client's requests and say goodbye, unless it does not listen any more."""
        for request, job in client.jobs.items():
            if not job.answered:
                client.outbox.put_nowait(
                    _error(request, protocol.STOPPING, "the bridge is stopping")
                )
        client.outbox.put_nowait(protocol.Bye("the bridge is stopping"))
        try:
            await asyncio.wait_for(client.outbox.join(), _FAREWELL_SECONDS)
        except asyncio.TimeoutError:
            logger.warning("%s did not read the goodbye", client.connection.remote)
        await client.connection.close("the bridge is stopping")

    async def _welcome(self, connection: Connection) -> None:
        """From the first byte of a connection to its end. Never raises."""
        try:
            if self._strangers + len(self._clients) >= self._max_clients:
                await self._refuse(
                    connection, protocol.BUSY, f"the bridge serves {self._max_clients} clients"
                )
                return
            self._strangers += 1
            try:
                welcome = await self._greet(connection)
            finally:
                self._strangers -= 1
            if welcome is not None:
                await self._attend(connection, welcome)
        except ConnectionClosed as error:
            logger.info("%s: %s", connection.remote, error)
        except Exception:
            logger.exception("%s: the connection was given up", connection.remote)
            await connection.close("internal error")

    async def _greet(self, connection: Connection) -> protocol.Welcome | None:
        """The token first; only a peer that knows it learns anything else."""
        try:
            data = await asyncio.wait_for(connection.receive(), self._hello_seconds)
        except asyncio.TimeoutError:
            await self._refuse(
                connection,
                protocol.UNAUTHORIZED,
                f"no hello within {self._hello_seconds:g} s",
            )
            return None
        try:
            name, values = protocol.unpack(data, self.limits.request_bytes)
            if name != protocol.Hello.kind or not matches(self._token, values.get("token")):
                raise ProtocolError(
                    protocol.UNAUTHORIZED,
                    "the first message must be a hello with the token of this run of the bridge; "
                    "it is in the token file that the bridge names when it starts",
                )
            hello = protocol.build(name, values, (protocol.Hello,))
            if not isinstance(hello, protocol.Hello):
                raise AssertionError("build returned another kind")
            version = protocol.negotiate(hello.protocols)
        except ProtocolError as error:
            await self._refuse(connection, error.code, error.text)
            return None
        logger.info("%s: %s, protocol %d", connection.remote, hello.software, version)
        return protocol.Welcome(
            version, self._software, self.limits.request_bytes, self.limits.message_bytes
        )

    async def _refuse(self, connection: Connection, code: str, text: str) -> None:
        logger.warning("%s refused: %s", connection.remote, text)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(
                connection.send(self._encode(protocol.Error(None, code, protocol.printable(text)))),
                self._hello_seconds,
            )
        await connection.close(code)

    async def _attend(self, connection: Connection, welcome: protocol.Welcome) -> None:
        """One client, from its welcome until it leaves or is dropped."""
        client = _Client(connection, asyncio.Queue())
        client.outbox.put_nowait(welcome)
        self._clients.append(client)
        sides = [
            asyncio.ensure_future(self._read(client)),
            asyncio.ensure_future(self._write(client)),
        ]
        try:
            done, _ = await asyncio.wait(sides, return_when=asyncio.FIRST_COMPLETED)
            for side in done:
                side.result()
        except ConnectionClosed as error:
            logger.info("%s: %s", connection.remote, error)
        except ProtocolError as error:
            await self._refuse(connection, error.code, error.text)
        finally:
            for side in sides:
                side.cancel()
            await asyncio.gather(*sides, return_exceptions=True)
            self._clients.remove(client)
            for job in client.jobs.values():
                job.abandoned.set()
            _discard(client.outbox)
            await connection.close()

    async def _read(self, client: _Client) -> None:
        """Take requests until the client says bye. Raises what ends the connection otherwise."""
        while True:
            data = await client.connection.receive()
            name, values = protocol.unpack(data, self.limits.request_bytes)
            try:
                message = protocol.build(name, values, protocol.TO_SERVER[1:])
            except ProtocolError as error:
                # A request that can be answered costs the request, not the connection.
                request = values.get("request")
                if error.code != protocol.INVALID or not _is_request_number(request):
                    raise
                client.outbox.put_nowait(_error(request, error.code, error.text))
                continue
            if isinstance(message, protocol.Bye):
                return
            if isinstance(message, protocol.Cancel):
                job = client.jobs.get(message.request)
                if job is not None:  # else its answer is on the way and crossed with this
                    job.cancelled.set()
                continue
            if isinstance(message, _REQUESTS):
                self._take(client, message)

    def _take(self, client: _Client, message: BackendMessage) -> None:
        number = message.request
        if number in client.jobs:
            raise ProtocolError(
                protocol.UNEXPECTED, f"request {number} is still open; numbers must be new"
            )
        if self._stopping.is_set():
            client.outbox.put_nowait(_error(number, protocol.STOPPING, "the bridge is stopping"))
        elif len(client.jobs) >= self._max_requests:
            client.outbox.put_nowait(
                _error(
                    number,
                    protocol.BUSY,
                    f"{len(client.jobs)} requests are open; at most {self._max_requests} may be",
                )
            )
        else:
            client.jobs[number] = _Job(client, message)
            self._jobs.put(client.jobs[number])

    def _finish(self, job: _Job, answer: _Answer) -> None:
        if answer.changed is not None:
            self._broadcast(answer.changed, job.client)
        job.answered = True
        if not job.abandoned.is_set():
            job.client.outbox.put_nowait((job, answer.messages))

    def _broadcast(self, news: protocol.Changed, but: _Client | None) -> None:
        for client in self._clients:
            if client is not but:
                client.notify(news)

    async def _write(self, client: _Client) -> None:
        """Send what is in the outbox, one thing after the other, until cancelled."""
        while True:
            item = await client.outbox.get()
            try:
                if isinstance(item, Message):
                    await self._send(client, item)
                elif item is protocol.Changed:
                    await self._send(client, client.take_news())
                elif isinstance(item, int):
                    await self._send(client, client.progress.pop(item))
                else:
                    await self._send_answer(client, *item)
            finally:
                client.outbox.task_done()

    async def _send_answer(self, client: _Client, job: _Job, messages: Iterator[Message]) -> None:
        loop = asyncio.get_running_loop()
        number = job.message.request
        sent = 0
        while True:
            # Compression of the next chunk must not hold up the other clients.
            message = await loop.run_in_executor(None, next, messages, None)
            if message is None:
                break
            if sent and job.cancelled.is_set():
                await self._send(
                    client, _error(number, protocol.CANCELLED, "the transfer was cancelled")
                )
                break
            try:
                await self._send(client, message)
            except ProtocolError as error:  # too large: a table of very many segments or names
                await self._send(client, _error(number, error.code, error.text))
                break
            sent += 1
        client.jobs.pop(number, None)
        client.progress.pop(number, None)

    async def _send(self, client: _Client, message: Message) -> None:
        data = self._encode(message)
        try:
            await asyncio.wait_for(client.connection.send(data), self._send_seconds)
        except asyncio.TimeoutError:
            raise ConnectionClosed(f"did not read for {self._send_seconds:g} s") from None

    def _encode(self, message: Message) -> bytes:
        return protocol.encode(message, self.limits.message_bytes)


def _error(request: int | None, code: str, text: str) -> protocol.Error:
    return protocol.Error(request, code, protocol.printable(text))


def _failure(request: int, code: str, text: str) -> _Answer:
    return _Answer(iter([_error(request, code, text)]))


def _is_request_number(value: object) -> bool:
    return (
        isinstance(value, int)
        and not isinstance(value, bool)
        and 1 <= value <= protocol.MAX_REQUEST_ID
    )


def _require_known(segments: Sequence[str], description: protocol.Description) -> None:
    known = [segment.id for segment in description.segments]
    for segment in segments:
        if segment not in known:
            shown = ", ".join(known[:10]) + (", .." if len(known) > 10 else "")
            raise BridgeError(
                protocol.INVALID,
                f"no segment has the ID {segment!r}; there are {shown or 'none'}",
            )


def _discard(outbox: asyncio.Queue[Any]) -> None:
    """Empty a queue nobody will read, so that nobody waits for it either."""
    while not outbox.empty():
        outbox.get_nowait()
        outbox.task_done()


__all__ = ["BridgeServer", "TransportError"]
