"""What Ollama's clients read about every answer: the model, the time, how long it took."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from synapse_gateway.ollama import wire
from synapse_gateway.ollama.wire import JSON


@dataclass(frozen=True)
class Clock:
    """Where the time comes from."""

    ns: Callable[[], int] = time.monotonic_ns
    """Counts on, whatever happens to the date."""
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


class Head:
    """What every part of one answer says about it, and how long it took."""

    def __init__(self, model: str, clock: Clock) -> None:
        """Begin when the request was read."""
        self._model = model
        self._clock = clock
        self._began_ns = clock.ns()
        self._first_ns: int | None = None

    def opens(self) -> JSON:
        """Return the first keys of an object."""
        return {"model": self._model, "created_at": rfc3339(self._clock.now())}

    def first_token(self) -> None:
        """Note when the model began to write."""
        self._first_ns = self._first_ns or self._clock.ns()

    def ending(self, reason: str, usage: JSON) -> JSON:
        """Return the last keys of an answer; what nobody measured is left out."""
        ended_ns = self._clock.ns()
        told: JSON = {"done": True, "done_reason": reason}
        told |= {"total_duration": ended_ns - self._began_ns, "load_duration": 0}
        told["prompt_eval_count"] = wire.count(usage, "prompt_tokens")
        if self._first_ns is not None:
            told["prompt_eval_duration"] = self._first_ns - self._began_ns
        told["eval_count"] = wire.count(usage, "completion_tokens")
        if self._first_ns is not None:
            told["eval_duration"] = ended_ns - self._first_ns
        return told

    def embedded(self, vectors: list[Any], usage: JSON) -> JSON:
        """Return an answer of vectors."""
        told = {"model": self._model, "embeddings": vectors}
        read = wire.count(usage, "prompt_tokens")
        took_ns = self._clock.ns() - self._began_ns
        return told | {"total_duration": took_ns, "load_duration": 0, "prompt_eval_count": read}


def rfc3339(moment: datetime) -> str:
    """Write a moment as Ollama does."""
    return moment.isoformat().replace("+00:00", "Z")
