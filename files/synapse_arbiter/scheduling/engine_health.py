"""What follows from the facts: which engine is trusted, which is to be replaced, who is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from synapse_arbiter.engine.result import EngineStats, TransitionResult
from synapse_arbiter.scheduling.admission import Admission
from synapse_arbiter.scheduling.learning import Learning
from synapse_arbiter.state import Condition, Operation, State, Work

MISSES = 3  # answers the watch may miss in a row before an engine counts as away
RETRY_S = 60.0  # between attempts to replace an engine that could not be replaced
AGAIN_S = 5.0  # before an engine is replaced that failed again; twice as long each time
LONGEST_AGAIN_S = 3600.0


@dataclass(frozen=True, slots=True)
class Observation:
    """What the watch saw of one engine: None where it did not answer."""

    asleep: bool | None
    started_s: float | None


class EngineHealth:
    """Turns outcomes and observations into conditions and maintenance."""

    def __init__(
        self,
        state: State,
        admission: Admission,
        learning: Learning,
        stats: dict[str, EngineStats],
        leak_gib: float,
    ) -> None:
        """Work on the scheduler's state."""
        self._state = state
        self._admission = admission
        self._learning = learning
        self._stats = stats
        self._leak_gib = leak_gib

    def moving(self, operation: Operation, now_s: float) -> None:
        """Note who is about to fall asleep, wake up or boot."""
        if operation.work is Work.BOOT and operation.model is not None:
            reason = "it holds the boot lease"
            self._state.set_condition(operation.model, Condition.BOOTING, reason, now_s)
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
            state.set_condition(operation.model, Condition.ASLEEP, reason, now_s)
        for name in outcome.asleep:
            state.set_condition(name, Condition.ASLEEP, operation.work, now_s)
            state.engine_states[name].holds = False
            self._watch_leak(name)
        for name in outcome.away:
            reason = "nobody answers at its address"
            if operation.work is Work.RECYCLE:
                reason = f"it is being replaced: {state.engine_states[name].reason}"
            self.lost(name, reason, now_s)
        for name, reason in outcome.broken.items():
            if reason == "recycle_failed":
                self._not_recycled(name, now_s)
            else:
                self.quarantine(name, reason, now_s)
        if outcome.resident is not None:
            state.engine_states[outcome.resident].holds = True
            state.engine_states[outcome.resident].failures = 0
            state.set_condition(outcome.resident, Condition.AWAKE, operation.work, now_s)
        for name, reason in ordered.items():
            if state.engine_states[name].condition.usable:
                state.set_condition(name, Condition.QUARANTINED, reason, now_s)
        self._learning.moved(operation.work, operation.resident, operation.model, outcome)
        for name, times in self._learning.known.items():
            state.gpu.models[name].switch_cost_s = times.switch_cost_s

    def quarantine(self, name: str, reason: str, now_s: float) -> None:
        """Trust an engine no longer: nobody waits for it, and it is to be replaced.

        At once the first time, or while it holds memory; an engine that failed again before it
        ever served waits, twice as long each time: its boots would take the GPU from the others.
        """
        engine_state = self._state.engine_states[name]
        self._state.set_condition(name, Condition.QUARANTINED, reason, now_s)
        again = engine_state.failures > 0 and not engine_state.holds
        pause_s = AGAIN_S * 2.0 ** min(engine_state.failures - 1, 10) if again else 0.0
        engine_state.failures += 1
        engine_state.retry_s = now_s + min(pause_s, LONGEST_AGAIN_S)
        if pause_s == 0.0:
            self._state.maintenance[name] = Work.RECYCLE
        self._cut(name)

    def lost(self, name: str, reason: str, now_s: float) -> None:
        """Note that nobody listens at an engine's address any more."""
        self._gone(name, Condition.AWAY, reason, now_s)

    def waits(self, name: str, now_s: float) -> None:
        """Note that an engine's new process waits for its turn to start."""
        self._gone(name, Condition.WAITING, "it waits for its turn to start", now_s)

    def _gone(self, name: str, condition: Condition, reason: str, now_s: float) -> None:
        self._state.set_condition(name, condition, reason, now_s)
        self._state.engine_states[name].holds = False
        self._state.maintenance.pop(name, None)
        self._cut(name)

    def _not_recycled(self, name: str, now_s: float) -> None:
        """Note that an engine could not be replaced; while it holds memory, nobody comes in."""
        engine_state = self._state.engine_states[name]
        engine_state.retry_s = now_s + RETRY_S
        condition = Condition.STUCK if engine_state.holds else Condition.QUARANTINED
        self._state.set_condition(name, condition, engine_state.reason, now_s)

    def suspect(self, name: str) -> None:
        """Let an engine prove itself after it failed a request."""
        resident = self._state.gpu.resident
        if resident is not None and resident.name == name and resident.available:
            self._state.maintenance.setdefault(name, Work.CHECK)

    def observe(self, epoch: int, observations: Mapping[str, Observation], now_s: float) -> None:
        """Compare what the watch saw with what is believed.

        An observation that began before the last transition ended proves nothing.
        """
        if epoch != self._state.epoch or self._state.operation is not None:
            return
        for name, observation in observations.items():
            engine_state = self._state.engine_states[name]
            if observation.asleep is None:
                engine_state.misses += 1
                if engine_state.misses >= MISSES and not engine_state.condition.absent:
                    self.lost(name, "it no longer answers", now_s)
                continue
            engine_state.misses = 0
            started_s, engine_state.started_s = (
                engine_state.started_s,
                observation.started_s or engine_state.started_s,
            )
            self._see(
                name, observation.asleep, started_s not in (None, engine_state.started_s), now_s
            )

    def _see(self, name: str, asleep: bool, restarted: bool, now_s: float) -> None:
        """Draw the conclusion from one engine that answers. The cases:

        1. It failed and was not restarted: it is replaced, again and again if that failed.
        2. It is new, or was away, and sleeps: it is taken in as it is.
        3. It is new, or was away, and is awake: it proves itself and goes to sleep; the
           resident only proves itself.
        4. It is awake without being resident: it goes to sleep.
        5. It is resident but sleeps: it is woken.
        """
        state, engine_state = self._state, self._state.engine_states[name]
        resident = state.gpu.resident is state.gpu.models[name]
        failed = engine_state.condition in (Condition.QUARANTINED, Condition.STUCK)
        if failed and not restarted:  # (1)
            if now_s >= engine_state.retry_s:
                state.maintenance.setdefault(name, Work.RECYCLE)
        elif restarted or engine_state.condition.absent:
            self._stats[name] = EngineStats()
            if asleep:  # (2)
                state.set_condition(name, Condition.ASLEEP, "it came back asleep", now_s)
            else:  # (3)
                state.maintenance[name] = Work.CHECK if resident else Work.ONBOARD
        elif not asleep and not resident:  # (4)
            state.maintenance[name] = Work.FORCE_SLEEP
        elif asleep and resident:  # (5)
            state.maintenance[name] = Work.REWAKE

    def _watch_leak(self, name: str) -> None:
        leaked_gib = self._stats[name].leaks.leaked_gib
        if leaked_gib > self._leak_gib:
            self._state.engine_states[name].reason = f"it leaked {leaked_gib:.1f} GiB"
            self._state.maintenance[name] = Work.RECYCLE

    def _cut(self, name: str) -> None:
        resident = self._state.gpu.resident
        if resident is not None and resident.name == name:
            self._admission.cut("engine_lost", "The engine failed while it answered; ask again.")
