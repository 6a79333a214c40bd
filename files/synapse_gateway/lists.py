"""What can be read without an engine's work: models, voices, and what Ollama's clients look at."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from aiohttp import web

from synapse_common.bodies.budget import Budget
from synapse_gateway import errors, models, ollama, routes
from synapse_gateway.audio import voices
from synapse_gateway.body import read_body
from synapse_gateway.config import App, Config, Model
from synapse_gateway.relay.engines import Engines
from synapse_gateway.relay.gpu_states import GpuStates
from synapse_gateway.request import json_object

READS = ("GET", "HEAD")
AWAY = "away"
"""The state of models whose engine does not answer; the arbiter has the same word."""


class Lists:
    """Answers the routes that list something."""

    def __init__(self, config: Config, engines: Engines, budget: Budget) -> None:
        """List what this configuration has."""
        self._config = config
        self._engines = engines
        self._budget = budget
        self._gpu = GpuStates(config, engines)

    def methods(self, path: str) -> Sequence[str]:
        """Return the methods that a path answers."""
        return ("POST",) if path == routes.SHOW else READS

    def asks_engines(self, path: str) -> bool:
        """Say whether a list is work for engines, and counts as a request."""
        return path == routes.VOICES

    async def answer(self, path: str, app: App, request: web.BaseRequest) -> bytes:
        """Return the list as this application may see it."""
        if path == routes.VOICES:
            return await voices.listing(app, self._config, self._engines)
        if path == routes.AUDIO_MODELS:
            return models.speaking(app, self._config)
        if path == routes.VERSION:
            return orjson.dumps(ollama.version())
        if path == routes.TAGS:
            return orjson.dumps(ollama.tags(self._permitted(app)))
        if path == routes.PS:
            states = await self._gpu.read()
            awake = {name for name, told in states.items() if told.get("state") == "awake"}
            seen = self._permitted(app).items()
            return orjson.dumps(ollama.ps({n: m for n, m in seen if m.name in awake}))
        if path == routes.SHOW:
            return await self._show(app, request)
        states = await self._gpu.read()
        for model in self._config.models.values():
            if self._engines.health.is_away(model):
                states = {**states, model.name: {"state": AWAY}}
        return models.listing(path, app, self._config, states)

    async def _show(self, app: App, request: web.BaseRequest) -> bytes:
        with self._budget.held_by(app.name) as held:
            told = json_object(await read_body(request, self._config.settings, held))
        name = told.get("model") or told.get("name")
        if not isinstance(name, str):
            raise errors.malformed("'model' must name a model.", "model")
        known = self._permitted(app)
        if name not in known:
            name = ollama.bare(name)
        if name not in known:
            raise errors.unknown_model(name)
        preset = self._config.presets.get(name)
        adds = preset.parameters.given | preset.fixed.given if preset else {}
        return orjson.dumps(ollama.show(known[name], adds))

    def _permitted(self, app: App) -> dict[str, Model]:
        found = {name: self._config.resolve(name) for name in self._config.permitted[app.name]}
        return {name: model for name, model in found.items() if model is not None}
