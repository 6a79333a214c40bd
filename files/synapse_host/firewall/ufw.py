"""Renders the rules for ufw, where its owner has it on; their own rules stay as they are."""

from __future__ import annotations

import re
from collections.abc import Iterable

from synapse_host.firewall.rules import MULTICAST_DNS_PORT, POD_INTERFACES, Opening, Rules

COMMENT = "synapse"
PODS = POD_INTERFACES[0]


def wanted(rules: Rules) -> list[str]:
    """Return what ufw is to allow, each as `ufw show added` writes it."""
    opened = [line for opening in rules.beside_ssh for line in _allow(opening)]
    names = [f"allow {MULTICAST_DNS_PORT}/udp"] if rules.has_multicast_dns else []
    pods = [line for network in rules.pods for line in _pods(network)]
    return [*opened, *names, *pods]


def commands(wanted: Iterable[str], added: str) -> list[str]:
    """Return the arguments of the calls of ufw that lead from what was added to what is wanted.

    Only rules that carry our comment are removed. A rule of the owner's that allows the same, or
    limits it, will do: ufw would put ours into its place.
    """
    ours, theirs = [], set()
    for line in added.splitlines():
        if found := re.fullmatch(r"ufw (.*?)(?: comment '(.*)')?", line.strip()):
            if found[2] == COMMENT:
                ours.append(found[1])
            else:
                theirs.add(found[1].replace("limit ", "allow ", 1))
    new = list(dict.fromkeys(wanted))
    return [
        *(f"{rule} comment {COMMENT}" for rule in new if rule not in ours and rule not in theirs),
        *(_delete(rule) for rule in ours if rule not in new),
    ]


def _delete(rule: str) -> str:
    """The word stands behind `route`, where a rule begins with it."""
    return re.sub(r"^(route )?", r"\1delete ", rule)


def _allow(opening: Opening) -> list[str]:
    if not opening.clients:
        return [f"allow {opening.port}/{opening.protocol}"]
    return [
        f"allow from {client} to any port {opening.port} proto {opening.protocol}"
        for client in opening.clients
    ]


def _pods(network: str) -> list[str]:
    """From pods to the server, from pods to anybody, and to pods, where our own table looks."""
    return [
        f"allow in on {PODS} from {network}",
        f"route allow in on {PODS} from {network}",
        f"route allow out on {PODS} to {network}",
    ]
