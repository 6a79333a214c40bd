"""Read a request's body as FastAPI and vLLM's own handler of its errors do."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from vllm_simulator.http_errors import BAD_REQUEST, RefusedError, refusal

_Fields = TypeVar("_Fields", bound=BaseModel)
_UNREADABLE = RefusedError(BAD_REQUEST, {"detail": "There was an error parsing the body"})
_NOT_JSON = "1 validation error:\n  Unsupported Media Type: Only 'application/json' is allowed"
_BAD = HTTPStatus.BAD_REQUEST.phrase
# Where a field takes several types, the one that was tried is no part of its name.
_TYPES = ("str", "list[any]")
# So many errors are told, of more their number.
_TOLD = 10


async def read(request: web.Request, fields: type[_Fields]) -> _Fields:
    """Read the body as these fields, or refuse it."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise refusal(_NOT_JSON, kind=_BAD)
    body = await _body(request)
    try:
        return fields.model_validate(body, from_attributes=True)
    except ValidationError as error:
        raise invalid(error.errors(include_url=False)) from None


async def read_object(request: web.Request) -> dict[str, Any]:
    """Read a JSON object as the control routes do, which tell their own error."""
    try:
        return dict(await request.json())
    except json.JSONDecodeError as error:
        raise refusal(f"JSON decode error: {error}", kind=_BAD) from None


def read_query(request: web.Request, fields: type[_Fields]) -> _Fields:
    """Read the query string as these fields, or refuse it: also with a 400, as vLLM does."""
    try:
        return fields.model_validate(dict(request.query))
    except ValidationError as error:
        raise invalid(error.errors(include_url=False), "query") from None


def invalid(found: Sequence[Mapping[str, Any]], where: str = "body") -> RefusedError:
    """Refuse with what pydantic found."""
    lines = [f"  {_line(each, where)}" for each in found[:_TOLD]]
    if len(found) > _TOLD:
        lines.append(f"  ...and {len(found) - _TOLD} more errors")
    plural = "s" if len(found) > 1 else ""
    sentence = f"{len(found)} validation error{plural}:\n" + "\n".join(lines)
    return refusal(sentence, _place(found[0], where), kind=_BAD)


def missing(asked: BaseModel, field: str) -> RefusedError:
    """Refuse a request without a field that may have other names."""
    given = asked.model_dump(exclude_unset=True)
    told = {"type": "missing", "loc": (field,), "msg": "Field required", "input": given}
    return invalid([told])


async def _body(request: web.Request) -> Any:
    raw = await request.read()
    if not raw:
        raise invalid([{"type": "missing", "loc": (), "msg": "Field required", "input": None}])
    try:
        return json.loads(raw)
    except json.JSONDecodeError as error:
        told = {"type": "json_invalid", "loc": (error.pos,), "msg": "JSON decode error"}
        raise invalid([{**told, "input": {}, "ctx": {"error": error.msg}}]) from None
    except (UnicodeDecodeError, RecursionError):
        raise _UNREADABLE from None


def _line(error: Mapping[str, Any], where: str) -> dict[str, Any]:
    told = {
        "type": error["type"],
        "loc": _place(error, where),
        "msg": error["msg"],
        "input": _shown(error["input"]),
    }
    return told | ({"ctx": error["ctx"]} if "ctx" in error else {})


def _place(error: Mapping[str, Any], where: str) -> str:
    return ".".join(str(part) for part in (where, *error["loc"]) if part not in _TYPES)


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return f"<{type(value).__name__} of {len(value)} items>"
    return str(value)
