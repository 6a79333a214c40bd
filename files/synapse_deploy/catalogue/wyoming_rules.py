"""The bridge of Home Assistant: the application that it is, and what it needs of the site."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from synapse_common.engines import PIPER, SPEACHES
from synapse_common.secrets import BRIDGE_ENTRY
from synapse_deploy.catalogue.rules import Found, named

OPTION = "speech_wyoming"
ENGINES = (SPEACHES.name, PIPER.name)
"""What the bridge offers: the speech engines of the site itself."""

Entry = dict[str, Any]


def bridge_apps(models: Iterable[Entry], wanted: bool) -> list[Entry]:
    """Return the application that the bridge is: it may use the site's speech, and no more."""
    offered = [model["name"] for model in models if model["engine"] in ENGINES]
    return [{"name": BRIDGE_ENTRY, "models": offered}] if wanted and offered else []


def wyoming(site: Mapping[str, Any]) -> Found:
    """A site with the bridge has speech to offer, and no other application of that name."""
    if site.get(OPTION) is not True:
        return
    if taken := named(site, "synapse_apps").get(BRIDGE_ENTRY):
        yield (
            taken.path,
            f"{OPTION} makes the application of this name; take the entry out or rename it",
        )
    engines = [model.entry.get("engine") for model in named(site, "synapse_models").values()]
    if not set(ENGINES) & {engine for engine in engines if isinstance(engine, str)}:
        yield (
            (OPTION,),
            "has nothing to offer; add a model of engine speaches or piper, or write false",
        )
