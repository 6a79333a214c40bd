"""One round: every sentence is said, what was said is heard, and both are timed."""

from __future__ import annotations

import time
from dataclasses import dataclass

import httpx

from real_speech import MODEL, Server
from speech_bench.sentences import errors, words

HEADER_BYTES, SECOND_BYTES = 44, 2 * 22_050
TIMEOUT_S = 120


@dataclass(frozen=True)
class Loop:
    """What became of one sentence."""

    said: str
    heard: str
    words: int
    wrong: int
    audio_s: float
    first_byte_s: float
    speaking_s: float
    hearing_s: float


def loop(client: httpx.Client, speaker: Server, listener: Server, sentence: str) -> Loop:
    """Say a sentence, hear it and compare."""
    began_s = time.monotonic()
    body = {"model": "speaker", "voice": "alloy", "input": sentence, "response_format": "wav"}
    with client.stream("POST", f"{speaker.url}/v1/audio/speech", json=body) as answer:
        answer.raise_for_status()
        pieces = answer.iter_raw()
        first = next(pieces)
        first_byte_s = time.monotonic() - began_s
        audio = first + b"".join(pieces)
    speaking_s = time.monotonic() - began_s
    began_s = time.monotonic()
    heard = client.post(
        f"{listener.url}/v1/audio/transcriptions",
        data={"model": MODEL},
        files={"file": ("said.wav", audio)},
    )
    heard.raise_for_status()
    hearing_s = time.monotonic() - began_s
    text, expected = heard.json()["text"], words(sentence)
    return Loop(
        said=sentence,
        heard=text,
        words=len(expected),
        wrong=errors(expected, words(text)),
        audio_s=(len(audio) - HEADER_BYTES) / SECOND_BYTES,
        first_byte_s=first_byte_s,
        speaking_s=speaking_s,
        hearing_s=hearing_s,
    )
