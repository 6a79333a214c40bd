"""A status source in a thread of its own, and one browser for all tests."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from status_source import SCENES, Source, serve

from .browser import LIMIT_S, Browser, start_browser


class Stage:
    """Serves scenes from a background thread, so that a test can drive a browser meanwhile."""

    def __init__(self, source: Source, address: str, loop: asyncio.AbstractEventLoop) -> None:
        self.source, self.address, self._loop = source, address, loop

    def show(self, scene: str) -> None:
        """Show another scene."""
        self._loop.call_soon_threadsafe(self.source.show, SCENES[scene])


@contextmanager
def run_stage(port: int = 0) -> Iterator[Stage]:
    """Serve the first scene until the block ends."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    stop = asyncio.Event()
    ready: asyncio.Future[Stage] = loop.create_future()

    async def play() -> None:
        source = Source(SCENES["busy"])
        async with serve(source, port) as address:
            ready.set_result(Stage(source, address, loop))
            await stop.wait()

    async def wait_ready() -> Stage:
        return await ready

    playing = asyncio.run_coroutine_threadsafe(play(), loop)
    try:
        yield asyncio.run_coroutine_threadsafe(wait_ready(), loop).result(LIMIT_S)
    finally:
        loop.call_soon_threadsafe(stop.set)
        playing.result(LIMIT_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(LIMIT_S)
        loop.close()


@pytest.fixture(scope="session")
def _chromium() -> Iterator[Browser]:
    with start_browser() as browser:
        yield browser


@pytest.fixture
def stage() -> Iterator[Stage]:
    with run_stage() as stage:
        yield stage


@pytest.fixture
def browser(_chromium: Browser) -> Browser:
    _chromium.complaints()
    _chromium.requests()
    return _chromium
