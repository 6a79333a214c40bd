"""What the scheduler does about engines that fail, restart or move behind its back."""

import asyncio

import pytest

from harness import FakeEngine, SchedulerHarness
from synapse_arbiter.engine.recycler import RecycleRefusedError
from synapse_arbiter.engine.vllm_client import EngineHungError

pytestmark = pytest.mark.looptime

THREE_LOOKS = {"hang_s": 10}  # each of which waits five seconds for an answer


async def test_a_broken_engine_is_quarantined_and_recycled_and_the_others_serve_on() -> None:
    stage = await SchedulerHarness("a", "b", awake="a").start()
    stage.engines["b"].script["wake"] = ["fail", "fail"]
    assert await stage.ask("b") == "model_quarantined"
    assert await stage.ask("a") == "answered"
    assert stage.recycler.recycled == ["b"]
    assert stage.condition("b") == "away"


async def test_an_engine_that_is_replaced_is_away_for_that_reason_whatever_its_wrapper_says() -> (
    None
):
    stage = await SchedulerHarness("a", "b", awake="a").start()
    engine_state = stage.scheduler.state.engine_states["b"]
    engine_state.instance = "one"
    ended: list[bool] = []

    def stop(engine: FakeEngine) -> None:
        engine.die()
        ended.append(stage.scheduler.boots.end("b", "one", "it was killed"))

    stage.recycler.then = stop
    stage.engines["b"].script["wake"] = ["fail", "fail"]
    assert await stage.ask("b") == "model_quarantined"
    await stage.quiet()
    assert ended == [True]
    assert (stage.condition("b"), engine_state.failures) == ("away", 1)
    assert engine_state.reason == "it is being replaced: wake_failed"


async def test_a_recycled_engine_that_comes_back_is_taken_in_and_serves() -> None:
    stage = await SchedulerHarness("a", "b", awake="a").start()
    stage.engines["b"].script["wake"] = ["fail", "fail"]
    assert await stage.ask("b") == "model_quarantined"
    await stage.quiet()
    assert await stage.ask("b") == "engine_down"
    stage.engines["b"].restart()
    await stage.look()
    assert stage.condition("b") == "asleep"
    assert await stage.ask("b") == "answered"


async def test_an_engine_that_fails_again_before_it_served_is_replaced_later_each_time() -> None:
    stage = await SchedulerHarness("a", "b", awake="a").start()
    loop = asyncio.get_running_loop()
    stage.engines["b"].script["wake"] = ["fail", "fail"]
    assert await stage.ask("b") == "model_quarantined"
    await stage.quiet()
    for pause_s in (10.0, 20.0, 40.0):
        stage.engines["b"].script["answer"] = ["fail"]
        stage.engines["b"].restart()
        await stage.look()
        failed_s, before = loop.time(), len(stage.recycler.recycled)
        assert stage.condition("b") == "quarantined"
        assert await stage.ask("a") == "answered"
        while len(stage.recycler.recycled) == before:
            await asyncio.sleep(0.5)
            await stage.look()
        assert loop.time() - failed_s == pytest.approx(pause_s, abs=2)
    stage.engines["b"].restart()
    await stage.look()
    assert await stage.ask("b") == "answered"
    assert stage.scheduler.state.engine_states["b"].failures == 0


async def test_a_victim_that_stays_awake_stops_the_switch_until_it_is_replaced() -> None:
    stage = await SchedulerHarness("a", "b", awake="a").start()
    stage.engines["a"].script["sleep"] = ["nothing", "nothing"]
    assert await stage.ask("b") == "answered"
    assert stage.log[:2] == [("sleep", "a"), ("sleep", "a")]
    assert stage.recycler.recycled == ["a"]


async def test_a_model_whose_turn_was_given_up_counts_as_asleep() -> None:
    stage = await SchedulerHarness("a", "b", awake="a").start()
    stage.engines["a"].script["sleep"] = ["nothing", "nothing"]
    stage.recycler.refusal = RecycleRefusedError("nobody can")
    assert await stage.ask("b") == "engine_down"
    assert stage.condition("b") == "asleep"


async def test_an_engine_that_cannot_be_replaced_holds_the_gpu_and_everybody_is_told() -> None:
    stage = await SchedulerHarness("a", "b", awake="a").start()
    stage.engines["a"].script["sleep"] = ["nothing", "nothing"]
    stage.recycler.refusal = RecycleRefusedError("nobody can")
    waiting = asyncio.create_task(stage.ask("b"))
    assert await waiting == "engine_down"
    assert stage.condition("a") == "stuck"
    assert await stage.ask("b") == "engine_down"
    await asyncio.sleep(61)
    await stage.look()
    assert stage.recycler.recycled == ["a", "a"]
    stage.recycler.refusal = None
    await asyncio.sleep(61)
    await stage.look()
    assert stage.condition("a") == "away"
    assert await stage.ask("b") == "answered"


async def test_a_boot_does_not_begin_while_a_stuck_engine_holds_the_gpu() -> None:
    stage = await SchedulerHarness("a", "b", awake="a").start()
    stage.engines["a"].script["sleep"] = ["nothing", "nothing"]
    stage.recycler.refusal = RecycleRefusedError("nobody can")
    assert await stage.ask("b") == "engine_down"
    stage.engines["b"].die()
    assert not await stage.scheduler.boots.wait("b", "one", 20.0)


async def test_a_quarantined_engine_that_gave_its_memory_back_lets_the_others_serve() -> None:
    stage = await SchedulerHarness("a", "b", awake="a").start()
    stage.engines["b"].script["answer"] = ["fail"]
    stage.recycler.refusal = RecycleRefusedError("nobody can")
    assert await stage.ask("b") == "model_quarantined"
    await stage.quiet()
    assert stage.condition("b") == "quarantined"
    await stage.look()
    assert stage.recycler.recycled == ["b"]
    assert await stage.ask("a") == "answered"


async def test_a_dead_resident_is_noticed_and_its_requests_get_an_explicit_error() -> None:
    stage = await SchedulerHarness("a", "b", awake="a").start()
    running = asyncio.create_task(stage.ask("a", 1000.0))
    await asyncio.sleep(0.1)
    stage.engines["a"].die()
    for _ in range(3):
        await stage.look()
    assert await running == "engine_lost"
    assert stage.condition("a") == "away"
    assert await stage.ask("b") == "answered"


async def test_a_single_missed_look_changes_nothing() -> None:
    stage = await SchedulerHarness("a", awake="a").start()
    stage.engines["a"].script["sleeping"] = ["away"]
    await stage.look()
    assert stage.condition("a") == "awake"
    await stage.look()
    assert stage.scheduler.state.engine_states["a"].misses == 0


async def test_answers_run_on_in_an_engine_that_was_told_to_end() -> None:
    stage = await SchedulerHarness("a", awake="a").start()
    running = asyncio.create_task(stage.ask("a", 20.0))
    await asyncio.sleep(0.1)
    stage.engines["a"].script["sleeping"] = ["fail"] * 4
    for _ in range(4):
        await stage.look()
    assert await running == "answered"
    assert stage.condition("a") == "awake"


async def test_a_resident_that_hangs_is_replaced_and_its_requests_get_an_explicit_error() -> None:
    stage = await SchedulerHarness("a", "b", awake="a", limits=THREE_LOOKS).start()
    running = asyncio.create_task(stage.ask("a", 1000.0))
    await asyncio.sleep(0.1)
    stage.engines["a"].hangs = True
    for _ in range(2):
        await stage.look()
    assert stage.condition("a") == "awake"
    await stage.watch.look()
    assert stage.condition("a") == "quarantined"
    reason = stage.scheduler.state.engine_states["a"].reason
    assert reason == "it takes connections and does not say whether it sleeps: its core hangs"
    assert await running == "engine_lost"
    quarantined_s = asyncio.get_running_loop().time()
    assert await stage.ask("b") == "answered"
    assert asyncio.get_running_loop().time() - quarantined_s < 15
    assert stage.recycler.recycled == ["a"]
    assert ("sleep", "a") not in stage.log[1:]


async def test_a_core_that_is_busy_for_two_looks_is_left_alone() -> None:
    stage = await SchedulerHarness("a", awake="a", limits=THREE_LOOKS).start()
    for _ in range(3):
        for hangs in (True, True, False):
            stage.engines["a"].hangs = hangs
            await stage.look()
    assert stage.condition("a") == "awake"
    assert stage.recycler.recycled == []


async def test_a_core_that_compiles_for_a_minute_is_left_alone() -> None:
    stage = await SchedulerHarness("a", awake="a").start()
    stage.engines["a"].hangs = True
    for _ in range(12):
        await stage.look()
    stage.engines["a"].hangs = False
    await stage.look()
    assert stage.condition("a") == "awake"
    assert stage.recycler.recycled == []


async def test_silence_before_and_after_a_move_is_no_long_one() -> None:
    stage = await SchedulerHarness("a", "b", awake="a", limits=THREE_LOOKS).start()
    for _ in range(2):
        stage.engines["b"].hangs = True
        for _ in range(2):
            await stage.look()
        stage.engines["b"].hangs = False
        assert await stage.ask("b") == "answered"
        assert await stage.ask("a") == "answered"
    assert stage.recycler.recycled == []


async def test_silent_looks_and_refusals_between_them_are_no_hang() -> None:
    stage = await SchedulerHarness("a", "b", awake="a", limits=THREE_LOOKS).start()
    silent = EngineHungError("a: no answer")
    stage.engines["a"].script["sleeping"] = ["away", silent, silent, "away"]
    for _ in range(3):
        await stage.look()
    assert stage.condition("a") == "awake"
    await stage.watch.look()
    assert stage.condition("a") == "away"


async def test_an_engine_that_goes_on_hanging_is_not_taken_for_replaced() -> None:
    stage = await SchedulerHarness(
        "a", "b", awake="a", limits={"recycle_s": 40, **THREE_LOOKS}
    ).start()
    stage.engines["a"].hangs = True
    stage.recycler.then = lambda _: None
    for _ in range(3):
        await stage.watch.look()
    began_s = asyncio.get_running_loop().time()
    await stage.quiet()
    assert 40 <= asyncio.get_running_loop().time() - began_s <= 55
    assert stage.condition("a") == "stuck"
    assert await stage.ask("b") == "engine_down"


async def test_a_hanging_engine_that_cannot_be_replaced_holds_the_gpu_until_it_can() -> None:
    stage = await SchedulerHarness("a", "b", awake="a", limits=THREE_LOOKS).start()
    stage.engines["a"].hangs = True
    stage.recycler.refusal = RecycleRefusedError("nobody can")
    for _ in range(4):
        await stage.look()
    assert stage.condition("a") == "stuck"
    assert await stage.ask("b") == "engine_down"
    stage.recycler.refusal = None
    await asyncio.sleep(61)
    await stage.look()
    assert stage.recycler.recycled == ["a", "a"]
    assert await stage.ask("b") == "answered"


async def test_an_engine_that_hangs_when_the_arbiter_starts_is_replaced_too() -> None:
    stage = SchedulerHarness("a", "b", awake="a", limits=THREE_LOOKS)
    stage.engines["b"].hangs = True
    stage.recycler.refusal = RecycleRefusedError("nobody can")
    stage.scheduler.start()
    await stage.quiet()
    assert stage.condition("b") == "away"
    for _ in range(4):
        await stage.look()
    assert stage.recycler.recycled == ["b"]
    assert stage.condition("b") == "stuck"  # it may hold memory


async def test_a_stray_that_woke_behind_our_back_is_put_to_sleep() -> None:
    stage = await SchedulerHarness("a", "b", awake="a").start()
    stage.engines["b"].awaken()
    await stage.look()
    assert stage.log == [("sleep", "b")]
    assert stage.resident == "a"


async def test_a_resident_that_was_put_to_sleep_behind_our_back_is_woken() -> None:
    stage = await SchedulerHarness("a", "b", awake="a").start()
    stage.engines["a"].asleep = True
    await stage.look()
    assert stage.log == [("wake", "a"), ("answer", "a")]
    assert stage.resident == "a"


async def test_a_resident_that_restarted_in_place_proves_itself() -> None:
    stage = await SchedulerHarness("a", awake="a").start()
    await stage.look()
    stage.engines["a"].restart()
    await stage.look()
    assert stage.log == [("answer", "a")]
    assert stage.condition("a") == "awake"


async def test_an_engine_that_comes_back_asleep_is_taken_in_as_it_is() -> None:
    stage = await SchedulerHarness("a", "b", awake="a").start()
    stage.engines["b"].die()
    for _ in range(3):
        await stage.look()
    assert stage.condition("b") == "away"
    stage.engines["b"].up = True
    await stage.look()
    assert stage.condition("b") == "asleep"
    assert stage.log == []


async def test_a_look_that_began_before_a_transition_ended_proves_nothing() -> None:
    stage = await SchedulerHarness("a", "b", awake="a").start()
    stage.engines["b"].script["sleeping"] = [60.0]
    looking = asyncio.create_task(stage.watch.look())
    await asyncio.sleep(0.1)
    assert await stage.ask("b") == "answered"
    await looking
    assert stage.scheduler.state.maintenance == {}
    assert stage.resident == "b"


async def test_an_engine_that_fails_requests_must_prove_itself() -> None:
    stage = await SchedulerHarness("a", awake="a").start()
    stage.scheduler.suspect("a")
    await stage.quiet()
    assert stage.log == [("answer", "a")]
    stage.engines["a"].script["answer"] = ["fail"]
    running = asyncio.create_task(stage.ask("a", 1000.0))
    await asyncio.sleep(0)
    stage.scheduler.suspect("a")
    assert await running == "engine_lost"
    await stage.quiet()
    await stage.quiet()
    assert stage.recycler.recycled == ["a"]


async def test_nobody_is_suspected_who_is_not_resident() -> None:
    stage = await SchedulerHarness("a", "b", awake="a").start()
    stage.scheduler.suspect("b")
    assert stage.scheduler.state.operation is None


async def test_an_engine_that_is_too_old_is_left_alone_until_it_is_another() -> None:
    stage = SchedulerHarness("a", "b", awake="a")
    stage.engines["b"].runs = "0.31.5"
    await stage.start()
    assert await stage.ask("b") == "model_quarantined"
    assert stage.condition("b") == "quarantined"
    stage.engines["b"].runs = "0.32.0"
    await stage.look()
    assert stage.condition("b") == "quarantined", "it is the same process"
    stage.engines["b"].restart()
    await stage.look()
    assert await stage.ask("b") == "answered"
    assert stage.recycler.recycled == []


async def test_a_leak_is_recycled_when_nobody_needs_the_engine() -> None:
    stage = await SchedulerHarness("a", "b", awake="a", gpu={"leak_gib": 1.0}).start()
    stage.engines["a"].leak_gib = 0.4
    for _ in range(4):
        assert await stage.ask("b") == "answered"
        assert await stage.ask("a") == "answered"
    assert stage.recycler.recycled == []
    assert await stage.ask("b", 30.0) == "answered"
    assert stage.recycler.recycled == ["a"]


async def test_after_a_restart_the_arbiter_keeps_one_awake_engine_and_calms_the_others() -> None:
    stage = SchedulerHarness("a", "b", "c", awake="a", default_model="b")
    stage.engines["b"].awaken()
    stage.engines["c"].die()
    stage.scheduler.start()
    await stage.quiet()
    assert stage.log == [("sleep", "a"), ("answer", "b")]
    assert stage.resident == "b"
    assert stage.condition("c") == "away"


async def test_an_awake_engine_that_fails_its_proof_at_start_is_not_trusted() -> None:
    stage = SchedulerHarness("a", awake="a")
    stage.engines["a"].script["answer"] = ["fail"]
    stage.scheduler.start()
    await stage.quiet()
    await stage.quiet()
    assert stage.resident is None
    assert stage.recycler.recycled == ["a"]


async def test_an_arbiter_that_starts_beside_booting_engines_waits_for_them_to_say_so() -> None:
    stage = SchedulerHarness("a", "b", "c", awake=None)
    stage.engines["c"].die()
    stage.scheduler.start()
    loop = asyncio.get_running_loop()
    assert await stage.ask("a") == "answered"
    assert loop.time() >= stage.settings.limits.patience_s


async def test_two_strays_are_put_to_sleep_one_after_the_other() -> None:
    stage = await SchedulerHarness("a", "b", "c", awake="a").start()
    stage.engines["b"].awaken()
    stage.engines["c"].awaken()
    await stage.watch.look()
    await asyncio.sleep(0.1)
    stage.scheduler.apply_policy()
    await stage.quiet()
    await stage.quiet()
    assert stage.log == [("sleep", "b"), ("sleep", "c")]
    assert stage.vram.overlaps == []


async def test_a_switch_waits_for_a_chore_under_way() -> None:
    stage = await SchedulerHarness("a", "b", "c", awake="a").start()
    stage.engines["c"].awaken()
    await stage.watch.look()
    assert stage.scheduler.state.operation is not None
    stage.scheduler.state.gpu.models["a"].available = False
    assert await stage.ask("b") == "answered"
    assert stage.log[:2] == [("sleep", "c"), ("sleep", "a")]
    assert stage.vram.overlaps == []


async def test_an_error_of_our_own_does_not_end_the_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = await SchedulerHarness("a", awake="a").start()
    looks: list[float] = []

    async def broken() -> float | None:
        looks.append(asyncio.get_running_loop().time())
        raise ZeroDivisionError

    monkeypatch.setattr(stage.vram, "used_gib", broken)
    watching = asyncio.create_task(stage.watch.run())
    await stage.until(lambda: len(looks) == 3)
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching
