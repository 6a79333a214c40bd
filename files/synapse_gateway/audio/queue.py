"""Who waits to be heard: one line for every model that hears, fair between applications.

Speaches takes as many recordings at once as there are requests, and all of them get slower.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from prometheus_client import Gauge

from synapse_common.line import Claim, Line
from synapse_gateway import errors
from synapse_gateway.access_log import RequestRecord
from synapse_gateway.audio.waiting import claim_of, waited
from synapse_gateway.config import Model
from synapse_gateway.settings import Settings

KEPT = 1
"""Turns beyond the others, for short recordings of interactive applications alone: a command
does not wait for the end of a lecture. Speaches has a worker for it (wiring.yml)."""


class TranscriptionQueue:
    """The lines; a request that has its turn keeps it until its answer ends or its client goes."""

    def __init__(self, settings: Settings, waiting: Gauge) -> None:
        """Begin with nobody waiting."""
        self._at_once = settings.transcription_concurrency + KEPT
        self._wait_s = settings.transcription_wait_s
        self._waiting = waiting
        self._lines: dict[str, Line] = {}

    @contextlib.asynccontextmanager
    async def turn(
        self, model: Model, record: RequestRecord, *, is_short: bool
    ) -> AsyncIterator[None]:
        """Hold one of the turns of a model that hears; refuse who would wait too long.

        Speech has a line of its own at our engine, and providers outside have limits of their own.
        """
        if model.kind != "transcription" or model.engine_type.is_outside:
            yield
            return
        line = self._lines.setdefault(model.name, Line(self._at_once, _may_enter))
        claim = claim_of(record, is_short=is_short)
        async with contextlib.AsyncExitStack() as turn:
            # The limit is one for all the lines that a request stands in.
            left_s = max(0.0, self._wait_s - (record.waited_s or 0.0))
            try:
                with waited(record), self._waiting.labels(model.name).track_inprogress():
                    await turn.enter_async_context(line.place(claim, left_s))
            except TimeoutError:
                raise errors.queue_timeout(model.name, self._wait_s) from None
            yield


def _may_enter(claim: Claim, _held: int, free: int) -> bool:
    return free > (0 if claim.is_interactive and claim.is_short else KEPT)
