"""What a vLLM server shows of itself: health, metrics, version, and the pages of its framework."""

from aiohttp import web

from vllm_simulator.hosting import SIMULATOR
from vllm_simulator.http_errors import drop
from vllm_simulator.json_answer import empty_answer, json_answer

_METHODS = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT, QUERY"


def add_routes(app: web.Application) -> None:
    """Add the routes that every server has."""
    for path, handler in {
        "/health": health,
        "/ping": health,
        "/metrics": metrics,
        "/metrics/": metrics_of_a_mounted_app,
        "/version": version,
        "/load": load,
        "/docs": docs,
        "/openapi.json": openapi,
        "/kv_event_sources": kv_event_sources,
    }.items():
        app.router.add_get(path, handler, allow_head=False)
    app.router.add_post("/ping", health)


async def health(request: web.Request) -> web.Response:
    """Answer 200, also while asleep; 503 only when the engine is known to be dead."""
    died_of = request.app[SIMULATOR].engine.died_of
    return empty_answer(status=200 if died_of is None else int(died_of.get("health", 503)))


async def metrics(request: web.Request) -> web.Response:
    """Show vLLM's metrics."""
    return _metrics(request, "1.0.0")


async def metrics_of_a_mounted_app(request: web.Request) -> web.Response:
    """Show the same as another part of vLLM does."""
    return _metrics(request, "0.0.4")


def _metrics(request: web.Request, form: str) -> web.Response:
    simulator = request.app[SIMULATOR]
    if simulator.faults.hits("metrics_away"):
        return drop(request)
    return web.Response(
        body=simulator.engine.metrics.text(),
        headers={"Content-Type": f"text/plain; version={form}; charset=utf-8"},
    )


async def version(request: web.Request) -> web.Response:
    """Name the version whose behaviour is simulated."""
    return json_answer({"version": request.app[SIMULATOR].engine.settings.version})


async def load(_request: web.Request) -> web.Response:
    """Say nothing: vLLM counts only when it is told to."""
    return json_answer({"server_load": 0})


async def docs(_request: web.Request) -> web.Response:
    """Stand for the page that lists the routes."""
    return web.Response(text="<!DOCTYPE html>", content_type="text/html", charset="utf-8")


async def openapi(_request: web.Request) -> web.Response:
    """Stand for the description of the routes."""
    return json_answer({"openapi": "3.1.0"})


async def kv_event_sources(request: web.Request) -> web.Response:
    """Name none, in versions that have the route."""
    if not request.app[SIMULATOR].engine.settings.behaviour.is_newest:
        raise web.HTTPNotFound
    return json_answer({})


async def preflight(request: web.Request) -> web.Response:
    """Answer a browser that asks before it sends: 0.33 trusts no site, earlier ones every site."""
    headers = {"Access-Control-Allow-Methods": _METHODS}
    if request.app[SIMULATOR].engine.settings.behaviour.is_newest:
        return web.Response(status=400, text="Disallowed CORS origin", headers=headers)
    return web.Response(text="OK", headers={**headers, "Access-Control-Allow-Origin": "*"})
