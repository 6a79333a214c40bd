"""What the operator commands, and the times after which the GPU moves by itself."""

import asyncio

import pytest

from harness import SchedulerHarness
from synapse_arbiter.errors import RefusedError
from synapse_arbiter.web.admin import Commands

pytestmark = pytest.mark.looptime


async def test_a_pinned_model_comes_in_and_the_others_are_told() -> None:
    stage = await SchedulerHarness("a", "b", awake="a").start()
    commands = Commands(stage.scheduler, stage.event_log)
    busy = asyncio.create_task(stage.ask("a", 5.0))
    await asyncio.sleep(0.1)
    commands.pin("b")
    assert await stage.ask("a") == "gpu_pinned"
    assert await busy == "answered"
    await stage.until(lambda: stage.resident == "b")
    commands.unpin()
    assert await stage.ask("a") == "answered"


async def test_a_released_gpu_is_empty_and_comes_back_by_itself() -> None:
    stage = await SchedulerHarness("a", awake="a").start()
    commands = Commands(stage.scheduler, stage.event_log)
    commands.release(600)
    await stage.quiet()
    assert stage.engines["a"].asleep
    assert await stage.ask("a") == "gpu_released"
    await asyncio.sleep(601)
    assert await stage.ask("a") == "answered"


async def test_a_released_gpu_can_be_taken_back() -> None:
    stage = await SchedulerHarness("a", awake="a").start()
    commands = Commands(stage.scheduler, stage.event_log)
    commands.release(600)
    await stage.quiet()
    commands.reclaim()
    assert await stage.ask("a") == "answered"


async def test_whoever_waits_when_the_gpu_is_released_is_told() -> None:
    stage = await SchedulerHarness("a", "b", awake="a").start()
    busy = asyncio.create_task(stage.ask("a", 5.0))
    await asyncio.sleep(0.1)
    waiting = asyncio.create_task(stage.ask("b"))
    await asyncio.sleep(0.1)
    Commands(stage.scheduler, stage.event_log).release(600)
    assert await waiting == "gpu_released"
    assert await busy == "answered"


async def test_a_recycled_resident_finishes_what_runs_first() -> None:
    stage = await SchedulerHarness("a", "b", awake="a").start()
    commands = Commands(stage.scheduler, stage.event_log)
    busy = asyncio.create_task(stage.ask("a", 5.0))
    await asyncio.sleep(0.1)
    commands.recycle("a")
    assert stage.recycler.recycled == []
    assert await stage.ask("a") == "model_quarantined"
    assert await busy == "answered"
    await stage.until(lambda: stage.recycler.recycled == ["a"])


async def test_an_order_to_recycle_an_engine_that_just_wakes_up_is_not_forgotten() -> None:
    stage = await SchedulerHarness("a", "b", awake="a").start()
    asking = asyncio.create_task(stage.ask("b"))
    await stage.until(lambda: ("wake", "b") in stage.log)
    Commands(stage.scheduler, stage.event_log).recycle("b")
    assert await asking == "model_quarantined"
    await stage.until(lambda: stage.recycler.recycled == ["b"])


async def test_an_order_to_recycle_an_engine_that_is_just_checked_is_not_forgotten() -> None:
    stage = await SchedulerHarness("a", awake="a").start()
    stage.engines["a"].script["answer"] = [1.0]
    stage.scheduler.suspect("a")
    Commands(stage.scheduler, stage.event_log).recycle("a")
    await stage.until(lambda: stage.recycler.recycled == ["a"])


async def test_an_engine_that_is_away_cannot_be_recycled() -> None:
    stage = SchedulerHarness("a")
    stage.engines["a"].die()
    await stage.start()
    with pytest.raises(RefusedError, match="a is away, so there is nothing to recycle"):
        Commands(stage.scheduler, stage.event_log).recycle("a")


async def test_an_idle_resident_sleeps_after_its_time_to_live() -> None:
    stage = await SchedulerHarness("a", awake="a", rules={"idle_ttl_s": 300}).start()
    assert await stage.ask("a") == "answered"
    await asyncio.sleep(299)
    assert not stage.engines["a"].asleep
    await asyncio.sleep(3)
    assert stage.engines["a"].asleep


async def test_the_default_model_is_woken_again_when_the_gpu_idles() -> None:
    stage = await SchedulerHarness("a", "b", awake="a", default_model="a").start()
    assert await stage.ask("b") == "answered"
    await asyncio.sleep(60)
    assert stage.resident == "a"
