"""A resident that will not go to sleep: whoever waits for the next model is answered anyway."""

from pathlib import Path

import pytest

from harness.faulty import boots, faulty_arbiter, recovers, strike


@pytest.mark.parametrize(
    "fault", ["sleep_frees_nothing", "sleep_hangs", "sleep_kills", "core_hangs"]
)
async def test_an_engine_that_cannot_sleep_is_replaced(tmp_path: Path, fault: str) -> None:
    async with faulty_arbiter(tmp_path, "a", "b") as home:
        strike(home, "a", fault)
        await home.until(lambda: home.condition("a") == "awake", "a to be awake")
        answer = await home.ask("b")
        assert answer.status == 200, answer.body
        home.simulators["a"].faults.switch_off()
        await home.until(lambda: boots(home, "a") == 2, "a to start anew")
        await recovers(home, "a")


async def test_a_death_behind_a_healthy_200_is_noticed(tmp_path: Path) -> None:
    async with faulty_arbiter(tmp_path, "a", "b") as home:
        strike(home, "a", "sleep_kills", health=200, keeps_memory=1)
        assert (await home.ask("b")).status == 200
        home.simulators["a"].faults.switch_off()
        await recovers(home, "a")
        assert boots(home, "a") == 2


async def test_a_sleep_that_fails_once_is_tried_again(tmp_path: Path) -> None:
    async with faulty_arbiter(tmp_path, "a", "b") as home:
        strike(home, "a", "sleep_fails", times=1)
        assert (await home.ask("b")).status == 200
        assert home.simulators["a"].faults.strikes["sleep_fails"] == 1
        await recovers(home, "a")
        assert boots(home, "a") == 1


async def test_a_slow_sleep_is_waited_for(tmp_path: Path) -> None:
    async with faulty_arbiter(tmp_path, "a", "b") as home:
        strike(home, "a", "sleep_slow", seconds=0.3)
        answer = await home.ask("b")
        assert answer.status == 200
        assert float(answer.headers["x-synapse-waited"]) > 0.3
        assert boots(home, "a") == 1


async def test_a_leaking_engine_is_replaced_once_it_sleeps(tmp_path: Path) -> None:
    async with faulty_arbiter(tmp_path, "a", "b", gpu={"leak_gib": 0.6}) as home:
        strike(home, "a", "leak", gib=0.4)
        for model in ("b", "a", "b", "a", "b", "a", "b"):
            assert (await home.ask(model)).status == 200
        await home.until(lambda: boots(home, "a") == 2, "a to start anew")
        home.simulators["a"].faults.switch_off()
        await recovers(home, "a")
