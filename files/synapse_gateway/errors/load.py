"""Refusals about limits, and about the gateway itself."""

from __future__ import annotations

from synapse_common.refusals import Refusal
from synapse_gateway.errors.retries import UNAVAILABLE_RETRY_S


class GatewayFull(Refusal):
    """The memory for requests in flight is used up, all of it or this application's part."""

    def __init__(self) -> None:
        """Say when to come again."""
        headers = {"retry-after": str(UNAVAILABLE_RETRY_S), "connection": "close"}
        message = (
            "The gateway holds as many large requests as its memory takes. "
            f"Try again in {UNAVAILABLE_RETRY_S} s, or send fewer at once."
        )
        super().__init__(503, "gateway_full", message, headers=headers)


def over_limit(what: str, retry_after_s: int) -> Refusal:
    """The application has used up one of its limits."""
    headers = {"retry-after": str(retry_after_s)}
    message = f"The limit of {what} is used up. Try again in {retry_after_s} s."
    return Refusal(429, "rate_limit_exceeded", message, "rate_limit_error", headers=headers)


def overloaded(limit: int) -> Refusal:
    """The gateway serves as many requests as it can, of all applications together."""
    headers = {"retry-after": str(UNAVAILABLE_RETRY_S)}
    message = f"The gateway already serves {limit} requests. Try again in {UNAVAILABLE_RETRY_S} s."
    return Refusal(503, "overloaded", message, headers=headers)


def broken() -> Refusal:
    """Something went wrong in the gateway itself."""
    return Refusal(500, "internal_error", "The gateway failed; its log says why.")


def stopping() -> Refusal:
    """The gateway stops before it could answer."""
    headers = {"retry-after": str(UNAVAILABLE_RETRY_S)}
    return Refusal(503, "stopping", "The gateway is restarting.", headers=headers)
