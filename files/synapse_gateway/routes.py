"""Every route the gateway opens, with what it accepts; all others are 404."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from synapse_common.engines import AUDIO_KINDS
from synapse_gateway import fields


class Shape(StrEnum):
    """How a route's request body is written."""

    JSON = "json"
    FORM = "form"


@dataclass(frozen=True)
class Route:
    """One POST route that ends in a model."""

    path: str
    kind: str
    """The kind of model that serves it."""
    shape: Shape
    allowed: frozenset[str]
    """Body fields that travel on; all others are dropped."""
    needs_reason: bool = False
    """A complete stream of this route says why it finished."""

    @property
    def is_audio(self) -> bool:
        """The gateway itself passes the request on; LiteLLM never sees it."""
        return self.kind in AUDIO_KINDS


ROUTES = {
    route.path: route
    for route in (
        Route("/v1/chat/completions", "chat", Shape.JSON, fields.CHAT, needs_reason=True),
        Route("/v1/completions", "chat", Shape.JSON, fields.COMPLETION, needs_reason=True),
        Route("/v1/embeddings", "embedding", Shape.JSON, fields.EMBEDDING),
        Route("/v1/audio/transcriptions", "transcription", Shape.FORM, fields.TRANSCRIPTION),
        Route("/v1/audio/translations", "transcription", Shape.FORM, fields.TRANSLATION),
        Route("/v1/audio/speech", "speech", Shape.JSON, fields.SPEECH),
    )
}
MODELS = "/v1/models"
VOICES = "/v1/audio/voices"
AUDIO_MODELS = "/v1/audio/models"
LIVE = "/health/live"
READY = "/health/ready"


def canonical(path: str) -> str:
    """Return the path with its version: `/chat/completions` is served like `/v1/...`."""
    versioned = f"/v1{path}"
    return versioned if versioned in ROUTES or listed(versioned) else path


def listed(path: str) -> str | None:
    """Return the route that lists something under this path, None if none does."""
    if path in (VOICES, AUDIO_MODELS):
        return path
    return MODELS if path == MODELS or path.startswith(f"{MODELS}/") else None
