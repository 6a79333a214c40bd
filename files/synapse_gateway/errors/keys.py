"""Refusals about keys and what they open."""

from __future__ import annotations

from datetime import date

from synapse_common.refusals import Refusal

ASKED_SHOWN = 100
TOO_MANY_WRONG_KEYS = "too_many_wrong_keys"
"""The code of refusals that one sender can cause without end."""


def no_key() -> Refusal:
    """A request came without a key."""
    return _unauthorized(
        "No API key was given. Send it as 'Authorization: Bearer <key>' or 'x-api-key'."
    )


def unknown_key() -> Refusal:
    """A request came with a key nobody holds."""
    return _unauthorized("The API key is not known here.")


def ended_key(last_day: date) -> Refusal:
    """A request came with a key whose last day is over."""
    message = f"The API key ended on {last_day}, its last day (UTC). Ask the operator for more."
    return _unauthorized(message, "expired_api_key")


def too_many_wrong_keys(retry_after_s: int) -> Refusal:
    """Many refusals for wrong keys wait already."""
    headers = {"retry-after": str(retry_after_s), "connection": "close"}
    message = f"Too many wrong API keys came from your address. Wait {retry_after_s} s."
    return Refusal(429, TOO_MANY_WRONG_KEYS, message, "rate_limit_error", headers=headers)


def unknown_model(name: str) -> Refusal:
    """The model does not exist, or this application may not know that it does."""
    name = name[:ASKED_SHOWN]
    message = f"The model '{name}' does not exist or you do not have access to it."
    return Refusal(404, "model_not_found", message, param="model", asked=name)


def may_not_leave(name: str, app: str) -> Refusal:
    """The model is outside the house, where this application's requests may not go."""
    message = (
        f"The model '{name}' is outside the house, and requests of the application '{app}' stay in "
        "it. Ask for another model; the operator can write may_leave: true in the application's "
        "entry."
    )
    return Refusal(403, "may_not_leave", message, param="model", asked=name)


def wrong_kind(name: str, kind: str) -> Refusal:
    """The model exists but cannot do what this route asks."""
    message = f"The model '{name}' is of kind {kind}, which this route does not serve."
    return Refusal(400, "unsupported_model", message, param="model", asked=name)


def models_are_the_operators(path: str) -> Refusal:
    """A client of Ollama wants to change the models."""
    message = f"{path} is not served: the operator's catalogue says which models there are."
    return Refusal(403, "forbidden", message)


def _unauthorized(message: str, code: str = "invalid_api_key") -> Refusal:
    return Refusal(401, code, message, headers={"www-authenticate": "Bearer"})
