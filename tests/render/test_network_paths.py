"""Which pod may talk to which: the NetworkPolicies allow what is in use, and nothing else."""

from itertools import product
from typing import Any

import pytest

Object = dict[str, Any]

# Every connection the site uses: who speaks, to whom, on which port. DNS is tested on its own.
ENGINES = ["vllm-big", "vllm-plain", "vllm-pooled"]
CONNECTIONS = {
    ("gateway", "ollama", 11434),
    ("model-fetcher", "ollama", 11434),
    ("gateway", "arbiter", 8080),
    ("gateway", "litellm", 4000),
    ("litellm", "gateway", 8001),  # and from there to Ollama
    ("litellm", "arbiter", 8080),
    ("gateway", "speaches", 8000),
    ("gateway", "piper", 8000),
    ("wyoming", "gateway", 8000),
    ("open-webui", "gateway", 8000),
    *(("arbiter", engine, 8000) for engine in ENGINES),
    *((engine, "arbiter", 8081) for engine in ENGINES),  # they ask for the GPU before they start
}
# Whereto by address: the internet less the house, and hosts that the site names.
MIRROR = ("192.0.2.20/32", 5000)
DOWNLOADS = {("0.0.0.0/0", 443), ("::/0", 443), MIRROR}
OUTWARD = {
    "arbiter": {("10.43.0.1/32", 443), ("192.0.2.5/32", 6443)},  # the API server, by both addresses
    "ollama": DOWNLOADS,
    "speaches": DOWNLOADS,
    "piper": DOWNLOADS,
    "litellm": DOWNLOADS,  # a provider by name
    "gateway": {("192.0.2.7/32", 8000), MIRROR},  # one of sound, by its address
    **dict.fromkeys(ENGINES, DOWNLOADS | {("0.0.0.0/0", 80), ("::/0", 80)}),  # and pictures
}
HOUSE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16")
INWARD = {"gateway": {8000}, "wyoming": {10300}, "open-webui": {8080}}


@pytest.fixture(scope="session")
def policies(objects: list[Object]) -> list[Object]:
    """The specs of all policies."""
    return [found["spec"] for found in objects if found["kind"] == "NetworkPolicy"]


@pytest.fixture(scope="session")
def pods(workloads: list[Object]) -> dict[str, Object]:
    """The labels of every kind of pod, by the name of its workload."""
    return {
        workload["metadata"]["name"]: workload["spec"]["template"]["metadata"]["labels"]
        for workload in workloads
    }


def selects(selector: Object, labels: Object) -> bool:
    assert not selector.keys() - {"matchLabels"}, "teach this test about matchExpressions first"
    return bool(selector.get("matchLabels", {}).items() <= labels.items())


def rules(policies: list[Object], direction: str, labels: Object) -> list[Object]:
    """All rules of one direction that hold for a pod."""
    ours = [policy for policy in policies if selects(policy["podSelector"], labels)]
    return [rule for policy in ours for rule in policy.get(direction) or []]


def ports_to(rule: Object, side: str, peer: Object) -> set[int]:
    """The ports a rule opens between the pod and a peer of the same namespace."""
    sides = rule.get(side)
    if sides is not None and not any(
        "namespaceSelector" not in one and selects(one.get("podSelector", {}), peer)
        for one in sides
        if "ipBlock" not in one
    ):
        return set()
    return {port["port"] for port in rule.get("ports", [])}


def allowed(policies: list[Object], source: Object, target: Object) -> set[int]:
    leaves = [ports_to(rule, "to", target) for rule in rules(policies, "egress", source)]
    enters = [ports_to(rule, "from", source) for rule in rules(policies, "ingress", target)]
    return set().union(*leaves) & set().union(*enters)


def test_nothing_is_open_by_default(policies: list[Object]) -> None:
    assert {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]} in policies


def test_exactly_the_connections_in_use_are_open(
    policies: list[Object], pods: dict[str, Object]
) -> None:
    found = {
        (source, target, port)
        for source, target in product(pods, repeat=2)
        if source != target
        for port in allowed(policies, pods[source], pods[target])
    }
    assert found == CONNECTIONS


def test_only_the_gateway_and_the_bridge_are_open_to_the_world(
    policies: list[Object], pods: dict[str, Object]
) -> None:
    found = {
        name: {
            port["port"]
            for rule in rules(policies, "ingress", labels)
            if "from" not in rule
            for port in rule["ports"]
        }
        for name, labels in pods.items()
    }
    assert {name: ports for name, ports in found.items() if ports} == INWARD


def test_pods_reach_the_world_only_where_they_must(
    policies: list[Object], pods: dict[str, Object]
) -> None:
    found = {
        name: {
            (one["ipBlock"]["cidr"], port["port"])
            for rule in rules(policies, "egress", labels)
            for one in rule["to"]
            if "ipBlock" in one
            for port in rule["ports"]
        }
        for name, labels in pods.items()
    }
    assert {name: blocks for name, blocks in found.items() if blocks} == OUTWARD


def test_the_world_is_not_the_house(policies: list[Object]) -> None:
    blocks = [
        one["ipBlock"]
        for policy in policies
        for rule in policy.get("egress") or []
        for one in rule["to"]
        if one.get("ipBlock", {}).get("cidr") == "0.0.0.0/0"
    ]
    assert blocks
    assert all(set(HOUSE) <= set(block["except"]) for block in blocks)


def test_every_pod_may_ask_the_clusters_name_server(
    policies: list[Object], pods: dict[str, Object]
) -> None:
    for name, labels in pods.items():
        asked = [
            (one["namespaceSelector"], sorted(port["protocol"] for port in rule["ports"]))
            for rule in rules(policies, "egress", labels)
            for one in rule.get("to", [])
            if "namespaceSelector" in one
        ]
        where = {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}
        assert asked == [(where, ["TCP", "UDP"])], name
