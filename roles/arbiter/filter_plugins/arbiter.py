"""Filters that shape the catalogue into the arbiter's configuration and objects."""

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
            "arbiter_api_servers": later(f"{RENDER}.arbiter", "api_servers"),
            "arbiter_checked": partial(later(f"{RENDER}.service", "checked_file"), "arbiter"),
            "arbiter_code": later(f"{RENDER}.code", "code"),
            "arbiter_code_volume": later(f"{RENDER}.code", "code_volume"),
            "arbiter_config": later(f"{RENDER}.arbiter_config", "config"),
            "arbiter_egress": later(f"{RENDER}.arbiter", "egress"),
            "arbiter_environment": later(f"{RENDER}.arbiter", "environment"),
            "arbiter_ingress": later(f"{RENDER}.arbiter", "ingress"),
            "arbiter_pods": later(f"{RENDER}.arbiter_config", "pods"),
            "arbiter_secrets": lambda _: later(f"{RENDER}.arbiter", "secrets")(),
            "arbiter_volumes": later(f"{RENDER}.arbiter", "volumes"),
        }
