"""How often Python looks for garbage in a process that serves requests."""

from __future__ import annotations

import gc

NEW_OBJECTS = 10_000
"""Objects after which it looks through the new ones; Python's own 700 are two requests."""


def look_seldom() -> None:
    """Leave out of every search what is loaded by now, and search less often."""
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS)
