"""Look at the end of an answer: vLLM ends aborted requests with a 200."""

from __future__ import annotations

import re

from synapse_arbiter.errors import RefusedError
from synapse_common.sse import whole_events

# Inside a JSON text every quote is escaped, so this only ever matches the field itself.
ABORTED = re.compile(rb'"(?:finish_reason|stop_reason)"\s*:\s*"abort"')


def aborted() -> RefusedError:
    """Return the error that replaces an aborted answer."""
    return RefusedError("engine_aborted", "The engine aborted the answer; ask again.", 1.0)


def is_aborted(payload: bytes) -> bool:
    """Say whether a part of an answer that ends at a boundary says that it was aborted."""
    return b'"abort"' in payload and ABORTED.search(payload) is not None


class StreamEnd:
    """Watches the events of one stream, passing on whole events only."""

    __slots__ = ("_markers", "_rest", "complete")

    def __init__(self, markers: tuple[bytes, ...]) -> None:
        """Look for a line that ends a complete stream; without any, every end will do."""
        self._markers = markers
        self._rest = b""
        self.complete = not markers

    def feed(self, data: bytes) -> bytes:
        """Take in bytes and return those that may go out; raise RefusedError for an abort."""
        if self._rest:
            data = self._rest + data
            self._rest = b""
        if not data.endswith((b"\n\n", b"\r\n\r\n")):
            end = whole_events(data)
            data, self._rest = data[:end], data[end:]
        self._inspect(data)
        return data

    def finish(self) -> bytes:
        """Return what is left at the end; raise RefusedError when the stream was cut short."""
        self._inspect(self._rest)
        if not self.complete:
            raise RefusedError("answer_truncated", "The engine ended the answer early.", 1.0)
        return self._rest

    def _inspect(self, data: bytes) -> None:
        if is_aborted(data):
            raise aborted()
        if not self.complete:
            # At a line's start: a text inside JSON has no raw line ends.
            self.complete = data.startswith(self._markers) or any(
                b"\n" + marker in data for marker in self._markers
            )
