"""Simulators on free ports of 127.0.0.1, quick enough that nothing has to wait for them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any, Protocol

import aiohttp
import pytest

from vllm_simulator import GIB, MemoryGpu, Settings, Simulator, serve

QUICK: dict[str, Any] = {
    "vram_gib": 20,
    "tokens_per_s": 0,
    "ttft_s": 0,
    "sleep_s": 0,
    "first_sleep_s": 0,
    "wake_s": 0,
    "boot_s": 0,
    "dev_mode": True,
}
LIMIT_S = 20


class Start(Protocol):
    async def __call__(self, model: str = "a", **values: Any) -> aiohttp.ClientSession: ...


@pytest.fixture
def gpu() -> MemoryGpu:
    return MemoryGpu(32 * GIB)


@pytest.fixture
async def start(gpu: MemoryGpu) -> AsyncIterator[Start]:
    async with AsyncExitStack() as stack:

        async def start_one(model: str = "a", **values: Any) -> aiohttp.ClientSession:
            settings = Settings(model=model, **{**QUICK, **values})
            address = await stack.enter_async_context(serve(Simulator(settings, gpu)))
            timeout = aiohttp.ClientTimeout(total=LIMIT_S)
            session = aiohttp.ClientSession(address, timeout=timeout)
            return await stack.enter_async_context(session)

        yield start_one


async def state(client: aiohttp.ClientSession) -> Any:
    return await get(client, "/simulator/state")


async def get(client: aiohttp.ClientSession, path: str) -> Any:
    async with client.get(path) as response:
        assert response.status == 200, await response.text()
        return await response.json()


async def post(client: aiohttp.ClientSession, path: str, body: Any = None) -> tuple[int, Any]:
    async with client.post(path, json=body) as response:
        return response.status, await response.json()


async def chat(client: aiohttp.ClientSession, **fields: Any) -> tuple[int, Any]:
    body = {"model": "a", "messages": [{"role": "user", "content": "why"}], **fields}
    return await post(client, "/v1/chat/completions", body)


async def until(client: aiohttp.ClientSession, condition: Callable[[dict[str, Any]], bool]) -> None:
    """Ask for the state until it satisfies the condition."""
    async with asyncio.timeout(LIMIT_S):
        while not condition(await state(client)):
            pass
