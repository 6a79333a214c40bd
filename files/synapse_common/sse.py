"""Server-sent events out of a stream of bytes."""

from __future__ import annotations

import re
from math import inf

BETWEEN = re.compile(rb"\r?\n\r?\n")


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
