"""Subtitles are cut where they can be read, from what faster-whisper really answered."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_gateway.audio import cues
from synapse_gateway.audio.cues import LONGEST_S, SHORTEST_S, Cue
from synapse_gateway.audio.lines import LINE, in_lines, width
from synapse_gateway.audio.transcript import Segment, Transcript, Word, read

RECORDED = Path(__file__).resolve().parents[2] / "fixtures/speaches/verbose.json"
"""31 s of speech, as Speaches passes on what Whisper tiny.en heard: two segments, one of 26 s."""


@pytest.fixture
def heard() -> Transcript:
    return read(RECORDED.read_bytes())


def said(*texts: str, each_s: float = 0.4, gap_s: float = 0.0) -> Transcript:
    words = [
        Word(word=text, start=at * (each_s + gap_s), end=at * (each_s + gap_s) + each_s)
        for at, text in enumerate(texts)
    ]
    return Transcript(text="".join(texts).strip(), words=words)


def readable(found: list[Cue]) -> None:
    for cue in found:
        assert len(cue.lines) <= 2
        assert max(map(width, cue.lines)) <= LINE
        assert cue.end_s - cue.start_s <= LONGEST_S
    for one, following in pairwise(found):
        assert one.end_s <= following.start_s


@pytest.mark.parametrize("times", ["words", "segments"])
def test_half_a_minute_becomes_subtitles_that_can_be_read(heard: Transcript, times: str) -> None:
    if times == "segments":
        heard = heard.model_copy(update={"words": None})
    found = cues.cut(heard)
    readable(found)
    assert len(found) == 12
    assert "".join(cue.text for cue in found).strip() == heard.text
    ends = [cue.text[-1] for cue in found]
    assert sum(end in ".,?" for end in ends) == 11, "one sentence is too long for any subtitle"


def test_a_subtitle_stands_where_its_words_are_said(heard: Transcript) -> None:
    found = cues.cut(heard)
    assert found[0].lines == ("The gateway waits a moment", "and asks the next model.")
    assert (found[0].start_s, found[0].end_s) == (0.0, 2.86)
    assert found[1].start_s == 3.12
    assert [cue.segment for cue in (found[0], found[-1])] == heard.segments


def test_a_pause_ends_a_subtitle() -> None:
    heard = said(" one", " two", " three", gap_s=3.0)
    assert [cue.lines for cue in cues.cut(heard)] == [("one",), ("two",), ("three",)]


def test_short_sentences_share_one_and_a_last_word_stands_for_a_second() -> None:
    heard = said(" Yes.", " No.", each_s=0.3)
    (cue,) = cues.cut(heard.model_copy(update={"duration": 5.0}))
    assert (cue.lines, cue.end_s) == (("Yes. No.",), SHORTEST_S)


def test_signs_without_blanks_fill_half_a_line() -> None:
    found = cues.cut(said(*"今日はとても良い天気ですね。" * 8, each_s=0.1))
    readable(found)
    assert all(cue.text.endswith("。") for cue in found)


def test_a_word_longer_than_a_line_is_not_cut() -> None:
    word = " " + "x" * 100
    assert cues.cut(said(word, " y"))[0].lines == (word.strip(),)


def test_of_nothing_there_is_no_subtitle() -> None:
    assert cues.cut(Transcript(text="")) == []
    assert cues.cut(Transcript(text="", segments=[], words=[], duration=3)) == []


def test_a_text_without_segments_spreads_over_the_recording() -> None:
    (cue,) = cues.cut(Transcript(text="Good morning.", duration=2.0))
    assert cue.start_s == 0.0
    assert cue.end_s == pytest.approx(2.0)


SPOKEN = st.lists(
    st.tuples(
        st.sampled_from([" a", " house", ",", " again.", " Straßenbahnhaltestelle", "好", "-like"]),
        st.floats(0, 4),
        st.floats(0, 3),
    ),
    max_size=60,
)


@given(SPOKEN)
def test_whatever_is_said_no_word_is_lost_and_every_subtitle_can_be_read(
    spoken: list[tuple[str, float, float]],
) -> None:
    at_s, words = 0.0, []
    for text, gap_s, length_s in spoken:
        words.append(Word(word=text, start=at_s + gap_s, end=at_s + gap_s + length_s))
        at_s = words[-1].end
    text = "".join(word.word for word in words)
    found = cues.cut(Transcript(text=text.strip(), words=words, duration=at_s))
    readable(found)
    assert "".join(cue.text for cue in found) == text


def test_times_that_go_back_are_put_in_order() -> None:
    words = [Word(word=" one.", start=0, end=6.5), Word(word=" two.", start=1, end=8)]
    found = cues.cut(Transcript(text="one. two.", words=words))
    readable(found)
    assert [cue.start_s for cue in found] == [0, 6.5]


def test_a_short_subtitle_ends_where_the_next_begins() -> None:
    words = [Word(word=" No.", start=0, end=0.3), Word(word=f" {'x' * 60}", start=0.3, end=4)]
    found = cues.cut(Transcript(text="No.", words=words))
    assert [(cue.start_s, cue.end_s) for cue in found] == [(0, 0.3), (0.3, 4)]


def test_the_two_lines_are_alike() -> None:
    words = [" word"] * 10
    first, second = in_lines(words)
    assert len(first.split()) == len(second.split()) == 5


def test_a_segment_keeps_its_own_words_when_another_is_left_out() -> None:
    noise = Segment(text=" you", start=0, end=1, no_speech_prob=0.94, avg_logprob=-1.39)
    speech = Segment(text=" Stop.", start=8.58, end=9.98)
    words = [Word(word=" you", start=0.1, end=0.5), Word(word=" Stop.", start=8.57, end=9)]
    heard = Transcript(text="you Stop.", segments=[noise, speech], words=words)
    kept = heard.without_noise()
    assert (kept.text, kept.segments) == ("Stop.", [speech])
    assert [cue.text for cue in cues.cut(kept)] == [" Stop."]


@pytest.mark.parametrize(
    ("probability", "log", "was_said"),
    [
        (0.962, -1.286, False), (0.691, -1.04, False), (0.745, -2.114, False),
        (0.007, -0.091, True), (0.588, -0.875, True),
    ],
)  # fmt: skip
def test_noise_is_told_from_speech_in_noise(probability: float, log: float, was_said: bool) -> None:
    """What Whisper tiny.en gave for soft noise, a tone of 40 ms, one of 5 s, speech, with noise."""
    segment = Segment(text="x", start=0, end=1, no_speech_prob=probability, avg_logprob=log)
    assert segment.was_said is was_said
