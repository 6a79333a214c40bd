"""Decides what reaches the server: ssh, its API, the gateway and what its site opens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any, Literal

from synapse_host.facts import HostFacts, K3s

Protocol = Literal["tcp", "udp"]

SSH = "ssh"
API = "the Kubernetes API"

SSH_PORT = 22
SSH_SERVERS = ("sshd", "dropbear")
SOCKET_ACTIVATORS = ("systemd", "init")
MULTICAST_DNS_PORT = 5353

# The interfaces behind which K3s' pods are, with each of flannel's ways.
POD_INTERFACES = ("cni0", "flannel.1", "flannel-v6.1", "flannel-wg", "flannel-wg-v6")


@dataclass(frozen=True, order=True)
class Opening:
    """A port of the server that stays open: to these addresses or networks, or to everybody."""

    port: int
    protocol: Protocol = "tcp"
    clients: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True)
class Site:
    """What a site says of its server's ports; without a gateway's port there is none to open."""

    gateway_port: int | None = None
    open_ports: tuple[Opening, ...] = ()
    api_clients: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rules:
    """What reaches the server, whichever firewall sees to it."""

    openings: tuple[Opening, ...]
    pods: tuple[str, ...] = ("10.42.0.0/16",)
    services: tuple[str, ...] = ("10.43.0.0/16",)
    has_multicast_dns: bool = False
    """The server tells its name in the network, such as forge.local."""

    @property
    def beside_ssh(self) -> tuple[Opening, ...]:
        """What a firewall that somebody else turned on has to let in: ssh comes in already."""
        return tuple(opening for opening in self.openings if opening.why != SSH)

    def opens(self, protocol: str, port: int) -> bool:
        """Return whether anybody outside reaches this port."""
        asked = (protocol, port)
        is_named = any((opening.protocol, opening.port) == asked for opening in self.openings)
        return is_named or (self.has_multicast_dns and asked == ("udp", MULTICAST_DNS_PORT))


def site_of(
    gateway_port: int | str | None,
    open_ports: Iterable[Mapping[str, Any]],
    api_clients: Sequence[str],
) -> Site:
    """Return what a site's variables say, as Ansible hands them over."""
    return Site(
        gateway_port=int(gateway_port) if gateway_port else None,
        open_ports=tuple(
            Opening(
                int(port["port"]),
                port.get("protocol", "tcp"),
                tuple(port.get("clients") or ()),
                "synapse_open_ports",
            )
            for port in open_ports
        ),
        api_clients=tuple(api_clients),
    )


def rules_of(facts: HostFacts, site: Site) -> Rules:
    """Return what is to reach this server; who is connected now always stays so."""
    openings = [Opening(port, why=SSH) for port in ssh_ports(facts)]
    if clients := _api_clients(facts, site):
        openings.append(Opening(facts.k3s.api_port, clients=clients, why=API))
    if site.gateway_port:
        openings.append(Opening(site.gateway_port, why="the gateway"))
    return Rules(
        openings=(*openings, *site.open_ports),
        pods=_networks(facts.k3s, "cluster-cidr", "10.42.0.0/16"),
        services=_networks(facts.k3s, "service-cidr", "10.43.0.0/16"),
        has_multicast_dns=any(
            (listener.protocol, listener.port) == ("udp", MULTICAST_DNS_PORT)
            for listener in facts.listeners
        ),
    )


def ssh_ports(facts: HostFacts) -> tuple[int, ...]:
    """Return every port that may be the way in: ssh's own, those of its servers, the present one.

    systemd may listen in ssh's place; where nothing else tells the way in, its ports count.
    """
    found = _ports_of(facts, SSH_SERVERS)
    present = {facts.system.reached_at} if facts.system.reached_at else set()
    if not found and not present:
        found = _ports_of(facts, SOCKET_ACTIVATORS)
    return tuple(sorted({SSH_PORT} | found | present))


def _ports_of(facts: HostFacts, programs: tuple[str, ...]) -> set[int]:
    return {
        listener.port
        for listener in facts.listeners
        if listener.protocol == "tcp" and listener.program in programs
    }


def _api_clients(facts: HostFacts, site: Site) -> tuple[str, ...]:
    clients = list(site.api_clients)
    # An address of the link alone carries its interface behind a percent sign.
    operator = facts.system.reached_from.partition("%")[0]
    if operator and not _is_within(operator, clients):
        clients.append(operator)
    return tuple(clients)


def _is_within(address: str, networks: Iterable[str]) -> bool:
    return any(ip_address(address) in ip_network(network) for network in networks)


def _networks(k3s: K3s, key: str, default: str) -> tuple[str, ...]:
    value = k3s.config.get(key, default)
    networks = value if isinstance(value, list) else str(value).split(",")
    return tuple(str(network).strip() for network in networks)
