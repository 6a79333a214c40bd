"""Fetches one thing after the other; one that cannot be had leaves the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from synapse_fetching.download import MIB, Download
from synapse_fetching.wanted import Wanted

PROGRESS_S = 5.0
ASK_LIMIT_S = 60.0
"""A server that starts anew must not wait long for a network that is away."""


class Fetcher:
    """Has a limit for all that it fetches, and tells how far it has come."""

    def __init__(self, limit_s: float, reserve_bytes: int, say: Callable[[str], None]) -> None:
        """Start the clock."""
        self._limit_s = limit_s
        self._deadline_s = time.monotonic() + limit_s
        self._reserve_bytes = reserve_bytes
        self._say = say

    def fetch(self, wanted: Iterable[Wanted]) -> dict[str, str]:
        """Fetch what is not there; return why for each that could not be had."""
        reasons = {item.name: self._obtain(item) for item in wanted}
        return {name: reason for name, reason in reasons.items() if reason}

    def _obtain(self, item: Wanted) -> str:
        if item.is_there():
            return ""
        late = f"it was not there within the {self._limit_s:.0f} s that downloads may take"
        if time.monotonic() >= self._deadline_s:
            return late
        began_s = time.monotonic()
        self._say(f"{item.name}: asking what is to be fetched")
        download = Download(item, self._reserve_bytes, self._say)
        download.start()
        while download.is_alive():
            passed_s = time.monotonic() - began_s
            left_s = self._deadline_s - time.monotonic()
            if not download.sizes and passed_s > ASK_LIMIT_S:
                return f"Hugging Face did not answer within {ASK_LIMIT_S:.0f} s"
            if left_s <= 0:
                return f"{late} ({download.progress()}); the next run goes on from there"
            if download.sizes:
                self._say(f"{item.name}: {download.progress()}, {passed_s:.0f} s")
            download.join(min(PROGRESS_S, left_s))
        if not download.reason:
            mib = sum(download.sizes.values()) // MIB
            self._say(f"{item.name}: {mib:,} MiB in {time.monotonic() - began_s:.0f} s")
        return download.reason


def missing(wanted: Iterable[Wanted]) -> dict[str, str]:
    """Only look: return a reason for each that is not there."""
    why = "it is not on the volume, and nothing may be fetched (speech_offline)"
    return {item.name: item.unfit_here() or why for item in wanted if not item.is_there()}
