"""The body of a request: read within limits of size, structure, memory and time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping

from aiohttp import web

from synapse_common.bodies.budget import Held
from synapse_common.bodies.incoming import (
    Body,
    BodyLimits,
    Incoming,
    TooMuchError,
    TooMuchTextError,
)
from synapse_gateway import errors
from synapse_gateway.config import MIB
from synapse_gateway.response import ClientLeft
from synapse_gateway.settings import Settings
from synapse_gateway.unpacking import unpacked

LARGE = 256 * 1024
"""Bytes from which on each step with a body may take milliseconds."""
EXPECTS = b"HTTP/1.1 100 Continue\r\n\r\n"


async def read_body(
    request: web.BaseRequest, settings: Settings, held: Held, *, sets_aside: bool = True
) -> Body:
    """Return a JSON body; one that is too large, in bytes or in what they hold, is refused.

    Its memory is held before it is read, and what parsing it will take before that. Without
    `sets_aside` all of its base64 is text like all other.
    """
    limit = settings.json_body_mib * MIB
    check_length(request.headers, limit)
    held.reach(int(request.headers.get("content-length", "0")))
    limits = BodyLimits(text_bytes=settings.json_text_mib * MIB)
    incoming = Incoming(limits, sets_aside=sets_aside)
    try:
        await _receive(request, settings, limit, incoming, held)
        body = incoming.finish()
    except TooMuchTextError as error:
        raise errors.too_much_text(str(error)) from None
    except TooMuchError as error:
        raise errors.too_complex(str(error)) from None
    held.reach(body.costs)
    return body


async def _receive(
    request: web.BaseRequest, settings: Settings, limit: int, incoming: Incoming, held: Held
) -> None:
    arrived = request.content.is_eof() and request.content.exception() is None
    if arrived and "content-encoding" not in request.headers:
        body = request.content.read_nowait()  # it came with its headers, as most do
        if len(body) > limit:
            raise errors.too_large(limit)
        incoming.feed(body)
        return
    try:
        async with asyncio.timeout(settings.body_timeout_s):
            async for chunk in chunks(request, limit):
                incoming.feed(chunk)
                held.reach(incoming.size)
    except TimeoutError:
        raise errors.slow_body(settings.body_timeout_s) from None


async def breath(size: int) -> None:
    """Serve others between two steps of work on a body of so many bytes."""
    if size > LARGE:
        await asyncio.sleep(0)


def check_length(headers: Mapping[str, str], limit: int) -> None:
    """Refuse a body that says itself that it is over the limit, before it is read."""
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > limit:
        raise errors.too_large(limit)


async def chunks(request: web.BaseRequest, limit: int) -> AsyncGenerator[bytes, None]:
    """Yield a body as it comes, unpacked; refuse it as soon as it is over the limit."""
    size = 0
    packing = request.headers.get("content-encoding", "")
    async for chunk in unpacked(_sent(request), packing):
        size += len(chunk)
        if size > limit:
            raise errors.too_large(limit)
        yield chunk


async def _sent(request: web.BaseRequest) -> AsyncIterator[bytes]:
    """Yield what the client sends, telling one that asks first to go on."""
    if request.headers.get("expect", "").lower() == "100-continue" and request.transport:
        request.transport.write(EXPECTS)
    try:
        async for chunk in request.content.iter_any():
            yield chunk
    except web.RequestPayloadError:
        raise errors.malformed("The body does not end as its headers say.") from None
    except ConnectionError:
        raise ClientLeft from None
