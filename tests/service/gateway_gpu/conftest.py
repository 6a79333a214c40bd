"""One stack for all tests of this folder; every test starts with it healthy and gpu-chat awake."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from harness.gpu_stack import CONTEXT, GpuStack, run_gpu_stack
from harness.server import until

# Most of a minute; a prompt of some words fits before it.
LONG: dict[str, Any] = {"max_tokens": CONTEXT - 100, "ignore_eos": True}


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[GpuStack]:
    async with run_gpu_stack(tmp_path_factory.mktemp("stack")) as stack:
        yield stack


@pytest_asyncio.fixture(loop_scope="package")
async def stack(shared: GpuStack) -> GpuStack:
    """The stack, with nobody on it, every fault off, and gpu-chat awake."""
    await shared.heal()
    shared.cpu.reset()
    await until(shared.server, shared.server.all_usable, "all models to be usable")

    async def ready() -> bool:
        answer = await shared.client.ask("gpu-chat")
        return answer.served == "gpu-chat" and (await shared.server.states())["gpu-chat"] == "awake"

    await until(shared.server, ready, "gpu-chat to answer")
    return shared


def told(line: dict[str, Any], *keys: str) -> tuple[Any, ...]:
    """Return some facts of a log line."""
    return tuple(line[key] for key in keys)


async def is_busy(stack: GpuStack, running: int, waiting: int) -> bool:
    """Say whether exactly so many requests run and wait at the arbiter."""
    models = (await stack.status())["models"]
    return [sum(each[key] for each in models) for key in ("running", "waiting")] == [
        running,
        waiting,
    ]
