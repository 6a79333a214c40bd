"""Filters that shape the catalogue into the gateway's configuration and objects."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

# Ansible loads a plugin by its file; its helpers have to be made importable.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "kube_objects" / "module_utils"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "module_utils"))
import kube_service
import litellm_config
import litellm_objects
from synapse_gateway.config import build


def checked(text: str) -> str:
    """Return the gateway's configuration file, if the gateway would take it."""
    return kube_service.checked(
        lambda text: build(yaml.safe_load(text)), text, {"settings: ": "litellm_"}
    )


class FilterModule:
    """What Ansible loads from this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name the filters."""
        return {
            "litellm_checked": checked,
            "litellm_code": kube_service.code,
            "litellm_config": litellm_config.routes,
            "litellm_egress": litellm_objects.egress,
            "litellm_environment": litellm_config.environment,
            "litellm_gateway": litellm_config.gateway,
            "litellm_ingress": litellm_objects.ingress,
            "litellm_ports": litellm_objects.ports,
            "litellm_secrets": litellm_objects.secrets,
        }
