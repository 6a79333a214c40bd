"""Speaks requests sentence by sentence, a few at a time, fair between applications.

A request asks for its next sentence only when the last one has left. So everybody's first sentence
comes early, nobody holds a worker while a slow client reads, and who leaves is spoken to no more.
An interactive sentence goes before those of batch work, however many wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from synapse_common.line import Claim, Line
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
        self._turns = Line(workers)
        self._speakers = ThreadPoolExecutor(workers, thread_name_prefix="speak")
        # espeak-ng reads one text at a time; who reads does not stand in line with who speaks.
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="read")
        self._limit = places
        self._places = Line(places, _leaves_as_many)
        self._metrics = metrics

    @contextlib.asynccontextmanager
    async def place(self, claim: Claim) -> AsyncIterator[None]:
        """Hold one of the places for requests, or refuse."""
        if not self._places.is_open(claim):
            raise errors.too_many_requests(self._limit)
        async with self._places.place(claim):
            with self._metrics.in_flight.track_inprogress():
                yield

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
            audio = await self._turn(ask.claim, _sentence(ask, phonemes, number, last, out, spoken))
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

    async def _turn(self, claim: Claim, work: Callable[[], bytes]) -> bytes:
        """Do the work in a worker once it is this caller's turn."""
        with self._metrics.waiting.track_inprogress():
            await self._turns.enter(claim)
        working = asyncio.get_running_loop().run_in_executor(self._speakers, work)

        def done(_: asyncio.Future[bytes]) -> None:
            self._turns.leave(claim)

        # Who leaves cannot stop a worker: nobody else has its turn before the sentence is done.
        working.add_done_callback(done)
        return await asyncio.shield(working)


def _leaves_as_many(_claim: Claim, held: int, free: int) -> bool:
    """Let an application hold as many places as it leaves free: there is one for the next."""
    return held < free


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
