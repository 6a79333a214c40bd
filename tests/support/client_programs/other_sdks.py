"""Packages of other providers that can be given an address: Mistral's, Cohere's, LiteLLM's."""

from __future__ import annotations

from typing import Any

from client_programs.common import CITY, KEY, URL, error_of, messages


def mistral(model: str) -> Any:
    """Ask Mistral's client whole and as a stream."""
    from mistralai.client import Mistral

    client = Mistral(api_key=KEY, server_url=URL)
    whole = client.chat.complete(model=model, messages=messages())
    stream = client.chat.stream(model=model, messages=messages())
    streamed = "".join(str(event.data.choices[0].delta.content or "") for event in stream)
    return {"text": whole.choices[0].message.content, "streamed": streamed}


def mistral_models() -> list[str]:
    """Return the names of the models; those of a type that is not Mistral's come as they are."""
    from mistralai.client import Mistral

    found = Mistral(api_key=KEY, server_url=URL).models.list()
    return [str(each.raw["id"] if hasattr(each, "raw") else each.id) for each in found.data or []]


def mistral_tools(model: str) -> list[str]:
    """Return the names of the tools that are called when one has to be."""
    from mistralai.client import Mistral

    function: Any = {"name": "weather", "parameters": CITY}
    answer = Mistral(api_key=KEY, server_url=URL).chat.complete(
        model=model,
        messages=messages(),
        tools=[{"type": "function", "function": function}],
        tool_choice="required",
    )
    return [call.function.name for call in answer.choices[0].message.tool_calls or []]


def mistral_embed(model: str) -> list[int]:
    """Return the sizes of the vectors."""
    from mistralai.client import Mistral

    answer = Mistral(api_key=KEY, server_url=URL).embeddings.create(model=model, inputs=["a", "b"])
    return [len(each.embedding or []) for each in answer.data]


def cohere_rerank(model: str, query: str, documents: list[str], version: int) -> Any:
    """Sort documents with either of Cohere's clients: /v1/rerank, or /v2/rerank."""
    import cohere

    made = cohere.ClientV2 if version == 2 else cohere.Client
    client = made(api_key=KEY, base_url=URL)
    answer = client.rerank(model=model, query=query, documents=documents, top_n=2)
    return [(result.index, result.relevance_score) for result in answer.results]


def litellm(model: str) -> Any:
    """Ask LiteLLM's client whole and as a stream."""
    import litellm

    asked = {"model": f"openai/{model}", "api_base": f"{URL}/v1", "api_key": KEY}
    whole = litellm.completion(messages=messages(), **asked)
    stream = litellm.completion(messages=messages(), stream=True, **asked)
    streamed = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
    return {"text": whole.choices[0].message.content, "streamed": streamed}


def litellm_rerank(model: str, query: str, documents: list[str]) -> Any:
    """Sort documents through LiteLLM's way to vLLM."""
    import litellm

    answer = litellm.rerank(
        model=f"hosted_vllm/{model}",
        query=query,
        documents=documents,
        api_base=f"{URL}/v1/rerank",
        api_key=KEY,
    )
    return [(result["index"], result["relevance_score"]) for result in answer.results]


def litellm_refused(model: str) -> Any:
    """Return the exception of LiteLLM's client."""
    return error_of(lambda: litellm(model))
