"""Where the gateway is reached: by clients outside the cluster, and by pods."""

import os
from typing import Any

from synapse_cli.cluster import REQUEST_TIMEOUT_S, Cluster, ClusterError

GATEWAY, BRIDGE = "gateway", "wyoming"
"""Services: the gateway's, and the one of Home Assistant's bridge."""
URL = "synapse/url"
"""The annotation of the gateway's Service with the site's synapse_gateway_url."""


def outside(cluster: Cluster) -> str:
    """`SYNAPSE_URL`, else what the site says, else its Ingress, else the Service's port."""
    if found := os.environ.get("SYNAPSE_URL") or told(cluster):
        return found.rstrip("/")
    if host := ingress_host(cluster):
        return f"https://{host}"
    port = node_port(cluster, GATEWAY)
    if port is None:
        raise ClusterError(
            "The gateway is reached inside the cluster alone (ClusterIP without an Ingress). Write "
            "the address that leads to it as synapse_gateway_url, or set SYNAPSE_URL."
        )
    return f"http://{cluster.server_host}:{port}"


def inside(cluster: Cluster) -> str:
    """What pods of any namespace use."""
    return f"http://{GATEWAY}.{cluster.namespace}.svc:{cluster.service_port(GATEWAY)}"


def told(cluster: Cluster) -> str:
    """What the site says that applications are told; empty: nothing."""
    service = _service(cluster, GATEWAY)
    return str((service.metadata.annotations or {}).get(URL, "")) if service else ""


def ingress_host(cluster: Cluster) -> str:
    """The name in the gateway's Ingress; empty: it has none."""
    read = cluster.networking.read_namespaced_ingress
    found = cluster.find(read, GATEWAY, cluster.namespace, _request_timeout=REQUEST_TIMEOUT_S)
    return str(found.spec.rules[0].host) if found else ""


def node_port(cluster: Cluster, name: str) -> int | None:
    """The port at which a Service is reached on the server; None: at none."""
    found = _service(cluster, name)
    if found is None or found.spec.type == "ClusterIP":
        return None
    port = found.spec.ports[0]
    return int(port.node_port if found.spec.type == "NodePort" else port.port)


def _service(cluster: Cluster, name: str) -> Any:
    read = cluster.core.read_namespaced_service
    return cluster.find(read, name, cluster.namespace, _request_timeout=REQUEST_TIMEOUT_S)
