"""Filters that shape the catalogue into engines: their commands, resources and network rules."""

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
            "vllm_code": later(f"{RENDER}.code", "code"),
            "vllm_egress": later(f"{RENDER}.vllm", "egress"),
            "vllm_engines": later(f"{RENDER}.vllm", "engines"),
            "vllm_ingress": later(f"{RENDER}.vllm", "ingress"),
            "vllm_probe": later(f"{RENDER}.vllm", "probe"),
            "vllm_silences": later(f"{RENDER}.vllm", "silences"),
            "vllm_secret": lambda _: later(f"{RENDER}.vllm", "secret")(),
        }
