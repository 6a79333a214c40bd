"""What is wrong, as the exception that a client has for it, with the parameter's name."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest

from client_workers import Worker
from openai_stub import Behaviour, OpenAIStub

TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
NO_SUCH_TOOL = {"type": "function", "function": {"name": "nothing"}}
HI = [{"role": "user", "content": "hi"}]
DATA = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
URL = f"data:image/png;base64,{DATA}"
CHAT_PICTURE = [{"type": "text", "text": "what?"}, {"type": "image_url", "image_url": {"url": URL}}]
PICTURE_OF_A_URL = [{"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}}]
SOURCE = {"type": "base64", "media_type": "image/png", "data": DATA}
WITH_A_PICTURE: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": [{"role": "user", "content": CHAT_PICTURE}]},
    "/v1/responses": {
        "input": [{"role": "user", "content": [{"type": "input_image", "image_url": URL}]}]
    },
    "/v1/messages": {
        "max_tokens": 9,
        "messages": [{"role": "user", "content": [{"type": "image", "source": SOURCE}]}],
    },
    "/api/chat": {"messages": [{"role": "user", "content": "what?", "images": [DATA]}]},
    "/api/generate": {"prompt": "what?", "images": [DATA]},
}


def refused(python: Worker, **asked: Any) -> Any:
    return python.call("openai_sdk.refused", **asked)


def test_a_wrong_key(python: Worker) -> None:
    error = refused(python, model="gpu-chat", key="sk-x")
    assert (error["name"], error["status"]) == ("AuthenticationError", 401)
    assert error["code"] == "invalid_api_key"


def test_an_unknown_model(python: Worker) -> None:
    error = refused(python, model="nothing")
    assert (error["name"], error["status"]) == ("NotFoundError", 404)
    assert (error["code"], error["param"]) == ("model_not_found", "model")


def test_a_model_that_this_application_may_not_use(python: Worker) -> None:
    error = refused(python, model="gpu-chat", key="sk-synapse-narrow")
    assert error["name"] in ("PermissionDeniedError", "NotFoundError")
    assert "gpu-chat" in error["text"]


@pytest.mark.parametrize(
    ("param", "value"),
    [
        ("temperature", "hot"),
        ("max_tokens", -1),
        ("max_completion_tokens", 0),
        ("n", 10_000),
        ("top_logprobs", 500),
        ("stream", "yes"),
    ],
)
@pytest.mark.parametrize("model", ["gpu-chat", "cpu-chat"])
def test_a_value_that_makes_no_sense_is_named(
    python: Worker, cpu: OpenAIStub, model: str, param: str, value: Any
) -> None:
    error = refused(python, model=model, extra_body={param: value})
    assert (error["name"], error["param"]) == ("BadRequestError", param)
    assert param in error["text"]
    assert cpu.received == []


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("/v1/embeddings", {"model": "gpu-embed", "input": "x", "encoding_format": "bogus"},
         "encoding_format"),
        ("/v1/embeddings", {"model": "cpu-embed", "input": "x", "encoding_format": "bogus"},
         "encoding_format"),
        ("/v1/responses", {"model": "gpu-chat", "input": "x", "max_output_tokens": -1},
         "max_output_tokens"),
        ("/v1/responses", {"model": "gpu-chat", "input": "x", "temperature": "hot"},
         "temperature"),
        ("/v1/rerank", {"model": "gpu-rank", "query": "x", "documents": "y"}, "documents"),
        ("/v1/completions", {"model": "gpu-chat", "prompt": "x", "max_tokens": "5"},
         "max_tokens"),
    ],
)  # fmt: skip
def test_every_route_names_the_parameter(
    http: httpx.Client, path: str, body: dict[str, Any], param: str
) -> None:
    answer = http.post(path, json=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["param"] == param
    assert param in answer.json()["error"]["message"]


def test_a_limit_says_when_to_ask_again(python: Worker) -> None:
    asked = {"model": "gpu-chat", "key": "sk-synapse-counted"}
    errors = []
    for _ in range(2):
        try:
            errors.append(refused(python, **asked))
        except AssertionError:  # the first is answered
            continue
    assert errors
    assert (errors[-1]["name"], errors[-1]["status"]) == ("RateLimitError", 429)
    assert int(errors[-1]["retry_after"]) >= 1


def test_a_model_that_is_away_says_when_to_ask_again(python: Worker, cpu: OpenAIStub) -> None:
    cpu.behaviours["cpu-alone"] = Behaviour(status=503)
    error = refused(python, model="cpu-alone")
    assert (error["name"], error["status"]) == ("InternalServerError", 503)
    assert error["code"] == "model_unavailable"
    assert int(error["retry_after"]) >= 1


def test_what_the_asked_model_refuses_no_other_one_answers(python: Worker, cpu: OpenAIStub) -> None:
    asked = {"tools": [TOOL], "tool_choice": NO_SUCH_TOOL}
    error = refused(python, model="gpu-chat", **asked)
    assert (error["name"], error["param"]) == ("BadRequestError", "tool_choice")
    assert "does not match any of the specified `tools`" in error["text"], "the engine's reason"
    assert cpu.received == [], "its fallback would have answered"


def test_an_engine_that_lacks_a_parser_is_no_reason_to_fall_back(
    python: Worker, cpu: OpenAIStub
) -> None:
    why = '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'
    cpu.behaviours["gpu-bare"] = Behaviour(status=400, message=why)
    error = refused(python, model="gpu-bare", tools=[TOOL])
    assert error["name"] == "BadRequestError"
    assert "--tool-call-parser" in error["text"]
    assert [each.body["model"] for each in cpu.received] == ["gpu-bare"]


@pytest.mark.parametrize("model", ["gpu-chat", "cpu-chat"])
@pytest.mark.parametrize("path", WITH_A_PICTURE)
def test_a_picture_never_reaches_a_model_that_cannot_see(
    http: httpx.Client, cpu: OpenAIStub, path: str, model: str
) -> None:
    answer = http.post(path, json={"model": model, **WITH_A_PICTURE[path]})
    assert answer.status_code == 400, answer.text
    assert model in answer.text
    assert "picture" in answer.text or "see" in answer.text
    assert cpu.received == []


def test_a_picture_reaches_a_model_that_sees(http: httpx.Client, cpu: OpenAIStub) -> None:
    body = {"model": "cpu-sees", "messages": [{"role": "user", "content": CHAT_PICTURE}]}
    answer = http.post("/v1/chat/completions", json=body)
    assert answer.status_code == 200, answer.text
    assert DATA in str(cpu.received[-1].body)


def test_a_picture_elsewhere_has_to_be_sent_as_data(http: httpx.Client, cpu: OpenAIStub) -> None:
    body = {"model": "cpu-sees", "messages": [{"role": "user", "content": PICTURE_OF_A_URL}]}
    answer = http.post("/v1/chat/completions", json=body)
    assert answer.status_code == 400, answer.text
    assert "data:" in answer.json()["error"]["message"]
    assert cpu.received == []


@pytest.mark.parametrize(("param", "value"), [("n", 2), ("tool_choice", "required")])
def test_what_ollama_cannot_do_is_refused_by_name(
    http: httpx.Client, cpu: OpenAIStub, param: str, value: Any
) -> None:
    body = {"model": "cpu-alone", "messages": HI, "tools": [TOOL], param: value}
    answer = http.post("/v1/chat/completions", json=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["param"] == param
    assert cpu.received == []
