"""The list of models, as one application may see it."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

import orjson

from synapse_gateway import errors, routes
from synapse_gateway.config import Alias, App, Config

States = Mapping[str, Mapping[str, Any]]
"""What the arbiter tells of each model on the GPU: its state, and how long a request would wait."""

Loaded = Container[str]
"""The models that answer without being loaded first."""


def listing(path: str, app: App, config: Config, states: States, loaded: Loaded) -> bytes:
    """Return the names that the application is shown, or the one named in the path if it may."""
    if path == routes.MODELS:
        names = sorted(config.listed[app.name])
        data = [_entry(name, config, states) | _status(name, config, loaded) for name in names]
        return orjson.dumps({"object": "list", "data": data})
    name = path.removeprefix(f"{routes.MODELS}/")
    if name not in config.permitted[app.name]:
        raise errors.unknown_model(name)
    return orjson.dumps(_entry(name, config, states) | _status(name, config, loaded))


def speaking(app: App, config: Config) -> bytes:
    """Return the names it may ask for speech, under the key that Open WebUI reads as well."""
    names = [
        name
        for name in sorted(config.permitted[app.name])
        if (model := config.resolve(name)) and model.kind == "speech"
    ]
    data = [_entry(name, config, {}) for name in names]
    return orjson.dumps({"object": "list", "data": data, "models": data})


def _entry(name: str, config: Config, states: States) -> dict[str, Any]:
    """Describe a model in the words that clients read: OpenAI's, vLLM's, LiteLLM's, llama.cpp's."""
    model = config.resolve(name)
    # `type` is Anthropic's word and Mistral's.
    head = {"id": name, "object": "model", "type": "model", "created": 0}
    entry: dict[str, Any] = {**head, "name": name}
    if model is None:
        return entry
    entry |= {"owned_by": model.engine, "kind": model.kind}
    if model.context:
        names = ("context_length", "max_model_len", "max_input_tokens")
        entry |= dict.fromkeys(names, model.context)
    if model.capabilities:
        entry["capabilities"] = list(model.capabilities)
    if model.languages:
        entry["languages"] = list(model.languages)
    if name in config.presets:
        entry["preset"] = _preset(config.presets[name])
    state = states.get(model.name)
    if state is not None:
        entry |= {
            "state": state.get("state"),
            "predicted_wait_s": state.get("predicted_wait_s"),
        }
    return entry


def _preset(alias: Alias) -> dict[str, Any]:
    """Return what a name adds to requests; of a system text only that there is one."""
    sections = {"parameters": alias.parameters.given, "fixed": alias.fixed.given}
    shown = {
        section: told | ({"system": True} if "system" in told else {})
        for section, told in sections.items()
    }
    return {"model": alias.model, **shown}


def _status(name: str, config: Config, loaded: Loaded) -> dict[str, Any]:
    """Return in llama.cpp's words whether a model answers without being loaded first."""
    model = config.resolve(name)
    value = "loaded" if model and model.name in loaded else "unloaded"
    return {"status": {"value": value}}
