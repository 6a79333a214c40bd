"""Clients that leave: nothing goes on running for nobody."""

import asyncio
from typing import Any

import pytest

from real_vllm.stack import LONG, Stack

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("ready")]

PATIENCE_S = 60.0
ENDS = 4000  # tokens of an answer that is waited for
CHAT = "/v1/chat/completions"
BODIES: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": (CHAT, {"messages": [{"role": "user", "content": "Go on."}], "max_tokens": LONG}),
    "completion": ("/v1/completions", {"prompt": "Go on.", "max_tokens": LONG}),
    "response": ("/v1/responses", {"input": "Go on.", "max_output_tokens": LONG}),
    "message": (
        "/v1/messages",
        {"messages": [{"role": "user", "content": "Go on."}], "max_tokens": LONG},
    ),
}


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("kind", BODIES)
async def test_who_leaves_a_running_answer(stack: Stack, kind: str, stream: bool) -> None:
    path, body = BODIES[kind]
    url = f"{stack.server.url}{path}"
    asked = asyncio.create_task(
        stack.http.post(url, json={**body, "model": "one", "stream": stream})
    )

    async def runs() -> bool:
        if asked.done():
            assert asked.result().status == 200, await asked.result().text()
            assert stream, "it ended before it was seen to run"
        return await stack.running("one") == 1

    async def is_idle() -> bool:
        return await stack.running("one") == 0

    await stack.until(runs, "the answer to run", PATIENCE_S)
    if asked.done():
        asked.result().close()
    asked.cancel()
    await stack.until(is_idle, "the engine to be idle", PATIENCE_S)


async def test_who_leaves_while_another_model_has_the_gpu(stack: Stack) -> None:
    prompt = {"prompt": "Go on.", "temperature": 0, "ignore_eos": True}
    url = f"{stack.server.url}/v1/completions"
    first = asyncio.create_task(
        stack.http.post(url, json={**prompt, "model": "one", "max_tokens": ENDS})
    )

    async def runs() -> bool:
        return await stack.running("one") == 1

    await stack.until(runs, "the first answer to run", PATIENCE_S)
    asked = asyncio.create_task(
        stack.http.post(url, json={**prompt, "model": "two", "max_tokens": 1})
    )

    async def waits() -> bool:
        async with stack.http.get(f"{stack.server.at('operator')}/status") as status:
            models = (await status.json())["models"]
        return any(model["name"] == "two" and model["waiting"] for model in models)

    await stack.until(waits, "the second to wait", PATIENCE_S)
    asked.cancel()
    assert (await first).status == 200, "nobody else suffers"
