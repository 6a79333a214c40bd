"""Asks one speech engine and passes its answer on, piece by piece in both directions.

docs/adr/0010-speech.md has the measurements.
"""

from __future__ import annotations

from dataclasses import dataclass

from synapse_common.answers.judges import CutShort
from synapse_common.refusals import Refusal
from synapse_gateway import errors
from synapse_gateway.audio import relay, transcripts
from synapse_gateway.audio.queue import TranscriptionQueue
from synapse_gateway.audio.request import SHORT_S, AudioRequest
from synapse_gateway.audio.speech_detection import spoken
from synapse_gateway.config import Model
from synapse_gateway.relay.engines import Engines, who_speaks
from synapse_gateway.relay.failure import EngineError, Failure, of_cut
from synapse_gateway.response import ResponseWriter
from synapse_gateway.settings import Settings
from synapse_gateway.usage.tariffs import Took

BYTES_A_SECOND = 1000
"""Of a recording that does not say how long it is: hardly any takes less."""


class _TurnsOutLong(Exception):  # noqa: N818  # nothing is wrong
    """A recording that passed for a short one is none."""


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

    def most(self, model: Model, longest: int) -> Took:
        """Return the most that a model outside may take for it, as far as one can tell."""
        if self.request.upload is None:
            return Took(characters=len(str((self.request.fields or {}).get("input", ""))))
        audio_s = self.request.audio_s
        if audio_s is None:
            audio_s = min(self.request.bytes_in / BYTES_A_SECOND, self.settings.recording_limit_s)
        return Took(audio_s=audio_s)

    async def attempt(self, writer: ResponseWriter, model: Model) -> Failure | None:
        """Ask one model once its turn has come; return why it did not serve, None if it did."""
        try:
            try:
                return await self._in_turn(writer, model, is_short=self.request.is_short)
            except _TurnsOutLong:
                return await self._in_turn(writer, model, is_short=False)
        except Refusal as refusal:
            if refusal.status < 500:
                raise  # no other model can do more with such a recording
            return Failure("busy", refusal)
        except CutShort as cut:
            return of_cut(cut, self.request.asked)
        finally:
            writer.record.is_answered |= writer.started

    async def _in_turn(
        self, writer: ResponseWriter, model: Model, *, is_short: bool
    ) -> Failure | None:
        async with (
            self.engines.health.needed(model, writer.record),  # also while it waits for its turn
            self.queue.turn(model, writer.record, is_short=is_short),
        ):
            if not await self._has_speech(model, is_short):
                await relay.whole(writer, model, *transcripts.silent(self.request))
                return None
            return await self._ask(writer, model)

    async def _has_speech(self, model: Model, is_short: bool) -> bool:
        """Say whether there is something to transcribe; what is too much for the turn is refused.

        What the file said of its length was a hint; this is what the engine has decoded.
        """
        upload = self.request.upload
        if upload is None:
            return True
        found = await spoken(self.engines, model, upload, self.settings.audio_silence_s)
        if found is None:
            return True
        limit_s = self.settings.recording_limit_s
        if found.until_s > limit_s:
            raise errors.too_long_recording(found.until_s, limit_s)
        if is_short and found.speech_s > SHORT_S:
            raise _TurnsOutLong
        return found.speech_s > 0

    async def _ask(self, writer: ResponseWriter, model: Model) -> Failure | None:
        request = self.request
        if model.leaves:
            await writer.tell_outside(model)
        headers, body = request.written(model)
        async with self.engines.ask(
            "POST",
            model,
            request.path,
            {**headers, **who_speaks(writer.record, model)},
            body,
            silence_s=self.settings.silence_s(model.kind),
        ) as answer:
            if answer.status == 200:
                await relay.pass_on(writer, model, answer, request)
                return None
            error = await EngineError.read(answer)
        return error.failure(model, request.asked)
