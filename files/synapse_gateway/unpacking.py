"""Packed bodies: unpacked within limits, and whole or refused."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterator

from synapse_gateway import errors

WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
"""What zlib calls the formats."""
PIECE = 256 * 1024
"""Bytes that are unpacked at once, in about a millisecond: a small body may hold an immense one."""


async def unpacked(pieces: AsyncIterator[bytes], packing: str) -> AsyncIterator[bytes]:
    """Yield a body without its packing; raise Refusal for one that is broken or unknown."""
    packing = packing.strip().lower()
    if packing in ("", "identity"):
        async for piece in pieces:
            yield piece
        return
    if packing not in WINDOWS:
        raise errors.unknown_packing(packing)
    packed = zlib.decompressobj(WINDOWS[packing])
    try:
        async for piece in pieces:
            for out in _more(packed, piece):
                yield out
                await asyncio.sleep(0)  # others are served between two pieces
            if packed.unused_data:  # which would be kept, however much it is
                break
    except zlib.error:
        raise errors.malformed(f"The body is not packed as {packing}.") from None
    if not packed.eof or packed.unused_data:
        raise errors.malformed(f"The body is not one whole {packing}.")


def _more(packed: zlib._Decompress, piece: bytes) -> Iterator[bytes]:
    while piece:
        yield packed.decompress(piece, PIECE)
        piece = packed.unconsumed_tail
