"""The check of what the roles tell our services, by the services' own readers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TypeVar

import yaml
from ansible.errors import AnsibleFilterError

from synapse_common.reading import ConfigError

# Where each service reads its configuration, and what a role's users call the parts of it.
READERS: dict[str, tuple[str, str, Mapping[str, str]]] = {
    "arbiter": (
        "synapse_arbiter.config",
        "parse",
        {
            "rules: ": "arbiter_rules: ",
            "limits: ": "arbiter_limits: ",
            "default_model ": "arbiter_default_model ",
            "gpu: vram_source ": "arbiter_vram_source ",
            "gpu: ": "arbiter_gpu: ",
        },
    ),
    "gateway": ("synapse_gateway.config", "build", {"settings: ": "gateway_"}),
    "speech": ("synapse_speech.config", "build", {"settings: ": "speech_"}),
}

Written = TypeVar("Written")


def checked_file(service: str, text: str) -> str:
    """Return a service's configuration file, if the service would take it."""
    module, name, options = READERS[service]
    read = getattr(import_module(module), name)
    return checked(lambda text: read(yaml.safe_load(text)), text, options)


def checked(
    read: Callable[[Written], object], written: Written, options: Mapping[str, str]
) -> Written:
    """Return what a service is told.

    `options` maps the beginning of a fault to what the role's users call it. A service's last
    pod may have left before its successor reads this, so a fault must be found here.

    Raises `AnsibleFilterError` with every fault that the service would refuse it for.
    """
    try:
        read(written)
    except ConfigError as error:
        found = [_ours(text, options) for text in error.faults]
        raise AnsibleFilterError("\n".join(found)) from None  # Ansible would say the cause too
    return written


def _ours(text: str, options: Mapping[str, str]) -> str:
    for theirs, ours in options.items():
        if text.startswith(theirs):
            return ours + text.removeprefix(theirs)
    return text
