"""The data plane: hold a request until its engine is awake, pass it on, inspect its end."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import aiohttp
from aiohttp import web
from yarl import URL

from synapse_arbiter.config import Settings
from synapse_arbiter.engine.vllm_client import Vllm
from synapse_arbiter.errors import RefusedError
from synapse_arbiter.events.event_log import EventLog
from synapse_arbiter.scheduling.scheduler import Scheduler
from synapse_arbiter.state import QueuedRequest
from synapse_arbiter.web.body import full, receive
from synapse_arbiter.web.request import FORM_PATHS, Reader
from synapse_arbiter.web.response import ClientLeftError, ResponseWriter
from synapse_common import protocol
from synapse_common.answers.endpoints import ENDPOINTS
from synapse_common.answers.judges import CutShort, aborted
from synapse_common.answers.lists import Lists
from synapse_common.answers.stream_guard import StreamGuard
from synapse_common.answers.whole import read_whole
from synapse_common.bodies.aside import Bytes
from synapse_common.bodies.budget import Budget, room
from synapse_common.bodies.sending import sendable

LEAST_PING_S = 0.1
READ_AT_MOST = 4 * 1024
"""Bytes of a stream at once: small events take the most time for each byte."""
EVENTS = "text/event-stream"


class Proxy:
    """Passes OpenAI requests on to the engine that the scheduler lets them into."""

    def __init__(
        self,
        settings: Settings,
        scheduler: Scheduler,
        engines: Mapping[str, Vllm],
        http: aiohttp.ClientSession,
        event_log: EventLog,
    ) -> None:
        """Prepare the address of every path of every engine."""
        self._reader = Reader(settings)
        self._budget = Budget(room(settings.limits.memory_mib), full)
        self._scheduler = scheduler
        self._engines = engines
        self._http = http
        self._event_log = event_log
        self._loop = asyncio.get_running_loop()
        self._timeout = aiohttp.ClientTimeout(
            total=None,
            connect=settings.limits.connect_s,  # with the look for the name's address
            sock_read=settings.limits.answer_s,
        )
        self._urls = {
            (model.name, path): URL(model.url + path)
            for model in settings.models
            for path in ENDPOINTS
        }

    async def handle(self, request: web.BaseRequest, path: str) -> web.StreamResponse:
        """Answer one request on an allowed path, exactly once; raise RefusedError before it."""
        model = ""
        try:
            with self._budget.held_by(request.headers.get(protocol.APP, "")) as held:
                body = await receive(request, held, form=path in FORM_PATHS)
                ask = self._reader.read(path, request.headers, body)
                held.keep(body.size)  # what was parsed is not needed any more
                model = ask.model
                writer = ResponseWriter(request, ask, path, body.aside.restored(body.text), held)
                del body
                return await self._answer(writer)
        except RefusedError as refused:
            self._event_log.refused(model, refused.code)
            raise
        except ClientLeftError as left:
            return left.response

    async def _answer(self, writer: ResponseWriter) -> web.StreamResponse:
        """Hold, pass on, and end; a client that leaves cancels this wherever it is."""
        ask = writer.ask
        request = QueuedRequest(ask.model, ask.priority, ask.asker, self._loop.time(), ask.budget_s)
        answered = False
        try:
            self._scheduler.admission.arrive(request)
            if request.admission is not None:
                await self._wait(writer, request)
            response = await self._relay(writer, request)
            answered = True
            self._event_log.answered_one(ask.model)
            return response
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if request.cut is None or task is None:
                raise
            task.uncancel()
            return await self._fail(writer, request.cut)
        except CutShort as cut:
            return await self._fail(writer, RefusedError(cut.code, str(cut), 1.0))
        except RefusedError as refused:
            return await self._fail(writer, refused)
        finally:
            self._scheduler.admission.leave(request, answered)

    async def _wait(self, writer: ResponseWriter, request: QueuedRequest) -> None:
        """Wait for admission; comments keep the connection alive where they are asked for."""
        ping_s = writer.ask.ping_s
        while ping_s is not None and request.admission is not None:
            done, _ = await asyncio.wait([request.admission], timeout=max(ping_s, LEAST_PING_S))
            if done:
                break
            await writer.ping(*self._scheduler.admission.outlook(request))
        await self._scheduler.admission.admitted(request)

    async def _relay(self, writer: ResponseWriter, request: QueuedRequest) -> web.StreamResponse:
        """Pass the request on and its answer back, once nothing in it says that it was cut.

        What the engine hides is told by its counter: it must stand where it stood, and still be
        told, for an engine that is ended aborts what runs and takes no more calls. Where there is
        none, an answer is judged by what it holds: cut after its first words it passes as whole.
        """
        task = asyncio.current_task()
        request.on_cut = task.cancel if task is not None else None
        await writer.describe(request)
        engine = self._engines[request.model]
        before = await engine.aborted() if writer.endpoint.hides_aborts else None
        try:
            answered, rest = await self._pass_on(writer, request.model)
        except TimeoutError as error:
            self._scheduler.suspect(request.model)
            raise RefusedError(
                "engine_silent", "The engine fell silent; ask again.", 1.0
            ) from error
        except (aiohttp.ClientError, OSError) as error:
            self._scheduler.suspect(request.model)
            raise RefusedError("engine_lost", "The engine went away; ask again.", 1.0) from error
        if answered.status >= 500 or writer.judge.failed:
            self._scheduler.suspect(request.model)
        if before is not None and writer.judge.doubtful and await engine.aborted() != before:
            raise aborted()
        if answered.content_type == EVENTS:
            return await writer.close_stream(rest)
        return await writer.complete(answered.status, answered.headers, rest)

    async def _pass_on(
        self, writer: ResponseWriter, model: str
    ) -> tuple[aiohttp.ClientResponse, Bytes]:
        """Stream what may go out; return the engine's answer and what is left to be sent."""
        async with self._http.post(
            self._urls[model, writer.path],
            data=sendable(writer.body),
            headers=writer.headers_to_engine(),
            timeout=self._timeout,
            allow_redirects=False,
        ) as answered:
            if answered.content_type == EVENTS:
                return answered, await self._stream(writer, answered)
            payload = await read_whole(answered, writer.held)
        if answered.status == 200:
            is_json = answered.content_type == "application/json"
            writer.judge.whole(await Lists().left_out(payload) if is_json else bytes(payload))
        return answered, payload

    async def _stream(self, writer: ResponseWriter, answered: aiohttp.ClientResponse) -> bytes:
        guard = StreamGuard(writer.judge)
        await writer.open_stream(answered.status, answered.headers)
        while data := await answered.content.read(READ_AT_MOST):
            if len(data) == READ_AT_MOST:
                await asyncio.sleep(0)  # there is more, and others want their turn
            events = guard.feed(data)
            if events:
                await writer.send(events)
            if guard.cut is not None:
                raise guard.cut
        return guard.finish()

    async def _fail(self, writer: ResponseWriter, refused: RefusedError) -> web.StreamResponse:
        self._event_log.refused(writer.ask.model, refused.code)
        return await writer.fail(refused)
