"""The list of models, as one application may see it."""

from __future__ import annotations

from typing import Any

import orjson

from synapse_gateway import errors, routes
from synapse_gateway.config import App, Config


def listing(path: str, app: App, config: Config) -> bytes:
    """Return the names the application may ask for, or the one named in the path."""
    permitted = config.permitted[app.name]
    if path == routes.MODELS:
        data = [_entry(name, config) for name in sorted(permitted)]
        return orjson.dumps({"object": "list", "data": data})
    name = path.removeprefix(f"{routes.MODELS}/")
    if name not in permitted:
        raise errors.unknown_model(name)
    return orjson.dumps(_entry(name, config))


def speaking(app: App, config: Config) -> bytes:
    """Return the names it may ask for speech, under the key that Open WebUI reads as well."""
    names = [
        name
        for name in sorted(config.permitted[app.name])
        if (model := config.resolve(name)) and model.kind == "speech"
    ]
    data = [_entry(name, config) for name in names]
    return orjson.dumps({"object": "list", "data": data, "models": data})


def _entry(name: str, config: Config) -> dict[str, Any]:
    model = config.resolve(name)
    entry = {
        "id": name,
        "object": "model",
        "created": 0,
        "owned_by": model.engine if model else "",
    }
    return entry | ({"languages": model.languages} if model and model.languages else {})
