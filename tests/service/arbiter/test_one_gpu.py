"""A whole server as processes: it comes up unattended, and gets up again after every fall."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from harness.server import TOKEN, Server, run_server, until

SIZES_GIB = {"a": 20.0, "b": 24.0, "c": 28.0}
SLOW_S = 4.0  # longer than an arbiter takes to start
QUICK = ["--boot-s=0.2", "--first-sleep-s=0.1", "--sleep-s=0.05", "--wake-s=0.1", "--ttft-s=0"]


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    limits = {"watch_s": 0.2, "recycle_s": 20, "connect_s": 2, "hang_s": 4}
    folder = tmp_path_factory.mktemp("server")
    async with run_server(folder, SIZES_GIB, QUICK, settings={"limits": limits}) as server:
        await until(server, server.all_usable, "all models to be usable")
        yield server


async def ask(server: Server, model: str, **more: Any) -> tuple[int, Any]:
    question = {"model": model, "messages": [{"role": "user", "content": "why"}], **more}
    async with aiohttp.request(
        "POST", f"{server.url}/v1/chat/completions", json=question
    ) as response:
        return response.status, json.loads(await response.read())


async def engine_state(server: Server, model: str) -> Any:
    url = f"{server.engine_urls[model]}/simulator/state"
    async with aiohttp.request("GET", url) as response:
        return await response.json()


async def test_engines_boot_in_turn_though_all_start_at_once(server: Server) -> None:
    for name in SIZES_GIB:
        assert (await ask(server, name))[0] == 200
    for process in server.engines.values():
        assert "ValueError: Free memory" not in process.output, process.output


async def test_a_killed_engine_comes_back_and_its_client_learns_of_it(server: Server) -> None:
    asking = asyncio.create_task(ask(server, "a", max_tokens=30_000, ignore_eos=True))

    async def runs() -> bool:
        return bool((await engine_state(server, "a"))["running"])

    await until(server, runs, "the request to run")
    starts = server.engines["a"].starts
    server.engines["a"].kill()
    status, body = await asking
    assert (status, body["error"]["code"]) == (502, "engine_lost")

    async def is_back() -> bool:
        return server.engines["a"].starts > starts and await server.all_usable()

    await until(server, is_back, "a to come back")
    assert (await ask(server, "a"))[0] == 200
    assert (await ask(server, "b"))[0] == 200


async def test_an_arbiter_that_starts_again_finds_the_gpu_as_it_is(server: Server) -> None:
    assert (await ask(server, "b"))[0] == 200
    wakes = (await engine_state(server, "b"))["counters"]["wakes"]
    starts = server.arbiter.starts
    server.arbiter.kill()

    async def is_back() -> bool:
        return server.arbiter.starts > starts and await server.all_usable()

    await until(server, is_back, "the arbiter to come back")
    assert (await server.states())["b"] == "awake"
    assert (await ask(server, "b"))[0] == 200
    assert (await engine_state(server, "b"))["counters"]["wakes"] == wakes


async def test_a_wake_that_outlasts_its_arbiter_leaves_its_model_awake(server: Server) -> None:
    assert (await ask(server, "a"))[0] == 200
    counters = (await engine_state(server, "b"))["counters"]
    faults = f"{server.engine_urls['b']}/simulator/faults"
    slow = {"wake_slow": {"seconds": SLOW_S, "times": 1}}
    async with aiohttp.request("POST", faults, json=slow):
        asking = asyncio.create_task(ask(server, "b"))

    async def wakes() -> bool:
        async with aiohttp.request("GET", f"{server.engine_urls['b']}/metrics") as response:
            return 'operations_in_flight{operation="wake"} 1.0' in await response.text()

    await until(server, wakes, "b to wake up")
    starts = server.arbiter.starts
    server.arbiter.kill()
    with pytest.raises(aiohttp.ClientError):
        await asking

    async def is_back() -> bool:
        return server.arbiter.starts > starts and await server.all_usable()

    await until(server, is_back, "the arbiter to come back")
    assert (await server.states())["b"] == "awake"
    assert (await ask(server, "b"))[0] == 200
    after = (await engine_state(server, "b"))["counters"]
    assert after["wakes"] == counters["wakes"] + 1
    assert after["sleeps"] == counters["sleeps"]


def engine_pid(server: Server, model: str) -> int:
    """Return the number of the one process that the wrapper started."""
    wrapper = server.engines[model].pid_file.read_text()
    (engine,) = Path(f"/proc/{wrapper}/task/{wrapper}/children").read_text().split()
    return int(engine)


async def test_an_engine_that_hangs_is_replaced_and_the_others_serve(server: Server) -> None:
    """Stopped, it takes connections as before: the kernel does that."""
    assert (await ask(server, "b"))[0] == 200
    starts = server.engines["b"].starts
    os.kill(engine_pid(server, "b"), signal.SIGSTOP)

    async def is_back() -> bool:
        return server.engines["b"].starts > starts and await server.all_usable()

    await until(server, is_back, "b to be replaced")
    assert "its core hangs" in server.arbiter.output
    for name in SIZES_GIB:
        assert (await ask(server, name))[0] == 200


async def test_an_order_to_recycle_replaces_the_process(server: Server) -> None:
    starts = server.engines["c"].starts
    headers = {"authorization": f"Bearer {TOKEN}"}
    url = f"{server.at('operator')}/admin/recycle/c"
    async with aiohttp.request("POST", url, headers=headers) as response:
        assert response.status == 200

    async def is_back() -> bool:
        return server.engines["c"].starts > starts and await server.all_usable()

    await until(server, is_back, "c to be replaced")
    assert (await ask(server, "c"))[0] == 200
