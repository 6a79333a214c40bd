"""Boot leases: engines that want to start take their turn like everybody else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf

from synapse_arbiter.state import BootAsk, Condition, State

FORGET_S = 10.0  # an ask nobody listens for is forgotten after this


class Boots:
    """The engines' asks to start, and the one that was granted."""

    def __init__(self, state: State, settle: Callable[[], None]) -> None:
        """Work on the scheduler's state."""
        self._state = state
        self._settle = settle
        self._loop = asyncio.get_running_loop()

    async def wait(self, model: str, instance: str, limit_s: float) -> bool:
        """Ask for the card, keeping a place in the queue; True once it is granted.

        Another instance of the same engine means that the earlier one is no more: its place
        in the queue stays, but a lease it holds ends.
        """
        ask = self._ask(model, instance)
        ask.listeners += 1
        self._settle()
        try:
            async with asyncio.timeout(limit_s):
                await ask.granted.wait()
        except TimeoutError:
            return False
        finally:
            ask.listeners -= 1
            ask.seen_s = self._loop.time()
        return not ask.ended

    def end(self, model: str, instance: str) -> bool:
        """End an ask or a lease because its engine is no more; False when there is none."""
        ask = self._state.boots.get(model)
        if ask is None or ask.instance != instance:
            return False
        self._drop(ask)
        self._state.set_condition(model, Condition.AWAY, "its process ended", self._loop.time())
        self._settle()
        return True

    def hold(self, model: str, instance: str) -> bool:
        """Say whether this instance's lease goes on; False once the engine is taken in.

        An unknown lease of an engine that has not answered yet was granted before the arbiter
        restarted: it is asked for again, ahead of everybody.
        """
        ask = self._state.boots.get(model)
        if ask is None and self._state.standings[model].condition is Condition.AWAY:
            ask = self._ask(model, instance)
            ask.since_s, ask.listeners = -inf, 1
            self._settle()
        if ask is None or ask.instance != instance:
            return False
        ask.seen_s = self._loop.time()
        return True

    def oldest(self) -> BootAsk | None:
        """Return the ask whose turn is next; only one that somebody listens for."""
        waiting = [ask for ask in self._state.boots.values() if not ask.granted.is_set()]
        return min((ask for ask in waiting if ask.listeners), key=_since, default=None)

    def finish(self, model: str) -> None:
        """End the lease of an engine whose boot is over."""
        ask = self._state.boots.get(model)
        if ask is not None and ask.granted.is_set():
            self._drop(ask)

    def refresh(self, now_s: float) -> None:
        """Forget the asks nobody listens for, and tell the policy how long boots wait."""
        for ask in list(self._state.boots.values()):
            if not ask.listeners and not ask.granted.is_set() and now_s - ask.seen_s > FORGET_S:
                self._drop(ask)
        first = self.oldest()
        self._state.card.boot_since_s = None if first is None else first.since_s

    def _ask(self, model: str, instance: str) -> BootAsk:
        now_s = self._loop.time()
        ask = self._state.boots.get(model)
        if ask is not None and ask.instance == instance:
            return ask
        since_s = now_s
        if ask is not None:
            since_s = now_s if ask.granted.is_set() else ask.since_s
            self._drop(ask)
        self._state.set_condition(model, Condition.AWAY, "it waits for its turn to start", now_s)
        ask = self._state.boots[model] = BootAsk(model, instance, since_s, now_s)
        return ask

    def _drop(self, ask: BootAsk) -> None:
        self._state.boots.pop(ask.model, None)
        ask.end()


def _since(ask: BootAsk) -> float:
    return ask.since_s
