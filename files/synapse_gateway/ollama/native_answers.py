"""Answers of OpenAI-compatible engines in the words of Ollama's native API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from synapse_gateway.ollama import wire
from synapse_gateway.ollama.native_head import Head
from synapse_gateway.ollama.wire import JSON

REASONS = {
    "stop": "stop", "tool_calls": "stop", "length": "length", "content_filter": "content_filter",
}  # fmt: skip
"""With which reasons an engine ends an answer, and what Ollama's clients read."""


def chat_parts(text: str, thinking: str, calls: list[JSON]) -> JSON:
    """Return the own keys of a chat's answer or of a line of it."""
    message: JSON = {"role": "assistant", "content": text}
    message |= {"thinking": thinking} if thinking else {}
    message |= {"tool_calls": calls} if calls else {}
    return {"message": message}


def generate_parts(text: str, thinking: str, calls: list[JSON]) -> JSON:
    """Return the same for `generate`, which knows no tools."""
    return {"response": text} | ({"thinking": thinking} if thinking else {})


Parts = Callable[[str, str, list[JSON]], JSON]


def whole(answer: JSON, head: Head, parts: Parts) -> JSON:
    """Return a whole answer; raise ConnectionError where it is not whole."""
    choices = wire.objects(answer, "choices")
    if len(choices) != 1:
        raise ConnectionError("the engine's answer does not hold exactly one choice")
    reason = end_reason(choices[0].get("finish_reason"))
    message = choices[0].get("message", choices[0])
    if not isinstance(message, dict):
        raise ConnectionError("the engine's answer has no message")
    text = wire.text(message, "content") or wire.text(message, "text")
    calls = [tool_call(call, index) for index, call in enumerate(_calls(message))]
    told = parts(text or wire.text(message, "refusal"), reasoning(message), calls)
    told |= logprobs(choices[0])
    return head.opens() | told | head.ending(reason, answer.get("usage") or {})


def reasoning(message: JSON) -> str:
    """Return what the model thought; engines have two names for it."""
    return wire.text(message, "reasoning") or wire.text(message, "reasoning_content")


def end_reason(reason: Any) -> str:
    """Return why an answer ended; raise ConnectionError where it does not say it."""
    if not isinstance(reason, str) or reason not in REASONS:
        raise ConnectionError(f"the engine ended its answer with '{str(reason)[:40]}'")
    return REASONS[reason]


def tool_call(call: JSON, index: int) -> JSON:
    """Return one call of a tool, its arguments as an object."""
    function = call.get("function")
    if not isinstance(function, dict):
        raise ConnectionError("a tool call in the engine's answer has no function")
    name = wire.text(function, "name")
    try:
        arguments = wire.parse(wire.text(function, "arguments") or "{}")
    except ValueError:
        raise ConnectionError("a tool call's arguments are not a JSON object") from None
    told: JSON = {"id": call["id"]} if call.get("id") else {}
    return told | {"function": {"index": index, "name": name, "arguments": arguments}}


def logprobs(choice: JSON) -> JSON:
    """Return the tokens' probabilities from either of OpenAI's shapes."""
    told = choice.get("logprobs")
    if not isinstance(told, dict):
        return {}
    if "tokens" in told:
        return {"logprobs": [_token(*one) for one in _older(told)]}
    tokens = wire.objects(told, "content")
    return {"logprobs": tokens} if tokens else {}


def embeddings(payload: bytes, inputs: int) -> tuple[list[Any], JSON]:
    """Return the vectors in the order of the inputs, each number as it came, and the usage."""
    try:
        answer = orjson.loads(payload)
        data = sorted(answer["data"], key=lambda one: int(one["index"]))
        vectors = [one["embedding"] for one in data]
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        raise ConnectionError("the engine's answer holds no vectors") from None
    if len(vectors) != inputs or not all(isinstance(one, list) for one in vectors):
        raise ConnectionError("the engine did not answer every input")
    return vectors, answer.get("usage") or {}


def _calls(message: JSON) -> list[JSON]:
    return wire.objects(message, "tool_calls")


def _older(told: JSON) -> list[tuple[Any, Any, Any]]:
    try:
        tops = told.get("top_logprobs") or [{}] * len(told["tokens"])
        return list(zip(told["tokens"], told["token_logprobs"], tops, strict=True))
    except (KeyError, TypeError, ValueError):
        raise ConnectionError("the engine's probabilities do not belong together") from None


def _token(token: Any, logprob: Any, top: Any) -> JSON:
    told = {"token": token, "logprob": logprob}
    others = [{"token": name, "logprob": value} for name, value in (top or {}).items()]
    return told | ({"top_logprobs": others} if others else {})
