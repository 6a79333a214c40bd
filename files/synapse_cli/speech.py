"""The health table's small requests to models that hear and speak."""

import io
import struct
import wave
from itertools import chain
from math import pi, sin
from typing import Any

RATE = 16_000
PITCH_HZ = 130
HIGHEST_HZ = 6500
LOUDEST = 16_000
SYLLABLE_S, FADE_S = 0.25, 0.04
AH = ((730, 90, 1.0), (1090, 110, 0.6), (2440, 160, 0.3))
EE = ((270, 60, 1.0), (2290, 110, 0.4), (3010, 160, 0.3))
"""What makes a vowel of a tone: where it is loudest in Hz, how far around, and how loud."""
Vowel = tuple[tuple[int, int, float], ...]


def small_request(name: str, kind: str) -> tuple[str, dict[str, Any]] | None:
    """The path and body of one small request for a model that hears or speaks; None for others."""
    if kind == "speech":
        return "/v1/audio/speech", {"json": {"model": name, "input": "Health."}}
    if kind == "transcription":
        # Of a recording in which nobody speaks the model itself would not be asked.
        files = {"file": ("voice.wav", voice())}
        return "/v1/audio/transcriptions", {"data": {"model": name}, "files": files}
    return None


def voice() -> bytes:
    """A WAV file of a second in which somebody seems to say "ah ee ah ee"."""
    samples = list(chain.from_iterable(map(_syllable, (AH, EE, AH, EE))))
    written = io.BytesIO()
    with wave.open(written, "wb") as audio:
        audio.setnchannels(1)
        audio.setsampwidth(2)
        audio.setframerate(RATE)
        audio.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return written.getvalue()


def _syllable(vowel: Vowel) -> list[int]:
    tones = [(tone, _loudness(tone, vowel)) for tone in range(1, HIGHEST_HZ // PITCH_HZ)]
    most = sum(loud for _, loud in tones)
    samples = []
    for number in range(int(RATE * SYLLABLE_S)):
        at_s = number / RATE
        fade = min(1.0, at_s / FADE_S, (SYLLABLE_S - at_s) / FADE_S)
        sound = sum(loud * sin(2 * pi * tone * PITCH_HZ * at_s) for tone, loud in tones)
        samples.append(int(LOUDEST * fade * sound / most))
    return samples


def _loudness(tone: int, vowel: Vowel) -> float:
    hz = tone * PITCH_HZ
    near = (loud / (1 + ((hz - loudest_hz) / width) ** 2) for loudest_hz, width, loud in vowel)
    return float(sum(near) / tone**0.5)
