"""Headers: many, long, strange; nothing here needs a key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from abuse import wire

START = "GET /v1/models HTTP/1.1\r\nhost: kit\r\n"


def _lines(unit: str, size: int) -> str:
    return START + unit * (size // len(unit)) + "\r\n"


HEADS: dict[str, Callable[[int], str]] = {
    "many short": lambda size: _lines("a: b\r\n", size),
    "many different": lambda size: START
    + "".join(f"x-{number}: b\r\n" for number in range(size // 14))
    + "\r\n",
    "long ones": lambda size: _lines(f"a: {'b' * 8000}\r\n", size),
    "one long": lambda size: START + f"a: {'b' * size}\r\n\r\n",
    "long name": lambda size: START + f"{'a' * size}: b\r\n\r\n",
    "long path": lambda size: f"GET /{'a' * size} HTTP/1.1\r\nhost: kit\r\n\r\n",
    "many slashes": lambda size: f"GET {'/' * size} HTTP/1.1\r\nhost: kit\r\n\r\n",
    "many escapes": lambda size: f"GET /{'%41' * (size // 3)} HTTP/1.1\r\nhost: kit\r\n\r\n",
    "long query": lambda size: f"GET /v1/models?{'a=b&' * (size // 4)} HTTP/1.1\r\n"
    "host: kit\r\n\r\n",
    "cookies": lambda size: START + f"cookie: {'a=b; ' * (size // 5)}\r\n\r\n",
    "long key": lambda size: START + f"authorization: Bearer {'k' * size}\r\n\r\n",
    "many origins": lambda size: START + f"origin: {'http://a, ' * (size // 10)}\r\n\r\n",
    "asked headers": lambda size: "OPTIONS /v1/chat/completions HTTP/1.1\r\nhost: kit\r\norigin: http://a\r\n"
    + "access-control-request-method: POST\r\n"
    + f"access-control-request-headers: {'a,' * (size // 2)}\r\n\r\n",
    "empty lines": lambda size: "\r\n" * (size // 2) + START + "\r\n",
    "folded": lambda size: START + "a: b\r\n" + " c\r\n" * (size // 4) + "\r\n",
    "many requests": lambda size: (START + "\r\n") * (size // len(START)),
    "chunk extensions": lambda size: "POST /v1/chat/completions HTTP/1.1\r\nhost: kit\r\n"
    + f"transfer-encoding: chunked\r\n\r\n1;{'a' * size}\r\n{{\r\n0\r\n\r\n",
    "trailers": lambda size: "POST /v1/chat/completions HTTP/1.1\r\nhost: kit\r\n"
    + "transfer-encoding: chunked\r\n\r\n1\r\n{\r\n0\r\n"
    + "a: b\r\n" * (size // 6)
    + "\r\n",
}  # fmt: skip
"""Requests of about so many bytes before their body."""


@dataclass(frozen=True)
class HeadShape:
    """A head in a few words; `request` writes it out."""

    what: str
    size: int

    @property
    def kind(self) -> str:
        """Say what is varied, without sizes."""
        return f"headers: {self.what}"

    def request(self) -> wire.Sent:
        """Write it out."""
        return wire.Sent(HEADS[self.what](self.size).encode())


def every_kind(size: int) -> list[HeadShape]:
    """Return each head once, so large."""
    return [HeadShape(what, size) for what in HEADS]
