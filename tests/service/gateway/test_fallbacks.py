"""An engine in trouble is replaced at once, and an answer that began never just stops."""

from __future__ import annotations

import socket
from typing import Any

import httpx
import pytest

from gateway_process import Gateway, events
from openai_stub import Behaviour, OpenAIStub

ANSWER_TIMEOUT_S = 3
DEAD_S = 30  # a dead name server is silent for 60 s; connecting may take 1 s
CHAT = "/v1/chat/completions"
MESSAGES = [{"role": "user", "content": "hi"}]
TROUBLE = {
    "busy": Behaviour(status=503, retry_after_s=30),
    "failed": Behaviour(status=500),
    "missing": Behaviour(status=404),
    "credentials": Behaviour(status=401),
    "timeout": Behaviour(hangs=True),
    "context": Behaviour(status=400, message="This model's maximum context length is 10 tokens"),
}


def ask(client: httpx.Client, model: str, **more: Any) -> httpx.Response:
    """Send a chat request."""
    return client.post(CHAT, json={"model": model, "messages": MESSAGES, **more})


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("reason", TROUBLE)
def test_trouble_before_the_first_token_falls_back(
    gateway: Gateway, client: httpx.Client, gpu: OpenAIStub, reason: str, stream: bool
) -> None:
    gpu.behaviours["gpu"] = TROUBLE[reason]
    answer = ask(client, "chat", stream=stream)
    assert answer.status_code == 200, answer.text
    assert "Hello" in answer.text
    line = gateway.line_of(answer.headers["x-request-id"])
    expected = {"asked": "chat", "model": "gpu", "served": "cpu", "engine": "ollama"}
    assert {key: line[key] for key in expected} == expected
    assert (line["fallback"], line["reason"], line["tried"]) == (True, reason, ["gpu", "cpu"])
    if reason == "timeout" and stream:  # pinged while it waited: its headers left before
        assert ": ping" in answer.text
        assert "x-synapse-model" not in answer.headers
    else:
        assert answer.headers["x-synapse-model"] == "cpu"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_closed_port_falls_back(
    gateway: Gateway, client: httpx.Client, gpu: OpenAIStub, stream: bool
) -> None:
    gpu.stop()
    answer = ask(client, "gpu", stream=stream)
    assert answer.headers["x-synapse-model"] == "cpu"
    assert gateway.line_of(answer.headers["x-request-id"])["reason"] == "unreachable"


def test_a_stream_that_dies_before_its_first_token_falls_back(
    gateway: Gateway, client: httpx.Client, gpu: OpenAIStub
) -> None:
    for behaviour in (Behaviour(dies_after_words=0), Behaviour(ends_after_words=0)):
        gpu.behaviours["gpu"] = behaviour
        answer = ask(client, "gpu", stream=True)
        assert "Hello from" in "".join(_words(answer)), answer.text
        assert gateway.line_of(answer.headers["x-request-id"])["served"] == "cpu"


def test_the_chain_goes_on_to_its_end(
    gateway: Gateway, client: httpx.Client, gpu: OpenAIStub, cpu: OpenAIStub, cloud: OpenAIStub
) -> None:
    gpu.stop()
    cpu.stop()
    answer = ask(client, "gpu")
    assert answer.headers["x-synapse-model"] == "cloud"
    assert cloud.received[0].body["model"] == "cloud-at-provider"
    assert gateway.line_of(answer.headers["x-request-id"])["tried"] == ["gpu", "cpu", "cloud"]


def test_the_reason_is_that_of_the_model_that_was_asked_for(
    gateway: Gateway, client: httpx.Client, gpu: OpenAIStub, cpu: OpenAIStub
) -> None:
    gpu.behaviours["gpu"] = Behaviour(status=503)
    cpu.stop()
    answer = ask(client, "gpu")
    line = gateway.line_of(answer.headers["x-request-id"])
    assert (line["served"], line["reason"]) == ("cloud", "busy")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_chain_without_an_answer_is_503_with_retry_after(
    gateway: Gateway, client: httpx.Client, gpu: OpenAIStub, stream: bool
) -> None:
    gpu.behaviours["lonely"] = Behaviour(status=503, retry_after_s=17)
    answer = ask(client, "lonely", stream=stream)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "model_unavailable")
    assert answer.headers["retry-after"] == "17"
    gpu.stop()
    answer = ask(client, "lonely", stream=stream)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "model_unavailable")
    assert "127.0.0.1" not in answer.text
    line = gateway.line_of(answer.headers["x-request-id"])
    assert (line["served"], line["status"], line["error"]) == (None, 503, "model_unavailable")
    assert line["reason"] == "unreachable"


def test_a_silent_backend_ends_in_504(client: httpx.Client, gpu: OpenAIStub) -> None:
    gpu.behaviours["lonely"] = Behaviour(hangs=True)
    answer = ask(client, "lonely")
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "model_timeout")


@pytest.mark.parametrize(
    "behaviour",
    [
        Behaviour(dies_after_words=2, between_tokens_s=0.1),  # or the break overtakes the words
        Behaviour(hangs_after_words=2),
        Behaviour(ends_after_words=2),
        Behaviour(finish_reason="abort"),
    ],
    ids=["dies", "hangs", "ends-early", "aborted"],
)
@pytest.mark.parametrize("model", ["gpu", "cloud"])
def test_trouble_in_the_middle_ends_in_an_error_event(
    gateway: Gateway, client: httpx.Client, request: pytest.FixtureRequest, model: str,
    behaviour: Behaviour,
) -> None:  # fmt: skip
    stub: OpenAIStub = request.getfixturevalue(model)
    stub.behaviours["gpu" if model == "gpu" else "cloud-at-provider"] = behaviour
    answer = ask(client, model, stream=True)
    *chunks, last = events(answer.text)
    assert last["error"]["code"] == "answer_interrupted", answer.text
    assert "Hello" in chunks[0]["choices"][0]["delta"]["content"]
    assert not any(chunk["choices"][0].get("finish_reason") for chunk in chunks)
    assert "[DONE]" not in answer.text
    assert "127.0.0.1" not in answer.text
    line = gateway.line_of(answer.headers["x-request-id"])
    assert (line["status"], line["error"]) == (502, "answer_interrupted")


def test_a_whole_answer_that_was_aborted_is_no_answer(
    client: httpx.Client, gpu: OpenAIStub
) -> None:
    gpu.behaviours["gpu"] = Behaviour(finish_reason="abort")
    assert ask(client, "gpu").headers["x-synapse-model"] == "cpu"
    gpu.behaviours["lonely"] = Behaviour(finish_reason="abort")
    assert ask(client, "lonely").status_code in {502, 503}


def test_an_address_that_swallows_connections_falls_back(
    gateway: Gateway, client: httpx.Client, cpu: OpenAIStub, far_port: int
) -> None:
    with socket.socket() as deaf, socket.socket() as first, socket.socket() as second:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        deaf.bind(("127.0.0.1", far_port))
        deaf.listen(0)  # nobody accepts: once its queue is full, the kernel drops who knocks
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", far_port))
        answer = ask(client, "far")
    assert answer.headers["x-synapse-model"] == "cpu"
    line = gateway.line_of(answer.headers["x-request-id"])
    assert line["duration_s"] < ANSWER_TIMEOUT_S, "the time-out for connections is the shorter one"


def test_a_name_server_that_does_not_answer_falls_back(
    gateway: Gateway, client: httpx.Client, cpu: OpenAIStub
) -> None:
    answer = ask(client, "nameless")
    assert answer.headers["x-synapse-model"] == "cpu"
    line = gateway.line_of(answer.headers["x-request-id"])
    assert line["duration_s"] < DEAD_S, "the look for an address is part of connecting"


def test_embeddings_fall_back(client: httpx.Client, gpu: OpenAIStub) -> None:
    gpu.behaviours["embed-gpu"] = Behaviour(status=503)
    answer = client.post("/v1/embeddings", json={"model": "embed-gpu", "input": "x"})
    assert answer.headers["x-synapse-model"] == "minilm"


def test_an_impatient_application_locks_nobody_out(client: httpx.Client, gpu: OpenAIStub) -> None:
    gpu.behaviours["gpu"] = Behaviour(status=503)
    for _ in range(5):
        ask(client, "gpu")
    gpu.reset()
    assert ask(client, "gpu").headers["x-synapse-model"] == "gpu"


def _words(answer: httpx.Response) -> list[str]:
    chunks = [chunk for chunk in events(answer.text) if chunk != "[DONE]"]
    return [chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks]
