"""OpenAI's requests to an engine that is an Ollama, through its native API.

Only there it refuses what it would have to shorten: its /v1 cuts a long prompt in silence.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from synapse_common.answers.lists import Lists
from synapse_common.engines import Dialect
from synapse_gateway import errors
from synapse_gateway.ollama import openai_answers, openai_stream, to_extras, to_messages, wire
from synapse_gateway.ollama import to_options as sampling
from synapse_gateway.ollama.asked import Asked, unsupported
from synapse_gateway.ollama.openai_answers import Embeddings, Head

NOTHING_CUT = {"truncate": False, "shift": False}
"""Ollama refuses a prompt that is too long, and ends an answer that fills its context."""
_NO_TOKENS = (
    "Ollama reads text, not numbers of tokens. Send text; "
    "LangChain's OpenAIEmbeddings does with check_embedding_ctx_length=False."
)


@dataclass(frozen=True)
class ToNative:
    """One OpenAI request as Ollama's native API takes it, and its answer turned back."""

    path: str
    """Where below the engine's root."""
    body: dict[str, Any]
    ignored: tuple[str, ...]
    """What the client sent and Ollama does not read, to be told with the answer."""
    _whole: Callable[[bytes, Lists], bytes]
    _stream: openai_stream.Stream | None = None

    def whole(self, payload: bytes, lists: Lists | None = None) -> bytes:
        """Return a whole answer in OpenAI's words; its long lists may be left out.

        Raises ConnectionError where it is not whole, Refusal where only the answer shows that
        the request asked for too much.
        """
        return self._whole(payload, lists or Lists())

    def feed(self, data: bytes) -> bytes:
        """Return the events of the lines that end in these bytes; ConnectionError: broken."""
        return self._stream.feed(data) if self._stream else b""

    def finish(self) -> bytes:
        """Return the rest at the engine's end; ConnectionError: the answer is not whole."""
        return self._stream.finish() if self._stream else b""


def to_native(
    dialect: Dialect,
    fields: Mapping[str, Any],
    served_name: str,
    shown_name: str,
    context: int | None = None,
) -> ToNative:
    """Translate a request; refuse by name what Ollama cannot follow."""
    asked = Asked(fields)
    if dialect == "embeddings":
        return _embeddings(asked, served_name, shown_name)
    make = {"chat": _chat, "completions": _completion}[dialect]
    kind = {"chat": "chatcmpl", "completions": "cmpl"}[dialect]
    head = Head(f"{kind}-{secrets.token_hex(16)}", int(time.time()), shown_name, context)
    return make(asked, {"model": served_name, **NOTHING_CUT}, head)


def _chat(asked: Asked, body: dict[str, Any], head: Head) -> ToNative:
    body["stream"] = bool(asked.flag("stream"))
    body["messages"], unread = to_messages.messages(asked)
    tools, unread_tools = to_extras.tools(asked)
    body |= {"tools": tools} if tools else {}
    _add(body, "format", to_extras.answer_format(asked))
    _add(body, "think", to_extras.think(asked))
    body |= to_extras.chat_logprobs(asked)
    body["options"] = sampling.options(asked)
    ignored = (*unread, *unread_tools, *sampling.refuse_the_rest(asked))

    def whole(payload: bytes, _: Lists) -> bytes:
        return wire.dumps(openai_answers.chat(wire.read(payload), head))

    return ToNative("/api/chat", body, ignored, whole, openai_stream.Chat(head))


def _completion(asked: Asked, body: dict[str, Any], head: Head) -> ToNative:
    body["stream"] = bool(asked.flag("stream"))
    body["prompt"] = _prompt(asked)
    _add(body, "suffix", asked.text("suffix") or None)
    _add(body, "format", to_extras.answer_format(asked))
    _add(body, "think", to_extras.think(asked))
    body |= to_extras.completion_logprobs(asked)
    body["options"] = sampling.options(asked)
    ignored = sampling.refuse_the_rest(asked)

    def whole(payload: bytes, _: Lists) -> bytes:
        return wire.dumps(openai_answers.completion(wire.read(payload), head))

    return ToNative("/api/generate", body, ignored, whole, openai_stream.Completion(head))


def _embeddings(asked: Asked, served_name: str, shown_name: str) -> ToNative:
    given = asked.take("input")
    inputs = [given] if isinstance(given, str) else given
    if not isinstance(inputs, list) or not inputs:
        raise asked.wrong("input", "a text or a list of texts")
    if any(isinstance(one, int | list) for one in inputs):
        raise unsupported("input", _NO_TOKENS)
    if not all(isinstance(one, str) for one in inputs):
        raise asked.wrong("input", "a text or a list of texts")
    encoding = asked.take("encoding_format")
    if encoding not in (None, "float", "base64"):
        raise asked.wrong("encoding_format", "float or base64")
    dimensions = asked.integer("dimensions", 1)
    sampling.refuse_the_rest(asked)
    body: dict[str, Any] = {"model": served_name, "input": inputs, "truncate": False}
    _add(body, "dimensions", dimensions)
    answer = Embeddings(len(inputs), dimensions, encoding == "base64")

    def whole(payload: bytes, lists: Lists) -> bytes:
        return answer.answer(payload, shown_name, lists)

    return ToNative("/api/embed", body, (), whole)


def _prompt(asked: Asked) -> str:
    given = asked.take("prompt")
    if isinstance(given, list) and len(given) == 1:
        given = given[0]
    if isinstance(given, list) and given and all(isinstance(one, str) for one in given):
        raise unsupported("prompt", "Ollama reads one prompt in a request. Send several requests.")
    if isinstance(given, int | list) and not isinstance(given, bool) and given != []:
        raise unsupported("prompt", "Ollama reads text, not numbers of tokens. Send text.")
    if not isinstance(given, str) or not given:
        raise errors.malformed("'prompt' must be a text that is not empty.", "prompt")
    return given


def _add(body: dict[str, Any], name: str, value: Any) -> None:
    if value is not None:
        body[name] = value
