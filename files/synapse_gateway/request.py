"""A client's request: read within limits, checked, and for which model it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from synapse_common.bodies import parsing
from synapse_common.bodies.aside import Aside
from synapse_common.bodies.incoming import Body
from synapse_gateway import bounds, errors, fields, media, ollama, presets
from synapse_gateway.config import Alias, App, Config, Model
from synapse_gateway.reasoning import Reasoning
from synapse_gateway.routes import Route
from synapse_gateway.settings import Settings

CHARACTERS_PER_TOKEN = 4
"""About, of texts in English and of JSON: for the log and for fair shares, where no engine counts.
Money is booked by fewer, see `relay/most.py`."""
STREAMED = ("/api/chat", "/api/generate")
"""Ollama's native routes that answer in a stream, unless the client wants none."""


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
    reasoning: Reasoning | None = None
    """What the name that was asked for says of thinking, to models that can."""
    has_pictures: bool = False
    structure: int = 0
    """Signs of objects, lists and keys in the body, those in its texts too."""
    aside: Aside = field(default_factory=Aside)
    """What is put back into the body when it is sent."""

    @property
    def about_tokens(self) -> int:
        """Estimate the tokens of the prompt, for answers of which no engine counts them."""
        return (self.size - self.aside.size) // CHARACTERS_PER_TOKEN


def key_of(headers: Mapping[str, str]) -> str:
    """Return the API key of a request, or refuse one without."""
    scheme, _, key = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        key = headers.get("x-api-key") or headers.get("api-key") or ""
    if not key.strip():
        raise errors.no_key()
    return key.strip()


def understand(body: Body, route: Route, app: App, config: Config) -> Request:
    """Check the body, the model and the permission for it; return what is asked for."""
    return asked_for(json_object(body), body, route, app, config)


def asked_for(told: dict[str, Any], body: Body, route: Route, app: App, config: Config) -> Request:
    """Return what the fields of a body ask for, checked."""
    bounds.check_names(told)
    if route.dialect == "native":
        return _native(told, body, route, app, config)
    asked, model = model_of(told.get("model"), route.kind, app, config)
    return checked(told, body, route, asked, model, config.settings, config.presets.get(asked))


def checked(
    told: Mapping[str, Any],
    body: Body,
    route: Route,
    asked: str,
    model: Model,
    settings: Settings,
    preset: Alias | None = None,
) -> Request:
    """Return a request of which every field that an engine will see is within its bounds."""
    kept, ignored = fields.clean(told, route.allowed)
    bounds.check(kept, body.aside.length)
    has_pictures = media.has_pictures(kept, settings.media_domains)
    options = kept.pop("stream_options", None)
    wish: Reasoning | None = None
    if preset is not None:
        added = presets.apply(route.path, kept, preset)
        kept, wish, ignored = added.fields, added.reasoning, ignored + added.ignored
    return Request(
        route,
        asked,
        model,
        kept,
        body.size,
        stream=bool(kept.get("stream")),
        usage_wanted=isinstance(options, dict) and bool(options.get("include_usage")),
        ignored=ignored,
        reasoning=wish,
        has_pictures=has_pictures,
        structure=body.containers + body.keys,
        aside=body.aside,
    )


def _native(told: dict[str, Any], body: Body, route: Route, app: App, config: Config) -> Request:
    """Take a request of Ollama's clients, whose fields are judged where they are translated."""
    name = told.get("model") or told.get("name")
    if isinstance(name, str) and config.resolve(name) is None:
        name = ollama.bare(name)
    asked, model = model_of(name, route.kind, app, config)
    bounds.check_counts(told)
    streams = route.path in STREAMED and told.get("stream", True) is not False
    seen = media.has_native_pictures(told)
    preset = config.presets.get(asked)
    ignored: tuple[str, ...] = ()
    wish: Reasoning | None = None
    if preset is not None:
        added = presets.apply(route.path, told, preset)
        told, wish, ignored = added.fields, added.reasoning, added.ignored
    return Request(
        route,
        asked,
        model,
        told,
        body.size,
        stream=streams,
        ignored=ignored,
        reasoning=wish,
        has_pictures=seen,
        structure=body.containers + body.keys,
        aside=body.aside,
    )


def json_object(body: Body) -> dict[str, Any]:
    """Return what a body holds; refuse one that is no JSON object."""
    try:
        told = parsing.loads(body.text)
    except ValueError as error:
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
        if name in config.withheld[app.name]:
            raise errors.may_not_leave(name, app.name)
        raise errors.unknown_model(name)
    if model.kind != kind:
        raise errors.wrong_kind(name, model.kind)
    return name, model
