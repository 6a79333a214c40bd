"""Which model is asked first, and what is told of those still to come."""

from typing import Any

import pytest

from synapse_cli.cluster import ClusterError
from synapse_cli.site_run.ending import coming, name_to_ask, one_line
from synapse_ollama.board import FAILED, PULLING, THERE, Standing

CONFIG: dict[str, Any] = {
    "models": [
        {"name": "vectors", "kind": "embedding", "engine": "ollama"},
        {"name": "big", "kind": "chat", "engine": "vllm"},
        {"name": "large", "kind": "chat", "engine": "ollama"},
        {"name": "small", "kind": "chat", "engine": "ollama"},
    ]
}


def standing(name: str, state: str, **given: Any) -> tuple[str, Standing]:
    return name, Standing(name, f"library/{name}", state, **given)


def test_the_starter_is_asked_also_where_more_is_there() -> None:
    there = dict([standing("large", THERE), standing("small", THERE, is_starter=True)])
    assert name_to_ask(CONFIG, there) == "small"


def test_without_the_starter_one_that_is_there_is_asked() -> None:
    some = dict([standing("small", PULLING, is_starter=True), standing("large", THERE)])
    assert name_to_ask(CONFIG, some) == "large"


def test_without_any_the_first_that_chats_is_asked_and_has_fallbacks() -> None:
    assert name_to_ask(CONFIG, {}) == "big"


def test_a_site_that_does_not_chat_is_told_so() -> None:
    with pytest.raises(ClusterError, match="No model of this site chats"):
        name_to_ask({"models": CONFIG["models"][:1]}, {})


def test_what_still_comes_and_what_failed_is_told() -> None:
    models = dict([
        standing("small", THERE), standing("large", PULLING),
        standing("lost", FAILED, reason="cannot pull library/lost: no such host"),
    ])  # fmt: skip
    assert coming(models) == [
        "Failed so far: lost: cannot pull library/lost: no such host",
        "Still to come: large; make test-health shows how far they are",
    ]
    assert coming(dict([standing("small", THERE)])) == []


def test_an_answer_of_several_lines_is_told_on_one() -> None:
    assert one_line(" Paris.\n\n1. The capital\n") == "Paris. 1. The capital"
