"""What the arbiter learns of its models' times, and the forecasts that rest on it."""

from __future__ import annotations

from collections.abc import Iterable

from synapse_arbiter.config import Model
from synapse_arbiter.engine.result import TransitionResult
from synapse_arbiter.policy.estimates import (
    Average,
    Duration,
    ModelEstimates,
    PredictionScore,
)
from synapse_arbiter.policy.forecast import Prediction, predict_wait
from synapse_arbiter.policy.line import NOBODY, Asker
from synapse_arbiter.policy.queue import Priority
from synapse_arbiter.policy.types import GpuView
from synapse_arbiter.state import Work

SLEEP_STEPS = ("quiet", "sleep", "sleep_check")
WAKE_STEPS = ("wake", "wake_check")


class Learning:
    """The estimates of every model and the record of the predictions."""

    def __init__(self, models: Iterable[Model]) -> None:
        """Begin with the catalogue's guesses."""
        self.known = {model.name: _prior(model) for model in models}
        self.score = PredictionScore()

    def predict(
        self, gpu: GpuView, name: str, priority: Priority, now_s: float, asker: Asker = NOBODY
    ) -> Prediction:
        """Say how long a request that arrives now would wait."""
        return predict_wait(gpu, self.known, name, priority, now_s, asker)

    def expected_s(self, work: Work, resident: str | None, model: str | None) -> float:
        """Say how long something done to the GPU usually takes."""
        leaving_s = self.known[resident].sleep.typical_s if resident is not None else 0.0
        if model is None or work is Work.SLEEP:
            return leaving_s
        times = self.known[model]
        return leaving_s + (times.boot.typical_s if work is Work.BOOT else times.wake_s)

    def served(self, name: str, seconds: float) -> None:
        """Learn how long one answer took in the engine."""
        self.known[name].service.add(seconds)

    def drained(self, name: str, seconds: float) -> None:
        """Learn how long the engine ran on after its gate closed."""
        self.known[name].drain.add(seconds)

    def moved(
        self, work: Work, resident: str | None, model: str | None, outcome: TransitionResult
    ) -> None:
        """Learn the times of a transition that went as it should."""
        if outcome.notes or outcome.broken or outcome.away or model is None:
            return
        steps = outcome.steps_s
        if work is Work.BOOT:
            self.known[model].boot.add(steps["boot", model])
            return
        if work not in (Work.SWITCH, Work.SLEEP):
            return
        if resident is not None:
            self.known[resident].sleep.add(sum(steps[step, resident] for step in SLEEP_STEPS))
        if work is Work.SWITCH:
            self.known[model].wake.add(sum(steps[step, model] for step in WAKE_STEPS))
            self.known[model].canary.add(steps["canary", model])


def _prior(model: Model) -> ModelEstimates:
    return ModelEstimates(
        sleep=Duration(model.sleep_s),
        wake=Duration(model.wake_s),
        drain=Duration(model.answer_s),
        boot=Duration(model.boot_s),
        service=Average(model.answer_s),
    )
