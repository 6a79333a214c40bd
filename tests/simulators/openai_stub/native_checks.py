"""What Ollama does with a request that asks nothing, or for more than its context holds."""

from __future__ import annotations

import json
import re
from typing import Any

Body = dict[str, Any]

CONTEXT_TOKENS = 1000
"""More words in a prompt are refused, unless the engine may cut them."""
TOO_LONG = "the input length exceeds the context length"
_WORDS_AND_SIGNS = re.compile(r"\w+|[^\w\s]+")


def is_check(request: Body) -> bool:
    """Say whether the gateway loads a model, or asks for what it must refuse."""
    prompt = request.get("prompt") or request.get("input") or ""
    loads = not prompt and "messages" not in request
    return loads or is_too_long(request)


def is_too_long(request: Body) -> bool:
    """Say whether there are more words in a prompt than the context holds."""
    prompt = request.get("prompt") or request.get("input")
    return isinstance(prompt, str) and prompt.count(" ") > CONTEXT_TOKENS


def exceeds(request: Body, context_tokens: int | None) -> bool:
    """Say whether a conversation and its tools, which a template writes out, are too long."""
    written = json.dumps([request.get("messages"), request.get("tools")])
    return context_tokens is not None and len(_WORDS_AND_SIGNS.findall(written)) > context_tokens
