"""Rules between the entries of a site; each yields the place of a fault and what is wrong there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from synapse_common import reading
from synapse_common.engines import ENGINES, KINDS, LITELLM, deployed
from synapse_common.place import Path
from synapse_common.words import suggest
from synapse_deploy.catalogue.entries import DNS_LABEL

Entry = dict[str, Any]
Found = Iterator[tuple[Path, str]]

LISTS = ("synapse_models", "synapse_aliases", "synapse_apps")
# Objects of Synapse itself; a model of that name would take their place in the cluster.
RESERVED = {"arbiter", "gateway", "kubernetes", LITELLM.name, "synapse"} | {
    engine.name for engine in deployed() if not engine.on_gpu
}


@dataclass(frozen=True)
class Placed:
    """An entry with the place that it has in the site."""

    path: Path
    entry: Entry

    def names(self, key: str) -> list[tuple[Path, str]]:
        """Return the names listed under a key, each with its place; what is no name is left out."""
        return [
            ((*self.path, key, number), name) for number, name in reading.texts(self.entry, key)
        ]

    def items(self, key: str) -> list[tuple[Path, str, Any]]:
        """Return what a mapping under a key holds, each with its place."""
        inner = self.entry.get(key)
        pairs = inner.items() if isinstance(inner, dict) else ()
        return [((*self.path, key, name), str(name), value) for name, value in pairs]


def named(site: Mapping[str, Any], variable: str) -> dict[str, Placed]:
    """Return the entries of a list by their names, as far as they are entries with a name."""
    found: dict[str, Placed] = {}
    for name, path, entry in reading.named(site, variable):
        found.setdefault(name, Placed(path, dict(entry)))
    return found


def entries_of(site: Mapping[str, Any], variable: str) -> dict[str, Entry]:
    """Return the same without their places."""
    return {name: one.entry for name, one in named(site, variable).items()}


def kinds_of(engine: Any) -> tuple[str, ...]:
    """Return what an engine can do; nothing for what is no engine."""
    known = ENGINES.get(engine) if isinstance(engine, str) else None
    return known.kinds if known else ()


def kind_of(model: Mapping[str, Any]) -> Any:
    """Return the kind of a model, as its entry or else its engine says."""
    return model.get("kind", (kinds_of(model.get("engine")) or KINDS)[0])


def tag_of(image: str) -> str:
    """Return the tag of an image, which a digest may follow; empty: it has none."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[2]


def names(site: Mapping[str, Any]) -> Found:
    """Names are DNS labels and none of Synapse's own."""
    for variable in LISTS:
        for name, placed in named(site, variable).items():
            if not re.fullmatch(DNS_LABEL, name):
                near = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
                example = f'; for example "{near}"' if re.fullmatch(DNS_LABEL, near) else ""
                yield (
                    placed.path,
                    "the name is no DNS label (small letters, digits, hyphens, at most 63)"
                    f"{example}",
                )
            if variable == "synapse_models" and name in RESERVED:
                yield placed.path, "a service of Synapse has this name; choose another"


def aliases(site: Mapping[str, Any]) -> Found:
    """An alias has a name of its own and points at a model."""
    models, known = named(site, "synapse_models"), named(site, "synapse_aliases")
    for name, alias in known.items():
        target = alias.entry.get("model")
        if name in models:
            yield alias.path, "a model has the same name; rename one of them"
        if isinstance(target, str) and target and target not in models:
            yield (*alias.path, "model"), _not_a_model(target, models, known)


def fallbacks(site: Mapping[str, Any]) -> Found:
    """A fallback is a model of the same kind, and no chain returns to where it began."""
    models, known = named(site, "synapse_models"), named(site, "synapse_aliases")
    for model in models.values():
        kind = kind_of(model.entry)
        for path, name in model.names("fallbacks"):
            if name not in models:
                yield path, _not_a_model(name, models, known)
            elif (other := kind_of(models[name].entry)) != kind:
                yield (
                    path,
                    f'"{name}" is of kind {other}; a fallback must be of kind {kind} as well',
                )
    for cycle in _cycles(models):
        way = " -> ".join([*cycle, cycle[0]])
        yield models[cycle[0]].path, f"the fallbacks form a cycle, {way}; take one of them out"


def _not_a_model(target: str, models: Iterable[str], known: Iterable[str]) -> str:
    if target in known:
        return f'"{target}" is an alias; name the model itself'
    return f'"{target}" is not in synapse_models{suggest(target, models)}'


def _cycles(models: Mapping[str, Placed]) -> list[list[str]]:
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
        for _, fallback in models[name].names("fallbacks"):
            if fallback in models:
                walk(fallback, [*trail, name])

    for name in models:
        walk(name, [])
    return cycles


def files(site: Mapping[str, Any]) -> Found:
    """A model from a file names a file, and the folder that it lies in is set."""
    folder = site.get("synapse_model_files_path")
    for model in named(site, "synapse_models").values():
        source = str(model.entry.get("source", ""))
        if not source.startswith("file:"):
            continue
        if not re.fullmatch(r"file:[\w.-]+\.gguf", source):
            yield (*model.path, "source"), f'"{source}" must look like file:name.gguf'
        if folder is None:
            yield (
                (*model.path, "source"),
                "is a file, but synapse_model_files_path is null; name the folder there",
            )
