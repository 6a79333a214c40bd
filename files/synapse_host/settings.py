"""What the kernel of a server is told, each with its reason; `hardening` asks for some of it.

The machine's open files need nothing: systemd sets fs.file-max and fs.nr_open to the most there is
at each boot, and K3s' unit has a limit of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from synapse_host.enforce import enforced
from synapse_host.facts import HostFacts
from synapse_host.lived_in import was_lived_in
from synapse_host.read import read

Need = Literal["k3s", "hardening"]


@dataclass(frozen=True)
class Setting:
    """A sysctl: its name, its value, who needs it, and what goes wrong without it.

    With `at_least`, a higher value that somebody else set is as good, and stays.
    """

    name: str
    value: int
    need: Need
    why: str
    at_least: bool = False

    def is_met_by(self, seen: str | None) -> bool:
        """Return whether a value that was read on the server will do."""
        if seen is None or not seen.lstrip("-").isdigit():
            return False
        return int(seen) >= self.value if self.at_least else int(seen) == self.value


SETTINGS = (
    Setting(
        "fs.inotify.max_user_instances",
        8192,
        "k3s",
        "every container takes two of the 128 that a distribution allows for root; after some"
        ' sixty, pods fail with "too many open files" (k3s#10020)',
        at_least=True,
    ),
    Setting(
        "fs.inotify.max_user_watches",
        524288,
        "k3s",
        "kubelet watches every mounted ConfigMap and Secret, and many programs watch files too",
        at_least=True,
    ),
    # kubelet sets these six itself; with protect-kernel-defaults it refuses to start without them.
    Setting("vm.overcommit_memory", 1, "hardening", "kubelet starts with this value alone"),
    Setting("vm.panic_on_oom", 0, "hardening", "kubelet starts with this value alone"),
    Setting("kernel.panic", 10, "hardening", "kubelet starts with this value alone"),
    Setting("kernel.panic_on_oops", 1, "hardening", "kubelet starts with this value alone"),
    Setting(
        "kernel.keys.root_maxkeys", 1000000, "hardening", "kubelet starts with this value alone"
    ),
    Setting(
        "kernel.keys.root_maxbytes", 25000000, "hardening", "kubelet starts with this value alone"
    ),
)


def unmet(seen: Mapping[str, str], is_hardened: bool) -> list[Setting]:
    """Return the settings that this server needs and does not have."""
    return [one for one in _needed(is_hardened) if not one.is_met_by(seen.get(one.name))]


def sysctl_file(seen: Mapping[str, str], is_hardened: bool) -> str:
    """Return the file that sets them at each start; nothing that is higher already is lowered."""
    lines = ["# Written by Synapse's role server_settings, and written anew by its next run."]
    for one in _needed(is_hardened):
        value = int(seen[one.name]) if one.is_met_by(seen.get(one.name)) else one.value
        lines += [f"# {one.need}: {one.why}", f"{one.name} = {value}"]
    return "\n".join(lines) + "\n"


def needs_clock(facts: HostFacts) -> bool:
    """Return whether a service that sets the clock is to be installed.

    A wrong clock makes certificates invalid. A container has its machine's clock, and on a server
    that is lived in its owner decides: `make doctor` tells them.
    """
    system = facts.system
    has_service = bool(system.clock_service) or system.clock_synchronized is True
    return not (has_service or system.container or was_lived_in(facts))


def swap(facts: HostFacts) -> str:
    """Return what becomes of the server's swap, in a sentence; empty without any."""
    if not facts.system.swap_gib:
        return ""
    return (
        f"{facts.system.swap_gib:.0f} GiB of swap stay on: K3s starts kubelet with"
        " failSwapOn=false, and pods get none of it, so a model never runs from swap."
    )


def plan(raw: Mapping[str, Any], enforce: list[str] | None) -> dict[str, Any]:
    """Return what the role server_settings does on the server of which these facts were found."""
    facts = read(raw)
    is_hardened = enforced("hardening", enforce, was_lived_in(facts))
    seen = facts.system.sysctls
    return {
        "file": sysctl_file(seen, is_hardened),
        "unmet": [one.name for one in unmet(seen, is_hardened)],
        "needs_clock": needs_clock(facts),
        "swap": swap(facts),
    }


def _needed(is_hardened: bool) -> list[Setting]:
    return [one for one in SETTINGS if is_hardened or one.need == "k3s"]
