"""The scheduler's whole state; only the scheduler and its parts change it.

The parts are Admission, BootLeases, Commands and EngineHealth.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf

from synapse_arbiter.errors import RefusedError
from synapse_arbiter.policy.line import Asker
from synapse_arbiter.policy.queue import Priority
from synapse_arbiter.policy.types import GpuView


class Condition(StrEnum):
    """What an engine is doing, as far as the arbiter knows."""

    UNKNOWN = "unknown"  # the arbiter has just started
    ASLEEP = "asleep"
    AWAKE = "awake"  # resident, verified
    MOVING = "moving"  # falling asleep or waking up
    BOOTING = "booting"  # holds a boot lease
    AWAY = "away"  # nobody listens at its address
    WAITING = "waiting"  # away too: its process waits for its turn to start
    QUARANTINED = "quarantined"  # it failed; to be recycled
    STUCK = "stuck"  # it failed, holds memory and could not be recycled

    @property
    def absent(self) -> bool:
        """Say whether nobody listens at the address of an engine in this condition."""
        return self in (Condition.AWAY, Condition.WAITING)

    @property
    def usable(self) -> bool:
        """Say whether requests may wait for an engine in this condition."""
        return self in (Condition.UNKNOWN, Condition.ASLEEP, Condition.AWAKE, Condition.MOVING)


class Work(StrEnum):
    """One thing done to the GPU; never two at a time."""

    RECONCILE = "reconcile"
    SWITCH = "switch"
    SLEEP = "sleep"
    BOOT = "boot"
    ONBOARD = "onboard"  # take in an engine that started without a lease
    FORCE_SLEEP = "force_sleep"  # put a stray to sleep
    REWAKE = "rewake"  # wake a resident that somebody else put to sleep
    CHECK = "check"  # see whether a suspect resident still answers
    RECYCLE = "recycle"

    @property
    def is_maintenance(self) -> bool:
        """Say whether the resident goes on serving meanwhile."""
        return self not in (Work.RECONCILE, Work.SWITCH, Work.SLEEP, Work.BOOT)


@dataclass(slots=True, eq=False)
class QueuedRequest:
    """One request, from its arrival to its one end."""

    model: str
    priority: Priority
    asker: Asker
    arrived_s: float
    budget_s: float
    admission: asyncio.Future[RefusedError | None] | None = None  # only while it waits
    expiry: asyncio.TimerHandle | None = None
    predicted_s: float = 0.0
    waited_s: float = 0.0
    woke: bool = False
    running: bool = False
    starting: bool = False  # admitted after a wait; its own task has not gone on yet
    ended: bool = False
    on_cut: Callable[[], object] | None = None  # ends the request's own task
    cut: RefusedError | None = None  # why the arbiter ended it while it ran


@dataclass(slots=True)
class Operation:
    """The one transition or chore under way."""

    work: Work
    model: str | None
    resident: str | None  # who was resident when it began
    started_s: float
    lease: BootRequest | None = None  # whose turn it is to boot
    task: asyncio.Task[None] | None = None


@dataclass(slots=True, eq=False)
class BootRequest:
    """One start of an engine's container that wants the GPU, or has it."""

    model: str
    instance: str  # one run of the container's wrapper
    since_s: float
    seen_s: float
    superseded: frozenset[str] = frozenset()  # earlier instances, which must not come back
    listeners: int = 0
    goes_on: bool = False  # its engine starts already: the lease is from before a restart of ours
    granted: asyncio.Event = field(default_factory=asyncio.Event)
    ended: bool = False

    def grant(self) -> None:
        """Let the engine start."""
        self.granted.set()

    def end(self) -> None:
        """Take the ask or the lease away; whoever listens for it wakes up."""
        self.ended = True
        self.granted.set()


@dataclass(slots=True)
class EngineState:
    """One engine's condition, why, and since when."""

    condition: Condition = Condition.UNKNOWN
    reason: str = ""
    since_s: float = -inf
    started_s: float | None = None  # of its process, as its metrics say
    misses: int = 0  # times in a row that it did not answer the watch
    silent_since_s: float = inf  # it takes connections, and does not say whether it sleeps
    silent_epoch: int = 0  # of that silence: nothing of ours went on meanwhile
    hung: bool = False  # silent for so long that it would not fall asleep either
    holds: bool = True  # it may hold more of the GPU than a sleeper's rest
    instance: str | None = None  # the run of the boot wrapper it was taken in from
    failures: int = 0  # in a row, since it was last resident
    failure: str = ""  # the last one, in words
    retry_s: float = inf  # when to try again to replace it
    boot_after_s: float = -inf  # it may not start before
    boot_took_s: float = 0.0  # of the GPU's time, the last time
    young_until_s: float = -inf  # until then its end counts as a failed start
    setup: str = ""  # a mark of what it was last started with

    def is_heard(self) -> None:
        """Note that it is not silent: it answered, or refused."""
        self.silent_since_s, self.hung = inf, False

    def told(self, now_s: float) -> str:
        """Say why it is in its condition, and, while it is away, how its last starts went."""
        if not self.condition.absent or self.boot_after_s == -inf:
            return self.reason
        times = "once" if self.failures == 1 else f"{self.failures} times"
        why = "" if self.failure in self.reason else f" ({self.failure})"
        left_s = self.boot_after_s - now_s
        following = f", next try in {left_s:.0f} s" if left_s > 0 else ""
        return f"{self.reason}; it failed to start {times}{why}{following}"

    def forgive(self) -> None:
        """Forget that it failed."""
        self.failures, self.failure, self.boot_after_s = 0, "", -inf


@dataclass(slots=True)
class State:
    """Everything the scheduler knows."""

    gpu: GpuView
    engine_states: dict[str, EngineState]
    running: dict[QueuedRequest, None] = field(default_factory=dict)
    operation: Operation | None = None
    maintenance: dict[str, Work] = field(default_factory=dict)  # model -> what is to be done to it
    boots: dict[str, BootRequest] = field(default_factory=dict)  # model -> its latest ask
    drain_since_s: float = -inf
    drain_until_s: float = inf  # when requests that still run after the gate closed are cut
    released_until_s: float = inf
    epoch: int = 0  # changes with every operation, so that a stale observation is noticed
    ready: bool = False  # reconciled once
    patience_until_s: float = -inf  # until then engines that boot already may say so
    stopping: bool = False

    @property
    def stuck(self) -> str | None:
        """Name an engine that holds the GPU's memory and can neither sleep nor be replaced."""
        for name, engine_state in self.engine_states.items():
            if engine_state.condition is Condition.STUCK:
                return name
        return None

    def set_condition(self, name: str, condition: Condition, reason: str, now_s: float) -> None:
        """Change one engine's condition, and with it whether requests may wait for it."""
        engine_state = self.engine_states[name]
        if engine_state.condition is not condition:
            engine_state.since_s = now_s
        engine_state.condition, engine_state.reason = condition, reason
        self.gpu.models[name].available = condition.usable
