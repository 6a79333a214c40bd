"""Which of our engines are there: each is asked for its health, beat after beat.

Nothing else tells that one is away: no time-out, no error and no client's impatience.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import Gauge

from synapse_common.engines import ARBITER_HEALTH_PATH, LITELLM, LITELLM_HEALTH_PATH
from synapse_gateway.access_log import RequestRecord
from synapse_gateway.config import Config, Model
from synapse_gateway.log_pipe import now, write_line

Ask = Callable[[Model, str], Awaitable[bool]]
"""Asks where a model is served, at this path, and says whether the engine answered."""


class EngineAway(ConnectionError):  # noqa: N818  # it is a state
    """The engine has missed its beats; it is not asked, and nobody waits for it any longer."""

    def __init__(self, retry_s: int) -> None:
        """Say when it is asked for its health again."""
        super().__init__("the engine is away")
        self.retry_s = retry_s


@dataclass(eq=False)
class Engine:
    """One of our engines, which may serve several models."""

    name: str
    model: Model
    """One of its models: how it is reached."""
    path: str
    """Where it says that it runs."""
    is_away: bool = False
    misses: int = 0
    """Beats without an answer, in a row."""
    heard_s: float = -math.inf
    """When it answered any request."""
    next_s: float = 0.0
    """When it is asked again."""
    waiting: dict[asyncio.Timeout, RequestRecord] = field(default_factory=dict)
    """Who is given up when it goes away, unless the client has a part of an answer."""

    def away(self) -> EngineAway:
        """Return what its requests meet while it is away."""
        wait_s = self.next_s - asyncio.get_running_loop().time()
        return EngineAway(max(1, math.ceil(wait_s)))


class Health:
    """The state of every engine that can be asked; providers outside are not."""

    def __init__(self, config: Config, up: Gauge) -> None:
        """Take every engine for healthy until it has missed its beats."""
        self._engines = _engines(config)
        self._beat_s = config.settings.health_beat_s
        self._misses = config.settings.health_misses
        self._up = up
        for engine in self._engines.values():
            up.labels(engine.name).set(1)

    def is_away(self, model: Model) -> bool:
        """Say whether the engine of a model is away."""
        engine = self._engines.get(model.url)
        return engine is not None and engine.is_away

    def heard(self, model: Model) -> None:
        """Note that the engine answered a request: so busy, it may be slow to tell its health."""
        engine = self._engines.get(model.url)
        if engine is not None:
            engine.heard_s = asyncio.get_running_loop().time()

    def needed(
        self, model: Model, record: RequestRecord
    ) -> contextlib.AbstractAsyncContextManager[None]:
        """Run a block that waits for an engine; raise EngineAway when that is away.

        Once the client has a part of an answer, the block goes on: its pauses have a limit.
        """
        engine = self._engines.get(model.url)
        return contextlib.nullcontext() if engine is None else _Needed(engine, record)

    async def follow(self, ask: Ask) -> None:
        """Ask every engine, for ever."""
        async with asyncio.TaskGroup() as group:
            for engine in self._engines.values():
                group.create_task(self._follow(engine, ask))

    async def _follow(self, engine: Engine, ask: Ask) -> None:
        clock_s = asyncio.get_running_loop().time
        while True:
            began_s = clock_s()
            engine.next_s = began_s + self._beat_s
            answered = await self._answers(engine, ask)
            busy = engine.heard_s >= began_s and not engine.is_away
            self._note(engine, answered or busy)
            await asyncio.sleep(max(0.0, engine.next_s - clock_s()))

    async def _answers(self, engine: Engine, ask: Ask) -> bool:
        try:
            async with asyncio.timeout(self._beat_s):
                return await ask(engine.model, engine.path)
        except TimeoutError:
            return False

    def _note(self, engine: Engine, is_there: bool) -> None:
        engine.misses = 0 if is_there else engine.misses + 1
        is_away = engine.misses >= self._misses
        if is_away != engine.is_away:
            engine.is_away = is_away
            self._tell(engine)

    def _tell(self, engine: Engine) -> None:
        self._up.labels(engine.name).set(not engine.is_away)
        now_s = asyncio.get_running_loop().time()
        given_up = [limit for limit, record in engine.waiting.items() if not record.is_answered]
        for limit in given_up if engine.is_away else ():
            limit.reschedule(now_s)
        write_line(
            {
                "ts": now(),
                "event": "engine",
                "engine": engine.name,
                "state": "away" if engine.is_away else "back",
                "given_up": len(given_up) if engine.is_away else 0,
            }
        )


class _Needed(contextlib.AbstractAsyncContextManager[None]):
    __slots__ = ("_engine", "_limit", "_record")

    def __init__(self, engine: Engine, record: RequestRecord) -> None:
        self._engine = engine
        self._record = record
        self._limit = asyncio.timeout(None)

    async def __aenter__(self) -> None:
        if self._engine.is_away:
            raise self._engine.away()
        await self._limit.__aenter__()
        self._engine.waiting[self._limit] = self._record

    async def __aexit__(self, *ended: Any) -> None:
        del self._engine.waiting[self._limit]
        try:
            await self._limit.__aexit__(*ended)
        except TimeoutError:
            raise self._engine.away() from None


def _engines(config: Config) -> dict[str, Engine]:
    """Return by address the engines that serve these models, and LiteLLM where it is asked."""
    found: dict[str, Engine] = {}
    for model in config.models.values():
        for place in (model, config.translated(model)):
            if place is not None and place.url not in found:
                name, path = _asked(place)
                if path:
                    found[place.url] = Engine(name, place, path)
    return found


def _asked(model: Model) -> tuple[str, str]:
    """Return who answers for a model, and at which path it tells that it runs."""
    engine = model.engine_type
    if model.via_litellm:
        return LITELLM.name, LITELLM_HEALTH_PATH
    return engine.service, ARBITER_HEALTH_PATH if model.via_arbiter else engine.health_path
