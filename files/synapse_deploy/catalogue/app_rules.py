"""What an application is shown, and applications for the background tasks of another's client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synapse_deploy.catalogue.entries import TASKS_MODEL
from synapse_deploy.catalogue.permission import reached
from synapse_deploy.catalogue.rules import Found, Placed, entries_of, named

MISSING = 'the key "models" is missing'


def tasks(site: Mapping[str, Any]) -> Found:
    """Only an application for another's tasks may leave out its models; it is of priority batch."""
    apps, has = named(site, "synapse_apps"), dict[str, str]()
    for name, app in apps.items():
        other = app.entry.get("tasks_of")
        if other is None and "models" not in app.entry:
            yield app.path, MISSING
        if not isinstance(other, str) or other not in apps:
            continue
        if apps[other].entry.get("tasks_of") is not None:
            yield (
                (*app.path, "tasks_of"),
                f'"{other}" is for tasks itself; name the application whose client it is',
            )
        elif other in has:
            yield (*app.path, "tasks_of"), f'"{other}" has {has[other]} for them; keep one'
        has.setdefault(other, name)
        if app.entry.get("priority", "batch") != "batch":
            yield (*app.path, "priority"), "must be batch beside tasks_of; take it out"
        if "models" not in app.entry:
            yield from _usual(site, app, apps[other])


def _usual(site: Mapping[str, Any], app: Placed, other: Placed) -> Found:
    """An application without models gets the usual one, where the other one may use it too."""
    known = {**named(site, "synapse_models"), **named(site, "synapse_aliases")}
    if TASKS_MODEL not in known:
        yield app.path, f"{MISSING}, and this site has no {TASKS_MODEL}; write what tasks ask for"
    elif TASKS_MODEL not in _permitted(site, other.entry):
        yield (
            app.path,
            f"{MISSING}, and {other.entry['name']} may not use {TASKS_MODEL}; "
            "write what tasks ask for",
        )


def lists(site: Mapping[str, Any]) -> Found:
    """A list shows only what may be used."""
    known = {*named(site, "synapse_models"), *named(site, "synapse_aliases")}
    for app in named(site, "synapse_apps").values():
        permitted = _permitted(site, app.entry)
        for path, name in app.names("lists"):
            if name in known and name not in permitted:
                yield path, f'"{name}" is not among its models; add it there, or take it out here'


def _permitted(site: Mapping[str, Any], app: Mapping[str, Any]) -> set[str]:
    """Return every name that an application may ask for, were it allowed to leave the house."""
    return reached(app, entries_of(site, "synapse_models"), entries_of(site, "synapse_aliases"))
