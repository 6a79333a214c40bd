"""What an engine sends, as bytes: a short answer in each dialect, whole and as a stream."""

from __future__ import annotations

import functools
import json
import re
import struct
from collections.abc import Callable
from typing import Any

from openai_stub import Behaviour, answers, native_answers, other_dialects

NAME = "any"
_STREAMS = re.compile(rb'"stream": ?true')
_NO_STREAM = re.compile(rb'"stream": ?false')
_END = 256
"""Where a flag may stand in a large body: near one of its ends."""
NATIVE = ("/api/chat", "/api/generate")
_OPTIONS = {"stream_options": {"include_usage": True}}


def wants_stream(path: str, body: bytes) -> bool:
    """Say whether a body asks for a stream; Ollama's own API streams unless told otherwise."""
    ends = body[:_END] + b" " + body[-_END:] if len(body) > 2 * _END else body
    if path in NATIVE:
        return not _NO_STREAM.search(ends)
    return _STREAMS.search(ends) is not None


def head(streams: bool, *, length: int | None = None, chunked: bool = False) -> bytes:
    """Return status and headers; an answer without a length ends with its connection."""
    kind = "text/event-stream" if streams else "application/json"
    if length is not None:
        ends = f"content-length: {length}"
    else:
        ends = "transfer-encoding: chunked" if chunked else "connection: close"
    return f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\n{ends}\r\n\r\n".encode()


def sound_head() -> bytes:
    """Return the beginning of sound, whose length nobody knows yet."""
    unknown = 0xFFFFFFFF
    wav = b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 16000, 32000, 2, 16) + b"data"
    told = b"RIFF" + struct.pack("<I", unknown) + wav + struct.pack("<I", unknown)
    return b"HTTP/1.1 200 OK\r\ncontent-type: audio/wav\r\nconnection: close\r\n\r\n" + told


def whole(path: str, streams: bool) -> bytes:
    """Return a complete answer with its head."""
    told = body(path, streams)
    return head(streams, length=len(told)) + told


def of_json(told: bytes) -> bytes:
    """Return an answer in JSON with its head."""
    return head(streams=False, length=len(told)) + told


@functools.cache
def long_stream(path: str, text: str) -> tuple[bytes, bytes, bytes]:
    """Return the beginning of a stream, an event that may come again and again, and the end."""
    ends = b"\n" if path in NATIVE else b"\n\n"
    events = [event + ends for event in body(path, streams=True).split(ends) if event]
    at = next(number for number, event in enumerate(events) if b"Hello" in event)
    repeated = events[at].replace(b"Hello", text.encode())
    return b"".join(events[:at]), repeated, b"".join(events[at + 1 :])


@functools.cache
def body(path: str, streams: bool) -> bytes:
    """Return a short answer in the dialect of a path."""
    told = Behaviour()
    request: dict[str, Any] = {"model": NAME, "messages": [1], "prompt": "x", "input": ["x"]}
    request |= {"documents": ["x"]} | _OPTIONS
    if path in NATIVE and streams:
        lines = native_answers.lines(path, request, told)
        return b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    if streams and path.endswith("/chat/completions"):
        return _events(answers.chat_chunks(NAME, request, told)) + b"data: [DONE]\n\n"
    if streams and path.endswith("/completions"):
        return _events(answers.completion_chunks(NAME, request, told)) + b"data: [DONE]\n\n"
    if streams and path.endswith(("/responses", "/messages")):
        make = other_dialects.response_events if path.endswith("responses") else _message_events
        return b"".join(other_dialects.named(make(request, told)))
    return json.dumps(_whole(path, request, told)).encode()


def _whole(path: str, request: dict[str, Any], told: Behaviour) -> Any:
    if path.startswith("/api/"):
        return native_answers.whole(path, request, told)
    made: dict[str, Callable[[], Any]] = {
        "/v1/chat/completions": lambda: _known_well(answers.chat(NAME, request, told)),
        "/v1/completions": lambda: _known_well(answers.completion(NAME, told)),
        "/v1/responses": lambda: other_dialects.response(request, told),
        "/v1/messages": lambda: other_dialects.message(request, told),
        "/v1/embeddings": lambda: answers.embeddings(NAME, request),
        "/v1/rerank": lambda: answers.ranking(NAME, request),
        "/v1/audio/speech/timestamps": lambda: answers.SPEECH_FOUND,
        "/v1/audio/transcriptions": lambda: answers.transcript({"response_format": "verbose_json"}),
    }
    return made.get(path, lambda: {"count": 1, "tokens": [1]})()


def _known_well(answer: dict[str, Any]) -> dict[str, Any]:
    """Add the tokens by which the arbiter knows that an engine is well."""
    answer["choices"][0]["token_ids"] = [1]
    return answer


def _message_events(request: dict[str, Any], told: Behaviour) -> list[dict[str, Any]]:
    return other_dialects.message_events(request, told)


def _events(events: list[dict[str, Any]]) -> bytes:
    return b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in events)
