"""Listens for applications, within limits that are stated here by name."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable

from aiohttp import web

from synapse_gateway.edge import Edge
from synapse_gateway.settings import Settings

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

KEEP_ALIVE_S = 75
BACKLOG = 1024
"""Connections that wait to be taken."""
HEADER_BYTES = 8190
"""The longest header, and the longest request line."""
LINGERING_S = 1.0
"""How long a refused body is still taken in, so that its sender reads the refusal."""
LAST_BYTES_S = 1.0
"""For the end of answers that are broken off."""


class Server:
    """The applications' port and LiteLLM's, from `start` until `stop`."""

    def __init__(self, edge: Edge, settings: Settings, host: str) -> None:
        """Serve the edge; `start` opens the port."""
        self._edge = edge
        self._listening: list[tuple[web.Server, asyncio.Server]] = []
        self._settings = settings
        self._host = host

    async def start(self) -> None:
        """Listen, or raise OSError."""
        await self._listen(self._edge.handle, self._settings.port)
        await self._listen(self._edge.inner.handle, self._settings.inner_port)

    async def stop(self) -> None:
        """Take no more requests, let those in flight end within the drain time-out, and close."""
        for http, listener in self._listening:
            listener.close()
            http.pre_shutdown()
        await self._edge.drain(self._settings.drain_timeout_s, LAST_BYTES_S)
        for http, _ in self._listening:
            await http.shutdown(LAST_BYTES_S)
        await self._edge.engines.close()

    async def _listen(self, handler: Handler, port: int) -> None:
        http = web.Server(
            handler,
            handler_cancellation=True,  # a client that leaves ends the engine's work too
            keepalive_timeout=KEEP_ALIVE_S,
            auto_decompress=False,  # within limits of ours
            lingering_time=LINGERING_S,
            max_line_size=HEADER_BYTES,
            max_field_size=HEADER_BYTES,
            access_log=None,
        )
        loop = asyncio.get_running_loop()
        listener = await loop.create_server(http, self._host, port, backlog=BACKLOG)
        untaken_ms = int(self._settings.client_pause_s * 1000)
        for each in listener.sockets:
            # Its connections inherit it: the kernel drops a client that takes no last bytes.
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, untaken_ms)
        self._listening.append((http, listener))
