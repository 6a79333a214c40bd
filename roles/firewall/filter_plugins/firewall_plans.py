"""Filters that decide which rules the server gets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from synapse_deploy.plugins import later

FIREWALL = "synapse_host.firewall"


class FilterModule:
    """What Ansible loads from this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name the filters."""
        return {
            "firewall_plan": later(f"{FIREWALL}.plan", "plan"),
            "firewall_ufw_commands": later(f"{FIREWALL}.ufw", "commands"),
            "firewall_firewalld_zone": later(f"{FIREWALL}.firewalld", "zone"),
        }
