"""How one model is asked for what a client wants: straight, or in another dialect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from synapse_common.answers.endpoints import ENDPOINTS, Endpoint
from synapse_common.answers.judges import Judge, Native
from synapse_common.answers.lists import Lists
from synapse_common.answers.stream_guard import LineGuard, StreamGuard
from synapse_common.bodies import parsing
from synapse_common.bodies.aside import Bytes
from synapse_common.engines import TRANSLATED, Dialect
from synapse_gateway import errors
from synapse_gateway.config import Model
from synapse_gateway.ollama import FromNative, from_native, native_through, to_native, wire
from synapse_gateway.reasoning import Speaker, told
from synapse_gateway.request import Request
from synapse_gateway.response import EVENTS, LINES

OPENAIS = ("chat", "completions", "embeddings")
"""What can be asked of Ollama's native API, which refuses a prompt that its own /v1 would cut."""
TRANSLATED_AT_MOST = 40_000
"""Objects, lists and keys that LiteLLM walks through in less than 0.1 s."""


class Translation(Protocol):
    """Turns an engine's answer into the client's dialect."""

    def whole(self, payload: bytes, lists: Lists) -> bytes:
        """Return an answer in one piece, whose long lists may be left out."""

    def feed(self, data: bytes) -> bytes:
        """Return the events that are complete with these bytes."""

    def finish(self) -> bytes:
        """Return what is left at the end of the engine's stream."""


@dataclass(frozen=True)
class Exchange:
    """What one engine is sent, and how its answer is read."""

    path: str
    """Below /v1, or from the root with two slashes."""
    body: Sequence[Bytes]
    """In pieces, which may be sent again."""
    judge: Judge
    guard: type[StreamGuard]
    stream_type: str
    """The content type of a stream for the client."""
    translation: Translation | None = None
    ignored: tuple[str, ...] = ()
    """Fields of which this engine is not told."""
    answered: bytes | None = None
    """The answer to a request for which no engine is asked."""


def exchange(request: Request, model: Model) -> Exchange:
    """Return how a model is asked; raise Refusal for what its engine cannot do."""
    dialect = request.route.dialect
    speaks = TRANSLATED if model.via_litellm else model.engine_type.dialects
    if dialect in speaks:
        return straight(request, model)
    if dialect in OPENAIS and "native" in speaks:
        return _to_native(request, model)
    if dialect == "native":
        asking = from_native(request.route.path, {**request.fields, "model": model.name})
        if asking.dialect in speaks:
            return _from_native(request, asking, model)
    raise errors.NoDialect(request.route.path, model.name)


def straight(request: Request, model: Model) -> Exchange:
    """Send what the client sent, with the model's name there and what our own rules demand."""
    if request.route.dialect == "native":
        return _natively(request, model)
    fields = {**request.fields, "model": model.served_name}
    if request.stream and request.route.dialect in OPENAIS:
        # The token counts are needed here even when the client does not want them.
        fields["stream_options"] = {"include_usage": True}
    if model.via_litellm:
        fields["disable_fallbacks"] = True  # the chain is walked here
    fields, untold = _reasoned(request, model, request.route.dialect, fields)
    path = request.route.path
    path = path.removeprefix("/v1") if path.startswith("/v1") else f"/{path}"
    judged = _judged(request.route.path, request.fields)
    written = _written(request, fields, model)
    return Exchange(path, written, judged, StreamGuard, EVENTS, None, untold)


def _natively(request: Request, model: Model) -> Exchange:
    path = request.route.path
    body, ignored = native_through(path, request.fields, model.served_name)
    body, untold = _reasoned(request, model, "native", body)
    judge = Native(_texts(body), model.context)
    written = _written(request, body, model)
    return Exchange(f"/{path}", written, judge, LineGuard, LINES, None, ignored + untold)


def _to_native(request: Request, model: Model) -> Exchange:
    names = model.served_name, model.name
    asking = to_native(request.route.dialect, request.fields, *names, model.context)
    judge = _judged(request.route.path, request.fields)
    body, untold = _reasoned(request, model, "native", asking.body)
    written, ignored = _written(request, body, model), asking.ignored + untold
    return Exchange(f"/{asking.path}", written, judge, StreamGuard, EVENTS, asking, ignored)


def _from_native(request: Request, asking: FromNative, model: Model) -> Exchange:
    fields = {**asking.fields, "model": model.served_name}
    if model.via_litellm:
        fields["disable_fallbacks"] = True
    thinks = "reasoning" in (model.capabilities or ())
    if not thinks and fields.get("reasoning_effort") == "none":
        del fields["reasoning_effort"]  # it does not think anyway, and may not know the word
    fields, untold = _reasoned(request, model, asking.dialect, fields)
    judge = Native(_texts(fields))
    return Exchange(
        PATHS[asking.dialect],
        _written(request, fields, model),
        judge,
        LineGuard,
        LINES,
        asking,
        asking.ignored + untold,
        asking.answered,
    )


def _reasoned(
    request: Request, model: Model, dialect: Dialect, body: dict[str, Any]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return a body with what the name says of thinking, or what a model is not told of it.

    A model that cannot follow answers all the same: the client has not asked for it.
    """
    wish = request.reasoning
    if wish is None:
        return body, ()
    if model.capabilities is None:
        # Nobody knows; the operator has chosen the first for this name.
        able = model.name == request.model.name
    else:
        able = "reasoning" in model.capabilities
    return (told(body, _speaker(model), dialect, wish), ()) if able else (body, wish.names)


def _speaker(model: Model) -> Speaker:
    if model.via_litellm or model.engine_type.is_outside:
        return "outside"
    return "native" if model.engine_type.is_native else "straight"


def _written(request: Request, body: Mapping[str, Any], model: Model) -> Sequence[Bytes]:
    written = wire.dumps(body)
    # Counted exactly only where the signs in texts make it look like too much.
    if model.via_litellm and request.structure > TRANSLATED_AT_MOST < parsing.structure(written):
        raise errors.too_complex_to_translate(model.name, TRANSLATED_AT_MOST)
    return request.aside.restored(written)


def _texts(body: Mapping[str, Any]) -> int:
    """Return how many vectors a request asks for."""
    given = body.get("input")
    return len(given) if isinstance(given, list) else 1


PATHS = {"chat": "/chat/completions", "completions": "/completions", "embeddings": "/embeddings"}


def _judged(path: str, fields: Mapping[str, Any]) -> Judge:
    endpoint: Endpoint = ENDPOINTS[path]
    return endpoint.judge(endpoint.answers(dict(fields)))
