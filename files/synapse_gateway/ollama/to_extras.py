"""Tools, formats, thinking and probabilities of an OpenAI request, as Ollama takes them."""

from __future__ import annotations

from typing import Any

from synapse_gateway import errors
from synapse_gateway.ollama import wire
from synapse_gateway.ollama.asked import Asked, unsupported
from synapse_gateway.ollama.to_options import MOST_LOGPROBS

EFFORTS: dict[str, bool | str] = {
    "none": False, "low": "low", "medium": "medium", "high": "high", "max": "max",
}  # fmt: skip
"""What `reasoning_effort` may say, and what Ollama calls it."""
_ANY_CALL = "Ollama leaves it to the model whether it calls a tool. Use auto or none."


def tools(asked: Asked) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Return the tools, and the names of what Ollama does not read in them."""
    given = asked.objects("tools") or []
    for number, tool in enumerate(given):
        if tool.get("type") != "function" or not isinstance(tool.get("function"), dict):
            where = f"tools[{number}]"
            raise errors.malformed(f"'{where}' must be a tool of type function.", where)
    parallel = asked.flag("parallel_tool_calls")
    choice = asked.take("tool_choice")
    if choice not in (None, "auto", "none"):
        raise unsupported("tool_choice", _ANY_CALL)
    if choice == "none" or not given:
        return [], ()
    if parallel is False:
        why = "Ollama leaves it to the model how many tools it calls at once. Leave it out."
        raise unsupported("parallel_tool_calls", why)
    strict = any(tool["function"].get("strict") for tool in given)
    return given, ("tools.function.strict",) if strict else ()


def answer_format(asked: Asked) -> Any:
    """Return `json`, a JSON schema, or None for text, wherever the client named it."""
    found = [_response_format(asked), _guided(asked), _structured(asked)]
    named = [one for one in found if one is not None]
    if len(named) > 1:
        message = "Only one of response_format, structured_outputs and guided_json may be sent."
        raise errors.malformed(message, "response_format")
    return named[0] if named else None


def think(asked: Asked) -> bool | str | None:
    """Return whether and how much the model shall think; None: as the model does by itself."""
    given: dict[str, bool | str] = {}
    effort = asked.take("reasoning_effort")
    if effort is not None:
        if not isinstance(effort, str) or effort not in EFFORTS:
            raise asked.wrong("reasoning_effort", f"one of {', '.join(EFFORTS)}")
        given["reasoning_effort"] = EFFORTS[effort]
    direct = asked.take("think")
    if direct is not None:
        if not isinstance(direct, bool) and direct not in ("low", "medium", "high", "max"):
            raise asked.wrong("think", "true, false, low, medium, high or max")
        given["think"] = direct
    kwargs = asked.mapping("chat_template_kwargs")
    if kwargs:
        template = Asked(kwargs, "chat_template_kwargs")
        switch = template.flag("enable_thinking")
        if switch is not None:
            given["chat_template_kwargs.enable_thinking"] = switch
        for path in template.left():
            raise unsupported(path, "Ollama's templates have no such switch. Leave it out.")
    if len(given) > 1:
        message = f"Only one of {' and '.join(given)} may be sent."
        raise errors.malformed(message, next(iter(given)))
    return next(iter(given.values()), None)


def chat_logprobs(asked: Asked) -> dict[str, Any]:
    """Return Ollama's two fields for the probabilities of a chat's tokens."""
    wanted = asked.flag("logprobs")
    top = asked.integer("top_logprobs", 0, MOST_LOGPROBS)
    if not wanted and top:
        raise asked.wrong("top_logprobs", "sent together with logprobs: true")
    return {"logprobs": True, "top_logprobs": top or 0} if wanted else {}


def completion_logprobs(asked: Asked) -> dict[str, Any]:
    """Return the same for a completion, whose one field is a number."""
    top = asked.integer("logprobs", 0, MOST_LOGPROBS)
    return {} if top is None else {"logprobs": True, "top_logprobs": top}


def _response_format(asked: Asked) -> Any:
    given = asked.mapping("response_format")
    kind = (given or {}).get("type")
    if given is None or kind == "text":
        return None
    if kind == "json_object":
        return "json"
    if kind != "json_schema":
        raise asked.wrong("response_format.type", "text, json_object or json_schema")
    named = given.get("json_schema")
    schema = named.get("schema") if isinstance(named, dict) else None
    if not isinstance(schema, dict):
        raise asked.wrong("response_format.json_schema.schema", "a JSON schema, as an object")
    return schema


def _guided(asked: Asked) -> Any:
    given = asked.take("guided_json")
    if isinstance(given, str):
        try:
            given = wire.parse_given(given)
        except ValueError:
            given = False
    if given is not None and not isinstance(given, dict):
        raise asked.wrong("guided_json", "a JSON schema")
    return given


def _structured(asked: Asked) -> Any:
    wanted = asked.mapping("structured_outputs")
    if not wanted:
        return None
    given = Asked(wanted, "structured_outputs")
    schema = given.mapping("json")
    anything = given.flag("json_object")
    for path in given.left():
        raise unsupported(path, "Ollama takes JSON schemas only.")
    if schema is not None:
        return schema
    return "json" if anything else None
