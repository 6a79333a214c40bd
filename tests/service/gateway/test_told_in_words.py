"""What a person reads where a client shows our words: refusals whole, and who answered."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from every_dialect import ASKED
from gateway_process import Gateway, events
from openai_stub import Behaviour, OpenAIStub

CHAT = "/v1/chat/completions"
HI = [{"role": "user", "content": "hi"}]
DOWN = Behaviour(status=503)
FORMS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
TOO_LONG = Behaviour(status=400, message="This model's maximum context length is 10 tokens")
REFUSED: dict[str, tuple[str, str, dict[str, Behaviour], int, str]] = {
    "wrong-key": ("wrong", "lonely", {}, 401, "The API key is not known here."),
    "not-allowed": (
        "narrow", "lonely", {}, 404,
        "The model 'lonely' does not exist or you do not have access to it.",
    ),
    "wrong-kind": (
        "free", "minilm", {}, 400,
        "The model 'minilm' is of kind embedding, which this route does not serve.",
    ),
    "too-long": (
        "free", "lonely", {"lonely": TOO_LONG}, 400,
        "The request is longer than the maximum context length of 'lonely'. "
        "This model's maximum context length is 10 tokens",
    ),
    "away": (
        "free", "lonely", {"lonely": DOWN}, 503,
        "The model 'lonely' and its fallbacks cannot answer right now.",
    ),
    "engines-own": (
        "free", "lonely", {"lonely": Behaviour(status=400, message="'x' must not be")}, 400,
        "'x' must not be",
    ),
}  # fmt: skip


def ask(gateway: Gateway, app: str, model: str, **more: Any) -> httpx.Response:
    headers = {"authorization": f"Bearer sk-synapse-{app}"}
    body = {"model": model, "messages": HI, **more}
    return httpx.post(gateway.url + CHAT, json=body, headers=headers, timeout=30)


@FORMS
@pytest.mark.parametrize("kind", REFUSED)
def test_a_refusal_stands_where_clients_look_for_words(
    gateway: Gateway, gpu: OpenAIStub, kind: str, stream: bool
) -> None:
    app, model, behaviours, status, sentence = REFUSED[kind]
    gpu.behaviours |= behaviours
    answer = ask(gateway, app, model, stream=stream)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.json()["error"]["message"].startswith(sentence)


def test_a_limit_does_too(gateway: Gateway, gpu: OpenAIStub) -> None:
    for _ in range(3):
        answer = ask(gateway, "counted", "lonely", stream=True)
    assert answer.status_code == 429
    seconds = answer.headers["retry-after"]
    sentence = f"The limit of 2 requests per minute is used up. Try again in {seconds} s."
    assert answer.json()["error"]["message"] == sentence


@pytest.mark.parametrize("model", ["lonely", "cpu-alone"])
def test_a_broken_stream_says_so_in_its_last_event(
    gateway: Gateway, gpu: OpenAIStub, cpu: OpenAIStub, model: str
) -> None:
    broken = Behaviour(words=("a", " b", " c"), dies_after_words=3, between_tokens_s=0.02)
    gpu.behaviours[model] = cpu.behaviours[model] = broken
    answer = ask(gateway, "free", model, stream=True)
    *said, last = events(answer.text)
    assert any(event["choices"][0]["delta"].get("content") for event in said)
    sentence = f"The answer of the model '{model}' was interrupted and is incomplete."
    assert last["error"]["message"] == sentence
    assert "[DONE]" not in answer.text


@FORMS
@pytest.mark.parametrize("path", ASKED)
@pytest.mark.parametrize(("asked", "serves"), [("pair", "lonely"), ("cpu-pair", "lonely")])
def test_a_fallback_names_itself_in_its_answer(
    client: httpx.Client, gpu: OpenAIStub, cpu: OpenAIStub, path: str, stream: bool, asked: str,
    serves: str,
) -> None:  # fmt: skip
    gpu.behaviours[asked] = cpu.behaviours[asked] = DOWN
    answer = client.post(path, json={"model": asked, **ASKED[path], "stream": stream})
    assert answer.status_code == 200, answer.text
    assert names_in(answer) == {serves}


def names_in(answer: httpx.Response) -> set[str]:
    """Return every model that an answer says wrote it."""
    if answer.headers["content-type"].startswith("text/event-stream"):
        told = [event for event in events(answer.text) if event != "[DONE]"]
    else:
        told = [httpx.Response(200, text=line).json() for line in answer.text.splitlines()]
    inner = [each.get("response") or each.get("message") for each in told]
    every = [*told, *(each for each in inner if isinstance(each, dict))]
    return {each["model"] for each in every if "model" in each}
