"""The main job: chat, streams, embeddings and the list of models."""

from __future__ import annotations

import base64
import struct
from typing import Any

import httpx

from gateway_process import Gateway, events
from openai_stub import OpenAIStub

MESSAGES = [{"role": "user", "content": "hi"}]


def test_chat_answers_and_names_who_served(client: httpx.Client, gpu: OpenAIStub) -> None:
    answer = client.post("/v1/chat/completions", json={"model": "gpu", "messages": MESSAGES})
    assert answer.status_code == 200
    assert answer.json()["choices"][0]["message"]["content"] == "Hello from the stub"
    assert answer.headers["x-synapse-model"] == "gpu"
    assert answer.headers["x-synapse-engine"] == "vllm"
    assert "provider_specific_fields" not in answer.text


def test_an_alias_is_served_by_its_model(client: httpx.Client, gpu: OpenAIStub) -> None:
    answer = client.post("/v1/chat/completions", json={"model": "chat", "messages": MESSAGES})
    assert answer.headers["x-synapse-model"] == "gpu"
    assert gpu.received[0].body["model"] == "gpu"


def test_a_path_without_version_is_served_too(client: httpx.Client, gpu: OpenAIStub) -> None:
    answer = client.post("/chat/completions", json={"model": "gpu", "messages": MESSAGES})
    assert answer.status_code == 200


def test_a_stream_arrives_in_pieces_and_ends(client: httpx.Client, gpu: OpenAIStub) -> None:
    body = {"model": "gpu", "messages": MESSAGES, "stream": True}
    answer = client.post("/v1/chat/completions", json=body)
    chunks = events(answer.text)
    words = [chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks[:-1]]
    assert "".join(words) == "Hello from the stub"
    assert chunks[-1] == "[DONE]"
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"
    assert answer.headers["x-synapse-model"] == "gpu"


def test_token_counts_end_a_stream_only_when_wanted(client: httpx.Client, gpu: OpenAIStub) -> None:
    body: dict[str, Any] = {"model": "gpu", "messages": MESSAGES, "stream": True}
    assert "usage" not in client.post("/v1/chat/completions", json=body).text
    body["stream_options"] = {"include_usage": True}
    chunks = events(client.post("/v1/chat/completions", json=body).text)
    assert [chunk["usage"]["total_tokens"] for chunk in chunks[:-1] if chunk.get("usage")] == [11]


def test_tools_are_called(client: httpx.Client, gpu: OpenAIStub) -> None:
    tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
    body = {"model": "gpu", "messages": MESSAGES, "tools": [tool]}
    choice = client.post("/v1/chat/completions", json=body).json()["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["tool_calls"][0]["function"]["name"] == "weather"


def test_the_old_completions_route_answers(client: httpx.Client, gpu: OpenAIStub) -> None:
    body = {"model": "gpu", "prompt": "hi"}
    assert client.post("/v1/completions", json=body).json()["choices"][0]["text"]
    streamed = client.post("/v1/completions", json={**body, "stream": True})
    assert events(streamed.text)[-1] == "[DONE]", streamed.text


def test_embeddings_answer(client: httpx.Client, cpu: OpenAIStub) -> None:
    answer = client.post("/v1/embeddings", json={"model": "minilm", "input": ["a", "bcd"]})
    assert [item["embedding"][2] for item in answer.json()["data"]] == [1.0, 3.0]
    assert answer.headers["x-synapse-engine"] == "ollama"


def test_embeddings_come_in_base64_on_request(client: httpx.Client, cpu: OpenAIStub) -> None:
    body = {"model": "minilm", "input": "bcd", "encoding_format": "base64"}
    text = client.post("/v1/embeddings", json=body).json()["data"][0]["embedding"]
    assert struct.unpack("<3f", base64.b64decode(text))[2] == 3.0
    assert "encoding_format" not in cpu.received[0].body


def test_models_lists_what_the_application_names_of_what_it_may_use(gateway: Gateway) -> None:
    narrow = {"authorization": "Bearer sk-synapse-narrow"}
    listed = httpx.get(f"{gateway.url}/v1/models", headers=narrow).json()["data"]
    assert [entry["id"] for entry in listed] == ["chat", "minilm"]
    for name in ("chat", "cloud", "cpu", "gpu"):
        one = httpx.get(f"{gateway.url}/v1/models/{name}", headers=narrow)
        assert one.json()["id"] == name
    other = httpx.get(f"{gateway.url}/v1/models/lonely", headers=narrow)
    assert (other.status_code, other.json()["error"]["code"]) == (404, "model_not_found")
