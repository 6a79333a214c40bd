"""Whatever a client sends, it gets OpenAI's error shape, and the next request works."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from gateway_process import Gateway
from openai_stub import Behaviour, OpenAIStub

CHAT = "/v1/chat/completions"
GOOD: dict[str, Any] = {"model": "gpu", "messages": [{"role": "user", "content": "hi"}]}
ERROR_KEYS = {"message", "type", "param", "code"}


@pytest.fixture(autouse=True)
def _the_next_request_works(client: httpx.Client, gpu: OpenAIStub) -> Iterator[None]:
    yield
    gpu.reset()
    assert client.post(CHAT, json=GOOD).status_code == 200


def refused(answer: httpx.Response, status: int, code: str) -> None:
    """Assert that the answer is this refusal and leaks nothing."""
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert set(error) == ERROR_KEYS
    assert error["code"] == code
    assert answer.headers["x-request-id"].startswith("req-")
    seen = answer.text + str(answer.headers)
    for inside in ("127.0.0.1:2", "litellm", "LiteLLM", "Traceback", "REDACTED", "uvicorn"):
        assert inside not in seen


def as_app(name: str) -> dict[str, str]:
    """Return the headers of an application."""
    return {"authorization": f"Bearer sk-synapse-{name}"}


@pytest.mark.parametrize(
    "headers",
    [{}, {"authorization": "Bearer"}, {"authorization": "Basic x"}, as_app("nobody")],
    ids=["none", "empty", "other-scheme", "unknown"],
)
def test_a_missing_or_unknown_key_is_401(gateway: Gateway, headers: dict[str, str]) -> None:
    answer = httpx.post(gateway.url + CHAT, json=GOOD, headers=headers)
    refused(answer, 401, "invalid_api_key")


@pytest.mark.parametrize(
    ("app", "model"), [("free", "nothing"), ("narrow", "lonely")], ids=["unknown", "forbidden"]
)
@pytest.mark.parametrize("stream", [False, True])
def test_an_unknown_or_forbidden_model_is_404(
    gateway: Gateway, app: str, model: str, stream: bool
) -> None:
    body = {**GOOD, "model": model, "stream": stream}
    answer = httpx.post(gateway.url + CHAT, json=body, headers=as_app(app))
    refused(answer, 404, "model_not_found")


def test_a_forbidden_model_is_404_on_every_route(gateway: Gateway) -> None:
    def post(path: str, **content: Any) -> httpx.Response:
        return httpx.post(gateway.url + path, headers=as_app("narrow"), **content)

    files = {"file": ("a.wav", b"RIFF", "audio/wav")}
    speech = {"model": "piper", "input": "x"}
    refused(post("/v1/audio/speech", json=speech), 404, "model_not_found")
    refused(
        post("/v1/embeddings", json={"model": "embed-gpu", "input": "x"}), 404, "model_not_found"
    )
    form = post("/v1/audio/transcriptions", data={"model": "whisper"}, files=files)
    refused(form, 404, "model_not_found")


def test_permission_reaches_alias_target_and_fallbacks(
    gateway: Gateway, gpu: OpenAIStub, cpu: OpenAIStub
) -> None:
    for name in ("chat", "gpu", "cpu"):
        body = {**GOOD, "model": name}
        answer = httpx.post(gateway.url + CHAT, json=body, headers=as_app("narrow"))
        assert answer.status_code == 200
    gpu.behaviours["gpu"] = Behaviour(status=503)
    answer = httpx.post(
        gateway.url + CHAT, json={**GOOD, "model": "chat"}, headers=as_app("narrow")
    )
    assert answer.headers["x-synapse-model"] == "cpu"


@pytest.mark.parametrize(
    "content",
    [b"{", b"", b"[]", b'"x"', b"\xff\xfe", b'{"model": 1}', b'{"messages": []}',
     b'{"model": "gpu", "stream": "yes"}', b'{"model": "gpu", "tools": [{"type": "mcp"}]}'],
    ids=["cut", "empty", "list", "text", "no-utf8", "number-as-model", "no-model", "stream", "mcp"],
)  # fmt: skip
def test_a_malformed_body_is_400(client: httpx.Client, content: bytes) -> None:
    answer = client.post(CHAT, content=content, headers={"content-type": "application/json"})
    refused(answer, 400, "invalid_request")


def test_a_model_of_another_kind_is_400(client: httpx.Client) -> None:
    refused(client.post(CHAT, json={**GOOD, "model": "minilm"}), 400, "unsupported_model")


def test_a_backends_400_tells_nothing_internal(client: httpx.Client, gpu: OpenAIStub) -> None:
    text = "parser at http://10.42.0.7:8080/v1 says: temperature must not be 99"
    gpu.behaviours["lonely"] = Behaviour(status=400, message=text)
    answer = client.post(CHAT, json={**GOOD, "model": "lonely"})
    refused(answer, 400, "invalid_request")
    assert "10.42" not in answer.text


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/"), ("GET", "/docs"), ("GET", "/openapi.json"), ("GET", "/ui/"),
        ("GET", "/metrics"), ("GET", "/health"), ("GET", "/health/readiness"),
        ("POST", "/key/generate"), ("GET", "/model/info"), ("GET", "/v1/model/info"),
        ("GET", "/config/yaml"), ("POST", "/v1/responses/resp_1/cancel"),
        ("POST", "/v1/batches"),
        ("POST", "/openai/deployments/gpu/chat/completions"), ("GET", "/routes"),
        ("POST", "/v1/chat/completions/../../key/generate"), ("POST", "/sleep"),
        ("GET", "/debug/memory/summary"), ("POST", "/mcp"), ("GET", "/sso/key/generate"),
    ],
)  # fmt: skip
def test_every_other_route_is_404(client: httpx.Client, method: str, path: str) -> None:
    refused(client.request(method, path), 404, "not_found")


def test_a_wrong_method_is_405(client: httpx.Client) -> None:
    answer = client.get(CHAT)
    refused(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"


def test_a_steering_client_is_served_as_if_it_had_not(
    client: httpx.Client, gpu: OpenAIStub, cpu: OpenAIStub
) -> None:
    body = {
        **GOOD, "extra_headers": {"x-a": "b"}, "fallbacks": ["cloud"], "api_base": "http://127.0.0.1:9",
        "api_key": "sk-x", "mock_response": "mocked", "metadata": {"a": 1}, "num_retries": 9,
        "timeout": 0.001, "litellm_metadata": {"b": 1}, "extra_body": {"c": 1},
        "temperature": 0.5, "top_k": 7, "disable_fallbacks": True,
    }  # fmt: skip
    headers = {
        "x-litellm-timeout": "0.001",
        "x-litellm-tags": "a",
        "x-litellm-num-retries": "9",
        "x-synapse-app": "jarvis",
        "x-synapse-person": "0123456789abcdef",
        "x-synapse-priority": "interactive",
        "x-synapse-max-wait": "9999",
        "x-request-id": "mine",
    }
    answer = client.post(f"{CHAT}?model=cloud&api_base=x", json=body, headers=headers)
    assert answer.json()["choices"][0]["message"]["content"] == "Hello from the stub"
    (request,) = gpu.received
    assert request.body == {**GOOD, "temperature": 0.5, "top_k": 7}
    ignored = set(body) - set(request.body)
    assert set(answer.headers["x-synapse-ignored"].split(", ")) == ignored
    sent = {name.lower(): value for name, value in request.headers.items()}
    assert sent["x-synapse-app"] == "free"
    assert "x-synapse-person" not in sent
    assert sent["x-synapse-priority"] == "batch"
    assert sent["x-synapse-max-wait"] == "12"
    assert sent["x-request-id"] == answer.headers["x-request-id"]
    assert not [name for name in sent if name.startswith("x-litellm") or name == "x-a"]
    assert "authorization" not in sent


def test_only_the_arbiter_learns_who_asks(client: httpx.Client, cpu: OpenAIStub) -> None:
    client.post(CHAT, json={**GOOD, "model": "cpu"})
    assert not [name for name in cpu.received[0].headers if name.lower().startswith("x-synapse")]


@pytest.mark.parametrize("path", [CHAT, "/v1/embeddings", "/v1/audio/speech"])
def test_a_body_over_the_limit_is_413_before_it_is_read(gateway: Gateway, path: str) -> None:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sk-synapse-free\r\n"
        "Content-Type: application/json\r\nContent-Length: 1048577\r\nExpect: 100-continue\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as connection:
        connection.sendall(head.encode())  # and not one byte of the body
        answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    assert answer.startswith("HTTP/1.1 413 ")
    assert "request_too_large" in answer


def test_a_chunked_body_over_the_limit_is_413(client: httpx.Client) -> None:
    chunks = (b"x" * 65536 for _ in range(17))
    refused(client.post(CHAT, content=chunks), 413, "request_too_large")


def test_too_many_requests_are_429(gateway: Gateway) -> None:
    answers = [
        httpx.post(gateway.url + CHAT, json=GOOD, headers=as_app("counted")) for _ in range(3)
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    refused(answers[2], 429, "rate_limit_exceeded")
    assert 50 <= int(answers[2].headers["retry-after"]) <= 60


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
def test_too_many_tokens_are_429(gateway: Gateway, stream: bool) -> None:
    body = {**GOOD, "stream": stream}
    answers = [
        httpx.post(gateway.url + CHAT, json=body, headers=as_app(f"frugal-{stream}".lower()))
        for _ in range(3)
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    refused(answers[2], 429, "rate_limit_exceeded")


def test_too_many_at_once_are_429(gateway: Gateway, gpu: OpenAIStub) -> None:
    gpu.behaviours["gpu"] = Behaviour(first_token_after_s=0.5)

    def ask(_: int) -> httpx.Response:
        return httpx.post(gateway.url + CHAT, json=GOOD, headers=as_app("single"), timeout=20)

    with ThreadPoolExecutor(3) as pool:
        answers = sorted(pool.map(ask, range(3)), key=lambda answer: answer.status_code)
    assert [answer.status_code for answer in answers] == [200, 429, 429]
    refused(answers[1], 429, "rate_limit_exceeded")
    assert answers[1].headers["retry-after"] == "1"
    assert ask(0).status_code == 200


def test_broken_http_is_refused_and_harms_nobody(gateway: Gateway) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as connection:
        connection.sendall(b"NONSENSE\r\n\r\n")
        assert b" 400 " in connection.recv(65536)


def test_a_client_that_leaves_while_sending_harms_nobody(gateway: Gateway) -> None:
    head = (
        f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sk-synapse-single\r\n"
        "Content-Length: 1000\r\n\r\n{"
    )
    done = threading.Event()
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as connection:
        connection.sendall(head.encode())
        done.set()
    assert done.is_set()
