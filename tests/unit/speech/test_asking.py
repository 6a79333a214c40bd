"""A wrong request is refused with what would be right; names that OpenAI's clients use work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from speech_stage import GatedVoice
from synapse_common.line import Claim
from synapse_common.refusals import Refusal
from synapse_speech import asking
from synapse_speech.config import Config, Model, Settings, Speaker
from synapse_speech.voices import PHONEMES_AT_ONCE, parts

VOICES = {"alloy": Speaker("en_US-hum-low"), "nova": Speaker("de_DE-hum-low", 1)}
MODELS = {"piper": Model("piper", VOICES, "alloy")}
CONFIG = Config(Path(), MODELS, Settings(input_characters=20))
LOADED = {"en_US-hum-low": GatedVoice(), "de_DE-hum-low": GatedVoice()}


def ask(**body: Any) -> asking.Ask:
    """Understand a request."""
    full = {"model": "piper", "input": "hello", **body}
    return asking.understand(json.dumps(full).encode(), CONFIG, LOADED, Claim("app"))


@pytest.mark.parametrize(
    ("voice", "expected"),
    [("alloy", VOICES["alloy"]), ("nova", VOICES["nova"]), (None, VOICES["alloy"]),
     ({"id": "nova"}, VOICES["nova"]), ("de_DE-hum-low", Speaker("de_DE-hum-low")),
     ("ALLOY", VOICES["alloy"]), ("de_de-Hum-Low", Speaker("de_DE-hum-low")),
     ("", VOICES["alloy"])],
    ids=["openai", "another", "none", "as-object", "pipers-own", "large", "pipers-own-large",
         "empty"],
)  # fmt: skip
def test_a_voice_has_several_names(voice: Any, expected: Speaker) -> None:
    assert ask(voice=voice).speaker == expected


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({"voice": "nobody"}, 400, "It has: alloy (en-US), nova (en-US)."),
        ({"voice": 7}, 400, "alloy"),
        ({"model": "gpt-tts"}, 404, "There is: piper."),
        ({"input": ""}, 400, "the text to speak"),
        ({"input": ["a"]}, 400, "the text to speak"),
        ({"input": "x" * 21}, 400, "21 characters; at most 20"),
        ({"response_format": "ogg"}, 400, "one of wav, pcm, mp3, opus, flac, aac"),
        ({"stream_format": "words"}, 400, "one of audio, sse"),
        ({"normalize": "no"}, 400, "'normalize' must be true or false"),
        ({"speed": 9}, 400, "between 0.25 and 4"),
        ({"speed": True}, 400, "between 0.25 and 4"),
        ({"speed": float("nan")}, 400, "between 0.25 and 4"),
        ({"speed": "fast"}, 400, "between 0.25 and 4"),
    ],
)
def test_what_is_wrong_is_told_with_what_is_right(
    body: dict[str, Any], status: int, told: str
) -> None:
    with pytest.raises(Refusal) as refused:
        ask(**body)
    assert refused.value.status == status
    assert told in refused.value.message


@pytest.mark.parametrize(
    ("loaded", "voice", "status", "told"),
    [
        (("de_DE-hum-low",), "alloy", 400, "It has: nova (en-US)."),
        (("de_DE-hum-low",), "nobody", 400, "It has: nova (en-US)."),
        (("de_DE-hum-low",), None, 503, "'alloy' of 'piper' is not there"),
        ((), "alloy", 503, "'alloy' of 'piper' is not there"),
        ((), "nobody", 503, "'nobody' of 'piper' is not there"),
    ],
    ids=["named", "unknown", "default", "none-at-all", "unknown-and-none-at-all"],
)
def test_a_voice_that_could_not_be_had(
    loaded: tuple[str, ...], voice: str | None, status: int, told: str
) -> None:
    body = json.dumps({"model": "piper", "input": "hello", "voice": voice}).encode()
    with pytest.raises(Refusal) as refused:
        asking.understand(body, CONFIG, {name: LOADED[name] for name in loaded}, Claim("a"))
    assert refused.value.status == status
    assert told in refused.value.message


@pytest.mark.parametrize(
    ("written", "read"), [("MP3", "mp3"), ("Wav", "wav"), ("", "mp3"), (None, "mp3")]
)
def test_a_format_may_be_written_large_or_left_empty(written: str | None, read: str) -> None:
    assert ask(response_format=written).format == read
    assert ask(stream_format="SSE").in_events


def test_two_names_that_differ_in_large_letters_only_are_two() -> None:
    model = Model("piper", {"nova": Speaker("a"), "Nova": Speaker("b")}, "nova")
    assert (model.speaker("nova"), model.speaker("Nova")) == (Speaker("a"), Speaker("b"))


@pytest.mark.parametrize("body", [b"{", b"[]", b"", b"\xff"])
def test_a_body_that_is_no_object_is_400(body: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        asking.understand(body, CONFIG, LOADED, Claim("app"))
    assert refused.value.status == 400


def test_what_nobody_can_speak_is_left_out() -> None:
    assert ask(input="a\0b\ud800").text == "a b?"


def test_a_text_without_full_stops_is_cut_where_it_pauses() -> None:
    words = [*"abc, " * 70, *"abcd " * 100, *"x" * (PHONEMES_AT_ONCE + 1)]
    cut = list(parts(words))
    assert [phoneme for part in cut for phoneme in part] == words
    assert max(map(len, cut)) <= PHONEMES_AT_ONCE
    assert "".join(cut[0]).endswith(","), "better at a comma than between two words"
    assert "".join(cut[1]).endswith(" ")


def test_who_asks_and_how_urgently_is_the_gateways_word() -> None:
    told = {"x-synapse-app": "archive", "x-synapse-priority": "batch"}
    assert asking.claim_of(told) == Claim("archive", is_interactive=False)
    assert asking.claim_of({}) == Claim("", is_interactive=True)
    assert asking.claim_of({**told, "x-synapse-person": "0123"}).person == "0123"
