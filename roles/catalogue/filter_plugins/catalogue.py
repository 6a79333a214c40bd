"""Filters on what the user wrote: all its faults, and the same with every key filled in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from synapse_deploy.plugins import later

CATALOGUE = "synapse_deploy.catalogue"


class FilterModule:
    """What Ansible loads from this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name the filters."""
        return {
            "catalogue_addresses": later(f"{CATALOGUE}.resolve", "addresses"),
            "catalogue_addresses_for_litellm": later(
                f"{CATALOGUE}.resolve", "addresses_for_litellm"
            ),
            "catalogue_bridge_apps": later(f"{CATALOGUE}.wyoming_rules", "bridge_apps"),
            "catalogue_chat_apps": later(f"{CATALOGUE}.chat_rules", "chat_apps"),
            "catalogue_hosts": later(f"{CATALOGUE}.hosts", "hosts"),
            "catalogue_looked_at": later(f"{CATALOGUE}.check", "looked_at"),
            "catalogue_problems": later(f"{CATALOGUE}.filters", "problems"),
            "catalogue_resolve": later(f"{CATALOGUE}.resolve", "resolve"),
            "catalogue_resolve_apps": later(f"{CATALOGUE}.resolve", "resolve_apps"),
            "catalogue_resolve_names": later(f"{CATALOGUE}.resolve", "resolve_names"),
            "catalogue_warnings": later(f"{CATALOGUE}.filters", "warnings"),
            "catalogue_wired": later(f"{CATALOGUE}.check", "wired"),
            "catalogue_wired_problems": later(f"{CATALOGUE}.filters", "wired_problems"),
        }
