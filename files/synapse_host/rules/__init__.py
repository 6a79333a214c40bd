"""Every condition of a server that Synapse knows, each a pure function of its facts.

`make doctor` shows all findings; a role stops at those that `stops` names. A new condition is one
more function in one of these modules, in the list below, and a row of the table in
tests/unit/host/test_rules.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal

from synapse_common.finding import Finding
from synapse_host.facts import HostFacts
from synapse_host.rules import closing, disks, driver, gpu, image, k3s, server, toolkit

Rule = Callable[[HostFacts, Mapping[str, Any]], Iterator[Finding]]

SERVER: tuple[Rule, ...] = (*server.RULES, *disks.RULES, *k3s.RULES, *closing.RULES)
ASKED_BY_ROLES: tuple[Rule, ...] = (server.system, k3s.present)
"""What the roles host and k3s decide by themselves, with the same functions."""
GPU: tuple[Rule, ...] = (*gpu.RULES, *driver.RULES, *toolkit.RULES, *image.RULES)


def of_server(facts: HostFacts, site: Mapping[str, Any]) -> list[Finding]:
    """Return what was found of system, disks, K3s and listeners: what is well too."""
    return _all(SERVER, facts, site)


def of_gpu(facts: HostFacts, site: Mapping[str, Any]) -> list[Finding]:
    """Return what was found of GPU, driver, container toolkit and image: what is well too."""
    return _all(GPU, facts, site)


def of_role(
    place: Literal["server", "gpu"], facts: HostFacts, site: Mapping[str, Any]
) -> list[Finding]:
    """Return the findings that a role asks for: without those that roles decide by themselves."""
    among = SERVER if place == "server" else GPU
    return _all((rule for rule in among if rule not in ASKED_BY_ROLES), facts, site)


def stops(findings: Iterable[Finding]) -> list[str]:
    """Return a sentence for each finding that a deployment has to wait for."""
    return [f"{one.what}: {one.seen}. {one.remedy}" for one in findings if one.stops]


def _all(rules: Iterable[Rule], facts: HostFacts, site: Mapping[str, Any]) -> list[Finding]:
    return [finding for rule in rules for finding in rule(facts, site)]
