"""Headers, bodies and unused connections have a time, after which the place is free."""

from __future__ import annotations

import asyncio
import socket

import pytest

from synapse_gateway import server as listening

from .conftest import KEY, Front

GET = b"GET /v1/models HTTP/1.1\r\nHost: x\r\n" + KEY
POST = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n" + KEY
HASTY = pytest.mark.parametrize("front", [{"header_timeout_s": 0.3}], indirect=True)
ANY_PORT = pytest.mark.parametrize("port", ["port", "inner_port", "metrics_port"])


@HASTY
@ANY_PORT
async def test_headers_that_do_not_end_are_408(front: Front, port: str) -> None:
    caller = await front.call(b"GET / HTT", port)
    answer = await caller.answer()
    assert (answer.status, answer.error["code"]) == (408, "header_timeout")
    (line,) = await front.until_logged("refused")
    assert line["request_id"] == answer.headers["x-request-id"]
    assert line["client"] == "127.0.0.1"
    assert await caller.rest() == b""


@HASTY
@ANY_PORT
async def test_headers_that_trickle_are_not_waited_for(front: Front, port: str) -> None:
    caller = await front.call(b"GET / HTTP/1.1\r\nA: ", port)

    async def trickle() -> None:
        while True:
            caller.send(b"a")
            await asyncio.sleep(0.02)

    trickling = asyncio.create_task(trickle())
    assert b" 408 " in await caller.rest()
    trickling.cancel()


@HASTY
async def test_a_connection_that_is_not_used_is_closed_without_a_word(front: Front) -> None:
    caller = await front.call()
    assert await caller.rest() == b""
    assert front.logged("refused") == []


@HASTY
async def test_the_second_requests_headers_have_their_time_too(front: Front) -> None:
    caller = await front.call(GET + b"\r\n")
    assert (await caller.answer()).status == 200
    caller.send(b"GET / HTT")
    assert b" 408 " in await caller.rest()


@HASTY
async def test_a_connection_that_was_used_may_wait_longer_than_headers(front: Front) -> None:
    caller = await front.call(GET + b"\r\n")
    assert (await caller.answer()).status == 200
    unused = await front.call()
    assert await unused.rest() == b""  # the time for headers has passed
    caller.send(GET + b"\r\n")
    assert (await caller.answer()).status == 200


async def test_a_used_connection_is_closed_after_its_time(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "KEEP_ALIVE_S", 0.2)
    caller = await front.call(GET + b"\r\n")
    assert (await caller.answer()).status == 200
    assert await caller.rest() == b""


@pytest.mark.parametrize("front", [{"body_timeout_s": 0.3}], indirect=True)
async def test_a_body_that_trickles_is_408(front: Front) -> None:
    answer = await front.ask(POST + b"Content-Length: 99\r\n\r\n{")
    assert (answer.status, answer.error["code"]) == (408, "request_timeout")
    (line,) = await front.until_logged("request")
    assert (line["client"], line["status"]) == ("127.0.0.1", 408)


async def test_stopping_does_not_wait_for_headers(front: Front) -> None:
    callers = [await front.call(sent) for sent in (b"", b"GET / HTT", GET + b"\r\n")]
    assert (await callers[2].answer()).status == 200
    await front.server.stop()
    assert [await caller.rest() for caller in callers] == [b"", b"", b""]


async def test_clients_that_vanish_without_a_word_are_noticed(front: Front) -> None:
    listener = front.listener
    options = {key: listener.getsockopt(*key) for key in listening.KEPT_ALIVE}
    assert options == listening.KEPT_ALIVE
    assert listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 60_000
    assert options[(socket.SOL_SOCKET, socket.SO_KEEPALIVE)] == 1
