"""Vectors and scores: asked of engines that make them, and of one that writes."""

from typing import Any

from vllm_recorder.battery.case import MODEL, TOO_LONG, Case, send

PATH = "/v1/embeddings"


def embedding(name: str, **fields: Any) -> Case:
    """Ask for vectors."""
    return Case(f"embedding: {name}", "POST", PATH, {"model": MODEL, "input": "Hello", **fields})


RANKED = {"model": MODEL, "query": "a", "documents": ["b", "c"]}
COMPARED = {"model": MODEL, "text_1": "a", "text_2": "b"}
CASES = [
    embedding("one text"),
    embedding("two texts", input=["Hello", "you"]),
    embedding("base64", encoding_format="base64"),
    embedding("dimensions", dimensions=16),
    embedding("empty list", input=[]),
    embedding("empty text", input=""),
    embedding("too long", input=TOO_LONG),
    embedding("tokens", input=[5, 6, 7]),
    embedding("unknown model", model="nope"),
    *(send(path, RANKED) for path in ("/rerank", "/v1/rerank", "/v2/rerank")),
    *(send(path, COMPARED) for path in ("/score", "/v1/score")),
    send("/pooling", {"model": MODEL, "input": "a"}),
    send("/classify", {"model": MODEL, "input": "a"}),
]
