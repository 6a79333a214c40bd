"""Sleep, wake-up and pause of one engine behave as in vLLM 0.33."""

import asyncio
from typing import Any

import pytest

from vllm_simulator import GIB, MemoryGpu
from vllm_simulator.errors import EngineDeadError, EnginePausedError, OperationFailedError
from vllm_simulator.gpu import used_bytes

from .conftest import MakeEngine, ask, question

pytestmark = pytest.mark.looptime


async def test_level_1_leaves_only_the_context_on_the_gpu(
    make_engine: MakeEngine, gpu: MemoryGpu
) -> None:
    engine = make_engine(vram_gib=20, context_gib=1.5)
    await engine.boot()
    assert used_bytes(gpu) == 20 * GIB
    await engine.sleep(1, "abort")
    assert used_bytes(gpu) == 1.5 * GIB
    assert await engine.wake_up(None)
    assert used_bytes(gpu) == 20 * GIB


async def test_level_0_pauses_and_frees_nothing(make_engine: MakeEngine, gpu: MemoryGpu) -> None:
    engine = make_engine(vram_gib=20)
    await engine.boot()
    await engine.sleep(0, "abort")
    assert engine.is_sleeping
    assert used_bytes(gpu) == 20 * GIB
    assert await engine.wake_up(["scheduling"])
    assert not engine.is_sleeping


async def test_first_sleep_is_slower_than_the_next(make_engine: MakeEngine, looptime: Any) -> None:
    engine = make_engine(boot_s=0, first_sleep_s=9, sleep_s=1, wake_s=2)
    await engine.boot()
    await engine.sleep(1, "abort")
    assert looptime == pytest.approx(9)
    await engine.wake_up(None)
    assert looptime == pytest.approx(11)
    await engine.sleep(1, "abort")
    assert looptime == pytest.approx(12)


async def test_request_sent_to_a_sleeper_hangs_until_it_wakes(
    make_engine: MakeEngine, looptime: Any
) -> None:
    engine = make_engine(boot_s=0, first_sleep_s=0, wake_s=0, ttft_s=0, tokens_per_s=0)
    await engine.boot()
    await engine.sleep(1, "abort")
    asking = asyncio.create_task(ask(engine))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(asking), 3600)
    await engine.wake_up(None)
    assert await asking
    assert looptime == pytest.approx(3600)


async def test_abort_ends_running_and_waiting_requests_early(make_engine: MakeEngine) -> None:
    engine = make_engine(max_num_seqs=1, tokens_per_s=1, ttft_s=0)
    await engine.boot()
    running, waiting = question("running", 100), question("waiting", 100)
    asks = [asyncio.create_task(ask(engine, wanted)) for wanted in (running, waiting)]
    await asyncio.sleep(5.5)
    await engine.sleep(1, "abort")
    await asyncio.gather(*asks)
    assert (running.finish_reason, running.completion_tokens) == ("abort", 6)
    assert (waiting.finish_reason, waiting.completion_tokens) == ("abort", 0)


async def test_wait_drains_the_running_and_keeps_the_waiting(make_engine: MakeEngine) -> None:
    engine = make_engine(max_num_seqs=1, tokens_per_s=1, ttft_s=0, first_sleep_s=0)
    await engine.boot()
    running, waiting = question("running", 10), question("waiting", 10)
    asks = [asyncio.create_task(ask(engine, wanted)) for wanted in (running, waiting)]
    await asyncio.sleep(2)
    await engine.sleep(1, "wait")
    assert running.finish_reason == "length"
    assert (len(engine.scheduler.waiting), waiting.completion_tokens) == (1, 0)
    await engine.wake_up(None)
    await asyncio.gather(*asks)
    assert waiting.finish_reason == "length"


async def test_keep_freezes_the_running_until_it_wakes(
    make_engine: MakeEngine, looptime: Any
) -> None:
    engine = make_engine(boot_s=0, tokens_per_s=1, ttft_s=0, first_sleep_s=0, wake_s=0)
    await engine.boot()
    asking = asyncio.create_task(ask(engine, question(max_tokens=5)))
    await asyncio.sleep(2.5)
    await engine.sleep(1, "keep")
    await asyncio.sleep(100)
    assert not asking.done()
    await engine.wake_up(None)
    assert len((await asking).split()) == 5
    assert looptime == 103.5


async def test_pause_rejects_new_requests_until_resume(make_engine: MakeEngine) -> None:
    engine = make_engine()
    await engine.boot()
    await engine.pause("abort")
    assert (engine.is_sleeping, engine.is_paused) == (True, True)
    with pytest.raises(EnginePausedError):
        await ask(engine)
    engine.resume()
    assert await ask(engine)


async def test_pause_keep_queues_new_requests(make_engine: MakeEngine) -> None:
    engine = make_engine()
    await engine.boot()
    await engine.pause("keep")
    asking = asyncio.create_task(ask(engine))
    await asyncio.sleep(10)
    engine.resume()
    assert await asking


async def test_waking_by_tags_resumes_only_when_all_is_resident(make_engine: MakeEngine) -> None:
    engine = make_engine()
    await engine.boot()
    await engine.sleep(1, "abort")
    assert not await engine.wake_up(["weights"])
    assert engine.is_sleeping
    assert await engine.wake_up(["kv_cache"])
    assert not engine.is_sleeping


async def test_level_2_gives_garbage_until_the_weights_are_reloaded(
    make_engine: MakeEngine,
) -> None:
    engine = make_engine()
    await engine.boot()
    good = await ask(engine)
    await engine.sleep(2, "abort")
    await engine.wake_up(["weights"])
    await engine.wake_up(["kv_cache"])
    assert set(await ask(engine)) == {"!"}
    engine.reload_weights()
    assert await ask(engine) == good


async def test_sleeping_twice_is_a_no_op(make_engine: MakeEngine, looptime: Any) -> None:
    engine = make_engine(boot_s=0, first_sleep_s=1, sleep_s=1)
    await engine.boot()
    await engine.sleep(1, "abort")
    await engine.sleep(1, "abort")
    assert looptime == pytest.approx(1)


async def test_resuming_a_sleeper_kills_it_at_the_next_request(make_engine: MakeEngine) -> None:
    engine = make_engine()
    await engine.boot()
    await engine.sleep(1, "abort")
    engine.resume()
    with pytest.raises(EngineDeadError):
        await ask(engine)
    with pytest.raises(EngineDeadError):
        await engine.wake_up(None)


async def test_kv_cache_can_be_released_only_when_paused(
    make_engine: MakeEngine, gpu: MemoryGpu
) -> None:
    engine = make_engine(vram_gib=21, context_gib=1, weights_share=0.5)
    await engine.boot()
    with pytest.raises(OperationFailedError, match="requires a completed pause"):
        engine.release_kv_cache()
    await engine.pause("wait")
    engine.release_kv_cache()
    assert used_bytes(gpu) == 11 * GIB
    assert await engine.wake_up(None)
    assert used_bytes(gpu) == 21 * GIB


async def test_requests_run_in_order_of_arrival_up_to_the_limit(make_engine: MakeEngine) -> None:
    engine = make_engine(max_num_seqs=2, tokens_per_s=1, ttft_s=0)
    await engine.boot()
    wanted = [question(f"r{place}", 3) for place in range(6)]
    asks = [asyncio.create_task(ask(engine, each)) for each in wanted]
    await asyncio.sleep(1)
    assert len(engine.scheduler.running) == 2
    assert len(engine.scheduler.waiting) == 4
    await asyncio.gather(*asks)
    assert list(engine.history.admissions) == [each.request_id for each in wanted]


async def test_a_client_that_leaves_frees_its_place(make_engine: MakeEngine) -> None:
    engine = make_engine(max_num_seqs=1, tokens_per_s=1, ttft_s=0)
    await engine.boot()
    leaving = asyncio.create_task(ask(engine, question("leaves", 1000)))
    staying = asyncio.create_task(ask(engine, question("stays", 2)))
    await asyncio.sleep(5)
    leaving.cancel()
    assert await staying
    assert engine.counters["cancelled"] == 1
