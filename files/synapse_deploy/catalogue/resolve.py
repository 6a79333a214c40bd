"""Fill in what the user left out, and replace what this site cannot run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from synapse_common.engines import (
    AUDIO_KINDS,
    ENGINES,
    GATEWAY_INNER_URL,
    GATEWAY_PODS,
    LITELLM,
    LITELLM_URL,
    is_on_gpu,
)
from synapse_common.presets import followed
from synapse_deploy.catalogue.capability_rules import capabilities_of
from synapse_deploy.catalogue.entries import MODEL_TYPES, TASKS_MODEL, App
from synapse_deploy.catalogue.preset_rules import target
from synapse_deploy.catalogue.rules import kind_of
from synapse_deploy.catalogue.speech_rules import languages_of

Entry = dict[str, Any]


def _plain(default: Any) -> Any:
    """Return a default as it would stand in YAML."""
    return list(default) if isinstance(default, tuple) else default


# Every key that a model of some engine may have, with what is meant where it is left out.
MODEL_DEFAULTS: Entry = {
    name: None if info.is_required() else _plain(info.default)
    for model in MODEL_TYPES.values()
    for name, info in model.model_fields.items()
    if name not in ("name", "engine", "source", "kind")
}
APP_DEFAULTS: Entry = {
    name: _plain(info.default) for name, info in App.model_fields.items() if not info.is_required()
}
# What an application for another's tasks has of the other where its own entry does not say it.
OF_THE_OTHER = (
    "requests_per_minute", "tokens_per_minute", "parallel_requests", "person_from", "key_until",
)  # fmt: skip


def cpu_fallback(name: str, models: dict[str, Entry], seen: tuple[str, ...] = ()) -> str | None:
    """Return who serves a model where there is no GPU: itself, or its first fallback that can."""
    if name not in models or name in seen:
        return None
    if not is_on_gpu(models[name].get("engine")):
        return name
    for fallback in models[name].get("fallbacks") or []:
        if found := cpu_fallback(fallback, models, (*seen, name)):
            return found
    return None


def resolve(models: list[Entry], gpus: list[Entry]) -> list[Entry]:
    """Return the models this site serves, every key present.

    Without a GPU, models of the GPU are left out and, in the fallbacks of the others,
    replaced by what serves them on the CPU; `resolve_names` keeps their names working.
    """
    by_name = {model["name"]: model for model in models}
    full = [_able({**MODEL_DEFAULTS, **_derived(model), **model}) for model in models]
    if gpus:
        return full
    return [
        {**model, "fallbacks": _cpu_fallbacks(model, by_name)}
        for model in full
        if not is_on_gpu(model["engine"])
    ]


def _derived(model: Entry) -> Entry:
    return {"kind": kind_of(model), "languages": languages_of(model)}


def _able(model: Entry) -> Entry:
    """Return an entry with what its engine's options tell of it."""
    return {**model, "capabilities": capabilities_of(model)}


def _cpu_fallbacks(model: Entry, by_name: dict[str, Entry]) -> list[str]:
    names = [cpu_fallback(fallback, by_name) for fallback in model["fallbacks"]]
    return list(dict.fromkeys(name for name in names if name and name != model["name"]))


def resolve_names(aliases: list[Entry], models: list[Entry], gpus: list[Entry]) -> list[Entry]:
    """Return every further name that is served, as {name, model} and what it adds to requests.

    Those are the aliases, and without a GPU the names of the models that need one, each pointing
    at a model this site serves. What such a model cannot follow it is not asked for.
    """
    by_name = {model["name"]: model for model in models}
    names = list(aliases)
    if not gpus:
        names += [
            {"name": name, "model": name}
            for name, model in by_name.items()
            if is_on_gpu(model["engine"])
        ]
    return [_name(alias, by_name, bool(gpus)) for alias in names]


def _name(alias: Entry, models: dict[str, Entry], has_gpu: bool) -> Entry:
    served = alias["model"] if has_gpu else cpu_fallback(alias["model"], models)
    name = {"name": alias["name"], "model": served}
    if served not in models:
        return name  # the check tells it
    return name | followed(alias, target(models[served]))


def resolve_apps(apps: Iterable[Entry]) -> list[Entry]:
    """Return the applications with every key present."""
    by_name = {app["name"]: app for app in apps}
    return [{**APP_DEFAULTS, **_for_tasks(app, by_name), **app} for app in by_name.values()]


def _for_tasks(app: Entry, by_name: dict[str, Entry]) -> Entry:
    """Return what is meant where an application is for the tasks of another one's client."""
    if app.get("tasks_of") is None:
        return {}
    other = by_name[app["tasks_of"]]
    kept = {name: other[name] for name in OF_THE_OTHER if name in other}
    return {"models": [TASKS_MODEL], "priority": "batch", **kept}


def addresses(models: Iterable[Entry]) -> dict[str, Entry]:
    """Return where the engines of these models are reached in the cluster, by engine.

    LiteLLM is one of them wherever there is a model that it can reach.
    """
    models = list(models)
    used = {model["engine"] for model in models}
    found = {
        name: {"url": engine.url, "pod_labels": engine.pod_labels}
        for name, engine in ENGINES.items()
        if name in used and not engine.is_outside
    }
    if all(model["kind"] in AUDIO_KINDS for model in models):
        return found
    return found | {LITELLM.name: {"url": LITELLM_URL, "pod_labels": LITELLM.pod_labels}}


def addresses_for_litellm(models: Iterable[Entry]) -> dict[str, Entry]:
    """Return where LiteLLM reaches the same engines: Ollama through the gateway's inner port.

    Ollama's own /v1, which LiteLLM speaks, cuts a prompt that is too long without a word.
    """
    inner = {"url": GATEWAY_INNER_URL, "pod_labels": GATEWAY_PODS}
    return {
        name: inner if ENGINES[name].is_native else where
        for name, where in addresses(models).items()
    }
