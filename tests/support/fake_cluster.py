"""A cluster without a network: what the operator's commands read of a deployed gateway."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import yaml
from kubernetes.client.exceptions import ApiException

from synapse_cli.cluster import Cluster
from synapse_common.secrets import APPS_SECRET

NAMESPACE, HOST, PORT = "llm-infra", "forge", 8000
CONFIG = "gateway-config-1"


class Objects:
    """One sort of object by name; another name is a 404."""

    def __init__(self, known: Mapping[str, Any]) -> None:
        """Have these."""
        self._known = known

    def __call__(self, name: str, namespace: str, **_: Any) -> Any:
        """Read one."""
        if name not in self._known:
            raise ApiException(status=404, reason="Not Found")
        return self._known[name]

    __name__ = "read"


def service(kind: str, port: int, node_port: int | None = None, annotations: Any = None) -> Any:
    """Return a Service."""
    ports = [SimpleNamespace(port=port, node_port=node_port)]
    metadata = SimpleNamespace(annotations=annotations)
    return SimpleNamespace(metadata=metadata, spec=SimpleNamespace(type=kind, ports=ports))


def cluster(
    config: Mapping[str, Any],
    keys: Mapping[str, str],
    services: Mapping[str, Any] | None = None,
    ingress: str = "",
) -> Cluster:
    """Return a cluster in which the gateway runs with this configuration."""
    mounted = SimpleNamespace(name="config", config_map=SimpleNamespace(name=CONFIG))
    spec = SimpleNamespace(template=SimpleNamespace(spec=SimpleNamespace(volumes=[mounted])))
    gateway = SimpleNamespace(metadata=SimpleNamespace(name="gateway"), spec=spec)
    coded = {name: base64.b64encode(key.encode()).decode() for name, key in keys.items()}
    rules = SimpleNamespace(spec=SimpleNamespace(rules=[SimpleNamespace(host=ingress)]))

    made = Cluster.__new__(Cluster)
    made.namespace = NAMESPACE
    made.apps = SimpleNamespace(
        list_namespaced_deployment=lambda *_, **__: SimpleNamespace(items=[gateway]),
        list_namespaced_stateful_set=lambda *_, **__: SimpleNamespace(items=[]),
    )
    made.core = SimpleNamespace(
        api_client=SimpleNamespace(configuration=SimpleNamespace(host=f"https://{HOST}:6443")),
        read_namespaced_config_map=Objects(
            {CONFIG: SimpleNamespace(data={"gateway.yaml": yaml.safe_dump(dict(config))})}
        ),
        read_namespaced_secret=Objects({APPS_SECRET: SimpleNamespace(data=coded)}),
        read_namespaced_service=Objects(services or {"gateway": service("LoadBalancer", PORT)}),
    )
    made.networking = SimpleNamespace(
        read_namespaced_ingress=Objects({"gateway": rules} if ingress else {})
    )
    return made
