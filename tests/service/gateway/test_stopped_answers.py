"""An answer that does not come to its end is logged and counted as far as it went."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from every_dialect import ASKED
from gateway_process import Gateway
from openai_stub import Behaviour, OpenAIStub

HEARD = 4
LONG_PROMPT = "word " * 200
LONG: dict[str, dict[str, Any]] = {
    path: {key: LONG_PROMPT if key in ("prompt", "input") else told for key, told in body.items()}
    | ({"messages": [{"role": "user", "content": LONG_PROMPT}]} if "messages" in body else {})
    for path, body in ASKED.items()
}


TOLD_FIRST = ("lonely", "/v1/messages")
"""Where an engine counts the prompt before it answers."""


@pytest.mark.parametrize("path", ASKED)
@pytest.mark.parametrize(
    ("model", "engine"), [("lonely", "vllm"), ("cpu-alone", "ollama"), ("cloud", "openai")]
)
def test_one_that_its_client_stopped(
    gateway: Gateway, client: httpx.Client, gpu: OpenAIStub, cpu: OpenAIStub, cloud: OpenAIStub,
    path: str, model: str, engine: str,
) -> None:  # fmt: skip
    for stub in (gpu, cpu, cloud):
        names = (model, f"{model}-at-provider")
        stub.behaviours |= dict.fromkeys(
            names, Behaviour(words=("word ",) * 400, between_tokens_s=0.05)
        )
    with client.stream("POST", path, json={"model": model, **LONG[path], "stream": True}) as answer:
        heard = ""
        for piece in answer.iter_text():
            heard += piece
            if heard.count('"word ') >= HEARD:
                break
    line = gateway.line_of(answer.headers["x-request-id"])
    assert (line["status"], line["served"], line["engine"]) == (499, model, engine)
    assert HEARD <= line["tokens_out"] < HEARD + 10
    if (model, path) == TOLD_FIRST:
        assert line["tokens_in"] == 1
    else:
        assert 200 <= line["tokens_in"] < 400, "about as many as words"
    assert line["tokens_estimated"] is True


@pytest.mark.parametrize("path", ASKED)
def test_one_that_its_engine_broke_off(
    gateway: Gateway, client: httpx.Client, gpu: OpenAIStub, path: str
) -> None:
    gpu.behaviours["lonely"] = Behaviour(
        words=("word ",) * 9, dies_after_words=8, between_tokens_s=0.02
    )
    answer = client.post(path, json={"model": "lonely", **LONG[path], "stream": True})
    line = gateway.line_of(answer.headers["x-request-id"])
    assert line["error"] == "answer_interrupted"
    assert HEARD <= line["tokens_out"] <= 8
    assert line["tokens_estimated"] is True


def test_one_that_came_to_its_end_is_not_estimated(
    gateway: Gateway, client: httpx.Client, gpu: OpenAIStub
) -> None:
    body = {"model": "lonely", **ASKED["/v1/chat/completions"], "stream": True}
    answer = client.post("/v1/chat/completions", json=body)
    assert "tokens_estimated" not in gateway.line_of(answer.headers["x-request-id"])
