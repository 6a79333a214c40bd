"""Where pods may go outside: the internet without the house, named hosts, a URL's own place."""

from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from synapse_deploy.render.arbiter import api_servers
from synapse_deploy.render.network import address_of, downloads, hosts, internet

Rule = dict[str, Any]


def opens(rules: list[Rule], address: str, port: int) -> bool:
    """Whether the rules let a packet to this address pass, as Kubernetes defines ipBlock."""
    return any(
        _within(peer["ipBlock"], address)
        for rule in rules
        for peer in rule["to"]
        if "ipBlock" in peer and port in [one["port"] for one in rule.get("ports", [])]
    )


def _within(block: Rule, address: str) -> bool:
    one = ip_address(address)
    return one in ip_network(block["cidr"]) and not any(
        one in ip_network(left_out) for left_out in block.get("except", [])
    )


@pytest.mark.parametrize("address", ["1.1.1.1", "140.82.121.4", "172.15.0.1", "2606:4700::1111"])
def test_a_download_reaches_the_internet(address: str) -> None:
    assert opens(internet([443]), address, 443)
    assert not opens(internet([443]), address, 22)


@pytest.mark.parametrize(
    "address",
    [
        "192.168.1.1",  # the router
        "10.43.0.1",  # the cluster's API server
        "10.42.0.7",  # a pod
        "172.31.255.255",
        "100.64.0.1",  # a tailnet
        "169.254.169.254",  # a cloud's metadata
        "127.0.0.1",
        "0.0.0.0",
        "224.0.0.251",
        "255.255.255.255",
        "fd00::1",
        "fe80::1",
        "::1",
        "::ffff:192.168.1.1",
    ],
)
def test_a_download_reaches_nothing_in_the_house(address: str) -> None:
    assert not opens(internet([443]), address, 443)


def test_a_mirror_in_the_house_is_opened_alone() -> None:
    rules = downloads([443], [{"address": "192.168.1.20", "port": 5000}])
    assert opens(rules, "192.168.1.20", 5000)
    assert not opens(rules, "192.168.1.20", 443)
    assert not opens(rules, "192.168.1.21", 5000)


def test_no_port_opens_nothing() -> None:
    assert downloads([], []) == []


@pytest.mark.parametrize(
    ("url", "address", "port"),
    [
        ("https://192.168.1.30/v1", "192.168.1.30", 443),
        ("http://[fd00::9]:8000/v1", "fd00::9", 8000),
        ("https://api.example.com:8443/v1", "93.184.216.34", 8443),
    ],
)
def test_a_url_opens_where_it_leads(url: str, address: str, port: int) -> None:
    rules = address_of(url, "llm-infra")
    assert opens(rules, address, port)
    assert not opens(rules, "192.168.1.31", port)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/v1", "http://localhost:9", "http://[::1]:9"])
def test_a_url_within_the_pod_opens_nothing(url: str) -> None:
    assert address_of(url, "llm-infra") == []


@pytest.mark.parametrize(
    "host", ["ears", "ears.llm-infra.svc", "ears.llm-infra.svc.cluster.local."]
)
def test_a_service_of_the_namespace_is_its_pods_port(host: str) -> None:
    (rule,) = address_of(f"http://{host}:8000/v1", "llm-infra")
    assert rule == {"to": [{"podSelector": {}}], "ports": [{"protocol": "TCP", "port": 8000}]}


def test_a_service_of_another_namespace_is_any_port_there() -> None:
    (rule,) = address_of("http://ears.elsewhere.svc/v1", "llm-infra")
    labels = {"kubernetes.io/metadata.name": "elsewhere"}
    assert rule == {"to": [{"namespaceSelector": {"matchLabels": labels}}]}


def test_the_api_server_is_its_service_and_what_is_behind_it() -> None:
    service = {"spec": {"clusterIP": "10.43.0.1", "ports": [{"port": 443}]}}
    parts: list[Rule] = [
        {"ports": [{"port": 6443}], "endpoints": [{"addresses": ["192.168.1.10"]}]},
        {"ports": [{"port": 6443}], "endpoints": None},
    ]
    found = api_servers([service], parts)
    assert found == [
        {"address": "10.43.0.1", "port": 443},
        {"address": "192.168.1.10", "port": 6443},
    ]
    assert opens(hosts(found), "192.168.1.10", 6443)
    assert not opens(hosts(found), "192.168.1.11", 6443)
