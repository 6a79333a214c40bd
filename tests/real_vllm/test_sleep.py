"""Falling asleep: with requests in flight of every kind, and again and again."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from real_vllm.stack import BOOT_S, LONG, Stack
from synapse_arbiter.engine.vllm_client import Vllm

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("ready")]

CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"
PLACES = 4  # requests that an engine runs at once; a further one waits inside
SWITCHES = 50
TEXTS = 400  # more than a second of work
BACK_S = 60.0
GREEDY = {"model": "one", "max_tokens": LONG, "temperature": 0, "ignore_eos": True}
STORY = [{"role": "user", "content": "Tell me a story."}]
ONE_TOKEN = {"model": "one", "messages": STORY, "max_tokens": 1}
IN_FLIGHT: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": (CHAT, {**GREEDY, "messages": STORY}),
    "chat stream": (CHAT, {**GREEDY, "messages": STORY, "stream": True}),
    "completion": (COMPLETIONS, {**GREEDY, "prompt": "Once"}),
    "completion stream": (COMPLETIONS, {**GREEDY, "prompt": "Once", "stream": True}),
    "response": ("/v1/responses", {"model": "one", "input": "Once", "max_output_tokens": LONG}),
    "response stream": (
        "/v1/responses",
        {"model": "one", "input": "Once", "max_output_tokens": LONG, "stream": True},
    ),
    "message": ("/v1/messages", {"model": "one", "max_tokens": LONG, "messages": STORY}),
    "message stream": (
        "/v1/messages", {"model": "one", "max_tokens": LONG, "messages": STORY, "stream": True},
    ),
}  # fmt: skip


@asynccontextmanager
async def busy(stack: Stack, requests: int) -> AsyncIterator[None]:
    """Keep an engine busy with requests that went past the arbiter."""
    url = f"{stack.server.engine_urls['one']}{CHAT}"
    asked = [
        asyncio.create_task(stack.http.post(url, json={**GREEDY, "messages": STORY}))
        for _ in range(requests)
    ]
    await stack.until(lambda: runs(stack, requests), f"{requests} requests to run", BACK_S)
    try:
        yield
    finally:
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)


async def runs(stack: Stack, requests: int) -> bool:
    """Say whether the engine runs so many requests."""
    return await stack.running("one") == requests


async def is_back(stack: Stack) -> None:
    """Wait until the arbiter has woken the resident that somebody put to sleep."""
    await stack.use("one", BOOT_S)
    # The answer may have come before the arbiter has verified the wake that it owes it to.
    await stack.until(stack.settled, "the arbiter to have woken it", BACK_S)


def is_explicit(status: int, text: str) -> bool:
    """Say whether an answer says of itself that it is none."""
    if status != 200:
        return "error" in json.loads(text)
    last = [line for line in text.splitlines() if line.startswith("data: {")][-1]
    return "error" in json.loads(last.removeprefix("data: "))


@pytest.mark.parametrize("kind", IN_FLIGHT)
@pytest.mark.parametrize("phase", ["running", "waiting"])
async def test_asleep_behind_our_back(stack: Stack, kind: str, phase: str) -> None:
    await is_back(stack)
    path, body = IN_FLIGHT[kind]
    before = PLACES if phase == "waiting" else 0
    async with busy(stack, before):
        asked = asyncio.create_task(stack.ask(path, body))

        async def arrived() -> bool:
            assert not asked.done(), f"it ended before it was {phase}: {asked.result()}"
            count = "waiting" if phase == "waiting" else "running"
            return await stack.metric("one", f"vllm:num_requests_{count}{{") >= 1

        await stack.until(arrived, f"the request to be {phase}", BACK_S)
        url = stack.server.engine_urls["one"]
        async with stack.http.post(f"{url}/sleep?level=1") as slept:
            assert slept.status == 200
        status, text = await asked
    assert is_explicit(status, text), text[-600:]


async def test_an_embedding_in_flight_is_waited_for(stack: Stack) -> None:
    few = {"model": "embedder", "input": "Hello"}
    assert (await stack.ask("/v1/embeddings", few))[0] == 200
    url = stack.server.engine_urls["embedder"]
    many = {"model": "embedder", "input": ["Hello " * 400] * TEXTS}
    asked = asyncio.create_task(stack.http.post(f"{url}/v1/embeddings", json=many))

    async def computes() -> bool:
        # What it computes just now it never shows, only what waits for its turn.
        return await stack.metric("embedder", "vllm:num_requests_waiting{") >= 1

    await stack.until(computes, "the vectors to be computed", BACK_S)
    # The arbiter would let foreign requests end first, so its order to sleep is given for it.
    await Vllm("embedder", url, "embedding", stack.http, probe_s=BACK_S).sleep(BACK_S)
    assert not asked.done(), "it fell asleep in the middle"
    # What had not reached the core yet waits in the server until it wakes again.
    assert (await stack.ask("/v1/embeddings", few))[0] == 200
    async with await asked as answer:
        assert answer.status == 200, await answer.text()
        assert len((await answer.json())["data"]) == TEXTS
    assert stack.server.engines["embedder"].starts == 1, "its server lived on"


async def test_fifty_switches_and_every_answer_the_same(stack: Stack) -> None:
    await is_back(stack)
    body = {"max_tokens": 8, "temperature": 0, "prompt": "One, two, three,"}
    said: dict[str, set[str]] = {"one": set(), "two": set()}
    before = {model: stack.server.engines[model].starts for model in said}
    for turn in range(SWITCHES):
        model = ("two", "one")[turn % 2]
        status, text = await stack.ask(COMPLETIONS, {**body, "model": model})
        assert status == 200, text
        said[model].add(json.loads(text)["choices"][0]["text"])
    assert {model: len(texts) for model, texts in said.items()} == {"one": 1, "two": 1}
    assert {model: stack.server.engines[model].starts for model in said} == before
