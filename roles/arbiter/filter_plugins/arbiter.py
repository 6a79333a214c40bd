"""Filters that shape the catalogue into the arbiter's configuration and objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import yaml

from synapse_deploy.render import arbiter, arbiter_config, service

OPTIONS = {
    "rules: ": "arbiter_rules: ",
    "limits: ": "arbiter_limits: ",
    "default_model ": "arbiter_default_model ",
    "gpu: vram_source ": "arbiter_vram_source ",
    "gpu: ": "arbiter_gpu: ",
}


def checked(text: str) -> str:
    """Return the arbiter's configuration file, if the arbiter would take it."""
    # Slow to import, and most tasks only render: every one is a process of its own.
    from synapse_arbiter.config import parse

    return service.checked(lambda text: parse(yaml.safe_load(text)), text, OPTIONS)


class FilterModule:
    """What Ansible loads from this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name the filters."""
        return {
            "arbiter_checked": checked,
            "arbiter_code": service.code,
            "arbiter_code_volume": service.code_volume,
            "arbiter_config": arbiter_config.config,
            "arbiter_egress": arbiter.egress,
            "arbiter_environment": arbiter.environment,
            "arbiter_ingress": arbiter.ingress,
            "arbiter_pods": arbiter_config.pods,
            "arbiter_secrets": lambda _: arbiter.secrets(),
            "arbiter_volumes": arbiter.volumes,
        }
