"""A client's request: read within limits, checked, and for which model it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

from synapse_gateway import bounds, errors, fields, media, ollama
from synapse_gateway.config import MIB, App, Config, Model
from synapse_gateway.response import ClientLeft
from synapse_gateway.routes import Route
from synapse_gateway.settings import Settings
from synapse_gateway.unpacking import unpacked

STREAMED = ("/api/chat", "/api/generate")
"""Ollama's native routes that answer in a stream, unless the client wants none."""
EXPECTS = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass(frozen=True)
class Request:
    """What one client asks for, checked."""

    route: Route
    asked: str
    model: Model
    fields: Mapping[str, Any]
    size: int
    """Bytes of the body."""
    stream: bool = False
    usage_wanted: bool = False
    """The client itself asked for the token counts at the end of its stream."""
    ignored: tuple[str, ...] = ()
    """Fields that no engine is told of."""
    has_pictures: bool = False


def key_of(headers: Mapping[str, str]) -> str:
    """Return the API key of a request, or refuse one without."""
    scheme, _, key = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        key = headers.get("x-api-key") or headers.get("api-key") or ""
    if not key.strip():
        raise errors.no_key()
    return key.strip()


async def read_body(request: web.BaseRequest, settings: Settings) -> bytes:
    """Return a JSON body; one over the limit is refused before it is read to its end."""
    limit = settings.json_body_mib * MIB
    check_length(request.headers, limit)
    arrived = request.content.is_eof() and request.content.exception() is None
    if arrived and "content-encoding" not in request.headers:
        body = request.content.read_nowait()  # it came with its headers, as most do
        if len(body) > limit:
            raise errors.too_large(limit)
        return body
    try:
        async with asyncio.timeout(settings.body_timeout_s):
            return b"".join([chunk async for chunk in chunks(request, limit)])
    except TimeoutError:
        raise errors.slow_body(settings.body_timeout_s) from None


def check_length(headers: Mapping[str, str], limit: int) -> None:
    """Refuse a body that says itself that it is over the limit, before it is read."""
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > limit:
        raise errors.too_large(limit)


async def chunks(request: web.BaseRequest, limit: int) -> AsyncGenerator[bytes, None]:
    """Yield a body as it comes, unpacked; refuse it as soon as it is over the limit."""
    size = 0
    packing = request.headers.get("content-encoding", "")
    async for chunk in unpacked(_sent(request), packing):
        size += len(chunk)
        if size > limit:
            raise errors.too_large(limit)
        yield chunk


async def _sent(request: web.BaseRequest) -> AsyncIterator[bytes]:
    """Yield what the client sends, telling one that asks first to go on."""
    if request.headers.get("expect", "").lower() == "100-continue" and request.transport:
        request.transport.write(EXPECTS)
    try:
        async for chunk in request.content.iter_any():
            yield chunk
    except web.RequestPayloadError:
        raise errors.malformed("The body does not end as its headers say.") from None
    except ConnectionError:
        raise ClientLeft from None


def understand(body: bytes, route: Route, app: App, config: Config) -> Request:
    """Check the body, the model and the permission for it; return what is asked for."""
    told = json_object(body)
    if route.dialect == "native":
        return _native(told, len(body), route, app, config)
    asked, model = model_of(told.get("model"), route.kind, app, config)
    return checked(told, len(body), route, asked, model, config.settings)


def checked(
    told: Mapping[str, Any], size: int, route: Route, asked: str, model: Model, settings: Settings
) -> Request:
    """Return a request of which every field that an engine will see is within its bounds."""
    kept, ignored = fields.clean(told, route.allowed)
    bounds.check(kept)
    has_pictures = media.has_pictures(kept, settings.media_domains)
    options = kept.pop("stream_options", None)
    return Request(
        route,
        asked,
        model,
        kept,
        size,
        stream=bool(kept.get("stream")),
        usage_wanted=isinstance(options, dict) and bool(options.get("include_usage")),
        ignored=ignored,
        has_pictures=has_pictures,
    )


def _native(told: dict[str, Any], size: int, route: Route, app: App, config: Config) -> Request:
    """Take a request of Ollama's clients, whose fields are judged where they are translated."""
    name = told.get("model") or told.get("name")
    if isinstance(name, str) and config.resolve(name) is None:
        name = ollama.bare(name)
    asked, model = model_of(name, route.kind, app, config)
    streams = route.path in STREAMED and told.get("stream", True) is not False
    seen = media.has_native_pictures(told)
    return Request(route, asked, model, told, size, stream=streams, has_pictures=seen)


def json_object(body: bytes) -> dict[str, Any]:
    """Return what a body holds; refuse one that is no JSON object."""
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise errors.malformed(f"The body is not valid JSON: {error}.") from None
    if not isinstance(told, dict):
        raise errors.malformed("The body must be a JSON object.")
    return told


def model_of(name: Any, kind: str, app: App, config: Config) -> tuple[str, Model]:
    """Return the name that was asked for and its model, or refuse it for this application."""
    if not isinstance(name, str) or not name:
        raise errors.malformed("'model' must name a model.", "model")
    model = config.resolve(name)
    if model is None or name not in config.permitted[app.name]:
        raise errors.unknown_model(name)
    if model.kind != kind:
        raise errors.wrong_kind(name, model.kind)
    return name, model
