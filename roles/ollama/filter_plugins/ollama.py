"""Filters that shape the variable parts of Ollama's manifests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from synapse_deploy.plugins import later

PORT = 11434
RENDER = "synapse_deploy.render"
FETCHER = f"{RENDER}.model_fetcher"
Mapping = dict[str, Any]


def ollama_mounts(files_claim: str) -> list[Mapping]:
    """Return the container's volume mounts; the files are there only where a claim is named."""
    mounts: list[Mapping] = [
        {"name": "data", "mountPath": "/data"},
        {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108  a mount point in the container
    ]
    if files_claim:
        mounts.append({"name": "model-files", "mountPath": "/model-files", "readOnly": True})
    return mounts


def ollama_volumes(files_claim: str) -> list[Mapping]:
    """Return the pod's volumes that `ollama_mounts` mounts."""
    volumes: list[Mapping] = [
        {"name": "data", "persistentVolumeClaim": {"claimName": "ollama"}},
        {"name": "tmp", "emptyDir": {"sizeLimit": "2Gi"}},
    ]
    if files_claim:
        claim = {"claimName": files_claim, "readOnly": True}
        volumes.append({"name": "model-files", "persistentVolumeClaim": claim})
    return volumes


def ollama_ingress(clients: list[Mapping]) -> list[Mapping]:
    """Return the policy rules that let in the clients, each known by its pod labels."""
    if not clients:
        return []
    peers = [{"podSelector": {"matchLabels": labels}} for labels in clients]
    return [{"from": peers, "ports": [{"protocol": "TCP", "port": PORT}]}]


class FilterModule:
    """What Ansible loads from this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name the filters."""
        return {
            "ollama_mounts": ollama_mounts,
            "ollama_volumes": ollama_volumes,
            "ollama_ingress": ollama_ingress,
            "ollama_code": later(f"{RENDER}.code", "code"),
            "ollama_egress": later(f"{RENDER}.network", "downloads"),
            "ollama_fetcher_command": lambda _: later(FETCHER, "command")(),
            "ollama_fetcher_mounts": later(FETCHER, "mounts"),
            "ollama_fetcher_volumes": later(FETCHER, "volumes"),
            "ollama_wanted": later(FETCHER, "config"),
            "ollama_within": later(f"{RENDER}.network", "within"),
        }
