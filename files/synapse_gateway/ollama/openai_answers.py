"""Whole answers of Ollama's native API in OpenAI's words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import orjson

from synapse_common.answers.judges import check_room
from synapse_common.answers.lists import Lists
from synapse_gateway import errors
from synapse_gateway.ollama import openai_logprobs, wire
from synapse_gateway.ollama.wire import JSON

REASONS = ("stop", "length")
"""All reasons with which Ollama ends an answer to a request that asked for one."""


@dataclass(frozen=True)
class Head:
    """What every part of one answer says about it."""

    id: str
    created: int
    model: str
    context: int | None = None
    """Tokens that the engine holds; None: not known."""

    def opens(self, kind: str) -> JSON:
        """Return the first keys of an object of this kind."""
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}

    def end_reason(self, native: JSON) -> str:
        """Return why an answer ended; raise CutShort where the engine threw away its beginning."""
        check_room(native, self.context)
        return end_reason(native)


def chat(native: JSON, head: Head) -> JSON:
    """Return a whole answer of a chat."""
    reason = head.end_reason(native)
    message = native.get("message")
    if not isinstance(message, dict):
        raise ConnectionError("the engine's answer has no message")
    calls = [tool_call(call) for call in wire.objects(message, "tool_calls")]
    content, thinking = wire.text(message, "content"), wire.text(message, "thinking")
    told: JSON = {"role": "assistant", "content": content or (None if calls else "")}
    told |= {"reasoning": thinking} if thinking else {}
    told |= {"tool_calls": calls} if calls else {}
    choice = {
        "index": 0,
        "message": told,
        "logprobs": openai_logprobs.of_chat(native),
        "finish_reason": "tool_calls" if calls and reason == "stop" else reason,
    }
    return head.opens("chat.completion") | {"choices": [choice], "usage": usage(native)}


def completion(native: JSON, head: Head) -> JSON:
    """Return a whole answer of the old completions."""
    choice: JSON = {"index": 0, "text": wire.text(native, "response")}
    choice |= {"logprobs": openai_logprobs.Completion().of(native)}
    choice |= {"finish_reason": head.end_reason(native)}
    thinking = wire.text(native, "thinking")
    choice |= {"reasoning": thinking} if thinking else {}
    return head.opens("text_completion") | {"choices": [choice], "usage": usage(native)}


def end_reason(native: JSON) -> str:
    """Return why an answer ended; raise ConnectionError where it does not say that it is whole.

    Ollama also closes an answer without a word, for example after 30 equal tokens.
    """
    reason = native.get("done_reason")
    if native.get("done") is not True:
        raise ConnectionError("the engine broke off its answer without saying why")
    if reason not in REASONS:
        raise ConnectionError(f"the engine ended its answer with '{str(reason)[:40]}'")
    return str(reason)


def usage(native: JSON) -> JSON:
    """Return the counts of tokens."""
    read, written = wire.count(native, "prompt_eval_count"), wire.count(native, "eval_count")
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def tool_call(call: JSON) -> JSON:
    """Return one call of a tool, its arguments as a text."""
    function = call.get("function")
    name = function.get("name") if isinstance(function, dict) else None
    if not isinstance(function, dict) or not isinstance(name, str):
        raise ConnectionError("a tool call in the engine's answer has no function")
    arguments = function.get("arguments")
    told = wire.dumps({} if arguments is None else arguments).decode()
    identity = call.get("id") or f"call_{uuid4().hex}"
    return {"id": identity, "type": "function", "function": {"name": name, "arguments": told}}


@dataclass(frozen=True)
class Embeddings:
    """What was asked about vectors, and the answer to it."""

    inputs: int
    dimensions: int | None
    as_base64: bool

    def answer(self, payload: bytes, model: str, lists: Lists) -> bytes:
        """Return the vectors, each number as it came; refuse dimensions that the model lacks."""
        try:
            native = orjson.loads(payload)
        except orjson.JSONDecodeError:
            raise ConnectionError("the engine's answer is not valid JSON") from None
        vectors = native.get("embeddings") if isinstance(native, dict) else None
        if not isinstance(vectors, list) or len(vectors) != self.inputs:
            raise ConnectionError("the engine did not answer every input")
        for vector in vectors:
            self._check(vector, lists)
        written: Callable[[Any], Any] = lists.packed if self.as_base64 else _as_it_is
        data = [
            {"object": "embedding", "index": index, "embedding": written(vector)}
            for index, vector in enumerate(vectors)
        ]
        read = wire.count(native, "prompt_eval_count")
        counts = {"prompt_tokens": read, "total_tokens": read}
        told = {"object": "list", "data": data, "model": model, "usage": counts}
        return orjson.dumps(told)

    def _check(self, vector: Any, lists: Lists) -> None:
        if not isinstance(vector, list) or not vector:
            raise ConnectionError("the engine's answer holds an empty vector")
        if self.dimensions and lists.length(vector) != self.dimensions:
            has = lists.length(vector)
            message = f"'dimensions' must be at most {has}, all that this model has."
            raise errors.malformed(message, "dimensions")


def _as_it_is(vector: list[float]) -> list[float]:
    return vector
