"""How long a recording is, as its file says."""

from __future__ import annotations

import io
import wave

import av
import numpy as np
import pytest
from av.audio.stream import AudioStream

from synapse_gateway.audio.durations import END_BYTES, told_s


def wav(seconds: float, rate: int = 16_000, told_rate: int | None = None) -> bytes:
    """Return a WAV file of silence, which may lie about its rate."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, told_rate or rate, 0, "NONE", ""))
        file.writeframes(bytes(int(seconds * rate * 2)))
    return out.getvalue()


def encoded(container: str, codec: str, seconds: int) -> bytes:
    """Return silence as FFmpeg writes it."""
    out = io.BytesIO()
    rate = 48_000
    with av.open(out, "w", format=container) as file:
        stream = file.add_stream(codec, rate=rate, layout="mono")
        assert isinstance(stream, AudioStream)
        for _ in range(seconds):
            frame = av.AudioFrame.from_ndarray(
                np.zeros((1, rate), dtype=np.float32), format="fltp", layout="mono"
            )
            frame.sample_rate = rate
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return out.getvalue()


def told(content: bytes) -> float | None:
    """Return the seconds that a file tells, rounded."""
    found = told_s(content[:END_BYTES], content[-END_BYTES:], len(content))
    return None if found is None else round(found, 1)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (wav(1.5), 1.5),
        (wav(1.5)[:16044], 0.5),
        (wav(0)[:40] + bytes(4) + bytes(32_000), 1.0),
        (wav(1.5, told_rate=1), 24_000.0),
        (wav(1.5)[:12] + b"LIST" + b"\xff" * 4 + wav(1.5)[12:], None),
        (b"RIFF-nonsense", None),
        (b"RIFF", None),
        (b"ID3", None),
        (b"", None),
        (b"fLaC", None),
        (b"OggS", None),
        (b"OggS OpusHead", None),
        (b"\0\0\0\0ftypmvhd", None),
        (b"\0\0\0\0ftyp" + b"mvhd" + bytes(40), None),
    ],
)
def test_what_a_wav_file_or_nonsense_tells(content: bytes, expected: float | None) -> None:
    assert told(content) == expected


@pytest.mark.parametrize(
    ("container", "codec"), [("flac", "flac"), ("ogg", "libopus"), ("mp4", "aac")]
)
def test_minutes_of_silence_are_told_by_a_small_file(container: str, codec: str) -> None:
    content = encoded(container, codec, 120)
    assert told(content) == pytest.approx(120, abs=0.2)
    assert len(content) < 2_000_000
