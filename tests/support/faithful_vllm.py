"""What a faithful vLLM writes, in each dialect, for whatever a model says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from spoken import Call, Said

Body = dict[str, Any]

DONE = b"data: [DONE]\n\n"
STOPS = {"stop": "end_turn", "length": "max_tokens"}
NAMED = ("/v1/responses", "/v1/messages")
"""Their events have names."""
VECTORS = [[0.1, -2.5e-7, 3.0], [0.0, 1.0, 2.0]]


def stream(path: str, choices: Sequence[Said], order: Sequence[int]) -> list[bytes]:
    """Return the events of a stream; those of several choices come mixed in this order."""
    if path == "/v1/responses":
        return [_named(event) for event in _response_events(choices[0])]
    if path == "/v1/messages":
        return [_named(event) for event in _message_events(choices[0])]
    tell = _chat_deltas if path == "/v1/chat/completions" else _texts
    waiting = [[_choice(index, each) for each in tell(said)] for index, said in enumerate(choices)]
    events = [
        _event({"id": "1", "object": "chunk", "model": "m", "choices": [choice]})
        for choice in _mixed(waiting, order)
    ]
    return [*events, counts(choices), DONE]


def counts(choices: Sequence[Said]) -> bytes:
    """Return the event with the tokens, which ends a stream of OpenAI's where it is wanted."""
    return _event({"id": "1", "object": "chunk", "choices": [], "usage": _usage(choices)})


def whole(path: str, choices: Sequence[Said]) -> bytes:
    """Return an answer in one piece."""
    if path == "/v1/responses":
        return _dumps(_response(choices[0]))
    if path == "/v1/messages":
        return _dumps(_message(choices[0]))
    told = []
    for index, said in enumerate(choices):
        if path == "/v1/completions":
            own: Body = {"text": said.text}
        else:
            calls = [_call(call) for call in said.calls]
            own = {"message": {"role": "assistant", "content": said.text, "tool_calls": calls}}
            own["message"] |= {"reasoning": said.thought}
        told.append({"index": index, **own, "finish_reason": _reason(path, said)})
    return _dumps({"id": "1", "model": "m", "choices": told, "usage": _usage(choices)})


def vectors() -> bytes:
    """Return two vectors."""
    data = [{"index": index, "embedding": vector} for index, vector in enumerate(VECTORS)]
    return _dumps({"object": "list", "data": data, "usage": {"prompt_tokens": 5}})


def _dumps(told: Any) -> bytes:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def _event(told: Any) -> bytes:
    return b"data: " + _dumps(told) + b"\n\n"


def _named(told: Body) -> bytes:
    return f"event: {told['type']}\n".encode() + _event(told)


def _mixed(waiting: list[list[Body]], order: Sequence[int]) -> list[Body]:
    found = []
    turns = iter(order)
    while left := [each for each in waiting if each]:
        found.append(left[next(turns, 0) % len(left)].pop(0))
    return found


def _usage(choices: Sequence[Said]) -> Body:
    read, written = choices[0].read, sum(said.written for said in choices)
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def _reason(path: str, said: Said) -> str:
    called = path == "/v1/chat/completions" and said.calls and said.reason == "stop"
    return "tool_calls" if called else said.reason


def _choice(index: int, told: Body) -> Body:
    return {"index": index, "logprobs": None, "finish_reason": None, **told}


def _texts(said: Said) -> list[Body]:
    return [*({"text": word} for word in said.words), {"text": "", "finish_reason": said.reason}]


def _chat_deltas(said: Said) -> list[Body]:
    deltas: list[Body] = [{"role": "assistant", "content": ""}]
    deltas += [{"reasoning": thought} for thought in said.thinking]
    deltas += [{"content": word} for word in said.words]
    for index, call in enumerate(said.calls):
        told = _call(call)
        name, arguments = told["function"].values()
        opened = {**told, "index": index, "function": {"name": name, "arguments": ""}}
        half = len(arguments) // 2
        parts = [{"arguments": arguments[:half]}, {"arguments": arguments[half:]}]
        fragments = [opened, *({"index": index, "function": part} for part in parts)]
        deltas += [{"tool_calls": [fragment]} for fragment in fragments]
    last = {"delta": {}, "finish_reason": _reason("/v1/chat/completions", said)}
    return [*({"delta": delta} for delta in deltas), last]


def _call(call: Call) -> Body:
    function = {"name": call.name, "arguments": _dumps(call.arguments).decode()}
    return {"id": call.id, "type": "function", "function": function}


def _later(said: Said) -> Body:
    return {"input_tokens": said.read, "output_tokens": said.written + 1}


def _response(said: Said) -> Body:
    part = {"type": "output_text", "text": said.text, "annotations": []}
    output: list[Body] = [{"type": "message", "id": "msg_1", "content": [part]}]
    for call in said.calls:
        told = {"name": call.name, "arguments": _dumps(call.arguments).decode()}
        output.append({"type": "function_call", "call_id": call.id, **told})
    status = "completed" if said.reason == "stop" else "incomplete"
    return {"id": "resp_1", "status": status, "output": output, "usage": _later(said)}


def _response_events(said: Said) -> list[Body]:
    told = _response(said)
    begun = {**told, "status": "in_progress", "output": [], "usage": None}
    events: list[Body] = [{"type": "response.created", "response": begun}]
    for index, item in enumerate(told["output"]):
        events.append({"type": "response.output_item.added", "item": item, "output_index": index})
        if item["type"] == "message":
            events += [{"type": "response.output_text.delta", "delta": word} for word in said.words]
        events.append({"type": "response.output_item.done", "item": item, "output_index": index})
    events.append({"type": f"response.{told['status']}", "response": told})
    return [{**event, "sequence_number": number} for number, event in enumerate(events)]


def _message(said: Said) -> Body:
    content: list[Body] = [{"type": "thinking", "thinking": said.thought}] if said.thinking else []
    content += [{"type": "text", "text": said.text}] if said.words else []
    for call in said.calls:
        content.append({"type": "tool_use", "id": call.id, "name": call.name} | {"input": {}})
    called = said.calls and said.reason == "stop"
    reason = "tool_use" if called else STOPS[said.reason]
    return {"type": "message", "content": content, "stop_reason": reason, "usage": _later(said)}


def _message_events(said: Said) -> list[Body]:
    told = _message(said)
    begun = {**told, "content": [], "stop_reason": None, "usage": {"input_tokens": said.read}}
    events: list[Body] = [{"type": "message_start", "message": begun}]
    for index, block in enumerate(told["content"]):
        at = {"index": index}
        events.append({"type": "content_block_start", **at, "content_block": block})
        for word in said.words if block["type"] == "text" else said.thinking:
            delta = {"type": "text_delta", "text": word}
            events.append({"type": "content_block_delta", **at, "delta": delta})
        events.append({"type": "content_block_stop", **at})
    delta = {"stop_reason": told["stop_reason"]}
    events.append({"type": "message_delta", "delta": delta, "usage": told["usage"]})
    return [*events, {"type": "message_stop"}]
