"""The canary: a fixed question, and whether its answer is the one that the engine gave when new.

A model that was damaged by a sleep still answers, with status 200. So what it says is compared:
tokens of a raw completion (a chat's `content` is empty while a model thinks), the vector of an
embedding, the scores of a reranker.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum, isfinite, sqrt
from typing import Any

import orjson

from synapse_common.engines import GpuKind

PROMPT = "One, two, three, four,"
DOCUMENTS = ("five, six, seven", "The cat sat on the mat.")
# Numbers differ a little with the kernels that a batch of another size takes.
LEAST_COSINE = 0.99
MOST_APART = 0.05
SHOWN = 8  # numbers in a log line


class CanaryError(Exception):
    """The answer proves nothing: it has another shape than the question asks for, or is empty."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What an engine answered: token ids, or numbers."""

    tokens: tuple[int, ...] = ()
    numbers: tuple[float, ...] = ()
    is_vector: bool = False

    def agrees_with(self, baseline: Proof) -> bool:
        """Say whether a new engine's answer was the same, as far as this one goes."""
        if baseline.tokens:
            return bool(self.tokens) and self.tokens == baseline.tokens[: len(self.tokens)]
        if len(self.numbers) != len(baseline.numbers):
            return False
        if self.is_vector:
            return _cosine(self.numbers, baseline.numbers) >= LEAST_COSINE
        pairs = zip(self.numbers, baseline.numbers, strict=True)
        return all(abs(now - was) <= MOST_APART * max(1.0, abs(was)) for now, was in pairs)

    def __str__(self) -> str:
        """Show the first of it, for a log line."""
        shown = [str(token) for token in self.tokens] or [
            f"{number:.4g}" for number in self.numbers
        ]
        more = ["..."] if len(shown) > SHOWN else []
        return f"[{', '.join(shown[:SHOWN] + more)}]"


def question(model: str, kind: GpuKind, tokens: int) -> tuple[str, dict[str, Any]]:
    """Return the path and the body that make a model of this kind prove that it works."""
    if kind == "embedding":
        return "/v1/embeddings", {"model": model, "input": PROMPT}
    if kind == "rerank":
        return "/v1/rerank", {"model": model, "query": PROMPT, "documents": DOCUMENTS}
    return "/v1/completions", {
        "model": model,
        "prompt": PROMPT,
        "max_tokens": tokens,
        "temperature": 0,
        "seed": 0,
        "ignore_eos": True,
        "return_token_ids": True,  # text would hide tokens that are no whole letters
    }


def proof(kind: GpuKind, body: bytes) -> Proof:
    """Return what an answer to the question proves, or raise CanaryError."""
    try:
        answer = orjson.loads(body)
        if kind == "embedding":
            return _numbers(answer["data"][0]["embedding"], is_vector=True)
        if kind == "rerank":
            ranked = sorted(answer["results"], key=lambda result: int(result["index"]))
            return _numbers([result["relevance_score"] for result in ranked], is_vector=False)
        choice = answer["choices"][0]
        if choice["finish_reason"] not in ("stop", "length"):
            raise CanaryError(f"the canary ended with {choice['finish_reason']!r}")
        tokens = tuple(int(token) for token in choice["token_ids"] or ())
    except (LookupError, TypeError, ValueError) as error:
        raise CanaryError(f"the canary's answer makes no sense: {body[:200]!r}") from error
    if not tokens:
        raise CanaryError("the canary's answer is empty")
    return Proof(tokens=tokens)


def _numbers(found: list[float], *, is_vector: bool) -> Proof:
    numbers = tuple(map(float, found))
    if not all(map(isfinite, numbers)) or not any(numbers):
        raise CanaryError(f"the canary's answer holds no numbers to compare: {numbers[:SHOWN]}")
    return Proof(numbers=numbers, is_vector=is_vector)


def _cosine(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    product = fsum(a * b for a, b in zip(one, other, strict=True))
    return product / sqrt(fsum(a * a for a in one) * fsum(b * b for b in other))
