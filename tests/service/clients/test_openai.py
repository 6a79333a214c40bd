"""OpenAI's Python package before a model of the GPU and one of the CPU."""

from __future__ import annotations

import pytest

from client_workers import Worker
from openai_stub import Behaviour, OpenAIStub

from .conftest import CONTEXT, SAID_BY_CPU, WORDS, break_off

CALLED = '{"city": "word"}'
CHAT_MODELS = pytest.mark.parametrize("model", ["gpu-chat", "cpu-chat", "assistant"])


@CHAT_MODELS
def test_a_chat_is_answered(python: Worker, model: str) -> None:
    answer = python.call("openai_sdk.chat", model=model)
    choice = answer["choices"][0]
    assert len(choice["message"]["content"].split()) >= 4
    assert choice["finish_reason"] == "stop"
    assert answer["model"] == {"assistant": "gpu-chat"}.get(model, model)
    assert answer["usage"]["total_tokens"] > 4


@CHAT_MODELS
def test_a_stream_says_what_a_whole_answer_says(python: Worker, model: str) -> None:
    whole = python.call("openai_sdk.chat", model=model, temperature=0)
    told = python.call("openai_sdk.chat_stream", model=model, temperature=0)
    streamed = told["whole"]["choices"][0]
    assert streamed["message"]["content"] == whole["choices"][0]["message"]["content"]
    assert streamed["finish_reason"] == "stop"
    assert told["kinds"].count("content.done") == 1


def test_a_tool_is_called_and_its_result_is_read(python: Worker) -> None:
    told = python.call("openai_sdk.tools", model="gpu-chat")
    assert told["calls"] == [{"name": "weather", "arguments": CALLED}]
    assert told["reason"] in ("stop", "tool_calls"), "vLLM says stop for a tool that is named"
    assert len(told["text"].split()) == WORDS


def test_a_tool_is_called_in_a_stream(python: Worker) -> None:
    told = python.call("openai_sdk.chat_stream_with_tools", model="gpu-chat")
    (call,) = told["message"]["tool_calls"]
    assert (call["function"]["name"], call["function"]["arguments"]) == ("weather", CALLED)
    assert told["finish_reason"] == "tool_calls"


def test_a_chat_has_the_form_that_was_asked_for(python: Worker) -> None:
    assert python.call("openai_sdk.parse", model="gpu-chat") == {"city": "word"}


def test_a_text_goes_on(python: Worker) -> None:
    assert len(python.call("openai_sdk.completion", model="gpu-chat").split()) == 5


def test_two_choices_both_end(python: Worker) -> None:
    told = python.call("openai_sdk.chat_stream", model="gpu-chat", n=2)
    reasons = [choice["finish_reason"] for choice in told["whole"]["choices"]]
    assert reasons == ["stop", "stop"]


def test_a_response_is_answered(python: Worker) -> None:
    answer = python.call("openai_sdk.respond", model="gpu-chat")
    assert answer["status"] == "completed"
    assert len(answer["text"].split()) == WORDS
    assert answer["model"] == "gpu-chat"
    assert answer["usage"]["output_tokens"] == WORDS


def test_a_response_comes_as_a_stream(python: Worker) -> None:
    told = python.call("openai_sdk.respond_stream", model="gpu-chat")
    assert told["kinds"][0] == "response.created"
    assert told["kinds"][-1] == "response.completed"
    assert told["kinds"].count("response.output_text.delta") == WORDS
    assert len(told["text"].split()) == WORDS


def test_a_response_calls_a_tool_and_reads_its_result(python: Worker) -> None:
    told = python.call("openai_sdk.respond_with_tools", model="gpu-chat")
    assert told["calls"] == [["weather", CALLED]]
    assert len(told["text"].split()) == WORDS


def test_a_response_has_the_form_that_was_asked_for(python: Worker) -> None:
    assert python.call("openai_sdk.respond_parsed", model="gpu-chat") == "word"


def test_a_model_of_the_cpu_answers_responses_too(python: Worker, cpu: OpenAIStub) -> None:
    assert python.call("openai_sdk.respond", model="cpu-chat")["text"] == SAID_BY_CPU
    assert python.call("openai_sdk.respond_stream", model="cpu-chat")["text"] == SAID_BY_CPU


@pytest.mark.parametrize("model", ["gpu-chat", "cpu-chat"])
def test_a_response_that_its_limit_ended_does_not_say_that_it_is_complete(
    python: Worker, cpu: OpenAIStub, model: str
) -> None:
    cpu.behaviours["cpu-chat"] = Behaviour(finish_reason="length")
    answer = python.call("openai_sdk.respond", model=model, max_output_tokens=4)
    assert answer["status"] == "incomplete"
    assert answer["incomplete_details"]["reason"] == "max_output_tokens"


@pytest.mark.parametrize("model", ["gpu-chat", "cpu-chat"])
def test_a_response_that_nobody_stored_is_not_gone_on_with(python: Worker, model: str) -> None:
    """Answered without what it follows on, it would be an answer to another question."""
    error = python.call("openai_sdk.respond_refused", model=model, previous_response_id="resp_1")
    assert error["status"] in (400, 404)
    assert "resp_1" in error["text"] or "previous_response_id" in error["text"]


@pytest.mark.parametrize("model", ["gpu-embed", "cpu-embed"])
def test_texts_become_vectors(python: Worker, model: str) -> None:
    """The package asks for base64 unless it is told otherwise."""
    sizes = python.call("openai_sdk.embed", model=model, texts=["one", "two words"])
    assert len(sizes) == 2
    assert sizes[0] == sizes[1] > 0
    floats = python.call("openai_sdk.embed", model=model, texts="one", encoding_format="float")
    assert floats == sizes[:1]


def test_models_are_listed(python: Worker) -> None:
    names = {model["id"] for model in python.call("openai_sdk.models")}
    assert names >= {"gpu-chat", "cpu-chat", "assistant", "gpu-embed", "gpu-rank"}
    one = python.call("openai_sdk.described", model="gpu-chat")
    assert (one["id"], one["owned_by"]) == ("gpu-chat", "vllm")
    assert one["context_length"] == CONTEXT


@pytest.mark.parametrize(("dialect", "pieces"), [("chat", 2), ("responses", 6)])
def test_a_broken_stream_raises(python: Worker, cpu: OpenAIStub, dialect: str, pieces: int) -> None:
    break_off(cpu, pieces)
    error = python.call("openai_sdk.broken_stream", model="gpu-bare", dialect=dialect)
    assert error["name"] == "APIError"
    assert error["code"] == "answer_interrupted"
