"""Filters that shape the catalogue into the speech engines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import yaml

from synapse_deploy.render import service, speech, speech_pod


def checked(text: str) -> str:
    """Return the speech server's configuration file, if the server would take it."""
    # Slow to import, and most tasks only render: every one is a process of its own.
    from synapse_speech.config import build

    return service.checked(
        lambda text: build(yaml.safe_load(text)), text, {"settings: ": "speech_"}
    )


class FilterModule:
    """What Ansible loads from this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name the filters."""
        return {
            "speech_checked": checked,
            "speech_code": service.code,
            "speech_code_volume": service.code_volume,
            "speech_egress": speech.egress,
            "speech_hearing": speech_pod.hearing,
            "speech_ingress": speech.ingress,
            "speech_models": speech_pod.models,
            "speech_piper_config": speech.piper_config,
            "speech_preparing": speech_pod.preparing,
            "speech_requirements": lambda _: speech.requirements(),
            "speech_server": speech_pod.server,
            "speech_sources": speech.sources,
            "speech_voices": speech.voices,
        }
