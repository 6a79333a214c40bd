"""Filters that shape the catalogue into the arbiter's configuration and objects."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleFilterError

# Ansible loads a plugin by its file; its helpers have to be made importable, and so has the
# arbiter itself, which knows best whether a configuration is good.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "module_utils"))
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "files/arbiter"))
import arbiter_config
import arbiter_objects
from synapse_arbiter.config import ConfigError, parse


def arbiter_config_checked(*args: Any) -> dict[str, Any]:
    """Return the configuration, or name every fault that the arbiter would refuse it for.

    The running arbiter leaves before its successor comes, so a bad one must be caught here.
    """
    written = arbiter_config.config(*args)
    try:
        parse(written, "arbiter")
    except ConfigError as error:
        raise AnsibleFilterError(str(error)) from error
    return written


class FilterModule:
    """What Ansible loads from this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name the filters."""
        return {
            "arbiter_code": arbiter_objects.code,
            "arbiter_config": arbiter_config_checked,
            "arbiter_egress": arbiter_objects.egress,
            "arbiter_environment": arbiter_objects.environment,
            "arbiter_ingress": arbiter_objects.ingress,
            "arbiter_pods": arbiter_config.pods,
            "arbiter_volumes": arbiter_objects.volumes,
        }
