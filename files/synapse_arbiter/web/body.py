"""Bodies of requests for models: read within limits of structure and of the pod's memory."""

from __future__ import annotations

from aiohttp import web

from synapse_arbiter.errors import RefusedError
from synapse_common.bodies.budget import Held
from synapse_common.bodies.incoming import MIB, Body, BodyLimits, Incoming, TooMuchError

LIMITS = BodyLimits(text_bytes=12 * MIB, entries=500_000, containers=125_000, keys=250_000)
"""More than the gateway takes, which writes some numbers longer than they came."""
FORMS = BodyLimits(text_bytes=1024 * MIB, entries=2**62, containers=2**62, keys=2**62)
"""Sound is not parsed: its size alone is bounded, by the port's limit."""


def full() -> RefusedError:
    """Return the refusal of a body for which there is no memory."""
    return RefusedError("arbiter_full", "Too many large requests are in flight.", 5.0)


async def receive(request: web.BaseRequest, held: Held, *, form: bool) -> Body:
    """Return a whole body, telling a client that asks first to go on; hold its memory."""
    transport = request.transport
    if transport is not None and request.headers.get("expect", "").lower() == "100-continue":
        transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    held.reach(request.content_length or 0)
    incoming = Incoming(FORMS if form else LIMITS, sets_aside=not form)
    try:
        async for piece in request.content.iter_any():
            incoming.feed(piece)
            if incoming.size > request.client_max_size:
                message = f"The body has more than {request.client_max_size} bytes."
                raise RefusedError("body_too_large", message)
            held.reach(incoming.size)
        body = incoming.finish()
    except TooMuchError as error:
        raise RefusedError("body_too_large", str(error)) from None
    except web.RequestPayloadError as error:
        message = "The body cannot be read: it is not packed as its headers say."
        raise RefusedError("invalid_request", message) from error
    if not form:
        held.reach(body.costs)
    return body
