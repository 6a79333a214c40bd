"""The gateway's configuration files and the parts of its objects that follow the catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from synapse_deploy.render import code as pods_code
from synapse_deploy.render import gateway as objects
from synapse_deploy.render import gateway_config as config
from synapse_deploy.render.network import downloads

GOLDEN = Path(__file__).parents[3] / "tests/golden"


def model(name: str, engine: str, kind: str = "chat", **more: Any) -> dict[str, Any]:
    """Return a resolved catalogue entry."""
    empty: dict[str, Any] = {"fallbacks": [], "source": name, "base_url": None, "api_key": None}
    return {"name": name, "engine": engine, "kind": kind, **empty, **more}


CLOUD = {"source": "gpt-x", "base_url": "https://api.example.com/v1", "api_key": "my-cloud"}
VOICES = {"source": "en_US-a-low", "voices": {"alloy": "en_US-a-low", "nova": "de_DE-b-low#3"}}
MODELS = [
    model("big", "vllm", fallbacks=["small"]),
    model("small", "ollama", fallbacks=["cloud"]),
    model("cloud", "openai", **CLOUD),
    model("embed", "ollama", "embedding"),
    model("whisper", "speaches", "transcription", source="Systran/small", languages=["en", "de"]),
    model("piper", "piper", "speech", fallbacks=["outside-voice"], **VOICES),
    model("outside-voice", "openai", "speech", **CLOUD),
]
ENGINES = {
    "ollama": {"url": "http://ollama:11434", "pod_labels": {"app.kubernetes.io/name": "ollama"}},
    "vllm": {"url": "http://arbiter:8080", "pod_labels": {"app.kubernetes.io/name": "arbiter"}},
    "speaches": {"url": "http://speaches:8000", "pod_labels": {"app.kubernetes.io/name": "s"}},
    "piper": {"url": "http://piper:8000", "pod_labels": {"app.kubernetes.io/name": "p"}},
}
TIMEOUTS = {"timeout_s": 600.0, "stream_timeout_s": 300.0, "keepalive_s": 15.0}
APP = {"name": "agents", "models": ["chat"], "requests_per_minute": 5, "max_wait_s": None}


def test_every_kind_of_route_is_written_as_before() -> None:
    written = config.routes(MODELS, ENGINES, TIMEOUTS)
    assert written == yaml.safe_load((GOLDEN / "config/litellm.yaml").read_text())


@pytest.mark.parametrize(
    ("context", "fallbacks", "expected"),
    [
        (8, {"a": ("ollama", 4), "b": ("ollama", 8), "c": ("ollama", 9)}, ["c"]),
        (8, {"a": ("ollama", None), "b": ("vllm", None), "c": ("openai", None)}, ["b", "c"]),
        (None, {"a": ("ollama", 99), "b": ("vllm", 99), "c": ("openai", 1)}, ["b", "c"]),
        (8, {"a": ("vllm", 4), "b": ("openai", 8)}, []),
    ],
    ids=["known", "unknown", "all-we-know-is-theirs", "smaller-ones-that-would-say-so"],
)
def test_what_is_too_long_goes_where_it_is_not_cut_without_a_word(
    context: int | None, fallbacks: dict[str, tuple[str, int | None]], expected: list[str]
) -> None:
    first = model("first", "vllm", context=context, fallbacks=list(fallbacks))
    others = [model(name, engine, context=room) for name, (engine, room) in fallbacks.items()]
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


def _chains(models: list[dict[str, Any]]) -> dict[str, list[str]]:
    written = config.routes(models, ENGINES, TIMEOUTS)["router_settings"]
    chains = {k: v for item in written["context_window_fallbacks"] for k, v in item.items()}
    assert all(target["disable_fallbacks"] for chain in chains.values() for target in chain)
    return {name: [target["model"] for target in chain] for name, chain in chains.items()}


def test_the_edges_configuration_is_written_as_before() -> None:
    names = [{"name": "chat", "model": "big"}]
    written = config.gateway(MODELS, names, [APP], ENGINES, {"port": 8000})
    assert written == yaml.safe_load((GOLDEN / "config/gateway.yaml").read_text())


def test_provider_keys_come_from_the_environment() -> None:
    variables = {item["name"]: item for item in config.environment(MODELS, "mine")}
    key = variables["PROVIDER_KEY_MY_CLOUD"]
    assert key["valueFrom"] == {"secretKeyRef": {"name": "mine", "key": "my-cloud"}}
    assert "valueFrom" not in variables["PYTHONPATH"]


def test_every_application_gets_a_key_of_its_own() -> None:
    master, apps = objects.secrets([APP, {"name": "jarvis-cortex"}])
    assert [key["prefix"] for key in master["keys"]] == ["sk-synapse-master-"]
    prefixes = {key["name"]: key["prefix"] for key in apps["keys"]}
    assert prefixes["jarvis-cortex"] == "sk-synapse-jarvis-cortex-"
    assert set(prefixes) == {"agents", "jarvis-cortex"}
    assert apps["exclusive"], "an application that is removed loses its key"


def test_only_roads_in_use_leave_the_gateway() -> None:
    mirror = [{"address": "192.168.1.20", "port": 443}]
    rules = objects.egress(MODELS, ENGINES, mirror, "llm-infra")
    roads = [(rule.get("to"), rule["ports"][0]["port"]) for rule in rules]
    pods = {e: [{"podSelector": {"matchLabels": ENGINES[e]["pod_labels"]}}] for e in ENGINES}
    inside = [("ollama", 11434), ("piper", 8000), ("speaches", 8000), ("vllm", 8080)]
    assert roads[:4] == [(pods[engine], port) for engine, port in inside]
    assert rules[4:] == downloads([443], mirror), "a provider by name, and the hosts of the house"
    only_ollama = objects.egress([model("small", "ollama")], ENGINES, mirror, "llm-infra")
    assert [rule["ports"][0]["port"] for rule in only_ollama] == [11434]


def test_metrics_are_closed_until_somebody_is_named() -> None:
    settings = {"port": 8000, "metrics_port": 9090}
    assert objects.ingress([], settings) == [{"ports": [{"protocol": "TCP", "port": 8000}]}]
    peer = {"namespaceSelector": {"matchLabels": {"a": "b"}}}
    rule = objects.ingress([peer], settings)[1]
    assert (rule["from"], rule["ports"][0]["port"]) == ([peer], 9090)


@pytest.mark.parametrize(
    ("service_type", "node_port", "expected"),
    [("NodePort", 30800, 30800), ("NodePort", None, None), ("LoadBalancer", 30800, None)],
)
def test_only_a_node_port_service_names_one(
    service_type: str, node_port: int | None, expected: int | None
) -> None:
    (port,) = objects.ports(8000, service_type, node_port)
    assert port.get("nodePort") == expected


def test_the_code_holds_the_whole_package() -> None:
    code = pods_code.code("synapse_gateway")
    assert {"__main__.py", "edge.py"} <= set(code)
    assert sum(map(len, code.values())) < 500_000, "a ConfigMap holds one MiB"
