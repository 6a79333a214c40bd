"""Every answer that is not the engine's own: errors with a machine-readable code."""

from __future__ import annotations

from aiohttp import web

from synapse_common.protocol import ARBITER_STATUS
from synapse_common.refusals import Refusal


class RefusedError(Refusal):
    """A request that gets no answer of an engine: why, and when to come again."""

    def __init__(self, code: str, message: str, retry_after_s: float | None = None) -> None:
        """Say why, by code and in words."""
        super().__init__(ARBITER_STATUS[code], code, message)
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        """Say why, in words."""
        return self.message

    def response(
        self, headers: dict[str, str] | None = None, body: bytes | None = None
    ) -> web.Response:
        """Return the whole answer, with Retry-After in whole seconds where one is known.

        The body is OpenAI's unless another is given.
        """
        headers = {} if headers is None else dict(headers)
        if self.retry_after_s is not None:
            headers["Retry-After"] = str(max(1, round(self.retry_after_s)))
        return web.Response(
            body=self.body() if body is None else body,
            status=self.status,
            headers=headers,
            content_type="application/json",
        )
