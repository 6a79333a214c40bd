"""Filters that shape the catalogue into the gateway's configuration and objects."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from synapse_deploy.plugins import later

RENDER = "synapse_deploy.render"


class FilterModule:
    """What Ansible loads from this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name the filters."""
        return {
            "gateway_checked": partial(later(f"{RENDER}.service", "checked_file"), "gateway"),
            "gateway_code": later(f"{RENDER}.code", "code"),
            "gateway_code_volume": later(f"{RENDER}.code", "code_volume"),
            "gateway_edge_config": later(f"{RENDER}.gateway_config", "gateway"),
            "gateway_egress": later(f"{RENDER}.gateway", "egress"),
            "gateway_environment": later(f"{RENDER}.gateway_config", "environment"),
            "gateway_ingress": later(f"{RENDER}.gateway", "ingress"),
            "gateway_ports": later(f"{RENDER}.gateway", "ports"),
            "gateway_secrets": later(f"{RENDER}.gateway", "secrets"),
        }
