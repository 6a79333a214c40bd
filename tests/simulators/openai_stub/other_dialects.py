"""Responses and messages as Ollama 0.24 sends them, as plain data; it stores no response."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from openai_stub.answers import ENVELOPE, USAGE
from openai_stub.behaviour import Behaviour

Body = dict[str, Any]

_ID = "msg_1"


def response(request: Body, behaviour: Behaviour) -> Body:
    """Return a whole response; also one that its limit ended is `completed`, as Ollama says it."""
    usage = {
        "input_tokens": USAGE["prompt_tokens"],
        "output_tokens": USAGE["completion_tokens"],
        "total_tokens": USAGE["total_tokens"],
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": 0},
    }
    item = _item("completed", [_part("".join(behaviour.words))])
    return _response(request, "completed", [item], usage)


def response_events(request: Body, behaviour: Behaviour) -> list[Body]:
    """Return the events of a streamed response."""
    words, at = behaviour.words, {"output_index": 0}
    text = "".join(words)
    part = {"content_index": 0, "item_id": _ID, **at}
    said = {**part, "logprobs": []}
    begun = _response(request, "in_progress", [], None)
    events: list[Body] = [
        {"response": begun, "type": "response.created"},
        {"response": begun, "type": "response.in_progress"},
        {"item": _item("in_progress", []), **at, "type": "response.output_item.added"},
        {**part, "part": _part(""), "type": "response.content_part.added"},
        *(
            {**said, "delta": word, "type": "response.output_text.delta"}
            for word in behaviour.words
        ),
        {**said, "text": text, "type": "response.output_text.done"},
        {**part, "part": _part(text), "type": "response.content_part.done"},
        {"item": _item("completed", [_part(text)]), **at, "type": "response.output_item.done"},
        {"response": response(request, behaviour), "type": "response.completed"},
    ]
    return [{**event, "sequence_number": number} for number, event in enumerate(events)]


def message(request: Body, behaviour: Behaviour) -> Body:
    """Return a whole message."""
    usage = _usage(USAGE["prompt_tokens"], USAGE["completion_tokens"])
    content = [{"type": "text", "text": "".join(behaviour.words)}]
    return _message(request, content, usage) | {"stop_reason": _stop_reason(behaviour)}


def message_events(request: Body, behaviour: Behaviour) -> list[Body]:
    """Return the events of a streamed message."""
    texts = [{"type": "text_delta", "text": word} for word in behaviour.words]
    ended = {"stop_reason": _stop_reason(behaviour)}
    usage = _usage(USAGE["prompt_tokens"], USAGE["completion_tokens"])
    return [
        {"type": "message_start", "message": _message(request, [], _usage(1, 0))},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *({"type": "content_block_delta", "index": 0, "delta": text} for text in texts),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": ended, "usage": usage},
        {"type": "message_stop"},
    ]


def named(events: Iterable[Body]) -> list[bytes]:
    """Write events of which each has its type as its name."""
    return [f"event: {each['type']}\ndata: {json.dumps(each)}\n\n".encode() for each in events]


def _response(request: Body, status: str, output: list[Body], usage: Body | None) -> Body:
    nothing = (
        "error", "incomplete_details", "instructions", "max_tool_calls", "previous_response_id",
        "prompt_cache_key", "reasoning", "safety_identifier",
    )  # fmt: skip
    return {
        **dict.fromkeys(nothing),
        "id": "resp_1",
        "object": "response",
        "created_at": ENVELOPE["created"],
        "completed_at": None if usage is None else ENVELOPE["created"],
        "status": status,
        "model": request["model"],
        "output": output,
        "tools": request.get("tools", []),
        "tool_choice": "auto",
        "truncation": "disabled",
        "parallel_tool_calls": True,
        "text": {"format": {"type": "text"}},
        "top_p": 1,
        "presence_penalty": 0,
        "frequency_penalty": 0,
        "top_logprobs": 0,
        "temperature": request.get("temperature", 1),
        "usage": usage,
        "max_output_tokens": request.get("max_output_tokens"),
        "store": False,
        "background": False,
        "service_tier": "default",
        "metadata": {},
    }


def _item(status: str, content: list[Body]) -> Body:
    told = {"id": _ID, "type": "message", "status": status, "role": "assistant"}
    return {**told, "content": content}


def _part(text: str) -> Body:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _message(request: Body, content: list[Body], usage: Body) -> Body:
    told = {"id": _ID, "type": "message", "role": "assistant", "model": request["model"]}
    return {**told, "content": content, "usage": usage}


def _stop_reason(behaviour: Behaviour) -> str | None:
    return {"stop": "end_turn", "length": "max_tokens"}.get(behaviour.finish_reason or "")


def _usage(read: int, wrote: int) -> Body:
    return {"input_tokens": read, "output_tokens": wrote}
