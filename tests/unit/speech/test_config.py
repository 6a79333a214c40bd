"""The speech server's configuration: what nobody could speak with is refused, all at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from synapse_speech.config import ConfigError, Speaker, build, load

MODEL = {"name": "piper", "voices": {"alloy": "en_US-hum-low", "nova": "de_DE-hum-low#3"}}


def raw(**changes: Any) -> dict[str, Any]:
    return {"folder": "/models/voices", "models": [MODEL], **changes}


def faults_of(**changes: Any) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        build(raw(**changes))
    return refused.value.faults


def test_a_voice_is_taken_apart_and_the_first_one_is_the_default() -> None:
    config = build(raw())
    assert config.models["piper"].voices == {
        "alloy": Speaker("en_US-hum-low"),
        "nova": Speaker("de_DE-hum-low", 3),
    }
    assert config.models["piper"].default == "alloy"
    assert config.folder == Path("/models/voices")


def test_every_fault_is_told_at_once() -> None:
    assert faults_of(
        settings={"workrs": 1, "threads": 0},
        models=[
            {**MODEL, "default": "nva"},
            MODEL,
            {"voices": {"a voice": "en_US-hum-low#x", "b": 7}},
        ],
        foldr="x",
    ) == [
        'model piper: default "nva" is none of its voices; did you mean "nova"?',
        'model number 3: the key "name" is missing',
        'model number 3: voices: "a voice" is not valid; write a name for a voice, such as alloy',
        'model number 3: voices: "a voice" "en_US-hum-low#x" is not valid; '
        "write a voice of Piper, such as en_US-lessac-medium",
        'model number 3: voices: "b" must be a text, not 7',
        "settings: threads must be at least 1, not 0",
        'settings: unknown key "workrs"; did you mean "workers"?',
        'unknown key "foldr"; did you mean "folder"?',
        "model piper: is listed 2 times; keep one",
    ]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"settings": {"port": "eighty"}}, "settings: port must be a whole number, not 'eighty'"),
        ({"settings": {"port": 70000}}, "settings: port must be at most 65535, not 70000"),
        ({"settings": {"workers": -3}}, "settings: workers must be at least 1, not -3"),
        ({"settings": {"workers": True}}, "settings: workers must be a whole number, not true"),
        ({"settings": {"requests_at_once": 0}},
         "settings: requests_at_once must be at least 1, not 0"),
        ({"settings": {"input_characters": 1.5}},
         "settings: input_characters must be a whole number, not 1.5"),
        ({"settings": {"drain_timeout_s": float("nan")}},
         "settings: drain_timeout_s must be a finite number, not nan"),
        ({"folder": ""}, "folder is empty"),
        ({"models": []}, "models is empty"),
        ({"models": {"piper": MODEL}}, "models must be a list, not {'piper': {'name': 'piper', "
         "'voices': {'alloy': 'en_US-hu..."),
        ({"models": [{"name": "piper", "voices": {}}]}, "model piper: voices is empty"),
        ({"models": [MODEL | {"voice": "alloy"}]},
         'model piper: unknown key "voice"; did you mean "voices"?'),
        ({"models": [MODEL | {"default": ""}]}, "model piper: default is empty"),
    ],
)  # fmt: skip
def test_what_would_fail_later_is_refused(changes: dict[str, Any], fault: str) -> None:
    assert faults_of(**changes) == [fault]


def test_a_file_that_is_no_yaml_is_named(tmp_path: Path) -> None:
    file = tmp_path / "speech.yaml"
    file.write_text("models: [")
    with pytest.raises(ConfigError, match=r"speech\.yaml: is not valid YAML"):
        load(file)
