"""Recordings that tests say, make, spoil and measure."""

import io
import wave
from fractions import Fraction

import av
import numpy as np
import openai
from numpy.typing import NDArray

SENTENCE = "The cat sat on the mat."
WORDS = {"cat", "sat", "on", "mat"}
RATE = 24_000
Samples = NDArray[np.int16]


def spoken(client: openai.OpenAI, text: str = SENTENCE, kind: str = "wav") -> bytes:
    """Return a text as the testbed's voice says it."""
    answer = client.audio.speech.create(
        model="tts-1",
        voice="alloy",
        input=text,
        response_format=kind,  # type: ignore[arg-type]  # a test's parameter
    )
    return answer.content


def seconds(audio: bytes) -> float:
    """Return how long decoded audio is."""
    with av.open(io.BytesIO(audio), "r") as container:
        return float(sum(frame.samples / frame.rate for frame in container.decode(audio=0)))


def wav_file(samples: Samples) -> bytes:
    """Return samples of 24 kHz as a WAV file."""
    out = io.BytesIO()
    with wave.open(out, "wb") as audio:
        audio.setnchannels(1)
        audio.setsampwidth(2)
        audio.setframerate(RATE)
        audio.writeframes(samples.tobytes())
    return out.getvalue()


def opus(samples: Samples) -> bytes:
    """Return samples of 24 kHz as an Ogg file with Opus in it."""
    out = io.BytesIO()
    with av.open(out, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=RATE, layout="mono", bit_rate=32_000)
        for place in range(0, samples.size, RATE):
            piece = samples[place : place + RATE].reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(piece, format="s16", layout="mono")
            frame.rate, frame.pts, frame.time_base = RATE, place, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()


def pictures() -> bytes:
    """Return a film without sound."""
    out = io.BytesIO()
    with av.open(out, "w", format="matroska") as container:
        stream = container.add_stream("mpeg4", rate=10, width=64, height=64, pix_fmt="yuv420p")
        for _ in range(10):
            frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), dtype=np.uint8), "rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()
