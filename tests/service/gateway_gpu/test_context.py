"""A request that is too long for a model goes where there is room, and never where it is cut."""

import pytest

from every_dialect import ASKED, LADEN
from harness.gpu_stack import CONTEXT, GpuStack
from openai_stub import Behaviour

from .conftest import told

pytestmark = pytest.mark.asyncio(loop_scope="package")
TOO_LONG = "why " * (CONTEXT + 50)
FORMS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@FORMS
async def test_only_a_model_with_more_room_answers(stack: GpuStack, stream: bool) -> None:
    answer = await stack.client.ask("gpu-code", words=TOO_LONG, stream=stream)
    assert answer.complete, answer.text
    assert told(answer.line, "served", "reason") == ("long-chat", "context")
    assert answer.line["tried"] == ["gpu-code", "long-chat"], "tiny-chat would cut the prompt"


@FORMS
async def test_without_one_the_client_is_told(stack: GpuStack, stream: bool) -> None:
    answer = await stack.client.ask("gpu-chat", words=TOO_LONG, stream=stream)
    assert (answer.status, answer.code) == (400, "context_length_exceeded")
    assert told(answer.line, "served", "reason", "tried") == (None, "context", ["gpu-chat"])
    assert stack.cpu.received == []


async def test_when_the_one_with_room_cannot_answer_nobody_smaller_does(stack: GpuStack) -> None:
    stack.cpu.behaviours["long-chat"] = Behaviour(status=503)
    answer = await stack.client.ask("gpu-code", words=TOO_LONG)
    assert (answer.status, answer.code) == (400, "context_length_exceeded")
    assert answer.line["tried"] == ["gpu-code", "long-chat"]


@pytest.mark.parametrize("path", LADEN)
async def test_tools_are_read_too_and_refused_where_they_do_not_fit(
    stack: GpuStack, path: str
) -> None:
    """A chat page sends 36 of them with one sentence."""
    key = {"authorization": "Bearer sk-synapse-cortex"}
    asked = {"model": "gpu-chat", **ASKED[path], "stream": False}
    bare = await stack.client.post(path, asked, key)
    laden = await stack.client.post(path, asked | LADEN[path], key)
    read = [each.line["tokens_in"] for each in (bare, laden)]
    assert read[1] > read[0] + 5_000, "25 kB are about as many tokens as a quarter of that"
    twice = {"tools": LADEN[path]["tools"] * 2}
    refused = await stack.client.post(path, asked | twice, key)
    assert refused.status == 400, refused.text
    assert f"{CONTEXT} tokens" in refused.text
    assert stack.cpu.received == [], "its fallback would cut them"
