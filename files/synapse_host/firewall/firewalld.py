"""Renders the rules for firewalld, where its owner has it on: a policy and a zone of their own.

What its owner opened in their zones stays open.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_network
from xml.sax.saxutils import quoteattr

from synapse_host.firewall.rules import Opening, Rules

HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'
NOTE = "Written by Synapse's role firewall, and written anew by its next run."


def policy(rules: Rules) -> str:
    """Return the file of a policy that opens ports of this server, whichever zone they ask in."""
    opened = [line for opening in rules.beside_ssh for line in _open(opening)]
    names = ['  <service name="mdns"/>'] if rules.has_multicast_dns else []
    lines = [
        '<policy target="CONTINUE">',
        f"  <short>Synapse</short>\n  <description>{NOTE}</description>",
        '  <ingress-zone name="ANY"/>\n  <egress-zone name="HOST"/>',
        *opened,
        *names,
        "</policy>",
    ]
    return HEAD + "\n".join(lines) + "\n"


def zone(networks: Iterable[str]) -> str:
    """Return the file of the zone in which pods may do what their network policies let them."""
    lines = [
        '<zone target="ACCEPT">',
        f"  <short>Pods of K3s</short>\n  <description>{NOTE}</description>",
        *(f"  <source address={quoteattr(network)}/>" for network in networks),
        "</zone>",
    ]
    return HEAD + "\n".join(lines) + "\n"


def _open(opening: Opening) -> list[str]:
    port = f'<port port="{opening.port}" protocol="{opening.protocol}"/>'
    if not opening.clients:
        return [f"  {port}"]
    return [
        f'  <rule family="ipv{ip_network(client).version}">'
        f"<source address={quoteattr(client)}/>{port}<accept/></rule>"
        for client in opening.clients
    ]
