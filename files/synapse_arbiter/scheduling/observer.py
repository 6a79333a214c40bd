"""What the watch saw of the engines, compared with what is believed of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf

from synapse_arbiter.engine.result import EngineStats
from synapse_arbiter.scheduling.engine_health import EngineHealth
from synapse_arbiter.state import Condition, EngineState, State, Work

MISSES = 3  # answers the watch may miss in a row before an engine counts as away
FAILED = (Condition.QUARANTINED, Condition.STUCK)
HANGS = "it takes connections and does not say whether it sleeps: its core hangs"


@dataclass(frozen=True, slots=True)
class Observation:
    """What the watch saw of one engine: None where it did not answer."""

    asleep: bool | None
    started_s: float | None
    hangs: bool = False  # it took the connection, and was silent or answered with an error


class Observer:
    """Turns observations into conditions and maintenance."""

    def __init__(
        self, state: State, health: EngineHealth, stats: dict[str, EngineStats], hang_s: float
    ) -> None:
        """Work on the scheduler's state; a core that is silent for `hang_s` hangs."""
        self._state = state
        self._hang_s = hang_s
        self._health = health
        self._stats = stats

    def observe(self, epoch: int, observations: Mapping[str, Observation], now_s: float) -> None:
        """Compare what the watch saw with what is believed.

        An observation that began before the last transition ended proves nothing.
        """
        if epoch != self._state.epoch or self._state.operation is not None:
            return
        for name, observation in observations.items():
            engine_state = self._state.engine_states[name]
            if observation.asleep is None:
                self._missed(name, observation.hangs, now_s)
                continue
            engine_state.misses = 0
            engine_state.is_heard()
            started_s, engine_state.started_s = (
                engine_state.started_s,
                observation.started_s or engine_state.started_s,
            )
            self._see(
                name, observation.asleep, started_s not in (None, engine_state.started_s), now_s
            )

    def _missed(self, name: str, hangs: bool, now_s: float) -> None:
        """Draw the conclusion from an engine that did not answer, several times in a row.

        Who refuses connections is away. Who takes them and is silent for long hangs, with all it
        holds, and is replaced: nothing else ends it. Not sooner: the first request for
        probabilities, say, keeps a healthy core silent for most of a minute while it compiles.
        """
        engine_state = self._state.engine_states[name]
        engine_state.misses += 1
        if hangs:
            self._silent(engine_state, now_s)
        else:
            engine_state.is_heard()
        if engine_state.hung:
            if engine_state.condition in FAILED:
                self._replace_again(name, now_s)
            else:
                engine_state.holds |= engine_state.condition.absent
                self._health.quarantine(name, HANGS, now_s)
        elif engine_state.misses >= MISSES and not hangs and not engine_state.condition.absent:
            self._health.lost(name, "it no longer answers", now_s)

    def _silent(self, engine_state: EngineState, now_s: float) -> None:
        if engine_state.silent_since_s == inf or engine_state.silent_epoch != self._state.epoch:
            engine_state.silent_since_s, engine_state.silent_epoch = now_s, self._state.epoch
        engine_state.hung |= now_s - engine_state.silent_since_s >= self._hang_s

    def _replace_again(self, name: str, now_s: float) -> None:
        if now_s >= self._state.engine_states[name].retry_s:
            self._state.maintenance.setdefault(name, Work.RECYCLE)

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
        if engine_state.condition in FAILED and not restarted:  # (1)
            self._replace_again(name, now_s)
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
