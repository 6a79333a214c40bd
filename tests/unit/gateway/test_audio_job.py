"""A recording that waits for its turn learns at once that the engine went away."""

from __future__ import annotations

import asyncio
import contextlib
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from relayed import config, model
from synapse_gateway.access_log import RequestRecord
from synapse_gateway.audio.job import AudioJob
from synapse_gateway.audio.queue import TranscriptionQueue
from synapse_gateway.audio.request import AudioRequest
from synapse_gateway.config import App, Model
from synapse_gateway.metrics import Metrics
from synapse_gateway.relay.health import EngineAway, Health

pytestmark = pytest.mark.looptime

KNOWN = config(
    model("ears", "speaches", url="http://speaches:8000/v1", kind="transcription"),
    settings={"health_beat_s": 5, "health_misses": 3, "transcription_concurrency": 1},
)
EARS = KNOWN.models["ears"]
APP = App(name="voice", models=("*",))


def _record() -> RequestRecord:
    return RequestRecord("POST", "/v1/audio/transcriptions", app=APP)


async def _never_well(_model: Model, _path: str) -> bool:
    return False


async def test_who_waits_for_a_turn_is_given_up_when_the_engine_is_away() -> None:
    metrics = Metrics(CollectorRegistry())
    health = Health(KNOWN, metrics.engine_up)
    queue = TranscriptionQueue(KNOWN.settings, metrics.transcription_queue_length)
    engines: Any = SimpleNamespace(health=health)
    request = AudioRequest("/audio/transcriptions", "ears", EARS, bytes_in=10**9)
    writer: Any = SimpleNamespace(record=_record(), started=False)
    job = AudioJob(request, engines, queue, KNOWN.settings)
    async with contextlib.AsyncExitStack() as turns:  # whose answers go on for long
        await turns.enter_async_context(queue.turn(EARS, _record(), is_short=False))
        waiting = asyncio.create_task(job.attempt(writer, EARS))
        await asyncio.sleep(1)
        following = asyncio.create_task(health.follow(_never_well))
        with pytest.raises(EngineAway):
            await waiting
        assert asyncio.get_running_loop().time() < 20
        following.cancel()
