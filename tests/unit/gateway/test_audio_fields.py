"""What goes with a recording is what every transcriber understands, or is refused."""

from __future__ import annotations

import pytest

from synapse_common.refusals import Refusal
from synapse_gateway.audio.fields import checked
from synapse_gateway.config import Model

EARS = Model(name="ears", kind="transcription", engine="speaches", languages=("en", "zh", "haw"))
OUTSIDE = Model(name="outside", kind="transcription", engine="openai")
TIMES = "timestamp_granularities[]"
VERBOSE = ("response_format", "verbose_json")


def seen(*fields: tuple[str, str], model: Model = EARS) -> list[tuple[str, str]]:
    return sorted(checked(fields, "whisper-1", model))


@pytest.mark.parametrize(
    ("written", "code"),
    [("en", "en"), ("EN", "en"), ("en-US", "en"), ("zh_Hant_TW", "zh"), ("haw", "haw")],
)
def test_a_language_may_be_written_with_its_country(written: str, code: str) -> None:
    assert seen(("language", written)) == [("language", code)]


@pytest.mark.parametrize("written", ["tlh", "eng", "english", "auto", "-", "e"])
def test_an_unknown_language_is_refused_with_the_known_ones(written: str) -> None:
    with pytest.raises(Refusal, match=r"en, zh, haw") as refused:
        seen(("language", written))
    assert (refused.value.status, refused.value.code) == (400, "unsupported_language")
    assert refused.value.param == "language"


def test_where_no_languages_are_known_the_engine_decides() -> None:
    assert seen(("language", "tlh-X"), model=OUTSIDE) == [("language", "tlh-X")]


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("response_format", "xml", "json, text, srt, vtt, verbose_json"),
        ("temperature", "warm", "number from 0 to 1"),
        ("temperature", "1.1", "number from 0 to 1"),
        ("temperature", "-0.1", "number from 0 to 1"),
        ("temperature", "nan", "number from 0 to 1"),
        ("stream", "maybe", "true or false"),
        (TIMES, "letter", "word or segment"),
        (TIMES, "word", "verbose_json only"),
    ],
)
def test_what_no_transcriber_understands_is_refused(name: str, value: str, told: str) -> None:
    with pytest.raises(Refusal, match=told) as refused:
        seen((name, value))
    assert (refused.value.status, refused.value.param) == (400, name)


@pytest.mark.parametrize("wanted", [("word",), ("segment",), ("segment", "word", "word")])
def test_each_kind_of_times_is_asked_for_once(wanted: tuple[str, ...]) -> None:
    fields = [(TIMES, kind) for kind in wanted]
    assert seen(VERBOSE, *fields) == [VERBOSE, *sorted(set(fields))]


def test_times_of_segments_go_with_every_format() -> None:
    assert seen((TIMES, "segment")) == [(TIMES, "segment")]


def test_of_repeated_fields_the_first_counts_and_empty_ones_are_left_out() -> None:
    fields = [("stream", "True"), ("stream", "nonsense"), ("language", ""), ("prompt", "")]
    assert seen(("model", "whisper-1"), *fields) == [("stream", "true")]
