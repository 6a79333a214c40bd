"""Parts of the gateway's Kubernetes objects whose length follows the catalogue. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from synapse_common.engines import ENGINES
from synapse_common.secrets import APPS_SECRET, MASTER_ENTRY, MASTER_SECRET
from synapse_deploy.render.network import address_of, admitted, hosts, port_of, service_port, tcp

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
    return service_port("http", port, service_type, node_port)


def ingress(metrics_clients: Iterable[Entry], settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return who may come in: anybody to the API, the named peers to the metrics."""
    anybody = {"ports": [tcp(settings["port"])]}
    return [anybody, *admitted(metrics_clients, settings["metrics_port"])]


def egress(
    models: Iterable[Entry],
    engines: Mapping[str, Entry],
    lan_hosts: Iterable[Entry],
    namespace: str,
) -> list[dict[str, Any]]:
    """Return where the gateway may go: the engines in use, and the providers of the catalogue.

    A NetworkPolicy knows no host names: a provider's port is open to every public address, and a
    provider in the house is known by its address alone.
    """
    models = list(models)
    used = sorted({model["engine"] for model in models} & set(engines))
    rules = [
        {
            "to": [{"podSelector": {"matchLabels": dict(engines[engine]["pod_labels"])}}],
            "ports": [tcp(port_of(engines[engine]["url"]))],
        }
        for engine in used
    ]
    outside = sorted({m["base_url"] for m in models if ENGINES[m["engine"]].is_outside})
    for rule in (rule for url in outside for rule in address_of(url, namespace)):
        if rule not in rules:
            rules.append(rule)
    return [*rules, *hosts(lan_hosts)] if outside else rules
