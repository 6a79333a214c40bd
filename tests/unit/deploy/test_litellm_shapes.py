"""LiteLLM's configuration and the parts of its objects that follow the catalogue."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from synapse_common.engines import GATEWAY_PODS, OLLAMA, VLLM
from synapse_deploy.catalogue.resolve import addresses, addresses_for_litellm
from synapse_deploy.kube.manifests import to_text
from synapse_deploy.render import litellm as objects
from synapse_deploy.render import litellm_config as config
from synapse_deploy.render.network import downloads

GOLDEN = Path(__file__).parents[3] / "tests/golden"


def model(name: str, engine: str, kind: str = "chat", **more: Any) -> dict[str, Any]:
    """Return a resolved catalogue entry."""
    empty: dict[str, Any] = {"fallbacks": [], "source": name, "base_url": None, "api_key": None}
    return {"name": name, "engine": engine, "kind": kind, **empty, **more}


CLOUD = {"source": "gpt-x", "base_url": "https://api.example.com/v1", "api_key": "my-cloud"}
AZURE = {"api_version": "2026-06-01", "azure_ad_token": {"secret": "azure-token"}}
MODELS = [
    model("big", "vllm", fallbacks=["small"]),
    model("small", "ollama", fallbacks=["cloud"]),
    model("cloud", "openai", **CLOUD),
    model("claude", "litellm", source="anthropic/claude-x", api_key="anthropic"),
    model("azure", "litellm", source="azure/x", base_url="http://192.0.2.7", parameters=AZURE),
    model("embed", "ollama", "embedding"),
    model("order", "vllm", "rerank", fallbacks=["order-cloud"]),
    model("order-cloud", "openai", "rerank", **CLOUD),
    model("whisper", "speaches", "transcription", source="Systran/small"),
    model("outside-voice", "openai", "speech", **CLOUD | {"api_key": "voice"}),
]
NAMES = [{"name": "chat", "model": "big"}, {"name": "whisper-1", "model": "whisper"}]
ENGINES = addresses_for_litellm(MODELS)
TIMEOUTS = {"timeout_s": 600.0, "stream_timeout_s": 300.0, "connect_timeout_s": 2.0}


def test_every_kind_of_route_is_written_as_before() -> None:
    written = config.config(MODELS, NAMES, ENGINES, TIMEOUTS)
    if os.environ.get("SYNAPSE_GOLDEN") == "write":
        (GOLDEN / "config/litellm.yaml").write_text(to_text([written]))
    assert written == yaml.safe_load((GOLDEN / "config/litellm.yaml").read_text())


def parameters(name: str) -> dict[str, Any]:
    """What LiteLLM is told of a model's route."""
    listed = config.config(MODELS, NAMES, ENGINES, TIMEOUTS)["model_list"]
    (found,) = [one["litellm_params"] for one in listed if one["model_name"] == name]
    return dict(found)


def test_a_provider_of_litellms_is_named_as_it_names_it() -> None:
    assert parameters("claude")["model"] == "anthropic/claude-x"
    assert "api_base" not in parameters("claude")
    azure = parameters("azure")
    assert azure["api_base"] == "http://192.0.2.7"
    assert azure["api_version"] == "2026-06-01"
    assert azure["azure_ad_token"] == "os.environ/PROVIDER_KEY_AZURE_TOKEN"
    assert "api_key" not in azure


def test_a_model_on_ollama_is_reached_through_the_gateway_with_the_key_of_both() -> None:
    for name in ("small", "embed"):
        assert parameters(name)["api_base"] == "http://gateway-inner:8001/v1"
        assert parameters(name)["api_key"] == "os.environ/LITELLM_MASTER_KEY"
    assert parameters("small")["use_chat_completions_api"], "the inner port has no responses"
    assert parameters("big")["api_base"] == "http://arbiter:8080/v1"
    assert addresses(MODELS)["ollama"]["url"] == OLLAMA.url, "the gateway itself asks Ollama"


def test_a_further_name_has_the_fallbacks_of_its_model() -> None:
    settings = config.config(MODELS, NAMES, ENGINES, TIMEOUTS)["router_settings"]
    assert settings["model_group_alias"] == {"chat": "big"}
    assert {"chat": ["small"]} in settings["fallbacks"]
    chains = {k: v for item in settings["context_window_fallbacks"] for k, v in item.items()}
    assert chains["chat"] == chains["big"]
    assert settings["max_fallbacks"] >= len(settings["model_group_alias"])


def test_litellm_has_the_keys_of_all_providers_but_those_of_sound() -> None:
    variables = {item["name"]: item for item in objects.environment(MODELS, "mine", 60)}
    keys = {name for name in variables if name.startswith("PROVIDER_KEY_")}
    assert keys == {f"PROVIDER_KEY_{one}" for one in ("MY_CLOUD", "ANTHROPIC", "AZURE_TOKEN")}
    (secret,) = objects.secrets(MODELS)
    own = variables["LITELLM_MASTER_KEY"]["valueFrom"]["secretKeyRef"]
    assert own == {"name": secret["name"], "key": secret["keys"][0]["name"]}


def test_without_a_model_that_it_can_reach_there_is_no_litellm() -> None:
    sound = [one for one in MODELS if one["kind"] in ("transcription", "speech")]
    assert objects.texts(sound) == objects.secrets(sound) == []


def test_litellm_goes_to_the_arbiter_the_gateway_and_the_providers() -> None:
    mirror = [{"address": "192.168.1.20", "port": 443}]
    rules = objects.egress(MODELS, ENGINES, mirror, "llm-infra")
    inside = [
        (rule["to"][0]["podSelector"]["matchLabels"], rule["ports"][0]["port"])
        for rule in rules[:2]
    ]
    assert inside == [(GATEWAY_PODS, 8001), (VLLM.pod_labels, 8080)]
    assert rules[2]["to"] == [{"ipBlock": {"cidr": "192.0.2.7/32"}}]
    assert rules[3:] == downloads([443], mirror)
    known_by_litellm = [model("claude", "litellm", source="anthropic/claude-x")]
    assert objects.egress(known_by_litellm, ENGINES, [], "llm-infra") == downloads([443], [])
    assert len(objects.egress(MODELS[:2], ENGINES, mirror, "llm-infra")) == 2


def test_only_who_is_named_comes_in() -> None:
    (rule,) = objects.ingress([{"app.kubernetes.io/name": "gateway"}])
    labels = {"matchLabels": {"app.kubernetes.io/name": "gateway"}}
    assert rule["from"] == [{"podSelector": labels}]
    assert [port["port"] for port in rule["ports"]] == [4000]
    assert objects.ingress([]) == []


@pytest.mark.parametrize(
    ("context", "fallbacks", "expected"),
    [
        (8, {"a": ("ollama", 4), "b": ("ollama", 8), "c": ("ollama", 9)}, ["c"]),
        (8, {"a": ("ollama", None), "b": ("vllm", None), "c": ("openai", None)}, ["a", "b", "c"]),
        (None, {"a": ("ollama", 99), "b": ("vllm", 99), "c": ("openai", 1)}, ["a", "b", "c"]),
        (8, {"a": ("vllm", 4), "b": ("openai", 8)}, []),
    ],
    ids=["known", "unknown", "all-we-know-is-theirs", "smaller-ones-that-would-say-so"],
)
def test_what_is_too_long_goes_where_there_may_be_room(
    context: int | None, fallbacks: dict[str, tuple[str, int | None]], expected: list[str]
) -> None:
    first = model("first", "vllm", context=context, fallbacks=list(fallbacks))
    others = [
        model(name, engine, context=room, leaves=False)
        for name, (engine, room) in fallbacks.items()
    ]
    chains = _chains([first, *others])
    assert chains == {"first": expected} | {name: [] for name in fallbacks}


def test_the_chain_for_what_is_too_long_is_complete_and_goes_no_further() -> None:
    models = [
        model("first", "vllm", context=8, fallbacks=["small", "last"]),
        model("small", "ollama", context=4, fallbacks=["large"]),
        model("large", "ollama", context=16, fallbacks=["last"]),
        model("last", "ollama", context=32),
    ]
    assert _chains(models)["first"] == ["large", "last"]
    assert _chains(models)["small"] == ["large", "last"]


def test_no_chain_leads_from_the_house_to_a_model_outside() -> None:
    models = [
        model("big", "vllm", fallbacks=["small", "cloud"]),
        model("small", "ollama", fallbacks=["cloud"]),
        model("cloud", "openai", fallbacks=["other", "small"], **CLOUD),
        model("other", "openai", **CLOUD),
    ]
    settings = config.config(models, [{"name": "chat", "model": "big"}], ENGINES, TIMEOUTS)
    told = [
        {name: [one["model"] if isinstance(one, dict) else one for one in chain]}
        for section in ("fallbacks", "context_window_fallbacks")
        for chains in settings["router_settings"][section]
        for name, chain in chains.items()
        if chain
    ]
    inside, outside = {"big": ["small"]}, {"cloud": ["other", "small"]}
    assert told == [inside, outside, {"chat": ["small"]}] * 2


def _chains(models: list[dict[str, Any]]) -> dict[str, list[str]]:
    written = config.config(models, [], ENGINES, TIMEOUTS)["router_settings"]
    chains = {k: v for item in written["context_window_fallbacks"] for k, v in item.items()}
    assert all(target["disable_fallbacks"] for chain in chains.values() for target in chain)
    return {name: [target["model"] for target in chain] for name, chain in chains.items()}
