"""Filters on what is known of a server: why it does not do, what stops a role, who lives there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from synapse_deploy.plugins import later


class FilterModule:
    """What Ansible loads from this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name the filters."""
        return {
            "host_faults": later("synapse_host.faults", "faults"),
            "host_inhabitants": later("synapse_host.fit", "inhabitants_of"),
            "host_unfit": later("synapse_host.fit", "unfit_of"),
            "host_unreached": later("synapse_cli.doctor.unreached", "told"),
        }
