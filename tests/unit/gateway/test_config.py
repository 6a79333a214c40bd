"""The gateway's own configuration: permissions, and faults told all at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from synapse_common.secrets import MASTER_ENTRY
from synapse_gateway.config import ConfigError, build, load

PLACE = {"url": "http://engine:8000/v1", "served_name": "served"}
MODELS = [
    {"name": name, "kind": "chat", "engine": engine, **PLACE, **more}
    for name, engine, more in (
        ("gpu", "vllm", {"fallbacks": ["cpu"], "via_arbiter": True}),
        ("cpu", "ollama", {"fallbacks": ["cloud"]}),
        ("cloud", "openai", {}),
        ("other", "openai", {}),
    )
]


def raw(**changes: Any) -> dict[str, Any]:
    """Return a good configuration with some changes."""
    apps = [{"name": "app", "models": ["chat"]}]
    good = {"models": MODELS, "aliases": [{"name": "chat", "model": "gpu"}], "apps": apps}
    return good | changes


@pytest.mark.parametrize(
    ("models", "expected"),
    [
        (["chat"], {"chat", "gpu", "cpu", "cloud"}),
        (["gpu"], {"gpu", "cpu", "cloud"}),
        (["cloud"], {"cloud"}),
        (["*"], {"chat", "gpu", "cpu", "cloud", "other"}),
        ([], set()),
    ],
    ids=["alias", "chain", "alone", "everything", "nothing"],
)
def test_permission_includes_alias_target_and_fallbacks(
    models: list[str], expected: set[str]
) -> None:
    config = build(raw(apps=[{"name": "app", "models": models}]))
    assert config.permitted["app"] == expected


FIXED = {"name": "strict", "model": "gpu", "fixed": {"temperature": 0}}
LOOSE = {"name": "loose", "model": "gpu", "parameters": {"temperature": 0}}


@pytest.mark.parametrize(
    ("models", "expected"),
    [
        (["strict"], {"strict"}),
        (["loose"], {"loose", "gpu", "cpu", "cloud"}),
        (["strict", "loose"], {"strict", "loose", "gpu", "cpu", "cloud"}),
        (["strict", "cpu"], {"strict", "cpu", "cloud"}),
        (["strict", "front"], {"strict", "front", "side"}),
        (["strict", "door"], {"strict", "door", "front", "side"}),
        (["strict", "front", "gpu"], {"strict", "front", "side", "gpu", "cpu", "cloud"}),
        (
            ["strict", "front", "loose"],
            {"strict", "front", "side", "loose", "gpu", "cpu", "cloud"},
        ),
        (["front"], {"front", "side", "gpu", "cpu", "cloud"}),
        (["*"], {"strict", "loose", "door", "front", "side", "gpu", "cpu", "cloud", "other"}),
    ],
    ids=[
        "fixed", "default", "both", "fixed-and-a-fallback",
        "its-model-falls-back", "also-behind-an-alias", "and-is-named", "and-has-another-alias",
        "nothing-fixed-is-asked", "everything",
    ],
)  # fmt: skip
def test_permission_for_a_name_that_fixes_something_ends_there(
    models: list[str], expected: set[str]
) -> None:
    front, side = (
        {"name": name, "kind": "chat", "engine": "ollama", "fallbacks": fallbacks, **PLACE}
        for name, fallbacks in (("front", ["gpu", "side"]), ("side", []))
    )
    aliases = [FIXED, LOOSE, {"name": "door", "model": "front"}]
    apps = [{"name": "app", "models": models}]
    config = build(raw(models=[*MODELS, front, side], aliases=aliases, apps=apps))
    assert config.permitted["app"] == expected
    chain = config.chain(config.models["front"], config.apps["app"])
    assert [model.name for model in chain] == ["front", "gpu", "cpu", "cloud", "side"]
    asked = config.resolve("strict")
    assert asked is not None
    assert [model.name for model in config.chain(asked, config.apps["app"])] == [
        "gpu",
        "cpu",
        "cloud",
    ]


def test_a_preset_that_its_model_cannot_follow_is_refused() -> None:
    limits = {"capabilities": ["tools"], "context": 4096}
    models = [{**MODELS[0], **limits}, *MODELS[1:]]
    asks = {
        "parameters": {"thinking": True, "temperature": 3},
        "fixed": {"max_output_tokens": 4096},
    }
    assert faults_of(models=models, aliases=[{"name": "chat", "model": "gpu", **asks}]) == [
        "alias chat: parameters: temperature must be at most 2, not 3",
        'alias chat: parameters: thinking needs a model that reasons; by its entry "gpu" does not',
        'alias chat: fixed: max_output_tokens must be less than the context of "gpu", 4096, '
        "not 4096",
    ]


@pytest.mark.parametrize(
    ("models", "lists", "expected"),
    [
        (["chat"], [], {"chat"}),
        (["chat", "other"], ["chat"], {"chat"}),
        (["chat"], ["gpu"], {"gpu"}),
        (["chat"], ["*"], {"chat", "gpu", "cpu", "cloud"}),
        (["*"], [], {"chat", "gpu", "cpu", "cloud", "other"}),
        (["*"], ["other"], {"other"}),
        (["chat"], ["other"], set()),
    ],
)
def test_a_list_shows_what_is_named_and_nothing_that_may_not_be_used(
    models: list[str], lists: list[str], expected: set[str]
) -> None:
    config = build(raw(apps=[{"name": "app", "models": models, "lists": lists}]))
    assert config.listed["app"] == expected
    assert config.listed[MASTER_ENTRY] == config.permitted[MASTER_ENTRY]


def test_a_chain_goes_on_to_its_end_and_names_nobody_twice() -> None:
    models = [
        {"name": name, "kind": "chat", "engine": "ollama", "fallbacks": fallbacks, **PLACE}
        for name, fallbacks in {"a": ["b", "c"], "b": ["d", "c"], "c": [], "d": ["b"]}.items()
    ]
    config = build(raw(models=models, aliases=[], apps=[]))
    assert [model.name for model in config.chain(config.models["a"], None)] == ["a", "b", "d", "c"]


def test_the_operator_may_ask_for_everything() -> None:
    assert build(raw()).permitted[MASTER_ENTRY] == {"chat", "gpu", "cpu", "cloud", "other"}


def faults_of(**changes: Any) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        build(raw(**changes))
    return refused.value.faults


def test_every_fault_is_told_at_once() -> None:
    assert faults_of(
        settings={"prot": 1, "transcription_concurrency": -3},
        models=[
            *MODELS,
            {
                "name": "lost",
                "kind": "chat",
                "engine": "ollama",
                "fallbacks": ["gone", "clod"],
                **PLACE,
            },
            {"name": "placeless", "kind": "chat", "engine": "vllm"},
            {"kind": "chat", "engine": "vllm", **PLACE},
            {"name": "gpu", "kind": "chat", "engine": "vllm", **PLACE},
        ],
        aliases=[{"name": "chat", "model": "nobody"}, {"name": "cpu", "model": "gpu"}],
        apps=[{"name": MASTER_ENTRY, "models": ["nothing"]}],
    ) == [
        "settings: transcription_concurrency must be at least 1, not -3",
        'settings: unknown key "prot"; did you mean "port"?',
        'model placeless: the key "url" is missing',
        'model placeless: the key "served_name" is missing',
        'model number 7: the key "name" is missing',
        f'app {MASTER_ENTRY}: name "{MASTER_ENTRY}" is kept for the operator\'s key; '
        "choose another",
        "model gpu: is listed 2 times; keep one",
        'model lost: fallbacks: "gone" is no model',
        'model lost: fallbacks: "clod" is no model; did you mean "cloud"?',
        'alias chat: model "nobody" is no model',
        f'app {MASTER_ENTRY}: models: "nothing" is neither a model nor an alias',
        "alias cpu: a model has the same name; rename one of them",
    ]


KINDS = "chat, embedding, rerank, transcription or speech"
EARS = {
    "name": "ears", "kind": "transcription", "engine": "speaches", "url": "http://ears:8000/v1",
    "served_name": "Systran/small",
}  # fmt: skip


@pytest.mark.parametrize(
    ("key", "value", "fault"),
    [
        ("port", "eighty", "must be a whole number, not 'eighty'"),
        ("port", 0, "must be at least 1, not 0"),
        ("port", 65536, "must be at most 65535, not 65536"),
        ("port", 8000.0, "must be a whole number, not 8000.0"),
        ("metrics_port", 8000, "must be another than port, not 8000"),
        ("inner_port", 9090, "must be a port of its own, not 9090"),
        ("app_requests_at_once", 513, "must not exceed requests_at_once (512), not 513"),
        ("requests_at_once", 1025, "must not exceed connections (1024), not 1025"),
        ("json_text_mib", 11, "must be at most 10, not 11"),
        ("health_misses", 0, "must be at least 1, not 0"),
        ("health_beat_s", 0, "must be greater than 0, not 0"),
        ("json_body_mib", 0, "must be at least 1, not 0"),
        ("audio_body_mib", True, "must be a whole number, not true"),
        ("uploads_at_once", 0, "must be at least 1, not 0"),
        ("transcription_concurrency", -3, "must be at least 1, not -3"),
        ("transcription_concurrency", None, "must be a whole number, not nothing (null)"),
        ("transcription_wait_s", 0, "must be greater than 0, not 0"),
        ("audio_silence_s", float("inf"), "must be a finite number, not inf"),
        ("body_timeout_s", float("nan"), "must be a finite number, not nan"),
        ("connect_timeout_s", -1.5, "must be greater than 0, not -1.5"),
        ("connect_timeout_s", 2000, "must not exceed total_timeout_s (1800), not 2000"),
        ("total_timeout_s", "30m", "must be a number, not '30m'"),
        ("drain_timeout_s", [30], "must be a number, not [30]"),
        ("log_prompts", "no", "must be yes or no (true or false), not 'no'"),
        ("log_prompts", 1, "must be yes or no (true or false), not 1"),
    ],
)
def test_a_setting_that_would_fail_later_is_refused(key: str, value: Any, fault: str) -> None:
    assert faults_of(settings={key: value}) == [f"settings: {key} {fault}"]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"kind": "caht"}, f'kind "caht" is not one of {KINDS}; did you mean "chat"?'),
        ({"kind": ["chat"]}, f"kind must be one of {KINDS}, not ['chat']"),
        ({"engine": "vlm"}, 'engine "vlm" is not one of vllm, ollama, speaches, piper, openai or '
         'litellm; did you mean "vllm"?'),
        ({"via_arbiter": "yes"}, "via_arbiter must be yes or no (true or false), not 'yes'"),
        ({"url": "ears:8000"},
         'url "ears:8000" is not valid; write an address such as http://host:8000'),
        ({"url": "http://ears:80000/v1"},
         'url "http://ears:80000/v1" is not valid; write an address such as http://host:8000'),
        ({"url": ""}, 'url "" is not valid; write an address such as http://host:8000'),
        ({"served_name": ""}, "served_name is empty"),
        ({"context": 0}, "context must be at least 1, not 0"),
        ({"capabilities": ["eyes"]},
         'capabilities: "eyes" is not one of vision, tools, reasoning or json'),
        ({"url": 7}, "url must be a text, not 7"),
        ({"key_variable": "a key"},
         'key_variable "a key" is not valid; write capitals, such as KEY'),
        ({"languages": ["english"]}, 'languages: "english" is not valid; write a code such as en'),
        ({"languages": "en"}, "languages must be a list, not 'en'"),
        ({"voices": [""]}, "voices: entry 1 is empty"),
        ({"voice": ["a"]}, 'unknown key "voice"; did you mean "voices"?'),
        ({"fallbacks": ["cpu"]}, 'fallbacks: "cpu" is of kind chat, not transcription'),
    ],
)  # fmt: skip
def test_a_model_that_nobody_could_ask_is_refused(changes: dict[str, Any], fault: str) -> None:
    assert faults_of(models=[*MODELS, EARS | changes]) == [f"model ears: {fault}"]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"request_per_minute": 5},
         'unknown key "request_per_minute"; did you mean "requests_per_minute"?'),
        ({"requests_per_minute": "many"}, "requests_per_minute must be a whole number, not 'many'"),
        ({"tokens_per_minute": 0}, "tokens_per_minute must be at least 1, not 0"),
        ({"parallel_requests": 1.5}, "parallel_requests must be a whole number, not 1.5"),
        ({"priority": "hi"}, 'priority "hi" is not one of interactive or batch'),
        ({"max_wait_s": 0}, "max_wait_s must be greater than 0, not 0"),
        ({"models": "*"}, "models must be a list, not '*'"),
        ({"models": ["chta"]},
         'models: "chta" is neither a model nor an alias; did you mean "chat"?'),
    ],
)  # fmt: skip
def test_an_app_with_a_limit_that_is_none_is_refused(changes: dict[str, Any], fault: str) -> None:
    assert faults_of(apps=[{"name": "app", "models": ["chat"]} | changes]) == [f"app app: {fault}"]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"models": []}, "models is empty"),
        ({"models": None}, "models must be a list, not nothing (null)"),
        ({"modls": []}, 'unknown key "modls"; did you mean "models"?'),
        ({"aliases": [{"name": "x"}]}, 'alias x: the key "model" is missing'),
        ({"aliases": [{"name": "x", "model": "gpu"}] * 2}, "alias x: is listed 2 times; keep one"),
        ({"apps": ["app"]}, "app number 1 must be a mapping, not 'app'"),
        ({"settings": [1]}, "settings must be a mapping, not [1]"),
    ],
)
def test_what_has_the_wrong_shape_is_refused(changes: dict[str, Any], fault: str) -> None:
    assert fault in faults_of(**changes)


@pytest.mark.parametrize("junk", [None, 3, "text", [None], [[]], [{}], [{"name": ["x"]}], [{3: 4}]])
@pytest.mark.parametrize("key", ["models", "aliases", "apps", "settings"])
def test_no_junk_stops_the_check(key: str, junk: Any) -> None:
    assert faults_of(**{key: junk})


def test_a_file_that_is_no_yaml_is_named(tmp_path: Path) -> None:
    file = tmp_path / "gateway.yaml"
    file.write_text("models: [")
    with pytest.raises(ConfigError, match=r"gateway\.yaml: is not valid YAML"):
        load(file)
    file.write_text("")
    with pytest.raises(ConfigError, match="the configuration must be a mapping, not nothing"):
        load(file)


def test_litellm_serves_every_model_by_its_public_name() -> None:
    assert build(raw()).translated(build(raw()).models["gpu"]) is None, "there is none"
    translator = {"url": "http://litellm:4000/v1", "key_variable": "LITELLM_KEY"}
    config = build(raw(translator=translator))
    there = config.translated(config.models["gpu"])
    assert there is not None
    assert (there.url, there.key_variable) == tuple(translator.values())
    assert (there.name, there.served_name, there.engine) == ("gpu", "gpu", "vllm")
    assert (there.via_litellm, there.via_arbiter) == (True, False)
    assert config.models["gpu"].url == PLACE["url"], "its own place is still known"
