"""The discrete-event simulation of one GPU: arrivals, answers and switches in virtual time.

The policy is any function like `synapse_arbiter.policy.decide`; the GPU carries out its
answers exactly as that module's docstring asks the scheduler to.
"""

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from math import inf

from gpu_sim.facts import Engine, Request, Residency, Served
from synapse_arbiter.policy.types import (
    Action,
    Decision,
    GpuView,
    ModelView,
    Rules,
)

EVENTS_AT_MOST = 50_000


Policy = Callable[[GpuView, float], Decision]
Follow = Callable[[float, Request], Iterable[Request]]


def ignore(_event: object) -> None:
    """Watch nothing."""


def nothing_follows(_now_s: float, _request: Request) -> Iterable[Request]:
    """Say that no answer leads to another request: an open loop."""
    return ()


@dataclass(slots=True)
class GpuSim:
    """The simulation; `follow` makes the closed loops: what a client sends after an answer."""

    engines: dict[str, Engine]
    policy: Policy
    rules: Rules = field(default_factory=Rules)
    follow: Follow = nothing_follows
    asks_again: bool = False  # ask the policy again between the sleep and the wake of a switch
    on_arrival: Callable[[Request], None] = ignore
    on_end: Callable[[Served], None] = ignore
    gpu: GpuView = field(init=False)
    now_s: float = 0.0
    arrived: list[Request] = field(default_factory=list)
    admitted: list[Request] = field(default_factory=list)
    served: list[Served] = field(default_factory=list)
    turns: list[Residency] = field(default_factory=list)
    switches: int = 0
    switching_s: float = 0.0
    _events: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _sequence: int = 0
    _waiting: set[Request] = field(default_factory=set)
    _running: dict[Request, float] = field(default_factory=dict)
    _moving_since_s: float = 0.0
    _timer_s: float = inf

    def __post_init__(self) -> None:
        """Put every model to sleep."""
        models = {
            name: ModelView(name, engine.capacity, engine.sleep_s + engine.wake_s)
            for name, engine in self.engines.items()
        }
        self.gpu = GpuView(models, self.rules)

    def run(self, requests: Iterable[Request], until_s: float = inf) -> "GpuSim":
        """Play the events up to this time, or until nothing happens any more."""
        for request in requests:
            self._at(request.at_s, partial(self._arrive, request))
        while self._events and self._events[0][0] <= until_s:
            self.now_s, _, event = heapq.heappop(self._events)
            event()
        return self

    def waits_s(self) -> list[float]:
        """Return how long each admitted request waited for the engine."""
        return [
            end.admitted_s - end.request.at_s for end in self.served if end.admitted_s is not None
        ]

    def pending_s(self, now_s: float) -> list[float]:
        """Return how long each request that still waits has waited by now."""
        return [now_s - request.at_s for request in self._waiting]

    def _at(self, at_s: float, event: Callable[[], None]) -> None:
        self._sequence += 1
        assert self._sequence < EVENTS_AT_MOST, "the GPU is busy with itself"
        heapq.heappush(self._events, (at_s, self._sequence, event))

    def _arrive(self, request: Request) -> None:
        model = self.gpu.models[request.model]
        model.note_arrival(self.now_s)
        self.arrived.append(request)
        self.on_arrival(request)
        if request.patience_s < inf:
            self._at(self.now_s + request.patience_s, partial(self._leave, request))
        if self.gpu.passes(model, self.now_s):
            self._admit(request)
            return
        model.queue.push(request, request.priority, self.now_s)
        self._waiting.add(request)
        self._decide()

    def _leave(self, request: Request) -> None:
        if self.gpu.models[request.model].queue.remove(request, request.priority):
            self._waiting.remove(request)
            self.served.append(Served(request, None, self.now_s))
            self._decide()
        elif request in self._running:
            self._finish(request)

    def _admit(self, request: Request) -> None:
        assert self.gpu.resident is not None
        assert self.gpu.resident.name == request.model, "a request reached another's engine"
        assert not self.gpu.moving, "a request reached a GPU in transition"
        self.gpu.admitted(request.priority)
        self.admitted.append(request)
        self._running[request] = self.now_s
        self._at(self.now_s + request.service_s, partial(self._finish, request))

    def _finish(self, request: Request) -> None:
        admitted_s = self._running.pop(request, None)
        if admitted_s is None:  # its client left earlier
            return
        self.gpu.finished(request.priority, self.now_s)
        self.served.append(Served(request, admitted_s, self.now_s))
        self.on_end(self.served[-1])
        for following in self.follow(self.now_s, request):
            self._at(following.at_s, partial(self._arrive, following))
        self._decide()

    def _decide(self) -> None:
        decision = self.policy(self.gpu, self.now_s)
        if decision.action is Action.SERVE:
            self._serve(decision)
        elif decision.action is Action.CLOSE:
            self._close()
        elif decision.action in (Action.SWITCH, Action.SLEEP):
            self._move(decision.model)
        if decision.until_s not in (self._timer_s, inf):
            self._at(decision.until_s, partial(self._ring, decision.until_s))
        self._timer_s = decision.until_s

    def _ring(self, at_s: float) -> None:
        if at_s == self._timer_s:  # else a later decision has replaced it
            self._decide()

    def _serve(self, decision: Decision) -> None:
        self.gpu.open_gate(decision.until_s)
        resident = self.gpu.resident
        assert resident is not None
        while resident.queue and self.gpu.in_flight < resident.capacity:
            request = resident.queue.pop()
            self._waiting.remove(request)
            self._admit(request)

    def _close(self) -> None:
        self.gpu.close_gate(self.now_s)
        self.turns[-1].closed_s = self.now_s

    def _move(self, target: str | None) -> None:
        assert not self.gpu.in_flight, "a transition cut requests off"
        assert not self.gpu.moving, "two transitions overlap"
        resident = self.gpu.resident
        self._moving_since_s = self.now_s
        if resident is not None:
            if not self.gpu.gate_closed:
                self.turns[-1].closed_s = self.now_s
            self.turns[-1].left_s = self.now_s
        move_s = self.engines[resident.name].sleep_s if resident is not None else 0.0
        if self.asks_again and resident is not None:
            target = None
        if target is not None:
            self.switches += 1
            move_s += self.engines[target].wake_s
        self.gpu.start_moving(self.now_s, target, move_s)
        self._at(self.now_s + move_s, partial(self._moved, target))

    def _moved(self, target: str | None) -> None:
        self.switching_s += self.now_s - self._moving_since_s
        model = self.gpu.models[target] if target is not None else None
        self.gpu.end_moving(model, self.now_s)
        if model is not None:
            self.turns.append(
                Residency(model.name, model.clock_s, self._moving_since_s, self.now_s)
            )
        self._decide()
