"""Requests of Ollama's clients towards models whose engines speak OpenAI's dialects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from synapse_common.answers.lists import Lists
from synapse_common.engines import Dialect
from synapse_gateway import errors
from synapse_gateway.ollama import from_extras, native_answers, wire
from synapse_gateway.ollama.asked import Asked, unsupported
from synapse_gateway.ollama.from_extras import Extras
from synapse_gateway.ollama.from_messages import Messages, parts
from synapse_gateway.ollama.native_answers import Parts, chat_parts, generate_parts
from synapse_gateway.ollama.native_head import Clock, Head
from synapse_gateway.ollama.native_stream import Stream

_REFUSED = {
    "template": "the model has its own template. Leave it out, or send raw: true.",
    "context": "earlier turns travel as messages. Use /api/chat.",
}


@dataclass(frozen=True)
class FromNative:
    """One request of an Ollama client in OpenAI's words, and the answer turned back."""

    dialect: Dialect
    fields: dict[str, Any]
    stream: bool
    ignored: tuple[str, ...]
    """What the client sent and nobody follows here, to be told with the answer."""
    answered: bytes | None
    """The whole body where no engine is to be asked: a request that only loads a model."""
    _whole: Callable[[bytes], bytes]
    _stream: Stream | None = None

    def whole(self, payload: bytes, lists: Lists | None = None) -> bytes:
        """Return a whole answer in Ollama's words; ConnectionError: it is not whole."""
        return self._whole(payload)

    def feed(self, data: bytes) -> bytes:
        """Return the lines of the events that end in these bytes; ConnectionError: broken."""
        return self._stream.feed(data) if self._stream else b""

    def finish(self) -> bytes:
        """Return the rest at the engine's end; ConnectionError: the answer is not whole."""
        return self._stream.finish() if self._stream else b""


def from_native(path: str, body: Mapping[str, Any], clock: Clock | None = None) -> FromNative:
    """Translate a request; refuse by name what no engine could follow."""
    asked = Asked(body)
    model = asked.text("model") or asked.text("name")
    if not model:
        raise errors.malformed("'model' must name a model.", "model")
    make = {
        "/api/chat": _chat,
        "/api/generate": _generate,
        "/api/embed": _embed,
        "/api/embeddings": _embeddings,
    }[path]
    return make(asked, model, Head(model, clock or Clock()))


def _chat(asked: Asked, model: str, head: Head) -> FromNative:
    given = asked.objects("messages") or []
    translated = Messages()
    fields: dict[str, Any] = {"model": model, "messages": translated.translate(given)}
    tools = asked.objects("tools")
    fields |= {"tools": [{"type": "function", **tool} for tool in tools]} if tools else {}
    more = from_extras.chat(asked)
    more.ignored += translated.ignored
    return _made("chat", fields, more, head, chat_parts, asks=bool(given))


def _generate(asked: Asked, model: str, head: Head) -> FromNative:
    prompt, system = asked.text("prompt") or "", asked.text("system")
    images, suffix = asked.take("images"), asked.text("suffix")
    for name, why in _REFUSED.items():
        asked.only(name, ("", []), why)
    fields: dict[str, Any] = {"model": model}
    if asked.flag("raw") or suffix:
        for name, value in {"images": images, "system": system}.items():
            if value:
                raise unsupported(name, from_extras.RAW)
        fields |= {"prompt": prompt} | ({"suffix": suffix} if suffix else {})
        dialect: Dialect = "completions"
        more = from_extras.completion(asked)
    else:
        content = parts(prompt, images, "images") if images else prompt
        messages = [{"role": "system", "content": system}] if system else []
        fields["messages"] = [*messages, {"role": "user", "content": content}]
        dialect, more = "chat", from_extras.chat(asked)
    return _made(dialect, fields, more, head, generate_parts, asks=bool(prompt))


def _made(
    dialect: Dialect, fields: dict[str, Any], more: Extras, head: Head, own: Parts, *, asks: bool
) -> FromNative:
    fields |= more.fields | {"stream": more.stream}
    fields |= {"stream_options": {"include_usage": True}} if more.stream else {}
    answered = None
    if not asks:
        reason = {"done": True, "done_reason": "unload" if more.unloads else "load"}
        answered = wire.dumps(head.opens() | own("", "", []) | reason)

    def whole(payload: bytes) -> bytes:
        return wire.dumps(native_answers.whole(wire.read(payload), head, own))

    stream = Stream(head, own)
    ignored = tuple(more.ignored)
    return FromNative(dialect, fields, more.stream, ignored, answered, whole, stream)


def _embed(asked: Asked, model: str, head: Head) -> FromNative:
    given = asked.take("input")
    # An empty text asks for nothing; in a list it is an input like any other.
    inputs = [] if given in (None, "") else [given] if isinstance(given, str) else given
    if not isinstance(inputs, list) or not all(isinstance(one, str) for one in inputs):
        raise asked.wrong("input", "a text or a list of texts")
    return _vectors(asked, model, inputs, asked.integer("dimensions", 0), head.embedded)


def _embeddings(asked: Asked, model: str, head: Head) -> FromNative:
    prompt = asked.text("prompt")

    def told(vectors: list[Any], usage: dict[str, Any]) -> dict[str, Any]:
        return {"embedding": vectors[0] if vectors else []}

    return _vectors(asked, model, [prompt] if prompt else [], None, told)


def _vectors(
    asked: Asked,
    model: str,
    inputs: list[str],
    dimensions: int | None,
    told: Callable[[list[Any], dict[str, Any]], dict[str, Any]],
) -> FromNative:
    fields: dict[str, Any] = {"model": model, "input": inputs, "encoding_format": "float"}
    fields |= {"dimensions": dimensions} if dimensions else {}
    ignored = tuple(from_extras.vectors(asked))

    def whole(payload: bytes) -> bytes:
        return orjson.dumps(told(*native_answers.embeddings(payload, len(inputs))))

    answered = None if inputs else orjson.dumps(told([], {}))
    return FromNative("embeddings", fields, False, ignored, answered, whole)
