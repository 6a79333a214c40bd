"""What goes with a recording is what every transcriber understands, or is refused."""

from __future__ import annotations

from typing import Any

import pytest

from synapse_common.refusals import Refusal
from synapse_gateway.audio.fields import checked, spelled
from synapse_gateway.config import Model

EARS = Model(
    url="http://engine/v1",
    served_name="served",
    name="ears",
    kind="transcription",
    engine="speaches",
    languages=("en", "zh", "haw"),
)
OUTSIDE = Model(
    url="http://engine/v1",
    served_name="served",
    name="outside",
    kind="transcription",
    engine="openai",
)
TIMES = "timestamp_granularities[]"
VERBOSE = ("response_format", "verbose_json")


def seen(*fields: tuple[str, str], model: Model = EARS) -> list[tuple[str, str]]:
    return sorted(checked(fields, "whisper-1", model))


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("en", "en"), ("EN", "en"), ("en-US", "en"), ("zh_Hant_TW", "zh"), ("haw", "haw"),
        ("English", "en"), (" mandarin ", "zh"),
    ],
)  # fmt: skip
def test_a_language_may_be_written_with_its_country_or_by_name(written: str, code: str) -> None:
    assert seen(("language", written)) == [("language", code)]


@pytest.mark.parametrize("written", ["tlh", "eng", "german", "-", "e"])
def test_an_unknown_language_is_refused_with_the_known_ones(written: str) -> None:
    with pytest.raises(Refusal, match=r"en, zh, haw") as refused:
        seen(("language", written))
    assert (refused.value.status, refused.value.code) == (400, "unsupported_language")
    assert refused.value.param == "language"


@pytest.mark.parametrize("model", [EARS, OUTSIDE], ids=["ours", "outside"])
@pytest.mark.parametrize("written", ["auto", "AUTO", "detect", "", " "])
def test_a_language_that_is_left_open_is_not_asked_for(written: str, model: Model) -> None:
    assert seen(("language", written), model=model) == []


def test_where_no_languages_are_known_the_engine_decides() -> None:
    assert seen(("language", "tlh-X"), model=OUTSIDE) == [("language", "tlh-X")]
    assert seen(("language", "de-CH"), model=OUTSIDE) == [("language", "de")]


@pytest.mark.parametrize(
    ("written", "truth"),
    [("1", "true"), ("True", "true"), ("on", "true"), ("0", "false"), ("no", "false")],
)
def test_yes_and_no_have_many_spellings(written: str, truth: str) -> None:
    assert seen(("stream", written)) == [("stream", truth)]


def test_formats_may_be_written_in_capitals() -> None:
    assert seen(("response_format", "SRT")) == [("response_format", "srt")]


def test_times_may_be_asked_for_without_brackets() -> None:
    assert seen(VERBOSE, ("timestamp_granularities", "Word")) == [VERBOSE, (TIMES, "word")]


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
        ("timestamp_granularities", "word,segment", "word or segment"),
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


@pytest.mark.parametrize(
    ("voice", "seen_as"),
    [("ALLOY", "alloy"), ("amy", "Amy"), ("nobody", "nobody"), ({"id": "x"}, {"id": "x"})],
)
def test_a_voice_is_spelled_as_the_model_spells_it(voice: Any, seen_as: Any) -> None:
    model = Model(
        url="http://engine/v1",
        served_name="served",
        name="tts",
        kind="speech",
        engine="piper",
        voices=("alloy", "Amy"),
    )
    asked = {"voice": voice, "response_format": "MP3", "speed": 1}
    assert spelled(asked, model) == {"voice": seen_as, "response_format": "mp3", "speed": 1}


def test_of_repeated_fields_the_first_counts_and_empty_ones_are_left_out() -> None:
    fields = [("stream", "True"), ("stream", "nonsense"), ("language", ""), ("prompt", "")]
    assert seen(("model", "whisper-1"), *fields) == [("stream", "true")]
