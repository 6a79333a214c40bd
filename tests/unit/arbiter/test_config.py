"""The configuration: every fault is named at once, as a sentence that says where."""

from math import inf
from pathlib import Path
from typing import Any

import pytest

from synapse_arbiter.config import ConfigError, load, parse

GOOD: dict[str, Any] = {
    "models": [{"name": "a", "url": "http://a:8000/", "vram_gib": 24}],
    "card": {"vram_gib": 32},
}


def faults_of(**changes: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse({**GOOD, **changes})
    return caught.value.faults


def model(**changes: Any) -> dict[str, Any]:
    return {**GOOD["models"][0], **changes}


def test_the_least_there_is_to_say_is_enough() -> None:
    settings = parse(GOOD)
    assert settings.models[0].url == "http://a:8000"
    assert settings.models[0].concurrency == 16
    assert settings.card.source == "nvml"
    assert settings.apps == {}
    assert settings.admin_token_file is None


def test_all_faults_are_named_at_once() -> None:
    assert faults_of(
        models=[
            model(name="A!", url="ftp://a", vram_gib="much", colour="red"),
            model(name="b", url="http://b/v1", concurrency=0, kind="painting"),
            model(name="b", vram_gib=40, concurrency=1.5),
        ],
        card={"vram_gib": 32, "vram_source": "guess", "vram_gb": 3},
        default_model="nobody",
        rules={"quantum_s": 5, "deadline_s": 9, "residency_s": 6},
        recycle={"how": "command", "pod": "vllm-0"},
        port="high",
        apps=[{"name": "chat"}],
    ) == [
        "configuration.models[A!]: vram_gib must be a number of at least 0, not 'much'.",
        "configuration.models[A!]: name must be lower-case letters, digits, dots and dashes.",
        "configuration.models[A!]: url must be an http address, not 'ftp://a'.",
        "configuration.models[A!]: colour is not a known key.",
        "configuration.models[b]: kind must be one of chat, embedding, transcription, speech, "
        "not 'painting'.",
        "configuration.models[b]: concurrency must be a number of at least 1, not 0.",
        "configuration.models[b]: url must end after the port, without a path: 'http://b/v1'.",
        "configuration.models[b]: concurrency must be a whole number, not 1.5.",
        "configuration.apps[chat]: max_wait_s is missing.",
        "configuration: port must be a number of at least 0, not 'high'.",
        "configuration.card: vram_source must be nvml, none or an http address, not 'guess'.",
        "configuration.card: vram_gb is not a known key. Did you mean vram_gib?",
        "configuration.rules: deadline_s must not exceed quantum_s: the wait bound rests on it.",
        "configuration.rules: residency_s must not exceed quantum_s: the wait bound rests on it.",
        "configuration.recycle: command is missing: name the program that restarts an engine.",
        "configuration.recycle: pod must say where the model's name goes: {model}, not 'vllm-0'.",
        "configuration: models names b twice.",
        "configuration: models[b] needs 40 GiB, but the card has 32 GiB.",
        "configuration: default_model 'nobody' is not in models.",
    ]


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ([], "configuration must be a mapping of names to values."),
        ({"models": 3}, "configuration: models must be a list."),
        ({"models": [7]}, "configuration.models[0] must be a mapping of names to values."),
        ({"models": []}, "configuration: models is empty; name at least one engine."),
        ({"card": []}, "configuration.card must be a mapping of names to values."),
        ({"host": 7}, "configuration: host must be a non-empty text, not 7."),
        (
            {"recycle": {"how": "command", "command": "restart it"}},
            "configuration.recycle: command must be a list of texts.",
        ),
        ({"models": [{"url": "http://a"}]}, "configuration.models[0]: name is missing."),
        ({"port": 65536}, "configuration: port must be at most 65535, not 65536."),
        ({"port": inf}, "configuration: port must be a number of at least 0, not inf."),
        (
            {"limits": {"drain_s": inf}},
            "configuration.limits: drain_s must be a number of at least 0, not inf.",
        ),
        (
            {"models": [{"name": "a", "url": "http://[a"}]},
            "configuration.models[a]: url must be an http address, not 'http://[a'.",
        ),
        (
            {"models": [{"name": "a", "url": "http://a:80000"}]},
            "configuration.models[a]: url must be an http address, not 'http://a:80000'.",
        ),
        (
            {"apps": [{"name": "x", "max_wait_s": 1}, {"name": "x", "max_wait_s": 2}]},
            "configuration: apps names x twice.",
        ),
    ],
)
def test_what_has_the_wrong_shape_is_a_fault_too(source: Any, fault: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(source)
    assert fault in caught.value.faults


def test_a_file_that_is_missing_or_no_yaml_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file or directory"):
        load(tmp_path / "missing.yml")
    path = tmp_path / "arbiter.yml"
    for unreadable in (b"models: [", b"models: \xff", b"models: \x00"):
        path.write_bytes(unreadable)
        with pytest.raises(ConfigError, match="is not valid YAML"):
            load(path)


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "arbiter.yml"
    path.write_text(
        "{models: [{name: a, url: 'http://a', vram_gib: 9}], card: {vram_gib: 32},"
        " recycle: {how: command, command: [restart, '{model}']}, idle: 3}"
    )
    with pytest.raises(ConfigError, match=r"arbiter\.yml: idle is not a known key"):
        load(path)
    path.write_text(path.read_text().replace(", idle: 3", ""))
    assert load(path).recycle.command == ("restart", "{model}")
