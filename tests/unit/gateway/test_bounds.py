"""What multiplies an engine's work has a bound, and a wrong value is refused by its name."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_common.engines import STOPS_AT_MOST
from synapse_common.refusals import Refusal
from synapse_gateway import bounds

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)
FIELDS = st.sampled_from([*bounds.Bounds.model_fields, "encoding_format", "structured_outputs"])
PATTERN = "a" * (bounds.PATTERN_AT_MOST + 1)


def refused(body: dict[str, Any]) -> Refusal:
    with pytest.raises(Refusal) as found:
        bounds.check(body)
    assert found.value.status == 400
    return found.value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("stream", "yes"), ("stream", 1),
        ("n", 0), ("n", bounds.CHOICES_AT_MOST + 1), ("n", 1.5), ("n", True), ("n", "1"),
        ("best_of", 10_000),
        ("max_tokens", -1), ("max_tokens", 0), ("max_tokens", "5"), ("max_tokens", 10**12),
        ("max_completion_tokens", 0), ("max_output_tokens", -1), ("min_tokens", -1),
        ("temperature", "hot"), ("temperature", -0.1), ("temperature", True),
        ("temperature", float("nan")), ("temperature", float("inf")),
        ("top_p", 1.1), ("min_p", -1), ("presence_penalty", 3), ("frequency_penalty", -3),
        ("repetition_penalty", 0), ("top_k", 1.5), ("seed", "x"),
        ("logprobs", 21), ("logprobs", "all"), ("top_logprobs", 500), ("prompt_logprobs", -1),
        ("stop", 5), ("stop", ["x"] * (STOPS_AT_MOST + 1)), ("stop", [1]),
        ("stop_sequences", "x"), ("dimensions", 0), ("top_n", 0),
        ("documents", "y"), ("documents", ["x"] * (bounds.DOCUMENTS_AT_MOST + 1)),
        ("guided_regex", PATTERN), ("guided_grammar", PATTERN),
        ("encoding_format", "bogus"), ("encoding_format", 5),
    ],
)  # fmt: skip
def test_a_value_that_makes_no_sense_is_refused_by_its_name(name: str, value: Any) -> None:
    refusal = refused({"model": "m", name: value})
    assert refusal.param == name
    assert f"'{name}' must" in refusal.message


@pytest.mark.parametrize("name", ["regex", "grammar"])
def test_a_pattern_that_is_compiled_has_a_length(name: str) -> None:
    assert refused({"structured_outputs": {name: PATTERN}}).param == f"structured_outputs.{name}"
    bounds.check({"structured_outputs": {name: "a+"}})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("stream", True), ("n", 1), ("n", bounds.CHOICES_AT_MOST), ("max_tokens", 1),
        ("truncate_prompt_tokens", -1), ("temperature", 0), ("temperature", 0.5), ("top_p", 1),
        ("top_k", -1), ("seed", -5), ("logprobs", True), ("logprobs", 5), ("stop", ""),
        ("stop", ["a", "b"]), ("documents", [{"any": "shape"}]), ("encoding_format", "base64"),
        ("messages", "whatever"), ("unknown", object()),
    ],
)  # fmt: skip
def test_what_makes_sense_and_what_only_the_engine_judges_passes(name: str, value: Any) -> None:
    bounds.check({"model": "m", name: value})


@given(st.dictionaries(FIELDS, JSON))
def test_any_value_passes_or_is_refused_by_a_name_that_was_sent(body: dict[str, Any]) -> None:
    named = ""
    try:
        bounds.check(body)
    except Refusal as refusal:
        named = str(refusal.param)
    assert not named or named.partition(".")[0] in body
