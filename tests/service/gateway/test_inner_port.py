"""What LiteLLM meets where it asks for models on Ollama: one model, one key, no fallbacks."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from gateway_process import Gateway, events
from litellm_process import KEY
from openai_stub import Behaviour, OpenAIStub

CHAT = "/v1/chat/completions"
HELLO = {"model": "cpu", "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture
def inner(gateway: Gateway) -> Iterator[httpx.Client]:
    """LiteLLM, as far as the gateway can tell."""
    headers = {"authorization": f"Bearer {KEY}"}
    url = f"http://127.0.0.1:{gateway.inner_port}"
    with httpx.Client(base_url=url, headers=headers, timeout=30) as made:
        yield made


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_a_model_on_ollama_answers_in_openais_words(inner: httpx.Client, cpu: OpenAIStub) -> None:
    answer = inner.post(CHAT, json=HELLO)
    assert answer.json()["choices"][0]["message"]["content"] == "Hello from the stub"
    assert cpu.received[0].path == "/api/chat"
    assert cpu.received[0].body["truncate"] is False
    assert events(inner.post(CHAT, json={**HELLO, "stream": True}).text)[-1] == "[DONE]"


@pytest.mark.parametrize("key", ["", "Bearer sk-synapse-free", "Bearer sk-synapse-master-0123"])
def test_no_other_key_opens_it(inner: httpx.Client, cpu: OpenAIStub, key: str) -> None:
    answer = inner.post(CHAT, json=HELLO, headers={"authorization": key})
    assert code(answer) == (401, "invalid_api_key")
    assert cpu.received == []


def test_nothing_else_is_there(inner: httpx.Client, gpu: OpenAIStub) -> None:
    assert code(inner.post(CHAT, json={**HELLO, "model": "gpu"})) == (404, "model_not_found")
    assert code(inner.post("/v1/responses", json=HELLO)) == (404, "not_found")
    assert code(inner.get("/v1/models")) == (404, "not_found")
    assert gpu.received == []


def test_trouble_is_told_and_nobody_else_is_asked(
    inner: httpx.Client, cpu: OpenAIStub, cloud: OpenAIStub
) -> None:
    cpu.behaviours["cpu"] = Behaviour(status=400, message="'n' must be 1")
    assert code(inner.post(CHAT, json=HELLO)) == (400, "invalid_request")
    cpu.behaviours["cpu"] = Behaviour(hangs=True)
    assert code(inner.post(CHAT, json=HELLO)) == (504, "model_timeout")
    cpu.behaviours["cpu"] = Behaviour(dies_after_words=2, between_tokens_s=0.1)
    *_, last = events(inner.post(CHAT, json={**HELLO, "stream": True}).text)
    assert last["error"]["code"] in ("model_unavailable", "answer_interrupted")
    cpu.stop()
    assert code(inner.post(CHAT, json=HELLO)) == (503, "model_unavailable")
    assert cloud.received == []
