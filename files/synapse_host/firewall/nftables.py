"""Renders the rules for nftables: one table of its own, replaced in one step.

Its chains only refuse: what they let pass still goes through those of K3s, ufw and firewalld.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network

from synapse_host.firewall.rules import MULTICAST_DNS_PORT, POD_INTERFACES, Opening, Rules

TABLE = "inet synapse"

# Before K3s' chains, which stand at `filter` and accept what a network policy allows.
HOOK = "type filter hook {name} priority filter - 5; policy accept;"
# A port of this server that leads to a pod or to a container.
SENT_ON = "ct status dnat goto asked"
REFUSE = "counter reject with icmpx admin-prohibited"


def ruleset(rules: Rules) -> str:
    """Return the file that closes everything but what the rules open."""
    return _file([_input(rules), _forward(rules), _asked(rules)])


def forwarding(rules: Rules) -> str:
    """Return the file that closes only ports of pods and containers: ufw or firewalld has the rest.

    Neither sees them: K3s sends a packet to a pod's address before they look, and they accept it.
    """
    sent_on = ["chain input", HOOK.format(name="input"), *_from_inside(rules), SENT_ON]
    return _file([sent_on, _forward(rules), _asked(rules)])


def _file(chains: Iterable[Sequence[str]]) -> str:
    blocks = "\n".join(
        "\n".join((f"\t{chain[0]} {{", *(f"\t\t{line}" for line in chain[1:]), "\t}"))
        for chain in chains
    )
    return (
        "# Written by Synapse's role firewall, and written anew by its next run.\n"
        "# Made first, so that it can be removed: this file is loaded in one step.\n"
        f"table {TABLE}\n"
        f"delete table {TABLE}\n"
        f"table {TABLE} {{\n{blocks}\n}}\n"
    )


def _input(rules: Rules) -> list[str]:
    names = [
        f"udp dport {MULTICAST_DNS_PORT} ip daddr 224.0.0.251 accept",
        f"udp dport {MULTICAST_DNS_PORT} ip6 daddr ff02::fb accept",
    ]
    return [
        "chain input",
        HOOK.format(name="input"),
        *_from_inside(rules),
        "icmp type { echo-request, destination-unreachable, time-exceeded, parameter-problem }"
        " accept",
        "icmpv6 type { echo-request, destination-unreachable, packet-too-big, time-exceeded,"
        " parameter-problem, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert,"
        " mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report }"
        " accept",
        "ip protocol igmp accept",
        # The answers to DHCP, which come from an address that was never asked.
        "udp sport 67 udp dport 68 accept",
        "ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept",
        *(names if rules.has_multicast_dns else []),
        "goto asked",
    ]


def _forward(rules: Rules) -> list[str]:
    closed = [
        f"{family} daddr {_set(networks)} {REFUSE}"
        for family, networks in _by_family((*rules.pods, *rules.services))
    ]
    return [
        "chain forward",
        HOOK.format(name="forward"),
        *_from_inside(rules),
        SENT_ON,
        # Who knows the way asks for a pod by its own address. Everything else is only passing.
        *closed,
    ]


def _asked(rules: Rules) -> list[str]:
    """The port that was asked for, wherever the packet has been sent since."""
    closed = [
        f"ct original {family} daddr {_set(networks)} {REFUSE}"
        for family, networks in _by_family((*rules.pods, *rules.services))
    ]
    opened = [line for opening in rules.openings for line in _open(opening)]
    return ["chain asked", *closed, *opened, REFUSE]


def _from_inside(rules: Rules) -> list[str]:
    """What belongs to a connection that is let in, is the server's own, or comes from a pod."""
    interfaces = _set(f'"{name}"' for name in POD_INTERFACES)
    pods = [
        f"iifname {interfaces} {family} saddr {_set(networks)} accept"
        for family, networks in _by_family(rules.pods)
    ]
    return ["ct state established,related accept", 'iifname "lo" accept', *pods]


def _open(opening: Opening) -> list[str]:
    asked = f"meta l4proto {opening.protocol} ct original proto-dst {opening.port}"
    if not opening.clients:
        return [f"{asked} accept"]
    return [
        f"{asked} {family} saddr {_set(networks)} accept"
        for family, networks in _by_family(opening.clients)
    ]


def _by_family(networks: Iterable[str]) -> list[tuple[str, list[str]]]:
    """Sort networks by family; a set of nftables takes none that lies in another."""
    known = [ip_network(network) for network in networks]
    v4 = collapse_addresses(network for network in known if isinstance(network, IPv4Network))
    v6 = collapse_addresses(network for network in known if isinstance(network, IPv6Network))
    found = {"ip": [str(each) for each in v4], "ip6": [str(each) for each in v6]}
    return [(family, each) for family, each in found.items() if each]


def _set(elements: Iterable[str]) -> str:
    return f"{{ {', '.join(elements)} }}"
