"""Reads an engine's answer that comes in one piece, within limits."""

from __future__ import annotations

import aiohttp

from synapse_common.answers.judges import too_large
from synapse_common.bodies.budget import Held

ANSWER_AT_MOST = 64 * 1024**2
"""Bytes: 2,048 vectors of 1,024 numbers take about 45 MiB."""

WITH_COPIES = 2
"""Bytes held for each that came: what is parsed of it, or written anew."""


async def read_whole(answer: aiohttp.ClientResponse, held: Held) -> bytes | bytearray:
    """Return an answer; raise CutShort for one over the limit, Refusal where memory lacks."""
    first = await answer.content.readany()
    if answer.content.at_eof():
        return first
    read = bytearray(first)
    while piece := await answer.content.readany():
        read += piece
        held.add(WITH_COPIES * len(piece))
        if len(read) > ANSWER_AT_MOST:
            raise too_large(ANSWER_AT_MOST)
    return read


async def read_within(answer: aiohttp.ClientResponse, limit_bytes: int) -> bytes:
    """Return an answer that is small if it is honest; raise CutShort for one over the limit."""
    read = bytearray()
    while piece := await answer.content.readany():
        read += piece
        if len(read) > limit_bytes:
            raise too_large(limit_bytes)
    return bytes(read)
