"""What the programs share: where to ask, what to ask, and how a client's own error is told."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

URL = os.environ["GATEWAY_URL"]
"""The gateway, without a path."""
KEY = os.environ["GATEWAY_KEY"]
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
"""The arguments of the tool `weather`, and the one form of a structured answer."""


def messages(words: str = "hi") -> Any:
    """Return a conversation of one question, which every dialect but responses takes."""
    return [{"role": "user", "content": words}]


def error_of(call: Callable[[], Any]) -> dict[str, Any]:
    """Return the client's own exception; a call that succeeds is a failure."""
    try:
        returned = call()
    except Exception as error:
        return told(error)
    raise AssertionError(f"no error, but {returned!r}")


def told(error: BaseException) -> dict[str, Any]:
    """Return what an application reads in an exception, as plain data."""
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    return {
        "name": type(error).__name__,
        "text": str(error),
        "status": getattr(error, "status_code", None),
        "code": getattr(error, "code", None),
        "param": getattr(error, "param", None),
        "retry_after": headers.get("retry-after"),
    }
