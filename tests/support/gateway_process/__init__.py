"""The real gateway as a process of its own, for tests and the benchmark."""

from gateway_process import litellm_venv
from gateway_process.process import (
    Gateway,
    command,
    environment,
    events,
    started,
    until,
    write_config,
)

__all__ = [
    "Gateway",
    "command",
    "environment",
    "events",
    "litellm_venv",
    "started",
    "until",
    "write_config",
]
