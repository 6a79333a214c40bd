"""Passes audio requests on to speech engines, piece by piece in both directions.

LiteLLM has no part in them: docs/adr/0010-speech.md has the measurements.
"""

from __future__ import annotations

import asyncio

import aiohttp
from starlette.types import Receive

from synapse_common.refusals import Refusal
from synapse_gateway import errors
from synapse_gateway.audio import response, transcripts
from synapse_gateway.audio.client import UNREACHED, Engines
from synapse_gateway.audio.engine_error import EngineError
from synapse_gateway.audio.queue import TranscriptionQueue
from synapse_gateway.audio.request import AudioRequest
from synapse_gateway.audio.speech_detection import nobody_speaks
from synapse_gateway.config import Config, Model
from synapse_gateway.request import ClientLeft
from synapse_gateway.response import ResponseWriter


class AudioProxy:
    """Passes every audio request on to the first model of its chain that answers."""

    def __init__(self, config: Config, queue: TranscriptionQueue, engines: Engines) -> None:
        """Remember the models, who waits for them and how they are reached."""
        self._config = config
        self._queue = queue
        self._engines = engines

    async def run(self, writer: ResponseWriter, receive: Receive, request: AudioRequest) -> None:
        """Answer the request; a client that leaves ends the engine's work too."""
        record = writer.record
        record.asked, record.model, record.stream = request.asked, request.model, request.stream
        record.bytes_in, record.audio_s = request.bytes_in, request.audio_s
        leaving = asyncio.create_task(_left(receive))
        serving = asyncio.create_task(self._serve(writer, request))
        try:
            await asyncio.wait({leaving, serving}, return_when=asyncio.FIRST_COMPLETED)
            if not serving.done():
                raise ClientLeft
            await serving
        finally:
            leaving.cancel()
            serving.cancel()
            await asyncio.gather(leaving, serving, return_exceptions=True)

    async def _serve(self, writer: ResponseWriter, request: AudioRequest) -> None:
        """Try one model after another until one begins to answer or refuses for good."""
        record, refusal = writer.record, errors.unavailable(request.asked)
        for model in filter(request.suits, self._config.chain(request.model)):
            record.begin(model)
            try:
                async with self._queue.turn(model, record):
                    failed = await self._attempt(writer, model, request)
                if failed is None:
                    return
                reason, refusal = failed
            except Refusal as queue_timeout:
                reason, refusal = "busy", queue_timeout
            except UNREACHED as error:
                if writer.started:
                    await writer.refuse(errors.interrupted(request.asked))
                    return
                slow = isinstance(error, aiohttp.SocketTimeoutError)
                reason = "timeout" if slow else "unreachable"
                refusal = (
                    errors.timed_out(request.asked) if slow else errors.unavailable(request.asked)
                )
            record.reason = record.reason or reason
            if refusal.status < 500:
                break
        raise refusal

    async def _attempt(
        self, writer: ResponseWriter, model: Model, request: AudioRequest
    ) -> tuple[str, Refusal] | None:
        """Ask one model; return why it did not serve, None if it did."""
        if request.upload and await nobody_speaks(self._engines, model, request.upload):
            await response.whole(writer, model, *transcripts.silent(request))
            return None
        headers, body = request.written(model)
        async with self._engines.ask("POST", model, request.path, headers, body) as answer:
            if answer.status == 200:
                await response.pass_on(writer, model, answer, request)
                return None
            error = await EngineError.read(answer)
        return error.to_refusal(model, request.asked)


async def _left(receive: Receive) -> None:
    """Return once the client has closed its connection."""
    while (await receive())["type"] != "http.disconnect":
        pass
