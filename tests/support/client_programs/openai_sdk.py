"""OpenAI's Python package, with its defaults."""

from __future__ import annotations

from typing import Any

import openai
from pydantic import BaseModel

from client_programs.common import CITY, KEY, URL, error_of, messages

FUNCTION = {"name": "weather", "description": "Tells the weather.", "parameters": CITY}
TOOL: Any = {"type": "function", "function": FUNCTION}
NAMED: Any = {"type": "function", "function": {"name": "weather"}}


class Place(BaseModel):
    """A structured answer."""

    city: str


def client(key: str = KEY) -> Any:
    """Return the client; it does not ask again, so that a test sees the first answer."""
    return openai.OpenAI(base_url=f"{URL}/v1", api_key=key, max_retries=0)


def chat(model: str, **more: Any) -> Any:
    """Ask; return everything."""
    return client().chat.completions.create(model=model, messages=messages(), **more).model_dump()


def chat_stream(model: str, **more: Any) -> Any:
    """Ask for a stream through the helper that adds it up; return the sum and the events' types."""
    with client().chat.completions.stream(model=model, messages=messages(), **more) as stream:
        kinds = [event.type for event in stream]
        return {"kinds": kinds, "whole": stream.get_final_completion().model_dump()}


def chat_stream_with_tools(model: str) -> Any:
    """Ask for a stream in which a tool has to be called; return the choice that it adds up to."""
    return chat_stream(model, tools=[TOOL], tool_choice="required")["whole"]["choices"][0]


def chat_chunks(model: str, **more: Any) -> Any:
    """Ask for a stream; return its events as they come."""
    stream = client().chat.completions.create(model=model, messages=messages(), stream=True, **more)
    return [chunk.model_dump() for chunk in stream]


def tools(model: str) -> Any:
    """Let the tool be called, give its result, and return the calls and the second answer."""
    asked = {"model": model, "tools": [TOOL]}
    said: list[Any] = [*messages()]
    first = client().chat.completions.create(messages=said, tool_choice=NAMED, **asked)
    message = first.choices[0].message
    calls = message.tool_calls or []
    results = [{"role": "tool", "tool_call_id": call.id, "content": "rain"} for call in calls]
    second = client().chat.completions.create(messages=[*said, message, *results], **asked)
    told = [call.function.model_dump() for call in calls]
    reason = first.choices[0].finish_reason
    return {"calls": told, "reason": reason, "text": second.choices[0].message.content}


def parse(model: str) -> Any:
    """Ask for an answer of a form; return it, parsed."""
    answer = client().chat.completions.parse(
        model=model, messages=messages(), response_format=Place
    )
    return answer.choices[0].message.parsed.model_dump()


def completion(model: str, **more: Any) -> Any:
    """Let a text go on."""
    given = {"max_tokens": 5, **more}
    return client().completions.create(model=model, prompt="hi", **given).choices[0].text


def respond(model: str, **more: Any) -> Any:
    """Ask for a response; return everything, with its text."""
    answer = client().responses.create(model=model, input="hi", **more)
    return {**answer.model_dump(), "text": answer.output_text}


def respond_refused(model: str, **more: Any) -> Any:
    """Return the exception of a response."""
    return error_of(lambda: respond(model, **more))


def respond_stream(model: str) -> Any:
    """Ask for a response as a stream through the helper that adds it up."""
    with client().responses.stream(model=model, input="hi") as stream:
        kinds = [event.type for event in stream]
        return {"kinds": kinds, "text": stream.get_final_response().output_text}


def respond_with_tools(model: str) -> Any:
    """Let the tool be called, give its result, and return the calls and the second answer."""
    tool: Any = {"type": "function", "strict": False, **FUNCTION}
    said: list[Any] = [*messages()]
    first = client().responses.create(
        model=model, input=said, tools=[tool], tool_choice="required", store=False
    )
    calls = [item for item in first.output if item.type == "function_call"]
    results = [
        {"type": "function_call_output", "call_id": call.call_id, "output": "rain"}
        for call in calls
    ]
    whole = [*said, *first.output, *results]
    second = client().responses.create(model=model, input=whole, tools=[tool])
    return {"calls": [(call.name, call.arguments) for call in calls], "text": second.output_text}


def respond_parsed(model: str) -> Any:
    """Ask for a response of a form; return it, parsed."""
    return client().responses.parse(model=model, input="hi", text_format=Place).output_parsed.city


def embed(model: str, texts: Any, **more: Any) -> list[int]:
    """Return the sizes of the vectors; the package asks for base64 unless it is told otherwise."""
    answer = client().embeddings.create(model=model, input=texts, **more)
    return [len(each.embedding) for each in answer.data]


def models() -> Any:
    """Return the list of models."""
    return [model.model_dump() for model in client().models.list()]


def described(model: str) -> Any:
    """Return what is told of one model."""
    return client().models.retrieve(model).model_dump()


def refused(model: str, key: str = KEY, **more: Any) -> Any:
    """Return the exception of a chat."""
    body: dict[str, Any] = {"model": model, "messages": messages(), **more}
    return error_of(lambda: client(key).chat.completions.create(**body))


def broken_stream(model: str, dialect: str = "chat") -> Any:
    """Return the exception of a stream that breaks off."""

    def read() -> None:
        if dialect == "chat":
            for _ in client().chat.completions.create(
                model=model, messages=messages(), stream=True
            ):
                pass
        else:
            for _ in client().responses.create(model=model, input="hi", stream=True):
                pass

    return error_of(read)
