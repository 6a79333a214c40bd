"""The configuration: every fault is named at once, as a sentence that says where."""

from math import inf, nan
from pathlib import Path
from typing import Any

import pytest

from synapse_arbiter.config import ConfigError, load, parse

GOOD: dict[str, Any] = {
    "models": [{"name": "a", "url": "http://a:8000/", "vram_gib": 24}],
    "gpu": {"vram_gib": 32},
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
    assert settings.gpu.vram_source == "nvml"
    assert settings.waits_s == {}
    assert settings.admin_token_file is None


def test_all_faults_are_named_at_once() -> None:
    assert faults_of(
        models=[
            model(name="A!", url="ftp://a", vram_gib="much", colour="red"),
            model(name="b", url="http://b/v1", concurrency=0, kind="painting"),
            model(name="b", vram_gib=40, concurrency=1.5),
        ],
        gpu={"vram_gib": 32, "vram_source": "guess", "vram_gb": 3},
        default_model="nobody",
        rules={"quantum_s": 5, "deadline_s": 9, "residency_s": 6},
        recycle={"how": "command", "pod": "vllm-0"},
        ports={"inference": "high"},
        apps=[{"name": "chat"}],
    ) == [
        "ports: inference must be a whole number, not 'high'",
        'model A!: name "A!" is not valid; write small letters, digits, dots and dashes, '
        "at most 63",
        'model A!: url "ftp://a" is not valid; '
        "write an address that ends after the port: http://host:8000",
        "model A!: vram_gib must be a number, not 'much'",
        'model A!: unknown key "colour"; it may have name, url, kind, vram_gib, concurrency, '
        "max_wait_s, sleep_s, wake_s, answer_s or boot_s",
        'model b: url "http://b/v1" is not valid; '
        "write an address that ends after the port: http://host:8000",
        'model b: kind "painting" is not one of chat, embedding or rerank',
        "model b: concurrency must be at least 1, not 0",
        "model b: concurrency must be a whole number, not 1.5",
        'app chat: the key "max_wait_s" is missing',
        'gpu: vram_source "guess" is not valid; write nvml, none or an http address',
        'gpu: unknown key "vram_gb"; did you mean "vram_gib"?',
        "rules: deadline_s must not exceed quantum_s (5): the wait bound rests on it",
        "rules: residency_s must not exceed quantum_s (5): the wait bound rests on it",
        'recycle: pod "vllm-0" is not valid; write {model} where its name goes',
        "model b: is listed 2 times; keep one",
        'default_model "nobody" is no model',
        "model b: needs 40 GiB, but the GPU has 32 GiB",
    ]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"models": 3}, "models must be a list, not 3"),
        ({"models": [7]}, "model number 1 must be a mapping, not 7"),
        ({"models": []}, "models is empty"),
        ({"models": [{"url": "http://a", "vram_gib": 9}]},
         'model number 1: the key "name" is missing'),
        ({"models": [model(name="a" * 64)]},
         f'model {"a" * 64}: name "{"a" * 64}" is not valid; '
         "write small letters, digits, dots and dashes, at most 63"),
        ({"models": [model(url="http://[a")]}, 'model a: url "http://[a" is not valid; '
         "write an address such as http://host:8000"),
        ({"models": [model(url="http://a:80000")]}, 'model a: url "http://a:80000" is not valid; '
         "write an address such as http://host:8000"),
        ({"models": [model(url="http://a?x=1")]}, 'model a: url "http://a?x=1" is not valid; '
         "write an address that ends after the port: http://host:8000"),
        ({"models": [model(vram_gib=0)]}, "model a: vram_gib must be greater than 0, not 0"),
        ({"models": [model(max_wait_s=-1)]}, "model a: max_wait_s must be at least 0, not -1"),
        ({"gpu": []}, "gpu must be a mapping, not []"),
        ({"gpu": {}}, 'gpu: the key "vram_gib" is missing'),
        ({"gpu": {"vram_gib": 32, "canary_every": 0}},
         "gpu: canary_every must be at least 1, not 0"),
        ({"host": 7}, "host must be a text, not 7"),
        ({"host": ""}, "host is empty"),
        ({"ports": {"boot": 0}}, "ports: boot must be at least 1, not 0"),
        ({"ports": {"boot": 65536}}, "ports: boot must be at most 65535, not 65536"),
        ({"ports": {"boot": inf}}, "ports: boot must be a whole number, not inf"),
        ({"ports": {"operator": 8080}},
         "ports: operator must not be 8080, which is the port of inference"),
        ({"ports": {"inference": 8082, "boot": 8080}},
         "ports: operator must not be 8082, which is the port of inference"),
        ({"ports": {"operators": 9}}, 'ports: unknown key "operators"; did you mean "operator"?'),
        ({"hosts": [""]}, "hosts: entry 1 is empty"),
        ({"limits": {"drain_s": inf}}, "limits: drain_s must be a finite number, not inf"),
        ({"limits": {"drain_s": nan}}, "limits: drain_s must be a finite number, not nan"),
        ({"limits": {"sleep_s": 0}}, "limits: sleep_s must be greater than 0, not 0"),
        ({"limits": {"watch_s": 0}}, "limits: watch_s must be at least 0.01, not 0"),
        ({"limits": {"queue": True}}, "limits: queue must be a whole number, not true"),
        ({"limits": {"drane_s": 1}}, 'limits: unknown key "drane_s"; did you mean "drain_s"?'),
        ({"rules": {"quantum": 20}}, 'rules: unknown key "quantum"; did you mean "quantum_s"?'),
        ({"rules": {"quantum_s": "20"}}, "rules: quantum_s must be a number, not '20'"),
        ({"rules": {"idle_ttl_s": -1}}, "rules: idle_ttl_s must be at least 0, not -1"),
        ({"recycle": {"how": "kommand"}}, 'recycle: how "kommand" is not one of none, command or '
         'kubernetes; did you mean "command"?'),
        ({"recycle": {"how": "command"}},
         "recycle: command is empty; name the program that restarts an engine"),
        ({"recycle": {"how": "command", "command": "restart it"}},
         "recycle: command must be a list, not 'restart it'"),
        ({"recycle": {"how": "kubernetes"}, "limits": {"recycle_s": 30}},
         "limits: recycle_s must be greater than 30, the time a pod has to end, not 30"),
        ({"default_model": "aa"}, 'default_model "aa" is no model; did you mean "a"?'),
        ({"apps": [{"name": "x", "max_wait_s": 1}, {"name": "x", "max_wait_s": 2}]},
         "app x: is listed 2 times; keep one"),
    ],
)  # fmt: skip
def test_what_would_fail_later_is_refused(changes: dict[str, Any], fault: str) -> None:
    assert faults_of(**changes) == [fault]


@pytest.mark.parametrize("junk", [None, 3, "text", [None], [[]], [{"name": ["x"]}], [{3: 4}]])
@pytest.mark.parametrize("key", ["ports", "models", "apps", "gpu", "rules", "limits", "recycle"])
def test_no_junk_stops_the_check(key: str, junk: Any) -> None:
    assert faults_of(**{key: junk})


def test_what_is_no_mapping_is_a_fault_too() -> None:
    with pytest.raises(ConfigError, match=r"the configuration must be a mapping, not \[\]"):
        parse([])


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
        "{models: [{name: a, url: 'http://a', vram_gib: 9}], gpu: {vram_gib: 32},"
        " recycle: {how: command, command: [restart, '{model}']}, idle: 3}"
    )
    with pytest.raises(ConfigError, match='unknown key "idle"'):
        load(path)
    path.write_text(path.read_text().replace(", idle: 3", ""))
    assert load(path).recycle.command == ("restart", "{model}")
