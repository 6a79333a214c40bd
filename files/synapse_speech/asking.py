"""What a client wants spoken, checked."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from synapse_common import protocol
from synapse_common.line import Claim
from synapse_speech import errors
from synapse_speech.config import Config, Model, Speaker
from synapse_speech.formats import FORMATS
from synapse_speech.voices import Voice, described

SLOWEST, FASTEST = 0.25, 4.0
STREAMS = ("audio", "sse")


@dataclass(frozen=True)
class Ask:
    """One request for speech."""

    model: str
    voice: Voice
    speaker: Speaker
    text: str
    format: str
    speed: float
    in_events: bool
    normalize: bool
    claim: Claim
    """Markup, amounts and numerals are to be made speakable first."""


def claim_of(headers: Mapping[str, str]) -> Claim:
    """Return who asks and how urgently, as the gateway says."""
    is_batch = headers.get(protocol.PRIORITY) == "batch"
    app, person = headers.get(protocol.APP, ""), headers.get(protocol.PERSON, "")
    return Claim(app, is_interactive=not is_batch, person=person)


def understand(body: bytes, config: Config, voices: Mapping[str, Voice], claim: Claim) -> Ask:
    """Check the body; the refusal of a wrong name lists the right ones."""
    try:
        data = json.loads(body)
    except ValueError as error:
        raise errors.malformed(f"The body is not valid JSON: {error}.") from None
    if not isinstance(data, dict):
        raise errors.malformed("The body must be a JSON object.")
    model = config.models.get(str(data.get("model")))
    if model is None:
        raise errors.unknown_model(str(data.get("model")), config.models)
    speaker = _speaker(data, model, voices)
    return Ask(
        model.name,
        voices[speaker.voice],
        speaker,
        _text(data, config.settings.input_characters),
        _one_of(data, "response_format", tuple(FORMATS), "mp3"),
        _speed(data),
        _one_of(data, "stream_format", STREAMS, "audio") == "sse",
        _truth(data, "normalize"),
        claim,
    )


def _speaker(data: Mapping[str, Any], model: Model, voices: Mapping[str, Voice]) -> Speaker:
    """Return who is to speak.

    (1) who names a voice that is not there is told those that are, (2) who names none, or finds
    none at all, has made no mistake: another model may speak instead.
    """
    name = data.get("voice")
    if isinstance(name, dict):
        name = name.get("id")  # OpenAI's way to name a voice of one's own
    name = name or None
    wanted = model.default if name is None else name
    speaker = model.speaker(wanted) if isinstance(wanted, str) else None
    if speaker is not None and speaker.voice in voices:
        return speaker
    there = described(model.voices, voices)
    if there and name is not None:  # (1)
        raise errors.unknown_voice(model.name, str(name), there)
    raise errors.voice_missing(model.name, str(wanted))  # (2)


def _text(data: Mapping[str, Any], limit: int) -> str:
    text = data.get("input")
    if not isinstance(text, str) or not text.strip():
        raise errors.malformed("'input' must be the text to speak.", "input")
    if len(text) > limit:
        message = f"'input' has {len(text)} characters; at most {limit} are spoken at once."
        raise errors.malformed(message, "input")
    # Nobody can speak a NUL or half a character, and espeak-ng stumbles over them.
    return text.encode("utf-8", "replace").decode().replace("\0", " ")


def _one_of(data: Mapping[str, Any], key: str, known: tuple[str, ...], default: str) -> str:
    value = data.get(key)
    if value in (None, ""):
        return default
    named = value.lower() if isinstance(value, str) else value
    if named not in known:
        raise errors.malformed(f"'{key}' must be one of {', '.join(known)}.", key)
    return str(named)


def _truth(data: Mapping[str, Any], key: str) -> bool:
    value = data.get(key)
    if value is None:
        return True
    if not isinstance(value, bool):
        raise errors.malformed(f"'{key}' must be true or false.", key)
    return value


def _speed(data: Mapping[str, Any]) -> float:
    speed = data.get("speed")
    if speed is None:
        return 1.0
    is_number = isinstance(speed, int | float) and not isinstance(speed, bool)
    if not is_number or not math.isfinite(speed) or not SLOWEST <= speed <= FASTEST:
        raise errors.malformed(f"'speed' must be between {SLOWEST:g} and {FASTEST:g}.", "speed")
    return float(speed)
