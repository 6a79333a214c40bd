"""Filters on what the user wrote: all its faults, and the same with every key filled in."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Ansible loads a plugin by its file; its helpers have to be made importable.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "module_utils"))
import catalogue_check
import catalogue_resolved


class FilterModule:
    """What Ansible loads from this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name the filters."""
        return {
            "catalogue_problems": catalogue_check.problems,
            "catalogue_resolve": catalogue_resolved.resolve,
            "catalogue_resolve_names": catalogue_resolved.resolve_names,
            "catalogue_resolve_apps": catalogue_resolved.resolve_apps,
        }
