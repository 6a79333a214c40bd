"""The health table's lines about models that hear and speak, as their engines list them."""

import io
import wave
from typing import Any

RATE = 16_000


def small_request(name: str, kind: str) -> tuple[str, dict[str, Any]] | None:
    """The path and body of one small request for a model that hears or speaks; None for others."""
    if kind == "speech":
        return "/v1/audio/speech", {"json": {"model": name, "input": "Health."}}
    if kind == "transcription":
        files = {"file": ("silence.wav", silence(seconds=1))}
        return "/v1/audio/transcriptions", {"data": {"model": name}, "files": files}
    return None


def silence(seconds: int) -> bytes:
    """A WAV file in which nothing is said."""
    written = io.BytesIO()
    with wave.open(written, "wb") as audio:
        audio.setnchannels(1)
        audio.setsampwidth(2)
        audio.setframerate(RATE)
        audio.writeframes(bytes(2 * RATE * seconds))
    return written.getvalue()
