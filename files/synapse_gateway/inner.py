"""What LiteLLM asks of the gateway: models whose own API it does not speak well enough.

A request that LiteLLM has translated for a model on Ollama comes back here and goes to Ollama's
native API, which refuses what its /v1 would cut. Limits and log lines belong to the request that
the client sent.
"""

from __future__ import annotations

import asyncio
import hmac
import os

from aiohttp import web

from synapse_common.bodies.budget import Budget, Held
from synapse_common.refusals import Refusal
from synapse_gateway import errors, routes
from synapse_gateway.access_log import RequestRecord
from synapse_gateway.body import read_body
from synapse_gateway.config import Config
from synapse_gateway.relay.engines import UNREACHED, Engines
from synapse_gateway.relay.failure import of_exception
from synapse_gateway.relay.ollama_facts import OllamaFacts
from synapse_gateway.relay.text import TextJob
from synapse_gateway.request import checked, json_object, key_of
from synapse_gateway.response import ClientLeft, ResponseWriter

TRANSLATOR = "translator"
"""Who holds memory for what comes by this port."""
DIALECTS = ("chat", "completions", "embeddings")


class Inner:
    """Serves one model without its fallbacks, to whoever has LiteLLM's key."""

    def __init__(
        self, config: Config, engines: Engines, ollama: OllamaFacts, budget: Budget
    ) -> None:
        """Serve the models of this configuration whose engines speak Ollama's native API."""
        self._config = config
        self._budget = budget
        self._engines = engines
        self._ollama = ollama

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request, exactly once."""
        record = RequestRecord(request.method, request.path)
        pause_s = self._config.settings.client_pause_s
        writer = ResponseWriter(record, request, pause_s=pause_s)
        try:
            with self._budget.held_by(TRANSLATOR) as held:
                await self._answer(writer, request, held)
        except Refusal as refusal:
            await writer.refuse(refusal)
        except ClientLeft:
            raise asyncio.CancelledError from None  # there is nobody to answer
        return writer.answered()

    async def _answer(self, writer: ResponseWriter, request: web.BaseRequest, held: Held) -> None:
        route = routes.ROUTES.get(request.path)
        if route is None or route.dialect not in DIALECTS:
            raise errors.no_route(request.method, request.path)
        self._check_key(request)
        body = await read_body(request, self._config.settings, held)
        told = json_object(body)
        model = self._config.models.get(str(told.get("model")))
        if model is None or model.kind != route.kind or "native" not in model.engine_type.dialects:
            raise errors.unknown_model(str(told.get("model")))
        asked = checked(told, body, route, model.name, model, self._config.settings)
        job = TextJob(asked, self._engines, self._config, self._ollama, held)
        try:
            failed = await job.attempt(writer, model)
        except UNREACHED as error:
            failed = of_exception(error, model.name)
        if failed is not None and not writer.finished:
            raise failed.refusal

    def _check_key(self, request: web.BaseRequest) -> None:
        translator = self._config.translator
        key = os.environ.get(translator.key_variable, "") if translator else ""
        given = key_of(request.headers).encode("utf-8", "surrogateescape")
        if not key or not hmac.compare_digest(key.encode(), given):
            raise errors.unknown_key()
