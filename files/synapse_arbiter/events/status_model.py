"""What `GET /status` answers and `GET /status/stream` repeats: the whole of the status page's data.

The stream is server-sent events whose data is one `Status` each: at once, after every change
(at most four a second), and at least every five seconds, so that a reader knows it is alive.

Times are Unix seconds, durations are seconds, sizes are bytes; null means unknown or none. The
page's buttons post to these routes with `Authorization: Bearer <admin token>`; each answers
`{"message": sentence}`, or an OpenAI-shaped error (401 without the right token):

    POST /admin/pin/{model}          POST /admin/unpin
    POST /admin/release?seconds=N    POST /admin/reclaim
    POST /admin/recycle/{model}

This module is pure: it builds and explains, it reads nothing.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from synapse_arbiter.policy.types import Action, Reason


class Phase(StrEnum):
    """Where the arbiter is in its own life."""

    STARTING = "starting"  # asks the engines what is going on
    READY = "ready"
    STOPPING = "stopping"


@dataclass(frozen=True, slots=True)
class Activity:
    """The one thing being done to the GPU now."""

    kind: str  # a value of Work: switch, sleep, boot, recycle, ...
    model: str | None
    since_s: float
    expected_s: float | None = None  # how long it usually takes


@dataclass(frozen=True, slots=True)
class GpuStatus:
    """Who holds the GPU, and what is measured on it."""

    total_bytes: int
    used_bytes: int | None  # null: the reading is away
    resident: str | None
    resident_since_s: float | None
    gate_open: bool  # false: what runs drains, the rest waits for the next turn
    turn_ends_s: float | None  # only while others wait
    activity: Activity | None
    pinned: str | None
    released_until_s: float | None
    default: str | None


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """One engine: its condition, its queue, and what is known of it."""

    name: str
    state: str  # a value of Condition: awake, asleep, moving, booting, away, quarantined, ...
    reason: str  # why, as a sentence or a word; empty when all is well
    since_s: float | None
    running: int
    capacity: int
    waiting: int
    waiting_batch: int  # of these, how many are batch
    oldest_since_s: float | None  # when the one that waits longest arrived
    predicted_wait_s: float | None  # for a request that came now
    vram_bytes: int  # awake: measured, else the catalogue's figure
    residual_bytes: int | None  # what it holds while asleep
    switch_s: float  # what its wake-up costs: sleep of the other, wake, canary
    answered: int = 0
    refused: int = 0
    cycles: int = 0  # sleeps since its engine started


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the last hour: a residency (kind `resident`) or a value of Work."""

    kind: str
    model: str | None
    from_s: float
    to_s: float | None  # null: it is still going on
    note: str = ""


@dataclass(frozen=True, slots=True)
class DecisionNote:
    """One decision, newest first in the list, with its reason in words."""

    at_s: float
    action: str
    reason: str
    model: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Status:
    """Everything the page shows, as of `time_s` on the arbiter's clock."""

    time_s: float
    phase: Phase
    gpu: GpuStatus
    models: list[ModelStatus]
    timeline: list[Span] = field(default_factory=list)  # oldest first
    decisions: list[DecisionNote] = field(default_factory=list)  # newest first, thirty at most
    switches: int = 0  # in the last hour
    actions_enabled: bool = False  # an admin token is configured


_DID = {
    Action.SERVE: "{model} serves",
    Action.CLOSE: "The gate of {model} closes",
    Action.SWITCH: "{model} comes in",
    Action.SLEEP: "{model} goes to sleep",
    Action.BOOT: "{model} may start",
    Action.STAY: "Nothing changes",
}

_WHY = {
    Reason.ALONE: "nobody else waits",
    Reason.TURN: "others wait, but its turn is not over",
    Reason.IDLE_GRACE: "it is idle, but its next request is expected before a switch would pay",
    Reason.PINNED: "an operator pinned a model",
    Reason.QUANTUM: "its turn is over",
    Reason.DEADLINE: "somebody else has waited until the deadline",
    Reason.PRIORITY: "it has only batch work, and interactive requests wait elsewhere",
    Reason.RELEASED: "the GPU is lent to somebody else",
    Reason.UNAVAILABLE: "its engine cannot serve",
    Reason.OVERDUE: "it has waited longest, past the deadline",
    Reason.BACKLOG: "most waiting time per switch cost",
    Reason.DEFAULT: "the GPU is idle, and this is its default model",
    Reason.IDLE: "nobody needs the GPU",
    Reason.MOVING: "a transition is under way",
    Reason.DRAINING: "the gate is closed, and requests still run",
    Reason.EMPTY: "nobody waits",
}


def explain(action: Action, reason: Reason, model: str | None) -> str:
    """Put a decision into one sentence."""
    return f"{_DID[action].format(model=model or 'An engine')}: {_WHY[reason]}."
