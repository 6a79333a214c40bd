"""Hears a recording as Speaches does: the stretches with a voice in them, in batches."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from faster_whisper import BatchedInferencePipeline
from faster_whisper.vad import VadOptions, get_speech_timestamps, merge_segments

from speaches_simulator.recordings import RATE, Samples

WINDOW_S = 30
STRETCHES = VadOptions(min_silence_duration_ms=160, max_speech_duration_s=WINDOW_S)


@dataclass(frozen=True)
class Asked:
    """What a client wants of a transcript."""

    language: str | None = None
    prompt: str | None = None
    temperature: float = 0.0
    words: bool = False
    hotwords: str | None = None
    without_timestamps: bool = True


def transcribe(model: Any, audio: Samples, asked: Asked) -> tuple[Iterable[Any], Any]:
    """Return the segments, heard while they are read, and facts about the recording.

    Without a voice anywhere the library hears a short recording whole and refuses a long one.
    """
    clips = merge_segments(get_speech_timestamps(audio, STRETCHES), STRETCHES)
    heard: tuple[Iterable[Any], Any] = BatchedInferencePipeline(model=model).transcribe(
        audio,
        task="transcribe",
        language=asked.language,
        initial_prompt=asked.prompt,
        temperature=asked.temperature,
        word_timestamps=asked.words,
        hotwords=asked.hotwords,
        without_timestamps=asked.without_timestamps,
        vad_filter=False,
        clip_timestamps=clips,
    )
    return heard


def translate(model: Any, audio: Samples, asked: Asked) -> tuple[Iterable[Any], Any]:
    """Return what was said in English; here the library looks for a voice itself."""
    heard: tuple[Iterable[Any], Any] = BatchedInferencePipeline(model=model).transcribe(
        audio,
        task="translate",
        initial_prompt=asked.prompt,
        temperature=asked.temperature,
    )
    return heard


def stretches(audio: Samples, options: VadOptions) -> list[dict[str, int]]:
    """Return where there is a voice, in milliseconds."""
    a_millisecond = RATE // 1000
    return [
        {"start": found["start"] // a_millisecond, "end": found["end"] // a_millisecond}
        for found in get_speech_timestamps(audio, options, sampling_rate=RATE)
    ]
