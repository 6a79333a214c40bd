"""Every kind of request, through the arbiter as it comes, and through the gateway where it goes."""

import json
from typing import Any

import pytest

from real_vllm.stack import Stack

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("ready")]

HELLO = [{"role": "user", "content": "Say hello."}]
WEATHER: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "enum": ["Paris", "Rome"]}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}
NAMED = {"type": "function", "function": {"name": "get_weather"}}
CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"
SHORT = {"model": "one", "max_tokens": 8, "temperature": 0}
REQUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": (CHAT, {**SHORT, "messages": HELLO}),
    "chat stream": (CHAT, {**SHORT, "messages": HELLO, "stream": True}),
    "two choices": (CHAT, {**SHORT, "messages": HELLO, "n": 2, "temperature": 1, "stream": True}),
    "log probabilities": (CHAT, {**SHORT, "messages": HELLO, "logprobs": True}),
    "tools required": (
        CHAT,
        {**SHORT, "messages": HELLO, "tools": [WEATHER], "tool_choice": "required",
         "max_tokens": 200},
    ),
    "a named tool, stream": (
        CHAT,
        {**SHORT, "messages": HELLO, "tools": [WEATHER], "tool_choice": NAMED, "max_tokens": 200,
         "stream": True},
    ),
    "json schema": (
        CHAT,
        {**SHORT, "messages": HELLO, "max_tokens": 100, "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "city", "schema": WEATHER["function"]["parameters"]}}},
    ),
    "a stop text": (CHAT, {**SHORT, "messages": HELLO, "stop": ["abort", "e"]}),
    "completion": (COMPLETIONS, {**SHORT, "prompt": "Hello"}),
    "completion stream": (COMPLETIONS, {**SHORT, "prompt": ["Hello", "World"], "stream": True}),
    "embedding": ("/v1/embeddings", {"model": "embedder", "input": ["Hello", "World"]}),
    "response": ("/v1/responses", {"model": "one", "input": "Hello", "max_output_tokens": 8}),
    "response stream": (
        "/v1/responses",
        {"model": "one", "input": "Hello", "max_output_tokens": 8, "stream": True},
    ),
    "message": ("/v1/messages", {"model": "one", "max_tokens": 8, "messages": HELLO}),
    "message stream": (
        "/v1/messages", {"model": "one", "max_tokens": 8, "messages": HELLO, "stream": True},
    ),
}  # fmt: skip
THROUGH_THE_GATEWAY = (CHAT, COMPLETIONS, "/v1/embeddings")


@pytest.mark.parametrize("kind", REQUESTS)
async def test_request_through_the_arbiter(stack: Stack, kind: str) -> None:
    path, body = REQUESTS[kind]
    status, text = await stack.ask(path, body)
    assert status == 200, text
    assert '"error"' not in text
    assert body.get("stream", False) == ("data: " in text)


@pytest.mark.parametrize(
    "kind", [kind for kind, (path, _) in REQUESTS.items() if path in THROUGH_THE_GATEWAY]
)
async def test_request_through_the_gateway(stack: Stack, kind: str) -> None:
    path, body = REQUESTS[kind]
    headers = {"authorization": "Bearer sk-synapse-cortex"}
    answer = await stack.client.post(path, body, headers)
    assert answer.status == 200, answer.text
    assert answer.code is None


async def test_a_reasoning_model_hides_nothing_from_the_canary(stack: Stack) -> None:
    body = {**SHORT, "messages": HELLO}
    _, text = await stack.ask(CHAT, body)
    message = json.loads(text)["choices"][0]["message"]
    assert message["content"] is None, "all of it is reasoning"
    assert message["reasoning"]
    assert await stack.state("one") == "awake", "its wake was verified all the same"
