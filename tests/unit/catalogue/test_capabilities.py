"""A fallback that can do less than its model is told, and stops nothing."""

from __future__ import annotations

from typing import Any

import pytest

from synapse_deploy.catalogue import check
from synapse_deploy.catalogue.capability_rules import capabilities_of


def model(name: str, *can: str, fallbacks: tuple[str, ...] = ()) -> dict[str, Any]:
    """A model that names what it can do; none: it says nothing."""
    entry: dict[str, Any] = {"name": name, "engine": "openai", "source": name}
    entry |= {"base_url": "http://far/v1", "fallbacks": list(fallbacks)}
    return entry | ({"capabilities": list(can)} if can else {})


def told(*models: dict[str, Any]) -> list[str]:
    """What the user is told of a site with these models."""
    return [one.text for one in check.warnings({"synapse_models": list(models)})]


@pytest.mark.parametrize(
    ("first", "second", "lacking"),
    [
        (["vision"], [], "vision"),
        (["vision", "tools"], ["tools"], "vision"),
        (["vision", "tools"], ["vision"], "tools"),
        (["tools", "json"], ["reasoning"], "tools and json"),
        (["tools", "reasoning", "json"], [], ""),
        ([], ["vision"], ""),
        (["vision"], ["vision", "tools"], ""),
    ],
)
def test_what_a_fallback_lacks_is_told(first: list[str], second: list[str], lacking: str) -> None:
    found = told(model("big", *first, fallbacks=("small",)), model("small", *second))
    assert len(found) == bool(lacking)
    assert not lacking or f'"small" lacks {lacking}, which big has' in found[0]


def test_it_is_told_with_its_place_and_is_no_fault() -> None:
    models = [model("big", "vision", fallbacks=("blind", "seeing")), model("blind")]
    site = {"synapse_models": [*models, model("seeing", "vision")]}
    (one,) = check.warnings(site)
    assert one.path == ("synapse_models", 0, "fallbacks", 0)
    assert one.text == (
        'model big: fallbacks: "blind" lacks vision, which big has: '
        "it answers no requests with pictures in its place"
    )
    assert not any("blind" in problem.text for problem in check.problems(site))


TOOLS = {"enable-auto-tool-choice": True, "tool-call-parser": "qwen3_xml"}
THINKS = {"reasoning-parser": "qwen3"}


@pytest.mark.parametrize(
    ("entry", "can"),
    [
        ({"engine": "vllm"}, ["json"]),
        ({"engine": "vllm", "engine_args": TOOLS}, ["tools", "json"]),
        ({"engine": "vllm", "engine_args": {"tool-call-parser": "qwen3_xml"}}, ["json"]),
        ({"engine": "vllm", "engine_args": TOOLS | THINKS}, ["tools", "reasoning", "json"]),
        ({"engine": "vllm", "engine_args": THINKS, "capabilities": ["vision"]},
         ["vision", "reasoning", "json"]),
        ({"engine": "vllm", "engine_args": "nonsense"}, ["json"]),
        ({"engine": "vllm", "kind": "embedding"}, None),
        ({"engine": "ollama"}, None),
        ({"engine": "ollama", "capabilities": []}, ["json"]),
        ({"engine": "ollama", "capabilities": ["tools", 3]}, ["tools", "json"]),
        ({"engine": "openai", "capabilities": ["tools"]}, ["tools"]),
        ({"engine": "litellm"}, None),
        ({"capabilities": "tools"}, []),
    ],
)  # fmt: skip
def test_what_an_engine_can_tell_is_not_to_be_named(
    entry: dict[str, Any], can: list[str] | None
) -> None:
    assert capabilities_of(entry) == can


def test_options_of_vllm_are_compared_too() -> None:
    able = {"name": "big", "engine": "vllm", "engine_args": TOOLS, "fallbacks": ["bare", "cpu"]}
    bare = {"name": "bare", "engine": "vllm"}
    (one,) = told(able, bare, {"name": "cpu", "engine": "ollama", "source": "cpu"})
    assert '"bare" lacks tools, which big has' in one
