"""What happened and why: one structured log line a decision, the metrics, the last hour."""

from __future__ import annotations

import logging
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson

from synapse_arbiter.engine.result import TransitionResult
from synapse_arbiter.events.metrics import Metrics
from synapse_arbiter.events.status_model import DecisionNote, Span, explain
from synapse_arbiter.policy.types import Decision
from synapse_arbiter.state import Operation, QueuedRequest

HOUR_S = 3600.0
DECISIONS_KEPT = 30


class JsonLines(logging.Formatter):
    """Format a record as one JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's facts, or its message, with the time and the level."""
        line: dict[str, Any] = {
            "time": round(record.created, 3),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()


class EventLog:
    """Writes down what the scheduler does; it decides nothing."""

    def __init__(self, metrics: Metrics) -> None:
        """Start with an empty timeline."""
        self._log = logging.getLogger("synapse_arbiter")
        self._metrics = metrics
        self._decision: tuple[str, str, str | None] | None = None
        self.timeline: list[Span] = []
        self.decisions: deque[DecisionNote] = deque(maxlen=DECISIONS_KEPT)
        self.answered: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self.on_change: Callable[[], None] = lambda: None

    def decided(self, decision: Decision, resident: str | None, waiting: int, running: int) -> None:
        """Log a decision, unless it repeats the last one."""
        key = (decision.action.value, decision.reason.value, decision.model or resident)
        if key == self._decision:
            return
        self._decision = key
        text = explain(decision.action, decision.reason, key[2])
        self.decisions.appendleft(DecisionNote(time.time(), *key, text))
        self.say("decision", *key, resident=resident, waiting=waiting, running=running)

    def say(
        self, event: str, action: str, reason: str, model: str | None = None, **facts: Any
    ) -> None:
        """Log what is done to whom and why."""
        facts = {"action": action, "reason": reason, "model": model, **facts}
        self._log.info(event, extra={"facts": facts})

    def admitted(self, request: QueuedRequest) -> None:
        """Note that a request starts to run."""
        self._metrics.admitted(request)

    def answered_one(self, model: str) -> None:
        """Note that a request got its whole answer."""
        self.answered[model] += 1
        self.on_change()

    def refused(self, model: str, code: str) -> None:
        """Note that a request gets an explicit error of ours."""
        self.refusals[model] += 1
        self.on_change()
        self._metrics.refusals.labels(model, code).inc()

    def began(self, operation: Operation) -> None:
        """Note that something is being done to the GPU."""
        if operation.resident is not None and not operation.work.is_maintenance:
            self._close("resident")
        self._open(operation.work.value, operation.model)

    def ended(self, operation: Operation, outcome: TransitionResult, duration_s: float) -> None:
        """Log and count the end of what was done to the GPU."""
        work = operation.work.value
        self._close(work, "; ".join(outcome.notes))
        if outcome.resident is not None and not operation.work.is_maintenance:
            self._open("resident", outcome.resident)
        self._metrics.transition(work, outcome)
        facts = {
            "seconds": round(duration_s, 4),
            "steps": {" ".join(step): round(value, 4) for step, value in outcome.steps_s.items()},
            "broken": outcome.broken,
            "notes": outcome.notes,
        }
        level = logging.WARNING if outcome.broken else logging.INFO
        line = {"action": work, "model": operation.model, "resident": outcome.resident, **facts}
        self._log.log(level, "transition", extra={"facts": line})

    def forget_old(self) -> None:
        """Forget what ended more than an hour ago."""
        oldest_s = time.time() - HOUR_S
        self.timeline = [span for span in self.timeline if (span.to_s or oldest_s) >= oldest_s]

    def _open(self, kind: str, model: str | None) -> None:
        self.timeline.append(Span(kind, model, time.time(), None))
        self.forget_old()
        self.on_change()

    def _close(self, kind: str, note: str = "") -> None:
        for index in range(len(self.timeline) - 1, -1, -1):
            span = self.timeline[index]
            if span.kind == kind and span.to_s is None:
                self.timeline[index] = replace(span, to_s=time.time(), note=note)
                if kind == "resident":
                    self._metrics.residency.labels(span.model).inc(time.time() - span.from_s)
                return
