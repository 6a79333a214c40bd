"""The containers of the speech pods: what fetches models and voices, and what speaks. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from synapse_common.engines import METRICS_PORT, PIPER, SPEACHES
from synapse_deploy.render.speech import (
    CODE,
    HUGGING_FACE,
    PORT,
    STORE,
    VOICES,
    environment,
    speaches_environment,
)

Entry = Mapping[str, Any]

MIB = 1024**2
MOUNTS: dict[str, dict[str, Any]] = {
    "code": {"mountPath": f"{CODE}/synapse_speech", "readOnly": True},
    "common": {"mountPath": f"{CODE}/synapse_common", "readOnly": True},
    "fetching": {"mountPath": f"{CODE}/synapse_fetching", "readOnly": True},
    "config": {"mountPath": "/etc/synapse", "readOnly": True},
    "models": {"mountPath": STORE},
    "scratch": {"mountPath": "/tmp"},  # noqa: S108  # an emptyDir of the pod
}
INSTALLING = ("code", "config", "models", "scratch")
SPEAKING = ("common", *INSTALLING)
FETCHING = ("fetching", "models", "scratch")
HEARING = ("models", "scratch")
PORTS = [{"name": "http", "containerPort": PORT}]
METRICS_PORTS = [{"name": "metrics", "containerPort": METRICS_PORT}]
REPORT = "/dev/termination-log"
# Plain HTTPS can be taken up where it broke off; a bar that redraws itself is no log line.
HUB = {
    "HF_HUB_DISABLE_XET": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
}
# A sentence takes and gives back hundreds of MiB. Left alone, glibc asks the kernel for every block
# anew, a third of the time that speaking takes.
ROOM = {"MALLOC_MMAP_THRESHOLD_": str(64 * MIB), "MALLOC_TRIM_THRESHOLD_": str(128 * MIB)}


def container(name: str, image: str, settings: Entry, mounts: Iterable[str]) -> dict[str, Any]:
    """Return a container with the limits of its pod and no more rights than it needs."""
    return {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "resources": {
            "requests": {"cpu": "100m", "memory": "256Mi"},
            "limits": {
                "cpu": str(settings["cpu_cores"]),
                "memory": f"{int(settings['memory_gib'] * 1024)}Mi",
            },
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": mount, **MOUNTS[mount]} for mount in mounts],
    }


def program(
    name: str, image: str, settings: Entry, command: list[str], mounts: Iterable[str]
) -> dict[str, Any]:
    """Return a container that runs one of our programs, whose last words are a reason."""
    last_words = {"terminationMessagePolicy": "FallbackToLogsOnError"}
    return {**container(name, image, settings, mounts), "command": command, **last_words}


def models(wanted: list[str], settings: Entry) -> dict[str, Any]:
    """Return the container that fetches models, in Speaches' image and into its cache."""
    folder = f"{HUGGING_FACE}/hub"
    return _fetching("models", settings["speaches_image"], folder, wanted, settings, "")


def preparing(wanted: list[str], settings: Entry, libraries: str) -> list[dict[str, Any]]:
    """Return the containers that come first: libraries, where the image has none, then voices."""
    found = []
    if libraries:
        command = ["python", f"{CODE}/synapse_speech/libraries.py"]
        command += ["--requirements", "/etc/synapse/requirements.txt", "--folder", libraries]
        first = program("libraries", settings["piper_image"], settings, command, INSTALLING)
        found.append({**first, "env": environment("")})
    image = settings["piper_image"]
    return [*found, _fetching("voices", image, VOICES, wanted, settings, libraries)]


def _fetching(
    kind: str, image: str, folder: str, wanted: list[str], settings: Entry, libraries: str
) -> dict[str, Any]:
    command = ["python", "-m", "synapse_fetching", kind, "--folder", folder, "--report", REPORT]
    command += ["--limit-s", str(settings["download_limit_s"])]
    command += ["--reserve-gib", str(settings["reserve_gib"])]
    command += ["--offline"] if settings["offline"] else []
    made = program(kind, image, settings, [*command, *wanted], FETCHING)
    return {**made, "env": environment(libraries, **HUB)}


def server(settings: Entry, libraries: str, life: Entry) -> dict[str, Any]:
    """Return the container that speaks."""
    command = ["python", "-m", "synapse_speech", "--config", "/etc/synapse/speech.yaml"]
    made = program(PIPER.name, settings["piper_image"], settings, command, SPEAKING)
    ports = [*PORTS, *METRICS_PORTS]
    return {**made, "env": environment(libraries, **ROOM), "ports": ports, **life}


def hearing(settings: Entry, life: Entry) -> dict[str, Any]:
    """Return the container that hears: Speaches as its image starts it."""
    made = container(SPEACHES.name, settings["speaches_image"], settings, HEARING)
    return {**made, "env": speaches_environment(settings), "ports": PORTS, **life}
