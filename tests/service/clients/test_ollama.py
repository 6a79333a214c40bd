"""Ollama's Python package, whichever engine has the model."""

from __future__ import annotations

import json

import pytest

from client_workers import Worker
from openai_stub import Behaviour, OpenAIStub

from .conftest import CONTEXT, SAID_BY_CPU, WORDS, break_off

CHAT_MODELS = pytest.mark.parametrize("model", ["gpu-chat", "cpu-chat"])


def is_said(text: str, model: str) -> bool:
    """Tell whether a text is a whole answer of a model."""
    return text == SAID_BY_CPU if model == "cpu-chat" else len(text.split()) == WORDS


@CHAT_MODELS
def test_a_chat_is_answered(python: Worker, cpu: OpenAIStub, model: str) -> None:
    answer = python.call("ollama_sdk.chat", model=model)
    assert is_said(answer["message"]["content"], model), answer
    assert (answer["model"], answer["done"], answer["done_reason"]) == (model, True, "stop")
    assert answer["eval_count"] > 0


@CHAT_MODELS
def test_a_chat_comes_as_a_stream(python: Worker, cpu: OpenAIStub, model: str) -> None:
    pieces = python.call("ollama_sdk.chat_stream", model=model)
    assert is_said("".join(piece["message"]["content"] for piece in pieces), model), pieces
    assert [piece["done"] for piece in pieces] == [False] * (len(pieces) - 1) + [True]
    assert pieces[-1]["done_reason"] == "stop"


@CHAT_MODELS
def test_a_text_goes_on(python: Worker, cpu: OpenAIStub, model: str) -> None:
    assert is_said(python.call("ollama_sdk.generate", model=model)["response"], model)
    pieces = python.call("ollama_sdk.generate_stream", model=model)
    assert is_said("".join(piece["response"] for piece in pieces), model), pieces
    assert pieces[-1]["done_reason"] == "stop"


def test_options_reach_a_model_of_the_gpu(python: Worker) -> None:
    answer = python.call("ollama_sdk.chat", model="gpu-chat", options={"num_predict": 3})
    assert len(answer["message"]["content"].split()) == 3
    assert answer["done_reason"] == "length"


def test_the_result_of_a_tool_is_read(python: Worker) -> None:
    answer = python.call("ollama_sdk.tools", model="gpu-chat")
    assert is_said(answer["message"]["content"], "gpu-chat")


def test_an_answer_has_the_form_that_was_asked_for(python: Worker) -> None:
    assert json.loads(python.call("ollama_sdk.structured", model="gpu-chat")) == {"city": "word"}


@pytest.mark.parametrize("model", ["gpu-embed", "cpu-embed"])
def test_texts_become_vectors(python: Worker, model: str) -> None:
    sizes = python.call("ollama_sdk.embed", model=model, texts=["one", "two words"])
    assert len(sizes) == 2
    assert sizes[0] == sizes[1] > 0
    assert python.call("ollama_sdk.embed", model=model, texts="one") == sizes[:1]
    assert python.call("ollama_sdk.embeddings", model=model) == sizes[0]


def test_models_of_every_engine_are_listed(python: Worker) -> None:
    names = set(python.call("ollama_sdk.names"))
    assert names >= {"gpu-chat", "cpu-chat", "gpu-embed", "cpu-embed"}
    assert isinstance(python.call("ollama_sdk.running"), list)


def test_a_model_of_the_gpu_is_shown(python: Worker) -> None:
    shown = python.call("ollama_sdk.show", model="gpu-chat")
    assert {"completion", "tools"} <= set(shown["capabilities"])
    lengths = [value for key, value in shown["modelinfo"].items() if "context_length" in key]
    assert lengths == [CONTEXT]


@pytest.mark.parametrize("call", ["pull", "delete", "push"])
def test_models_are_not_changed_here(python: Worker, call: str) -> None:
    error = python.call("ollama_sdk.refused", call=call, model="gpu-chat")
    assert error["name"] == "ResponseError"
    assert error["status"] >= 400
    assert "models" in error["text"]


@pytest.mark.parametrize(
    ("call", "asked", "status"),
    [
        ("chat", {"model": "nothing", "messages": []}, 404),
        ("show", {"model": "nothing"}, 404),
        ("list", {"key": "sk-x"}, 401),
        ("chat", {"model": "gpu-embed", "messages": []}, 400),
    ],
)
def test_refusals_are_the_clients_own_exceptions(
    python: Worker, call: str, asked: dict[str, object], status: int
) -> None:
    error = python.call("ollama_sdk.refused", call=call, **asked)
    assert (error["name"], error["status"]) == ("ResponseError", status)
    assert not error["text"].startswith("{"), "the sentence, not the body"


def test_a_model_that_is_away(python: Worker, cpu: OpenAIStub) -> None:
    cpu.behaviours["cpu-alone"] = Behaviour(status=503)
    error = python.call("ollama_sdk.refused", call="generate", model="cpu-alone", prompt="hi")
    assert (error["name"], error["status"]) == ("ResponseError", 503)


def test_a_broken_stream_raises(python: Worker, cpu: OpenAIStub) -> None:
    break_off(cpu, 2)
    error = python.call("ollama_sdk.broken_stream", model="gpu-bare")
    assert error["name"] == "ResponseError"
    assert "interrupted" in error["text"]
