"""The routes that only a simulator has: its GPU, its state, its faults."""

import json
from http import HTTPStatus
from typing import Any

from aiohttp import web

from vllm_simulator.faults import KINDS, UnknownFaultError
from vllm_simulator.gpu import reading
from vllm_simulator.hosting import SIMULATOR, Simulator
from vllm_simulator.http_errors import drop, refuse
from vllm_simulator.json_answer import json_answer


def add_routes(app: web.Application) -> None:
    """Add the simulator's own routes."""
    app.router.add_get("/vram", vram)
    app.router.add_get("/simulator/state", state)
    app.router.add_get("/simulator/requests", requests)
    app.router.add_get("/simulator/faults", faults)
    app.router.add_post("/simulator/faults", switch_on)
    app.router.add_delete("/simulator/faults", switch_off)
    app.router.add_delete("/simulator/faults/{name}", switch_off)


async def vram(request: web.Request) -> web.Response:
    """Read the GPU as NVML would."""
    simulator = request.app[SIMULATOR]
    if simulator.faults.hits("vram_away"):
        return drop(request)
    return json_answer(reading(simulator.engine.gpu))


async def state(request: web.Request) -> web.Response:
    """Show counters and state, for assertions such as "this woke 0 models"."""
    return json_answer(_state(request.app[SIMULATOR]))


async def requests(request: web.Request) -> web.Response:
    """Show the latest requests by arrival, and the order in which they were admitted."""
    history = request.app[SIMULATOR].history
    return json_answer(
        {
            "arrivals": [arrived.as_record() for arrived in history.arrivals],
            "admissions": list(history.admissions),
        }
    )


async def faults(request: web.Request) -> web.Response:
    """Show which faults are on, how often each struck, and which there are."""
    simulator = request.app[SIMULATOR]
    return json_answer(
        {
            "active": simulator.faults.active(),
            "strikes": dict(simulator.faults.strikes),
            "available": {
                name: {"meaning": kind.meaning, "parameters": dict(kind.parameters)}
                for name, kind in KINDS.items()
            },
        }
    )


async def switch_on(request: web.Request) -> web.Response:
    """Switch faults on: {"name": {"parameter": value, "times": n}}."""
    try:
        wanted = await request.json()
        if not isinstance(wanted, dict):
            raise UnknownFaultError("Give an object that maps fault names to parameters.")
        request.app[SIMULATOR].faults.switch_on(wanted)
    except (json.JSONDecodeError, UnknownFaultError) as error:
        return refuse(HTTPStatus.BAD_REQUEST, str(error), "Bad Request")
    return await faults(request)


async def switch_off(request: web.Request) -> web.Response:
    """Switch one fault off, or all."""
    name = request.match_info.get("name")
    if name is not None and name not in KINDS:
        return refuse(HTTPStatus.NOT_FOUND, f"{name}: no such fault; there are {', '.join(KINDS)}.")
    request.app[SIMULATOR].faults.switch_off(name)
    return await faults(request)


def _state(simulator: Simulator) -> dict[str, Any]:
    engine = simulator.engine
    return {
        "model": engine.settings.model,
        "gone": simulator.gone,
        "dead": engine.died_of is not None,
        "is_sleeping": engine.is_sleeping,
        "is_paused": engine.is_paused,
        "sleeping_tags": sorted(engine.memory.sleeping),
        "resident": engine.memory.resident,
        "held_bytes": engine.memory.held_bytes,
        "running": len(engine.scheduler.running),
        "waiting": len(engine.scheduler.waiting),
        "control_calls": simulator.control_calls,
        "cycles": engine.cycles,
        "counters": dict(simulator.counters),
        "strikes": dict(simulator.faults.strikes),
    }
