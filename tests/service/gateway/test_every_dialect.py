"""In every dialect the same rules: what falls back, what is final, what is told and logged."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from every_dialect import ASKED, NEEDY, SHOWN, reason, words
from gateway_process import Gateway, until
from openai_stub import Behaviour, OpenAIStub

LIMIT_S = 10
HELLO = "Hello from the stub"
TOO_LONG = Behaviour(status=400, message="This model's maximum context length is 10 tokens")
EVERY = pytest.mark.parametrize("path", ASKED)
FORMS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


def ask(client: httpx.Client, path: str, model: str, **more: Any) -> httpx.Response:
    """Send a short request."""
    return client.post(path, json={"model": model, **ASKED[path], **more})


def asked(*stubs: OpenAIStub) -> list[str]:
    """Return the models that were asked."""
    return [each.body["model"] for stub in stubs for each in stub.received]


@EVERY
@FORMS
def test_a_mistake_is_told_with_the_engines_reason_and_never_answered_elsewhere(
    client: httpx.Client, gpu: OpenAIStub, path: str, stream: bool
) -> None:
    gpu.behaviours["pair"] = Behaviour(status=400, message="'n' must be 1")
    answer = ask(client, path, "pair", stream=stream)
    assert (answer.status_code, reason(answer)) == (400, "'n' must be 1")
    assert asked(gpu) == ["pair"]


@EVERY
@FORMS
def test_what_is_too_long_goes_to_the_fallback_with_room(
    gateway: Gateway, client: httpx.Client, gpu: OpenAIStub, path: str, stream: bool
) -> None:
    gpu.behaviours["small"] = TOO_LONG
    answer = ask(client, path, "small", stream=stream)
    assert (answer.status_code, words(answer)) == (200, HELLO), answer.text
    line = gateway.line_of(answer.headers["x-request-id"])
    assert (line["served"], line["reason"], line["tried"]) == (
        "roomy", "context", ["small", "roomy"],
    )  # fmt: skip
    assert asked(gpu) == ["small", "roomy"]


@EVERY
def test_what_is_too_long_for_all_is_told_in_words_that_clients_know(
    client: httpx.Client, gpu: OpenAIStub, path: str
) -> None:
    gpu.behaviours["pair"] = gpu.behaviours["lonely"] = TOO_LONG
    answer = ask(client, path, "pair")
    assert answer.status_code == 400
    assert "maximum context length" in reason(answer)
    assert "10 tokens" in reason(answer)


@pytest.mark.parametrize("path", SHOWN)
def test_a_picture_goes_to_a_fallback_that_sees_and_to_no_other(
    client: httpx.Client, gpu: OpenAIStub, path: str
) -> None:
    gpu.behaviours["sees"] = Behaviour(status=503)
    answer = client.post(path, json={"model": "sees", **SHOWN[path], "stream": False})
    assert (answer.status_code, words(answer)) == (200, HELLO), answer.text
    assert asked(gpu) == ["sees", "sees-too"]


@pytest.mark.parametrize("path", SHOWN)
@pytest.mark.parametrize("model", ["pair", "cpu", "cloud"])
def test_a_picture_is_refused_by_name_where_nobody_sees(
    client: httpx.Client, gpu: OpenAIStub, cpu: OpenAIStub, cloud: OpenAIStub, path: str, model: str
) -> None:
    answer = client.post(path, json={"model": model, **SHOWN[path]})
    assert answer.status_code == 400
    assert f"'{model}' cannot see pictures" in reason(answer)
    assert asked(gpu, cpu, cloud) == []


@pytest.mark.parametrize(
    ("path", "need"), [(path, need) for path, wants in NEEDY.items() for need in wants]
)
def test_what_needs_more_than_text_goes_to_no_fallback_that_lacks_it(
    client: httpx.Client, gpu: OpenAIStub, path: str, need: str
) -> None:
    gpu.behaviours["able"] = Behaviour(status=503)
    answer = ask(client, path, "able", stream=False, **NEEDY[path][need])
    assert (answer.status_code, asked(gpu)) == (200, ["able", "able-too"]), answer.text


@EVERY
def test_a_silent_engine_is_replaced_also_after_the_client_was_kept_waiting(
    gateway: Gateway, client: httpx.Client, gpu: OpenAIStub, path: str
) -> None:
    gpu.behaviours["pair"] = Behaviour(hangs=True)
    answer = ask(client, path, "pair", stream=True)
    pinged = answer.headers["content-type"].startswith("text/event-stream")
    assert (": ping" in answer.text) == pinged, "Ollama's lines know no comments"
    assert (answer.status_code, words(answer)) == (200, HELLO), answer.text
    line = gateway.line_of(answer.headers["x-request-id"])
    assert (line["served"], line["reason"]) == ("lonely", "timeout")


@pytest.mark.parametrize("path", ["/v1/messages", "/api/chat"])
def test_an_engine_that_falls_silent_before_it_says_a_word_is_replaced(
    gateway: Gateway, client: httpx.Client, gpu: OpenAIStub, path: str
) -> None:
    gpu.behaviours["pair"] = Behaviour(hangs_after_words=0)
    answer = ask(client, path, "pair", stream=True)
    assert (answer.status_code, words(answer)) == (200, HELLO), answer.text
    assert gateway.line_of(answer.headers["x-request-id"])["served"] == "lonely"


@EVERY
def test_of_a_client_that_leaves_the_line_tells_who_served_and_how_much(
    gateway: Gateway, client: httpx.Client, gpu: OpenAIStub, path: str
) -> None:
    gpu.behaviours["pair"] = Behaviour(words=("word",) * 400, between_tokens_s=0.05)
    body = {"model": "pair", **ASKED[path], "stream": True}
    with client.stream("POST", path, json=body) as answer:
        text = ""
        for piece in answer.iter_text():
            text += piece
            if text.count("word") >= 3:
                break
    line = gateway.line_of(answer.headers["x-request-id"])
    assert (line["status"], line["served"], line["error"]) == (499, "pair", None)
    assert 3 <= line["tokens_out"] < 400
    until(lambda: gpu.abandoned == 1, LIMIT_S, lambda: "the engine still works")


@EVERY
def test_a_stream_that_breaks_off_ends_in_the_dialects_own_error(
    gateway: Gateway, client: httpx.Client, gpu: OpenAIStub, path: str
) -> None:
    gpu.behaviours["pair"] = Behaviour(dies_after_words=6, between_tokens_s=0.1, words=("x",) * 9)
    answer = ask(client, path, "pair", stream=True)
    last = answer.text.strip().splitlines()[-1]
    assert "was interrupted and is incomplete" in last
    assert "x" in words(answer)
    line = gateway.line_of(answer.headers["x-request-id"])
    assert (line["status"], line["served"], line["error"]) == (502, None, "answer_interrupted")
