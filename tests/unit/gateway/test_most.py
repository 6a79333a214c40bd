"""The most that a request may take of a model outside, estimated before it leaves."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from relayed import config, model, request
from synapse_gateway.relay.most import TOKENS_OUT, most

KNOWN = config(
    model("a", "openai"),
    model("e", "openai", kind="embedding"),
    model("r", "openai", kind="rerank"),
)
HI = [{"role": "user", "content": "hi"}]
CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"
PICTURE = base64.b64encode(bytes(3_000_000)).decode()


@pytest.mark.parametrize(
    ("path", "told", "tokens_out"),
    [
        (CHAT, {"messages": HI}, TOKENS_OUT),
        (CHAT, {"messages": HI, "max_tokens": 7}, 7),
        (CHAT, {"messages": HI, "max_completion_tokens": 9, "max_tokens": 7}, 9),
        (CHAT, {"messages": HI, "max_tokens": 7, "n": 3}, 21),
        (COMPLETIONS, {"prompt": ["a", "b"], "max_tokens": 7, "best_of": 2}, 28),
        (COMPLETIONS, {"prompt": [1, 2, 3], "max_tokens": 7}, 7),
        (COMPLETIONS, {"prompt": [[1, 2], [3]], "max_tokens": 7}, 14),
        ("/v1/responses", {"input": "hi", "max_output_tokens": 7}, 7),
        ("/v1/messages", {"messages": HI, "max_tokens": 7}, 7),
        ("/api/chat", {"messages": HI, "options": {"num_predict": 7}}, 7),
        ("/api/generate", {"prompt": "hi", "options": {"num_predict": -1}}, TOKENS_OUT),
        ("/v1/messages/count_tokens", {"messages": HI}, 0),
    ],
)
def test_a_requests_own_limit_counts_for_each_answer(
    path: str, told: dict[str, Any], tokens_out: int
) -> None:
    found = most(request(path, {"model": "a", **told}, KNOWN))
    assert found.tokens_out == tokens_out


def test_what_comes_in_is_estimated_by_its_bytes() -> None:
    few = most(request(CHAT, {"model": "a", "messages": HI}, KNOWN))
    long = [{"role": "user", "content": "word " * 3000}]
    many = most(request(CHAT, {"model": "a", "messages": long}, KNOWN))
    assert few.tokens_in < 40
    assert 3000 <= many.tokens_in <= 6000


def test_a_picture_is_no_text_of_its_length() -> None:
    url = {"url": f"data:image/png;base64,{PICTURE}"}
    shown = [{"role": "user", "content": [{"type": "image_url", "image_url": url}]}]
    found = most(request(CHAT, {"model": "a", "messages": shown}, KNOWN))
    assert 1_000 <= found.tokens_in <= 50_000


def test_vectors_and_ranks_say_nothing() -> None:
    vectors = most(request("/v1/embeddings", {"model": "e", "input": "hi"}, KNOWN))
    assert (vectors.tokens_out, vectors.queries) == (0, 0)
    documents = ["x"] * 250
    asked = {"model": "r", "query": "hi", "documents": documents}
    ranks = most(request("/v1/rerank", asked, KNOWN))
    assert (ranks.tokens_out, ranks.queries) == (0, 3)


def test_counting_costs_nothing() -> None:
    counted = request("/v1/messages/count_tokens", {"model": "a", "messages": HI}, KNOWN)
    assert most(counted).tokens_in == 0
