"""Engines that share a GPU get in each other's way as they do in reality."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from vllm_simulator import GIB, DirectoryGpu, Engine, MemoryGpu, OutOfMemoryError
from vllm_simulator.errors import EngineDeadError, OperationFailedError, StartRefusedError
from vllm_simulator.gpu import reading, used_bytes

from .conftest import MakeEngine, ask

pytestmark = pytest.mark.looptime


async def two_sleepers(make_engine: MakeEngine) -> list[Engine]:
    engines = [make_engine(name, vram_gib=24, context_gib=1) for name in ("a", "b")]
    for engine in engines:
        await engine.boot()
        await engine.sleep(1, "abort")
    return engines


async def test_boot_needs_the_others_asleep(make_engine: MakeEngine) -> None:
    a, b = (make_engine(name, vram_gib=24) for name in ("a", "b"))
    await a.boot()
    with pytest.raises(StartRefusedError, match="ValueError: Free memory on device"):
        await b.boot()
    await a.sleep(1, "abort")
    await b.boot()


async def test_boot_fails_when_another_engine_sleeps_meanwhile(make_engine: MakeEngine) -> None:
    a, b = make_engine("a", vram_gib=10), make_engine("b", vram_gib=20, boot_s=10)
    await a.boot()
    booting = asyncio.create_task(b.boot())
    await asyncio.sleep(1)
    await a.sleep(1, "abort")
    with pytest.raises(StartRefusedError, match="Error in memory profiling"):
        await booting


async def test_boot_with_a_given_kv_cache_measures_nothing(make_engine: MakeEngine) -> None:
    a = make_engine("a", vram_gib=10)
    b = make_engine("b", vram_gib=20, boot_s=10, kv_cache_memory_bytes=4 * GIB)
    await a.boot()
    booting = asyncio.create_task(b.boot())
    await asyncio.sleep(1)
    await a.sleep(1, "abort")
    await booting
    assert await ask(b)


async def test_wake_that_does_not_fit_leaves_a_partial_map_and_can_be_resumed(
    make_engine: MakeEngine, gpu: MemoryGpu
) -> None:
    a, b = await two_sleepers(make_engine)
    await a.wake_up(None)
    with pytest.raises(OperationFailedError, match="out of memory"):
        await b.wake_up(None)
    partial = gpu.holders()["b"]
    assert 1 * GIB < partial == b.memory.held_bytes < 24 * GIB
    assert b.is_sleeping
    await b.sleep(1, "abort")
    assert gpu.holders()["b"] == partial, "vLLM thinks it sleeps and frees nothing"
    await a.sleep(1, "abort")
    assert await b.wake_up(None)
    assert await ask(b)


async def test_sleep_fails_when_another_engine_wakes_meanwhile(make_engine: MakeEngine) -> None:
    a = make_engine("a", vram_gib=6, context_gib=1, sleep_s=1, wake_s=1)
    b = make_engine("b", vram_gib=20, context_gib=1, sleep_s=1, wake_s=1)
    await b.boot()
    await b.sleep(1, "abort")
    await a.boot()
    sleeping = asyncio.create_task(a.sleep(1, "abort"))
    await b.wake_up(None)
    with pytest.raises(OperationFailedError, match=r"Memory usage increased after sleeping\."):
        await sleeping
    assert a.is_sleeping, "still paused"


async def test_waking_after_the_failed_assertion_kills_the_engine(make_engine: MakeEngine) -> None:
    engine = make_engine()
    await engine.boot()
    engine.faults.switch_on({"sleep_fails": {"times": 1}})
    with pytest.raises(OperationFailedError, match="Memory usage increased"):
        await engine.sleep(1, "abort")
    assert await engine.wake_up(None), "vLLM believes that it never slept"
    with pytest.raises(EngineDeadError):
        await ask(engine)


async def test_sleeping_again_after_the_failed_assertion_recovers(make_engine: MakeEngine) -> None:
    engine = make_engine()
    await engine.boot()
    engine.faults.switch_on({"sleep_fails": {"times": 1}})
    with pytest.raises(OperationFailedError):
        await engine.sleep(1, "abort")
    await engine.sleep(1, "abort")
    await engine.wake_up(None)
    assert await ask(engine)


HOLD = """
import sys; from pathlib import Path; from vllm_simulator import GIB, DirectoryGpu
claim = DirectoryGpu(Path(sys.argv[1])).open("victim"); claim.resize(20 * GIB)
print("ready", flush=True); sys.stdin.read()
"""


def test_a_killed_process_frees_its_memory(tmp_path: Path) -> None:
    gpu = DirectoryGpu(tmp_path, 32 * GIB)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"ready\n"
        assert used_bytes(gpu) == 20 * GIB
        holder.kill()
    assert used_bytes(gpu) == 0


def test_a_shared_gpu_refuses_what_does_not_fit(tmp_path: Path) -> None:
    DirectoryGpu(tmp_path, 32 * GIB)
    a, b = DirectoryGpu(tmp_path).open("a"), DirectoryGpu(tmp_path).open("b")
    a.resize(20 * GIB)
    with pytest.raises(OutOfMemoryError):
        b.resize(13 * GIB)
    b.resize(12 * GIB)
    assert reading(DirectoryGpu(tmp_path)) == {
        "total_bytes": 32 * GIB,
        "used_bytes": 32 * GIB,
        "processes": [
            {"name": "a", "used_bytes": 20 * GIB},
            {"name": "b", "used_bytes": 12 * GIB},
        ],
    }
    a.close()
    assert used_bytes(DirectoryGpu(tmp_path)) == 12 * GIB


def test_one_name_cannot_hold_memory_twice(tmp_path: Path) -> None:
    gpu = DirectoryGpu(tmp_path, GIB)
    first = gpu.open("a")
    with pytest.raises(ValueError, match="already holds memory"):
        gpu.open("a")
    first.close()
    gpu.open("a").close()


def test_a_folder_without_a_size_is_not_a_gpu(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="not a simulated GPU"):
        DirectoryGpu(tmp_path)
