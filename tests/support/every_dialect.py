"""The same short request in every dialect for text, and what its client reads in the answer."""

from __future__ import annotations

import json
from typing import Any

import httpx

from gateway_process import events

Body = dict[str, Any]

HI = [{"role": "user", "content": "hi"}]
DATA = "iVBORw0KGgo="
URL = f"data:image/png;base64,{DATA}"
TEXT = {"type": "text", "text": "what?"}
SOURCE = {"type": "base64", "media_type": "image/png", "data": DATA}
ASKED: dict[str, Body] = {
    "/v1/chat/completions": {"messages": HI},
    "/v1/completions": {"prompt": "hi"},
    "/v1/responses": {"input": "hi"},
    "/v1/messages": {"messages": HI, "max_tokens": 9},
    "/api/chat": {"messages": HI},
    "/api/generate": {"prompt": "hi"},
}
SHOWN: dict[str, Body] = {
    "/v1/chat/completions": {
        "messages": [
            {"role": "user", "content": [TEXT, {"type": "image_url", "image_url": {"url": URL}}]}
        ]
    },
    "/v1/responses": {
        "input": [{"role": "user", "content": [{"type": "input_image", "image_url": URL}]}]
    },
    "/v1/messages": {
        "max_tokens": 9,
        "messages": [{"role": "user", "content": [TEXT, {"type": "image", "source": SOURCE}]}],
    },
    "/api/chat": {"messages": [{"role": "user", "content": "what?", "images": [DATA]}]},
    "/api/generate": {"prompt": "what?", "images": [DATA]},
}
"""The same with a picture."""

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
FUNCTION: Body = {"name": "f", "description": "d", "parameters": SCHEMA}
FORMED = {"type": "json_schema", "schema": SCHEMA}
NEEDY: dict[str, dict[str, Body]] = {
    "/v1/chat/completions": {
        "tools": {"tools": [{"type": "function", "function": FUNCTION}]},
        "json": {
            "response_format": {
                "type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}
            }
        },
        "reasoning": {"reasoning_effort": "low"},
    },
    "/v1/completions": {"json": {"structured_outputs": {"json": SCHEMA}}},
    "/v1/responses": {
        "tools": {"tools": [{"type": "function", **FUNCTION}]},
        "json": {"text": {"format": {"name": "a", **FORMED}}},
        "reasoning": {"reasoning": {"effort": "low"}},
    },
    "/v1/messages": {
        "tools": {"tools": [{"name": "f", "input_schema": SCHEMA}]},
        "json": {"output_config": {"format": FORMED}},
        "reasoning": {"thinking": {"type": "enabled", "budget_tokens": 1024}},
    },
    "/api/chat": {
        "tools": {"tools": [{"type": "function", "function": FUNCTION}]},
        "json": {"format": SCHEMA},
        "reasoning": {"think": True},
    },
    "/api/generate": {"json": {"format": "json"}, "reasoning": {"think": "low"}},
}  # fmt: skip
"""What a request says, by dialect, that needs more than text."""

TOOLS = 36
_WRITTEN_OUT: Body = {
    "type": "object",
    "properties": {
        name: {"type": "string", "description": "Which one of the notes of the chat it is about."}
        for name in ("note", "query", "folder", "count", "before", "after")
    },
    "required": ["note"],
}
_MANY: list[Body] = [
    {"name": f"tool_{n}", "description": "Looks into the notes.", "parameters": _WRITTEN_OUT}
    for n in range(TOOLS)
]
LADEN: dict[str, Body] = {
    "/v1/chat/completions": {"tools": [{"type": "function", "function": each} for each in _MANY]},
    "/v1/responses": {"tools": [{"type": "function", **each} for each in _MANY]},
    "/v1/messages": {
        "tools": [{"name": each["name"], "input_schema": _WRITTEN_OUT} for each in _MANY]
    },
    "/api/chat": {"tools": [{"type": "function", "function": each} for each in _MANY]},
}
"""Tools of 25 kB, as a chat page sends them with every sentence."""


def words(answer: httpx.Response) -> str:
    """Return the text of an answer of any dialect, in one piece or in a stream."""
    if answer.headers["content-type"].startswith("text/event-stream"):
        return "".join(_said(event) for event in events(answer.text) if event != "[DONE]")
    return "".join(_said(json.loads(line)) for line in answer.text.splitlines())


def reason(answer: httpx.Response) -> str:
    """Return the words of an error of any dialect."""
    error = answer.json()["error"]
    return str(error if isinstance(error, str) else error["message"])


def _said(told: Body) -> str:
    if "choices" in told:
        return "".join(_of_choice(choice) for choice in told["choices"])
    if told.get("type") in ("response.output_text.delta", "content_block_delta"):
        delta = told["delta"]
        return str(delta if isinstance(delta, str) else delta.get("text", ""))
    if told.get("object") == "response":
        return "".join(part["text"] for item in told["output"] for part in item["content"])
    if told.get("type") == "message":
        return "".join(part["text"] for part in told["content"])
    if "done" in told:
        message = told.get("message") or {}
        return str(told.get("response") or (message.get("content") or ""))
    return ""


def _of_choice(choice: Body) -> str:
    told = choice.get("delta") or choice.get("message") or choice
    return str(told.get("content") or told.get("text") or "")
