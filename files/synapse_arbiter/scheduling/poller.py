"""Look at every engine again and again: what restarted, died, slept or woke behind our back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from synapse_arbiter.engine.vllm_client import (
    Engine,
    EngineAwayError,
    EngineFailedError,
)
from synapse_arbiter.engine.vram import Vram
from synapse_arbiter.scheduling.observer import Observation
from synapse_arbiter.scheduling.scheduler import Scheduler

log = logging.getLogger("synapse_arbiter")


class Poller:
    """One round of looks every few seconds, at the engines and the GPU's memory."""

    def __init__(
        self, scheduler: Scheduler, engines: Mapping[str, Engine], vram: Vram, every_s: float
    ) -> None:
        """Look at these engines and this GPU."""
        self._scheduler = scheduler
        self._engines = engines
        self._vram = vram
        self._every_s = every_s

    async def run(self) -> None:
        """Look for ever: nobody else notices what dies, so no error of our own may end it."""
        while True:
            await asyncio.sleep(self._every_s)
            try:
                await self.look()
            except Exception:
                log.exception("the watch failed for a reason that is our own fault")

    async def look(self) -> None:
        """Look once and report it together with the moment at which the look began."""
        epoch = self._scheduler.state.epoch
        observations = await asyncio.gather(
            *(_observe(engine) for engine in self._engines.values())
        )
        await self._vram.used_gib()
        self._scheduler.observed(epoch, dict(zip(self._engines, observations, strict=True)))


async def _observe(engine: Engine) -> Observation:
    try:
        asleep = await engine.sleeping()
    except EngineFailedError:
        # Nor is it away when it answers with an error: told to end, it refuses every call of its
        # core while its answers run on.
        return Observation(None, None, hangs=True)
    except EngineAwayError:
        return Observation(None, None)
    try:
        return Observation(asleep, (await engine.load()).started_s)
    except (EngineAwayError, EngineFailedError):
        return Observation(asleep, None)
