"""Requests in every form that HTTP has, and paths that try to be others."""

from __future__ import annotations

import json
import socket
from itertools import product

import pytest

from every_dialect import HI
from gateway_process import Gateway
from openai_stub import OpenAIStub

LIMIT_S = 10
BODY = json.dumps({"model": "lonely", "messages": HI}).encode()
STREAMED = json.dumps({"model": "lonely", "messages": HI, "stream": True}).encode()
KEY = b"authorization: Bearer sk-synapse-free\r\n"
JSON = b"content-type: application/json\r\n"
ADMIN = (
    "/sleep", "/wake_up", "/collective_rpc", "/reset_prefix_cache", "/server_info", "/metrics",
    "/v1/load_lora_adapter", "/key/generate", "/model/new", "/config/update", "/admin/status",
    "/api/pull/../ps/../../sleep", "/health/liveliness",
)  # fmt: skip
TRICKS = (
    "{}", "//{}", "{}/", "/v1{}", "/v1/..{}", "/v1/%2e%2e{}", "/v1/chat/completions/..{}",
    "/v1/chat/completions;{}", "/v1/chat/completions%00{}", "/v1/models/%2f..{}", "/.{}",
    "/v1/chat/completions%23{}", "http://arbiter:8080{}", "{}?a=/v1/models", "{}%20", "/%76%31{}",
)  # fmt: skip


def say(gateway: Gateway, *pieces: bytes) -> bytes:
    """Send pieces one after another; return all that comes until the connection ends."""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=LIMIT_S) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            connection.sendall(piece)
        told = b""
        while data := connection.recv(65536):
            told += data
        return told


def post(version: bytes, more: bytes) -> bytes:
    head = b"POST /v1/chat/completions HTTP/" + version + b"\r\nhost: x\r\n"
    return head + KEY + JSON + b"connection: close\r\n" + more + b"\r\n"


def sized(body: bytes) -> bytes:
    return b"content-length: %d\r\n" % len(body)


def test_the_oldest_http_is_answered(gateway: Gateway, gpu: OpenAIStub) -> None:
    told = say(gateway, post(b"1.0", sized(BODY)) + BODY)
    assert told.startswith(b"HTTP/1.0 200"), told[:80]
    assert b"Hello from the stub" in told
    streamed = say(gateway, post(b"1.0", sized(STREAMED)) + STREAMED)
    assert streamed.rstrip().endswith(b"data: [DONE]")


def test_a_body_in_chunks_and_one_that_is_waited_for(gateway: Gateway, gpu: OpenAIStub) -> None:
    half = len(BODY) // 2
    pieces = [b"%x\r\n%s\r\n" % (len(part), part) for part in (BODY[:half], BODY[half:])]
    chunked = b"transfer-encoding: chunked\r\n"
    assert b" 200 " in say(gateway, post(b"1.1", chunked), *pieces, b"0\r\n\r\n")[:20]
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=LIMIT_S) as connection:
        connection.sendall(post(b"1.1", sized(BODY) + b"expect: 100-continue\r\n"))
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(BODY)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")


def test_a_request_may_come_byte_by_byte(gateway: Gateway, gpu: OpenAIStub) -> None:
    whole = post(b"1.1", sized(BODY)) + BODY
    told = say(gateway, *(whole[i : i + 1] for i in range(len(whole))))
    assert told.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_path_leads_to_an_engines_or_an_operators_routes(
    gateway: Gateway, gpu: OpenAIStub, cpu: OpenAIStub, method: str
) -> None:
    for admin, trick in product(ADMIN, TRICKS):
        path = trick.format(admin)
        head = f"{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n"
        told = say(gateway, head.encode() + KEY + b"\r\n")
        status = int(told.split(b" ", 2)[1])
        assert status in (400, 403, 404, 405), (path, told[:200])
    assert gpu.received + cpu.received == []
