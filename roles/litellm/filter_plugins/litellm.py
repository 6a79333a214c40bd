"""Filters that shape the catalogue into the gateway's configuration and objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import yaml

from synapse_deploy.render import gateway, gateway_config, service
from synapse_gateway.config import build


def checked(text: str) -> str:
    """Return the gateway's configuration file, if the gateway would take it."""
    return service.checked(
        lambda text: build(yaml.safe_load(text)), text, {"settings: ": "litellm_"}
    )


class FilterModule:
    """What Ansible loads from this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name the filters."""
        return {
            "litellm_checked": checked,
            "litellm_code": service.code,
            "litellm_code_volume": service.code_volume,
            "litellm_config": gateway_config.routes,
            "litellm_egress": gateway.egress,
            "litellm_environment": gateway_config.environment,
            "litellm_gateway": gateway_config.gateway,
            "litellm_ingress": gateway.ingress,
            "litellm_ports": gateway.ports,
            "litellm_secrets": gateway.secrets,
        }
