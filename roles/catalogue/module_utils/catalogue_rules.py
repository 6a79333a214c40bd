"""Rules that span several entries; each function returns sentences that name the entry."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from catalogue_shape import DNS_LABEL, Entry, kind_of, suggest

# Objects of Synapse itself; a model of that name would take their place in the cluster.
RESERVED = (
    "arbiter", "gateway", "kubernetes", "litellm", "ollama", "piper", "speaches", "synapse",
)  # fmt: skip
ALL_MODELS = "*"


def check_names(what: str, entries: Iterable[Entry]) -> list[str]:
    """Names are DNS labels, unique in their list, and none of Synapse's own."""
    names = [entry["name"] for entry in entries]
    found = [
        f"{what} {name}: is listed {times} times; keep one"
        for name, times in Counter(names).items()
        if times > 1
    ]
    for name in dict.fromkeys(names):
        if not DNS_LABEL.fullmatch(name):
            found.append(
                f"{what} {name}: the name is no DNS label (small letters, digits, hyphens, "
                f"at most 63){_as_label(name)}"
            )
        if what == "model" and name in RESERVED:
            found.append(f"model {name}: a service of Synapse has this name; choose another")
    return found


def _as_label(name: str) -> str:
    near = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return f'; for example "{near}"' if DNS_LABEL.fullmatch(near) else ""


def check_aliases(aliases: list[Entry], models: dict[str, Entry]) -> list[str]:
    """An alias has a name of its own and points at a model."""
    found, names = [], [alias["name"] for alias in aliases]
    for alias in aliases:
        name, target = alias["name"], alias.get("model")
        if name in models:
            found.append(f"alias {name}: a model has the same name; rename one of them")
        if isinstance(target, str) and target not in models:
            found.append(f"alias {name}: {_not_a_model(target, models, names, 'points at')}")
    return found


def check_fallbacks(models: dict[str, Entry], aliases: list[str]) -> list[str]:
    """A fallback is a model of the same kind, and no chain returns to where it began."""
    found = []
    for name, model in models.items():
        for fallback in model.get("fallbacks") or []:
            if fallback not in models:
                text = _not_a_model(fallback, models, aliases, "falls back to")
                found.append(f"model {name}: {text}")
            elif kind_of(models[fallback]) != kind_of(model):
                found.append(
                    f"model {name}: is of kind {kind_of(model)} and cannot fall back to "
                    f"{fallback} of kind {kind_of(models[fallback])}"
                )
    return found + [
        f"model {cycle[0]}: the fallbacks form a cycle, {' -> '.join([*cycle, cycle[0]])}"
        for cycle in _cycles(models)
    ]


def _not_a_model(target: str, models: Iterable[str], aliases: Iterable[str], verb: str) -> str:
    if target in aliases:
        return f'{verb} "{target}", which is an alias; name the model itself'
    return f'{verb} "{target}", which is not in synapse_models{suggest(target, models)}'


def _cycles(models: dict[str, Entry]) -> list[list[str]]:
    """Return each cycle once, starting at its alphabetically first model."""
    cycles: list[list[str]] = []

    def walk(name: str, trail: list[str]) -> None:
        if name in trail:
            cycle = trail[trail.index(name) :]
            first = cycle.index(min(cycle))
            turned = cycle[first:] + cycle[:first]
            if turned not in cycles:
                cycles.append(turned)
            return
        for fallback in models[name].get("fallbacks") or []:
            if fallback in models:
                walk(fallback, [*trail, name])

    for name in models:
        walk(name, [])
    return cycles


def check_files(models: dict[str, Entry], files_path: Any) -> list[str]:
    """A model from a file needs the folder it lies in."""
    return [
        f"model {name}: comes from a file, but synapse_model_files_path is null; name the folder"
        for name, model in models.items()
        if str(model.get("source", "")).startswith("file:") and files_path is None
    ]


def check_apps(apps: list[Entry], names: list[str]) -> list[str]:
    """An application is allowed only what exists."""
    return [
        f'app {app["name"]}: is allowed "{name}", which is neither a model nor an alias'
        f"{suggest(name, names)}"
        for app in apps
        for name in app.get("models") or []
        if name != ALL_MODELS and name not in names
    ]
