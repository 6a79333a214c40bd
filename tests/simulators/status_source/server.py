"""Serves the real page and the real routes over made-up states."""

import hmac
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from synapse_arbiter.events.status_model import Status
from synapse_arbiter.web.status.stream import StatusStream

TOKEN = "open sesame"


class Source:
    """A status that a test changes, and a record of the buttons that were pressed."""

    def __init__(self, scene: Callable[[], Status]) -> None:
        """Show one scene."""
        self._scene = scene
        self.feed = StatusStream(lambda: self._scene())
        self.pressed: list[str] = []

    def show(self, scene: Callable[[], Status]) -> None:
        """Show another scene from now on."""
        self._scene = scene
        self.feed.note()

    async def press(self, request: web.Request) -> web.Response:
        """Take a button's request if it carries the token."""
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given, TOKEN):
            error = {"message": "That is not the admin token.", "type": "authentication_error"}
            return web.json_response({"error": error}, status=401)
        self.pressed.append(request.path_qs)
        return web.json_response({"message": "Done: " + request.path.removeprefix("/admin/")})


@asynccontextmanager
async def serve(source: Source, port: int = 0) -> AsyncIterator[str]:
    """Serve until the block ends; yield the address. Port 0 picks a free one."""
    app = web.Application()
    app.router.add_get("/", source.feed.page)
    app.router.add_get("/status", source.feed.status)
    app.router.add_get("/status/stream", source.feed.stream)
    app.router.add_post("/admin/{action:.+}", source.press)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    try:
        yield f"http://127.0.0.1:{site.port}"
    finally:
        source.feed.close()
        await runner.cleanup()
