"""The gateway's configuration files and the parts of its objects that follow the catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

import litellm_config as config
import litellm_objects as objects

GOLDEN = Path(__file__).parents[3] / "tests/golden"


def model(name: str, engine: str, kind: str = "chat", **more: Any) -> dict[str, Any]:
    """Return a resolved catalogue entry."""
    empty: dict[str, Any] = {"fallbacks": [], "source": name, "base_url": None, "api_key": None}
    return {"name": name, "engine": engine, "kind": kind, **empty, **more}


CLOUD = {"source": "gpt-x", "base_url": "https://api.example.com/v1", "api_key": "my-cloud"}
MODELS = [
    model("big", "vllm", fallbacks=["small"]),
    model("small", "ollama", fallbacks=["cloud"]),
    model("cloud", "openai", **CLOUD),
    model("embed", "ollama", "embedding"),
    model("whisper", "speaches", "transcription", source="Systran/small", languages=["en", "de"]),
    model("piper", "piper", "speech", fallbacks=["outside-voice"]),
    model("outside-voice", "openai", "speech", **CLOUD),
]
UPSTREAMS = {
    "ollama": {"url": "http://ollama:11434", "pod_labels": {"app.kubernetes.io/name": "ollama"}},
    "vllm": {"url": "http://arbiter:8080", "pod_labels": {"app.kubernetes.io/name": "arbiter"}},
    "speaches": {"url": "http://speaches:8000", "pod_labels": {"app.kubernetes.io/name": "s"}},
    "piper": {"url": "http://piper:8000", "pod_labels": {"app.kubernetes.io/name": "p"}},
}
TIMEOUTS = {"timeout_s": 600.0, "stream_timeout_s": 300.0, "keepalive_s": 15.0}
APP = {"name": "agents", "models": ["chat"], "requests_per_minute": 5, "max_wait_s": None}


def test_every_kind_of_route_is_written_as_before() -> None:
    written = config.routes(MODELS, UPSTREAMS, TIMEOUTS)
    assert written == yaml.safe_load((GOLDEN / "litellm.yaml").read_text())


def test_the_edges_configuration_is_written_as_before() -> None:
    names = [{"name": "chat", "model": "big"}]
    written = config.gateway(MODELS, names, [APP], UPSTREAMS, {"port": 8000})
    assert written == yaml.safe_load((GOLDEN / "gateway.yaml").read_text())


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
    rules = objects.egress(MODELS, UPSTREAMS)
    roads = [(rule.get("to"), rule["ports"][0]["port"]) for rule in rules]
    pods = {e: [{"podSelector": {"matchLabels": UPSTREAMS[e]["pod_labels"]}}] for e in UPSTREAMS}
    inside = [("ollama", 11434), ("piper", 8000), ("speaches", 8000), ("vllm", 8080)]
    assert roads == [*((pods[engine], port) for engine, port in inside), (None, 443)]
    only_ollama = objects.egress([model("small", "ollama")], UPSTREAMS)
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
    code = config.code("synapse_gateway")
    assert {"__main__.py", "edge.py"} <= set(code)
    assert sum(map(len, code.values())) < 500_000, "a ConfigMap holds one MiB"
