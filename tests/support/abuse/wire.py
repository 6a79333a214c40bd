"""One request over a socket of its own, as bytes, and what came back."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import select
import socket
import time
from dataclasses import dataclass

LIMIT_S = 60.0
STREAMS = ("text/event-stream", "application/x-ndjson")
WHOLE = re.compile(rb'data: \[DONE\]|"response.completed"|"message_stop"|"done": ?true')
"""How streams end in each dialect."""


@dataclass(frozen=True)
class Sent:
    """A request as it goes over the wire."""

    head: bytes
    body: bytes = b""
    piece: int = 0
    """Bytes of each chunk of a chunked body; 0: it has a length."""

    @property
    def size(self) -> int:
        """Return its bytes, without what chunks add."""
        return len(self.head) + len(self.body)

    def pieces(self) -> bytes:
        """Return the body as it is sent."""
        if not self.piece:
            return self.body
        size, body = self.piece, self.body
        cut = [body[at : at + size] for at in range(0, len(body), size)]
        return b"".join(b"%x\r\n%b\r\n" % (len(one), one) for one in cut) + b"0\r\n\r\n"


@dataclass(frozen=True)
class Answer:
    """What came back; status 0 when nothing did."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float
    fault: str = ""

    @property
    def outcome(self) -> str:
        """Say whether it is `answered`, an explicit `error`, `short`, `broken` or `hung`."""
        if self.fault == "TimeoutError":
            return "hung"
        if self.status == 200:
            return "broken" if self.fault else judged(self)
        return "error" if self.status and self.body else "broken"

    @property
    def reason(self) -> str:
        """Return the words of an error in any dialect."""
        with contextlib.suppress(ValueError, KeyError, TypeError):
            error = json.loads(self.body)["error"]
            return str(error if isinstance(error, str) else error["message"])
        return self.fault or self.body[:200].decode(errors="replace")


def judged(answer: Answer) -> str:
    """Say how an answer of status 200 ended: whole, with an error in words, or short."""
    kind = answer.headers.get("content-type", "")
    if not kind.startswith(STREAMS):
        return "answered"
    if b'\ndata: {"error"' in b"\n" + answer.body:
        return "error"
    last = (answer.body.rstrip().splitlines() or [b""])[-1]
    if WHOLE.search(last):
        return "answered"
    return "error" if b'"error"' in last else "short"


def head(path: str, app: str, *lines: str, size: int | None = None, packed: str = "") -> bytes:
    """Return a request's head; without a size its body is chunked."""
    told = [f"POST {path} HTTP/1.1", "host: kit", f"authorization: Bearer sk-synapse-{app}", *lines]
    told.append("transfer-encoding: chunked" if size is None else f"content-length: {size}")
    if packed:
        told.append(f"content-encoding: {packed}")
    return "\r\n".join([*told, "", ""]).encode("latin-1")


def exchange(port: int, sent: Sent, limit_s: float = LIMIT_S) -> Answer:
    """Send a request and read its answer, whatever becomes of it."""
    began_s = time.monotonic()

    def ended(status: int, headers: dict[str, str], body: bytes, fault: str = "") -> Answer:
        return Answer(status, headers, body, time.monotonic() - began_s, fault)

    told: http.client.HTTPResponse | None = None
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=limit_s) as connection:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                # Who is refused early finds the answer although it could not send all.
                connection.sendall(sent.head)
                connection.sendall(sent.pieces())
            told = http.client.HTTPResponse(connection, method="POST")
            told.begin()
            return ended(told.status, _headers(told), told.read())
    except (OSError, http.client.HTTPException) as error:
        half = getattr(error, "partial", b"")
        status, headers = (told.status, _headers(told)) if told and told.headers else (0, {})
        return ended(status, headers, half, type(error).__name__)


def _headers(told: http.client.HTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in told.getheaders()}


def connected(port: int) -> socket.socket:
    """Return an open connection."""
    return socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S)


def readable(connection: socket.socket) -> bool:
    """Say whether something has come back, or the end."""
    return bool(select.select([connection], [], [], 0)[0])
