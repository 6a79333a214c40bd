"""The most that a request may take of a model outside, estimated before it leaves."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from relayed import config, model, request
from synapse_gateway.relay.most import most as most_of
from synapse_gateway.usage.tariffs import Took

KNOWN = config(
    model("a", "openai"),
    model("small", "openai", context=1000),
    model("e", "openai", kind="embedding"),
    model("r", "openai", kind="rerank"),
)
LONGEST = 5000
HI = [{"role": "user", "content": "hi"}]
CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"
PICTURE = base64.b64encode(bytes(3_000_000)).decode()


def most(path: str, **told: Any) -> Took:
    asked = request(path, {"model": "a", **told}, KNOWN)
    return most_of(asked, asked.model, LONGEST)


@pytest.mark.parametrize(
    ("path", "told", "tokens_out"),
    [
        (CHAT, {"messages": HI}, LONGEST),
        (CHAT, {"messages": HI, "max_tokens": 7}, 7),
        (CHAT, {"messages": HI, "max_completion_tokens": 9, "max_tokens": 7}, 9),
        (CHAT, {"messages": HI, "max_tokens": 7, "n": 3}, 21),
        (COMPLETIONS, {"prompt": ["a", "b"], "max_tokens": 7, "best_of": 2}, 28),
        (COMPLETIONS, {"prompt": [1, 2, 3], "max_tokens": 7}, 7),
        (COMPLETIONS, {"prompt": [[1, 2], [3]], "max_tokens": 7}, 14),
        ("/v1/responses", {"input": "hi", "max_output_tokens": 7}, 7),
        ("/v1/messages", {"messages": HI, "max_tokens": 7}, 7),
        ("/api/chat", {"messages": HI, "options": {"num_predict": 7}}, 7),
        ("/api/generate", {"prompt": "hi", "options": {"num_predict": -1}}, LONGEST),
        ("/v1/messages/count_tokens", {"messages": HI}, 0),
    ],
)
def test_a_requests_own_limit_counts_for_each_answer(
    path: str, told: dict[str, Any], tokens_out: int
) -> None:
    assert most(path, **told).tokens_out == tokens_out


def test_what_comes_in_is_estimated_by_its_bytes() -> None:
    few = most(CHAT, messages=HI)
    long = [{"role": "user", "content": "word " * 3000}]
    many = most(CHAT, messages=long)
    assert few.tokens_in < 40
    assert 3000 <= many.tokens_in <= 6000


def test_a_picture_is_no_text_of_its_length() -> None:
    url = {"url": f"data:image/png;base64,{PICTURE}"}
    shown = [{"role": "user", "content": [{"type": "image_url", "image_url": url}]}]
    assert 1_000 <= most(CHAT, messages=shown).tokens_in <= 50_000


def test_a_text_that_looks_like_a_picture_is_a_text() -> None:
    long = [{"role": "user", "content": "A" * 3_000_000}]
    assert most(CHAT, messages=long).tokens_in > 1_000_000
    assert most("/api/chat", messages=long).tokens_in > 1_000_000


def test_no_more_comes_in_than_the_model_can_read() -> None:
    long = "word " * 30_000
    said = [{"role": "user", "content": long}]
    assert most(CHAT, model="small", messages=said).tokens_in == 1000
    assert most(COMPLETIONS, model="small", prompt=[long] * 3).tokens_in == 3000
    assert most(COMPLETIONS, model="small", prompt=[[1] * 50_000]).tokens_in == 1000


def test_vectors_and_ranks_say_nothing() -> None:
    vectors = most("/v1/embeddings", model="e", input="hi")
    assert (vectors.tokens_out, vectors.queries) == (0, 0)
    documents = ["x"] * 250
    ranks = most("/v1/rerank", model="r", query="hi", documents=documents)
    assert (ranks.tokens_out, ranks.queries) == (0, 3)


def test_counting_costs_nothing() -> None:
    assert most("/v1/messages/count_tokens", messages=HI).tokens_in == 0
