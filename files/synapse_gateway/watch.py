"""Watches requests and the event loop: tells who is dangerous while it is, not afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from prometheus_client import Histogram

from synapse_gateway.access_log import RequestRecord
from synapse_gateway.log_pipe import now, write_line

LARGE_BYTES = 4 * 1024**2
"""A body above it is told of before anybody parses it."""
LONG_S = 60.0
"""A request that runs for longer is told of."""
TICK_S = 0.1
STALL_S = 0.25
"""The loop is late by more than this: somebody blocked it, or the pod gets no CPU."""
NAMED = 10
"""Requests in flight that a line about a stall names, the newest first."""


@dataclass
class _Watched:
    record: RequestRecord
    request: web.BaseRequest
    large_told: bool = False
    long_told: bool = False


class Watch:
    """The requests in flight, each with at most one line for its size and one for its time."""

    def __init__(self, stalls: Histogram) -> None:
        """Measure stalls there; `run` looks for them."""
        self._stalls = stalls
        self._in_flight: dict[int, _Watched] = {}
        """By the request's identity: aiohttp's requests have no hash."""

    @contextlib.contextmanager
    def over(self, record: RequestRecord, request: web.BaseRequest) -> Iterator[None]:
        """Watch a request for as long as the block runs."""
        self._in_flight[id(request)] = _Watched(record, request)
        try:
            yield
        finally:
            del self._in_flight[id(request)]

    def note_body(self, request: web.BaseRequest) -> None:
        """Tell of a request whose body is large, by its own word or by what came of it."""
        told = request.headers.get("content-length", "")
        announced = int(told) if told.isdecimal() else 0
        watched = self._in_flight.get(id(request))
        if watched is None or watched.large_told or watched.record.app is None:
            return
        if max(announced, request.content.total_bytes) > LARGE_BYTES:
            watched.large_told = True
            _tell("request_large", watched, {"announced_bytes": announced or None})

    async def run(self) -> None:
        """Look ten times a second how late the loop is, until cancelled."""
        clock_s = asyncio.get_running_loop().time
        due_s, spent_s = clock_s() + TICK_S, time.thread_time()
        while True:
            await asyncio.sleep(TICK_S)
            now_s, used_s = clock_s(), time.thread_time()
            self.look(now_s - due_s, used_s - spent_s)
            due_s, spent_s = now_s + TICK_S, used_s

    def look(self, late_s: float, cpu_s: float) -> None:
        """Tell of a stall, with the CPU time in it, and of requests that take long."""
        if late_s > STALL_S:
            self._stalls.observe(late_s)
            newest = list(self._in_flight.values())[: -NAMED - 1 : -1]
            line = {
                "ts": now(),
                "event": "loop_stalled",
                "stalled_s": round(late_s, 3),
                "cpu_s": round(cpu_s, 3),
                "in_flight": len(self._in_flight),
                "requests": [_who(watched.record) for watched in newest],
            }
            write_line(line)
        for watched in self._in_flight.values():
            if not watched.long_told and watched.record.elapsed_s() > LONG_S:
                watched.long_told = True
                _tell("request_long", watched, {"asked": watched.record.asked})


def _who(record: RequestRecord) -> dict[str, Any]:
    app = record.app.name if record.app else None
    return {"request_id": record.request_id, "client": record.client, "app": app}


def _tell(event: str, watched: _Watched, more: dict[str, Any]) -> None:
    record = watched.record
    body = {"body_bytes": watched.request.content.total_bytes, "route": record.route}
    seconds = {"duration_s": round(record.elapsed_s(), 3)}
    write_line({"ts": now(), "event": event, **_who(record), **body, **seconds, **more})
