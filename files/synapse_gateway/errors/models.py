"""Refusals about what a model can do, and about one that does not answer."""

from __future__ import annotations

from synapse_common.refusals import Refusal
from synapse_gateway.errors.retries import UNAVAILABLE_RETRY_S

CUTS_RETRY_S = 60


def unavailable(model: str, retry_after_s: int = UNAVAILABLE_RETRY_S) -> Refusal:
    """Neither the model nor any of its fallbacks could answer."""
    headers = {"retry-after": str(retry_after_s)}
    message = f"The model '{model}' and its fallbacks cannot answer right now."
    return Refusal(503, "model_unavailable", message, headers=headers)


def too_long(model: str, reason: str, context: int | None) -> Refusal:
    """The request does not fit the model, in the words that OpenAI's clients look for."""
    limit = f" of {context} tokens" if context else ""
    words = f" {reason}" if reason else ""
    message = f"The request is longer than the maximum context length{limit} of '{model}'.{words}"
    return Refusal(400, "context_length_exceeded", message, param="messages")


def cuts(model: str) -> Refusal:
    """The model's engine was seen to shorten what is too long, without a word."""
    headers = {"retry-after": str(CUTS_RETRY_S)}
    message = (
        f"The engine of the model '{model}' would answer from a part of a long request without "
        "saying so; it is not asked until its operator has updated it."
    )
    return Refusal(503, "engine_cuts", message, headers=headers)


def blind(model: str) -> Refusal:
    """The request shows pictures, and the model does not see."""
    message = f"The model '{model}' cannot see pictures; its entry names no capability 'vision'."
    return Refusal(400, "unsupported_content", message, param="messages")


def raw_prompt(name: str) -> Refusal:
    """The name fixes what a prompt without a template has no place for."""
    message = (
        f"The name '{name}' fixes a system text or how long the model thinks, which a raw prompt "
        "cannot say. Ask for it as a chat."
    )
    return Refusal(400, "unsupported_route", message, param="model")


class NoDialect(Refusal):
    """The model's engine does not speak what the route speaks."""

    def __init__(self, path: str, model: str) -> None:
        """Name both."""
        message = f"The engine of the model '{model}' has nothing at {path}."
        super().__init__(400, "unsupported_route", message, param="model")


def timed_out(model: str) -> Refusal:
    """The engine did not answer within its time-out."""
    message = f"The model '{model}' did not answer in time."
    return Refusal(504, "model_timeout", message)


def interrupted(model: str) -> Refusal:
    """An answer began and could not be finished."""
    message = f"The answer of the model '{model}' was interrupted and is incomplete."
    return Refusal(502, "answer_interrupted", message)
