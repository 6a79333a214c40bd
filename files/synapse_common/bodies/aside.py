"""Long base64 of a body, kept as the bytes that came while all else is parsed and written anew.

In its place stands a mark that nobody can guess, made of the letters of base64 and of a length
that keeps the rest in step: whether the shortened text is good base64 says whether the whole is.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

Bytes = bytes | bytearray | memoryview

SHOWN = 128
"""Letters of each text that stay, so that one sees what it is."""
STEP = 4
"""Letters of base64 that belong together."""
NONCE = 32
NUMBER = 8


class Aside:
    """The long texts of one body; each can be put back as often as the body is sent."""

    __slots__ = ("_nonce", "_texts", "size")

    def __init__(self) -> None:
        """Begin with none."""
        self._nonce = b""
        self._texts: list[list[memoryview]] = []
        self.size = 0
        """Bytes that are kept."""

    def take(self, pieces: list[bytes]) -> bytes:
        """Keep a text that is longer than SHOWN and a mark; return what stands in its place."""
        whole = sum(map(len, pieces))
        kept = (whole - SHOWN) // STEP * STEP
        after = whole - SHOWN - kept
        pieces = _joined(pieces, SHOWN, after)
        views = [memoryview(piece) for piece in pieces]
        end = bytes(views[-1][len(views[-1]) - after :])
        begin = bytes(views[0][:SHOWN])
        views[-1] = views[-1][: len(views[-1]) - after]
        views[0] = views[0][SHOWN:]
        self._nonce = self._nonce or secrets.token_hex(NONCE // 2).encode()
        mark = self._nonce + b"%0*x" % (NUMBER, len(self._texts))
        self._texts.append([view for view in views if view])
        self.size += kept
        return begin + mark + end

    def restored(self, payload: Bytes) -> Sequence[Bytes]:
        """Return a body with every text in its place again, in pieces that are not copied."""
        if not self._nonce:
            return [payload]
        view, pieces, done = memoryview(payload), list[Bytes](), 0
        raw = payload if isinstance(payload, bytes | bytearray) else bytes(payload)
        while (at := raw.find(self._nonce, done)) >= 0:
            end = at + NONCE + NUMBER
            pieces += [view[done:at], *self._texts[int(raw[at + NONCE : end], 16)]]
            done = end
        return [*pieces, view[done:]]

    def length(self, text: str) -> int:
        """Return how many characters a text has that may be shortened."""
        if not self._nonce:
            return len(text)
        nonce, found, done = self._nonce.decode(), len(text), 0
        while (at := text.find(nonce, done)) >= 0:
            done = at + NONCE + NUMBER
            number = int(text[at + NONCE : done], 16)
            found += sum(map(len, self._texts[number])) - NONCE - NUMBER
        return found


def _joined(pieces: list[bytes], first: int, last: int) -> list[bytes]:
    """Return the same in pieces of which the first and the last hold so many bytes at least."""
    pieces = list(pieces)
    while len(pieces) > 1 and len(pieces[0]) < first:
        pieces[:2] = [pieces[0] + pieces[1]]
    while len(pieces) > 1 and len(pieces[-1]) < last:
        pieces[-2:] = [pieces[-2] + pieces[-1]]
    return pieces
