"""A chat page sends 36 tools of 25 kB with one sentence: what does not fit is refused, not cut."""

from __future__ import annotations

import json

import httpx
import pytest

from every_dialect import ASKED, LADEN, reason, words
from gateway_process import Gateway
from openai_stub import Behaviour, OpenAIStub

SMALL = Behaviour(context_tokens=4096)
FORMS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


def test_they_are_as_large_as_those_seen() -> None:
    assert 24_000 < len(json.dumps(LADEN["/v1/chat/completions"])) < 30_000


@pytest.mark.parametrize("path", LADEN)
@FORMS
def test_a_small_context_on_ollama_refuses_them(
    gateway: Gateway, client: httpx.Client, cpu: OpenAIStub, path: str, stream: bool
) -> None:
    cpu.behaviours["cpu-alone"] = SMALL
    asked = {"model": "cpu-alone", **ASKED[path], "stream": stream}
    assert words(client.post(path, json=asked)) == "Hello from the stub"
    answer = client.post(path, json=asked | LADEN[path])
    assert answer.status_code == 400, answer.text
    assert "context" in reason(answer)
    assert gateway.line_of(answer.headers["x-request-id"])["reason"] == "context"
