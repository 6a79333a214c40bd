"""The ports that the arbiter listens on: each has an audience, a table of paths and a largest body.

Whoever may reach one port reaches no path of another: a NetworkPolicy knows ports, not paths.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import aiohttp
from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import RawRequestMessage

from synapse_arbiter.web.routes import App

CLOSE_S = 1.0  # for the last bytes of an answer


@dataclass(frozen=True, slots=True)
class Audience:
    """Who asks by one port, and what is served there."""

    name: str
    port: int
    app: App
    body_limit: int  # bytes


class Listeners:
    """All ports together: either every one is open, or none."""

    def __init__(self, host: str, audiences: Iterable[Audience]) -> None:
        """Prepare; nothing listens yet."""
        self._host = host
        self._audiences = tuple(audiences)
        self._webs: list[web.Server] = []
        self._servers: dict[str, asyncio.Server] = {}

    async def open(self) -> None:
        """Listen on every port, or raise OSError."""
        loop = asyncio.get_running_loop()
        try:
            for audience in self._audiences:
                made = web.Server(
                    audience.app.handle,
                    request_factory=_Requests(audience.body_limit),
                    handler_cancellation=True,
                    access_log=None,
                )
                server = await loop.create_server(made, self._host, audience.port)
                self._webs.append(made)
                self._servers[audience.name] = server
        except BaseException:
            self.close()
            raise

    @property
    def ports(self) -> Mapping[str, int]:
        """The port of every audience."""
        return {
            name: int(server.sockets[0].getsockname()[1]) for name, server in self._servers.items()
        }

    def close(self) -> None:
        """Listen no more; what is connected goes on."""
        for server in self._servers.values():
            server.close()

    async def shutdown(self) -> None:
        """End the connections, after the last bytes of their answers."""
        for made in self._webs:
            made.pre_shutdown()
        await asyncio.gather(*(made.shutdown(CLOSE_S) for made in self._webs))


class _Requests:
    """Makes requests whose bodies may have so many bytes."""

    def __init__(self, largest_body: int) -> None:
        """Allow bodies of so many bytes."""
        self._largest_body = largest_body

    def __call__(
        self,
        message: RawRequestMessage,
        payload: aiohttp.StreamReader,
        protocol: web.RequestHandler,
        writer: AbstractStreamWriter,
        task: asyncio.Task[None],
    ) -> web.BaseRequest:
        """Make one request."""
        loop, largest = task.get_loop(), self._largest_body
        return web.BaseRequest(
            message, payload, protocol, writer, task, loop, client_max_size=largest
        )
