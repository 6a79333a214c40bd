"""GET /v1/models: the catalogue with states; it wakes nothing."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from synapse_arbiter.exchange import answer
from synapse_arbiter.scheduler import Scheduler
from synapse_arbiter.settings import Settings


class Catalogue:
    """The models of the card, as OpenAI clients list them."""

    def __init__(self, settings: Settings, scheduler: Scheduler) -> None:
        """Describe these models."""
        self._models = settings.models
        self._scheduler = scheduler

    async def models(self, _request: web.BaseRequest) -> web.Response:
        """List every model with its state."""
        data = [self._entry(model.name) for model in self._models]
        return answer({"object": "list", "data": data})

    async def model(self, _request: web.BaseRequest, name: str) -> web.Response:
        """Describe one model."""
        return answer(self._entry(name))

    def _entry(self, name: str) -> dict[str, Any]:
        state = self._scheduler.state
        return {
            "id": name,
            "object": "model",
            "created": 0,
            "owned_by": "synapse",
            "state": state.standings[name].condition.value,
            "waiting": len(state.card.models[name].line),
        }
