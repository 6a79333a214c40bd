"""Vectors and scores: asked of engines that make them, and of one that writes."""

from typing import Any

from vllm_recorder.battery.case import (
    HELLO,
    MAX_MODEL_LEN,
    MODEL,
    TOO_LONG,
    Case,
    Kind,
    send,
    without,
)

PATH = "/v1/embeddings"


def embedding(name: str, **fields: Any) -> Case:
    """Ask for vectors."""
    return Case(f"embedding: {name}", "POST", PATH, {"model": MODEL, "input": "Hello", **fields})


RANKED = {"model": MODEL, "query": "a", "documents": ["b", "c"]}
COMPARED = {"model": MODEL, "text_1": "a", "text_2": "b"}


def rank(name: str, *left_out: str, **fields: Any) -> Case:
    """Ask for documents in order."""
    return send("/v1/rerank", without({**RANKED, **fields}, *left_out), name=f"rerank: {name}")


def compare(name: str, *left_out: str, **fields: Any) -> Case:
    """Ask how well texts fit each other."""
    return send("/v1/score", without({**COMPARED, **fields}, *left_out), name=f"score: {name}")


ANY = [
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
VECTORS = [
    embedding("no model", model=None),
    embedding("lists of tokens", input=[[5, 6, 7], [8]]),
    embedding("an empty text among others", input=["Hello", ""]),
    embedding("input is a number", input=5),
    embedding("unknown encoding_format", encoding_format="hex"),
    embedding("bytes", encoding_format="bytes"),
    embedding("as long as the context", input=[5] * MAX_MODEL_LEN),
    embedding("one token too long", input=[5] * (MAX_MODEL_LEN + 1)),
    Case("embedding: no input", "POST", PATH, {"model": MODEL}),
    Case("embedding: conversation", "POST", PATH, {"model": MODEL, "messages": HELLO}),
    Case("embedding: not JSON", "POST", PATH, raw=b"{"),
    Case(
        "embedding: x-request-id",
        "POST",
        PATH,
        {"model": MODEL, "input": "Hello"},
        headers={"x-request-id": "my-id-1"},
    ),
]
# Engines that make vectors compare them; one that makes scores reads both texts at once.
SCORES = [
    rank("top_n", top_n=1),
    rank("top_n beyond all", top_n=9),
    rank("top_n below zero", top_n=-1),
    rank("one document as text", documents="b"),
    rank("empty list", documents=[]),
    rank("empty document", documents=["", "c"]),
    rank("too long", documents=["b", TOO_LONG]),
    rank("no query", "query"),
    rank("no documents", "documents"),
    rank("query is a number", query=5),
    rank("no model", model=None),
    rank("unknown model", model="nope"),
    compare("one with many", text_2=["b", "c"]),
    compare("pairs", text_1=["a", "d"], text_2=["b", "c"]),
    compare("many with one", text_1=["a", "d"]),
    compare("lists that do not match", text_1=["a", "d"], text_2=["b", "c", "e"]),
    compare("empty list", text_2=[]),
    compare("queries and documents", *COMPARED.keys() - {"model"}, queries="a", documents=["b"]),
    compare("no text_2", "text_2"),
    compare("unknown model", model="nope"),
]


def cases(kind: Kind) -> list[Case]:
    """Return them; an engine without these routes is asked for each route, no more."""
    return ANY + (VECTORS if kind == "embed" else []) + ([] if kind == "generate" else SCORES)
