"""How much an application may ask: requests and tokens in a sliding minute."""

from __future__ import annotations

import math
from collections import deque

from synapse_common.strict import Count, Strict
from synapse_gateway import errors

WINDOW_S = 60.0


class Limits(Strict):
    """An application's limits; None is no limit of its own."""

    requests_per_minute: Count | None = None
    tokens_per_minute: Count | None = None
    parallel_requests: Count | None = None
    """At one model at the same time; None: as many as the gateway allows everybody."""


class Meter:
    """What one application used in the last minute; time is an argument, in seconds."""

    def __init__(self, limits: Limits) -> None:
        """Start with nothing used."""
        self.limits = limits
        self._requests: deque[float] = deque()
        self._tokens: deque[tuple[float, int]] = deque()
        self._tokens_used = 0

    def __repr__(self) -> str:
        """Say what is in use, for logs and tests."""
        return f"<Meter {len(self._requests)} requests, {self._tokens_used} tokens>"

    def enter(self, now_s: float) -> None:
        """Count one more request, or refuse it; a counted one must `leave`.

        (1) requests in the last minute, (2) tokens in the last minute.
        """
        self._forget(now_s - WINDOW_S)
        limits = self.limits
        if limits.requests_per_minute is not None:  # (1)
            surplus = len(self._requests) - limits.requests_per_minute
            if surplus >= 0:
                frees_s = self._requests[surplus] if self._requests else now_s
                what = f"{limits.requests_per_minute} requests per minute"
                raise errors.over_limit(what, _wait_s(frees_s, now_s))
        if limits.tokens_per_minute is not None:  # (2)
            frees_at = self._tokens_free_at(limits.tokens_per_minute)
            if frees_at is not None:
                what = f"{limits.tokens_per_minute} tokens per minute"
                raise errors.over_limit(what, _wait_s(frees_at, now_s))
        self._requests.append(now_s)

    def leave(self, now_s: float, tokens: int) -> None:
        """End a counted request; its tokens count from now on."""
        if tokens:
            self._tokens.append((now_s, tokens))
            self._tokens_used += tokens

    def _forget(self, before_s: float) -> None:
        while self._requests and self._requests[0] <= before_s:
            self._requests.popleft()
        while self._tokens and self._tokens[0][0] <= before_s:
            self._tokens_used -= self._tokens.popleft()[1]

    def _tokens_free_at(self, limit: int) -> float | None:
        """Return when the oldest use that is in the way happened; None if there is room."""
        used = self._tokens_used
        at_s = None
        for used_at_s, tokens in self._tokens:
            if used < limit:
                break
            used -= tokens
            at_s = used_at_s
        return at_s


def _wait_s(used_at_s: float, now_s: float) -> int:
    return max(1, math.ceil(used_at_s + WINDOW_S - now_s))
