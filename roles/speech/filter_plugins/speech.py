"""Filters that shape the catalogue into the speech engines."""

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
            "speech_checked": partial(later(f"{RENDER}.service", "checked_file"), "speech"),
            "speech_code": later(f"{RENDER}.code", "code"),
            "speech_code_volume": later(f"{RENDER}.code", "code_volume"),
            "speech_egress": later(f"{RENDER}.speech", "egress"),
            "speech_hearing": later(f"{RENDER}.speech_pod", "hearing"),
            "speech_ingress": later(f"{RENDER}.speech", "ingress"),
            "speech_models": later(f"{RENDER}.speech_pod", "models"),
            "speech_piper_config": later(f"{RENDER}.speech", "piper_config"),
            "speech_preparing": later(f"{RENDER}.speech_pod", "preparing"),
            "speech_requirements": lambda _: later(f"{RENDER}.speech", "requirements")(),
            "speech_server": later(f"{RENDER}.speech_pod", "server"),
            "speech_sources": later(f"{RENDER}.speech", "sources"),
            "speech_voices": later(f"{RENDER}.speech", "voices"),
            "speech_wyoming_egress": later(f"{RENDER}.wyoming", "egress"),
            "speech_wyoming_ingress": later(f"{RENDER}.wyoming", "ingress"),
            "speech_wyoming_pod": later(f"{RENDER}.wyoming", "pod"),
            "speech_wyoming_ports": later(f"{RENDER}.wyoming", "service_ports"),
        }
