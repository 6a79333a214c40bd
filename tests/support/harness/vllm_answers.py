"""Bytes of vLLM's answers: whole ones as recorded, cut ones as the same server writes them.

The cut ones are what vLLM 0.30 to 0.33 say of requests that they aborted: some while they ran,
some while they still waited in the engine.
"""

import json
from typing import Any

DONE = b"data: [DONE]\n\n"
HEAD = {"id": "chatcmpl-afc174146e36193a", "object": "chat.completion.chunk", "model": "tiny"}
USAGE = {"prompt_tokens": 17, "total_tokens": 25, "completion_tokens": 8}


def event(data: Any, name: str | None = None) -> bytes:
    """Write one event as vLLM does."""
    head = b"" if name is None else b"event: " + name.encode() + b"\n"
    return head + b"data: " + json.dumps(data, separators=(",", ":")).encode() + b"\n\n"


def chunk(delta: dict[str, Any], reason: str | None = None, index: int = 0, **more: Any) -> bytes:
    """Write one chunk of a chat stream."""
    choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": reason, **more}
    return event({**HEAD, "choices": [choice]})


def text(words: str, reason: str | None = None, index: int = 0) -> bytes:
    """Write one chunk of a completions stream."""
    choice = {"index": index, "text": words, "finish_reason": reason, "stop_reason": None}
    return event({**HEAD, "object": "text_completion", "choices": [choice]})


def body(*reasons: str | None, **more: Any) -> bytes:
    """Write a chat answer in one piece, a choice for each reason."""
    choices = [
        {"index": index, "message": {"content": "hi"}, "finish_reason": reason, **more}
        for index, reason in enumerate(reasons)
    ]
    return json.dumps({"object": "chat.completion", "choices": choices, "usage": USAGE}).encode()


ROLE = chunk({"role": "assistant", "content": ""})
WORD = chunk({"reasoning": " manager"}, token_ids=None)
STOP = chunk({"content": ""}, "stop", stop_reason=None)
LENGTH = chunk({"reasoning": " %"}, "length", stop_reason=None)
TOOL = chunk({}, "tool_calls", stop_reason=None)
STOPPED_BY_ABORT = chunk({"content": "x"}, "stop", stop_reason="abort")
ABORT = chunk({"content": ""}, "abort", stop_reason=None)
COUNTS = event({**HEAD, "choices": [], "usage": USAGE})
OWN_ERROR = event({"error": {"message": "EngineCore died", "type": "InternalServerError"}})


def message(kind: str, **more: Any) -> bytes:
    """Write one event of Anthropic's messages."""
    return event({"type": kind, **more}, kind)


def message_end(delta: dict[str, Any], tokens: int | None = 8) -> bytes:
    """Write the last two events of a message."""
    usage = {"input_tokens": 17, "output_tokens": tokens}
    return message("message_delta", delta=delta, usage=usage) + message("message_stop")


MESSAGE = message(
    "message_start",
    message={
        "id": "chatcmpl-bb666f5a21f6b6af",
        "type": "message",
        "role": "assistant",
        "content": [],
        "model": "tiny",
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 17, "output_tokens": 0},
    },
)
BLOCK = (
    message("content_block_start", content_block={"type": "text", "text": ""}, index=0)
    + message("content_block_delta", delta={"type": "text_delta", "text": "hi"}, index=0)
    + message("content_block_stop", index=0)
)
MESSAGE_END = message_end({"stop_reason": "end_turn", "stop_sequence": None})
MESSAGE_ERROR = message("error", error={"type": "internal_error", "message": "EngineCore died"})


def message_body(tokens: int | None = 8, content: bool = True, **more: Any) -> bytes:
    """Write a message in one piece."""
    blocks = [{"type": "text", "text": "hi"}] if content else []
    usage = {"input_tokens": 17, "output_tokens": tokens}
    whole = {"type": "message", "role": "assistant", "content": blocks, **more, "usage": usage}
    return json.dumps(whole).encode()


def response(status: str, tokens: int = 8, output: bool = True) -> dict[str, Any]:
    """Build the object that an answer of /v1/responses is."""
    items = [{"type": "message", "content": [{"type": "output_text", "text": "hi"}]}]
    return {
        "id": "resp_a77c4811cf232f04",
        "object": "response",
        "output": items if output else [],
        "status": status,
        "usage": {"input_tokens": 14, "output_tokens": tokens},
    }


def response_end(name: str, status: str, **more: Any) -> bytes:
    """Write the last event of such an answer."""
    told = {"response": response(status, **more), "sequence_number": 3, "type": name}
    return event(told, name)


CREATED = event(
    {
        "response": response("in_progress", 0, False),
        "sequence_number": 0,
        "type": "response.created",
    },
    "response.created",
)
DELTA = event(
    {"delta": "hi", "sequence_number": 2, "type": "response.output_text.delta"},
    "response.output_text.delta",
)
COMPLETED = response_end("response.completed", "completed")
