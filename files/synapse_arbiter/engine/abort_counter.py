"""An engine's own count of the requests that it aborted."""

from __future__ import annotations

import re

import aiohttp

ABORTED = re.compile(
    rb'^vllm:request_success_total\{[^}]*finished_reason="abort"[^}]*\} ([0-9.eE+]+)', re.MULTILINE
)


class AbortCounter:
    """Counts what one engine aborted of itself: because it sleeps, is paused or ends.

    vLLM leaves out requests whose clients left, however far they had come.
    """

    def __init__(self, url: str, http: aiohttp.ClientSession, limit_s: float) -> None:
        """Read the metrics of the engine at this address within the limit."""
        self._url = url + "/metrics"
        self._http = http
        self._timeout = aiohttp.ClientTimeout(total=limit_s)

    async def read(self) -> float | None:
        """Return the count of all its ranks; None when the engine does not tell."""
        try:
            async with self._http.get(self._url, timeout=self._timeout) as answered:
                metrics = await answered.read()
        except (aiohttp.ClientError, OSError, TimeoutError):
            return None
        found = ABORTED.findall(metrics) if answered.status == 200 else []
        return sum(map(float, found)) if found else None
