"""How long a request that arrives now would wait, and whether it had better fall back. Pure.

The prediction follows the policy's rules forward in time with learned durations; it expects
others to keep asking as they do now, and models that are not overdue to go by clock too.
"""

from collections.abc import Mapping
from enum import StrEnum
from math import ceil, inf
from typing import NamedTuple

from synapse_arbiter.policy.estimates import ModelEstimates
from synapse_arbiter.policy.line import NOBODY, Asker
from synapse_arbiter.policy.queue import Priority
from synapse_arbiter.policy.turns import GAPS_TO_KNOW, contention_of, idle_grace_s, turn_end
from synapse_arbiter.policy.types import GpuView, ModelView

Known = Mapping[str, ModelEstimates]


class Refusal(StrEnum):
    """Why a request is not held: the machine-readable reason of the 503."""

    RELEASED = "released"  # the whole GPU is released
    PINNED = "pinned"  # another model is pinned
    UNAVAILABLE = "unavailable"  # the model is quarantined or has not booted


class Prediction(NamedTuple):
    """The expected wait; infinite together with the obstacle that makes it so."""

    wait_s: float
    obstacle: Refusal | None = None


def predict_wait(
    gpu: GpuView,
    known: Known,
    name: str,
    priority: Priority,
    now_s: float,
    asker: Asker = NOBODY,
) -> Prediction:
    """Predict how long a request that arrives now waits for its engine.

    1. Something forbids the model for an unknown time: it would wait for ever.
    2. The model has its turn, or gets it by the transition under way: its queue is served,
       and what does not fit into the turn waits for the next one.
    3. Else what is left of the current turn comes first, then the turns of those whose clock
       is older, then its own wake and its queue.
    """
    model = gpu.models[name]
    if obstacle := _obstacle(gpu, model):  # (1)
        return Prediction(inf, obstacle)
    return Prediction(_Forecast(gpu, known, model, priority, now_s, asker).wait_s())


def _obstacle(gpu: GpuView, model: ModelView) -> Refusal | None:
    if gpu.released:
        return Refusal.RELEASED
    if not model.available:
        return Refusal.UNAVAILABLE
    if gpu.pinned not in (None, model.name) and gpu.models[str(gpu.pinned)].available:
        return Refusal.PINNED
    return None


class _Forecast:
    """One look ahead, in seconds from now, for one request of one model."""

    __slots__ = (
        "asker",
        "contention",
        "gpu",
        "holder",
        "known",
        "model",
        "now_s",
        "priority",
        "turn",
    )

    def __init__(
        self,
        gpu: GpuView,
        known: Known,
        model: ModelView,
        priority: Priority,
        now_s: float,
        asker: Asker,
    ) -> None:
        """Sum up the contention as it will be once the request waits too."""
        self.gpu, self.known, self.model, self.priority = gpu, known, model, priority
        self.now_s, self.asker = now_s, asker
        self.holder = gpu.resident  # who has the turn, or gets it by the transition under way
        if gpu.moving:
            self.holder = gpu.models[gpu.moving_to] if gpu.moving_to is not None else None
        contention = contention_of(gpu)
        if not self._has_turn():
            contention = contention._replace(
                waiting=contention.waiting + 1,
                interactive=contention.interactive + (priority is Priority.INTERACTIVE),
                cost_s=max(contention.cost_s, model.switch_cost_s),
                clock_s=min(contention.clock_s, self._clock_s()),
            )
        self.contention = contention
        self.turn = gpu.rules.turn(contention.cost_s)

    def wait_s(self) -> float:
        """Add up what comes before the request."""
        gpu, times = self.gpu, self.known[self.model.name]
        move_s = max(gpu.moving_until_s - self.now_s, 0.0) if gpu.moving else 0.0
        line_s = self._line_s()
        if self._has_turn():
            room_s = self._room_s()
            if line_s < room_s:
                return move_s + line_s
            before_s = room_s + times.drain.long_s + self._others_s(inf)
            line_s -= room_s
        else:
            before_s = self._rest_s() + self._others_s(self._clock_s())
        if self.holder is not None:
            before_s += self.known[self.holder.name].sleep.typical_s
        return move_s + before_s + times.wake_s + line_s + self._rounds_s(line_s)

    def _has_turn(self) -> bool:
        """Say whether the model serves now, or will by the transition under way."""
        return self.holder is self.model and (self.gpu.moving or not self.gpu.gate_closed)

    def _clock_s(self) -> float:
        """Return the model's fair clock as it is once the request waits."""
        return min(self.model.clock_s, max(self.now_s, self.model.gate_closed_s))

    def _line_s(self) -> float:
        """Estimate the time in the model's own queue, while the model serves."""
        ahead = self.model.queue.ahead(self.priority, self.asker)
        if self._has_turn():
            ahead += self.gpu.in_flight
        too_many = max(ahead + 1 - self.model.capacity, 0)
        return too_many * self.known[self.model.name].service.value_s / self.model.capacity

    def _room_s(self) -> float:
        """Say how much of its turn is left to the model that has it."""
        if self.gpu.pinned == self.model.name or not self._others_s(inf):
            return inf
        if self.gpu.moving:
            return self.turn.quantum_s
        end_s, _ = turn_end(self.gpu, self.model, self.contention, self.turn)
        return max(end_s - self.now_s, 0.0)

    def _rest_s(self) -> float:
        """Estimate what is left of another model's turn, its drain included."""
        gpu, holder = self.gpu, self.holder
        if holder is None:
            return 0.0
        if gpu.moving:
            return self._turn_s(holder)
        drain_s = self.known[holder.name].drain.long_s if gpu.in_flight else 0.0
        if gpu.gate_closed:
            return max(drain_s - (self.now_s - holder.gate_closed_s), 0.0)
        end_s, _ = turn_end(gpu, holder, self.contention, self.turn)
        open_s = max(end_s - self.now_s, 0.0)
        work_s = self._work_s(holder, gpu.in_flight)
        if self._asks_again(holder) or work_s > open_s:
            return open_s + drain_s
        return work_s

    def _turn_s(self, model: ModelView) -> float:
        """Estimate how long a model keeps the GPU from its wake on, its drain included."""
        work_s, drain_s = self._work_s(model, 0), self.known[model.name].drain.long_s
        if self._asks_again(model) or work_s > self.turn.quantum_s:
            return self.turn.quantum_s + drain_s
        return work_s

    def _work_s(self, model: ModelView, running: int) -> float:
        """Estimate how long a model has work if nothing more arrives for it."""
        batches = ceil((len(model.queue) + running) / model.capacity)
        return batches * self.known[model.name].service.value_s

    def _asks_again(self, model: ModelView) -> bool:
        """Say whether a model's clients are known to ask again soon after an answer."""
        # Who is about to leave the GPU is not in the contention yet, though somebody waits for it.
        limit_s = self.contention.cost_s / max(self.contention.waiting, 1)
        return len(model.idle_gaps_s) >= GAPS_TO_KNOW and idle_grace_s(model, limit_s) > 0.0

    def _others_s(self, clock_s: float) -> float:
        """Estimate the turns, switches included, of those with a clock older than this."""
        boot_s = self.gpu.boot_since_s
        total_s = 0.0
        if boot_s is not None and boot_s < clock_s:
            total_s = max(times.boot.typical_s for times in self.known.values())
        for other in self.gpu.models.values():
            if other is self.model or other is self.holder or not other.available:
                continue
            if other.clock_s < clock_s:
                total_s += self.known[other.name].switch_cost_s + self._turn_s(other)
        return total_s

    def _rounds_s(self, line_s: float) -> float:
        """Estimate the turns of others in between when its own queue takes several turns."""
        others_s = self._others_s(inf)
        times = self.known[self.model.name]
        round_s = others_s + times.switch_cost_s + times.drain.long_s if others_s else 0.0
        return line_s // self.turn.quantum_s * round_s
