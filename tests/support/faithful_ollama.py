"""What a faithful Ollama writes in its native API for whatever a model says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from faithful_vllm import VECTORS
from spoken import Call, Said

Body = dict[str, Any]


def stream(path: str, said: Said) -> list[bytes]:
    """Return the lines of an answer of Ollama's native API."""
    lines = [_native(path, thinking=thought) for thought in said.thinking]
    lines += [_native(path, word) for word in said.words]
    if path == "/api/chat":
        lines += [_native(path, calls=[call]) for call in said.calls]
    return [_dumps(line) + b"\n" for line in [*lines, _native(path) | _native_end(said)]]


def whole(path: str, said: Said) -> bytes:
    """Return the same in one piece."""
    calls = said.calls if path == "/api/chat" else []
    return _dumps(_native(path, said.text, said.thought, calls) | _native_end(said))


def vectors() -> bytes:
    """Return two vectors."""
    return _dumps({"model": "served-m", "embeddings": VECTORS, "prompt_eval_count": 5})


def _dumps(told: Any) -> bytes:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def _native(path: str, text: str = "", thinking: str = "", calls: Sequence[Call] = ()) -> Body:
    opened = {"model": "served-m", "created_at": "2026-11-30T18:11:00Z", "done": False}
    thought = {"thinking": thinking} if thinking else {}
    if path == "/api/generate":
        return {**opened, "response": text, **thought}
    functions = [{"index": 0, "name": call.name, "arguments": call.arguments} for call in calls]
    called = [
        {"id": call.id, "function": told} for call, told in zip(calls, functions, strict=True)
    ]
    message = {"role": "assistant", "content": text, **thought}
    return {**opened, "message": message | ({"tool_calls": called} if called else {})}


def _native_end(said: Said) -> Body:
    told = {"prompt_eval_count": said.read, "eval_count": said.written}
    kept = {name: count for name, count in told.items() if count}  # Go leaves out a 0
    return {"done": True, "done_reason": said.reason, "total_duration": 5, **kept}
