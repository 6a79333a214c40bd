"""Filters that shape the catalogue into the gateway's configuration and objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import yaml

from synapse_deploy.render import gateway, gateway_config, service


def checked(text: str) -> str:
    """Return the gateway's configuration file, if the gateway would take it."""
    # Slow to import, and most tasks only render: every one is a process of its own.
    from synapse_gateway.config import build

    return service.checked(
        lambda text: build(yaml.safe_load(text)), text, {"settings: ": "gateway_"}
    )


class FilterModule:
    """What Ansible loads from this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name the filters."""
        return {
            "gateway_checked": checked,
            "gateway_code": service.code,
            "gateway_code_volume": service.code_volume,
            "gateway_litellm_config": gateway_config.routes,
            "gateway_egress": gateway.egress,
            "gateway_environment": gateway_config.environment,
            "gateway_edge_config": gateway_config.gateway,
            "gateway_ingress": gateway.ingress,
            "gateway_ports": gateway.ports,
            "gateway_secrets": gateway.secrets,
        }
