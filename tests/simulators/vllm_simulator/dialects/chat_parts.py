"""The parts of a chat answer that one body and a stream share."""

import uuid
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from vllm_simulator import answers, calling
from vllm_simulator.checking import ChatRequest
from vllm_simulator.dialects.common import logprob, settings_of
from vllm_simulator.generation import Channel, Generation, Piece


def message(request: web.Request, wanted: Generation, said: Sequence[Piece]) -> dict[str, Any]:
    """Build the message of one choice."""
    text = "".join(piece.text for piece in said if piece.channel is Channel.TEXT)
    reasoning = "".join(piece.text for piece in said if piece.channel is Channel.REASONING)
    parses = settings_of(request).reasoning_tokens > 0
    # A demanded call that did not come about leaves empty text, everything else none.
    nothing = "" if wanted.call and not wanted.call.written else None
    calls = [tool_call(wanted.call)] if called(wanted, said) else []
    return {
        "role": "assistant",
        "content": text or (nothing if parses or wanted.call else text),
        "refusal": None,
        "annotations": None,
        "audio": None,
        "function_call": None,
        **({"tool_calls": calls} if calls else {}),
        "reasoning": reasoning or None,
    }


def called(wanted: Generation, said: Sequence[Piece]) -> bool:
    """Tell whether a tool was called to the end."""
    return wanted.finish_reason == "stop" and any(each.channel is Channel.CALL for each in said)


def tool_call(call: calling.Call | None) -> dict[str, Any]:
    """Build a finished call."""
    assert call is not None
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call_id(), "type": "function", "function": function}


def call_id() -> str:
    """Name a call."""
    return f"chatcmpl-tool-{uuid.uuid4().hex[:16]}"


def finish_reason(wanted: Generation) -> str | None:
    """Say why a choice ended: a call is a reason of its own here."""
    if wanted.call is not None and wanted.finish_reason == "stop":
        return "tool_calls"
    return wanted.finish_reason


def logprobs(asked: ChatRequest, pieces: Sequence[Piece]) -> dict[str, Any] | None:
    """Say how likely the tokens were, if somebody asked."""
    if not asked.logprobs:
        return None
    return {"content": [logprob(piece, asked.top_logprobs or 0) for piece in pieces]}


def token_ids(asked: ChatRequest, pieces: Sequence[Piece]) -> list[int] | None:
    """Number the tokens, if somebody asked."""
    if not asked.return_token_ids:
        return None
    return [answers.token_id(piece.text) for piece in pieces]


def reasoned(request: web.Request, wanted: Sequence[Generation]) -> dict[str, int] | None:
    """Count the tokens of thinking, where a parser knows them."""
    if not settings_of(request).reasoning_tokens:
        return None
    return {"reasoning_tokens": sum(each.reasoning_tokens for each in wanted)}
