"""Stands in for piper-tts: the same classes, with espeak-ng's voice. A phoneme is a letter here."""

import io
import re
import subprocess
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

WORDS_A_MINUTE = 140
LIMIT_S = 60
SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


@dataclass
class PiperConfig:
    """What is known of a voice."""

    sample_rate: int
    espeak_voice: str
    length_scale: float = 1.0

    @classmethod
    def from_dict(cls, told: dict[str, Any]) -> "PiperConfig":
        """Read the file beside the model."""
        return cls(told["audio"]["sample_rate"], told["espeak"]["voice"])


@dataclass
class SynthesisConfig:
    """How one sentence is spoken."""

    speaker_id: int | None = None
    length_scale: float | None = None


class PiperVoice:
    """One voice."""

    def __init__(self, session: Any, config: PiperConfig) -> None:
        """Speak as this voice."""
        self.config = config

    def phonemize(self, text: str) -> list[list[str]]:
        """Cut a text into sentences."""
        return [list(part) for part in SENTENCE_END.split(text.strip()) if part]

    def phonemes_to_ids(self, phonemes: Sequence[str]) -> list[int]:
        """Number the phonemes."""
        return [ord(letter) for letter in phonemes]

    def phoneme_ids_to_audio(self, ids: Sequence[int], how: SynthesisConfig) -> NDArray[np.float32]:
        """Speak one sentence."""
        speed = round(WORDS_A_MINUTE / (how.length_scale or 1.0))
        command = ["espeak-ng", "--stdout", "-v", self.config.espeak_voice, "-s", str(speed)]
        text = "".join(map(chr, ids))
        spoken = subprocess.run(
            [*command, "--stdin"],
            input=text.encode(),
            capture_output=True,
            check=True,
            timeout=LIMIT_S,
        ).stdout
        with wave.open(io.BytesIO(_with_length(spoken))) as audio:
            samples = np.frombuffer(audio.readframes(audio.getnframes()), dtype="<i2")
        return samples.astype(np.float32) / 32768


def _with_length(audio: bytes) -> bytes:
    """Write the true sizes into a WAV file whose writer could not know them."""
    sizes = (len(audio) - 8).to_bytes(4, "little"), (len(audio) - 44).to_bytes(4, "little")
    return audio[:4] + sizes[0] + audio[8:40] + sizes[1] + audio[44:]
