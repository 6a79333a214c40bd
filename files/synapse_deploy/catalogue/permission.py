"""Which names an application may ask for, as the gateway permits it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from synapse_common import permission, reading
from synapse_common.presets import given
from synapse_deploy.catalogue.entries import TASKS_MODEL

Entry = Mapping[str, Any]
Entries = Mapping[str, Entry]
"""Models or aliases, by name."""


def names_of(app: Entry) -> list[str]:
    """Return the names that an entry has, in its order; for another's tasks the usual one."""
    usual = {"models": [TASKS_MODEL] if app.get("tasks_of") else []}
    return _texts({**usual, **app}, "models")


def reached(app: Entry, models: Entries, aliases: Entries) -> set[str]:
    """Return every name that an application may ask for, were it allowed to leave the house."""
    found = permission.reached(
        names_of(app),
        {name: _texts(model, "fallbacks") for name, model in models.items()},
        {name: str(alias.get("model")) for name, alias in aliases.items()},
        {name for name, alias in aliases.items() if given(alias, "fixed")},
    )
    return set(found)


def permitted(app: Entry, models: Entries, aliases: Entries, outside: Collection[str]) -> set[str]:
    """Return what it may ask for, which models outside the house are only with may_leave."""
    found = reached(app, models, aliases)
    if app.get("may_leave") is True:
        return found
    behind = {name: alias.get("model") for name, alias in aliases.items()}
    return {name for name in found if behind.get(name, name) not in outside}


def _texts(entry: Entry, key: str) -> list[str]:
    return [name for _, name in reading.texts(entry, key)]
