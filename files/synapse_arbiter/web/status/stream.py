"""Sends the status page, `GET /status` and its live stream to everybody who watches."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import orjson
from aiohttp import web

from synapse_arbiter.events.status_model import Status
from synapse_arbiter.web.status.page import build_page

LEAST_GAP_S = 0.25
HEARTBEAT_S = 5.0
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class StatusStream:
    """Tells watchers what `read` says, whenever `note` was called; costs nothing unwatched."""

    def __init__(self, read: Callable[[], Status]) -> None:
        """Send the status that `read` builds."""
        self._read = read
        self._page = build_page()
        self._noted: asyncio.Future[None] | None = None  # while somebody waits for a change
        self._closing = False
        self._event = b""
        self._built_s = -LEAST_GAP_S

    def note(self) -> None:
        """Say that something changed; cheap enough to be called for every request."""
        self._event = b""
        if self._noted is not None:
            self._noted.set_result(None)
            self._noted = None

    def close(self) -> None:
        """End the streams, so that a stopping server need not wait for its watchers."""
        self._closing = True
        self.note()

    async def page(self, _request: web.BaseRequest) -> web.Response:
        """Send the page."""
        return web.Response(body=self._page.body, headers=self._page.headers)

    async def status(self, _request: web.BaseRequest) -> web.Response:
        """Send the status once."""
        body = orjson.dumps(self._read())
        return web.Response(body=body, headers=HEADERS, content_type="application/json")

    async def stream(self, request: web.BaseRequest) -> web.StreamResponse:
        """Send the status at once, after changes, and at least every HEARTBEAT_S."""
        response = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream"})
        with contextlib.suppress(ConnectionError):  # the watcher may leave at any time
            await response.prepare(request)
            while not self._closing:
                change = self._change()
                await response.write(self._latest())
                await asyncio.sleep(LEAST_GAP_S)
                await asyncio.wait([change], timeout=HEARTBEAT_S - LEAST_GAP_S)
        return response

    def _change(self) -> asyncio.Future[None]:
        """Return what `note` will complete; all watchers share it."""
        if self._noted is None:
            self._noted = asyncio.get_running_loop().create_future()
        return self._noted

    def _latest(self) -> bytes:
        """Build the event once for all watchers that send it before the next change."""
        now_s = asyncio.get_running_loop().time()
        if not self._event or now_s - self._built_s >= LEAST_GAP_S:
            self._event = b"data: " + orjson.dumps(self._read()) + b"\n\n"
            self._built_s = now_s
        return self._event
