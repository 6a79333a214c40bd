"""The development routes: sleep, wake-up, pause and the like, as vLLM 0.33 mounts them."""

import asyncio
import json
from collections.abc import Coroutine
from http import HTTPStatus
from typing import Any, TypeVar

from aiohttp import web

from vllm_simulator.engine import Engine
from vllm_simulator.hosting import SIMULATOR
from vllm_simulator.http_errors import refuse

_MODES = ("abort", "wait", "keep")
_Result = TypeVar("_Result")


def add_routes(app: web.Application) -> None:
    """Add the routes that exist only with VLLM_SERVER_DEV_MODE=1."""
    app.router.add_post("/sleep", sleep)
    app.router.add_post("/wake_up", wake_up)
    app.router.add_get("/is_sleeping", is_sleeping)
    app.router.add_post("/pause", pause)
    app.router.add_post("/resume", resume)
    app.router.add_get("/is_paused", is_paused)
    app.router.add_post("/abort_requests", abort_requests)
    app.router.add_post("/release_kv_cache_memory", release_kv_cache_memory)
    app.router.add_post("/collective_rpc", collective_rpc)
    app.router.add_post("/reset_prefix_cache", reset_prefix_cache)
    app.router.add_get("/server_info", server_info)


async def sleep(request: web.Request) -> web.Response:
    """Sleep at the level and mode of the query string; a body is never read."""
    level, mode = request.query.get("level", "1"), request.query.get("mode", "abort")
    if level not in ("0", "1", "2"):
        return _invalid("level", level, "an integer from 0 to 2")
    if mode not in _MODES:
        return _invalid("mode", mode, "'abort', 'wait' or 'keep'")
    await _finish(request, _engine(request).sleep(int(level), mode))
    return web.json_response({"status": "sleeping", "level": int(level)})


async def wake_up(request: web.Request) -> web.Response:
    """Wake all, or the tags of the query string."""
    tags = request.query.getall("tags", []) or None
    awake = await _finish(request, _engine(request).wake_up(tags))
    return web.json_response({"status": "awake" if awake else "sleeping", "tags": tags})


async def is_sleeping(request: web.Request) -> web.Response:
    """Tell whether the engine sleeps or is merely paused."""
    _engine(request).check_alive()
    return web.json_response({"is_sleeping": _engine(request).is_sleeping})


async def pause(request: web.Request) -> web.Response:
    """Hold requests back; abort and wait also reject new ones."""
    mode = request.query.get("mode", "abort")
    if mode not in _MODES:
        return _invalid("mode", mode, "'abort', 'wait' or 'keep'")
    await _finish(request, _engine(request).pause(mode))
    return web.json_response({"status": "paused"})


async def resume(request: web.Request) -> web.Response:
    """Let requests run again."""
    _engine(request).resume()
    return web.json_response({"status": "resumed"})


async def is_paused(request: web.Request) -> web.Response:
    """Tell whether requests are held back."""
    _engine(request).check_alive()
    return web.json_response({"is_paused": _engine(request).is_paused})


async def abort_requests(request: web.Request) -> web.Response:
    """End the requests named in the body, or all."""
    body = await _json_object(request)
    if body is None:
        return refuse(HTTPStatus.BAD_REQUEST, "Invalid JSON format", "Bad Request")
    count = _engine(request).abort(body.get("request_ids") or [])
    return web.json_response({"status": "aborted", "aborted": count})


async def release_kv_cache_memory(request: web.Request) -> web.Response:
    """Drop the KV cache of a paused engine."""
    _engine(request).release_kv_cache()
    return web.json_response({"status": "kv_cache_released"})


async def collective_rpc(request: web.Request) -> web.Response:
    """Run a method in the worker; reload_weights is the one that matters here."""
    body = await _json_object(request)
    if body is None or "method" not in body:
        return refuse(HTTPStatus.BAD_REQUEST, "Missing 'method' in request body", "Bad Request")
    if body["method"] == "reload_weights":
        _engine(request).reload_weights()
    return web.json_response({"results": [None]})


async def reset_prefix_cache(request: web.Request) -> web.Response:
    """Forget cached prefixes."""
    _engine(request).check_alive()
    return web.Response()


async def server_info(request: web.Request) -> web.Response:
    """Show the configuration."""
    return web.json_response({"vllm_config": repr(_engine(request).settings)})


def _engine(request: web.Request) -> Engine:
    return request.app[SIMULATOR].engine


async def _finish(request: web.Request, operation: Coroutine[Any, Any, _Result]) -> _Result:
    """Run an operation to its end: in vLLM it goes on when the caller hangs up."""
    return await asyncio.shield(request.app[SIMULATOR].start(operation))


async def _json_object(request: web.Request) -> dict[str, Any] | None:
    try:
        body = await request.json()
    except json.JSONDecodeError:
        return None
    return body if isinstance(body, dict) else None


def _invalid(name: str, value: str, expected: str) -> web.Response:
    """Refuse a query parameter: vLLM's own handler turns FastAPI's 422 into a 400."""
    return refuse(
        HTTPStatus.BAD_REQUEST,
        f"1 validation error:\n  query.{name}: input should be {expected}, not {value!r}",
        "Bad Request",
    )
