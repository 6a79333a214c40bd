"""One client's connection, with the limits that aiohttp has no name for."""

from __future__ import annotations

import asyncio
import traceback
from http import HTTPStatus
from typing import Any

from aiohttp import StreamReader, web
from aiohttp.http_exceptions import LineTooLong

from synapse_common import protocol
from synapse_common.refusals import Refusal
from synapse_gateway import errors
from synapse_gateway.access_log import new_request_id
from synapse_gateway.connections import Connections
from synapse_gateway.log_pipe import write_line
from synapse_gateway.watch import LARGE_BYTES

HEADERS_BYTES = 32 * 1024
"""Of all headers of one request; what comes with the same read is taken in, and no more."""
BEHIND_BYTES = 512 * 1024
"""That wait behind a request which is being answered; with more, the answer is the last one.
Room for two reads: a quick client's next request may come while the one before is tidied up."""
FRAMING_BYTES = 512 * 1024
"""Around the pieces of a body, where that is more than the body: for pieces of a byte."""


class Connection(web.RequestHandler):
    """Reads requests; what is no HTTP, too much or too slow gets a refusal in our shape."""

    __slots__ = ("_behind", "_counted", "_framed", "_has_asked", "_headers", "_late")

    def __init__(self, manager: web.Server, counted: Connections, **options: Any) -> None:
        """Take the options of aiohttp's handler too."""
        super().__init__(manager, **options)
        self._counted = counted
        self._late: asyncio.TimerHandle | None = None
        self._has_asked = False
        """A request has come: from then on aiohttp itself knows when it waits for one."""
        self._headers = self._behind = self._framed = 0
        """Bytes of the headers, behind the request, and of its body with what is around it."""

    @property
    def client(self) -> str | None:
        """Return the address at the other end."""
        peer = self.peername
        return str(peer[0]) if peer else None

    def is_idle(self) -> bool:
        """Say whether it waits for a request, or for the rest of its headers."""
        waiter = self._waiter
        return not self._has_asked if waiter is None else not waiter.done()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, if there is room."""
        super().connection_made(transport)
        if self._counted.enter(self, self.client):
            self._await_headers()
        else:
            self._dismiss(errors.too_many_connections(), "no room")

    def connection_lost(self, exc: BaseException | None) -> None:
        """End, and make room."""
        self._in_time()
        self._counted.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, within the limits."""
        body = None if self.is_idle() else self._body()
        was_whole = body is not None and body.is_eof()
        super().data_received(data)
        self._has_asked |= bool(self._messages)
        if self._force_close or self._close:
            return
        if was_whole:
            self._behind += len(data)
            if self._behind > BEHIND_BYTES:
                self.close()
            return
        self._behind = 0
        if self.is_idle():
            self._headers += len(data)
            if self._headers > HEADERS_BYTES:
                self._dismiss(errors.headers_too_large(), "all headers together")
            else:
                self._await_headers()
            return
        self._in_time()
        if body is not None and not body.is_eof() and self._body() is not body:
            # Its pieces are no HTTP: what is told of that stands behind it.
            body.set_exception(web.RequestPayloadError("broken"))
        self._weigh(data)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Refuse what is no HTTP; aiohttp's own words would repeat the client's bytes."""
        refusal = errors.malformed_http() if status < 500 else errors.broken()
        if isinstance(exc, LineTooLong):
            refusal = errors.headers_too_large()
        if status >= 500:
            self.log_exception(exc_info=exc)
        request_id = new_request_id()
        self._counted.tell(self.client, refusal, request_id, type(exc).__name__)
        if request.writer.output_size > 0:
            raise ConnectionError("an answer has begun, and no other one can follow")
        response = web.Response(status=refusal.status, body=refusal.body())
        response.headers["content-type"] = "application/json"
        response.headers[protocol.REQUEST_ID] = request_id
        response.force_close()
        return response

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """Say where something of ours failed, and not what: a client's words may be in it."""
        error = kw.get("exc_info")
        if isinstance(error, BaseException) and not isinstance(error, web.RequestPayloadError):
            last = traceback.extract_tb(error.__traceback__)[-1:]
            where = "".join(f" at {frame.name}:{frame.lineno}" for frame in last)
            write_line({"event": "failure", "error": f"{type(error).__name__}{where}"})

    def _body(self) -> StreamReader | None:
        """Return the body of the latest request whose headers are there."""
        if self._messages:
            return self._messages[-1][1]
        return self._current_request.content if self._current_request else None

    def _weigh(self, data: bytes) -> None:
        body = self._body()
        if body is None or body.is_eof():
            self._framed = 0
            return
        self._framed += len(data)
        arrived = body.total_bytes
        if self._framed - arrived > FRAMING_BYTES + arrived:
            body.set_exception(web.RequestPayloadError("more around it than in it"))
            self.close()
        elif arrived > LARGE_BYTES and self._current_request:
            self._counted.note_body(self._current_request)

    def _await_headers(self) -> None:
        if self._late is None:
            limit_s = self._counted.settings.header_timeout_s
            self._late = asyncio.get_running_loop().call_later(limit_s, self._too_late)

    def _in_time(self) -> None:
        self._headers = 0
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _too_late(self) -> None:
        self._late = None
        if not self.is_idle():
            return
        if self._headers:
            self._dismiss(errors.slow_headers(self._counted.settings.header_timeout_s), "slow")
        else:
            self.force_close()  # it was opened and not used, as browsers do

    def _dismiss(self, refusal: Refusal, why: str) -> None:
        request_id = new_request_id()
        self._counted.tell(self.client, refusal, request_id, why)
        body = refusal.body()
        headers = {
            "content-type": "application/json",
            "content-length": str(len(body)),
            "connection": "close",
            protocol.REQUEST_ID: request_id,
            **refusal.headers,
        }
        lines = [f"HTTP/1.1 {refusal.status} {HTTPStatus(refusal.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if self.transport is not None:
            self.transport.write("\r\n".join([*lines, "", ""]).encode() + body)
        self.force_close()
