"""What can be read without an engine's work: models, voices, and what Ollama's clients look at."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

import orjson
from aiohttp import web

from synapse_common.bodies.budget import Budget
from synapse_gateway import errors, models, ollama, routes
from synapse_gateway.audio import voices
from synapse_gateway.body import read_body
from synapse_gateway.config import App, Config, Model
from synapse_gateway.relay.engines import Engines
from synapse_gateway.relay.gpu_states import GpuStates
from synapse_gateway.relay.ollama_memory import OllamaMemory, is_loaded_first
from synapse_gateway.request import json_object

READS = ("GET", "HEAD")
AWAY = "away"
"""The state of models whose engine does not answer; the arbiter has the same word."""
AWAKE = "awake"
"""The arbiter's word for the model that has the GPU."""


class Lists:
    """Answers the routes that list something."""

    def __init__(self, config: Config, engines: Engines, budget: Budget) -> None:
        """List what this configuration has."""
        self._config = config
        self._engines = engines
        self._budget = budget
        self._gpu = GpuStates(config, engines)
        self._ollama = OllamaMemory(config, engines)
        self._always = {one.name for one in config.models.values() if not is_loaded_first(one)}
        """Models that answer without being loaded first, as far as anybody tells."""

    def methods(self, path: str) -> Sequence[str]:
        """Return the methods that a path answers."""
        return ("POST",) if path == routes.SHOW else READS

    def asks_engines(self, path: str) -> bool:
        """Say whether a list is work for engines, and counts as a request."""
        return path == routes.VOICES

    async def answer(self, path: str, app: App, request: web.BaseRequest) -> bytes:
        """Return the list as this application may see it."""
        if path == routes.VOICES:
            return await voices.listing(
                self._config.permitted[app.name], self._config, self._engines
            )
        if path == routes.AUDIO_MODELS:
            return models.speaking(app, self._config)
        if path == routes.VERSION:
            return orjson.dumps(ollama.version())
        if path == routes.TAGS:
            return orjson.dumps(ollama.tags(self._named(self._config.listed[app.name])))
        if path == routes.SHOW:
            return await self._show(app, request)
        states, in_ollama = await asyncio.gather(self._gpu.read(), self._ollama.read())
        in_memory = in_ollama | {
            name for name, told in states.items() if told.get("state") == AWAKE
        }
        if path == routes.PS:
            seen = self._named(self._config.listed[app.name]).items()
            return orjson.dumps(ollama.ps({n: m for n, m in seen if m.name in in_memory}))
        away = {one.name for one in self._config.models.values() if self._is_away(one)}
        states = {**states, **{name: {"state": AWAY} for name in away}}
        loaded = (in_memory | self._always) - away
        return models.listing(path, app, self._config, states, loaded)

    def _is_away(self, model: Model) -> bool:
        return self._engines.health.is_away(model)

    async def _show(self, app: App, request: web.BaseRequest) -> bytes:
        with self._budget.held_by(app.name) as held:
            told = json_object(await read_body(request, self._config.settings, held))
        name = told.get("model") or told.get("name")
        if not isinstance(name, str):
            raise errors.malformed("'model' must name a model.", "model")
        known = self._named(self._config.permitted[app.name])
        if name not in known:
            name = ollama.bare(name)
        if name not in known:
            raise errors.unknown_model(name)
        preset = self._config.presets.get(name)
        adds = preset.parameters.given | preset.fixed.given if preset else {}
        return orjson.dumps(ollama.show(known[name], adds))

    def _named(self, names: Iterable[str]) -> dict[str, Model]:
        found = {name: self._config.resolve(name) for name in names}
        return {name: model for name, model in found.items() if model is not None}
