"""Hears as Speaches does: decodes what it can, skips silence, hears one stretch after another."""

import contextlib
import io
from collections.abc import Iterator
from dataclasses import dataclass

import av
from pocketsphinx import Decoder, Segmenter, Vad

RATE = 16000
FRAME_S = 0.01
WINDOW_S = 30
# All it knows: with a whole dictionary to choose from it understands hardly a word of espeak-ng.
WORDS = (
    "a again and answer bring cat dog door evening for garden good green hello house in is kettle"
    " kitchen light lights living mat me model morning music now off on open please room sat server"
    " sings sleeps small tea tell test the this turn water weather what who world you"
)
GRAMMAR = f"#JSGF V1.0; grammar home; public <said> = ( {WORDS.replace(' ', ' | ')} )+ ;"


@dataclass(frozen=True)
class Word:
    """One word, with its place in the recording in seconds."""

    text: str
    start: float
    end: float


@dataclass(frozen=True)
class Stretch:
    """What was said between two silences."""

    start: float
    end: float
    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        """The words as Whisper writes them: a space before each."""
        return "".join(f" {word.text}" for word in self.words)


def decoded(audio: bytes) -> bytes:
    """Return one channel of 16-bit samples at 16 kHz, up to where a recording is damaged."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    samples = bytearray()
    with av.open(io.BytesIO(audio), metadata_errors="ignore") as container:
        frames = container.decode(audio=0)
        with contextlib.suppress(av.error.InvalidDataError):
            for frame in frames:
                for found in resampler.resample(frame):
                    samples += found.to_ndarray().tobytes()
    for found in resampler.resample(None):
        samples += found.to_ndarray().tobytes()
    return bytes(samples)


def seconds(samples: bytes) -> float:
    """Return how long decoded samples last."""
    return len(samples) / 2 / RATE


def stretches(samples: bytes) -> Iterator[Stretch]:
    """Yield what was said, stretch by stretch.

    Where nobody speaks, Speaches listens to the whole all the same, or fails if that is longer
    than one window.
    """
    segmenter = Segmenter(vad_mode=Vad.STRICT, sample_rate=RATE)
    padded = io.BytesIO(samples + bytes(segmenter.frame_bytes))
    found = False
    for part in segmenter.segment(padded):
        found = True
        yield Stretch(part.start_time, part.end_time, tuple(_words(part.pcm, part.start_time)))
    if not found and seconds(samples) > WINDOW_S:
        raise RuntimeError("No clip timestamps found.")
    if not found:
        yield Stretch(0.0, seconds(samples), tuple(_words(samples, 0.0)))


def _words(samples: bytes, offset: float) -> Iterator[Word]:
    decoder = Decoder(samprate=RATE, loglevel="FATAL", lm=None)
    decoder.add_jsgf_string("home", GRAMMAR)
    decoder.activate_search("home")
    decoder.start_utt()
    decoder.process_raw(samples, full_utt=True)
    decoder.end_utt()
    for found in decoder.seg() or []:
        if found.word[0] not in "<[":
            start, end = found.start_frame * FRAME_S, (found.end_frame + 1) * FRAME_S
            yield Word(found.word.partition("(")[0], offset + start, offset + end)
