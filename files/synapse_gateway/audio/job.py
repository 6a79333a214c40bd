"""Asks one speech engine and passes its answer on, piece by piece in both directions.

docs/adr/0010-speech.md has the measurements.
"""

from __future__ import annotations

from dataclasses import dataclass

from synapse_common.refusals import Refusal
from synapse_gateway.audio import relay, transcripts
from synapse_gateway.audio.queue import TranscriptionQueue
from synapse_gateway.audio.request import AudioRequest
from synapse_gateway.audio.speech_detection import nobody_speaks
from synapse_gateway.config import Model
from synapse_gateway.relay.engines import Engines
from synapse_gateway.relay.failure import EngineError, Failure
from synapse_gateway.response import ResponseWriter
from synapse_gateway.settings import Settings


@dataclass(frozen=True)
class AudioJob:
    """One audio request, for one model after another."""

    request: AudioRequest
    engines: Engines
    queue: TranscriptionQueue
    settings: Settings

    def suits(self, model: Model) -> bool:
        """Say whether a fallback knows the language or the voice."""
        return self.request.suits(model)

    async def attempt(self, writer: ResponseWriter, model: Model) -> Failure | None:
        """Ask one model once its turn has come; return why it did not serve, None if it did."""
        try:
            async with (
                self.queue.turn(model, writer.record),
                self.engines.health.needed(model, writer.record),
            ):
                return await self._ask(writer, model)
        except Refusal as queue_timeout:
            return Failure("busy", queue_timeout)
        finally:
            writer.record.is_answered |= writer.started

    async def _ask(self, writer: ResponseWriter, model: Model) -> Failure | None:
        request, silence_s = self.request, self.settings.silence_s(model.kind)
        if request.upload and await nobody_speaks(self.engines, model, request.upload, silence_s):
            await relay.whole(writer, model, *transcripts.silent(request))
            return None
        headers, body = request.written(model)
        async with self.engines.ask(
            "POST", model, request.path, headers, body, silence_s=silence_s
        ) as answer:
            if answer.status == 200:
                await relay.pass_on(writer, model, answer, request)
                return None
            error = await EngineError.read(answer)
        return error.failure(model, request.asked)
