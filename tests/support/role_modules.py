"""Ansible modules of our roles, loaded into the test's own process."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import ansible.module_utils

ROLES = Path(__file__).parents[2] / "roles"
# Ansible sends them along with a module, below this name.
ansible.module_utils.__path__.extend(map(str, ROLES.glob("*/module_utils")))


def module(role: str, name: str) -> ModuleType:
    """A module of a role, as Python loads it; the same one each time."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, ROLES / role / f"library/{name}.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]
