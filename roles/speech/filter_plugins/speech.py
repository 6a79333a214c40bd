"""Filters that shape the catalogue into what hears and what speaks."""

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
import speech_objects
import speech_pod
from synapse_speech.config import build


def checked(text: str) -> str:
    """Return the speech server's configuration file, if the server would take it."""
    return kube_service.checked(
        lambda text: build(yaml.safe_load(text)), text, {"settings: ": "speech_"}
    )


class FilterModule:
    """What Ansible loads from this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name the filters."""
        return {
            "speech_checked": checked,
            "speech_code": kube_service.code,
            "speech_egress": speech_objects.egress,
            "speech_hearing": speech_pod.hearing,
            "speech_ingress": speech_objects.ingress,
            "speech_models": speech_pod.models,
            "speech_piper_config": speech_objects.piper_config,
            "speech_preparing": speech_pod.preparing,
            "speech_requirements": lambda _: speech_objects.requirements(),
            "speech_server": speech_pod.server,
            "speech_sources": speech_objects.sources,
            "speech_voices": speech_objects.voices,
        }
