"""Engines that fail to start wait longer each time, say so, and leave the GPU to the others."""

import asyncio
import logging

import pytest

from harness import SchedulerHarness
from synapse_arbiter.engine.vllm_client import EngineAwayError
from synapse_arbiter.scheduling.engine_health import LONGEST_AGAIN_S, YOUNG_S

pytestmark = pytest.mark.looptime
HOLD_S = 3.0
REASON = "its engine ended with status 1"


async def fails_to_start(
    stage: SchedulerHarness, name: str, instance: str, takes_s: float = 0.0, setup: str = ""
) -> float:
    """Be a wrapper whose engine ends while it loads; return for how long it waited."""
    loop = asyncio.get_running_loop()
    asked_s = loop.time()
    while not await stage.scheduler.boots.wait(name, instance, 20.0, setup):
        pass
    granted_s = loop.time()
    await load(stage, name, instance, takes_s)
    assert stage.scheduler.boots.end(name, instance, REASON)
    await stage.quiet()
    return granted_s - asked_s


async def load(stage: SchedulerHarness, name: str, instance: str, takes_s: float) -> None:
    """Give signs of life for so long, as the wrapper does."""
    while takes_s > 0:
        stage.scheduler.boots.hold(name, instance)
        await asyncio.sleep(min(HOLD_S, takes_s))
        takes_s -= HOLD_S


async def starts(stage: SchedulerHarness, name: str, instance: str) -> None:
    """Be a wrapper whose engine comes up and is taken in."""
    while not await stage.scheduler.boots.wait(name, instance, 20.0):
        pass
    stage.engines[name].restart()
    await stage.quiet()


def told(stage: SchedulerHarness, name: str) -> str:
    """What the status says of an engine."""
    state = stage.scheduler.state.engine_states[name]
    return state.told(asyncio.get_running_loop().time())


async def broken_c(**more: object) -> SchedulerHarness:
    stage = await SchedulerHarness("a", "b", "c", awake="a", **more).start()
    stage.engines["c"].die()
    return stage


async def test_a_start_that_failed_is_tried_again_later_each_time() -> None:
    stage = await broken_c()
    waits_s = [await fails_to_start(stage, "c", f"run {number}") for number in range(5)]
    assert waits_s[0] < 4
    assert waits_s[1:] == pytest.approx([5, 10, 20, 40], abs=0.6)


async def test_a_start_that_took_long_is_tried_again_after_as_long_at_least() -> None:
    stage = await broken_c()
    waits_s = [await fails_to_start(stage, "c", f"run {number}", 90) for number in range(3)]
    assert waits_s[1:] == pytest.approx([90, 180], abs=2)


async def test_the_pause_has_a_limit() -> None:
    stage = await broken_c()
    waits_s = [await fails_to_start(stage, "c", f"run {number}") for number in range(13)]
    assert waits_s[-1] == pytest.approx(LONGEST_AGAIN_S, abs=1)


async def test_status_refusal_and_log_say_how_often_it_failed_and_when_it_is_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    stage = await broken_c()
    await fails_to_start(stage, "c", "one")
    assert told(stage, "c") == f"{REASON}; it failed to start once, next try in 5 s"
    for number in range(2):
        await fails_to_start(stage, "c", f"run {number}")
    assert told(stage, "c") == f"{REASON}; it failed to start 3 times, next try in 20 s"
    waiting = asyncio.create_task(stage.scheduler.boots.wait("c", "last", 100))
    await asyncio.sleep(8)
    assert told(stage, "c") == (
        f"it waits for its turn to start; it failed to start 3 times ({REASON}), next try in 12 s"
    )
    assert stage.condition("c") == "waiting"
    refusal = stage.scheduler.admission.closed(stage.scheduler.state.gpu.models["c"])
    assert "it failed to start 3 times" in str(refusal)
    lines = [record.facts for record in caplog.records if record.message == "engine"]  # type: ignore[attr-defined]
    assert [(line["model"], line["failures"], line["next_try_s"]) for line in lines] == [
        ("c", 1, 5.0), ("c", 2, 10.0), ("c", 3, 20.0)
    ]  # fmt: skip
    assert await waiting
    assert told(stage, "c") == "it holds the boot lease"


async def test_an_engine_that_was_taken_in_and_woken_starts_with_a_clean_slate() -> None:
    stage = await broken_c()
    for number in range(3):
        await fails_to_start(stage, "c", f"run {number}")
    await starts(stage, "c", "good")
    assert await stage.ask("c") == "answered"
    assert await stage.ask("a") == "answered"
    stage.engines["c"].die()
    assert stage.scheduler.boots.end("c", "good", REASON)
    assert told(stage, "c") == REASON
    assert await fails_to_start(stage, "c", "next") < 4


async def test_an_engine_that_ends_soon_after_it_was_taken_in_has_failed_too() -> None:
    stage = await broken_c()
    for number, wait_s in enumerate((3, 5, 10)):
        asked_s = asyncio.get_running_loop().time()
        await starts(stage, "c", f"run {number}")
        assert asyncio.get_running_loop().time() - asked_s == pytest.approx(wait_s, abs=2)
        stage.engines["c"].die()
        assert stage.scheduler.boots.end("c", f"run {number}", REASON)
    assert "it failed to start 3 times" in told(stage, "c")


async def test_an_end_long_after_the_start_or_by_order_is_no_failure() -> None:
    stage = await broken_c()
    await starts(stage, "c", "one")
    stage.engines["c"].die()
    assert stage.scheduler.boots.end("c", "one")
    assert told(stage, "c") == "its process ended"
    await starts(stage, "c", "two")
    await asyncio.sleep(YOUNG_S)
    stage.engines["c"].die()
    assert stage.scheduler.boots.end("c", "two", REASON)
    assert told(stage, "c") == REASON


async def test_an_engine_that_dies_while_it_is_taken_in_has_failed() -> None:
    stage = await broken_c()
    assert await stage.scheduler.boots.wait("c", "one", 20.0)
    stage.engines["c"].script["answer"] = ["away"]
    stage.engines["c"].restart()
    await stage.quiet()
    assert stage.condition("c") == "away"
    assert "it failed to start once (it ended before it was taken in)" in told(stage, "c")


async def test_an_engine_that_dies_while_it_wakes_frees_the_gpu_and_says_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its core dies, its server stays, and its wrapper kills that after seven seconds."""
    stage = await broken_c()
    await starts(stage, "c", "one")
    engine, loop = stage.engines["c"], asyncio.get_running_loop()

    async def wake(_: float) -> None:
        await asyncio.sleep(7)
        engine.die()
        assert stage.scheduler.boots.end("c", "one", REASON)
        raise EngineAwayError("c: /wake_up: the connection broke")

    monkeypatch.setattr(engine, "wake", wake)
    began_s = loop.time()
    asking = asyncio.create_task(stage.ask("c"))
    await asyncio.sleep(1)
    assert await stage.ask("a") == "answered"
    assert loop.time() - began_s < 15
    assert await asking == "engine_down"
    assert told(stage, "c").startswith(f"{REASON}; it failed to start once, next try in ")


async def test_a_container_that_starts_again_without_a_word_has_failed() -> None:
    stage = await broken_c()
    assert await stage.scheduler.boots.wait("c", "one", 20.0)
    asked_s = asyncio.get_running_loop().time()
    await fails_to_start(stage, "c", "two")
    assert asyncio.get_running_loop().time() - asked_s == pytest.approx(5, abs=1)
    assert stage.scheduler.state.engine_states["c"].failures == 2


async def test_a_start_that_never_ends_waits_before_the_next_as_well() -> None:
    stage = await broken_c(limits={"boot_s": 60})
    assert await stage.scheduler.boots.wait("c", "one", 20.0)
    await load(stage, "c", "one", 61)
    await stage.quiet()
    await stage.quiet()
    assert stage.recycler.recycled == ["c"]
    assert await fails_to_start(stage, "c", "two") == pytest.approx(60, abs=3)


async def test_who_waits_for_a_turn_and_is_stopped_has_not_failed() -> None:
    stage = await broken_c()
    running = asyncio.create_task(stage.ask("a", 30.0))
    await asyncio.sleep(0.1)
    waiting = asyncio.create_task(stage.scheduler.boots.wait("c", "one", 20.0))
    await asyncio.sleep(1)
    assert stage.scheduler.boots.end("c", "one", REASON)
    assert told(stage, "c") == REASON
    running.cancel()
    await asyncio.wait([running, waiting])


async def test_an_engine_that_is_started_with_something_else_is_a_new_one() -> None:
    stage = await broken_c()
    for number in range(4):
        await fails_to_start(stage, "c", f"run {number}", setup="old")
    assert await fails_to_start(stage, "c", "mended", setup="new") < 1
    assert "it failed to start once" in told(stage, "c")


@pytest.mark.parametrize(("takes_s", "share"), [(12, 0.04), (90, 0.16)])
async def test_a_crash_looping_engine_takes_a_small_share_of_the_gpus_time(
    takes_s: float, share: float
) -> None:
    """In its first hour, with a container that is back at once, without the kubelet's pauses."""
    stage = await broken_c()
    answered_s = [0.0]

    async def crash_loop() -> None:
        number = 0
        while True:
            await fails_to_start(stage, "c", f"run {number}", takes_s)
            number += 1
            await asyncio.sleep(1)

    async def application() -> None:
        while True:
            assert await stage.ask("a", 10.0) == "answered"
            answered_s[0] += 10.0

    tasks = [asyncio.create_task(crash_loop()), asyncio.create_task(application())]
    await asyncio.sleep(3600)
    assert answered_s[0] / 3600 > 1 - share
    assert stage.scheduler.state.engine_states["c"].failures >= 5
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
