"""The HTTP server of one simulator."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from vllm_simulator import control_api, openai_api, simulator_api
from vllm_simulator.errors import EngineDeadError, EnginePausedError, OperationFailedError
from vllm_simulator.hosting import SIMULATOR, Simulator
from vllm_simulator.http_errors import body_of, drop

_OWN_PATH = "/simulator/"
_MAX_BODY_BYTES = 64 * 1024**2


def make_app(simulator: Simulator) -> web.Application:
    """Mount the routes that this engine has: the control routes only in development mode."""
    app = web.Application(middlewares=[_live_and_die], client_max_size=_MAX_BODY_BYTES)
    app[SIMULATOR] = simulator
    openai_api.add_routes(app)
    simulator_api.add_routes(app)
    if simulator.engine.settings.dev_mode:
        control_api.add_routes(app)
    return app


@asynccontextmanager
async def serve(simulator: Simulator, port: int = 0, host: str = "127.0.0.1") -> AsyncIterator[str]:
    """Boot, then serve until the block ends; yield the base address. Port 0 picks a free one."""
    await simulator.boot()
    runner = web.AppRunner(
        make_app(simulator), handler_cancellation=True, access_log=None, shutdown_timeout=0.5
    )
    await runner.setup()
    site = web.TCPSite(runner, host, port, backlog=1024)
    await site.start()
    try:
        yield f"http://{host}:{site.port}"
    finally:
        await simulator.close()
        await runner.cleanup()


@web.middleware
async def _live_and_die(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Translate engine failures; while the process is said to be gone, break connections."""
    simulator = request.app[SIMULATOR]
    transport = request.transport
    if request.path.startswith(_OWN_PATH) or transport is None:
        return await handler(request)
    if simulator.gone:
        return drop(request)
    simulator.connections.add(transport)
    try:
        return await handler(request)
    except (EngineDeadError, EnginePausedError, OperationFailedError) as error:
        body = body_of(error)
        return web.json_response(body, status=body["error"]["code"])
    finally:
        simulator.connections.discard(transport)
