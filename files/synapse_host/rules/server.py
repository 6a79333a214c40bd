"""The machine itself: what K3s and Synapse need of its system, before anything is installed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from synapse_common.finding import Finding
from synapse_host import settings
from synapse_host.facts import HostFacts
from synapse_host.fit import unfit
from synapse_host.rules.say import DEPLOY_CLUSTER, listed, server

LEAST_CORES, LEAST_GIB = 2, 1.9
"""What K3s asks of a server; 2 GB as `free` shows them."""
OPEN_FILES = 65536
"""K3s raises its own limit as far as this hard one lets it; containers inherit it."""


def seen(facts: HostFacts, _site: Mapping[str, Any]) -> Iterator[Finding]:
    """All of it could be looked at."""
    for sentence in facts.unseen:
        yield server("not looked at", "unknown", sentence, is_note=True)


def system(facts: HostFacts, _site: Mapping[str, Any]) -> Iterator[Finding]:
    """A system on which the role `host` goes on."""
    it = facts.system
    name = f"{it.id} {it.version}, kernel {it.kernel}" + (
        f", in {it.container}" if it.container else ""
    )
    reasons = unfit(facts)
    for sentence in reasons:
        yield server("system", name, sentence)
    if not reasons:
        yield server("system", name)


def clock(facts: HostFacts, _site: Mapping[str, Any]) -> Iterator[Finding]:
    """A clock that somebody sets: certificates, signatures and keys that end depend on it."""
    it = facts.system
    if it.clock_synchronized:
        yield server("clock", f"set by {it.clock_service or 'somebody'}")
    elif it.clock_service:
        yield server(
            "clock",
            f"{it.clock_service} runs, not synchronised",
            "`timedatectl timesync-status` (chrony: `chronyc sources`) says which time server is "
            "not reached; a wrong clock makes certificates and signatures invalid.",
            is_note=True,
        )
    elif it.container:
        yield server("clock", "its machine's")
    else:
        ours = settings.needs_clock(facts)
        yield server(
            "clock",
            "nobody sets it",
            f"{DEPLOY_CLUSTER} installs systemd-timesyncd."
            if ours
            else "`sudo apt install "
            "systemd-timesyncd`: on a server that is lived in you decide who sets it.",
            is_note=not ours,
            goes_on=True,
        )


def swap(facts: HostFacts, _site: Mapping[str, Any]) -> Iterator[Finding]:
    """What becomes of swap."""
    said = settings.swap(facts)
    remedy = f"{said} `sudo swapoff -a`, and a line less in /etc/fstab, ends it." if said else ""
    gib = facts.system.swap_gib
    yield server("swap", f"{gib:.1f} GiB" if gib else "none", remedy, is_note=True)


def size(facts: HostFacts, site: Mapping[str, Any]) -> Iterator[Finding]:
    """Cores and memory: enough for K3s, and as many as the site says."""
    cores, gib = facts.system.cores, facts.system.memory_gib
    told = site.get("synapse_memory_gib")
    remedy, is_note, goes_on = "", False, False
    if gib < LEAST_GIB or cores < LEAST_CORES:
        remedy = f"K3s alone asks for {LEAST_CORES} cores and 2 GiB."
        is_note = gib >= LEAST_GIB
    elif isinstance(told, int | float) and told > gib + 1:
        remedy = f"The site says synapse_memory_gib: {told:g}; write {int(gib)} into platform.yml."
        goes_on = True
    yield server(
        "cores and memory", f"{cores}, {gib:.1f} GiB", remedy, is_note=is_note, goes_on=goes_on
    )


def reboot(facts: HostFacts, _site: Mapping[str, Any]) -> Iterator[Finding]:
    """No upgrade waits for a reboot."""
    packages = facts.system.reboot_required_by
    if packages:
        names = "wanted" if packages == ("?",) else f"wanted by {listed(packages)}"
        yield server(
            "reboot", names, "`sudo reboot` when it suits; pods start again.", is_note=True
        )
    else:
        yield server("reboot", "none pending")


def sudo(facts: HostFacts, _site: Mapping[str, Any]) -> Iterator[Finding]:
    """Ansible reads sudo's question for a password; that of sudo-rs it does not know."""
    if facts.system.sudo == "sudo-rs":
        yield server("sudo", "sudo-rs, without a password", SUDO_RS, is_note=True)


SUDO_RS = (
    "Ansible 2.19 does not understand the password prompt of sudo-rs (ansible#87423): allow the "
    "user to use sudo without a password, or write `ansible_become_exe: sudo.ws` beside the server "
    "in hosts.yml."
)


def limits(facts: HostFacts, _site: Mapping[str, Any]) -> Iterator[Finding]:
    """Room for the files that containers open and watch."""
    known = facts.system.sysctls
    few = [one for one in settings.unmet(known, is_hardened=False) if one.name in known]
    said = [f"{one.name} = {known[one.name]}, needs {one.value}" for one in few]
    if 0 < facts.system.open_files < OPEN_FILES:
        said.append(f"{facts.system.open_files} open files of a service, needs {OPEN_FILES}")
    remedy = (
        f"Many containers end with `too many open files`: {DEPLOY_CLUSTER} sets what the kernel "
        f"counts; of services, `DefaultLimitNOFILE={OPEN_FILES}` in /etc/systemd/system.conf."
    )
    yield server("file limits", listed(said) or "enough", remedy if said else "", is_note=True)


RULES = (seen, system, clock, swap, size, reboot, sudo, limits)
