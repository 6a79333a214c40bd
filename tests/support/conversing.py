"""One request through the gateway's relay to a faithful engine, and what its client then reads."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import faithful_ollama
import faithful_vllm
from faithful_vllm import NAMED
from relayed import Relayed, Says, config, model, relay, request
from spoken import Said, events, lines

Body = dict[str, Any]

CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"
OPENAIS = (CHAT, COMPLETIONS)
STRAIGHT = (*OPENAIS, *NAMED)
"""What vLLM is asked as the client asks."""
NATIVE = ("/api/chat", "/api/generate")
MODELS = {
    engine: config(
        model("m", engine),
        model("v", engine, kind="embedding"),
        model("r", engine, kind="rerank"),
    )
    for engine in ("vllm", "ollama")
}
REWRITTEN = {
    ("ollama", CHAT): "/api/chat", ("ollama", COMPLETIONS): "/api/generate",
    ("vllm", "/api/chat"): CHAT, ("vllm", "/api/generate"): CHAT,
    ("ollama", "/api/chat"): "/api/chat", ("ollama", "/api/generate"): "/api/generate",
}  # fmt: skip
"""By engine and the client's path: where the engine is asked. The answer is written anew."""


def ask(
    engine: str, path: str, parts: Iterable[bytes | Exception], more: Mapping[str, Any]
) -> Relayed:
    """Ask for an answer that comes in these parts."""
    hi = [{"role": "user", "content": "hi"}]
    own: dict[str, Body] = {
        "/v1/responses": {"input": "hi"}, COMPLETIONS: {"prompt": "hi"},
        "/api/generate": {"prompt": "hi"},
    }  # fmt: skip
    known = MODELS[engine]
    body = {"model": "m", **own.get(path, {"messages": hi}), **more}
    return relay(request(path, body, known), {"m": Says(list(parts))}, known)


def stream(way: tuple[str, str], said: Said) -> bytes:
    """Return the stream of the engine that serves a path, in its own dialect."""
    engine, path = way
    if engine == "ollama":
        return b"".join(faithful_ollama.stream(REWRITTEN[way], said))
    return b"".join(faithful_vllm.stream(REWRITTEN[way], [_asked_for(path, said)], []))


def whole(way: tuple[str, str], said: Said) -> bytes:
    """Return the same in one piece."""
    engine, path = way
    if engine == "ollama":
        return faithful_ollama.whole(REWRITTEN[way], said)
    return faithful_vllm.whole(REWRITTEN[way], [_asked_for(path, said)])


def heard_stream(path: str, data: bytes) -> Body:
    """Return all that a client of this path reads in a stream of one choice."""
    if path in NATIVE:
        told = lines(data)
        assert [line["done"] for line in told] == [False] * (len(told) - 1) + [True]
        return _joined([_native_parts(line) for line in told], told[-1]["done_reason"])
    *told, done = events(data)
    assert done == "[DONE]"
    choices = [event["choices"][0] for event in told]
    assert [choice["finish_reason"] for choice in choices[:-1]] == [None] * (len(choices) - 1)
    parts = [_openais_parts(choice.get("delta", choice)) for choice in choices]
    return _joined(parts, choices[-1]["finish_reason"])


def heard_whole(path: str, data: bytes) -> Body:
    """Return the same of an answer in one piece."""
    told = json.loads(data)
    if path in NATIVE:
        return _joined([_native_parts(told)], told["done_reason"])
    choice = told["choices"][0]
    return _joined([_openais_parts(choice.get("message", choice))], choice["finish_reason"])


def meant(path: str, said: Said) -> Body:
    """Return what the client shall read of it."""
    calls = _asked_for(path, said).calls
    reason = "tool_calls" if path == CHAT and calls and said.reason == "stop" else said.reason
    told = [(call.id, call.name, call.arguments) for call in calls]
    return _joined([(said.text, said.thought, told)], reason)


def check_told(path: str, out: Relayed) -> None:
    """Check that a client cannot take what it read for a whole answer."""
    assert not out.is_whole
    if out.refusal is not None:
        assert out.status in (502, 503)
    elif path in NATIVE:
        *told, last = lines(out.heard)
        assert not any(line["done"] for line in told)
        assert set(last) == {"error"}
    elif path in NAMED:
        assert out.heard.strip().split(b"\n\n")[-1].startswith(b"event: error\n")
        ends = {b"event: message_stop", b"event: response.completed", b"event: response.incomplete"}
        assert not ends & set(out.heard.split(b"\n"))
    else:
        told = events(out.heard)
        assert "error" in told[-1]
        assert "[DONE]" not in told


def _asked_for(path: str, said: Said) -> Said:
    """Return it without calls where nobody could have asked for them."""
    return said if path in (CHAT, "/api/chat") else replace(said, calls=[])


Parts = tuple[str, str, list[Any]]
"""Text, thoughts and calls."""


def _joined(parts: list[Parts], reason: str) -> Body:
    text, thought, calls = zip(*parts, strict=True)
    told = {"text": "".join(text), "thought": "".join(thought), "reason": reason}
    return told | {"calls": [call for each in calls for call in each]}


def _native_parts(line: Body) -> Parts:
    message = line.get("message") or {"content": line.get("response")}
    calls = [
        (call["id"], call["function"]["name"], call["function"]["arguments"])
        for call in message.get("tool_calls") or ()
    ]
    return message["content"], message.get("thinking") or line.get("thinking") or "", calls


def _openais_parts(told: Body) -> Parts:
    calls = [
        (call["id"], call["function"]["name"], json.loads(call["function"]["arguments"]))
        for call in told.get("tool_calls") or ()
    ]
    return told.get("content") or told.get("text") or "", told.get("reasoning") or "", calls
