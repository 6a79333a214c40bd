"""How an engine's answer reaches the client: as it comes, and never whole if it is not."""

from __future__ import annotations

import asyncio

import aiohttp

from synapse_common.answers.whole import read_within
from synapse_gateway import errors
from synapse_gateway.audio import lengths, transcript, transcripts
from synapse_gateway.audio.request import AudioRequest
from synapse_gateway.audio.stream import EVENTS, Stream, streamed
from synapse_gateway.audio.transcripts import JSON
from synapse_gateway.config import Model
from synapse_gateway.response import ResponseWriter

TRANSCRIPT_AT_MOST = 4 * 1024**2
"""Bytes: two hours of speech with the times of each word take about two MiB. It is read in less
than 0.1 s, in which nobody else is served."""


async def pass_on(
    writer: ResponseWriter,
    model: Model,
    answer: aiohttp.ClientResponse,
    request: AudioRequest,
) -> None:
    """Pass an answer on: (1) written anew, (2) JSON once it is whole, (3) all else as it comes."""
    kind = answer.headers.get("content-type", JSON)
    if request.is_written_here(model):  # (1)
        heard = transcript.read(await read_within(answer, TRANSCRIPT_AT_MOST)).without_noise()
        writer.record.audio_s = heard.duration or writer.record.audio_s
        # Hours of speech take a second, and others are being served.
        written = await asyncio.to_thread(transcripts.written, heard, request)
        await whole(writer, model, *written)
        return
    if answer.content_type == JSON:  # (2)
        body = await read_within(answer, TRANSCRIPT_AT_MOST)
        writer.record.audio_s = lengths.seconds_told(body) or writer.record.audio_s
        if request.stream and request.upload:
            kind, body = EVENTS, streamed(lengths.part_of(body, "text") or "")
        await whole(writer, model, kind, body)
        return
    piece = await answer.content.readany()  # until here another model can take over
    in_events = answer.content_type == EVENTS
    if not piece and in_events:
        raise ConnectionError("the stream ended before its first event")
    await writer.begin({"content-type": kind}, model)
    stream = Stream() if in_events and request.upload else None
    while piece:  # (3)
        out = stream.feed(piece) if stream else piece
        if out:
            await writer.pass_on(out)
        piece = await answer.content.readany()
    if stream and not stream.complete:
        await writer.refuse(errors.interrupted(request.asked))
        return
    await writer.pass_on(b"", more=False)
    sent_s = lengths.seconds_sent(answer, writer.record.bytes_out or 0)
    writer.record.audio_s = sent_s or writer.record.audio_s


async def whole(writer: ResponseWriter, model: Model, kind: str, body: bytes) -> None:
    """Send an answer that is complete."""
    await writer.begin({"content-type": kind, "content-length": str(len(body))}, model)
    await writer.pass_on(body, more=False)
