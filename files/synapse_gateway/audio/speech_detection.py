"""When somebody speaks in a recording: Whisper makes words of silence and of noise."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, TypeAdapter, ValidationError

from synapse_common.answers.whole import read_within
from synapse_common.bodies.parsing import uncollected
from synapse_gateway.audio import multipart
from synapse_gateway.audio.uploads import Upload
from synapse_gateway.config import Model
from synapse_gateway.relay.engines import Engines

# As Speaches itself looks for speech before it transcribes. 0.75, which it takes where it is only
# asked for speech, misses a single word in a minute of silence.
FIELDS = [("threshold", "0.5")]
STRETCHES_AT_MOST = 1024**2
"""Bytes: more than 25,000 stretches, one of them for each second of seven hours; they are read in
less than 0.1 s."""


class Stretch(BaseModel):
    """A part of a recording in which somebody speaks, in milliseconds."""

    start: int
    end: int


STRETCHES = TypeAdapter(list[Stretch])


@dataclass(frozen=True)
class Spoken:
    """How much there is to transcribe."""

    speech_s: float
    until_s: float
    """When the last words end: the recording is at least as long, whatever its file says."""


async def spoken(engines: Engines, model: Model, upload: Upload, silence_s: float) -> Spoken | None:
    """Ask the engine; None where it cannot tell, so that the recording is transcribed."""
    path = model.engine_type.detects_speech_at
    if not path:
        return None
    headers, body = multipart.written(FIELDS, upload)
    async with engines.ask("POST", model, path, headers, body, silence_s=silence_s) as answer:
        if answer.status != 200:
            return None
        return read(await read_within(answer, STRETCHES_AT_MOST))


def read(body: bytes) -> Spoken | None:
    """Return what the engine found; None where its answer is none."""
    try:
        with uncollected():
            found = STRETCHES.validate_json(body)
    except ValidationError:
        return None
    speech_ms = sum(stretch.end - stretch.start for stretch in found)
    return Spoken(speech_ms / 1000, max((stretch.end for stretch in found), default=0) / 1000)
