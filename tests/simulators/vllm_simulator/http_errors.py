"""How failures look to a client: vLLM's error bodies and dropped connections."""

from http import HTTPStatus
from typing import Any

from aiohttp import web

from vllm_simulator.errors import EngineDeadError, EnginePausedError, OperationFailedError


def error_body(status: HTTPStatus, message: str, kind: str | None = None) -> dict[str, Any]:
    """Build the body vLLM sends with an error."""
    return {
        "error": {
            "message": message,
            "type": kind or status.phrase.replace(" ", "") + "Error",
            "param": None,
            "code": status.value,
        }
    }


def body_of(error: EngineDeadError | EnginePausedError | OperationFailedError) -> dict[str, Any]:
    """Translate an engine failure into vLLM's error body."""
    if isinstance(error, EngineDeadError):
        return error_body(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            "The server had an error while processing your request.",
        )
    if isinstance(error, EnginePausedError):
        return error_body(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "Generation is paused. Please retry after it resumes.",
        )
    return error_body(HTTPStatus.INTERNAL_SERVER_ERROR, str(error))


def refuse(status: HTTPStatus, message: str, kind: str | None = None) -> web.Response:
    """Answer with vLLM's error body."""
    return web.json_response(error_body(status, message, kind), status=status)


def drop(request: web.Request) -> web.Response:
    """Break the connection, as a process does that is not there any more."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
