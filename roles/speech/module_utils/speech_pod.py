"""The pod that speaks: what its containers share, and what prepares the volume. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from speech_objects import CODE, VOICES, piper_environment

Entry = Mapping[str, Any]


def container(name: str, settings: Entry, libraries: str, command: list[str]) -> dict[str, Any]:
    """Return one container: the server's code, the volume, and no more rights than it needs."""
    return {
        "name": name,
        "image": settings["piper_image"],
        "imagePullPolicy": "IfNotPresent",
        "command": command,
        "env": piper_environment(libraries),
        "terminationMessagePolicy": "FallbackToLogsOnError",
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
        "volumeMounts": [
            {"name": "code", "mountPath": f"{CODE}/synapse_speech", "readOnly": True},
            {"name": "config", "mountPath": "/etc/synapse", "readOnly": True},
            {"name": "models", "mountPath": "/models"},
            {"name": "scratch", "mountPath": "/tmp"},  # noqa: S108  # an emptyDir of the pod
        ],
    }


def preparing(wanted: Iterable[str], settings: Entry, libraries: str) -> list[dict[str, Any]]:
    """Return the containers that come first: libraries, where the image has none, then voices."""
    found = []
    if libraries:
        command = ["python", f"{CODE}/synapse_speech/libraries.py"]
        command += ["--requirements", "/etc/synapse/requirements.txt", "--folder", libraries]
        found.append(container("libraries", settings, "", command))
    fetch = ["python", "-m", "synapse_speech.fetching", "--folder", VOICES]
    fetch += ["--offline"] if settings["offline"] else []
    return [*found, container("voices", settings, libraries, [*fetch, *wanted])]


def server(settings: Entry, libraries: str, probes: Entry) -> dict[str, Any]:
    """Return the container that speaks."""
    command = ["python", "-m", "synapse_speech", "--config", "/etc/synapse/speech.yaml"]
    ports = [{"name": "http", "containerPort": 8000}]
    return {**container("piper", settings, libraries, command), "ports": ports, **probes}
