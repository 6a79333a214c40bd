"""The arbiter as one thing that can be started and stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress

import aiohttp
from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import RawRequestMessage

from synapse_arbiter.config import Settings
from synapse_arbiter.engine.recycler import open_recycler
from synapse_arbiter.engine.transitions import Transitions
from synapse_arbiter.engine.vllm_client import Engine, Vllm, open_http
from synapse_arbiter.engine.vram import Remembered, open_vram
from synapse_arbiter.events.event_log import EventLog
from synapse_arbiter.events.metrics import Metrics
from synapse_arbiter.scheduling.poller import Poller
from synapse_arbiter.scheduling.scheduler import Scheduler
from synapse_arbiter.web.admin import Admin, BootRequests, Commands
from synapse_arbiter.web.proxy import Proxy
from synapse_arbiter.web.reads import Catalogue, Probes
from synapse_arbiter.web.routes import App, routes
from synapse_arbiter.web.status.snapshot import Snapshot
from synapse_arbiter.web.status.stream import StatusStream

MIB = 1024**2
CLOSE_S = 1.0  # for the last bytes of an answer


class Arbiter:
    """Everything wired together; an asynchronous context that serves while it is entered."""

    def __init__(self, settings: Settings) -> None:
        """Remember the settings; nothing starts yet."""
        self._settings = settings

    async def __aenter__(self) -> Arbiter:
        """Open the connections, learn from the engines, and listen."""
        settings = self._settings
        self._http = open_http(settings.limits.connect_s)
        try:
            self._build(settings)
            self._server = await asyncio.get_running_loop().create_server(
                self._web, settings.host, settings.port
            )
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
        self._server.close()
        self.feed.close()
        await self.scheduler.stop()
        self._web.pre_shutdown()
        await self._web.shutdown(CLOSE_S)
        await self._http.close()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.sockets[0].getsockname()[1])

    def _build(self, settings: Settings) -> None:
        limits, http = settings.limits, self._http
        probe_s = limits.connect_s
        engines: Mapping[str, Engine] = {
            model.name: Vllm(model.name, model.url, model.kind, http, probe_s)
            for model in settings.models
        }
        vram = Remembered(open_vram(settings.gpu.vram_source, http, probe_s))
        recycler = open_recycler(settings.recycle, limits.recycle_s, http)
        transitions = Transitions(settings, engines, vram, recycler)
        self.metrics = Metrics()
        self.event_log = EventLog(self.metrics)
        self.scheduler = Scheduler(settings, transitions, self.event_log)
        self.watch = Poller(self.scheduler, engines, vram, limits.watch_s)
        snapshot = Snapshot(settings, self.scheduler, vram, self.event_log)
        self.feed = StatusStream(snapshot.read)
        self.event_log.on_change = self.feed.note
        app = App(
            routes(
                Proxy(settings, self.scheduler, http, self.event_log),
                Catalogue(settings, self.scheduler),
                Admin(Commands(self.scheduler, self.event_log), settings.admin_token_file),
                BootRequests(self.scheduler),
                Probes(self.scheduler, self.metrics, snapshot),
                self.feed,
                [model.name for model in settings.models],
            )
        )
        self._web = web.Server(
            app.handle,
            request_factory=_Requests(int(limits.body_mib * MIB)),
            handler_cancellation=True,
            access_log=None,
        )


class _Requests:
    """Makes requests whose bodies may have the configured size."""

    def __init__(self, largest_body: int) -> None:
        """Allow bodies of so many bytes."""
        self._largest_body = largest_body

    def __call__(
        self,
        message: RawRequestMessage,
        payload: aiohttp.StreamReader,
        protocol: web.RequestHandler,
        writer: AbstractStreamWriter,
        task: asyncio.Task[None],
    ) -> web.BaseRequest:
        """Make one request."""
        loop, largest = task.get_loop(), self._largest_body
        return web.BaseRequest(
            message, payload, protocol, writer, task, loop, client_max_size=largest
        )
