"""JavaScript's clients: OpenAI's, Vercel's AI SDK, Ollama's, Anthropic's."""

from __future__ import annotations

import json

import pytest

from client_workers import Worker
from openai_stub import OpenAIStub

from .conftest import SAID_BY_CPU, WORDS, break_off

PROVIDERS = pytest.mark.parametrize("provider", ["openai", "compatible"])


def words(text: str) -> int:
    return len(text.split())


def test_openai_chats(javascript: Worker) -> None:
    assert words(javascript.call("openai.chat", model="gpu-chat")) == WORDS
    streamed = javascript.call("openai.chatStream", model="gpu-chat")
    assert words(streamed["message"]["content"]) == WORDS
    assert streamed["finish_reason"] == "stop"


def test_openai_calls_a_tool(javascript: Worker) -> None:
    called = javascript.call("openai.callTool", model="gpu-chat")
    assert called == [{"name": "weather", "arguments": '{"city": "word"}'}]


def test_openai_responds(javascript: Worker) -> None:
    assert words(javascript.call("openai.respond", model="gpu-chat")) == WORDS
    streamed = javascript.call("openai.respondStream", model="gpu-chat")
    assert streamed["kinds"][-1] == "response.completed"
    assert words(streamed["text"]) == WORDS


@pytest.mark.parametrize("model", ["gpu-embed", "cpu-embed"])
def test_openai_embeds(javascript: Worker, model: str) -> None:
    sizes = javascript.call("openai.embed", model=model)
    assert len(sizes) == 2
    assert sizes[0] == sizes[1] > 0


def test_openai_lists_models(javascript: Worker) -> None:
    assert {"gpu-chat", "cpu-chat"} <= set(javascript.call("openai.models"))


def test_openai_understands_refusals(javascript: Worker) -> None:
    unknown = javascript.call("openai.refused", model="nothing")
    assert (unknown["name"], unknown["status"]) == ("NotFoundError", 404)
    assert unknown["code"] == "model_not_found"
    stranger = javascript.call("openai.refused", model="gpu-chat", key="sk-x")
    assert (stranger["name"], stranger["status"]) == ("AuthenticationError", 401)


def test_openai_notices_a_broken_stream(javascript: Worker, cpu: OpenAIStub) -> None:
    break_off(cpu, 2)
    error = javascript.call("openai.brokenStream", model="gpu-bare")
    assert error["name"] == "APIError"
    assert "interrupted" in error["text"]


@PROVIDERS
def test_the_ai_sdk_generates(javascript: Worker, provider: str) -> None:
    text = javascript.call("ai-sdk.generate", provider=provider, model="gpu-chat")
    assert words(text) == WORDS
    streamed = javascript.call("ai-sdk.stream", provider=provider, model="gpu-chat")
    assert (words(streamed["text"]), streamed["reason"]) == (WORDS, "stop")


@PROVIDERS
def test_the_ai_sdk_calls_a_tool(javascript: Worker, provider: str) -> None:
    told = javascript.call("ai-sdk.callTool", provider=provider, model="gpu-chat")
    assert told == ["rain in word"]


@PROVIDERS
def test_the_ai_sdk_embeds(javascript: Worker, provider: str) -> None:
    sizes = javascript.call("ai-sdk.embed", provider=provider, model="gpu-embed")
    assert len(sizes) == 2
    assert sizes[0] == sizes[1] > 0


@PROVIDERS
def test_the_ai_sdk_understands_refusals(javascript: Worker, provider: str) -> None:
    error = javascript.call("ai-sdk.refused", provider=provider, model="nothing")
    assert error["status"] == 404
    assert "nothing" in error["text"]


@pytest.mark.parametrize("model", ["gpu-chat", "cpu-chat"])
def test_ollama_chats(javascript: Worker, cpu: OpenAIStub, model: str) -> None:
    text = javascript.call("ollama.chat", model=model)
    pieces = javascript.call("ollama.chatStream", model=model)
    streamed = "".join(piece["message"]["content"] for piece in pieces)
    assert words(text) == words(streamed) == (WORDS if model == "gpu-chat" else 4)
    assert pieces[-1]["done"] is True
    assert words(javascript.call("ollama.generate", model=model)) == words(text)


def test_ollama_gets_the_form_that_it_asked_for(javascript: Worker) -> None:
    assert json.loads(javascript.call("ollama.structured", model="gpu-chat")) == {"city": "word"}


def test_ollama_knows_the_models(javascript: Worker) -> None:
    assert {"gpu-chat", "cpu-chat"} <= set(javascript.call("ollama.names"))
    assert "completion" in javascript.call("ollama.show", model="gpu-chat")["capabilities"]


@pytest.mark.parametrize("model", ["gpu-embed", "cpu-embed"])
def test_ollama_embeds(javascript: Worker, model: str) -> None:
    sizes = javascript.call("ollama.embed", model=model)
    assert len(sizes) == 2
    assert sizes[0] == sizes[1] > 0


def test_ollama_understands_refusals(javascript: Worker) -> None:
    error = javascript.call("ollama.refused", model="nothing")
    assert (error["name"], error["status"]) == ("ResponseError", 404)


def test_anthropic_asks(javascript: Worker, cpu: OpenAIStub) -> None:
    whole = javascript.call("anthropic.message", model="gpu-chat")
    streamed = javascript.call("anthropic.messageStream", model="gpu-chat")
    for message in (whole, streamed):
        assert words(message["content"][0]["text"]) == WORDS
        assert message["stop_reason"] == "end_turn"
    assert javascript.call("anthropic.callTool", model="gpu-chat") == ["weather"]
    message = javascript.call("anthropic.message", model="cpu-chat")
    assert message["content"][0]["text"] == SAID_BY_CPU


def test_anthropic_understands_refusals(javascript: Worker) -> None:
    error = javascript.call("anthropic.refused", model="nothing")
    assert (error["name"], error["status"]) == ("NotFoundError", 404)
