"""How failures look to a client: vLLM's error bodies, FastAPI's own, and dropped connections."""

from http import HTTPStatus
from typing import Any

from aiohttp import web

from vllm_simulator.errors import EngineDeadError, EnginePausedError, OperationFailedError
from vllm_simulator.json_answer import json_answer

BAD_REQUEST = HTTPStatus.BAD_REQUEST


class RefusedError(Exception):
    """A request is refused; `body` is what its client reads."""

    def __init__(self, status: HTTPStatus, body: dict[str, Any]) -> None:
        """Refuse with this status and body."""
        super().__init__(str(body))
        self.status, self.body = status, body


def error_body(
    status: HTTPStatus, message: str, kind: str | None = None, param: str | None = None
) -> dict[str, Any]:
    """Build the body vLLM sends with an error."""
    return {
        "error": {
            "message": message,
            "type": kind or status.phrase.replace(" ", "") + "Error",
            "param": param,
            "code": status.value,
        }
    }


def refusal(
    message: str,
    param: str | None = None,
    *,
    status: HTTPStatus = BAD_REQUEST,
    kind: str | None = None,
) -> RefusedError:
    """Refuse in vLLM's words."""
    return RefusedError(status, error_body(status, message, kind, param))


def wrong_value(message: str, param: str, value: Any = ...) -> RefusedError:
    """Refuse a field's value; vLLM names the field and mostly the value behind its sentence."""
    shown = "" if value is ... else f", value={value}"
    return refusal(f"{message} (parameter={param}{shown})", param)


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
    return json_answer(error_body(status, message, kind), status=status)


def plain(error: web.HTTPException) -> web.Response:
    """Answer as the framework does when no route fits."""
    headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else None
    return json_answer({"detail": error.reason}, status=error.status, headers=headers)


def drop(request: web.Request) -> web.Response:
    """Break the connection, as a process does that is not there any more."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
