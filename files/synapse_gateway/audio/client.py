"""Connections to the engines that hear and speak, one for every request."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import aiohttp

from synapse_gateway.config import Model
from synapse_gateway.settings import Settings

UNREACHED = (aiohttp.ClientError, TimeoutError, OSError)
"""What asking an engine raises when no answer comes, or half of one."""


class Engines:
    """Asks them; connections are opened when the first request needs one."""

    def __init__(self, settings: Settings) -> None:
        """Remember how long to wait for a connection, and for a silent engine."""
        self._timeout = aiohttp.ClientTimeout(
            total=None,
            connect=settings.connect_timeout_s,  # with the look for the name's address
            sock_read=settings.audio_silence_s,
        )
        self._http: aiohttp.ClientSession | None = None

    def ask(
        self, method: str, model: Model, path: str, headers: Mapping[str, str], body: Any = None
    ) -> aiohttp.client._RequestContextManager:
        """Send a request to where a model is served, with the key that this wants."""
        if model.key_variable:
            key = os.environ.get(model.key_variable, "")
            headers = {**headers, "authorization": f"Bearer {key}"}
        if self._http is None:
            # A connection of its own for every request: a pooled one that the engine has just
            # closed would fail a request that must not be sent twice.
            connector = aiohttp.TCPConnector(force_close=True, limit=0)
            self._http = aiohttp.ClientSession(connector=connector, timeout=self._timeout)
        return self._http.request(method, f"{model.url}{path}", data=body, headers=headers)
