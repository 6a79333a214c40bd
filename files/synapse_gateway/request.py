"""From the client's request to the one LiteLLM sees: read within limits, checked, made anew."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.types import Receive, Scope

from synapse_gateway import errors, fields
from synapse_gateway.config import MIB, App, Config, Model
from synapse_gateway.routes import Route
from synapse_gateway.settings import Settings


class ClientLeft(Exception):  # noqa: N818  # nothing is wrong
    """The client closed the connection before its request was complete."""


@dataclass(frozen=True)
class Request:
    """What one client asks for, cleaned."""

    asked: str
    model: Model
    body: bytes
    fields: Mapping[str, Any]
    stream: bool = False
    usage_wanted: bool = False
    """The client itself asked for the token counts at the end of its stream."""
    as_base64: bool = False
    """The client wants embeddings in base64, which not every engine can write."""


def headers_of(scope: Scope) -> dict[str, str]:
    """Return the request's headers; of repeated ones the first counts."""
    pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    return dict(reversed(pairs))


def key_of(headers: Mapping[str, str]) -> str:
    """Return the API key of a request, or refuse one without."""
    scheme, _, key = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise errors.no_key()
    return key.strip()


async def read_body(headers: Mapping[str, str], receive: Receive, settings: Settings) -> bytes:
    """Return a JSON body; one over the limit is refused before it is read to its end."""
    limit = settings.json_body_mib * MIB
    check_length(headers, limit)
    try:
        async with asyncio.timeout(settings.body_timeout_s):
            return b"".join([chunk async for chunk in chunks(receive, limit)])
    except TimeoutError:
        raise errors.slow_body(settings.body_timeout_s) from None


def check_length(headers: Mapping[str, str], limit: int) -> None:
    """Refuse a body that says itself that it is over the limit, before it is read."""
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > limit:
        raise errors.too_large(limit)


async def chunks(receive: Receive, limit: int) -> AsyncGenerator[bytes, None]:
    """Yield a body as it comes; refuse it as soon as it is over the limit."""
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise errors.too_large(limit)
        yield chunk
        more = message.get("more_body", False)


def understand(body: bytes, route: Route, app: App, config: Config) -> Request:
    """Check the body, the model and the permission for it; return what the engine shall see."""
    data = fields.clean(_object(body), route.allowed)
    asked, model = model_of(data.get("model"), route, app, config)
    stream = data.get("stream", False)
    if not isinstance(stream, bool):
        raise errors.malformed("'stream' must be true or false.", "stream")
    options = data.pop("stream_options", None)
    if stream:
        # The token counts are needed here even when the client does not want them.
        data["stream_options"] = {"include_usage": True}
    data["model"] = model.name
    as_base64 = data.pop("encoding_format", None) == "base64"
    return Request(
        asked,
        model,
        orjson.dumps(data),
        data,
        stream=stream,
        usage_wanted=isinstance(options, dict) and bool(options.get("include_usage")),
        as_base64=as_base64,
    )


def _object(body: bytes) -> dict[str, Any]:
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise errors.malformed(f"The body is not valid JSON: {error}.") from None
    if not isinstance(data, dict):
        raise errors.malformed("The body must be a JSON object.")
    return data


def model_of(name: Any, route: Route, app: App, config: Config) -> tuple[str, Model]:
    """Return the name that was asked for and its model, or refuse it for this application."""
    if not isinstance(name, str) or not name:
        raise errors.malformed("'model' must name a model.", "model")
    model = config.resolve(name)
    if model is None or name not in config.permitted[app.name]:
        raise errors.unknown_model(name)
    if model.kind != route.kind:
        raise errors.wrong_kind(name, model.kind)
    return name, model
