"""Filters that shape the catalogue into LiteLLM's configuration and objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from synapse_deploy.plugins import later

RENDER = "synapse_deploy.render"


class FilterModule:
    """What Ansible loads from this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name the filters."""
        return {
            "litellm_code": later(f"{RENDER}.code", "code"),
            "litellm_code_volume": later(f"{RENDER}.code", "code_volume"),
            "litellm_config": later(f"{RENDER}.litellm_config", "config"),
            "litellm_egress": later(f"{RENDER}.litellm", "egress"),
            "litellm_environment": later(f"{RENDER}.litellm", "environment"),
            "litellm_ingress": later(f"{RENDER}.litellm", "ingress"),
            "litellm_models_it_reaches": later(f"{RENDER}.litellm", "texts"),
            "litellm_secrets": later(f"{RENDER}.litellm", "secrets"),
        }
