"""The bridge of Home Assistant: what its pod is told, who may come in, where it may go. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from synapse_common.engines import GATEWAY_PORT, PIPER, SPEACHES
from synapse_common.secrets import APPS_SECRET, BRIDGE_ENTRY
from synapse_deploy.render.network import admitted, service_port, tcp
from synapse_deploy.render.speech_pod import container

Entry = Mapping[str, Any]

NAME = "wyoming"
PORT = 10300
LIMITS = {"cpu_cores": 1, "memory_gib": 0.25}
REQUESTS = {"cpu": "20m", "memory": "96Mi"}
# With this kind of server and the voices said, it asks nothing before it listens. Of another kind
# it would ask for its voices, without the key.
KIND = "OPENAI"


def environment(models: Iterable[Entry], gateway_url: str) -> list[dict[str, Any]]:
    """Return the bridge's environment: what it offers, where it asks, and the key by reference."""
    models = list(models)
    transcription = [model for model in models if model["engine"] == SPEACHES.name]
    speech = [model for model in models if model["engine"] == PIPER.name][:1]
    values = {
        "WYOMING_URI": f"tcp://0.0.0.0:{PORT}",
        "WYOMING_LANGUAGES": " ".join(languages(transcription, speech)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": "/tmp",  # noqa: S108  # an emptyDir of the pod
    }
    keys: list[dict[str, Any]] = []
    if transcription:
        values["STT_MODELS"] = " ".join(model["name"] for model in transcription)
        values |= {"STT_BACKEND": KIND, "STT_OPENAI_URL": f"{gateway_url}/v1"}
        keys.append(_key("STT_OPENAI_KEY"))
    for model in speech:  # sentence by sentence, while an assistant still writes
        values["TTS_STREAMING_MODELS"] = model["name"]
        values["TTS_VOICES"] = " ".join(_voices(model))
        values |= {"TTS_BACKEND": KIND, "TTS_OPENAI_URL": f"{gateway_url}/v1"}
        keys.append(_key("TTS_OPENAI_KEY"))
    return [*({"name": name, "value": value} for name, value in values.items()), *keys]


def languages(transcription: list[Entry], speech: list[Entry]) -> list[str]:
    """Return the languages of both ways: the bridge has one list for them.

    Home Assistant takes the first transcription model, so its languages count. Where the two have
    none in common, those that are spoken are named, and the gateway refuses the others.
    """
    understood = list(transcription[0]["languages"]) if transcription else []
    spoken = [_language(voice) for model in speech for voice in _voices(model).values()]
    both = [code for code in dict.fromkeys(spoken) if not understood or code in understood]
    return both or list(dict.fromkeys(spoken)) or understood


def pod(models: Iterable[Entry], image: str, gateway_url: str, life: Entry) -> dict[str, Any]:
    """Return the bridge's container, started as its image starts it."""
    made = container(NAME, image, LIMITS, ("scratch",))
    made["resources"]["requests"] = dict(REQUESTS)
    ports = [{"name": NAME, "containerPort": PORT}]
    return {**made, "env": environment(models, gateway_url), "ports": ports, **life}


def service_ports(service_type: str, node_port: int | None) -> list[dict[str, Any]]:
    """Return the ports of the Service; only one of type NodePort may name the node's port."""
    return service_port(NAME, PORT, service_type, node_port)


def ingress(clients: Iterable[Entry]) -> list[dict[str, Any]]:
    """Return who may come in: the named peers, or anybody where none is named."""
    return admitted(clients, PORT) or [{"ports": [tcp(PORT)]}]


def egress(gateway: Entry) -> list[dict[str, Any]]:
    """Return where the bridge may go: the gateway, and nowhere else."""
    return [{"to": [{"podSelector": {"matchLabels": dict(gateway)}}], "ports": [tcp(GATEWAY_PORT)]}]


def _voices(model: Entry) -> dict[str, str]:
    """Return the voices that people choose from: those with names, or else the only one."""
    return dict(model["voices"]) or {model["source"]: model["source"]}


def _language(voice: str) -> str:
    """Return the language of a voice of Piper, which begins like en_US."""
    return voice.partition("-")[0].partition("_")[0].lower()


def _key(variable: str) -> dict[str, Any]:
    key = {"name": APPS_SECRET, "key": BRIDGE_ENTRY}
    return {"name": variable, "valueFrom": {"secretKeyRef": key}}
