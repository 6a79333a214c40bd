"""What happened and why: one structured log line a decision, the metrics, the last hour."""

from __future__ import annotations

import logging
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

import orjson

from synapse_arbiter.metrics import Metrics
from synapse_arbiter.policy_types import Decision
from synapse_arbiter.state import Operation, Ticket
from synapse_arbiter.steps import Outcome

HOUR_S = 3600.0


@dataclass(slots=True)
class Span:
    """One stretch of the timeline: a residency, or something done to the card."""

    kind: str
    model: str | None
    from_s: float  # Unix time
    to_s: float | None = None  # None: it is still going on
    note: str = ""


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


class Journal:
    """Writes down what the scheduler does; it decides nothing."""

    def __init__(self, metrics: Metrics) -> None:
        """Start with an empty timeline."""
        self._log = logging.getLogger("synapse_arbiter")
        self._metrics = metrics
        self._decision: tuple[str, str, str | None] | None = None
        self.timeline: deque[Span] = deque()

    def decided(self, decision: Decision, resident: str | None, waiting: int, running: int) -> None:
        """Log a decision, unless it repeats the last one."""
        key = (decision.action.value, decision.reason.value, decision.model or resident)
        if key == self._decision:
            return
        self._decision = key
        self.say("decision", *key, resident=resident, waiting=waiting, running=running)

    def say(
        self, event: str, action: str, reason: str, model: str | None = None, **facts: Any
    ) -> None:
        """Log what is done to whom and why."""
        facts = {"action": action, "reason": reason, "model": model, **facts}
        self._log.info(event, extra={"facts": facts})

    def admitted(self, ticket: Ticket) -> None:
        """Note that a request starts to run."""
        self._metrics.admitted(ticket)

    def refused(self, model: str, code: str) -> None:
        """Note that a request gets an explicit error of ours."""
        self._metrics.refusals.labels(model, code).inc()

    def began(self, operation: Operation) -> None:
        """Note that something is being done to the card."""
        if operation.resident is not None and not operation.work.is_chore:
            self._close("resident")
        self._open(operation.work.value, operation.model)

    def ended(self, operation: Operation, outcome: Outcome, duration_s: float) -> None:
        """Log and count the end of what was done to the card."""
        work = operation.work.value
        self._close(work, "; ".join(outcome.notes))
        if outcome.resident is not None and not operation.work.is_chore:
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

    def _open(self, kind: str, model: str | None) -> None:
        now_s = time.time()
        self.timeline.append(Span(kind, model, now_s))
        while self.timeline and (self.timeline[0].to_s or now_s) < now_s - HOUR_S:
            self.timeline.popleft()

    def _close(self, kind: str, note: str = "") -> None:
        for span in reversed(self.timeline):
            if span.kind == kind and span.to_s is None:
                span.to_s, span.note = time.time(), note
                return
