"""The simulator's HTTP surface is vLLM's: what clients and probes see."""

import asyncio
import json
from typing import Any

import aiohttp
import openai
import pytest

from vllm_simulator import MemoryGpu

from .conftest import Start, chat, get, post, state, until


async def events(client: aiohttp.ClientSession, **fields: Any) -> tuple[list[Any], bool]:
    """Read a stream to its end: the events, and whether it ended with [DONE]."""
    body = {"model": "a", "messages": [{"role": "user", "content": "why"}], "stream": True}
    async with client.post("/v1/chat/completions", json={**body, **fields}) as response:
        assert response.status == 200
        assert response.content_type == "text/event-stream"
        lines = [line.decode().strip() async for line in response.content if line.strip()]
    assert all(line.startswith("data: ") for line in lines)
    found = [line.removeprefix("data: ") for line in lines]
    done = bool(found) and found[-1] == "[DONE]"
    return [json.loads(each) for each in found[: len(found) - done]], done


async def test_the_openai_library_is_served(start: Start) -> None:
    client = await start(answer_tokens=5)
    async with openai.AsyncOpenAI(base_url=f"{client._base_url}/v1", api_key="none") as api:
        question: Any = [{"role": "user", "content": "why"}]
        tools: Any = [{"type": "function", "function": {"name": "now", "parameters": {}}}]
        answer = await api.chat.completions.create(model="a", messages=question, tools=tools)
        assert answer.choices[0].finish_reason == "stop"
        assert answer.usage is not None
        assert answer.usage.completion_tokens == 5
        stream = await api.chat.completions.create(
            model="a", messages=question, stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in stream]
        assert chunks[-1].usage is not None
        assert chunks[-1].usage.completion_tokens == 5
        text = await api.completions.create(model="a", prompt="why", max_tokens=3)
        assert text.choices[0].finish_reason == "length"
        assert [model.id async for model in api.models.list()] == ["a"]


async def test_the_openai_library_gets_vectors_of_an_engine_that_makes_them(start: Start) -> None:
    client = await start(kind="embed")
    async with openai.AsyncOpenAI(base_url=f"{client._base_url}/v1", api_key="none") as api:
        vectors = await api.embeddings.create(model="a", input=["x", "y"])
        assert len(vectors.data) == 2
        assert vectors.data[0].embedding != vectors.data[1].embedding
        with pytest.raises(openai.NotFoundError):
            await api.chat.completions.create(model="a", messages=[])


async def test_stream_and_whole_answer_say_the_same(start: Start) -> None:
    client = await start()
    _, whole = await chat(client, temperature=0)
    chunks, done = await events(client, temperature=0)
    text = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks)
    assert done
    assert text == whole["choices"][0]["message"]["content"]


async def test_control_routes_need_the_development_mode(start: Start) -> None:
    client = await start(dev_mode=False)
    for path in ("/sleep", "/wake_up", "/pause", "/collective_rpc"):
        async with client.post(path) as response:
            assert response.status == 404, path
    async with client.get("/is_sleeping") as response:
        assert response.status == 404


async def test_level_is_read_from_the_query_and_never_from_the_body(start: Start) -> None:
    client = await start()
    assert await post(client, "/sleep", {"level": 2}) == (200, {"status": "sleeping", "level": 1})
    assert await post(client, "/wake_up") == (200, {"status": "awake", "tags": None})
    assert await post(client, "/sleep?level=2&mode=wait") == (
        200,
        {"status": "sleeping", "level": 2},
    )


@pytest.mark.parametrize("query", ["level=3", "level=-1", "level=one", "mode=now"])
async def test_values_out_of_range_are_refused_as_vllm_does(start: Start, query: str) -> None:
    client = await start()
    status, body = await post(client, f"/sleep?{query}")
    assert status == 400, "vLLM's handler turns FastAPI's 422 into a 400"
    assert body["error"]["message"].startswith("1 validation error")
    assert await get(client, "/is_sleeping") == {"is_sleeping": False}


async def test_probes_and_scrapes_answer_while_asleep_and_wake_nothing(start: Start) -> None:
    client = await start()
    await post(client, "/sleep?level=1")
    for path in ("/health", "/metrics", "/v1/models", "/vram", "/version"):
        async with client.get(path) as response:
            assert response.status == 200, path
    assert await get(client, "/is_sleeping") == {"is_sleeping": True}
    assert (await state(client))["counters"].get("wakes", 0) == 0


async def test_a_stream_to_a_sleeper_gets_its_200_at_once_and_then_nothing(start: Start) -> None:
    client = await start()
    await post(client, "/sleep?level=1")
    body = {"model": "a", "messages": [{"role": "user", "content": "why"}], "stream": True}
    async with client.post("/v1/chat/completions", json=body) as response:
        assert response.status == 200
        await until(client, lambda seen: seen["waiting"] == 1)
        await post(client, "/wake_up")
        assert (await response.text()).endswith("data: [DONE]\n\n")


async def test_an_abort_looks_like_a_success(start: Start) -> None:
    client = await start(tokens_per_s=0.001)
    whole = asyncio.create_task(chat(client))
    stream = asyncio.create_task(events(client))
    await until(client, lambda seen: seen["running"] == 2)
    assert (await post(client, "/abort_requests", {}))[1] == {"status": "aborted", "aborted": 2}
    status, answer = await whole
    chunks, done = await stream
    assert (status, answer["choices"][0]["finish_reason"]) == (200, "abort")
    assert (done, chunks[-1]["choices"][0]["finish_reason"]) == (True, "abort")


async def test_a_paused_engine_refuses_with_a_retryable_503(start: Start) -> None:
    client = await start()
    await post(client, "/pause?mode=wait")
    assert await get(client, "/is_sleeping") == {"is_sleeping": True}
    status, body = await chat(client)
    assert (status, body["error"]["type"]) == (503, "ServiceUnavailableError")
    chunks, done = await events(client)
    assert (chunks[-1]["error"]["code"], done) == (503, True)
    await post(client, "/resume")
    assert (await chat(client))[0] == 200


async def test_a_client_that_leaves_is_cancelled_in_the_engine(start: Start) -> None:
    client = await start(tokens_per_s=0.001)
    leaving = asyncio.create_task(chat(client))
    await until(client, lambda seen: seen["running"] == 1)
    leaving.cancel()
    await until(client, lambda seen: seen["running"] == 0)
    assert (await state(client))["counters"]["cancelled"] == 1


async def test_an_operation_goes_on_when_its_caller_hangs_up(start: Start) -> None:
    client = await start(tokens_per_s=0.001)
    asking = asyncio.create_task(chat(client))
    await until(client, lambda seen: seen["running"] == 1)
    sleeping = asyncio.create_task(post(client, "/sleep?mode=wait"))
    await until(client, lambda seen: seen["is_paused"])
    sleeping.cancel()
    await post(client, "/abort_requests", {})
    await asking
    await until(client, lambda seen: seen["sleeping_tags"] == ["kv_cache", "weights"])


async def test_metrics_carry_vllm_names(start: Start) -> None:
    client = await start()
    await chat(client)
    await post(client, "/sleep?level=1")
    async with client.get("/metrics") as response:
        text = await response.text()
    names = 'engine="0",model_name="a"'
    for line in (
        f"vllm:num_requests_running{{{names}}} 0.0",
        f"vllm:num_requests_waiting{{{names}}} 0.0",
        f'vllm:engine_sleep_state{{{names},sleep_state="awake"}} 0.0',
        f'vllm:engine_sleep_state{{{names},sleep_state="weights_offloaded"}} 1.0',
        'vllm:sleep_mode_operation_duration_seconds_count{operation="sleep"} 1.0',
        'vllm:request_success_total{engine="0",finished_reason="stop",model_name="a"} 1.0',
    ):
        assert line in text.splitlines(), line


async def test_a_wrong_model_is_not_found(start: Start) -> None:
    client = await start()
    status, body = await chat(client, model="b")
    assert (status, body["error"]["type"]) == (404, "NotFoundError")


async def test_a_dead_engine_answers_503_on_health_and_500_elsewhere(start: Start) -> None:
    client = await start()
    await post(client, "/simulator/faults", {"dead": {}})
    async with client.get("/health") as response:
        assert response.status == 503
    assert (await chat(client))[0] == 500
    async with client.get("/is_sleeping") as response:
        assert response.status == 500


async def test_a_death_may_hide_behind_a_healthy_200(start: Start) -> None:
    client = await start()
    await post(client, "/simulator/faults", {"sleep_kills": {"health": 200}})
    assert (await post(client, "/sleep?level=1"))[0] == 200
    async with client.get("/health") as response:
        assert response.status == 200
    assert (await chat(client))[0] == 500


@pytest.mark.parametrize("reset", [0, 1])
async def test_streams_that_break_off(start: Start, reset: int) -> None:
    client = await start()
    await post(
        client, "/simulator/faults", {"truncate_answers": {"after_tokens": 2, "reset": reset}}
    )
    if reset:
        with pytest.raises(aiohttp.ClientPayloadError):
            await events(client)
    else:
        chunks, done = await events(client)
        assert (len(chunks), done) == (3, False)


async def test_whole_answers_that_break_off(start: Start) -> None:
    client = await start()
    await post(client, "/simulator/faults", {"truncate_answers": {}})
    with pytest.raises(aiohttp.ClientPayloadError):
        await chat(client)


@pytest.mark.parametrize(("fault", "path"), [("metrics_away", "/metrics"), ("vram_away", "/vram")])
async def test_monitoring_that_is_away(start: Start, fault: str, path: str) -> None:
    client = await start()
    await post(client, "/simulator/faults", {fault: {}})
    with pytest.raises(aiohttp.ClientError):
        await client.get(path)
    async with client.delete(f"/simulator/faults/{fault}") as response:
        assert (await response.json())["active"] == {}
    async with client.get(path) as response:
        assert response.status == 200


async def test_a_restart_breaks_connections_and_boots_again(start: Start, gpu: MemoryGpu) -> None:
    client = await start(tokens_per_s=0.001)
    asking = asyncio.create_task(chat(client))
    await until(client, lambda seen: seen["running"] == 1)
    await post(client, "/simulator/faults", {"restart": {}})
    with pytest.raises(aiohttp.ClientError):
        await asking
    await until(client, lambda seen: seen["counters"]["boots"] == 2)
    assert (await state(client))["gone"] is False
    assert gpu.holders() == {"a": 20 * 1024**3}


async def test_a_restart_shows_in_the_start_time_of_the_process(start: Start) -> None:
    client = await start()

    async def started() -> str:
        async with client.get("/metrics") as response:
            return next(
                line
                for line in (await response.text()).splitlines()
                if line.startswith("process_start_time_seconds ")
            )

    before = await started()
    assert await started() == before
    await post(client, "/simulator/faults", {"restart": {}})
    await until(client, lambda seen: seen["counters"]["boots"] == 2)
    assert await started() != before


async def test_a_restart_breaks_a_control_call_that_hangs(start: Start) -> None:
    client = await start()
    await post(client, "/simulator/faults", {"sleep_hangs": {}})
    sleeping = asyncio.create_task(post(client, "/sleep"))
    await until(client, lambda seen: seen["strikes"].get("sleep_hangs", 0) == 1)
    await post(client, "/simulator/faults", {"restart": {}})
    with pytest.raises(aiohttp.ClientError):
        await sleeping


async def test_a_restart_waits_until_the_gpu_has_room(start: Start) -> None:
    first = await start("a")
    await post(first, "/sleep?level=1")
    second = await start("b")
    await post(first, "/simulator/faults", {"restart": {}})
    await until(first, lambda seen: seen["counters"].get("failed_boots", 0) >= 1)
    with pytest.raises(aiohttp.ClientError):
        await first.get("/health")
    await post(second, "/sleep?level=1")
    await until(first, lambda seen: seen["gone"] is False)


async def test_a_foreign_process_shows_on_the_gpu(start: Start) -> None:
    client = await start()
    await post(client, "/simulator/faults", {"vram_hog": {"gib": 4}})
    assert (await get(client, "/vram"))["used_bytes"] == 24 * 1024**3
    await client.delete("/simulator/faults")
    assert (await get(client, "/vram"))["used_bytes"] == 20 * 1024**3


async def test_faults_are_listed_and_unknown_ones_refused(start: Start) -> None:
    client = await start()
    available = (await get(client, "/simulator/faults"))["available"]
    assert available["leak"]["parameters"] == {"gib": 0.5}
    status, body = await post(client, "/simulator/faults", {"leek": {}})
    assert (status, "leek: no such fault" in body["error"]["message"]) == (400, True)
    async with client.delete("/simulator/faults/leek") as response:
        assert response.status == 404


async def test_the_order_of_requests_can_be_read(start: Start) -> None:
    client = await start()
    for name in ("first", "second"):
        body = {"prompt": "why"}
        async with client.post("/v1/completions", json=body, headers={"x-request-id": name}):
            pass
    assert (await get(client, "/simulator/requests"))["admissions"] == ["cmpl-first", "cmpl-second"]


async def test_a_prompt_that_is_too_long_is_refused_and_says_so(start: Start) -> None:
    client = await start(max_model_len=10)
    messages = [{"role": "user", "content": "why " * 10}]
    status, body = await chat(client, messages=messages)
    assert (status, body["error"]["type"]) == (400, "BadRequestError")
    assert body["error"]["message"].startswith("This model's maximum context length is 10 tokens.")
    assert (await chat(client))[0] == 200
