"""Boot leases: engines that want to start take their turn like everybody else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf

from synapse_arbiter.errors import RefusedError
from synapse_arbiter.scheduling.engine_health import EngineHealth
from synapse_arbiter.state import BootRequest, Condition, State

FORGET_S = 15.0  # without a sign of life, an ask or a lease is forgotten
SILENT = "its start gave no sign of life"
AGAIN = "its container started again"


class BootLeases:
    """The engines' asks to start, and the one that was granted."""

    def __init__(
        self,
        state: State,
        apply_policy: Callable[[], None],
        engine_health: EngineHealth,
    ) -> None:
        """Work on the scheduler's state."""
        self._state = state
        self._apply_policy = apply_policy
        self._engine_health = engine_health
        self._loop = asyncio.get_running_loop()

    async def wait(self, model: str, instance: str, limit_s: float, setup: str = "") -> bool:
        """Ask for the GPU, keeping a place in the queue; True once it is granted.

        An engine that is started with something else than the last time is a new one: that the
        old one failed to start is forgotten.
        """
        ask = self._ask(model, instance)
        engine_state = self._state.engine_states[model]
        if engine_state.setup != setup:
            engine_state.forgive()
            engine_state.setup = setup
        ask.listeners += 1
        self._apply_policy()
        try:
            async with asyncio.timeout(limit_s):
                await ask.granted.wait()
        except TimeoutError:
            return False
        finally:
            ask.listeners -= 1
            ask.seen_s = self._loop.time()
        return not ask.ended

    def hold(self, model: str, instance: str) -> bool:
        """Take a sign of life of an engine that starts; False once it is taken in.

        An unknown one of an engine that does not answer yet got its lease before the arbiter
        restarted: it is granted anew, ahead of everybody. Before the arbiter has looked at the
        engines it cannot tell, and wants to be told again.
        """
        ask = self._state.boots.get(model)
        engine_state = self._state.engine_states[model]
        if ask is None and engine_state.instance != instance:
            if engine_state.condition is Condition.UNKNOWN:
                return True
            if not engine_state.condition.absent:
                return False
            ask = self._ask(model, instance)
            ask.since_s, ask.goes_on = -inf, True
            self._apply_policy()
        if ask is None or ask.instance != instance:
            return False
        ask.seen_s = self._loop.time()
        return True

    def end(self, model: str, instance: str, reason: str = "") -> bool:
        """Take note that an instance's process is no more; False when it is not the latest.

        It has a reason where nobody ordered it: that start failed, or counts as if it had.
        """
        ask, now_s = self._state.boots.get(model), self._loop.time()
        if ask is not None:
            if ask.instance != instance:
                return False
            if reason:
                self._failed(ask, reason)
            self._drop(ask)
        elif self._state.engine_states[model].instance != instance:
            return False
        told = reason or "its process ended"
        self._engine_health.lost(model, told, now_s, ordered=not reason)
        self._apply_policy()
        return True

    def finish(self, model: str) -> None:
        """End the lease of an engine whose boot is over; who was not let in waits on."""
        ask = self._state.boots.get(model)
        if ask is None:
            return
        if ask.granted.is_set():
            self._state.engine_states[model].instance = ask.instance
            self._drop(ask)
        else:
            self._engine_health.waits(model, self._loop.time())

    def oldest(self) -> BootRequest | None:
        """Return the ask whose turn is next; only one whose engine is there and may start."""
        now_s = self._loop.time()
        ready = [ask for ask in self._waiting() if self._clock_s(ask) <= now_s]
        return min(ready, key=self._clock_s, default=None)

    def next_s(self, now_s: float) -> float:
        """Return when the next engine may start that has to wait after it failed."""
        later = [clock_s for ask in self._waiting() if (clock_s := self._clock_s(ask)) > now_s]
        return min(later, default=inf)

    def refresh(self, now_s: float) -> None:
        """Forget the asks and end the leases whose engines gave no sign of life for long.

        Then tell the policy how long boots wait.
        """
        for ask in list(self._state.boots.values()):
            if not ask.listeners and now_s - ask.seen_s > FORGET_S:
                if self._failed(ask, SILENT):
                    self._engine_health.lost(ask.model, SILENT, now_s)
                self._drop(ask)
        first = self.oldest()
        self._state.gpu.boot_since_s = None if first is None else self._clock_s(first)

    def _waiting(self) -> list[BootRequest]:
        asks = self._state.boots.values()
        return [ask for ask in asks if (ask.listeners or ask.goes_on) and not ask.granted.is_set()]

    def _clock_s(self, ask: BootRequest) -> float:
        """Return since when it waits for its turn; after a failed start, only from its end on."""
        if ask.goes_on:
            return ask.since_s
        return max(ask.since_s, self._state.engine_states[ask.model].boot_after_s)

    def _failed(self, ask: BootRequest, reason: str) -> bool:
        """Count a start that failed; one that still waits for its turn has not begun."""
        began = ask.granted.is_set()
        if began:
            self._engine_health.failed(ask.model, reason, self._loop.time())
        return began

    def _ask(self, model: str, instance: str) -> BootRequest:
        """Return this instance's ask, a new one if need be.

        Another instance of the same engine means that the earlier one is no more: a lease it
        holds ends, but its place in the queue stays. Should the earlier one live on after all, it
        must not take the place back: it is refused.
        """
        now_s = self._loop.time()
        earlier, since_s, superseded = self._state.boots.get(model), now_s, frozenset[str]()
        if earlier is not None:
            if earlier.instance == instance:
                return earlier
            if instance in earlier.superseded:
                message = f"A later start of {model} asked for the GPU already."
                raise RefusedError("conflict", message, FORGET_S)
            since_s = now_s if earlier.granted.is_set() else earlier.since_s
            superseded = earlier.superseded | {earlier.instance}
            self._failed(earlier, AGAIN)
            self._drop(earlier)
        self._engine_health.waits(model, now_s)
        ask = BootRequest(model, instance, since_s, now_s, superseded)
        self._state.boots[model] = ask
        return ask

    def _drop(self, ask: BootRequest) -> None:
        self._state.boots.pop(ask.model, None)
        ask.end()
