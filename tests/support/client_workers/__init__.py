"""Clients that nobody here wrote, each in a process with its own packages, called from tests."""

from client_workers.environments import (
    SUPPORT,
    coding_agent,
    interpreter,
    javascript,
    litellm,
    llamaindex,
    python,
    script,
    tables,
)
from client_workers.worker import FailedError, Worker

__all__ = [
    "SUPPORT",
    "FailedError",
    "Worker",
    "coding_agent",
    "interpreter",
    "javascript",
    "litellm",
    "llamaindex",
    "python",
    "script",
    "tables",
]
