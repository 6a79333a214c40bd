"""Wrong keys of one address are answered later and later; nobody else waits for them."""

from __future__ import annotations

import asyncio
import json

import pytest
from prometheus_client import CollectorRegistry, Counter

from synapse_common.refusals import Refusal
from synapse_gateway import wrong_keys
from synapse_gateway.wrong_keys import FREE, HELD, HELD_OF_SENDER, LONGEST_DELAY_S, WrongKeys

pytestmark = pytest.mark.looptime
THIEF, NEIGHBOUR = "192.0.2.7", "192.0.2.8"


class Door:
    """A table of senders in virtual time."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.keys = WrongKeys(Counter("wrong", "", ["answered"], registry=self.registry))

    async def waited_s(self, client: str = THIEF) -> float:
        """Send one wrong key; return how long its refusal took."""
        began_s = asyncio.get_running_loop().time()
        await self.keys.slow_down(client)
        return asyncio.get_running_loop().time() - began_s

    def counted(self, answered: str) -> float:
        return self.registry.get_sample_value("wrong_total", {"answered": answered}) or 0


async def test_a_few_wrong_keys_are_answered_at_once_and_more_ever_later() -> None:
    door = Door()
    waits_s = [await door.waited_s() for _ in range(FREE + 8)]
    assert waits_s[:FREE] == [0] * FREE
    assert waits_s[FREE:] == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 4, 4])
    assert (door.counted("at_once"), door.counted("delayed")) == (FREE, 8)


async def test_the_slow_down_has_an_end_however_many_there_are() -> None:
    door = Door()
    assert max([await door.waited_s() for _ in range(1200)]) == pytest.approx(LONGEST_DELAY_S)


async def test_another_address_is_not_held_up() -> None:
    door = Door()
    for _ in range(FREE + 5):
        await door.waited_s()
    assert await door.waited_s(NEIGHBOUR) == 0


async def test_an_owner_of_many_ipv6_addresses_is_one_sender() -> None:
    door = Door()
    waits_s = [await door.waited_s(f"2001:db8::{number:x}") for number in range(1, FREE + 2)]
    assert waits_s[-1] > 0
    assert await door.waited_s("2001:db8:0:1::1") == 0


async def test_after_a_quiet_time_a_sender_starts_anew() -> None:
    door = Door()
    for _ in range(FREE + 5):
        await door.waited_s()
    await asyncio.sleep(wrong_keys.FORGOTTEN_S + 1)
    assert await door.waited_s() == 0


async def test_refusals_that_wait_are_bounded_for_a_sender_and_in_all() -> None:
    door = Door()
    senders = [f"198.51.100.{number}" for number in range(HELD)]
    for sender in (THIEF, *senders):
        for _ in range(FREE):
            await door.waited_s(sender)
    held = [asyncio.ensure_future(door.waited_s()) for _ in range(HELD_OF_SENDER)]
    await asyncio.sleep(0)
    with pytest.raises(Refusal) as refused:
        await door.waited_s()
    assert (refused.value.status, refused.value.code) == (429, "too_many_wrong_keys")
    assert refused.value.headers["retry-after"] == str(int(LONGEST_DELAY_S))

    held += [asyncio.ensure_future(door.waited_s(one)) for one in senders[HELD_OF_SENDER:]]
    await asyncio.sleep(0)
    with pytest.raises(Refusal):
        await door.waited_s(senders[0])
    await asyncio.gather(*held)
    assert await door.waited_s(senders[0]) > 0
    assert door.counted("refused") == 2


async def test_a_client_that_does_not_wait_gives_its_place_back() -> None:
    door = Door()
    for _ in range(FREE):
        await door.waited_s()
    for _ in range(3 * HELD_OF_SENDER):
        waiting = asyncio.ensure_future(door.waited_s())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert door.counted("refused") == 0


async def test_no_more_senders_are_remembered_than_there_is_room_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wrong_keys, "SENDERS", 2)
    door = Door()
    for _ in range(FREE + 1):
        await door.waited_s()
    await door.waited_s("198.51.100.1")
    assert await door.waited_s() > 0  # remembered, and the newest now
    await door.waited_s("198.51.100.2")
    assert await door.waited_s() > 0
    for number in (3, 4):
        await door.waited_s(f"198.51.100.{number}")
    assert await door.waited_s() == 0


async def test_one_line_tells_when_it_begins(capsys: pytest.CaptureFixture[str]) -> None:
    door = Door()
    for _ in range(FREE + 5):
        await door.waited_s()
    (line,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert line.pop("ts")
    assert line == {"event": "wrong_keys", "client": THIEF, "count": FREE + 1}
