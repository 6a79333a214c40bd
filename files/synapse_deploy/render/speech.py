"""From a slice of the catalogue to what the speech pods are told. Pure, without Ansible."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from synapse_common.engines import METRICS_PORT, PIPER
from synapse_deploy.render.network import admitted, downloads

Entry = Mapping[str, Any]

PORT = PIPER.port
STORE = "/models"
VOICES = f"{STORE}/voices"
HUGGING_FACE = f"{STORE}/huggingface"
CODE = "/opt/synapse"
REQUIREMENTS = Path(__file__).resolve().parents[2] / "synapse_speech/requirements.txt"


def requirements() -> str:
    """Return what the speech server runs with, pinned with hashes."""
    return REQUIREMENTS.read_text()


def piper_config(models: Iterable[Entry], settings: Entry) -> dict[str, Any]:
    """Return the speech server's configuration."""
    return {
        "folder": VOICES,
        "settings": {
            "port": PORT,
            "metrics_port": METRICS_PORT,
            "workers": settings["workers"],
            "input_characters": settings["input_characters"],
            "threads": max(1, int(settings["cpu_cores"]) // max(1, settings["workers"])),
        },
        "models": [_speaking(model) for model in models],
    }


def _speaking(model: Entry) -> dict[str, Any]:
    """Name every voice of a model; clients that name none get the one in its source."""
    return {
        "name": model["name"],
        "default": model["source"],
        "voices": {model["source"]: model["source"], **model["voices"]},
    }


def sources(models: Iterable[Entry]) -> list[str]:
    """Return the models that hear that are to be on the volume."""
    return list(dict.fromkeys(str(model["source"]) for model in models))


def voices(models: Iterable[Entry]) -> list[str]:
    """Return the voices of Piper that are to be on the volume."""
    written = [voice for m in models for voice in (m["source"], *m["voices"].values())]
    return sorted({voice.partition("#")[0] for voice in written})


def environment(libraries: str, **further: str) -> list[dict[str, str]]:
    """Return the environment of our programs; `libraries` is the folder of what they need."""
    path = ":".join(part for part in (CODE, libraries) if part)
    values = {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "HOME": "/tmp"}  # noqa: S108
    return _named(values | further)


def speaches_environment(settings: Entry) -> list[dict[str, str]]:
    """Return Speaches' environment: on the CPU, without its page, with what is fetched."""
    return _named(
        {
            "UVICORN_HOST": "0.0.0.0",  # noqa: S104  # the pod's own address
            "UVICORN_PORT": str(PORT),
            "LOG_LEVEL": "info",
            "ENABLE_UI": "false",
            "STT_MODEL_TTL": str(settings["keep_alive_s"]),
            "WHISPER__INFERENCE_DEVICE": "cpu",
            "WHISPER__COMPUTE_TYPE": "int8",
            # With one worker less than recordings a short command waits until eight half minutes of
            # another have been heard.
            "WHISPER__NUM_WORKERS": str(settings["parallel_recordings"]),
            "WHISPER__CPU_THREADS": str(max(1, int(settings["cpu_cores"]))),
            "HF_HOME": HUGGING_FACE,
            "HF_HUB_OFFLINE": "1",
            "HOME": "/tmp",  # noqa: S108  # an emptyDir of the pod
        }
    )


def ingress(clients: Entry, metrics_clients: Iterable[Entry]) -> list[dict[str, Any]]:
    """Return who may come in: who asks, and by a port of their own who reads the metrics."""
    asking = [{"podSelector": {"matchLabels": dict(clients)}}]
    return [*admitted(asking, PORT), *admitted(metrics_clients, METRICS_PORT)]


def egress(offline: bool, lan_hosts: Iterable[Entry]) -> list[dict[str, Any]]:
    """Return where the pods may go: unless offline to the internet by HTTPS, and to mirrors."""
    return [] if offline else downloads([443], lan_hosts)


def _named(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in values.items()]
