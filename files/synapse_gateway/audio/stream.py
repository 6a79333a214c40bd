"""A streamed transcript on its way to the client."""

from __future__ import annotations

from typing import Any

import orjson

from synapse_common.sse import EventReader

EVENTS = "text/event-stream"
DELTA, DONE = "transcript.text.delta", "transcript.text.done"
EVENT_BYTES_AT_MOST = 1024**2
TEXT_CHARACTERS_AT_MOST = 1024**2


def streamed(text: str) -> bytes:
    """Return a whole transcript as the events of a stream."""
    told = [{"type": DELTA, "delta": text}] if text else []
    return b"".join(_event(event) for event in [*told, {"type": DONE, "text": text}])


class Stream:
    """Passes on whole events.

    Speaches leaves the text of the last event empty: it gets what the events before it told, up to
    a limit.
    """

    def __init__(self) -> None:
        """Begin before the first event."""
        self.complete = False
        """The event that ends a transcript has passed."""
        self._events = EventReader(EVENT_BYTES_AT_MOST)
        self._told: list[str] = []
        self._room = TEXT_CHARACTERS_AT_MOST

    def feed(self, data: bytes) -> bytes:
        """Return what the client gets for these bytes: whole events."""
        return b"".join(map(self._passed, self._events.feed(data)))

    def _passed(self, event: bytes) -> bytes:
        told = _read(event)
        if "error" in told:
            return b""  # the engine's own words; without an end the client is told of trouble
        if told.get("type") == DELTA:
            self._keep(str(told.get("delta")))
        if told.get("type") == DONE:
            self.complete = True
            if told.get("text") == "" and self._told and self._room >= 0:
                return _event({**told, "text": "".join(self._told).strip()})
        return event + b"\n\n"

    def _keep(self, text: str) -> None:
        self._room -= len(text)
        if self._room >= 0:
            self._told.append(text)
        else:
            self._told.clear()


def _event(data: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(data) + b"\n\n"


def _read(event: bytes) -> dict[str, Any]:
    try:
        told = orjson.loads(event.removeprefix(b"data:"))
    except orjson.JSONDecodeError:
        return {}  # a comment, or [DONE]
    return told if isinstance(told, dict) else {}
