"""Which pod reaches what, by real connections: the twin of the test that reads the policies."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from synapse_cli.cluster import Cluster
from synapse_common.engines import (
    ARBITER_BOOT_PORT,
    ARBITER_PORT,
    GATEWAY_INNER_PORT,
    LITELLM_PORT,
)

from .conftest import TESTBED, eventually
from .gpu import MODELS
from .network_probe import HOST_PORTS, HOSTS, Address, Server, pod_of_a_stranger

FOREIGN = "strangers"
RULES_LIMIT_S = 30.0  # a new pod is free for up to a second; a busy machine takes longer
NODE = "10.41.0.1"
ENGINES = list(MODELS)

DNS = {"dns/tcp", "dns/udp"}
DOWNLOADS = {"internet:443"}
ALLOWED = {
    "gateway": DNS
    | {f"arbiter:{ARBITER_PORT}", f"litellm:{LITELLM_PORT}"}
    | {"ollama:11434", "piper:8000", "speaches:8000"},
    "litellm": DNS | {f"arbiter:{ARBITER_PORT}", f"gateway:{GATEWAY_INNER_PORT}"},
    "arbiter": DNS | {f"{engine}:8000" for engine in ENGINES} | {"api", "node:6443"},
    "ollama": DNS | DOWNLOADS,
    "model-fetcher": DNS | {"ollama:11434"},
    "speaches": DNS | DOWNLOADS,
    "piper": DNS | DOWNLOADS,
    **{engine: DNS | DOWNLOADS | {f"arbiter:{ARBITER_BOOT_PORT}"} for engine in ENGINES},
    "wyoming": DNS | {"gateway:8000"},
    # Nobody's pod in our namespace: closed by default.
    "new": DNS,
}
# Pods elsewhere and hosts go where they like, as far as we are concerned, but not to us.
OF_US = {"gateway:8000", "wyoming:10300"}
# A port of the node leads on to a pod, whose policy decides.
BEHIND = {"node:30800": "gateway:8000", "node:30300": "wyoming:10300"}


@pytest.fixture(scope="module")
def server() -> Server:
    """The testbed's server."""
    return Server(TESTBED)


@pytest.fixture(scope="module")
def hosts(server: Server) -> Iterator[dict[str, tuple[str, ...]]]:
    """A host of the house and one of the internet, with the commands that enter them."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(server.host(name)) for name in HOSTS}


@pytest.fixture(scope="module")
def strangers(cluster: Cluster) -> Iterator[dict[str, Any]]:
    """A new pod of our namespace, one elsewhere, and one there that bears the gateway's labels."""
    gateway = {"app.kubernetes.io/name": "gateway", "app.kubernetes.io/instance": "gateway"}
    wanted = {
        "new": (cluster.namespace, {"app": "new"}),
        "foreign": (FOREIGN, {"app": "foreign"}),
        "disguised": (FOREIGN, gateway),
    }
    cluster.core.create_namespace({"metadata": {"name": FOREIGN}})
    try:
        with ExitStack() as stack:
            for name, (namespace, labels) in wanted.items():
                stack.enter_context(pod_of_a_stranger(cluster, namespace, name, labels))
            yield {
                name: _running(cluster, namespace, name) for name, (namespace, _) in wanted.items()
            }
    finally:
        cluster.core.delete_namespace(FOREIGN)


@pytest.fixture(scope="module")
def pods(cluster: Cluster) -> dict[str, Any]:
    """Our pods, by the name of their workload."""
    found = {pod.metadata.labels["app.kubernetes.io/instance"]: pod for pod in _ours(cluster)}
    assert found.keys() == ALLOWED.keys() - {"new"}
    return found


@pytest.fixture(scope="module")
def targets(cluster: Cluster, pods: dict[str, Any]) -> dict[str, Address]:
    """Every port that listens, of ours and around us."""
    ours = {
        f"{name}:{port.container_port}": (pod.status.pod_ip, port.container_port)
        for name, pod in pods.items()
        for container in pod.spec.containers
        for port in container.ports or []
    }
    dns, *_ = cluster.core.list_namespaced_pod(
        "kube-system", label_selector="k8s-app=kube-dns"
    ).items
    around = {
        "dns/tcp": ("10.43.0.10", 53),
        "dns/udp": ("10.43.0.10", 53),
        "dns:8080": (dns.status.pod_ip, 8080),
        "dns:8181": (dns.status.pod_ip, 8181),
        "api": ("10.43.0.1", 443),
        "node:6443": (NODE, 6443),
        "node:10250": (NODE, 10250),
    } | {name: (NODE, int(name.partition(":")[2])) for name in BEHIND}
    outside = {f"{host}:{port}": (HOSTS[host], port) for host in HOSTS for port in HOST_PORTS}
    return ours | around | outside


def test_every_target_listens(
    server: Server, targets: dict[str, Address], hosts: dict[str, tuple[str, ...]]
) -> None:
    """The node reaches everything: where a pod below reaches nothing, a policy is the reason."""
    assert server.opened(("env",), targets) == targets.keys()


@pytest.mark.parametrize("source", sorted(ALLOWED.keys() - {"new"}))
def test_a_pod_reaches_what_it_needs_and_nothing_else(
    server: Server,
    pods: dict[str, Any],
    targets: dict[str, Address],
    hosts: dict[str, tuple[str, ...]],
    source: str,
) -> None:
    opened = server.opened(server.within(pods[source]), targets)
    found = {BEHIND.get(name, name) for name in opened}
    own = {name for name in targets if name.startswith(f"{source}:")}
    assert found - own == ALLOWED[source]


def test_a_new_pod_of_ours_is_closed(
    server: Server,
    strangers: dict[str, Any],
    targets: dict[str, Address],
    hosts: dict[str, tuple[str, ...]],
) -> None:
    inside = server.within(strangers["new"])
    eventually(
        lambda: server.opened(inside, targets) == ALLOWED["new"], RULES_LIMIT_S, "a closed pod"
    )


@pytest.mark.parametrize("source", ["foreign", "disguised", "lan", "internet"])
def test_others_reach_the_gateway_and_nothing_else_of_ours(
    server: Server,
    pods: dict[str, Any],
    strangers: dict[str, Any],
    targets: dict[str, Address],
    hosts: dict[str, tuple[str, ...]],
    source: str,
) -> None:
    inside = hosts[source] if source in hosts else server.within(strangers[source])
    found = server.opened(inside, targets)
    assert {name for name in found if name.partition(":")[0] in pods} == OF_US
    assert found >= BEHIND.keys()


def _ours(cluster: Cluster) -> list[Any]:
    return [
        pod
        for pod in cluster.pods("app.kubernetes.io/part-of=synapse")
        if pod.status.phase == "Running"
    ]


def _running(cluster: Cluster, namespace: str, name: str) -> Any:
    def look() -> Any:
        pod = cluster.core.read_namespaced_pod(name, namespace)
        return pod if pod.status.phase == "Running" else None

    return eventually(look, RULES_LIMIT_S, f"the pod {name}")
