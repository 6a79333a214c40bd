"""Which requests run in the engine, which wait inside it, and who is paused, as in vLLM."""

import asyncio
from collections import deque
from collections.abc import Iterable
from enum import Enum
from typing import Any


class PauseState(Enum):
    """UNPAUSED; PAUSED_NEW: running ones go on, none is admitted; PAUSED_ALL: all stand still."""

    UNPAUSED = "unpaused"
    PAUSED_NEW = "paused_new"
    PAUSED_ALL = "paused_all"


class AbortedError(Exception):
    """The engine ended this request early."""


class Ticket:
    """One request's place in the engine."""

    def __init__(self, request_id: str) -> None:
        """Make a place that is neither admitted nor interrupted."""
        loop = asyncio.get_running_loop()
        self.request_id = request_id
        self.admitted: asyncio.Future[None] = loop.create_future()
        self.interrupted: asyncio.Future[Exception] = loop.create_future()

    def interrupt(self, why: Exception) -> None:
        """Make the request end with `why` at its next step."""
        if not self.interrupted.done():
            self.interrupted.set_result(why)


class Scheduler:
    """Admits requests in order of arrival, `max_num_seqs` at a time, unless paused."""

    def __init__(self, max_num_seqs: int) -> None:
        """Start empty and unpaused."""
        self._limit = max_num_seqs
        self._stepping = asyncio.Event()
        self._stepping.set()
        self._frozen = False
        self._idle = asyncio.Event()
        self._idle.set()
        self.pause_state = PauseState.UNPAUSED
        self.running: set[Ticket] = set()
        self.waiting: deque[Ticket] = deque()

    async def admit(self, ticket: Ticket) -> None:
        """Wait until the request may run; raise what interrupted it meanwhile."""
        self.waiting.append(ticket)
        self._fill()
        if not ticket.admitted.done():
            await _first(ticket.admitted, ticket.interrupted)
        self._raise_if_interrupted(ticket)

    async def step(self, ticket: Ticket, seconds: float) -> None:
        """Let a running request compute for `seconds`; stand still while all is paused."""
        if seconds > 0:
            await asyncio.wait({ticket.interrupted}, timeout=seconds)
        while not self._stepping.is_set() and not ticket.interrupted.done():
            released = asyncio.ensure_future(self._stepping.wait())
            try:
                await _first(released, ticket.interrupted)
            finally:
                released.cancel()
        self._raise_if_interrupted(ticket)

    def release(self, ticket: Ticket) -> None:
        """Give up a place, running or waiting, and admit whoever is next."""
        self.running.discard(ticket)
        if ticket in self.waiting:
            self.waiting.remove(ticket)
        self._fill()

    def set_pause(self, state: PauseState) -> None:
        """Pause or resume; resuming admits what queued up meanwhile."""
        self.pause_state = state
        self._fill()

    def freeze(self, *, frozen: bool) -> None:
        """Stand still whatever the pause says, as a stopped process does, or go on."""
        self._frozen = frozen
        self._fill()

    def interrupt(self, why: Exception, only: Iterable[str] = ()) -> int:
        """End the named requests, or all, running and waiting, at once; tell how many."""
        wanted = set(only)
        hit = [
            ticket
            for ticket in (*self.running, *self.waiting)
            if not wanted or ticket.request_id in wanted
        ]
        for ticket in hit:
            ticket.interrupt(why)
            self.release(ticket)
        return len(hit)

    async def drained(self) -> None:
        """Wait until nothing runs any more; what waits stays waiting."""
        await self._idle.wait()

    def _fill(self) -> None:
        if self._frozen or self.pause_state is PauseState.PAUSED_ALL:
            self._stepping.clear()
        else:
            self._stepping.set()
        while (
            not self._frozen
            and self.pause_state is PauseState.UNPAUSED
            and self.waiting
            and len(self.running) < self._limit
        ):
            ticket = self.waiting.popleft()
            self.running.add(ticket)
            ticket.admitted.set_result(None)
        if self.running:
            self._idle.clear()
        else:
            self._idle.set()

    @staticmethod
    def _raise_if_interrupted(ticket: Ticket) -> None:
        if ticket.interrupted.done():
            raise ticket.interrupted.result()


async def _first(*futures: asyncio.Future[Any]) -> None:
    await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
