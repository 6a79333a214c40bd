"""Filters that shape the catalogue into the gateway's configuration and objects."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Ansible loads a plugin by its file; its helpers have to be made importable.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "module_utils"))
import litellm_config
import litellm_objects


class FilterModule:
    """What Ansible loads from this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name the filters."""
        return {
            "litellm_code": litellm_config.code,
            "litellm_config": litellm_config.routes,
            "litellm_egress": litellm_objects.egress,
            "litellm_environment": litellm_config.environment,
            "litellm_gateway": litellm_config.gateway,
            "litellm_ingress": litellm_objects.ingress,
            "litellm_ports": litellm_objects.ports,
            "litellm_secrets": litellm_objects.secrets,
        }
