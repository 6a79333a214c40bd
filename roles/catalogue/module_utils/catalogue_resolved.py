"""Fill in what the user left out, and stand in for what this site cannot run: pure functions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from catalogue_shape import kind_of
from catalogue_speech import languages_of

Entry = dict[str, Any]

# Memory on the card that a sleeping engine keeps, in GiB: CUDA's context and its graphs.
SLEEPER_GIB = 1.5

MODEL_DEFAULTS: Entry = {
    "context": None,
    "vram_gib": None,
    "kv_cache_gib": None,
    "disk_gib": None,
    "fallbacks": [],
    "engine_args": {},
    "environment": {},
    "languages": [],
    "voices": {},
    "base_url": None,
    "api_key": None,
}
APP_DEFAULTS: Entry = {
    "requests_per_minute": None,
    "tokens_per_minute": None,
    "parallel_requests": None,
    "priority": "interactive",
    "max_wait_s": None,
}


def stand_in(name: str, models: dict[str, Entry], seen: tuple[str, ...] = ()) -> str | None:
    """Return who serves a model where there is no GPU: itself, or its first fallback that can."""
    if name not in models or name in seen:
        return None
    if models[name].get("engine") != "vllm":
        return name
    for fallback in models[name].get("fallbacks") or []:
        if found := stand_in(fallback, models, (*seen, name)):
            return found
    return None


def resolve(models: list[Entry], gpus: list[Entry]) -> list[Entry]:
    """Return the models this site serves, every key present.

    Without a GPU, models of engine vllm are left out and, in the fallbacks of the others,
    replaced by their stand-in; `resolve_names` keeps their names working.
    """
    by_name = {model["name"]: model for model in models}
    full = [{**MODEL_DEFAULTS, **_derived(model), **model} for model in models]
    if gpus:
        return full
    return [
        {**model, "fallbacks": _standing_in(model, by_name)}
        for model in full
        if model["engine"] != "vllm"
    ]


def _derived(model: Entry) -> Entry:
    return {"kind": kind_of(model), "languages": languages_of(model)}


def _standing_in(model: Entry, by_name: dict[str, Entry]) -> list[str]:
    names = [stand_in(fallback, by_name) for fallback in model["fallbacks"]]
    return list(dict.fromkeys(name for name in names if name and name != model["name"]))


def resolve_names(aliases: list[Entry], models: list[Entry], gpus: list[Entry]) -> list[Entry]:
    """Return every further name that is served, as {name, model}: the aliases, and without a
    GPU the names of the models that need one, each pointing at a model this site serves.
    """
    by_name = {model["name"]: model for model in models}
    if gpus:
        return [{"name": alias["name"], "model": alias["model"]} for alias in aliases]
    pairs = [(alias["name"], alias["model"]) for alias in aliases]
    pairs += [(name, name) for name, model in by_name.items() if model["engine"] == "vllm"]
    return [{"name": name, "model": stand_in(model, by_name)} for name, model in pairs]


def resolve_apps(apps: Iterable[Entry]) -> list[Entry]:
    """Return the applications with every key present."""
    return [{**APP_DEFAULTS, **app} for app in apps]
