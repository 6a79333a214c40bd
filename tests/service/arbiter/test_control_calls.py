"""How engines are asked, and how one that is away is told from one that hangs."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest
from aiohttp import web

from synapse_arbiter.engine.vllm_client import (
    EngineAwayError,
    EngineFailedError,
    EngineHungError,
    Vllm,
    open_http,
)
from synapse_common.engines import GpuKind

LIMIT_S = 0.4


@asynccontextmanager
async def asked(port: int, kind: GpuKind = "chat") -> AsyncIterator[Vllm]:
    """Yield the client of an engine on this port."""
    async with open_http(5) as http:
        yield Vllm("a", f"http://127.0.0.1:{port}", kind, http, LIMIT_S)


@contextmanager
def listening(backlog: int) -> Iterator[tuple[int, socket.socket]]:
    """Listen and take no connection out of the queue."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(backlog)
        yield listener.getsockname()[1], listener


@pytest.mark.parametrize(
    ("kind", "call"), [("chat", "/sleep?level=1"), ("embedding", "/sleep?level=1&mode=wait")]
)
async def test_an_engine_whose_requests_cannot_be_aborted_is_asked_to_wait_for_them(
    kind: GpuKind, call: str
) -> None:
    calls: list[str] = []

    async def engine(request: web.BaseRequest) -> web.Response:
        calls.append(f"{request.method} {request.rel_url}")
        return web.Response()

    runner = web.ServerRunner(web.Server(engine))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with asked(runner.addresses[0][1], kind) as vllm:
            await vllm.sleep(5)
    finally:
        await runner.cleanup()
    assert calls == [f"POST {call}"]


async def test_who_takes_the_connection_and_is_silent_hangs() -> None:
    with listening(backlog=8) as (port, _):
        async with asked(port) as vllm:
            with pytest.raises(EngineHungError, match=r"a: no answer to /is_sleeping in 0\.4 s"):
                await vllm.sleeping()


async def test_who_refuses_the_connection_is_away() -> None:
    with listening(backlog=8) as (port, listener):
        listener.close()
        async with asked(port) as vllm:
            with pytest.raises(EngineAwayError, match="Connect"):
                await vllm.sleeping()


async def test_who_takes_no_connection_does_not_hang() -> None:
    """As an address behind which there is no machine any more."""
    with listening(backlog=0) as (port, _):
        queued = [socket.socket() for _ in range(4)]
        for one in queued:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        await asyncio.sleep(0)
        async with asked(port) as vllm:
            with pytest.raises(EngineFailedError, match="a: nobody took the connection"):
                await vllm.sleeping()
        for one in queued:
            one.close()


@pytest.mark.parametrize(("version", "operations"), [("0.33.0", 0), ("0.30.0", None)])
async def test_no_count_of_sleeps_means_none_yet_where_the_version_counts_them(
    version: str, operations: int | None
) -> None:
    async def engine(request: web.BaseRequest) -> web.Response:
        if request.path == "/version":
            return web.json_response({"version": version})
        return web.Response(text="vllm:num_requests_running 0\n")

    runner = web.ServerRunner(web.Server(engine))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with asked(runner.addresses[0][1]) as vllm:
            assert (await vllm.load()).operations == operations
    finally:
        await runner.cleanup()
