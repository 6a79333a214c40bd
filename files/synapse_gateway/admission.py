"""Whose request it is, and whether he may have it served now."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime

from synapse_common.refusals import Refusal
from synapse_common.secrets import MASTER_ENTRY
from synapse_gateway import errors
from synapse_gateway.access_log import RequestRecord
from synapse_gateway.config import App, Config
from synapse_gateway.keys import KeyRing
from synapse_gateway.limits import Meter
from synapse_gateway.metrics import Metrics
from synapse_gateway.places import Places, Room
from synapse_gateway.request import key_of
from synapse_gateway.wrong_keys import WrongKeys


class Admission:
    """Knows the keys, and what each application uses of its limits."""

    def __init__(
        self,
        config: Config,
        keys: KeyRing,
        metrics: Metrics,
        clock_s: Callable[[], float] = time.time,
    ) -> None:
        """Begin with nothing used; the clock is that of the world."""
        self._apps = config.apps
        self._clock_s = clock_s
        self._keys = keys
        self._wrong_keys = WrongKeys(metrics.wrong_keys)
        self._meters = {name: Meter(app) for name, app in config.apps.items()}
        settings = config.settings
        together = Room(settings.requests_at_once, settings.app_requests_at_once)
        self._places = {
            name: Places(together, app.parallel_requests or settings.parallel_requests)
            for name, app in config.apps.items()
        }
        self._at_once = {name: metrics.in_flight.labels(name) for name in config.apps}

    async def app(self, record: RequestRecord, headers: Mapping[str, str]) -> App:
        """Return whose key it is; a wrong one is refused, and later each time.

        One that has ended is told so, whenever it comes: it is nobody's guess.
        """
        try:
            holder = self._keys.app_of(key_of(headers))
            app = self._apps.get(holder or "")
            if app is None:
                raise errors.unknown_key()
        except Refusal:
            await self._wrong_keys.slow_down(record.client)
            raise
        if app.key_until and self._today() > app.key_until:
            record.app = app
            raise errors.ended_key(app.key_until)
        return app

    def is_operators(self, headers: Mapping[str, str]) -> bool:
        """Say whether a request has the operator's own key."""
        try:
            return self._keys.app_of(key_of(headers)) == MASTER_ENTRY
        except Refusal:
            return False

    def _today(self) -> date:
        """Return the day that keys go by."""
        return datetime.fromtimestamp(self._clock_s(), UTC).date()

    @contextlib.contextmanager
    def within_limits(self, record: RequestRecord, app: App) -> Iterator[Places]:
        """Count a request while it is served; yield its application's places at the models."""
        clock_s = asyncio.get_running_loop().time
        meter, places = self._meters[app.name], self._places[app.name]
        with places.one():
            meter.enter(clock_s())
            self._at_once[app.name].inc()
            try:
                yield places
            finally:
                self._at_once[app.name].dec()
                meter.leave(clock_s(), record.tokens)
