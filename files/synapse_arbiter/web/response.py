"""One request and its answer as the client sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import orjson
from aiohttp import web

from synapse_arbiter.errors import RefusedError
from synapse_arbiter.state import QueuedRequest
from synapse_arbiter.web.request import ModelRequest
from synapse_common import protocol
from synapse_common.answers.endpoints import ENDPOINTS
from synapse_common.bodies.aside import Bytes
from synapse_common.bodies.budget import Held
from synapse_common.bodies.sending import sendable

TO_ENGINE = ("content-type", "accept", protocol.REQUEST_ID, "traceparent", "tracestate")
TO_CLIENT = ("content-type", protocol.REQUEST_ID, "retry-after", "cache-control")
SSE = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"}


class ClientLeftError(Exception):
    """The client went away while its answer was written."""

    def __init__(self, response: web.StreamResponse) -> None:
        """Remember what was being written."""
        super().__init__("the client left")
        self.response = response


async def read_body(request: web.BaseRequest) -> bytes:
    """Read the whole body, telling a client that asks first to go on."""
    transport = request.transport
    if transport is not None and request.headers.get("expect", "").lower() == "100-continue":
        transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise RefusedError("body_too_large", f"The body is too large: {error.text}") from error
    except web.RequestPayloadError as error:
        message = "The body cannot be read: it is not packed as its headers say."
        raise RefusedError("invalid_request", message) from error


def answer(value: object) -> web.Response:
    """Return a JSON answer."""
    return web.Response(body=orjson.dumps(value), content_type="application/json")


def refusal(refused: RefusedError, path: str) -> web.Response:
    """Return an error as the whole answer at a path, which need not be one that is known."""
    endpoint = ENDPOINTS.get(path)
    return refused.response(body=endpoint.dialect.body(refused) if endpoint else None)


class ResponseWriter:
    """The two ends of one request; its status goes out once, and only when it is known."""

    __slots__ = (
        "_headers", "_response", "ask", "body", "endpoint", "held", "judge", "path", "request",
    )  # fmt: skip

    def __init__(
        self,
        request: web.BaseRequest,
        ask: ModelRequest,
        path: str,
        body: Sequence[Bytes],
        held: Held,
    ) -> None:
        """Nothing has been answered yet."""
        self.request = request
        self.ask = ask
        self.path = path
        self.body = body
        self.held = held
        self.endpoint = ENDPOINTS[path]
        self.judge = self.endpoint.judge(ask.answers)
        self._headers = {protocol.MODEL: ask.model}
        self._response: web.StreamResponse | None = None

    def headers_to_engine(self) -> dict[str, str]:
        """Return those of the client's headers that the engine may see."""
        sent = self.request.headers
        return {name: sent[name] for name in TO_ENGINE if name in sent}

    async def describe(self, request: QueuedRequest) -> None:
        """Tell whether the model had to wake, and how long the request waited.

        It stands in the answer's headers, or in a comment where these have left already.
        """
        told = {
            protocol.WOKE: "true" if request.woke else "false",
            protocol.WAITED: f"{request.waited_s:.3f}",
        }
        self._headers |= told
        if self._response is not None:
            await self.send(protocol.comment(told))

    async def ping(self, place: int, left_s: float) -> None:
        """Write a comment, which commits the answer to be a stream with status 200."""
        if self._response is None:
            await self._open(200, SSE)
        await self.send(f": waiting for the GPU: place {place}, about {left_s:.0f} s\n\n".encode())

    async def open_stream(self, status: int, headers: Mapping[str, str]) -> None:
        """Begin to stream the engine's answer."""
        if self._response is None:
            await self._open(status, _to_client(headers))

    async def send(self, data: bytes) -> None:
        """Write a part of the stream; raise ClientLeftError when nobody reads it any more."""
        response = self._opened()
        try:
            await response.write(data)
        except ConnectionError as error:
            raise ClientLeftError(response) from error

    async def close_stream(self, rest: Bytes) -> web.StreamResponse:
        """End the stream."""
        response = self._opened()
        try:
            await response.write_eof(bytes(rest))
        except ConnectionError as error:
            raise ClientLeftError(response) from error
        return response

    async def complete(
        self, status: int, headers: Mapping[str, str], payload: Bytes
    ) -> web.StreamResponse:
        """Answer in one piece; inside a stream that comments began, as one event."""
        if self._response is not None:
            if status >= 400:
                return await self.close_stream(self.endpoint.dialect.engine_error(bytes(payload)))
            return await self.close_stream(b"".join((b"data: ", payload, b"\n\n")))
        headers = _to_client(headers) | self._headers
        body = sendable([payload])
        return web.Response(body=body, status=status, headers=headers)

    async def fail(self, refused: RefusedError) -> web.StreamResponse:
        """Answer with an error of ours, whatever has been written so far."""
        dialect = self.endpoint.dialect
        if self._response is not None:
            return await self.close_stream(dialect.event(refused, self.judge.number))
        return refused.response(self._headers, dialect.body(refused))

    def _opened(self) -> web.StreamResponse:
        if self._response is None:
            raise RuntimeError("a stream is written to before it is opened")
        return self._response

    async def _open(self, status: int, headers: Mapping[str, str]) -> None:
        response = web.StreamResponse(status=status, headers={**headers, **self._headers})
        self._response = response
        try:
            await response.prepare(self.request)
        except ConnectionError as error:
            raise ClientLeftError(response) from error


def _to_client(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: headers[name] for name in TO_CLIENT if name in headers}
