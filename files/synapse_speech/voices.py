"""Piper's voices: sentences of phonemes in, samples out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from piper import PiperConfig, PiperVoice, SynthesisConfig

from synapse_speech.config import Config, Speaker, files

Samples = NDArray[np.int16]
Phonemes = list[str]
PHONEMES_AT_ONCE = 400
"""What is spoken in one go: a text without full stops must not be one sentence of an hour."""
PAUSES = (",;:", " ")
LOUDEST = 32767
PHONEMES_BEGIN = re.compile(r"\[(?=\[)")
"""Piper takes what follows `[[` for phonemes; what clients write never is."""
SILENT = 1e-8


class Voice(Protocol):
    """One loaded voice; its methods block, so they run in threads."""

    language: str
    rate: int
    """Samples a second."""

    def sentences(self, text: str) -> list[Phonemes]:
        """Return the text as what is spoken in one go each; nothing for a text without words."""

    def speak(self, phonemes: Phonemes, speaker: int | None) -> Samples:
        """Return the samples of one sentence."""


class LoadedVoice:
    """A voice of Piper, in memory."""

    def __init__(self, model: Path, facts: Path, threads: int) -> None:
        """Load the voice; each sentence is spoken with that many threads."""
        told: dict[str, Any] = json.loads(facts.read_text())
        options = onnxruntime.SessionOptions()
        # Left alone it takes a thread for every core of the server, whatever the pod may use.
        options.intra_op_num_threads = threads
        # Its arena keeps the room that the longest sentence took, for every voice, for ever.
        options.enable_cpu_mem_arena = False
        session = onnxruntime.InferenceSession(
            str(model), sess_options=options, providers=["CPUExecutionProvider"]
        )
        self._voice = PiperVoice(session, PiperConfig.from_dict(told))
        self.rate: int = self._voice.config.sample_rate
        code = (told.get("language") or {}).get("code") or self._voice.config.espeak_voice
        self.language = str(code).replace("_", "-")

    def sentences(self, text: str) -> list[Phonemes]:
        """Return the phonemes of each sentence, long ones in parts."""
        found = self._voice.phonemize(PHONEMES_BEGIN.sub("[ ", text))
        return [part for phonemes in found for part in parts(phonemes) if part]

    def speak(self, phonemes: Phonemes, speaker: int | None) -> Samples:
        """Return the samples of one sentence."""
        voice = self._voice
        how = SynthesisConfig(speaker_id=speaker)
        audio = voice.phoneme_ids_to_audio(voice.phonemes_to_ids(phonemes), how)
        wave = np.asarray(audio[0] if isinstance(audio, tuple) else audio).reshape(-1)
        # Every sentence as loud as the next, as Piper's own commands have it.
        peak = float(np.max(np.abs(wave), initial=0.0))
        return np.asarray(wave * (LOUDEST / peak if peak > SILENT else 0.0), dtype=np.int16)


def parts(phonemes: Sequence[str]) -> Iterator[Phonemes]:
    """Cut a sentence that is too long where it pauses, else between words, else anywhere."""
    rest = list(phonemes)
    while len(rest) > PHONEMES_AT_ONCE:
        window = rest[:PHONEMES_AT_ONCE]
        places = (
            [index for index, phoneme in enumerate(window) if phoneme in pauses]
            for pauses in PAUSES
        )
        end = next((found[-1] + 1 for found in places if found), PHONEMES_AT_ONCE)
        yield rest[:end]
        rest = rest[end:]
    yield rest


def load(config: Config) -> dict[str, Voice]:
    """Load every voice in use that can be loaded, and tell which cannot: one leaves the others."""
    loaded: dict[str, Voice] = {}
    for name in config.voices:
        try:
            loaded[name] = LoadedVoice(*files(config.folder, name), config.settings.threads)
        except Exception as error:
            told = {"event": "voice_missing", "voice": name, "error": str(error)}
            print(json.dumps(told), flush=True)
    return loaded


def described(speakers: Mapping[str, Speaker], voices: Mapping[str, Voice]) -> list[str]:
    """Return the names clients may use, each with its language, as in `alloy (en-US)`."""
    there = ((name, voices.get(who.voice)) for name, who in speakers.items())
    return [f"{name} ({voice.language})" for name, voice in there if voice]
