"""Why a backend did not answer, in one word for logs and metrics."""

from __future__ import annotations

BY_STATUS = {
    400: "refused",
    401: "credentials",
    403: "credentials",
    404: "missing",
    408: "timeout",
    413: "refused",
    422: "refused",
    429: "busy",
    503: "busy",
    504: "timeout",
}


CONTEXT = ("context length", "context window", "contextwindow", "context_length")
TIMEOUT = ("timeout", "timed out")


def reason_of(status: int, text: str) -> str:
    """Name the reason; the text counts only where the status does not say it.

    (1) a refusal may be about the context, (2) other known statuses speak for themselves,
    (3) LiteLLM reports what went wrong on the way to a backend as status 500.
    """
    text = text.lower()
    reason = BY_STATUS.get(status)
    if reason == "refused" and any(word in text for word in CONTEXT):  # (1)
        return "context"
    if reason is not None:  # (2)
        return reason
    if any(word in text for word in TIMEOUT):  # (3)
        return "timeout"
    return "unreachable" if "connect" in text else "failed"
