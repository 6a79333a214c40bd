"""Anthropic's Python package before a model of the GPU and one of the CPU."""

from __future__ import annotations

from typing import Any

import pytest

from client_workers import Worker
from openai_stub import Behaviour, OpenAIStub

from .conftest import SAID_BY_CPU, WORDS, break_off


def test_a_message_is_answered(python: Worker) -> None:
    answer = python.call("anthropic_sdk.message", model="gpu-chat")
    assert [block["type"] for block in answer["content"]] == ["text"]
    assert len(answer["content"][0]["text"].split()) == WORDS
    assert (answer["type"], answer["role"], answer["model"]) == ("message", "assistant", "gpu-chat")
    assert answer["stop_reason"] == "end_turn"
    assert answer["usage"]["output_tokens"] == WORDS


def test_a_stream_says_what_a_whole_message_says(python: Worker) -> None:
    told = python.call("anthropic_sdk.message_stream", model="gpu-chat")
    assert told["kinds"][0] == "message_start"
    assert told["kinds"][-1] == "message_stop"
    assert len(told["whole"]["content"][0]["text"].split()) == WORDS
    assert told["whole"]["stop_reason"] == "end_turn"


def test_a_tool_is_called_and_its_result_is_read(python: Worker) -> None:
    told = python.call("anthropic_sdk.tools", model="gpu-chat")
    assert told["calls"] == [["weather", {"city": "word"}]]
    assert told["reason"] == "tool_use"
    assert len(told["text"].split()) == WORDS


def test_tokens_are_counted(python: Worker) -> None:
    few = python.call("anthropic_sdk.count", model="gpu-chat", words="one two")
    many = python.call("anthropic_sdk.count", model="gpu-chat", words="one two three four")
    assert many == few + 2


def test_models_are_listed(python: Worker) -> None:
    assert {"gpu-chat", "cpu-chat"} <= set(python.call("anthropic_sdk.models"))


def test_thinking_and_a_beta_are_no_hindrance(python: Worker) -> None:
    answer = python.call("anthropic_sdk.thinking", model="gpu-chat")
    assert answer["stop_reason"] == "end_turn"


def test_a_model_of_the_cpu_answers_too(python: Worker, cpu: OpenAIStub) -> None:
    answer = python.call("anthropic_sdk.message", model="cpu-chat")
    assert answer["content"][0]["text"] == SAID_BY_CPU
    told = python.call("anthropic_sdk.message_stream", model="cpu-chat")
    assert told["whole"]["content"][0]["text"] == SAID_BY_CPU


def test_a_broken_stream_raises(python: Worker, cpu: OpenAIStub) -> None:
    break_off(cpu, 4)
    error = python.call("anthropic_sdk.broken_stream", model="gpu-bare")
    assert error["name"] == "APIStatusError"
    assert "interrupted" in error["text"]


@pytest.mark.parametrize(
    ("asked", "name", "kind"),
    [
        ({"model": "nothing"}, "NotFoundError", "not_found_error"),
        ({"model": "gpu-chat", "key": "sk-x"}, "AuthenticationError", "authentication_error"),
        (
            {"model": "gpu-chat", "extra_body": {"temperature": "hot"}},
            "BadRequestError",
            "invalid_request_error",
        ),
    ],
)
def test_refusals_are_the_clients_own_exceptions(
    python: Worker, asked: dict[str, Any], name: str, kind: str
) -> None:
    error = python.call("anthropic_sdk.refused", **asked)
    assert error["name"] == name
    assert error["body"]["type"] == "error"
    assert error["body"]["error"]["type"] == kind
    assert error["body"]["error"]["message"]


def test_a_model_that_is_away_says_when_to_ask_again(python: Worker, cpu: OpenAIStub) -> None:
    cpu.behaviours["cpu-alone"] = Behaviour(status=503)
    error = python.call("anthropic_sdk.refused", model="cpu-alone")
    assert (error["name"], error["status"]) == ("ServiceUnavailableError", 503)
    assert int(error["retry_after"]) >= 1
    assert error["body"]["type"] == "error"
