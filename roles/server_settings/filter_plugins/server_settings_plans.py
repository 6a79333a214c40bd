"""A filter that decides what the server's kernel is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from synapse_deploy.plugins import later


class FilterModule:
    """What Ansible loads from this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name the filters."""
        return {"server_settings_plan": later("synapse_host.settings", "plan")}
