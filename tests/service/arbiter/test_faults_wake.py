"""A model that will not wake: its requests are refused in time, and the GPU serves the others."""

from pathlib import Path

import pytest

from harness.faulty import boots, faulty_arbiter, recovers, strike


async def test_a_wake_out_of_memory_is_tried_again(tmp_path: Path) -> None:
    async with faulty_arbiter(tmp_path, "a", "b") as home:
        strike(home, "b", "wake_out_of_memory", times=1)
        assert (await home.ask("b")).status == 200
        assert home.simulators["b"].counters["failed_wakes"] == 1
        assert boots(home, "b") == 1


@pytest.mark.parametrize(
    "fault", ["wake_out_of_memory", "wake_hangs", "wake_stays_asleep", "wake_kills"]
)
async def test_an_engine_that_cannot_wake_is_replaced(tmp_path: Path, fault: str) -> None:
    async with faulty_arbiter(tmp_path, "a", "b") as home:
        strike(home, "b", fault)
        refused = await home.ask("b")
        assert refused.status == 503
        assert refused.code in ("model_quarantined", "engine_down")
        assert int(refused.headers["Retry-After"]) >= 1
        assert (await home.ask("a")).status == 200, "the others are served meanwhile"
        home.simulators["b"].faults.switch_off()
        await home.until(lambda: boots(home, "b") == 2, "b to start anew")
        await recovers(home, "b")


async def test_a_foreign_process_on_the_gpu_is_survived(tmp_path: Path) -> None:
    async with faulty_arbiter(tmp_path, "a", "b") as home:
        strike(home, "a", "vram_hog", gib=6)
        refused = await home.ask("b", headers={"x-synapse-max-wait": "5"})
        assert refused.status in (200, 503)
        home.simulators["a"].faults.switch_off("vram_hog")
        for model in ("a", "b"):
            await recovers(home, model)


async def test_a_slow_wake_is_waited_for(tmp_path: Path) -> None:
    async with faulty_arbiter(tmp_path, "a", "b") as home:
        strike(home, "b", "wake_slow", seconds=0.3)
        answer = await home.ask("b")
        assert answer.status == 200
        assert float(answer.headers["x-synapse-waited"]) > 0.3
        assert boots(home, "b") == 1
