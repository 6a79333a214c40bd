"""Whatever a model can say, and bytes that arrive in whatever pieces."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

LOOKS_LIKE_PROTOCOL = [
    "data: [DONE]\n\n", '{"done":true,"done_reason":"stop"}\n', '{"error":"x"}', "\n\n", "\r\n\r\n",
    "\u2028", "event: error\n", "[img]", "[img-0]", "</think>", "\x00", "\ufffd", "é", "😀",
    ":", "",
]  # fmt: skip
TEXTS = st.text(max_size=12) | st.sampled_from(LOOKS_LIKE_PROTOCOL)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
ARGUMENTS = st.dictionaries(TEXTS, VALUES, max_size=3)
NAMES = st.text(min_size=1, max_size=8)


@dataclass(frozen=True)
class Call:
    """One call of a tool."""

    id: str
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Said:
    """A whole answer, in the pieces in which the model wrote it."""

    thinking: list[str]
    words: list[str]
    calls: list[Call]
    reason: str
    """`stop` or `length`."""
    read: int
    written: int

    @property
    def text(self) -> str:
        """Return all that it said."""
        return "".join(self.words)

    @property
    def thought(self) -> str:
        """Return all that it thought."""
        return "".join(self.thinking)


ANSWERS = st.builds(
    Said,
    thinking=st.lists(TEXTS, max_size=4),
    words=st.lists(TEXTS, max_size=6),
    calls=st.lists(st.builds(Call, NAMES, NAMES, ARGUMENTS), max_size=3),
    reason=st.sampled_from(["stop", "length"]),
    read=st.integers(0, 10**6),
    written=st.integers(0, 10**6),
)
CUTS = st.lists(st.integers(0, 4000), max_size=12)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    """Return the bytes in pieces that end at these places."""
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in pairwise(places)]


def translated(
    feed: Callable[[bytes], bytes], finish: Callable[[], bytes], data: bytes, cuts: list[int]
) -> bytes:
    """Return what a translator makes of a whole stream that comes in pieces."""
    return b"".join(map(feed, pieces(data, cuts))) + finish()


def events(data: bytes) -> list[Any]:
    """Return the data of server-sent events; [DONE] as a text."""
    told = []
    for event in data.decode().split("\n\n"):
        if event:
            assert event.startswith("data: ")
            body = event.removeprefix("data: ")
            told.append(body if body == "[DONE]" else json.loads(body))
    return told


def lines(data: bytes) -> list[Any]:
    """Return the objects of newline-delimited JSON."""
    return [json.loads(line) for line in data.split(b"\n") if line]
