"""Anthropic's Python package, with its defaults."""

from __future__ import annotations

from typing import Any

import anthropic

from client_programs.common import CITY, KEY, URL, error_of, messages

TOOL: Any = {"name": "weather", "description": "Tells the weather.", "input_schema": CITY}
LIMIT = 100


def client(**more: Any) -> Any:
    """Return the client; it does not ask again, so that a test sees the first answer."""
    given = {"api_key": KEY, **more}
    return anthropic.Anthropic(base_url=URL, max_retries=0, **given)


def message(model: str, **more: Any) -> Any:
    """Ask; return everything."""
    body: dict[str, Any] = {"max_tokens": LIMIT, "messages": messages(), **more}
    return client().messages.create(model=model, **body).model_dump()


def message_stream(model: str) -> Any:
    """Ask for a stream through the helper that adds it up."""
    with client().messages.stream(model=model, max_tokens=LIMIT, messages=messages()) as stream:
        kinds = [event.type for event in stream]
        return {"kinds": kinds, "whole": stream.get_final_message().model_dump()}


def tools(model: str) -> Any:
    """Let the tool be called, give its result, and return the calls and the second answer."""
    asked = {"model": model, "max_tokens": LIMIT, "tools": [TOOL]}
    said: list[Any] = [*messages()]
    choice: Any = {"type": "tool", "name": "weather"}
    first = client().messages.create(messages=said, tool_choice=choice, **asked)
    calls = [block for block in first.content if block.type == "tool_use"]
    results = [{"type": "tool_result", "tool_use_id": call.id, "content": "rain"} for call in calls]
    said += [{"role": "assistant", "content": first.content}, {"role": "user", "content": results}]
    second = client().messages.create(messages=said, **asked)
    told = [(call.name, call.input) for call in calls]
    return {"calls": told, "reason": first.stop_reason, "text": second.content[0].text}


def count(model: str, words: str, **more: Any) -> Any:
    """Count tokens without an answer."""
    asked = messages(words)
    return client().messages.count_tokens(model=model, messages=asked, **more).input_tokens


def models() -> Any:
    """Return the names of the models."""
    return [each.id for each in client().models.list()]


def thinking(model: str) -> Any:
    """Ask as agents do: with thinking, a cached system prompt, and a beta's header."""
    system = [{"type": "text", "text": "Be short.", "cache_control": {"type": "ephemeral"}}]
    answer = client().beta.messages.create(
        model=model,
        max_tokens=2000,
        messages=messages(),
        system=system,
        thinking={"type": "enabled", "budget_tokens": 1024},
        betas=["context-management-2025-06-27"],
    )
    return answer.model_dump()


def with_auth_token(model: str) -> Any:
    """Ask with the key as Bearer, as Claude Code's ANTHROPIC_AUTH_TOKEN does."""
    answer = client(api_key=None, auth_token=KEY).messages.create(
        model=model, max_tokens=LIMIT, messages=messages()
    )
    return answer.content[0].text


def refused(model: str, key: str = KEY, **more: Any) -> Any:
    """Return the exception of a message, and the type that its body names."""
    body: dict[str, Any] = {"max_tokens": LIMIT, "messages": messages(), **more}
    found: list[Any] = []

    def ask() -> None:
        try:
            client(api_key=key).messages.create(model=model, **body)
        except anthropic.APIStatusError as error:
            found.append(error.body)
            raise

    return error_of(ask) | {"body": found[0] if found else None}


def broken_stream(model: str) -> Any:
    """Return the exception of a stream that breaks off."""

    def read() -> None:
        for _ in client().messages.create(
            model=model, max_tokens=LIMIT, messages=messages(), stream=True
        ):
            pass

    return error_of(read)
