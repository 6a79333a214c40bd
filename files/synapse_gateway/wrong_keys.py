"""Slows those down who ask with wrong keys; a right key is never held up by them."""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from dataclasses import dataclass

from prometheus_client import Counter

from synapse_gateway import errors
from synapse_gateway.client_address import sender_of
from synapse_gateway.log_pipe import now, write_line

FREE = 10
"""Wrong keys of one sender that are answered at once."""
FIRST_DELAY_S, LONGEST_DELAY_S = 0.1, 4.0
"""The first that is not waits so long, each further one twice as long as the one before."""
FORGOTTEN_S = 300.0
"""After so long without a wrong key a sender starts anew."""
HELD_OF_SENDER, HELD = 8, 64
"""Refusals that wait at the same time; beyond them the answer is 429, at once."""
SENDERS = 10_000
"""That are remembered; the one that was quiet for the longest is forgotten first."""


@dataclass
class _Sender:
    wrong: int = 0
    held: int = 0
    last_s: float = 0.0


class WrongKeys:
    """Who sent wrong keys lately, and how many."""

    def __init__(self, counted: Counter) -> None:
        """Count by what was done: `at_once`, `delayed` or `refused`."""
        self._counted = counted
        self._senders: OrderedDict[str, _Sender] = OrderedDict()
        self._held = 0

    async def slow_down(self, client: str | None) -> None:
        """Return when a wrong key of this client may be answered, or raise the 429."""
        sender = self._noted(client)
        if sender.wrong <= FREE:
            self._counted.labels("at_once").inc()
            return
        delay_s = self._delay_s(sender)
        if sender.wrong == FREE + 1:
            write_line(
                {"ts": now(), "event": "wrong_keys", "client": client, "count": sender.wrong}
            )
        if sender.held >= HELD_OF_SENDER or self._held >= HELD:
            self._counted.labels("refused").inc()
            raise errors.too_many_wrong_keys(math.ceil(delay_s))
        self._counted.labels("delayed").inc()
        sender.held += 1
        self._held += 1
        try:
            await asyncio.sleep(delay_s)
        finally:
            sender.held -= 1
            self._held -= 1

    def _noted(self, client: str | None) -> _Sender:
        name, now_s = sender_of(client), asyncio.get_running_loop().time()
        sender = self._senders.pop(name, None)
        if sender is None or now_s - sender.last_s > FORGOTTEN_S:
            sender = _Sender()
        sender.wrong += 1
        sender.last_s = now_s
        self._senders[name] = sender
        if len(self._senders) > SENDERS:
            self._senders.popitem(last=False)
        return sender

    def _delay_s(self, sender: _Sender) -> float:
        doublings = min(sender.wrong - FREE - 1, 10)
        return min(FIRST_DELAY_S * 2.0**doublings, LONGEST_DELAY_S)
