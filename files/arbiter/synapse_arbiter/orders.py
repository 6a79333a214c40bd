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

    def pin(self, name: str) -> None:
        """Give the card to one model until it is unpinned; the others fall back."""
        self._known(name)
        self._state.card.pinned = name
        self._done("pin", name)

    def unpin(self) -> None:
        """Let everybody have their turn again."""
        self._state.card.pinned = None
        self._done("unpin", None)

    def release(self, lease_s: float) -> None:
        """Lend the whole card out; the lease ends by itself."""
        self._state.card.released = True
        self._state.released_until_s = self._loop.time() + lease_s
        self._done("release", None)

    def reclaim(self) -> None:
        """Take the card back before the lease ends."""
        self._state.card.released = False
        self._state.released_until_s = inf
        self._done("reclaim", None)

    def recycle(self, name: str) -> None:
        """Replace one engine's process: what runs in it ends first, nobody else comes in."""
        self._known(name)
        if self._state.standings[name].condition in (Condition.AWAY, Condition.BOOTING):
            raise RefusedError("conflict", f"{name} is not running, so it cannot be recycled.")
        now_s = self._loop.time()
        self._state.set_condition(name, Condition.QUARANTINED, "the operator asked for it", now_s)
        self._state.chores[name] = Work.RECYCLE
        self._done("recycle", name)

    def _known(self, name: str) -> None:
        if name not in self._state.standings:
            raise RefusedError("model_not_found", f"There is no model {name!r} on this card.")

    def _done(self, order: str, name: str | None) -> None:
        self._journal.say("operator", order, "ordered", name)
        self._scheduler.settle()
