"""Recordings that tests say, make, spoil and measure."""

import io
import re
import wave
from fractions import Fraction

import av
import numpy as np
import openai
from numpy.typing import NDArray

SENTENCE = "The cat sat on the mat."
WORDS = {"the", "cat", "sat", "on", "mat"}
# Longer than the half minute that Whisper hears in one go, and no sentence twice.
STORY = (
    "The cat sat on the mat in front of the fire. Outside it rained, and the wind sang in the"
    " trees. The children came home from school and put their wet shoes beside the door. Their"
    " father made tea in the kitchen and cut a loaf of bread into thick slices. Then somebody rang"
    " the bell. It was the neighbour, who had found a small grey kitten under his car. The cat"
    " opened one eye, looked at the guest for a while, and went back to sleep. From that day on"
    " there were two cats in the house, and nobody ever knew which of them had eaten the butter."
    " In the morning the rain had stopped, and a thin white mist lay over the garden."
)
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


def understood(text: str) -> bool:
    """Tell whether the sentence is in a transcript, but for one word: voices vary, and ears err."""
    return len(WORDS & set(re.findall(r"[a-z]+", text.lower()))) >= len(WORDS) - 1


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
