"""From samples to the bytes of an audio format, as a stream: nothing waits for the end."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, cast

import av
import numpy as np
from av.audio.stream import AudioStream

from synapse_speech.voices import Samples

UNKNOWN = 0xFFFFFFFF
"""How a WAV header says that nobody knows its length yet."""
PCM_RATE = 24_000
"""OpenAI's clients take raw samples for 24 kHz; nothing in them says otherwise."""
OPUS_RATE = 48_000
BIT_RATE = 64_000


@dataclass(frozen=True)
class Format:
    """One response_format."""

    content_type: str
    container: str = ""
    codec: str = ""
    sample_format: str = "s16"
    rate: int | None = None
    """Samples a second that the format insists on; None: the voice's own."""
    options: tuple[tuple[str, str], ...] = ()


FORMATS = {
    "wav": Format("audio/wav"),
    "pcm": Format("audio/pcm", rate=PCM_RATE),
    # A header with the length would have to be written at the end.
    "mp3": Format("audio/mpeg", "mp3", "libmp3lame", "s16p", options=(("write_xing", "0"),)),
    "opus": Format(
        "audio/ogg", "ogg", "libopus", rate=OPUS_RATE, options=(("page_duration", "100000"),)
    ),
    "flac": Format("audio/flac", "flac", "flac"),
    "aac": Format("audio/aac", "adts", "aac", "fltp"),
}


class Encoder(Protocol):
    """Writes one answer; its methods block, so they run in threads."""

    def write(self, samples: Samples, last: bool) -> bytes:
        """Return the bytes that are ready after these samples; the last ones close the file."""


def encoded_rate(name: str, rate: int) -> int:
    """Return the samples a second of a format, for a voice of this rate."""
    return FORMATS[name].rate or rate


def encoder(name: str, rate: int) -> Encoder:
    """Return an encoder for samples of this rate."""
    if FORMATS[name].container:
        return Compressed(FORMATS[name], rate, encoded_rate(name, rate))
    return Raw(rate, encoded_rate(name, rate), with_header=name == "wav")


class Raw:
    """Samples as they are, with or without the header of a WAV file."""

    def __init__(self, voice_rate: int, rate: int, with_header: bool) -> None:
        """Begin before the first sample."""
        self._rate = rate
        self._with_header = with_header
        self._resampler = Resampler(voice_rate, rate, "s16")

    def write(self, samples: Samples, last: bool) -> bytes:
        """Return the samples; only a file that is known as a whole has its length in its header."""
        frames = self._resampler.frames(samples, last)
        data = b"".join(frame.to_ndarray().tobytes() for frame in frames)
        if not self._with_header:
            return data
        self._with_header = False
        return _wav_header(self._rate, len(data) if last else None) + data


class Compressed:
    """A format that libav writes."""

    def __init__(self, how: Format, voice_rate: int, rate: int) -> None:
        """Open the file that nobody keeps."""
        self._out = _Outbox()
        options = {**dict(how.options), "flush_packets": "1"}
        self._file = av.open(self._out, "w", format=how.container, options=options)
        stream = cast(AudioStream, self._file.add_stream(how.codec, rate=rate))
        self._stream = stream
        stream.layout = "mono"
        stream.format = how.sample_format
        if how.codec != "flac":
            stream.codec_context.bit_rate = BIT_RATE
        self._resampler = Resampler(voice_rate, rate, how.sample_format)

    def write(self, samples: Samples, last: bool) -> bytes:
        """Return the bytes that the codec lets go of."""
        for frame in self._resampler.frames(samples, last):
            self._file.mux(self._stream.encode(frame))
        if last:
            self._file.mux(self._stream.encode(None))
            self._file.close()
        return self._out.taken()


class Resampler:
    """Changes rate and layout of samples, and gives them their times."""

    def __init__(self, voice_rate: int, rate: int, sample_format: str) -> None:
        """Begin before the first sample."""
        self._voice_rate = voice_rate
        self._resampler = av.AudioResampler(format=sample_format, layout="mono", rate=rate)
        self._sent = 0

    def frames(self, samples: Samples, last: bool) -> Iterator[av.AudioFrame]:
        """Yield the frames that are ready; after the last samples, what was held back too."""
        if samples.size:
            shaped = np.ascontiguousarray(samples).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(shaped, format="s16", layout="mono")
            frame.sample_rate = self._voice_rate
            frame.pts = self._sent
            self._sent += samples.size
            yield from self._resampler.resample(frame)
        if last:
            yield from self._resampler.resample(None)


class _Outbox:
    """A file that can only be written to: what is in it leaves at once."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        data = b"".join(self._pieces)
        self._pieces.clear()
        return data


def _wav_header(rate: int, size: int | None) -> bytes:
    riff, data = (UNKNOWN, UNKNOWN) if size is None else (size + 36, size)
    head = (b"RIFF", riff, b"WAVE", b"fmt ", 16, 1, 1, rate, rate * 2, 2, 16, b"data", data)
    return struct.pack("<4sI4s4sIHHIIHH4sI", *head)
