"""The server below the cluster, and its GPU: what the rules say of its facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from synapse_cli.doctor.unreached import sentence
from synapse_common.finding import Finding
from synapse_deploy.catalogue.server_rules import needed_gib
from synapse_host import rules
from synapse_host.facts import HostFacts
from synapse_host.read import FactsError, read

server = partial(Finding, "server")


@dataclass(frozen=True)
class Asked:
    """What the servers of the inventory answered: for each, what Ansible's module returned."""

    answers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    fault: str = ""
    """Why none could be asked."""


def servers(asked: Asked, site: Mapping[str, Any]) -> Iterator[Finding]:
    """What was found of each server and of its GPU; that there is none is no fault."""
    if asked.fault:
        yield server("server", "not asked", asked.fault)
    elif not asked.answers:
        yield server("server", "no server in hosts.yml: somebody else sees to it")
    elif len(asked.answers) > 1:
        yield server(
            "server",
            ", ".join(asked.answers),
            "Synapse sets up one server: leave one in the group `server` of hosts.yml.",
        )
    for name, answer in asked.answers.items():
        yield from _looked_at(name, answer, site)


def _looked_at(name: str, answer: Mapping[str, Any], site: Mapping[str, Any]) -> Iterator[Finding]:
    raw = answer.get("facts")
    if not isinstance(raw, Mapping):
        yield server(name, *sentence(answer))
        return
    try:
        facts = read(raw)
    except FactsError as fault:
        yield server(name, "facts not understood", str(fault))
        return
    yield server(name, facts.system.address or "reached")
    yield from rules.of_server(facts, site)
    yield from _memory(facts, site)
    yield from rules.of_gpu(facts, site)


def _memory(facts: HostFacts, site: Mapping[str, Any]) -> Iterator[Finding]:
    """Before there is a cluster that could tell: has the server the memory for the catalogue?"""
    needed, has = needed_gib(site), facts.system.memory_gib
    if facts.k3s.version or site.get("vllm_memory_request_gib") is not None or needed <= has:
        return
    yield server(
        "memory",
        f"{needed:.1f} of {has:.1f} GiB",
        f"Everything together may use {needed:.1f} GiB: write synapse_memory_gib: {int(has)} into "
        "platform.yml, then make check says what the sum is made of.",
    )
