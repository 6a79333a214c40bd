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
    told = await listing(settings.permitted[MASTER_ENTRY], settings, silent)
    assert json.loads(told)["unavailable"] == ["one", "two"]
    assert asyncio.get_running_loop().time() == WITHIN_S


class Lying(Engines):
    """Engines whose answer is whatever the test says, without end where it says so."""

    def __init__(self, *given: Any, body: bytes, endless: bool = False) -> None:
        super().__init__(*given)
        self.body, self.endless, self.sent = body, endless, 0

    @contextlib.asynccontextmanager
    async def ask(self, *asked: Any, silence_s: float) -> AsyncIterator[Any]:
        yield SimpleNamespace(status=200, content=self, json=self._json)

    async def readany(self) -> bytes:
        piece = self.body if self.endless or not self.sent else b""
        self.sent += len(piece)
        await asyncio.sleep(0)
        return piece

    async def _json(self) -> Any:
        read = b""
        while piece := await self.readany():
            read += piece
        return json.loads(read)


@pytest.mark.parametrize(
    "body",
    [b"", b"nonsense", b"[]", b'{"voices": 3}', b'{"voices": [3]}', b'{"voices": [{"name": "x"}]}'],
)
async def test_an_engine_that_lists_nonsense_is_unavailable(body: bytes) -> None:
    assert (await _told(body))["unavailable"] == ["ours"]


async def test_a_list_without_end_is_not_read_to_its_end() -> None:
    async with asyncio.timeout(10):
        assert (await _told(b"[" * 65536, endless=True))["unavailable"] == ["ours"]


async def _told(body: bytes, *, endless: bool = False) -> Any:
    ours = {"name": "ours", "kind": "speech", "engine": "piper"}
    known = build({"models": [{**ours, "url": "http://piper/v1", "served_name": "voice"}]})
    lying = Lying(known.settings, health(known), body=body, endless=endless)
    told = json.loads(await listing(known.permitted[MASTER_ENTRY], known, lying))
    assert lying.sent < 8 * 1024**2
    return told
