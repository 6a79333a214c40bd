"""An engine that answers exactly the bytes it is told to, and keeps what it was asked."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from harness.arbiter import Harness, settings_of
from synapse_arbiter.engine import canary
from synapse_arbiter.server import Arbiter

CANARY = b'{"choices":[{"token_ids":[1],"finish_reason":"length"}]}'
RUNNING = b"vllm:num_requests_running 0\nvllm:sleep_mode_operations_in_flight 0\n"
ABORTED = b'vllm:request_success_total{engine="0",finished_reason="abort",model_name="a"} %d\n'


@dataclass
class Asked:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    left: bool = False


Script = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class ScriptedEngine:
    """Always awake; the first inference is the arbiter's own canary."""

    def __init__(self, script: Script) -> None:
        """Answer every request but the canary by the script."""
        self.script = script
        self.asked: list[Asked] = []
        self.aborted = 0
        """Requests that it says it aborted."""
        self.tells = True
        """It says how many it aborted."""
        self.canaries = 0

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        if request.path == "/is_sleeping":
            return web.Response(body=b'{"is_sleeping": false}')
        if request.path == "/version":
            return web.Response(body=b'{"version": "0.33.0"}')
        if request.path == "/metrics":
            aborted = ABORTED % self.aborted if self.tells else b""
            return web.Response(body=RUNNING + aborted)
        body = await request.read()
        if canary.PROMPT.encode() in body:
            self.canaries += 1
            return web.Response(body=CANARY)
        asked = Asked(request.path, {k.lower(): v for k, v in request.headers.items()}, body)
        self.asked.append(asked)
        try:
            return await self.script(request)
        except asyncio.CancelledError:
            asked.left = True
            raise
        finally:
            asked.answered.set()


@asynccontextmanager
async def scripted(
    script: Script, **settings: Any
) -> AsyncIterator[tuple[Harness, ScriptedEngine]]:
    """Serve one scripted engine named `a`, and an arbiter before it."""
    engine = ScriptedEngine(script)
    server = web.Server(engine.handle, handler_cancellation=True)
    runner = web.ServerRunner(server)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    chosen = settings_of({"a": f"http://127.0.0.1:{port}"}, gpu={"vram_source": "none"}, **settings)
    try:
        async with aiohttp.ClientSession() as client, Arbiter(chosen) as arbiter:
            home = Harness(arbiter, client, {})
            await home.until(lambda: home.resident == "a", "the engine to be resident")
            yield home, engine
    finally:
        await runner.cleanup()
