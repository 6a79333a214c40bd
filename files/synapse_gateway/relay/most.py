"""The most that a model outside may take for a request, before anybody has counted anything."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from synapse_gateway.request import Request
from synapse_gateway.usage.tariffs import Took

BYTES_PER_TOKEN = 3
"""Of a body without its base64: most texts have about four."""
BYTES_PER_TOKEN_OF_PICTURES = 100
"""A picture of 100 KB is about 1,000 tokens to most models, a larger one hardly more."""
TOKENS_OUT = 8192
"""Of an answer to a request that sets no limit; longer ones are rare, and counted when they end."""
LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
"""OpenAI's names, Anthropic's among them."""
DOCUMENTS_PER_QUERY = 100
FREE = ("count_tokens", "tokenize", "detokenize")


def most(request: Request) -> Took:
    """Return what the request may take, estimated from its size and from the limits it sets."""
    fields, dialect = request.fields, request.route.dialect
    if dialect in FREE:
        return Took()
    written = request.size - request.aside.size
    tokens_in = math.ceil(
        written / BYTES_PER_TOKEN + request.aside.size / BYTES_PER_TOKEN_OF_PICTURES
    )
    if request.route.kind == "rerank":
        documents = fields.get("documents")
        count = len(documents) if isinstance(documents, list) else 1
        return Took(tokens_in=tokens_in, queries=math.ceil(count / DOCUMENTS_PER_QUERY))
    if request.route.kind != "chat":
        return Took(tokens_in=tokens_in)
    return Took(tokens_in=tokens_in, tokens_out=_limit(fields) * _answers(fields))


def _limit(fields: Mapping[str, Any]) -> int:
    options = fields.get("options")
    inner = options.get("num_predict") if isinstance(options, Mapping) else None
    return max(_counts([*map(fields.get, LIMITS), inner]), default=TOKENS_OUT)


def _answers(fields: Mapping[str, Any]) -> int:
    """Return how many answers are asked for: each prompt of a list has its own."""
    prompt = fields.get("prompt")
    several = isinstance(prompt, list) and prompt and not isinstance(prompt[0], int)
    prompts = len(prompt) if isinstance(prompt, list) and several else 1
    return prompts * max(_counts([fields.get("n"), fields.get("best_of")]), default=1)


def _counts(values: Iterable[object]) -> list[int]:
    return [value for value in values if isinstance(value, int) and value > 0]
