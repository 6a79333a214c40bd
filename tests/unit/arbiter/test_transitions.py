"""Every step of a transition and every way in which it can go wrong, in virtual time."""

import asyncio

import pytest

from arbiter_house import FakeEngine, FakeRecycler, FakeVram, fake_settings
from synapse_arbiter.engine.recycler import RecycleRefusedError
from synapse_arbiter.engine.transitions import Transitions
from synapse_arbiter.engine.vllm_client import EngineFailedError
from synapse_arbiter.state import BootAsk

pytestmark = pytest.mark.looptime


class Card:
    """Two engines, of which `a` is awake, and their transitions."""

    def __init__(self, **settings: object) -> None:
        self.vram = FakeVram()
        self.log: list[tuple[str, str]] = []
        self.engines = {name: FakeEngine(name, self.vram, log=self.log) for name in ("a", "b")}
        self.a, self.b = self.engines.values()
        self.a.awaken()
        self.recycler = FakeRecycler(self.engines)
        self.moves = Transitions(
            fake_settings("ab", **settings), self.engines, self.vram, self.recycler
        )


async def test_a_switch_sleeps_verifies_wakes_verifies_and_asks_for_an_answer() -> None:
    card = Card()
    outcome = await card.moves.switch("a", "b")
    assert outcome.resident == "b"
    assert outcome.asleep == {"a"}
    assert outcome.notes == []
    assert card.log == [("sleep", "a"), ("wake", "b"), ("answer", "b")]
    assert outcome.steps_s["sleep", "a"] == pytest.approx(0.5)
    assert outcome.steps_s["wake", "b"] == pytest.approx(1.5)
    assert card.moves.ledgers["b"].awake_gib == pytest.approx(23.0)


async def test_a_switch_costs_no_more_than_the_engines_own_time() -> None:
    card = Card()
    loop = asyncio.get_running_loop()
    before_s = loop.time()
    await card.moves.switch("a", "b")
    assert loop.time() - before_s == pytest.approx(2.0, abs=0.001)


async def test_requests_that_are_not_ours_are_waited_for_up_to_a_limit() -> None:
    card = Card(limits={"quiet_s": 3})
    card.a.requests = 2
    outcome = await card.moves.switch("a", "b")
    assert outcome.steps_s["quiet", "a"] == pytest.approx(3.0)
    assert outcome.notes == ["a still runs requests that are not ours"]
    assert outcome.resident == "b"


async def test_without_metrics_our_own_count_must_do() -> None:
    card = Card()
    card.a.script["load"] = ["fail"]
    outcome = await card.moves.switch("a", "b")
    assert outcome.resident == "b"
    assert "our own count must do" in outcome.notes[0]


async def test_a_sleep_that_frees_nothing_is_tried_again_and_then_given_up() -> None:
    card = Card(limits={"verify_s": 2})
    card.a.script["sleep"] = ["nothing", "nothing"]
    outcome = await card.moves.switch("a", "b")
    assert outcome.broken == {"a": "sleep_failed"}
    assert outcome.resident is None
    assert card.log == [("sleep", "a"), ("sleep", "a")]


async def test_a_sleep_that_says_so_but_keeps_the_memory_is_not_believed() -> None:
    card = Card(limits={"verify_s": 2})

    async def lie(limit_s: float) -> None:
        card.a.asleep = True

    card.a.sleep = lie  # type: ignore[method-assign]
    outcome = await card.moves.switch("a", None)
    assert outcome.broken == {"a": "sleep_failed"}
    assert outcome.notes[0] == "a said that it sleeps, but its memory did not come free"


async def test_without_a_gauge_the_engines_word_must_do() -> None:
    card = Card()
    card.vram.away = True
    outcome = await card.moves.switch("a", "b")
    assert outcome.resident == "b"
    assert card.moves.ledgers["b"].awake_gib is None


async def test_a_sleep_that_fails_once_is_repaired_by_the_second() -> None:
    card = Card()
    card.a.script["sleep"] = ["fail"]
    outcome = await card.moves.switch("a", "b")
    assert outcome.resident == "b"
    assert card.log[:2] == [("sleep", "a"), ("sleep", "a")]


async def test_the_first_sleep_of_an_engine_may_take_long() -> None:
    card = Card(limits={"sleep_s": 5, "first_sleep_s": 100})
    card.a = card.engines["a"] = FakeEngine("a", card.vram, sleep_s=60.0)
    card.a.awaken()
    moves = Transitions(
        fake_settings("ab", limits={"sleep_s": 5, "first_sleep_s": 100}),
        card.engines,
        card.vram,
        card.recycler,
    )
    assert (await moves.switch("a", None)).asleep == {"a"}
    card.a.awaken()
    assert (await moves.switch("a", None)).broken == {"a": "sleep_failed"}


async def test_a_victim_that_died_holds_nothing_and_stops_nobody() -> None:
    card = Card()
    card.a.die()
    outcome = await card.moves.switch("a", "b")
    assert outcome.away == {"a"}
    assert outcome.resident == "b"


async def test_a_wake_out_of_memory_puts_everybody_to_sleep_again_and_goes_on() -> None:
    card = Card()
    card.b.script["wake"] = ["fail"]
    outcome = await card.moves.switch("a", "b")
    assert outcome.resident == "b"
    assert card.log == [
        ("sleep", "a"),
        ("wake", "b"),
        ("sleep", "a"),
        ("sleep", "b"),
        ("wake", "b"),
        ("answer", "b"),
    ]


async def test_making_room_survives_an_engine_that_is_away() -> None:
    card = Card()
    card.a.die()
    card.b.script["wake"] = ["fail"]
    outcome = await card.moves.switch(None, "b")
    assert outcome.resident == "b"
    assert outcome.notes[1].startswith("making room:")


async def test_a_wake_that_fails_twice_is_given_up() -> None:
    card = Card()
    card.b.script["wake"] = ["fail", "fail"]
    outcome = await card.moves.switch("a", "b")
    assert outcome.broken == {"b": "wake_failed"}
    assert outcome.resident is None
    assert outcome.asleep == {"a", "b"}


async def test_a_wake_that_fails_and_leaves_memory_mapped_is_not_taken_for_asleep() -> None:
    card = Card()

    async def half(_limit_s: float) -> None:
        card.vram.held_gib["b"] = 12.0
        raise EngineFailedError("out of memory")

    card.b.wake = half  # type: ignore[assignment, method-assign]
    outcome = await card.moves.switch("a", "b")
    assert outcome.broken == {"b": "wake_failed"}
    assert outcome.asleep == {"a"}


async def test_what_a_failed_wake_left_stays_unknown_without_a_gauge() -> None:
    card = Card()
    card.vram.away = True
    card.b.script["wake"] = ["fail", "fail"]
    assert (await card.moves.switch("a", "b")).asleep == {"a"}


async def test_a_wake_that_says_so_and_sleeps_on_is_not_believed() -> None:
    card = Card(limits={"verify_s": 2})
    card.b.script["wake"] = ["nothing", "nothing"]
    outcome = await card.moves.switch("a", "b")
    assert outcome.broken == {"b": "wake_failed"}
    assert outcome.notes[0] == "b said that it woke, but it still sleeps"


async def test_an_engine_that_dies_behind_its_own_200_is_away() -> None:
    card = Card()
    card.b.script["sleeping"] = ["away"]
    outcome = await card.moves.switch("a", "b")
    assert outcome.away == {"b"}
    assert outcome.resident is None


async def test_an_engine_that_dies_while_it_proves_itself_is_away() -> None:
    card = Card()
    card.b.script["answer"] = ["away"]
    outcome = await card.moves.switch("a", "b")
    assert outcome.away == {"b"}
    assert outcome.broken == {}


async def test_an_engine_that_answers_with_an_error_gives_its_memory_back() -> None:
    card = Card()
    card.b.script["answer"] = ["fail"]
    outcome = await card.moves.switch("a", "b")
    assert outcome.broken == {"b": "canary_failed"}
    assert outcome.asleep == {"a", "b"}


async def test_two_wrong_answers_in_a_row_are_garbage() -> None:
    card = Card(card={"canary_every": 1})
    await card.moves.switch("a", "b")
    await card.moves.switch("b", "a")
    card.b.script["answer"] = ["nothing", "nothing"]
    outcome = await card.moves.switch("a", "b")
    assert outcome.broken == {"b": "canary_garbage"}
    assert outcome.notes == ["b answered the canary with 'uniform garbage'"]


async def test_one_odd_answer_is_not_garbage_since_greedy_answers_vary() -> None:
    card = Card(card={"canary_every": 1})
    await card.moves.switch("a", "b")
    await card.moves.switch("b", "a")
    card.b.script["answer"] = ["nothing"]
    outcome = await card.moves.switch("a", "b")
    assert outcome.resident == "b"


async def test_the_fixed_prompt_is_asked_every_nth_wake_only() -> None:
    card = Card(card={"canary_every": 3})
    asked = []

    async def answer(tokens: int, limit_s: float) -> str:
        asked.append(tokens)
        return "one two three"

    card.b.answer = answer  # type: ignore[method-assign]
    for _ in range(4):
        await card.moves.switch("a", "b")
        await card.moves.switch("b", "a")
    assert asked == [16, 1, 16, 1]


async def test_residual_memory_that_grows_is_counted() -> None:
    card = Card()
    card.b.leak_gib = 0.5
    for _ in range(3):
        await card.moves.switch("a", "b")
        await card.moves.switch("b", "a")
    assert card.moves.ledgers["b"].leaked_gib == pytest.approx(1.5)
    assert card.moves.ledgers["a"].leaked_gib == 0.0


async def test_a_boot_gets_an_empty_card_and_ends_with_the_first_sleep() -> None:
    card = Card()
    card.b.die()
    ask = BootAsk("b", "one", 0.0, 0.0)
    booting = asyncio.create_task(card.moves.boot("b", ask))
    await ask.granted.wait()
    assert card.a.asleep
    card.b.restart()
    outcome = await booting
    assert outcome.asleep == {"a", "b"}
    assert card.moves.ledgers["b"].baseline == "one two three"
    assert card.moves.ledgers["b"].residual_gib == pytest.approx(1.0)


async def test_the_residual_stays_unknown_without_a_gauge() -> None:
    card = Card()
    card.vram.away = True
    card.b.die()
    ask = BootAsk("b", "one", 0.0, 0.0)
    booting = asyncio.create_task(card.moves.boot("b", ask))
    await ask.granted.wait()
    card.b.restart()
    await booting
    assert card.moves.ledgers["b"].residual_gib is None


async def test_a_booted_engine_that_cannot_answer_still_goes_to_sleep() -> None:
    card = Card()
    card.b.die()
    card.b.script["answer"] = ["fail"]
    ask = BootAsk("b", "one", 0.0, 0.0)
    booting = asyncio.create_task(card.moves.boot("b", ask))
    await ask.granted.wait()
    card.b.restart()
    outcome = await booting
    assert outcome.broken == {"b": "canary_failed"}
    assert "b" in outcome.asleep


async def test_a_booted_engine_that_dies_again_is_away() -> None:
    card = Card()
    card.b.script["answer"] = ["away"]
    outcome = await card.moves.adopt("b")
    assert outcome.away == {"b"}


async def test_a_recycled_engine_is_seen_gone() -> None:
    card = Card()
    outcome = await card.moves.recycle("a")
    assert outcome.away == {"a"}
    assert outcome.broken == {}


async def test_a_recycled_engine_that_is_back_at_once_counts_as_gone_too() -> None:
    card = Card()
    card.recycler.then = FakeEngine.restart
    outcome = await card.moves.recycle("a")
    assert outcome.notes == []


async def test_a_recycled_engine_that_will_not_go_is_noted() -> None:
    card = Card(limits={"recycle_s": 5})
    card.recycler.then = lambda engine: None
    outcome = await card.moves.recycle("a")
    assert outcome.notes == ["a was recycled but still answers"]


async def test_a_recycled_engine_without_metrics_is_gone_when_it_no_longer_answers() -> None:
    card = Card(limits={"recycle_s": 5})
    card.a.script["load"] = ["fail"]
    assert (await card.moves.recycle("a")).notes == []


async def test_a_refusal_to_recycle_is_a_fact_too() -> None:
    card = Card()
    card.recycler.refusal = RecycleRefusedError("nobody can")
    outcome = await card.moves.recycle("a")
    assert outcome.broken == {"a": "recycle_failed"}
    assert outcome.notes == ["nobody can"]


async def test_a_resident_that_sleeps_is_roused_and_a_stray_is_calmed() -> None:
    card = Card()
    assert (await card.moves.calm("a")).asleep == {"a"}
    assert (await card.moves.rouse("a")).resident == "a"


async def test_a_suspect_that_answers_stays_resident_and_one_that_fails_is_broken() -> None:
    card = Card()
    assert (await card.moves.check("a")).resident == "a"
    card.a.script["answer"] = ["fail"]
    assert (await card.moves.check("a")).broken == {"a": "canary_failed"}


async def test_reconciling_with_nobody_awake_changes_nothing() -> None:
    card = Card()
    card.a.asleep = True
    outcome = await card.moves.reconcile(None)
    assert outcome.resident is None
    assert outcome.asleep == {"a", "b"}


@pytest.mark.parametrize("call", ["sleep", "wake"])
async def test_what_an_earlier_arbiter_began_ends_before_it_is_asked_who_is_awake(
    call: str,
) -> None:
    card = Card()
    card.a.asleep = call == "wake"
    earlier = asyncio.create_task(getattr(card.a, call)(60.0))
    await asyncio.sleep(0)
    outcome = await card.moves.reconcile("b")
    assert earlier.done()
    assert outcome.resident == ("a" if call == "wake" else None)
    assert ("sleep", "a") not in card.log[1:]
    assert card.vram.overlaps == []


async def test_an_operation_that_does_not_end_is_waited_for_up_to_its_own_limit() -> None:
    card = Card(limits={"first_sleep_s": 7, "wake_s": 9})
    card.b.operations = 1
    outcome = await card.moves.reconcile(None)
    assert asyncio.get_running_loop().time() == pytest.approx(9.0, abs=0.1)
    assert outcome.notes == ["an engine still falls asleep or wakes up after 9 s"]
    assert outcome.resident == "a"


async def test_engines_without_metrics_are_believed_to_stand_still() -> None:
    card = Card()
    card.a.script["load"] = ["fail"]
    card.b.script["load"] = ["away"]
    assert (await card.moves.reconcile(None)).resident == "a"
