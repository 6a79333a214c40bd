"""What Ansible's plugins of ours share."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any


def later(module: str, name: str) -> Callable[..., Any]:
    """Return a function that imports what it stands for when it is called.

    Ansible loads every filter plugin in every task's own process, whichever filter it looks for:
    an import at the top of a plugin is paid for by each of them.
    """

    def call(*arguments: Any, **named: Any) -> Any:
        return getattr(import_module(module), name)(*arguments, **named)

    return call
