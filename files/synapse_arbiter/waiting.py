"""Wait for a condition by asking again, quickly at first; every wait has a limit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

FIRST_PAUSE_S = 0.001
LONGEST_PAUSE_S = 0.2


async def until(check: Callable[[], Awaitable[bool]], limit_s: float) -> bool:
    """Ask until the check says yes, pausing twice as long each time; False after the limit."""
    loop = asyncio.get_running_loop()
    end_s = loop.time() + limit_s
    pause_s = FIRST_PAUSE_S
    while not await check():
        left_s = end_s - loop.time()
        if left_s <= 0:
            return False
        await asyncio.sleep(min(pause_s, left_s))
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
    return True
