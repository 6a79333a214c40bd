"""Answers that are wrong, broken off or never come: the client always learns of it."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from harness import Answer
from harness.faulty import boots, engine_urls, faulty_arbiter, recovers, strike


@pytest.mark.parametrize("thinks", [0, 16], ids=["plain", "thinking"])
async def test_garbage_after_any_wake_is_never_served(tmp_path: Path, thinks: int) -> None:
    async with faulty_arbiter(tmp_path, "a", "b", engine={"reasoning_tokens": thinks}) as home:
        assert (await home.ask("b")).status == 200
        assert (await home.ask("a")).status == 200
        strike(home, "b", "garbage_after", cycles=2)
        refused = await home.ask("b")
        assert (refused.status, refused.code) == (503, "model_quarantined")
        await home.until(lambda: boots(home, "b") == 2, "b to start anew")
        home.simulators["b"].faults.switch_off()
        await recovers(home, "b")


async def test_one_odd_canary_is_forgiven(tmp_path: Path) -> None:
    async with faulty_arbiter(tmp_path, "a", "b", gpu={"canary_every": 1}) as home:
        assert (await home.ask("b")).status == 200
        assert (await home.ask("a")).status == 200
        strike(home, "b", "garbage", times=1)
        assert (await home.ask("b")).status == 200
        assert home.simulators["b"].faults.strikes["garbage"] == 1
        assert boots(home, "b") == 1


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(
    ("fault", "parameters", "codes"),
    [
        ("abort_answers", {"after_tokens": 2}, {"engine_aborted"}),
        ("truncate_answers", {"after_tokens": 2}, {"answer_truncated", "engine_lost"}),
        ("truncate_answers", {"after_tokens": 2, "reset": 1}, {"answer_truncated", "engine_lost"}),
    ],
    ids=["aborted", "cut", "reset"],
)
async def test_an_answer_that_ends_early_ends_in_an_error(
    tmp_path: Path, fault: str, parameters: dict[str, float], codes: set[str], stream: bool
) -> None:
    async with faulty_arbiter(tmp_path, "a", "b") as home:
        strike(home, "a", fault, times=1, **parameters)
        answer = await home.ask("a", stream=stream)
        assert answer.code in codes
        assert answer.status == (200 if stream else 502)
        assert b"[DONE]" not in answer.body
        await recovers(home, "a")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_a_completion_that_ends_early_ends_in_an_error(tmp_path: Path, stream: bool) -> None:
    async with faulty_arbiter(tmp_path, "a", "b") as home:
        strike(home, "a", "abort_answers", times=1, after_tokens=2)
        question = {"model": "a", "prompt": "hello", "stream": stream}
        async with home.client.post(f"{home.url}/v1/completions", json=question) as got:
            answer = Answer(got.status, got.headers, await got.read())
        assert (answer.code, answer.status) == ("engine_aborted", 200 if stream else 502)
        assert b"[DONE]" not in answer.body


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_an_answer_that_somebody_elses_sleep_aborts_ends_in_an_error(
    tmp_path: Path, stream: bool
) -> None:
    async with faulty_arbiter(tmp_path, "a", "b", engine={"tokens_per_s": 200.0}) as home:
        long: dict[str, Any] = {"max_tokens": 4000, "ignore_eos": True}
        asking = asyncio.create_task(home.ask("a", stream=stream, **long))
        arrivals = home.simulators["a"].engine.history.arrivals
        await home.until(
            lambda: arrivals[-1].max_tokens == 4000 and arrivals[-1].completion_tokens > 1, "words"
        )
        async with home.client.post(f"{engine_urls(home)['a']}/sleep?level=1") as slept:
            assert slept.status == 200
        assert (await asking).code == "engine_aborted"
        await recovers(home, "a")


async def test_an_engines_own_error_in_a_stream_is_told_once_and_checked(tmp_path: Path) -> None:
    async with faulty_arbiter(tmp_path, "a", "b") as home:
        strike(home, "a", "generation_fails")
        answer = await home.ask("a", stream=True)
        assert answer.status == 200
        assert answer.body.count(b'"error"') == 1
        assert answer.body.endswith(b"data: [DONE]\n\n"), "it is the engine's, unchanged"
        await home.until(lambda: home.condition("a") == "quarantined", "a to be trusted no longer")
        home.simulators["a"].faults.switch_off()  # before it starts anew, or its boot fails as well
        await recovers(home, "a")


async def test_an_answer_that_never_comes_ends_in_an_error(tmp_path: Path) -> None:
    async with faulty_arbiter(tmp_path, "a", "b", limits={"answer_s": 0.5}) as home:
        strike(home, "a", "generation_hangs", times=1)
        answer = await home.ask("a")
        assert (answer.status, answer.code) == (504, "engine_silent")
        await recovers(home, "a")
        assert boots(home, "a") == 1, "it proved that it still answers"


async def test_an_engine_that_answers_nothing_any_more_is_replaced(tmp_path: Path) -> None:
    async with faulty_arbiter(tmp_path, "a", "b", limits={"answer_s": 0.5}) as home:
        strike(home, "a", "generation_hangs")
        assert (await home.ask("a")).code == "engine_silent"
        await home.until(lambda: home.condition("a") == "quarantined", "a to be trusted no longer")
        home.simulators["a"].faults.switch_off()  # before it starts anew, or its boot fails as well
        await home.until(lambda: boots(home, "a") == 2, "a to start anew")
        await recovers(home, "a")
        assert (await home.ask("b")).status == 200


async def test_an_engine_that_fails_every_request_is_replaced(tmp_path: Path) -> None:
    async with faulty_arbiter(tmp_path, "a", "b") as home:
        strike(home, "a", "generation_fails")
        assert (await home.ask("a")).status >= 500
        await home.until(lambda: home.condition("a") == "quarantined", "a to be trusted no longer")
        home.simulators["a"].faults.switch_off()  # before it starts anew, or its boot fails as well
        await home.until(lambda: boots(home, "a") == 2, "a to start anew")
        await recovers(home, "a")
