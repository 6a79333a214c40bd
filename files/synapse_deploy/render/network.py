"""What the roles' NetworkPolicies and Services share: ports, and where a pod may go. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from synapse_common.addresses import is_address

Rule = dict[str, Any]
Entry = Mapping[str, Any]

ANYWHERE = {"IPv4": "0.0.0.0/0", "IPv6": "::/0"}
# Whatever is not the internet (RFC 6890): the house, the cluster, other private networks, this
# host, a cloud's metadata, multicast. A download has no business there.
PRIVATE = {
    "IPv4": (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "224.0.0.0/3",
    ),
    "IPv6": ("::/8", "fc00::/7", "fe80::/10", "ff00::/8"),
}
CLUSTER_SUFFIXES = (".svc", ".svc.cluster.local")


def tcp(port: int) -> dict[str, Any]:
    """Return a port of a policy's rule."""
    return {"protocol": "TCP", "port": int(port)}


def port_of(url: str) -> int:
    """Return the port that a URL leads to."""
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)


def admitted(peers: Iterable[Entry], port: int) -> list[Rule]:
    """Return the rule that lets these peers in by a port; none for nobody.

    A rule without peers would let everybody in.
    """
    named = [dict(peer) for peer in peers]
    return [{"from": named, "ports": [tcp(port)]}] if named else []


def internet(ports: Iterable[int]) -> list[Rule]:
    """Return the rules that open these ports of every public address; a policy knows no names."""
    opened = [tcp(port) for port in ports]
    to = [
        {"ipBlock": {"cidr": ANYWHERE[family], "except": list(PRIVATE[family])}}
        for family in ANYWHERE
    ]
    return [{"to": to, "ports": opened}] if opened else []


def hosts(found: Iterable[Entry]) -> list[Rule]:
    """Return the rules that open one port of one address each: {address, port}."""
    return [
        {"to": [_address(host["address"])], "ports": [tcp(host["port"])]} for host in unique(found)
    ]


def downloads(ports: Iterable[int], lan_hosts: Iterable[Entry]) -> list[Rule]:
    """Return the rules of who fetches models: the internet, and the mirrors that the site names."""
    return [*internet(ports), *hosts(lan_hosts)]


def within(places: Iterable[Entry]) -> list[Rule]:
    """Return the rules that lead to pods of this namespace: {url, pod_labels}."""
    return [
        {
            "to": [{"podSelector": {"matchLabels": dict(place["pod_labels"])}}],
            "ports": [tcp(port_of(place["url"]))],
        }
        for place in places
    ]


def providers(urls: Iterable[str], lan_hosts: Iterable[Entry], namespace: str) -> list[Rule]:
    """Return the rules that lead to providers outside.

    A policy knows no host names: a provider's port is open to every public address, and a provider
    in the house is known by its address alone.
    """
    rules: list[Rule] = []
    wanted = sorted(set(urls))
    for rule in (rule for url in wanted for rule in address_of(url, namespace)):
        if rule not in rules:
            rules.append(rule)
    return [*rules, *hosts(lan_hosts)] if wanted else rules


def address_of(url: str, namespace: str) -> list[Rule]:
    """Return the rules that lead to one URL, as closely as a policy can say it.

    An address is opened alone. A Service of this namespace is its pods' port; of another one, any
    port of its pods, since theirs may differ from the Service's. Any other name is on the internet.
    """
    name, port = (urlsplit(url).hostname or "").rstrip("."), port_of(url)
    if name == "localhost" or (is_address(name) and ip_address(name).is_loopback):
        return []  # within the pod
    if is_address(name):
        return hosts([{"address": name, "port": port}])
    service = _service(name, namespace)
    if service is None:
        return internet([port])
    if service == namespace:
        return [{"to": [{"podSelector": {}}], "ports": [tcp(port)]}]
    labels = {"kubernetes.io/metadata.name": service}
    return [{"to": [{"namespaceSelector": {"matchLabels": labels}}]}]


def service_port(
    name: str, port: int, service_type: str, node_port: int | None
) -> list[dict[str, Any]]:
    """Return the one port of a Service, by its name in the pods; a NodePort may name the node's."""
    fixed = {"nodePort": int(node_port)} if service_type == "NodePort" and node_port else {}
    return [{"name": name, "port": int(port), "targetPort": name, **fixed}]


def unique(found: Iterable[Entry]) -> list[dict[str, Any]]:
    """Return hosts once each, in a stable order."""
    pairs = {(str(host["address"]), int(host["port"])) for host in found}
    return [{"address": address, "port": port} for address, port in sorted(pairs)]


def _address(text: str) -> Rule:
    address = ip_address(text)
    return {"ipBlock": {"cidr": f"{address}/{address.max_prefixlen}"}}


def _service(name: str, namespace: str) -> str | None:
    """Return the namespace of a Service by its name in a URL; None for a name of the world."""
    if "." not in name:
        return namespace
    for suffix in CLUSTER_SUFFIXES:
        if name.endswith(suffix):
            return name.removesuffix(suffix).rpartition(".")[2]
    return None
