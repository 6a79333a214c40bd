"""Few places, many who want one: no application and no batch work keeps the others out."""

from __future__ import annotations

import asyncio

import pytest

from synapse_common import line
from synapse_common.line import Claim, Line

pytestmark = pytest.mark.looptime


class Room:
    """A line, and who was let in."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.entered: list[str] = []

    async def visit(self, name: str, stays_s: float, claim: Claim) -> None:
        async with self.line.place(claim, 1000):
            self.entered.append(name)
            await asyncio.sleep(stays_s)

    def come(
        self, names: str, *, batch: bool = False, stays_s: float = 10
    ) -> list[asyncio.Task[None]]:
        """Send visitors `a1 a2 b1`, the letter being their application."""
        return [
            asyncio.create_task(self.visit(name, stays_s, Claim(name[0], not batch)))
            for name in names.split()
        ]


async def test_applications_take_turns_however_many_of_one_wait() -> None:
    room = Room(Line(1))
    coming = room.come("a1 a2 a3 a4 a5")
    await asyncio.sleep(1)
    await asyncio.gather(*coming, *room.come("b1 b2 c1"))
    assert " ".join(room.entered) == "a1 b1 c1 a2 b2 a3 a4 a5"


async def test_who_holds_fewest_is_next() -> None:
    room = Room(Line(3))
    coming = room.come("a1", stays_s=5) + room.come("a2 b1", stays_s=50)
    await asyncio.sleep(1)
    await asyncio.gather(*coming, *room.come("a3 c1"))
    assert room.entered[3:] == ["c1", "a3"]


async def test_interactive_goes_first_and_every_fourth_is_batch() -> None:
    room = Room(Line(1))
    coming = room.come("a1") + room.come("b1 b2", batch=True)
    await asyncio.sleep(1)
    await asyncio.gather(*coming, *room.come("c1 c2 c3 c4 c5"))
    assert " ".join(room.entered) == "a1 c1 c2 c3 b1 c4 c5 b2"


async def test_what_a_rule_keeps_is_for_whom_it_lets_in() -> None:
    room = Room(Line(2, lambda claim, _held, free: free > (0 if claim.is_interactive else 1)))
    coming = room.come("b1 b2", batch=True)
    await asyncio.sleep(1)
    assert room.entered == ["b1"]
    assert not room.line.is_open(Claim("b", is_interactive=False))
    coming += room.come("a1")
    await asyncio.sleep(1)
    assert room.entered == ["b1", "a1"]
    await asyncio.gather(*coming)
    assert (room.entered, len(room.line), room.line.held("b")) == (["b1", "a1", "b2"], 0, 0)


async def test_a_wait_ends_at_its_limit() -> None:
    room = Room(Line(1))
    (coming,) = room.come("a1", stays_s=100)
    await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        async with room.line.place(Claim("b"), 30):
            pass
    assert (asyncio.get_running_loop().time(), len(room.line)) == (30, 0)
    await coming


async def test_who_goes_while_waiting_or_just_let_in_leaves_no_place_taken() -> None:
    room = Room(Line(1))
    first, second, third = room.come("a1 b1 c1")
    await asyncio.sleep(1)
    third.cancel()
    first.cancel()
    await asyncio.sleep(0)  # the second's turn has come, but it has not gone on
    second.cancel()
    await asyncio.gather(first, second, third, return_exceptions=True)
    assert (len(room.line), room.line.is_open(Claim("d"))) == (0, True)
    await asyncio.gather(*room.come("d1"))


async def test_who_is_given_up_at_the_same_time_as_the_one_before_takes_no_turn() -> None:
    room = Room(Line(1))
    holds, gives_up, stays = room.come("a1 b1 c1")
    await asyncio.sleep(1)
    holds.cancel()  # as a drain, or an engine that goes away, ends several in one moment
    gives_up.cancel()
    ended = await asyncio.gather(holds, gives_up, stays, return_exceptions=True)
    assert [type(each).__name__ for each in ended] == ["CancelledError"] * 2 + ["NoneType"]
    assert room.entered == ["a1", "c1"]
    assert room.line.is_open(Claim("a"))


async def hold(room: Room, name: str, claim: Claim) -> list[asyncio.Task[None]]:
    return [asyncio.create_task(room.visit(name, 10, claim))]


async def test_the_people_of_one_application_take_turns_within_its_own() -> None:
    room = Room(Line(1))
    anna, ben, other = Claim("a", person="anna"), Claim("a", person="ben"), Claim("b")
    coming = [task for name in ("A1", "A2", "A3", "A4") for task in await hold(room, name, anna)]
    await asyncio.sleep(1)
    for name, claim in (("B1", ben), ("B2", ben), ("b1", other), ("b2", other)):
        coming += await hold(room, name, claim)
    await asyncio.gather(*coming)
    assert " ".join(room.entered) == "A1 b1 B1 b2 A2 B2 A3 A4"


async def test_of_two_people_the_one_that_holds_fewer_places_is_next() -> None:
    room = Room(Line(3))
    coming = await hold(room, "A1", Claim("a", person="anna"))
    coming += await hold(room, "A2", Claim("a", person="anna"))
    coming += [asyncio.create_task(room.visit("B1", 5, Claim("a", person="ben")))]
    await asyncio.sleep(1)
    coming += await hold(room, "A3", Claim("a", person="anna"))
    coming += await hold(room, "B2", Claim("a", person="ben"))
    await asyncio.gather(*coming)
    assert room.entered[3:] == ["B2", "A3"]


async def test_people_that_an_application_makes_up_take_no_memory_and_no_other_ones_turn() -> None:
    room = Room(Line(1))
    for number in range(line.PEOPLE + 100):
        async with room.line.place(Claim("a", person=f"p{number}")):
            pass
    forgotten = room.come("h")
    await asyncio.sleep(1)
    for number in (1, 0):
        forgotten += await hold(room, f"p{number}", Claim("a", person=f"p{number}"))
    await asyncio.gather(*forgotten)
    assert room.entered == ["h", "p1", "p0"], "by arrival: that p0 came before is not known"
    room.entered.clear()
    coming = await hold(room, "a0", Claim("a", person="new"))
    await asyncio.sleep(1)
    for number in range(20):
        coming += await hold(room, f"a{number + 1}", Claim("a", person=f"q{number}"))
    coming += await hold(room, "b", Claim("b"))
    await asyncio.gather(*coming)
    assert room.entered[:2] == ["a0", "b"]
