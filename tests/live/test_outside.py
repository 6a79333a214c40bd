"""What a neighbour on the network sees of the server: the gateway, and no way around it."""

import httpx
import pytest

from synapse_cli.cluster import Cluster
from synapse_testbed.commands import TestbedError
from synapse_testbed.podman import podman

from .conftest import TESTBED


@pytest.mark.parametrize(
    "path",
    [
        "/ui",
        "/docs",
        "/redoc",
        "/openapi.json",
        "/key/generate",
        "/model/new",
        "/config/yaml",
        "/metrics",
        "/health",
        "/v1/../key/list",
        "/v1//ui",
        "/v1/models/%2e%2e/%2e%2e/key/list",
        "/debug/memory/summary",
        "/sso/key/generate",
    ],
)
def test_admin_routes_do_not_answer(http: httpx.Client, path: str) -> None:
    for method in ("GET", "POST"):
        answer = http.request(method, path, json={} if method == "POST" else None)
        assert answer.status_code in {404, 405}, f"{method} {path} answered {answer.status_code}"
        assert set(answer.json()) == {"error"}


def test_only_the_gateway_and_the_bridge_have_a_door_to_the_outside(cluster: Cluster) -> None:
    services = cluster.core.list_namespaced_service(cluster.namespace).items
    doors = {service.metadata.name for service in services if service.spec.type != "ClusterIP"}
    assert doors == {"gateway", "wyoming"}
    pods = cluster.core.list_namespaced_pod(cluster.namespace).items
    assert not [pod.metadata.name for pod in pods if pod.spec.host_network]
    assert not [
        port.host_port
        for pod in pods
        for container in pod.spec.containers
        for port in container.ports or []
        if port.host_port
    ]


def test_the_host_publishes_two_ports_to_itself() -> None:
    doors = podman("port", TESTBED).splitlines()
    assert len(doors) == 2, doors
    assert all("127.0.0.1:" in door for door in doors), doors


@pytest.mark.parametrize("address", ["10.42.9.9", "10.43.9.9"], ids=["pod", "service"])
def test_packets_for_what_is_gone_stay_in_the_server(address: str) -> None:
    call = f"import socket; socket.create_connection(('{address}', 80), 5)"
    with pytest.raises(TestbedError, match=r"ConnectionRefusedError|No route to host"):
        podman("exec", TESTBED, "python3", "-c", call)
