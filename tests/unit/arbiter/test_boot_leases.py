"""Boot leases: one engine starts at a time, with everybody else asleep."""

import asyncio

import pytest

from harness import SchedulerHarness
from synapse_arbiter.engine.canary import Proof
from synapse_arbiter.engine.recycler import RecycleRefusedError
from synapse_arbiter.errors import RefusedError
from synapse_arbiter.state import Work

pytestmark = pytest.mark.looptime
HOLD_S = 3.0


async def boot(
    stage: SchedulerHarness, name: str, instance: str = "one", takes_s: float = 30.0
) -> None:
    """Be the wrapper and the engine: ask, start, come up awake."""
    while not await stage.scheduler.boots.wait(name, instance, 20.0):
        pass
    assert all(e.asleep or not e.up for other, e in stage.engines.items() if other != name)
    await load(stage, name, instance, takes_s)
    stage.engines[name].restart()
    await stage.quiet()


async def load(stage: SchedulerHarness, name: str, instance: str, takes_s: float) -> None:
    """Give signs of life for so long, as the wrapper does."""
    while takes_s > 0:
        stage.scheduler.boots.hold(name, instance)
        await asyncio.sleep(min(HOLD_S, takes_s))
        takes_s -= HOLD_S


async def test_after_a_reboot_of_the_server_engines_start_in_turn_unattended() -> None:
    stage = SchedulerHarness("a", "b", "c")
    for engine in stage.engines.values():
        engine.die()
    await stage.start()
    await asyncio.gather(*(boot(stage, name) for name in "abc"))
    assert [stage.condition(name) for name in "abc"] == ["asleep"] * 3
    order = [name for call, name in stage.log if call == "sleep"]
    assert order == ["a", "b", "c"]
    assert await stage.ask("b") == "answered"


async def test_a_boot_takes_its_turn_and_puts_the_resident_to_sleep() -> None:
    stage = await SchedulerHarness("a", "b", awake="a").start()
    stage.engines["b"].die()
    running = asyncio.create_task(stage.ask("a", 5.0))
    await asyncio.sleep(0.1)
    await boot(stage, "b")
    assert await running == "answered"
    assert stage.log[0] == ("sleep", "a")
    assert stage.condition("b") == "asleep"
    assert stage.scheduler.stats["b"].baseline == Proof(tokens=(1, 2, 3))
    assert stage.scheduler.stats["b"].residual_gib == pytest.approx(1.0)


async def test_a_boot_that_takes_too_long_loses_the_gpu() -> None:
    stage = await SchedulerHarness("a", "b", awake="a", limits={"boot_s": 60}).start()
    stage.engines["b"].die()
    assert await stage.scheduler.boots.wait("b", "one", 20.0)
    await stage.quiet()
    assert stage.scheduler.state.engine_states["b"].reason.endswith("boot_timeout")
    await stage.quiet()
    assert await stage.ask("a") == "answered"


async def test_while_an_engine_that_loads_for_ever_cannot_be_replaced_nobody_comes_in() -> None:
    stage = await SchedulerHarness("a", "b", awake="a", limits={"boot_s": 60}).start()
    stage.recycler.refusal = RecycleRefusedError("nobody can")
    stage.engines["b"].die()
    assert await stage.scheduler.boots.wait("b", "one", 20.0)
    await load(stage, "b", "one", 61.0)
    await stage.quiet()
    await stage.quiet()
    assert stage.condition("b") == "stuck"
    assert await stage.ask("a") == "engine_down"


async def test_an_engine_that_asks_again_ends_its_earlier_lease() -> None:
    stage = await SchedulerHarness("a", "b", awake="a").start()
    stage.engines["b"].die()
    assert await stage.scheduler.boots.wait("b", "one", 20.0)
    again = asyncio.create_task(boot(stage, "b", "two"))
    await again
    assert stage.condition("b") == "asleep"
    assert not stage.scheduler.boots.end("b", "one")


async def test_an_engine_that_asks_again_while_it_waits_keeps_its_place() -> None:
    stage = await SchedulerHarness("a", "b", "c", awake="a").start()
    running = asyncio.create_task(stage.ask("a", 30.0))
    await asyncio.sleep(0.1)
    boots = stage.scheduler.boots
    first = asyncio.create_task(boots.wait("b", "one", 20.0))
    await asyncio.sleep(1)
    later = asyncio.create_task(boots.wait("c", "one", 200.0))
    await asyncio.sleep(1)
    again = asyncio.create_task(boots.wait("b", "two", 200.0))
    await asyncio.sleep(0)
    assert not await first
    assert boots.oldest() is stage.scheduler.state.boots["b"]
    with pytest.raises(RefusedError, match="A later start of b asked for the GPU already"):
        await boots.wait("b", "one", 1.0)
    for task in (later, again, running):
        task.cancel()
    await asyncio.gather(later, again, running, return_exceptions=True)


async def test_a_boot_whose_engine_ends_gives_the_gpu_back_at_once() -> None:
    stage = await SchedulerHarness("a", "b", awake="a").start()
    stage.engines["b"].die()
    boots = stage.scheduler.boots
    assert await boots.wait("b", "one", 20.0)
    assert not boots.end("b", "another")
    assert boots.end("b", "one")
    assert await stage.ask("a") == "answered"
    assert stage.condition("b") == "away"


async def test_an_ask_that_nobody_listens_for_is_forgotten() -> None:
    stage = await SchedulerHarness("a", "b", awake="a").start()
    running = asyncio.create_task(stage.ask("a", 1000.0))
    await asyncio.sleep(0.1)
    stage.engines["b"].die()
    assert not await stage.scheduler.boots.wait("b", "one", 5.0)
    await asyncio.sleep(16)
    await stage.look()
    assert stage.scheduler.state.boots == {}
    assert stage.scheduler.state.gpu.boot_since_s is None
    running.cancel()
    await asyncio.wait([running])


async def test_a_lease_without_signs_of_life_ends() -> None:
    stage = await SchedulerHarness("a", "b", awake="a").start()
    stage.engines["b"].die()
    boots = stage.scheduler.boots
    assert await boots.wait("b", "one", 20.0)
    await load(stage, "b", "one", 60.0)
    assert boots.hold("b", "one")
    assert not boots.hold("b", "another")
    await asyncio.sleep(16)
    stage.scheduler.apply_policy()
    await stage.quiet()
    assert stage.condition("b") == "away"
    assert stage.scheduler.state.boots == {}


async def test_a_lease_whose_wrapper_dies_before_its_first_sign_of_life_ends_in_seconds() -> None:
    stage = await SchedulerHarness("a", "b", awake="a").start()
    stage.engines["b"].die()
    assert await stage.scheduler.boots.wait("b", "one", 20.0)
    granted_s = asyncio.get_running_loop().time()
    watching = asyncio.create_task(stage.watch.run())
    assert await stage.ask("a") == "answered"
    assert asyncio.get_running_loop().time() - granted_s < 30
    assert told(stage, "b") == ("away", "its start gave no sign of life")
    watching.cancel()
    await asyncio.wait([watching])


async def test_a_lease_from_before_a_restart_of_the_arbiter_is_honoured() -> None:
    stage = SchedulerHarness("a", "b", "c", awake=None)
    stage.engines["b"].die()
    await stage.start()
    waiting = asyncio.create_task(stage.ask("a"))
    await asyncio.sleep(1)
    assert stage.scheduler.boots.hold("b", "one")
    assert stage.condition("b") == "booting"
    await asyncio.sleep(10)
    assert stage.scheduler.boots.hold("b", "one")
    stage.engines["b"].restart()
    await stage.quiet()
    assert not stage.scheduler.boots.hold("b", "one")
    assert stage.condition("b") == "asleep"
    assert await waiting == "answered"
    assert stage.log[0] == ("answer", "b")


async def test_an_unknown_sign_of_life_of_an_engine_that_answers_means_nothing() -> None:
    stage = await SchedulerHarness("a", awake="a").start()
    assert not stage.scheduler.boots.hold("a", "one")


async def test_the_end_of_an_engine_that_was_taken_in_is_believed_at_once() -> None:
    stage = await SchedulerHarness("a", "b", awake="a").start()
    stage.engines["b"].die()
    await boot(stage, "b")
    assert stage.scheduler.boots.end("b", "one")
    assert stage.condition("b") == "away"


async def test_a_boot_does_not_begin_beside_an_engine_that_stays_awake() -> None:
    stage = await SchedulerHarness("a", "b", awake="a").start()
    stage.engines["a"].script["sleep"] = ["nothing", "nothing"]
    stage.engines["b"].die()
    await boot(stage, "b")
    assert stage.recycler.recycled == ["a"]
    assert stage.condition("b") == "asleep"


async def test_a_sign_of_life_while_the_engines_are_still_looked_at_is_not_the_last() -> None:
    stage = SchedulerHarness("a", "b", awake="a")
    stage.engines["a"].script["answer"] = [10.0]
    stage.engines["b"].die()
    stage.scheduler.start()
    await asyncio.sleep(1)
    assert stage.scheduler.boots.hold("b", "one")
    await stage.quiet()
    assert stage.scheduler.boots.hold("b", "one")
    assert stage.scheduler.state.boots["b"].goes_on


async def test_an_engine_that_ends_just_as_its_turn_comes_is_not_replaced() -> None:
    stage = await SchedulerHarness("a", "b").start()
    stage.engines["b"].die()
    boots = stage.scheduler.boots
    waiting = asyncio.create_task(boots.wait("b", "one", 20.0))
    await asyncio.sleep(0)
    operation = stage.scheduler.state.operation
    assert operation is not None
    assert operation.work is Work.BOOT
    assert boots.end("b", "one")
    assert not await waiting
    await stage.quiet()
    assert stage.condition("b") == "away"
    assert stage.recycler.recycled == []


def told(stage: SchedulerHarness, name: str) -> tuple[str, str]:
    """What is believed of an engine, and why."""
    return stage.condition(name), stage.scheduler.state.engine_states[name].reason


async def test_an_engine_whose_boot_could_not_begin_is_told_to_wait_for_its_turn() -> None:
    stage = await SchedulerHarness("a", "b", awake="a").start()
    stage.engines["a"].script["sleep"] = ["nothing"] * 100
    stage.recycler.refusal = RecycleRefusedError("nobody can")
    stage.engines["b"].die()
    waiting = asyncio.create_task(stage.scheduler.boots.wait("b", "one", 20.0))
    await stage.until(lambda: stage.condition("a") == "stuck")
    assert told(stage, "b") == ("waiting", "it waits for its turn to start")
    assert not await waiting


async def test_an_engine_that_asks_again_during_its_boot_is_told_to_wait_for_its_turn() -> None:
    stage = await SchedulerHarness("a", "b", awake="a").start()
    stage.engines["b"].die()
    boots = stage.scheduler.boots
    assert await boots.wait("b", "one", 20.0)
    asking = asyncio.create_task(stage.ask("a", 30.0))
    await asyncio.sleep(1)
    waiting = asyncio.create_task(boots.wait("b", "two", 60.0))
    await stage.until(lambda: ("wake", "a") in stage.log)
    assert told(stage, "b") == ("waiting", "it waits for its turn to start")
    assert await asking == "answered"
    assert await waiting
