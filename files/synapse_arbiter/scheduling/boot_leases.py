"""Boot leases: engines that want to start take their turn like everybody else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf

from synapse_arbiter.errors import RefusedError
from synapse_arbiter.state import BootRequest, Condition, State

FORGET_S = 15.0  # without a sign of life, an ask or a lease is forgotten


class BootLeases:
    """The engines' asks to start, and the one that was granted."""

    def __init__(
        self,
        state: State,
        apply_policy: Callable[[], None],
        lost: Callable[[str, str, float], None],
        waits: Callable[[str, float], None],
    ) -> None:
        """Work on the scheduler's state."""
        self._state = state
        self._apply_policy = apply_policy
        self._lost = lost
        self._waits = waits
        self._loop = asyncio.get_running_loop()

    async def wait(self, model: str, instance: str, limit_s: float) -> bool:
        """Ask for the GPU, keeping a place in the queue; True once it is granted."""
        ask = self._ask(model, instance)
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
        ask.seen_s, ask.holds = self._loop.time(), True
        return True

    def end(self, model: str, instance: str) -> bool:
        """Take note that an instance's process is no more; False when it is not the latest."""
        ask = self._state.boots.get(model)
        if ask is not None:
            if ask.instance != instance:
                return False
            self._drop(ask)
        elif self._state.engine_states[model].instance != instance:
            return False
        self._lost(model, "its process ended", self._loop.time())
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
            self._waits(model, self._loop.time())

    def oldest(self) -> BootRequest | None:
        """Return the ask whose turn is next; only one whose engine is there to start."""
        asks = self._state.boots.values()
        ready = [ask for ask in asks if (ask.listeners or ask.goes_on) and not ask.granted.is_set()]
        return min(ready, key=lambda ask: ask.since_s, default=None)

    def refresh(self, now_s: float) -> None:
        """Forget the asks and end the leases whose engines gave no sign of life for long.

        Then tell the policy how long boots wait.
        """
        for ask in list(self._state.boots.values()):
            waits = not ask.granted.is_set()
            if (waits or ask.holds) and not ask.listeners and now_s - ask.seen_s > FORGET_S:
                self._drop(ask)
        first = self.oldest()
        self._state.gpu.boot_since_s = None if first is None else first.since_s

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
            self._drop(earlier)
        self._waits(model, now_s)
        ask = BootRequest(model, instance, since_s, now_s, superseded)
        self._state.boots[model] = ask
        return ask

    def _drop(self, ask: BootRequest) -> None:
        self._state.boots.pop(ask.model, None)
        ask.end()
