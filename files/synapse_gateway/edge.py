"""What clients meet: decides on every request, has it answered, and logs it."""

from __future__ import annotations

import asyncio
import contextlib
import traceback
from pathlib import Path
from urllib.parse import unquote

from aiohttp import web

from synapse_common.bodies.budget import Budget, room
from synapse_common.refusals import Refusal
from synapse_gateway import errors, routes
from synapse_gateway.access_log import CLIENT_LEFT, RequestRecord
from synapse_gateway.admission import Admission
from synapse_gateway.client_address import Proxies
from synapse_gateway.config import Config
from synapse_gateway.cors import Cors
from synapse_gateway.few_lines import FewLines
from synapse_gateway.inner import Inner
from synapse_gateway.keys import KeyRing
from synapse_gateway.lists import READS, Lists
from synapse_gateway.log_pipe import write_line
from synapse_gateway.metrics import Metrics
from synapse_gateway.open_voices import OpenVoices
from synapse_gateway.operator_route import OperatorRoute
from synapse_gateway.relay.engines import Engines
from synapse_gateway.relay.health import Health
from synapse_gateway.relay.ollama_facts import OllamaFacts
from synapse_gateway.response import ClientLeft, ResponseWriter
from synapse_gateway.serving import Serving
from synapse_gateway.usage.spending import Spending
from synapse_gateway.usage.usage import Usage
from synapse_gateway.watch import Watch

ALIVE = b'{"status":"ok"}'
GREETING = b"Synapse answers here. The API is under /v1.\n"


class Edge:
    """Decides on every request; only accepted ones reach an engine."""

    def __init__(
        self, config: Config, keys: KeyRing, metrics: Metrics, usage_file: Path | None = None
    ) -> None:
        """Prepare for these models and applications; what they use is kept in this file."""
        self._settings = config.settings
        self._metrics = metrics
        self._cors = Cors(config.settings.cors_origins)
        self._proxies = Proxies(config.settings.trusted_proxies)
        self.few_lines = FewLines()
        self.watch = Watch(metrics.stalls)
        self.engines = Engines(config.settings, Health(config, metrics.engine_up))
        ollama = OllamaFacts(self.engines)
        budget = Budget(room(config.settings.memory_mib), errors.GatewayFull)
        self.inner = Inner(config, self.engines, ollama, budget)
        self.usage = Usage(usage_file, metrics.usage_kept)
        self._operator = OperatorRoute(config, self.usage)
        self._lists = Lists(config, self.engines, budget)
        self._open_voices = OpenVoices(config, self.engines)
        self._admission = Admission(config, keys, metrics)
        spending = Spending(config, self.usage)
        self._serving = Serving(config, self.engines, ollama, budget, metrics, spending)
        self._in_flight: set[asyncio.Task[object]] = set()
        self._stopping = False
        """Requests that are cancelled now are cancelled by us."""

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request, exactly once."""
        told = unquote(request.raw_path.partition("?")[0])
        path = routes.canonical(told)
        client = self._proxies.client_of(request.remote, request.headers)
        record = RequestRecord(request.method, told, client=client)
        pause_s = self._settings.client_pause_s
        writer = ResponseWriter(record, request, routes.dialect_of(path), pause_s)
        writer.headers |= self._cors.headers(request.headers.get("origin"))
        if path in (routes.LIVE, routes.READY):
            # For the process alone: an engine's trouble must not restart the gateway.
            await _alive(writer)
        else:
            task = asyncio.current_task()
            try:
                if task:
                    self._in_flight.add(task)
                with self.watch.over(record, request):
                    await self._logged(record, writer, path, request)
            finally:
                self._in_flight.discard(task)
        return writer.answered()

    async def drain(self, limit_s: float, last_bytes_s: float) -> None:
        """Let requests in flight end; those that are not done by then are told that we stop."""
        if self._in_flight:
            await asyncio.wait(self._in_flight, timeout=limit_s)
        self._stopping = True
        for task in self._in_flight:
            task.cancel()
        if self._in_flight:
            await asyncio.wait(self._in_flight, timeout=last_bytes_s)

    async def _logged(
        self, record: RequestRecord, writer: ResponseWriter, path: str, request: web.BaseRequest
    ) -> None:
        try:
            async with asyncio.timeout(self._settings.total_timeout_s):
                await self._decide(record, writer, path, request)
        except Refusal as refusal:
            record.asked = record.asked or refusal.asked
            await self._refuse(writer, refusal)
        except TimeoutError:
            await self._refuse(writer, errors.timed_out(record.asked or ""))
        except ClientLeft:
            record.status = CLIENT_LEFT
            raise asyncio.CancelledError from None  # there is nobody to answer
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not self._stopping or task is None:
                record.status = CLIENT_LEFT
                raise
            task.uncancel()
            # The drain time-out is over: this is the last thing that can be said.
            name = record.asked or ""
            await self._refuse(
                writer, errors.interrupted(name) if writer.started else errors.stopping()
            )
        except Exception as error:
            # What was raised may hold a prompt; the log says where, and not what.
            last = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{type(error).__name__} at {last.name}:{last.lineno}"
            write_line({"event": "failure", "request_id": record.request_id, "error": where})
            await self._refuse(writer, errors.broken())
        finally:
            self._metrics.count(record)
            self.usage.note(record)
            if record.error == errors.TOO_MANY_WRONG_KEYS:
                self.few_lines.write(record.client, record.line())
            else:
                write_line(record.line())

    async def _refuse(self, writer: ResponseWriter, refusal: Refusal) -> None:
        with contextlib.suppress(ClientLeft):
            await writer.refuse(refusal)

    async def _decide(
        self, record: RequestRecord, writer: ResponseWriter, path: str, request: web.BaseRequest
    ) -> None:
        """Take one request through (1) route, (2) key, (3) limits, (4) body, (5) the chain."""
        if request.method == "OPTIONS":
            await self._preflight(writer, path, request)
            return
        route, listed = routes.ROUTES.get(path), routes.listed(path)
        if path == routes.ROOT and request.method in READS:
            await writer.answer(GREETING, kind="text/plain")
            return
        if path == routes.USAGE and self._admission.is_operators(request.headers):
            await self._tell_operator(record, writer, request)
            return
        if path in routes.OPERATORS or path.startswith("/api/blobs/"):
            record.app = await self._admission.app(record, request.headers)
            raise errors.models_are_the_operators(path)
        if route is None and listed is None:  # (1)
            raise errors.no_route(request.method, record.path)
        record.route = listed or path
        record.kind = route.kind if route else None
        allowed = self._lists.methods(path) if listed else ("POST",)
        if request.method not in allowed:
            raise errors.wrong_method(path, ", ".join(allowed))
        if path == routes.VOICES and self._open_voices.answers(request.headers):
            await writer.answer(await self._open_voices.listing(record.client))
            return
        app = record.app = await self._admission.app(record, request.headers)  # (2)
        self.watch.note_body(request)
        if route is None and not self._lists.asks_engines(path):
            await writer.answer(await self._lists.answer(path, app, request))
            return
        with self._admission.within_limits(record, app) as places:  # (3)
            if route is None:
                await writer.answer(await self._lists.answer(path, app, request))
            else:
                await self._serving.serve(writer, route, app, places, request)  # (4), (5)

    async def _tell_operator(
        self, record: RequestRecord, writer: ResponseWriter, request: web.BaseRequest
    ) -> None:
        record.app = await self._admission.app(record, request.headers)
        record.route = routes.USAGE
        if request.method not in READS:
            raise errors.wrong_method(routes.USAGE, ", ".join(READS))
        await writer.answer(await self._operator.answer(request.query))

    async def _preflight(self, writer: ResponseWriter, path: str, request: web.BaseRequest) -> None:
        found = self._cors.preflight(request.headers)
        if found is None:
            raise errors.wrong_method(path, "GET, POST")
        writer.headers = found
        await writer.answer(b"", kind="text/plain")


async def _alive(writer: ResponseWriter) -> None:
    try:
        await writer.answer(ALIVE)
    except ClientLeft:
        raise asyncio.CancelledError from None  # there is nobody to answer
