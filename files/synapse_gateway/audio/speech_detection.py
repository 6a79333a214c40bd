"""Whether anybody speaks in a recording: Whisper makes words of silence and of noise."""

from __future__ import annotations

import orjson

from synapse_gateway.audio import multipart
from synapse_gateway.audio.uploads import Upload
from synapse_gateway.config import Model
from synapse_gateway.relay.engines import Engines

# As Speaches itself looks for speech before it transcribes. 0.75, which it takes where it is only
# asked for speech, misses a single word in a minute of silence.
FIELDS = [("threshold", "0.5")]


async def nobody_speaks(engines: Engines, model: Model, upload: Upload, silence_s: float) -> bool:
    """Ask the engine; say no where it cannot tell, so that the recording is transcribed."""
    path = model.engine_type.detects_speech_at
    if not path:
        return False
    headers, body = multipart.written(FIELDS, upload)
    async with engines.ask("POST", model, path, headers, body, silence_s=silence_s) as answer:
        return answer.status == 200 and _is_empty_list(await answer.read())


def _is_empty_list(body: bytes) -> bool:
    try:
        return bool(orjson.loads(body) == [])
    except orjson.JSONDecodeError:
        return False
