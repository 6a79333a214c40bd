"""What a server has to be before anything is done on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from synapse_host.facts import HostFacts, System
from synapse_host.lived_in import lived_in_by
from synapse_host.read import read

ARCHITECTURES = ("x86_64", "aarch64")
KNOWN = {"debian": ("12", "13"), "ubuntu": ("24.04", "26.04")}


def is_known(system: System) -> bool:
    """Tell whether Synapse installs on this system; on others it adopts what is there."""
    return system.version in KNOWN.get(system.id, ())


def unfit(facts: HostFacts) -> tuple[str, ...]:
    """Return why nothing can be done on this server, a sentence for each reason; empty: it can."""
    return tuple(_unfit(facts))


def unfit_of(raw: Mapping[str, Any]) -> list[str]:
    """Return the same of facts as the module sent them."""
    return list(unfit(read(raw)))


def inhabitants_of(raw: Mapping[str, Any]) -> list[str]:
    """Return who lives on the server, of facts as the module sent them."""
    return list(lived_in_by(read(raw)))


def _unfit(facts: HostFacts) -> Iterator[str]:
    system = facts.system
    if not system.kernel:
        yield "It runs no Linux. Synapse's server is a Linux machine; Ansible may run elsewhere."
        return
    if not system.is_root:
        yield (
            "Ansible is not root there, and Kubernetes needs that. Take `ansible_become: false` "
            "out of hosts.yml; `ansible_become_method` says how, sudo unless it is written."
        )
    if system.architecture not in ARCHITECTURES:
        yield (
            f"Its CPU is {system.architecture}; there is K3s for {' and '.join(ARCHITECTURES)}, "
            "and NVIDIA's container toolkit likewise."
        )
    if not system.has_systemd:
        yield "It was not started by systemd, which has to start Kubernetes after each boot."
    if not is_known(system) and not facts.k3s.version:
        here = f"{system.id} {system.version}".strip() or "an unknown system"
        yield (
            f"It runs {here}, and Synapse installs Kubernetes on {_told()}. Install K3s there "
            "yourself (docs.k3s.io): Synapse adopts what it finds."
        )


def _told() -> str:
    return ", ".join(f"{name.capitalize()} {' and '.join(KNOWN[name])}" for name in KNOWN)
