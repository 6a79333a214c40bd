"""The ASGI application that clients meet; LiteLLM's own is inside and sees only clean requests."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from synapse_gateway import errors, intake, routes, voices
from synapse_gateway.audio import AudioRoad
from synapse_gateway.audio_ask import Ask
from synapse_gateway.config import App, Config
from synapse_gateway.engines import Engines
from synapse_gateway.errors import Refusal
from synapse_gateway.exchange import CLIENT_LEFT, Exchange, current, write_line
from synapse_gateway.keys import KeyRing
from synapse_gateway.limits import Meter
from synapse_gateway.lines import Lines
from synapse_gateway.listing import listing
from synapse_gateway.metrics import Metrics
from synapse_gateway.relay import Relay
from synapse_gateway.routes import Shape
from synapse_gateway.uploads import Uploads

ALIVE = b'{"status":"ok"}'


class Edge:
    """Decides on every request and logs it; only accepted ones reach LiteLLM or a speech engine."""

    def __init__(
        self, config: Config, keys: KeyRing, metrics: Metrics, inner: ASGIApp, inner_key: str
    ) -> None:
        """Wrap LiteLLM's application, which answers to `inner_key`."""
        self._config = config
        self._keys = keys
        self._metrics = metrics
        self._inner = inner
        self._inner_key = inner_key
        self._engines = Engines(config.settings)
        lines = Lines(config.settings, metrics.hearing_waiting)
        self._audio = AudioRoad(config, lines, self._engines)
        self._uploads = Uploads(config.settings)
        self._meters = {name: Meter(app) for name, app in config.apps.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one event of the server: start-up, shutdown or a request."""
        if scope["type"] == "lifespan":
            await self._inner(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif scope["path"] in (routes.LIVE, routes.READY):
            # For the process alone: a backend's trouble must not restart the gateway.
            await Relay(Exchange(scope["method"], scope["path"]), send).answer(ALIVE)
        else:
            await self._request(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = Exchange(scope["method"], scope["path"])
        current.set(exchange)
        relay = Relay(exchange, send)
        try:
            async with asyncio.timeout(self._config.settings.total_timeout_s):
                await self._decide(exchange, relay, scope, receive)
        except Refusal as refusal:
            exchange.asked = exchange.asked or refusal.asked
            await relay.refuse(refusal)
        except TimeoutError:
            await relay.refuse(errors.timed_out(exchange.asked or ""))
        except (intake.ClientLeft, OSError):
            exchange.status = CLIENT_LEFT
        except asyncio.CancelledError:
            # The server stops and the drain time-out is over: this is the last thing it can say.
            name = exchange.asked or ""
            await relay.refuse(errors.interrupted(name) if relay.started else errors.stopping())
            raise
        except Exception as error:
            # Whatever LiteLLM raises must not leave; the log has it.
            failure = {"event": "failure", "request_id": exchange.request_id}
            write_line({**failure, "error": repr(error)})
            await relay.refuse(errors.broken())
        finally:
            self._metrics.count(exchange)
            write_line(exchange.line())

    async def _decide(
        self, exchange: Exchange, relay: Relay, scope: Scope, receive: Receive
    ) -> None:
        """Take one request through (1) route, (2) key, (3) limits, (4) body, (5) a backend."""
        path, method = routes.canonical(scope["path"]), scope["method"]
        headers = intake.headers_of(scope)
        route, listed = routes.ROUTES.get(path), routes.listed(path)
        if route is None and listed is None:  # (1)
            raise errors.no_route(method, scope["path"])
        exchange.route = listed or path
        exchange.kind = route.kind if route else None
        allowed = "GET" if listed else "POST"
        if method != allowed:
            raise errors.wrong_method(path, allowed)
        app = exchange.app = self._app(headers)  # (2)
        if listed == routes.MODELS:
            await relay.answer(listing(path, app, self._config))
            return
        with self._metered(exchange, app):  # (3)
            if route is None:
                await relay.answer(await voices.listing(app, self._config, self._engines))
                return
            if route.shape is Shape.FORM:
                async with self._uploads.received(headers, receive, route) as upload:  # (4)
                    ask = Ask.heard(upload, route, app, self._config)
                    await self._audio.run(exchange, relay, receive, ask)  # (5)
                return
            body = await intake.read_body(headers, receive, self._config.settings)
            request = intake.understand(body, route, app, self._config)  # (4)
            self._note(exchange, request)
            if route.is_audio:
                await self._audio.run(exchange, relay, receive, Ask.spoken(request, path))
                return
            seen = intake.inner_scope(scope, path, request, self._inner_key)
            await relay.run(self._inner, seen, receive, request, route)  # (5)

    def _app(self, headers: Mapping[str, str]) -> App:
        holder = self._keys.app_of(intake.key_of(headers))
        app = self._config.apps.get(holder or "")
        if app is None:
            raise errors.unknown_key()
        return app

    def _note(self, exchange: Exchange, request: intake.Request) -> None:
        exchange.asked, exchange.model = request.asked, request.model
        exchange.stream = request.stream
        if self._config.settings.log_prompts:
            fields = request.fields
            exchange.prompt = fields.get("messages", fields.get("prompt", fields.get("input")))

    @contextlib.contextmanager
    def _metered(self, exchange: Exchange, app: App) -> Iterator[None]:
        clock_s = asyncio.get_running_loop().time
        meter = self._meters[app.name]
        meter.enter(clock_s())
        self._metrics.in_flight.labels(app.name).inc()
        try:
            yield
        finally:
            self._metrics.in_flight.labels(app.name).dec()
            meter.leave(clock_s(), exchange.tokens)
