"""Filters that shape the catalogue into the arbiter's configuration and objects."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

# Ansible loads a plugin by its file; its helpers have to be made importable.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "kube_objects" / "module_utils"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "module_utils"))
import arbiter_config
import arbiter_objects
import kube_service
from synapse_arbiter.config import parse

OPTIONS = {
    "rules: ": "arbiter_rules: ",
    "limits: ": "arbiter_limits: ",
    "default_model ": "arbiter_default_model ",
    "card: vram_source ": "arbiter_vram_source ",
    "card: ": "arbiter_card: ",
}


def checked(text: str) -> str:
    """Return the arbiter's configuration file, if the arbiter would take it."""
    return kube_service.checked(lambda text: parse(yaml.safe_load(text)), text, OPTIONS)


class FilterModule:
    """What Ansible loads from this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name the filters."""
        return {
            "arbiter_checked": checked,
            "arbiter_code": kube_service.code,
            "arbiter_config": arbiter_config.config,
            "arbiter_egress": arbiter_objects.egress,
            "arbiter_environment": arbiter_objects.environment,
            "arbiter_ingress": arbiter_objects.ingress,
            "arbiter_pods": arbiter_config.pods,
            "arbiter_volumes": arbiter_objects.volumes,
        }
