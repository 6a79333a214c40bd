"""What can happen to the GPU: switch, boot, reconcile, and the maintenance of single engines.

One of these runs at a time: the scheduler sees to that. Each returns a `TransitionResult` with the
facts, and the scheduler decides what follows from them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from synapse_arbiter.config import Settings
from synapse_arbiter.engine.recycler import Recycler, RecycleRefusedError
from synapse_arbiter.engine.result import EngineStats, TransitionResult
from synapse_arbiter.engine.steps import Steps, until
from synapse_arbiter.engine.vllm_client import (
    Engine,
    EngineAwayError,
    EngineFailedError,
    EngineHungError,
    gather_sleeping,
)
from synapse_arbiter.engine.vram import Vram
from synapse_arbiter.state import Operation, State, Work

Step = Callable[[str, TransitionResult], Awaitable[bool]]


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
    def stats(self) -> dict[str, EngineStats]:
        """What is known of each engine since its process started."""
        return self._steps.stats

    async def switch(self, victim: str | None, target: str | None) -> TransitionResult:
        """Put the victim to sleep, then wake the target; a victim that stays awake stops it."""
        outcome = TransitionResult()
        if victim is not None and not await self._steps.sleep_verified(victim, outcome):
            return outcome
        if target is not None:
            await self._take_turn(target, self._steps.wake_verified, outcome)
        return outcome

    async def force_sleep(self, name: str) -> TransitionResult:
        """Put an engine to sleep that is awake without being resident."""
        outcome = TransitionResult()
        await self._steps.sleep_verified(name, outcome)
        return outcome

    async def rewake(self, name: str) -> TransitionResult:
        """Wake the resident that somebody else put to sleep."""
        outcome = TransitionResult()
        await self._take_turn(name, self._steps.wake_verified, outcome)
        return outcome

    async def check(self, name: str) -> TransitionResult:
        """See whether the resident still answers."""
        outcome = TransitionResult()
        if await self._steps.canary(name, outcome):
            outcome.resident = name
        return outcome

    async def boot(self, name: str, lease: Lease) -> TransitionResult:
        """Put everybody else to sleep, let the engine start, and end with its first sleep."""

        async def is_settled() -> bool:
            return lease.ended or await self._answers(name)

        outcome = TransitionResult()
        states = await gather_sleeping(self._engines)
        for other in [other for other, asleep in states.items() if asleep is False]:
            if other != name and not await self._steps.sleep_verified(other, outcome):
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

    async def onboard(self, name: str) -> TransitionResult:
        """Take in an engine that started without asking: record its answer, let it sleep."""
        outcome = TransitionResult()
        await self._take_in(name, outcome)
        return outcome

    async def reconcile(self, preferred: str | None) -> TransitionResult:
        """Learn from the engines who is awake; keep one of them, put the others to sleep.

        What an earlier arbiter began goes on in its engine without it, and ends first: until
        then nobody knows who is awake, and a second engine that moved would make it fail.
        """
        outcome = TransitionResult()
        # NetworkPolicies know a new pod after up to a second; until then nobody seems to be there.
        await until(self._anybody_answers, self._limits.network_s)
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
                await self._steps.sleep_verified(name, outcome)
        if keep is not None:
            await self._take_turn(keep, self._steps.canary, outcome)
        return outcome

    async def recycle(self, name: str) -> TransitionResult:
        """Replace an engine's process and see the old one gone; its memory goes with it."""
        outcome = TransitionResult()
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
            outcome.notes.append(f"{name} was recycled but is still there")
        if not gone and await self._hangs(name):
            outcome.broken[name] = "recycle_failed"
        else:
            outcome.away.add(name)
        return outcome

    async def _take_turn(self, name: str, step: Step, outcome: TransitionResult) -> None:
        """Make an engine resident; one that fails gives its memory back if it can."""
        if await step(name, outcome):
            outcome.resident = name
        elif name not in outcome.away and outcome.broken.get(name) != "wake_failed":
            await self._steps.sleep_verified(name, outcome)

    async def _take_in(self, name: str, outcome: TransitionResult) -> None:
        self._steps.stats[name] = EngineStats()
        await self._steps.canary(name, outcome)
        if name not in outcome.away:
            await self._steps.sleep_verified(name, outcome)

    async def _nobody_moves(self) -> bool:
        return not any(await asyncio.gather(*(self._moves(name) for name in self._engines)))

    async def _moves(self, name: str) -> bool:
        try:
            # Unknown is not zero: an engine that cannot tell may be moving.
            return (await self._engines[name].load()).operations != 0
        except (EngineAwayError, EngineFailedError):
            return False

    async def _anybody_answers(self) -> bool:
        return any(await asyncio.gather(*(self._answers(name) for name in self._engines)))

    async def _answers(self, name: str) -> bool:
        try:
            await self._engines[name].sleeping()
        except (EngineAwayError, EngineFailedError):
            return False
        return True

    async def _is_new(self, name: str, before_s: float | None) -> bool:
        """Say whether the process that started then is gone; one that hangs holds its memory."""
        if not await self._answers(name):
            return not await self._hangs(name)
        return before_s is not None and await self._started(name) not in (None, before_s)

    async def _hangs(self, name: str) -> bool:
        try:
            await self._engines[name].sleeping()
        except EngineHungError:
            return True
        except (EngineAwayError, EngineFailedError):
            pass
        return False

    async def _started(self, name: str) -> float | None:
        try:
            return (await self._engines[name].load()).started_s
        except (EngineAwayError, EngineFailedError):
            return None


log = logging.getLogger("synapse_arbiter")


async def perform(operation: Operation, moves: Transitions, state: State) -> TransitionResult:
    """Do what the operation says; after an error of our own, nobody it touched is trusted."""
    try:
        return await _perform(operation, moves, state)
    except Exception:
        log.exception("a transition failed for a reason that is our own fault")
        names = dict.fromkeys((operation.model, operation.resident))
        return TransitionResult(
            broken={name: "internal_error" for name in names if name is not None}
        )


async def _perform(operation: Operation, moves: Transitions, state: State) -> TransitionResult:
    work, model = operation.work, str(operation.model)
    if work is Work.RECONCILE:
        return await moves.reconcile(state.gpu.default)
    if work is Work.SLEEP:
        return await moves.switch(operation.resident, None)
    if work is Work.SWITCH:
        return await moves.switch(operation.resident, model)
    if operation.lease is not None:
        return await moves.boot(model, operation.lease)
    maintenance = {
        Work.ONBOARD: moves.onboard,
        Work.FORCE_SLEEP: moves.force_sleep,
        Work.REWAKE: moves.rewake,
        Work.CHECK: moves.check,
        Work.RECYCLE: moves.recycle,
    }
    return await maintenance[work](model)
