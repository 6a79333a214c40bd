"""The gateway understands what our own speech server lists."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from relayed import health
from synapse_common.secrets import MASTER_ENTRY
from synapse_gateway.audio.voices import PATH, WITHIN_S, entries, listing
from synapse_gateway.config import Model, build
from synapse_gateway.relay.engines import Engines
from synapse_speech import app, config
from synapse_speech.metrics import Metrics


async def test_the_speech_servers_list_is_understood() -> None:
    models = {
        name: config.Model(name, {"alloy": config.Speaker("en_US-amy-low")}, "alloy")
        for name in ("voice", "other")
    }
    loaded = {"en_US-amy-low": SimpleNamespace(language="en-US")}
    speech = app.make(config.Config(Path(), models, config.Settings()), loaded, Metrics())
    server = httpx.ASGITransport(speech)
    async with httpx.AsyncClient(transport=server, base_url="http://piper/v1") as client:
        told = (await client.get(PATH.removeprefix("/"))).json()["voices"]
    asked = Model(
        url="http://engine/v1", name="ours", kind="speech", engine="piper", served_name="voice"
    )
    assert entries(asked, told) == [
        {"id": "alloy", "object": "voice", "name": "alloy", "model": "ours", "language": "en-US"}
    ]


class Silent(Engines):
    """Engines that take every request and answer none."""

    @contextlib.asynccontextmanager
    async def ask(self, *asked: Any, silence_s: float) -> AsyncIterator[Any]:
        await asyncio.Event().wait()
        yield


@pytest.mark.looptime
async def test_silent_engines_hold_nobody_for_longer_than_the_limit() -> None:
    places = [{"url": f"http://{name}/v1", "served_name": name} for name in ("one", "two")]
    models = [
        {"name": place["served_name"], "kind": "speech", "engine": "piper", **place}
        for place in places
    ]
    settings = build({"models": models})
    silent = Silent(settings.settings, health(settings))
    told = await listing(settings.apps[MASTER_ENTRY], settings, silent)
    assert json.loads(told)["unavailable"] == ["one", "two"]
    assert asyncio.get_running_loop().time() == WITHIN_S
