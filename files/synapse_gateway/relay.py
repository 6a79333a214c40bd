"""Runs LiteLLM for one request and passes on what may leave."""

from __future__ import annotations

from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from synapse_gateway import answer, errors
from synapse_gateway.config import Model
from synapse_gateway.errors import Refusal
from synapse_gateway.exchange import CLIENT_LEFT, Exchange
from synapse_gateway.intake import Request
from synapse_gateway.routes import Route

SERVED_BY = "x-litellm-model-id"
"""LiteLLM sends it once it knows who serves; a stream that was pinged before lacks it."""
FROM_BACKEND = "llm_provider-"


@dataclass
class Relay:
    """One answer on its way to the client."""

    exchange: Exchange
    send: Send
    started: bool = False
    """The status line has left: from here on trouble can only be told inside the answer."""
    stream: answer.Stream | None = None
    finished: bool = False
    """All of the answer has left; the connection's end afterwards says nothing about it."""
    client_left: bool = False
    as_base64: bool = False
    in_events: bool = False
    """The answer that is passed on is a stream of events, which can tell of trouble."""
    _status: int = 0
    _headers: dict[str, str] = field(default_factory=dict)
    _body: list[bytes] = field(default_factory=list)

    async def run(
        self, inner: ASGIApp, scope: Scope, receive: Receive, request: Request, route: Route
    ) -> None:
        """Hand the cleaned request to LiteLLM and relay its answer until its end."""
        self.as_base64 = request.as_base64
        if request.stream:
            self.stream = answer.Stream(self.exchange, request.usage_wanted, route.needs_reason)
        body = [request.body]

        async def received() -> Message:
            if body:
                return {"type": "http.request", "body": body.pop(), "more_body": False}
            message = await receive()
            self.client_left |= message["type"] == "http.disconnect" and not self.finished
            return message

        await inner(scope, received, self._relay)
        if self.client_left:
            self.exchange.status = CLIENT_LEFT
        elif not self.started:
            raise errors.broken()

    async def answer(self, body: bytes) -> None:
        """Send a whole JSON answer."""
        await self._start(
            200, {"content-type": "application/json", "content-length": str(len(body))}
        )
        await self._pass(body, more=False)

    async def begin(self, headers: dict[str, str], served: Model) -> None:
        """Begin an answer that is passed on as it comes, saying who serves it."""
        names = {"x-synapse-model": served.name, "x-synapse-backend": served.backend}
        self.in_events = headers["content-type"].startswith("text/event-stream")
        await self._start(200, {**headers, **names, "cache-control": "no-store"})

    async def pass_on(self, body: bytes, more: bool = True) -> None:
        """Send the next piece of an answer that has begun."""
        self.exchange.note_bytes(len(body))
        await self._pass(body, more)

    async def refuse(self, refusal: Refusal) -> None:
        """Tell the client in whatever way is still possible."""
        if self.client_left:
            self.exchange.status = CLIENT_LEFT
        elif self.stream and self.started:
            await self._pass(self.stream.fail(refusal), more=False)
        elif not self.started:
            self.exchange.error = refusal.code
            body = refusal.body()
            length = {"content-type": "application/json", "content-length": str(len(body))}
            await self._start(refusal.status, {**length, **refusal.headers})
            await self._pass(body, more=False)
        elif not self.finished:
            # Nothing can be said in the middle of bytes: the connection breaks off instead.
            self.exchange.status, self.exchange.error = refusal.status, refusal.code

    async def _relay(self, message: Message) -> None:
        """Pass on (1) events as they come, (2) a JSON answer once it is whole."""
        if message["type"] == "http.response.start":
            await self._head(message)
            return
        chunk, more = message.get("body", b""), message.get("more_body", False)
        if self.started and self.stream:  # (1)
            out = self.stream.feed(chunk) + (b"" if more else self.stream.end())
            await self._pass(out, more)
        else:  # (2)
            self._body.append(chunk)
            if not more:
                await self._whole(b"".join(self._body))

    async def _head(self, message: Message) -> None:
        self._status = message["status"]
        self._headers = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in message["headers"]
        }
        self.exchange.note_wait(self._headers, FROM_BACKEND)
        kind = self._headers.get("content-type", "application/json")
        if self._status == 200 and self.stream and not kind.startswith("application/json"):
            # No proxy on the way may hold tokens back.
            headers = {"content-type": kind, "cache-control": "no-store", "x-accel-buffering": "no"}
            await self._start(200, headers)

    async def _whole(self, body: bytes) -> None:
        if self._status != 200:
            retry_after = self._headers.get(f"{FROM_BACKEND}retry-after")
            raise answer.refusal_of(self._status, body, retry_after, self.exchange)
        await self.answer(answer.whole(body, self.exchange, self.as_base64))

    async def _start(self, status: int, headers: dict[str, str]) -> None:
        self.started = True
        self.exchange.status = status
        headers["x-request-id"] = self.exchange.request_id
        served = self.exchange.served
        if served and SERVED_BY in self._headers:
            headers |= {"x-synapse-model": served.name, "x-synapse-backend": served.backend}
        raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        await self.send({"type": "http.response.start", "status": status, "headers": raw})

    async def _pass(self, body: bytes, more: bool) -> None:
        if body or not more:
            self.finished = not more
            await self.send({"type": "http.response.body", "body": body, "more_body": more})
