"""A request that is too long for a model goes where there is room, and never where it is cut."""

import pytest

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
