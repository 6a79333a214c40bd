"""A key is found in every header that a client may put it into; a refusal has the route's shape."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from client_workers import Worker
from gateway_process import Gateway

KEY = "sk-synapse-free"
HEADERS = {"authorization": "Bearer {}", "x-api-key": "{}", "api-key": "{}"}
HI = [{"role": "user", "content": "hi"}]
ROUTES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"model": "gpu-chat", "messages": HI},
    "/v1/responses": {"model": "gpu-chat", "input": "hi"},
    "/v1/messages": {"model": "gpu-chat", "messages": HI, "max_tokens": 5},
    "/v1/embeddings": {"model": "gpu-embed", "input": "hi"},
    "/v1/rerank": {"model": "gpu-rank", "query": "a", "documents": ["b"]},
    "/api/chat": {"model": "gpu-chat", "messages": HI, "stream": False},
    "/api/embed": {"model": "gpu-embed", "input": "hi"},
}


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("path", ROUTES)
def test_a_key_in_any_header_opens_every_route(gateway: Gateway, path: str, header: str) -> None:
    headers = {header: HEADERS[header].format(KEY)}
    answer = httpx.post(f"{gateway.url}{path}", json=ROUTES[path], headers=headers)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("header", [*HEADERS, None])
@pytest.mark.parametrize("path", ROUTES)
def test_a_wrong_key_or_none_is_refused_in_the_routes_own_shape(
    gateway: Gateway, path: str, header: str | None
) -> None:
    headers = {header: HEADERS[header].format("sk-synapse-wrong")} if header else {}
    answer = httpx.post(f"{gateway.url}{path}", json=ROUTES[path], headers=headers)
    assert answer.status_code == 401, answer.text
    told = answer.json()
    if path.startswith("/api/"):
        assert isinstance(told["error"], str)
    elif path == "/v1/messages":
        assert told["type"] == "error"
        assert told["error"]["type"] == "authentication_error"
    else:
        assert told["error"]["code"] == "invalid_api_key"


def test_anthropics_clients_may_send_it_as_bearer(python: Worker) -> None:
    assert python.call("anthropic_sdk.with_auth_token", model="gpu-chat")


@pytest.mark.parametrize("sdk", ["openai_sdk", "anthropic_sdk"])
def test_a_key_that_has_ended_says_so_and_when(python: Worker, sdk: str) -> None:
    error = python.call(f"{sdk}.refused", model="gpu-chat", key="sk-synapse-guest")
    assert (error["name"], error["status"]) == ("AuthenticationError", 401)
    assert "The API key ended on 2026-01-31, its last day (UTC)." in error["text"]


@pytest.mark.parametrize("path", ROUTES)
def test_a_key_that_has_ended_opens_no_route(gateway: Gateway, path: str) -> None:
    headers = {"x-api-key": "sk-synapse-guest"}
    answer = httpx.post(f"{gateway.url}{path}", json=ROUTES[path], headers=headers)
    assert answer.status_code == 401, answer.text
    assert "ended on 2026-01-31" in answer.text
    listed = httpx.get(f"{gateway.url}/v1/models", headers=headers)
    assert (listed.status_code, listed.json()["error"]["code"]) == (401, "expired_api_key")
