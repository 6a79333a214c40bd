"""Parts of the gateway's Kubernetes objects whose length follows the catalogue. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from synapse_common.engines import ENGINES, LITELLM
from synapse_common.secrets import APPS_SECRET, MASTER_ENTRY, MASTER_SECRET, PEOPLE_ENTRY
from synapse_deploy.render.network import admitted, providers, service_port, tcp, within
from synapse_deploy.render.reached import at_litellm, is_text

Entry = Mapping[str, Any]


def secrets(apps: Iterable[Entry]) -> list[dict[str, Any]]:
    """Return the Secrets to make up: the operator's key, and one per application that is listed."""
    master = {"name": MASTER_ENTRY, "prefix": f"sk-{MASTER_ENTRY}-"}
    people = {"name": PEOPLE_ENTRY}
    keys = [{"name": app["name"], "prefix": f"sk-synapse-{app['name']}-"} for app in apps]
    return [
        {"name": MASTER_SECRET, "keys": [master, people]},
        {"name": APPS_SECRET, "keys": keys, "exclusive": True},
    ]


def ports(port: int, service_type: str, node_port: int | None) -> list[dict[str, Any]]:
    """Return the ports of the Service; only one of type NodePort may name the node's port."""
    return service_port("http", port, service_type, node_port)


def ingress(
    metrics_clients: Iterable[Entry],
    settings: Mapping[str, Any],
    models: Iterable[Entry],
    engines: Mapping[str, Entry],
) -> list[dict[str, Any]]:
    """Return who may come in: anybody to the API, LiteLLM for Ollama, peers to the metrics."""
    anybody = {"ports": [tcp(settings["port"])]}
    return [
        anybody,
        *admitted(_litellm(models, engines), settings["inner_port"]),
        *admitted(metrics_clients, settings["metrics_port"]),
    ]


def _litellm(models: Iterable[Entry], engines: Mapping[str, Entry]) -> list[dict[str, Any]]:
    """Return LiteLLM's pods where it reaches a model through the gateway."""
    if not any(ENGINES[model["engine"]].is_native for model in models):
        return []
    return [{"podSelector": {"matchLabels": dict(engines[LITELLM.name]["pod_labels"])}}]


def egress(
    models: Iterable[Entry],
    engines: Mapping[str, Entry],
    lan_hosts: Iterable[Entry],
    namespace: str,
    local: str = "direct",
) -> list[dict[str, Any]]:
    """Return where the gateway may go: the engines in use, LiteLLM, and providers of sound.

    To all other providers LiteLLM goes alone.
    """
    models = list(models)
    used = {model["engine"] for model in models}
    if any(map(is_text, models)):
        used.add(LITELLM.name)
    inside = within(engines[engine] for engine in sorted(used & set(engines)))
    direct = [model for model in models if not at_litellm(model, local)]
    outside = [model["base_url"] for model in direct if ENGINES[model["engine"]].is_outside]
    return [*inside, *providers(outside, lan_hosts, namespace)]
