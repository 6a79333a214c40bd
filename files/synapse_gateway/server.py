"""Listens for applications, within limits that are stated here by name."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
from collections.abc import Awaitable, Callable

from aiohttp import http_parser, web

from synapse_gateway.connection import Connection
from synapse_gateway.connections import Connections
from synapse_gateway.edge import Edge
from synapse_gateway.metrics import Metrics
from synapse_gateway.settings import Settings

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

PARSER = "aiohttp._http_parser"
"""The one that is wanted: llhttp, strict. The one in Python reads other things as HTTP."""
KEEP_ALIVE_S = 75
"""How long a connection may be open between two requests."""
BACKLOG = 1024
"""Connections that wait to be taken."""
HEADER_BYTES = 8190
"""The longest header, and the longest request line."""
HEADERS = 128
"""Of one request, its trailers among them."""
LINGERING_S = 1.0
"""How long a refused body is still taken in, so that its sender reads the refusal."""
LAST_BYTES_S = 1.0
"""For the end of answers that are broken off."""
FILES_PER_CONNECTION = 2
"""A client's and the engine's."""
PORTS = 3
"""Each with as many connections."""
OTHER_FILES = 128
KEPT_ALIVE = {
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE): 1,
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE): 60,
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL): 15,
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT): 4,
}
"""A client that vanished without a word is gone after the second unanswered look."""


class UnfitError(Exception):
    """The gateway cannot keep its promises here; the text says why and what to do."""


class Server:
    """The applications' port, LiteLLM's and Prometheus', from `start` until `stop`."""

    def __init__(self, edge: Edge, metrics: Metrics, settings: Settings, host: str) -> None:
        """Serve the edge; `start` opens the ports."""
        self._edge = edge
        self._metrics = metrics
        self._listening: list[tuple[web.Server, asyncio.Server]] = []
        self._settings = settings
        self._host = host
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen, or raise OSError, or UnfitError."""
        check_parser()
        make_room_for_files(self._settings.connections)
        edge, settings = self._edge, self._settings
        await self._listen(edge.handle, settings.port)
        await self._listen(edge.inner.handle, settings.inner_port)
        await self._listen(self._metrics.handle, settings.metrics_port)
        self._watching = asyncio.create_task(edge.watch.run())

    async def stop(self) -> None:
        """Take no more requests, let those in flight end within the drain time-out, and close."""
        for http, listener in self._listening:
            listener.close()
            http.pre_shutdown()
        await self._edge.drain(self._settings.drain_timeout_s, LAST_BYTES_S)
        for http, _ in self._listening:
            await http.shutdown(LAST_BYTES_S)
        await self._edge.engines.close()
        if self._watching:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching

    async def _listen(self, handler: Handler, port: int) -> None:
        loop = asyncio.get_running_loop()
        # handler_cancellation: a client that leaves ends the engine's work too.
        http = web.Server(handler, handler_cancellation=True)
        edge = self._edge
        counted = Connections(self._settings, self._metrics.refused, edge.few_lines, edge.watch)

        def connection() -> Connection:
            return Connection(
                http,
                counted,
                loop=loop,
                keepalive_timeout=KEEP_ALIVE_S,
                auto_decompress=False,  # within limits of ours
                lingering_time=LINGERING_S,
                max_line_size=HEADER_BYTES,
                max_field_size=HEADER_BYTES,
                max_headers=HEADERS,
                access_log=None,
            )

        listener = await loop.create_server(connection, self._host, port, backlog=BACKLOG)
        untaken_ms = int(self._settings.client_pause_s * 1000)
        for listening in listener.sockets:  # connections inherit it
            for option, value in KEPT_ALIVE.items():
                listening.setsockopt(*option, value)
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, untaken_ms)
        self._listening.append((http, listener))


def check_parser() -> None:
    """Raise UnfitError where another parser of HTTP than the wanted one is in use."""
    found = http_parser.HttpRequestParser.__module__
    if found != PARSER:
        raise UnfitError(
            f"aiohttp reads HTTP with {found}, not with {PARSER}, which differ in what they take. "
            "Install aiohttp's binary wheel and unset AIOHTTP_NO_EXTENSIONS."
        )


def make_room_for_files(connections: int) -> None:
    """Allow as many open files as the connections need, or raise UnfitError."""
    needed = PORTS * connections * FILES_PER_CONNECTION + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if resource.RLIM_INFINITY not in (soft, hard) and hard < needed:
        raise UnfitError(
            f"{connections} connections need {needed} open files, and the system allows {hard}. "
            "Allow more (ulimit -n), or set fewer connections."
        )
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
