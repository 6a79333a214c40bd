"""How an engine's answer reaches the client: as it comes, and never whole if it is not."""

from __future__ import annotations

import aiohttp

from synapse_gateway import errors
from synapse_gateway.audio import engine_error, transcripts
from synapse_gateway.audio.request import AudioRequest
from synapse_gateway.audio.transcripts import EVENTS, JSON, Stream
from synapse_gateway.config import Model
from synapse_gateway.response import ResponseWriter


async def pass_on(
    writer: ResponseWriter,
    model: Model,
    answer: aiohttp.ClientResponse,
    request: AudioRequest,
) -> None:
    """Pass an answer on: (1) JSON once it is whole, (2) all else as it comes."""
    kind = answer.headers.get("content-type", JSON)
    if answer.content_type == JSON:  # (1)
        body = await answer.read()
        writer.record.audio_s = engine_error.seconds_told(body) or writer.record.audio_s
        if request.stream and request.upload:
            kind, body = EVENTS, transcripts.streamed(engine_error.part_of(body, "text") or "")
        await whole(writer, model, kind, body)
        return
    piece = await answer.content.readany()  # until here another model can take over
    in_events = answer.content_type == EVENTS
    if not piece and in_events:
        raise ConnectionError("the stream ended before its first event")
    if not piece and request.upload:
        await whole(
            writer, model, *transcripts.silent(request)
        )  # Speaches' vtt of nothing has no head
        return
    # No proxy on the way may hold events back.
    unheld = {"x-accel-buffering": "no"} if in_events else {}
    await writer.begin({"content-type": kind, **unheld}, model)
    heard = Stream() if in_events and request.upload else None
    while piece:  # (2)
        out = heard.feed(piece) if heard else piece
        if out:
            await writer.pass_on(out)
        piece = await answer.content.readany()
    if heard and not heard.complete:
        await writer.refuse(errors.interrupted(request.asked))
        return
    await writer.pass_on(b"", more=False)
    sent_s = engine_error.seconds_sent(answer, writer.record.bytes_out or 0)
    writer.record.audio_s = sent_s or writer.record.audio_s


async def whole(writer: ResponseWriter, model: Model, kind: str, body: bytes) -> None:
    """Send an answer that is complete."""
    await writer.begin({"content-type": kind, "content-length": str(len(body))}, model)
    await writer.pass_on(body, more=False)
