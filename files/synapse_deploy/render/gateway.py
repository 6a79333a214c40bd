"""Parts of the gateway's Kubernetes objects whose length follows the catalogue. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from synapse_common.engines import ENGINES
from synapse_common.secrets import APPS_SECRET, MASTER_ENTRY, MASTER_SECRET
from synapse_deploy.render.network import tcp

Entry = Mapping[str, Any]


def secrets(apps: Iterable[Entry]) -> list[dict[str, Any]]:
    """Return the Secrets to make up: the operator's key, and one per application that is listed."""
    master = {"name": MASTER_ENTRY, "prefix": f"sk-{MASTER_ENTRY}-"}
    keys = [{"name": app["name"], "prefix": f"sk-synapse-{app['name']}-"} for app in apps]
    return [
        {"name": MASTER_SECRET, "keys": [master]},
        {"name": APPS_SECRET, "keys": keys, "exclusive": True},
    ]


def ports(port: int, service_type: str, node_port: int | None) -> list[dict[str, Any]]:
    """Return the ports of the Service; only one of type NodePort may name the node's port."""
    port_of = {"name": "http", "port": int(port), "targetPort": "http"}
    fixed = {"nodePort": int(node_port)} if service_type == "NodePort" and node_port else {}
    return [port_of | fixed]


def ingress(metrics_clients: Iterable[Entry], settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return who may come in: anybody to the API, the named peers to the metrics."""
    rules: list[dict[str, Any]] = [{"ports": [tcp(settings["port"])]}]
    peers = [dict(peer) for peer in metrics_clients]
    if peers:
        rules.append({"from": peers, "ports": [tcp(settings["metrics_port"])]})
    return rules


def egress(models: Iterable[Entry], engines: Mapping[str, Entry]) -> list[dict[str, Any]]:
    """Return where the gateway may go: the engines in use, and providers outside by port.

    A NetworkPolicy knows no host names, so a provider's port is open to every address.
    """
    models = list(models)
    used = sorted({model["engine"] for model in models} & set(engines))
    rules = [
        {
            "to": [{"podSelector": {"matchLabels": dict(engines[engine]["pod_labels"])}}],
            "ports": [tcp(_port(engines[engine]["url"]))],
        }
        for engine in used
    ]
    outside = {_port(m["base_url"]) for m in models if ENGINES[m["engine"]].is_outside}
    return [*rules, *({"ports": [tcp(port)]} for port in sorted(outside))]


def _port(url: str) -> int:
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)
