"""``segmentationcore bridge``: serve a volume on a ParaView server to Slicer.

    pvpython -m segmentationcore bridge --server localhost:11111 --plugin <file> --volume head.nrrd

`serve` is the same for a script that already has a backend.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import ssl
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from .backend import Backend, BackendError
from .protocol import DEFAULT_PORT
from .server import BridgeServer
from .token import TokenError, default_token_file, new_token, remove_token, write_token
from .transport import TransportError


def serve(
    backend: Backend,
    *,
    host: str = "127.0.0.1",
    port: int = DEFAULT_PORT,
    token_file: str | os.PathLike[str] | None = None,
    ssl_context: ssl.SSLContext | None = None,
    allow_insecure: bool = False,
    ready: Callable[[BridgeServer, Path], None] | None = None,
) -> None:
    """Serve ``backend`` from this thread until a signal, with a fresh token.

    The token file appears when the port is open, so waiting for the file is enough; it is removed
    at the end. ``ready`` is then called with the server, whose ``stop`` ends this, and the file.
    """
    token = new_token()
    with BridgeServer(
        backend,
        token=token,
        host=host,
        port=port,
        ssl_context=ssl_context,
        allow_insecure=allow_insecure,
    ) as server:
        path = default_token_file(server.port) if token_file is None else Path(token_file)
        write_token(path, token)
        try:
            if ready is not None:
                ready(server, path)
            server.serve_forever()
        finally:
            remove_token(path)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``segmentationcore bridge``."""
    source = parser.add_argument_group("what is served")
    source.add_argument("--volume", required=True, help="volume file, as the server sees it")
    source.add_argument(
        "--operations",
        metavar="FILE",
        help="JSON file with an array of operations to begin with",
    )
    source.add_argument(
        "--server", metavar="HOST:PORT", help="a running pvserver; without it, this process serves"
    )
    source.add_argument(
        "--plugin",
        metavar="FILE",
        action="append",
        default=[],
        help="plugin to load on the server and here; may be repeated",
    )
    network = parser.add_argument_group("where")
    network.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    network.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help="port, 0 for any free one (%(default)s)"
    )
    network.add_argument(
        "--token-file", help="file to write the token to (one in the user's runtime folder)"
    )
    network.add_argument("--certificate", help="PEM certificate chain: speak TLS (wss)")
    network.add_argument("--key", help="PEM private key of the certificate, if in another file")
    network.add_argument(
        "--insecure",
        action="store_true",
        help="allow an address outside this machine without TLS; token and data are then readable "
        "by others on the way",
    )
    parser.add_argument("--verbose", action="store_true", help="log clients and requests")


def run(arguments: argparse.Namespace) -> int:
    """Run ``segmentationcore bridge``; returns the exit status."""
    logging.basicConfig(level=logging.INFO if arguments.verbose else logging.WARNING)
    try:
        context = None
        if arguments.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(arguments.certificate, arguments.key)
        elif arguments.key:
            raise BackendError("--key is of no use without --certificate")
        serve(
            _paraview_backend(arguments),
            host=arguments.host,
            port=arguments.port,
            token_file=arguments.token_file,
            ssl_context=context,
            allow_insecure=arguments.insecure,
            ready=_announce,
        )
    except (BackendError, TransportError, TokenError, OSError) as error:
        print(f"segmentationcore bridge: {error}", file=sys.stderr)
        return 1
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """The command on its own: ``pvpython -m segmentationcore.bridge.command``."""
    parser = argparse.ArgumentParser(prog="segmentationcore bridge", description=__doc__)
    add_arguments(parser)
    return run(parser.parse_args(arguments))


def _announce(server: BridgeServer, token_file: Path) -> None:
    print(f"bridge: {server.url} token file: {token_file}", flush=True)


def _paraview_backend(arguments: argparse.Namespace) -> Backend:
    try:
        from paraview import simple

        from .paraview_backend import ParaViewBackend, require_plugin
    except ImportError as error:
        raise BackendError(
            f"the bridge needs ParaView's Python ({error}); run it with pvpython, for example "
            "`pvpython -m segmentationcore bridge ..`"
        ) from error
    if arguments.server:
        host, _, port = arguments.server.rpartition(":")
        if not host or not port.isdigit():
            raise BackendError(f"--server {arguments.server!r}; expected HOST:PORT")
        if simple.Connect(host, int(port)) is None:
            raise BackendError(f"cannot connect to a pvserver at {arguments.server}")
    for plugin in arguments.plugin:
        if arguments.server:
            simple.LoadPlugin(plugin, remote=True)
        simple.LoadPlugin(plugin, remote=False)
    require_plugin()
    operations = []
    if arguments.operations:
        try:
            operations = json.loads(Path(arguments.operations).read_text(encoding="utf-8"))
        except ValueError as error:
            raise BackendError(f"{arguments.operations} is not JSON: {error}") from error
        if not isinstance(operations, list):
            raise BackendError(f"{arguments.operations} does not hold an array of operations")
    try:
        volume = simple.OpenDataFile(arguments.volume)
    except RuntimeError as error:  # what ParaView raises when the server has no reader for it
        raise BackendError(f"cannot open {arguments.volume}: {error}") from error
    if volume is None:
        raise BackendError(f"ParaView has no reader for {arguments.volume}")
    return ParaViewBackend.open(volume, operations)


if __name__ == "__main__":
    sys.exit(main())
