"""A transcript as Speaches writes it in verbose_json, read into words, each with its time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ValidationError

from synapse_common.bodies.parsing import uncollected

NO_SPEECH_PROBABILITY = 0.6
LOG_PROBABILITY = -1.0
"""A segment more likely to be no speech, of words less likely than this, was never said."""
ROUNDING_S = 0.02
"""Times of segments and of words are rounded apart."""


class Word(BaseModel):
    """One word with the blank before it, and when it is said."""

    word: str
    start: float
    end: float


class Segment(BaseModel):
    """Up to half a minute of speech that Whisper heard at once."""

    text: str
    start: float
    end: float
    seek: int | None = None
    temperature: float | None = None
    avg_logprob: float | None = None
    compression_ratio: float | None = None
    no_speech_prob: float | None = None

    @property
    def was_said(self) -> bool:
        """Say whether these are words of somebody, and not what Whisper makes of noise."""
        silence, words = self.no_speech_prob or 0.0, self.avg_logprob or 0.0
        return silence <= NO_SPEECH_PROBABILITY or words >= LOG_PROBABILITY


class Transcript(BaseModel):
    """What was heard in a recording."""

    text: str
    language: str | None = None
    duration: float | None = None
    segments: list[Segment] | None = None
    words: list[Word] | None = None

    def without_noise(self) -> Transcript:
        """Return it without the segments that nobody said."""
        segments = self.segments or []
        said = [segment for segment in segments if segment.was_said]
        if len(said) == len(segments):
            return self
        words = [word for segment, word in self._placed() if segment.was_said]
        text = "".join(segment.text for segment in said).strip()
        return self.model_copy(update={"text": text, "segments": said, "words": words})

    def spoken(self) -> list[tuple[Segment, Word]]:
        """Return every word with its segment; where no times are told they are estimated."""
        if self.words:
            return self._placed()
        return [(segment, word) for segment in self._all_segments() for word in _estimated(segment)]

    def _placed(self) -> list[tuple[Segment, Word]]:
        segments = self._all_segments()
        starts = [segment.start - ROUNDING_S for segment in segments]
        return [
            (segments[max(0, bisect_right(starts, word.start) - 1)], word)
            for word in _in_order(self.words or [])
        ]

    def _all_segments(self) -> Sequence[Segment]:
        whole = Segment(text=self.text, start=0.0, end=self.duration or 0.0)
        return self.segments or [whole]


def read(body: bytes) -> Transcript:
    """Read an engine's answer; raise ConnectionError where it is none, so that another is asked."""
    try:
        with uncollected():
            return Transcript.model_validate_json(body)
    except ValidationError:
        raise ConnectionError("the answer is no transcript") from None


def _in_order(words: Iterable[Word]) -> list[Word]:
    """Return the words with times that never go back."""
    found: list[Word] = []
    for word in words:
        start = max(word.start, found[-1].end) if found else word.start
        found.append(Word(word=word.word, start=start, end=max(start, word.end)))
    return found


def _estimated(segment: Segment) -> list[Word]:
    """Spread a segment's time over its words by their length."""
    texts = [f" {text}" for text in segment.text.split()]
    each_s = (segment.end - segment.start) / max(1, sum(map(len, texts)))
    words: list[Word] = []
    at_s = segment.start
    for text in texts:
        words.append(Word(word=text, start=at_s, end=at_s + len(text) * each_s))
        at_s = words[-1].end
    return words
