"""Clients that nobody here wrote, each in a process with its own packages, called from tests."""

from client_workers.environments import coding_agent, javascript, litellm, python
from client_workers.worker import FailedError, Worker

__all__ = ["FailedError", "Worker", "coding_agent", "javascript", "litellm", "python"]
