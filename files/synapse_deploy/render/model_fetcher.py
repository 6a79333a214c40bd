"""From a slice of the catalogue to what the model fetcher's pod is told. Pure, without Ansible."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from synapse_common.engines import FETCHER_PORT, OLLAMA
from synapse_deploy.render.code import code_volume

Entry = Mapping[str, Any]

CODE = "/opt/synapse"
READ = ("name", "source", "kind", "context", "engine_args", "disk_gib")
"""What makes a model another one, or its turn another; of all else the fetcher is not told."""


def config(models: Iterable[Entry], settings: Entry) -> dict[str, str]:
    """Return the pod's configuration, as the data of a ConfigMap."""
    wanted = [{key: model[key] for key in READ} for model in models]
    return {"models.json": json.dumps({"models": wanted, **settings}, indent=1)}


def command() -> list[str]:
    """Return what runs in the pod."""
    return [
        *("python", "-m", "synapse_ollama", "--config", "/etc/synapse/models.json"),
        *("--ollama", f"http://{OLLAMA.name}:{OLLAMA.port}"),
        *("--data", "/data", "--files", "/model-files", "--port", str(FETCHER_PORT)),
    ]


def mounts(files_claim: str) -> list[dict[str, Any]]:
    """Return the container's mounts; the node's files are there only where a claim is named."""
    found: list[dict[str, Any]] = [
        {"name": "code", "mountPath": f"{CODE}/synapse_ollama", "readOnly": True},
        {"name": "config", "mountPath": "/etc/synapse", "readOnly": True},
        {"name": "data", "mountPath": "/data"},
    ]
    files = {"name": "model-files", "mountPath": "/model-files", "readOnly": True}
    return [*found, files] if files_claim else found


def volumes(
    files_claim: str, code: Mapping[str, str], code_name: str, config_name: str
) -> list[dict[str, Any]]:
    """Return the pod's volumes that `mounts` mounts."""
    found: list[dict[str, Any]] = [
        code_volume(code, "code", code_name),
        {"name": "config", "configMap": {"name": config_name}},
        {"name": "data", "persistentVolumeClaim": {"claimName": OLLAMA.name}},
    ]
    claim = {"claimName": files_claim, "readOnly": True}
    files = {"name": "model-files", "persistentVolumeClaim": claim}
    return [*found, files] if files_claim else found
