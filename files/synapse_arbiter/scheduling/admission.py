"""Where requests arrive, wait, are admitted, and end: each exactly once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf

from synapse_arbiter.errors import RefusedError
from synapse_arbiter.events.event_log import Journal
from synapse_arbiter.policy.types import ModelView
from synapse_arbiter.scheduling.learning import Learning
from synapse_arbiter.state import Condition, State, Ticket

ASK_AGAIN_S = 10.0


class Desk:
    """The requests of one GPU."""

    def __init__(
        self,
        state: State,
        learning: Learning,
        journal: Journal,
        queue_limit: int,
        settle: Callable[[], None],
    ) -> None:
        """Work on the scheduler's state."""
        self._state = state
        self._learning = learning
        self._journal = journal
        self._queue_limit = queue_limit
        self._settle = settle
        self._loop = asyncio.get_running_loop()
        self._emptied: asyncio.Future[None] | None = None
        self._starting = 0  # admitted after a wait, but their own tasks do not run yet
        self.waiting = 0

    def arrive(self, ticket: Ticket) -> None:
        """Take in one request, or raise RefusedError. The cases:

        1. Nobody may wait for this model now: refused.
        2. Its engine is awake, the gate open, a place free, and nobody who waited is about to
           start: it runs.
        3. The predicted wait exceeds its budget, or the queue is full: refused.
        4. It waits, for its budget at most.
        """
        gpu, now_s = self._state.gpu, ticket.arrived_s
        view = gpu.models[ticket.model]
        refusal = self.closed(view)  # (1)
        if refusal is not None:
            raise refusal
        view.note_arrival(now_s)
        if not self._starting and gpu.passes(view, now_s):  # (2)
            self._run(ticket, 0.0)
            return
        prediction = self._learning.predict(gpu, view.name, ticket.priority, now_s)
        ticket.predicted_s = prediction.wait_s
        if ticket.predicted_s > ticket.budget_s:  # (3)
            raise RefusedError(
                "wait_exceeds_budget",
                f"{ticket.model} would be ready in about {ticket.predicted_s:.1f} s, "
                f"longer than the {ticket.budget_s:g} s this request may wait.",
                ticket.predicted_s,
            )
        if self.waiting >= self._queue_limit:
            raise RefusedError("queue_full", f"{self.waiting} requests wait already.", ASK_AGAIN_S)
        self._queue(ticket, view)  # (4)
        self._settle()

    def leave(self, ticket: Ticket, answered: bool = False) -> None:
        """End one request, however it ended; a second call does nothing."""
        if ticket.ended:
            return
        ticket.ended = True
        self._started(ticket)
        gpu = self._state.gpu
        if ticket.running:
            now_s = self._loop.time()
            del self._state.running[ticket]
            gpu.finished(ticket.priority, now_s)
            if answered:
                self._learning.served(ticket.model, now_s - ticket.arrived_s - ticket.waited_s)
            if gpu.in_flight == 0 or self.waiting:
                self._settle()
            if self._emptied is not None and not self._state.running and not self._emptied.done():
                self._emptied.set_result(None)
        else:
            self._forget(ticket)
            self._settle()

    async def emptied(self) -> None:
        """Wait until no request runs any more."""
        if self._state.running:
            self._emptied = self._loop.create_future()
            await self._emptied

    async def admitted(self, ticket: Ticket) -> None:
        """Wait until the request may run, or raise RefusedError."""
        if ticket.admission is not None:
            if ticket.admission.done():
                await asyncio.sleep(0)  # whoever was admitted before goes on before
            refusal = await ticket.admission
            self._started(ticket)
            if refusal is not None:
                raise refusal

    def _started(self, ticket: Ticket) -> None:
        self._starting -= ticket.starting
        ticket.starting = False

    def closed(self, view: ModelView) -> RefusedError | None:
        """Say why nobody may wait for this model now; None when they may."""
        state, name = self._state, view.name
        if state.stopping:
            return RefusedError("stopping", "The arbiter is stopping; ask again.", 1.0)
        if state.gpu.released:
            left_s = state.released_until_s - self._loop.time()
            return RefusedError("gpu_released", "The GPU is lent out for now.", left_s)
        pinned = state.gpu.pinned
        if pinned is not None and pinned != name and state.gpu.models[pinned].available:
            message = f"The GPU is pinned to {pinned}."
            return RefusedError("gpu_pinned", message, ASK_AGAIN_S)
        if state.stuck is not None:
            message = f"{state.stuck} holds the GPU; it can neither sleep nor be restarted."
            return RefusedError("engine_down", message, ASK_AGAIN_S)
        if view.available:
            return None
        standing = state.standings[name]
        if standing.condition is Condition.QUARANTINED:
            message = f"{name} failed ({standing.reason}) and is being replaced."
            return RefusedError("model_quarantined", message, ASK_AGAIN_S)
        message = f"The engine of {name} is {standing.condition}: {standing.reason}."
        return RefusedError("engine_down", message, ASK_AGAIN_S)

    def admit(self) -> None:
        """Let the resident's line in while capacity is free."""
        gpu, now_s = self._state.gpu, self._loop.time()
        while (view := gpu.resident) and view.line and gpu.in_flight < view.capacity:
            ticket: Ticket = view.line.pop()
            self.waiting -= 1
            ticket.woke = gpu.resident_since_s > ticket.arrived_s
            ticket.starting = True
            self._starting += 1
            self._run(ticket, now_s - ticket.arrived_s)
            self._learning.score.add(ticket.predicted_s, ticket.waited_s)
            self._release_waiter(ticket, None)

    def refuse_closed(self) -> None:
        """Refuse everybody who waits for a model that nobody may wait for any more."""
        for view in self._state.gpu.models.values():
            refusal = self.closed(view) if view.line else None
            while refusal is not None and view.line:
                ticket: Ticket = view.line.pop()
                self.waiting -= 1
                self._end_waiting(ticket, refusal)

    def cut(self, code: str, message: str) -> None:
        """End every running request with an explicit error."""
        for ticket in self._state.running:
            if ticket.cut is None and ticket.on_cut is not None:
                ticket.cut = RefusedError(code, message, 1.0)
                ticket.on_cut()

    def _queue(self, ticket: Ticket, view: ModelView) -> None:
        ticket.admission = self._loop.create_future()
        if ticket.budget_s < inf:
            end_s = ticket.arrived_s + ticket.budget_s
            ticket.expiry = self._loop.call_at(end_s, self._expire, ticket)
        view.line.push(ticket, ticket.priority, ticket.arrived_s)
        self.waiting += 1

    def _run(self, ticket: Ticket, waited_s: float) -> None:
        ticket.running = True
        ticket.waited_s = waited_s
        self._state.running[ticket] = None
        self._state.gpu.admitted(ticket.priority)
        self._journal.admitted(ticket)

    def _expire(self, ticket: Ticket) -> None:
        """End a wait that lasted longer than predicted."""
        self._forget(ticket)
        message = f"{ticket.model} was not ready within {ticket.budget_s:g} s."
        self._end_waiting(ticket, RefusedError("wait_budget_spent", message, ASK_AGAIN_S))
        self._settle()

    def _end_waiting(self, ticket: Ticket, refusal: RefusedError) -> None:
        ticket.ended = True
        self._release_waiter(ticket, refusal)

    def _forget(self, ticket: Ticket) -> None:
        if self._state.gpu.models[ticket.model].line.remove(ticket, ticket.priority):
            self.waiting -= 1
        if ticket.expiry is not None:
            ticket.expiry.cancel()

    @staticmethod
    def _release_waiter(ticket: Ticket, refusal: RefusedError | None) -> None:
        if ticket.expiry is not None:
            ticket.expiry.cancel()
        if ticket.admission is not None and not ticket.admission.done():
            ticket.admission.set_result(refusal)
