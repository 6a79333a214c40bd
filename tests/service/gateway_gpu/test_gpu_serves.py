"""From the client's side: the GPU's models are ordinary names, asleep or awake."""

import asyncio
from typing import Any

import pytest

from harness.gpu_stack import CPU, GPU, GpuStack
from harness.server import until

from .conftest import LONG, is_busy, told

pytestmark = pytest.mark.asyncio(loop_scope="package")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_an_awake_model_answers(stack: GpuStack, stream: bool) -> None:
    answer = await stack.client.ask("assistant", stream=stream)
    assert answer.complete, answer.text
    assert answer.served == "gpu-chat"
    assert answer.headers["x-synapse-engine"] == "vllm"
    line = answer.line
    assert told(line, "asked", "served", "engine") == ("assistant", "gpu-chat", "vllm")
    assert told(line, "fallback", "reason", "woke", "waited_s") == (False, None, False, 0.0)


@pytest.mark.parametrize(("model", "stream"), [("gpu-code", False), ("gpu-agent", True)])
async def test_a_sleeping_model_is_woken_and_the_line_says_so(
    stack: GpuStack, model: str, stream: bool
) -> None:
    wakes = (await stack.state(model))["counters"].get("wakes", 0)
    answer = await stack.client.ask(model, stream=stream)
    assert answer.complete, answer.text
    assert told(answer.line, "served", "fallback", "woke") == (model, False, True)
    assert answer.line["waited_s"] >= 0.2, "waking takes that long"
    assert (await stack.state(model))["counters"]["wakes"] == wakes + 1


async def test_a_stream_that_was_kept_alive_tells_its_wait_too(stack: GpuStack) -> None:
    await stack.strike("gpu-agent", "wake_slow", seconds=1.2, times=1)
    answer = await stack.client.ask("gpu-agent", stream=True)
    assert answer.complete, answer.text
    assert ": waiting for the GPU: place 1, about " in answer.text
    assert told(answer.line, "served", "woke") == ("gpu-agent", True)
    assert answer.line["waited_s"] >= 1.2


async def test_every_kind_of_model_has_its_backend(stack: GpuStack) -> None:
    headers = {"authorization": "Bearer sk-synapse-cortex"}
    vectors = await stack.client.post("/v1/embeddings", {"model": "embed", "input": "x"}, headers)
    assert vectors.status == 200
    assert told(vectors.line, "served", "engine", "woke") == ("minilm", "ollama", None)
    small = await stack.client.ask("tiny-chat")
    assert told(small.line, "served", "engine", "woke") == ("tiny-chat", "ollama", None)
    assert [one.body["model"] for one in stack.cpu.received] == ["minilm", "tiny-chat"]
    body = {"model": "assistant", "input": "x"}
    refused = await stack.client.post("/v1/embeddings", body, headers)
    assert (refused.status, refused.code) == (400, "unsupported_model")


async def test_a_client_cannot_say_how_urgent_it_is(stack: GpuStack) -> None:
    """Believed, the first header would refuse the wait at once, and the others would be refused."""
    headers = {
        "x-synapse-max-wait": "0",
        "x-synapse-priority": "nonsense",
        "x-synapse-app": "panel",
        "x-synapse-ping": "nonsense",
    }
    answer = await stack.client.ask("gpu-code", headers=headers)
    assert told(answer.line, "served", "woke", "reason") == ("gpu-code", True, None)


async def test_batch_waits_behind_interactive(stack: GpuStack) -> None:
    running = [asyncio.create_task(stack.client.ask("gpu-chat", **LONG)) for _ in range(2)]
    await until(stack.server, lambda: is_busy(stack, 2, 0), "both places to be taken")
    late = []
    for number, app in enumerate(("agents", "cortex"), 1):
        late.append(asyncio.create_task(stack.client.ask("gpu-chat", app)))
        await until(stack.server, lambda n=number: is_busy(stack, 2, n), f"{number} to wait")  # type: ignore[misc]
    running[0].cancel()
    batch, interactive = [await each for each in late]
    running[1].cancel()
    order = [name.removeprefix("chatcmpl-") for name in await stack.admissions("gpu-chat")]
    assert order[-2:] == [interactive.line["request_id"], batch.line["request_id"]]
    for answer in (batch, interactive):
        assert told(answer.line, "served", "woke") == ("gpu-chat", False)
        assert answer.line["waited_s"] > 0


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_a_client_that_leaves_wakes_nothing(stack: GpuStack, stream: bool) -> None:
    """The GPU is busy with another model, so that its turn would come later."""
    wakes = (await stack.state("gpu-agent"))["counters"].get("wakes", 0)
    busy = asyncio.create_task(stack.client.ask("gpu-chat", **LONG))
    await until(stack.server, lambda: is_busy(stack, 1, 0), "gpu-chat to be busy")
    leaving = asyncio.create_task(stack.client.ask("gpu-agent", stream=stream))
    await until(stack.server, lambda: is_busy(stack, 1, 1), "the other to wait")
    leaving.cancel()
    await until(stack.server, lambda: is_busy(stack, 1, 0), "its place to be free")
    busy.cancel()
    await until(stack.server, lambda: is_busy(stack, 0, 0), "the GPU to be idle")
    assert (await stack.client.ask("gpu-chat")).line["woke"] is False
    assert (await stack.state("gpu-agent"))["counters"].get("wakes", 0) == wakes
    left = [line for line in stack.gateway.lines if line.get("asked") == "gpu-agent"][-1]
    assert told(left, "status", "served") == (499, None)


async def test_many_at_once_end_in_an_answer_or_an_explicit_error(stack: GpuStack) -> None:
    async def ask(number: int) -> Any:
        model, app = (*GPU, *CPU)[number % 5], ("cortex", "agents", "patient")[number % 3]
        return await stack.client.ask(model, app, stream=number % 2 == 0, words=f"why {number}")

    answers = await asyncio.gather(*(ask(number) for number in range(60)))
    assert [each for each in answers if not each.complete and each.code is None] == []
    whole = [each for each in answers if each.complete]
    assert {each.line["served"] for each in whole} >= set(GPU), "every model had its turn"
    for each in answers:
        assert told(each.line, "status") == (200,) or each.line["error"], each.line
        assert each.line["fallback"] == (each.line["reason"] is not None and each.complete)
    assert (await stack.status())["phase"] == "ready"
    await until(stack.server, lambda: is_busy(stack, 0, 0), "the GPU to be idle")
