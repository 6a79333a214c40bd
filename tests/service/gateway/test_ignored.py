"""What no engine was told of is told, in a header or, once these left, in a comment."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from openai_stub import Behaviour, OpenAIStub

CHAT = "/v1/chat/completions"
HELLO: dict[str, Any] = {"messages": [{"role": "user", "content": "hi"}]}
IGNORED = "x-synapse-ignored"
PENALTIES = {"presence_penalty": 1, "frequency_penalty": 0.5, "repetition_penalty": 1.3}
SILENT = Behaviour(hangs=True)


def comments(text: str) -> dict[str, str]:
    """Return what the comments of a stream tell."""
    told: dict[str, str] = {}
    for line in text.splitlines():
        if line.startswith(": {"):
            told |= json.loads(line[2:])
    return told


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_penalties_that_an_older_ollama_keeps_to_itself_are_told(
    client: httpx.Client, cpu: OpenAIStub, stream: bool
) -> None:
    body = {"model": "cpu", **HELLO, **PENALTIES, "stream": stream}
    answer = client.post(CHAT, json=body)
    assert answer.headers[IGNORED] == "frequency_penalty, presence_penalty, repetition_penalty"
    sent = cpu.received[0].body["options"]
    assert (sent["presence_penalty"], sent["repeat_penalty"]) == (1, 1.3), "some models follow them"
    neutral = {"model": "cpu", **HELLO, **dict.fromkeys(PENALTIES, 0), "repetition_penalty": 1}
    assert IGNORED not in client.post(CHAT, json=neutral).headers


def test_penalties_in_ollamas_own_words_too(client: httpx.Client) -> None:
    body = {"model": "cpu", **HELLO, "stream": False, "options": {"repeat_penalty": 1.3}}
    assert client.post("/api/chat", json=body).headers[IGNORED] == "options.repeat_penalty"


def test_other_engines_follow_them(client: httpx.Client) -> None:
    assert IGNORED not in client.post(CHAT, json={"model": "lonely", **HELLO, **PENALTIES}).headers


def test_a_fallback_tells_it_and_its_name_in_a_comment_once_the_headers_left(
    client: httpx.Client, gpu: OpenAIStub
) -> None:
    gpu.behaviours["gpu"] = SILENT
    body = {"model": "gpu", **HELLO, "stream": True, "min_tokens": 2, "unheard_of": 1}
    answer = client.post(CHAT, json=body)
    assert answer.headers[IGNORED] == "unheard_of", "of the model that was asked"
    assert comments(answer.text) == {
        IGNORED: "min_tokens, unheard_of",
        "x-synapse-model": "cpu",
        "x-synapse-engine": "ollama",
    }
    assert answer.text.index(": {") < answer.text.index("Hello")


def test_nothing_is_told_twice(client: httpx.Client, gpu: OpenAIStub) -> None:
    gpu.behaviours["pair"] = SILENT
    body = {"model": "pair", **HELLO, "stream": True, "unheard_of": 1}
    answer = client.post(CHAT, json=body)
    assert comments(answer.text) == {"x-synapse-model": "lonely", "x-synapse-engine": "vllm"}
    straight = client.post(CHAT, json={"model": "lonely", **HELLO, "stream": True, "x": 1})
    assert (straight.headers[IGNORED], comments(straight.text)) == ("x", {})
