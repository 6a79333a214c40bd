"""The ASGI application that clients meet; LiteLLM's own is inside and sees only clean requests."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from synapse_common.refusals import Refusal
from synapse_gateway import errors, routes
from synapse_gateway.access_log import CLIENT_LEFT, RequestRecord, current, write_line
from synapse_gateway.audio import voices
from synapse_gateway.audio.client import Engines
from synapse_gateway.audio.proxy import AudioProxy
from synapse_gateway.audio.queue import TranscriptionQueue
from synapse_gateway.audio.request import AudioRequest
from synapse_gateway.audio.uploads import Uploads
from synapse_gateway.config import App, Config
from synapse_gateway.keys import KeyRing
from synapse_gateway.limits import Meter
from synapse_gateway.litellm_proxy.forward import LiteLLMForwarder, litellm_scope
from synapse_gateway.metrics import Metrics
from synapse_gateway.models import listing, speaking
from synapse_gateway.request import ClientLeft, Request, headers_of, key_of, read_body, understand
from synapse_gateway.response import ResponseWriter
from synapse_gateway.routes import Shape

ALIVE = b'{"status":"ok"}'


class Edge:
    """Decides on every request and logs it; only accepted ones reach LiteLLM or a speech engine."""

    def __init__(
        self,
        config: Config,
        keys: KeyRing,
        metrics: Metrics,
        litellm_app: ASGIApp,
        litellm_key: str,
    ) -> None:
        """Wrap LiteLLM's application, which answers to `litellm_key`."""
        self._config = config
        self._keys = keys
        self._metrics = metrics
        self._litellm_app = litellm_app
        self._litellm_key = litellm_key
        self._engines = Engines(config.settings)
        queue = TranscriptionQueue(config.settings, metrics.transcription_queue_length)
        self._audio = AudioProxy(config, queue, self._engines)
        self._uploads = Uploads(config.settings)
        self._meters = {name: Meter(app) for name, app in config.apps.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one event of the server: start-up, shutdown or a request."""
        if scope["type"] == "lifespan":
            await self._litellm_app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif scope["path"] in (routes.LIVE, routes.READY):
            # For the process alone: an engine's trouble must not restart the gateway.
            await ResponseWriter(RequestRecord(scope["method"], scope["path"]), send).answer(ALIVE)
        else:
            await self._request(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        record = RequestRecord(scope["method"], scope["path"])
        current.set(record)
        writer = ResponseWriter(record, send)
        try:
            async with asyncio.timeout(self._config.settings.total_timeout_s):
                await self._decide(record, writer, scope, receive)
        except Refusal as refusal:
            record.asked = record.asked or refusal.asked
            await writer.refuse(refusal)
        except TimeoutError:
            await writer.refuse(errors.timed_out(record.asked or ""))
        except (ClientLeft, OSError):
            record.status = CLIENT_LEFT
        except asyncio.CancelledError:
            # The server stops and the drain time-out is over: this is the last thing it can say.
            name = record.asked or ""
            await writer.refuse(errors.interrupted(name) if writer.started else errors.stopping())
            raise
        except Exception as error:
            # Whatever LiteLLM raises must not leave; the log has it.
            failure = {"event": "failure", "request_id": record.request_id}
            write_line({**failure, "error": repr(error)})
            await writer.refuse(errors.broken())
        finally:
            self._metrics.count(record)
            write_line(record.line())

    async def _decide(
        self, record: RequestRecord, writer: ResponseWriter, scope: Scope, receive: Receive
    ) -> None:
        """Take one request through (1) route, (2) key, (3) limits, (4) body, (5) an engine."""
        path, method = routes.canonical(scope["path"]), scope["method"]
        headers = headers_of(scope)
        route, listed = routes.ROUTES.get(path), routes.listed(path)
        if route is None and listed is None:  # (1)
            raise errors.no_route(method, scope["path"])
        record.route = listed or path
        record.kind = route.kind if route else None
        allowed = "GET" if listed else "POST"
        if method != allowed:
            raise errors.wrong_method(path, allowed)
        app = record.app = self._app(headers)  # (2)
        if listed == routes.MODELS:
            await writer.answer(listing(path, app, self._config))
            return
        if listed == routes.AUDIO_MODELS:
            await writer.answer(speaking(app, self._config))
            return
        with self._metered(record, app):  # (3)
            if route is None:
                await writer.answer(await voices.listing(app, self._config, self._engines))
                return
            if route.shape is Shape.FORM:
                async with self._uploads.received(headers, receive, route) as upload:  # (4)
                    heard = AudioRequest.heard(upload, route, app, self._config)
                    await self._audio.run(writer, receive, heard)  # (5)
                return
            body = await read_body(headers, receive, self._config.settings)
            request = understand(body, route, app, self._config)  # (4)
            self._note(record, request)
            if route.is_audio:
                spoken = AudioRequest.spoken(request, path)
                await self._audio.run(writer, receive, spoken)
                return
            seen = litellm_scope(scope, path, request, self._litellm_key)
            forwarder = LiteLLMForwarder(writer)
            await forwarder.run(self._litellm_app, seen, receive, request, route)  # (5)

    def _app(self, headers: Mapping[str, str]) -> App:
        holder = self._keys.app_of(key_of(headers))
        app = self._config.apps.get(holder or "")
        if app is None:
            raise errors.unknown_key()
        return app

    def _note(self, record: RequestRecord, request: Request) -> None:
        record.asked, record.model = request.asked, request.model
        record.stream = request.stream
        if self._config.settings.log_prompts:
            fields = request.fields
            record.prompt = fields.get("messages", fields.get("prompt", fields.get("input")))

    @contextlib.contextmanager
    def _metered(self, record: RequestRecord, app: App) -> Iterator[None]:
        clock_s = asyncio.get_running_loop().time
        meter = self._meters[app.name]
        meter.enter(clock_s())
        self._metrics.in_flight.labels(app.name).inc()
        try:
            yield
        finally:
            self._metrics.in_flight.labels(app.name).dec()
            meter.leave(clock_s(), record.tokens)
