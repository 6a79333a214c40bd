"""What the browser looks at, in a thread of its own so that a test can drive the browser."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import TypeVar

from status_source import SCENES, Source, serve

from .browser import LIMIT_S

_Thing = TypeVar("_Thing")


@contextmanager
def in_a_thread(
    context: AbstractAsyncContextManager[_Thing],
) -> Iterator[tuple[_Thing, asyncio.AbstractEventLoop]]:
    """Enter an asynchronous context in an event loop of its own; leave it at the end."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    stop = asyncio.Event()
    entered: asyncio.Future[_Thing] = loop.create_future()

    async def stay() -> None:
        try:
            async with context as thing:
                entered.set_result(thing)
                await stop.wait()
        except BaseException as error:
            if not entered.done():
                entered.set_exception(error)
            raise

    async def wait_entered() -> _Thing:
        return await entered

    staying = asyncio.run_coroutine_threadsafe(stay(), loop)
    try:
        yield asyncio.run_coroutine_threadsafe(wait_entered(), loop).result(LIMIT_S), loop
    finally:
        loop.call_soon_threadsafe(stop.set)
        staying.exception(LIMIT_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(LIMIT_S)
        loop.close()


class Stage:
    """A status source that shows one scene after the other."""

    def __init__(self, source: Source, address: str, loop: asyncio.AbstractEventLoop) -> None:
        self.source, self.address, self._loop = source, address, loop

    def show(self, scene: str) -> None:
        """Show another scene."""
        self._loop.call_soon_threadsafe(self.source.show, SCENES[scene])


@contextmanager
def run_stage(port: int = 0) -> Iterator[Stage]:
    """Serve the first scene until the block ends."""

    @asynccontextmanager
    async def play() -> AsyncIterator[tuple[Source, str]]:
        source = Source(SCENES["busy"])
        async with serve(source, port) as address:
            yield source, address

    with in_a_thread(play()) as ((source, address), loop):
        yield Stage(source, address, loop)
