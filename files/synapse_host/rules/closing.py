"""What Synapse closes, hardens and collects here, or would if the site asked for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from synapse_common.finding import Finding
from synapse_host.enforce import Enforceable, enforced
from synapse_host.facts import HostFacts
from synapse_host.firewall.plan import closed, through_which
from synapse_host.firewall.rules import Opening, Rules, rules_of, site_of
from synapse_host.hardening import parts
from synapse_host.lived_in import was_lived_in
from synapse_host.rules.say import DEPLOY_CLUSTER, listed, server
from synapse_host.settings import unmet


def firewall(facts: HostFacts, site: Mapping[str, Any]) -> Iterator[Finding]:
    """Who listens, and who of them is cut off from outside, now or once the site asks for it."""
    facts = replace(facts, k3s=replace(facts.k3s, config=_config(facts, site)))
    rules = _rules(facts, site)
    cut_off = list(closed(facts, rules))
    opened = _ports(rules.openings)
    keep = "What others need goes into synapse_open_ports of platform.yml."
    if _is_on("firewall", facts, site):
        todo = (
            f"{DEPLOY_CLUSTER} leaves {opened} open: {'; '.join(cut_off) or 'nobody is cut off'}."
        )
        is_done = facts.firewalls.ours
        yield server(
            "firewall",
            _open_now(facts, rules) if is_done else "not closed yet",
            "" if is_done else f"{todo} {keep}",
            is_note=True,
        )
    elif cut_off:
        yield server(
            "firewall",
            f"{len(cut_off)} would be cut off by it",
            f"Synapse closes nothing on a server that is lived in. With synapse_enforce: "
            f"[firewall], {opened} stay open, and: {'; '.join(cut_off)}. {keep}",
            is_note=True,
        )
    else:
        yield server("firewall", f"nobody is reached but at {opened}")


def _open_now(facts: HostFacts, rules: Rules) -> str:
    """Say what is open; where ufw or firewalld decides, its owner's rules hold too."""
    through = through_which(facts)
    openings = rules.openings if through == "nftables" else rules.beside_ssh
    opened = f"only {_ports(openings)} are open"
    if through == "nftables":
        return f"{through}: {opened}"
    return f"beside what its owner opened in {through}, {opened}"


def _ports(openings: Iterable[Opening]) -> str:
    return listed(sorted({f"{one.port}/{one.protocol}" for one in openings}))


def _config(facts: HostFacts, site: Mapping[str, Any]) -> dict[str, Any]:
    """Return K3s' configuration with what the site adds to it at the next run."""
    return {**facts.k3s.config, **(site.get("k3s_config") or {})}


def hardening(facts: HostFacts, site: Mapping[str, Any]) -> Iterator[Finding]:
    """Which settings of the CIS guide are missing, and what each would change for others."""
    if not facts.k3s.version:
        return
    if _is_on("hardening", facts, site):
        is_done = bool(facts.k3s.config.get("protect-kernel-defaults"))
        todo = f"{DEPLOY_CLUSTER} does it, and restarts K3s once."
        seen = "done" if is_done else "asked for, not done yet"
        yield server("hardening", seen, "" if is_done else todo, is_note=True)
        return
    changes = [f"{part.what} ({part.changes})" for part in parts(facts.k3s.data_dir)]
    known = facts.system.sysctls
    kernel = [
        f"{one.name} from {known[one.name]} to {one.value}"
        for one in unmet(known, is_hardened=True)
        if one.need == "hardening" and one.name in known
    ]
    yield server(
        "hardening",
        "left as it is",
        "synapse_enforce: [hardening] restarts K3s once, and would change: "
        + "; ".join([*changes, *kernel])
        + ".",
        is_note=True,
    )


def image_collection(facts: HostFacts, site: Mapping[str, Any]) -> Iterator[Finding]:
    """Whether a large image that sleeps is kept: Kubernetes alone removes it early."""
    if not facts.k3s.version:
        return
    if _is_on("image_collection", facts, site):
        told = facts.k3s.config.get("kubelet-arg") or ()
        is_late = any(str(one).startswith("image-gc-high-threshold=") for one in told)
        todo = f"{DEPLOY_CLUSTER} has it wait until 90 % of the disk, and restarts K3s once."
        seen = "late: an image of a sleeping engine stays" if is_late else "asked for, not done yet"
        yield server("image collection", seen, "" if is_late else todo, is_note=True)
        return
    yield server(
        "image collection",
        "as K3s has it",
        "From 85 % of the disk on Kubernetes removes images that nobody uses at the moment, vLLM's "
        "20 GiB too: synapse_enforce: [image_collection] waits until 90 %, after one restart of "
        "K3s.",
        is_note=True,
    )


def _is_on(what: Enforceable, facts: HostFacts, site: Mapping[str, Any]) -> bool:
    return enforced(what, site.get("synapse_enforce"), was_lived_in(facts))


def _rules(facts: HostFacts, site: Mapping[str, Any]) -> Rules:
    kind = site.get("synapse_gateway_service_type", "LoadBalancer")
    port = "synapse_gateway_port" if kind == "LoadBalancer" else "synapse_gateway_node_port"
    return rules_of(
        facts,
        site_of(
            site.get(port),
            site.get("synapse_open_ports") or (),
            site.get("synapse_api_clients") or (),
        ),
    )


RULES = (firewall, hardening, image_collection)
