"""Chat in one answer: what is accepted, and what of it the answer shows."""

import json
from typing import Any

from vllm_recorder.battery.case import HELLO, MODEL, Case, hello, without

PATH = "/v1/chat/completions"
SCHEMA = {
    "type": "object",
    "properties": {"a": {"enum": ["x", "y"]}},
    "required": ["a"],
    "additionalProperties": False,
}
NO_THINKING = {"chat_template_kwargs": {"enable_thinking": False}}


def chat(name: str, body: Any) -> Case:
    """Ask for a chat answer."""
    return Case(f"chat: {name}", "POST", PATH, body)


def written(name: str, raw: bytes, **headers: str) -> Case:
    """Ask for a chat answer with a body that is written by hand."""
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return Case(f"chat: {name}", "POST", PATH, raw=raw, headers=named)


def headed(name: str, **headers: str) -> Case:
    """Ask for a chat answer with headers."""
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return Case(f"chat: {name}", "POST", PATH, hello(), headers=named)


def said(content: str) -> bytes:
    """Write the body with one message by hand; `content` is JSON's inside of a string."""
    message = f'{{"role":"user","content":"{content}"}}'
    return f'{{"model":"{MODEL}","messages":[{message}],"max_tokens":3}}'.encode()


PLAIN = json.dumps(hello()).encode()
CASES = [
    chat("plain", hello()),
    chat("plain, again", hello()),
    chat("without thinking", hello(**NO_THINKING)),
    chat("no model", without(hello(), "model")),
    chat("model is null", hello(model=None)),
    chat("model is empty", hello(model="")),
    chat("unknown role", hello(messages=[{"role": "foo", "content": "x"}])),
    chat("message without content", hello(messages=[{"role": "user"}])),
    chat(
        "parts of text", hello(messages=[{**HELLO[0], "content": [{"type": "text", "text": "x"}]}])
    ),
    chat("max_tokens as text", hello(max_tokens="8")),
    chat("max_tokens is null", hello(max_tokens=None, stop=["e"])),
    chat("two choices", hello(n=2, temperature=1)),
    chat("unknown field", hello(foo_bar=1)),
    chat("one stop", hello(stop="a")),
    chat("logprobs", hello(logprobs=True, top_logprobs=2, max_tokens=2)),
    chat("token ids", hello(return_token_ids=True, max_tokens=2)),
    chat("seed", hello(seed=0)),
    chat("JSON", hello(response_format={"type": "json_object"}, max_tokens=16)),
    chat(
        "JSON by a schema",
        hello(
            max_tokens=60,
            response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}},
        ),
    ),
    chat(
        "forced text", hello(structured_outputs={"regex": "<think>abc</think>xyz"}, max_tokens=50)
    ),
    written("charset", PLAIN, content_type="application/json; charset=utf-8"),
    written("nul", said("hi \\u0000")),
    written("a key twice", said("hi").replace(b"{", b'{"model":"nope",', 1)),
    headed("x-request-id", x_request_id="my-id-1"),
    headed("x-request-id, again", x_request_id="my-id-1"),
    headed("authorization", authorization="Bearer x"),
]
