"""What the bridge of Home Assistant is told, and who may reach whom."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from synapse_common.engines import GATEWAY_PORT
from synapse_deploy.catalogue.check import problems
from synapse_deploy.catalogue.resolve import resolve
from synapse_deploy.catalogue.wyoming_rules import bridge_apps
from synapse_deploy.render.wyoming import (
    egress,
    environment,
    ingress,
    pod,
    service_ports,
)

ROOT = Path(__file__).parents[3]
URL = "http://gateway:8123"
HEAR: dict[str, Any] = {"name": "hear", "engine": "speaches", "source": "owner/whisper"}
HEAR_ENGLISH = {**HEAR, "name": "english", "source": "owner/whisper.en"}
VOICE: dict[str, Any] = {
    "name": "voice",
    "engine": "piper",
    "source": "de_DE-thorsten-medium",
    "voices": {"alloy": "en_US-lessac-medium", "karl": "de_DE-karlsson-low#1"},
}
PLAIN: dict[str, Any] = {"name": "plain", "engine": "piper", "source": "fr_FR-siwis-low"}
CHAT: dict[str, Any] = {"name": "chat", "engine": "ollama", "source": "qwen3:4b"}


def told(*written: dict[str, Any]) -> dict[str, Any]:
    """The variables, those with a key by what they refer to."""
    variables = environment(resolve(list(written), []), URL)
    return {one["name"]: one.get("value") or one["valueFrom"] for one in variables}


def test_models_voices_and_the_gateway_are_named() -> None:
    found = told(HEAR, HEAR_ENGLISH, VOICE, PLAIN)
    assert found["STT_MODELS"] == "hear english"
    # One voice model: the bridge would offer every voice with every model.
    assert (found["TTS_STREAMING_MODELS"], found["TTS_VOICES"]) == ("voice", "alloy karl")
    assert found["STT_OPENAI_URL"] == found["TTS_OPENAI_URL"] == f"{URL}/v1"


def test_a_voice_without_a_name_is_offered_as_what_it_is() -> None:
    assert told(PLAIN)["TTS_VOICES"] == "fr_FR-siwis-low"


@pytest.mark.parametrize(
    ("written", "languages"),
    [
        ((HEAR, VOICE), "en de"),
        ((HEAR_ENGLISH, VOICE), "en"),
        ((VOICE,), "en de"),
        ((HEAR_ENGLISH,), "en"),
        ((HEAR_ENGLISH, PLAIN), "fr"),
    ],
)
def test_languages_are_those_of_both_ways(
    written: tuple[dict[str, Any], ...], languages: str
) -> None:
    assert told(*written)["WYOMING_LANGUAGES"] == languages


def test_the_key_is_referred_to_and_never_written() -> None:
    reference = {"secretKeyRef": {"name": "gateway-app-keys", "key": "home-assistant"}}
    found = told(HEAR, VOICE)
    assert found["STT_OPENAI_KEY"] == found["TTS_OPENAI_KEY"] == reference
    container = pod(resolve([HEAR, VOICE], []), "bridge:1", URL, {})
    assert not {"command", "args"} & container.keys()


def test_what_the_site_lacks_is_not_offered() -> None:
    assert not any(name.startswith("TTS") for name in told(HEAR))
    assert not any(name.startswith("STT") for name in told(VOICE))


def test_the_application_may_use_the_sites_speech_alone() -> None:
    models = resolve([CHAT, HEAR, VOICE], [])
    assert bridge_apps(models, wanted=True) == [
        {"name": "home-assistant", "models": ["hear", "voice"]}
    ]
    assert bridge_apps(models, wanted=False) == []


def test_an_application_of_that_name_is_allowed_without_the_bridge() -> None:
    site = {"synapse_models": [HEAR], "synapse_aliases": []}
    site["synapse_apps"] = [{"name": "home-assistant", "models": ["hear"]}]
    defaults = yaml.safe_load((ROOT / "group_vars/all/defaults.yml").read_text())
    assert problems({**defaults, **site, "speech_wyoming": False}) == []


def test_whoever_is_named_comes_in_and_the_gateway_is_all_that_is_reached() -> None:
    peer = {"ipBlock": {"cidr": "192.0.2.10/32"}}
    port = {"protocol": "TCP", "port": 10300}
    assert ingress([peer]) == [{"from": [peer], "ports": [port]}]
    assert ingress([]) == [{"ports": [port]}]
    labels = {"app.kubernetes.io/name": "gateway"}
    (rule,) = egress(labels)
    assert rule["to"] == [{"podSelector": {"matchLabels": labels}}]
    settings = yaml.safe_load((ROOT / "roles/gateway/vars/main.yml").read_text())
    assert rule["ports"] == [{"protocol": "TCP", "port": GATEWAY_PORT}]
    assert settings["__gateway_settings"]["port"] == GATEWAY_PORT


def test_only_a_service_of_type_nodeport_names_the_nodes_port() -> None:
    (port,) = service_ports("NodePort", 30300)
    assert (port["port"], port["nodePort"]) == (10300, 30300)
    assert "nodePort" not in service_ports("LoadBalancer", 30300)[0]
