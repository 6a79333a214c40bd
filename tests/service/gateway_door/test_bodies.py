"""What stands around a body, and what waits behind it, is bounded; broken bodies end at once."""

from __future__ import annotations

import asyncio

import pytest

from synapse_gateway.connection import BEHIND_BYTES, FRAMING_BYTES
from synapse_gateway.watch import LARGE_BYTES

from .conftest import KEY, Front

POST = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n" + KEY
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
UPLOAD = POST + b"Content-Length: 9\r\n\r\n"
GET = b"GET /v1/models HTTP/1.1\r\nHost: x\r\n" + KEY + b"\r\n"
AROUND = {
    "pieces-of-a-byte": b"1\r\nx\r\n" * 10_000,
    "words-on-pieces": b"1;" + b"y" * 50_000 + b"\r\nx\r\n",
}


@pytest.mark.parametrize("pieces", AROUND.values(), ids=AROUND)
async def test_more_around_a_body_than_in_it_ends_it(front: Front, pieces: bytes) -> None:
    caller = await front.call(CHUNKED)
    reading = asyncio.create_task(caller.rest())
    sent = 0
    while not reading.done() and sent < 40 * FRAMING_BYTES:
        caller.send(pieces)
        sent += len(pieces)
        try:
            await caller.writer.drain()
        except ConnectionError:
            break
        await asyncio.sleep(0)
    (line,) = await front.until_logged("request")
    assert (line["status"], line["error"]) == (400, "invalid_request")
    assert sent < 20 * FRAMING_BYTES
    assert front.logged("failure") == []


async def test_a_body_in_pieces_that_are_no_http_ends_at_once(front: Front) -> None:
    caller = await front.call(CHUNKED + b"5\r\nabcde\r\n")
    await front.until(lambda: front.in_flight == 1)
    caller.send(b"XX\r\n")
    answer = await caller.answer()
    assert (answer.status, answer.error["code"]) == (400, "invalid_request")
    assert await caller.rest() == b""
    (line,) = await front.until_logged("request")
    assert line["request_id"] == answer.headers["x-request-id"]
    assert front.logged("failure") == []


async def test_a_large_body_in_ordinary_pieces_passes(front: Front) -> None:
    piece = b"8000\r\n" + b" " * 0x8000 + b"\r\n"
    caller = await front.call(CHUNKED + piece * 200 + b"0\r\n\r\n")
    assert (await caller.answer()).error["message"].startswith("The body is not valid JSON")


async def test_one_large_body_after_another_passes_on_the_same_connection(front: Front) -> None:
    caller = await front.call()
    for _ in range(4):
        size = 8 * BEHIND_BYTES
        caller.send(POST + b"Content-Length: %d\r\n\r\n" % size)
        await front.until(lambda: front.in_flight == 1)
        caller.send(b" " * size)
        assert (await caller.answer()).error["message"].startswith("The body is not valid JSON")


async def test_a_body_and_the_next_request_may_come_together(front: Front) -> None:
    caller = await front.call(UPLOAD)
    await front.until(lambda: front.in_flight == 1)
    caller.send(b"{}       " + GET)
    answers = [await caller.answer() for _ in range(2)]
    assert [answer.status for answer in answers] == [400, 200]
    assert answers[0].error["message"].startswith("'model'")


async def test_requests_without_end_behind_a_slow_one_are_not_taken_in(front: Front) -> None:
    slow = b"GET /v1/models HTTP/1.1\r\nHost: x\r\nx-api-key: wrong\r\n\r\n"
    for _ in range(13):
        await front.ask(slow)  # from now on a wrong key is answered after a while
    caller = await front.call(slow)
    await front.until(lambda: front.in_flight == 1)
    body = b" " * (BEHIND_BYTES // 2)
    caller.send(POST + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    assert [(await caller.answer()).status for _ in range(2)] == [401, 400]

    caller = await front.call(slow)
    await front.until(lambda: front.in_flight == 1)
    wide = GET.removesuffix(b"\r\n") + (b"A: " + b"x" * 8000 + b"\r\n") * 3 + b"\r\n"
    caller.send(wide * (BEHIND_BYTES // len(wide) + 1))
    got = await caller.rest()
    assert got.count(b"HTTP/1.1 ") == 1
    assert b" 401 " in got


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "chunked"])
async def test_a_large_body_is_logged_before_its_request_ends(
    front: Front, announced: bool
) -> None:
    size = LARGE_BYTES + 1
    if announced:
        caller = await front.call(POST + b"Content-Length: %d\r\n\r\n{" % size)
    else:
        caller = await front.call(CHUNKED + b"%x\r\n" % (2 * size) + b" " * size)
    (line,) = await front.until_logged("request_large")
    assert front.logged("request") == []
    assert (line["client"], line["app"]) == ("127.0.0.1", "app")
    assert line["route"] == "/v1/chat/completions"
    assert line["announced_bytes"] == (size if announced else None)
    caller.writer.close()
    (end,) = await front.until_logged("request")
    assert end["request_id"] == line["request_id"]
    assert len(front.logged("request_large")) == 1


async def test_without_a_key_a_large_body_is_neither_read_nor_told_of(front: Front) -> None:
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 16000000\r\n\r\n"
    assert (await front.ask(head)).status == 401
    assert front.logged("request_large") == []
