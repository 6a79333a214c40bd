"""What chat models can do beyond text: who may say it, and fallbacks that can do less."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from synapse_common.engines import Capability
from synapse_deploy.catalogue.rules import Found, Placed, kind_of, named

KIND = "chat"
VISION: Capability = "vision"
# What requests that need it are called in a sentence.
NEEDS: Mapping[str, str] = {
    VISION: "requests with pictures",
    "tools": "requests with tools",
    "reasoning": "requests that ask for reasoning",
    "json": "requests that ask for JSON",
}


def capabilities(site: Mapping[str, Any]) -> Found:
    """Only a chat model has capabilities."""
    for model in named(site, "synapse_models").values():
        if model.entry.get("capabilities") and (kind := kind_of(model.entry)) != KIND:
            yield (
                (*model.path, "capabilities"),
                f"belongs to models of kind {KIND}, not {kind}; take it out",
            )


def poorer_fallbacks(site: Mapping[str, Any]) -> Found:
    """A fallback can do what its model names: else some requests have no fallback."""
    models = named(site, "synapse_models")
    for model in models.values():
        for path, name in model.names("fallbacks"):
            if name in models and (lacking := _lacking(model, models[name])):
                needs = " and ".join(NEEDS[one] for one in lacking)
                yield (
                    path,
                    f'"{name}" does not name {" and ".join(lacking)}, which {model.entry["name"]} '
                    f"does: it answers no {needs} in its place",
                )


def _lacking(model: Placed, fallback: Placed) -> list[str]:
    """Return what the model names and the fallback lacks, as far as that is known."""
    wanted = {name for _, name in model.names("capabilities")}
    has = {name for _, name in fallback.names("capabilities")}
    known = has or "capabilities" in fallback.entry
    lacking = wanted - has if known else wanted & {VISION}
    return [one for one in get_args(Capability) if one in lacking]
