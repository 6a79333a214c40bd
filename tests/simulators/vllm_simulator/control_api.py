"""The development routes: sleep, wake-up, pause and the like, as vLLM mounts them."""

from http import HTTPStatus
from typing import Any

from aiohttp import web

from vllm_simulator.checking import read_object
from vllm_simulator.engine import Engine
from vllm_simulator.hosting import SIMULATOR
from vllm_simulator.http_errors import refusal
from vllm_simulator.json_answer import empty_answer, json_answer

_MODES = ("abort", "wait", "keep")


def add_routes(app: web.Application) -> None:
    """Add the routes that exist only with VLLM_SERVER_DEV_MODE=1."""
    app.router.add_post("/sleep", sleep)
    app.router.add_post("/wake_up", wake_up)
    app.router.add_get("/is_sleeping", is_sleeping, allow_head=False)
    app.router.add_post("/pause", pause)
    app.router.add_post("/resume", resume)
    app.router.add_get("/is_paused", is_paused, allow_head=False)
    app.router.add_post("/abort_requests", abort_requests)
    app.router.add_post("/release_kv_cache_memory", release_kv_cache_memory)
    app.router.add_post("/collective_rpc", collective_rpc)
    app.router.add_post("/reset_prefix_cache", reset_prefix_cache)
    app.router.add_post("/reset_mm_cache", reset_mm_cache)
    app.router.add_get("/server_info", server_info, allow_head=False)


async def sleep(request: web.Request) -> web.Response:
    """Sleep at the level and mode of the query string; a body is never read."""
    level, mode = request.query.get("level", "1"), request.query.get("mode", "abort")
    if level not in ("0", "1", "2"):
        raise _invalid("level", level, "an integer from 0 to 2")
    if mode not in _MODES:
        raise _invalid("mode", mode, "'abort', 'wait' or 'keep'")
    await request.app[SIMULATOR].control(_engine(request).sleep(int(level), mode))
    return json_answer({"status": "sleeping", "level": int(level)})


async def wake_up(request: web.Request) -> web.Response:
    """Wake all, or the tags of the query string."""
    tags = request.query.getall("tags", []) or None
    awake = await request.app[SIMULATOR].control(_engine(request).wake_up(tags))
    return json_answer({"status": "awake" if awake else "sleeping", "tags": tags})


async def is_sleeping(request: web.Request) -> web.Response:
    """Tell whether the engine sleeps or is merely paused; like all calls here it asks the core."""
    await request.app[SIMULATOR].control(_engine(request).reach())
    return json_answer({"is_sleeping": _engine(request).is_sleeping})


async def pause(request: web.Request) -> web.Response:
    """Hold requests back; abort and wait also reject new ones."""
    mode = request.query.get("mode", "abort")
    if mode not in _MODES:
        raise _invalid("mode", mode, "'abort', 'wait' or 'keep'")
    await request.app[SIMULATOR].control(_engine(request).pause(mode))
    return json_answer({"status": "paused"})


async def resume(request: web.Request) -> web.Response:
    """Let requests run again."""
    await request.app[SIMULATOR].control(_engine(request).reach())
    _engine(request).resume()
    return json_answer({"status": "resumed"})


async def is_paused(request: web.Request) -> web.Response:
    """Tell whether requests are held back."""
    await request.app[SIMULATOR].control(_engine(request).reach())
    return json_answer({"is_paused": _engine(request).is_paused})


async def abort_requests(request: web.Request) -> web.Response:
    """End the requests named in the body, or all."""
    body = await read_object(request)
    count = _engine(request).abort(body.get("request_ids") or [])
    return json_answer({"status": "aborted", "aborted": count})


async def release_kv_cache_memory(request: web.Request) -> web.Response:
    """Drop the KV cache of a paused engine."""
    _engine(request).release_kv_cache()
    return json_answer({"status": "kv_cache_released"})


async def collective_rpc(request: web.Request) -> web.Response:
    """Run a method in the worker; reload_weights is the one that matters here."""
    body = await read_object(request)
    if "method" not in body:
        sentence = "Missing 'method' in request body"
        raise refusal(sentence, kind=HTTPStatus.BAD_REQUEST.phrase)
    if body["method"] == "reload_weights":
        _engine(request).reload_weights()
    return json_answer({"results": [None]})


async def reset_prefix_cache(request: web.Request) -> web.Response:
    """Forget cached prefixes."""
    await request.app[SIMULATOR].control(_engine(request).reach())
    return json_answer({"success": True})


async def reset_mm_cache(request: web.Request) -> web.Response:
    """Forget cached pictures."""
    await request.app[SIMULATOR].control(_engine(request).reach())
    return empty_answer()


async def server_info(request: web.Request) -> web.Response:
    """Show the configuration."""
    info: dict[str, Any] = {"vllm_config": repr(_engine(request).settings), "vllm_env": {}}
    return json_answer(info)


def _engine(request: web.Request) -> Engine:
    return request.app[SIMULATOR].engine


def _invalid(name: str, value: str, expected: str) -> Exception:
    """Refuse a query parameter: vLLM's own handler turns FastAPI's 422 into a 400."""
    return refusal(
        f"1 validation error:\n  query.{name}: input should be {expected}, not {value!r}",
        kind=HTTPStatus.BAD_REQUEST.phrase,
    )
