"""Pass on whole events only, each after the answer's judge has seen it."""

from __future__ import annotations

import re

import orjson

from synapse_arbiter.errors import RefusedError
from synapse_arbiter.web.judges import Judge

BLANK_LINE = re.compile(rb"\n\r?\n")
DATA = b"data:"
DONE = b"[DONE]"


class StreamGuard:
    """Watches the events of one stream."""

    __slots__ = ("_judge", "_rest", "refused")

    def __init__(self, judge: Judge) -> None:
        """Show every event to the judge."""
        self._judge = judge
        self._rest = b""
        self.refused: RefusedError | None = None
        """Why the stream must end behind what `feed` returned last."""

    def feed(self, data: bytes) -> bytes:
        """Take in bytes and return those that may go out.

        The last event of an answer that is in doubt is kept until `finish`.
        """
        if self._rest:
            data = self._rest + data
        end = 0
        if not self._judge.doubtful:
            for gap in BLANK_LINE.finditer(data):
                try:
                    self._look(data[end : gap.start()])
                except RefusedError as refused:
                    self.refused = refused
                    break
                if self._judge.doubtful:
                    break
                end = gap.end()
        self._rest = data[end:]
        return data[:end]

    def finish(self) -> bytes:
        """Return what was kept; raise RefusedError when the stream was cut short."""
        self._look(self._rest)
        self._judge.end()
        return self._rest

    def _look(self, event: bytes) -> None:
        """Show one event to the judge; what is neither JSON nor [DONE] proves nothing."""
        data = _data_of(event)
        try:
            parsed = orjson.loads(data)
        except orjson.JSONDecodeError:
            if data.strip() == DONE:
                self._judge.done()
            return
        if isinstance(parsed, dict):
            self._judge.event(parsed)


def _data_of(event: bytes) -> bytes:
    if event.startswith(DATA) and b"\n" not in event:
        return event[len(DATA) :]
    lines = (line for line in event.splitlines() if line.startswith(DATA))
    return b"\n".join(line[len(DATA) :] for line in lines)
