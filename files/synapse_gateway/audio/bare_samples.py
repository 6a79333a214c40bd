"""Recordings that are samples and nothing else, as microphones send them: they get a WAV head."""

from __future__ import annotations

import io
import wave
from email.message import Message

from synapse_gateway import errors
from synapse_gateway.audio.recording import Recording

KINDS = ("audio/pcm", "audio/raw", "audio/x-raw")
RATE, CHANNELS = 16_000, 1
"""Of samples whose content type does not say it; Speaches takes no others."""
SAMPLE_BYTES = 2
RATES = range(8_000, 192_001)
CHANNELS_AT_MOST = 2


async def head(file: Recording) -> bytes:
    """Return what makes a WAV file of such a recording: 16 bits, little endian; else nothing."""
    told = Message()
    told["content-type"] = file.content_type
    if told.get_content_type() not in KINDS or await _says_what_it_is(file):
        return b""
    rate, channels = _number(told, "rate", RATE), _number(told, "channels", CHANNELS)
    if rate not in RATES or not 1 <= channels <= CHANNELS_AT_MOST:
        raise errors.malformed(
            f"Samples are written as 'audio/pcm; rate=16000; channels=1', with {RATES.start} to "
            f"{RATES.stop - 1} samples a second and 1 or {CHANNELS_AT_MOST} channels.",
            "file",
        )
    written = io.BytesIO()
    with wave.open(written, "wb") as wav:
        wav.setframerate(rate)
        wav.setnchannels(channels)
        wav.setsampwidth(SAMPLE_BYTES)
        wav.setnframes(file.size // (SAMPLE_BYTES * channels))
        wav.writeframesraw(b"")
        return written.getvalue()  # closing would write that no frame came


async def _says_what_it_is(file: Recording) -> bool:
    beginning = await file.read(4)
    await file.rewind()
    return beginning == b"RIFF"


def _number(told: Message, name: str, usual: int) -> int:
    written = str(told.get_param(name, usual))
    return int(written) if written.isdecimal() else 0
