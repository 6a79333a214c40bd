"""What requests cost: by the site's prices, and by LiteLLM's list."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from synapse_common.engines import Kind
from synapse_common.price import Price
from synapse_gateway.usage.tariffs import LIST, Tariff, Took, listed, written

M = 10**6
TOKENS: dict[str, Any] = {"input_cost_per_token": 3 / M, "output_cost_per_token": 15 / M}
PRICES: dict[str, Any] = {
    "claude": TOKENS
    | {
        "litellm_provider": "anthropic",
        "cache_read_input_token_cost": 0.3 / M,
        "cache_creation_input_token_cost": 3.75 / M,
        "input_cost_per_token_above_200k_tokens": 6 / M,
        "output_cost_per_token_above_200k_tokens": 22.5 / M,
        "input_cost_per_token_above_128k_tokens": 4 / M,
    },
    "azure/gpt": TOKENS | {"litellm_provider": "azure", "max_output_tokens": 16_384},
    "gemini": TOKENS | {"litellm_provider": "vertex_ai-language-models"},
    "thinker": TOKENS | {"litellm_provider": "x", "output_cost_per_reasoning_token": 60 / M},
    "rerank": {"litellm_provider": "cohere", "input_cost_per_query": 0.002},
    "embed": {"litellm_provider": "mistral", "input_cost_per_token": 0.1 / M},
    "half": {"litellm_provider": "x", "input_cost_per_token": 0.1 / M},
    "zeros": {
        "litellm_provider": "x",
        "input_cost_per_token": 0,
        "output_cost_per_token": 0.0,
        "input_cost_per_query": 0.0,
    },
    "picture": {"litellm_provider": "x", "output_cost_per_image": 0.04},
}


@pytest.fixture(autouse=True)
def _list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a package with a list in LiteLLM's place; nothing of it is run."""
    package = tmp_path / "litellm"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('LiteLLM was imported')")
    (package / LIST).write_text(json.dumps(PRICES))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "litellm", raising=False)


def found_in_list(*names: str) -> dict[str, Tariff]:
    return listed(dict.fromkeys(names, "chat"))


@pytest.mark.parametrize(
    ("kind", "price", "took", "usd"),
    [
        ("chat", (3, 15), Took(tokens_in=1000, tokens_out=100), 0.0045),
        ("chat", (3, 15), Took(tokens_in=1000, cached=900, kept=50), 0.003),
        ("chat", (0, 0), Took(tokens_in=1000, tokens_out=100), 0),
        ("embedding", (0.02, None), Took(tokens_in=50), 0.000001),
    ],
)
def test_a_sites_price_is_for_a_million_tokens(
    kind: Kind, price: tuple[float, float | None], took: Took, usd: float
) -> None:
    read, wrote = price
    tariff = written(Price(input_usd_per_million=read, output_usd_per_million=wrote), kind)
    assert tariff is not None
    assert tariff.nano_usd(took) == round(usd * 1e9)


@pytest.mark.parametrize(
    ("kind", "price", "took", "usd"),
    [
        ("rerank", Price(usd_per_query=0.002), Took(queries=3), 0.006),
        ("transcription", Price(usd_per_minute=0.006), Took(audio_s=90), 0.009),
        ("speech", Price(usd_per_million_characters=15), Took(characters=200), 0.003),
    ],
)
def test_other_kinds_are_paid_by_other_measures(
    kind: Kind, price: Price, took: Took, usd: float
) -> None:
    tariff = written(price, kind)
    assert tariff is not None
    assert tariff.nano_usd(took) == round(usd * 1e9)
    assert written(price, "chat") is None


def test_half_a_price_is_none() -> None:
    assert written(Price(input_usd_per_million=1), "chat") is None
    assert written(Price(output_usd_per_million=1), "embedding") is None


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("claude", True),
        ("anthropic/claude", True),
        ("azure/gpt", True),
        ("vertex_ai/gemini", True),
        ("cohere/rerank", True),
        ("bedrock/claude", False),  # another provider's price
        ("azure/claude", False),
        ("gemini/gemini", False),
        ("x/picture", False),
        ("x/nothing", False),
    ],
)
def test_the_list_is_looked_up_by_name_and_provider(source: str, found: bool) -> None:
    assert (source in found_in_list(source, "anthropic/claude")) is found


@pytest.mark.parametrize("kind", ["chat", "embedding", "rerank"])
def test_nothing_but_zeros_means_that_nobody_knows(kind: Kind) -> None:
    assert listed({"x/zeros": kind}) == {}


def test_vectors_have_a_price_of_what_comes_in_alone() -> None:
    tariff = listed({"mistral/embed": "embedding"})["mistral/embed"]
    assert tariff.nano_usd(Took(tokens_in=50)) == 5000
    assert listed({"x/half": "chat"}) == {}


def test_the_list_tells_how_long_an_answer_may_become() -> None:
    found = found_in_list("azure/gpt", "anthropic/claude")
    assert [found[name].longest for name in ("azure/gpt", "anthropic/claude")] == [16_384, None]


def test_what_the_list_says_of_the_cache_and_of_long_requests_counts() -> None:
    tariff = found_in_list("anthropic/claude")["anthropic/claude"]
    assert tariff.nano_usd(Took(1000, cached=900, kept=50, tokens_out=10)) == round(
        (50 * 3 + 900 * 0.3 + 50 * 3.75 + 10 * 15) * 1000
    )
    assert tariff.nano_usd(Took(150_000, tokens_out=10)) == (150_000 * 4 + 10 * 15) * 1000
    assert tariff.nano_usd(Took(200_001)) == 200_001 * 6 * 1000


def test_who_thinks_dearly_is_paid_dearly() -> None:
    assert found_in_list("x/thinker")["x/thinker"].token_out == 60 / M


def test_a_list_that_cannot_be_read_is_no_list(tmp_path: Path) -> None:
    (tmp_path / "litellm" / LIST).write_text("no JSON")
    assert found_in_list("anthropic/claude") == {}
    (tmp_path / "litellm" / LIST).unlink()
    assert found_in_list("anthropic/claude") == {}


def test_without_litellm_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert found_in_list("anthropic/claude") == {}


@pytest.mark.parametrize(
    ("usage", "took"),
    [
        ({"prompt_tokens": 10, "completion_tokens": 3}, Took(10, 0, 0, 3)),
        (
            {
                "prompt_tokens": 10,
                "completion_tokens": 3,
                "prompt_tokens_details": {"cached_tokens": 8},
            },
            Took(10, 8, 0, 3),
        ),
        (
            {
                "input_tokens": 10,
                "output_tokens": 3,
                "input_tokens_details": {"cached_tokens": 8},
            },
            Took(10, 8, 0, 3),
        ),
        (  # LiteLLM's, of Anthropic's models: all are part of what came in
            {
                "prompt_tokens": 18,
                "completion_tokens": 3,
                "cache_read_input_tokens": 8,
                "cache_creation_input_tokens": 2,
                "prompt_tokens_details": {"cached_tokens": 8},
            },
            Took(18, 8, 2, 3),
        ),
        (  # Anthropic's own: they come on top
            {
                "input_tokens": 8,
                "output_tokens": 3,
                "cache_read_input_tokens": 8,
                "cache_creation_input_tokens": 2,
            },
            Took(18, 8, 2, 3),
        ),
        ({"prompt_tokens": "many", "prompt_tokens_details": None}, Took()),
        ({"prompt_tokens": -1, "completion_tokens": None}, Took()),
        ({}, Took()),
    ],
)
def test_what_engines_tell_is_read_in_both_ways(usage: dict[str, Any], took: Took) -> None:
    assert Took.told(usage) == took


def test_an_engine_that_tells_nonsense_of_its_cache_gains_nothing_by_it() -> None:
    tariff = Tariff(token_in=1.0, token_cached=0.5, token_kept=2.0)
    assert tariff.nano_usd(Took(tokens_in=10, cached=50, kept=50)) == 5 * 10**9
