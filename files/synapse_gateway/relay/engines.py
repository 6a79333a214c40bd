"""Connections to the engines."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

from synapse_common import protocol
from synapse_common.bodies.aside import Bytes
from synapse_common.bodies.budget import MIB, Budget
from synapse_common.bodies.sending import sendable
from synapse_common.engines import PIPER
from synapse_gateway import errors
from synapse_gateway.access_log import RequestRecord
from synapse_gateway.config import Model
from synapse_gateway.relay.health import Health
from synapse_gateway.relay.names import Names
from synapse_gateway.settings import Settings

UNREACHED = (aiohttp.ClientError, TimeoutError, OSError)
"""What asking an engine raises when no answer comes, or half of one."""
KEPT_S = 2.0
"""How long a connection is kept for the next request; engines close idle ones after 5 s or more."""
ADDRESS_KEPT_S = 10
"""How long the address of a name is used before it is looked for again."""
# What an engine sends is passed on as it is, so it must not be packed.
HEADERS = {"accept": "*/*", "accept-encoding": "identity", "user-agent": "synapse"}
STALE = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)
"""What a kept connection raises that the engine closed while the request was on its way."""


@dataclass
class _Sending:
    """One request on its way."""

    reused: bool = True
    """Its connection has served another one: none was opened for it."""


_SENDING: ContextVar[_Sending] = ContextVar("_SENDING")


class Within:
    """Runs a block that waits for an engine; raises SocketTimeoutError when it takes longer."""

    __slots__ = ("_limit",)

    def __init__(self, limit_s: float | None) -> None:
        """Begin with this limit, which can be set anew."""
        self._limit = asyncio.timeout(limit_s)

    async def __aenter__(self) -> asyncio.Timeout:
        """Begin to count."""
        return await self._limit.__aenter__()

    async def __aexit__(self, *ended: Any) -> None:
        """Count no more."""
        try:
            await self._limit.__aexit__(*ended)
        except TimeoutError:
            raise aiohttp.SocketTimeoutError("the engine took too long") from None


class Engines:
    """Asks them; connections are opened when the first request needs one."""

    def __init__(self, settings: Settings, health: Health) -> None:
        """Remember how long to wait for a connection."""
        self.health = health
        self._connect_s = settings.connect_timeout_s
        self._sending_ms = int(settings.sending_timeout_s * 1000)
        self._names = Names(settings.name_timeout_s)
        self.translating = Budget(settings.translated_mib * MIB, errors.GatewayFull)
        """What LiteLLM holds, which is one process for all."""
        self._sessions: dict[bool, aiohttp.ClientSession] = {}
        self._urls: dict[tuple[str, str], URL] = {}

    @contextlib.asynccontextmanager
    async def ask(
        self,
        method: str,
        model: Model,
        path: str,
        headers: Mapping[str, str],
        body: Any = None,
        *,
        silence_s: float,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send a request to where a model is served, on a connection of its own.

        `path` is below /v1, or from the root where it begins with two slashes.
        """
        asking = self._request(False, method, model, path, headers, body, silence_s)
        async with await self._answered(model, asking, silence_s) as answer:
            yield answer

    async def is_well(self, model: Model, path: str) -> bool:
        """Say whether the engine of a model answers at the path where it tells its health."""
        try:
            async with self._request(False, "GET", model, f"/{path}", {}, None, None) as answer:
                return answer.status < 500
        except UNREACHED:
            return False

    async def ask_quickly(
        self,
        model: Model,
        path: str,
        headers: Mapping[str, str],
        body: Sequence[Bytes],
        *,
        silence_s: float,
        first_byte_s: float | None,
    ) -> aiohttp.ClientResponse:
        """Send the pieces of a body, again if need be, on a kept connection where there is one.

        `first_byte_s` counts the time that the engine takes to read the request; None: the caller
        has a limit of his own.
        """
        sending = _Sending()
        _SENDING.set(sending)
        data = sendable(body)
        arguments = "POST", model, path, headers, data, silence_s
        try:
            return await self._answered(model, self._request(True, *arguments), first_byte_s)
        except STALE as error:
            unconnected = isinstance(error, aiohttp.ClientConnectorError | TimeoutError)
            untaken = isinstance(error, OSError) and error.errno == errno.ETIMEDOUT
            if unconnected or untaken or not sending.reused:
                raise
            # The engine had closed the connection before it read anything of the request.
            return await self._answered(model, self._request(False, *arguments), first_byte_s)

    async def close(self) -> None:
        """Close every connection."""
        for session in self._sessions.values():
            await session.close()

    async def _answered(
        self, model: Model, asking: aiohttp.client._RequestContextManager, limit_s: float | None
    ) -> aiohttp.ClientResponse:
        """Wait for the status."""
        if limit_s is None:
            answer = await asking
        else:
            async with Within(limit_s):
                answer = await asking
        self.health.heard(model)
        return answer

    def _request(
        self,
        kept: bool,
        method: str,
        model: Model,
        path: str,
        headers: Mapping[str, str],
        body: Any,
        silence_s: float | None,
    ) -> aiohttp.client._RequestContextManager:
        if model.key_variable:
            key = os.environ.get(model.key_variable, "")
            headers = {**headers, "authorization": f"Bearer {key}"}
        timeout = aiohttp.ClientTimeout(
            total=None,
            connect=self._connect_s,  # with the look for the name's address
            sock_read=silence_s,
        )
        session = self._sessions.get(kept) or self._open(kept)
        return session.request(
            method,
            self._url(model.url, path),
            data=body,
            headers=headers,
            timeout=timeout,
            allow_redirects=False,
        )

    def _open(self, kept: bool) -> aiohttp.ClientSession:
        # There are as many connections as requests in flight, and those have a limit.
        connector = aiohttp.TCPConnector(
            limit=0,
            resolver=self._names,
            ttl_dns_cache=ADDRESS_KEPT_S,
            socket_factory=self._open_socket,
            force_close=not kept,
            keepalive_timeout=KEPT_S if kept else None,
        )
        self._sessions[kept] = aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), headers=HEADERS
        )
        return self._sessions[kept]

    def _open_socket(self, address: tuple[Any, ...]) -> socket.socket:
        _SENDING.get(_Sending()).reused = False
        opened = socket.socket(*address[:3])
        # The kernel ends a connection whose other end takes nothing for so long.
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, self._sending_ms)
        return opened

    def _url(self, base: str, path: str) -> URL:
        found = self._urls.get((base, path))
        if found is None:
            at = base.removesuffix("/v1") + path[1:] if path.startswith("//") else base + path
            found = self._urls[base, path] = URL(at, encoded=True)
        return found


def who_asks(record: RequestRecord, model: Model) -> dict[str, str]:
    """Return what the arbiter is told of a request: who asks, how urgently, for how long."""
    headers = {"content-type": "application/json", protocol.REQUEST_ID: record.request_id}
    app = record.app
    if app is None or not (model.via_arbiter or model.via_litellm):
        return headers
    headers |= {protocol.APP: app.name, protocol.PRIORITY: app.priority}
    if record.person is not None:
        headers[protocol.PERSON] = record.person
    if app.max_wait_s is not None:
        headers[protocol.MAX_WAIT] = f"{app.max_wait_s:g}"
    return headers


def who_speaks(record: RequestRecord, model: Model) -> dict[str, str]:
    """Return what our speech server is told: who asks and how urgently; others learn nothing."""
    if record.app is None or model.engine != PIPER.name:
        return {}
    person = {} if record.person is None else {protocol.PERSON: record.person}
    return {protocol.APP: record.app.name, protocol.PRIORITY: record.app.priority, **person}
