"""Simulators as processes of their own, sharing one GPU."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from vllm_simulator import GIB

from .conftest import LIMIT_S, get, post

Process = asyncio.subprocess.Process
Launch = Callable[..., Awaitable[tuple[Process, aiohttp.ClientSession]]]
OPTIONS = ["--boot-s=0", "--first-sleep-s=0", "--sleep-s=0", "--wake-s=0", "--port=0"]
ENVIRONMENT = {"VLLM_SERVER_DEV_MODE": "1", "VLLM_MAX_STOP_STRINGS": "64"}


@asynccontextmanager
async def python(*arguments: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=ENVIRONMENT,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.communicate(), LIMIT_S)


@pytest.fixture
async def launch(
    tmp_path: Path,
) -> AsyncIterator[Launch]:
    async with AsyncExitStack() as stack:

        async def launch_one(*options: str) -> tuple[Process, aiohttp.ClientSession]:
            arguments = ["vllm_simulator", f"--gpu={tmp_path}/gpu", *OPTIONS, *options]
            process = await stack.enter_async_context(python(*arguments))
            assert process.stdout is not None
            line = ""
            while " serves on " not in line:
                line = (await asyncio.wait_for(process.stdout.readline(), LIMIT_S)).decode()
                assert line, (await process.communicate())[1].decode()
            session = aiohttp.ClientSession(line.split()[-1])
            return process, await stack.enter_async_context(session)

        yield launch_one


@pytest.mark.parametrize(("count", "status"), [(12, 200), (65, 400)])
async def test_the_environment_says_how_many_texts_may_end_an_answer(
    launch: Launch, count: int, status: int
) -> None:
    _, client = await launch("--model=a", "--ttft-s=0", "--tokens-per-s=0")
    messages = [{"role": "user", "content": "hello"}]
    body = {"model": "a", "messages": messages, "stop": [f"stop-{n}" for n in range(count)]}
    async with client.post("/v1/chat/completions", json=body) as answer:
        assert answer.status == status, await answer.text()


async def read_gpu(tmp_path: Path) -> Any:
    async with python("vllm_simulator.gpu", f"--gpu={tmp_path}/gpu") as reader:
        out, _ = await asyncio.wait_for(reader.communicate(), LIMIT_S)
        return json.loads(out)


async def test_processes_share_a_gpu_and_a_killed_one_frees_its_memory(
    launch: Launch, tmp_path: Path
) -> None:
    first, client = await launch("--model=a", "--vram-gib=20", "--context-gib=1")
    await post(client, "/sleep?level=1")
    second, _ = await launch("--model=b", "--vram-gib=24")
    assert (await read_gpu(tmp_path))["used_bytes"] == 25 * GIB
    assert (await get(client, "/vram"))["used_bytes"] == 25 * GIB
    status, body = await post(client, "/wake_up")
    assert (status, "out of memory" in body["error"]["message"]) == (500, True)
    second.send_signal(signal.SIGKILL)
    await second.wait()
    assert (await post(client, "/wake_up"))[0] == 200
    assert (await read_gpu(tmp_path))["used_bytes"] == 20 * GIB
    assert first.returncode is None


async def test_an_engine_that_finds_no_room_exits_with_vllms_sentence(
    launch: Launch, tmp_path: Path
) -> None:
    await launch("--model=a", "--vram-gib=24")
    async with python(
        "vllm_simulator", f"--gpu={tmp_path}/gpu", *OPTIONS, "--model=b", "--vram-gib=24"
    ) as refused:
        _, errors = await asyncio.wait_for(refused.communicate(), LIMIT_S)
    assert refused.returncode == 1
    assert b"ValueError: Free memory on device cuda:0 (8.00/32.00 GiB) on startup" in errors


async def test_vllms_own_command_line_is_understood(launch: Launch) -> None:
    command = "Some/Model --served-model-name a --enable-sleep-mode --kv-cache-dtype fp8"
    process, client = await launch(*command.split(), "--gpu-memory-utilization", "0.5")
    assert (await get(client, "/v1/models"))["data"][0]["id"] == "a"
    assert (await get(client, "/vram"))["used_bytes"] == 16 * GIB
    process.terminate()
    assert await asyncio.wait_for(process.wait(), LIMIT_S) == 0


async def test_the_exit_fault_ends_the_process_without_a_word(launch: Launch) -> None:
    process, client = await launch("--model=a")
    with pytest.raises(aiohttp.ClientError):
        await client.post("/simulator/faults", json={"exit": {"code": 137}})
    assert await asyncio.wait_for(process.wait(), LIMIT_S) == 137


async def test_a_missing_name_is_explained(tmp_path: Path) -> None:
    async with python("vllm_simulator", f"--gpu={tmp_path}/gpu") as refused:
        _, errors = await asyncio.wait_for(refused.communicate(), LIMIT_S)
    assert (refused.returncode, errors) == (2, b"Name the model: --model NAME.\n")


async def until_said(process: Process, what: str) -> None:
    """Read what a process prints until it says something."""
    assert process.stdout is not None
    line = ""
    while what not in line:
        line = (await asyncio.wait_for(process.stdout.readline(), LIMIT_S)).decode()
        assert line, f"it ended without: {what}"


async def test_a_signal_to_end_is_lost_while_the_model_loads(tmp_path: Path) -> None:
    arguments = [f"--gpu={tmp_path}/gpu", *OPTIONS, "--boot-s=2", "--model=a"]
    async with python("vllm_simulator", *arguments) as process:
        await until_said(process, "a loads")
        process.terminate()
        await until_said(process, "SIGTERM is lost")
        await until_said(process, "serves on")


async def test_a_server_that_lost_its_core_under_a_control_call_is_deaf(launch: Launch) -> None:
    process, client = await launch("--model=a")
    await post(client, "/simulator/faults", {"core_hangs": {}})
    hanging = asyncio.create_task(client.get("/is_sleeping"))
    async with asyncio.timeout(LIMIT_S):
        while not (await get(client, "/simulator/state"))["control_calls"]:
            pass
    await post(client, "/simulator/faults", {"core_dies": {"error_after_s": 0}})
    process.terminate()
    await until_said(process, "SIGTERM is lost")
    assert process.returncode is None
    hanging.cancel()
    process.kill()


@pytest.mark.parametrize(
    ("options", "reason"), [([], "abort"), (["--shutdown-timeout=20"], "length")]
)
async def test_a_signal_to_end_cuts_answers_unless_they_are_given_time(
    launch: Launch, options: list[str], reason: str
) -> None:
    process, client = await launch("--model=a", "--tokens-per-s=20", *options)
    body = {"prompt": "why", "max_tokens": 20, "ignore_eos": True}
    asking = asyncio.create_task(post(client, "/v1/completions", body))
    async with asyncio.timeout(LIMIT_S):
        while not (await get(client, "/simulator/state"))["running"]:
            pass
    process.terminate()
    status, answer = await asking
    assert (status, answer["choices"][0]["finish_reason"]) == (200, reason)
    assert await asyncio.wait_for(process.wait(), LIMIT_S) == 0


async def test_vllms_options_choose_what_an_engine_is(launch: Launch) -> None:
    _, thinking = await launch("--model=a", "--vram-gib=4", "--reasoning-parser=qwen3")
    body = {"messages": [{"role": "user", "content": "why"}], "max_tokens": 4}
    _, answer = await post(thinking, "/v1/chat/completions", body)
    assert answer["choices"][0]["message"]["content"] is None
    _, vectors = await launch("--model=b", "--vram-gib=4", "--runner", "pooling")
    assert (await post(vectors, "/v1/embeddings", {"input": "x"}))[0] == 200
