"""Filters that shape the catalogue into the chat page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from synapse_deploy.plugins import later

RENDER = "synapse_deploy.render.open_webui"


class FilterModule:
    """What Ansible loads from this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name the filters."""
        return {
            "chat_egress": later(RENDER, "egress"),
            "chat_environment": later(RENDER, "environment"),
            "chat_in": lambda _: later(RENDER, "ingress")(),
            "chat_ports": later(RENDER, "service_ports"),
            "chat_secrets": lambda _: later(RENDER, "secrets")(),
        }
