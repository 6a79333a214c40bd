"""Which models Ollama has in memory."""

from __future__ import annotations

import asyncio

import orjson

from synapse_common.answers.judges import CutShort
from synapse_common.answers.whole import read_within
from synapse_gateway.config import Config, Model
from synapse_gateway.ollama import bare
from synapse_gateway.relay.engines import UNREACHED, Engines

WITHIN_S = 0.5
"""A list does not wait longer for it: it answers out of memory, or it is in trouble."""
TOLD_AT_MOST = 1024**2
"""Bytes."""
FRESH_S = 2.0
"""How long an answer counts: clients read the list at every page."""


def is_loaded_first(model: Model) -> bool:
    """Say whether a model may have to be loaded before it answers, and its engine tells."""
    return model.via_arbiter or model.engine_type.is_native


class OllamaMemory:
    """Asks Ollama, and remembers its answer for a moment."""

    def __init__(self, config: Config, engines: Engines) -> None:
        """Ask where the models of Ollama are reached."""
        self._engines = engines
        models = [one for one in config.models.values() if one.engine_type.is_native]
        self._names = {bare(one.served_name): one.name for one in models}
        self._model = models[0] if models else None
        self._told: set[str] = set()
        self._asked_s = float("-inf")

    async def read(self) -> set[str]:
        """Return the models in memory; none when it does not answer in time."""
        now_s = asyncio.get_running_loop().time()
        if self._model is None or self._engines.health.is_away(self._model):
            return set()
        if now_s - self._asked_s >= FRESH_S:
            self._asked_s, self._told = now_s, await self._ask(self._model)
        return self._told

    async def _ask(self, model: Model) -> set[str]:
        try:
            async with (
                asyncio.timeout(WITHIN_S),
                self._engines.ask("GET", model, "//api/ps", {}, silence_s=WITHIN_S) as answer,
            ):
                if answer.status != 200:
                    return set()
                told = orjson.loads(await read_within(answer, TOLD_AT_MOST))
            names = [bare(one["name"]) for one in told["models"]]
            return {self._names[name] for name in names if name in self._names}
        except (*UNREACHED, CutShort, ValueError, KeyError, AttributeError, TypeError):
            return set()
