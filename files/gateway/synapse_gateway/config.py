"""What the gateway serves and to whom, read once from its configuration file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from synapse_gateway.limits import Limits

MASTER = "synapse-master"
"""The operator's own application: every model, no limits."""
EVERYTHING = "*"
AUDIO_KINDS = ("transcription", "speech")
"""Kinds whose requests the gateway itself passes on; LiteLLM never sees them."""
OUTSIDE = "openai"
"""The engine of providers outside, whose words may tell what is nobody's business here."""
MIB = 1024**2


class ConfigError(Exception):
    """The configuration cannot be used; the text has one sentence per fault."""


@dataclass(frozen=True)
class Model:
    """One model that LiteLLM can reach."""

    name: str
    kind: str
    backend: str
    """What serves it (ollama, vllm, openai): for logs, metrics and the response header."""
    fallbacks: tuple[str, ...] = ()
    scheduled: bool = False
    """It is reached through the arbiter, which wants to know who asks and how urgently."""
    url: str = ""
    """Where an audio model is served, with /v1; LiteLLM knows the addresses of the others."""
    served_name: str = ""
    """What an audio model is called there."""
    key_variable: str = ""
    """The environment variable with the key for that address; empty: it wants none."""
    languages: tuple[str, ...] = ()
    """What a transcriber understands, as ISO 639-1 codes; empty: not known here."""
    voices: tuple[str, ...] = ()
    """The names of a speaking model's voices; empty: not known here."""


@dataclass(frozen=True)
class App:
    """One application and what it may do."""

    name: str
    models: tuple[str, ...]
    limits: Limits = field(default_factory=Limits)
    priority: str = "interactive"
    max_wait_s: float | None = None


@dataclass(frozen=True)
class Settings:
    """Numbers that the role sets; each has its unit in its name."""

    port: int = 8000
    metrics_port: int = 9090
    json_body_mib: int = 20
    audio_body_mib: int = 26
    uploads_at_once: int = 16
    """Uploads that are held, on disk, at the same time; further ones wait for a place."""
    hearing_at_once: int = 4
    """Recordings that one model hears at the same time; further ones wait in line."""
    hearing_wait_s: float = 600.0
    """The longest wait in line."""
    audio_silence_s: float = 900.0
    """How long a speech backend may be silent: a long recording is answered at its end."""
    body_timeout_s: float = 60.0
    connect_timeout_s: float = 2.0
    total_timeout_s: float = 1800.0
    drain_timeout_s: float = 30.0
    log_prompts: bool = False


@dataclass(frozen=True)
class Config:
    """The whole configuration, checked."""

    settings: Settings
    models: Mapping[str, Model]
    aliases: Mapping[str, str]
    apps: Mapping[str, App]
    permitted: Mapping[str, frozenset[str]]
    """Per application every name it may ask for."""

    def resolve(self, name: str) -> Model | None:
        """Return the model behind a name or alias."""
        return self.models.get(self.aliases.get(name, name))

    def chain(self, model: Model) -> list[Model]:
        """Return the model and whoever may answer in its place, in order."""
        found: dict[str, Model] = {}
        waiting = [model.name]
        while waiting:
            name = waiting.pop(0)
            if name not in found:
                found[name] = self.models[name]
                waiting[:0] = found[name].fallbacks
        return list(found.values())


def load(path: Path) -> Config:
    """Read and check the file; raise ConfigError with every fault found."""
    try:
        raw = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    return build(raw if isinstance(raw, dict) else {})


def build(raw: Mapping[str, Any]) -> Config:
    """Make the configuration from plain data; raise ConfigError with every fault found."""
    found: list[str] = []
    settings = raw.get("settings", {})
    known = {item.name for item in fields(Settings)}
    found += [f"settings: '{key}' is not known" for key in settings if key not in known]
    models = {item["name"]: _model(item) for item in raw.get("models", [])}
    aliases = {item["name"]: item["model"] for item in raw.get("aliases", [])}
    apps = {item["name"]: _app(item) for item in raw.get("apps", [])}
    found += _faults(models, aliases, apps.values())
    if found:
        raise ConfigError("\n".join(found))
    apps[MASTER] = App(name=MASTER, models=(EVERYTHING,))
    permitted = {app.name: _permitted(app, models, aliases) for app in apps.values()}
    return Config(Settings(**settings), models, aliases, apps, permitted)


def _model(raw: Mapping[str, Any]) -> Model:
    lists = {key: tuple(raw.get(key, ())) for key in ("fallbacks", "languages", "voices")}
    return Model(**{**raw, **lists})


def _app(raw: Mapping[str, Any]) -> App:
    limits = {item.name: raw.get(item.name) for item in fields(Limits)}
    return App(
        name=raw["name"],
        models=tuple(raw["models"]),
        limits=Limits(**limits),
        priority=raw.get("priority") or "interactive",
        max_wait_s=raw.get("max_wait_s"),
    )


def _faults(
    models: Mapping[str, Model], aliases: Mapping[str, str], apps: Iterable[App]
) -> list[str]:
    found = [] if models else ["models: there is none"]
    for model in models.values():
        found += [
            f"model {model.name}: fallback '{name}' is no model"
            for name in model.fallbacks
            if name not in models
        ]
        if model.kind in AUDIO_KINDS and not (model.url and model.served_name):
            found.append(f"model {model.name}: a model of kind {model.kind} needs its address")
    found += [
        f"alias {alias}: '{name}' is no model"
        for alias, name in aliases.items()
        if name not in models
    ]
    for app in apps:
        if app.name == MASTER:
            found.append(f"app {MASTER}: the name is kept for the operator's key")
        found += [
            f"app {app.name}: '{name}' is neither a model nor an alias"
            for name in app.models
            if name != EVERYTHING and name not in models and name not in aliases
        ]
    return found


def _permitted(app: App, models: Mapping[str, Model], aliases: Mapping[str, str]) -> frozenset[str]:
    """Permission for a name includes its alias target and all configured fallbacks."""
    if EVERYTHING in app.models:
        return frozenset([*models, *aliases])
    found: set[str] = set()
    waiting = list(app.models)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        waiting += [aliases[name]] if name in aliases else models[name].fallbacks
    return frozenset(found)
