"""Waits until a client has taken what is sent to it, for as long as it takes anything."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from aiohttp import web

AT_ONCE = 16 * 1024
"""Bytes that wait for nobody where nothing waits before them: a transport takes four times as much
before it makes anybody wait."""
LOOKS = 8
"""How often within a pause it is looked whether the client took something."""


async def taken(
    sending: Awaitable[object], size: int, request: web.BaseRequest, pause_s: float | None
) -> None:
    """Wait until so many bytes are sent; raise TimeoutError once the client takes nothing so long.

    A large answer may take much longer than the pause: what counts is that it goes on.
    """
    if pause_s is None or (size <= AT_ONCE and not _waiting(request)):
        await sending
        return
    async with asyncio.timeout(None) as limit:
        looking = _Looking(request, pause_s, limit)
        try:
            await sending
        finally:
            looking.end()


class _Looking:
    """Looks again and again how much the client has taken."""

    __slots__ = ("_limit", "_loop", "_pause_s", "_request", "_since_s", "_taken", "_timer")

    def __init__(self, request: web.BaseRequest, pause_s: float, limit: asyncio.Timeout) -> None:
        """Begin; the limit is over once nothing was taken for the length of a pause."""
        self._request = request
        self._pause_s = pause_s
        self._limit = limit
        self._loop = asyncio.get_running_loop()
        self._since_s = self._loop.time()
        self._taken = -1
        self._timer = self._loop.call_later(pause_s / LOOKS, self._look)

    def end(self) -> None:
        """Look no more."""
        self._timer.cancel()

    def _look(self) -> None:
        taken, now_s = _taken(self._request), self._loop.time()
        if taken != self._taken:
            self._taken, self._since_s = taken, now_s
        if now_s - self._since_s >= self._pause_s:
            self._limit.reschedule(now_s)
        else:
            self._timer = self._loop.call_later(self._pause_s / LOOKS, self._look)


def _taken(request: web.BaseRequest) -> int:
    """Return the bytes of the answer that are no longer here: the kernel or the client has them."""
    return request.writer.output_size - _waiting(request)


def _waiting(request: web.BaseRequest) -> int:
    transport = request.transport
    return transport.get_write_buffer_size() if transport is not None else 0
