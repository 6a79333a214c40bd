"""An answer that counts more than the context holds was written over what had been read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from relayed import Says, config, model, relay, request

Body = dict[str, Any]

CONTEXT = 512
KNOWN = config(model("m", "ollama", "other", context=CONTEXT), model("other", "vllm"))
UNKNOWN = config(model("m", "ollama"))
HI = [{"role": "user", "content": "hi"}]
ASKED: dict[str, Body] = {
    "/v1/chat/completions": {"messages": HI},
    "/v1/completions": {"prompt": "hi"},
    "/api/chat": {"messages": HI},
    "/api/generate": {"prompt": "hi"},
}
EVERY = pytest.mark.parametrize("path", ASKED)
FORMS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


def says(path: str, read: int, written: int, reason: str, *, stream: bool) -> Says:
    """An answer of Ollama with these counts."""
    chat = path in ("/v1/chat/completions", "/api/chat")

    def line(text: str, **more: Any) -> bytes:
        own = {"message": {"role": "assistant", "content": text}} if chat else {"response": text}
        return json.dumps({"model": "served-m", **own, "done": False, **more}).encode() + b"\n"

    counts = {"prompt_eval_count": read, "eval_count": written}
    end = {"done": True, "done_reason": reason, **counts}
    return Says([line("word"), line("", **end)] if stream else [line("word", **end)])


def ask(path: str, said: Says, *, stream: bool, known: Any = KNOWN) -> Any:
    asked = request(path, {"model": "m", **ASKED[path], "stream": stream}, known)
    return relay(asked, {"m": said, "other": ConnectionError()}, known)


@EVERY
@FORMS
@pytest.mark.parametrize(
    ("read", "written", "reason"),
    [(318, 7, "stop"), (61, 451, "length"), (61, 452, "length"), (500, 12, "stop")],
    ids=["fits", "filled-0.40", "filled-0.12.6", "to-the-last-token"],
)
def test_what_fits_is_whole(path: str, stream: bool, read: int, written: int, reason: str) -> None:
    assert ask(path, says(path, read, written, reason, stream=stream), stream=stream).is_whole


@EVERY
@FORMS
def test_what_was_written_over_the_beginning_is_broken_off(path: str, stream: bool) -> None:
    found = ask(path, says(path, 496, 30, "stop", stream=stream), stream=stream)
    assert not found.is_whole
    assert found.record.reason == "engine_cuts"
    assert b"[DONE]" not in found.heard
    assert b'"done":true' not in found.heard.replace(b" ", b"")


@EVERY
def test_without_a_known_context_nothing_is_said_of_it(path: str) -> None:
    said = says(path, 496, 3000, "stop", stream=False)
    assert ask(path, said, stream=False, known=UNKNOWN).is_whole
