"""Filters that shape the catalogue into engines: their commands, resources and roads."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Ansible loads a plugin by its file; its helpers have to be made importable.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "module_utils"))
import vllm_engine
import vllm_objects


class FilterModule:
    """What Ansible loads from this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name the filters."""
        return {
            "vllm_code": vllm_objects.code,
            "vllm_egress": vllm_objects.egress,
            "vllm_engines": vllm_engine.engines,
            "vllm_ingress": vllm_objects.ingress,
            "vllm_probe": vllm_engine.probe,
        }
