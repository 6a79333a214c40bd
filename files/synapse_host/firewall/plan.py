"""Brings facts and site together: through which firewall, with which rules, closing whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from synapse_host.enforce import enforced
from synapse_host.facts import HostFacts
from synapse_host.firewall import firewalld, nftables, ufw
from synapse_host.firewall.rules import API, Rules, rules_of, site_of, ssh_ports
from synapse_host.lived_in import was_lived_in
from synapse_host.read import read

Through = Literal["nftables", "ufw", "firewalld"]

# Sockets for answers to what the server itself asked; their packets pass without an opening.
ANSWERS = {("udp", 68), ("udp", 546)}


@dataclass(frozen=True)
class Plan:
    """What the role does on the server."""

    is_enforced: bool
    is_loaded: bool
    through: Through
    problems: tuple[str, ...]
    closes: tuple[str, ...]
    table: str
    ufw: tuple[str, ...]
    firewalld_policy: str
    networks: tuple[str, ...]
    ssh: tuple[int, ...]


def plan(
    raw: Mapping[str, Any],
    enforce: list[str] | None,
    open_ports: list[Mapping[str, Any]],
    api_clients: list[str],
    gateway_port: int | str | None,
    k3s_config: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the plan for the server of which these facts were found, for Ansible.

    They were found before K3s was installed, maybe: what the site tells it counts already.
    """
    found = read(raw)
    config = {**found.k3s.config, **k3s_config}
    facts = replace(found, k3s=replace(found.k3s, config=config))
    rules = rules_of(facts, site_of(gateway_port, open_ports, api_clients))
    through = through_which(facts)
    table = nftables.ruleset if through == "nftables" else nftables.forwarding
    return asdict(
        Plan(
            is_enforced=enforced("firewall", enforce, was_lived_in(facts)),
            is_loaded=facts.firewalls.ours,
            through=through,
            problems=tuple(_problems(facts)),
            closes=tuple(closed(facts, rules)),
            table=table(rules),
            ufw=tuple(ufw.wanted(rules)),
            firewalld_policy=firewalld.policy(rules),
            networks=(*rules.pods, *rules.services),
            ssh=ssh_ports(facts),
        )
    )


def through_which(facts: HostFacts) -> Through:
    """Return who is to filter packets: whoever does on this server, else a table of our own."""
    if facts.firewalls.ufw == "active":
        return "ufw"
    return "firewalld" if facts.firewalls.firewalld == "active" else "nftables"


def closed(facts: HostFacts, rules: Rules) -> Iterator[str]:
    """Name, one sentence each, whom the rules would cut off from outside."""
    programs: dict[str, set[str]] = {}
    for listener in (*facts.listeners, *facts.firewalls.forwarded):
        at = (listener.protocol, listener.port)
        if at not in ANSWERS and not rules.opens(*at):
            name = listener.program or "a program without a name"
            programs.setdefault(name, set()).add(f"{listener.protocol} {listener.port}")
    for program, ports in sorted(programs.items()):
        yield f"{program} is no longer reached from outside at {', '.join(sorted(ports))}"
    for opening in rules.openings:
        if opening.why == API and facts.k3s.unit == "active":
            clients = ", ".join(opening.clients)
            yield f"{API} at tcp {opening.port} answers only to {clients}"


def _problems(facts: HostFacts) -> Iterator[str]:
    backend = facts.k3s.config.get("flannel-backend")
    if backend == "none":
        yield (
            "K3s' flannel is off (flannel-backend: none), so nobody here knows behind which"
            " interfaces the pods are, and they would be cut off from the server. Take firewall"
            " out of synapse_enforce, and close the ports with your network plugin"
        )
