"""The list of voices for whoever asks without a key, where the site allows it.

Some clients ask for it so. It names no application's models, costs the engines nothing but a
look now and then, and is counted by address.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping

from synapse_common.refusals import Refusal
from synapse_gateway.audio import voices
from synapse_gateway.client_address import sender_of
from synapse_gateway.config import Config
from synapse_gateway.limits import Limits, Meter
from synapse_gateway.relay.engines import Engines
from synapse_gateway.request import key_of

KEPT_S = 10.0
"""How long a list is told again before the engines are asked for it anew."""
PER_MINUTE = 60
"""Lists of one sender; a page asks once each time it is loaded."""
SENDERS = 1000
"""That are remembered; the one that was quiet for the longest is forgotten first."""


class OpenVoices:
    """Every voice of the site, for anybody."""

    def __init__(self, config: Config, engines: Engines) -> None:
        """Begin without a list."""
        self._config = config
        self._engines = engines
        self._asking = asyncio.Lock()
        self._told = b""
        self._told_s = float("-inf")
        self._senders: OrderedDict[str, Meter] = OrderedDict()

    def answers(self, headers: Mapping[str, str]) -> bool:
        """Say whether a request for the list needs no key: the site says so, and none was sent."""
        if not self._config.settings.voices_without_key:
            return False
        try:
            key_of(headers)
        except Refusal:
            return True
        return False

    async def listing(self, client: str | None) -> bytes:
        """Return the list; raise Refusal for an address that asks too often."""
        clock_s = asyncio.get_running_loop().time
        self._count(sender_of(client), clock_s())
        async with self._asking:
            if clock_s() - self._told_s > KEPT_S:
                every = frozenset(self._config.models)
                self._told = await voices.listing(every, self._config, self._engines)
                self._told_s = clock_s()
        return self._told

    def _count(self, sender: str, now_s: float) -> None:
        meter = self._senders.pop(sender, None) or Meter(Limits(requests_per_minute=PER_MINUTE))
        self._senders[sender] = meter
        if len(self._senders) > SENDERS:
            self._senders.popitem(last=False)
        meter.enter(now_s)
