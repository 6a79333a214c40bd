"""An engine's own count of the requests that it aborted, and how many of them were our doing."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from dataclasses import dataclass

import aiohttp

ABORTED = re.compile(
    rb'^vllm:request_success_total\{[^}]*finished_reason="abort"[^}]*\} ([0-9.eE+]+)', re.MULTILINE
)
SETTLE_S = 5.0  # until the engine has counted what we aborted


@dataclass(frozen=True, slots=True)
class Mark:
    """The counts at the beginning of a request."""

    aborted: float | None  # the engine's; None: it cannot be read
    ours: int


class AbortCounter:
    """Tells whether an engine aborted more requests than we made it abort.

    A request is ours to have aborted when its client left or the arbiter cut it. vLLM counts such
    requests in some versions only, and a little later: they explain a rise, they do not demand one.
    """

    def __init__(self, url: str, http: aiohttp.ClientSession, limit_s: float) -> None:
        """Read the metrics of the engine at this address within the limit."""
        self._url = url + "/metrics"
        self._http = http
        self._timeout = aiohttp.ClientTimeout(total=limit_s)
        self._loop = asyncio.get_running_loop()
        self._recent: deque[tuple[float, int]] = deque()
        self._settled = 0
        self._ours = 0

    def charge(self, requests: int) -> None:
        """Note that we made the engine abort so many of its requests."""
        self._settle()
        self._ours += requests
        self._recent.append((self._loop.time(), requests))

    async def mark(self) -> Mark:
        """Note the counts before a request is passed on."""
        self._settle()
        return Mark(await self._read(), self._settled)

    async def unexplained(self, mark: Mark) -> bool:
        """Say whether the engine aborted since the mark what we did not, or tells no longer.

        An engine that is ended aborts what runs, and takes no call any more. One that did not tell
        before either is believed.
        """
        if mark.aborted is None:
            return False
        aborted = await self._read()
        return aborted is None or aborted - mark.aborted > self._ours - mark.ours

    def _settle(self) -> None:
        oldest_s = self._loop.time() - SETTLE_S
        while self._recent and self._recent[0][0] <= oldest_s:
            self._settled += self._recent.popleft()[1]

    async def _read(self) -> float | None:
        try:
            async with self._http.get(self._url, timeout=self._timeout) as answered:
                metrics = await answered.read()
        except (aiohttp.ClientError, OSError, TimeoutError):
            return None
        found = ABORTED.findall(metrics) if answered.status == 200 else []
        return sum(map(float, found)) if found else None
