"""An engine that takes no notice of the switches against cutting is not asked, and is named."""

from __future__ import annotations

import httpx
import pytest

from every_dialect import ASKED, words
from gateway_process import Gateway
from openai_stub import Behaviour, OpenAIStub

CUTS = Behaviour(cuts=True)
HELLO = "Hello from the stub"
ON_OLLAMA = ("/v1/chat/completions", "/v1/completions", "/api/chat", "/api/generate")
FORMS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@pytest.mark.parametrize("path", ASKED)
@FORMS
def test_its_fallback_answers(
    gateway: Gateway, client: httpx.Client, gpu: OpenAIStub, cpu: OpenAIStub, path: str,
    stream: bool,
) -> None:  # fmt: skip
    cpu.behaviours["cutter"] = CUTS
    answer = client.post(path, json={"model": "cutter", **ASKED[path], "stream": stream})
    assert (answer.status_code, words(answer)) == (200, HELLO), answer.text
    assert cpu.received == []
    line = gateway.line_of(answer.headers["x-request-id"])
    assert line["tried"] == ["cutter", "lonely"]
    if path in ON_OLLAMA:  # else LiteLLM told it, as status 503
        assert line["reason"] == "engine_cuts"


@FORMS
def test_alone_it_is_a_503_that_says_why(
    gateway: Gateway, client: httpx.Client, cpu: OpenAIStub, stream: bool
) -> None:
    cpu.behaviours["cutter-alone"] = CUTS
    path = "/v1/chat/completions"
    answer = client.post(path, json={"model": "cutter-alone", **ASKED[path], "stream": stream})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (503, "engine_cuts")
    assert "would answer from a part of a long request" in error["message"]
    assert answer.headers["retry-after"] == "60"
    assert gateway.line_of(answer.headers["x-request-id"])["reason"] == "engine_cuts"


def test_vectors_of_a_part_are_none(client: httpx.Client, cpu: OpenAIStub) -> None:
    cpu.behaviours["cutter-embed"] = CUTS
    answer = client.post("/v1/embeddings", json={"model": "cutter-embed", "input": "hi"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "engine_cuts")
