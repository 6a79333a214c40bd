"""Wait for something with a limit, and say meanwhile what is waited for."""

from __future__ import annotations

import time
from collections.abc import Callable

POLL_S = 1.0
SAY_EVERY_S = 10.0


def wait_until(
    there: Callable[[], bool], limit_s: float, what: str, say: Callable[[str], None]
) -> bool:
    """Tell whether it came within the limit."""
    started = told = time.monotonic()
    while not there():
        now = time.monotonic()
        if now - started >= limit_s:
            return False
        if now - told >= SAY_EVERY_S:
            told = now
            say(f"waiting for {what} ({now - started:.0f} of {limit_s:.0f} s)")
        time.sleep(POLL_S)
    return True
