"""What an engine's answer to the canary proves, for every kind of model on the GPU."""

import json

import pytest

from synapse_arbiter.engine.canary import CanaryError, Proof, proof, question
from synapse_common.engines import GPU_KINDS, GpuKind


def completion(*tokens: int, reason: str = "length") -> bytes:
    """An answer as vLLM gives it: the text of a thinking model would be empty or cut."""
    choice = {"text": "", "token_ids": list(tokens), "finish_reason": reason}
    return json.dumps({"choices": [choice]}).encode()


def embedding(*numbers: float) -> bytes:
    """An answer of an embedding model."""
    return json.dumps({"data": [{"embedding": numbers}]}).encode()


def ranking(**scores: float) -> bytes:
    """An answer of a reranker, best first as it gives them."""
    ranked = sorted(scores.items(), key=lambda pair: -pair[1])
    results = [{"index": int(name[1:]), "relevance_score": score} for name, score in ranked]
    return json.dumps({"results": results}).encode()


@pytest.mark.parametrize("kind", GPU_KINDS)
def test_every_kind_is_asked_something_for_its_model(kind: GpuKind) -> None:
    path, body = question("m", kind, 16)
    assert path.startswith("/v1/")
    assert body["model"] == "m"


def test_a_raw_completion_is_asked_so_that_thinking_cannot_hide_the_answer() -> None:
    path, body = question("m", "chat", 1)
    assert path == "/v1/completions"
    assert body["max_tokens"] == 1
    assert body["return_token_ids"]
    assert body["temperature"] == 0


@pytest.mark.parametrize(
    ("kind", "baseline", "now", "same"),
    [
        ("chat", completion(5, 6, 7), completion(5), True),
        ("chat", completion(5, 6, 7), completion(5, 6, 7), True),
        ("chat", completion(5, 6, 7), completion(6), False),
        ("chat", completion(5, 6, 7), completion(5, 6, 8), False),
        ("chat", completion(5), completion(5, 6), False),
        ("embedding", embedding(0.1, 0.2, 0.3), embedding(0.1001, 0.2, 0.2999), True),
        ("embedding", embedding(0.1, 0.2, 0.3), embedding(0.3, -0.2, 0.1), False),
        ("embedding", embedding(0.1, 0.2, 0.3), embedding(0.1, 0.2), False),
        ("rerank", ranking(d0=0.9, d1=0.1), ranking(d0=0.89, d1=0.1), True),
        ("rerank", ranking(d0=0.9, d1=0.1), ranking(d0=0.1, d1=0.9), False),
        ("rerank", ranking(d0=9.2, d1=-4.1), ranking(d0=9.3, d1=-4.0), True),
    ],
)
def test_an_answer_is_compared_with_the_one_of_the_new_engine(
    kind: GpuKind, baseline: bytes, now: bytes, same: bool
) -> None:
    assert proof(kind, now).agrees_with(proof(kind, baseline)) is same


@pytest.mark.parametrize(
    ("kind", "body", "what"),
    [
        ("chat", completion(), "is empty"),
        ("chat", completion(1, reason="abort"), "ended with 'abort'"),
        ("chat", b'{"choices":[]}', "makes no sense"),
        ("chat", b'{"choices":[{"text":"x","finish_reason":"stop"}]}', "makes no sense"),
        ("chat", b"<html>", "makes no sense"),
        ("embedding", embedding(), "no numbers to compare"),
        ("embedding", embedding(0.0, 0.0), "no numbers to compare"),
        ("embedding", b'{"data":[{"embedding":[1.0,NaN]}]}', "makes no sense"),
        ("embedding", b'{"data":[{"embedding":[1.0,null]}]}', "makes no sense"),
        ("embedding", b'{"data":[{"embedding":["inf"]}]}', "no numbers to compare"),
        ("rerank", b'{"results":[]}', "no numbers to compare"),
        ("rerank", b'{"results":[{"index":0}]}', "makes no sense"),
    ],
)
def test_an_answer_that_proves_nothing_is_refused(kind: GpuKind, body: bytes, what: str) -> None:
    with pytest.raises(CanaryError, match=what):
        proof(kind, body)


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (Proof(tokens=(1, 2)), "[1, 2]"),
        (Proof(numbers=(0.123456,)), "[0.1235]"),
        (Proof(tokens=tuple(range(9))), "[0, 1, 2, 3, 4, 5, 6, 7, ...]"),
    ],
)
def test_a_proof_shows_its_first_numbers(shown: Proof, text: str) -> None:
    assert str(shown) == text


def test_a_proof_of_one_kind_is_none_of_another() -> None:
    assert not Proof(numbers=(1.0,)).agrees_with(Proof(tokens=(1,)))
    assert not Proof(tokens=(1,)).agrees_with(Proof(numbers=(1.0,)))
