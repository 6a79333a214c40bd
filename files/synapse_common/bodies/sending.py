"""A body that is sent in the pieces that it is kept in."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload

from synapse_common.bodies.aside import Bytes

AT_ONCE = 256 * 1024
"""Bytes after which the receiver is waited for."""


def sendable(pieces: Sequence[Bytes]) -> Bytes | Payload:
    """Return what aiohttp sends: a small body at once, any other piece by piece."""
    return pieces[0] if len(pieces) == 1 and len(pieces[0]) <= AT_ONCE else Pieces(pieces)


class Pieces(Payload):
    """Sends pieces one after another without joining them, as often as it is asked to."""

    def __init__(self, pieces: Sequence[Bytes]) -> None:
        """Take the pieces of one body of JSON."""
        super().__init__(pieces, content_type="application/json")
        self._pieces = pieces
        self._size = sum(map(len, pieces))

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Return the body as one text."""
        return b"".join(self._pieces).decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Send all of it, as fast as it is taken."""
        for piece in self._pieces:
            for at in range(0, len(piece), AT_ONCE):
                await writer.write(piece[at : at + AT_ONCE])
