"""How real servers end: told to, killed, or hung, and what becomes of the GPU meanwhile."""

import asyncio
import json
import os
import signal
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest

from real_vllm.stack import BOOT_S, LONG, Stack

pytestmark = pytest.mark.asyncio(loop_scope="session")

CORE = "VLLM::EngineCor"  # what it calls itself, as long as a name in Linux may be
OTHERS_S = 15.0
STOPPED_S = 40.0
STREAM = {"model": "one", "prompt": "Once", "ignore_eos": True, "stream": True}
CUT = {**STREAM, "max_tokens": LONG}
ENDS = {**STREAM, "max_tokens": 2000}  # within the grace that a stopped engine has


def core_of(stack: Stack, model: str) -> int:
    """The process of an engine's core."""
    session = int(stack.server.engines[model].pid_file.read_text())
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            pid = int(folder.name)
            if os.getsid(pid) == session and (folder / "comm").read_text().startswith(CORE):
                return pid
    raise AssertionError(f"{model} has no core")


async def starts(stack: Stack, model: str, more_than: int, limit_s: float) -> None:
    """Wait for a further start of an engine's container."""

    async def started() -> bool:
        return stack.server.engines[model].starts > more_than

    await stack.until(started, f"a new start of {model}", limit_s)


async def test_told_to_end_while_it_answers(stack: Stack) -> None:
    await stack.use("one", BOOT_S)
    before = stack.server.engines["one"].starts
    async with stack.http.post(f"{stack.server.url}/v1/completions", json=ENDS) as answer:
        await answer.content.readline()
        os.kill(int(stack.server.engines["one"].pid_file.read_text()), signal.SIGTERM)
        text = await answer.text()
    assert text.rstrip().endswith("data: [DONE]"), text[-300:]
    assert '"error"' not in text
    await starts(stack, "one", before, STOPPED_S)


async def test_told_to_end_while_it_loads(stack: Stack) -> None:
    process = stack.server.engines["one"]

    async def loads() -> bool:
        return await stack.state("one") == "booting"

    await stack.until(loads, "the engine to load", BOOT_S)
    before = process.starts
    os.kill(int(process.pid_file.read_text()), signal.SIGTERM)
    await starts(stack, "one", before, STOPPED_S)
    await stack.use("one", BOOT_S)


async def test_its_core_is_killed(stack: Stack) -> None:
    await stack.use("one", BOOT_S)
    before = stack.server.engines["one"].starts
    async with stack.http.post(f"{stack.server.url}/v1/completions", json=CUT) as answer:
        await answer.content.readline()
        os.kill(core_of(stack, "one"), signal.SIGKILL)
        text = await answer.text()
    last = [line for line in text.splitlines() if line.startswith("data: {")][-1]
    assert "error" in json.loads(last.removeprefix("data: ")), text[-300:]
    await stack.use("two", OTHERS_S)
    await starts(stack, "one", before, STOPPED_S)
    await stack.use("one", BOOT_S)


async def test_its_core_is_killed_while_a_control_call_is_pending(stack: Stack) -> None:
    await stack.use("one", BOOT_S)
    before, core = stack.server.engines["one"].starts, core_of(stack, "one")
    os.kill(core, signal.SIGSTOP)
    pending = asyncio.create_task(stack.http.get(f"{stack.server.engine_urls['one']}/is_sleeping"))
    await asyncio.wait([pending], timeout=1)  # it is never answered
    os.kill(core, signal.SIGKILL)
    await stack.use("two", OTHERS_S)
    await starts(stack, "one", before, STOPPED_S)
    with suppress(aiohttp.ClientError):
        await pending
    await stack.use("one", BOOT_S)


async def test_its_core_hangs(stack: Stack) -> None:
    await stack.use("one", BOOT_S)
    before = stack.server.engines["one"].starts
    os.kill(core_of(stack, "one"), signal.SIGSTOP)
    await starts(stack, "one", before, BOOT_S)
    await stack.use("two", BOOT_S)
    await stack.use("one", BOOT_S)
