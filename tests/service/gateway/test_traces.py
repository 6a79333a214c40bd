"""What a request leaves behind: one log line, its metrics, and nothing running."""

from __future__ import annotations

import threading
from typing import Any

import httpx

from gateway_process import Gateway, until
from openai_stub import Behaviour, OpenAIStub

CHAT = "/v1/chat/completions"
GOOD: dict[str, Any] = {"model": "chat", "messages": [{"role": "user", "content": "my secret"}]}
LIMIT_S = 10


def test_one_line_says_it_all_but_the_prompt(
    gateway: Gateway, client: httpx.Client, gpu: OpenAIStub
) -> None:
    waits = {"x-synapse-waited": "1.5", "x-synapse-woke": "true"}
    gpu.behaviours["gpu"] = Behaviour(headers=waits)
    answer = client.post(CHAT, json=GOOD)
    line = gateway.line_of(answer.headers["x-request-id"])
    exact = {
        "event": "request", "method": "POST", "path": CHAT, "app": "free", "asked": "chat",
        "model": "gpu", "served": "gpu", "engine": "vllm", "fallback": False, "reason": None,
        "tried": ["gpu"], "stream": False, "status": 200, "error": None,
        "tokens_in": 7, "tokens_out": 4, "waited_s": 1.5, "woke": True,
    }  # fmt: skip
    assert {key: line[key] for key in exact} == exact
    assert line["ts"].endswith("Z")
    assert 0 < line["duration_s"] < LIMIT_S
    assert "my secret" not in str(line)


def test_a_stream_tells_tokens_and_first_token(
    gateway: Gateway, client: httpx.Client, gpu: OpenAIStub
) -> None:
    waits = {"x-synapse-waited": "1.5", "x-synapse-woke": "true"}
    gpu.behaviours["gpu"] = Behaviour(headers=waits)
    answer = client.post(CHAT, json={**GOOD, "stream": True})
    line = gateway.line_of(answer.headers["x-request-id"])
    assert (line["stream"], line["tokens_in"], line["tokens_out"]) == (True, 7, 4)
    assert (line["waited_s"], line["woke"]) == (1.5, True)
    assert 0 < line["ttft_s"] <= line["duration_s"]


def test_an_embedding_tells_its_tokens(
    gateway: Gateway, client: httpx.Client, cpu: OpenAIStub
) -> None:
    answer = client.post("/v1/embeddings", json={"model": "minilm", "input": "x"})
    line = gateway.line_of(answer.headers["x-request-id"])
    assert (line["tokens_in"], line["tokens_out"]) == (5, 0)


def test_a_refused_request_has_its_line_too(gateway: Gateway) -> None:
    answer = httpx.post(gateway.url + CHAT, json=GOOD)
    line = gateway.line_of(answer.headers["x-request-id"])
    assert (line["app"], line["status"], line["error"]) == (None, 401, "invalid_api_key")


def test_standard_output_holds_nothing_but_json_lines(gateway: Gateway) -> None:
    # The reader parses every line and would have died of another one.
    assert gateway.reader.is_alive()
    assert all({"event"} <= set(line) for line in gateway.lines)


def test_metrics_count_by_app_model_and_backend(
    gateway: Gateway, client: httpx.Client, gpu: OpenAIStub
) -> None:
    labels = {"app": "free", "model": "gpu", "engine": "vllm", "status": "200", "route": CHAT}
    names = {"app": "free", "model": "gpu", "engine": "vllm"}
    requests = "synapse_gateway_requests_total"
    tokens = "synapse_gateway_tokens_total"
    before = gateway.metric(requests, **labels), gateway.metric(tokens, **names, direction="out")
    answer = client.post(CHAT, json=GOOD)
    gateway.line_of(answer.headers["x-request-id"])
    assert gateway.metric(requests, **labels) == before[0] + 1
    assert gateway.metric(tokens, **names, direction="out") == before[1] + 4
    assert gateway.metric("synapse_gateway_request_duration_seconds_count", **names) > 0


def test_metrics_count_fallbacks_with_their_reason(
    gateway: Gateway, client: httpx.Client, gpu: OpenAIStub
) -> None:
    labels = {"app": "free", "asked": "gpu", "served": "cpu", "reason": "busy"}
    before = gateway.metric("synapse_gateway_fallbacks_total", **labels)
    gpu.behaviours["gpu"] = Behaviour(status=503)
    answer = client.post(CHAT, json=GOOD)
    gateway.line_of(answer.headers["x-request-id"])
    assert gateway.metric("synapse_gateway_fallbacks_total", **labels) == before + 1


def test_clients_cannot_make_up_series(gateway: Gateway, client: httpx.Client) -> None:
    answer = client.get("/made/up/by/me")
    gateway.line_of(answer.headers["x-request-id"])
    text = httpx.get(f"http://127.0.0.1:{gateway.metrics_port}/metrics").text
    assert "made/up" not in text


def test_a_client_that_leaves_a_stream_frees_the_backend(
    gateway: Gateway, client: httpx.Client, gpu: OpenAIStub
) -> None:
    gpu.behaviours["gpu"] = Behaviour(words=tuple("x" * 500), between_tokens_s=0.02)
    with client.stream("POST", CHAT, json={**GOOD, "stream": True}) as answer:
        next(answer.iter_lines())
    until(lambda: gpu.abandoned == 1, LIMIT_S, lambda: "the engine went on")
    assert gateway.line_of(answer.headers["x-request-id"])["status"] == 499


def test_a_client_that_leaves_before_the_answer_frees_the_backend(
    gateway: Gateway, gpu: OpenAIStub
) -> None:
    gpu.behaviours["lonely"] = Behaviour(hangs=True)
    before = len(gateway.lines)

    def leave() -> None:
        headers = {"authorization": "Bearer sk-synapse-free"}
        body = {**GOOD, "model": "lonely"}
        httpx.post(gateway.url + CHAT, json=body, headers=headers, timeout=0.7)

    thread = threading.Thread(target=_swallow, args=(leave,))
    thread.start()
    until(lambda: gpu.abandoned == 1, 2.5, lambda: "the engine went on until its time-out")
    thread.join(LIMIT_S)
    until(lambda: len(gateway.lines) > before, LIMIT_S, lambda: "no line was written")
    assert gateway.lines[-1]["status"] == 499


def _swallow(call: Any) -> None:
    try:
        call()
    except httpx.TimeoutException:
        return
