"""Server-sent events: where a stream of bytes has whole ones."""

from __future__ import annotations

import re
from math import inf

BETWEEN = re.compile(rb"\r?\n\r?\n")


def whole_events(data: bytes) -> int:
    """Return where the last whole event in the bytes ends."""
    plain, crlf = data.rfind(b"\n\n"), data.rfind(b"\r\n\r\n")
    return max(plain + 2 if plain >= 0 else 0, crlf + 4 if crlf >= 0 else 0)


class EventReader:
    """Cuts a stream into its events, whatever pieces it comes in."""

    def __init__(self, limit_bytes: float = inf) -> None:
        """Begin before the first event; one that is longer than the limit is a fault."""
        self._limit_bytes = limit_bytes
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Return the events that end in these bytes, without the blank line after each.

        Raises ConnectionError where an event is longer than the limit.
        """
        *events, self._rest = BETWEEN.split(self._rest + data)
        if len(self._rest) > self._limit_bytes:
            raise ConnectionError(f"an event is larger than {self._limit_bytes} bytes")
        return [event for event in events if event]
