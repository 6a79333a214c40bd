"""Connections are counted: idle ones make room, and busy ones do not."""

from __future__ import annotations

import pytest

from .conftest import KEY, Caller, Front

GET = b"GET /v1/models HTTP/1.1\r\nHost: x\r\n" + KEY + b"\r\n"
UPLOAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n" + KEY + b"Content-Length: 9\r\n\r\n"
FEW = {"connections": 3, "requests_at_once": 3, "app_requests_at_once": 3}
THREE = pytest.mark.parametrize("front", [FEW], indirect=True)
TWO_EACH = pytest.mark.parametrize("front", [{"connections_per_address": 2}], indirect=True)
TRUSTED = {"connections_per_address": 2, "trusted_proxies": ["127.0.0.2"]}


async def busy(front: Front, count: int, source: str = "127.0.0.1") -> list[Caller]:
    """Have requests running whose bodies are on their way."""
    before = front.in_flight
    callers = [await front.call(UPLOAD, source=source) for _ in range(count)]
    await front.until(lambda: front.in_flight == before + count)
    return callers


@THREE
async def test_an_idle_connection_makes_room_for_the_next(front: Front) -> None:
    oldest = await front.call(GET)
    assert (await oldest.answer()).status == 200
    for _ in range(3):
        assert (await front.ask(GET)).status == 200
    assert await oldest.rest() == b""
    assert front.logged("refused") == []


@THREE
async def test_where_all_are_busy_the_next_is_503(front: Front) -> None:
    callers = await busy(front, 3)
    answer = await front.ask(b"")
    assert (answer.status, answer.error["code"]) == (503, "too_many_connections")
    assert answer.headers["retry-after"] == "5"
    (line,) = await front.until_logged("refused")
    assert line["client"] == "127.0.0.1"
    callers[0].send(b"{}       ")
    assert (await callers[0].answer()).status == 400
    assert (await front.ask(GET)).status == 200  # in place of the one that is idle now


@TWO_EACH
async def test_one_address_does_not_take_all_places(front: Front) -> None:
    await busy(front, 2)
    assert (await front.ask(b"")).status == 503
    other = await front.call(GET, source="127.0.0.2")
    assert (await other.answer()).status == 200


@pytest.mark.parametrize("front", [TRUSTED], indirect=True)
async def test_a_proxy_of_ours_stands_for_many_addresses(front: Front) -> None:
    await busy(front, 4, source="127.0.0.2")


@pytest.mark.parametrize("front", [TRUSTED], indirect=True)
@pytest.mark.parametrize(
    ("source", "logged"), [("127.0.0.1", "127.0.0.1"), ("127.0.0.2", "192.0.2.7")]
)
async def test_only_a_proxy_of_ours_says_who_its_client_is(
    front: Front, source: str, logged: str
) -> None:
    told = b"X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n"
    caller = await front.call(GET.removesuffix(b"\r\n") + told, source=source)
    assert (await caller.answer()).status == 200
    (line,) = await front.until_logged("request")
    assert line["client"] == logged
