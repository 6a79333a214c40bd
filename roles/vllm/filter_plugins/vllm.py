"""Filters that shape the catalogue into engines: their commands, resources and network rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from synapse_deploy.render import service, vllm


class FilterModule:
    """What Ansible loads from this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name the filters."""
        return {
            "vllm_code": service.code,
            "vllm_egress": vllm.egress,
            "vllm_engines": vllm.engines,
            "vllm_ingress": vllm.ingress,
            "vllm_probe": vllm.probe,
        }
