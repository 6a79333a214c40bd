"""Who waits to be heard: one line for every model that hears, first come, first served.

Speaches takes as many recordings at once as there are requests, and all of them get slower.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from prometheus_client import Gauge

from synapse_gateway import errors
from synapse_gateway.access_log import RequestRecord
from synapse_gateway.config import Model
from synapse_gateway.settings import Settings


class TranscriptionQueue:
    """The lines; a request that has its turn keeps it until its answer ends or its client goes."""

    def __init__(self, settings: Settings, waiting: Gauge) -> None:
        """Begin with nobody waiting."""
        self._at_once = settings.transcription_concurrency
        self._wait_s = settings.transcription_wait_s
        self._waiting = waiting
        self._turns: dict[str, asyncio.Semaphore] = {}

    @contextlib.asynccontextmanager
    async def turn(self, model: Model, record: RequestRecord) -> AsyncIterator[None]:
        """Hold one of the turns of a model that hears; refuse who would wait too long.

        Speech has a line of its own at our engine, and providers outside have limits of their own.
        """
        if model.kind != "transcription" or model.engine_type.is_outside:
            yield
            return
        turns = self._turns.setdefault(model.name, asyncio.Semaphore(self._at_once))
        await self._come_up(turns, model, record)
        try:
            yield
        finally:
            turns.release()

    async def _come_up(self, turns: asyncio.Semaphore, model: Model, record: RequestRecord) -> None:
        """Wait for a turn; the limit is one for all the lines that a request stands in."""
        clock_s = asyncio.get_running_loop().time
        began_s, waited_s = clock_s(), record.waited_s or 0.0
        with self._waiting.labels(model.name).track_inprogress():
            try:
                async with asyncio.timeout(max(0.0, self._wait_s - waited_s)):
                    await turns.acquire()
            except TimeoutError:
                raise errors.queue_timeout(model.name, self._wait_s) from None
            finally:
                record.waited_s = round(waited_s + clock_s() - began_s, 3)
