"""Who is dangerous is told while it is: long requests once, stalls with those in flight."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request
from prometheus_client import CollectorRegistry, Histogram

from synapse_gateway.access_log import PROMPT_SHOWN_BYTES, RequestRecord
from synapse_gateway.config import App
from synapse_gateway.watch import LONG_S, NAMED, STALL_S, TICK_S, Watch

Said = pytest.CaptureFixture[str]


def lines(said: Said) -> list[dict[str, Any]]:
    """Return the lines since the last call."""
    return [json.loads(line) for line in said.readouterr().out.splitlines()]


def watching(registry: CollectorRegistry) -> Watch:
    """Return a watch that measures in this registry."""
    return Watch(Histogram("stall_seconds", "", registry=registry))


def record(request_id: str, running_s: float = 0.0) -> RequestRecord:
    """Return a request of an application that has been running for so long."""
    made = RequestRecord("POST", "/", route="/v1/chat/completions", request_id=request_id)
    made.app, made.client, made.asked = App(name="app", models=("*",)), "192.0.2.7", "gpu"
    made.started_s = time.monotonic() - running_s
    return made


async def test_a_request_that_takes_long_is_told_of_once(capsys: Said) -> None:
    watch = watching(CollectorRegistry())
    request = make_mocked_request("POST", "/")
    with watch.over(record("req-1", LONG_S + 1), request):
        watch.look(0, 0)
        watch.look(0, 0)
    watch.look(0, 0)
    (line,) = lines(capsys)
    assert (line["event"], line["request_id"], line["app"]) == ("request_long", "req-1", "app")
    assert (line["client"], line["asked"]) == ("192.0.2.7", "gpu")
    assert line["duration_s"] > LONG_S


async def test_ordinary_requests_and_small_delays_are_not_told_of(capsys: Said) -> None:
    registry = CollectorRegistry()
    watch = watching(registry)
    with watch.over(record("req-1"), make_mocked_request("POST", "/")):
        watch.look(STALL_S, STALL_S)
    assert lines(capsys) == []
    assert registry.get_sample_value("stall_seconds_count") == 0


async def test_a_stall_names_the_newest_requests(capsys: Said) -> None:
    registry = CollectorRegistry()
    watch = watching(registry)
    requests = [make_mocked_request("POST", "/") for _ in range(NAMED + 5)]
    open_ = [watch.over(record(f"req-{n}"), one) for n, one in enumerate(requests)]
    for one in open_:
        one.__enter__()
    watch.look(1.5, 1.4)
    (line,) = lines(capsys)
    assert (line["event"], line["stalled_s"], line["cpu_s"]) == ("loop_stalled", 1.5, 1.4)
    assert line["in_flight"] == NAMED + 5
    named = [one["request_id"] for one in line["requests"]]
    assert named == [f"req-{n}" for n in range(NAMED + 4, 4, -1)]
    assert registry.get_sample_value("stall_seconds_sum") == 1.5


async def test_a_blocked_loop_is_noticed(capsys: Said) -> None:
    watch = watching(CollectorRegistry())
    watcher = asyncio.create_task(watch.run())
    await asyncio.sleep(0)
    until_s = time.monotonic() + TICK_S + 2 * STALL_S
    while time.monotonic() < until_s:
        pass
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(20):
        while not found:
            await asyncio.sleep(0.01)
            found = lines(capsys)
    watcher.cancel()
    assert found[0]["event"] == "loop_stalled"
    assert found[0]["stalled_s"] > STALL_S


@pytest.mark.parametrize("size", [10, PROMPT_SHOWN_BYTES + 1])
def test_a_prompt_is_logged_whole_or_cut_with_its_size(size: int) -> None:
    made = record("req-1")
    made.note_prompt("ä" * size)
    line = made.line()
    whole = size == 10
    assert (line["prompt"] == "ä" * size) is whole
    assert line.get("prompt_bytes") == (None if whole else 2 * size + 2)
    assert len(json.dumps(line["prompt"], ensure_ascii=False).encode()) < PROMPT_SHOWN_BYTES + 100
