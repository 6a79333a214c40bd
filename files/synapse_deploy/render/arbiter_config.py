"""From a slice of the catalogue to the arbiter's configuration file. Pure, without Ansible."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from synapse_common.engines import (
    ARBITER_BOOT_PORT,
    ARBITER_OPERATOR_PORT,
    ARBITER_PORT,
    CONCURRENCY,
    METRICS_PORT,
    VLLM,
)
from synapse_common.secrets import ADMIN_ENTRY, BOOT_ENTRY

Entry = Mapping[str, Any]

PORTS = {
    "inference": ARBITER_PORT,
    "boot": ARBITER_BOOT_PORT,
    "operator": ARBITER_OPERATOR_PORT,
    "metrics": METRICS_PORT,
}
ENGINE_PORT = VLLM.port
TOKEN_FILE = f"/run/synapse-admin/{ADMIN_ENTRY}"
BOOT_FILE = f"/run/synapse-boot/{BOOT_ENTRY}"
POD = "vllm-{model}-0"  # the one pod of an engine's StatefulSet


def config(
    models: Iterable[Entry], gpu: Entry, apps: Iterable[Entry], settings: Entry
) -> dict[str, Any]:
    """Return the whole configuration, with nothing in it that the arbiter does not use.

    Its contents name the pod's ConfigMap: whatever is in it restarts the arbiter when it changes.
    """
    written = {
        "host": "0.0.0.0",  # noqa: S104  # the pod's own address; NetworkPolicies say who comes in
        "ports": PORTS,
        "hosts": [VLLM.service],
        "models": [_model(model) for model in models],
        "apps": [
            {"name": app["name"], "max_wait_s": app["max_wait_s"]}
            for app in apps
            if app.get("max_wait_s") is not None
        ],
        "default_model": settings["default_model"],
        "admin_token_file": TOKEN_FILE,
        "boot_secret_file": BOOT_FILE,
        "gpu": {"vram_gib": gpu["vram_gib"], "vram_source": settings["vram_source"]},
        "rules": dict(settings["rules"]),
        "limits": dict(settings["limits"]),
        "recycle": {"how": "kubernetes", "namespace": settings["namespace"], "pod": POD},
    }
    return {key: value for key, value in written.items() if value}


def pods(models: Iterable[Entry]) -> list[str]:
    """Name the pods that the arbiter may replace."""
    return [POD.replace("{model}", model["name"]) for model in models]


def _model(model: Entry) -> dict[str, Any]:
    return {
        "name": model["name"],
        "url": f"http://vllm-{model['name']}:{ENGINE_PORT}",
        "kind": model["kind"],
        "vram_gib": model["vram_gib"],
        "concurrency": model["engine_args"].get("max-num-seqs", CONCURRENCY),
    }
