"""The arbiter as one thing that can be started and stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from synapse_arbiter.config import Settings
from synapse_arbiter.engine.recycler import open_recycler
from synapse_arbiter.engine.transitions import Transitions
from synapse_arbiter.engine.vllm_client import Vllm, open_http
from synapse_arbiter.engine.vram import Remembered, open_vram
from synapse_arbiter.events.event_log import EventLog
from synapse_arbiter.events.metrics import Metrics
from synapse_arbiter.scheduling.poller import Poller
from synapse_arbiter.scheduling.scheduler import Scheduler
from synapse_arbiter.web import routes
from synapse_arbiter.web.admin import Admin, BootRequests, Commands
from synapse_arbiter.web.guard import Lock, Names, refuse_other_sites, refuse_pages
from synapse_arbiter.web.listeners import Audience, Listeners
from synapse_arbiter.web.proxy import Proxy
from synapse_arbiter.web.reads import Catalogue, Probes, Scrape
from synapse_arbiter.web.routes import App
from synapse_arbiter.web.status.snapshot import Snapshot
from synapse_arbiter.web.status.stream import StatusStream

MIB = 1024**2
SMALL = 64 * 1024  # bytes, of a body that is no request for a model


class Arbiter:
    """Everything wired together; an asynchronous context that serves while it is entered."""

    def __init__(self, settings: Settings) -> None:
        """Remember the settings; nothing starts yet."""
        self._settings = settings

    async def __aenter__(self) -> Arbiter:
        """Open the connections, learn from the engines, and listen."""
        self._http = open_http(self._settings.limits.connect_s)
        try:
            self._build(self._settings)
            await self._listeners.open()
        except BaseException:
            await self._http.close()
            raise
        self.scheduler.start()
        self._watching = asyncio.create_task(self.watch.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening, let running requests end, and close what was opened."""
        self._watching.cancel()
        with suppress(asyncio.CancelledError):
            await self._watching
        self._listeners.close()
        self.feed.close()
        await self.scheduler.stop()
        await self._listeners.shutdown()
        await self._http.close()

    @property
    def ports(self) -> Mapping[str, int]:
        """The port that it listens on for every audience."""
        return self._listeners.ports

    def _build(self, settings: Settings) -> None:
        limits, http = settings.limits, self._http
        probe_s = limits.connect_s
        self._engines = {
            model.name: Vllm(model.name, model.url, model.kind, http, probe_s)
            for model in settings.models
        }
        vram = Remembered(open_vram(settings.gpu.vram_source, http, probe_s))
        recycler = open_recycler(settings.recycle, limits.recycle_s, http)
        transitions = Transitions(settings, self._engines, vram, recycler)
        self.metrics = Metrics()
        self.event_log = EventLog(self.metrics)
        self.scheduler = Scheduler(settings, transitions, self.event_log)
        self.watch = Poller(self.scheduler, self._engines, vram, limits.watch_s)
        snapshot = Snapshot(settings, self.scheduler, vram, self.event_log)
        self.feed = StatusStream(snapshot.read)
        self.event_log.on_change = self.feed.note
        scrape = Scrape(
            self.metrics,
            snapshot,
            lambda: {name: engine.metrics for name, engine in self._engines.items()},
        )
        self._listeners = Listeners(settings.host, self._audiences(settings, scrape))

    def _audiences(self, settings: Settings, scrape: Scrape) -> list[Audience]:
        """Say what each audience may ask, and what it must show for that."""
        names = [model.name for model in settings.models]
        ports, hosts = settings.ports, Names(settings.hosts)
        inference = routes.inference(
            Proxy(settings, self.scheduler, self._engines, self._http, self.event_log),
            Catalogue(settings, self.scheduler),
            Probes(self.scheduler),
            names,
        )
        token = Lock(settings.admin_token_file, "admin_token_file", "the operator's token")
        admin = Admin(Commands(self.scheduler, self.event_log), token)
        operator = routes.operator(admin, self.feed, names)
        wrappers = Lock(settings.boot_secret_file, "boot_secret_file", "the wrappers' secret")
        boot = routes.boot(BootRequests(self.scheduler))
        starting = hosts.check, refuse_pages, wrappers.check
        watching = hosts.check, refuse_other_sites
        body_limit = int(settings.limits.body_mib * MIB)
        return [
            Audience("inference", ports.inference, App(inference), body_limit),
            Audience("boot", ports.boot, App(boot, *starting), SMALL),
            Audience("metrics", ports.metrics, App(routes.metrics(scrape)), SMALL),
            Audience("operator", ports.operator, App(operator, *watching), SMALL),
        ]
