"""Steps of a module: each can be the last, and all can be done again."""

from __future__ import annotations

from collections.abc import Callable, Iterable

# Its name, whether it is needed, and how it is done.
Step = tuple[str, Callable[[], bool], Callable[[], None]]


def take(steps: Iterable[Step], done: list[str], check: bool) -> None:
    """Do every step that is needed and note its name; with `check`, only note it."""
    for name, is_needed, do in steps:
        if is_needed():
            done.append(name)
            if not check:
                do()
