"""The data plane: hold a request until its engine is awake, pass it on, inspect its end."""

from __future__ import annotations

import asyncio

import aiohttp
from aiohttp import web
from yarl import URL

from synapse_arbiter.config import Settings
from synapse_arbiter.errors import RefusedError
from synapse_arbiter.events.event_log import Journal
from synapse_arbiter.scheduling.scheduler import Scheduler
from synapse_arbiter.state import Ticket
from synapse_arbiter.web.request import STREAM_ENDS, Reader
from synapse_arbiter.web.response import ClientLeftError, Exchange, read_body
from synapse_arbiter.web.stream_guard import StreamEnd, aborted, is_aborted

LEAST_PING_S = 0.1


class Proxy:
    """Passes OpenAI requests on to the engine that the scheduler lets them into."""

    def __init__(
        self,
        settings: Settings,
        scheduler: Scheduler,
        http: aiohttp.ClientSession,
        journal: Journal,
    ) -> None:
        """Prepare the address of every path of every engine."""
        self._reader = Reader(settings)
        self._scheduler = scheduler
        self._http = http
        self._journal = journal
        self._loop = asyncio.get_running_loop()
        self._timeout = aiohttp.ClientTimeout(
            total=None,
            sock_connect=settings.limits.connect_s,
            sock_read=settings.limits.answer_s,
        )
        self._urls = {
            (model.name, path): URL(model.url + path)
            for model in settings.models
            for path in STREAM_ENDS
        }

    async def handle(self, request: web.BaseRequest, path: str) -> web.StreamResponse:
        """Answer one request on an allowed path, exactly once."""
        model = ""
        try:
            body = await read_body(request)
            ask = await self._reader.read(path, request.headers, body)
            model = ask.model
            exchange = Exchange(request, ask, path, body)
            return await self._answer(exchange)
        except RefusedError as refused:
            self._journal.refused(model, refused.code)
            return refused.response()
        except ClientLeftError as left:
            return left.response

    async def _answer(self, exchange: Exchange) -> web.StreamResponse:
        """Hold, pass on, and end; a client that leaves cancels this wherever it is."""
        ask = exchange.ask
        ticket = Ticket(ask.model, ask.priority, ask.app, self._loop.time(), ask.budget_s)
        answered = False
        try:
            self._scheduler.desk.arrive(ticket)
            if ticket.admission is not None:
                await self._wait(exchange, ticket)
            response = await self._relay(exchange, ticket)
            answered = True
            self._journal.answered_one(ask.model)
            return response
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if ticket.cut is None or task is None:
                raise
            task.uncancel()
            return await self._fail(exchange, ticket.cut)
        except RefusedError as refused:
            return await self._fail(exchange, refused)
        finally:
            self._scheduler.desk.leave(ticket, answered)

    async def _wait(self, exchange: Exchange, ticket: Ticket) -> None:
        """Wait for admission; comments keep the connection alive where they are asked for."""
        ping_s = exchange.ask.ping_s
        while ping_s is not None and ticket.admission is not None:
            done, _ = await asyncio.wait([ticket.admission], timeout=max(ping_s, LEAST_PING_S))
            if done:
                break
            await exchange.ping()
        await self._scheduler.desk.admitted(ticket)

    async def _relay(self, exchange: Exchange, ticket: Ticket) -> web.StreamResponse:
        task = asyncio.current_task()
        ticket.on_cut = task.cancel if task is not None else None
        exchange.describe(ticket)
        url = self._urls[ticket.model, exchange.path]
        try:
            async with self._http.post(
                url,
                data=exchange.body,
                headers=exchange.headers_to_engine(),
                timeout=self._timeout,
                allow_redirects=False,
            ) as upstream:
                if upstream.content_type == "text/event-stream":
                    return await self._stream(exchange, upstream)
                payload = await upstream.read()
        except TimeoutError as error:
            self._scheduler.suspect(ticket.model)
            raise RefusedError(
                "engine_silent", "The engine fell silent; ask again.", 1.0
            ) from error
        except (aiohttp.ClientError, OSError) as error:
            self._scheduler.suspect(ticket.model)
            raise RefusedError("engine_lost", "The engine went away; ask again.", 1.0) from error
        if upstream.status >= 500:
            self._scheduler.suspect(ticket.model)
        if is_aborted(payload):
            raise aborted()
        return await exchange.complete(upstream.status, upstream.headers, payload)

    async def _stream(
        self, exchange: Exchange, upstream: aiohttp.ClientResponse
    ) -> web.StreamResponse:
        ending = StreamEnd(STREAM_ENDS[exchange.path])
        await exchange.open_stream(upstream.status, upstream.headers)
        async for data in upstream.content.iter_any():
            events = ending.feed(data)
            if events:
                await exchange.send(events)
        return await exchange.close_stream(ending.finish())

    async def _fail(self, exchange: Exchange, refused: RefusedError) -> web.StreamResponse:
        self._journal.refused(exchange.ask.model, refused.code)
        return await exchange.fail(refused)
