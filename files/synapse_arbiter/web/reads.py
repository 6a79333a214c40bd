"""What can be read and wakes no model: the models with their states, probes and metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from synapse_arbiter.config import Settings
from synapse_arbiter.errors import RefusedError
from synapse_arbiter.events.engine_metrics import labelled
from synapse_arbiter.events.metrics import Metrics
from synapse_arbiter.policy.queue import Priority
from synapse_arbiter.scheduling.scheduler import Scheduler
from synapse_arbiter.web.response import answer
from synapse_arbiter.web.status.snapshot import Snapshot


class Catalogue:
    """The models of the GPU, as OpenAI clients list them."""

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
        now_s = asyncio.get_running_loop().time()
        ask = self._scheduler.learning.predict
        wait_s = ask(state.gpu, name, Priority.INTERACTIVE, now_s).wait_s
        return {
            "id": name,
            "object": "model",
            "created": 0,
            "owned_by": "synapse",
            "state": state.engine_states[name].condition.value,
            "waiting": len(state.gpu.models[name].queue),
            "predicted_wait_s": round(wait_s, 1) if isfinite(wait_s) else None,
        }


class Probes:
    """What Kubernetes asks."""

    def __init__(self, scheduler: Scheduler) -> None:
        """Ask this scheduler."""
        self._scheduler = scheduler

    async def healthz(self, _request: web.BaseRequest) -> web.Response:
        """Say that the event loop turns."""
        return answer({"alive": True})

    async def readyz(self, _request: web.BaseRequest) -> web.Response:
        """Say whether requests are taken: the engines are known, and no stop is under way."""
        state = self._scheduler.state
        if state.stopping or not state.ready:
            raise RefusedError("stopping" if state.stopping else "starting", "Not ready.", 1.0)
        return answer({"ready": True})


class Scrape:
    """What Prometheus reads: the arbiter's metrics, and those of its engines."""

    def __init__(
        self, metrics: Metrics, snapshot: Snapshot, engines: Callable[[], Mapping[str, bytes]]
    ) -> None:
        """Show these; `engines` returns what each engine said when the watch last looked."""
        self._metrics = metrics
        self._snapshot = snapshot
        self._engines = engines

    async def metrics(self, _request: web.BaseRequest) -> web.Response:
        """Render all of them; no engine is asked, so none can keep the reader waiting."""
        text = self._metrics.text(self._snapshot.read()) + labelled(self._engines())
        return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_LATEST})
