"""The page, the status and its stream over HTTP."""

import base64
import hashlib
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from status_source import SCENES, Source, serve
from synapse_arbiter.web.status import stream

LIMIT_S = 20


@pytest.fixture
async def source() -> Source:
    return Source(SCENES["busy"])


@pytest.fixture
async def client(source: Source) -> AsyncIterator[aiohttp.ClientSession]:
    timeout = aiohttp.ClientTimeout(total=LIMIT_S)
    async with serve(source) as address, aiohttp.ClientSession(address, timeout=timeout) as session:
        yield session


async def next_event(response: aiohttp.ClientResponse) -> Any:
    """Read one event of a stream."""
    async for line in response.content:
        if line.startswith(b"data: "):
            return json.loads(line.removeprefix(b"data: "))
    raise EOFError("the stream ended")


async def test_the_status_is_json(client: aiohttp.ClientSession) -> None:
    async with client.get("/status") as response:
        assert response.headers["Cache-Control"] == "no-store"
        assert (await response.json())["gpu"]["resident"] == "qwen3-coder-30b"


async def test_the_policy_allows_exactly_the_pages_own_style_and_script(
    client: aiohttp.ClientSession,
) -> None:
    async with client.get("/") as response:
        policy, text = response.headers["Content-Security-Policy"], await response.text()
    for tag in ("style", "script"):
        (inline,) = re.findall(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy


async def test_the_page_names_no_other_server(client: aiohttp.ClientSession) -> None:
    async with client.get("/") as response:
        addresses = set(re.findall(r"https?://[^\s'\"<>)]+", await response.text()))
    assert addresses == {"http://www.w3.org/2000/svg"}, "a name of a language, never fetched"


async def test_the_stream_speaks_at_once_and_after_every_change(
    client: aiohttp.ClientSession, source: Source
) -> None:
    async with client.get("/status/stream") as response:
        assert response.content_type == "text/event-stream"
        assert (await next_event(response))["gpu"]["activity"] is None
        source.show(SCENES["switching"])
        assert (await next_event(response))["gpu"]["activity"]["kind"] == "switch"


async def test_a_change_within_the_gap_reaches_everybody(
    client: aiohttp.ClientSession, source: Source
) -> None:
    async with client.get("/status/stream") as first, client.get("/status/stream") as second:
        for watcher in (first, second):
            await next_event(watcher)
        source.show(SCENES["released"])
        for watcher in (first, second):
            assert (await next_event(watcher))["gpu"]["released_until_s"] is not None


async def test_the_stream_speaks_though_nothing_happens(
    client: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "LEAST_GAP_S", 0)
    monkeypatch.setattr(stream, "HEARTBEAT_S", 0)
    async with client.get("/status/stream") as response:
        times = [(await next_event(response))["time_s"] for _ in range(3)]
    assert times == sorted(set(times))


async def test_one_change_is_built_once_for_all_watchers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "LEAST_GAP_S", 3600)
    monkeypatch.setattr(stream, "HEARTBEAT_S", 3600)
    built = 0

    def count() -> Any:
        nonlocal built
        built += 1
        return SCENES["busy"]()

    source = Source(count)
    async with serve(source) as address, aiohttp.ClientSession(address) as session:
        for _ in range(5):
            async with session.get("/status/stream") as response:
                await next_event(response)
    assert built == 1


async def test_closing_ends_the_streams(client: aiohttp.ClientSession, source: Source) -> None:
    async with client.get("/status/stream") as response:
        await next_event(response)
        source.feed.close()
        with pytest.raises(EOFError):
            await next_event(response)
