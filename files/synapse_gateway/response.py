"""Writes one answer to the client and notes on the request's record what left."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from aiohttp import web

from synapse_common import protocol
from synapse_common.answers.dialects import OPENAI, OpenAI
from synapse_common.bodies.aside import Bytes
from synapse_common.bodies.sending import Pieces
from synapse_common.refusals import Refusal
from synapse_gateway.access_log import CLIENT_LEFT, RequestRecord
from synapse_gateway.config import Model
from synapse_gateway.taking import taken

JSON = "application/json"
EVENTS = "text/event-stream"
LINES = "application/x-ndjson"
IGNORED_SHOWN, NAME_SHOWN = 20, 60
"""Names in the header, and characters of each."""
COMMENT = b": ping\n\n"
SMALL = 256 * 1024
"""Bytes that are written at once."""
STALLED = "client_stalled"
"""The log's word for a client that took nothing of its answer for too long."""


class ClientLeft(Exception):  # noqa: N818  # nothing is wrong
    """The client closed the connection before its answer was complete."""


def served_by(model: Model) -> dict[str, str]:
    """Return the headers that tell a client which model and engine answered."""
    return {protocol.MODEL: model.name, protocol.ENGINE: model.engine}


@dataclass
class ResponseWriter:
    """One answer on its way to the client."""

    record: RequestRecord
    request: web.BaseRequest
    dialect: OpenAI = OPENAI
    """How errors are written for this client."""
    pause_s: float | None = None
    """How long the client may take nothing of its answer; None: as long as it likes."""
    headers: dict[str, str] = field(default_factory=dict)
    """Further headers of whatever is answered."""
    response: web.StreamResponse | None = None
    finished: bool = False
    """All of the answer has left; the connection's end afterwards says nothing about it."""
    stream: bool = False
    """The answer is a stream, which can end with an error."""
    events: int = 0
    """The number of the next event, where events are numbered."""

    @property
    def started(self) -> bool:
        """Say whether the status has left: then trouble can only be told inside the answer."""
        return self.response is not None

    def answered(self) -> web.StreamResponse:
        """Return what was begun; raise RuntimeError where nothing was."""
        if self.response is None:
            raise RuntimeError("an answer is used before it has begun")
        return self.response

    async def tell_ignored(self, names: Iterable[str]) -> None:
        """Tell which fields of the body no engine is told of: in a header, else in a comment."""
        shown = ", ".join(name[:NAME_SHOWN] for name in sorted(names)[:IGNORED_SHOWN])
        shown = shown.encode("latin-1", "replace").decode("latin-1")
        if self.started:  # by comments: only streams of events are, before a model answers
            if shown != self.headers.get(protocol.IGNORED, ""):
                self.headers[protocol.IGNORED] = shown
                await self.write(protocol.comment({protocol.IGNORED: shown}), more=True)
        elif shown:
            self.headers[protocol.IGNORED] = shown
        else:
            self.headers.pop(protocol.IGNORED, None)

    async def tell_outside(self, model: Model) -> None:
        """Tell that the request leaves the house for this model: in a header, else in a comment."""
        self.record.outside = model.name
        if protocol.OUTSIDE not in self.headers:
            self.headers[protocol.OUTSIDE] = "true"
            if self.started:  # by comments, as above
                await self.write(protocol.comment({protocol.OUTSIDE: "true"}), more=True)

    async def answer(
        self, body: bytes, headers: Mapping[str, str] | None = None, kind: str = JSON
    ) -> None:
        """Send a whole answer."""
        await self._send_whole(200, body, {"content-type": kind, **(headers or {})})

    async def answer_in_pieces(self, pieces: Sequence[Bytes], headers: Mapping[str, str]) -> None:
        """Send a whole answer without joining its pieces; a small one goes out at once."""
        small = sum(map(len, pieces)) <= SMALL
        body = b"".join(pieces) if small else Pieces(pieces)
        await self._send_whole(200, body, {"content-type": JSON, **headers})

    async def begin(self, headers: Mapping[str, str], served: Model | None) -> None:
        """Begin an answer that is passed on as it comes, saying who serves it where one knows."""
        kind = headers["content-type"]
        self.stream = kind.startswith((EVENTS, LINES))
        # No proxy on the way may hold events back.
        unheld = {"x-accel-buffering": "no"} if self.stream else {}
        told = served_by(served) if served else {}
        self.record.is_answered |= served is not None
        await self._start(200, {**headers, **unheld, **told, "cache-control": "no-store"})

    async def pass_on(self, body: bytes, more: bool = True) -> None:
        """Send the next piece of an audio answer that has begun, and count its bytes."""
        self.record.note_bytes(len(body))
        await self.write(body, more)

    async def ping(self) -> None:
        """Tell a client that waits for events that somebody is there."""
        if not self.started:
            await self.begin({"content-type": EVENTS}, None)
        await self.write(COMMENT, more=True)

    async def refuse(self, refusal: Refusal) -> None:
        """Tell the client in whatever way is still possible."""
        self.record.error = refusal.code
        if not self.started:
            body = self.dialect.body(refusal)
            headers = {"content-type": JSON, **refusal.headers}
            await self._send_whole(refusal.status, body, headers)
        elif not self.finished:
            self.record.status = refusal.status
            if self.stream:
                await self.write(self.dialect.event(refusal, self.events), more=False)
            else:
                self.abort()  # nothing can be said in the middle of bytes

    def abort(self) -> None:
        """Break the connection off, so that what was sent cannot pass for a whole answer."""
        self.finished = True
        if self.request.transport is not None:
            self.request.transport.abort()

    async def write(self, body: bytes, more: bool) -> None:
        """Send the next piece, or the last one."""
        response = self.answered()
        if more:
            await self._taken(response.write(body), len(body))
        else:
            self.finished = True
            await self._taken(response.write_eof(body), len(body))

    async def _taken(self, sending: Awaitable[object], size: int = 0) -> None:
        """Wait until the client has taken what is sent, or is gone, or takes nothing."""
        try:
            await taken(sending, size, self.request, self.pause_s)
        except TimeoutError:
            self.record.error = STALLED
            self.abort()
            raise self.left() from None
        except ConnectionError:
            raise self.left() from None

    def left(self) -> ClientLeft:
        """Note that the client is gone; return what to raise."""
        self.record.status, self.finished = CLIENT_LEFT, True
        return ClientLeft()

    async def _send_whole(self, status: int, body: bytes | Pieces, headers: dict[str, str]) -> None:
        response = web.Response(status=status, body=body, headers=self._all(headers))
        if headers.get("connection") == "close":
            response.force_close()  # the rest of the request's body is not read
        self.response, self.record.status, self.finished = response, status, True
        await self._taken(response.prepare(self.request))
        size = len(body) if isinstance(body, bytes) else body.size or 0
        await self._taken(response.write_eof(), size)

    async def _start(self, status: int, headers: dict[str, str]) -> None:
        response = web.StreamResponse(status=status, headers=self._all(headers))
        self.response, self.record.status = response, status
        await self._taken(response.prepare(self.request))

    def _all(self, headers: dict[str, str]) -> dict[str, str]:
        return {**headers, **self.headers, protocol.REQUEST_ID: self.record.request_id}
