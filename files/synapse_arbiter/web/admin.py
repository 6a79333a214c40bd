"""The operator's and the engines' endpoints: JSON in, JSON out."""

from __future__ import annotations

import asyncio
from math import inf
from typing import Any

import orjson
from aiohttp import web

from synapse_arbiter.errors import RefusedError
from synapse_arbiter.events.event_log import EventLog
from synapse_arbiter.scheduling.scheduler import Scheduler
from synapse_arbiter.state import Condition, Work
from synapse_arbiter.web.guard import Lock
from synapse_arbiter.web.response import answer, read_body

BOOT_POLL_S = 20.0
LONGEST_LEASE_S = 7 * 86400.0
LONGEST_REASON = 500  # characters


class Admin:
    """Commands that need the operator's token."""

    def __init__(self, commands: Commands, lock: Lock) -> None:
        """Give commands to whom the lock lets in."""
        self._commands = commands
        self._lock = lock

    async def pin(self, request: web.BaseRequest, model: str) -> web.Response:
        """Pin one model."""
        self._lock.check(request)
        return answer({"message": self._commands.pin(model)})

    async def unpin(self, request: web.BaseRequest) -> web.Response:
        """End a pin."""
        self._lock.check(request)
        return answer({"message": self._commands.unpin()})

    async def release(self, request: web.BaseRequest) -> web.Response:
        """Release the GPU for the seconds that the query names."""
        self._lock.check(request)
        text = request.query.get("seconds", "")
        try:
            lease_s = float(text)
        except ValueError:
            lease_s = 0.0
        if not 0 < lease_s <= LONGEST_LEASE_S:
            message = f"Say for how many seconds, a week at most: ?seconds=3600, not {text!r}."
            raise RefusedError("invalid_request", message)
        return answer({"message": self._commands.release(lease_s)})

    async def reclaim(self, request: web.BaseRequest) -> web.Response:
        """Take the GPU back."""
        self._lock.check(request)
        return answer({"message": self._commands.reclaim()})

    async def recycle(self, request: web.BaseRequest, model: str) -> web.Response:
        """Replace one model's engine."""
        self._lock.check(request)
        return answer({"message": self._commands.recycle(model)})


class BootRequests:
    """Where engines ask to start; called by the wrapper in their containers."""

    def __init__(self, scheduler: Scheduler) -> None:
        """Ask this scheduler."""
        self._scheduler = scheduler

    async def wait(self, request: web.BaseRequest) -> web.Response:
        """Answer when the engine may start, or after a while that it may not yet."""
        model, instance, body = await self._asker(request)
        setup = _text(body, "setup", "")
        granted = await self._scheduler.boots.wait(model, instance, BOOT_POLL_S, setup)
        return answer({"granted": granted})

    async def hold(self, request: web.BaseRequest) -> web.Response:
        """Say whether the lease still holds; one from before a restart of ours is renewed."""
        model, instance, _ = await self._asker(request)
        return answer({"held": self._scheduler.boots.hold(model, instance)})

    async def end(self, request: web.BaseRequest) -> web.Response:
        """Take note that the engine's process ended, and why where nobody ordered it."""
        model, instance, body = await self._asker(request)
        reason = _text(body, "reason", "")[:LONGEST_REASON]
        return answer({"ended": self._scheduler.boots.end(model, instance, reason)})

    async def _asker(self, request: web.BaseRequest) -> tuple[str, str, dict[str, Any]]:
        body = await read_object(request)
        model, instance = _text(body, "model"), _text(body, "instance")
        if model not in self._scheduler.state.engine_states:
            raise RefusedError("model_not_found", f"There is no model {model!r} on this GPU.")
        return model, instance, body


async def read_object(request: web.BaseRequest) -> dict[str, Any]:
    """Return the JSON object in the body, empty when there is none."""
    body = await read_body(request)
    try:
        value = orjson.loads(body or b"{}")
    except orjson.JSONDecodeError as error:
        raise RefusedError("invalid_request", f"The body is not JSON: {error}.") from error
    if not isinstance(value, dict):
        raise RefusedError("invalid_request", "The body must be a JSON object.")
    return value


def _text(body: dict[str, Any], key: str, otherwise: str | None = None) -> str:
    value = body.get(key, otherwise)
    if not isinstance(value, str) or (not value and otherwise is None):
        raise RefusedError("invalid_request", f"The body must name the {key}.")
    return value


class Commands:
    """The operator's hand on the scheduler."""

    def __init__(self, scheduler: Scheduler, event_log: EventLog) -> None:
        """Act on this scheduler."""
        self._scheduler = scheduler
        self._state = scheduler.state
        self._event_log = event_log
        self._loop = asyncio.get_running_loop()

    def pin(self, name: str) -> str:
        """Give the GPU to one model until it is unpinned; the others fall back."""
        self._state.gpu.pinned = name
        return self._done("pin", name, f"{name} is pinned; the other models fall back.")

    def unpin(self) -> str:
        """Let everybody have their turn again."""
        self._state.gpu.pinned = None
        return self._done("unpin", None, "All models take their turns again.")

    def release(self, lease_s: float) -> str:
        """Release the whole GPU; it comes back by itself."""
        self._state.gpu.released = True
        self._state.released_until_s = self._loop.time() + lease_s
        return self._done("release", None, f"The GPU is released for {lease_s:g} s.")

    def reclaim(self) -> str:
        """Take the GPU back before the lease ends."""
        self._state.gpu.released = False
        self._state.released_until_s = inf
        return self._done("reclaim", None, "The GPU serves again.")

    def recycle(self, name: str) -> str:
        """Replace one engine's process: what runs in it ends first, nobody else comes in."""
        condition = self._state.engine_states[name].condition
        if condition.absent or condition is Condition.BOOTING:
            message = f"{name} is {condition}, so there is nothing to recycle."
            raise RefusedError("conflict", message)
        reason = "the operator ordered it to be recycled"
        self._state.set_condition(name, Condition.QUARANTINED, reason, self._loop.time())
        self._state.maintenance[name] = Work.RECYCLE
        return self._done("recycle", name, f"{name} is replaced as soon as nothing runs in it.")

    def _done(self, order: str, name: str | None, message: str) -> str:
        self._event_log.say("operator", order, "ordered", name)
        self._scheduler.apply_policy()
        return message
