"""The refusals a client can meet, in OpenAI's shape."""

from __future__ import annotations

from collections.abc import Iterable

from synapse_common.refusals import Refusal

RETRY_S = 2


def malformed(message: str, param: str | None = None) -> Refusal:
    """The body cannot be understood."""
    return Refusal(400, "invalid_request", message, param=param)


def unknown_model(name: str, known: Iterable[str]) -> Refusal:
    """Nothing here has this name."""
    message = f"There is no model '{name[:100]}'. There is: {', '.join(known)}."
    return Refusal(404, "model_not_found", message, param="model")


def unknown_voice(model: str, name: str, known: Iterable[str]) -> Refusal:
    """The model has no such voice; the message lists those it has, each with its language."""
    message = f"The model '{model}' has no voice '{name[:100]}'. It has: {', '.join(known)}."
    return Refusal(400, "unknown_voice", message, param="voice")


def voice_missing(model: str, name: str) -> Refusal:
    """The voice is one of the model's, but could not be fetched or loaded."""
    message = f"The voice '{name[:100]}' of '{model}' is not there; the deployment says why."
    return Refusal(503, "voice_missing", message, param="voice")


def too_many_requests(limit: int) -> Refusal:
    """The limit requests_at_once is reached, or the application's part of it."""
    message = (
        f"None of the {limit} places of requests_at_once is free for this application. "
        f"Try again in {RETRY_S} s."
    )
    return Refusal(503, "too_many_requests_at_once", message, headers={"retry-after": str(RETRY_S)})


def broken() -> Refusal:
    """Something went wrong in here."""
    return Refusal(500, "internal_error", "The voice failed; the server's log says why.")
