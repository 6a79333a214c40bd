"""What chat models can do beyond text: who may say it, and fallbacks that can do less."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from synapse_common import reading
from synapse_common.engines import OLLAMA, VLLM, Capability
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

# What every model of an engine can do, and what further options of vLLM's tell of one.
OF_ENGINE: Mapping[str, tuple[Capability, ...]] = {VLLM.name: ("json",), OLLAMA.name: ("json",)}
BY_OPTION: Mapping[Capability, tuple[str, ...]] = {
    "tools": ("enable-auto-tool-choice", "tool-call-parser"),
    "reasoning": ("reasoning-parser",),
}


def capabilities_of(entry: Mapping[str, Any]) -> list[Capability] | None:
    """Return what a chat model can do, as it is named and its engine tells; None: nobody knows.

    vLLM's options tell all but whether a model sees. Of the others the entry must name it, all
    but JSON, which Ollama gives of every model.
    """
    engine, named_here = entry.get("engine"), entry.get("capabilities")
    if kind_of(entry) != KIND or (named_here is None and engine != VLLM.name):
        return None
    found = {name for _, name in reading.texts(entry, "capabilities")}
    found |= {*OF_ENGINE.get(str(engine), ())}
    if engine == VLLM.name:
        given = entry.get("engine_args")
        options = given if isinstance(given, Mapping) else {}
        found |= {one for one, names in BY_OPTION.items() if all(map(options.get, names))}
    return [one for one in get_args(Capability) if one in found]


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
                    f'"{name}" lacks {" and ".join(lacking)}, which {model.entry["name"]} '
                    f"has: it answers no {needs} in its place",
                )


def _lacking(model: Placed, fallback: Placed) -> list[str]:
    """Return what the model can do and the fallback lacks, as far as that is known."""
    has = capabilities_of(fallback.entry)
    looked_at = {VISION} if has is None else set(get_args(Capability))
    lacking = looked_at - set(has or ())
    return [one for one in capabilities_of(model.entry) or () if one in lacking]
