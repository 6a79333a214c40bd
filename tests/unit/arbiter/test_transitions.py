"""Every step of a transition and every way in which it can go wrong, in virtual time."""

import asyncio

import pytest

from harness import FakeEngine, FakeRecycler, FakeVram, fake_settings
from synapse_arbiter.engine.canary import Proof
from synapse_arbiter.engine.recycler import RecycleRefusedError
from synapse_arbiter.engine.transitions import Transitions
from synapse_arbiter.engine.vllm_client import EngineFailedError
from synapse_arbiter.state import BootRequest

pytestmark = pytest.mark.looptime


class Gpu:
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
    gpu = Gpu()
    outcome = await gpu.moves.switch("a", "b")
    assert outcome.resident == "b"
    assert outcome.asleep == {"a"}
    assert outcome.notes == []
    assert gpu.log == [("sleep", "a"), ("wake", "b"), ("answer", "b")]
    assert outcome.steps_s["sleep", "a"] == pytest.approx(0.5)
    assert outcome.steps_s["wake", "b"] == pytest.approx(1.5)
    assert gpu.moves.stats["b"].awake_gib == pytest.approx(23.0)


async def test_a_switch_costs_no_more_than_the_engines_own_time() -> None:
    gpu = Gpu()
    loop = asyncio.get_running_loop()
    before_s = loop.time()
    await gpu.moves.switch("a", "b")
    assert loop.time() - before_s == pytest.approx(2.0, abs=0.001)


async def test_requests_that_are_not_ours_are_waited_for_up_to_a_limit() -> None:
    gpu = Gpu(limits={"quiet_s": 3})
    gpu.a.requests = 2
    outcome = await gpu.moves.switch("a", "b")
    assert outcome.steps_s["quiet", "a"] == pytest.approx(3.0)
    assert outcome.notes == ["a still runs requests that are not ours"]
    assert outcome.resident == "b"


async def test_without_metrics_our_own_count_must_do() -> None:
    gpu = Gpu()
    gpu.a.script["load"] = ["fail"]
    outcome = await gpu.moves.switch("a", "b")
    assert outcome.resident == "b"
    assert "our own count must do" in outcome.notes[0]


async def test_metrics_without_the_count_of_requests_do_not_mean_that_none_runs() -> None:
    gpu = Gpu()
    gpu.a.requests = None
    outcome = await gpu.moves.switch("a", "b")
    assert outcome.resident == "b"
    assert "a does not tell what it runs" in outcome.notes[0]


async def test_an_engine_that_cannot_tell_whether_it_moves_is_waited_for_after_a_restart() -> None:
    gpu = Gpu(limits={"first_sleep_s": 20, "wake_s": 10})
    gpu.a.operations = None
    outcome = await gpu.moves.reconcile(None)
    assert outcome.notes == ["an engine still falls asleep or wakes up after 20 s"]
    assert outcome.resident == "a"


async def test_a_sleep_that_frees_nothing_is_tried_again_and_then_given_up() -> None:
    gpu = Gpu(limits={"verify_s": 2})
    gpu.a.script["sleep"] = ["nothing", "nothing"]
    outcome = await gpu.moves.switch("a", "b")
    assert outcome.broken == {"a": "sleep_failed"}
    assert outcome.resident is None
    assert gpu.log == [("sleep", "a"), ("sleep", "a")]


async def test_a_sleep_that_says_so_but_keeps_the_memory_is_not_believed() -> None:
    gpu = Gpu(limits={"verify_s": 2})

    async def lie(limit_s: float) -> None:
        gpu.a.asleep = True

    gpu.a.sleep = lie  # type: ignore[method-assign]
    outcome = await gpu.moves.switch("a", None)
    assert outcome.broken == {"a": "sleep_failed"}
    assert outcome.notes[0] == "a said that it sleeps, but its memory did not come free"


async def test_without_a_gauge_the_engines_word_must_do() -> None:
    gpu = Gpu()
    gpu.vram.away = True
    outcome = await gpu.moves.switch("a", "b")
    assert outcome.resident == "b"
    assert gpu.moves.stats["b"].awake_gib is None


async def test_a_sleep_that_fails_once_is_repaired_by_the_second() -> None:
    gpu = Gpu()
    gpu.a.script["sleep"] = ["fail"]
    outcome = await gpu.moves.switch("a", "b")
    assert outcome.resident == "b"
    assert gpu.log[:2] == [("sleep", "a"), ("sleep", "a")]


async def test_the_first_sleep_of_an_engine_may_take_long() -> None:
    gpu = Gpu(limits={"sleep_s": 5, "first_sleep_s": 100})
    gpu.a = gpu.engines["a"] = FakeEngine("a", gpu.vram, sleep_s=60.0)
    gpu.a.awaken()
    moves = Transitions(
        fake_settings("ab", limits={"sleep_s": 5, "first_sleep_s": 100}),
        gpu.engines,
        gpu.vram,
        gpu.recycler,
    )
    assert (await moves.switch("a", None)).asleep == {"a"}
    gpu.a.awaken()
    assert (await moves.switch("a", None)).broken == {"a": "sleep_failed"}


async def test_a_victim_that_died_holds_nothing_and_stops_nobody() -> None:
    gpu = Gpu()
    gpu.a.die()
    outcome = await gpu.moves.switch("a", "b")
    assert outcome.away == {"a"}
    assert outcome.resident == "b"


async def test_a_wake_out_of_memory_puts_everybody_to_sleep_again_and_goes_on() -> None:
    gpu = Gpu()
    gpu.b.script["wake"] = ["fail"]
    outcome = await gpu.moves.switch("a", "b")
    assert outcome.resident == "b"
    assert gpu.log == [
        ("sleep", "a"),
        ("wake", "b"),
        ("sleep", "a"),
        ("sleep", "b"),
        ("wake", "b"),
        ("answer", "b"),
    ]


async def test_making_room_survives_an_engine_that_is_away() -> None:
    gpu = Gpu()
    gpu.a.die()
    gpu.b.script["wake"] = ["fail"]
    outcome = await gpu.moves.switch(None, "b")
    assert outcome.resident == "b"
    assert outcome.notes[1].startswith("making room:")


async def test_a_wake_that_fails_twice_is_given_up() -> None:
    gpu = Gpu()
    gpu.b.script["wake"] = ["fail", "fail"]
    outcome = await gpu.moves.switch("a", "b")
    assert outcome.broken == {"b": "wake_failed"}
    assert outcome.resident is None
    assert outcome.asleep == {"a", "b"}


async def test_a_wake_that_fails_and_leaves_memory_mapped_is_not_taken_for_asleep() -> None:
    gpu = Gpu()

    async def half(_limit_s: float) -> None:
        gpu.vram.held_gib["b"] = 12.0
        raise EngineFailedError("out of memory")

    gpu.b.wake = half  # type: ignore[assignment, method-assign]
    outcome = await gpu.moves.switch("a", "b")
    assert outcome.broken == {"b": "wake_failed"}
    assert outcome.asleep == {"a"}


async def test_what_a_failed_wake_left_stays_unknown_without_a_gauge() -> None:
    gpu = Gpu()
    gpu.vram.away = True
    gpu.b.script["wake"] = ["fail", "fail"]
    assert (await gpu.moves.switch("a", "b")).asleep == {"a"}


async def test_a_wake_that_says_so_and_sleeps_on_is_not_believed() -> None:
    gpu = Gpu(limits={"verify_s": 2})
    gpu.b.script["wake"] = ["nothing", "nothing"]
    outcome = await gpu.moves.switch("a", "b")
    assert outcome.broken == {"b": "wake_failed"}
    assert outcome.notes[0] == "b said that it woke, but it still sleeps"


async def test_an_engine_that_dies_behind_its_own_200_is_away() -> None:
    gpu = Gpu()
    gpu.b.script["sleeping"] = ["away"]
    outcome = await gpu.moves.switch("a", "b")
    assert outcome.away == {"b"}
    assert outcome.resident is None


async def test_an_engine_that_dies_while_it_proves_itself_is_away() -> None:
    gpu = Gpu()
    gpu.b.script["answer"] = ["away"]
    outcome = await gpu.moves.switch("a", "b")
    assert outcome.away == {"b"}
    assert outcome.broken == {}


async def test_an_engine_that_answers_with_an_error_gives_its_memory_back() -> None:
    gpu = Gpu()
    gpu.b.script["answer"] = ["fail"]
    outcome = await gpu.moves.switch("a", "b")
    assert outcome.broken == {"b": "canary_failed"}
    assert outcome.asleep == {"a", "b"}


async def test_an_engine_that_is_too_old_is_not_taken_in() -> None:
    gpu = Gpu()
    gpu.b.runs = "0.30.0"
    gpu.b.awaken()
    outcome = await gpu.moves.onboard("b")
    assert outcome.broken == {"b": "too_old"}
    assert outcome.notes == ["b runs vLLM 0.30.0; the arbiter needs 0.32 or newer"]
    assert outcome.asleep == {"b"}, "it gives its memory back"


async def test_two_wrong_answers_in_a_row_are_garbage() -> None:
    gpu = Gpu(gpu={"canary_every": 1})
    await gpu.moves.switch("a", "b")
    await gpu.moves.switch("b", "a")
    gpu.b.script["answer"] = ["nothing", "nothing"]
    outcome = await gpu.moves.switch("a", "b")
    assert outcome.broken == {"b": "canary_garbage"}
    assert outcome.notes == ["b answered the canary with [9, 9, 9]"]


async def test_garbage_shows_in_the_first_token_of_any_wake() -> None:
    gpu = Gpu(gpu={"canary_every": 10})
    await gpu.moves.switch("a", "b")
    await gpu.moves.switch("b", "a")
    gpu.b.script["answer"] = ["nothing", "nothing"]
    outcome = await gpu.moves.switch("a", "b")
    assert outcome.broken == {"b": "canary_garbage"}
    assert outcome.notes == ["b answered the canary with [9]"]


async def test_one_odd_answer_is_not_garbage_since_greedy_answers_vary() -> None:
    gpu = Gpu(gpu={"canary_every": 1})
    await gpu.moves.switch("a", "b")
    await gpu.moves.switch("b", "a")
    gpu.b.script["answer"] = ["nothing"]
    outcome = await gpu.moves.switch("a", "b")
    assert outcome.resident == "b"


async def test_the_fixed_prompt_is_asked_every_nth_wake_only() -> None:
    gpu = Gpu(gpu={"canary_every": 3})
    asked = []

    async def answer(tokens: int, limit_s: float) -> Proof:
        asked.append(tokens)
        return Proof(tokens=(1, 2, 3)[:tokens])

    gpu.b.answer = answer  # type: ignore[method-assign]
    for _ in range(4):
        await gpu.moves.switch("a", "b")
        await gpu.moves.switch("b", "a")
    assert asked == [16, 1, 16, 1]


async def test_residual_memory_that_grows_is_counted_for_the_engine_that_leaks() -> None:
    gpu = Gpu()
    gpu.b.leak_gib = 0.5
    for _ in range(4):
        await gpu.moves.switch("a", "b")
        await gpu.moves.switch("b", "a")
    assert gpu.moves.stats["b"].leaks.leaked_gib == pytest.approx(1.5)
    assert gpu.moves.stats["a"].leaks.leaked_gib == 0.0


async def test_a_boot_gets_an_empty_gpu_and_ends_with_the_first_sleep() -> None:
    gpu = Gpu()
    gpu.b.die()
    ask = BootRequest("b", "one", 0.0, 0.0)
    booting = asyncio.create_task(gpu.moves.boot("b", ask))
    await ask.granted.wait()
    assert gpu.a.asleep
    gpu.b.restart()
    outcome = await booting
    assert outcome.asleep == {"a", "b"}
    assert gpu.moves.stats["b"].baseline == Proof(tokens=(1, 2, 3))
    assert gpu.moves.stats["b"].residual_gib == pytest.approx(1.0)


async def test_the_residual_stays_unknown_without_a_gauge() -> None:
    gpu = Gpu()
    gpu.vram.away = True
    gpu.b.die()
    ask = BootRequest("b", "one", 0.0, 0.0)
    booting = asyncio.create_task(gpu.moves.boot("b", ask))
    await ask.granted.wait()
    gpu.b.restart()
    await booting
    assert gpu.moves.stats["b"].residual_gib is None


async def test_a_booted_engine_that_cannot_answer_still_goes_to_sleep() -> None:
    gpu = Gpu()
    gpu.b.die()
    gpu.b.script["answer"] = ["fail"]
    ask = BootRequest("b", "one", 0.0, 0.0)
    booting = asyncio.create_task(gpu.moves.boot("b", ask))
    await ask.granted.wait()
    gpu.b.restart()
    outcome = await booting
    assert outcome.broken == {"b": "canary_failed"}
    assert "b" in outcome.asleep


async def test_a_booted_engine_that_dies_again_is_away() -> None:
    gpu = Gpu()
    gpu.b.script["answer"] = ["away"]
    outcome = await gpu.moves.onboard("b")
    assert outcome.away == {"b"}


async def test_a_recycled_engine_is_seen_gone() -> None:
    gpu = Gpu()
    outcome = await gpu.moves.recycle("a")
    assert outcome.away == {"a"}
    assert outcome.broken == {}


async def test_a_recycled_engine_that_is_back_at_once_counts_as_gone_too() -> None:
    gpu = Gpu()
    gpu.recycler.then = FakeEngine.restart
    outcome = await gpu.moves.recycle("a")
    assert outcome.notes == []


async def test_a_recycled_engine_that_will_not_go_is_noted() -> None:
    gpu = Gpu(limits={"recycle_s": 5})
    gpu.recycler.then = lambda engine: None
    outcome = await gpu.moves.recycle("a")
    assert outcome.notes == ["a was recycled but is still there"]


async def test_a_recycled_engine_without_metrics_is_gone_when_it_no_longer_answers() -> None:
    gpu = Gpu(limits={"recycle_s": 5})
    gpu.a.script["load"] = ["fail"]
    assert (await gpu.moves.recycle("a")).notes == []


async def test_a_refusal_to_recycle_is_a_fact_too() -> None:
    gpu = Gpu()
    gpu.recycler.refusal = RecycleRefusedError("nobody can")
    outcome = await gpu.moves.recycle("a")
    assert outcome.broken == {"a": "recycle_failed"}
    assert outcome.notes == ["nobody can"]


async def test_a_resident_that_sleeps_is_roused_and_a_stray_is_calmed() -> None:
    gpu = Gpu()
    assert (await gpu.moves.force_sleep("a")).asleep == {"a"}
    assert (await gpu.moves.rewake("a")).resident == "a"


async def test_a_suspect_that_answers_stays_resident_and_one_that_fails_is_broken() -> None:
    gpu = Gpu()
    assert (await gpu.moves.check("a")).resident == "a"
    gpu.a.script["answer"] = ["fail"]
    assert (await gpu.moves.check("a")).broken == {"a": "canary_failed"}


async def test_reconciling_with_nobody_awake_changes_nothing() -> None:
    gpu = Gpu()
    gpu.a.asleep = True
    outcome = await gpu.moves.reconcile(None)
    assert outcome.resident is None
    assert outcome.asleep == {"a", "b"}


async def test_a_network_that_opens_late_does_not_hide_who_is_awake() -> None:
    gpu = Gpu()
    gpu.a.script["sleeping"] = ["away", "away"]
    gpu.b.script["sleeping"] = ["away", "away"]
    assert (await gpu.moves.reconcile(None)).resident == "a"


async def test_engines_that_are_away_are_waited_for_no_longer_than_the_network_may_take() -> None:
    gpu = Gpu(limits={"network_s": 3})
    gpu.a.script["sleeping"] = gpu.b.script["sleeping"] = ["away"] * 1000
    outcome = await gpu.moves.reconcile(None)
    assert asyncio.get_running_loop().time() == pytest.approx(3.0, abs=0.1)
    assert outcome.away == {"a", "b"}


@pytest.mark.parametrize("call", ["sleep", "wake"])
async def test_what_an_earlier_arbiter_began_ends_before_it_is_asked_who_is_awake(
    call: str,
) -> None:
    gpu = Gpu()
    gpu.a.asleep = call == "wake"
    earlier = asyncio.create_task(getattr(gpu.a, call)(60.0))
    await asyncio.sleep(0)
    outcome = await gpu.moves.reconcile("b")
    assert earlier.done()
    assert outcome.resident == ("a" if call == "wake" else None)
    assert ("sleep", "a") not in gpu.log[1:]
    assert gpu.vram.overlaps == []


async def test_an_operation_that_does_not_end_is_waited_for_up_to_its_own_limit() -> None:
    gpu = Gpu(limits={"first_sleep_s": 7, "wake_s": 9})
    gpu.b.operations = 1
    outcome = await gpu.moves.reconcile(None)
    assert asyncio.get_running_loop().time() == pytest.approx(9.0, abs=0.1)
    assert outcome.notes == ["an engine still falls asleep or wakes up after 9 s"]
    assert outcome.resident == "a"


async def test_engines_without_metrics_are_believed_to_stand_still() -> None:
    gpu = Gpu()
    gpu.a.script["load"] = ["fail"]
    gpu.b.script["load"] = ["away"]
    assert (await gpu.moves.reconcile(None)).resident == "a"
