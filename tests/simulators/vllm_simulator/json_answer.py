"""Answers as FastAPI sends them: compact JSON without a character set, or nothing at all."""

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

CONTENT_TYPE = {"Content-Type": "application/json"}


def json_answer(
    body: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Answer with JSON."""
    return web.Response(
        body=compact(body), status=status, headers={**CONTENT_TYPE, **(headers or {})}
    )


def empty_answer(status: int = 200) -> web.Response:
    """Answer with a status alone."""
    return _Empty(status=status)


def compact(body: Any) -> bytes:
    """Write JSON without spaces."""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()


class _Empty(web.Response):
    """A response that names no type: aiohttp would name one of its own."""

    async def _prepare_headers(self) -> None:
        await super()._prepare_headers()
        self._headers.popall("Content-Type", None)
