"""A fallback that can do less than its model is told, and stops nothing."""

from __future__ import annotations

from typing import Any

import pytest

from synapse_deploy.catalogue import check


def model(name: str, *can: str, fallbacks: tuple[str, ...] = ()) -> dict[str, Any]:
    """A model that names what it can do; none: it says nothing."""
    entry: dict[str, Any] = {"name": name, "engine": "ollama", "source": name}
    return entry | {"fallbacks": list(fallbacks)} | ({"capabilities": list(can)} if can else {})


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
    assert not lacking or f'"small" does not name {lacking}, which big does' in found[0]


def test_it_is_told_with_its_place_and_is_no_fault() -> None:
    models = [model("big", "vision", fallbacks=("blind", "seeing")), model("blind")]
    site = {"synapse_models": [*models, model("seeing", "vision")]}
    (one,) = check.warnings(site)
    assert one.path == ("synapse_models", 0, "fallbacks", 0)
    assert one.text == (
        'model big: fallbacks: "blind" does not name vision, which big does: '
        "it answers no requests with pictures in its place"
    )
    assert not any("blind" in problem.text for problem in check.problems(site))
