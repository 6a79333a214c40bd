"""Server-sent events, or lines, out of a stream of bytes."""

from __future__ import annotations

import re
from math import inf

EVENTS = re.compile(rb"\r?\n\r?\n")
LINES = re.compile(rb"\n")
MARK_BYTES = 4
"""The longest of these."""


class Cutter:
    """Cuts a stream at its marks, whatever pieces it comes in; each byte is copied once."""

    def __init__(self, between: re.Pattern[bytes], limit_bytes: float = inf) -> None:
        """Begin before the first part; one that is longer than the limit is a fault."""
        self._between = between
        self._limit_bytes = limit_bytes
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Return the parts that end in these bytes, without the marks and without blank ones.

        Raises ConnectionError where a part is longer than the limit.
        """
        seen = max(0, len(self._rest) - MARK_BYTES + 1)  # a mark may come in pieces too
        self._rest += data
        found: list[bytes] = []
        begin = 0
        for gap in list(self._between.finditer(self._rest, seen)):
            found.append(bytes(self._rest[begin : gap.start()]))
            begin = gap.end()
        del self._rest[:begin]
        if len(self._rest) > self._limit_bytes:
            raise ConnectionError(f"an event or a line is larger than {self._limit_bytes} bytes")
        return [part for part in found if part.strip()]


class EventReader(Cutter):
    """Cuts a stream into its events."""

    def __init__(self, limit_bytes: float = inf) -> None:
        """Begin before the first event."""
        super().__init__(EVENTS, limit_bytes)
