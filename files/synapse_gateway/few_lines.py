"""Log lines that strangers can cause without end: a few of each sender, and how many more."""

from __future__ import annotations

import asyncio
from typing import Any

from synapse_gateway.client_address import sender_of
from synapse_gateway.log_pipe import write_line

SHOWN = 5
WINDOW_S = 60.0
"""In which each sender has so many lines of each event."""
SENDERS = 1000
"""That are counted one by one; the lines of further ones share one count."""
OTHERS = "others"


class FewLines:
    """Writes the first lines of a window and, at its end, how many were not shown."""

    def __init__(self) -> None:
        """Start with nobody counted."""
        self._counts: dict[tuple[str, str], int] = {}

    def write(self, client: str | None, line: dict[str, Any]) -> None:
        """Write a line that this client caused, or count it."""
        event = str(line["event"])
        key = (event, sender_of(client))
        if key not in self._counts and len(self._counts) >= SENDERS:
            key = (event, OTHERS)
        count = self._counts.get(key, 0)
        if count == 0:
            asyncio.get_running_loop().call_later(WINDOW_S, self._end, key)
        self._counts[key] = count + 1
        if count < SHOWN:
            write_line(line)

    def _end(self, key: tuple[str, str]) -> None:
        hidden = self._counts.pop(key) - SHOWN
        if hidden > 0:
            event, sender = key
            write_line({"event": f"{event}_not_shown", "client": sender, "count": hidden})
