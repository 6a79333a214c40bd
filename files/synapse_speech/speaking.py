"""Speaks requests sentence by sentence, a few at a time, in the order in which they come up.

A request asks for its next sentence only when the last one has left. So everybody's first sentence
comes early, nobody holds a worker while a slow client reads, and who leaves is spoken to no more.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from synapse_speech import errors, tempo
from synapse_speech.asking import Ask
from synapse_speech.formats import Encoder, encoder
from synapse_speech.metrics import Metrics
from synapse_speech.text import speakable
from synapse_speech.voices import Phonemes, Samples

SILENCE_S = 0.2
"""Between two sentences."""
NOTHING: Samples = np.empty(0, dtype=np.int16)


@dataclass
class Spoken:
    """What a request has cost so far."""

    audio_s: float = 0.0
    work_s: float = 0.0


class Studio:
    """The workers, and everybody who wants one."""

    def __init__(self, workers: int, places: int, metrics: Metrics) -> None:
        """Begin with nobody waiting."""
        # Its queue is first in, first out, and forgets who was cancelled before their turn.
        self._speakers = ThreadPoolExecutor(workers, thread_name_prefix="speak")
        # espeak-ng reads one text at a time; who reads does not stand in line with who speaks.
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="read")
        self._places = places
        self._metrics = metrics
        self._taken = 0

    @contextlib.contextmanager
    def place(self) -> Iterator[None]:
        """Hold one of the places for requests, or refuse."""
        if self._taken >= self._places:
            raise errors.too_many_requests(self._places)
        self._taken += 1
        self._metrics.in_flight.set(self._taken)
        try:
            yield
        finally:
            self._taken -= 1
            self._metrics.in_flight.set(self._taken)

    async def sentences(self, ask: Ask) -> list[Phonemes]:
        """Return what there is to speak: a text without a word in it is one sentence of nothing.

        Clients cut answers into sentences, and one of them may be a line of stars or an emoji.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._reader, _read, ask) or [[]]

    async def speak(self, ask: Ask, sentences: list[Phonemes]) -> AsyncIterator[bytes]:
        """Yield the audio, at least once a sentence as far as the format can."""
        spoken = Spoken()
        out = encoder(ask.format, ask.voice.rate)
        last = len(sentences) - 1
        for number, phonemes in enumerate(sentences):
            audio = await self._turn(_sentence(ask, phonemes, number, last, out, spoken))
            self._metrics.sentences.labels(ask.model).inc()
            if audio:
                yield audio
        self._metrics.audio.labels(ask.model).inc(spoken.audio_s)
        if spoken.audio_s:
            factor = spoken.work_s / spoken.audio_s
            self._metrics.real_time_factor.labels(ask.model).observe(factor)

    def close(self) -> None:
        """Let the workers go; what they are at is of no use any more."""
        for pool in (self._reader, self._speakers):
            pool.shutdown(wait=False, cancel_futures=True)

    async def _turn(self, work: Callable[[], bytes]) -> bytes:
        """Do the work in a worker once it is this caller's turn."""
        self._metrics.waiting.inc()
        turn = _Turn(self._metrics)
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._speakers, lambda: turn.take(work)
            )
        finally:
            turn.end()


class _Turn:
    """Leaves the line exactly once: when a worker begins, or when its caller has gone."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._waits = threading.Lock()

    def take(self, work: Callable[[], bytes]) -> bytes:
        self.end()
        return work()

    def end(self) -> None:
        if self._waits.acquire(blocking=False):
            self._metrics.waiting.dec()


def _read(ask: Ask) -> list[Phonemes]:
    text = speakable(ask.text, ask.voice.language) if ask.normalize else ask.text
    return ask.voice.sentences(text)


def _sentence(
    ask: Ask, phonemes: Phonemes, number: int, last: int, out: Encoder, spoken: Spoken
) -> Callable[[], bytes]:
    def work() -> bytes:
        began_s = time.monotonic()
        samples = NOTHING
        if phonemes:
            samples = ask.voice.speak(phonemes, ask.speaker.speaker)
        if number < last or not phonemes:
            samples = _with_silence(samples, ask.voice.rate)
        samples = tempo.at_speed(samples, ask.voice.rate, ask.speed)
        audio = out.write(samples, last=number == last)
        spoken.audio_s += samples.size / ask.voice.rate
        spoken.work_s += time.monotonic() - began_s
        return audio

    return work


def _with_silence(samples: Samples, rate: int) -> Samples:
    return np.concatenate([samples, np.zeros(int(SILENCE_S * rate), dtype=np.int16)])
