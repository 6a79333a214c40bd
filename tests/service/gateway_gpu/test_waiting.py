"""What clients are told of the GPU: which model is awake, and of a wait how long it may last."""

import asyncio
import re
from typing import Any

import pytest

from every_dialect import ASKED
from harness.gpu_stack import GpuStack
from harness.server import until

from .conftest import LONG, is_busy

pytestmark = pytest.mark.asyncio(loop_scope="package")
HEADERS = {"authorization": "Bearer sk-synapse-cortex"}
PLACE = re.compile(r"^: waiting for the GPU: place (\d+), about (\d+) s$", re.MULTILINE)
COMMENTED = [path for path in ASKED if not path.startswith("/api/")]


async def listed(stack: GpuStack) -> dict[str, dict[str, Any]]:
    """Return what the list tells of each name."""
    async with stack.http.get(f"{stack.gateway.url}/v1/models", headers=HEADERS) as answer:
        return {each["id"]: each for each in (await answer.json())["data"]}


async def predicted(stack: GpuStack, model: str) -> float:
    """Return how long a request would wait, as the list tells it."""
    wait_s: float = (await listed(stack))[model]["predicted_wait_s"]
    return wait_s


@pytest.mark.parametrize("path", COMMENTED)
async def test_a_stream_that_waits_tells_its_place_and_how_long(stack: GpuStack, path: str) -> None:
    await stack.strike("gpu-agent", "wake_slow", seconds=2.5, times=1)
    body = {"model": "gpu-agent", **ASKED[path], "stream": True}
    answer = await stack.client.post(path, body, HEADERS)
    found = PLACE.findall(answer.text)
    assert found, answer.text
    assert found[0][0] == "1"
    assert (answer.line["served"], answer.line["woke"]) == ("gpu-agent", True)
    assert answer.line["waited_s"] >= 2.5


async def test_the_list_tells_who_is_awake_and_how_long_one_would_wait(stack: GpuStack) -> None:
    models = await listed(stack)
    awake, asleep = models["gpu-chat"], models["gpu-code"]
    assert (awake["state"], awake["status"]["value"]) == ("awake", "loaded")
    assert awake["predicted_wait_s"] == 0
    assert (asleep["state"], asleep["status"]["value"]) == ("asleep", "unloaded")
    assert asleep["predicted_wait_s"] > 0
    assert models["assistant"]["state"] == "awake", "a name is told as its model is"
    assert "state" not in models["tiny-chat"], "nobody has to wait for the CPU"
    url = f"{stack.gateway.url}/v1/models/gpu-code"
    async with stack.http.get(url, headers=HEADERS) as answer:
        assert (await answer.json())["state"] == "asleep"


async def test_the_list_follows_a_gpu_that_is_busy(stack: GpuStack) -> None:
    before_s = await predicted(stack, "gpu-code")
    busy = asyncio.create_task(stack.client.ask("gpu-chat", **LONG))
    await until(stack.server, lambda: is_busy(stack, 1, 0), "gpu-chat to be busy")

    async def longer() -> bool:
        return await predicted(stack, "gpu-code") > before_s

    await until(stack.server, longer, "the list to tell a longer wait")
    busy.cancel()
    await until(stack.server, lambda: is_busy(stack, 0, 0), "the GPU to be idle")


async def test_without_the_arbiter_the_list_is_there_without_states(stack: GpuStack) -> None:
    await stack.server.arbiter.stop()
    try:

        async def untold() -> bool:
            return "state" not in (await listed(stack))["gpu-chat"]

        await until(stack.server, untold, "the list to forget what it knew")
        assert {"gpu-chat", "assistant", "tiny-chat"} <= (await listed(stack)).keys()
    finally:
        stack.server.arbiter.start()
