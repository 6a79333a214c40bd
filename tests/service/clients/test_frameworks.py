"""LangChain, OpenAI's agents, Pydantic AI, and packages of other providers, unchanged."""

from __future__ import annotations

import pytest

from client_workers import Worker
from openai_stub import OpenAIStub

from .conftest import SAID_BY_CPU, WORDS

TEXTS = ["rain", "the sun shines", "snow falls"]


def test_langchain_chats(python: Worker) -> None:
    told = python.call("frameworks.langchain_chat", model="gpu-chat")
    assert len(told["text"].split()) == len(told["streamed"].split()) == WORDS
    assert told["calls"] == ["weather"]


def test_langchains_own_tokens_are_served_where_the_engine_can(python: Worker) -> None:
    sizes = python.call("frameworks.langchain_embeddings", model="gpu-embed")
    assert len(sizes) == 2
    assert sizes[0] == sizes[1] > 0


def test_elsewhere_langchain_is_told_how_to_send_text(python: Worker, cpu: OpenAIStub) -> None:
    error = python.call("frameworks.langchain_embeddings_refused", model="cpu-embed")
    assert (error["name"], error["status"]) == ("BadRequestError", 400)
    assert "check_embedding_ctx_length=False" in error["text"]
    assert error["param"] == "input"
    assert cpu.received == []
    sizes = python.call(
        "frameworks.langchain_embeddings", model="cpu-embed", check_embedding_ctx_length=False
    )
    assert len(sizes) == 2


def test_an_agent_of_openais_calls_its_tool(python: Worker) -> None:
    told = python.call("frameworks.agent", model="gpu-chat")
    assert told["kinds"] == ["tool_call_item", "tool_call_output_item", "message_output_item"]
    assert len(told["text"].split()) == WORDS


@pytest.mark.parametrize("dialect", ["chat", "responses", "messages"])
def test_pydantic_ai_asks_in_every_dialect(python: Worker, dialect: str) -> None:
    assert len(python.call(f"frameworks.pydantic_{dialect}", model="gpu-chat").split()) == WORDS
    assert python.call(f"frameworks.pydantic_{dialect}", model="cpu-chat") == SAID_BY_CPU


def test_pydantic_ai_gets_the_form_that_it_asked_for(python: Worker) -> None:
    assert python.call("frameworks.pydantic_structured", model="gpu-chat") == "word"


@pytest.mark.parametrize("model", ["gpu-chat", "cpu-chat"])
def test_mistrals_client_chats(python: Worker, model: str) -> None:
    told = python.call("other_sdks.mistral", model=model)
    assert len(told["text"].split()) == len(told["streamed"].split()) >= 4


def test_mistrals_client_lists_models(python: Worker) -> None:
    assert {"gpu-chat", "cpu-chat"} <= set(python.call("other_sdks.mistral_models"))


def test_mistrals_client_calls_a_tool(python: Worker) -> None:
    assert python.call("other_sdks.mistral_tools", model="gpu-chat") == ["weather"]


def test_mistrals_client_embeds(python: Worker) -> None:
    sizes = python.call("other_sdks.mistral_embed", model="gpu-embed")
    assert len(sizes) == 2
    assert sizes[0] == sizes[1] > 0


@pytest.mark.parametrize("version", [1, 2])
def test_coheres_client_reranks(python: Worker, version: int) -> None:
    asked = {"model": "gpu-rank", "query": "weather", "documents": TEXTS}
    ranked = python.call("other_sdks.cohere_rerank", version=version, **asked)
    assert len(ranked) == 2, "the two best"
    assert ranked[0][1] >= ranked[1][1]
    assert {index for index, _ in ranked} < {0, 1, 2}


def test_litellms_client_reranks(litellm: Worker) -> None:
    asked = {"model": "gpu-rank", "query": "weather", "documents": TEXTS}
    ranked = litellm.call("other_sdks.litellm_rerank", **asked)
    assert sorted(index for index, _ in ranked) == [0, 1, 2]


def test_litellms_client_chats(litellm: Worker) -> None:
    told = litellm.call("other_sdks.litellm", model="gpu-chat")
    assert len(told["text"].split()) == len(told["streamed"].split()) == WORDS


def test_litellms_client_raises_its_own_exception(litellm: Worker) -> None:
    error = litellm.call("other_sdks.litellm_refused", model="nothing")
    assert (error["name"], error["status"]) == ("NotFoundError", 404)
