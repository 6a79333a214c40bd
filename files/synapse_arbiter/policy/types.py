"""What the policy reads and what it answers: the GPU, its models, the rules, a decision.

The scheduler owns one `GpuView` and changes it in place through the methods below, so that
no decision has to build a snapshot; the policy only reads it. Times are seconds of one
monotonic clock, always passed in.
"""

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf
from typing import Any, NamedTuple

from synapse_arbiter.policy.queue import Priority, Queue
from synapse_common.strict import NotNegative, Strict

IDLE_GAPS_KEPT = 8


class Action(StrEnum):
    """What the scheduler is to do."""

    SERVE = "serve"  # (re)open the gate, admit the resident's queue while capacity is free
    CLOSE = "close"  # close the gate: admit nothing more, what runs drains
    SWITCH = "switch"  # nothing runs: sleep the resident, if any, and wake `model`
    SLEEP = "sleep"  # nothing runs: sleep the resident
    BOOT = "boot"  # nothing runs: sleep the resident, if any, and grant the oldest boot lease
    STAY = "stay"  # do nothing


class Reason(StrEnum):
    """Why; the values are the words of the log and the labels of the metrics."""

    ALONE = "alone"  # serve: nobody else waits
    TURN = "turn"  # serve: others wait, the turn is not over
    IDLE_GRACE = (
        "idle_grace"  # serve: idle, but its next request is expected before a switch would pay
    )
    PINNED = "pinned"  # serve, close, switch
    QUANTUM = "quantum"  # close: the turn reached its quantum
    DEADLINE = "deadline"  # close: another model's clock reached its deadline
    PRIORITY = "priority"  # close: only batch work here, interactive requests wait elsewhere
    RELEASED = "released"  # close, sleep, stay: the GPU is lent to somebody else
    UNAVAILABLE = "unavailable"  # close, sleep: the resident is quarantined or to be recycled
    OVERDUE = "overdue"  # switch, boot: its clock passed the deadline and is the oldest
    BACKLOG = "backlog"  # switch: largest aged backlog per switch cost
    DEFAULT = "default"  # switch: the GPU idles, the default resident comes home
    IDLE = "idle"  # sleep: idle for its time to live; boot: nobody else waits
    MOVING = "moving"  # stay: a transition is under way
    DRAINING = "draining"  # stay: the gate is closed and requests still run
    EMPTY = "empty"  # stay: nobody is resident and nobody waits


class Decision(NamedTuple):
    """One answer of the policy; it holds until `until_s` or the next event."""

    action: Action
    reason: Reason
    model: str | None = None
    until_s: float = inf


class Turn(NamedTuple):
    """The constants of one contention, in seconds."""

    quantum_s: float
    deadline_s: float
    residency_s: float


class Rules(Strict):
    """What an operator may override; None derives the value from the switch cost c."""

    quantum_s: NotNegative | None = None
    """Q = 4c: longest turn under contention, >= c."""
    deadline_s: NotNegative | None = None
    """D = Q: a model whose clock is this old is overdue, <= Q."""
    residency_s: NotNegative | None = None
    """q_min = 2.5c: guaranteed turn while there is work, >= c."""
    default_after_s: NotNegative | None = None
    """Idle time before the default resident comes home: Q."""
    idle_ttl_s: NotNegative | None = None
    """Idle time before the resident sleeps: never."""

    def turn(self, cost_s: float) -> Turn:
        """Return the constants for switch cost c, such that c <= q_min <= Q and D <= Q.

        A guaranteed residency below c would let the GPU do nothing but switch.
        """
        quantum_s = 4.0 * cost_s if self.quantum_s is None else max(self.quantum_s, cost_s)
        deadline_s = quantum_s if self.deadline_s is None else min(self.deadline_s, quantum_s)
        residency_s = 2.5 * cost_s if self.residency_s is None else max(self.residency_s, cost_s)
        return Turn(quantum_s, deadline_s, min(residency_s, quantum_s))


@dataclass(slots=True, eq=False)
class ModelView:
    """One model of the GPU: its queue and what was learned about it."""

    name: str
    capacity: int  # requests its engine runs at once; the rest waits in `queue`
    switch_cost_s: float  # its own sleep + wake + canary
    available: bool = True  # False: quarantined, recycled or not booted; never chosen
    queue: Queue[Any] = field(default_factory=Queue)
    gate_closed_s: float = -inf  # when its gate last closed
    idle_since_s: float | None = None  # when it last ran out of work; None while it has some
    idle_gaps_s: deque[float] = field(default_factory=lambda: deque(maxlen=IDLE_GAPS_KEPT))

    @property
    def clock_s(self) -> float:
        """Return the start of its fair clock, infinity when nobody waits for it."""
        oldest_s = self.queue.oldest_s
        return oldest_s if oldest_s > self.gate_closed_s else self.gate_closed_s

    def note_arrival(self, now_s: float) -> None:
        """Learn how long the model was without work; call it for every arriving request."""
        if self.idle_since_s is not None:
            self.idle_gaps_s.append(now_s - self.idle_since_s)
            self.idle_since_s = None


@dataclass(slots=True, eq=False)
class GpuView:
    """The gpu: who is resident, what runs, what the operator ordered."""

    models: dict[str, ModelView]
    rules: Rules = field(default_factory=Rules)
    default: str | None = None  # woken again when the GPU idles
    resident: ModelView | None = None
    resident_since_s: float = -inf
    gate_closed: bool = True
    moving: bool = False  # a sleep, wake or boot is under way
    moving_to: str | None = None  # who comes in, None when the GPU empties or somebody boots
    moving_until_s: float = -inf  # when that is expected to end
    in_flight: int = 0  # requests that run in the resident's engine
    interactive_in_flight: int = 0
    pinned: str | None = None
    released: bool = False  # the whole GPU is released
    boot_since_s: float | None = None  # arrival of the oldest waiting boot
    serve_until_s: float = -inf  # how long the last SERVE holds

    @property
    def idle_from_s(self) -> float:
        """Return when an idle resident ran out of work, or came in and found none."""
        since_s = self.resident.idle_since_s if self.resident is not None else None
        return self.resident_since_s if since_s is None else max(since_s, self.resident_since_s)

    def passes(self, model: ModelView, now_s: float) -> bool:
        """Say whether a request that arrives now may run at once, without a decision."""
        return (
            model is self.resident
            and not self.gate_closed
            and self.in_flight < model.capacity
            and now_s < self.serve_until_s
            and not model.queue
        )

    def open_gate(self, until_s: float) -> None:
        """Carry out a SERVE: requests of the resident may pass until the decision ends."""
        self.gate_closed = False
        self.serve_until_s = until_s

    def close_gate(self, now_s: float) -> None:
        """Admit nothing more; the resident's clock restarts here unless it is closed already."""
        if not self.gate_closed and self.resident is not None:
            self.resident.gate_closed_s = now_s
        self.gate_closed = True

    def admitted(self, priority: Priority) -> None:
        """Count a request that starts to run in the resident's engine."""
        self.in_flight += 1
        self.interactive_in_flight += priority is Priority.INTERACTIVE

    def finished(self, priority: Priority, now_s: float) -> None:
        """Count a request that ended, however it ended."""
        self.in_flight -= 1
        self.interactive_in_flight -= priority is Priority.INTERACTIVE
        if self.in_flight == 0 and self.resident is not None and not self.resident.queue:
            self.resident.idle_since_s = now_s

    def start_moving(self, now_s: float, target: str | None, expected_s: float) -> None:
        """Begin a transition: the gate closes, nobody is served until `end_moving`."""
        self.close_gate(now_s)
        self.moving = True
        self.moving_to = target
        self.moving_until_s = now_s + expected_s

    def end_moving(self, resident: ModelView | None, now_s: float) -> None:
        """End a transition with this model awake and verified, or with none."""
        self.moving = False
        self.moving_to = None
        self.resident = resident
        self.resident_since_s = now_s
        self.gate_closed = resident is None
        self.serve_until_s = -inf
