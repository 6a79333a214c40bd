"""The HTTP server of one simulator."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from vllm_simulator import control_api, dialects, pages, simulator_api
from vllm_simulator.errors import EngineDeadError, EnginePausedError, OperationFailedError
from vllm_simulator.hosting import SIMULATOR, Simulator
from vllm_simulator.http_errors import RefusedError, body_of, drop, plain
from vllm_simulator.json_answer import json_answer

_OWN_PATH = "/simulator/"
_MAX_BODY_BYTES = 64 * 1024**2
# How long a connection may take to deliver what is already said.
_FLUSH_S = 0.5


def make_app(simulator: Simulator) -> web.Application:
    """Mount the routes that this engine has: the control routes only in development mode."""
    app = web.Application(middlewares=[_live_and_die], client_max_size=_MAX_BODY_BYTES)
    app[SIMULATOR] = simulator
    dialects.add_routes(app, simulator.engine.settings.kind)
    pages.add_routes(app)
    simulator_api.add_routes(app)
    if simulator.engine.settings.dev_mode:
        control_api.add_routes(app)
    return app


@asynccontextmanager
async def serve(simulator: Simulator, port: int = 0, host: str = "127.0.0.1") -> AsyncIterator[str]:
    """Boot, then serve until the block ends; yield the base address. Port 0 picks a free one."""
    await simulator.boot()
    runner = web.AppRunner(
        make_app(simulator), handler_cancellation=True, access_log=None, shutdown_timeout=_FLUSH_S
    )
    await runner.setup()
    listening = _Port(runner, host, port)
    await listening.open()
    simulator.port = listening
    try:
        yield f"http://{host}:{listening.number}"
    finally:
        await simulator.close()
        await runner.cleanup()


class _Port:
    """A port that is closed and opened again under the same number."""

    def __init__(self, runner: web.AppRunner, host: str, number: int) -> None:
        self._runner, self._host, self.number = runner, host, number
        self._site: web.TCPSite | None = None

    async def open(self) -> None:
        """Listen, if it does not."""
        if self._site is None:
            self._site = web.TCPSite(self._runner, self._host, self.number, backlog=1024)
            await self._site.start()
            self.number = self._site.port or self.number

    async def close(self) -> None:
        """Refuse connections; what is open stays so."""
        if self._site is not None:
            await self._site.stop()
            self._site = None


@web.middleware
async def _live_and_die(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Translate engine failures; while the process is said to be gone, break connections."""
    simulator = request.app[SIMULATOR]
    transport = request.transport
    if request.path.startswith(_OWN_PATH) or transport is None:
        return await handler(request)
    if simulator.gone or simulator.refuses:
        return drop(request)
    simulator.connections.add(transport)
    try:
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            return await pages.preflight(request)
        return await handler(request)
    except RefusedError as refusal:
        return json_answer(refusal.body, status=refusal.status)
    except (EngineDeadError, EnginePausedError, OperationFailedError) as error:
        if simulator.gone:
            return drop(request)
        body = body_of(error)
        return json_answer(body, status=body["error"]["code"])
    except web.HTTPException as error:
        return plain(error)
    finally:
        simulator.connections.discard(transport)
