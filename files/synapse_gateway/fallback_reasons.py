"""Why an engine did not answer, in one word for logs and metrics."""

from __future__ import annotations

from synapse_common.protocol import ARBITER_FAILURES

BY_STATUS = {
    400: "refused",
    401: "credentials",
    403: "credentials",
    404: "missing",
    408: "timeout",
    413: "refused",
    415: "refused",
    422: "refused",
    429: "busy",
    503: "busy",
    504: "timeout",
}
CONTEXT_CODES = {"context_length_exceeded", "exceed_context_size_error"}
CONTEXT = ("context length", "context window", "contextwindow", "context_length", "context size")
"""How engines that have no code for it say that a prompt is too long."""


def reason_of(status: int, text: str, code: str = "") -> str:
    """Name the reason, one of a fixed set; the text counts only where nothing else tells.

    (1) the arbiter's failures have codes of their own, (2) a refusal may be about the context,
    (3) known statuses speak for themselves.
    """
    if code in ARBITER_FAILURES:  # (1)
        return code
    reason = BY_STATUS.get(status, "failed")
    if reason == "refused":  # (2)
        about_context = any(word in text.lower() for word in CONTEXT)
        return "context" if code in CONTEXT_CODES or about_context else reason
    return reason  # (3)
