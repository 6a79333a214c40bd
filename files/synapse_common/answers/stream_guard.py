"""Pass on whole events only, each after the answer's judge has seen it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar

import orjson

from synapse_common.answers.judges import CutShort, Fields, Judge, too_large, truncated
from synapse_common.answers.lists import CONTAINERS_AT_MOST, LARGE
from synapse_common.bodies.parsing import uncollected

DATA = b"data:"
DONE = b"[DONE]"
LONGEST_EVENT = 8 * 1024**2
"""Bytes of one event, which is parsed at once; a longer one holds more than an answer should."""


def _pass_all(_: Fields) -> bool:
    return True


def _parsed(data: bytes) -> Any:
    if len(data) <= LARGE:
        return orjson.loads(data)
    if data.count(b"[") + data.count(b"{") > CONTAINERS_AT_MOST:
        raise too_large(LONGEST_EVENT)
    with uncollected():
        return orjson.loads(data)


class StreamGuard:
    """Watches the server-sent events of one stream."""

    __slots__ = ("_judge", "_passes", "_rest", "cut")

    between: ClassVar = re.compile(rb"\n\r?\n")
    """What ends an event."""

    def __init__(self, judge: Judge, passes: Callable[[Fields], bool] = _pass_all) -> None:
        """Show every event to the judge; those that `passes` denies do not go out."""
        self._judge = judge
        self._passes = passes
        self._rest = bytearray()
        self.cut: CutShort | None = None
        """Why the stream must end behind what `feed` returned last."""

    def feed(self, data: bytes) -> bytes:
        """Take in bytes and return those that may go out.

        The last event of an answer that is in doubt is kept until `finish`.
        """
        if self._rest:
            ends = self.between.search(self._rest[-2:] + data)  # an end may be in both
            if self._judge.doubtful or ends is None:
                return self._keep(data)
            data = bytes(self._rest + data)
            self._rest.clear()
        out: list[bytes] = []
        begin = end = 0
        if not self._judge.doubtful:
            for gap in self.between.finditer(data):
                try:
                    goes_out = self._look(data[end : gap.start()])
                except CutShort as cut:
                    self.cut = cut
                    break
                if self._judge.doubtful:
                    break
                if not goes_out:
                    out.append(data[begin:end])
                    begin = gap.end()
                end = gap.end()
                if self._judge.failed and not goes_out:
                    break  # a [DONE] behind an error would tell that all is well
        self._keep(data[end:])
        out.append(data[begin:end])
        return b"".join(out)

    def finish(self) -> bytes:
        """Return what was kept; raise CutShort when the stream was cut short."""
        rest, end = bytes(self._rest), 0
        out: list[bytes] = []
        for gap in self.between.finditer(rest):  # what came behind an answer in doubt
            if self._look(rest[end : gap.start()]):
                out.append(rest[end : gap.end()])
            end = gap.end()
        if self._look(rest[end:]):
            out.append(rest[end:])
        self._judge.end()
        return b"".join(out)

    def _keep(self, data: bytes) -> bytes:
        """Keep what goes out later, or never; nothing does now."""
        self._rest += data
        if len(self._rest) > LONGEST_EVENT:
            self.cut = self.cut or too_large(LONGEST_EVENT)
        return b""

    def _look(self, event: bytes) -> bool:
        """Show one event to the judge and say whether it goes out.

        What cannot be read may have been a part of the answer.
        """
        data = self._data_of(event).strip()
        if not data:
            return True  # a comment
        try:
            parsed = _parsed(data)
        except orjson.JSONDecodeError as error:
            if data != DONE:
                raise truncated() from error
            self._judge.done()
            return True
        if not isinstance(parsed, dict):
            raise truncated()
        self._judge.event(parsed)
        return self._passes(parsed)

    def _data_of(self, event: bytes) -> bytes:
        if event.startswith(DATA) and b"\n" not in event:
            return event[len(DATA) :]
        lines = (line for line in event.splitlines() if line.startswith(DATA))
        return b"\n".join(line[len(DATA) :] for line in lines)


class LineGuard(StreamGuard):
    """Watches a stream of lines, each a JSON object, as Ollama's native API writes it."""

    __slots__ = ()

    between: ClassVar = re.compile(rb"\n")

    def _data_of(self, event: bytes) -> bytes:
        return event
