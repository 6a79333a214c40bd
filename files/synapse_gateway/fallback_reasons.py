"""Why an engine did not answer, in one word for logs and metrics."""

from __future__ import annotations

import re

from synapse_common.protocol import ARBITER_FAILURES

SILENT = frozenset({"timeout", "engine_silent"})
"""Reasons after which the client is told that nobody answered in time."""
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


CODE = re.compile(r"""["']code["']\s*:\s*["']([a-z_]+)["']""")
CONTEXT = ("context length", "context window", "contextwindow", "context_length")
TIMEOUT = ("timeout", "timed out")


def reason_of(status: int, text: str) -> str:
    """Name the reason, one of a fixed set; the text counts only where the status says too little.

    (1) a refusal may be about the context, (2) the arbiter's failures have a code of their own,
    (3) other known statuses speak for themselves, (4) LiteLLM reports what went wrong on the way
    to an engine as status 500.
    """
    reason = BY_STATUS.get(status)
    if reason == "refused":  # (1)
        about_context = any(word in text.lower() for word in CONTEXT)
        return "context" if about_context else reason
    code = CODE.search(text)
    if code and code[1] in ARBITER_FAILURES:  # (2)
        return code[1]
    if reason is not None:  # (3)
        return reason
    text = text.lower()
    if any(word in text for word in TIMEOUT):  # (4)
        return "timeout"
    return "unreachable" if "connect" in text else "failed"
