"""Wrong keys are slowed down, right ones from the same address are not, and the log stays short."""

from __future__ import annotations

import pytest

from synapse_gateway import few_lines
from synapse_gateway.wrong_keys import FREE, HELD_OF_SENDER

from .conftest import KEY, Front

GET = b"GET /v1/models HTTP/1.1\r\nHost: x\r\n"
WRONG = GET + b"x-api-key: wrong\r\n\r\n"
HELD = 4
"""By then a refusal waits for longer than the test takes to ask again."""


@pytest.mark.parametrize("sent", [WRONG, GET + b"\r\n"], ids=["wrong", "none"])
async def test_a_right_key_does_not_wait_for_wrong_ones_of_its_address(
    front: Front, sent: bytes
) -> None:
    for _ in range(FREE + HELD):
        assert (await front.ask(sent)).status == 401
    waiting = [await front.call(sent) for _ in range(HELD_OF_SENDER)]
    await front.until(lambda: front.in_flight == HELD_OF_SENDER)
    assert (await front.ask(GET + KEY + b"\r\n")).status == 200
    assert front.in_flight == HELD_OF_SENDER
    (line,) = await front.until_logged("wrong_keys")
    assert (line["client"], line["count"]) == ("127.0.0.1", FREE + 1)

    caller = await front.call(sent)
    answer = await caller.answer()
    assert (answer.status, answer.error["code"]) == (429, "too_many_wrong_keys")
    assert int(answer.headers["retry-after"]) >= 1
    assert await caller.rest() == b""
    for caller in waiting:
        assert (await caller.answer()).status == 401


async def test_refusals_without_end_are_few_lines(front: Front) -> None:
    for _ in range(FREE + HELD):
        await front.ask(WRONG)
    waiting = [await front.call(WRONG) for _ in range(HELD_OF_SENDER)]
    await front.until(lambda: front.in_flight == HELD_OF_SENDER)
    for _ in range(3 * few_lines.SHOWN):
        assert (await front.ask(WRONG)).status == 429
    refused = [line for line in front.logged("request") if line["status"] == 429]
    assert len(refused) == few_lines.SHOWN
    counted = {"answered": "refused"}
    name = "synapse_gateway_wrong_keys_total"
    assert front.registry.get_sample_value(name, counted) == 3 * few_lines.SHOWN
    for caller in waiting:
        caller.writer.close()


async def test_who_wants_to_change_the_models_is_named_in_the_log(front: Front) -> None:
    pull = b"POST /api/pull HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
    assert (await front.ask(pull + KEY + b"\r\n")).status == 403
    (line,) = await front.until_logged("request")
    assert (line["app"], line["status"], line["error"]) == ("app", 403, "forbidden")
