"""Engines and gauges that go away, come back, or change behind the arbiter's back."""

import asyncio
from pathlib import Path

import pytest

from harness.faulty import boots, faulty_arbiter, recovers, strike
from vllm_simulator.faults import KINDS


@pytest.mark.parametrize("fault", ["restart", "exit"])
async def test_an_engine_that_restarts_loses_no_client_silently(tmp_path: Path, fault: str) -> None:
    slow = {"tokens_per_s": 50}
    async with faulty_arbiter(tmp_path, "a", "b", engine=slow) as home:
        asking = asyncio.create_task(home.ask("a", max_tokens=10_000, ignore_eos=True))
        running = home.simulators["a"].engine.scheduler.running
        await home.until(lambda: len(running) == 1, "the request to run")
        strike(home, "a", fault)
        answer = await asking
        assert (answer.status, answer.code) == (502, "engine_lost")
        await home.until(lambda: boots(home, "a") == 2, "a to start anew")
        await recovers(home, "a")
        assert (await home.ask("b")).status == 200


@pytest.mark.parametrize("health", [503, 200])
async def test_a_dead_engine_is_replaced(tmp_path: Path, health: int) -> None:
    async with faulty_arbiter(tmp_path, "a", "b") as home:
        strike(home, "a", "dead", health=health)
        assert (await home.ask("a")).status >= 500
        await home.until(lambda: boots(home, "a") == 2, "a to start anew")
        home.simulators["a"].faults.switch_off()
        await recovers(home, "a")


async def test_an_engine_whose_core_dies_is_replaced(tmp_path: Path) -> None:
    async with faulty_arbiter(tmp_path, "a", "b", engine={"tokens_per_s": 50}) as home:
        asking = asyncio.create_task(home.ask("a", max_tokens=10_000, ignore_eos=True))
        running = home.simulators["a"].engine.scheduler.running
        await home.until(lambda: len(running) == 1, "the request to run")
        strike(home, "a", "core_dies", error_after_s=0.05, exits_after_s=0.1)
        assert (await asking).status >= 500
        await home.until(lambda: boots(home, "a") == 2, "a to start anew")
        await recovers(home, "a")
        assert (await home.ask("b")).status == 200


@pytest.mark.parametrize("fault", ["metrics_away", "vram_away"])
async def test_switches_go_on_without_a_gauge(tmp_path: Path, fault: str) -> None:
    async with faulty_arbiter(tmp_path, "a", "b") as home:
        for model in ("a", "b"):
            strike(home, model, fault)
        for model in ("b", "a", "b"):
            answer = await home.ask(model)
            assert (answer.status, answer.headers["x-synapse-woke"]) == (200, "true")
        assert (
            home.simulators["b"].faults.strikes[fault]
            + (home.simulators["a"].faults.strikes[fault])
        ), "the gauge was asked"


async def test_an_engine_put_to_sleep_behind_our_back_is_woken(tmp_path: Path) -> None:
    async with faulty_arbiter(tmp_path, "a", "b") as home:
        await home.simulators["a"].engine.sleep(1, "wait")
        assert (await home.ask("a")).status == 200
        assert not home.simulators["a"].engine.is_sleeping


def test_every_fault_of_the_simulator_is_met_by_the_arbiter() -> None:
    folder = Path(__file__).parent
    text = "".join(path.read_text() for path in folder.glob("test_faults_*.py"))
    assert [name for name in KINDS if f'"{name}"' not in text] == []
