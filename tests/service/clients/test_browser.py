"""What a web page and a probe ask: CORS as the site says, HEAD, the root, and slashes too many."""

from __future__ import annotations

import httpx
import pytest

from gateway_process import Gateway

from .conftest import PAGE

CHAT = "/v1/chat/completions"
ALLOW = "access-control-allow-origin"
HI = [{"role": "user", "content": "hi"}]
PATHS = [CHAT, "/v1/responses", "/v1/messages", "/v1/models", "/api/chat"]


def preflight(gateway: Gateway, path: str, origin: str) -> httpx.Response:
    headers = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,x-stainless-os",
    }
    return httpx.options(f"{gateway.url}{path}", headers=headers)


@pytest.mark.parametrize("path", PATHS)
def test_a_page_that_may_ask_is_told_so_beforehand(gateway: Gateway, path: str) -> None:
    answer = preflight(gateway, path, PAGE)
    assert answer.status_code in (200, 204), answer.text
    assert answer.headers[ALLOW] == PAGE
    assert "POST" in answer.headers["access-control-allow-methods"]
    allowed = answer.headers["access-control-allow-headers"].lower()
    for name in ("authorization", "content-type", "x-stainless-os"):
        assert name in allowed or allowed == "*"


def test_another_page_is_not(gateway: Gateway) -> None:
    assert ALLOW not in preflight(gateway, CHAT, "https://elsewhere.example").headers


def test_answers_and_errors_may_be_read_by_that_page(http: httpx.Client) -> None:
    origin = {"origin": PAGE}
    body = {"model": "gpu-chat", "messages": HI}
    for answer in (
        http.post(CHAT, json=body, headers=origin),
        http.post(CHAT, json={**body, "stream": True}, headers=origin),
        http.get("/v1/models", headers=origin),
        http.post(CHAT, json=body, headers={**origin, "authorization": "Bearer sk-x"}),
        http.post(CHAT, json={**body, "model": "nothing"}, headers=origin),
        http.post(CHAT, content=b"{", headers=origin),
        http.get("/nothing", headers=origin),
    ):
        assert answer.headers.get(ALLOW) == PAGE, (answer.request.url, answer.status_code)
        assert "origin" in answer.headers["vary"].lower()


def test_an_answer_for_another_page_says_nothing(http: httpx.Client) -> None:
    answer = http.get("/v1/models", headers={"origin": "https://elsewhere.example"})
    assert answer.status_code == 200
    assert ALLOW not in answer.headers


def test_by_default_no_page_may_ask(default_gateway: Gateway) -> None:
    assert ALLOW not in preflight(default_gateway, CHAT, PAGE).headers
    url, headers = f"{default_gateway.url}/v1/models", {"authorization": "Bearer sk-synapse-free"}
    answer = httpx.get(url, headers={**headers, "origin": PAGE})
    assert answer.status_code == 200
    assert ALLOW not in answer.headers


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_probe_of_the_root_needs_no_key(gateway: Gateway, method: str) -> None:
    answer = httpx.request(method, f"{gateway.url}/")
    assert answer.status_code == 200
    if method == "HEAD":
        assert answer.content == b""


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/gpu-chat"])
def test_a_head_is_answered_as_a_get_without_its_body(http: httpx.Client, path: str) -> None:
    head, get = http.head(path), http.get(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == get.headers["content-type"]


@pytest.mark.parametrize(
    "path", ["/v1//models", "//v1/models", "/v1/models/", "//v1///models//", "/v1//models/gpu-chat"]
)
def test_slashes_too_many_mean_the_same(http: httpx.Client, path: str) -> None:
    answer = http.get(f"{http.base_url}".rstrip("/") + path)
    assert answer.status_code == 200, answer.text


def test_slashes_too_many_open_nothing_else(http: httpx.Client) -> None:
    body = {"model": "gpu-chat", "messages": HI}
    assert http.post("/v1//chat//completions", json=body).status_code == 200
    for path in ("/v1//nothing", "//metrics", "//health//../v1/models/nothing"):
        assert http.get(f"{http.base_url}".rstrip("/") + path).status_code == 404
