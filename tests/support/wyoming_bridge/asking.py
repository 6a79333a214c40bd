"""What Home Assistant says to the bridge, in the words of the Wyoming protocol."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import Describe, Info
from wyoming.tts import (
    Synthesize,
    SynthesizeChunk,
    SynthesizeStart,
    SynthesizeStop,
    SynthesizeStopped,
    SynthesizeVoice,
)

LIMIT_S = 60
PIECE_BYTES = 2048
"""What Home Assistant sends of a recording at a time."""


class RefusedError(Exception):
    """The bridge answered with an error, or left."""


@dataclass
class Sound:
    """16-bit samples, as they came."""

    rate: int
    channels: int
    audio: bytes

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.audio) / 2 / self.channels / self.rate


@dataclass(frozen=True)
class Bridge:
    """Where a bridge listens."""

    host: str
    port: int

    async def describe(self) -> Info:
        """Ask what it offers."""
        async with self._connected() as client:
            await client.write_event(Describe().event())
            return Info.from_event(await _next(client, Info.is_type))

    async def transcribe(self, sound: Sound, language: str | None = None) -> str:
        """Send a recording; return its text."""
        form = {"rate": sound.rate, "width": 2, "channels": sound.channels}
        async with self._connected() as client:
            await client.write_event(Transcribe(language=language).event())
            await client.write_event(AudioStart(**form).event())
            for place in range(0, len(sound.audio), PIECE_BYTES):
                piece = sound.audio[place : place + PIECE_BYTES]
                await client.write_event(AudioChunk(audio=piece, **form).event())
            await client.write_event(AudioStop().event())
            return Transcript.from_event(await _next(client, Transcript.is_type)).text

    async def speak(self, text: str, voice: str | None = None) -> Sound:
        """Have a text spoken as a whole."""
        async with self._connected() as client:
            await client.write_event(Synthesize(text, voice=_voice(voice)).event())
            return await _sound(client, AudioStop.is_type)

    async def speak_pieces(self, pieces: Sequence[str], voice: str | None = None) -> Sound:
        """Have a text spoken that arrives piece by piece, as an assistant writes it."""
        async with self._connected() as client:
            await client.write_event(SynthesizeStart(voice=_voice(voice)).event())
            for piece in pieces:
                await client.write_event(SynthesizeChunk(piece).event())
            # Once more as a whole, for servers that know no pieces.
            await client.write_event(Synthesize("".join(pieces), voice=_voice(voice)).event())
            await client.write_event(SynthesizeStop().event())
            return await _sound(client, SynthesizeStopped.is_type)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncTcpClient]:
        async with asyncio.timeout(LIMIT_S), AsyncTcpClient(self.host, self.port) as client:
            yield client


def _voice(name: str | None) -> SynthesizeVoice | None:
    return SynthesizeVoice(name=name) if name else None


async def _read(client: AsyncTcpClient) -> Event:
    event = await client.read_event()
    if event is None:
        raise RefusedError("the bridge left")
    if Error.is_type(event.type):
        raise RefusedError(Error.from_event(event).text)
    return event


async def _next(client: AsyncTcpClient, wanted: Callable[[str], bool]) -> Event:
    while True:
        event = await _read(client)
        if wanted(event.type):
            return event


async def _sound(client: AsyncTcpClient, is_last: Callable[[str], bool]) -> Sound:
    found = Sound(0, 0, b"")
    while True:
        event = await _read(client)
        if AudioStart.is_type(event.type):
            start = AudioStart.from_event(event)
            assert start.width == 2
            found.rate, found.channels = start.rate, start.channels
        elif AudioChunk.is_type(event.type):
            found.audio += AudioChunk.from_event(event).audio
        elif is_last(event.type):
            return found
