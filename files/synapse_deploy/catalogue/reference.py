"""Every option that a user may set, in words: docs/configuration.md and the heads of examples."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from synapse_common.engines import ENGINES
from synapse_common.words import either
from synapse_deploy.catalogue import options
from synapse_deploy.catalogue.entries import MODEL_TYPES
from synapse_deploy.catalogue.facts import Facts
from synapse_deploy.catalogue.schema import TEMPLATE, site_schema

SCHEMA = dict[str, Any]
WIDTH = 118
NUMBERS = {"integer": "whole number", "number": "number"}
BOUNDS = {"exclusiveMinimum": ">", "minimum": ">=", "maximum": "<="}


@dataclass(frozen=True)
class Option:
    """One key that a user may write."""

    name: str
    allowed: str
    needed: str
    """`required`, or `optional` with the default."""
    meaning: str


def site_options() -> list[Option]:
    """Return the facts of a site."""
    made = site_schema()
    return [_option(name, made["properties"][name], False) for name in Facts.model_fields]


def role_options() -> dict[str, list[Option]]:
    """Return what a site may set of each role, by role."""
    made, own = site_schema(), options.own()
    return {
        role: [_option(name, made["properties"][name], False) for name in known if name in own]
        for role, known in options.roles().items()
        if any(name in own for name in known)
    }


def entry_options(what: str) -> list[Option]:
    """Return the keys of one mapping: Alias, App, Gpu, Ingress, Rules, Limits."""
    return list(_keys(site_schema()["$defs"][what]))


def model_options() -> list[Option]:
    """Return the keys of a model, each once, with the engines that have it."""
    made = site_schema()["$defs"]
    by_engine = {engine: list(_keys(made[one.__name__])) for engine, one in MODEL_TYPES.items()}
    names = dict.fromkeys(key.name for keys in by_engine.values() for key in keys)
    return [_merged(name, by_engine) for name in sorted(names, key=_model_order)]


def _model_order(name: str) -> tuple[int, str]:
    first = ("name", "engine", "source", "kind")
    return (first.index(name), "") if name in first else (len(first), name)


def _merged(name: str, by_engine: dict[str, list[Option]]) -> Option:
    having = {engine: key for engine, keys in by_engine.items() for key in keys if key.name == name}
    (key, *_) = having.values()
    allowed, needed, meaning = key.allowed, key.needed, key.meaning
    if name == "engine":
        allowed = either(MODEL_TYPES)
    if name == "kind":
        allowed = "; ".join(f"{name}: {either(engine.kinds)}" for name, engine in ENGINES.items())
        needed = "optional, the first of its engine"
    if len(having) < len(by_engine):
        needed = _by_engine({engine: key.needed for engine, key in having.items()})
        meanings = {engine: key.meaning for engine, key in having.items()}
        meaning = _by_engine(meanings) if len(set(meanings.values())) > 1 else meaning
    return Option(name, allowed, needed, meaning)


def _by_engine(said: dict[str, str]) -> str:
    """Return what is said, each after the engines that it is said of."""
    engines: dict[str, list[str]] = {}
    for engine, text in said.items():
        engines.setdefault(text, []).append(engine)
    return "; ".join(f"{either(some)}: {text}" for text, some in engines.items())


def _keys(schema: SCHEMA) -> Iterator[Option]:
    for name, inner in schema["properties"].items():
        yield _option(name, inner, name in schema.get("required", ()))


def _option(name: str, schema: SCHEMA, required: bool) -> Option:
    needed = "required"
    if not required:
        default = schema.get("default")
        needed = f"optional, {json.dumps(default)}" if "default" in schema else "optional"
        needed = "optional, from versions.yml" if options.is_image(name) else needed
    return Option(name, _allowed(schema), needed, schema.get("description", ""))


def _allowed(schema: SCHEMA) -> str:
    """Return in words what a value may be."""
    if "anyOf" in schema:
        members = [_allowed(one) for one in schema["anyOf"] if one != TEMPLATE]
        return either(dict.fromkeys(members))
    if "$ref" in schema:
        return "mapping, see below"
    if "enum" in schema:
        return either(schema["enum"])
    match schema.get("type"):
        case "null":
            return "null"
        case "boolean":
            return "true or false"
        case "array":
            inner = _allowed(schema["items"]) if "oneOf" not in schema["items"] else "mapping"
            return f"list of {inner.replace('mapping', 'mappings')}"
        case "object":
            return "mapping"
        case "string":
            return str(schema.get("hint", "text"))
        case "integer" | "number" as kind:
            bounds = [f"{sign} {schema[key]:g}" for key, sign in BOUNDS.items() if key in schema]
            return " ".join([NUMBERS[kind], " and ".join(bounds)]).strip()
    return "any value"


def page() -> str:
    """Return docs/configuration.md."""
    return "\n".join(
        [
            INTRODUCTION,
            *_section("The server: platform.yml", site_options()),
            *_section("A GPU: an entry of synapse_gpus", entry_options("Gpu")),
            *_section("HTTPS: synapse_gateway_ingress", entry_options("Ingress")),
            *_section("A model: an entry of synapse_models, models.yml", model_options()),
            *_section("A name: an entry of synapse_aliases, aliases.yml", entry_options("Alias")),
            *_section("What a name adds: parameters and fixed", entry_options("Parameters")),
            *_section("An application: an entry of synapse_apps, apps.yml", entry_options("App")),
            ROLES,
            *(
                line
                for role, known in role_options().items()
                for line in _section(f"Role {role}", known, level="###")
            ),
            *_section("The arbiter's rules: arbiter_rules", entry_options("Rules")),
            *_section("The arbiter's limits: arbiter_limits", entry_options("Limits")),
        ]
    )


INTRODUCTION = """\
# Configuration

Every option that a site may set. `make schema` writes this page and `inventory/site.schema.json`
from the models that check a site. A site is the folder `inventory/NAME/group_vars/all/`; any of its
files may hold any option. `-e '{"option": value}'` on the command line beats the site, and the site
beats the defaults. A value may be a template of Ansible's.

A fault stops every command before anything is changed: all faults at once, each with its file and
line.
"""
ROLES = """\
## Options of the roles

Write them into `platform.yml` like the others. What is not here follows from the site by itself.
"""


def _section(title: str, known: Iterable[Option], level: str = "##") -> Iterator[str]:
    yield f"{level} {title}\n"
    yield "| Option | Allowed | Default | Meaning |"
    yield "|---|---|---|---|"
    for one in known:
        cells = (f"`{one.name}`", one.allowed, one.needed, one.meaning)
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
    yield ""


def _inside(before: str, known: Iterable[Option]) -> list[Option]:
    return [replace(one, name=f"{before}{one.name}") for one in known]


def head(file: str) -> str:
    """Return the comment about the keys of one of an example's files, such as `models.yml`."""
    known = {
        "platform.yml": [
            *site_options(),
            *_inside("synapse_gpus[].", entry_options("Gpu")),
            *_inside("synapse_gateway_ingress.", entry_options("Ingress")),
        ],
        "models.yml": model_options(),
        "aliases.yml": [
            *entry_options("Alias"),
            *_inside("parameters.", entry_options("Parameters")),
        ],
        "apps.yml": entry_options("App"),
    }[file]
    lines = [
        line
        for one in known
        for line in textwrap.wrap(
            f"{one.name} ({one.needed}): {one.allowed}. {one.meaning}",
            width=WIDTH,
            initial_indent="#   ",
            subsequent_indent="#     ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    ]
    return "\n".join(lines) + "\n"
