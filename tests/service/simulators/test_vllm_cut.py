"""Answers that the engine cuts: not every dialect says so, and of waiting ones only newer vLLM."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from .conftest import Start, post, until

HELLO = [{"role": "user", "content": "why"}]
BODIES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": HELLO, "max_tokens": 100},
    "/v1/completions": {"prompt": "why", "max_tokens": 100},
    "/v1/responses": {"input": "why"},
    "/v1/messages": {"messages": HELLO, "max_tokens": 100},
}
SLOW = 0.001


async def read(client: aiohttp.ClientSession, path: str) -> list[Any]:
    """Stream an answer to its end: the data of its events."""
    body = {"model": "a", "stream": True, **BODIES[path]}
    async with client.post(path, json=body) as response:
        assert response.status == 200
        lines = (await response.text()).splitlines()
    told = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    return [each if each == "[DONE]" else json.loads(each) for each in told]


async def cut(client: aiohttp.ClientSession, path: str, *, waiting: bool) -> list[Any]:
    """Abort a stream that runs, or that waits in a paused engine."""
    if waiting:
        await post(client, "/pause?mode=keep")
    reading = asyncio.create_task(read(client, path))
    where = "waiting" if waiting else "running"
    await until(client, lambda seen: seen[where] == 1)
    await post(client, "/abort_requests", {})
    return await reading


def ends(events: list[Any]) -> list[Any]:
    """Say how each choice of a chat or completion ended."""
    chunks = [event for event in events if event != "[DONE]"]
    return [choice["finish_reason"] for chunk in chunks for choice in chunk["choices"]]


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions"])
@pytest.mark.parametrize("version", ["0.30.0", "0.33.0"])
async def test_a_running_stream_says_that_it_was_cut(start: Start, version: str, path: str) -> None:
    client = await start(version=version, tokens_per_s=SLOW)
    events = await cut(client, path, waiting=False)
    assert (ends(events)[-1], events[-1]) == ("abort", "[DONE]")


@pytest.mark.parametrize(
    ("version", "path", "expected"),
    [
        ("0.30.0", "/v1/chat/completions", [None]),
        ("0.32.0", "/v1/completions", []),
        ("0.33.0", "/v1/chat/completions", [None, "abort"]),
        ("0.33.0", "/v1/completions", ["abort"]),
    ],
)
async def test_a_waiting_stream_says_it_only_in_newer_versions(
    start: Start, version: str, path: str, expected: list[Any]
) -> None:
    client = await start(version=version)
    events = await cut(client, path, waiting=True)
    assert (ends(events), events[-1]) == (expected, "[DONE]")


@pytest.mark.parametrize("waiting", [False, True])
async def test_a_cut_response_calls_itself_complete(start: Start, waiting: bool) -> None:
    client = await start(tokens_per_s=SLOW)
    last = (await cut(client, "/v1/responses", waiting=waiting))[-1]
    assert (last["type"], last["response"]["status"]) == ("response.completed", "completed")


@pytest.mark.parametrize(
    ("version", "waiting", "reason"),
    [("0.30.0", False, None), ("0.30.0", True, "end_turn"), ("0.33.0", True, None)],
)
async def test_a_cut_message_has_no_reason_or_a_false_one(
    start: Start, version: str, waiting: bool, reason: str | None
) -> None:
    client = await start(version=version, tokens_per_s=SLOW)
    events = await cut(client, "/v1/messages", waiting=waiting)
    assert [event["type"] for event in events[-2:]] == ["message_delta", "message_stop"]
    assert events[-2]["delta"]["stop_reason"] == reason


async def test_a_cut_message_in_one_answer_leaves_its_reason_out(start: Start) -> None:
    client = await start(tokens_per_s=SLOW)
    asking = asyncio.create_task(post(client, "/v1/messages", BODIES["/v1/messages"]))
    await until(client, lambda seen: seen["running"] == 1)
    await post(client, "/abort_requests", {})
    status, answer = await asking
    assert (status, "stop_reason" in answer) == (200, False)
