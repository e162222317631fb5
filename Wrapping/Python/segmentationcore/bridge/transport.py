"""How bytes get from one side to the other: a small interface, and websockets behind it.

Nothing above this file knows of websockets. A transport delivers whole binary messages in order,
refuses one above ``max_bytes`` before it is read in full, and reports every kind of ending as
`ConnectionClosed`. Another one (a pipe, MPI, QUIC) needs the three small protocols below.

Plain sockets stay on this machine: outside the loopback addresses a transport refuses to listen
and to connect unless there is TLS or the caller says ``allow_insecure``, because the bearer token
and the data would be readable on the way.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import ssl
import sys
from collections.abc import Awaitable, Callable
from typing import Any, Protocol
from urllib.parse import urlsplit

import websockets
import websockets.exceptions
from websockets.version import version as _websockets_version


class TransportError(Exception):
    """A connection that cannot be made."""


class InsecureError(TransportError):
    """A plain socket outside this machine that nobody asked for."""


class ConnectionClosed(TransportError):  # noqa: N818 - the usual end of a connection
    """The other side is gone, or the connection broke; ``str()`` says which."""


class Connection(Protocol):
    """One open connection."""

    remote: str
    """Who is at the other end, for messages."""

    async def send(self, data: bytes) -> None:
        """Send one message; waits while the peer is not reading."""

    async def receive(self) -> object:
        """The next message: bytes, or what else the peer sent, for the caller to refuse."""

    async def close(self, reason: str = "") -> None:
        """Close in good order, within a few seconds. Never raises for a dead peer."""


class Listener(Protocol):
    """A listening socket."""

    port: int

    async def close(self) -> None:
        """Stop listening and close what is open; returns when the handlers have returned."""


Handler = Callable[[Connection], Awaitable[None]]


class Transport(Protocol):
    """Makes connections."""

    async def connect(
        self,
        url: str,
        *,
        max_bytes: int,
        timeout: float,
        ssl_context: ssl.SSLContext | None = None,
        allow_insecure: bool = False,
    ) -> Connection:
        """Connect to ``url``; messages above ``max_bytes`` will be refused."""

    async def serve(
        self,
        handler: Handler,
        host: str,
        port: int,
        *,
        max_bytes: int,
        ssl_context: ssl.SSLContext | None = None,
        allow_insecure: bool = False,
    ) -> Listener:
        """Listen; ``handler`` runs once per connection, which closes when it returns."""


def is_loopback(host: str) -> bool:
    """Whether every address that ``host`` stands for is this machine's own.

    A name is resolved: ``localhost`` is only as local as the system's tables make it.
    """
    try:
        return ipaddress.ip_address(host.strip("[]").split("%")[0]).is_loopback
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    addresses = {str(entry[4][0]).split("%")[0] for entry in found}
    return bool(addresses) and all(ipaddress.ip_address(a).is_loopback for a in addresses)


def require_private(host: str, encrypted: bool, allow_insecure: bool, what: str) -> None:
    """Refuse a plain socket outside this machine."""
    if encrypted or allow_insecure or is_loopback(host):
        return
    raise InsecureError(
        f"refused to {what} {host or 'every address'} without TLS: the token and the data would be "
        "readable on the way. Use a certificate (wss), an SSH tunnel to a loopback address, or "
        "say --insecure"
    )


# TCP notices a dead machine by itself; see _keep_alive for why websocket pings are not used.
_IDLE_SECONDS = 30
_PROBE_SECONDS = 10
_PROBES = 3
_CLOSE_SECONDS = 3.0


def _keep_alive(connection: Any) -> None:
    """Have the kernel find out about a peer that vanished without a word.

    The usual websocket ping is answered by the peer's Python, which stands still while ParaView's
    client holds the interpreter lock during a long operation; a ping timeout would then cut a
    healthy connection. The kernel answers TCP probes whatever Python does.
    """
    transport = getattr(connection, "transport", None)
    link = transport.get_extra_info("socket") if transport is not None else None
    if link is None:
        return
    # A peer that refuses may have closed the socket by now; the next receive tells why.
    with contextlib.suppress(OSError):
        link.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in (
            ("TCP_KEEPIDLE", _IDLE_SECONDS),
            ("TCP_KEEPINTVL", _PROBE_SECONDS),
            ("TCP_KEEPCNT", _PROBES),
        ):
            if hasattr(socket, name):
                link.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _ending(error: websockets.exceptions.ConnectionClosed) -> str:
    for frame, who in ((error.rcvd, "the other side"), (error.sent, "this side")):
        if frame is not None:
            reason = f": {frame.reason}" if frame.reason else ""
            if frame.code == 1009:
                reason = f": message too large{reason}"
            return f"{who} closed the connection{reason} ({frame.code})"
    return "the connection broke"


class WebSocketConnection:
    """A `Connection` over one websocket, of the legacy or the new asyncio implementation."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        address = connection.remote_address
        self.remote = f"{address[0]}:{address[1]}" if address else "unknown"
        _keep_alive(connection)

    async def send(self, data: bytes) -> None:
        """See `Connection.send`."""
        try:
            await self._connection.send(data)
        except websockets.exceptions.ConnectionClosed as error:
            raise ConnectionClosed(_ending(error)) from error

    async def receive(self) -> object:
        """See `Connection.receive`."""
        try:
            return await self._connection.recv()
        except websockets.exceptions.ConnectionClosed as error:
            raise ConnectionClosed(_ending(error)) from error

    async def close(self, reason: str = "") -> None:
        """See `Connection.close`."""
        # A websocket close frame holds 123 bytes of reason.
        short = reason.encode("utf-8")[:120].decode("utf-8", errors="ignore")
        # Closing a connection that is closed, or whose peer is gone, is what the caller wants.
        with contextlib.suppress(websockets.exceptions.WebSocketException, OSError):
            await self._connection.close(1000, short)


class _WebSocketListener:
    def __init__(self, server: Any) -> None:
        self._server = server
        self.port = int(next(iter(server.sockets)).getsockname()[1])

    async def close(self) -> None:
        self._server.close()
        await self._server.wait_closed()


class WebSocketTransport:
    """`Transport` over websockets; runs with version 10.4 (Debian 12) and with the newest.

    Compression is off: label data is deflated before it gets here, and a compressed frame would
    let a peer send far more than its size says. A connection with an ``Origin`` header comes from
    a web page in somebody's browser and is refused.
    """

    async def connect(
        self,
        url: str,
        *,
        max_bytes: int,
        timeout: float,
        ssl_context: ssl.SSLContext | None = None,
        allow_insecure: bool = False,
    ) -> WebSocketConnection:
        """See `Transport.connect`."""
        parts = urlsplit(url)
        if parts.scheme not in ("ws", "wss") or not parts.hostname:
            raise TransportError(f"bridge address {url!r}; expected ws://host:port or wss://..")
        encrypted = parts.scheme == "wss"
        if ssl_context is not None and not encrypted:
            raise TransportError(f"{url} is not encrypted, but a TLS context was given; use wss://")
        require_private(parts.hostname, encrypted, allow_insecure, "connect to")
        options: dict[str, Any] = {"ssl": ssl_context} if ssl_context is not None else {}
        if int(_websockets_version.split(".")[0]) >= 15:
            options["proxy"] = None  # a bridge on this machine is never behind a proxy
        try:
            connection = await asyncio.wait_for(
                websockets.connect(
                    url,
                    max_size=max_bytes,
                    compression=None,
                    ping_interval=None,
                    close_timeout=_CLOSE_SECONDS,
                    open_timeout=timeout,
                    **options,
                ),
                timeout,
            )
        except (asyncio.TimeoutError, TimeoutError):
            raise TransportError(f"no answer from {url} within {timeout:g} s") from None
        except (OSError, websockets.exceptions.WebSocketException) as error:
            raise TransportError(f"cannot connect to {url}: {error}") from error
        return WebSocketConnection(connection)

    async def serve(
        self,
        handler: Handler,
        host: str,
        port: int,
        *,
        max_bytes: int,
        ssl_context: ssl.SSLContext | None = None,
        allow_insecure: bool = False,
    ) -> _WebSocketListener:
        """See `Transport.serve`."""
        require_private(host, ssl_context is not None, allow_insecure, "listen on")

        async def accept(connection: Any) -> None:
            await handler(WebSocketConnection(connection))

        try:
            server = await websockets.serve(
                accept,
                host or None,
                port,
                ssl=ssl_context,
                origins=[None],
                max_size=max_bytes,
                max_queue=4,
                compression=None,
                ping_interval=None,
                close_timeout=_CLOSE_SECONDS,
                reuse_address=sys.platform != "win32",
            )
        except OSError as error:
            raise TransportError(f"cannot listen on {host}:{port}: {error}") from error
        return _WebSocketListener(server)
