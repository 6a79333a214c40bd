"""Errors as Anthropic's clients read them."""

from http import HTTPStatus
from typing import Any

from aiohttp import web

from vllm_simulator.dialects.common import settings_of
from vllm_simulator.errors import EngineDeadError, EnginePausedError
from vllm_simulator.http_errors import RefusedError, body_of

_TYPES = {400: "invalid_request_error", 404: "not_found_error", 500: "api_error"}


def told(
    request: web.Request, error: RefusedError | EngineDeadError | EnginePausedError
) -> RefusedError:
    """Translate a refusal or a failure; before 0.33 it kept OpenAI's name of its type."""
    body = error.body if isinstance(error, RefusedError) else body_of(error)
    status = HTTPStatus(body["error"]["code"])
    kind: Any = body["error"]["type"]
    if settings_of(request).behaviour.is_newest:
        kind = _TYPES.get(status.value, "api_error")
    told_error = {"type": kind, "message": body["error"]["message"]}
    return RefusedError(status, {"type": "error", "error": told_error})
