"""Places that are few: who waits is let in by urgency, and one application after the other.

Within an application its people take turns likewise, where it tells them apart.

The gateway's uploads and recordings wait like this, and the sentences of the speech server.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

PEOPLE = 1024
"""Whose latest entry is remembered; of those forgotten each is let in as if for the first time."""
INTERACTIVE_IN_A_ROW = 3
"""While both wait, every fourth place goes to batch work, as at the GPU: it never starves."""


@dataclass(frozen=True)
class Claim:
    """Who wants a place, and what for."""

    app: str
    is_interactive: bool = True
    is_short: bool = True
    """The place is wanted for a moment only."""
    person: str = ""
    """Who is behind the application; empty: nobody says."""


Rule = Callable[[Claim, int, int], bool]
"""Says whether a claim may take one of the places that are free, given how many its application
holds and how many are free."""


def anybody(_claim: Claim, _held: int, _free: int) -> bool:
    """Let everybody in while a place is free."""
    return True


class Line:
    """The places, and everybody who waits for one."""

    def __init__(self, places: int, may_enter: Rule = anybody) -> None:
        """Begin with every place free."""
        self._free = places
        self._may_enter = may_enter
        self._held: Counter[str] = Counter()
        self._held_by: Counter[tuple[str, str]] = Counter()
        """Of each person of each application."""
        self._waiting: dict[asyncio.Future[None], Claim] = {}
        self._entered: dict[str, int] = {}
        """Per application the number of its latest entry: who was let in longest ago is next."""
        self._came: OrderedDict[tuple[str, str], int] = OrderedDict()
        """The same of each person, the latest last."""
        self._entries = 0
        self._row = 0
        """Interactive entries in a row while batch work waited."""

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._waiting)

    def held(self, app: str) -> int:
        """Return how many places an application holds."""
        return self._held[app]

    @contextlib.asynccontextmanager
    async def place(self, claim: Claim, limit_s: float | None = None) -> AsyncIterator[None]:
        """Hold a place until the block ends; raise TimeoutError where none comes in time."""
        await self.enter(claim, limit_s)
        try:
            yield
        finally:
            self.leave(claim)

    def is_open(self, claim: Claim) -> bool:
        """Say whether a claim would find a place without waiting."""
        return self._free > 0 and self._may_enter(claim, self._held[claim.app], self._free)

    async def enter(self, claim: Claim, limit_s: float | None = None) -> None:
        """Take a place, which must be left; raise TimeoutError where none comes in time."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting[turn] = claim
        self._admit()
        try:
            if not turn.done():
                async with asyncio.timeout(limit_s):
                    await turn
        except BaseException:
            if self._waiting.pop(turn, None) is None:  # its turn came in the moment it went
                self.leave(claim)
            raise

    def leave(self, claim: Claim) -> None:
        """Give a place back; whoever is next has it at once."""
        self._free += 1
        self._held[claim.app] -= 1
        who = claim.app, claim.person
        self._held_by[who] -= 1
        if not self._held_by[who]:
            del self._held_by[who]
        self._admit()

    def _admit(self) -> None:
        """Let in whoever may enter, in order."""
        while turn := self._next():
            claim = self._waiting.pop(turn)
            self._free -= 1
            self._held[claim.app] += 1
            self._entries += 1
            self._entered[claim.app] = self._entries
            who = claim.app, claim.person
            self._held_by[who] += 1
            self._came[who] = self._entries
            self._came.move_to_end(who)
            if len(self._came) > PEOPLE:
                self._came.popitem(last=False)
            turn.set_result(None)

    def _next(self) -> asyncio.Future[None] | None:
        """Return whose turn it is.

        (1) interactive before batch, but for every fourth; (2) of the application that holds the
        fewest places, (3) then of the one that was let in longest ago; (4) of its people likewise;
        (5) in order of arrival.
        """
        # Who is given up at this moment still stands here, with a turn that is cancelled.
        waiting = [each for each in self._waiting if not each.done()]
        open_to = [each for each in waiting if self.is_open(self._waiting[each])]
        if not open_to:
            return None
        interactive = [each for each in open_to if self._waiting[each].is_interactive]
        batch_waits = len(interactive) < len(open_to)
        is_due = batch_waits and self._row >= INTERACTIVE_IN_A_ROW
        if not interactive or is_due:  # (1)
            self._row = 0
            chosen = [each for each in open_to if not self._waiting[each].is_interactive]
        else:
            self._row = self._row + 1 if batch_waits else 0
            chosen = interactive
        return min(chosen, key=self._rank)

    def _rank(self, turn: asyncio.Future[None]) -> tuple[int, int, int, int]:
        claim = self._waiting[turn]
        app, who = claim.app, (claim.app, claim.person)
        of_app = self._held[app], self._entered.get(app, 0)  # (2), (3)
        return *of_app, self._held_by[who], self._came.get(who, 0)  # (4)
