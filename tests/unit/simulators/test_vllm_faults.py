"""Every fault does what its description says, and stops when it is switched off."""

import asyncio
from typing import Any

import pytest

from vllm_simulator import GIB, Engine, MemoryGpu
from vllm_simulator.errors import EngineDeadError, OperationFailedError
from vllm_simulator.faults import KINDS, Faults, UnknownFaultError
from vllm_simulator.gpu import used_bytes

from .conftest import MakeEngine, ask, question

pytestmark = pytest.mark.looptime


@pytest.fixture
async def engine(make_engine: MakeEngine) -> Engine:
    engine = make_engine(vram_gib=20, context_gib=1)
    await engine.boot()
    return engine


def on(engine: Engine, name: str, **parameters: Any) -> None:
    engine.faults.switch_on({name: parameters})


async def cycle(engine: Engine) -> None:
    await engine.sleep(1, "abort")
    await engine.wake_up(None)


async def test_answers_are_the_same_in_every_engine_with_the_same_seed(
    make_engine: MakeEngine,
) -> None:
    first, second = make_engine(seed=7), make_engine("b", seed=7)
    await first.boot()
    await first.sleep(1, "abort")
    await second.boot()
    await second.sleep(1, "abort")
    await first.wake_up(None)
    greedy = await ask(first)
    assert greedy == await ask(first)
    assert await ask(first, question(greedy=False)) != await ask(first, question(greedy=False))
    await first.sleep(1, "abort")
    await second.wake_up(None)
    assert await ask(second) != greedy, "another model answers differently"


async def test_sleep_frees_nothing(engine: Engine, gpu: MemoryGpu) -> None:
    on(engine, "sleep_frees_nothing", times=1)
    await engine.sleep(1, "abort")
    assert engine.is_sleeping
    assert used_bytes(gpu) == 20 * GIB
    await cycle(engine)
    await engine.sleep(1, "abort")
    assert used_bytes(gpu) == 1 * GIB


async def test_leak_grows_with_every_cycle(engine: Engine, gpu: MemoryGpu) -> None:
    on(engine, "leak", gib=0.5)
    left = []
    for _ in range(3):
        await engine.sleep(1, "abort")
        left.append(used_bytes(gpu) / GIB)
        await engine.wake_up(None)
    assert left == [1.5, 2.0, 2.5]


async def test_garbage_after_some_cycles(engine: Engine) -> None:
    good = await ask(engine)
    on(engine, "garbage_after", cycles=2)
    await cycle(engine)
    assert await ask(engine) == good
    await cycle(engine)
    assert await ask(engine) == "!!!!!!!!"
    engine.faults.switch_off("garbage_after")
    assert await ask(engine) == good


async def test_garbage_once(engine: Engine) -> None:
    good = await ask(engine)
    on(engine, "garbage", times=1)
    assert [await ask(engine), await ask(engine)] == ["!!!!!!!!", good]
    assert engine.faults.strikes["garbage"] == 1


@pytest.mark.parametrize(("fault", "operation"), [("sleep_slow", "sleep"), ("wake_slow", "wake")])
async def test_slow_operations(engine: Engine, fault: str, operation: str) -> None:
    if operation == "wake":
        await engine.sleep(1, "abort")
    loop = asyncio.get_running_loop()
    on(engine, fault, seconds=100)
    started_s = loop.time()
    await (engine.sleep(1, "abort") if operation == "sleep" else engine.wake_up(None))
    assert 100 < loop.time() - started_s < 102


@pytest.mark.parametrize("fault", ["sleep_hangs", "wake_hangs"])
async def test_hanging_operations_change_nothing(engine: Engine, fault: str) -> None:
    if fault == "wake_hangs":
        await engine.sleep(1, "abort")
    before = engine.is_sleeping
    on(engine, fault)
    operation = engine.sleep(1, "abort") if fault == "sleep_hangs" else engine.wake_up(None)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(operation, 10_000)
    assert engine.is_sleeping is before


@pytest.mark.parametrize("fault", ["sleep_kills", "wake_kills"])
async def test_death_behind_a_200(engine: Engine, gpu: MemoryGpu, fault: str) -> None:
    on(engine, fault)
    await engine.sleep(1, "abort")
    if fault == "wake_kills":
        assert await engine.wake_up(None)
    with pytest.raises(EngineDeadError):
        await ask(engine)
    assert used_bytes(gpu) == 0


async def test_a_dead_engine_may_keep_its_memory(engine: Engine, gpu: MemoryGpu) -> None:
    on(engine, "sleep_kills", keeps_memory=1)
    await engine.sleep(0, "abort")
    assert used_bytes(gpu) == 20 * GIB


async def test_forced_out_of_memory_on_wake(engine: Engine, gpu: MemoryGpu) -> None:
    await engine.sleep(1, "abort")
    on(engine, "wake_out_of_memory", mapped_share=0.5, times=1)
    with pytest.raises(OperationFailedError, match="out of memory"):
        await engine.wake_up(None)
    assert 9 * GIB < used_bytes(gpu) < 14 * GIB
    assert await engine.wake_up(None)


async def test_wake_that_stays_asleep(engine: Engine) -> None:
    await engine.sleep(1, "abort")
    on(engine, "wake_stays_asleep")
    assert not await engine.wake_up(None)
    assert engine.is_sleeping


async def test_generation_that_hangs_is_freed_by_the_client(engine: Engine) -> None:
    on(engine, "generation_hangs", times=1)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(ask(engine), 10_000)
    assert await ask(engine)


async def test_generation_that_fails_leaves_the_engine_alive(engine: Engine) -> None:
    on(engine, "generation_fails", times=1)
    with pytest.raises(EngineDeadError):
        await ask(engine)
    assert await ask(engine)
    assert engine.counters["error"] == 1


async def test_answers_that_abort(engine: Engine) -> None:
    on(engine, "abort_answers", after_tokens=2)
    wanted = question(max_tokens=8)
    await ask(engine, wanted)
    assert (wanted.finish_reason, wanted.completion_tokens) == ("abort", 2)


async def test_a_death_interrupts_running_requests(make_engine: MakeEngine) -> None:
    engine = make_engine(tokens_per_s=1)
    await engine.boot()
    asking = asyncio.create_task(ask(engine, question(max_tokens=1000)))
    await asyncio.sleep(5)
    engine.die({})
    with pytest.raises(EngineDeadError):
        await asking


def test_unknown_faults_are_refused_all_at_once() -> None:
    faults = Faults()
    wanted: Any = {"leek": {}, "leak": {"gb": 1}, "garbage": {"times": "often"}}
    with pytest.raises(UnknownFaultError) as refused:
        faults.switch_on(wanted)
    text = str(refused.value)
    assert "leek: no such fault" in text
    assert "leak: has no parameter gb; it takes gib, times." in text
    assert "garbage.times: is 'often', give a number." in text
    assert faults.active() == {}


def test_a_fault_ends_after_its_times() -> None:
    faults = Faults()
    faults.switch_on({"leak": {"times": 2}})
    assert [faults.strike("leak") is not None for _ in range(3)] == [True, True, False]
    assert faults.strikes["leak"] == 2


def test_every_fault_explains_itself() -> None:
    assert all(kind.meaning.endswith(".") for kind in KINDS.values())
