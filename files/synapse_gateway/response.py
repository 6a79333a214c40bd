"""Writes one answer to the client and notes on the request's record what left."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.types import Send

from synapse_common import protocol
from synapse_common.refusals import Refusal
from synapse_gateway.access_log import CLIENT_LEFT, RequestRecord
from synapse_gateway.config import Model


def served_by(model: Model) -> dict[str, str]:
    """Return the headers that tell a client which model and engine answered."""
    return {protocol.MODEL: model.name, protocol.ENGINE: model.engine}


@dataclass
class ResponseWriter:
    """One answer on its way to the client."""

    record: RequestRecord
    send: Send
    started: bool = False
    """The status line has left: from here on trouble can only be told inside the answer."""
    finished: bool = False
    """All of the answer has left; the connection's end afterwards says nothing about it."""
    client_left: bool = False
    last_event: Callable[[Refusal], bytes] | None = None
    """Makes the event that ends a stream with an error; None where the answer is no stream."""

    async def answer(self, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Send a whole JSON answer."""
        length = {"content-type": "application/json", "content-length": str(len(body))}
        await self.start(200, {**length, **(headers or {})})
        await self.write(body, more=False)

    async def begin(self, headers: dict[str, str], served: Model) -> None:
        """Begin an answer that is passed on as it comes, saying who serves it."""
        if headers["content-type"].startswith("text/event-stream"):
            self.last_event = Refusal.event
        await self.start(200, {**headers, **served_by(served), "cache-control": "no-store"})

    async def pass_on(self, body: bytes, more: bool = True) -> None:
        """Send the next piece of an answer that has begun, and count its bytes."""
        self.record.note_bytes(len(body))
        await self.write(body, more)

    async def refuse(self, refusal: Refusal) -> None:
        """Tell the client in whatever way is still possible."""
        if self.client_left:
            self.record.status = CLIENT_LEFT
        elif not self.started:
            self.record.error = refusal.code
            body = refusal.body()
            length = {"content-type": "application/json", "content-length": str(len(body))}
            await self.start(refusal.status, {**length, **refusal.headers})
            await self.write(body, more=False)
        elif not self.finished:
            # Nothing can be said in the middle of bytes: the connection breaks off instead.
            self.record.status, self.record.error = refusal.status, refusal.code
            if self.last_event:
                await self.write(self.last_event(refusal), more=False)

    async def start(self, status: int, headers: dict[str, str]) -> None:
        """Send the status and these headers, and the request's id."""
        self.started = True
        self.record.status = status
        headers[protocol.REQUEST_ID] = self.record.request_id
        raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        await self.send({"type": "http.response.start", "status": status, "headers": raw})

    async def write(self, body: bytes, more: bool) -> None:
        """Send the next piece, or the last one."""
        if body or not more:
            self.finished = not more
            await self.send({"type": "http.response.body", "body": body, "more_body": more})
