"""Every route the gateway opens, with what it accepts; all others are 404."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from synapse_common.answers import dialects
from synapse_common.engines import AUDIO_KINDS, Dialect, Kind
from synapse_gateway import fields


class Shape(StrEnum):
    """How a route's request body is written."""

    JSON = "json"
    FORM = "form"


@dataclass(frozen=True)
class Route:
    """One POST route that ends in a model."""

    path: str
    kind: Kind
    """The kind of model that serves it."""
    dialect: Dialect
    """What an engine must speak to be asked as the client asks."""
    shape: Shape
    allowed: frozenset[str]
    """Body fields that travel on; of Ollama's native API the translation decides."""

    @property
    def is_audio(self) -> bool:
        """Say whether sound goes in or comes out."""
        return self.kind in AUDIO_KINDS


def _json(path: str, kind: Kind, dialect: Dialect, allowed: frozenset[str]) -> Route:
    return Route(path, kind, dialect, Shape.JSON, allowed)


def _native(path: str, kind: Kind) -> Route:
    return Route(path, kind, "native", Shape.JSON, frozenset())


def _form(path: str, allowed: frozenset[str]) -> Route:
    return Route(path, "transcription", "transcriptions", Shape.FORM, allowed)


ROUTES = {
    route.path: route
    for route in (
        _json("/v1/chat/completions", "chat", "chat", fields.CHAT),
        _json("/v1/completions", "chat", "completions", fields.COMPLETION),
        _json("/v1/responses", "chat", "responses", fields.RESPONSES),
        _json("/v1/messages", "chat", "messages", fields.MESSAGES),
        _json("/v1/messages/count_tokens", "chat", "count_tokens", fields.COUNT_TOKENS),
        _json("/v1/embeddings", "embedding", "embeddings", fields.EMBEDDING),
        _json("/v1/rerank", "rerank", "rerank", fields.RERANK),
        _json("/v1/score", "rerank", "score", fields.SCORE),
        _json("/tokenize", "chat", "tokenize", fields.TOKENIZE),
        _json("/detokenize", "chat", "detokenize", fields.DETOKENIZE),
        _form("/v1/audio/transcriptions", fields.TRANSCRIPTION),
        _form("/v1/audio/translations", fields.TRANSLATION),
        _json("/v1/audio/speech", "speech", "speech", fields.SPEECH),
        _native("/api/chat", "chat"),
        _native("/api/generate", "chat"),
        _native("/api/embed", "embedding"),
        _native("/api/embeddings", "embedding"),
    )
}
MODELS = "/v1/models"
VOICES = "/v1/audio/voices"
AUDIO_MODELS = "/v1/audio/models"
TAGS, PS, SHOW, VERSION = "/api/tags", "/api/ps", "/api/show", "/api/version"
"""What Ollama's clients read."""
OPERATORS = frozenset(
    f"/api/{name}" for name in ("pull", "push", "create", "delete", "copy", "blobs")
)
"""How Ollama's clients would change the models."""
USAGE = "/operator/usage"
"""For the operator's key alone; with any other there is nothing."""
LIVE = "/health/live"
READY = "/health/ready"
ROOT = "/"
SLASHES = re.compile("/{2,}")
OTHER_NAMES = {"/v2/rerank": "/v1/rerank"}
"""What clients of other servers call our routes."""


def canonical(path: str) -> str:
    """Return a path as it stands in the table.

    `/chat/completions` is served like `/v1/...`, and a slash more or less means the same.
    """
    path = SLASHES.sub("/", path).rstrip("/") or ROOT
    path = OTHER_NAMES.get(path, path)
    for spelled in (path, f"/v1{path}", path.removeprefix("/v1")):
        if spelled in ROUTES or listed(spelled):
            return spelled
    return path


def listed(path: str) -> str | None:
    """Return the route that lists something under this path, None if none does."""
    if path in (VOICES, AUDIO_MODELS, TAGS, PS, SHOW, VERSION):
        return path
    return MODELS if path == MODELS or path.startswith(f"{MODELS}/") else None


def dialect_of(path: str) -> dialects.OpenAI:
    """Return how errors are written at a path, which need not be served."""
    if path.startswith("/v1/messages"):
        return dialects.ANTHROPIC
    if path.startswith("/v1/responses"):
        return dialects.RESPONSES
    return dialects.OLLAMA if path.startswith("/api/") else dialects.OPENAI
