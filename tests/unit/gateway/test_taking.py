"""A client is broken off when it takes nothing, and not when it takes a large answer slowly."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from synapse_gateway.taking import AT_ONCE, taken

pytestmark = pytest.mark.looptime

PAUSE_S = 60.0
LARGE = 44 * 1024**2


class Client:
    """Takes an answer at its own pace; what it has not taken waits with us."""

    def __init__(self) -> None:
        self.waiting = LARGE
        self.transport: Any = SimpleNamespace(get_write_buffer_size=lambda: self.waiting)
        self.writer = SimpleNamespace(output_size=LARGE)

    async def take(self, bytes_a_second: int) -> None:
        while self.waiting > 0:
            await asyncio.sleep(1)
            self.waiting = max(0, self.waiting - bytes_a_second)


async def test_who_takes_a_large_answer_slowly_gets_all_of_it() -> None:
    client: Any = Client()
    await taken(client.take(64 * 1024), LARGE, client, PAUSE_S)
    assert client.waiting == 0
    assert asyncio.get_running_loop().time() > 10 * PAUSE_S


async def test_who_takes_nothing_is_given_up_after_the_pause() -> None:
    client: Any = Client()
    with pytest.raises(TimeoutError):
        await taken(client.take(0), LARGE, client, PAUSE_S)
    assert PAUSE_S <= asyncio.get_running_loop().time() <= 1.5 * PAUSE_S


async def test_who_stops_in_the_middle_is_given_up_too() -> None:
    client: Any = Client()

    async def half() -> None:
        await asyncio.sleep(100)
        client.waiting = LARGE // 2
        await asyncio.Event().wait()

    taking = asyncio.create_task(taken(half(), LARGE, client, 40))
    with pytest.raises(TimeoutError):
        await taking


async def test_a_connection_that_is_gone_takes_nothing() -> None:
    client: Any = Client()
    client.transport = None
    with pytest.raises(TimeoutError):
        await taken(asyncio.Event().wait(), LARGE, client, PAUSE_S)


async def test_without_a_limit_it_is_waited_for() -> None:
    client: Any = Client()
    await taken(asyncio.sleep(10_000), LARGE, client, None)


async def test_what_fits_waits_for_nobody_where_nothing_waits() -> None:
    client: Any = Client()
    client.waiting = 0
    began_s = asyncio.get_running_loop().time()
    await taken(asyncio.sleep(0), AT_ONCE, client, PAUSE_S)
    assert asyncio.get_running_loop().time() == began_s
    client.waiting = 1
    with pytest.raises(TimeoutError):
        await taken(asyncio.Event().wait(), AT_ONCE, client, PAUSE_S)
