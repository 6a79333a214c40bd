"""From the client's side: whatever is wrong with the GPU, somebody answers; the line says why."""

import asyncio

import aiohttp
import pytest

from harness.client import CHAT, Answer
from harness.gpu_stack import PLACES, QUEUE, GpuStack
from harness.server import until

from .conftest import LONG, is_busy, told

pytestmark = pytest.mark.asyncio(loop_scope="package")
FORMS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


def fell_back(answer: Answer, asked: str, reason: str) -> None:
    """Check that the CPU answered, and that the line says for whom and why."""
    assert answer.complete, answer.text
    assert "Hello" in answer.text, "the stub says it"
    assert told(answer.line, "model", "served", "engine") == (asked, "tiny-chat", "ollama")
    assert told(answer.line, "fallback", "reason", "woke") == (True, reason, None), answer.line
    assert answer.line["tried"] == [asked, "tiny-chat"]
    assert answer.line["waited_s"] is not None


def nobody_answered(answer: Answer, reason: str) -> None:
    """Check the refusal of a model without fallbacks."""
    assert (answer.status, answer.code) == (503, "model_unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    assert "127.0.0.1" not in answer.text
    assert told(answer.line, "served", "reason", "status") == (None, reason, 503)


@FORMS
async def test_a_gpu_that_is_lent_out(stack: GpuStack, stream: bool) -> None:
    labels = {"asked": "gpu-chat", "served": "tiny-chat", "reason": "gpu_released"}
    counted = stack.gateway.metric("synapse_gateway_fallbacks_total", **labels)
    await stack.order("release?seconds=60")
    try:
        fell_back(await stack.client.ask("assistant", stream=stream), "gpu-chat", "gpu_released")
        nobody_answered(await stack.client.ask("gpu-agent", stream=stream), "gpu_released")
    finally:
        await stack.order("reclaim")
    assert stack.gateway.metric("synapse_gateway_fallbacks_total", **labels) == counted + 1
    assert (await stack.client.ask("gpu-chat", stream=stream)).line["served"] == "gpu-chat"


async def test_a_gpu_that_is_pinned_to_another_model(stack: GpuStack) -> None:
    await stack.order("pin/gpu-chat")
    try:
        fell_back(await stack.client.ask("gpu-code"), "gpu-code", "gpu_pinned")
        assert (await stack.client.ask("gpu-chat")).line["served"] == "gpu-chat"
    finally:
        await stack.order("unpin")


async def test_an_engine_that_failed(stack: GpuStack) -> None:
    starts = stack.server.engines["gpu-code"].starts
    await stack.strike("gpu-code", "wake_stays_asleep")
    fell_back(await stack.client.ask("gpu-code"), "gpu-code", "model_quarantined")

    async def anew() -> bool:
        return stack.server.engines["gpu-code"].starts > starts and await stack.server.all_usable()

    await until(stack.server, anew, "gpu-code to be replaced")
    assert (await stack.client.ask("gpu-code")).line["served"] == "gpu-code"


@FORMS
async def test_an_engine_that_is_away(stack: GpuStack, stream: bool) -> None:
    for model in ("gpu-code", "gpu-agent"):
        await stack.server.engines[model].stop()

    async def noticed() -> bool:
        states = await stack.server.states()
        return {states["gpu-code"], states["gpu-agent"]} == {"away"}

    try:
        await until(stack.server, noticed, "the arbiter to miss them")
        fell_back(await stack.client.ask("gpu-code", stream=stream), "gpu-code", "engine_down")
        nobody_answered(await stack.client.ask("gpu-agent", stream=stream), "engine_down")
    finally:
        for model in ("gpu-code", "gpu-agent"):
            stack.server.engines[model].start()


@FORMS
async def test_an_arbiter_that_is_away(stack: GpuStack, stream: bool) -> None:
    await stack.server.arbiter.stop()
    try:
        fell_back(await stack.client.ask("gpu-chat", stream=stream), "gpu-chat", "unreachable")
        nobody_answered(await stack.client.ask("gpu-agent", stream=stream), "unreachable")
    finally:
        stack.server.arbiter.start()


@FORMS
async def test_a_wait_that_would_be_too_long_for_this_application(
    stack: GpuStack, stream: bool
) -> None:
    wakes = (await stack.state("gpu-code"))["counters"].get("wakes", 0)
    answer = await stack.client.ask("gpu-code", "panel", stream=stream)
    fell_back(answer, "gpu-code", "wait_exceeds_budget")
    assert (await stack.state("gpu-code"))["counters"].get("wakes", 0) == wakes
    awake = await stack.client.ask("gpu-chat", "panel", stream=stream)
    assert told(awake.line, "served", "waited_s") == ("gpu-chat", 0.0)


async def test_a_wait_that_lasted_longer_than_predicted(stack: GpuStack) -> None:
    await stack.strike("gpu-code", "wake_slow", seconds=8, times=1)
    answer = await stack.client.ask("gpu-code", "patient")
    fell_back(answer, "gpu-code", "wait_budget_spent")
    assert answer.line["waited_s"] >= 5


async def test_too_many_who_wait_already(stack: GpuStack) -> None:
    body = {"model": "gpu-chat", "messages": [{"role": "user", "content": "why"}], **LONG}

    async def direct() -> None:
        async with aiohttp.request("POST", f"{stack.server.url}{CHAT}", json=body) as answer:
            await answer.read()

    crowd = [asyncio.create_task(direct()) for _ in range(PLACES + QUEUE)]
    await until(stack.server, lambda: is_busy(stack, PLACES, QUEUE), "the line to be full")
    answer = await stack.client.ask("gpu-chat")
    for each in crowd:
        each.cancel()
    fell_back(answer, "gpu-chat", "queue_full")


@FORMS
async def test_an_engine_that_falls_silent(stack: GpuStack, stream: bool) -> None:
    await stack.strike("gpu-chat", "generation_hangs", times=1)
    answer = await stack.client.ask("gpu-chat", stream=stream)
    fell_back(answer, "gpu-chat", "engine_silent")


@pytest.mark.parametrize(
    ("fault", "reasons"),
    [
        ("abort_answers", {"engine_aborted"}),
        ("truncate_answers", {"engine_lost", "answer_truncated"}),
        ("generation_fails", {"failed"}),
    ],
)
async def test_an_answer_that_is_none(stack: GpuStack, fault: str, reasons: set[str]) -> None:
    await stack.strike("gpu-chat", fault, times=1)
    answer = await stack.client.ask("gpu-chat")
    assert answer.line["reason"] in reasons
    fell_back(answer, "gpu-chat", answer.line["reason"])


@pytest.mark.parametrize(
    ("fault", "reasons"),
    [
        ("abort_answers", {"engine_aborted"}),
        ("truncate_answers", {"engine_lost", "answer_truncated"}),
    ],
)
async def test_a_stream_that_is_cut_after_its_first_words(
    stack: GpuStack, fault: str, reasons: set[str]
) -> None:
    await stack.strike("gpu-chat", fault, times=1, after_tokens=2)
    answer = await stack.client.ask("gpu-chat", stream=True)
    assert answer.line["reason"] in reasons
    broke_off(answer, answer.line["reason"])


async def test_an_engine_that_is_killed_while_it_answers(stack: GpuStack) -> None:
    whole = asyncio.create_task(stack.client.ask("gpu-chat", **LONG))
    stream = asyncio.create_task(stack.client.ask("gpu-chat", stream=True, **LONG))
    await until(stack.server, lambda: stack.speaking("gpu-chat", 2), "both to run")
    stack.server.engines["gpu-chat"].kill()
    fell_back(await whole, "gpu-chat", "engine_lost")
    broke_off(await stream, "engine_lost")


async def test_an_answer_that_takes_longer_than_the_others_can_wait(stack: GpuStack) -> None:
    whole = asyncio.create_task(stack.client.ask("gpu-chat", **LONG))
    stream = asyncio.create_task(stack.client.ask("gpu-chat", stream=True, **LONG))
    await until(stack.server, lambda: stack.speaking("gpu-chat", 2), "both to run")
    assert (await stack.client.ask("gpu-agent")).line["served"] == "gpu-agent"
    fell_back(await whole, "gpu-chat", "drain_limit")
    broke_off(await stream, "drain_limit")


def broke_off(answer: Answer, reason: str) -> None:
    """Check that a stream which began ends in an explicit error."""
    assert answer.status == 200
    assert answer.code == "answer_interrupted", answer.text[-500:]
    assert "[DONE]" not in answer.text
    assert told(answer.line, "served", "status", "error") == (None, 502, "answer_interrupted")
    assert told(answer.line, "reason", "tried") == (reason, ["gpu-chat"])
