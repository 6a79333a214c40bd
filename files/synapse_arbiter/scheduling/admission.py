"""Where requests arrive, wait, are admitted, and end: each exactly once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf

from synapse_arbiter.errors import RefusedError
from synapse_arbiter.events.event_log import EventLog
from synapse_arbiter.policy.types import ModelView
from synapse_arbiter.scheduling.learning import Learning
from synapse_arbiter.state import Condition, QueuedRequest, State

ASK_AGAIN_S = 10.0


class Admission:
    """The requests of one GPU."""

    def __init__(
        self,
        state: State,
        learning: Learning,
        event_log: EventLog,
        queue_limit: int,
        apply_policy: Callable[[], None],
    ) -> None:
        """Work on the scheduler's state."""
        self._state = state
        self._learning = learning
        self._event_log = event_log
        self._queue_limit = queue_limit
        self._apply_policy = apply_policy
        self._loop = asyncio.get_running_loop()
        self._emptied: asyncio.Future[None] | None = None
        self._starting = 0  # admitted after a wait, but their own tasks do not run yet
        self.waiting = 0

    def arrive(self, request: QueuedRequest) -> None:
        """Take in one request, or raise RefusedError. The cases:

        1. Nobody may wait for this model now: refused.
        2. Its engine is awake, the gate open, a place free, and nobody who waited is about to
           start: it runs.
        3. The predicted wait exceeds its budget, or the queue is full: refused.
        4. It waits, for its budget at most.
        """
        gpu, now_s = self._state.gpu, request.arrived_s
        view = gpu.models[request.model]
        refusal = self.closed(view)  # (1)
        if refusal is not None:
            raise refusal
        view.note_arrival(now_s)
        if not self._starting and gpu.passes(view, now_s):  # (2)
            self._run(request, 0.0)
            return
        prediction = self._learning.predict(gpu, view.name, request.priority, now_s, request.asker)
        request.predicted_s = prediction.wait_s
        if request.predicted_s > request.budget_s:  # (3)
            raise RefusedError(
                "wait_exceeds_budget",
                f"{request.model} would be ready in about {request.predicted_s:.1f} s, "
                f"longer than the {request.budget_s:g} s this request may wait.",
                request.predicted_s,
            )
        if self.waiting >= self._queue_limit:
            raise RefusedError("queue_full", f"{self.waiting} requests wait already.", ASK_AGAIN_S)
        self._queue(request, view)  # (4)
        self._apply_policy()

    def leave(self, request: QueuedRequest, answered: bool = False) -> None:
        """End one request, however it ended; a second call does nothing."""
        if request.ended:
            return
        request.ended = True
        self._started(request)
        gpu = self._state.gpu
        if request.running:
            now_s = self._loop.time()
            del self._state.running[request]
            gpu.finished(request.priority, now_s)
            if answered:
                self._learning.served(request.model, now_s - request.arrived_s - request.waited_s)
            if gpu.in_flight == 0 or self.waiting:
                self._apply_policy()
            if self._emptied is not None and not self._state.running and not self._emptied.done():
                self._emptied.set_result(None)
        else:
            self._forget(request)
            self._apply_policy()

    async def emptied(self) -> None:
        """Wait until no request runs any more."""
        if self._state.running:
            self._emptied = self._loop.create_future()
            await self._emptied

    async def admitted(self, request: QueuedRequest) -> None:
        """Wait until the request may run, or raise RefusedError."""
        if request.admission is not None:
            if request.admission.done():
                await asyncio.sleep(0)  # whoever was admitted before goes on before
            refusal = await request.admission
            self._started(request)
            if refusal is not None:
                raise refusal

    def outlook(self, request: QueuedRequest) -> tuple[int, float]:
        """Return a waiting request's place, from 1, and how many seconds it may still wait."""
        waited_s = self._loop.time() - request.arrived_s
        queue = self._state.gpu.models[request.model].queue
        return queue.place(request, request.priority), max(0.0, request.predicted_s - waited_s)

    def _started(self, request: QueuedRequest) -> None:
        self._starting -= request.starting
        request.starting = False

    def closed(self, view: ModelView) -> RefusedError | None:
        """Say why nobody may wait for this model now; None when they may."""
        state, name = self._state, view.name
        if state.stopping:
            return RefusedError("stopping", "The arbiter is stopping; ask again.", 1.0)
        if state.gpu.released:
            left_s = state.released_until_s - self._loop.time()
            return RefusedError("gpu_released", "The GPU is released for now.", left_s)
        pinned = state.gpu.pinned
        if pinned is not None and pinned != name and state.gpu.models[pinned].available:
            message = f"The GPU is pinned to {pinned}."
            return RefusedError("gpu_pinned", message, ASK_AGAIN_S)
        if state.stuck is not None:
            message = f"{state.stuck} holds the GPU; it can neither sleep nor be restarted."
            return RefusedError("engine_down", message, ASK_AGAIN_S)
        if view.available:
            return None
        engine_state = state.engine_states[name]
        if engine_state.condition is Condition.QUARANTINED:
            message = f"{name} failed ({engine_state.reason}) and is being replaced."
            return RefusedError("model_quarantined", message, ASK_AGAIN_S)
        told = engine_state.told(self._loop.time())
        message = f"The engine of {name} is {engine_state.condition}: {told}."
        return RefusedError("engine_down", message, ASK_AGAIN_S)

    def admit(self) -> None:
        """Let the resident's queue in while capacity is free."""
        gpu, now_s = self._state.gpu, self._loop.time()
        while (view := gpu.resident) and view.queue and gpu.in_flight < view.capacity:
            request: QueuedRequest = view.queue.pop()
            self.waiting -= 1
            request.woke = gpu.resident_since_s > request.arrived_s
            request.starting = True
            self._starting += 1
            self._run(request, now_s - request.arrived_s)
            self._learning.score.add(request.predicted_s, request.waited_s)
            self._release_waiter(request, None)

    def refuse_closed(self) -> None:
        """Refuse everybody who waits for a model that nobody may wait for any more."""
        for view in self._state.gpu.models.values():
            refusal = self.closed(view) if view.queue else None
            while refusal is not None and view.queue:
                request: QueuedRequest = view.queue.pop()
                self.waiting -= 1
                self._end_waiting(request, refusal)

    def cut(self, code: str, message: str) -> None:
        """End every running request with an explicit error."""
        for request in self._state.running:
            if request.cut is None and request.on_cut is not None:
                request.cut = RefusedError(code, message, 1.0)
                request.on_cut()

    def _queue(self, request: QueuedRequest, view: ModelView) -> None:
        request.admission = self._loop.create_future()
        if request.budget_s < inf:
            end_s = request.arrived_s + request.budget_s
            request.expiry = self._loop.call_at(end_s, self._expire, request)
        view.queue.push(request, request.priority, request.arrived_s, request.asker)
        self.waiting += 1

    def _run(self, request: QueuedRequest, waited_s: float) -> None:
        request.running = True
        request.waited_s = waited_s
        self._state.running[request] = None
        self._state.gpu.admitted(request.priority)
        self._event_log.admitted(request)

    def _expire(self, request: QueuedRequest) -> None:
        """End a wait that lasted longer than predicted."""
        self._forget(request)
        message = f"{request.model} was not ready within {request.budget_s:g} s."
        self._end_waiting(request, RefusedError("wait_budget_spent", message, ASK_AGAIN_S))
        self._apply_policy()

    def _end_waiting(self, request: QueuedRequest, refusal: RefusedError) -> None:
        request.ended = True
        self._release_waiter(request, refusal)

    def _forget(self, request: QueuedRequest) -> None:
        if self._state.gpu.models[request.model].queue.remove(request, request.priority):
            self.waiting -= 1
        if request.expiry is not None:
            request.expiry.cancel()

    @staticmethod
    def _release_waiter(request: QueuedRequest, refusal: RefusedError | None) -> None:
        if request.expiry is not None:
            request.expiry.cancel()
        if request.admission is not None and not request.admission.done():
            request.admission.set_result(refusal)
