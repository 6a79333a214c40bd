"""The gateway's configuration and the parts of its objects that follow the catalogue."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from synapse_deploy.kube.manifests import to_text
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
    model("big", "vllm", fallbacks=["small"], context=32768, capabilities=["vision", "tools"]),
    model("small", "ollama", fallbacks=["cloud"]),
    model("cloud", "openai", **CLOUD),
    model("claude", "litellm", source="anthropic/claude-x", api_key="anthropic"),
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
    "litellm": {"url": "http://litellm:4000", "pod_labels": {"app.kubernetes.io/name": "l"}},
}
SETTINGS = {"port": 8000, "inner_port": 8001, "metrics_port": 9090}
ANYBODY = {"ports": [{"protocol": "TCP", "port": 8000}]}
APP = {"name": "agents", "models": ["chat"], "requests_per_minute": 5, "max_wait_s": None}


def test_the_edges_configuration_is_written_as_before() -> None:
    names = [{"name": "chat", "model": "big"}]
    written = config.gateway(MODELS, names, [APP], ENGINES, {"port": 8000, "inner_port": 8001})
    if os.environ.get("SYNAPSE_GOLDEN") == "write":
        (GOLDEN / "config/gateway.yaml").write_text(to_text([written]))
    assert written == yaml.safe_load((GOLDEN / "config/gateway.yaml").read_text())


def reached(local: str) -> dict[str, tuple[str, str, str]]:
    """Where each model is reached, what it is called there, and which variable has the key."""
    written = config.gateway(MODELS, [], [], ENGINES, {}, local)["models"]
    return {m["name"]: (m["url"], m["served_name"], m.get("key_variable", "")) for m in written}


def test_a_provider_is_reached_through_litellm_unless_it_is_sound() -> None:
    found = reached("direct")
    assert found["claude"] == ("http://litellm:4000/v1", "claude", "LITELLM_KEY")
    assert found["cloud"] == ("http://litellm:4000/v1", "cloud", "LITELLM_KEY")
    assert found["big"] == ("http://arbiter:8080/v1", "big", "")
    key = "PROVIDER_KEY_MY_CLOUD"
    assert found["outside-voice"] == ("https://api.example.com/v1", "gpt-x", key)


def test_one_line_of_the_site_puts_the_gpus_models_behind_litellm_too() -> None:
    found = reached("litellm")
    behind = {name for name, (url, *_) in found.items() if "litellm" in url}
    assert behind == {"big", "cloud", "claude"}
    for name in ("small", "embed", "whisper"):  # those on Ollama LiteLLM reaches through us
        assert found[name] == reached("direct")[name]
    written = config.gateway(MODELS, [], [], ENGINES, {}, "litellm")["models"]
    assert written[0]["via_litellm"]
    assert written[0]["via_arbiter"], "who asks is told through LiteLLM"


def test_the_gateway_knows_litellm_for_what_an_engine_does_not_speak() -> None:
    translator = {"url": "http://litellm:4000/v1", "key_variable": "LITELLM_KEY"}
    assert config.gateway(MODELS, [], [], ENGINES, {})["translator"] == translator
    without = {name: where for name, where in ENGINES.items() if name != "litellm"}
    sound = [one for one in MODELS if one["kind"] in ("transcription", "speech")]
    assert "translator" not in config.gateway(sound, [], [], without, {})


def test_the_gateway_has_the_keys_that_it_needs_itself() -> None:
    variables = {item["name"]: item for item in config.environment(MODELS, "mine")}
    key = variables["PROVIDER_KEY_MY_CLOUD"]
    assert key["valueFrom"] == {"secretKeyRef": {"name": "mine", "key": "my-cloud"}}
    assert "PROVIDER_KEY_ANTHROPIC" not in variables
    assert variables["LITELLM_KEY"]["valueFrom"]["secretKeyRef"]["optional"]
    assert "valueFrom" not in variables["PYTHONPATH"]


def test_every_application_gets_a_key_of_its_own() -> None:
    master, apps = objects.secrets([APP, {"name": "jarvis-cortex"}])
    operators, people = master["keys"]
    assert operators["prefix"] == "sk-synapse-master-"
    assert people == {"name": "people-secret"}, "no key, and made up as the keys are"
    prefixes = {key["name"]: key["prefix"] for key in apps["keys"]}
    assert prefixes["jarvis-cortex"] == "sk-synapse-jarvis-cortex-"
    assert set(prefixes) == {"agents", "jarvis-cortex"}
    assert apps["exclusive"], "an application that is removed loses its key"


def test_only_roads_in_use_leave_the_gateway() -> None:
    mirror = [{"address": "192.168.1.20", "port": 443}]
    rules = objects.egress(MODELS, ENGINES, mirror, "llm-infra")
    roads = [(rule.get("to"), rule["ports"][0]["port"]) for rule in rules]
    pods = {e: [{"podSelector": {"matchLabels": ENGINES[e]["pod_labels"]}}] for e in ENGINES}
    inside = [
        ("litellm", 4000), ("ollama", 11434), ("piper", 8000), ("speaches", 8000), ("vllm", 8080),
    ]  # fmt: skip
    assert roads[:5] == [(pods[engine], port) for engine, port in inside]
    assert rules[5:] == downloads([443], mirror), "a voice by name, and the hosts of the house"
    text = [model("small", "ollama"), model("cloud", "openai", **CLOUD)]
    only_text = objects.egress(text, ENGINES, mirror, "llm-infra")
    assert [rule["ports"][0]["port"] for rule in only_text] == [4000, 11434]


def test_metrics_are_closed_until_somebody_is_named() -> None:
    assert objects.ingress([], SETTINGS, [], ENGINES) == [ANYBODY]
    peer = {"namespaceSelector": {"matchLabels": {"a": "b"}}}
    rule = objects.ingress([peer], SETTINGS, [], ENGINES)[1]
    assert (rule["from"], rule["ports"][0]["port"]) == ([peer], 9090)


def test_the_inner_port_is_litellms_alone_and_only_where_ollama_has_a_model() -> None:
    anybody, rule = objects.ingress([], SETTINGS, MODELS, ENGINES)
    assert anybody == ANYBODY
    assert rule["from"] == [{"podSelector": {"matchLabels": ENGINES["litellm"]["pod_labels"]}}]
    assert [port["port"] for port in rule["ports"]] == [8001]
    others = [one for one in MODELS if one["engine"] != "ollama"]
    assert objects.ingress([], SETTINGS, others, ENGINES) == [ANYBODY]


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
