"""Refusals about a request: its path, its fields, its size and pace."""

from __future__ import annotations

from synapse_common.refusals import Refusal
from synapse_gateway.errors.retries import UNAVAILABLE_RETRY_S


def no_route(method: str, path: str) -> Refusal:
    """Nothing is served under this path."""
    return Refusal(404, "not_found", f"Nothing is served at {method} {path}.")


def wrong_method(path: str, allowed: str) -> Refusal:
    """The path is served, with another method."""
    message = f"{path} answers {allowed} only."
    return Refusal(405, "method_not_allowed", message, headers={"allow": allowed})


def malformed(message: str, param: str | None = None) -> Refusal:
    """The body cannot be understood."""
    return Refusal(400, "invalid_request", message, param=param)


def broken_form(why: str) -> Refusal:
    """The form cannot be read; `why` is the second half of a sentence."""
    return malformed(f"The form cannot be read: {why}.")


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


def too_complex_to_translate(model: str, limit: int) -> Refusal:
    """The request has more structure than LiteLLM works through while others wait."""
    message = (
        f"The model '{model}' is reached through a translation, which takes at most {limit} "
        "objects, lists and keys; send less in one request."
    )
    return Refusal(400, "invalid_request", message)


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
