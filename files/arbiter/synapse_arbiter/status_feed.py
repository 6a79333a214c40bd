"""Serves the status page, `GET /status`, and its live stream to everybody who watches."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import orjson
from aiohttp import web

from synapse_arbiter.page import build_page
from synapse_arbiter.status import Status

LEAST_GAP_S = 0.25
HEARTBEAT_S = 5.0
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class StatusFeed:
    """Tells watchers what `read` says, whenever `note` was called; costs nothing unwatched."""

    def __init__(self, read: Callable[[], Status]) -> None:
        """Serve the status that `read` builds."""
        self._read = read
        self._page = build_page()
        self._changed = asyncio.Event()
        self._closing = False
        self._version = 0
        self._built: tuple[int, float, bytes] = (-1, 0.0, b"")
        self._watchers = 0

    def add_routes(self, app: web.Application) -> None:
        """Mount the page, the status and the stream; end the streams when the app stops."""
        app.router.add_get("/", self._get_page)
        app.router.add_get("/status", self._get_status)
        app.router.add_get("/status/stream", self._get_stream)
        app.on_shutdown.append(self._close)

    def note(self) -> None:
        """Say that something changed; cheap enough to be called for every request."""
        self._version += 1
        if self._watchers:
            self._changed.set()

    async def _get_page(self, _request: web.Request) -> web.Response:
        return web.Response(body=self._page.body, headers=self._page.headers)

    async def _get_status(self, _request: web.Request) -> web.Response:
        body = orjson.dumps(self._read())
        return web.Response(body=body, headers=HEADERS, content_type="application/json")

    async def _get_stream(self, request: web.Request) -> web.StreamResponse:
        """Send the status at once, after changes, and at least every HEARTBEAT_S."""
        response = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream"})
        await response.prepare(request)
        self._watchers += 1
        try:
            await response.write(b"retry: 2000\n\n")
            while not self._closing:
                await response.write(b"data: " + self._event() + b"\n\n")
                await asyncio.sleep(LEAST_GAP_S)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), HEARTBEAT_S - LEAST_GAP_S)
        except (ConnectionError, asyncio.CancelledError):
            return response  # the watcher left, or the server ends
        finally:
            self._watchers -= 1
        return response

    def _event(self) -> bytes:
        """Build the status once for all watchers that send within the same gap."""
        self._changed.clear()
        now_s = asyncio.get_running_loop().time()
        version, built_s, event = self._built
        if version != self._version or now_s - built_s >= LEAST_GAP_S:
            event = orjson.dumps(self._read())
            self._built = (self._version, now_s, event)
        return event

    async def _close(self, _app: web.Application) -> None:
        self._closing = True
        self._changed.set()
