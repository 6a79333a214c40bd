"""Cuts a transcript into subtitles that can be read: where they begin and end, and their lines.

What is usual in the field: at most two lines of 42 characters, at most seven seconds, a new one
after a sentence, a clause or a pause.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import inf

from synapse_gateway.audio.lines import LINE, in_lines, may_break, width
from synapse_gateway.audio.transcript import Segment, Transcript, Word

LONGEST_S = 7.0
SHORTEST_S = 1.0
SILENCE_S = 2.0
"""Over a pause as long as this no subtitle stands."""
PAUSE_S = 0.3
SENTENCE_ENDS = tuple(".?!…。？！")  # noqa: RUF001  # Chinese and Japanese
CLAUSE_ENDS = tuple(",;:、，；：—")  # noqa: RUF001
QUOTES = "\"')]}»”’」』"  # noqa: RUF001

# What a cue costs; the cheapest cutting is taken.
EACH, AFTER_CLAUSE, AFTER_WORD, TOO_SHORT, SENTENCE_INSIDE = 1.0, 1.5, 4.0, 2.0, 1.5


@dataclass(frozen=True)
class Cue:
    """One subtitle."""

    start_s: float
    end_s: float
    text: str
    """As it was heard, with the blank before it."""
    lines: tuple[str, ...]
    segment: Segment
    """What it was cut from."""


def cut(transcript: Transcript) -> list[Cue]:
    """Return the transcript's subtitles, in order; none overlaps the next."""
    placed = transcript.spoken()
    words = [word for _, word in placed]
    groups = _Cutting(words).groups()
    ends_s = [words[end].start for _, end in groups[:-1]]
    ends_s += [max(words[-1].end, transcript.duration or 0.0)] if words else []
    return [
        _cue(words[begin:end], latest_s, placed[begin][0])
        for (begin, end), latest_s in zip(groups, ends_s, strict=True)
    ]


def _cue(words: Sequence[Word], latest_s: float, segment: Segment) -> Cue:
    texts = [word.word for word in words]
    start_s = words[0].start
    end_s = min(max(words[-1].end, start_s + SHORTEST_S), latest_s)
    return Cue(start_s, end_s, "".join(texts), in_lines(texts), segment)


class _Cutting:
    """The cheapest cutting of words into cues, found word by word."""

    def __init__(self, words: Sequence[Word]) -> None:
        """Look at each word once; an hour of speech has ten thousand."""
        self._words = words
        self._columns = [0, *accumulate(width(word.word) for word in words)]
        self._may_break = [False] + [
            may_break(before.word, after.word) for before, after in pairwise(words)
        ]
        self._ends_sentence = [_ends(word, SENTENCE_ENDS) for word in words]
        self._sentences = [0, *accumulate(map(int, self._ends_sentence))]

    def groups(self) -> list[tuple[int, int]]:
        """Return begin and end of each cue."""
        costs, begins = [0.0], [0]
        for end in range(1, len(self._words) + 1):
            after = self._cost_after(end)
            cheapest, begin = inf, end - 1
            for start in range(end - 1, -1, -1):
                if start < end - 1 and not self._fits(start, end):
                    break
                cost = costs[start] + after + self._cost(start, end)
                if cost < cheapest:
                    cheapest, begin = cost, start
            costs.append(cheapest)
            begins.append(begin)
        groups: list[tuple[int, int]] = []
        end = len(self._words)
        while end:
            groups.append((begins[end], end))
            end = begins[end]
        return groups[::-1]

    def _fits(self, start: int, end: int) -> bool:
        first, second, last = self._words[start], self._words[start + 1], self._words[end - 1]
        if last.end - first.start > LONGEST_S or second.start - first.end >= SILENCE_S:
            return False
        if self._line(start, end) <= LINE:
            return True
        middle = end - 1
        while middle > start and (not self._may_break[middle] or self._line(start, middle) > LINE):
            middle -= 1
        return middle > start and self._line(middle, end) <= LINE

    def _line(self, start: int, end: int) -> int:
        """Return how wide a line of these words is, without the blank before it."""
        blank = self._words[start].word[:1].isspace()
        return self._columns[end] - self._columns[start] - blank

    def _cost_after(self, end: int) -> float:
        """Return how badly it reads that a cue ends before this word."""
        if end == len(self._words) or self._ends_sentence[end - 1]:
            return EACH
        pause_s = self._words[end].start - self._words[end - 1].end
        at_clause = pause_s >= PAUSE_S or _ends(self._words[end - 1], CLAUSE_ENDS)
        return EACH + (AFTER_CLAUSE if at_clause else AFTER_WORD)

    def _cost(self, start: int, end: int) -> float:
        """Return how badly these words read as one cue."""
        is_last = end == len(self._words)
        is_short = not is_last and (self._words[end].start - self._words[start].start < SHORTEST_S)
        inside = self._sentences[end - 1] - self._sentences[start]
        return is_short * TOO_SHORT + inside * SENTENCE_INSIDE


def _ends(word: Word, signs: tuple[str, ...]) -> bool:
    return word.word.rstrip().rstrip(QUOTES).endswith(signs)
