"""Runs LiteLLM for one request and passes on what may leave."""

from __future__ import annotations

from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope

from synapse_gateway import errors
from synapse_gateway.access_log import CLIENT_LEFT
from synapse_gateway.litellm_proxy import answer
from synapse_gateway.request import Request
from synapse_gateway.response import ResponseWriter, served_by
from synapse_gateway.routes import Route

SERVED_BY = "x-litellm-model-id"
"""LiteLLM sends it once it knows who serves; a stream that was pinged before lacks it."""
FROM_ENGINE = "llm_provider-"


@dataclass
class LiteLLMForwarder:
    """Hands one request to LiteLLM and its answer to the client."""

    writer: ResponseWriter
    as_base64: bool = False
    stream: answer.Stream | None = None
    _status: int = 0
    _headers: dict[str, str] = field(default_factory=dict)
    _body: list[bytes] = field(default_factory=list)

    async def run(
        self, litellm_app: ASGIApp, scope: Scope, receive: Receive, request: Request, route: Route
    ) -> None:
        """Hand the cleaned request to LiteLLM and pass its answer on until its end."""
        writer = self.writer
        self.as_base64 = request.as_base64
        if request.stream:
            self.stream = answer.Stream(writer.record, request.usage_wanted, route.needs_reason)
            writer.last_event = self.stream.fail
        body = [request.body]

        async def received() -> Message:
            if body:
                return {"type": "http.request", "body": body.pop(), "more_body": False}
            message = await receive()
            writer.client_left |= message["type"] == "http.disconnect" and not writer.finished
            return message

        await litellm_app(scope, received, self._send)
        if writer.client_left:
            writer.record.status = CLIENT_LEFT
        elif not writer.started:
            raise errors.broken()

    async def _send(self, message: Message) -> None:
        """Pass on (1) events as they come, (2) a JSON answer once it is whole."""
        if message["type"] == "http.response.start":
            await self._head(message)
            return
        chunk, more = message.get("body", b""), message.get("more_body", False)
        if self.writer.started and self.stream:  # (1)
            out = self.stream.feed(chunk) + (b"" if more else self.stream.end())
            await self.writer.write(out, more)
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
        self.writer.record.note_wait(self._headers, FROM_ENGINE)
        kind = self._headers.get("content-type", "application/json")
        if self._status == 200 and self.stream and not kind.startswith("application/json"):
            # No proxy on the way may hold tokens back.
            headers = {"content-type": kind, "cache-control": "no-store", "x-accel-buffering": "no"}
            await self.writer.start(200, {**headers, **self._served_by()})

    async def _whole(self, body: bytes) -> None:
        record = self.writer.record
        if self._status != 200:
            retry_after = self._headers.get(f"{FROM_ENGINE}retry-after")
            raise answer.refusal_of(self._status, body, retry_after, record)
        checked = answer.whole(body, record, self.as_base64)
        await self.writer.answer(checked, self._served_by())

    def _served_by(self) -> dict[str, str]:
        """Return who serves, of an answer that is about to be sent."""
        attempts = self.writer.record.attempts
        return served_by(attempts[-1]) if attempts and SERVED_BY in self._headers else {}


def litellm_scope(scope: Scope, path: str, request: Request, key: str) -> Scope:
    """Return the request as LiteLLM sees it: nothing of the client's own headers or query."""
    headers = {
        "host": "gateway",
        "authorization": f"Bearer {key}",
        "content-type": "application/json",
        "content-length": str(len(request.body)),
    }
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    changed = {"path": path, "raw_path": path.encode(), "query_string": b"", "headers": raw}
    return {**scope, **changed, "root_path": "", "extensions": {}}
