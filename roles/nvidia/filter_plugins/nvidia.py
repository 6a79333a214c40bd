"""Filters with which the role asks the facts of a server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from synapse_deploy.plugins import later

Raw = dict[str, Any]


def nvidia_looked_at(
    raw: Raw, branch: str, toolkit_version: str, power_limit_w: float | None
) -> dict[str, Any]:
    """Return everything that the role decides by, from the facts as the module sent them."""
    from synapse_host import nvidia
    from synapse_host.nvidia_packages import ARCHITECTURES, missing
    from synapse_host.read import read

    facts = read(raw)
    wanted = missing(
        facts,
        branch=str(branch),
        toolkit_version=str(toolkit_version),
        replaces=nvidia.replaces(facts),
    )
    return {
        "has_gpu": nvidia.has_gpu(facts),
        "driver": list(wanted.driver),
        "toolkit": list(wanted.toolkit),
        "refusal": wanted.refusal,
        "is_in_the_way": wanted.is_in_the_way,
        "architecture": ARCHITECTURES.get(facts.system.architecture, facts.system.architecture),
        "system": facts.system.id,
        "release": facts.system.version,
        "on_disk": nvidia.on_disk(facts),
        "wants_reboot": nvidia.wants_reboot(facts),
        "has_k3s": facts.k3s.unit == "active",
        "api_port": facts.k3s.api_port,
        "containerd_config": nvidia.containerd_config(facts),
        "is_legacy": nvidia.is_legacy(facts),
        "cdi": list(nvidia.cdi_to_write(facts)),
        "lacks_runtime": nvidia.lacks_runtime(facts),
        "why_no_restart": nvidia.why_no_restart(facts),
        "why_no_runtime": nvidia.why_no_runtime(facts),
        "power_fault": nvidia.power_fault(facts, power_limit_w),
        "sources": list(facts.toolkit.sources),
    }


def nvidia_to_hold(selections: list[str], raw: Raw) -> list[str]:
    """Return the packages that have to be held, of what dpkg has selected."""
    from synapse_host.nvidia import to_hold
    from synapse_host.read import read

    return list(to_hold(read(raw), selections))


class FilterModule:
    """What Ansible loads from this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name the filters."""
        return {
            "nvidia_looked_at": nvidia_looked_at,
            "nvidia_to_hold": nvidia_to_hold,
            "nvidia_environment": later("synapse_host.nvidia", "environment"),
        }
