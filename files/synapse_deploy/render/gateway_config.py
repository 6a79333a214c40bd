"""From a slice of the catalogue to the gateway's configuration. Pure, without Ansible."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from synapse_common.engines import ENGINES, LITELLM, is_on_gpu
from synapse_common.secrets import (
    LITELLM_ENTRY,
    LITELLM_SECRET,
    MASTER_SECRET,
    PEOPLE_ENTRY,
)
from synapse_deploy.catalogue.leaving import leaves
from synapse_deploy.render.reached import (
    LITELLM_KEY,
    at_litellm,
    from_secret,
    place,
    plain,
    variable,
)

Entry = Mapping[str, Any]

ALIAS_KEYS = ("name", "model", "parameters", "fixed")
APP_KEYS = (
    "name", "models", "requests_per_minute", "tokens_per_minute", "parallel_requests",
    "priority", "max_wait_s", "lists", "tasks_of", "may_leave", "monthly_usd", "person_from",
    "key_until",
)  # fmt: skip
PEOPLE_VARIABLE = "PEOPLE_SECRET"
FIXED = {
    "PYTHONPATH": "/opt/synapse",
    "PYTHONDONTWRITEBYTECODE": "1",
    "HOME": "/tmp",  # noqa: S108  # an emptyDir of the pod
}


def gateway(
    models: Iterable[Entry],
    aliases: Iterable[Entry],
    apps: Iterable[Entry],
    engines: Mapping[str, Entry],
    settings: Mapping[str, Any],
    local: str = "direct",
) -> dict[str, Any]:
    """Return the whole configuration: who may ask for what, and what stands behind a name."""
    return {
        "settings": dict(settings),
        **_translator(engines),
        "models": [_model(model, engines, local) for model in models],
        "aliases": [{key: alias[key] for key in ALIAS_KEYS if key in alias} for alias in aliases],
        "apps": [_app(app) for app in apps],
    }


def _app(app: Entry) -> dict[str, Any]:
    """Return what the gateway knows of one application; its key's last day is a text in YAML."""
    told = {key: app[key] for key in APP_KEYS if app.get(key) is not None}
    return told | ({"key_until": str(told["key_until"])} if "key_until" in told else {})


def environment(models: Iterable[Entry], secret: str, local: str = "direct") -> list[Entry]:
    """Return the container's environment: fixed settings, and the keys that it needs itself.

    Without LiteLLM's Secret the gateway starts all the same: models of the cluster need none.
    """
    direct = [model for model in models if not at_litellm(model, local)]
    reference = {"name": LITELLM_SECRET, "key": LITELLM_ENTRY, "optional": True}
    people = {"name": MASTER_SECRET, "key": PEOPLE_ENTRY}
    return [
        *plain(FIXED),
        {"name": PEOPLE_VARIABLE, "valueFrom": {"secretKeyRef": people}},
        {"name": LITELLM_KEY, "valueFrom": {"secretKeyRef": reference}},
        *from_secret((model["api_key"] for model in direct if model.get("api_key")), secret),
    ]


def _translator(engines: Mapping[str, Entry]) -> dict[str, Any]:
    """Return where LiteLLM is, for what an engine does not speak; sound alone needs none."""
    if LITELLM.name not in engines:
        return {}
    url = f"{engines[LITELLM.name]['url']}/v1"
    return {"translator": {"url": url, "key_variable": LITELLM_KEY}}


def _model(model: Entry, engines: Mapping[str, Entry], local: str) -> dict[str, Any]:
    """Return what the gateway knows of one model."""
    known: dict[str, Any] = {
        "name": model["name"],
        "kind": model["kind"],
        "engine": model["engine"],
        "fallbacks": list(model["fallbacks"]),
    }
    if at_litellm(model, local):
        url, served_name, key = f"{engines[LITELLM.name]['url']}/v1", model["name"], LITELLM_KEY
        known |= {"via_litellm": True}
    else:
        url, served_name = place(model, engines)
        key = variable(model["api_key"]) if model.get("api_key") else ""
    known |= {"url": url, "served_name": served_name}
    optional = {
        "key_variable": key,
        "via_arbiter": is_on_gpu(model["engine"]),
        **_outside(model),
        "context": model.get("context"),
        "languages": list(model.get("languages") or []),
        "voices": _voices(model) if "voices" in ENGINES[model["engine"]].dialects else [],
    }
    if model.get("capabilities") is not None:  # an empty list says that it can do nothing more
        known["capabilities"] = list(model["capabilities"])
    return known | {name: value for name, value in optional.items() if value}


def _outside(model: Entry) -> dict[str, Any]:
    """Return that a model is outside the house, and what tells its price."""
    if not leaves(model):
        return {}
    price = {key: value for key, value in (model.get("price") or {}).items() if value is not None}
    listed_as = model["source"] if model["engine"] == LITELLM.name and not price else ""
    return {"leaves": True, "price": price, "listed_as": listed_as}


def _voices(model: Entry) -> list[str]:
    """Return every name that a voice of this model answers to: a client's, or Piper's own."""
    spoken = (voice.partition("#")[0] for voice in model["voices"].values())
    return list(dict.fromkeys([*model["voices"], model["source"], *spoken]))
