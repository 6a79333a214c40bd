"""What can happen to the GPU: switch, boot, adopt, calm, rouse, check, reconcile, recycle.

One of these runs at a time: the scheduler sees to that. Each returns an `Outcome` with the
facts, and the scheduler decides what follows from them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from synapse_arbiter.config import Settings
from synapse_arbiter.engine.recycler import Recycler, RecycleRefusedError
from synapse_arbiter.engine.result import Ledger, Outcome
from synapse_arbiter.engine.steps import Steps, until
from synapse_arbiter.engine.vllm_client import (
    Engine,
    EngineAwayError,
    EngineFailedError,
    gather_sleeping,
)
from synapse_arbiter.engine.vram import Vram
from synapse_arbiter.state import Operation, State, Work

Step = Callable[[str, Outcome], Awaitable[bool]]


class Lease(Protocol):
    """An engine's right to start, as the boot sees it."""

    ended: bool

    def grant(self) -> None:
        """Let the engine start."""


class Transitions:
    """The transitions of one GPU."""

    def __init__(
        self, settings: Settings, engines: Mapping[str, Engine], vram: Vram, recycler: Recycler
    ) -> None:
        """Prepare the steps."""
        self._limits = settings.limits
        self._engines = engines
        self._recycler = recycler
        self._steps = Steps(settings, engines, vram)

    @property
    def ledgers(self) -> dict[str, Ledger]:
        """What is known of each engine since its process started."""
        return self._steps.ledgers

    async def switch(self, victim: str | None, target: str | None) -> Outcome:
        """Put the victim to sleep, then wake the target; a victim that stays awake stops it."""
        outcome = Outcome()
        if victim is not None and not await self._steps.lay_down(victim, outcome):
            return outcome
        if target is not None:
            await self._settle_in(target, self._steps.bring_up, outcome)
        return outcome

    async def calm(self, name: str) -> Outcome:
        """Put an engine to sleep that is awake without being resident."""
        outcome = Outcome()
        await self._steps.lay_down(name, outcome)
        return outcome

    async def rouse(self, name: str) -> Outcome:
        """Wake the resident that somebody else put to sleep."""
        outcome = Outcome()
        await self._settle_in(name, self._steps.bring_up, outcome)
        return outcome

    async def check(self, name: str) -> Outcome:
        """See whether the resident still answers."""
        outcome = Outcome()
        if await self._steps.prove(name, outcome):
            outcome.resident = name
        return outcome

    async def boot(self, name: str, lease: Lease) -> Outcome:
        """Put everybody else to sleep, let the engine start, and end with its first sleep."""

        async def is_settled() -> bool:
            return lease.ended or await self._answers(name)

        outcome = Outcome()
        states = await gather_sleeping(self._engines)
        for other in [other for other, asleep in states.items() if asleep is False]:
            if other != name and not await self._steps.lay_down(other, outcome):
                return outcome
        empty_gib = await self._steps.used_gib()
        with outcome.timed("boot", name):
            lease.grant()
            in_time = await until(is_settled, self._limits.boot_s)
        if lease.ended:
            outcome.notes.append(f"{name} ended before it answered")
            outcome.away.add(name)
        elif not in_time:
            outcome.broken[name] = "boot_timeout"
        else:
            await self._take_in(name, outcome)
            await self._steps.measure_rest(name, empty_gib)
        return outcome

    async def adopt(self, name: str) -> Outcome:
        """Take in an engine that started without asking: record its answer, let it sleep."""
        outcome = Outcome()
        await self._take_in(name, outcome)
        return outcome

    async def reconcile(self, preferred: str | None) -> Outcome:
        """Learn from the engines who is awake; keep one of them, put the others to sleep.

        What an earlier arbiter began goes on in its engine without it, and ends first: until
        then nobody knows who is awake, and a second engine that moved would make it fail.
        """
        outcome = Outcome()
        limit_s = max(self._limits.first_sleep_s, self._limits.wake_s)
        if not await until(self._nobody_moves, limit_s):
            outcome.notes.append(f"an engine still falls asleep or wakes up after {limit_s:g} s")
        states = await gather_sleeping(self._engines)
        outcome.away = {name for name, asleep in states.items() if asleep is None}
        outcome.asleep = {name for name, asleep in states.items() if asleep}
        awake = [name for name, asleep in states.items() if asleep is False]
        keep = preferred if preferred in awake else next(iter(awake), None)
        for name in awake:
            if name != keep:
                await self._steps.lay_down(name, outcome)
        if keep is not None:
            await self._settle_in(keep, self._steps.prove, outcome)
        return outcome

    async def recycle(self, name: str) -> Outcome:
        """Replace an engine's process and see the old one gone; its memory goes with it."""
        outcome = Outcome()
        try:
            with outcome.timed("recycle", name):
                before_s = await self._started(name)
                await self._recycler.recycle(name)
                gone = await until(lambda: self._is_new(name, before_s), self._limits.recycle_s)
        except RecycleRefusedError as error:
            outcome.notes.append(str(error))
            outcome.broken[name] = "recycle_failed"
            return outcome
        if not gone:
            outcome.notes.append(f"{name} was recycled but still answers")
        outcome.away.add(name)
        return outcome

    async def _settle_in(self, name: str, step: Step, outcome: Outcome) -> None:
        """Make an engine resident; one that fails gives its memory back if it can."""
        if await step(name, outcome):
            outcome.resident = name
        elif name not in outcome.away and outcome.broken.get(name) != "wake_failed":
            await self._steps.lay_down(name, outcome)

    async def _take_in(self, name: str, outcome: Outcome) -> None:
        self._steps.ledgers[name] = Ledger()
        await self._steps.prove(name, outcome)
        if name not in outcome.away:
            await self._steps.lay_down(name, outcome)

    async def _nobody_moves(self) -> bool:
        return not any(await asyncio.gather(*(self._moves(name) for name in self._engines)))

    async def _moves(self, name: str) -> bool:
        try:
            return (await self._engines[name].load()).operations > 0
        except (EngineAwayError, EngineFailedError):
            return False

    async def _answers(self, name: str) -> bool:
        try:
            await self._engines[name].sleeping()
        except (EngineAwayError, EngineFailedError):
            return False
        return True

    async def _is_new(self, name: str, before_s: float | None) -> bool:
        """Say whether the process that started then is gone."""
        if not await self._answers(name):
            return True
        return before_s is not None and await self._started(name) not in (None, before_s)

    async def _started(self, name: str) -> float | None:
        try:
            return (await self._engines[name].load()).started_s
        except (EngineAwayError, EngineFailedError):
            return None


log = logging.getLogger("synapse_arbiter")


async def perform(operation: Operation, moves: Transitions, state: State) -> Outcome:
    """Do what the operation says; after an error of our own, nobody it touched is trusted."""
    try:
        return await _perform(operation, moves, state)
    except Exception:
        log.exception("a transition failed for a reason that is our own fault")
        names = dict.fromkeys((operation.model, operation.resident))
        return Outcome(broken={name: "internal_error" for name in names if name is not None})


async def _perform(operation: Operation, moves: Transitions, state: State) -> Outcome:
    work, model = operation.work, str(operation.model)
    if work is Work.RECONCILE:
        return await moves.reconcile(state.gpu.default)
    if work is Work.SLEEP:
        return await moves.switch(operation.resident, None)
    if work is Work.SWITCH:
        return await moves.switch(operation.resident, model)
    if operation.lease is not None:
        return await moves.boot(model, operation.lease)
    chores = {
        Work.ADOPT: moves.adopt,
        Work.CALM: moves.calm,
        Work.ROUSE: moves.rouse,
        Work.CHECK: moves.check,
        Work.RECYCLE: moves.recycle,
    }
    return await chores[work](model)
