"""Fields beyond OpenAI's: they reach the engine or are refused by name, and nothing is cut."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from client_workers import Worker
from openai_stub import OpenAIStub

CHAT = "/v1/chat/completions"
HI = [{"role": "user", "content": "hi"}]
VLLMS_OWN: dict[str, Any] = {
    "prompt_logprobs": 1,
    "allowed_token_ids": [1, 2],
    "return_token_ids": True,
    "thinking_token_budget": 100,
    "documents": [{"title": "a", "text": "b"}],
    "cache_salt": "abc",
    "min_p": 0.1,
    "structured_outputs": {"regex": "[a-z]+"},
    "chat_template_kwargs": {"enable_thinking": False},
}


@pytest.mark.parametrize("field", VLLMS_OWN)
def test_vllms_own_fields_reach_it(http: httpx.Client, cpu: OpenAIStub, field: str) -> None:
    body = {"model": "gpu-bare", "messages": HI, field: VLLMS_OWN[field]}
    answer = http.post(CHAT, json=body)
    assert answer.status_code == 200, answer.text
    assert cpu.received[-1].body[field] == VLLMS_OWN[field]


def test_priority_is_the_operators(python: Worker, http: httpx.Client, cpu: OpenAIStub) -> None:
    asked = {"model": "gpu-bare", "extra_body": {"priority": 5}}
    error = python.call("openai_sdk.refused", **asked)
    assert (error["name"], error["param"]) == ("BadRequestError", "priority")
    assert "priority" in error["text"]
    answer = http.post("/v1/responses", json={"model": "gpu-chat", "input": "x", "priority": 1})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "priority")
    assert cpu.received == []


def test_a_template_is_the_operators(http: httpx.Client, cpu: OpenAIStub) -> None:
    hidden = {"chat_template": "{{ 1 }}"}
    for asked in (hidden, {"chat_template_kwargs": hidden}):
        answer = http.post(CHAT, json={"model": "gpu-bare", "messages": HI, **asked})
        assert answer.status_code == 400, answer.text
        assert "chat_template" in answer.json()["error"]["param"]
    assert cpu.received == []


def test_a_field_that_is_left_out_is_told(http: httpx.Client, cpu: OpenAIStub) -> None:
    answer = http.post(CHAT, json={"model": "gpu-bare", "messages": HI, "frobnicate": 1})
    if answer.status_code == 200:
        told = [value for name, value in answer.headers.items() if name.startswith("x-synapse-")]
        assert "frobnicate" in " ".join(told)
    else:
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, "frobnicate")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_twelve_stops_all_count_and_the_one_that_struck_is_told(
    python: Worker, stream: bool
) -> None:
    asked: dict[str, Any] = {"model": "gpu-chat", "temperature": 0}
    text = python.call("openai_sdk.chat", **asked)["choices"][0]["message"]["content"]
    word = f" {text.split()[5]}"
    asked["stop"] = [f"never-{number}" for number in range(11)] + [word]
    if stream:
        chunks = python.call("openai_sdk.chat_chunks", **asked)
        choices = [choice for chunk in chunks for choice in chunk["choices"]]
        said, last = "".join(each["delta"]["content"] or "" for each in choices), choices[-1]
    else:
        last = python.call("openai_sdk.chat", **asked)["choices"][0]
        said = last["message"]["content"]
    assert said == text[: text.index(word)]
    assert (last["finish_reason"], last["stop_reason"]) == ("stop", word)


def test_a_stop_called_abort_is_a_text_like_any_other(python: Worker) -> None:
    answer = python.call("openai_sdk.chat", model="gpu-chat", stop=["abort"])
    assert answer["choices"][0]["finish_reason"] == "stop"


def test_twelve_stops_reach_an_engine(http: httpx.Client, cpu: OpenAIStub) -> None:
    stops = [f"stop-{number}" for number in range(12)]
    answer = http.post(CHAT, json={"model": "gpu-bare", "messages": HI, "stop": stops})
    assert answer.status_code == 200, answer.text
    assert cpu.received[-1].body["stop"] == stops


def test_tools_keep_what_makes_them_strict(http: httpx.Client, cpu: OpenAIStub) -> None:
    parameters = {"type": "object", "properties": {}, "additionalProperties": False}
    function = {"name": "weather", "strict": True, "parameters": parameters}
    tool = {"type": "function", "function": function}
    answer = http.post(CHAT, json={"model": "gpu-bare", "messages": HI, "tools": [tool]})
    assert answer.status_code == 200, answer.text
    assert cpu.received[-1].body["tools"] == [tool]


@pytest.mark.parametrize(
    ("path", "body", "usage"),
    [
        (CHAT, {"messages": HI}, "prompt_tokens"),
        ("/v1/responses", {"input": "hi"}, "input_tokens"),
        ("/v1/messages", {"messages": HI, "max_tokens": 9}, "input_tokens"),
        ("/v1/messages/count_tokens", {"messages": HI}, ""),
    ],
)
def test_tools_count_as_what_was_read(
    http: httpx.Client, path: str, body: dict[str, Any], usage: str
) -> None:
    """Open WebUI sends 25 kB of them with one sentence."""
    names = [f"tool-{number}" for number in range(36)]
    schema = {"type": "object", "properties": {}}
    if path == CHAT:
        tools = [{"type": "function", "function": {"name": n, "parameters": schema}} for n in names]
    elif path == "/v1/responses":
        tools = [{"type": "function", "name": name, "parameters": schema} for name in names]
    else:
        tools = [{"name": name, "input_schema": schema} for name in names]
    asked = {"model": "gpu-chat", **body}
    bare, laden = (http.post(path, json=each).json() for each in (asked, asked | {"tools": tools}))
    read = [(told["usage"] if usage else told)[usage or "input_tokens"] for told in (bare, laden)]
    assert read[1] > read[0] + 36


def test_token_lists_are_embedded_where_the_engine_can(http: httpx.Client) -> None:
    answer = http.post("/v1/embeddings", json={"model": "gpu-embed", "input": [[1, 2], [3]]})
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["data"]) == 2


def test_tokens_are_told_and_turned_back(http: httpx.Client) -> None:
    told = http.post("/tokenize", json={"model": "gpu-chat", "prompt": "one two three"})
    assert told.status_code == 200, told.text
    assert told.json()["count"] == len(told.json()["tokens"]) == 3
    back = http.post("/detokenize", json={"model": "gpu-chat", "tokens": [1, 2]})
    assert back.status_code == 200, back.text
    assert back.json()["prompt"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", {"messages": HI}),
        ("/v1/responses", {"input": "hi"}),
        ("/v1/messages", {"messages": HI, "max_tokens": 9}),
        ("/api/chat", {"messages": HI}),
    ],
)
def test_ollama_is_asked_where_it_refuses_a_prompt_instead_of_cutting_it(
    http: httpx.Client, cpu: OpenAIStub, path: str, body: dict[str, Any]
) -> None:
    """Ollama 0.24 answers /v1/responses and /v1/messages after it cut the prompt, with 200."""
    answer = http.post(path, json={"model": "cpu-alone", **body})
    assert answer.status_code == 200, answer.text
    (asked,) = cpu.received
    assert asked.path == "/api/chat"
    assert (asked.body["truncate"], asked.body["shift"]) == (False, False)


@pytest.mark.parametrize("path", ["/v1/rerank", "/rerank", "/v2/rerank"])
def test_rerank_by_each_of_its_names(http: httpx.Client, path: str) -> None:
    body = {"model": "gpu-rank", "query": "a", "documents": ["b", "c"], "top_n": 1}
    answer = http.post(path, json=body)
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["results"]) == 1


@pytest.mark.parametrize("path", ["/v1/score", "/score"])
def test_score_by_each_of_its_names(http: httpx.Client, path: str) -> None:
    body = {"model": "gpu-rank", "text_1": "a", "text_2": ["b", "c"]}
    answer = http.post(path, json=body)
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["data"]) == 2
