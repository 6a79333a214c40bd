"""How an engine's answer reaches the client: as it comes, and never whole if it is not."""

from __future__ import annotations

import aiohttp

from synapse_gateway import audio_answer, errors, transcripts
from synapse_gateway.audio_ask import Ask
from synapse_gateway.config import Model
from synapse_gateway.exchange import Exchange
from synapse_gateway.relay import Relay
from synapse_gateway.transcripts import EVENTS, JSON, Stream


async def pass_on(
    exchange: Exchange, relay: Relay, model: Model, answer: aiohttp.ClientResponse, ask: Ask
) -> None:
    """Pass an answer on: (1) JSON once it is whole, (2) all else as it comes."""
    kind = answer.headers.get("content-type", JSON)
    if answer.content_type == JSON:  # (1)
        body = await answer.read()
        exchange.audio_s = audio_answer.seconds_told(body) or exchange.audio_s
        if ask.stream and ask.upload:
            kind, body = EVENTS, transcripts.streamed(audio_answer.part_of(body, "text") or "")
        await whole(relay, model, kind, body)
        return
    piece = await answer.content.readany()  # until here another model can take over
    in_events = answer.content_type == EVENTS
    if not piece and in_events:
        raise ConnectionError("the stream ended before its first event")
    if not piece and ask.upload:
        await whole(relay, model, *transcripts.silent(ask))  # Speaches' vtt of nothing has no head
        return
    # No proxy on the way may hold events back.
    unheld = {"x-accel-buffering": "no"} if in_events else {}
    await relay.begin({"content-type": kind, **unheld}, model)
    heard = Stream() if in_events and ask.upload else None
    while piece:  # (2)
        out = heard.feed(piece) if heard else piece
        if out:
            await relay.pass_on(out)
        piece = await answer.content.readany()
    if heard and not heard.complete:
        await interrupt(exchange, relay, ask)
        return
    await relay.pass_on(b"", more=False)
    sent_s = audio_answer.seconds_sent(answer, exchange.bytes_out or 0)
    exchange.audio_s = sent_s or exchange.audio_s


async def whole(relay: Relay, model: Model, kind: str, body: bytes) -> None:
    """Send an answer that is complete."""
    await relay.begin({"content-type": kind, "content-length": str(len(body))}, model)
    await relay.pass_on(body, more=False)


async def interrupt(exchange: Exchange, relay: Relay, ask: Ask) -> None:
    """Tell a client whose answer had begun: by an event, or by a connection that breaks off."""
    refusal = errors.interrupted(ask.asked)
    if relay.in_events:
        await relay.pass_on(refusal.event(), more=False)
    exchange.status, exchange.error = refusal.status, refusal.code
