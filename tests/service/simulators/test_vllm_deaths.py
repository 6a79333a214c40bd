"""How a server goes on when its core dies, hangs, or is asked to end: as the real one was seen."""

import asyncio

import aiohttp
import pytest

from .conftest import LIMIT_S, Start, chat, get, post, state, until

SLOW = 0.001
AT_ONCE = {"error_after_s": 0, "exits_after_s": 0, "closes_after_s": 0}


async def strike(client: aiohttp.ClientSession, fault: str, **parameters: float) -> None:
    assert (await post(client, "/simulator/faults", {fault: parameters}))[0] == 200


async def test_a_server_without_its_core_tells_its_clients_and_ends(start: Start) -> None:
    client = await start(tokens_per_s=SLOW)
    asking = asyncio.create_task(chat(client))
    await until(client, lambda seen: seen["running"] == 1)
    await strike(client, "core_dies", **{**AT_ONCE, "exits_after_s": 0.5})
    assert (await asking)[0] == 500
    await until(client, lambda seen: seen["counters"]["boots"] == 2)
    assert (await chat(client, max_tokens=1))[0] == 200


async def test_a_core_that_dies_under_a_control_call_leaves_a_closed_port(start: Start) -> None:
    client = await start()
    host, port = client._base_url.host, client._base_url.port  # type: ignore[union-attr]
    await strike(client, "core_hangs")
    hanging = asyncio.create_task(client.get("/is_sleeping"))
    await until(client, lambda seen: seen["control_calls"] == 1)
    await strike(client, "core_dies", **AT_ONCE)
    async with asyncio.timeout(LIMIT_S):
        while True:
            try:
                _, writer = await asyncio.open_connection(host, port)
            except ConnectionError:
                break
            writer.close()
    assert not hanging.done()
    hanging.cancel()


async def test_a_hanging_core_leaves_health_well_and_control_calls_unanswered(
    start: Start,
) -> None:
    client = await start(tokens_per_s=SLOW)
    asking = asyncio.create_task(chat(client, max_tokens=2))
    await until(client, lambda seen: seen["running"] == 1)
    await strike(client, "core_hangs")
    calls = [
        asyncio.create_task(client.get("/is_sleeping")),
        asyncio.create_task(client.post("/sleep")),
    ]
    for path in ("/health", "/metrics", "/v1/models"):
        async with client.get(path) as response:
            assert response.status == 200, path
    assert not any(call.done() for call in calls)
    assert not asking.done()
    async with client.delete("/simulator/faults/core_hangs"):
        pass
    assert [(await call).status for call in calls] == [200, 200]
    assert (await asking)[1]["choices"][0]["finish_reason"] == "abort"


@pytest.mark.parametrize("path", ["/sleep?level=1", "/abort_requests"])
async def test_aborting_a_vector_ends_the_server(start: Start, path: str) -> None:
    client = await start(kind="embed", ttft_s=1000)
    asking = asyncio.create_task(post(client, "/v1/embeddings", {"input": "x"}))
    await until(client, lambda seen: seen["running"] == 1)
    assert (await post(client, path, {}))[0] == 500
    assert (await asking)[0] == 500
    await until(client, lambda seen: seen["counters"]["boots"] == 2)


async def test_a_vector_is_waited_for_in_the_mode_wait(start: Start) -> None:
    client = await start(kind="embed", ttft_s=0.2)
    asking = asyncio.create_task(post(client, "/v1/embeddings", {"input": "x"}))
    await until(client, lambda seen: seen["running"] == 1)
    assert (await post(client, "/sleep?level=1&mode=wait"))[0] == 200
    assert (await asking)[0] == 200
    assert (await state(client))["counters"]["boots"] == 1


async def test_a_vector_is_never_shown_as_running(start: Start) -> None:
    client = await start(kind="embed", ttft_s=1000)
    asking = asyncio.create_task(post(client, "/v1/embeddings", {"input": "x"}))
    await until(client, lambda seen: seen["running"] == 1)
    async with client.get("/metrics") as response:
        assert 'num_requests_running{engine="0",model_name="a"} 0.0' in await response.text()
    asking.cancel()


async def test_a_vector_is_no_token_that_was_made(start: Start) -> None:
    client = await start(kind="embed")
    assert (await post(client, "/v1/embeddings", {"input": "x y"}))[0] == 200
    async with client.get("/metrics") as response:
        text = await response.text()
    assert 'vllm:prompt_tokens_total{engine="0",model_name="a"} 2.0' in text
    assert 'vllm:generation_tokens_total{engine="0",model_name="a"} 0.0' in text


@pytest.mark.parametrize(("version", "told"), [("0.30.0", False), ("0.32.0", True)])
async def test_sleeps_under_way_are_counted_from_0_32_on(
    start: Start, version: str, told: bool
) -> None:
    client = await start(version=version)
    await post(client, "/sleep?level=1")
    async with client.get("/metrics") as response:
        text = await response.text()
    assert ('vllm:sleep_mode_operations_in_flight{operation="sleep"} 0.0' in text) == told


async def test_tokens_are_counted_when_they_are_made(start: Start) -> None:
    client = await start(tokens_per_s=SLOW)
    asking = asyncio.create_task(chat(client))
    await until(client, lambda seen: seen["running"] == 1)
    async with asyncio.timeout(LIMIT_S):
        text = ""
        while 'vllm:generation_tokens_total{engine="0",model_name="a"} 1.0' not in text:
            async with client.get("/metrics") as response:
                text = await response.text()
    assert 'finished_reason="abort",model_name="a"} 0.0' in text
    asking.cancel()


async def test_an_unknown_version_is_refused(start: Start) -> None:
    with pytest.raises(ValueError, match=r"version is 0\.29\.0: give one from 0\.30\.0 on"):
        await start(version="0.29.0")


async def test_the_version_is_told(start: Start) -> None:
    assert await get(await start(version="0.30.0"), "/version") == {"version": "0.30.0"}
