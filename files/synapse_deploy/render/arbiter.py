"""Parts of the arbiter's Kubernetes objects whose length follows something else. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from synapse_common.secrets import ADMIN_ENTRY, ADMIN_SECRET, BOOT_ENTRY, BOOT_SECRET
from synapse_deploy.render.arbiter_config import ENGINE_PORT, PORTS
from synapse_deploy.render.network import address_of, admitted, hosts, tcp, unique

Entry = Mapping[str, Any]

TOKEN_S = 3607  # the kubelet renews it long before


def secrets() -> list[dict[str, Any]]:
    """Return the Secrets to make up: of who may command the arbiter, and who may start engines."""
    made = ((ADMIN_SECRET, ADMIN_ENTRY), (BOOT_SECRET, BOOT_ENTRY))
    return [{"name": name, "keys": [{"name": entry}]} for name, entry in made]


def environment(vram_source: str, gpu: Entry) -> list[dict[str, str]]:
    """Return the container's environment; the GPU is shown where its memory is read.

    NVIDIA's runtime shows the GPU of this UUID alone, so the first one there is the right one.
    """
    values = {"PYTHONPATH": "/opt/synapse", "PYTHONDONTWRITEBYTECODE": "1"}
    if vram_source == "nvml":
        values |= {
            "NVIDIA_VISIBLE_DEVICES": gpu.get("uuid") or "all",
            "NVIDIA_DRIVER_CAPABILITIES": "utility",
        }
    return [{"name": name, "value": value} for name, value in values.items()]


def volumes(config: str) -> list[dict[str, Any]]:
    """Return the pod's volumes besides its code: configuration, secrets, account."""
    account = [
        {"serviceAccountToken": {"path": "token", "expirationSeconds": TOKEN_S}},
        {
            "configMap": {
                "name": "kube-root-ca.crt",  # the cluster puts it into every namespace
                "items": [{"key": "ca.crt", "path": "ca.crt"}],
            }
        },
    ]
    return [
        {"name": "config", "configMap": {"name": config}},
        {"name": "token", "secret": {"secretName": ADMIN_SECRET, "defaultMode": 0o440}},
        {"name": "boot", "secret": {"secretName": BOOT_SECRET, "defaultMode": 0o440}},
        {"name": "account", "projected": {"sources": account}},
    ]


def ingress(
    clients: Iterable[Entry], engines: Entry, metrics_clients: Iterable[Entry]
) -> list[dict[str, Any]]:
    """Return who may come in by which port: clients, engines that want to start, metrics readers.

    Nobody by the operator's: people come through the API server's port-forward, which ends inside
    the pod.
    """
    asking = [{"podSelector": {"matchLabels": dict(client)}} for client in clients]
    starting = [{"podSelector": {"matchLabels": dict(engines)}}]
    return [
        *admitted(asking, PORTS["inference"]),
        *admitted(starting, PORTS["boot"]),
        *admitted(metrics_clients, PORTS["metrics"]),
    ]


def egress(
    engines: Entry, vram_source: str, api_servers: Iterable[Entry], namespace: str
) -> list[dict[str, Any]]:
    """Return where the arbiter may go: the engines, the API server, and the memory's gauge."""
    to = [{"podSelector": {"matchLabels": dict(engines)}}]
    rules: list[dict[str, Any]] = [{"to": to, "ports": [tcp(ENGINE_PORT)]}]
    gauge = address_of(vram_source, namespace) if "://" in vram_source else []
    return [*rules, *hosts(api_servers), *gauge]


def api_servers(services: Iterable[Entry], slices: Iterable[Entry]) -> list[dict[str, Any]]:
    """Return where pods reach the API server, {address, port}: its Service and what is behind it.

    Which of the two a NetworkPolicy sees depends on whether it looks before or after the address
    is translated; K3s looks after it.
    """
    specs = [service["spec"] for service in services]
    found = [
        {"address": address, "port": port["port"]}
        for spec in specs
        for address in spec.get("clusterIPs") or [spec["clusterIP"]]
        for port in spec["ports"]
    ]
    found += [
        {"address": address, "port": port["port"]}
        for part in slices
        for endpoint in part["endpoints"] or []
        for address in endpoint["addresses"]
        for port in part["ports"]
    ]
    return unique(found)
