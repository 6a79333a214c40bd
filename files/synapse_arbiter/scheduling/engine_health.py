"""What follows from the facts: which engine is trusted, which is to be replaced, who is told."""

from __future__ import annotations

from math import inf

from synapse_arbiter.engine.result import EngineStats, TransitionResult
from synapse_arbiter.engine.steps import TOO_OLD
from synapse_arbiter.events.event_log import EventLog
from synapse_arbiter.scheduling.admission import Admission
from synapse_arbiter.scheduling.learning import Learning
from synapse_arbiter.state import Condition, Operation, State, Work

RETRY_S = 60.0  # between attempts to replace an engine that could not be replaced
AGAIN_S = 5.0  # at least, before an engine that failed is started again; twice as long each time
LONGEST_AGAIN_S = 3600.0
YOUNG_S = 600.0  # an engine that ends so soon, before it ever was resident, failed to start


class EngineHealth:
    """Turns outcomes into conditions and maintenance."""

    def __init__(
        self,
        state: State,
        admission: Admission,
        learning: Learning,
        stats: dict[str, EngineStats],
        event_log: EventLog,
        leak_gib: float,
    ) -> None:
        """Work on the scheduler's state."""
        self._state = state
        self._event_log = event_log
        self._admission = admission
        self._learning = learning
        self._stats = stats
        self._leak_gib = leak_gib

    def moving(self, operation: Operation, now_s: float) -> None:
        """Note who is about to fall asleep, wake up or boot."""
        if operation.work is Work.BOOT and operation.model is not None:
            reason = "it holds the boot lease"
            self._state.set_condition(operation.model, Condition.BOOTING, reason, now_s)
            self._state.engine_states[operation.model].holds = True
            names = {operation.resident}
        else:
            names = {operation.resident, operation.model}
        for name in names - {None}:
            if self._state.gpu.models[str(name)].available:
                self._state.set_condition(str(name), Condition.MOVING, operation.work, now_s)

    def apply(self, operation: Operation, outcome: TransitionResult, now_s: float) -> None:
        """Take in the end of a transition; a broken engine is quarantined and replaced.

        So is one that an operator ordered to be replaced meanwhile, however well it did.
        """
        state = self._state
        ordered = {
            name: engine_state.reason
            for name, engine_state in state.engine_states.items()
            if engine_state.condition is Condition.QUARANTINED
            and state.maintenance.get(name) is Work.RECYCLE
        }
        if operation.model is not None and operation.work is Work.SWITCH:
            reason = "its turn was given up"  # unless the facts below say otherwise
            if not state.engine_states[operation.model].condition.absent:
                state.set_condition(operation.model, Condition.ASLEEP, reason, now_s)
        if operation.lease is not None and operation.model is not None:
            self._booted(operation.model, operation, outcome, now_s)
        for name in outcome.asleep:
            state.set_condition(name, Condition.ASLEEP, operation.work, now_s)
            state.engine_states[name].holds = False
            self._watch_leak(name)
        for name in outcome.away:
            if not state.engine_states[name].condition.absent:  # else it is known why
                replaced = operation.work is Work.RECYCLE
                self.lost(name, "nobody answers at its address", now_s, replaced=replaced)
        for name, reason in outcome.broken.items():
            if reason == "recycle_failed":
                self._not_recycled(name, now_s)
            elif reason == TOO_OLD:
                self._refuse(name, reason, now_s)
            else:
                starting = operation.lease is not None and name == operation.model
                self.quarantine(name, reason, now_s, starting)
        if outcome.resident is not None:
            state.engine_states[outcome.resident].holds = True
            state.engine_states[outcome.resident].young_until_s = -inf
            state.engine_states[outcome.resident].forgive()
            state.set_condition(outcome.resident, Condition.AWAKE, operation.work, now_s)
        for name, reason in ordered.items():
            if state.engine_states[name].condition.usable:
                state.set_condition(name, Condition.QUARANTINED, reason, now_s)
        self._learning.moved(operation.work, operation.resident, operation.model, outcome)
        for name, times in self._learning.known.items():
            state.gpu.models[name].switch_cost_s = times.switch_cost_s

    def quarantine(self, name: str, reason: str, now_s: float, starting: bool = False) -> None:
        """Trust an engine no longer: nobody waits for it, and it is to be replaced.

        At once the first time, or while it holds memory; an engine that failed again before it
        ever served waits as after a failed start. One that fails while it starts is replaced at
        once as well, but its next start waits.
        """
        engine_state = self._state.engine_states[name]
        self._state.set_condition(name, Condition.QUARANTINED, reason, now_s)
        first = engine_state.failures == 0
        if first and not starting:
            self._count(name, reason)
        else:
            self.failed(name, reason, now_s)
        at_once = first or engine_state.holds
        engine_state.retry_s = now_s if at_once else engine_state.boot_after_s
        if at_once:
            self._state.maintenance[name] = Work.RECYCLE
        self._cut(name)

    def failed(self, name: str, reason: str, now_s: float) -> None:
        """Let an engine wait for its next start after one that failed, twice as long each time.

        As long as that took of the GPU's time, at least: its starts would take most of it.
        """
        engine_state, operation = self._state.engine_states[name], self._state.operation
        if operation is not None and operation.lease is not None and operation.model == name:
            engine_state.boot_took_s = now_s - operation.started_s
        least_s = max(AGAIN_S, engine_state.boot_took_s)
        pause_s = min(least_s * 2.0 ** min(engine_state.failures, 10), LONGEST_AGAIN_S)
        engine_state.boot_after_s = now_s + pause_s
        self._count(name, reason, pause_s)

    def _count(self, name: str, reason: str, pause_s: float = 0.0) -> None:
        engine_state = self._state.engine_states[name]
        engine_state.failures += 1
        engine_state.failure = reason
        facts = {"failures": engine_state.failures, "next_try_s": round(pause_s, 1)}
        self._event_log.say("engine", "failed", reason, name, **facts)

    def _booted(
        self, name: str, operation: Operation, outcome: TransitionResult, now_s: float
    ) -> None:
        """Note how long a boot had the GPU, and whether its engine was taken in."""
        engine_state, lease = self._state.engine_states[name], operation.lease
        engine_state.boot_took_s = now_s - operation.started_s
        if name in outcome.asleep:
            engine_state.young_until_s = now_s + YOUNG_S
        elif name in outcome.away and lease is not None and not lease.ended:
            self.failed(name, "it ended before it was taken in", now_s)

    def lost(
        self, name: str, reason: str, now_s: float, ordered: bool = False, replaced: bool = False
    ) -> None:
        """Note that nobody listens at an engine's address any more.

        Soon after its start, unless somebody ordered it, that start counts as failed.
        """
        engine_state, operation = self._state.engine_states[name], self._state.operation
        if replaced or (operation and (operation.work, operation.model) == (Work.RECYCLE, name)):
            reason, ordered = f"it is being replaced: {engine_state.reason}", True
        if engine_state.condition.usable and now_s < engine_state.young_until_s and not ordered:
            self.failed(name, reason, now_s)
        engine_state.young_until_s = -inf
        self._gone(name, Condition.AWAY, reason, now_s)

    def waits(self, name: str, now_s: float) -> None:
        """Note that an engine's new process waits for its turn to start."""
        self._gone(name, Condition.WAITING, "it waits for its turn to start", now_s)

    def _gone(self, name: str, condition: Condition, reason: str, now_s: float) -> None:
        self._state.set_condition(name, condition, reason, now_s)
        self._state.engine_states[name].holds = False
        self._state.engine_states[name].is_heard()
        self._state.maintenance.pop(name, None)
        self._cut(name)

    def _not_recycled(self, name: str, now_s: float) -> None:
        """Note that an engine could not be replaced; while it holds memory, nobody comes in."""
        engine_state = self._state.engine_states[name]
        engine_state.retry_s = now_s + RETRY_S
        condition = Condition.STUCK if engine_state.holds else Condition.QUARANTINED
        self._state.set_condition(name, condition, engine_state.reason, now_s)

    def _refuse(self, name: str, reason: str, now_s: float) -> None:
        """Leave an engine alone that a new process would not mend: another image would."""
        self._state.set_condition(name, Condition.QUARANTINED, reason, now_s)
        self._state.engine_states[name].retry_s = inf
        self._cut(name)

    def suspect(self, name: str) -> None:
        """Let an engine prove itself after it failed a request."""
        resident = self._state.gpu.resident
        if resident is not None and resident.name == name and resident.available:
            self._state.maintenance.setdefault(name, Work.CHECK)

    def _watch_leak(self, name: str) -> None:
        leaked_gib = self._stats[name].leaks.leaked_gib
        if leaked_gib > self._leak_gib:
            self._state.engine_states[name].reason = f"it leaked {leaked_gib:.1f} GiB"
            self._state.maintenance[name] = Work.RECYCLE

    def _cut(self, name: str) -> None:
        resident = self._state.gpu.resident
        if resident is not None and resident.name == name:
            self._admission.cut("engine_lost", "The engine failed while it answered; ask again.")
