"""Filters that decide what is done about K3s on a server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from synapse_deploy.plugins import later


class FilterModule:
    """What Ansible loads from this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name the filters."""
        return {
            "k3s_api_url": later("synapse_host.k3s_kubeconfig", "found_api_url"),
            "k3s_kubeconfig": later("synapse_host.k3s_kubeconfig", "kubeconfig"),
            "k3s_is_own_kubeconfig": later("synapse_host.k3s_kubeconfig", "is_own"),
            "k3s_plan": later("synapse_host.k3s_plan", "plan"),
        }
