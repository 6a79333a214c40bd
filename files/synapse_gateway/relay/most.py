"""The most that a model outside may take for a request, before anybody has counted anything."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from synapse_gateway.config import Model
from synapse_gateway.request import Request
from synapse_gateway.usage.tariffs import Took

BYTES_PER_TOKEN = 3
"""Fewer than most texts have: what is booked shall not be too little."""
BYTES_PER_TOKEN_OF_PICTURES = 100
"""A picture of 100 KB is about 1,000 tokens to most models, a larger one hardly more."""
LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
"""OpenAI's names, Anthropic's among them."""
DOCUMENTS_PER_QUERY = 100
FREE = ("count_tokens", "tokenize", "detokenize")


def most(request: Request, model: Model, longest: int) -> Took:
    """Return what the request may take, estimated from its size and from the limits it sets.

    An answer without a limit has up to `longest` tokens.
    """
    fields, dialect = request.fields, request.route.dialect
    if dialect in FREE:
        return Took()
    # Long base64 is a picture only where there is one: any text may look like that.
    pictures = request.aside.size if request.has_pictures else 0
    tokens_in = math.ceil(
        (request.size - pictures) / BYTES_PER_TOKEN + pictures / BYTES_PER_TOKEN_OF_PICTURES
    )
    if request.route.kind == "rerank":
        documents = fields.get("documents")
        count = len(documents) if isinstance(documents, list) else 1
        return Took(tokens_in=tokens_in, queries=math.ceil(count / DOCUMENTS_PER_QUERY))
    if request.route.kind != "chat":
        return Took(tokens_in=tokens_in)
    prompts = _prompts(fields)
    answers = prompts * max(_counts([fields.get("n"), fields.get("best_of")]), default=1)
    if model.context is not None:
        tokens_in = min(tokens_in, prompts * model.context)
    return Took(tokens_in=tokens_in, tokens_out=_limit(fields, longest) * answers)


def _limit(fields: Mapping[str, Any], longest: int) -> int:
    options = fields.get("options")
    inner = options.get("num_predict") if isinstance(options, Mapping) else None
    return max(_counts([*map(fields.get, LIMITS), inner]), default=longest)


def _prompts(fields: Mapping[str, Any]) -> int:
    """Return how many prompts there are: one may be a list, of tokens."""
    prompt = fields.get("prompt")
    several = isinstance(prompt, list) and prompt and not isinstance(prompt[0], int)
    return len(prompt) if isinstance(prompt, list) and several else 1


def _counts(values: Iterable[object]) -> list[int]:
    return [value for value in values if isinstance(value, int) and value > 0]
