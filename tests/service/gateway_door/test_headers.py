"""What is no HTTP, or too much of it, is refused in our shape, with an id, an address, a line."""

from __future__ import annotations

import asyncio

import pytest

from synapse_gateway import few_lines
from synapse_gateway.connection import HEADERS_BYTES

from .conftest import KEY, Front

GET = b"GET /v1/models HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n" + KEY
SECRET = b"sk-synapse-secret"
READ_BYTES = 256 * 1024
"""What the loop hands over at once, at most."""
MALFORMED = {
    "path-no-utf8": b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    "http-2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "tls": bytes.fromhex("16030100c8010000c40303"),
    "two-lengths": POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "length-twice": POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
    "length-signed": POST + b"Content-Length: +5\r\n\r\n",
    "chunked-not-last": POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "folded": GET + b"A: b\r\n c\r\n\r\n",
    "nul": GET + b"A: b\0c\r\n\r\n",
    "space-before-colon": GET + b"Authorization : Bearer " + SECRET + b"\r\n\r\n",
    "bare-lf": b"GET / HTTP/1.1\nHost: x\nAuthorization: Bearer " + SECRET + b"\n\n",
    "no-host": b"GET / HTTP/1.1\r\n\r\n",
    "host-twice": GET + b"Host: y\r\n\r\n",
    "headers-too-many": GET + b"A: b\r\n" * 129 + b"\r\n",
    "trailers-too-many": POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"A: b\r\n" * 129,
}


@pytest.mark.parametrize("port", ["port", "inner_port", "metrics_port"])
@pytest.mark.parametrize("sent", MALFORMED.values(), ids=MALFORMED)
async def test_what_is_no_http_is_refused_in_our_shape(
    front: Front, sent: bytes, port: str, caplog: pytest.LogCaptureFixture
) -> None:
    caller = await front.call(sent, port)
    answer = await caller.answer()
    assert answer.status == 400
    assert answer.headers["content-type"] == "application/json"
    assert answer.error["code"] == "malformed_http"
    (line,) = await front.until_logged("refused")
    assert line["request_id"] == answer.headers["x-request-id"]
    assert (line["client"], line["status"]) == ("127.0.0.1", 400)
    assert SECRET not in answer.raw
    assert SECRET.decode() not in str(front.lines)
    assert (front.said, caplog.records) == ("", [])
    assert await caller.rest() == b""


@pytest.mark.parametrize(
    "sent",
    [GET + b"A: " + b"x" * 9000 + b"\r\n\r\n", b"GET /" + b"x" * 9000],
    ids=["header", "line"],
)
async def test_a_long_header_or_request_line_is_431(front: Front, sent: bytes) -> None:
    answer = await front.ask(sent)
    assert (answer.status, answer.error["code"]) == (431, "headers_too_large")
    assert len(await front.until_logged("refused")) == 1


@pytest.mark.parametrize("port", ["port", "inner_port", "metrics_port"])
async def test_all_headers_together_have_a_bound(front: Front, port: str) -> None:
    caller = await front.call(GET, port)
    sent = 0
    while not caller.writer.is_closing() and sent < 60_000_000:
        caller.send(b"A: " + b"x" * 8000 + b"\r\n")
        sent += 8005
        try:
            await asyncio.wait_for(caller.writer.drain(), 5)
        except ConnectionError:
            break
        if front.logged("refused"):
            break
    assert sent <= HEADERS_BYTES + 2 * READ_BYTES
    (line,) = await front.until_logged("refused")
    assert (line["status"], line["client"]) == (431, "127.0.0.1")


async def test_a_flood_of_malformed_requests_does_not_flood_the_log(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(few_lines, "WINDOW_S", 0.5)
    for _ in range(few_lines.SHOWN + 4):
        await front.ask(MALFORMED["tls"])
    (line,) = await front.until_logged("refused_not_shown")
    assert (line["client"], line["count"]) == ("127.0.0.1", 4)
    assert len(front.logged("refused")) == few_lines.SHOWN
    refused = {"reason": "malformed_http"}
    counted = front.registry.get_sample_value("synapse_gateway_refused_connections_total", refused)
    assert counted == few_lines.SHOWN + 4


@pytest.mark.parametrize(
    "upgrade",
    [b"Upgrade: websocket\r\nConnection: upgrade\r\n", b"Upgrade: h2c\r\nConnection: upgrade\r\n"],
    ids=["websocket", "h2c"],
)
async def test_an_upgrade_is_not_taken_up(front: Front, upgrade: bytes) -> None:
    caller = await front.call(GET + KEY + upgrade + b"\r\n")
    assert (await caller.answer()).status == 200
    caller.send(GET + KEY + b"\r\n")
    assert (await caller.answer()).status == 200


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"CONNECT a:443 HTTP/1.1", 404),
        (b"GET http://h/v1/models HTTP/1.1", 404),
        (b"OPTIONS * HTTP/1.1", 405),
    ],
    ids=["connect", "absolute", "asterisk"],
)
async def test_forms_for_proxies_reach_nothing(front: Front, line: bytes, status: int) -> None:
    assert (await front.ask(line + b"\r\nHost: x\r\n" + KEY + b"\r\n")).status == status


@pytest.mark.parametrize("port", ["port", "inner_port"])
async def test_a_key_that_is_no_utf8_is_401(front: Front, port: str) -> None:
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
    answer = await front.ask(head + b"x-api-key: sk-\xff\r\n\r\n", port)
    assert (answer.status, answer.error["code"]) == (401, "invalid_api_key")


async def test_the_metrics_are_served_at_their_port(front: Front) -> None:
    answer = await front.ask(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "metrics_port")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert b"synapse_gateway_loop_stall_seconds" in answer.raw
