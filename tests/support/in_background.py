"""An asynchronous context manager for synchronous tests: its loop runs in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any, TypeVar

Entered = TypeVar("Entered")
LIMIT_S = 120


@contextmanager
def in_background(entering: AbstractAsyncContextManager[Entered]) -> Iterator[Entered]:
    """Enter it, keep its tasks running until the block ends, then leave it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def run(work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(LIMIT_S)

    async def enter() -> Entered:
        return await entering.__aenter__()

    async def leave() -> None:
        await entering.__aexit__(None, None, None)

    try:
        entered = run(enter())
        try:
            yield entered
        finally:
            run(leave())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(LIMIT_S)
        loop.close()
