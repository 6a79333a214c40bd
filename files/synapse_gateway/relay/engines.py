"""Connections to the engines."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

from synapse_common import protocol
from synapse_common.bodies.aside import Bytes
from synapse_common.bodies.budget import MIB, Budget
from synapse_common.bodies.sending import sendable
from synapse_gateway import errors
from synapse_gateway.access_log import RequestRecord
from synapse_gateway.config import Model
from synapse_gateway.settings import Settings

UNREACHED = (aiohttp.ClientError, TimeoutError, OSError)
"""What asking an engine raises when no answer comes, or half of one."""
KEPT_S = 2.0
"""How long a connection is kept for the next request; engines close idle ones after 5 s or more."""
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


def _open_socket(address: tuple[Any, ...]) -> socket.socket:
    _SENDING.get().reused = False
    return socket.socket(*address[:3])


class Engines:
    """Asks them; connections are opened when the first request needs one."""

    def __init__(self, settings: Settings) -> None:
        """Remember how long to wait for a connection."""
        self._connect_s = settings.connect_timeout_s
        self.translating = Budget(settings.translated_mib * MIB, errors.GatewayFull)
        """What LiteLLM holds, which is one process for all."""
        self._sessions: dict[bool, aiohttp.ClientSession] = {}
        self._urls: dict[tuple[str, str], URL] = {}

    def ask(
        self,
        method: str,
        model: Model,
        path: str,
        headers: Mapping[str, str],
        body: Any = None,
        *,
        silence_s: float,
    ) -> aiohttp.client._RequestContextManager:
        """Send a request to where a model is served, on a connection of its own.

        `path` is below /v1, or from the root where it begins with two slashes.
        """
        return self._request(False, method, model, path, headers, body, silence_s)

    async def ask_quickly(
        self,
        model: Model,
        path: str,
        headers: Mapping[str, str],
        body: Sequence[Bytes],
        *,
        silence_s: float,
    ) -> aiohttp.ClientResponse:
        """Send the pieces of a body, again if need be, on a kept connection where there is one."""
        sending = _Sending()
        _SENDING.set(sending)
        data = sendable(body)
        arguments = "POST", model, path, headers, data, silence_s
        try:
            return await self._request(True, *arguments)
        except STALE as error:
            unconnected = isinstance(error, aiohttp.ClientConnectorError | TimeoutError)
            if unconnected or not sending.reused:
                raise
            # The engine had closed the connection before it read anything of the request.
            return await self._request(False, *arguments)

    async def close(self) -> None:
        """Close every connection."""
        for session in self._sessions.values():
            await session.close()

    def _request(
        self,
        kept: bool,
        method: str,
        model: Model,
        path: str,
        headers: Mapping[str, str],
        body: Any,
        silence_s: float,
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
        connector = (
            aiohttp.TCPConnector(limit=0, keepalive_timeout=KEPT_S, socket_factory=_open_socket)
            if kept
            else aiohttp.TCPConnector(limit=0, force_close=True)
        )
        self._sessions[kept] = aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), headers=HEADERS
        )
        return self._sessions[kept]

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
    if app.max_wait_s is not None:
        headers[protocol.MAX_WAIT] = f"{app.max_wait_s:g}"
    return headers
