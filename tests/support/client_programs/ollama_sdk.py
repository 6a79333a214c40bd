"""Ollama's Python package, with its defaults and a key in its headers."""

from __future__ import annotations

from typing import Any

import ollama
from client_programs.common import CITY, KEY, URL, error_of, messages

FUNCTION = {"name": "weather", "description": "Tells the weather.", "parameters": CITY}
TOOL: Any = {"type": "function", "function": FUNCTION}


def client(key: str = KEY) -> Any:
    """Return the client."""
    return ollama.Client(host=URL, headers={"Authorization": f"Bearer {key}"})


def names() -> list[str]:
    """Return the names of the models."""
    return [str(each.model) for each in client().list().models]


def show(model: str) -> Any:
    """Return what is told of a model."""
    return client().show(model).model_dump(mode="json")


def running() -> list[str]:
    """Return the names of the models that are loaded."""
    return [str(each.model) for each in client().ps().models]


def chat(model: str, **more: Any) -> Any:
    """Ask; return everything."""
    return client().chat(model=model, messages=messages(), **more).model_dump(mode="json")


def chat_stream(model: str) -> Any:
    """Ask for a stream; return its pieces."""
    stream = client().chat(model=model, messages=messages(), stream=True)
    return [piece.model_dump(mode="json") for piece in stream]


def tools(model: str) -> Any:
    """Offer the tool, tell of a call of it and its result, and return the answer to that."""
    call = {"function": {"name": "weather", "arguments": {"city": "Rome"}}}
    said: list[Any] = [
        *messages(),
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_name": "weather", "content": "rain"},
    ]
    return client().chat(model=model, messages=said, tools=[TOOL]).model_dump(mode="json")


def structured(model: str) -> str:
    """Ask for an answer of a form; return its text."""
    return client().chat(model=model, messages=messages(), format=CITY).message.content or ""


def generate(model: str, **more: Any) -> Any:
    """Let a text go on; return everything."""
    return client().generate(model=model, prompt="hi", **more).model_dump(mode="json")


def generate_stream(model: str) -> Any:
    """Let a text go on as a stream; return its pieces."""
    stream = client().generate(model=model, prompt="hi", stream=True)
    return [piece.model_dump(mode="json") for piece in stream]


def embed(model: str, texts: Any) -> list[int]:
    """Return the sizes of the vectors."""
    return [len(each) for each in client().embed(model=model, input=texts).embeddings]


def embeddings(model: str) -> int:
    """Return the size of a vector of the older call."""
    return len(client().embeddings(model=model, prompt="hi").embedding)


def refused(call: str, key: str = KEY, **given: Any) -> Any:
    """Return the exception of any of the client's calls."""
    return error_of(lambda: getattr(client(key), call)(**given))


def broken_stream(model: str) -> Any:
    """Return the exception of a stream that breaks off."""
    return error_of(lambda: chat_stream(model))
