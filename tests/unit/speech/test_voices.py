"""What clients write is text for the real Piper, never its notation of phonemes."""

from __future__ import annotations

import pytest

import piper_voice
from synapse_speech.config import files
from synapse_speech.voices import LoadedVoice

NAME = "en_US-hum-low"


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory) -> LoadedVoice:
    folder = tmp_path_factory.mktemp("voices")
    piper_voice.make(folder, NAME, hertz=220)
    return LoadedVoice(*files(folder, NAME), threads=1)


@pytest.mark.parametrize(
    "written",
    ["[[Kitchen light]]", "[[Kitchen light", "[[[Kitchen]] light]", "[[Kitchen]] [[light]]",
     "[[[[Kitchen light]]]]", "[ [Kitchen light]]"],
)  # fmt: skip
def test_double_brackets_are_brackets(voice: LoadedVoice, written: str) -> None:
    assert voice.sentences(written) == voice.sentences("Kitchen light")


def test_brackets_inside_a_sentence_are_silent(voice: LoadedVoice) -> None:
    assert voice.sentences("Turn [[the light]] on.") == voice.sentences("Turn the light on.")
