"""What the arbiter tells of the models on the GPU."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson

from synapse_common.answers.judges import CutShort
from synapse_common.answers.whole import read_within
from synapse_gateway.config import Config, Model
from synapse_gateway.relay.engines import UNREACHED, Engines

WITHIN_S = 1.0
"""A list does not wait longer for it."""
TOLD_AT_MOST = 1024**2
"""Bytes."""
FRESH_S = 1.0
"""How long an answer counts: clients read the list at every page."""


class GpuStates:
    """Asks the arbiter, and remembers its answer for a second."""

    def __init__(self, config: Config, engines: Engines) -> None:
        """Ask where the models on the GPU are reached."""
        self._engines = engines
        self._model = next((model for model in config.models.values() if model.via_arbiter), None)
        self._told: dict[str, Any] = {}
        self._asked_s = float("-inf")

    async def read(self) -> dict[str, Any]:
        """Return by model what the arbiter tells; nothing when it does not answer in time."""
        now_s = asyncio.get_running_loop().time()
        if self._model is None or self._engines.health.is_away(self._model):
            return {}
        if now_s - self._asked_s >= FRESH_S:
            self._asked_s, self._told = now_s, await self._ask(self._model)
        return self._told

    async def _ask(self, model: Model) -> dict[str, Any]:
        try:
            async with (
                asyncio.timeout(WITHIN_S),
                self._engines.ask("GET", model, "/models", {}, silence_s=WITHIN_S) as answer,
            ):
                if answer.status != 200:
                    return {}
                told = orjson.loads(await read_within(answer, TOLD_AT_MOST))
            return {entry["id"]: entry for entry in told.get("data", ())}
        except (*UNREACHED, CutShort, ValueError, KeyError, AttributeError, TypeError):
            return {}
