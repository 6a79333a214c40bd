"""What is kept of the past, and for how long."""

import pytest

from synapse_arbiter.engine.result import TransitionResult
from synapse_arbiter.events import event_log as module
from synapse_arbiter.events.event_log import HOUR_S, EventLog
from synapse_arbiter.events.metrics import Metrics
from synapse_arbiter.state import Operation, Work


class Clock:
    """Stands in for the module `time`."""

    def __init__(self) -> None:
        self.now_s = 1_000_000.0

    def time(self) -> float:
        return self.now_s


def test_what_ended_an_hour_ago_is_forgotten_though_a_residency_still_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    event_log = EventLog(Metrics())
    switch = Operation(Work.SWITCH, "a", None, 0.0)
    event_log.began(switch)
    event_log.ended(switch, TransitionResult(resident="a"), 1.0)
    for _ in range(3):
        clock.now_s += HOUR_S
        recycle = Operation(Work.RECYCLE, "b", "a", 0.0)
        event_log.began(recycle)
        event_log.ended(recycle, TransitionResult(), 1.0)
    clock.now_s += 1
    event_log.forget_old()
    assert [(span.kind, span.model) for span in event_log.timeline] == [
        ("resident", "a"),
        ("recycle", "b"),
    ]
