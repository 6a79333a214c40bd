"""The refusals a client can meet, in OpenAI's shape; their texts name nothing internal."""

from __future__ import annotations

from datetime import date

from synapse_common.refusals import Refusal

UNAVAILABLE_RETRY_S = 5
QUEUE_RETRY_S = 30
CUTS_RETRY_S = 60
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


def no_route(method: str, path: str) -> Refusal:
    """Nothing is served under this path."""
    return Refusal(404, "not_found", f"Nothing is served at {method} {path}.")


def wrong_method(path: str, allowed: str) -> Refusal:
    """The path is served, with another method."""
    message = f"{path} answers {allowed} only."
    return Refusal(405, "method_not_allowed", message, headers={"allow": allowed})


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


def unknown_language(name: str, language: str, known: tuple[str, ...]) -> Refusal:
    """The transcriber does not understand this language."""
    spoken = ", ".join(known)
    message = (
        f"The model '{name}' does not know the language '{language[:20]}'. It knows: {spoken}."
    )
    return Refusal(400, "unsupported_language", message, param="language")


def malformed(message: str, param: str | None = None) -> Refusal:
    """The body cannot be understood."""
    return Refusal(400, "invalid_request", message, param=param)


def unknown_packing(packing: str) -> Refusal:
    """The body is packed in a way that nobody here unpacks."""
    message = f"Content-Encoding '{packing[:40]}' is not known here; send gzip, deflate or none."
    return Refusal(415, "unsupported_encoding", message)


def too_large(limit_bytes: int) -> Refusal:
    """The body is over its route's limit; the connection is closed instead of reading on."""
    message = f"The request body is larger than this route's limit of {limit_bytes} bytes."
    return Refusal(413, "request_too_large", message, headers={"connection": "close"})


def too_much_text(message: str) -> Refusal:
    """The body is too large beside its base64; the connection is closed instead of reading on."""
    return Refusal(413, "request_too_large", message, headers={"connection": "close"})


def too_complex(message: str) -> Refusal:
    """The body would take too long to parse; the connection is closed instead of reading on."""
    return Refusal(400, "invalid_request", message, headers={"connection": "close"})


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


def too_complex_to_translate(model: str, limit: int) -> Refusal:
    """The request has more structure than LiteLLM works through while others wait."""
    message = (
        f"The model '{model}' is reached through a translation, which takes at most {limit} "
        "objects, lists and keys; send less in one request."
    )
    return Refusal(400, "invalid_request", message)


def broken_form(why: str) -> Refusal:
    """The form cannot be read; `why` is the second half of a sentence."""
    return malformed(f"The form cannot be read: {why}.")


def too_many_uploads(limit: int, wait_s: float) -> Refusal:
    """All places for uploads that the application may take are taken, and none became free."""
    headers = {"retry-after": str(UNAVAILABLE_RETRY_S), "connection": "close"}
    message = (
        f"No place for this upload became free within {wait_s:g} s. The gateway holds {limit}, and "
        f"of one application no more than it leaves free. Try again in {UNAVAILABLE_RETRY_S} s."
    )
    return Refusal(503, "too_many_uploads", message, headers=headers)


def slow_upload(least_kib_s: int, window_s: float) -> Refusal:
    """The upload comes so slowly that it would hold its place for nothing."""
    message = (
        f"The upload came at less than {least_kib_s} KiB a second for {window_s:g} s. "
        "Record first, then send."
    )
    return Refusal(408, "upload_too_slow", message, headers={"connection": "close"})


def disk_full() -> Refusal:
    """The disk has no room for an upload."""
    headers = {"retry-after": str(QUEUE_RETRY_S), "connection": "close"}
    message = f"The gateway has no room for this upload. Try again in {QUEUE_RETRY_S} s."
    return Refusal(503, "disk_full", message, headers=headers)


def too_long_recording(found_s: float, limit_s: float) -> Refusal:
    """The recording is longer than one may be."""
    message = (
        f"The recording takes {found_s:.0f} s; at most {limit_s:g} s are heard at once. "
        "Send it in parts."
    )
    return Refusal(413, "recording_too_long", message, param="file")


def queue_timeout(model: str, limit_s: float) -> Refusal:
    """The model transcribes others, and this request waited longer than the queue limit."""
    headers = {"retry-after": str(QUEUE_RETRY_S)}
    message = (
        f"The model '{model}' still transcribes other recordings after {limit_s:g} s in the queue. "
        f"Try again in {QUEUE_RETRY_S} s."
    )
    return Refusal(503, "queue_timeout", message, headers=headers)


def slow_body(limit_s: float) -> Refusal:
    """The body did not arrive in time."""
    message = f"The request body did not arrive within {limit_s:g} s."
    return Refusal(408, "request_timeout", message, headers={"connection": "close"})


def malformed_http() -> Refusal:
    """What came is no HTTP/1.1, or HTTP that is read in more than one way."""
    message = "This is no well-formed HTTP/1.1 request within the limits (docs/limits.md)."
    return Refusal(400, "malformed_http", message)


def headers_too_large() -> Refusal:
    """The request line or the headers are over their limits."""
    message = "The request line or the headers are larger than the limit (docs/limits.md)."
    return Refusal(431, "headers_too_large", message)


def slow_headers(limit_s: float) -> Refusal:
    """The headers did not arrive in time."""
    message = f"The request's headers did not arrive within {limit_s:g} s."
    return Refusal(408, "header_timeout", message)


def too_many_connections() -> Refusal:
    """All places for connections are taken by requests."""
    headers = {"retry-after": str(UNAVAILABLE_RETRY_S)}
    message = f"Too many connections are open. Try again in {UNAVAILABLE_RETRY_S} s."
    return Refusal(503, "too_many_connections", message, headers=headers)


def too_many_wrong_keys(retry_after_s: int) -> Refusal:
    """Many refusals for wrong keys wait already."""
    headers = {"retry-after": str(retry_after_s), "connection": "close"}
    message = f"Too many wrong API keys came from your address. Wait {retry_after_s} s."
    return Refusal(429, TOO_MANY_WRONG_KEYS, message, "rate_limit_error", headers=headers)


def over_limit(what: str, retry_after_s: int) -> Refusal:
    """The application has used up one of its limits."""
    headers = {"retry-after": str(retry_after_s)}
    message = f"The limit of {what} is used up. Try again in {retry_after_s} s."
    return Refusal(429, "rate_limit_exceeded", message, "rate_limit_error", headers=headers)


class Unaffordable(Refusal):
    """A limit in money is in the way of a model outside; one in the house may answer."""


def budget_spent(
    limit: str, limit_usd: float, left_usd: float, cost_usd: float, anew: str
) -> Unaffordable:
    """What models outside may cost in this month is spent, or nearly; trying again is no use."""
    if left_usd > 0:
        what = (
            f"This request may cost up to ${cost_usd:.4f} outside the house, and ${left_usd:.4f} "
            f"of ${limit_usd:.2f} a month are left ({limit}). Send less, or a smaller limit on the "
            "answer's tokens;"
        )
    else:
        what = (
            f"The limit of ${limit_usd:.2f} a month for models outside the house is used up "
            f"({limit}). Ask for a model in the house;"
        )
    message = f"{what} it begins anew on {anew} (UTC), and the operator can raise it."
    kind = "insufficient_quota"
    return Unaffordable(429, kind, message, kind, headers={"x-should-retry": "false"})


def price_unknown(model: str, limit: str) -> Unaffordable:
    """There is a limit in money, and nobody knows what the model costs."""
    message = (
        f"The price of the model '{model}' is not known, so it cannot be counted for {limit}. "
        "The operator can write price in the model's entry."
    )
    return Unaffordable(403, "price_unknown", message, param="model")


def usage_not_kept() -> Unaffordable:
    """There is a limit in money, and what the request costs cannot be written down."""
    headers = {"retry-after": str(QUEUE_RETRY_S)}
    message = (
        "What this request costs outside the house cannot be written down, and there is a limit on "
        "it: the gateway's volume for its usage is full or broken. Models in the house answer."
    )
    return Unaffordable(503, "usage_not_kept", message, headers=headers)


def overloaded(limit: int) -> Refusal:
    """The gateway serves as many requests as it can, of all applications together."""
    headers = {"retry-after": str(UNAVAILABLE_RETRY_S)}
    message = f"The gateway already serves {limit} requests. Try again in {UNAVAILABLE_RETRY_S} s."
    return Refusal(503, "overloaded", message, headers=headers)


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


def models_are_the_operators(path: str) -> Refusal:
    """A client of Ollama wants to change the models."""
    message = f"{path} is not served: the operator's catalogue says which models there are."
    return Refusal(403, "forbidden", message)


def timed_out(model: str) -> Refusal:
    """The engine did not answer within its time-out."""
    message = f"The model '{model}' did not answer in time."
    return Refusal(504, "model_timeout", message)


def interrupted(model: str) -> Refusal:
    """An answer began and could not be finished."""
    message = f"The answer of the model '{model}' was interrupted and is incomplete."
    return Refusal(502, "answer_interrupted", message)


def usage_unread() -> Refusal:
    """What was used cannot be read."""
    headers = {"retry-after": str(UNAVAILABLE_RETRY_S)}
    message = "What was used cannot be read; the gateway's log says why (usage_not_kept)."
    return Refusal(503, "usage_not_kept", message, headers=headers)


def broken() -> Refusal:
    """Something went wrong in the gateway itself."""
    return Refusal(500, "internal_error", "The gateway failed; its log says why.")


def stopping() -> Refusal:
    """The gateway stops before it could answer."""
    headers = {"retry-after": str(UNAVAILABLE_RETRY_S)}
    return Refusal(503, "stopping", "The gateway is restarting.", headers=headers)


def _unauthorized(message: str, code: str = "invalid_api_key") -> Refusal:
    return Refusal(401, code, message, headers={"www-authenticate": "Bearer"})
