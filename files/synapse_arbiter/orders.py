"""What the operator orders: pin, release, recycle; each a plain call on the scheduler's state."""

from __future__ import annotations

import asyncio
from math import inf

from synapse_arbiter.journal import Journal
from synapse_arbiter.openai_errors import RefusedError
from synapse_arbiter.scheduler import Scheduler
from synapse_arbiter.state import Condition, Work


class Orders:
    """The operator's hand on the scheduler."""

    def __init__(self, scheduler: Scheduler, journal: Journal) -> None:
        """Act on this scheduler."""
        self._scheduler = scheduler
        self._state = scheduler.state
        self._journal = journal
        self._loop = asyncio.get_running_loop()

    def pin(self, name: str) -> str:
        """Give the card to one model until it is unpinned; the others fall back."""
        self._state.card.pinned = name
        return self._done("pin", name, f"{name} is pinned; the other models fall back.")

    def unpin(self) -> str:
        """Let everybody have their turn again."""
        self._state.card.pinned = None
        return self._done("unpin", None, "All models take their turns again.")

    def release(self, lease_s: float) -> str:
        """Lend the whole card out; the lease ends by itself."""
        self._state.card.released = True
        self._state.released_until_s = self._loop.time() + lease_s
        return self._done("release", None, f"The card is lent out for {lease_s:g} s.")

    def reclaim(self) -> str:
        """Take the card back before the lease ends."""
        self._state.card.released = False
        self._state.released_until_s = inf
        return self._done("reclaim", None, "The card serves again.")

    def recycle(self, name: str) -> str:
        """Replace one engine's process: what runs in it ends first, nobody else comes in."""
        condition = self._state.standings[name].condition
        if condition in (Condition.AWAY, Condition.BOOTING):
            message = f"{name} is {condition}, so there is nothing to recycle."
            raise RefusedError("conflict", message)
        reason = "the operator ordered it to be recycled"
        self._state.set_condition(name, Condition.QUARANTINED, reason, self._loop.time())
        self._state.chores[name] = Work.RECYCLE
        return self._done("recycle", name, f"{name} is replaced as soon as nothing runs in it.")

    def _done(self, order: str, name: str | None, message: str) -> str:
        self._journal.say("operator", order, "ordered", name)
        self._scheduler.settle()
        return message
