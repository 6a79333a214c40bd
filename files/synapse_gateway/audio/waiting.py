"""Who waits in a line of the audio routes, and how long it took."""

from __future__ import annotations

import asyncio
import contextlib
import select
from collections.abc import AsyncIterator, Iterator

from aiohttp import web

from synapse_common.line import Claim
from synapse_gateway.access_log import RequestRecord

LOOK_S = 1.0
"""How often it is looked whether a client that waits is still there."""
GONE = select.POLLRDHUP | select.POLLHUP | select.POLLERR


def claim_of(record: RequestRecord, *, is_short: bool = True) -> Claim:
    """Return who asks, as a line wants to know it."""
    app = record.app
    if app is None:
        raise RuntimeError("a place is wanted before the key is checked")
    return Claim(app.name, app.priority == "interactive", is_short, record.person or "")


@contextlib.contextmanager
def waited(record: RequestRecord) -> Iterator[None]:
    """Count the time that the block takes as waiting, on top of what the request has waited."""
    clock_s = asyncio.get_running_loop().time
    began_s, before_s = clock_s(), record.waited_s or 0.0
    try:
        yield
    finally:
        record.waited_s = round(before_s + clock_s() - began_s, 3)


@contextlib.asynccontextmanager
async def while_there(request: web.BaseRequest) -> AsyncIterator[None]:
    """Cancel the block once the client has gone.

    The server hears of that where it reads; of a body that waits for a place it reads nothing.
    """
    task, transport = asyncio.current_task(), request.transport
    connection = transport.get_extra_info("socket") if transport else None
    if task is None or connection is None:
        yield
        return
    watching = asyncio.create_task(_watch(connection.fileno(), task))
    try:
        yield
    finally:
        watching.cancel()


async def _watch(connection: int, task: asyncio.Task[object]) -> None:
    ended = select.poll()
    ended.register(connection, GONE)
    while not ended.poll(0):  # noqa: ASYNC110  # nothing tells of it
        await asyncio.sleep(LOOK_S)
    task.cancel()
