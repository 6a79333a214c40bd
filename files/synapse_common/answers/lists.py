"""Long lists of numbers in an answer, left as the engine wrote them while all else is parsed.

2,048 vectors take a tenth of a second and more to parse, and nobody here looks at their numbers.
"""

from __future__ import annotations

import asyncio
import base64
import re
import secrets
import struct
from collections.abc import Sequence
from typing import Any

import orjson

from synapse_common.answers.judges import too_large
from synapse_common.bodies.aside import Bytes

LARGE = 256 * 1024
"""Bytes up to which an answer is parsed as it is."""
MIB = 1024**2
TEXT_AT_MOST = 8 * MIB
CONTAINERS_AT_MOST = 200_000
"""What is parsed of one answer; with more, parsing would take over 50 ms."""
LIST = re.compile(rb"""\[([-+0-9.eE,\s]{256,}+)\]|"[A-Za-z0-9+/]{64}([A-Za-z0-9+/=]{1024,}+)\"""")
"""Numbers, or the same in base64: what stays of that has a fixed length, and other texts are
passed over at once."""
LIST_AT_MOST = MIB
LOOK = 2 * MIB
"""Bytes in which lists are looked for before others are served."""
IN_TURN = 16
"""Lists after which others are served."""
NUMBERS = 10**6


class Lists:
    """The long lists of one answer; in the text that is parsed each is one number."""

    def __init__(self) -> None:
        """Begin with none."""
        self._first = (10**8 + secrets.randbelow(9 * 10**8)) * NUMBERS
        self._found: list[bytes] = []

    async def left_out(self, payload: Bytes) -> bytes:
        """Return an answer to be parsed; raise CutShort where that would take too long."""
        if len(payload) <= LARGE:
            return bytes(payload)
        text = await self._without(payload)
        if len(text) > TEXT_AT_MOST or text.count(b"[") + text.count(b"{") > CONTAINERS_AT_MOST:
            raise too_large(TEXT_AT_MOST)
        return bytes(text)

    def length(self, numbers: Sequence[Any]) -> int:
        """Return how many numbers a list of the parsed answer has."""
        left_out = self._of(numbers)
        return len(numbers) if left_out is None else left_out.count(b",") + 1

    def packed(self, numbers: Sequence[Any]) -> str:
        """Return the numbers as base64, or what `restored` puts it in place of."""
        return _packed(numbers) if self._of(numbers) is None else str(numbers[0])

    async def restored(self, payload: bytes) -> Sequence[Bytes]:
        """Return what was written of the parsed answer, in pieces, with every list in it."""
        if not self._found:
            return [payload]
        marks = re.compile(b'("?)%d(\\d{6})(?!\\d)' % (self._first // NUMBERS))
        view, pieces, done = memoryview(payload), list[Bytes](), 0
        for count, mark in enumerate(marks.finditer(payload)):
            numbers = self._found[int(mark[2])]
            if mark[1]:
                numbers = b'"' + _packed(orjson.loads(b"[" + numbers + b"]")).encode()
            pieces += [view[done : mark.start()], numbers]
            done = mark.end()
            if count % IN_TURN == 0:
                await asyncio.sleep(0)
        return [*pieces, view[done:]]

    async def _without(self, payload: Bytes) -> bytearray:
        text, done = bytearray(), 0
        view = memoryview(payload)
        while True:
            found = LIST.search(payload, done, done + LOOK + LIST_AT_MOST)
            if found:
                group = found.lastindex or 0
                text += view[done : found.start(group)]
                text += b"%d" % (self._first + len(self._found))
                self._found.append(found[group])
                done = found.end(group)
            elif len(payload) > done + LOOK + LIST_AT_MOST:
                text += view[done : done + LOOK]
                done += LOOK
            else:
                return text + view[done:]
            if len(text) > TEXT_AT_MOST:
                raise too_large(TEXT_AT_MOST)
            if not found or len(self._found) % IN_TURN == 0:
                await asyncio.sleep(0)

    def _of(self, numbers: Sequence[Any]) -> bytes | None:
        if len(numbers) != 1 or not isinstance(numbers[0], int):
            return None
        number = numbers[0] - self._first
        return self._found[number] if 0 <= number < len(self._found) else None


def _packed(numbers: Sequence[Any]) -> str:
    """Return the 32-bit numbers, little-endian, as OpenAI's clients unpack them."""
    try:
        return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()
    except (struct.error, OverflowError):
        raise ConnectionError("the engine's answer holds a vector that is none") from None
