"""Every answer that is not the engine's own: OpenAI-shaped errors with a machine-readable code."""

from __future__ import annotations

import orjson
from aiohttp import web

STATUS = {
    "invalid_request": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "path_not_found": 404,
    "model_not_found": 404,
    "method_not_allowed": 405,
    "body_too_large": 413,
    "conflict": 409,
    "engine_aborted": 502,
    "engine_lost": 502,
    "answer_truncated": 502,
    "drain_limit": 503,
    "gpu_pinned": 503,
    "gpu_released": 503,
    "engine_down": 503,
    "model_quarantined": 503,
    "queue_full": 503,
    "starting": 503,
    "stopping": 503,
    "wait_budget_spent": 503,
    "wait_exceeds_budget": 503,
    "engine_silent": 504,
}


class RefusedError(Exception):
    """A request that gets no answer of an engine: why, and when to come again."""

    def __init__(self, code: str, message: str, retry_after_s: float | None = None) -> None:
        """Say why, by code and in words."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.retry_after_s = retry_after_s

    @property
    def status(self) -> int:
        """The HTTP status of this refusal."""
        return STATUS[self.code]

    def body(self) -> bytes:
        """The error object as the OpenAI clients read it."""
        kind = "invalid_request_error" if self.status < 500 else "service_unavailable"
        error = {"message": self.message, "type": kind, "param": None, "code": self.code}
        return orjson.dumps({"error": error})

    def response(self, headers: dict[str, str] | None = None) -> web.Response:
        """The whole answer, with Retry-After in whole seconds where one is known."""
        headers = {} if headers is None else dict(headers)
        if self.retry_after_s is not None:
            headers["Retry-After"] = str(max(1, round(self.retry_after_s)))
        return web.Response(
            body=self.body(),
            status=self.status,
            headers=headers,
            content_type="application/json",
        )

    def event(self) -> bytes:
        """The same error as a server-sent event, for an answer whose status is already out."""
        return b"data: " + self.body() + b"\n\n"
